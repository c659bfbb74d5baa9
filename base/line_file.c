#include "base/line_file.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { READ_AT_ONCE = 1 << 18 };

/* A file while it is read: BUF holds what follows the last whole line, at most MAX + 1 bytes of it, and what was read. */
struct reader {
	size_t		 max;
	line_visit	*visit;
	void		*arg;
	char		*buf;
	size_t		 len;
	bool		 too_long;	/* the line was shown; what is left of it is passed over */
};

static int
show(struct reader *r, struct slice line)
{
	if (r->too_long) {
		r->too_long = false;
		return 0;
	}
	return r->visit(r->arg, slice_head(line, r->max + 1));
}

/* Show the whole lines in BUF, and keep the others. */
static int
take_lines(struct reader *r)
{
	struct slice rest = slice_make(r->buf, r->len), line;
	int result = 0;

	while (result == 0 && rest.len > 0 && memchr(rest.p, '\n', rest.len) != NULL) {
		slice_cut(rest, '\n', &line, &rest);
		result = show(r, line);
	}
	if (result == 0 && rest.len > r->max) {
		result = show(r, rest);
		r->too_long = true;
		rest.len = 0;
	}
	if (rest.len > 0)
		memmove(r->buf, rest.p, rest.len);
	r->len = rest.len;
	return result;
}

int
line_file_read(int fd, size_t max, line_visit *visit, void *arg)
{
	struct reader r = { .max = max, .visit = visit, .arg = arg, .buf = malloc(max + READ_AT_ONCE) };
	int result = 0, saved;
	ssize_t n = 0;

	if (r.buf == NULL)
		return -1;
	while (result == 0 && (n = read(fd, r.buf + r.len, READ_AT_ONCE)) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			result = -1;
			break;
		}
		r.len += (size_t)n;
		result = take_lines(&r);
	}
	if (result == 0 && r.len > 0)
		result = show(&r, slice_make(r.buf, r.len));
	saved = errno;
	free(r.buf);
	errno = saved;
	return result;
}
