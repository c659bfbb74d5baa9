#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/slice.h"
#include "command/verb.h"

static const struct verb *const verbs[] = {
	&verb_block, &verb_unblock, &verb_allow, &verb_import, &verb_alerts, &verb_publish, &verb_rollback, &verb_rules, &verb_held,
	&verb_approve, &verb_deny, &verb_status, &verb_mode, &verb_kills, &verb_exception, &verb_lookalike,
	&verb_check, &verb_url, &verb_why,
	&verb_events, &verb_targets, &verb_report_mistake, &verb_metrics,
#ifdef HAVE_CONSOLE
	&verb_console,
#endif
};

enum { N_VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static int
print_help(void)
{
	puts("usage: firebreak [--state DIR] VERB ...\n"
	    "Stop an outbreak at the proxy: alerts become rules, rules become live.\n");
	for (size_t i = 0; i < N_VERBS; i++)
		printf("  %-14s %s\n", verbs[i]->name, verbs[i]->summary);
	puts("\n"
	    "  --state DIR   the state folder; else $FIREBREAK_STATE, else " STATE_DEFAULT "\n"
	    "  --help        this, or the help of a verb: firebreak VERB --help\n"
	    "  --version     the version\n\n"
	    "Exit status: 0 fine or passes, 1 something is blocked, found or partly unusable,\n"
	    "2 wrong usage or failure.");
	return EXIT_FINE;
}

static const struct verb *
find_verb(const char *name)
{
	for (size_t i = 0; i < N_VERBS; i++)
		if (strcmp(verbs[i]->name, name) == 0)
			return verbs[i];
	return NULL;
}

static int
run(struct call *c)
{
	static const char *const flags[] = { "version" };
	const char *version;
	enum call_result result = call_flags(c, flags, 1, &version);

	if (result == CALL_HELP)
		return print_help();
	if (result == CALL_USAGE)
		return EXIT_TROUBLE;
	if (version != NULL)
		return printf("firebreak %s\n", PACKAGE_VERSION) < 0 ? EXIT_TROUBLE : EXIT_FINE;
	if (c->argc == 0)
		return call_fail(c, "which verb? see \"firebreak --help\"");
	if ((c->verb = find_verb(c->argv[0])) == NULL)
		return call_fail(c, "%s is no verb; see \"firebreak --help\"", c->argv[0]);
	return c->verb->run(c);
}

int
main(int argc, char **argv)
{
	const char *state = getenv("FIREBREAK_STATE");
	struct call c = { .state = STATE_DEFAULT, .argc = argc, .argv = argv };
	int status;

	if (state != NULL && *state != '\0')
		c.state = state;
	status = run(&c);
	if (fflush(stdout) == EOF || ferror(stdout)) {
		perror("firebreak: standard output");
		return EXIT_TROUBLE;
	}
	return status;
}
