/* icap_client.h - a small ICAP client over TCP: keep-alive, preview and ieof, 100 Continue, 204, chunks, and the difference
 * between an end and a broken transfer (RFC 3507 4.5, 4.6).
 *
 * It sends and reads at the same time, so that a service that streams never waits for it.  One connection, one thread. */
#ifndef T_REPLAY_ICAP_CLIENT_H
#define T_REPLAY_ICAP_CLIENT_H

#include "base/diag.h"
#include "t/replay/icap.h"

struct icap_client;

/* A client of SERVICE at HOST:PORT; connects when it is first used.  NULL without memory.  The caller's:
 * icap_client_free(). */
struct icap_client *icap_client_new(const char *host, const char *port, const char *service);
void icap_client_free(struct icap_client *c);

/* Make one exchange.  0 and REPLY, also when the connection broke off in the middle (then REPLY is not complete); -1 with an
 * error in DIAG when there was no connection, no answer in time, or an answer that is no ICAP. */
int icap_client_call(struct icap_client *c, const struct icap_call *call, struct icap_reply *reply,
    struct diag *diag);

/* Ask for OPTIONS; the ICAP head goes to REPLY. */
int icap_client_options(struct icap_client *c, struct icap_reply *reply, struct diag *diag);

#endif
