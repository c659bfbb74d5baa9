/* faults - makes one call of a program that changes files fail, or kills the program there: for t/crash.sh, by LD_PRELOAD.
 *
 *	FAULT_AT=N	the call that is meant, counted from 1; without it nothing fails
 *	FAULT_HOW=...	ENOSPC, EIO, EDQUOT	it does nothing and fails
 *			short			a write writes half; every call that takes room fails with ENOSPC from then on
 *			full			it and all after it that take room fail with ENOSPC, as on a full disk
 *			before, after, half	the program is killed (SIGKILL) before it, after it, or with half of a write done
 *	FAULT_US=N	the program is killed N microseconds after it began, wherever it is then
 *	FAULT_LOG=FILE	a line for every call: its number, its name, and its file where that is known
 *
 * Counted are calls that make, change, name or remove files, and reads at an offset: those are of what was put aside.  Not what
 * goes to a terminal or a pipe: descriptors that no counted call made.  Programs of one thread only. */
#undef _FILE_OFFSET_BITS	/* both names of a call are ours */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { OURS_MAX = 1024, US = 1000 * 1000, NS_PER_US = 1000, LINE = 8192 };

enum how { NOTHING, FAILS, SHORT, FULL, BEFORE, AFTER, HALF };

/* What the call is to be: done, done by half, or failed. */
enum fate { DO, DO_HALF, FAIL };

static struct {
	unsigned long	at, n;
	enum how	how;
	int		error;
	bool		kill_after, is_full;
	int		log;
	bool		ours[OURS_MAX];		/* descriptors that counted calls made */
} f = { .log = -1 };

/* The next NAME after ours, as a function like ours. */
#define NEXT(name)	((__typeof__(&name))next(#name))

static void *
next(const char *name)
{
	void *p = dlsym(RTLD_NEXT, name);

	if (p == NULL)
		_exit(99);
	return p;
}

_Noreturn static void
die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

static void
kill_in(unsigned long us)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
	struct itimerspec when = { .it_value = { .tv_sec = (time_t)(us / US), .tv_nsec = (long)(us % US * NS_PER_US) } };
	timer_t timer;

	if (us == 0 || timer_create(CLOCK_MONOTONIC, &event, &timer) == -1 || timer_settime(timer, 0, &when, NULL) == -1)
		die();
}

__attribute__((constructor)) static void
begin(void)
{
	static const struct { const char *word; enum how how; int error; } hows[] = {
		{ "ENOSPC", FAILS, ENOSPC }, { "EIO", FAILS, EIO }, { "EDQUOT", FAILS, EDQUOT }, { "short", SHORT, ENOSPC },
		{ "full", FULL, ENOSPC }, { "before", BEFORE, 0 }, { "after", AFTER, 0 }, { "half", HALF, 0 },
	};
	const char *at = getenv("FAULT_AT"), *how = getenv("FAULT_HOW"), *us = getenv("FAULT_US"), *log = getenv("FAULT_LOG");

	f.at = at == NULL ? 0 : strtoul(at, NULL, 10);
	for (size_t i = 0; how != NULL && i < sizeof(hows) / sizeof(*hows); i++)
		if (strcmp(how, hows[i].word) == 0) {
			f.how = hows[i].how;
			f.error = hows[i].error;
		}
	if (log != NULL)
		f.log = NEXT(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (us != NULL)
		kill_in(strtoul(us, NULL, 10));
}

static void
note(const char *name, const char *path, int fd)
{
	char line[LINE], link[64], file[LINE / 2];
	ssize_t len = -1;
	int n;

	if (f.log == -1)
		return;
	if (path == NULL) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if ((len = readlink(link, file, sizeof(file) - 1)) == -1)
			len = 0;
		file[len] = '\0';
		path = file;
	}
	n = snprintf(line, sizeof(line), "%lu %s %s\n", f.n, name, path);
	if (NEXT(write)(f.log, line, (size_t)n) != n)
		_exit(99);
}

/* Count a call of NAME about PATH or FD.  TAKES_ROOM: it could fail on a full disk. */
static enum fate
meet(const char *name, const char *path, int fd, bool takes_room)
{
	bool meant = ++f.n == f.at;

	note(name, path, fd);
	if (f.is_full && takes_room)
		return errno = ENOSPC, FAIL;
	if (!meant)
		return DO;
	switch (f.how) {
	case NOTHING:
		break;
	case FAILS:
		return errno = f.error, FAIL;
	case SHORT:
		f.is_full = true;
		return DO_HALF;
	case FULL:
		f.is_full = true;
		return takes_room ? (errno = ENOSPC, FAIL) : DO;
	case BEFORE:
		die();
	case AFTER:
		f.kill_after = true;
		break;
	case HALF:
		f.kill_after = true;
		return DO_HALF;
	}
	return DO;
}

/* The call was made: RESULT goes to the caller, if there still is one. */
static long
made(long result)
{
	int saved = errno;

	if (f.kill_after)
		die();
	errno = saved;
	return result;
}

static int
opened(int fd)
{
	if (fd >= 0 && fd < OURS_MAX)
		f.ours[fd] = true;
	return (int)made(fd);
}

static bool
is_ours(int fd)
{
	return fd >= 0 && fd < OURS_MAX && f.ours[fd];
}

/* ---- making ---- */

static bool
makes(int flags)
{
	return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

#define OPEN(name) \
int \
name(const char *path, int flags, ...) \
{ \
	mode_t mode = 0; \
	va_list ap; \
\
	va_start(ap, flags); \
	if (makes(flags)) \
		mode = va_arg(ap, mode_t); \
	va_end(ap); \
	if (!makes(flags)) \
		return NEXT(name)(path, flags); \
	return meet(#name, path, -1, true) == FAIL ? -1 : opened(NEXT(name)(path, flags, mode)); \
}
OPEN(open)
OPEN(open64)

#define MKOSTEMP(name) \
int \
name(char *path, int flags) \
{ \
	return meet(#name, path, -1, true) == FAIL ? -1 : opened(NEXT(name)(path, flags)); \
}
MKOSTEMP(mkostemp)
MKOSTEMP(mkostemp64)

int
mkdir(const char *path, mode_t mode)
{
	return meet("mkdir", path, -1, true) == FAIL ? -1 : (int)made(NEXT(mkdir)(path, mode));
}

/* ---- writing ---- */

ssize_t
write(int fd, const void *p, size_t len)
{
	enum fate fate;

	if (!is_ours(fd))
		return NEXT(write)(fd, p, len);
	fate = meet("write", NULL, fd, true);
	return fate == FAIL ? -1 : made(NEXT(write)(fd, p, fate == DO_HALF ? (len + 1) / 2 : len));
}

ssize_t
writev(int fd, const struct iovec *v, int n)
{
	if (!is_ours(fd))
		return NEXT(writev)(fd, v, n);
	return meet("writev", NULL, fd, true) == FAIL ? -1 : made(NEXT(writev)(fd, v, n));
}

#define PWRITE(name, offset) \
ssize_t \
name(int fd, const void *p, size_t len, offset at) \
{ \
	enum fate fate = meet(#name, NULL, fd, true); \
\
	return fate == FAIL ? -1 : made(NEXT(name)(fd, p, fate == DO_HALF ? (len + 1) / 2 : len, at)); \
}
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define PREAD(name, offset) \
ssize_t \
name(int fd, void *p, size_t len, offset at) \
{ \
	return meet(#name, NULL, fd, false) == FAIL ? -1 : made(NEXT(name)(fd, p, len, at)); \
}
PREAD(pread, off_t)
PREAD(pread64, off64_t)

#define ON_FD(name, takes_room, fail, parameters, arguments) \
int \
name parameters \
{ \
	return meet(#name, NULL, fd, takes_room) == FAIL ? fail : (int)made(NEXT(name) arguments); \
}
ON_FD(fsync, true, -1, (int fd), (fd))
ON_FD(fdatasync, true, -1, (int fd), (fd))
ON_FD(fchmod, false, -1, (int fd, mode_t mode), (fd, mode))
ON_FD(ftruncate, true, -1, (int fd, off_t len), (fd, len))
ON_FD(ftruncate64, true, -1, (int fd, off64_t len), (fd, len))
ON_FD(fallocate, true, -1, (int fd, int mode, off_t at, off_t len), (fd, mode, at, len))
ON_FD(fallocate64, true, -1, (int fd, int mode, off64_t at, off64_t len), (fd, mode, at, len))
ON_FD(posix_fallocate, true, errno, (int fd, off_t at, off_t len), (fd, at, len))
ON_FD(posix_fallocate64, true, errno, (int fd, off64_t at, off64_t len), (fd, at, len))

/* A file is closed even when that fails. */
int
close(int fd)
{
	enum fate fate = DO;
	int saved, r;

	if (is_ours(fd)) {
		fate = meet("close", NULL, fd, true);
		f.ours[fd] = false;
	}
	saved = errno;
	r = (int)made(NEXT(close)(fd));
	return fate == FAIL ? (errno = saved, -1) : r;
}

/* ---- naming and removing ---- */

#define ON_PATH(name, takes_room, path, parameters, arguments) \
int \
name parameters \
{ \
	return meet(#name, path, -1, takes_room) == FAIL ? -1 : (int)made(NEXT(name) arguments); \
}
ON_PATH(rename, true, to, (const char *from, const char *to), (from, to))
ON_PATH(renameat, true, to, (int in, const char *from, int there, const char *to), (in, from, there, to))
ON_PATH(link, true, to, (const char *from, const char *to), (from, to))
ON_PATH(linkat, true, to, (int in, const char *from, int there, const char *to, int flags), (in, from, there, to, flags))
ON_PATH(unlink, false, path, (const char *path), (path))
ON_PATH(unlinkat, false, path, (int in, const char *path, int flags), (in, path, flags))
ON_PATH(remove, false, path, (const char *path), (path))
ON_PATH(chmod, false, path, (const char *path, mode_t mode), (path, mode))

/* ---- streams: the C library's own write() is not the one above ---- */

struct stream {
	int	fd;
};

static ssize_t
stream_read(void *cookie, char *p, size_t len)
{
	return read(((struct stream *)cookie)->fd, p, len);
}

/* All of it, as a stream of the C library does; 0 when that fails (fopencookie(3)). */
static ssize_t
stream_write(void *cookie, const char *p, size_t len)
{
	ssize_t n;

	for (size_t done = 0; done < len; done += (size_t)n)
		if ((n = write(((struct stream *)cookie)->fd, p + done, len - done)) == -1)
			return 0;
	return (ssize_t)len;
}

static int
stream_seek(void *cookie, off64_t *at, int whence)
{
	*at = lseek64(((struct stream *)cookie)->fd, *at, whence);
	return *at == -1 ? -1 : 0;
}

static int
stream_close(void *cookie)
{
	int r = close(((struct stream *)cookie)->fd);

	free(cookie);
	return r;
}

FILE *
fdopen(int fd, const char *mode)
{
	cookie_io_functions_t calls = { stream_read, stream_write, stream_seek, stream_close };
	struct stream *s;
	FILE *file;

	if (!is_ours(fd))
		return NEXT(fdopen)(fd, mode);
	if (meet("fdopen", NULL, fd, false) == FAIL || (s = malloc(sizeof(*s))) == NULL)
		return NULL;
	s->fd = fd;
	if ((file = fopencookie(s, mode, calls)) == NULL)
		free(s);
	return (FILE *)made((long)file);
}
