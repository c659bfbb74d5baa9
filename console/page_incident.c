#include <stdio.h>

#include "alerts/alert.h"
#include "base/clock.h"
#include "console/html.h"
#include "console/part.h"
#include "console/rows.h"
#include "eventstore/letter.h"
#include "ruleset/exception_list.h"
#include "ruleset/overview.h"

enum { DAYS_DEFAULT = 7, DAYS_MAX = 90, WHY_MAX = 16 << 10, MS_PER_S = 1000 };

/* ---- finding it ---- */

int
incident_find(struct console *c, const struct request *rq, const struct form *form, struct incident *in, struct answer *a)
{
	struct diag diag = { 0 };
	struct buf line;
	bool partial;
	int r;

	*in = (struct incident){ 0 };
	if (incident_parse(form_get(form, "id"), in->id) != INCIDENT_OK) {
		answer_message(rq, a, STATUS_NOT_FOUND, W_MISTYPED, W_NO_NUMBER);
		return -1;
	}
	if ((in->store = console_store(c, rq, a, &partial)) == NULL)
		return -1;
	buf_init(&line, EVENT_LINE_MAX);
	if ((r = eventstore_find(in->store, in->id, &line, &diag)) == 0)
		in->event = json_loadb(line.p, line.len, JSON_REJECT_DUPLICATES, NULL);
	if (r == -1)
		answer_trouble(rq, a, W_LOG_UNREADABLE, &diag);
	else if (!json_is_object(in->event))
		answer_message(rq, a, STATUS_NOT_FOUND, W_NOT_THERE, W_NO_INCIDENT);
	buf_fini(&line);
	diag_fini(&diag);
	return json_is_object(in->event) ? 0 : -1;
}

/* ---- showing it ---- */

/* The page while it is written. */
struct view {
	const struct console	*c;
	const struct request	*rq;
	const struct incident	*in;
	struct buf		*out;
	struct event_count	 met;	/* its rule, how often and by how many; N is 0 before that is known */
};

static void
row(const struct view *v, enum word_id term, const char *path)
{
	char store[EVENT_NUMBER];

	html_row(v->out, v->rq, term, event_text(v->in->event, path, store));
}

static void
search_row(const struct view *v, enum word_id term, const char *as, const char *path)
{
	char store[EVENT_NUMBER];

	html_search_row(v->out, v->rq, term, as, event_text(v->in->event, path, store));
}

/* A number of bytes in the text SENTENCE, or whatever stands there. */
static void
bytes_row(const struct view *v, enum word_id term, const char *path, enum word_id sentence)
{
	char store[EVENT_NUMBER], number[WORDS_NUMBER];
	struct slice text = event_text(v->in->event, path, store);
	uint64_t n;

	if (slice_u64(text, &n) == -1) {
		html_row(v->out, v->rq, term, text);
		return;
	}
	html_dt(v->out, v->rq, term);
	words_say(v->out, v->rq->words, sentence, words_number(v->rq->words, n, number), NULL);
	html_dd_end(v->out);
}

/* What is the same in every language. */
static void
digest_row(const struct view *v, const char *name, const char *path)
{
	char store[EVENT_NUMBER];
	struct slice text = event_text(v->in->event, path, store);

	if (text.len == 0)
		return;
	buf_add_strs(v->out, "<dt>", name, "</dt><dd>", NULL);
	html_search_link(v->out, NULL, text);
	html_dd_end(v->out);
}

/* Sentences that the judge made are in English. */
static void
english_row(const struct view *v, enum word_id term, const char *path)
{
	char store[EVENT_NUMBER];
	struct slice text = event_text(v->in->event, path, store);

	if (text.len == 0)
		return;
	html_dt(v->out, v->rq, term);
	html_english(v->out, v->rq, text, HTML_LONG);
	html_dd_end(v->out);
}

static void
write_mode(const struct view *v)
{
	char store[EVENT_NUMBER];
	struct slice mode = event_text(v->in->event, "firebreak.mode", store);
	struct buf shown;

	if (mode.len == 0)
		return;
	buf_init(&shown, HTML_LONG);
	html_text(&shown, mode, HTML_SHORT);
	html_dt(v->out, v->rq, W_MODE);
	words_say(v->out, v->rq->words, W_MODE_WAS, shown.failed ? "?" : shown.p, NULL);
	html_dd_end(v->out);
	buf_fini(&shown);
}

/* What somebody did about the log. */
static void
write_deed(const struct view *v)
{
	char store[EVENT_NUMBER], id[INCIDENT_LEN + 1];
	struct slice about = event_text(v->in->event, "firebreak.about", store);

	row(v, W_BY, "firebreak.by");
	if (incident_parse(about, id) == INCIDENT_OK) {
		html_dt(v->out, v->rq, W_ABOUT);
		html_incident_link(v->out, id);
		html_dd_end(v->out);
	} else
		html_row(v->out, v->rq, W_ABOUT, about);
	row(v, W_NOTE, "firebreak.note");
}

static void
write_what(const struct view *v)
{
	char store[EVENT_NUMBER], provider[EVENT_NUMBER], shown[INCIDENT_SHOWN + 1];
	struct slice action = event_text(v->in->event, "event.action", store);
	bool upload = slice_eq(event_text(v->in->event, "event.provider", provider), SLICE("reqmod"));

	incident_show(v->in->id, shown);
	buf_add_strs(v->out, "<p class=\"id\">", shown, "</p>\n<p class=\"say ", rows_action_class(action), "\"><strong>", NULL);
	rows_add_action(v->out, v->rq, action);
	buf_add_strs(v->out, "</strong>", v->rq->words->text[W_COLON], " ", NULL);
	html_word(v->out, v->rq, rows_action_meaning(action, upload));
	buf_add_str(v->out, "</p>\n<dl>\n");
	html_dt(v->out, v->rq, W_WHEN);
	html_add_time(v->out, incident_ms(v->in->id) / MS_PER_S);
	html_dd_end(v->out);
	english_row(v, W_WHY, "message");
	search_row(v, W_USER, "user", "user.name");
	search_row(v, W_CLIENT, "client", "client.ip");
	search_row(v, W_HOST, "host", "url.domain");
	digest_row(v, "URL", "url.original");
	row(v, W_METHOD, "http.request.method");
	row(v, W_FILE, "file.name");
	row(v, W_FOUND_AS, "file.path");
	bytes_row(v, W_SIZE, "file.size", W_BYTES);
	bytes_row(v, W_DELIVERED, "firebreak.delivered", W_DELIVERED_BYTES);
	digest_row(v, "MD5", "file.hash.md5");
	digest_row(v, "SHA-1", "file.hash.sha1");
	digest_row(v, "SHA-256", "file.hash.sha256");
	write_mode(v);
	write_deed(v);
	buf_add_str(v->out, "</dl>\n");
}

static void
write_alert(const struct view *v)
{
	char store[EVENT_NUMBER], number[WORDS_NUMBER], time[HTML_TIME];
	struct slice id = event_text(v->in->event, "firebreak.alert", store);
	struct alert *alert;

	if (id.len == 0)
		return;
	html_dt(v->out, v->rq, W_ALERT);
	html_alert_link(v->out, id);
	html_dd_end(v->out);
	if ((alert = alert_load(v->c->o->state, id)) == NULL)
		return;
	html_row(v->out, v->rq, W_ALERT_TITLE, slice_str(alert->title));
	html_dt(v->out, v->rq, W_VERSION);
	words_number(v->rq->words, alert->version, number);
	if (alert->last_published != 0)
		words_say(v->out, v->rq->words, W_VERSION_AT, number, html_time(alert->last_published, time), NULL);
	else
		buf_add_str(v->out, number);
	html_dd_end(v->out);
	alert_free(alert);
}

static void
write_rule(const struct view *v)
{
	char store[EVENT_NUMBER];

	if (event_text(v->in->event, "rule.id", store).len == 0)
		return;
	html_heading(v->out, v->rq, W_THE_RULE);
	buf_add_str(v->out, "<dl>\n");
	search_row(v, W_RULE, "rule", "rule.id");
	row(v, W_REVISION, "rule.version");
	row(v, W_SOURCE, "rule.ruleset");
	row(v, W_LEVEL, "firebreak.level");
	row(v, W_REASON, "event.reason");
	row(v, W_GENERATION, "firebreak.generation");
	write_alert(v);
	buf_add_str(v->out, "</dl>\n");
}

static void
add_step(const struct view *v, struct slice text)
{
	buf_add_str(v->out, "<li>");
	html_text(v->out, text, HTML_LONG);
	buf_add_str(v->out, "</li>\n");
}

/* The log has them as a list, or as lines of one text. */
static void
write_steps(const struct view *v)
{
	const json_t *steps = event_at(v->in->event, "firebreak.steps");
	struct slice text = { 0 }, line;

	if (json_is_string(steps))
		text = slice_make(json_string_value(steps), json_string_length(steps));
	if (text.len == 0 && json_array_size(steps) == 0)
		return;
	html_heading(v->out, v->rq, W_STEPS);
	buf_add_str(v->out, "<ol lang=\"en\">\n");
	while (text.len > 0) {
		slice_cut(text, '\n', &line, &text);
		add_step(v, line);
	}
	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);

		if (json_is_string(step))
			add_step(v, slice_make(json_string_value(step), json_string_length(step)));
	}
	buf_add_str(v->out, "</ol>\n");
}

/* ---- who else ---- */

static int
count_all(void *arg, const struct event_count *count)
{
	struct view *v = arg;
	const struct words *w = v->rq->words;
	char n[WORDS_NUMBER], clients[WORDS_NUMBER], first[HTML_TIME], last[HTML_TIME];

	v->met = *count;
	v->met.word = (struct slice){ 0 };
	buf_add_str(v->out, "<p>");
	words_say(v->out, w, W_RULE_MET, words_number(w, count->n, n), words_number(w, count->clients, clients),
	    html_time(count->first_ms / MS_PER_S, first), html_time(count->last_ms / MS_PER_S, last), NULL);
	buf_add_str(v->out, "</p>\n");
	return 0;
}

static void
write_others(struct view *v)
{
	char store[EVENT_NUMBER];
	struct event_query q = { .exact = true, .words[EVENT_WORD_RULE] = event_text(v->in->event, "rule.id", store) };

	if (q.words[EVENT_WORD_RULE].len == 0)
		return;
	html_heading(v->out, v->rq, W_WHO_ELSE);
	eventstore_count(v->in->store, &q, EVENT_WORD_RULE, count_all, v, NULL);
	rows_write_clients(v->in->store, &q, v->rq, v->out);
}

/* ---- the letter ---- */

static void
write_letter(const struct view *v)
{
	struct letter l = { .state = v->c->o->state, .id = v->in->id, .event = v->in->event,
		.met = v->met.n > 0 ? &v->met : NULL };
	const char *const *text = v->rq->words->text;
	struct diag diag = { 0 };
	struct buf letter;

	buf_init(&letter, ANSWER_MAX / 8);
	if (letter_write(&l, &letter, &diag) == 0) {
		html_heading(v->out, v->rq, W_LETTER);
		html_note(v->out, v->rq, NULL, W_LETTER_HELP);
		buf_add_strs(v->out, "<details><summary>", text[W_LETTER_SHOW], "</summary>\n<pre lang=\"en\" tabindex=\"0\">", NULL);
		buf_add_html(v->out, buf_slice(&letter));
		buf_add_str(v->out, "</pre></details>\n");
	}
	buf_fini(&letter);
	diag_fini(&diag);
}

/* ---- exceptions ---- */

/* What asked, and by which revision of which rule it was met. */
struct met {
	const struct request *rq;
	struct buf	*out;
	struct slice	 id;
	uint32_t	 rev;
	struct asker	 asker;
	bool		 user_is_token, client_is_token;	/* of ASKER, as the log has him */
	bool		 passes;	/* now */
};

/* E is for who was met.  Whom the log names by a pseudonym an exception names by the same one; whether others are his as well only
 * those who have the keys could say. */
static bool
is_for(const struct exception *e, const struct met *m)
{
	struct exception clear = *e;

	if (clear.user_is_token && m->user_is_token && slice_eq(clear.user, m->asker.user))
		clear.user_is_token = false;
	if (clear.client_token.len > 0 && m->client_is_token && slice_eq(clear.client_token, m->asker.client)) {
		clear.client_token = (struct slice){ 0 };
		clear.has_client = false;
	}
	return exception_holds(&clear, m->rev, &m->asker);
}

/* There may be an exception for it in G: cheap when nobody is named by a pseudonym. */
static bool
may_be_excepted(const struct generation *g, const struct met *m)
{
	struct exception_match match;
	uint64_t n[ROW_COUNTS];

	if (generation_match_exceptions(g, m->id, m->rev, &m->asker, INT64_MIN, &match, 1) > 0)
		return true;
	generation_counts(g, n);
	return (m->user_is_token || m->client_is_token) && n[COUNT_EXCEPTIONS] > 0;
}

static void
write_exception(void *arg, const struct rule *rule, enum exception_state state)
{
	struct met *m = arg;
	char why[RULE_WHY], host[HOST_MAX + 1], end[HTML_TIME];
	const struct words *w = m->rq->words;
	struct source_line line;
	struct exception e;

	source_line_init(&line);
	if (exception_parse(rule->key.path, &line, host, &e, why) == 0 && slice_eq(e.id, m->id) &&
	    is_for(&e, m)) {
		bool holds = state == EXCEPTION_HOLDS;

		m->passes |= holds;
		buf_add_strs(m->out, "<p class=\"say ", holds ? "good\">" : "mid\">", NULL);
		html_time(rule->expires, end);
		if (holds)
			words_say(m->out, w, W_EXCEPTION_LETS, end, NULL);
		else
			words_say(m->out, w, W_EXCEPTION_DEAD, w->text[exception_word(state)], end, NULL);
		buf_add_char(m->out, ' ');
		html_text(m->out, rule->note, REASON_MAX);
		buf_add_str(m->out, "</p>\n");
	}
	source_line_fini(&line);
}

/* The exceptions that are for this very request, into OUT.  They are told apart, which takes a look at all rules, only when there
 * is one.  Whether the request would pass by one now. */
static bool
write_exceptions(const struct view *v, struct buf *out)
{
	const json_t *event = v->in->event;
	char id_store[EVENT_NUMBER], rev_store[EVENT_NUMBER], store[3][EVENT_NUMBER];
	struct met m = { .rq = v->rq, .out = out, .id = event_text(event, "rule.id", id_store), .asker = {
		.client = event_text(event, "client.ip", store[0]), .user = event_text(event, "user.name", store[1]),
		.host = event_text(event, "url.domain", store[2]) },
		.user_is_token = event_is_pseudonym(event, "user.name"), .client_is_token = event_is_pseudonym(event, "client.ip") };
	struct diag diag = { 0 };
	struct generation *g;
	bool damaged = false;
	uint64_t rev;

	if (m.id.len == 0 || slice_u64(event_text(event, "rule.version", rev_store), &rev) == -1 || rev > UINT32_MAX)
		return false;
	m.rev = (uint32_t)rev;
	if ((g = overview_generation(v->c->o->state, false, &diag)) != NULL && may_be_excepted(g, &m))
		exception_list(g, v->rq->now_ms / MS_PER_S, write_exception, &m, &damaged);
	generation_close(g);
	diag_fini(&diag);
	return m.passes;
}

/* Whom the exception is for. */
static void
write_for_whom(const struct view *v)
{
	char user_store[EVENT_NUMBER], client[EVENT_NUMBER];
	struct slice user = event_text(v->in->event, "user.name", user_store);
	struct buf who;

	buf_init(&who, HTML_LONG);
	buf_add_str(&who, "<strong>");
	html_name(&who, user.len > 0 ? user : event_text(v->in->event, "client.ip", client));
	buf_add_str(&who, "</strong>");
	buf_add_str(v->out, "<p>");
	words_say(v->out, v->rq->words, user.len > 0 ? W_LETS_USER : W_LETS_CLIENT, who.failed ? "?" : who.p, NULL);
	buf_add_str(v->out, "</p>\n");
	buf_fini(&who);
}

/* What a form says of itself: from whom it is, and about which incident. */
static void
add_id(const struct view *v)
{
	html_token(v->out, v->rq->session->csrf);
	buf_add_strs(v->out, "<input type=\"hidden\" name=\"id\" value=\"", v->in->id, "\">\n", NULL);
}

/* Every form asks why: in a field with the id FIELD. */
static void
end_form(const struct view *v, const char *field, enum word_id help, enum word_id button)
{
	const char *const *text = v->rq->words->text;

	buf_addf(v->out, "<div class=\"field\"><label for=\"%s\">%s</label><input id=\"%s\" name=\"reason\" maxlength=\"%d\" required "
	    "aria-describedby=\"%s-help\"><small id=\"%s-help\">%s</small></div>\n<button>%s</button></form>\n", field, text[W_WHY],
	    field, REASON_MAX, field, field, text[help], text[button]);
}

static void
write_form(const struct view *v)
{
	char rule[EVENT_NUMBER];

	if (event_text(v->in->event, "rule.id", rule).len == 0)
		return;
	html_heading(v->out, v->rq, W_LET_THROUGH);
	if (!request_may(v->rq, ROLE_DECIDE)) {
		html_note(v->out, v->rq, NULL, W_LOOKS_ONLY);
		return;
	}
	write_for_whom(v);
	buf_add_str(v->out, "<form method=\"post\" action=\"/except\">");
	add_id(v);
	buf_addf(v->out, "<div class=\"field\"><label for=\"days\">%s</label><input id=\"days\" name=\"days\" type=\"number\" min=\"1\" "
	    "max=\"%d\" value=\"%d\" required></div>\n", v->rq->words->text[W_DAYS], DAYS_MAX, DAYS_DEFAULT);
	end_form(v, "reason", W_REASON_HELP, W_LET_BUTTON);
}

/* ---- whom the log names by a pseudonym ---- */

static void
write_pseudonyms(const struct view *v)
{
	if (!event_is_pseudonym(v->in->event, "user.name") && !event_is_pseudonym(v->in->event, "client.ip"))
		return;
	html_heading(v->out, v->rq, W_WHO_IT_WAS);
	html_note(v->out, v->rq, NULL, W_PSEUDONYM_IS);
	if (!request_may(v->rq, ROLE_REVEAL)) {
		html_note(v->out, v->rq, NULL, W_NOT_REVEALS);
		return;
	}
	buf_add_str(v->out, "<form method=\"post\" action=\"/reveal\" autocomplete=\"off\">");
	add_id(v);
	end_form(v, "why", W_REVEAL_HELP, W_REVEAL_BUTTON);
}

static void
write_status(const struct view *v, const char *class, enum word_id id)
{
	buf_add_strs(v->out, "<p class=\"say ", class, "\" role=\"status\">", v->rq->words->text[id], "</p>\n", NULL);
}

/* What became of a form: DONE is the page's own word for it. */
static void
write_done(const struct view *v, struct slice done, bool passes)
{
	if (done.len > 0 && !passes)
		write_status(v, "mid", W_DONE_NOTHING);
	else if (slice_eq(done, SLICE("live")))
		write_status(v, "good", W_DONE_LIVE);
	else if (slice_eq(done, SLICE("unconfirmed")))
		write_status(v, "mid", W_DONE_UNCONFIRMED);
}

void
incident_write(const struct console *c, const struct request *rq, const struct incident *in, struct slice wrong, struct answer *a)
{
	struct view v = { .c = c, .rq = rq, .in = in, .out = &a->body };
	struct buf exceptions;

	html_begin(v.out, rq, rq->words->text[W_INCIDENT], "/incident");
	if (wrong.len > 0) {
		buf_add_strs(v.out, "<p class=\"say bad\" role=\"alert\">", rq->words->text[W_NOTHING_CHANGED], " ", NULL);
		buf_add_slice(v.out, wrong);
		buf_add_str(v.out, "</p>\n");
	}
	buf_init(&exceptions, ANSWER_MAX);
	write_done(&v, form_get(&rq->query, "done"), write_exceptions(&v, &exceptions));
	write_what(&v);
	buf_add_slice(v.out, buf_slice(&exceptions));
	buf_fini(&exceptions);
	write_pseudonyms(&v);
	write_rule(&v);
	write_steps(&v);
	write_form(&v);
	write_others(&v);
	write_letter(&v);
	html_end(v.out, rq, "/incident");
}

void
page_incident(struct console *c, const struct request *rq, struct answer *a)
{
	struct incident in;

	if (incident_find(c, rq, &rq->query, &in, a) == 0)
		incident_write(c, rq, &in, (struct slice){ 0 }, a);
	json_decref(in.event);
}

/* ---- deciding ---- */

enum word_id
request_reason(const struct request *rq, struct slice *reason)
{
	*reason = slice_trim(form_get(&rq->fields, "reason"));
	if (reason->len == 0 || reason->len > REASON_MAX)
		return W_WRONG_REASON;
	for (struct slice rest = *reason; rest.len > 0;) {
		size_t n = utf8_sequence(rest);

		if (n == 0 || utf8_misleads(rest, n))
			return W_WRONG_LINE;
		rest = slice_skip(rest, n);
	}
	return WORDS;
}

/* What is wrong with the form; WORDS: nothing. */
static enum word_id
read_wish(const struct request *rq, struct console_wish *wish)
{
	uint64_t days;

	if (slice_u64(form_get(&rq->fields, "days"), &days) == -1 || days < 1 || days > DAYS_MAX)
		return W_WRONG_DAYS;
	wish->life_s = (int64_t)days * CLOCK_DAY_S;
	return request_reason(rq, &wish->reason);
}

/* The page again: WRONG in the user's language, or else WHY, in English. */
static void
refuse(const struct console *c, const struct request *rq, const struct incident *in, enum word_id wrong, const struct buf *why,
    struct answer *a)
{
	struct buf html;

	buf_init(&html, ANSWER_MAX);
	if (wrong != WORDS || why->len == 0)
		html_word(&html, rq, wrong != WORDS ? wrong : W_WRONG_UNKNOWN);
	else
		html_english(&html, rq, buf_slice(why), HTML_LONG);
	a->status = wrong != WORDS ? STATUS_BAD : STATUS_CONFLICT;
	incident_write(c, rq, in, buf_slice(&html), a);
	buf_fini(&html);
}

void
page_except(struct console *c, const struct request *rq, struct answer *a)
{
	struct console_wish wish = { .by = rq->session->user.name };
	enum console_done done = CONSOLE_REFUSED;
	struct incident in;
	enum word_id wrong;
	struct buf why;

	buf_init(&why, WHY_MAX);
	if (incident_find(c, rq, &rq->fields, &in, a) == 0) {
		wish.event = in.event;
		if ((wrong = read_wish(rq, &wish)) == WORDS)
			done = c->o->except(c->o->arg, &wish, &why);
		if (done == CONSOLE_REFUSED)
			refuse(c, rq, &in, wrong, &why, a);
		else
			answer_go(a, "/incident?id=%s&done=%s", in.id, done == CONSOLE_LIVE ? "live" : "unconfirmed");
	}
	json_decref(in.event);
	buf_fini(&why);
}
