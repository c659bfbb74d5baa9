/* users.h - who may log in to the console, and what they may do there.
 *
 *	ann:decide:$y$j9T$...
 *
 * A line a user: name, role, hash by crypt(3); empty lines and those that begin with # count for nothing.  The file is its owner's
 * alone (0600): one that others may read or write is refused. */
#ifndef CONSOLE_USERS_H
#define CONSOLE_USERS_H

#include "base/diag.h"

enum { USER_NAME_MAX = 64, USER_HASH_MAX = 255, USERS_MAX = 256, PASSWORD_MIN = 10, PASSWORD_MAX = 256 };

enum role { ROLE_READ, ROLE_DECIDE, ROLES };
const char *role_name(enum role role);		/* "read", "decide" */
int role_parse(struct slice text, enum role *role);

struct user {
	char		name[USER_NAME_MAX + 1];
	enum role	role;
	char		hash[USER_HASH_MAX + 1];
};

/* The same name, role and hash. */
bool user_eq(const struct user *a, const struct user *b);

/* A name has letters, digits, '.', '_', '-' and '@', and begins with a letter or digit: it is shown and logged as it is. */
bool user_name_ok(struct slice name);

struct users {
	struct user	v[USERS_MAX];
	size_t		n;
};

/* Read PATH.  NULL with errors in DIAG: not there, not its owner's alone, a line that is none, a name twice, a hash that is neither
 * yescrypt ($y$), bcrypt ($2b$) nor SHA-512 ($6$).  The caller's: users_free(). */
struct users *users_load(const char *path, struct diag *diag);
void users_free(struct users *u);

/* NULL when there is none of that name. */
const struct user *users_find(const struct users *u, struct slice name);

/* PASSWORD is that of NAME in U: the user, or NULL.  For a name that is not there a hash is made all the same, so that time does
 * not tell.  As slow as the hash. */
const struct user *users_check(const struct users *u, struct slice name, struct slice password);

/* Give NAME this role and password in the file at PATH, which is made when it is missing.  -1 with an error in DIAG. */
int users_put(const char *path, struct slice name, enum role role, struct slice password, struct diag *diag);

#endif
