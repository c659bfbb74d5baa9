#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alerts/alert.h"
#include "base/clock.h"
#include "base/file.h"
#include "command/events.h"
#include "command/show.h"
#include "command/verb.h"
#include "events/event.h"

enum { FLAG_JSON, FLAG_EVENTS, FLAGS };
enum { LINE_MAX_BYTES = 1 << 20, NUMBER_MAX = 32 };

/* The text at PATH, empty when there is none; numbers are written into STORE. */
static struct slice
text_at(const json_t *event, const char *path, char store[static NUMBER_MAX])
{
	const json_t *j = event_at(event, path);

	if (json_is_string(j))
		return slice_make(json_string_value(j), json_string_length(j));
	if (!json_is_integer(j))
		return slice_make(NULL, 0);
	snprintf(store, NUMBER_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(j));
	return slice_str(store);
}

/* "label   before value after", when there is a value. */
static void
row(const json_t *event, const char *label, const char *path, const char *after)
{
	char store[NUMBER_MAX];
	struct slice text = text_at(event, path, store);

	if (text.len == 0)
		return;
	printf("%-12s", label);
	show_text(stdout, text);
	printf("%s\n", after);
}

static const char *
action_in_words(struct slice action)
{
	static const char *const words[EVENT_ACTIONS] = {
		[EVENT_BLOCKED] = "refused: the user got the block page",
		[EVENT_KILLED] =
		    "the download was cut before its end: the user has a broken file at most",
		[EVENT_MARKED] = "marked, so that Squid refuses the connection",
		[EVENT_WOULD_BLOCK] =
		    "let through: the rule is below the threshold, or the mode was observe",
		[EVENT_PASSED_UNCHECKED] = "let through without having been checked",
	};

	for (int i = 0; i < EVENT_ACTIONS; i++)
		if (slice_eq(action, slice_str(event_action_name(i))))
			return words[i];
	return "something that this version does not know";
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
	char store[NUMBER_MAX];

	printf("%-12s%s\n", "Incident", shown);
	row(event, "When", "@timestamp", "");
	printf("%-12s%s\n", "What", action_in_words(text_at(event, "event.action", store)));
	row(event, "Why", "message", "");
	row(event, "Reason", "event.reason", "");
	row(event, "Client", "client.ip", "");
	row(event, "User", "user.name", "");
	row(event, "Method", "http.request.method", "");
	row(event, "URL", "url.original", "");
	row(event, "Host", "url.domain", "");
	row(event, "Status", "http.response.status_code", " from the origin");
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

static int
parse_number(const struct call *c, char id[static INCIDENT_LEN + 1])
{
	char *typed = events_typed(c);
	enum incident_error error = incident_parse(slice_str(typed), id);

	free(typed);
	switch (error) {
	case INCIDENT_OK:
		return 0;
	case INCIDENT_LENGTH:
		call_fail(c, "mistyped: an incident number has %d letters and digits, such as"
		    " 1M83-ME10-C4HM-007J", INCIDENT_LEN);
		return -1;
	case INCIDENT_CHARACTER:
		call_fail(c, "mistyped: an incident number has letters and digits only, and no U");
		return -1;
	case INCIDENT_CHECK:
		call_fail(c, "mistyped: the last character does not fit the others; please compare");
		return -1;
	}
	return -1;
}

/* ---- the alert, and who else ---- */

/* The record of alert ID, as import wrote it; NULL when there is none that can be read. */
static struct alert *
alert_record(const struct call *c, struct slice id)
{
	char what[sizeof(STATE_ALERTS) + ALERT_ID_MAX + sizeof("/.json")], path[STATE_PATH];
	struct alert *alert = NULL;
	struct buf text;

	/* What the log says is nobody's path. */
	if (!alert_id_ok(id))
		return NULL;
	snprintf(what, sizeof(what), STATE_ALERTS "/%.*s.json", SLICE_ARGS(id));
	if (state_path(c->state, what, path) == -1)
		return NULL;
	buf_init(&text, ALERT_TEXT_MAX);
	if (file_read(path, &text) == 0)
		alert = alert_from_json(path, buf_slice(&text), NULL);
	buf_fini(&text);
	return alert;
}

static void
print_alert(const struct call *c, const json_t *event)
{
	char store[NUMBER_MAX], date[CLOCK_TEXT];
	struct slice id = text_at(event, "firebreak.alert", store);
	struct alert *alert;

	if (id.len == 0)
		return;
	printf("%-12s", "Alert");
	show_text(stdout, id);
	if ((alert = alert_record(c, id)) != NULL) {
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
	char store[NUMBER_MAX];
	struct event_query q = { .exact = true, .words[EVENT_WORD_RULE] = text_at(event, "rule.id", store) };
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
print_line(const struct call *c, struct eventstore *s, struct slice line, bool json)
{
	char shown[INCIDENT_SHOWN + 1], id[INCIDENT_LEN + 1], store[NUMBER_MAX];
	json_error_t error;
	json_t *event = json_loadb(line.p, line.len, JSON_REJECT_DUPLICATES, &error);
	int status = EXIT_FINE;

	if (!json_is_object(event) || incident_parse(text_at(event, "event.id", store), id) != INCIDENT_OK) {
		json_decref(event);
		return call_fail(c, "the event's line is damaged: %s", error.text);
	}
	if (json)
		return show_json(event, false) == -1 ? EXIT_TROUBLE : EXIT_FINE;
	incident_show(id, shown);
	print_event(event, shown);
	print_alert(c, event);
	if (print_others(s, event) == -1)
		status = EXIT_TROUBLE;
	json_decref(event);
	return status;
}

static int
not_there(const char *path, bool partial)
{
	fputs("firebreak why: there is no such incident in ", stderr);
	show_text(stderr, slice_str(path));
	fputs(partial ? ", as far as it could be read\n" : " and what rotation made of it; another proxy may have it\n", stderr);
	return partial ? EXIT_TROUBLE : EXIT_FOUND;
}

static int
find(const struct call *c, const char *file, const char id[static INCIDENT_LEN + 1], bool json)
{
	bool partial = true;
	struct eventstore *s = events_open(c, file, &partial);
	struct buf line;
	int status, r;

	buf_init(&line, LINE_MAX_BYTES);
	/* Without any index, as on a full disk, the log itself can be asked. */
	r = s != NULL ? events_line(s, id, &line) : event_find(file, id, &line);
	if (r == 0)
		status = print_line(c, s, buf_slice(&line), json);
	else if (r == 1)
		status = not_there(file, partial);
	else
		status = s != NULL ? EXIT_TROUBLE : call_fail(c, "%s: %s", file, strerror(errno));
	eventstore_close(s);
	buf_fini(&line);
	return status;
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "json", "events=" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	char id[INCIDENT_LEN + 1], path[STATE_PATH];

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc == 0)
		return call_misused(c, "which incident? the number is on the block page");
	if (parse_number(c, id) == -1 || call_path(c, STATE_EVENTS, path) == -1)
		return EXIT_TROUBLE;
	if (values[FLAG_EVENTS] != NULL && access(values[FLAG_EVENTS], F_OK) == -1)
		return call_fail(c, "%s: %s", values[FLAG_EVENTS], strerror(errno));
	return find(c, values[FLAG_EVENTS] != NULL ? values[FLAG_EVENTS] : path, id, values[FLAG_JSON] != NULL);
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
