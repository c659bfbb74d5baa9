/* body.h - a body in flight and its hold-back: what may go to the client, and what not yet.
 *
 *	0            sent             judged - hold     judged        seen
 *	|=============|-------------------|---------------|------------|
 *	 the client has it   may go now      held back     not yet looked up
 *
 * Invariant: sent <= judged - hold until body_release(), where judged is the offset up to which everything
 * that is complete was looked up.  While HELD, hold is everything; on the TAIL, hold is the last bytes; when FREE, nothing.
 * A kill is one only because at least one byte is held until the verdict. One body belongs to one transaction; memory is one
 * ring, which grows while there is more to hold, up to a fixed size: most bodies are short.  Knows no ICAP. */
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

/* Take bytes from the front of BYTES, as many as there is room for; how many.  0 only when the ring
 * is full and cannot grow. */
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

/* Free of all that it held; used when a page takes its place. */
void body_drop(struct body *b);

enum body_phase body_phase(const struct body *b);
uint64_t body_seen(const struct body *b);	/* bytes taken so far */
uint64_t body_sent(const struct body *b);	/* bytes handed out so far */
bool body_empty(const struct body *b);		/* nothing left to hand out */

#endif
