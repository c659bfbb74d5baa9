#include "events/event.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>


enum { LOG_MODE = 0640 };

struct event_log {
	char		*path;
	pthread_mutex_t	 lock;		/* guards all below; held for one line */
	int		 fd;		/* -1 = not open */
	pid_t		 pid;		/* who opened it: a child shares no file position */
	dev_t		 dev;
	ino_t		 ino;
};

struct event_log *
event_log_new(const char *path)
{
	struct event_log *log = calloc(1, sizeof(*log));

	if (log == NULL || (log->path = strdup(path)) == NULL) {
		free(log);
		return NULL;
	}
	log->fd = -1;
	pthread_mutex_init(&log->lock, NULL);
	return log;
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
	pthread_mutex_destroy(&log->lock);
	free(log->path);
	free(log);
}

/* Reading is needed to see whether the last line is whole. */
static int
open_append(const char *path)
{
	const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = open(path, flags);

	if (fd != -1 || errno != ENOENT)
		return fd;
	if ((fd = open(path, flags | O_CREAT | O_EXCL, LOG_MODE)) != -1)
		fchmod(fd, LOG_MODE);			/* whatever the umask */
	else if (errno == EEXIST)
		fd = open(path, flags);			/* another worker was quicker */
	return fd;
}

/* Have the file open that is at the path now; *SIZE is its size.  Called with the lock held for
 * every line: stat() costs under a microsecond, and a log that was moved away gets no line more. */
static int
open_current(struct event_log *log, off_t *size)
{
	struct stat st;

	if (log->fd != -1 && log->pid == getpid() && stat(log->path, &st) == 0 &&
	    st.st_dev == log->dev && st.st_ino == log->ino) {
		*size = st.st_size;
		return 0;
	}
	close_log(log);
	if ((log->fd = open_append(log->path)) == -1)
		return -1;
	if (fstat(log->fd, &st) == -1) {
		close_log(log);
		return -1;
	}
	log->pid = getpid();
	log->dev = st.st_dev;
	log->ino = st.st_ino;
	*size = st.st_size;
	return 0;
}

/* A line may begin at offset AT: nothing, or a newline, is left of it. */
static bool
line_may_begin(int fd, off_t at)
{
	char before = '\n';

	return at <= 0 || pread(fd, &before, 1, at - 1) != 1 || before == '\n';
}

/* Append LINE by one write, with a newline before it when BROKEN. */
static int
append(int fd, struct slice line, bool broken)
{
	struct buf repaired;
	ssize_t n;

	buf_init(&repaired, line.len + 1);
	if (broken) {
		buf_add_char(&repaired, '\n');
		if (buf_add_slice(&repaired, line) == -1)
			return errno = ENOMEM, -1;
		line = buf_slice(&repaired);
	}
	do
		n = write(fd, line.p, line.len);
	while (n == -1 && errno == EINTR);
	buf_fini(&repaired);
	if (n >= 0 && (size_t)n < line.len)
		errno = ENOSPC;		/* part of a line: the next one begins with a newline */
	return n >= 0 && (size_t)n == line.len ? 0 : -1;
}

static int
write_line(struct event_log *log, struct slice line)
{
	off_t size, end;

	if (open_current(log, &size) == -1)
		return -1;
	if (append(log->fd, line, !line_may_begin(log->fd, size)) == -1)
		return -1;
	/* Another process may have written a part of a line between the look and the append. */
	end = lseek(log->fd, 0, SEEK_CUR);
	if (line_may_begin(log->fd, end - (off_t)line.len))
		return 0;
	return append(log->fd, line, true);
}

int
event_log_write(struct event_log *log, struct slice line)
{
	int r;

	pthread_mutex_lock(&log->lock);
	if ((r = write_line(log, line)) == -1)
		close_log(log);		/* whatever is wrong with it, the next line tries anew */
	pthread_mutex_unlock(&log->lock);
	return r;
}
