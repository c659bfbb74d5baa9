#include "icap_service/body.h"

#include <stdlib.h>

/* Room beyond what is held, so that reading and writing can alternate: some reads of c-icap's 4096
 * bytes. */
enum { SLACK = 16 * 1024, FIRST = 16 * 1024 };

struct body {
	enum body_phase	 phase;
	size_t		 tail;
	size_t		 cap, cap_max;
	uint64_t	 seen, sent, judged;
	char		*ring;
};

struct body *
body_new(size_t small, size_t tail, size_t lag, size_t room)
{
	size_t held = small > tail + lag ? small : tail + lag, max = (held > room ? held : room) + SLACK;
	size_t first = room > FIRST ? room : FIRST;
	struct body *b = malloc(sizeof(*b));

	if (b == NULL)
		return NULL;
	*b = (struct body){ .phase = BODY_HELD, .tail = tail, .cap = first < max ? first : max, .cap_max = max };
	if ((b->ring = malloc(b->cap)) != NULL)
		return b;
	free(b);
	return NULL;
}

void
body_free(struct body *b)
{
	if (b == NULL)
		return;
	free(b->ring);
	free(b);
}

/* Copy LEN bytes that begin AT out of the ring. */
static void
copy_out(const struct body *b, uint64_t at, char *out, size_t len)
{
	size_t begin = (size_t)(at % b->cap), first = len < b->cap - begin ? len : b->cap - begin;

	memcpy(out, b->ring + begin, first);
	memcpy(out + first, b->ring, len - first);
}

static void
copy_in(struct body *b, struct slice bytes)
{
	size_t begin = (size_t)(b->seen % b->cap), first = bytes.len < b->cap - begin ? bytes.len : b->cap - begin;

	if (bytes.len == 0)
		return;
	memcpy(b->ring + begin, bytes.p, first);
	memcpy(b->ring, bytes.p + first, bytes.len - first);
}

/* Make room for WANT bytes, as far as the ring may grow; without memory it stays as it is. */
static void
grow(struct body *b, size_t want)
{
	size_t held = (size_t)(b->seen - b->sent), cap = b->cap, begin = (size_t)(b->sent % b->cap);
	size_t first = held < b->cap - begin ? held : b->cap - begin;
	struct body grown = *b;

	while (cap < b->cap_max && cap - held < want)
		cap = 2 * cap < b->cap_max ? 2 * cap : b->cap_max;
	if (cap == b->cap || (grown.ring = malloc(cap)) == NULL)
		return;
	grown.cap = cap;
	grown.seen = b->sent;
	copy_in(&grown, slice_make(b->ring + begin, first));
	grown.seen += first;
	copy_in(&grown, slice_make(b->ring, held - first));
	grown.seen = b->seen;
	free(b->ring);
	*b = grown;
}

size_t
body_put(struct body *b, struct slice bytes)
{
	size_t held = (size_t)(b->seen - b->sent);

	if (bytes.len > b->cap - held)
		grow(b, bytes.len);
	bytes = slice_head(bytes, b->cap - held);
	copy_in(b, bytes);
	b->seen += bytes.len;
	return bytes.len;
}

void
body_judged(struct body *b, uint64_t to)
{
	b->judged = to;
}

bool
body_full(const struct body *b)
{
	return b->seen - b->sent == b->cap_max;
}

bool
body_stuck(const struct body *b)
{
	return body_full(b) && b->phase != BODY_FREE && b->judged <= b->sent + b->tail;
}

/* How many bytes may go now. */
static size_t
releasable(const struct body *b)
{
	switch (b->phase) {
	case BODY_HELD:
		return 0;
	case BODY_TAIL:
		return b->judged > b->sent + b->tail ? (size_t)(b->judged - b->sent - b->tail) : 0;
	case BODY_FREE:
		break;
	}
	return (size_t)(b->seen - b->sent);
}

size_t
body_get(struct body *b, char *out, size_t len)
{
	size_t may = releasable(b), n = len < may ? len : may;

	copy_out(b, b->sent, out, n);
	b->sent += n;
	return n;
}

void
body_hold_tail(struct body *b)
{
	if (b->phase == BODY_HELD)
		b->phase = BODY_TAIL;
}

void
body_release(struct body *b)
{
	b->phase = BODY_FREE;
}

void
body_drop(struct body *b)
{
	b->sent = b->seen;
	b->phase = BODY_FREE;
}

enum body_phase
body_phase(const struct body *b)
{
	return b->phase;
}

uint64_t
body_seen(const struct body *b)
{
	return b->seen;
}

uint64_t
body_sent(const struct body *b)
{
	return b->sent;
}

bool
body_empty(const struct body *b)
{
	return b->seen == b->sent;
}
