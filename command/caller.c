#include "command/caller.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOT = 0, FD_PATH = 64 };

/* Only root comes back as UID and GID again; who could not would go on as root, which must not be. */
static void
become(uid_t uid, gid_t gid)
{
	int saved = errno;

	if (geteuid() != ROOT && seteuid(ROOT) == -1)
		abort();
	if (setegid(gid) == -1 || (uid != ROOT && seteuid(uid) == -1))
		abort();
	errno = saved;
}

void
caller_begin(struct caller *was)
{
	*was = (struct caller){ .away = getuid() == ROOT && geteuid() != ROOT, .uid = geteuid(), .gid = getegid() };
	if (was->away)
		become(ROOT, ROOT);
}

void
caller_end(const struct caller *was)
{
	if (was->away)
		become(was->uid, was->gid);
}

/* The folder that PATH is in: whose it is.  False when that cannot be told. */
static bool
look_beside(const char *path, struct stat *st)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL ? strdup(".") : slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
	bool known = folder != NULL && stat(folder, st) == 0;

	free(folder);
	return known;
}

void
caller_begin_beside(struct caller *was, const char *path)
{
	struct stat st;

	caller_begin(was);
	if (was->away && look_beside(path, &st) && st.st_uid != ROOT)
		become(st.st_uid, st.st_gid);
}

int
caller_open(const char *path, int flags)
{
	struct caller was;
	int fd;

	caller_begin(&was);
	fd = open(path, flags);
	caller_end(&was);
	return fd;
}

/* What a path leads to is looked at before it is opened, since opening some things does something. */
static int
open_regular(const char *path)
{
	int handle = open(path, O_PATH | O_CLOEXEC), fd = -1, saved;
	char again[FD_PATH];
	struct stat st;

	if (handle == -1)
		return -1;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", handle);
	if (fstat(handle, &st) == 0 && !S_ISREG(st.st_mode))
		errno = EPERM;
	else
		fd = open(again, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	saved = errno;
	close(handle);
	errno = saved;
	return fd;
}

int
caller_open_log(const char *path)
{
	struct caller was;
	int fd;

	caller_begin(&was);
	fd = was.away ? open_regular(path) : open(path, O_RDONLY | O_CLOEXEC);
	caller_end(&was);
	return fd;
}
