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

struct call {
	const struct verb	*verb;		/* NULL before it is known */
	const char		*state;		/* the state folder */
	const char		*lists;		/* the folder of the lists that come with firebreak */
	int			 argc;		/* after call_flags(): the operands */
	char			**argv;
};

enum call_result { CALL_GO, CALL_HELP, CALL_USAGE };

/* Read the flags of C's command line.  FLAGS are N long names; one that ends in '=' takes a value.
 * VALUES[i] gets the value, "" for a flag without one, NULL when it was not given.  --state and --help
 * are understood everywhere.  Before the verb is known the reading ends at the first operand.
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

/* Root goes on as the owner of C's state folder, in which others may have put links: only the real user id still says who it was.
 * Fine for everybody else.  -1 after saying what is wrong. */
int call_become_owner(const struct call *c);

/* What WORK says, an exit status; when root asks, of a process that became the owner of C's state folder: root stays root. */
int call_as_owner(const struct call *c, int (*work)(const struct call *c, void *arg), void *arg);

/* The keys of pseudonyms, NULL when there are none or they are not for who asks: no error is said.  The caller's:
 * pseudonyms_free(). */
struct pseudonyms *call_pseudonyms(const struct call *c);

#endif
