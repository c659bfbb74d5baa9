#include "eventstore/retain_part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "events/event.h"
#include "eventstore/log_lines.h"

enum { LATE_PIECE = 1 << 20 };	/* more than a line can be */

/* While they are at work: the copy, then what it is of; and what is taken away. */
#define NEW	".firebreak.retain.new"
#define OLD	".firebreak.retain.old"

static int
flush(struct copy *c)
{
	struct slice all = buf_slice(&c->out);
	int r = 0;

	if (c->gz != NULL && all.len > 0)
		r = gzwrite(c->gz, all.p, (unsigned)all.len) == (int)all.len ? 0 : -1;
	else if (c->fd != -1)
		r = file_write_all(c->fd, all);
	buf_reset(&c->out);
	if (r == -1 && c->gz != NULL)
		errno = EIO;
	return r;
}

static int
copy_line(void *arg, struct slice line, int64_t ms, int64_t len, bool too_long)
{
	struct copy *c = arg;

	c->text += len;
	if (ms < c->before_ms) {
		c->removed++;
		return 0;
	}
	c->kept++;
	if (c->fd == -1)
		return 0;
	if (too_long)
		return errno = EFBIG, -1;
	buf_add_slice(&c->out, line);
	if ((size_t)len > line.len)
		buf_add_char(&c->out, '\n');
	if (c->out.failed)
		return errno = ENOMEM, -1;
	return c->out.len < LOG_LINE_MAX ? 0 : flush(c);
}

int
retain_copy(const struct reading *f, int64_t before_ms, int fd, struct copy *c)
{
	unsigned char magic[2] = { 0 };
	bool gz = pread(f->fd, magic, sizeof(magic), 0) == sizeof(magic) && magic[0] == 0x1f && magic[1] == 0x8b;
	int r, own = fd != -1 && gz ? dup(fd) : -1;

	*c = (struct copy){ .before_ms = before_ms, .fd = fd, .packed = gz };
	if (own != -1 && (c->gz = gzdopen(own, "wb")) == NULL)
		return close(own), errno = ENOMEM, -1;
	if (fd != -1 && gz && own == -1)
		return -1;
	buf_init(&c->out, 3 * (size_t)LOG_LINE_MAX);
	r = retain_each_line(f->fd, &f->st, copy_line, c);
	if (r == 0 && fd != -1)
		r = flush(c);
	if (c->gz != NULL && gzclose(c->gz) != Z_OK && r == 0)
		r = -1, errno = EIO;
	buf_fini(&c->out);
	return r;
}

/* As the old one: owner, mode, and when it was last written. */
static int
dress(int fd, const struct stat *st)
{
	const struct timespec times[] = { st->st_atim, st->st_mtim };

	if (fchown(fd, st->st_uid, st->st_gid) == -1 && (geteuid() == 0 || errno != EPERM))
		return -1;
	return fchmod(fd, st->st_mode & 0777) == 0 && futimens(fd, times) == 0 ? fsync(fd) : -1;
}

/* What was written to F's file behind its first TEXT bytes, when it had been copied, goes to the log that is there now: piece by
 * piece, each ending with a line.  -1 with errno: not all of it. */
static int
save_late(const struct retain *r, const struct reading *f, int64_t text)
{
	struct event_log *log = event_log_new(r->path, f->st.st_mode & 0777);
	char *piece = malloc(LATE_PIECE);
	ssize_t n = log == NULL || piece == NULL ? -1 : 1;
	int saved;

	while (n > 0 && (n = pread(f->fd, piece, LATE_PIECE, text)) > 0) {
		const char *end = memrchr(piece, '\n', (size_t)n);

		/* A line is shorter than a piece: what has no end is the last one. */
		n = end != NULL ? end + 1 - piece : n;
		text += n;
		if (event_log_write(log, slice_make(piece, (size_t)n)) == -1)
			n = -1;
	}
	saved = errno;
	event_log_free(log);
	free(piece);
	errno = saved;
	return n == 0 ? 0 : -1;
}

bool
retain_is_same(int dir, const char *name, const struct stat *st)
{
	struct stat now;

	return fstatat(dir, name, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_ino == st->st_ino && now.st_dev == st->st_dev;
}

/* Put NEW where F is, if that is still F: NEW's name then has what was F.  -1 with errno; EAGAIN: it was another file. */
static int
exchange(const struct retain *r, const struct reading *f)
{
	if (!retain_is_same(r->dir, f->name, &f->st))
		return errno = EAGAIN, -1;
	if (renameat2(r->dir, NEW, r->dir, f->name, RENAME_EXCHANGE) == -1)
		return -1;
	if (retain_is_same(r->dir, NEW, &f->st))
		return 0;
	renameat2(r->dir, NEW, r->dir, f->name, RENAME_EXCHANGE);
	return errno = EAGAIN, -1;
}

/* Take F away, if its name still is F's.  As exchange(). */
static int
take_away(const struct retain *r, const struct reading *f)
{
	if (!retain_is_same(r->dir, f->name, &f->st))
		return errno = EAGAIN, -1;
	if (renameat2(r->dir, f->name, r->dir, OLD, RENAME_NOREPLACE) == -1)
		return -1;
	if (retain_is_same(r->dir, OLD, &f->st))
		return 0;
	renameat2(r->dir, OLD, r->dir, f->name, RENAME_NOREPLACE);
	return errno = EAGAIN, -1;
}

/* Write what F keeps to NEW, which is made, and put it in F's place. */
static int
write_anew(const struct retain *r, const struct reading *f, struct copy *c, struct stat *after)
{
	int fd = openat(r->dir, NEW, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), result = -1, saved;

	if (fd == -1)
		return -1;
	fstat(fd, after);
	if (retain_copy(f, r->sum->before_ms, fd, c) == 0 && dress(fd, &f->st) == 0 && fstat(fd, after) == 0)
		result = c->kept == 0 ? take_away(r, f) : exchange(r, f);
	saved = errno;
	close(fd);
	errno = saved;
	return result;
}

/* Save what came late, or undo what write_anew() did: F has it, and what of it is in the log already is there twice, as the index
 * sees. */
static int
keep_late(const struct retain *r, const struct reading *f, const struct copy *c, const struct stat *after)
{
	int saved;

	if (c->packed || save_late(r, f, c->text) == 0)
		return 0;
	saved = errno;
	if (c->kept == 0)
		renameat2(r->dir, OLD, r->dir, f->name, RENAME_NOREPLACE);
	else if (retain_is_same(r->dir, f->name, after))
		renameat2(r->dir, NEW, r->dir, f->name, RENAME_EXCHANGE);
	errno = saved;
	return -1;
}

int
retain_rewrite(const struct retain *r, const struct reading *f, struct copy *c, struct stat *after)
{
	int result, saved;

	/* Of one who was killed: what stands there is a copy, or was to go. */
	unlinkat(r->dir, NEW, 0);
	unlinkat(r->dir, OLD, 0);
	*after = (struct stat){ 0 };
	result = write_anew(r, f, c, after);
	if (result == 0)
		result = keep_late(r, f, c, after);
	saved = errno;
	/* Only what is known is removed: the copy, and what it is of when all is well. */
	if (retain_is_same(r->dir, NEW, after) || (result == 0 && retain_is_same(r->dir, NEW, &f->st)))
		unlinkat(r->dir, NEW, 0);
	if (result == 0 && c->kept == 0)
		unlinkat(r->dir, OLD, 0);
	errno = saved;
	return result;
}
