#include "events/event.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <jansson.h>

enum {
	BLOCK = 64 * 1024,
	LINE_BYTES = 1 << 20,		/* a longer line is damage */
	WINDOW = 256 * 1024,		/* what is read whole once halving has come this far */
};

/* The lines of a file from some offset on. */
struct lines {
	int		fd;
	off_t		at;		/* offset in the file of the first byte of REST */
	size_t		from;		/* REST is what HELD has from here on */
	struct buf	held;
	bool		skipping;	/* inside a line too long, or begun before the offset */
};

static void
lines_init(struct lines *l, int fd, off_t at)
{
	/* A line begins at AT only when a newline is left of it. */
	*l = (struct lines){ .fd = fd, .at = at > 0 ? at - 1 : 0, .skipping = at > 0 };
	buf_init(&l->held, LINE_BYTES + BLOCK);
}

static void
lines_fini(struct lines *l)
{
	buf_fini(&l->held);
}

static void
lines_drop(struct lines *l, size_t n)
{
	l->from += n;
	l->at += (off_t)n;
}

/* Read one more block behind what is held.  1, 0 at the end of the file, -1 with errno. */
static int
lines_fill(struct lines *l)
{
	size_t rest = l->held.len - l->from;
	ssize_t n;

	if (l->from > 0)
		memmove(l->held.p, l->held.p + l->from, rest);
	l->held.len = rest;
	l->from = 0;
	if (buf_reserve(&l->held, BLOCK) == -1)
		return errno = ENOMEM, -1;
	do
		n = pread(l->fd, l->held.p + rest, BLOCK, l->at + (off_t)rest);
	while (n == -1 && errno == EINTR);
	if (n > 0)
		l->held.len += (size_t)n;
	return n > 0 ? 1 : (int)n;
}

/* The next whole line into *LINE, without newline, and where it begins into *START.  Borrowed until
 * the next call.  1, 0 at the end, -1 with errno. */
static int
lines_next(struct lines *l, struct slice *line, off_t *start)
{
	int r;

	for (;;) {
		struct slice rest = slice_skip(buf_slice(&l->held), l->from);
		size_t len = slice_find(rest, '\n');

		if (len == rest.len) {
			if (len > LINE_BYTES || l->skipping) {
				l->skipping = true;
				lines_drop(l, len);
			}
			if ((r = lines_fill(l)) != 1)
				return r;
			continue;
		}
		*line = slice_head(rest, len);
		*start = l->at;
		lines_drop(l, len + 1);
		if (!l->skipping)
			return 1;
		l->skipping = false;
	}
}

/* The incident number of LINE into ID, -1 when it has none.  What a client sent cannot look like
 * this: the quotes inside a JSON string are escaped. */
static int
line_id(struct slice line, char id[static INCIDENT_LEN + 1])
{
	const struct slice head = SLICE("\"event\":{\"id\":\"");
	struct slice at = slice_skip(line, slice_search(line, head));

	at = slice_head(slice_skip(at, head.len), INCIDENT_LEN);
	return at.len == INCIDENT_LEN && incident_parse(at, id) == INCIDENT_OK ? 0 : -1;
}

/* The first line at or after FROM that has an id, and begins before TO.  1 with its time and place,
 * 0 none, -1 with errno. */
static int
first_time(int fd, off_t from, off_t to, int64_t *ms, off_t *start)
{
	char id[INCIDENT_LEN + 1];
	struct slice line;
	struct lines l;
	int r;

	lines_init(&l, fd, from);
	while ((r = lines_next(&l, &line, start)) == 1 && *start < to)
		if (line_id(line, id) == 0) {
			*ms = incident_ms(id);
			break;
		}
	lines_fini(&l);
	return r == 1 && *start >= to ? 0 : r;
}

static bool
is_whole(struct slice line)
{
	json_t *j = json_loadb(line.p, line.len, 0, NULL);
	bool whole = json_is_object(j);

	json_decref(j);
	return whole;
}

/* Look for ID in the lines that begin from FROM on and before TO.  0 found, 1 not there, -1 with
 * errno. */
static int
scan(int fd, off_t from, off_t to, const char *id, struct buf *out)
{
	char there[INCIDENT_LEN + 1];
	struct slice line;
	struct lines l;
	off_t start;
	int r;

	lines_init(&l, fd, from);
	while ((r = lines_next(&l, &line, &start)) == 1 && start < to)
		if (line_id(line, there) == 0 && memcmp(there, id, INCIDENT_LEN) == 0 &&
		    is_whole(line))
			break;
	if (r == 1 && start >= to)
		r = 0;
	if (r == 1 && buf_add_slice(out, line) == -1) {
		errno = EFBIG;
		r = -1;
	}
	lines_fini(&l);
	return r == -1 ? -1 : r == 0;
}

/* Halve the SIZE bytes of the file until the place of MS is known to a window: *PLACE is its middle
 * or so. */
static int
halve(int fd, off_t size, int64_t wanted, off_t *place)
{
	off_t low = 0, high = size;

	while (high - low > WINDOW) {
		off_t middle = low + (high - low) / 2, start;
		int64_t ms = 0;
		int r = first_time(fd, middle, high, &ms, &start);

		if (r == -1)
			return -1;
		if (r == 1 && ms < wanted)
			low = start;
		else
			high = middle;
	}
	*place = low;
	return 0;
}

static int
find(int fd, const char id[static INCIDENT_LEN + 1], struct buf *out)
{
	struct stat st;
	off_t place;
	int r;

	if (fstat(fd, &st) == -1 || halve(fd, st.st_size, incident_ms(id), &place) == -1)
		return -1;
	r = scan(fd, place > WINDOW ? place - WINDOW : 0, place + 2 * WINDOW, id, out);
	/* A clock that jumped, or many lines of one millisecond. */
	return r == 1 && st.st_size > 2 * WINDOW ? scan(fd, 0, st.st_size, id, out) : r;
}

int
event_find(const char *path, const char id[static INCIDENT_LEN + 1], struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r, saved;

	if (fd == -1)
		return -1;
	r = find(fd, id, out);
	saved = errno;
	close(fd);
	errno = saved;
	return r;
}
