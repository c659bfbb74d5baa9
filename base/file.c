#include "base/file.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TEMPORARY	".firebreak."	/* how the names of files begin that are being written */

enum { READ_STEP = 64 * 1024 };

int
file_read_fd(int fd, struct buf *out)
{
	for (;;) {
		size_t room = out->max - out->len;
		size_t step = room < READ_STEP ? room + 1 : READ_STEP;
		char spare[1];
		ssize_t n;

		if (room == 0)			/* is there anything left? */
			n = read(fd, spare, 1);
		else if (buf_reserve(out, step > room ? room : step) == -1)
			return errno = ENOMEM, -1;
		else
			n = read(fd, out->p + out->len, step > room ? room : step);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			return buf_add(out, "", 0);
		if (room == 0)
			return errno = EFBIG, -1;
		out->len += (size_t)n;
		out->p[out->len] = '\0';
	}
}

int
file_read(const char *path, struct buf *out)
{
	int fd, r, saved;

	if (strcmp(path, "-") == 0)
		return file_read_fd(STDIN_FILENO, out);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return -1;
	r = file_read_fd(fd, out);
	saved = errno;
	close(fd);
	errno = saved;
	return r;
}

int
file_lock(int fd)
{
	int r;

	do
		r = flock(fd, LOCK_EX);
	while (r == -1 && errno == EINTR);
	return r;
}

int
file_write_all(int fd, struct slice data)
{
	while (data.len > 0) {
		ssize_t n = write(fd, data.p, data.len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		data = slice_skip(data, (size_t)n);
	}
	return 0;
}

int
file_sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r, saved;

	if (fd == -1)
		return -1;
	r = fsync(fd);
	saved = errno;
	close(fd);
	errno = saved;
	return r;
}

/* The folder that PATH lies in, as a string to free. */
static char *
parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return slash == path ? strdup("/") : slice_dup(slice_make(path, (size_t)(slash - path)));
}

void
file_clean(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL)
		if (strncmp(e->d_name, TEMPORARY, strlen(TEMPORARY)) == 0)
			unlinkat(dirfd(dir), e->d_name, 0);
	if (dir != NULL)
		closedir(dir);
}

static const char *
base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static int
write_temporary(int fd, struct slice data, mode_t mode)
{
	if (file_write_all(fd, data) == -1 || fchmod(fd, mode) == -1 || fsync(fd) == -1)
		return -1;
	return 0;
}

int
file_write(const char *path, struct slice data, mode_t mode)
{
	char *dir = parent_of(path), *tmp = NULL;
	int fd = -1, saved, r;

	if (dir == NULL || asprintf(&tmp, "%s/" TEMPORARY "%s.XXXXXX", dir, base_of(path)) == -1) {
		free(dir);
		return errno = ENOMEM, -1;
	}
	if ((fd = mkostemp(tmp, O_CLOEXEC)) == -1)
		goto fail;
	r = write_temporary(fd, data, mode);
	saved = errno;
	if (close(fd) == -1 && r == 0)
		r = -1, saved = errno;
	errno = saved;
	if (r == -1 || rename(tmp, path) == -1) {
		saved = errno;
		unlink(tmp);
		errno = saved;
		goto fail;
	}
	r = file_sync_dir(dir);
	free(tmp);
	free(dir);
	return r;
fail:
	saved = errno;
	free(tmp);
	free(dir);
	errno = saved;
	return -1;
}

static int
make_one(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return chmod(path, mode);
	if (errno != EEXIST)
		return -1;
	if (stat(path, &st) == -1)
		return -1;
	return S_ISDIR(st.st_mode) ? 0 : (errno = ENOTDIR, -1);
}

int
file_mkdirs(const char *path, mode_t mode)
{
	char *copy = strdup(path);
	int r = 0, saved;

	if (copy == NULL)
		return -1;
	for (char *at = copy + 1; *copy != '\0' && r == 0 && *at != '\0'; at++)
		if (*at == '/') {
			*at = '\0';
			r = make_one(copy, mode);
			*at = '/';
		}
	if (r == 0)
		r = make_one(copy, mode);
	saved = errno;
	free(copy);
	errno = saved;
	return r;
}

int
file_is_visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

char *
file_join(const char *dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", dir, name) == -1 ? NULL : path;
}

int
file_nameless(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), saved;
	char *path;

	if (fd != -1)
		return fd;
	/* Not every file system knows files without a name. */
	if ((path = file_join(dir, TEMPORARY "XXXXXX")) == NULL)
		return errno = ENOMEM, -1;
	if ((fd = mkostemp(path, O_CLOEXEC)) != -1)
		unlink(path);
	saved = errno;
	free(path);
	errno = saved;
	return fd;
}
