#include "feeds/feed_file.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/line_file.h"
#include "feeds/feed_part.h"

enum { READ_AT_ONCE = 1 << 18 };

static int
read_line(void *feed, struct slice line)
{
	return feed_line(feed, line);
}

/* Show FD from its beginning to F by PUT.  0; what PUT answered; -1 with errno. */
static int
read_portions(struct feed *f, int fd, int (*put)(struct feed *f, struct slice text))
{
	char *bytes = malloc(READ_AT_ONCE);
	ssize_t n = 0;
	int r = 0, saved;

	if (bytes == NULL || lseek(fd, 0, SEEK_SET) == -1)
		r = -1;
	while (r == 0 && (n = read(fd, bytes, READ_AT_ONCE)) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		r = n == -1 ? -1 : put(f, slice_make(bytes, (size_t)n));
	}
	saved = errno;
	free(bytes);
	errno = saved;
	return r;
}

int
feed_file_read(struct feed *f, int fd)
{
	int r = 0;

	errno = ENOMEM;			/* what a reader has not, when it answers -1 itself */
	if (f->stream == NULL)
		return line_file_read(fd, f->options.line_max, read_line, f);
	if (f->stream->previews)
		r = read_portions(f, fd, feed_preview);
	return r != 0 ? r : read_portions(f, fd, feed_text);
}
