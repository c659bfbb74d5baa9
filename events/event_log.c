#include "events/event.h"

#include <sys/stat.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/sum.h"

enum { TRIES = 10, LOOK_MAX = 4 << 20 };

struct event_log {
	char		*path;
	mode_t		 mode;
	pthread_rwlock_t lock;		/* guards all below; who writes a line only reads them, so that lines do not wait for each other */
	int		 fd;		/* -1 = not open; opened to append, so that a child may share it */
	dev_t		 dev;
	ino_t		 ino;
	_Atomic uint64_t *end;		/* end_word() of where it ends if nobody has written since a line that was whole */
	_Atomic uint64_t own_end;	/* what END points to unless it is shared */
};

struct event_log *
event_log_new(const char *path, mode_t mode)
{
	struct event_log *log = calloc(1, sizeof(*log));

	if (log == NULL || (log->path = strdup(path)) == NULL) {
		free(log);
		return NULL;
	}
	log->fd = -1;
	log->end = &log->own_end;
	log->mode = mode;
	pthread_rwlock_init(&log->lock, NULL);
	return log;
}

void
event_log_share_end(struct event_log *log, _Atomic uint64_t *end)
{
	log->end = end;
}

static void
close_log(struct event_log *log)
{
	int saved = errno;

	if (log->fd != -1)
		close(log->fd);
	log->fd = -1;
	errno = saved;
}

void
event_log_free(struct event_log *log)
{
	if (log == NULL)
		return;
	close_log(log);
	pthread_rwlock_destroy(&log->lock);
	free(log->path);
	free(log);
}

/* Reading is needed to see whether the last line is whole. */
static int
open_append(const char *path, mode_t mode)
{
	const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = open(path, flags);

	if (fd != -1 || errno != ENOENT)
		return fd;
	if ((fd = open(path, flags | O_CREAT | O_EXCL, mode)) != -1)
		fchmod(fd, mode);			/* whatever the umask */
	else if (errno == EEXIST)
		fd = open(path, flags);			/* another worker was quicker */
	return fd;
}

/* The file that is open is the one at the path now: its size; -1 when it is not.  Asked for every line: stat() costs under a
 * microsecond, and a log that was moved away gets no line more.  Called with the lock held. */
static off_t
current_size(const struct event_log *log)
{
	struct stat st;

	if (log->fd == -1 || stat(log->path, &st) == -1 || st.st_dev != log->dev || st.st_ino != log->ino)
		return -1;
	return st.st_size;
}

/* Open what is at the path now.  Called with the lock held for writing. */
static int
reopen(struct event_log *log)
{
	struct stat st;

	if (current_size(log) != -1)
		return 0;		/* another thread was quicker */
	close_log(log);
	if ((log->fd = open_append(log->path, log->mode)) == -1)
		return -1;
	if (fstat(log->fd, &st) == -1) {
		close_log(log);
		return -1;
	}
	atomic_store(log->end, 0);
	log->dev = st.st_dev;
	log->ino = st.st_ino;
	return 0;
}

/* What says that the file which is open ends at END. */
static uint64_t
end_word(const struct event_log *log, off_t end)
{
	return sum_step(sum_step(sum_step(0, log->dev), log->ino), (uint64_t)end);
}

/* A line may begin at offset AT: nothing, or a newline, is left of it. */
static bool
line_may_begin(int fd, off_t at)
{
	char before = '\n';

	return at <= 0 || pread(fd, &before, 1, at - 1) != 1 || before == '\n';
}

/* Append LINE by one write, with a newline before it when BROKEN: somebody's line has no end, since the disk was full, or he was
 * killed. */
static int
append(int fd, struct slice line, bool broken)
{
	struct iovec v[] = { { (char[]){ '\n' }, broken }, { (void *)(uintptr_t)line.p, line.len } };
	ssize_t n;

	do
		n = writev(fd, v, 2);
	while (n == -1 && errno == EINTR);
	if (n >= 0 && (size_t)n < broken + line.len)
		errno = ENOSPC;		/* part of a line: the next one begins with a newline */
	return n >= 0 && (size_t)n == broken + line.len ? 0 : -1;
}

/* LINE, which was written behind AT, begins no line: before it somebody else wrote a part of his, and was killed.  SIZE is the
 * file's now.  False when it cannot be found. */
static bool
was_swallowed(int fd, struct slice line, off_t at, off_t size)
{
	off_t from = at > 0 ? at - 1 : 0;
	size_t len = size > from && size - from <= LOOK_MAX ? (size_t)(size - from) : 0;
	char *text = len > 0 ? malloc(len) : NULL;
	ssize_t n = text != NULL ? pread(fd, text, len, from) : -1;
	const char *found = n > 0 ? memmem(text, (size_t)n, line.p, line.len) : NULL;
	bool swallowed = found != NULL && found > text && found[-1] != '\n';

	free(text);
	return swallowed;
}

/* LINE was appended where the file was thought to end at AT, which then had END bytes: 0 when it had just that, or LINE stands for
 * itself nevertheless; else LINE is written once more, the result is that of append(). */
static int
see_to_it(const struct event_log *log, struct slice line, off_t at, off_t end)
{
	struct stat st;

	if (fstat(log->fd, &st) == -1 || st.st_size == end || !was_swallowed(log->fd, line, at, st.st_size))
		return 0;
	return append(log->fd, line, true);
}

enum written { WRITTEN, NOT_CURRENT, FAILED };

static enum written
write_line(struct event_log *log, struct slice line)
{
	enum written result = NOT_CURRENT;
	bool broken;
	off_t size, end;

	pthread_rwlock_rdlock(&log->lock);
	if ((size = current_size(log)) != -1) {
		broken = atomic_load(log->end) != end_word(log, size) && !line_may_begin(log->fd, size);
		end = size + broken + (off_t)line.len;
		result = append(log->fd, line, broken) == 0 && see_to_it(log, line, size, end) == 0 ? WRITTEN : FAILED;
		/* When others wrote meanwhile it ends elsewhere, and whoever comes next sees that and looks. */
		atomic_store(log->end, result == WRITTEN ? end_word(log, end) : 0);
	}
	pthread_rwlock_unlock(&log->lock);
	return result;
}

int
event_log_write(struct event_log *log, struct slice line)
{
	for (int i = 0; i < TRIES; i++) {
		enum written result = write_line(log, line);
		int r = 0;

		if (result == WRITTEN)
			return 0;
		pthread_rwlock_wrlock(&log->lock);
		if (result == FAILED)
			close_log(log);		/* whatever is wrong with it, the next line tries anew */
		else
			r = reopen(log);
		pthread_rwlock_unlock(&log->lock);
		if (result == FAILED || r == -1)
			return -1;
	}
	return errno = EAGAIN, -1;		/* moved away again and again */
}
