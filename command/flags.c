#include "command/call.h"

#include <sys/stat.h>

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "command/verb.h"

enum { FLAGS_MAX = 24, NAME_MAX_LEN = 32, AT_STATE = FLAGS_MAX, AT_HELP };

/* Our list of names as getopt's; the names without their '=' go to NAMES. */
static void
make_table(const char *const *flags, size_t n, struct option *table, char names[][NAME_MAX_LEN])
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strcspn(flags[i], "=");

		memcpy(names[i], flags[i], len);
		names[i][len] = '\0';
		table[i] = (struct option){ .name = names[i], .val = (int)i,
			.has_arg = flags[i][len] == '=' ? required_argument : no_argument };
	}
	table[n] = (struct option){ "state", required_argument, NULL, AT_STATE };
	table[n + 1] = (struct option){ "help", no_argument, NULL, AT_HELP };
	table[n + 2] = (struct option){ 0 };
}

/* A folder that is not there has no links in it; the verb makes it, or says that it is missing. */
static int
leave_root(const struct call *c)
{
	struct stat st;

	if (c->verb == NULL || c->root != CALL_ROOT_LEAVES || (stat(c->state, &st) == -1 && errno == ENOENT))
		return 0;
	return call_become_owner(c);
}

enum call_result
call_flags(struct call *c, const char *const *flags, size_t n, const char **values)
{
	struct option table[FLAGS_MAX + 3];
	char names[FLAGS_MAX][NAME_MAX_LEN];
	const char *style = c->verb == NULL ? "+:" : ":";
	int at;

	make_table(flags, n, table, names);
	for (size_t i = 0; i < n; i++)
		values[i] = NULL;
	optind = 0;	/* glibc: begin anew */
	opterr = 0;
	while ((at = getopt_long(c->argc, c->argv, style, table, NULL)) != -1) {
		if (at == AT_STATE)
			c->state = optarg;
		else if (at == AT_HELP)
			return CALL_HELP;
		else if (at >= 0 && (size_t)at < n && values[at] != NULL && optarg != NULL) {
			call_fail(c, "--%s is given twice", names[at]);
			return CALL_USAGE;
		} else if (at >= 0 && (size_t)at < n)
			values[at] = optarg != NULL ? optarg : "";
		else {
			call_fail(c, "%s %s; see \"firebreak %s%s--help\"", c->argv[optind - 1],
			    at == ':' ? "needs a value" : "is not understood here", c->verb == NULL ? "" : c->verb->name,
			    c->verb == NULL ? "" : " ");
			return CALL_USAGE;
		}
	}
	c->argc -= optind;
	c->argv += optind;
	return leave_root(c) == -1 ? CALL_USAGE : CALL_GO;
}
