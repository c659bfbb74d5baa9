#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "command/events.h"
#include "command/show.h"
#include "command/verb.h"

enum { FLAG_REASON, FLAG_EVENTS, FLAGS };

/* "  label      text" for the letter, when there is a text. */
static void
row(const json_t *event, const char *label, const char *path)
{
	char store[EVENT_NUMBER];
	struct slice text = event_text(event, path, store);

	if (text.len == 0)
		return;
	printf("  %-10s ", label);
	show_text(stdout, text);
	putchar('\n');
}

/* Who is written to, and about what. */
static void
print_head(const json_t *event)
{
	char store[EVENT_NUMBER];

	fputs("To: the maintainer of ", stdout);
	show_text(stdout, event_text(event, "rule.ruleset", store));
	fputs("\nSubject: probably a mistake: ", stdout);
	show_text(stdout, event_text(event, "rule.id", store));
	puts("\n\nHello,\n\n"
	    "your list made our proxy act on something that we believe to be harmless.\n\n"
	    "The rule");
	row(event, "rule", "rule.id");
	row(event, "revision", "rule.version");
	row(event, "source", "rule.ruleset");
	row(event, "level", "firebreak.level");
}

static void
print_alert(const struct call *c, const json_t *event)
{
	char store[EVENT_NUMBER], date[CLOCK_TEXT];
	struct slice id = event_text(event, "firebreak.alert", store);
	struct alert *alert = alert_load(c->state, id);

	row(event, "alert", "firebreak.alert");
	if (alert == NULL)
		return;
	if (alert->title != NULL) {
		printf("  %-10s ", "title");
		show_text(stdout, slice_str(alert->title));
		putchar('\n');
	}
	printf("  %-10s %u\n", "version", alert->version);
	if (alert->last_published != 0) {
		clock_format_s(alert->last_published, date);
		printf("  %-10s %s\n", "published", date);
	}
	alert_free(alert);
}

/* What it acted on.  Neither the client nor the user: they are nobody's business out there. */
static void
print_evidence(const json_t *event)
{
	const json_t *steps = event_at(event, "firebreak.steps");

	puts("\nWhat it met");
	row(event, "time", "@timestamp");
	row(event, "done", "event.action");
	row(event, "reason", "event.reason");
	row(event, "url", "url.original");
	row(event, "host", "url.domain");
	row(event, "file", "file.name");
	row(event, "in it", "file.path");
	row(event, "bytes", "file.size");
	row(event, "md5", "file.hash.md5");
	row(event, "sha1", "file.hash.sha1");
	row(event, "sha256", "file.hash.sha256");
	if (json_array_size(steps) > 0)
		puts("\nHow the decision came about");
	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);

		printf("  %zu. ", i + 1);
		show_text(stdout, slice_make(json_string_value(step), json_string_length(step)));
		putchar('\n');
	}
}

static int
print_met(void *arg, const struct event_count *count)
{
	char first[CLOCK_TEXT], last[CLOCK_TEXT];

	(void)arg;
	clock_format_s(count->first_ms / 1000, first);
	clock_format_s(count->last_ms / 1000, last);
	printf("\nSo far the rule has met %" PRIu64 " request%s of %" PRIu64 " client%s here, the first %s, the last %s.\n", count->n,
	    show_s(count->n), count->clients, show_s(count->clients), first, last);
	return 0;
}

static void
print_end(const char *reason, const char *id)
{
	char shown[INCIDENT_SHOWN + 1];

	incident_show(id, shown);
	if (reason != NULL) {
		fputs("\nWhy we believe that it is a mistake: ", stdout);
		show_lines(stdout, slice_str(reason));
		putchar('\n');
	}
	printf("\nPlease look at the rule, and take it back or make it narrower.  If it is right, we would be glad\n"
	    "to know why.  Our number for this is %s.\n", shown);
}

static int
print_letter(const struct call *c, const struct events_found *found, const char *reason)
{
	char store[EVENT_NUMBER];
	struct event_query q = { .exact = true, .words[EVENT_WORD_RULE] = event_text(found->event, "rule.id", store) };
	struct diag diag = { 0 };
	int r = 0;

	if (q.words[EVENT_WORD_RULE].len == 0) {
		call_fail(c, "no rule decided this incident: there is nobody to write to");
		return EXIT_FOUND;
	}
	print_head(found->event);
	print_alert(c, found->event);
	print_evidence(found->event);
	if (found->store != NULL)
		r = eventstore_count(found->store, &q, EVENT_WORD_RULE, print_met, NULL, &diag);
	print_end(reason, found->id);
	diag_print(&diag, stderr);
	diag_fini(&diag);
	return r == -1 ? EXIT_TROUBLE : EXIT_FINE;
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "reason=", "events=" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct events_found found;
	int status;

	if (result != CALL_GO)
		return call_end(c, result);
	if ((status = events_find(c, values[FLAG_EVENTS], &found)) == EXIT_FINE)
		status = print_letter(c, &found, values[FLAG_REASON]);
	events_found_fini(&found);
	return status;
}

const struct verb verb_report_mistake = {
	.name = "report-mistake",
	.run = run,
	.operands = "[--reason TEXT] [--events FILE] INCIDENT",
	.summary = "Write the letter to the source's maintainer about a rule that was wrong.",
	.help =
	    "  --reason TEXT why it is a mistake; it goes into the letter\n"
	    "  --events FILE the event log, with what rotation made of it; else events.jsonl in the\n"
	    "                state folder\n",
};
