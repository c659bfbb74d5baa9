/* fake_server.h - c-icap in a function call: the real service objects, c-icap's own library, and a request loop that keeps
 * 0.5.10's rules and says when the service breaks them.
 *
 * It supplies the ci_command_* symbols that only the c-icap executable exports.  The network never waits: every read is ready
 * and every write succeeds.  Reads are at most 4,096 bytes, writes 4,064; after the end of the body only *wlen counts.
 *
 * What it holds against the service, in fake_server_violations():
 *	204 that was not offered, or after an answer was made or sent (c-icap would throw that answer away, or send a 500);
 *	no bytes and no end after the body has ended (c-icap would leave the client waiting);
 *	an abort by one value only (0.5.10 looks at *wlen, 0.6 at the result);
 *	more bytes than there was room for, or taken than were offered; a read that can never be finished;
 *	an answer at the preview that stays locked; heads that change after they were sent.
 *
 * One at a time, one thread. */
#ifndef T_REPLAY_FAKE_SERVER_H
#define T_REPLAY_FAKE_SERVER_H

#include "base/diag.h"
#include "t/replay/icap.h"

struct fake_server;

/* Start the service with STATE as its StateDir, $FIREBREAK_HELPER as its Helper, and the lines of CONF ("BlockConnect mark").  NULL with an error in DIAG.
 * The caller's: fake_server_stop(). */
struct fake_server *fake_server_start(const char *state, struct slice conf, struct diag *diag);
void fake_server_stop(struct fake_server *s);

/* The preview size that the service advertises, and the tag of its rules. */
int fake_server_preview(const struct fake_server *s);
struct slice fake_server_istag(const struct fake_server *s);

/* Run what was scheduled, as a second's passing does. */
void fake_server_tick(struct fake_server *s);

/* One exchange from the first callback to release. */
void fake_server_call(struct fake_server *s, const struct icap_call *call, struct icap_reply *reply);

/* A line each, and no line twice: what was held against the service so far, and what it wrote into the server log. */
struct slice fake_server_violations(const struct fake_server *s);
struct slice fake_server_log(const struct fake_server *s);

#endif
