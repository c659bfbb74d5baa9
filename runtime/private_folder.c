#include "runtime/private_folder.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"

enum { MODE_FOLDER = 0700, MODE_FILE = 0600, OTHERS = 077 };

static bool
is_trusted(const struct stat *st, uid_t owner)
{
	return (st->st_uid == 0 || st->st_uid == geteuid() || st->st_uid == owner) && (st->st_mode & OTHERS) == 0;
}

static int
open_private(int state, const struct stat *owner, bool make)
{
	bool made = make && mkdirat(state, STATE_PRIVATE, MODE_FOLDER) == 0;
	int fd = openat(state, STATE_PRIVATE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), saved;
	struct stat st;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && (!made || (fchmod(fd, MODE_FOLDER) == 0 && fstat(fd, &st) == 0))) {
		if (S_ISDIR(st.st_mode) && is_trusted(&st, owner->st_uid))
			return fd;
		errno = EPERM;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int
private_open(const char *state, bool make)
{
	int fd = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC), dir = -1, saved;
	struct stat owner;

	if (fd == -1)
		return -1;
	if (fstat(fd, &owner) == 0)
		dir = open_private(fd, &owner, make);
	saved = errno;
	close(fd);
	errno = saved;
	return dir;
}

int
private_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), saved;
	struct stat folder, st;

	if (fd == -1)
		return -1;
	if (fstat(dir, &folder) == 0 && fstat(fd, &st) == 0) {
		if (S_ISREG(st.st_mode) && st.st_nlink == 1 && is_trusted(&st, folder.st_uid))
			return fd;
		errno = EPERM;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int
write_temporary(int dir, const char *temporary, struct slice data)
{
	int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE_FILE), r = -1, saved;

	if (fd == -1)
		return -1;
	if (fchmod(fd, MODE_FILE) == 0 && file_write_all(fd, data) == 0)
		r = fsync(fd);
	saved = errno;
	if (close(fd) == -1 && r == 0)
		r = -1, saved = errno;
	errno = saved;
	return r;
}

int
private_write(int dir, const char *name, struct slice data)
{
	char temporary[NAME_MAX];
	int saved;

	/* Who writes has the folder's lock: what is there is of somebody who was killed. */
	snprintf(temporary, sizeof(temporary), ".%s.new", name);
	unlinkat(dir, temporary, 0);
	if (write_temporary(dir, temporary, data) == 0 && renameat(dir, temporary, dir, name) == 0 && fsync(dir) == 0)
		return 0;
	saved = errno;
	unlinkat(dir, temporary, 0);
	errno = saved;
	return -1;
}
