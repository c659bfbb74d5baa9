#include "command/output.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

/* Something is there that is no file to be replaced. */
static bool
is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

int
output_begin(struct output *o, const struct call *c, const char *path)
{
	mode_t mask = umask(0);

	umask(mask);
	*o = (struct output){ .path = path == NULL || slice_eq(slice_str(path), SLICE("-")) ? NULL : path, .fd = STDOUT_FILENO };
	if (o->path == NULL)
		return 0;
	if (is_special(path)) {
		if ((o->fd = open(path, O_WRONLY | O_CLOEXEC)) != -1)
			return 0;
	} else {
		if (asprintf(&o->beside, "%s.XXXXXX", path) == -1)
			o->beside = NULL;
		o->fd = o->beside == NULL ? -1 : mkostemp(o->beside, O_CLOEXEC);
		if (o->fd != -1 && fchmod(o->fd, 0666 & ~mask) == 0)
			return 0;
	}
	call_fail(c, "%s: %s", path, strerror(errno));
	output_end(o, c, false);
	return -1;
}

int
output_put(void *arg, struct slice text)
{
	const struct output *o = arg;

	return file_write_all(o->fd, text);
}

int
output_end(struct output *o, const struct call *c, bool keep)
{
	int r = 0;

	if (o->path != NULL && o->fd != -1) {
		if (keep && o->beside != NULL)
			r = fsync(o->fd);
		if (close(o->fd) == -1)
			r = -1;
		if (keep && r == 0 && o->beside != NULL)
			r = rename(o->beside, o->path);
		if (keep && r == -1)
			call_fail(c, "%s: %s", o->path, strerror(errno));
		if (o->beside != NULL && (!keep || r == -1))
			unlink(o->beside);
	}
	free(o->beside);
	o->beside = NULL;
	return r;
}
