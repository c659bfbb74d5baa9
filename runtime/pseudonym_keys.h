/* pseudonym_keys.h - the file with the keys of pseudonyms, STATE/private/pseudonym.keys.
 *
 * What is not as private_folder.h wants it is refused, with what to do.  A key never goes into a message. */
#ifndef RUNTIME_PSEUDONYM_KEYS_H
#define RUNTIME_PSEUDONYM_KEYS_H

#include <sys/stat.h>

#include "runtime/pseudonym.h"

#define STATE_KEYS	"private/pseudonym.keys"

/* The keys of STATE.  NULL: with an error in DIAG; *ABSENT says that there are none, which is then the error. */
struct pseudonyms *pseudonym_keys_load(const char *state, bool *absent, struct diag *diag);

/* The same, and the first key is made at NOW (seconds) where there is none: *MADE. */
struct pseudonyms *pseudonym_keys_need(const char *state, int64_t now, bool *made, struct diag *diag);

/* Add a new key, by which tokens are made from now on.  -1 with an error in DIAG. */
int pseudonym_keys_add(const char *state, int64_t now, struct diag *diag);

/* What the file is now, so that a change is seen; false when it cannot be seen. */
bool pseudonym_keys_stat(const char *state, struct stat *st);

#endif
