#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alerts/alert.h"
#include "base/clock.h"
#include "command/events.h"
#include "command/show.h"
#include "command/verb.h"
#include "events/event.h"

enum { FLAG_JSON, FLAG_EVENTS, FLAGS };

/* "label   before value after", when there is a value. */
static void
row(const json_t *event, const char *label, const char *path, const char *after)
{
	char store[EVENT_NUMBER];
	struct slice text = event_text(event, path, store);

	if (text.len == 0)
		return;
	printf("%-12s", label);
	show_text(stdout, text);
	printf("%s\n", after);
}

/* Where the file was, when the body was not it. */
static void
print_place(const json_t *event)
{
	char store[EVENT_NUMBER];
	struct slice found = event_text(event, "firebreak.found", store);

	if (slice_eq(found, slice_str("decoded")))
		printf("%-12sbehind the content coding\n", "Found");
	else if (slice_eq(found, slice_str("member")))
		printf("%-12sin an archive, or as a part of a form\n", "Found");
	row(event, "Found as", "file.path", "");
}

static void
print_steps(const json_t *event)
{
	const json_t *steps = event_at(event, "firebreak.steps");
	size_t n = json_array_size(steps);

	if (json_is_string(steps)) {
		puts("Steps");
		show_lines(stdout, slice_make(json_string_value(steps), json_string_length(steps)));
		putchar('\n');
	}
	for (size_t i = 0; i < n; i++) {
		const json_t *step = json_array_get(steps, i);

		printf("%-12s%zu. ", i == 0 ? "Steps" : "", i + 1);
		show_text(stdout, slice_make(json_string_value(step), json_string_length(step)));
		putchar('\n');
	}
}

static void
print_event(const json_t *event, const char *shown)
{
	char store[EVENT_NUMBER], provider[EVENT_NUMBER];

	printf("%-12s%s\n", "Incident", shown);
	row(event, "When", "@timestamp", "");
	printf("%-12s%s\n", "What", event_action_words(event_text(event, "event.action", store),
	    slice_eq(event_text(event, "event.provider", provider), slice_str("reqmod"))));
	row(event, "Why", "message", "");
	row(event, "Reason", "event.reason", "");
	row(event, "Client", "client.ip", "");
	row(event, "User", "user.name", "");
	row(event, "Method", "http.request.method", "");
	row(event, "URL", "url.original", "");
	row(event, "Host", "url.domain", "");
	row(event, "Status", "http.response.status_code", " from the origin");
	print_place(event);
	row(event, "File", "file.name", "");
	row(event, "Size", "file.size", " bytes");
	row(event, "Delivered", "firebreak.delivered", " bytes before it was stopped");
	row(event, "MD5", "file.hash.md5", "");
	row(event, "SHA-1", "file.hash.sha1", "");
	row(event, "SHA-256", "file.hash.sha256", "");
	row(event, "Rule", "rule.id", "");
	row(event, "Revision", "rule.version", "");
	row(event, "Source", "rule.ruleset", "");
	row(event, "Level", "firebreak.level", "");
	row(event, "Mode", "firebreak.mode", ": nothing was refused at that time");
	row(event, "Seen by", "event.provider", "");
	row(event, "Generation", "firebreak.generation", "");
	row(event, "Worker", "firebreak.worker", "");
	print_steps(event);
}

/* ---- the alert, and who else ---- */

static void
print_alert(const struct call *c, const json_t *event)
{
	char store[EVENT_NUMBER], date[CLOCK_TEXT];
	struct slice id = event_text(event, "firebreak.alert", store);
	struct alert *alert;

	if (id.len == 0)
		return;
	printf("%-12s", "Alert");
	show_text(stdout, id);
	if ((alert = alert_load(c->state, id)) != NULL) {
		if (alert->title != NULL) {
			fputs(", \"", stdout);
			show_text(stdout, slice_str(alert->title));
			putchar('"');
		}
		printf(", version %u", alert->version);
		if (alert->last_published != 0) {
			clock_format_s(alert->last_published, date);
			printf(", published %.*s", (int)strcspn(date, "T"), date);
		}
		fputs("; \"firebreak alerts show\" has it", stdout);
	}
	putchar('\n');
	alert_free(alert);
}

static int
print_met(void *arg, const struct event_count *count)
{
	char first[CLOCK_TEXT], last[CLOCK_TEXT];

	(void)arg;
	clock_format_s(count->first_ms / 1000, first);
	clock_format_s(count->last_ms / 1000, last);
	if (count->n == 1)
		printf("%-12snobody else has met this rule\n", "Others");
	else
		printf("%-12s%" PRIu64 " events of this rule, from %" PRIu64 " client%s, the first %s, the last %s\n", "Others", count->n,
		    count->clients, show_s(count->clients), first, last);
	return 0;
}

/* Who else met the rule of EVENT.  0, or -1 after saying what is wrong. */
static int
print_others(struct eventstore *s, const json_t *event)
{
	char store[EVENT_NUMBER];
	struct event_query q = { .exact = true, .words[EVENT_WORD_RULE] = event_text(event, "rule.id", store) };
	struct diag diag = { 0 };
	int r = 0;

	if (s != NULL && q.words[EVENT_WORD_RULE].len > 0)
		r = eventstore_count(s, &q, EVENT_WORD_RULE, print_met, NULL, &diag);
	diag_print(&diag, stderr);
	diag_fini(&diag);
	return r;
}

/* ---- in order ---- */

static int
print_found(const struct call *c, struct events_found *found, const char *file)
{
	char shown[INCIDENT_SHOWN + 1];
	struct caller was;
	int r;

	incident_show(found->id, shown);
	print_event(found->event, shown);
	print_alert(c, found->event);
	events_caller_begin(&was, file);
	r = print_others(found->store, found->event);
	caller_end(&was);
	return r == -1 ? EXIT_TROUBLE : EXIT_FINE;
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "json", "events=" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct events_found found;
	int status;

	if (result != CALL_GO)
		return call_end(c, result);
	if ((status = events_find(c, values[FLAG_EVENTS], &found)) == EXIT_FINE)
		status = values[FLAG_JSON] == NULL ? print_found(c, &found, values[FLAG_EVENTS]) :
		    show_json(json_incref(found.event), false) == -1 ? EXIT_TROUBLE : EXIT_FINE;
	events_found_fini(&found);
	return status;
}

const struct verb verb_why = {
	.name = "why",
	.run = run,
	.operands = "[--json] [--events FILE] INCIDENT",
	.summary = "Tell what happened, and why, from the number on the block page.",
	.help =
	    "  --json        the event as it was logged\n"
	    "  --events FILE the event log, with what rotation made of it; else events.jsonl in the\n"
	    "                state folder\n",
};
