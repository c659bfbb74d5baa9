/* body.h - a body in flight and its hold-back: what may go to the client, and what not yet.
 *
 *	0            sent             judged - hold     judged        seen
 *	|=============|-------------------|---------------|------------|
 *	 the client has it   may go now      held back     not yet looked up
 *
 * Invariant: sent <= judged - hold until body_release(), where judged is the offset up to which everything
 * that is complete was looked up.  While HELD, hold is everything; on the TAIL, hold is the last bytes; when FREE, nothing.
 * A kill is one only because at least one byte is held until the verdict.  One body belongs to one transaction.  Knows no ICAP.
 *
 * What is held is in memory, in one ring, which grows while there is more to hold, up to a fixed size: most bodies are short.  With
 * body_spool() much more is held whole: what does not fit into the ring goes to a file without a name, in order, and is read
 * from there before the ring is.
 *
 *	sent             spooled              seen          the file is written only while HELD: on the TAIL the ring is enough,
 *	 |------ file ------|------ ring ------|            and who sends has to wait
 *
 * A disk that takes no more loses nothing: the body is then on its TAIL, as if it had grown too long. */
#ifndef ICAP_SERVICE_BODY_H
#define ICAP_SERVICE_BODY_H

#include "base/slice.h"

enum body_phase { BODY_HELD, BODY_TAIL, BODY_FREE };

struct body;

/* An empty, HELD body that holds up to SMALL bytes whole, and TAIL (at least 1) at the end once
 * body_hold_tail() was called, with room for LAG bytes that are not judged yet; an empty one takes at least ROOM bytes at
 * once.  NULL without memory.  The caller's: body_free(). */
struct body *body_new(size_t small, size_t tail, size_t lag, size_t room);
void body_free(struct body *b);

/* Hold up to WHOLE bytes whole, beyond BODY_IN_MEMORY of them in a file in the folder DIR (borrowed as long as B lives).  To be
 * called before the first body_put().  Opens nothing yet. */
enum { BODY_IN_MEMORY = 256 * 1024 };
void body_spool(struct body *b, uint64_t whole, const char *dir);

/* Why the disk took no more, an errno; 0 while it does.  The body is not HELD any more then. */
int body_spool_error(const struct body *b);

/* What was written cannot be read back: body_get() gives nothing any more, and the transfer is to be broken. */
bool body_broken(const struct body *b);

/* Take bytes from the front of BYTES, as many as there is room for; how many.  0 only when there is no room, also for want of
 * memory or disk, before some are handed out. */
size_t body_put(struct body *b, struct slice bytes);

/* Everything complete up to offset TO was looked up. */
void body_judged(struct body *b, uint64_t to);

/* No byte more can be taken before some are handed out; and stuck, when none may be before more is judged. */
bool body_full(const struct body *b);
bool body_stuck(const struct body *b);

/* Hand out at most LEN bytes that may go now into OUT; how many. */
size_t body_get(struct body *b, char *out, size_t len);

/* From HELD to TAIL: all but the tail may go.  From any to FREE: everything may go. */
void body_hold_tail(struct body *b);
void body_release(struct body *b);

/* Let a little go while HELD, beginning EVERY_MS after NOW_MS: one byte each EVERY_MS, at most one of BODY_TRICKLE_PART that were
 * seen, and never one of the tail, so that it is never the whole. */
enum { BODY_TRICKLE_PART = 100 };
void body_trickle(struct body *b, int64_t now_ms, int64_t every_ms);

bool body_trickles(const struct body *b);	/* body_trickle() was called */

/* It is NOW_MS: true once the trickle has begun, which is the headers' turn; the first byte is due a span later.  Spans in which
 * nobody asked are not made up for. */
bool body_tick(struct body *b, int64_t now_ms);

/* Free of all that it held; used when a page takes its place. */
void body_drop(struct body *b);

enum body_phase body_phase(const struct body *b);
uint64_t body_seen(const struct body *b);	/* bytes taken so far */
uint64_t body_sent(const struct body *b);	/* bytes handed out so far */
bool body_empty(const struct body *b);		/* nothing left to hand out */

/* The descriptor of its file, for tests that break it; -1 when there is none. */
int body_spool_fd(const struct body *b);

#endif
