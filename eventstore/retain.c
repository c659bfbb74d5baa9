#include "eventstore/retain_part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

enum { MS = 1000, MINUTE_MS = 60 * MS, NS_PER_MS = 1000000, POLL_MS = 100, SETTLE_TRIES = 50, MODE_LOCK = 0644 };
#define LOCK_NAME	".firebreak.retain"

/* ---- deciding ---- */

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

/* ---- all files ---- */

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
		clock_pause(POLL_MS);
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
	if (!retain_is_same(r->dir, f->name, &f->st) || renameat2(r->dir, f->name, r->dir, name, RENAME_NOREPLACE) == -1) {
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
		if (retain_copy(f, r->sum->before_ms, -1, &c) == -1)
			return -1;
		told->size_after = c.kept == 0 ? 0 : (int64_t)((double)f->st.st_size * (double)c.kept / (double)(c.kept + c.removed));
	} else {
		if ((f->current && turn(r, f) == -1) || retain_rewrite(r, f, &c, &after) == -1)
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
			retain_leave(r, f, errno);
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

	*lock = -1;
	r->dir = dir == NULL ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (r->dir == -1 || r->limits->dry)
		return r->dir == -1 ? -1 : 0;
	*lock = openat(r->dir, LOCK_NAME, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, MODE_LOCK);
	return *lock == -1 ? -1 : file_lock(*lock);
}

int
retain_log(const char *path, const struct retain_limits *limits, retain_visit *visit, void *arg, struct retain_sum *sum,
    struct diag *diag)
{
	struct retain r = { .path = path, .dir = -1, .limits = limits, .sum = sum, .diag = diag };
	int lock = -1, result = -1;

	*sum = (struct retain_sum){ 0 };
	if (lock_folder(&r, &lock) == -1 || retain_scan(&r) == -1)
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
