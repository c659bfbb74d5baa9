#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/slice.h"
#include "command/verb.h"
#include "ruleset/lint.h"

static const struct verb *const verbs[] = {
	&verb_setup, &verb_undo, &verb_doctor, &verb_selftest,
	&verb_block, &verb_unblock, &verb_allow, &verb_import, &verb_alerts, &verb_update, &verb_publish, &verb_rollback, &verb_pull,
	&verb_key,
	&verb_rules, &verb_export, &verb_held, &verb_approve, &verb_deny, &verb_rehearse, &verb_hunt, &verb_status, &verb_mode,
	&verb_kills, &verb_exception, &verb_lookalike,
	&verb_check, &verb_url, &verb_page, &verb_why,
	&verb_events, &verb_ship, &verb_reveal, &verb_pseudonyms, &verb_retain, &verb_lead, &verb_targets,
	&verb_report_mistake, &verb_metrics,
#ifdef HAVE_CONSOLE
	&verb_console,
#endif
};

enum { N_VERBS = sizeof(verbs) / sizeof(verbs[0]) };

/* Verbs as which root does not simply go on as the owner of the state folder. */
static const struct {
	const struct verb	*verb;
	enum call_root		 root;
} roots[] = {
	{ &verb_setup, CALL_ROOT_STAYS }, { &verb_undo, CALL_ROOT_STAYS },	/* /etc is root's, and so is STATE/setup */
	{ &verb_key, CALL_ROOT_STAYS }, { &verb_url, CALL_ROOT_STAYS },		/* they know no state folder */
	{ &verb_doctor, CALL_ROOT_LATER }, { &verb_selftest, CALL_ROOT_LATER },	/* squid.conf first */
	{ &verb_import, CALL_ROOT_LATER }, { &verb_export, CALL_ROOT_LATER },	/* the alert, the output */
	{ &verb_ship, CALL_ROOT_LATER },					/* keys for TLS */
#ifdef HAVE_CONSOLE
	{ &verb_console, CALL_ROOT_LATER },					/* the same, and the port */
#endif
};

static enum call_root
root_of(const struct verb *verb)
{
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (roots[i].verb == verb)
			return roots[i].root;
	return CALL_ROOT_LEAVES;
}

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
	c->root = root_of(c->verb);
	return c->verb->run(c);
}

/* The folder of the lists: what the environment says, the one beside a program that was built and not installed, or where they are
 * installed.  Whoever may write beside the program may write the program. */
static const char *
find_lists(char beside[static STATE_PATH])
{
	static const char folder[] = "etc", list[] = "etc/" LINT_TOP_SITES;
	const char *named = getenv("FIREBREAK_LISTS");
	ssize_t n;

	if (named != NULL && *named != '\0')
		return named;
	n = readlink("/proc/self/exe", beside, STATE_PATH - sizeof(list));
	while (n > 0 && beside[n - 1] != '/')
		n--;
	if (n <= 0)
		return LINT_FOLDER;
	memcpy(beside + n, list, sizeof(list));
	if (access(beside, R_OK) == -1)
		return LINT_FOLDER;
	memcpy(beside + n, folder, sizeof(folder));
	return beside;
}

int
main(int argc, char **argv)
{
	const char *state = getenv("FIREBREAK_STATE");
	char beside[STATE_PATH];
	struct call c = { .state = STATE_DEFAULT, .lists = find_lists(beside), .argc = argc, .argv = argv };
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
