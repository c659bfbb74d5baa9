#include "runtime/state.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"

enum { MODE_STATE = 0755, MODE_INSIDE = 02775, MODE_LOCK = 0660 };	/* what is inside keeps the folder's group */

int
state_path(const char *state, const char *what, char out[static STATE_PATH])
{
	int n = snprintf(out, STATE_PATH, "%s/%s", state, what);

	if (n < 0 || n >= STATE_PATH) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

int
state_make(const char *state)
{
	static const char *const inside[] = {
		STATE_SOURCES, STATE_ALERTS, STATE_RULES, STATE_RUNTIME, STATE_LOG, STATE_UPDATE, STATE_INCOMING,
	};
	char path[STATE_PATH];

	if (file_mkdirs(state, MODE_STATE) == -1)
		return -1;
	for (size_t i = 0; i < sizeof(inside) / sizeof(*inside); i++)
		if (state_path(state, inside[i], path) == -1 ||
		    file_mkdirs(path, MODE_INSIDE) == -1)
			return -1;
	return 0;
}

int
state_lock(const char *state)
{
	char path[STATE_PATH];
	int fd, saved;

	if (state_path(state, STATE_LOCK, path) == -1 ||
	    (fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, MODE_LOCK)) == -1)
		return -1;
	fchmod(fd, MODE_LOCK);		/* fails for another user's file, which is then as that user wants it */
	if (file_lock(fd) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}
