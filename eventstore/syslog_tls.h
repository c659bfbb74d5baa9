/* syslog_tls.h - TLS on a socket that is connected, as a client: OpenSSL's libssl lives here.
 *
 * The other side's certificate is always checked, and must be good for the name that was asked for: there is no switch.  WHY gets
 * a line of text when something fails.  One thread. */
#ifndef EVENTSTORE_SYSLOG_TLS_H
#define EVENTSTORE_SYSLOG_TLS_H

#include <stdbool.h>

#include "eventstore/syslog_link.h"

struct tls_client;
struct tls_session;

/* NULL with an error in DIAG.  The caller's. */
struct tls_client *tls_client_new(const struct syslog_tls_files *files, struct diag *diag);
void tls_client_free(struct tls_client *c);

/* A session on FD, which stays the caller's, with HOST: a name or an address.  C outlives it. */
struct tls_session *tls_session_new(struct tls_client *c, int fd, const char *host, char *why, size_t size);
void tls_session_free(struct tls_session *s);

/* Write all of BYTES.  0 or -1. */
int tls_session_write(struct tls_session *s, struct slice bytes, char *why, size_t size);

/* Say that nothing follows. */
void tls_session_end(struct tls_session *s);

/* Pass over some of what the other side sent, on a descriptor that does not block.  1: there may be more; 0: nothing follows, and
 * *CLEAN when it was the other side that said so (close_notify) and not whoever is on the way; -1 with errno. */
int tls_session_skip(struct tls_session *s, bool *clean);

#endif
