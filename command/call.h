/* call.h - one call of the command: its verb, its state folder, what is left of the command line.
 *
 * getopt_long() is used behind this header (flags.c), because its "struct option" is not that of
 * base/option.h. */
#ifndef COMMAND_CALL_H
#define COMMAND_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/state.h"

struct pseudonyms;
struct verb;

/* Who root goes on as when he calls a verb.  The state folder is another user's, and a link in it is not to be followed as root. */
enum call_root {
	CALL_ROOT_LEAVES,	/* as the folder's owner, as soon as the flags are read */
	CALL_ROOT_LATER,	/* the verb does so itself, with call_become_owner(), when what only root may read is open */
	CALL_ROOT_STAYS,	/* as root: it changes what is root's, or has nothing to do with the folder */
};

struct call {
	const struct verb	*verb;		/* NULL before it is known */
	enum call_root		 root;
	const char		*state;		/* the state folder */
	const char		*lists;		/* the folder of the lists that come with firebreak */
	int			 argc;		/* after call_flags(): the operands */
	char			**argv;
};

enum call_result { CALL_GO, CALL_HELP, CALL_USAGE };

/* Read the flags of C's command line, and leave root where C->root says so; that this cannot be done is wrong usage.
 * FLAGS are N long names; one that ends in '=' takes a value.  VALUES[i] gets the value, "" for a flag without one, NULL when it
 * was not given.  --state and --help are understood everywhere.  Before the verb is known the reading ends at the first operand.
 * CALL_HELP when help was asked for; CALL_USAGE when what is wrong was said. */
enum call_result call_flags(struct call *c, const char *const *flags, size_t n,
    const char **values);

/* Print the help of C's verb when it was asked for; the exit status for a RESULT other than CALL_GO. */
int call_end(const struct call *c, enum call_result result);

/* Print "firebreak VERB: ..." on standard error.  The result is EXIT_TROUBLE. */
int call_fail(const struct call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same with a pointer to the verb's help: wrong usage. */
int call_misused(const struct call *c, const char *why);

/* "STATE/what" into OUT.  -1 after saying what is wrong. */
int call_path(const struct call *c, const char *what, char out[static STATE_PATH]);

/* The state folder is there.  -1 after saying that it is not. */
int call_need_state(const struct call *c);

/* Root goes on as the owner of C's state folder, in which others may have put links: only the real user id still says who it was,
 * and caller.h opens what root named.  Fine for everybody else, and for who did so before.  -1 after saying what is wrong. */
int call_become_owner(const struct call *c);

/* The same as the owner of FOLDER. */
int call_become_owner_of(const struct call *c, const char *folder);

/* What WORK says, an exit status; when root asks, of a process that became the owner of C's state folder: root stays root. */
int call_as_owner(const struct call *c, int (*work)(const struct call *c, void *arg), void *arg);

/* The keys of pseudonyms, NULL when there are none or they are not for who asks: no error is said.  The caller's:
 * pseudonyms_free(). */
struct pseudonyms *call_pseudonyms(const struct call *c);

#endif
