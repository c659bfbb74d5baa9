#include "icap_service/body.h"

#include <stdlib.h>

/* Room beyond what is held, so that reading and writing can alternate: some reads of c-icap's 4096
 * bytes. */
enum { SLACK = 16 * 1024 };

struct body {
	enum body_phase	 phase;
	size_t		 tail;
	size_t		 cap;
	uint64_t	 seen, sent;
	char		 ring[];
};

struct body *
body_new(size_t small, size_t tail, size_t room)
{
	size_t held = small > tail ? small : tail, cap = (held > room ? held : room) + SLACK;
	struct body *b = malloc(sizeof(*b) + cap);

	if (b == NULL)
		return NULL;
	*b = (struct body){ .phase = BODY_HELD, .tail = tail, .cap = cap };
	return b;
}

void
body_free(struct body *b)
{
	free(b);
}

size_t
body_put(struct body *b, struct slice bytes)
{
	size_t room = b->cap - (size_t)(b->seen - b->sent);
	size_t n = bytes.len < room ? bytes.len : room;
	size_t at = (size_t)(b->seen % b->cap);
	size_t first = n < b->cap - at ? n : b->cap - at;

	if (n > 0) {
		memcpy(b->ring + at, bytes.p, first);
		memcpy(b->ring, bytes.p + first, n - first);
	}
	b->seen += n;
	return n;
}

/* How many bytes may go now. */
static size_t
releasable(const struct body *b)
{
	uint64_t left = b->seen - b->sent;

	switch (b->phase) {
	case BODY_HELD:
		return 0;
	case BODY_TAIL:
		return left > b->tail ? (size_t)(left - b->tail) : 0;
	case BODY_FREE:
		break;
	}
	return (size_t)left;
}

size_t
body_get(struct body *b, char *out, size_t len)
{
	size_t may = releasable(b), n = len < may ? len : may;
	size_t at = (size_t)(b->sent % b->cap);
	size_t first = n < b->cap - at ? n : b->cap - at;

	memcpy(out, b->ring + at, first);
	memcpy(out + first, b->ring, n - first);
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
