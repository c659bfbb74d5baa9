/* pseudonym_keys.h - the file with the keys of pseudonyms, STATE/private/pseudonym.keys, and the folder that it is in.
 *
 * The folder is 0700, the file 0600; both belong to root, to the owner of the state folder, or to who asks.  Whoever may merely
 * write the state folder can take them away, but cannot put others in their place that anybody believes.  Anything else is
 * refused, with what to do.  A key never goes into a message. */
#ifndef RUNTIME_PSEUDONYM_KEYS_H
#define RUNTIME_PSEUDONYM_KEYS_H

#include <sys/stat.h>

#include "runtime/pseudonym.h"

#define STATE_PRIVATE	"private"
#define STATE_KEYS	"private/pseudonym.keys"

/* STATE/private, open; made when MAKE says so and it is missing.  -1 with errno: ENOENT, EACCES, and EPERM when it is not as it has
 * to be. */
int private_open(const char *state, bool make);

/* NAME in the folder DIR, which private_open() gave, open for reading.  -1 with errno as above. */
int private_file(int dir, const char *name);

/* Replace NAME in DIR by DATA; who does it has locked DIR (flock).  -1 with errno. */
int private_write(int dir, const char *name, struct slice data);

/* The keys of STATE.  NULL: with an error in DIAG; *ABSENT says that there are none, which is then the error. */
struct pseudonyms *pseudonym_keys_load(const char *state, bool *absent, struct diag *diag);

/* The same, and the first key is made at NOW (seconds) where there is none: *MADE. */
struct pseudonyms *pseudonym_keys_need(const char *state, int64_t now, bool *made, struct diag *diag);

/* Add a new key, by which tokens are made from now on.  -1 with an error in DIAG. */
int pseudonym_keys_add(const char *state, int64_t now, struct diag *diag);

/* What the file is now, so that a change is seen; false when it cannot be seen. */
bool pseudonym_keys_stat(const char *state, struct stat *st);

#endif
