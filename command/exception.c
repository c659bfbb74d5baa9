#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/audit.h"
#include "command/edit_live.h"
#include "command/show.h"
#include "command/verb.h"
#include "events/event.h"
#include "ruleset/exception.h"
#include "ruleset/generation.h"
#include "ruleset/source.h"

enum { FLAG_INCIDENT, FLAG_CLIENT, FLAG_USER, FLAG_HOST, FLAG_ANY_CLIENT, FLAG_ANY_HOST, FLAG_FOR, FLAG_REASON, FLAG_EVENTS,
	FLAG_JSON, FLAGS };
enum { TEXT_MAX = 1 << 20, LIFE_DEFAULT_S = 7 * 24 * 3600 };

#define SOURCE	"exceptions"
#define AUDIT	"exceptions.log"

/* What is asked for, and what came of it. */
struct asked {
	const struct call	*call;
	const char *const	*values;
	bool			 json;
	int64_t			 now;
	struct exception	 e;
	char			 host[HOST_MAX + 1];
	json_t			*event;		/* of --incident */
	struct buf		 value;		/* the exception as one text */
	struct buf		 rule;		/* REV:ID of the event */
	char			 label[EDIT_LABEL_MAX];
	struct edit		 edit;
	struct diag		 diag;
};

/* ---- what is to be let through ---- */

/* The text at OUTER.INNER of the event; empty. */
static struct slice
event_text(const json_t *event, const char *outer, const char *inner)
{
	const json_t *j = json_object_get(json_object_get(event, outer), inner);

	return json_is_string(j) ? slice_make(json_string_value(j), json_string_length(j)) : (struct slice){ 0 };
}

static int
load_event(struct asked *a, const char *typed)
{
	const char *given = a->values[FLAG_EVENTS];
	char id[INCIDENT_LEN + 1], path[STATE_PATH];
	struct buf line;
	int found;

	if (incident_parse(slice_str(typed), id) != INCIDENT_OK)
		return call_fail(a->call, "%s is no incident number; it is on the block page", typed);
	if (call_path(a->call, STATE_EVENTS, path) == -1)
		return EXIT_TROUBLE;
	buf_init(&line, TEXT_MAX);
	found = event_find(given != NULL ? given : path, id, &line);
	if (found == 0)
		a->event = json_loadb(line.p, line.len, 0, NULL);
	buf_fini(&line);
	if (found == -1)
		return call_fail(a->call, "%s: %s", given != NULL ? given : path, strerror(errno));
	return a->event != NULL ? EXIT_FINE : call_fail(a->call, "there is no such incident in %s", given != NULL ? given : path);
}

/* The rule and revision that the event names, as "REV:ID". */
static int
take_event_rule(struct asked *a)
{
	struct slice id = event_text(a->event, "rule", "id");
	const json_t *rev = json_object_get(json_object_get(a->event, "rule"), "version");
	char text[32] = "";

	if (json_is_string(rev))
		snprintf(text, sizeof(text), "%s", json_string_value(rev));
	else if (json_is_integer(rev))
		snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(rev));
	if (id.len == 0 || *text == '\0')
		return call_fail(a->call, "no rule decided that incident, so that there is nothing to make an exception from");
	buf_addf(&a->rule, "%s:", text);
	buf_add_slice(&a->rule, id);
	return EXIT_FINE;
}

/* KEY is what FLAG says, or else what the event does, unless ANY is given. */
static int
take_key(struct asked *a, enum exception_key key, int flag, struct slice of_event, bool any)
{
	struct slice value = a->values[flag] != NULL ? slice_str(a->values[flag]) : any ? (struct slice){ 0 } : of_event;
	char why[RULE_WHY];

	/* What is said to be nothing is an error: an empty --host would be any host. */
	if ((value.len == 0 && a->values[flag] == NULL) || exception_take_key(key, value, a->host, &a->e, why) == 0)
		return EXIT_FINE;
	return call_fail(a->call, "--%s %.*s: %s", exception_key_name(key), SLICE_ARGS(slice_head(value, 200)), why);
}

/* Whom it is for: a user who is known rather than an address that others may have tomorrow. */
static int
take_scope(struct asked *a)
{
	struct slice user = event_text(a->event, "user", "name"), client = event_text(a->event, "client", "ip");
	struct slice host = event_text(a->event, "url", "domain");
	bool any_host = a->values[FLAG_ANY_HOST] != NULL, any_client = a->values[FLAG_ANY_CLIENT] != NULL;
	bool said = any_client || a->values[FLAG_CLIENT] != NULL || a->values[FLAG_USER] != NULL;

	if (take_key(a, EXCEPTION_USER, FLAG_USER, user, said) != EXIT_FINE ||
	    take_key(a, EXCEPTION_CLIENT, FLAG_CLIENT, client, said || user.len > 0) != EXIT_FINE ||
	    take_key(a, EXCEPTION_HOST, FLAG_HOST, host, any_host) != EXIT_FINE)
		return EXIT_TROUBLE;
	if (any_client || a->e.has_client || a->e.user.len > 0)
		return EXIT_FINE;
	return call_misused(a->call, "for whom? --client, --user, or --any-client for everybody");
}

static int
read_exception(struct asked *a)
{
	const char *incident = a->values[FLAG_INCIDENT];
	char why[RULE_WHY];
	struct slice rule;

	if (incident != NULL && (load_event(a, incident) != EXIT_FINE || take_event_rule(a) != EXIT_FINE))
		return EXIT_TROUBLE;
	rule = incident != NULL ? buf_slice(&a->rule) : slice_str(a->call->argv[1]);
	if (exception_take_rule(rule, &a->e, why) == -1)
		return call_fail(a->call, "%.*s: %s", SLICE_ARGS(slice_head(rule, 200)), why);
	if (take_scope(a) != EXIT_FINE)
		return EXIT_TROUBLE;
	return exception_format(&a->e, &a->value) == -1 ? call_fail(a->call, "out of memory") : EXIT_FINE;
}

/* ---- the source ---- */

static void
write_audit(struct asked *a, const char *what, struct slice rule)
{
	struct buf line;

	buf_init(&line, TEXT_MAX);
	audit_begin(&line, a->now * 1000);
	buf_addf(&line, " %s ", what);
	buf_add_slice(&line, rule);
	audit_write(a->call, AUDIT, &line, "the exception is changed");
	buf_fini(&line);
}

static void
add_line(struct asked *a, int64_t life)
{
	struct rule rule = { .action = RULE_EXCEPT, .kind = RULE_RULE, .level = RULE_LEVEL_DEFAULT, .published = a->now,
		.expires = a->now + life, .source = SLICE(SOURCE), .value = buf_slice(&a->value),
		.note = slice_str(a->values[FLAG_REASON]) };
	uint32_t rev = 0;

	edit_remove(&a->edit, RULE_EXCEPT, RULE_RULE, rule.value, (struct slice){ 0 }, a->now, &rev);
	edit_label(&a->edit, RULE_EXCEPT, a->now, a->label);
	rule.label = slice_str(a->label);
	rule.rev = rev + 1;
	edit_add(&a->edit, &rule);
}

/* Open the source under the publishers' lock; a descriptor whose closing ends that, or -1 after saying why. */
static int
open_source(struct asked *a)
{
	char sources[STATE_PATH];
	int lock;

	if (call_path(a->call, STATE_SOURCES, sources) == -1)
		return -1;
	if (state_make(a->call->state) == -1 || (lock = state_lock(a->call->state)) == -1) {
		call_fail(a->call, "%s: %s", a->call->state, strerror(errno));
		return -1;
	}
	if (edit_open(&a->edit, sources, SLICE(SOURCE), &a->diag) == 0)
		return lock;
	close(lock);
	return -1;
}

static int
add(struct asked *a)
{
	const char *span = a->values[FLAG_FOR];
	int64_t life = LIFE_DEFAULT_S;
	int lock, status;

	if (a->values[FLAG_REASON] == NULL || *a->values[FLAG_REASON] == '\0')
		return call_misused(a->call, "why? --reason TEXT is for whoever asks later");
	if (span != NULL && (clock_parse_span(slice_str(span), &life) == -1 || life == 0))
		return call_misused(a->call, "--for takes a time such as 12h or 7d");
	if (read_exception(a) != EXIT_FINE || (lock = open_source(a)) == -1)
		return EXIT_TROUBLE;
	add_line(a, life);
	status = edit_live(a->call, &a->edit, a->json, &a->diag);
	close(lock);
	if (status == EXIT_TROUBLE)
		return status;
	write_audit(a, "add", buf_slice(&a->value));
	if (!a->json) {
		printf("exception " SOURCE ":%s: ", a->label);
		show_text(stdout, buf_slice(&a->value));
		putchar('\n');
	}
	return status;
}

static int
remove_one(struct asked *a)
{
	struct slice id = slice_str(a->call->argv[1]);
	uint32_t rev;
	int lock = open_source(a), status;

	if (lock == -1)
		return EXIT_TROUBLE;
	if (edit_remove(&a->edit, RULE_EXCEPT, RULE_RULE, (struct slice){ 0 }, id, a->now, &rev) == 0)
		status = call_fail(a->call, "there is no exception %s; \"firebreak exception list\" has them all", a->call->argv[1]);
	else if ((status = edit_live(a->call, &a->edit, a->json, &a->diag)) != EXIT_TROUBLE)
		write_audit(a, "remove", id);
	close(lock);
	return status;
}

/* ---- showing ---- */

/* A rule that exceptions are from, as it is now. */
struct listing {
	const struct asked	*asked;
	json_t			*all;		/* NULL: text */
	struct generation	*g;
	size_t			 n;
};

struct rule_now {
	struct slice	id;
	uint32_t	rev;		/* 0: it is gone */
};

static int
compare_id(void *arg, const struct rule *rule, unsigned layer, uint32_t ref)
{
	struct rule_now *now = arg;
	struct buf id;

	(void)layer;
	(void)ref;
	buf_init(&id, TEXT_MAX);
	if (rule->action == RULE_BLOCK && rule_id_format(rule, &id) == 0 && slice_eq(buf_slice(&id), now->id))
		now->rev = rule->rev;
	buf_fini(&id);
	return now->rev != 0;
}

/* Whether E still does something: it ends, and lapses with the revision. */
static const char *
state_of(const struct listing *l, const struct exception *e, int64_t expires)
{
	struct rule_now now = { .id = e->id };
	bool damaged = false;

	if (expires <= l->asked->now)
		return "expired";
	generation_each(l->g, compare_id, &now, &damaged);
	if (now.rev == 0)
		return "the rule is gone";
	return e->rev != 0 && e->rev != now.rev ? "lapsed: the rule has another revision" : "holds";
}

static void
show_one(struct listing *l, const struct rule *rule, const char *state)
{
	char until[CLOCK_TEXT], since[CLOCK_TEXT] = "";
	json_t *j;

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
visit(void *arg, const struct rule *rule, unsigned layer, uint32_t ref)
{
	struct listing *l = arg;
	char why[RULE_WHY], host[HOST_MAX + 1];
	struct source_line line;
	struct exception e;

	(void)layer;
	(void)ref;
	if (rule->action != RULE_EXCEPT)
		return 0;
	source_line_init(&line);
	if (exception_parse(rule->key.path, &line, host, &e, why) == 0)
		show_one(l, rule, state_of(l, &e, rule->expires));
	source_line_fini(&line);
	l->n++;
	return 0;
}

static int
list(struct asked *a)
{
	struct listing l = { .asked = a, .all = a->json ? json_array() : NULL, .g = call_generation(a->call, false, &a->diag) };
	bool damaged = false;
	int status = EXIT_TROUBLE;

	if (l.g != NULL) {
		generation_each(l.g, visit, &l, &damaged);
		status = damaged ? EXIT_TROUBLE : EXIT_FINE;
		if (l.all == NULL && l.n == 0)
			puts("no exceptions");
	}
	if (l.all != NULL && l.g != NULL && show_json(l.all, true) == -1)
		status = EXIT_TROUBLE;
	generation_close(l.g);
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
	buf_init(&a.value, TEXT_MAX);
	buf_init(&a.rule, TEXT_MAX);
	status = perform(&a);
	diag_print(&a.diag, stderr);
	edit_fini(&a.edit);
	json_decref(a.event);
	buf_fini(&a.value);
	buf_fini(&a.rule);
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
	    "  remove ID       take one back, such as " SOURCE ":e20261127-090000\n"
	    "  --incident NUMBER   the number on the block page\n"
	    "  --reason TEXT   why: whoever asks later reads it\n"
	    "  --for TIME      until 12h, 7d ... from now; else 7d\n"
	    "  --client ADDRESS[/BITS], --user NAME   for these, whatever the incident says\n"
	    "  --any-client    for everybody\n"
	    "  --host HOST     for that host alone; --any-host for any\n"
	    "  --events FILE   the event log; else events.jsonl in the state folder\n"
	    "  --json          print objects\n",
};
