#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/events.h"
#include "command/except.h"
#include "command/show.h"
#include "command/verb.h"
#include "ruleset/exception_list.h"
#include "ruleset/overview.h"

enum { FLAG_INCIDENT, FLAG_CLIENT, FLAG_USER, FLAG_HOST, FLAG_ANY_CLIENT, FLAG_ANY_HOST, FLAG_FOR, FLAG_REASON, FLAG_EVENTS,
	FLAG_JSON, FLAGS };
enum { TEXT_MAX = 1 << 20 };

/* What is asked for, and what came of it. */
struct asked {
	const struct call	*call;
	const char *const	*values;
	bool			 json;
	int64_t			 now;
	struct events_found	 found;		/* by --incident */
	struct diag		 diag;
};

/* ---- changing ---- */

static int
make(struct asked *a, const struct except_wish *w)
{
	struct except_made made;
	int status = except_add(a->call, w, &made);

	diag_print(&made.diag, stderr);
	if (status != EXIT_TROUBLE && !a->json) {
		printf("exception " EXCEPT_SOURCE ":%s: ", made.label);
		show_text(stdout, buf_slice(&made.value));
		putchar('\n');
	}
	except_made_fini(&made);
	return status;
}

static int
add(struct asked *a)
{
	const char *const *v = a->values;
	struct except_wish w = { .client = slice_str(v[FLAG_CLIENT]), .user = slice_str(v[FLAG_USER]), .host = slice_str(v[FLAG_HOST]),
		.any_client = v[FLAG_ANY_CLIENT] != NULL, .any_host = v[FLAG_ANY_HOST] != NULL, .life_s = EXCEPT_LIFE_DEFAULT_S,
		.reason = slice_str(v[FLAG_REASON]), .show = a->json ? EDIT_JSON : EDIT_TEXT };

	if (w.reason.len == 0)
		return call_misused(a->call, "why? --reason TEXT is for whoever asks later");
	if (v[FLAG_FOR] != NULL && (clock_parse_span(slice_str(v[FLAG_FOR]), &w.life_s) == -1 || w.life_s == 0))
		return call_misused(a->call, "--for takes a time such as 12h or 7d");
	if (v[FLAG_INCIDENT] == NULL)
		w.rule = slice_str(a->call->argv[1]);
	else if (events_find_typed(a->call, v[FLAG_INCIDENT], v[FLAG_EVENTS], &a->found) != EXIT_FINE)
		return EXIT_TROUBLE;
	w.event = a->found.event;
	return make(a, &w);
}

static int
remove_one(struct asked *a)
{
	struct slice id = slice_str(a->call->argv[1]);
	struct edit edit = { 0 };
	uint32_t rev;
	int lock = except_open_source(a->call, &edit, &a->diag), status = EXIT_TROUBLE;

	if (lock != -1) {
		if (edit_remove(&edit, RULE_EXCEPT, RULE_RULE, (struct slice){ 0 }, id, a->now, &rev) == 0)
			status = call_fail(a->call, "there is no exception %s; \"firebreak exception list\" has them all", a->call->argv[1]);
		else if ((status = edit_live(a->call, &edit, a->json ? EDIT_JSON : EDIT_TEXT, &a->diag)) != EXIT_TROUBLE)
			except_audit(a->call, a->now, NULL, "remove", id);
		close(lock);
	}
	edit_fini(&edit);
	return status;
}

/* ---- showing ---- */

struct listing {
	json_t	*all;		/* NULL: text */
	size_t	 n;
};

static void
show_one(void *arg, const struct rule *rule, enum exception_state now)
{
	const char *state = exception_state_text(now);
	struct listing *l = arg;
	char until[CLOCK_TEXT], since[CLOCK_TEXT] = "";
	json_t *j;

	l->n++;
	clock_format_s(rule->expires, until);
	if (rule->published != 0)
		clock_format_s(rule->published, since);
	if (l->all != NULL) {
		j = show_json_rule(rule);
		json_object_set_new(j, "state", json_string(state));
		json_array_append_new(l->all, j);
		return;
	}
	show_rule_text(stdout, rule_id_format, rule);
	printf("  %s\n  from   ", state);
	show_rule_text(stdout, rule_value_format, rule);
	printf("\n  until  %s%s%s\n  why    ", until, *since != '\0' ? ", made " : "", since);
	show_text(stdout, rule->note);
	putchar('\n');
}

static int
list(struct asked *a)
{
	struct generation *g = overview_generation(a->call->state, false, &a->diag);
	struct listing l = { .all = a->json ? json_array() : NULL };
	bool damaged = false;
	int status = EXIT_TROUBLE;

	if (g != NULL) {
		status = exception_list(g, a->now, show_one, &l, &damaged) == -1 || damaged ? EXIT_TROUBLE : EXIT_FINE;
		if (l.all == NULL && l.n == 0)
			puts("no exceptions");
	}
	if (l.all != NULL && g != NULL && show_json(l.all, true) == -1)
		status = EXIT_TROUBLE;
	generation_close(g);
	return status;
}

/* ---- the command line ---- */

static int
perform(struct asked *a)
{
	const struct call *c = a->call;
	const char *what = c->argc > 0 ? c->argv[0] : "";

	if (strcmp(what, "list") == 0 && c->argc == 1)
		return call_need_state(c) == -1 ? EXIT_TROUBLE : list(a);
	if (strcmp(what, "remove") == 0 && c->argc == 2)
		return remove_one(a);
	if (strcmp(what, "add") == 0 && c->argc == (a->values[FLAG_INCIDENT] != NULL ? 1 : 2))
		return add(a);
	return call_misused(c, "add --incident NUMBER, add REVISION:RULE, list, or remove ID");
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "incident=", "client=", "user=", "host=", "any-client", "any-host", "for=", "reason=",
		"events=", "json" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct asked a = { .call = c, .values = values, .now = clock_ms() / 1000 };
	int status;

	if (result != CALL_GO)
		return call_end(c, result);
	a.json = values[FLAG_JSON] != NULL;
	status = perform(&a);
	diag_print(&a.diag, stderr);
	events_found_fini(&a.found);
	diag_fini(&a.diag);
	return status;
}

const struct verb verb_exception = {
	.name = "exception",
	.run = run,
	.operands = "add --incident NUMBER --reason TEXT [--for TIME] | add REVISION:RULE ... | list [--json] | remove ID",
	.summary = "Let somebody through one rule for a time, as it is now.",
	.help =
	    "  add             from the rule that decided an incident, for its user or else its client, and its host;\n"
	    "                  or from RULE at that REVISION (* is any)\n"
	    "  list            all of them, and whether they still hold\n"
	    "  remove ID       take one back, such as " EXCEPT_SOURCE ":e20261127-090000\n"
	    "  --incident NUMBER   the number on the block page\n"
	    "  --reason TEXT   why: whoever asks later reads it\n"
	    "  --for TIME      until 12h, 7d ... from now; else 7d\n"
	    "  --client ADDRESS[/BITS], --user NAME   for these, whatever the incident says\n"
	    "  --any-client    for everybody\n"
	    "  --host HOST     for that host alone; --any-host for any\n"
	    "  --events FILE   the event log, with what rotation made of it; else events.jsonl in the\n"
	    "                  state folder\n"
	    "  --json          print objects\n",
};
