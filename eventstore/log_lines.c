#include "eventstore/log_lines.h"

#include <errno.h>

enum { BLOCK = 64 * 1024 };

void
log_lines_init(struct log_lines *l, struct log_bytes *bytes)
{
	*l = (struct log_lines){ .bytes = bytes, .at = bytes->out };
	buf_init(&l->held, LOG_LINE_MAX + 2 * BLOCK);
}

void
log_lines_fini(struct log_lines *l)
{
	buf_fini(&l->held);
}

/* Read one more block behind what is held.  1, 0 at the end, -1 with errno. */
static int
more(struct log_lines *l)
{
	size_t rest = l->held.len - l->from;
	ssize_t n;

	if (l->from > 0 && rest > 0)
		memmove(l->held.p, l->held.p + l->from, rest);
	l->held.len = rest;
	l->from = 0;
	if (buf_reserve(&l->held, BLOCK) == -1)
		return errno = ENOMEM, -1;
	if ((n = log_bytes_read(l->bytes, l->held.p + rest, BLOCK)) > 0)
		l->held.len += (size_t)n;
	return n > 0 ? 1 : (int)n;
}

static void
drop(struct log_lines *l, size_t n)
{
	l->from += n;
	l->at += (int64_t)n;
}

enum log_line
log_lines_next(struct log_lines *l, struct slice *line, int64_t *at)
{
	int64_t start = l->at;

	*line = slice_make(NULL, 0);
	for (;;) {
		struct slice rest = slice_skip(buf_slice(&l->held), l->from);
		const char *end = rest.len == 0 ? NULL : memchr(rest.p, '\n', rest.len);
		bool skipped = l->skipping;
		int r;

		*at = start;
		if (end != NULL) {
			drop(l, (size_t)(end - rest.p) + 1);
			l->skipping = false;
			if (skipped || end - rest.p > LOG_LINE_MAX)
				return LOG_LINE_TOO_LONG;
			*line = slice_make(rest.p, (size_t)(end - rest.p));
			return LOG_LINE;
		}
		if (l->skipping || rest.len > LOG_LINE_MAX) {
			l->skipping = true;
			drop(l, rest.len);
		}
		if ((r = more(l)) != 1)
			return r == 0 ? LOG_LINE_END : LOG_LINE_FAILED;
	}
}

int64_t
log_lines_torn(const struct log_lines *l)
{
	return l->skipping ? 1 : (int64_t)(l->held.len - l->from);
}
