#include "runtime/state.h"

#include <errno.h>
#include <stdio.h>

#include "base/file.h"

enum { MODE_STATE = 0755, MODE_INSIDE = 02775 };	/* what is inside keeps the folder's group */

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
		STATE_SOURCES, STATE_ALERTS, STATE_RULES, STATE_RUNTIME, STATE_LOG,
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
