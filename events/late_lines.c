#include "events/late_lines.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"

enum { PAUSE_MS = 1000 / LATE_TRIES };

struct late_lines {
	struct event_log	*log;
	_Atomic uint64_t	 n;		/* lines kept; changed with the lock held */
	pthread_mutex_t		 lock;		/* guards what follows */
	struct buf		 kept;
	int64_t			 tried_ms;	/* when the log last refused, by clock_boot_ms() */
	int			 why;		/* and its errno */
};

struct late_lines *
late_lines_new(struct event_log *log, size_t max)
{
	struct late_lines *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->log = log;
	atomic_init(&l->n, 0);
	pthread_mutex_init(&l->lock, NULL);
	buf_init(&l->kept, max);
	return l;
}

/* The log refused just now.  Called with the lock held. */
static bool
is_hopeless(const struct late_lines *l)
{
	return l->why != 0 && clock_boot_ms() - l->tried_ms < PAUSE_MS;
}

/* The log takes LINE; else why it does not.  Called with the lock held. */
static int
write_one(struct late_lines *l, struct slice line)
{
	if (event_log_write(l->log, line) == 0) {
		l->why = 0;
		return 0;
	}
	l->why = errno;
	l->tried_ms = clock_boot_ms();
	return -1;
}

/* Forget the first N bytes of what is kept; the memory, too, when nothing is left. */
static void
forget(struct late_lines *l, size_t n)
{
	l->kept.len -= n;
	memmove(l->kept.p, l->kept.p + n, l->kept.len);
	if (l->kept.len == 0)
		buf_fini(&l->kept);
}

/* Write what is kept, line by line: one that was written in part is written anew, and readers pass over the part.  0 when nothing
 * is left.  Called with the lock held. */
static int
write_kept(struct late_lines *l)
{
	struct slice rest = buf_slice(&l->kept), line;

	while (rest.len > 0) {
		line = slice_head(rest, slice_find(rest, '\n') + 1);
		if (write_one(l, line) == -1)
			break;
		rest = slice_skip(rest, line.len);
		atomic_fetch_sub(&l->n, 1);
	}
	if (l->kept.len > 0)
		forget(l, l->kept.len - rest.len);
	return rest.len == 0 ? 0 : -1;
}

/* Called with the lock held. */
static enum late
keep(struct late_lines *l, struct slice line)
{
	size_t before = l->kept.len;

	buf_add_slice(&l->kept, line);
	if (!l->kept.failed) {
		atomic_fetch_add(&l->n, 1);
		return LATE_KEPT;
	}
	l->kept.failed = false;
	l->kept.len = before;
	return LATE_LOST;
}

enum late
late_lines_write(struct late_lines *l, struct slice line)
{
	enum late result = LATE_WRITTEN;

	if (atomic_load(&l->n) == 0 && event_log_write(l->log, line) == 0)
		return LATE_WRITTEN;
	pthread_mutex_lock(&l->lock);
	if (is_hopeless(l) || write_kept(l) == -1 || write_one(l, line) == -1)
		result = keep(l, line);
	errno = l->why;
	pthread_mutex_unlock(&l->lock);
	return result;
}

uint64_t
late_lines_try(struct late_lines *l)
{
	if (atomic_load(&l->n) == 0)
		return 0;
	pthread_mutex_lock(&l->lock);
	if (!is_hopeless(l))
		write_kept(l);
	pthread_mutex_unlock(&l->lock);
	return atomic_load(&l->n);
}

uint64_t
late_lines_free(struct late_lines *l)
{
	uint64_t lost;

	if (l == NULL)
		return 0;
	if (l->kept.len > 0)
		write_kept(l);
	lost = atomic_load(&l->n);
	buf_fini(&l->kept);
	pthread_mutex_destroy(&l->lock);
	free(l);
	return lost;
}
