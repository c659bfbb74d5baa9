#include <stdio.h>

#include "alerts/alert.h"
#include "base/clock.h"
#include "console/html.h"
#include "console/part.h"
#include "console/rows.h"
#include "ruleset/exception_list.h"
#include "ruleset/overview.h"

enum { DAYS_DEFAULT = 7, DAYS_MAX = 90, REASON_MAX = 400, WHY_MAX = 16 << 10, CLIENTS_SHOWN = 10, MS_PER_S = 1000 };

struct incident {
	char		 id[INCIDENT_LEN + 1];
	json_t		*event;
	struct eventstore *store;
};

/* ---- finding it ---- */

/* The incident of the field "id" in FORM.  -1 after answering why there is none. */
static int
find(struct console *c, const struct request *rq, const struct form *form, struct incident *in, struct answer *a)
{
	struct diag diag = { 0 };
	struct buf line;
	bool partial;
	int r;

	*in = (struct incident){ 0 };
	if (incident_parse(form_get(form, "id"), in->id) != INCIDENT_OK) {
		answer_message(rq, a, STATUS_NOT_FOUND, "Mistyped", SLICE("This is no incident number, or there is a mistake in it."));
		return -1;
	}
	if ((in->store = console_store(c, rq, a, &partial)) == NULL)
		return -1;
	buf_init(&line, EVENT_LINE_MAX);
	if ((r = eventstore_find(in->store, in->id, &line, &diag)) == 0)
		in->event = json_loadb(line.p, line.len, JSON_REJECT_DUPLICATES, NULL);
	if (r == -1)
		answer_message(rq, a, STATUS_TROUBLE, "The event log cannot be read", slice_str(diag_first_error(&diag)));
	else if (!json_is_object(in->event))
		answer_message(rq, a, STATUS_NOT_FOUND, "Not there", SLICE("There is no such incident in this log; another proxy may have it."));
	buf_fini(&line);
	diag_fini(&diag);
	return json_is_object(in->event) ? 0 : -1;
}

/* ---- showing it ---- */

static void
row(struct buf *out, const json_t *event, const char *term, const char *path, const char *after)
{
	char store[EVENT_NUMBER];

	html_row(out, term, event_text(event, path, store), after);
}

static void
search_row(struct buf *out, const json_t *event, const char *term, const char *as, const char *path)
{
	char store[EVENT_NUMBER];

	html_search_row(out, term, as, event_text(event, path, store));
}

static void
write_what(struct buf *out, const struct incident *in)
{
	char store[EVENT_NUMBER], provider[EVENT_NUMBER], shown[INCIDENT_SHOWN + 1];
	struct slice action = event_text(in->event, "event.action", store);
	bool upload = slice_eq(event_text(in->event, "event.provider", provider), SLICE("reqmod"));

	incident_show(in->id, shown);
	buf_add_strs(out, "<p class=\"id\">", shown, "</p>\n<p class=\"say ", rows_action_class(action), "\"><strong>", NULL);
	html_text(out, action, HTML_SHORT);
	buf_add_strs(out, "</strong>: ", event_action_words(action, upload), "</p>\n<dl>\n<dt>When</dt><dd>", NULL);
	html_time(out, incident_ms(in->id) / MS_PER_S);
	buf_add_str(out, "</dd>\n");
	row(out, in->event, "Why", "message", "");
	search_row(out, in->event, "User", "user", "user.name");
	search_row(out, in->event, "Client", "client", "client.ip");
	search_row(out, in->event, "Host", "host", "url.domain");
	row(out, in->event, "URL", "url.original", "");
	row(out, in->event, "Method", "http.request.method", "");
	row(out, in->event, "File", "file.name", "");
	row(out, in->event, "Found as", "file.path", "");
	row(out, in->event, "Size", "file.size", " bytes");
	row(out, in->event, "Delivered", "firebreak.delivered", " bytes before it was stopped");
	search_row(out, in->event, "MD5", NULL, "file.hash.md5");
	search_row(out, in->event, "SHA-1", NULL, "file.hash.sha1");
	search_row(out, in->event, "SHA-256", NULL, "file.hash.sha256");
	row(out, in->event, "Mode", "firebreak.mode", ": nothing was refused at that time");
	buf_add_str(out, "</dl>\n");
}

static void
write_alert(const struct console *c, struct buf *out, const json_t *event)
{
	char store[EVENT_NUMBER];
	struct slice id = event_text(event, "firebreak.alert", store);
	struct alert *alert;

	if (id.len == 0)
		return;
	html_search_row(out, "Alert", "alert", id);
	if ((alert = alert_load(c->o->state, id)) == NULL)
		return;
	html_row(out, "Its title", slice_str(alert->title), "");
	buf_addf(out, "<dt>Its version</dt><dd>%u", alert->version);
	if (alert->last_published != 0) {
		buf_add_str(out, ", published ");
		html_time(out, alert->last_published);
	}
	buf_add_str(out, "</dd>\n");
	alert_free(alert);
}

static void
write_rule(const struct console *c, struct buf *out, const json_t *event)
{
	char store[EVENT_NUMBER];

	if (event_text(event, "rule.id", store).len == 0)
		return;
	buf_add_str(out, "<h2>The rule</h2>\n<dl>\n");
	search_row(out, event, "Rule", "rule", "rule.id");
	row(out, event, "Revision", "rule.version", "");
	row(out, event, "Source", "rule.ruleset", "");
	row(out, event, "Level", "firebreak.level", "");
	row(out, event, "Reason", "event.reason", "");
	row(out, event, "Generation", "firebreak.generation", "");
	write_alert(c, out, event);
	buf_add_str(out, "</dl>\n");
}

static void
add_step(struct buf *out, struct slice text)
{
	buf_add_str(out, "<li>");
	html_text(out, text, HTML_LONG);
	buf_add_str(out, "</li>\n");
}

/* The log has them as a list, or as lines of one text. */
static void
write_steps(struct buf *out, const json_t *event)
{
	const json_t *steps = event_at(event, "firebreak.steps");
	struct slice text = { 0 }, line;

	if (json_is_string(steps))
		text = slice_make(json_string_value(steps), json_string_length(steps));
	if (text.len == 0 && json_array_size(steps) == 0)
		return;
	buf_add_str(out, "<h2>Step by step</h2>\n<ol>\n");
	while (text.len > 0) {
		slice_cut(text, '\n', &line, &text);
		add_step(out, line);
	}
	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);

		add_step(out, slice_make(json_string_value(step), json_string_length(step)));
	}
	buf_add_str(out, "</ol>\n");
}

/* ---- who else ---- */

struct others {
	struct buf	*out;
	size_t		 n;
};

static int
count_all(void *arg, const struct event_count *count)
{
	struct others *o = arg;

	buf_addf(o->out, "<p>%llu event%s of this rule, from %llu client%s, the first ", (unsigned long long)count->n,
	    count->n == 1 ? "" : "s", (unsigned long long)count->clients, count->clients == 1 ? "" : "s");
	html_time(o->out, count->first_ms / MS_PER_S);
	buf_add_str(o->out, ", the last ");
	html_time(o->out, count->last_ms / MS_PER_S);
	buf_add_str(o->out, ".</p>\n");
	return 0;
}

static int
count_client(void *arg, const struct event_count *count)
{
	struct others *o = arg;

	if (o->n++ == CLIENTS_SHOWN)
		return 1;
	buf_add_str(o->out, "<li>");
	html_search_link(o->out, "client", count->word);
	buf_addf(o->out, ": %llu</li>\n", (unsigned long long)count->n);
	return 0;
}

static void
write_others(struct buf *out, const struct incident *in)
{
	char store[EVENT_NUMBER];
	struct event_query q = { .exact = true, .words[EVENT_WORD_RULE] = event_text(in->event, "rule.id", store) };
	struct others o = { .out = out };

	if (q.words[EVENT_WORD_RULE].len == 0)
		return;
	buf_add_str(out, "<h2>Who else met it</h2>\n");
	eventstore_count(in->store, &q, EVENT_WORD_RULE, count_all, &o, NULL);
	buf_add_str(out, "<ul>\n");
	eventstore_count(in->store, &q, EVENT_WORD_CLIENT, count_client, &o, NULL);
	buf_add_str(out, "</ul>\n");
	if (o.n > CLIENTS_SHOWN)
		buf_add_str(out, "<p>These are the clients that met it most often.</p>\n");
}

/* ---- exceptions ---- */

/* What asked, and by which revision of which rule it was met. */
struct met {
	struct buf	*out;
	struct slice	 id;
	uint32_t	 rev;
	struct asker	 asker;
	bool		 passes;	/* now */
};

static void
write_exception(void *arg, const struct rule *rule, enum exception_state state)
{
	struct met *m = arg;
	char why[RULE_WHY], host[HOST_MAX + 1];
	struct source_line line;
	struct exception e;

	source_line_init(&line);
	if (exception_parse(rule->key.path, &line, host, &e, why) == 0 && slice_eq(e.id, m->id) &&
	    exception_holds(&e, m->rev, &m->asker)) {
		bool holds = state == EXCEPTION_HOLDS;

		m->passes |= holds;
		buf_add_strs(m->out, "<p class=\"say ", holds ? "good\">An exception lets this through until " :
		    "mid\">There is an exception that does nothing any more (", holds ? "" : exception_state_text(state),
		    holds ? "" : "), until ", NULL);
		html_time(m->out, rule->expires);
		buf_add_str(m->out, ": ");
		html_text(m->out, rule->note, REASON_MAX);
		buf_add_str(m->out, "</p>\n");
	}
	source_line_fini(&line);
}

/* The exceptions that are for this very request.  They are told apart, which takes a look at all rules, only when there is one.
 * Whether the request would pass by one now. */
static bool
write_exceptions(const struct console *c, struct buf *out, const struct request *rq, const json_t *event)
{
	char id_store[EVENT_NUMBER], rev_store[EVENT_NUMBER], store[3][EVENT_NUMBER];
	struct met m = { .out = out, .id = event_text(event, "rule.id", id_store), .asker = {
		.client = event_text(event, "client.ip", store[0]), .user = event_text(event, "user.name", store[1]),
		.host = event_text(event, "url.domain", store[2]) } };
	struct exception_match match;
	struct diag diag = { 0 };
	struct generation *g;
	bool damaged = false;
	uint64_t rev;

	if (m.id.len == 0 || slice_u64(event_text(event, "rule.version", rev_store), &rev) == -1 || rev > UINT32_MAX)
		return false;
	m.rev = (uint32_t)rev;
	if ((g = overview_generation(c->o->state, false, &diag)) != NULL &&
	    generation_match_exceptions(g, m.id, m.rev, &m.asker, INT64_MIN, &match, 1) > 0)
		exception_list(g, rq->now_ms / MS_PER_S, write_exception, &m, &damaged);
	generation_close(g);
	diag_fini(&diag);
	return m.passes;
}

static void
write_form(struct buf *out, const struct request *rq, const struct incident *in)
{
	char rule[EVENT_NUMBER], user_store[EVENT_NUMBER], client[EVENT_NUMBER];
	struct slice user = event_text(in->event, "user.name", user_store);

	if (event_text(in->event, "rule.id", rule).len == 0)
		return;
	buf_add_str(out, "<h2>Let it through</h2>\n");
	if (rq->session->user.role < ROLE_DECIDE) {
		buf_add_str(out, "<p>Your role may look, but not decide.</p>\n");
		return;
	}
	buf_add_strs(out, "<p>", user.len > 0 ? "The user " : "The client ", "<strong>", NULL);
	html_text(out, user.len > 0 ? user : event_text(in->event, "client.ip", client), HTML_SHORT);
	buf_add_str(out, "</strong> gets through this rule, as it is now, to this host.  Everybody else is refused as before.</p>\n"
	    "<form method=\"post\" action=\"/except\">");
	html_token(out, rq->session->csrf);
	buf_add_strs(out, "<input type=\"hidden\" name=\"id\" value=\"", in->id, "\">\n"
	    "<div class=\"field\"><label for=\"days\">For how many days</label>"
	    "<input id=\"days\" name=\"days\" type=\"number\" min=\"1\" ",
	    NULL);
	buf_addf(out, "max=\"%d\" value=\"%d\" required></div>\n<div class=\"field\"><label for=\"reason\">Why</label>"
	    "<input id=\"reason\" name=\"reason\" maxlength=\"%d\" required aria-describedby=\"reason-help\">"
	    "<small id=\"reason-help\">Whoever asks later reads it: a ticket, a name.</small></div>\n"
	    "<button>Let through</button></form>\n", DAYS_MAX, DAYS_DEFAULT, REASON_MAX);
}

/* What became of a form: DONE is the page's own word for it. */
static void
write_done(struct buf *out, struct slice done, bool passes)
{
	if (done.len > 0 && !passes)
		buf_add_str(out, "<p class=\"say mid\" role=\"status\">The exception was made, but does nothing: the rule has changed since "
		    "this incident.  Please look at a newer one.</p>\n");
	else if (slice_eq(done, SLICE("live")))
		buf_add_str(out, "<p class=\"say good\" role=\"status\">Done.  The user may try again now.</p>\n");
	else if (slice_eq(done, SLICE("unconfirmed")))
		buf_add_str(out, "<p class=\"say mid\" role=\"status\">Done, but some worker has not confirmed it yet.</p>\n");
}

/* WRONG: what the form was refused for; empty. */
static void
write_page(const struct console *c, const struct request *rq, const struct incident *in, struct slice wrong, struct answer *a)
{
	struct buf *out = &a->body, exceptions;

	html_begin(out, "Incident", "/incident", rq->session);
	if (wrong.len > 0) {
		buf_add_str(out, "<p class=\"say bad\" role=\"alert\">Nothing was changed: ");
		html_text(out, wrong, HTML_LONG);
		buf_add_str(out, "</p>\n");
	}
	buf_init(&exceptions, ANSWER_MAX);
	write_done(out, form_get(&rq->query, "done"), write_exceptions(c, &exceptions, rq, in->event));
	write_what(out, in);
	buf_add_slice(out, buf_slice(&exceptions));
	buf_fini(&exceptions);
	write_rule(c, out, in->event);
	write_steps(out, in->event);
	write_form(out, rq, in);
	write_others(out, in);
	html_end(out);
}

void
page_incident(struct console *c, const struct request *rq, struct answer *a)
{
	struct incident in;

	if (find(c, rq, &rq->query, &in, a) == 0)
		write_page(c, rq, &in, (struct slice){ 0 }, a);
	json_decref(in.event);
}

/* ---- deciding ---- */

/* What is wrong with the form, or NULL. */
static const char *
read_wish(const struct request *rq, struct console_wish *wish)
{
	uint64_t days;

	if (slice_u64(form_get(&rq->fields, "days"), &days) == -1 || days < 1 || days > DAYS_MAX)
		return "it is for 1 to 90 days";
	wish->life_s = (int64_t)days * CLOCK_DAY_S;
	wish->reason = slice_trim(form_get(&rq->fields, "reason"));
	if (wish->reason.len == 0 || wish->reason.len > REASON_MAX)
		return "there has to be a reason, of 400 bytes at most";
	for (struct slice rest = wish->reason; rest.len > 0;) {
		size_t n = utf8_sequence(rest);

		if (n == 0 || utf8_misleads(rest, n))
			return "a reason is one line of text that can be read";
		rest = slice_skip(rest, n);
	}
	return NULL;
}

void
page_except(struct console *c, const struct request *rq, struct answer *a)
{
	struct console_wish wish = { .by = rq->session->user.name };
	enum console_done done = CONSOLE_REFUSED;
	struct incident in;
	const char *wrong;
	struct buf why;

	buf_init(&why, WHY_MAX);
	if (find(c, rq, &rq->fields, &in, a) == 0) {
		wish.event = in.event;
		if ((wrong = read_wish(rq, &wish)) != NULL)
			buf_add_str(&why, wrong);
		else
			done = c->o->except(c->o->arg, &wish, &why);
		if (done == CONSOLE_REFUSED) {
			a->status = wrong != NULL ? STATUS_BAD : STATUS_CONFLICT;
			write_page(c, rq, &in, why.len > 0 ? buf_slice(&why) : SLICE("it could not be done"), a);
		} else
			answer_go(a, "/incident?id=%s&done=%s", in.id, done == CONSOLE_LIVE ? "live" : "unconfirmed");
	}
	json_decref(in.event);
	buf_fini(&why);
}
