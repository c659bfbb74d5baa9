#include "icap_service/body.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

/* Room beyond what is held, so that reading and writing can alternate: some reads of c-icap's 4096
 * bytes. */
enum { SLACK = 16 * 1024, FIRST = 16 * 1024 };

struct body {
	enum body_phase	 phase;
	size_t		 tail;
	size_t		 cap, cap_max;		/* of the ring: now, at most */
	uint64_t	 held_max;		/* while HELD, in ring and file together */
	uint64_t	 seen, sent, judged;
	char		*ring;			/* has what is neither sent nor spooled */

	const char	*dir;			/* NULL: no file is wanted */
	int		 fd;			/* each byte stands at its offset in the body; -1: not open */
	uint64_t	 spooled;		/* what is before has been in the file */
	int		 error;			/* of writing it */
	bool		 broken;		/* it could not be read back */

	int64_t		 every_ms, due_ms;	/* 0: no trickle */
	bool		 begun;
	uint64_t	 trickled;		/* bytes whose turn has come */
};

struct body *
body_new(size_t small, size_t tail, size_t lag, size_t room)
{
	size_t held = small > tail + lag ? small : tail + lag, max = (held > room ? held : room) + SLACK;
	size_t first = room > FIRST ? room : FIRST;
	struct body *b = malloc(sizeof(*b));

	if (b == NULL)
		return NULL;
	*b = (struct body){ .phase = BODY_HELD, .tail = tail, .cap = first < max ? first : max, .cap_max = max, .held_max = max,
		.fd = -1 };
	if ((b->ring = malloc(b->cap)) != NULL)
		return b;
	free(b);
	return NULL;
}

static void
close_file(struct body *b)
{
	if (b->fd != -1)
		close(b->fd);
	b->fd = -1;
}

void
body_free(struct body *b)
{
	if (b == NULL)
		return;
	close_file(b);
	free(b->ring);
	free(b);
}

void
body_spool(struct body *b, uint64_t whole, const char *dir)
{
	if (whole + SLACK <= b->cap_max)
		return;
	/* The ring stays long enough for the tail: what CAP_MAX was made for. */
	if (b->cap_max < BODY_IN_MEMORY)
		b->cap_max = whole + SLACK < BODY_IN_MEMORY ? (size_t)whole + SLACK : BODY_IN_MEMORY;
	b->held_max = whole + SLACK;
	b->dir = dir;
}

int
body_spool_error(const struct body *b)
{
	return b->error;
}

int
body_spool_fd(const struct body *b)
{
	return b->fd;
}

bool
body_broken(const struct body *b)
{
	return b->broken;
}

/* Where the ring's content begins, in the body. */
static uint64_t
ring_at(const struct body *b)
{
	return b->sent > b->spooled ? b->sent : b->spooled;
}

static size_t
in_ring(const struct body *b)
{
	return (size_t)(b->seen - ring_at(b));
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

/* The ring's content, which goes round its end. */
static void
ring_parts(const struct body *b, struct slice part[2])
{
	size_t held = in_ring(b), begin = (size_t)(ring_at(b) % b->cap);
	size_t first = held < b->cap - begin ? held : b->cap - begin;

	part[0] = slice_make(b->ring + begin, first);
	part[1] = slice_make(b->ring, held - first);
}

/* Make room for WANT bytes, as far as the ring may grow; without memory it stays as it is. */
static void
grow(struct body *b, size_t want)
{
	size_t held = in_ring(b), cap = b->cap;
	struct body grown = *b;
	struct slice part[2];

	while (cap < b->cap_max && cap - held < want)
		cap = 2 * cap < b->cap_max ? 2 * cap : b->cap_max;
	if (cap == b->cap || (grown.ring = malloc(cap)) == NULL)
		return;
	ring_parts(b, part);
	grown.cap = cap;
	grown.seen = ring_at(b);
	copy_in(&grown, part[0]);
	grown.seen += part[0].len;
	copy_in(&grown, part[1]);
	grown.seen = b->seen;
	free(b->ring);
	*b = grown;
}

/* Write all of BYTES at AT.  -1 with errno. */
static int
write_at(int fd, uint64_t at, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t n = pwrite(fd, bytes.p, bytes.len, (off_t)at);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return errno = n == 0 ? EIO : errno, -1;
		bytes = slice_skip(bytes, (size_t)n);
		at += (uint64_t)n;
	}
	return 0;
}

static int
write_ring(struct body *b)
{
	struct slice part[2];

	if (b->fd == -1 && (b->fd = file_nameless(b->dir)) == -1)
		return -1;
	ring_parts(b, part);
	if (write_at(b->fd, ring_at(b), part[0]) == -1)
		return -1;
	return write_at(b->fd, ring_at(b) + part[0].len, part[1]);
}

/* Empty the ring into the file.  False when that is not to be done, or failed: what is in the ring stays there. */
static bool
spool(struct body *b)
{
	if (b->dir == NULL || b->phase != BODY_HELD)
		return false;
	if (write_ring(b) == 0) {
		b->spooled = b->seen;
		return true;
	}
	b->error = errno;
	body_hold_tail(b);
	return false;
}

/* How many bytes can be taken, if the disk takes its part. */
static uint64_t
room(const struct body *b)
{
	if (b->phase == BODY_HELD && b->dir != NULL)
		return b->held_max - (b->seen - b->sent);
	return b->cap_max - in_ring(b);
}

size_t
body_put(struct body *b, struct slice bytes)
{
	uint64_t may = room(b);
	size_t taken = 0;

	if (may < bytes.len)
		bytes = slice_head(bytes, (size_t)may);
	while (taken < bytes.len) {
		struct slice next = slice_skip(bytes, taken);

		if (next.len > b->cap - in_ring(b))
			grow(b, next.len);
		if (b->cap == in_ring(b) && !spool(b))
			break;
		next = slice_head(next, b->cap - in_ring(b));
		copy_in(b, next);
		b->seen += next.len;
		taken += next.len;
	}
	return taken;
}

void
body_judged(struct body *b, uint64_t to)
{
	b->judged = to;
}

bool
body_full(const struct body *b)
{
	return room(b) == 0;
}

static size_t
all_but_tail(const struct body *b)
{
	return b->judged > b->sent + b->tail ? (size_t)(b->judged - b->sent - b->tail) : 0;
}

/* What the trickle may let go. */
static size_t
trickle(const struct body *b)
{
	uint64_t part = b->seen / BODY_TRICKLE_PART, to = b->trickled < part ? b->trickled : part;
	size_t most = all_but_tail(b);

	if (to <= b->sent)
		return 0;
	return to - b->sent < most ? (size_t)(to - b->sent) : most;
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
		return trickle(b);
	case BODY_TAIL:
		return all_but_tail(b);
	case BODY_FREE:
		break;
	}
	return (size_t)(b->seen - b->sent);
}

/* Read LEN bytes that begin AT.  -1 with errno, also when the file is shorter. */
static int
read_at(int fd, uint64_t at, char *out, size_t len)
{
	while (len > 0) {
		ssize_t n = pread(fd, out, len, (off_t)at);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return errno = n == 0 ? EIO : errno, -1;
		out += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* Hand out LEN bytes of the file, or fewer.  It has had its use when all of it is out and no more can come. */
static size_t
get_spooled(struct body *b, char *out, size_t len)
{
	if (len > b->spooled - b->sent)
		len = (size_t)(b->spooled - b->sent);
	if (b->broken || read_at(b->fd, b->sent, out, len) == -1) {
		b->broken = true;
		return 0;
	}
	b->sent += len;
	if (b->sent == b->spooled && b->phase != BODY_HELD)
		close_file(b);
	return len;
}

size_t
body_get(struct body *b, char *out, size_t len)
{
	size_t may = releasable(b), n = len < may ? len : may;

	if (n > 0 && b->sent < b->spooled)
		return get_spooled(b, out, n);
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
body_trickle(struct body *b, int64_t now_ms, int64_t every_ms)
{
	b->every_ms = every_ms;
	b->due_ms = now_ms + every_ms;
}

bool
body_trickles(const struct body *b)
{
	return b->every_ms != 0;
}

bool
body_tick(struct body *b, int64_t now_ms)
{
	if (b->every_ms == 0 || now_ms < b->due_ms)
		return b->begun;
	b->trickled += b->begun;
	b->begun = true;
	b->due_ms = now_ms + b->every_ms;
	return true;
}

void
body_drop(struct body *b)
{
	b->sent = b->seen;
	b->phase = BODY_FREE;
	close_file(b);
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
