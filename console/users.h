/* users.h - who may log in to the console, and what they may do there.
 *
 *	ann:decide,reveal:$y$j9T$...
 *
 * A line a user: name, roles, hash by crypt(3); empty lines and those that begin with # count for nothing.  The file is its owner's
 * alone (0600): one that others may read or write is refused. */
#ifndef CONSOLE_USERS_H
#define CONSOLE_USERS_H

#include "base/buf.h"
#include "base/diag.h"

enum { USER_NAME_MAX = 64, USER_HASH_MAX = 255, USERS_MAX = 256, PASSWORD_MIN = 10, PASSWORD_MAX = 256 };

enum role {
	ROLE_READ,		/* whoever is logged in */
	ROLE_DECIDE,		/* makes exceptions */
	ROLE_REVEAL,		/* may learn whom a pseudonym stands for */
	ROLES
};

/* Roles are a set, of which everybody has ROLE_READ: "read", or "decide", "reveal", "decide,reveal".  -1: TEXT is none. */
#define ROLE_BIT(role)	(1u << (role))
int roles_parse(struct slice text, unsigned *roles);

/* ROLES as roles_parse() reads them, into OUT. */
enum { ROLES_TEXT = 32 };
const char *roles_format(unsigned roles, char out[static ROLES_TEXT]);

struct user {
	char		name[USER_NAME_MAX + 1];
	unsigned	roles;
	char		hash[USER_HASH_MAX + 1];	/* empty: a server that is trusted says who he is */
};

/* The same name, roles and hash. */
bool user_eq(const struct user *a, const struct user *b);

/* A name has letters, digits, '.', '_', '-' and '@', and begins with a letter or digit: it is shown and logged as it is. */
bool user_name_ok(struct slice name);

struct users {
	struct user	v[USERS_MAX];
	size_t		n;
};

/* Append the file at PATH, up to OUT's maximum, if it is its owner's alone.  -1 with errno, which private_file_error() tells: EPERM
 * when others may read or write it. */
int private_file_read(const char *path, struct buf *out);
const char *private_file_error(int error);

/* Read PATH.  NULL with errors in DIAG: not there, not its owner's alone, a line that is none, a name twice, a hash that is neither
 * yescrypt ($y$), bcrypt ($2b$) nor SHA-512 ($6$).  The caller's: users_free(). */
struct users *users_load(const char *path, struct diag *diag);
void users_free(struct users *u);

/* NULL when there is none of that name. */
const struct user *users_find(const struct users *u, struct slice name);

/* PASSWORD is that of NAME in U: the user, or NULL.  For a name that is not there a hash is made all the same, so that time does
 * not tell.  As slow as the hash. */
const struct user *users_check(const struct users *u, struct slice name, struct slice password);

/* Give NAME these roles and password in the file at PATH, which is made when it is missing.  -1 with an error in DIAG. */
int users_put(const char *path, struct slice name, unsigned roles, struct slice password, struct diag *diag);

#endif
