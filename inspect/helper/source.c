#include "inspect/helper/source.h"

#include <stdlib.h>

static void
give_up(struct source *s)
{
	if (s->budget != NULL)
		*s->budget += s->kept_cap;
	free(s->kept);
	s->kept = NULL;
	s->kept_len = s->kept_cap = 0;
}

void
source_fini(struct source *s)
{
	give_up(s);
	digester_free(s->digester);
	s->digester = NULL;
}

/* Room for LEN more bytes; false when that is more than may be kept. */
static bool
make_room(struct source *s, size_t len)
{
	size_t cap = s->kept_cap > 0 ? s->kept_cap : SOURCE_BLOCK;
	char *p;

	if (s->kept_len + len <= s->kept_cap)
		return true;
	while (cap < s->kept_len + len)
		cap *= 2;
	if (cap > SOURCE_KEPT_MAX || cap - s->kept_cap > *s->budget || (p = realloc(s->kept, cap)) == NULL)
		return false;
	*s->budget -= cap - s->kept_cap;
	s->kept = p;
	s->kept_cap = cap;
	return true;
}

static void
keep(struct source *s, const char *buf, size_t len)
{
	if (s->budget == NULL || s->lost)
		return;
	if (!make_room(s, len)) {
		give_up(s);
		s->lost = true;
		return;
	}
	memcpy(s->kept + s->kept_len, buf, len);
	s->kept_len += len;
}

static ssize_t
pull(struct source *s, char *buf, size_t size)
{
	ssize_t n;

	if (s->ended)
		return 0;
	if ((n = s->pull(s, buf, size)) <= 0) {
		s->ended = true;
		s->broken = n < 0;
		return 0;
	}
	if (s->digester != NULL && s->pulled < s->until)
		digester_update(s->digester, slice_make(buf, (size_t)n));
	keep(s, buf, (size_t)n);
	s->pulled += (uint64_t)n;
	if (s->after != NULL)
		s->after(s);
	return n;
}

static ssize_t
read_kept(struct source *s, uint64_t at, char *buf, size_t size)
{
	if (s->again != NULL)
		return s->again(s, at, buf, size);
	if (s->lost || at < s->kept_from)
		return -1;
	at -= s->kept_from;
	if (size > s->kept_len - at)
		size = s->kept_len - (size_t)at;
	memcpy(buf, s->kept + at, size);
	return (ssize_t)size;
}

/* Streams nest, and so do these calls: the stack has to be enough for all of them. */
enum { SKIP_BLOCK = 4096 };

/* Pull up to offset AT; false when it ends before. */
static bool
skip_to(struct source *s, uint64_t at)
{
	char skipped[SKIP_BLOCK];

	while (s->pulled < at) {
		uint64_t left = at - s->pulled;

		if (pull(s, skipped, left < sizeof(skipped) ? (size_t)left : sizeof(skipped)) == 0)
			return false;
	}
	return true;
}

ssize_t
source_read(struct source *s, uint64_t at, char *buf, size_t size)
{
	if (s->pulled < at && !skip_to(s, at))
		return 0;
	return at < s->pulled ? read_kept(s, at, buf, size) : pull(s, buf, size);
}

ssize_t
source_read_all(struct source *s, uint64_t at, char *buf, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = source_read(s, at + have, buf + have, size - have);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

void
source_forget(struct source *s, uint64_t before)
{
	size_t n;

	if (before >= s->pulled) {
		s->kept_len = 0;
		s->kept_from = s->pulled;
		s->lost = false;
		return;
	}
	if (s->lost || before <= s->kept_from)
		return;
	n = (size_t)(before - s->kept_from);
	/* Moving costs as much as is left: worth it only when more than that is given back. */
	if (n < s->kept_len - n)
		return;
	memmove(s->kept, s->kept + n, s->kept_len - n);
	s->kept_len -= n;
	s->kept_from = before;
}

void
source_pass(struct source *s, uint64_t before)
{
	if (before > SOURCE_KEPT_FIRST)
		source_forget(s, before - SOURCE_BLOCK);
}

void
source_drain(struct source *s)
{
	char skipped[SKIP_BLOCK];

	give_up(s);
	s->lost = true;
	while (pull(s, skipped, sizeof(skipped)) > 0)
		continue;
}

bool
source_has(struct source *s, uint64_t from)
{
	char byte;

	return from >= s->pulled || source_read(s, from, &byte, 1) == 1;
}
