#include "base/scratch.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

#define RANDOM	"XXXXXX"	/* for mkdtemp(3) */

enum { TRIES = 100, DEPTH_MAX = 8, LOOKED_AT_MAX = 1 << 16, CLEANED_MAX = 16, OTHERS = 077 };

static int
open_folder(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* NAME of the folder DIR is still what FD is. */
static bool
is_at(int dir, const char *name, int fd)
{
	struct stat named, st;

	return fstat(fd, &st) == 0 && fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == named.st_dev &&
	    st.st_ino == named.st_ino;
}

/* ---- removing ---- */

static void
empty(int fd, int depth)
{
	int own = open_folder(fd, "."), inner;
	DIR *dir = own == -1 ? NULL : fdopendir(own);
	struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || unlinkat(fd, e->d_name, 0) == 0 || depth == 0)
			continue;
		if ((inner = open_folder(fd, e->d_name)) == -1)
			continue;
		empty(inner, depth - 1);
		close(inner);
		unlinkat(fd, e->d_name, AT_REMOVEDIR);
	}
	if (dir != NULL)
		closedir(dir);
	else if (own != -1)
		close(own);
}

/* FD is a folder that only this user can have filled. */
static bool
is_ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & OTHERS) == 0;
}

/* Remove NAME of the folder DIR if its process is gone.  Until it is locked it may be removed, and its name be another one's. */
static bool
clean_one(int dir, const char *name)
{
	int fd = open_folder(dir, name);
	bool gone = false;

	if (fd == -1)
		return false;
	if (is_ours(fd) && flock(fd, LOCK_EX | LOCK_NB) == 0 && is_at(dir, name, fd)) {
		empty(fd, DEPTH_MAX);
		gone = unlinkat(dir, name, AT_REMOVEDIR) == 0;
	}
	close(fd);
	return gone;
}

/* NAME is one that mkdtemp(3) makes of PREFIX. */
static bool
is_of_kind(struct slice name, struct slice prefix)
{
	if (!slice_starts(name, prefix) || name.len != prefix.len + strlen(RANDOM))
		return false;
	for (size_t i = prefix.len; i < name.len; i++)
		if (!ascii_is_alpha(name.p[i]) && !ascii_is_digit(name.p[i]))
			return false;
	return true;
}

static void
clean(const char *tmp, struct slice prefix)
{
	DIR *dir = opendir(tmp);
	struct dirent *e;
	int cleaned = 0;

	for (int i = 0; dir != NULL && i < LOOKED_AT_MAX && cleaned < CLEANED_MAX && (e = readdir(dir)) != NULL; i++)
		if (is_of_kind(slice_str(e->d_name), prefix))
			cleaned += clean_one(dirfd(dir), e->d_name);
	if (dir != NULL)
		closedir(dir);
}

/* ---- making ---- */

/* Make the folder, its name given by PATTERN: 1; 0 when somebody took it for one that was left, before it was locked; -1. */
static int
make_one(struct scratch *s, const char *pattern)
{
	if ((s->path = strdup(pattern)) == NULL || mkdtemp(s->path) == NULL)
		return -1;
	if ((s->fd = open_folder(AT_FDCWD, s->path)) == -1)
		return errno == ENOENT ? 0 : -1;
	/* What cannot be locked here, nobody can lock: it is not cleaned. */
	file_lock(s->fd);
	if (is_at(AT_FDCWD, s->path, s->fd))
		return 1;
	close(s->fd);
	return 0;
}

int
scratch_make(struct scratch *s, const char *tmp, const char *kind)
{
	char *pattern;
	int made = 0, saved;

	*s = (struct scratch){ .fd = -1 };
	if (asprintf(&pattern, "%s/firebreak-%s-" RANDOM, tmp, kind) == -1)
		return errno = ENOMEM, -1;
	clean(tmp, slice_make(pattern + strlen(tmp) + 1, strlen(pattern) - strlen(tmp) - 1 - strlen(RANDOM)));
	errno = EAGAIN;
	for (int i = 0; made == 0 && i < TRIES; i++) {
		free(s->path);
		made = make_one(s, pattern);
	}
	saved = errno;
	free(pattern);
	if (made == 1)
		return 0;
	free(s->path);
	*s = (struct scratch){ .fd = -1 };
	return errno = saved, -1;
}

void
scratch_remove(struct scratch *s)
{
	if (s->path == NULL)
		return;
	empty(s->fd, DEPTH_MAX);
	rmdir(s->path);
	close(s->fd);
	free(s->path);
	*s = (struct scratch){ .fd = -1 };
}
