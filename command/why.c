#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/show.h"
#include "command/verb.h"
#include "events/event.h"

enum { FLAG_JSON, FLAG_EVENTS, FLAGS };
enum { LINE_MAX_BYTES = 1 << 20, TYPED_MAX = 1024, PATH_PART = 64, NUMBER_MAX = 32 };

/* The value at the dotted PATH in EVENT.  NULL when it is not there. */
static const json_t *
at_path(const json_t *event, const char *path)
{
	char key[PATH_PART];

	while (event != NULL && *path != '\0') {
		size_t len = strcspn(path, ".");

		if (len >= sizeof(key))
			return NULL;
		memcpy(key, path, len);
		key[len] = '\0';
		event = json_object_get(event, key);
		path += len + (path[len] == '.');
	}
	return event;
}

/* The text at PATH, empty when there is none; numbers are written into STORE. */
static struct slice
text_at(const json_t *event, const char *path, char store[static NUMBER_MAX])
{
	const json_t *j = at_path(event, path);

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
action_in_words(struct slice action, bool upload)
{
	static const char *const words[EVENT_ACTIONS] = {
		[EVENT_BLOCKED] = "refused: the user got the block page",
		[EVENT_KILLED] =
		    "the download was cut before its end: the user has a broken file at most",
		[EVENT_MARKED] = "marked, so that Squid refuses the connection",
		[EVENT_WOULD_BLOCK] =
		    "let through: the rule is below the threshold, or the mode was observe",
		[EVENT_PASSED_UNCHECKED] = "let through without having been checked",
		[EVENT_WARNED] = "the user was warned, and may go on",
		[EVENT_CONTINUED] = "the user was warned, and went on",
	};

	if (upload && slice_eq(action, slice_str(event_action_name(EVENT_KILLED))))
		return "the upload was cut before its end: the server has a broken file at most, the user an error of Squid's";
	for (int i = 0; i < EVENT_ACTIONS; i++)
		if (slice_eq(action, slice_str(event_action_name(i))))
			return words[i];
	return "something that this version does not know";
}

/* Where the file was, when the body was not it. */
static void
print_found(const json_t *event)
{
	char store[NUMBER_MAX];
	struct slice found = text_at(event, "firebreak.found", store);

	if (slice_eq(found, slice_str("decoded")))
		printf("%-12sbehind the content coding\n", "Found");
	else if (slice_eq(found, slice_str("member")))
		printf("%-12sin an archive, or as a part of a form\n", "Found");
	row(event, "Found as", "file.path", "");
}

static void
print_steps(const json_t *event)
{
	const json_t *steps = at_path(event, "firebreak.steps");
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
	char store[NUMBER_MAX], provider[NUMBER_MAX];

	printf("%-12s%s\n", "Incident", shown);
	row(event, "When", "@timestamp", "");
	printf("%-12s%s\n", "What", action_in_words(text_at(event, "event.action", store),
	    slice_eq(text_at(event, "event.provider", provider), slice_str("reqmod"))));
	row(event, "Why", "message", "");
	row(event, "Reason", "event.reason", "");
	row(event, "Client", "client.ip", "");
	row(event, "User", "user.name", "");
	row(event, "Method", "http.request.method", "");
	row(event, "URL", "url.original", "");
	row(event, "Host", "url.domain", "");
	row(event, "Status", "http.response.status_code", " from the origin");
	print_found(event);
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
	row(event, "Alert", "firebreak.alert", "");
	row(event, "Mode", "firebreak.mode", ": nothing was refused at that time");
	row(event, "Seen by", "event.provider", "");
	row(event, "Generation", "firebreak.generation", "");
	row(event, "Worker", "firebreak.worker", "");
	print_steps(event);
}

/* Join the operands: a number read out loud is often typed in groups. */
static struct slice
typed_number(const struct call *c, char store[static TYPED_MAX])
{
	size_t len = 0;

	for (int i = 0; i < c->argc; i++) {
		size_t more = strlen(c->argv[i]);

		if (more >= TYPED_MAX - len)
			break;
		memcpy(store + len, c->argv[i], more);
		len += more;
	}
	return slice_make(store, len);
}

static int
parse_number(const struct call *c, char id[static INCIDENT_LEN + 1])
{
	char typed[TYPED_MAX];

	switch (incident_parse(typed_number(c, typed), id)) {
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

static int
print_line(const struct call *c, struct slice line, const char id[static INCIDENT_LEN + 1],
    bool json)
{
	char shown[INCIDENT_SHOWN + 1];
	json_error_t error;
	json_t *event = json_loadb(line.p, line.len, JSON_REJECT_DUPLICATES, &error);

	if (!json_is_object(event)) {
		json_decref(event);
		return call_fail(c, "the event's line is damaged: %s", error.text);
	}
	if (json)
		return show_json(event, false) == -1 ? EXIT_TROUBLE : EXIT_FINE;
	incident_show(id, shown);
	print_event(event, shown);
	json_decref(event);
	return EXIT_FINE;
}

static int
find(const struct call *c, const char *path, const char id[static INCIDENT_LEN + 1], bool json)
{
	struct buf line;
	int status;

	buf_init(&line, LINE_MAX_BYTES);
	switch (event_find(path, id, &line)) {
	case 0:
		status = print_line(c, buf_slice(&line), id, json);
		break;
	case 1:
		fprintf(stderr, "firebreak why: there is no such incident in ");
		show_text(stderr, slice_str(path));
		fputs("; it may be in an older log (--events FILE) or another proxy's\n", stderr);
		status = EXIT_FOUND;
		break;
	default:
		status = call_fail(c, "%s: %s", path, strerror(errno));
	}
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
	return find(c, values[FLAG_EVENTS] != NULL ? values[FLAG_EVENTS] : path, id,
	    values[FLAG_JSON] != NULL);
}

const struct verb verb_why = {
	.name = "why",
	.run = run,
	.operands = "[--json] [--events FILE] INCIDENT",
	.summary = "Tell what happened, and why, from the number on the block page.",
	.help =
	    "  --json        the event as it was logged\n"
	    "  --events FILE the event log; else events.jsonl in the state folder\n",
};
