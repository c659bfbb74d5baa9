#include "t/replay/check.h"

#include <jansson.h>

#include <stdlib.h>
#include <unistd.h>

enum { ICAP_OK = 200, ICAP_NO_CONTENT = 204, NUMBER_TEXT = 32, PATH_TEXT = 256, SHOW = 400, EVENTS_MAX = 64 };

struct check {
	const struct check_run		*run;
	const struct case_exchange	*x;
	const struct icap_reply		*reply;
	const struct message		*subject;
	json_t				*events[EVENTS_MAX];
	size_t				 n_events;
	struct buf			*why;
};

#define differ(c, ...) \
	(buf_addf((c)->why, __VA_ARGS__), buf_add_char((c)->why, '\n'))

/* ---- events ---- */

/* The value at "a.b.c" of EVENT; NULL when it is not there. */
static const json_t *
event_value(const json_t *event, const char *path)
{
	struct slice rest = slice_str(path);

	while (event != NULL && rest.len > 0) {
		char key[PATH_TEXT];
		struct slice word;

		slice_cut(rest, '.', &word, &rest);
		snprintf(key, sizeof(key), "%.*s", SLICE_ARGS(word));
		event = json_object_get(event, key);
	}
	return event;
}

static const char *
event_text(const json_t *event, const char *path)
{
	const char *text = json_string_value(event_value(event, path));

	return text == NULL ? "" : text;
}

/* VALUE is what TEXT says; of a list, one of its lines contains it. */
static bool
value_is(const json_t *value, const char *text)
{
	char number[NUMBER_TEXT];
	size_t i;
	json_t *line;

	if (json_is_string(value))
		return slice_eq(slice_make(json_string_value(value), json_string_length(value)), slice_str(text));
	if (json_is_integer(value)) {
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
		return strcmp(number, text) == 0;
	}
	json_array_foreach(value, i, line)
		if (json_is_string(line) && strstr(json_string_value(line), text) != NULL)
			return true;
	return false;
}

static void
check_field(struct check *c, const json_t *event, const struct case_field *f)
{
	const json_t *value = event_value(event, f->field->path);
	char *shown;

	if (*f->value == '\0' ? value == NULL : value != NULL && value_is(value, f->value))
		return;
	shown = value == NULL ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	differ(c, "event: %s is %s, not \"%s\"", f->field->path, shown == NULL ? "absent" : shown, f->value);
	free(shown);
}

static bool
is_field(const char *path)
{
	for (size_t i = 0; i < event_fields_n; i++)
		if (strcmp(event_fields[i].path, path) == 0)
			return true;
	return false;
}

/* Every key is one of events.def: the wire can add none. */
static void
check_keys(struct check *c, json_t *object, const char *above)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) {
		char path[PATH_TEXT];

		snprintf(path, sizeof(path), "%s%s%s", above, *above == '\0' ? "" : ".", key);
		if (json_is_object(value))
			check_keys(c, value, path);
		else if (!is_field(path))
			differ(c, "event: events.def knows no %s", path);
	}
}

static void
check_event(struct check *c, json_t *event, const struct case_event *expected)
{
	const char *action = event_text(event, "event.action"), *id = event_text(event, "event.id");
	char parsed[INCIDENT_LEN + 1];

	check_keys(c, event, "");
	if (incident_parse(slice_str(id), parsed) != INCIDENT_OK)
		differ(c, "event: %s is no incident number", id);
	if (strcmp(action, event_action_name(expected->action)) != 0)
		differ(c, "event: %s, not %s", action, event_action_name(expected->action));
	for (const struct case_field *f = expected->fields; f != NULL; f = f->next)
		check_field(c, event, f);
	if (c->run->fake && json_integer_value(event_value(event, "firebreak.worker")) != getpid())
		differ(c, "event: another worker than this process");
	if ((uint64_t)json_integer_value(event_value(event, "firebreak.generation")) != c->run->generation)
		differ(c, "event: another generation than %llu", (unsigned long long)c->run->generation);
}

static void
check_events(struct check *c, struct slice log)
{
	const struct case_event *expected = c->x->events;

	if (log.len > 0 && log.p[log.len - 1] != '\n')
		differ(c, "the event log does not end in a newline");
	while (log.len > 0) {
		struct slice line;
		json_error_t error;
		json_t *event;

		slice_cut(log, '\n', &line, &log);
		event = json_loadb(line.p, line.len, JSON_REJECT_DUPLICATES, &error);
		if (event == NULL || c->n_events == EVENTS_MAX) {
			differ(c, "not an event (%s): %.*s", event == NULL ? error.text : "too many",
			    SLICE_ARGS(slice_head(line, SHOW)));
			json_decref(event);
			continue;
		}
		c->events[c->n_events++] = event;
		if (expected == NULL)
			differ(c, "an event that the case does not name: %.*s", SLICE_ARGS(line));
		else {
			check_event(c, event, expected);
			expected = expected->next;
		}
	}
	for (; expected != NULL; expected = expected->next)
		differ(c, "no event %s", event_action_name(expected->action));
}

/* The incident number of what this exchange was refused for; "" when there is none. */
static const char *
incident(const struct check *c)
{
	return c->n_events == 0 ? "" : event_text(c->events[c->n_events - 1], "event.id");
}

/* ---- heads ---- */

/* The next line of a head that came back, without what c-icap adds by itself. */
static bool
next_line(struct slice *head, struct slice *line)
{
	while (head_line(head, line))
		if (!slice_starts(*line, SLICE("Via: ICAP/1.0 ")))
			return true;
	return false;
}

/* c-icap makes a NUL in a head a blank. */
static bool
same_line(struct slice sent, struct slice got)
{
	if (sent.len != got.len)
		return false;
	for (size_t i = 0; i < sent.len; i++)
		if (sent.p[i] != got.p[i] && (sent.p[i] != '\0' || got.p[i] != ' '))
			return false;
	return true;
}

static bool
same_head(struct slice sent, struct slice got)
{
	struct slice a, b;

	while (head_line(&sent, &a))
		if (!next_line(&got, &b) || !same_line(a, b))
			return false;
	return !next_line(&got, &b);
}

static void
check_lines(struct check *c)
{
	for (const struct case_line *l = c->x->lines; l != NULL; l = l->next) {
		struct slice head = buf_slice(&c->reply->head), line;
		bool found = false;

		while (head_line(&head, &line))
			found |= slice_starts(line, slice_str(l->text));
		if (found == l->absent)
			differ(c, "head: %s line that begins with \"%s\"", l->absent ? "there is a" : "no", l->text);
	}
}

/* ---- verdicts ---- */

static void
check_body(struct check *c, bool prefix)
{
	struct slice sent = buf_slice(&c->subject->body), got = buf_slice(&c->reply->body);
	size_t at;

	for (at = 0; at < sent.len && at < got.len && sent.p[at] == got.p[at]; at++)
		;
	if (at < got.len && at < sent.len)
		differ(c, "body: byte %zu is another one", at);
	else if (got.len > sent.len)
		differ(c, "body: %zu bytes came back of %zu", got.len, sent.len);
	else if (!prefix && got.len < sent.len)
		differ(c, "body: only %zu bytes came back of %zu", got.len, sent.len);
	if (!prefix && c->reply->has_body != c->subject->has_body)
		differ(c, "body: %s", c->subject->has_body ? "there is none" : "there is one");
}

static void
check_complete(struct check *c)
{
	if (!c->reply->complete)
		differ(c, "the answer broke off after %zu bytes of the body", c->reply->body.len);
}

static void
check_pass(struct check *c)
{
	if (c->reply->status != ICAP_OK && c->reply->status != ICAP_NO_CONTENT)
		differ(c, "ICAP status %d: not a pass", c->reply->status);
	check_complete(c);
	if (c->x->only_204 && c->reply->status != ICAP_NO_CONTENT)
		differ(c, "ICAP status %d, although no byte need have been looked at", c->reply->status);
	if (c->x->early && c->run->fake && !c->reply->early)
		differ(c, "the head was held back until the body had ended");
	if (c->reply->status != ICAP_OK)
		return;
	if (!same_head(buf_slice(&c->subject->head), buf_slice(&c->reply->head)))
		differ(c, "head: another one came back: %.*s", SLICE_ARGS(slice_head(buf_slice(&c->reply->head), SHOW)));
	check_body(c, false);
}

static void
check_modify(struct check *c)
{
	struct slice deny;

	if (c->reply->status != ICAP_OK)
		differ(c, "ICAP status %d: not a modification", c->reply->status);
	check_complete(c);
	if (same_head(buf_slice(&c->subject->head), buf_slice(&c->reply->head)))
		differ(c, "head: it came back unchanged");
	if (head_value(buf_slice(&c->reply->head), SLICE("X-Firebreak-Deny"), &deny) &&
	    !slice_eq(deny, slice_str(incident(c))))
		differ(c, "X-Firebreak-Deny is not the incident number of the event");
	check_body(c, false);
}

static void
check_page_length(struct check *c)
{
	struct slice head = buf_slice(&c->reply->head), value;
	uint64_t length;

	if (!head_value(head, SLICE("Content-Length"), &value) || slice_u64(value, &length) == -1)
		differ(c, "page: no Content-Length");
	else if (length != c->reply->body.len)
		differ(c, "page: Content-Length is %llu, and %zu bytes came", (unsigned long long)length,
		    c->reply->body.len);
	if (head_value(head, SLICE("Transfer-Encoding"), &value))
		differ(c, "page: it has a Transfer-Encoding");
}

static void
check_block(struct check *c)
{
	struct slice icap = buf_slice(&c->reply->icap), page = buf_slice(&c->reply->body), value;
	char shown[INCIDENT_SHOWN + 1] = "";

	if (c->reply->status != ICAP_OK || head_status(buf_slice(&c->reply->head)) != (int)c->x->number) {
		differ(c, "ICAP status %d, HTTP status %d: not a page", c->reply->status,
		    head_status(buf_slice(&c->reply->head)));
		return;
	}
	check_complete(c);
	check_page_length(c);
	if (strlen(incident(c)) != INCIDENT_LEN) {
		differ(c, "page: there is no event whose number it could show");
		return;
	}
	incident_show(incident(c), shown);
	if (c->reply->has_body && slice_search(page, slice_str(shown)) == page.len)
		differ(c, "page: it does not show %s", shown);
	if (!head_value(icap, SLICE("X-Incident-Id"), &value) || !slice_eq(value, slice_str(incident(c))))
		differ(c, "ICAP: X-Incident-Id is not that of the event");
	for (size_t i = 0; i < page.len; i++)
		if ((unsigned char)page.p[i] < ' ' && !ascii_is_space(page.p[i])) {
			differ(c, "page: it has a control character at byte %zu", i);
			break;
		}
}

static void
check_kill(struct check *c)
{
	const json_t *value = c->n_events == 0 ? NULL : event_value(c->events[c->n_events - 1], "firebreak.delivered");
	json_int_t delivered = value == NULL ? -1 : json_integer_value(value), came = (json_int_t)c->reply->body.len;

	if (c->reply->complete)
		differ(c, "not killed: the answer has a proper end");
	if (c->reply->body.len >= c->x->number)
		differ(c, "%zu bytes were delivered", c->reply->body.len);
	/* What was let go last is lost on its way when the connection is reset: c-icap closes it with bytes unread. */
	if (c->run->fake ? delivered != came : delivered < came)
		differ(c, "the event does not say that %zu bytes were delivered", c->reply->body.len);
	else if (delivered >= (json_int_t)c->x->number)
		differ(c, "%lld bytes were let go", (long long)delivered);
	check_body(c, true);
}

static void
check_verdict(struct check *c)
{
	switch (c->x->verdict) {
	case CASE_PASS:
		check_pass(c);
		break;
	case CASE_MODIFY:
		check_modify(c);
		break;
	case CASE_BLOCK:
		check_block(c);
		break;
	case CASE_KILL:
		check_kill(c);
		break;
	case CASE_ERROR:
		if (c->reply->status != (int)c->x->number)
			differ(c, "ICAP status %d", c->reply->status);
		break;
	case CASE_GONE:
		if (c->reply->complete)
			differ(c, "the client had gone, and still got a whole answer");
		check_body(c, true);
		break;
	}
}

static void
check_unshown(struct check *c, struct slice page, const char *text)
{
	if (c->x->verdict == CASE_BLOCK && slice_search(page, slice_str(text)) < page.len)
		differ(c, "page: it shows \"%s\"", text);
}

/* What is secret is neither logged nor shown. */
static void
check_never(struct check *c, struct slice log)
{
	struct slice page = buf_slice(&c->reply->body);

	for (const struct case_line *l = c->run->never; l != NULL; l = l->next) {
		if (slice_search(log, slice_str(l->text)) < log.len)
			differ(c, "event: it shows \"%s\"", l->text);
		check_unshown(c, page, l->text);
	}
	for (const struct case_line *l = c->run->unshown; l != NULL; l = l->next)
		check_unshown(c, page, l->text);
	for (const struct case_line *l = c->run->shown; l != NULL && c->x->verdict == CASE_BLOCK; l = l->next)
		if (slice_search(page, slice_str(l->text)) == page.len)
			differ(c, "page: it does not show \"%s\"", l->text);
}

void
check_exchange(const struct check_run *run, const struct case_exchange *x, const struct icap_reply *reply,
    struct slice log, struct buf *why)
{
	struct check c = { .run = run, .x = x, .reply = reply, .why = why,
		.subject = x->respmod ? x->response : x->request };

	check_events(&c, log);
	check_verdict(&c);
	check_lines(&c);
	check_never(&c, log);
	for (size_t i = 0; i < c.n_events; i++)
		json_decref(c.events[i]);
}

void
check_server_log(const struct case_line *expected, struct slice log, struct buf *why)
{
	struct slice whole = log, line;

	while (head_line(&log, &line)) {
		const struct case_line *l;

		for (l = expected; l != NULL; l = l->next)
			if (slice_search(line, slice_str(l->text)) < line.len)
				break;
		if (l == NULL)
			buf_addf(why, "server log: %.*s\n", SLICE_ARGS(line));
	}
	for (const struct case_line *l = expected; l != NULL; l = l->next)
		if (slice_search(whole, slice_str(l->text)) == whole.len)
			buf_addf(why, "the server log says nowhere: %s\n", l->text);
}
