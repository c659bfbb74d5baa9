#include "feeds/helper/unpack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

#include "base/slice.h"

enum { BLOCK = 64 * 1024, GZIPS = 2, GZIP_BITS = 15 + 16, RATIO_FROM = 1 << 20, MAGIC = 4 };

/* What bytes are pulled from: the file, or what is below undone. */
struct layer {
	ssize_t		(*read)(struct layer *l, char *buf, size_t size);
	struct layer	*below;
	char		 head[MAGIC];		/* looked at, and not read yet */
	size_t		 n_head;
	struct unpack	*u;
	z_stream	 z;			/* of a gzip */
	char		*in;
	bool		 ended;
};

struct unpack {
	int		 fd;
	uint64_t	 at, used, given, max;
	struct layer	 file, gzips[GZIPS], zip;
	struct layer	*top;
	struct archive	*archive;
	char		 block[BLOCK];		/* of the zip's reader */
	char		*why;			/* of the call that is under way */
};

static ssize_t
fail(struct unpack *u, const char *why)
{
	snprintf(u->why, UNPACK_WHY, "%s", why);
	return -1;
}

/* ---- layers ---- */

/* Up to SIZE bytes of L, those that were looked at first. */
static ssize_t
pull(struct layer *l, char *buf, size_t size)
{
	size_t n = l->n_head < size ? l->n_head : size;
	ssize_t more = 0;

	memcpy(buf, l->head, n);
	memmove(l->head, l->head + n, l->n_head - n);
	l->n_head -= n;
	if (n < size && (more = l->read(l, buf + n, size - n)) == -1)
		return -1;
	return (ssize_t)n + more;
}

/* Look at the first bytes of L. */
static struct slice
look(struct layer *l)
{
	while (l->n_head < MAGIC) {
		ssize_t n = l->read(l, l->head + l->n_head, MAGIC - l->n_head);

		if (n <= 0)
			break;
		l->n_head += (size_t)n;
	}
	return slice_make(l->head, l->n_head);
}

static ssize_t
read_raw(struct layer *l, char *buf, size_t size)
{
	struct unpack *u = l->u;
	ssize_t n;

	do
		n = pread(u->fd, buf, size, (off_t)u->at);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return fail(u, strerror(errno));
	u->at += (uint64_t)n;
	u->used = u->at > u->used ? u->at : u->used;
	return n;
}

/* ---- gzip ---- */

/* More for the inflater: false at the end of the input, or with a reason. */
static bool
feed_inflater(struct layer *l, ssize_t *n)
{
	if (l->z.avail_in > 0)
		return true;
	*n = pull(l->below, l->in, BLOCK);
	l->z.next_in = (Bytef *)l->in;
	l->z.avail_in = *n > 0 ? (uInt)*n : 0;
	return *n > 0;
}

static ssize_t
read_gzip(struct layer *l, char *buf, size_t size)
{
	ssize_t n = 0;
	int r = Z_OK;

	l->z.next_out = (Bytef *)buf;
	l->z.avail_out = (uInt)size;
	while (!l->ended && l->z.avail_out == size) {
		if (!feed_inflater(l, &n))
			return n == -1 ? -1 : fail(l->u, "the gzip breaks off");
		r = inflate(&l->z, Z_NO_FLUSH);
		if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
			return fail(l->u, "the gzip is damaged");
		if (r != Z_STREAM_END)
			continue;
		/* Members follow each other, RFC 1952 2.2. */
		if (!feed_inflater(l, &n)) {
			if (n == -1)
				return -1;
			l->ended = true;
		} else if (inflateReset(&l->z) != Z_OK)
			return fail(l->u, "the gzip is damaged");
	}
	return (ssize_t)(size - l->z.avail_out);
}

static bool
is_gzip(struct slice head)
{
	return slice_starts(head, SLICE("\x1f\x8b"));
}

static int
add_gzip(struct unpack *u, struct layer *l)
{
	*l = (struct layer){ .read = read_gzip, .below = u->top, .u = u, .in = malloc(BLOCK) };
	if (l->in == NULL || inflateInit2(&l->z, GZIP_BITS) != Z_OK) {
		free(l->in);
		l->in = NULL;
		return (int)fail(u, "out of memory");
	}
	u->top = l;
	return 0;
}

/* ---- zip ---- */

static la_ssize_t
zip_input(struct archive *a, void *arg, const void **out)
{
	struct unpack *u = arg;

	(void)a;
	*out = u->block;
	return read_raw(&u->file, u->block, sizeof(u->block));
}

static la_int64_t
zip_seek(struct archive *a, void *arg, la_int64_t offset, int whence)
{
	struct unpack *u = arg;
	char c;
	int64_t size = 0, from = 0;

	(void)a;
	/* lseek(2) is not to be had: the end is where nothing can be read any more. */
	for (int64_t step = INT64_C(1) << 40; whence == SEEK_END && step > 0; step /= 2)
		while (pread(u->fd, &c, 1, (off_t)(size + step - 1)) == 1)
			size += step;
	from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (int64_t)u->at : size;
	if (offset < -from)
		return ARCHIVE_FATAL;
	u->at = (uint64_t)(from + offset);
	return (la_int64_t)u->at;
}

static ssize_t
read_zip(struct layer *l, char *buf, size_t size)
{
	la_ssize_t n = archive_read_data(l->u->archive, buf, size);
	struct archive_entry *entry;

	if (n < 0)
		return fail(l->u, "the zip is damaged, or locked with a password");
	if (n > 0)
		return n;
	while (archive_read_next_header(l->u->archive, &entry) == ARCHIVE_OK)
		if (archive_entry_filetype(entry) == AE_IFREG)
			return fail(l->u, "the zip has more than one file");
	return 0;
}

/* The member of a zip is never written under its name: what it says is what kind of thing it is. */
static bool
is_list_name(struct slice name)
{
	static const char *const ends[] = { ".txt", ".csv", ".json", ".hosts", ".list", ".lst", ".domains", ".urls", ".md5", ".sha1",
		".sha256", ".hdb", ".hsb", ".rpz", ".adblock", ".feed", ".zone" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		struct slice end = slice_str(ends[i]);

		if (name.len > end.len && slice_ieq(slice_skip(name, name.len - end.len), end))
			return true;
	}
	return false;
}

static int
open_member(struct unpack *u)
{
	struct archive_entry *entry;
	const char *name;

	do
		if (archive_read_next_header(u->archive, &entry) != ARCHIVE_OK)
			return (int)fail(u, "the zip is damaged, or has no file");
	while (archive_entry_filetype(entry) == AE_IFDIR);
	name = archive_entry_pathname(entry);
	if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_is_encrypted(entry))
		return (int)fail(u, "the zip's member is no plain file");
	if (name == NULL || !is_list_name(slice_str(name)))
		return (int)fail(u, "the zip's member has not the name of a list, such as list.txt or list.csv");
	return 0;
}

static int
add_zip(struct unpack *u)
{
	u->at = 0;
	u->file.n_head = 0;
	u->zip = (struct layer){ .read = read_zip, .u = u };
	if ((u->archive = archive_read_new()) == NULL || archive_read_support_format_zip_seekable(u->archive) != ARCHIVE_OK ||
	    archive_read_set_seek_callback(u->archive, zip_seek) != ARCHIVE_OK ||
	    archive_read_open2(u->archive, u, NULL, zip_input, NULL, NULL) != ARCHIVE_OK)
		return (int)fail(u, "the zip cannot be read");
	u->top = &u->zip;
	return open_member(u);
}

/* ---- for all ---- */

static int
choose(struct unpack *u, bool gzip)
{
	struct slice head = look(&u->file);

	if (gzip && !is_gzip(head))
		return (int)fail(u, "the origin says that it is a gzip, and it is none");
	if (slice_starts(head, SLICE("PK\x03\x04")))
		return add_zip(u);
	for (size_t i = 0; i < GZIPS && is_gzip(look(u->top)); i++)
		if (add_gzip(u, &u->gzips[i]) == -1)
			return -1;
	return 0;
}

struct unpack *
unpack_open(int fd, bool gzip, uint64_t max, char why[static UNPACK_WHY])
{
	struct unpack *u = calloc(1, sizeof(*u));

	why[0] = '\0';
	if (u == NULL)
		return NULL;
	u->fd = fd;
	u->max = max;
	u->why = why;
	u->file = (struct layer){ .read = read_raw, .u = u };
	u->top = &u->file;
	if (choose(u, gzip) == 0)
		return u;
	unpack_close(u);
	return NULL;
}

void
unpack_close(struct unpack *u)
{
	if (u == NULL)
		return;
	for (size_t i = 0; i < GZIPS; i++)
		if (u->gzips[i].in != NULL) {
			inflateEnd(&u->gzips[i].z);
			free(u->gzips[i].in);
		}
	if (u->archive != NULL)
		archive_read_free(u->archive);
	free(u);
}

ssize_t
unpack_read(struct unpack *u, char *buf, size_t size, char why[static UNPACK_WHY])
{
	ssize_t n;

	u->why = why;
	if ((n = pull(u->top, buf, size)) <= 0)
		return n;
	u->given += (uint64_t)n;
	if (u->given > u->max) {
		snprintf(why, UNPACK_WHY, "%s than the %" PRIu64 " bytes that it may have", u->top == &u->file ? "is longer" :
		    "unpacked it is longer", u->max);
		return -1;
	}
	if (u->top != &u->file && u->given > RATIO_FROM && u->given / UNPACK_RATIO > u->used) {
		snprintf(why, UNPACK_WHY, "unpacks to more than %d times its size", UNPACK_RATIO);
		return -1;
	}
	return n;
}
