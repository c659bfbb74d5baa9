#include "eventstore/retain.h"

#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "events/event.h"
#include "eventstore/log_folder.h"
#include "eventstore/log_lines.h"

enum {
	MS = 1000, MINUTE_MS = 60 * MS, NS_PER_MS = 1000000, POLL_MS = 100, SETTLE_TRIES = 50, MODE_LOCK = 0644, SPANS_MAX = 1 << 24,
	TAIL_MAX = 4 << 20, TIMESTAMP_MAX = 32,
};
#define LOCK_NAME	".firebreak.retain"
#define HEAD		"{\"@timestamp\":\""

/* A minute, and how many bytes of text one file has of it. */
struct span {
	int64_t	minute, bytes;
};

/* What was read of a file. */
struct reading {
	char		*name;
	int		 fd;		/* the folder's */
	struct stat	 st;		/* when it was read to its end */
	bool		 current, bad;
	int64_t		 lines, text;
	int64_t		 oldest_ms, newest_ms;
	int64_t		 removed;
};

struct retain {
	const char		*path;
	int			 dir;
	const struct retain_limits *limits;
	struct log_folder	 folder;
	struct reading		*v;
	size_t			 n;
	struct span		*spans;		/* of all files; BYTES are of the disk */
	size_t			 n_spans, cap_spans;
	struct retain_sum	*sum;
	struct diag		*diag;
};

/* ---- reading ---- */

/* The moment of LINE, or BEFORE. */
static int64_t
moment_of(struct slice line, int64_t before)
{
	struct slice text = slice_skip(line, sizeof(HEAD) - 1);
	int64_t s;

	if (!slice_starts(line, SLICE(HEAD)) || !slice_cut(slice_head(text, TIMESTAMP_MAX), '"', &text, NULL) ||
	    clock_parse(text, &s) == -1)
		return before;
	return s * MS;
}

typedef int take_line(void *arg, struct slice line, int64_t ms, int64_t len, bool too_long);

static int
read_lines(struct log_lines *l, int64_t ms, take_line *take, void *arg)
{
	struct slice line;
	enum log_line got;
	int64_t at;
	int r = 0;

	while (r == 0 && (got = log_lines_next(l, &line, &at)) <= LOG_LINE_TOO_LONG) {
		ms = moment_of(line, ms);
		r = take(arg, line, ms, l->at - at, got == LOG_LINE_TOO_LONG);
	}
	if (r != 0)
		return -1;
	return got == LOG_LINE_FAILED ? -1 : 0;
}

/* Call TAKE for each line of the file FD, the one without an end as well.  Before any moment is known it is that of the file.
 * -1 with errno. */
static int
each_line(int fd, const struct stat *st, take_line *take, void *arg)
{
	struct log_bytes *bytes = malloc(sizeof(*bytes));
	struct log_lines l;
	int r;

	if (bytes == NULL || log_bytes_open(bytes, fd, NULL, NULL) == -1) {
		free(bytes);
		return -1;
	}
	log_lines_init(&l, bytes);
	r = read_lines(&l, (int64_t)st->st_mtim.tv_sec * MS, take, arg);
	if (r == 0 && log_lines_torn(&l) > 0)
		r = take(arg, slice_skip(buf_slice(&l.held), l.from), (int64_t)st->st_mtim.tv_sec * MS, log_lines_torn(&l), l.skipping);
	log_lines_fini(&l);
	log_bytes_close(bytes);
	free(bytes);
	return r;
}

static int
by_minute(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->minute > y->minute) - (x->minute < y->minute);
}

static void
merge_spans(struct retain *r)
{
	size_t n = 0;

	if (r->n_spans > 1)
		qsort(r->spans, r->n_spans, sizeof(*r->spans), by_minute);
	for (size_t i = 0; i < r->n_spans; i++)
		if (n > 0 && r->spans[n - 1].minute == r->spans[i].minute)
			r->spans[n - 1].bytes += r->spans[i].bytes;
		else
			r->spans[n++] = r->spans[i];
	r->n_spans = n;
}

/* LEN bytes of text more at MS, behind FROM, where this file's begin. */
static int
add_span(struct retain *r, size_t *from, int64_t ms, int64_t len)
{
	int64_t minute = ms / MINUTE_MS;
	struct span *v;

	if (r->n_spans > *from && r->spans[r->n_spans - 1].minute == minute) {
		r->spans[r->n_spans - 1].bytes += len;
		return 0;
	}
	if (r->n_spans == r->cap_spans) {
		size_t cap = r->cap_spans == 0 ? 1024 : 2 * r->cap_spans;

		if (cap > SPANS_MAX || (v = realloc(r->spans, cap * sizeof(*v))) == NULL)
			return errno = ENOMEM, -1;
		r->spans = v;
		r->cap_spans = cap;
	}
	r->spans[r->n_spans++] = (struct span){ minute, len };
	return 0;
}

struct scan {
	struct retain	*r;
	struct reading	*f;
	size_t		 from;
};

static int
scan_line(void *arg, struct slice line, int64_t ms, int64_t len, bool too_long)
{
	struct scan *s = arg;
	struct reading *f = s->f;

	(void)line, (void)too_long;
	f->oldest_ms = f->lines == 0 || ms < f->oldest_ms ? ms : f->oldest_ms;
	f->newest_ms = f->lines == 0 || ms > f->newest_ms ? ms : f->newest_ms;
	f->lines++;
	f->text += len;
	return s->r->limits->size == 0 ? 0 : add_span(s->r, &s->from, ms, len);
}

static void
leave(struct retain *r, struct reading *f, int error)
{
	const char *why = error == ENOTSUP ? "its compression is not known here: remove it by hand when it is old enough" :
	    error == EAGAIN ? "it was moved meanwhile; the next run sees to it" :
	    error == EBADMSG ? "it is damaged: remove it by hand when it is old enough" :
	    error == EBUSY ? "somebody still writes to it; the next run sees to it" : strerror(error);

	diag_add(r->diag, DIAG_WARNING, f->name, 0, 0, "left as it is: %s", why);
	f->bad = true;
	r->sum->partly = true;
}

/* Read F to its end. */
static void
scan(struct retain *r, struct reading *f, int error)
{
	struct scan s = { .r = r, .f = f, .from = r->n_spans };
	int64_t text;

	if (error != 0 || fstat(f->fd, &f->st) == -1 || each_line(f->fd, &f->st, scan_line, &s) == -1) {
		r->n_spans = s.from;
		leave(r, f, error != 0 ? error : errno);
		return;
	}
	/* What it takes on the disk. */
	text = f->text > 0 ? f->text : 1;
	for (size_t i = s.from; i < r->n_spans; i++)
		r->spans[i].bytes = (int64_t)((double)r->spans[i].bytes * (double)f->st.st_size / (double)text);
}

static int
scan_all(struct retain *r)
{
	if (log_folder_open(&r->folder, r->path) == -1 ||
	    (r->v = calloc(r->folder.n + 1, sizeof(*r->v))) == NULL)
		return -1;
	for (size_t i = 0; i < r->folder.n; i++) {
		struct log_file *file = &r->folder.v[i];
		struct reading *f = &r->v[r->n++];

		*f = (struct reading){ .name = file->name, .fd = file->fd, .st = file->st, .current = file->current };
		scan(r, f, file->error);
		r->sum->files++;
		r->sum->lines += f->lines;
		r->sum->bytes += f->st.st_size;
	}
	return 0;
}

/* ---- deciding ---- */

/* What is before it has to go so that the rest has room; what cannot be read takes its room all the same. */
static int64_t
moment_by_size(struct retain *r)
{
	int64_t room = r->limits->size, least = r->limits->now_ms - r->limits->least_s * MS, minute = 0;

	for (size_t i = 0; i < r->n; i++)
		room -= r->v[i].bad ? r->v[i].st.st_size : 0;
	if (r->limits->size == 0 || r->sum->bytes <= r->limits->size)
		return 0;
	merge_spans(r);
	for (size_t i = r->n_spans; i-- > 0;)
		if ((room -= r->spans[i].bytes) < 0) {
			minute = r->spans[i].minute + 1;
			break;
		}
	return minute * MINUTE_MS < least ? minute * MINUTE_MS : least;
}

static int64_t
decide(struct retain *r)
{
	const struct retain_limits *l = r->limits;
	int64_t by_size = moment_by_size(r), by_age = l->age_s == 0 ? 0 : l->now_ms - l->age_s * MS;

	return by_size > by_age ? by_size : by_age;
}

/* ---- a file without its old lines ---- */

struct copy {
	int64_t	 before_ms, kept, removed, text;
	int	 fd;
	bool	 packed;
	gzFile	 gz;		/* that is written, of a packed one */
	struct buf out;
};

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

/* Copy what F keeps into FD (-1: only count).  -1 with errno. */
static int
copy_file(const struct reading *f, int64_t before_ms, int fd, struct copy *c)
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
	r = each_line(f->fd, &f->st, copy_line, c);
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

/* What was written to F beyond its first TEXT bytes, which were read: it goes to the log.  -1 with errno. */
static int
save_late(const struct retain *r, const struct reading *f, int64_t text)
{
	struct event_log *log;
	struct buf late;
	struct stat st;
	ssize_t n = 0;
	int result = 0;

	if (fstat(f->fd, &st) == -1 || st.st_size <= text)
		return 0;
	buf_init(&late, TAIL_MAX);
	log = event_log_new(r->path, f->st.st_mode & 0777);
	if (log == NULL || buf_reserve(&late, (size_t)(st.st_size - text)) == -1 ||
	    (n = pread(f->fd, late.p, (size_t)(st.st_size - text), text)) <= 0 ||
	    event_log_write(log, slice_make(late.p, (size_t)n)) == -1)
		result = -1;
	event_log_free(log);
	buf_fini(&late);
	return result;
}

static bool
is_same(int dir, const char *name, const struct stat *st)
{
	struct stat now;

	return fstatat(dir, name, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_ino == st->st_ino && now.st_dev == st->st_dev;
}

/* Put NEW where F is, if that is still F: NEW's name then has what was F.  -1 with errno; EAGAIN: it was another file. */
static int
exchange(const struct retain *r, const struct reading *f, const char *new)
{
	if (!is_same(r->dir, f->name, &f->st))
		return errno = EAGAIN, -1;
	if (renameat2(r->dir, new, r->dir, f->name, RENAME_EXCHANGE) == -1)
		return -1;
	if (is_same(r->dir, new, &f->st))
		return 0;
	renameat2(r->dir, new, r->dir, f->name, RENAME_EXCHANGE);
	return errno = EAGAIN, -1;
}

/* Take F away, if its name still is F's.  As exchange(). */
static int
take_away(const struct retain *r, const struct reading *f, const char *aside)
{
	if (!is_same(r->dir, f->name, &f->st))
		return errno = EAGAIN, -1;
	if (renameat2(r->dir, f->name, r->dir, aside, RENAME_NOREPLACE) == -1)
		return -1;
	if (is_same(r->dir, aside, &f->st))
		return 0;
	renameat2(r->dir, aside, r->dir, f->name, RENAME_NOREPLACE);
	return errno = EAGAIN, -1;
}

/* Write what F keeps to NEW, which is made, and put it in F's place. */
static int
write_anew(const struct retain *r, const struct reading *f, const char *new, struct copy *c, struct stat *after)
{
	int fd = openat(r->dir, new, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), result = -1, saved;

	if (fd == -1)
		return -1;
	fstat(fd, after);
	if (copy_file(f, r->sum->before_ms, fd, c) == 0 && dress(fd, &f->st) == 0 && fstat(fd, after) == 0)
		result = c->kept == 0 ? take_away(r, f, ".firebreak.retain.old") : exchange(r, f, new);
	saved = errno;
	close(fd);
	errno = saved;
	return result;
}

static int
rewrite(const struct retain *r, const struct reading *f, struct copy *c, struct stat *after)
{
	static const char new[] = ".firebreak.retain.new", old[] = ".firebreak.retain.old";
	int result, saved;

	/* Of one who was killed: what stands there is a copy, or was to go. */
	unlinkat(r->dir, new, 0);
	unlinkat(r->dir, old, 0);
	*after = (struct stat){ 0 };
	result = write_anew(r, f, new, c, after);
	if (result == 0 && !c->packed)
		result = save_late(r, f, c->text);
	saved = errno;
	/* Only what is known is removed: the copy, and what it is of when all is well. */
	if (is_same(r->dir, new, after) || (result == 0 && is_same(r->dir, new, &f->st)))
		unlinkat(r->dir, new, 0);
	if (result == 0 && c->kept == 0)
		unlinkat(r->dir, old, 0);
	errno = saved;
	return result;
}

/* ---- all files ---- */

static void
pause_ms(int ms)
{
	const struct timespec t = { .tv_sec = ms / MS, .tv_nsec = (long)(ms % MS) * NS_PER_MS };

	nanosleep(&t, NULL);
}

/* Wait until nobody has written to F for a time.  -1 with EBUSY when somebody always does. */
static int
settle(const struct retain *r, struct reading *f)
{
	for (int i = 0; i < SETTLE_TRIES; i++) {
		struct stat st;
		int64_t quiet;

		if (fstat(f->fd, &st) == -1)
			return -1;
		quiet = clock_ms() - (int64_t)st.st_mtim.tv_sec * MS - st.st_mtim.tv_nsec / NS_PER_MS;
		/* Times of the future say nothing: then a size that stays does. */
		if ((quiet < 0 || quiet >= r->limits->settle_ms) && st.st_size == f->st.st_size)
			return 0;
		f->st = st;
		pause_ms(POLL_MS);
	}
	return errno = EBUSY, -1;
}

/* The log that is written to goes aside under a name as rotation gives it, and workers begin another. */
static int
turn(const struct retain *r, struct reading *f)
{
	char date[CLOCK_TEXT], *name = NULL, *to = date;

	clock_format_s(r->limits->now_ms / MS, date);
	for (const char *from = date; *from != '\0'; from++)
		if (ascii_is_digit(*from) || *from == 'T')
			*to++ = *from;
	*to = '\0';
	if (asprintf(&name, "%s-%s", f->name, date) == -1)
		return errno = ENOMEM, -1;
	if (!is_same(r->dir, f->name, &f->st) || renameat2(r->dir, f->name, r->dir, name, RENAME_NOREPLACE) == -1) {
		free(name);
		return -1;
	}
	free(f->name);
	f->name = name;
	for (size_t i = 0; i < r->folder.n; i++)
		if (r->folder.v[i].fd == f->fd)
			r->folder.v[i].name = name;
	return settle(r, f);
}

/* What F loses.  -1 with errno: it stays as it is. */
static int
treat(struct retain *r, struct reading *f, struct retain_file *told)
{
	struct stat after = f->st;
	struct copy c;

	if (r->limits->dry) {
		if (copy_file(f, r->sum->before_ms, -1, &c) == -1)
			return -1;
		told->size_after = (int64_t)((double)f->st.st_size * (double)c.kept / (double)(c.kept + c.removed));
	} else {
		if ((f->current && turn(r, f) == -1) || rewrite(r, f, &c, &after) == -1)
			return -1;
		told->size_after = c.kept == 0 ? 0 : after.st_size;
	}
	told->removed = c.removed;
	told->gone = c.kept == 0;
	return 0;
}

static void
treat_all(struct retain *r, retain_visit *visit, void *arg)
{
	for (size_t i = 0; i < r->n; i++) {
		struct reading *f = &r->v[i];
		char *name = strdup(f->name);
		struct retain_file told = { .name = name != NULL ? name : "", .lines = f->lines, .size = f->st.st_size,
			.size_after = f->st.st_size };

		if (!f->bad && f->lines > 0 && f->oldest_ms < r->sum->before_ms && treat(r, f, &told) == -1)
			leave(r, f, errno);
		r->sum->removed += told.removed;
		r->sum->bytes_after += told.size_after;
		visit(arg, &told);
		free(name);
	}
	if (!r->limits->dry)
		fsync(r->dir);
}

/* ---- in order ---- */

/* The folder of R's log, locked against others of us.  -1 with errno. */
static int
lock_folder(struct retain *r, int *lock)
{
	const char *slash = strrchr(r->path, '/');
	char *dir = slash == NULL ? strdup(".") : slice_dup(slice_make(r->path, (size_t)(slash - r->path) + 1));
	int result;

	*lock = -1;
	r->dir = dir == NULL ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (r->dir == -1 || r->limits->dry)
		return r->dir == -1 ? -1 : 0;
	*lock = openat(r->dir, LOCK_NAME, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, MODE_LOCK);
	do
		result = *lock == -1 ? -1 : flock(*lock, LOCK_EX);
	while (result == -1 && errno == EINTR);
	return result;
}

int
retain_log(const char *path, const struct retain_limits *limits, retain_visit *visit, void *arg, struct retain_sum *sum,
    struct diag *diag)
{
	struct retain r = { .path = path, .dir = -1, .limits = limits, .sum = sum, .diag = diag };
	int lock = -1, result = -1;

	*sum = (struct retain_sum){ 0 };
	if (lock_folder(&r, &lock) == -1 || scan_all(&r) == -1)
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", strerror(errno));
	else {
		sum->before_ms = decide(&r);
		treat_all(&r, visit, arg);
		sum->too_large = limits->size > 0 && sum->bytes_after > limits->size;
		result = 0;
	}
	free(r.spans);
	free(r.v);
	log_folder_close(&r.folder);
	if (lock != -1)
		close(lock);
	if (r.dir != -1)
		close(r.dir);
	return result;
}
