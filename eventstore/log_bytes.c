#include "eventstore/log_bytes.h"

#include <errno.h>
#include <unistd.h>

enum {
	MAGIC_0 = 0x1f, MAGIC_1 = 0x8b,		/* RFC 1952 2.3.1 */
	TRAILER = 8,				/* CRC and length */
	GZIP_ONLY = 16,				/* added to the window's bits: a gzip head, nothing else */
	AT_BLOCK = 128, LAST_BLOCK = 64, UNUSED_BITS = 7,	/* of z.data_type, see zlib.h on Z_BLOCK */
};

static ssize_t
read_at(int fd, void *p, size_t len, int64_t offset)
{
	ssize_t n;

	do
		n = pread(fd, p, len, (off_t)offset);
	while (n == -1 && errno == EINTR);
	return n;
}

static int
start_gzip(struct log_bytes *b)
{
	if (inflateInit2(&b->z, MAX_WBITS + GZIP_ONLY) != Z_OK)
		return errno = ENOMEM, -1;
	b->z_open = true;
	b->between = true;
	return 0;
}

int
log_bytes_open(struct log_bytes *b, int fd, log_point_found *found, void *arg)
{
	unsigned char head[2];
	ssize_t n = read_at(fd, head, sizeof(head), 0);

	*b = (struct log_bytes){ .fd = fd, .found = found, .arg = arg };
	if (n == -1)
		return -1;
	b->gz = n == (ssize_t)sizeof(head) && head[0] == MAGIC_0 && head[1] == MAGIC_1;
	return b->gz ? start_gzip(b) : 0;
}

void
log_bytes_close(struct log_bytes *b)
{
	if (b->z_open)
		inflateEnd(&b->z);
	b->z_open = false;
}

int
log_bytes_at_point(struct log_bytes *b, const struct log_point *point)
{
	unsigned char before;

	if (inflateReset2(&b->z, -MAX_WBITS) != Z_OK)
		return errno = EBADMSG, -1;
	b->z.avail_in = 0;
	b->raw = true;
	b->between = false;
	b->in = point->in;
	b->out = b->last_point = point->out;
	if (point->bits > 0) {
		if (read_at(b->fd, &before, 1, point->in - 1) != 1 ||
		    inflatePrime(&b->z, point->bits, before >> (8 - point->bits)) != Z_OK)
			return errno = EBADMSG, -1;
	}
	if (point->window.len > LOG_POINT_WINDOW || inflateSetDictionary(&b->z, (const Bytef *)point->window.p,
	    (uInt)point->window.len) != Z_OK)
		return errno = EBADMSG, -1;
	return 0;
}

void
log_bytes_seek(struct log_bytes *b, int64_t offset)
{
	b->out = offset;
}

/* More compressed bytes, when none are left.  1, 0 at the end of the file, -1 with errno. */
static int
fill(struct log_bytes *b)
{
	ssize_t n;

	if (b->z.avail_in > 0)
		return 1;
	if ((n = read_at(b->fd, b->input, sizeof(b->input), b->in)) <= 0)
		return (int)n;
	b->in += n;
	b->z.next_in = b->input;
	b->z.avail_in = (uInt)n;
	return 1;
}

/* Pass over N compressed bytes.  As fill(). */
static int
pass_over(struct log_bytes *b, size_t n)
{
	int r = 1;

	while (n > 0 && (r = fill(b)) == 1) {
		uInt now = b->z.avail_in < n ? b->z.avail_in : (uInt)n;

		b->z.next_in += now;
		b->z.avail_in -= now;
		n -= now;
	}
	return r;
}

/* A member has ended: get ready for the next one, which may be none; zeros may fill up the file.  0, or -1 with errno. */
static int
next_member(struct log_bytes *b)
{
	int r = b->raw ? pass_over(b, TRAILER) : 1;

	while (r == 1 && (r = fill(b)) == 1 && *b->z.next_in == 0)
		r = pass_over(b, 1);
	if (r == -1)
		return -1;
	b->raw = false;
	b->between = true;
	return inflateReset2(&b->z, MAX_WBITS + GZIP_ONLY) == Z_OK ? 0 : (errno = EBADMSG, -1);
}

/* Tell of a point when the decompressor stands between two blocks, a span behind the last one. */
static void
note_point(struct log_bytes *b, int64_t out)
{
	unsigned char window[LOG_POINT_WINDOW];
	uInt len = sizeof(window);
	struct log_point point = { .out = out, .in = b->in - b->z.avail_in, .bits = b->z.data_type & UNUSED_BITS };

	if (b->found == NULL || !(b->z.data_type & AT_BLOCK) || (b->z.data_type & LAST_BLOCK) ||
	    out - b->last_point < LOG_POINT_SPAN || inflateGetDictionary(&b->z, window, &len) != Z_OK)
		return;
	point.window = slice_make((const char *)window, len);
	b->last_point = out;
	b->found(b->arg, &point);
}

static ssize_t
read_gzip(struct log_bytes *b, void *out, size_t len)
{
	uInt room = len > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uInt)len;

	b->z.next_out = out;
	b->z.avail_out = room;
	while (b->z.avail_out == room) {
		int r = fill(b);

		if (r == 0 && b->between)
			return 0;
		if (r != 1)
			return r == 0 ? (errno = EBADMSG, -1) : -1;
		b->between = false;
		r = inflate(&b->z, Z_BLOCK);
		if (r == Z_OK)
			note_point(b, b->out + (room - b->z.avail_out));
		else if (r == Z_STREAM_END ? next_member(b) == -1 : r != Z_BUF_ERROR) {
			if (r != Z_STREAM_END)
				errno = r == Z_MEM_ERROR ? ENOMEM : EBADMSG;
			return -1;
		}
	}
	b->out += room - b->z.avail_out;
	return room - b->z.avail_out;
}

ssize_t
log_bytes_read(struct log_bytes *b, void *out, size_t len)
{
	ssize_t n;

	if (b->gz)
		return read_gzip(b, out, len);
	if ((n = read_at(b->fd, out, len, b->out)) > 0)
		b->out += n;
	return n;
}
