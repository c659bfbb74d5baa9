#include "eventstore/letter.h"

#include <inttypes.h>

#include "alerts/alert.h"
#include "base/clock.h"

enum { MS_PER_S = 1000 };

/* TEXT made harmless; of what is kept as it is, "\n" is a line's end. */
static void
add_text(struct buf *out, struct slice text, bool lines)
{
	while (text.len > 0) {
		size_t n = utf8_sequence(text);

		if (n > 0 && (!utf8_misleads(text, n) || (lines && (*text.p == '\n' || *text.p == '\t'))))
			buf_add(out, text.p, n);
		else
			for (size_t i = 0; i < (n > 0 ? n : 1); i++)
				buf_addf(out, "\\x%02x", (unsigned char)text.p[i]);
		text = slice_skip(text, n > 0 ? n : 1);
	}
}

/* "  label      text", when there is a text. */
static void
add_row(struct buf *out, const char *label, struct slice text)
{
	if (text.len == 0)
		return;
	buf_addf(out, "  %-10s ", label);
	add_text(out, text, false);
	buf_add_char(out, '\n');
}

static void
row(struct buf *out, const json_t *event, const char *label, const char *path)
{
	char store[EVENT_NUMBER];

	add_row(out, label, event_text(event, path, store));
}

/* Who is written to, and about what. */
static void
write_head(struct buf *out, const json_t *event)
{
	char store[EVENT_NUMBER];

	buf_add_str(out, "To: the maintainer of ");
	add_text(out, event_text(event, "rule.ruleset", store), false);
	buf_add_str(out, "\nSubject: probably a mistake: ");
	add_text(out, event_text(event, "rule.id", store), false);
	buf_add_str(out, "\n\nHello,\n\n"
	    "your list made our proxy act on something that we believe to be harmless.\n\n"
	    "The rule\n");
	row(out, event, "rule", "rule.id");
	row(out, event, "revision", "rule.version");
	row(out, event, "source", "rule.ruleset");
	row(out, event, "level", "firebreak.level");
}

static void
write_alert(struct buf *out, const char *state, const json_t *event)
{
	char store[EVENT_NUMBER], date[CLOCK_TEXT];
	struct slice id = event_text(event, "firebreak.alert", store);
	struct alert *alert = alert_load(state, id);

	row(out, event, "alert", "firebreak.alert");
	if (alert == NULL)
		return;
	add_row(out, "title", slice_str(alert->title));
	buf_addf(out, "  %-10s %u\n", "version", alert->version);
	if (alert->last_published != 0) {
		clock_format_s(alert->last_published, date);
		add_row(out, "published", slice_str(date));
	}
	alert_free(alert);
}

/* What it acted on. */
static void
write_evidence(struct buf *out, const json_t *event)
{
	static const struct { const char *label, *path; } rows[] = {
		{ "time", "@timestamp" }, { "done", "event.action" }, { "reason", "event.reason" }, { "url", "url.original" },
		{ "host", "url.domain" }, { "file", "file.name" }, { "in it", "file.path" }, { "bytes", "file.size" },
		{ "md5", "file.hash.md5" }, { "sha1", "file.hash.sha1" }, { "sha256", "file.hash.sha256" },
	};
	const json_t *steps = event_at(event, "firebreak.steps");

	buf_add_str(out, "\nWhat it met\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		row(out, event, rows[i].label, rows[i].path);
	if (json_array_size(steps) > 0)
		buf_add_str(out, "\nHow the decision came about\n");
	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);

		if (!json_is_string(step))
			continue;
		buf_addf(out, "  %zu. ", i + 1);
		add_text(out, slice_make(json_string_value(step), json_string_length(step)), false);
		buf_add_char(out, '\n');
	}
}

static int
write_met(void *arg, const struct event_count *count)
{
	struct buf *out = arg;
	char first[CLOCK_TEXT], last[CLOCK_TEXT];

	clock_format_s(count->first_ms / MS_PER_S, first);
	clock_format_s(count->last_ms / MS_PER_S, last);
	buf_addf(out, "\nSo far the rule has met %" PRIu64 " request%s of %" PRIu64 " client%s here, the first %s, the last %s.\n",
	    count->n, count->n == 1 ? "" : "s", count->clients, count->clients == 1 ? "" : "s", first, last);
	return 0;
}

static void
write_end(struct buf *out, struct slice reason, const char *id)
{
	char shown[INCIDENT_SHOWN + 1];

	incident_show(id, shown);
	if (reason.len > 0) {
		buf_add_str(out, "\nWhy we believe that it is a mistake: ");
		add_text(out, reason, true);
		buf_add_char(out, '\n');
	}
	buf_addf(out, "\nPlease look at the rule, and take it back or make it narrower.  If it is right, we would be glad\n"
	    "to know why.  Our number for this is %s.\n", shown);
}

int
letter_write(const struct letter *l, struct buf *out, struct diag *diag)
{
	char store[EVENT_NUMBER];
	struct event_query q = { .exact = true, .words[EVENT_WORD_RULE] = event_text(l->event, "rule.id", store) };
	int r = 0;

	if (q.words[EVENT_WORD_RULE].len == 0)
		return 1;
	write_head(out, l->event);
	write_alert(out, l->state, l->event);
	write_evidence(out, l->event);
	if (l->met != NULL)
		r = write_met(out, l->met);
	else if (l->store != NULL)
		r = eventstore_count(l->store, &q, EVENT_WORD_RULE, write_met, out, diag);
	write_end(out, l->reason, l->id);
	return r == -1 || out->failed ? -1 : 0;
}
