#include <stdio.h>
#include <stdlib.h>

#include "alerts/lead.h"
#include "base/clock.h"
#include "console/alert_words.h"
#include "console/html.h"
#include "console/part.h"
#include "console/rows.h"
#include "ruleset/overview.h"

enum { RULES_SHOWN = 200, VERSIONS_SHOWN = 50, MS_PER_S = 1000 };

struct view {
	struct console		*c;
	const struct request	*rq;
	struct buf		*out;
	struct alerts		 alerts;
	struct alerts_item	 item;
};

/* ---- what it is ---- */

static void
write_head(const struct view *v)
{
	const struct alert *alert = v->item.alert;
	char number[WORDS_NUMBER];

	buf_add_str(v->out, "<dl>\n");
	if (alert == NULL) {
		html_dt(v->out, v->rq, W_ALERT_TITLE);
		html_word(v->out, v->rq, W_NO_RECORD);
		html_dd_end(v->out);
	} else {
		html_row(v->out, v->rq, W_ALERT_TITLE, slice_str(alert->title));
		html_dt(v->out, v->rq, W_VERSION);
		html_number(v->out, v->rq, alert->version);
		html_dd_end(v->out);
	}
	html_dt(v->out, v->rq, W_ALERT_STATE);
	alert_add_state(v->out, v->rq, &v->item);
	if (v->item.withdrawn) {
		buf_add_char(v->out, ' ');
		html_text(v->out, v->item.withdrawal.reason, HTML_LONG);
	}
	html_dd_end(v->out);
	html_dt(v->out, v->rq, W_LIVE_RULES);
	alert_add_live(v->out, v->rq, &v->item);
	if (v->item.n_held > 0) {
		buf_add_str(v->out, "; ");
		words_say(v->out, v->rq->words, W_HELD_RULES, words_number(v->rq->words, v->item.n_held, number), NULL);
	}
	html_dd_end(v->out);
	buf_add_str(v->out, "</dl>\n");
}

/* ---- from its publication to whom it stopped ---- */

struct met {
	struct lead	lead;
	bool		live_known;		/* it cannot have been live before */
	uint64_t	n, clients;
};

static int64_t
date_of(const json_t *line)
{
	int64_t s = 0;

	return clock_parse(slice_str(json_string_value(json_object_get(line, "date"))), &s) == 0 ? s : 0;
}

static int
count_met(void *arg, const struct event_count *count)
{
	struct met *m = arg;

	m->lead.first_hit = count->first_ms / MS_PER_S;
	m->n = count->n;
	m->clients = count->clients;
	return 0;
}

static struct event_query
query_of(const struct view *v)
{
	return (struct event_query){ .exact = true, .words[EVENT_WORD_ALERT] = slice_str(v->item.id) };
}

/* As it was noted when it went live; what is not in the log, because a worker did not take it up in time or it was live before
 * there was a log, the generations that are kept tell. */
static void
collect(struct view *v, struct eventstore *s, struct met *m)
{
	struct event_query q = query_of(v);
	struct diag unwanted = { 0 };
	const char *state = v->c->o->state;
	struct buf log;

	*m = (struct met){ .live_known = true };
	lead_log(state, &log, &v->alerts.diag);
	if (!lead_find(buf_slice(&log), slice_str(v->item.id), &m->lead)) {
		lead_measure(state, slice_str(v->item.id), v->item.alert, &m->lead);
		m->lead.live = overview_live_since(state, slice_str(v->item.name), &m->live_known);
	}
	eventstore_count(s, &q, EVENT_WORD_ALERT, count_met, m, &unwanted);
	buf_fini(&log);
	diag_fini(&unwanted);
}

/* One moment, and how long after the one BEFORE it; MISSING is said when there is none. */
static void
write_moment(const struct view *v, enum word_id name, int64_t at, int64_t before, enum word_id missing, enum word_id also)
{
	char span[WORDS_SPAN];

	html_dt(v->out, v->rq, name);
	if (at == 0)
		html_word(v->out, v->rq, missing);
	else
		html_add_time(v->out, at);
	if (at != 0 && before != 0) {
		buf_add_str(v->out, " (");
		words_say(v->out, v->rq->words, at >= before ? W_LEAD_AFTER : W_LEAD_BEFORE,
		    words_span(v->rq->words, at >= before ? at - before : before - at, span), NULL);
		buf_add_char(v->out, ')');
	}
	if (at != 0 && also != WORDS)
		buf_add_strs(v->out, ", ", v->rq->words->text[also], NULL);
	html_dd_end(v->out);
}

static void
write_lead(const struct view *v, const struct met *m)
{
	const struct lead *l = &m->lead;

	html_heading(v->out, v->rq, W_LEAD_TIME);
	buf_add_str(v->out, "<dl>\n");
	write_moment(v, W_LEAD_PUBLISHED, l->published, 0, W_LEAD_UNKNOWN, WORDS);
	write_moment(v, W_LEAD_IMPORTED, l->imported, l->published, W_LEAD_UNKNOWN, WORDS);
	write_moment(v, W_LEAD_LIVE, l->live, l->imported, W_LEAD_NOT_LIVE, m->live_known ? WORDS : W_LEAD_OR_EARLIER);
	write_moment(v, W_LEAD_HIT, l->first_hit, l->live != 0 ? l->live : l->imported, W_LEAD_NO_HIT, WORDS);
	buf_add_str(v->out, "</dl>\n");
}

/* ---- its versions ---- */

static struct slice
text_at(const json_t *line, const char *key)
{
	const json_t *text = json_object_get(line, key);

	return slice_make(json_string_value(text), json_string_length(text));
}

static const char *
number_at(const struct view *v, const json_t *line, const char *key, char out[static WORDS_NUMBER])
{
	json_int_t n = json_integer_value(json_object_get(line, key));

	return words_number(v->rq->words, n < 0 ? 0 : (uint64_t)n, out);
}

/* Rules of one list of a line, each behind MARK. */
static void
write_changed(const struct view *v, const json_t *line, const char *key, const char *mark)
{
	const json_t *list = json_object_get(line, key);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *rule = json_array_get(list, i);

		buf_add_strs(v->out, "<li><code>", mark, " ", NULL);
		html_text(v->out, slice_make(json_string_value(rule), json_string_length(rule)), HTML_LONG);
		buf_add_str(v->out, "</code></li>\n");
	}
}

static void
write_version(const struct view *v, const json_t *line)
{
	char n[5][WORDS_NUMBER], date[HTML_TIME];
	size_t listed = json_array_size(json_object_get(line, "added")) + json_array_size(json_object_get(line, "gone")) +
	    json_array_size(json_object_get(line, "changed"));

	buf_add_str(v->out, "<li><div>");
	words_say(v->out, v->rq->words, W_VERSION_LINE, number_at(v, line, "version", n[0]), html_time(date_of(line), date),
	    number_at(v, line, "rules", n[1]), number_at(v, line, "n_added", n[2]), number_at(v, line, "n_gone", n[3]),
	    number_at(v, line, "n_changed", n[4]), NULL);
	buf_add_str(v->out, "</div>\n");
	if (listed > 0) {
		buf_add_strs(v->out, "<details><summary>", v->rq->words->text[W_WHAT_CHANGED], "</summary>\n<ul class=\"plain\">\n", NULL);
		write_changed(v, line, "added", "+");
		write_changed(v, line, "gone", "&minus;");
		write_changed(v, line, "changed", "~");
		buf_add_str(v->out, "</ul></details>");
	}
	buf_add_str(v->out, "</li>\n");
}

static void
write_withdrawals(struct view *v)
{
	json_t *all = alerts_history(&v->alerts, &v->item);
	char date[HTML_TIME];

	for (size_t i = json_array_size(all); i-- > 0;) {
		const json_t *line = json_array_get(all, i);

		buf_add_str(v->out, "<li><div>");
		words_say(v->out, v->rq->words, W_WITHDRAWN_LINE, html_time(date_of(line), date), NULL);
		buf_add_char(v->out, ' ');
		html_text(v->out, text_at(line, "reason"), HTML_LONG);
		buf_add_str(v->out, "</div></li>\n");
	}
	json_decref(all);
}

static void
write_versions(struct view *v, const json_t *versions)
{
	size_t n = json_array_size(versions);

	html_heading(v->out, v->rq, W_VERSIONS);
	if (n == 0)
		html_note(v->out, v->rq, NULL, W_VERSIONS_NONE);
	buf_add_str(v->out, "<ul class=\"list\">\n");
	write_withdrawals(v);
	for (size_t i = 0; i < n && i < VERSIONS_SHOWN; i++)
		write_version(v, json_array_get(versions, n - 1 - i));
	buf_add_str(v->out, "</ul>\n");
}

/* ---- its rules ---- */

static void
write_rule(const struct view *v, const struct alerts_rule *rule)
{
	char time[HTML_TIME], number[WORDS_NUMBER];

	buf_add_str(v->out, "<li><div><code>");
	html_text(v->out, slice_str(rule->what), HTML_LONG);
	buf_add_str(v->out, "</code></div><div class=\"meta\">");
	html_search_link(v->out, "rule", slice_str(rule->id));
	buf_add_strs(v->out, "<span>", v->rq->words->text[W_REVISION], " ", words_number(v->rq->words, rule->rev, number), "</span><span>",
	    v->rq->words->text[W_LEVEL], " ", NULL);
	buf_add_strs(v->out, words_number(v->rq->words, rule->level, number), "</span>", NULL);
	if (rule->expires == 0)
		buf_add_strs(v->out, "<span>", v->rq->words->text[W_ENDS_NEVER], "</span>", NULL);
	else
		html_span(v->out, v->rq, W_ENDS, html_time(rule->expires, time));
	buf_add_str(v->out, "</div></li>\n");
}

static void
write_rules(const struct view *v)
{
	html_heading(v->out, v->rq, W_ITS_RULES);
	if (v->item.rules.n == 0)
		html_note(v->out, v->rq, NULL, W_NONE);
	buf_add_str(v->out, "<ul class=\"list\">\n");
	for (size_t i = 0; i < v->item.rules.n && i < RULES_SHOWN; i++)
		write_rule(v, &v->item.rules.v[i]);
	buf_add_str(v->out, "</ul>\n");
	if (v->item.rules.n > RULES_SHOWN)
		html_note_number(v->out, v->rq, NULL, W_LIST_CUT, v->item.rules.n);
}

/* ---- who met it ---- */

static void
write_met(const struct view *v, struct eventstore *s, const struct met *m)
{
	char n[WORDS_NUMBER], clients[WORDS_NUMBER];
	struct event_query q = query_of(v);

	html_heading(v->out, v->rq, W_WHO_MET);
	if (m->n == 0) {
		html_note(v->out, v->rq, NULL, W_LEAD_NO_HIT);
		return;
	}
	buf_add_str(v->out, "<p><a href=\"/?q=");
	form_add_value(v->out, slice_str(v->item.id));
	buf_add_str(v->out, "&amp;as=alert\">");
	words_say(v->out, v->rq->words, W_EVENTS_CLIENTS, words_number(v->rq->words, m->n, n),
	    words_number(v->rq->words, m->clients, clients), NULL);
	buf_add_str(v->out, "</a></p>\n");
	rows_write_clients(s, &q, v->rq, v->out);
}

/* ---- all of it ---- */

static void
write_alert(struct view *v, struct eventstore *s)
{
	json_t *versions = alerts_versions(&v->alerts, &v->item);
	struct buf title;
	struct met met;

	collect(v, s, &met);
	buf_init(&title, HTML_LONG);
	buf_add_strs(&title, v->rq->words->text[W_ALERT], " ", NULL);
	html_text(&title, slice_str(v->item.id), HTML_SHORT);
	html_begin(v->out, v->rq, title.failed ? "" : title.p, "/alert");
	buf_fini(&title);
	write_head(v);
	write_lead(v, &met);
	write_met(v, s, &met);
	write_versions(v, versions);
	write_rules(v);
	buf_add_strs(v->out, "<p class=\"pages\"><a href=\"/alerts\">", v->rq->words->text[W_ALL_ALERTS], "</a></p>\n", NULL);
	html_end(v->out, v->rq, "/alert");
	json_decref(versions);
}

void
page_alert(struct console *c, const struct request *rq, struct answer *a)
{
	struct view v = { .c = c, .rq = rq, .out = &a->body };
	struct slice wanted = slice_trim(form_get(&rq->query, "id"));
	char id[ALERT_ID_MAX + 1];
	struct eventstore *s;
	bool partial;

	/* Whatever is no id never becomes a path. */
	if (!alert_id_ok(wanted)) {
		answer_message(rq, a, STATUS_NOT_FOUND, W_NOT_THERE, W_NO_ALERT);
		return;
	}
	memcpy(id, wanted.p, wanted.len);
	id[wanted.len] = '\0';
	if ((s = console_store(c, rq, a, &partial)) == NULL)
		return;
	if (alerts_init(&v.alerts, c->o->state) == -1)
		answer_trouble(rq, a, W_ALERTS_UNREADABLE, &v.alerts.diag);
	else if (alerts_load(&v.alerts, id, &v.item) == -1)
		answer_message(rq, a, STATUS_NOT_FOUND, W_NOT_THERE, W_NO_ALERT);
	else
		write_alert(&v, s);
	alerts_item_fini(&v.item);
	alerts_fini(&v.alerts);
}
