#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "console/html.h"
#include "console/part.h"
#include "eventstore/reveal.h"
#include "runtime/private_folder.h"
#include "runtime/pseudonym_keys.h"
#include "runtime/state.h"

/* Each try is an event: a user has TRIES at once, and then one more in each INTERVAL_MS. */
enum { TRIES = 20, INTERVAL_MS = 10 * 1000, REQUESTS_SHOWN = 100, MS_PER_S = 1000, ROWS_MAX_BYTES = 64 << 10 };

#define BY_HEAD	"console="

/* A user of the console and what he does about pseudonyms. */
struct deal {
	struct console		*c;
	const struct request	*rq;
	struct answer		*a;
	struct reveal		 r;
	struct diag		 diag;
	size_t			 n;		/* requests */
	char			 by[sizeof(BY_HEAD) + USER_NAME_MAX];
	char			 log[STATE_PATH];	/* where it is recorded: nobody chooses that */
};

static const char *
word(const struct deal *d, enum word_id id)
{
	return d->rq->words->text[id];
}

static int
write_trail(void *arg, struct slice line)
{
	const struct deal *d = arg;

	return d->c->o->trail(d->c->o->arg, d->r.now_ms, d->by, line);
}

/* ---- what went wrong ---- */

static void
begin_page(const struct deal *d, unsigned status, enum word_id title, const char *path)
{
	buf_reset(&d->a->body);
	d->a->status = status;
	html_begin(&d->a->body, d->rq, word(d, title), path);
}

/* The end of a page that was posted for. */
static void
end_page(const struct deal *d, const char *path, enum word_id link)
{
	struct buf *out = &d->a->body;
	char id[INCIDENT_LEN + 1];

	buf_add_strs(out, "<p class=\"pages\"><a href=\"", path, NULL);
	if (link == W_TO_INCIDENT && incident_parse(form_get(&d->rq->fields, "id"), id) == INCIDENT_OK)
		buf_add_strs(out, "?id=", id, NULL);
	buf_add_strs(out, "\">", word(d, link), "</a></p>\n", NULL);
	html_end(out, d->rq, path);
}

/* What the reveal's own words are, and what to do when it is the keys. */
static void
say_failure(const struct deal *d, unsigned status, enum word_id title, const char *path)
{
	begin_page(d, status, title, path);
	buf_add_str(&d->a->body, "<p class=\"say bad\" role=\"alert\">");
	html_english(&d->a->body, d->rq, slice_str(diag_first_error(&d->diag)), HTML_LONG);
	buf_add_str(&d->a->body, "</p>\n");
}

/* The keys, or what lies beside them: when all of that is closed to this process, it runs as the wrong user. */
static void
fail_private(const struct deal *d, enum word_id title, const char *path, enum word_id link)
{
	int dir = private_open(d->c->o->state, false);
	bool closed = dir == -1 && errno != ENOENT;

	if (dir != -1)
		close(dir);
	say_failure(d, STATUS_TROUBLE, title, path);
	if (closed)
		html_note(&d->a->body, d->rq, NULL, W_KEYS_UNREADABLE);
	diag_print(&d->diag, stderr);
	end_page(d, path, link);
}

/* ---- before anything ---- */

/* -1 after answering: this site's options cannot be read, or he asks too often. */
static int
begin(struct deal *d, struct console *c, const struct request *rq, struct answer *a)
{
	char key[sizeof("r:") + USER_NAME_MAX];

	*d = (struct deal){ .c = c, .rq = rq, .a = a };
	snprintf(d->by, sizeof(d->by), BY_HEAD "%s", rq->session->user.name);
	snprintf(key, sizeof(key), "r:%s", rq->session->user.name);
	if (rq->is_post && limits_take(c->limits, slice_str(key), TRIES, INTERVAL_MS, rq->tick_ms) > 0) {
		answer_message(rq, a, STATUS_TOO_MANY, W_TROUBLE, W_TOO_FAST);
		return -1;
	}
	d->r = (struct reveal){ .state = c->o->state, .log = d->log, .now_ms = rq->now_ms, .by = d->by, .audit = write_trail, .arg = d };
	if (state_path(c->o->state, STATE_EVENTS, d->log) == 0 && reveal_take_site(&d->r, &d->diag) == 0)
		return 0;
	answer_trouble(rq, a, W_RULES_UNREADABLE, &d->diag);
	return -1;
}

static void
end(struct deal *d)
{
	diag_fini(&d->diag);
}

/* ---- asking ---- */

struct shown {
	const struct deal	*d;
	struct buf		 rows;
};

static void
show(void *arg, struct slice token, enum pseudonym_opened result, enum pseudonym_kind kind, struct slice name)
{
	static const enum word_id words[PSEUDONYM_KINDS] = { [PSEUDONYM_USER] = W_USER, [PSEUDONYM_CLIENT] = W_CLIENT,
		[PSEUDONYM_MAIL] = W_MAIL };
	struct shown *s = arg;

	html_dt(&s->rows, s->d->rq, words[kind]);
	if (result == PSEUDONYM_OPENED) {
		buf_add_str(&s->rows, "<strong>");
		html_text(&s->rows, name, HTML_LONG);
		buf_add_str(&s->rows, "</strong>");
	} else
		html_english(&s->rows, s->d->rq, slice_str(pseudonym_opened_text(result)), HTML_LONG);
	html_dd_end(&s->rows);
	html_row(&s->rows, s->d->rq, W_PSEUDONYM, token);
}

static void
write_shown(const struct deal *d, const struct shown *s, const char id[static INCIDENT_LEN + 1])
{
	struct buf *out = &d->a->body, link;

	begin_page(d, STATUS_OK, W_WHO_IT_WAS, "/incident");
	buf_add_str(out, "<dl>\n");
	buf_add_slice(out, buf_slice(&s->rows));
	buf_add_str(out, "</dl>\n<p>");
	buf_init(&link, HTML_LONG);
	html_incident_link(&link, id);
	words_say(out, d->rq->words, W_REVEALED_NOTE, link.failed ? id : link.p, NULL);
	buf_fini(&link);
	buf_add_str(out, "</p>\n");
	end_page(d, "/incident", W_TO_INCIDENT);
}

static void
take_token(const json_t *event, const char *path, char store[static EVENT_NUMBER], struct reveal_subject *s)
{
	if (event_is_pseudonym(event, path))
		s->tokens[s->n++] = event_text(event, path, store);
}

/* The keys are there. */
static void
ask(struct deal *d, const struct incident *in, struct slice reason)
{
	char store[2][EVENT_NUMBER], id[INCIDENT_LEN + 1] = "";
	struct reveal_subject s = { .about = slice_str(in->id) };
	struct shown shown = { .d = d };

	take_token(in->event, "user.name", store[0], &s);
	take_token(in->event, "client.ip", store[1], &s);
	buf_init(&shown.rows, ROWS_MAX_BYTES);
	switch (reveal_ask(&d->r, &s, reason, show, &shown, id, &d->diag)) {
	case REVEAL_SHOWN:
		write_shown(d, &shown, id);
		break;
	case REVEAL_WAITS:
	case REVEAL_DONE:
		answer_go(d->a, "/reveals?done=waits");
		break;
	case REVEAL_REFUSED:
		say_failure(d, STATUS_CONFLICT, W_NOT_SHOWN, "/incident");
		end_page(d, "/incident", W_TO_INCIDENT);
		break;
	case REVEAL_TROUBLE:
		diag_print(&d->diag, stderr);
		say_failure(d, STATUS_TROUBLE, W_NOT_SHOWN, "/incident");
		end_page(d, "/incident", W_TO_INCIDENT);
	}
	if (shown.rows.p != NULL)
		explicit_bzero(shown.rows.p, shown.rows.cap);
	buf_fini(&shown.rows);
}

void
page_reveal(struct console *c, const struct request *rq, struct answer *a)
{
	struct pseudonyms *keys = NULL;
	struct slice reason;
	struct incident in;
	enum word_id wrong;
	struct deal d;
	bool absent;

	if (incident_find(c, rq, &rq->fields, &in, a) == 0) {
		if ((wrong = request_reason(rq, &reason)) != WORDS) {
			a->status = STATUS_BAD;
			incident_write(c, rq, &in, slice_str(rq->words->text[wrong]), a);
		} else if (begin(&d, c, rq, a) == -1)
			end(&d);
		else {
			d.r.keys = keys = pseudonym_keys_load(c->o->state, &absent, &d.diag);
			if (keys == NULL)
				fail_private(&d, W_NOT_SHOWN, "/incident", W_TO_INCIDENT);
			else
				ask(&d, &in, reason);
			pseudonyms_free(keys);
			end(&d);
		}
	}
	json_decref(in.event);
}

/* ---- the requests ---- */

/* "ann" of "console=ann"; who came by the command is told with that. */
static void
add_person(const struct deal *d, struct buf *out, const char *by)
{
	struct slice text = slice_str(by);
	bool is_ours = slice_starts(text, SLICE(BY_HEAD));
	struct buf who;

	buf_init(&who, HTML_LONG);
	html_text(&who, is_ours ? slice_skip(text, strlen(BY_HEAD)) : text, HTML_SHORT);
	if (is_ours)
		buf_add_slice(out, buf_slice(&who));
	else
		words_say(out, d->rq->words, W_BY_COMMAND, who.failed ? "?" : who.p, NULL);
	buf_fini(&who);
}

/* The text ID with PERSON in it. */
static void
say_person(const struct deal *d, enum word_id id, const char *by)
{
	struct buf who;

	buf_init(&who, HTML_LONG);
	add_person(d, &who, by);
	words_say(&d->a->body, d->rq->words, id, who.failed ? "?" : who.p, NULL);
	buf_fini(&who);
}

static void
write_head(const struct deal *d, const struct reveal_request *q)
{
	struct buf *out = &d->a->body;
	char id[INCIDENT_LEN + 1], time[HTML_TIME];

	buf_add_str(out, "<div>");
	if (incident_parse(slice_str(q->about), id) == INCIDENT_OK)
		html_incident_link(out, id);
	else
		html_search_link(out, NULL, slice_str(q->about));
	buf_add_str(out, "</div>\n");
	/* Whose names are shown: the incident is only where it was asked. */
	for (size_t i = 0; i < q->n; i++) {
		buf_add_str(out, "<div>");
		html_search_link(out, NULL, q->tokens[i]);
		buf_add_str(out, "</div>\n");
	}
	buf_addf(out, "<div class=\"meta\"><span class=\"tag %s\">", q->approved_by != NULL ? "good" : "mid");
	if (q->approved_by != NULL)
		say_person(d, W_REQUEST_APPROVED, q->approved_by);
	else
		html_word(out, d->rq, W_REQUEST_WAITS);
	buf_add_str(out, "</span><span>");
	say_person(d, W_REQUEST_BY, q->by);
	buf_add_strs(out, "</span><span>", html_time(q->made_ms / MS_PER_S, time), "</span><span>", NULL);
	words_say(out, d->rq->words, W_UNTIL, html_time(q->ends_ms / MS_PER_S, time), NULL);
	buf_add_strs(out, "</span></div>\n<p>", word(d, W_WHY), word(d, W_COLON), " ", NULL);
	html_text(out, slice_str(q->reason), HTML_SHORT * 2);
	buf_add_str(out, "</p>\n");
}

/* What he can do about it.  Nobody approves his own, nor what came another way: eventstore/reveal.c sees to that whatever is
 * sent. */
static void
write_choice(const struct deal *d, const struct reveal_request *q)
{
	struct buf *out = &d->a->body;
	bool own = strcmp(q->by, d->by) == 0, ours = slice_starts(slice_str(q->by), SLICE(BY_HEAD));
	bool can_approve = !own && ours && q->approved_by == NULL;

	if (own)
		html_note(out, d->rq, NULL, q->approved_by != NULL ? W_REQUEST_READY : W_REQUEST_OWN);
	else if (!ours && q->approved_by == NULL)
		html_note(out, d->rq, NULL, W_REQUEST_OTHER_WAY);
	buf_add_str(out, "<form method=\"post\" action=\"/reveals\" autocomplete=\"off\">");
	html_token(out, d->rq->session->csrf);
	buf_add_strs(out, "<input type=\"hidden\" name=\"id\" value=\"", q->id, "\">\n<div class=\"field\"><label for=\"why-", q->id,
	    "\">", word(d, W_WHY_OR_NOT), "</label><input id=\"why-", q->id, "\" name=\"reason\"", NULL);
	buf_addf(out, " maxlength=\"%d\"></div>\n<div class=\"two\">", REASON_MAX);
	if (can_approve)
		buf_add_strs(out, "<button name=\"do\" value=\"approve\">", word(d, W_APPROVE), "</button>", NULL);
	buf_add_strs(out, "<button class=\"second\" name=\"do\" value=\"deny\">", word(d, own ? W_TAKE_BACK : W_DENY),
	    "</button></div></form>", NULL);
}

/* An id stands in attributes: the file is the service's own, but what is none is not shown. */
static void
write_request(void *arg, const struct reveal_request *q)
{
	struct deal *d = arg;
	char id[INCIDENT_LEN + 1];

	if (incident_parse(slice_str(q->id), id) != INCIDENT_OK || strcmp(id, q->id) != 0 || d->n++ >= REQUESTS_SHOWN)
		return;
	buf_add_str(&d->a->body, d->n == 1 ? "<ul class=\"list\">\n<li>" : "<li>");
	write_head(d, q);
	write_choice(d, q);
	buf_add_str(&d->a->body, "</li>\n");
}

static void
write_done(const struct deal *d)
{
	static const struct { struct slice done; enum word_id text; } rows[] = { { SLICE("waits"), W_DONE_WAITS },
		{ SLICE("approved"), W_DONE_APPROVED }, { SLICE("denied"), W_DONE_DENIED } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (slice_eq(form_get(&d->rq->query, "done"), rows[i].done))
			buf_add_strs(&d->a->body, "<p class=\"say good\" role=\"status\">", word(d, rows[i].text), "</p>\n", NULL);
}

void
page_reveals(struct console *c, const struct request *rq, struct answer *a)
{
	struct deal d;

	if (begin(&d, c, rq, a) == -1) {
		end(&d);
		return;
	}
	begin_page(&d, STATUS_OK, W_NAV_REVEALS, "/reveals");
	write_done(&d);
	html_note(&a->body, rq, NULL, d.r.second ? W_REVEALS_HELP : W_REVEALS_ALONE);
	if (reveal_list(&d.r, write_request, &d, &d.diag) == -1)
		fail_private(&d, W_NAV_REVEALS, "/reveals", W_TO_REVEALS);
	else {
		if (d.n == 0)
			html_note(&a->body, rq, NULL, W_REVEALS_NONE);
		else
			buf_add_str(&a->body, "</ul>\n");
		if (d.n > REQUESTS_SHOWN)
			html_note_number(&a->body, rq, NULL, W_LIST_CUT, d.n);
		html_end(&a->body, rq, "/reveals");
	}
	end(&d);
}

/* ---- deciding ---- */

static void
decide(struct deal *d, const char id[static INCIDENT_LEN + 1], bool approve, struct slice reason)
{
	switch (reveal_decide(&d->r, id, approve, reason, &d->diag)) {
	case REVEAL_DONE:
	case REVEAL_SHOWN:
	case REVEAL_WAITS:
		answer_go(d->a, "/reveals?done=%s", approve ? "approved" : "denied");
		break;
	case REVEAL_REFUSED:
		say_failure(d, STATUS_CONFLICT, W_NOT_DECIDED, "/reveals");
		end_page(d, "/reveals", W_TO_REVEALS);
		break;
	case REVEAL_TROUBLE:
		fail_private(d, W_NOT_DECIDED, "/reveals", W_TO_REVEALS);
	}
}

void
page_decide(struct console *c, const struct request *rq, struct answer *a)
{
	struct slice what = form_get(&rq->fields, "do"), reason;
	bool approve = slice_eq(what, SLICE("approve"));
	enum word_id wrong = request_reason(rq, &reason);
	char id[INCIDENT_LEN + 1];
	struct deal d;

	if (incident_parse(form_get(&rq->fields, "id"), id) != INCIDENT_OK)
		answer_message(rq, a, STATUS_BAD, W_MISTYPED, W_NO_NUMBER);
	else if (reason.len > 0 && wrong != WORDS)
		answer_message(rq, a, STATUS_BAD, W_NOT_DECIDED, wrong);
	else if (!approve && !slice_eq(what, SLICE("deny")))
		answer_message(rq, a, STATUS_BAD, W_NOT_UNDERSTOOD, W_BAD_REQUEST);
	else {
		if (begin(&d, c, rq, a) == 0)
			decide(&d, id, approve, reason);
		end(&d);
	}
}
