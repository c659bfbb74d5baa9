/* private_folder.h - STATE/private: what only the service and root may read, the keys of pseudonyms and who asked to see a name.
 *
 * The folder is 0700, its files 0600; both belong to root, to the owner of the state folder, or to who asks.  Whoever may merely
 * write the state folder can take them away, but cannot put others in their place that anybody believes. */
#ifndef RUNTIME_PRIVATE_FOLDER_H
#define RUNTIME_PRIVATE_FOLDER_H

#include <stdbool.h>

#include "base/slice.h"

#define STATE_PRIVATE	"private"

/* STATE/private, open; made when MAKE says so and it is missing.  -1 with errno: ENOENT, EACCES, and EPERM when it is not as it has
 * to be. */
int private_open(const char *state, bool make);

/* NAME in the folder DIR, which private_open() gave, open for reading.  -1 with errno as above. */
int private_file(int dir, const char *name);

/* Replace NAME in DIR by DATA; who does it has locked DIR (flock).  -1 with errno. */
int private_write(int dir, const char *name, struct slice data);

#endif
