#include "console/html.h"
#include "console/part.h"
#include "console/rows.h"

enum { TYPED_MAX = 2048 };

static void
write_box(struct buf *out, const struct request *rq, struct slice typed)
{
	const char *what = rq->words->text[W_SEARCH_WHAT];

	buf_add_strs(out, "<form role=\"search\" action=\"/\"><label for=\"q\">", what, "</label>\n<div class=\"search\">"
	    "<input id=\"q\" name=\"q\" type=\"search\" maxlength=\"2048\" value=\"", NULL);
	/* As it was typed: html_text() would show what cannot be seen, and search for that the next time. */
	buf_add_html(out, typed);
	buf_add_strs(out, "\"", typed.len == 0 ? " autofocus" : "", "><button>", rq->words->text[W_SEARCH],
	    "</button></div></form>\n", NULL);
}

/* The column that the field "as" names, by which links search; -1: what was typed says what it is. */
static int
column_of(const struct request *rq)
{
	struct slice as = form_get(&rq->query, "as");

	for (int w = 0; w < EVENT_WORDS; w++)
		if (slice_eq(as, slice_str(event_word_name((enum event_word)w))))
			return w;
	return -1;
}

static void
write_end(struct buf *out, const struct request *rq, struct slice typed, int column, const struct rows *rows)
{
	if (rows->n == 0) {
		html_note(out, rq, NULL, W_NONE_FOUND);
		return;
	}
	if (rows->n < ROWS_MAX)
		return;
	buf_add_str(out, "<p class=\"pages\"><a href=\"/?q=");
	form_add_value(out, typed);
	if (column != -1)
		buf_add_strs(out, "&amp;as=", event_word_name((enum event_word)column), NULL);
	/* What is of the same millisecond may be shown twice, and is never left out. */
	buf_addf(out, "&amp;before=%lld\">%s</a></p>\n", (long long)rows->oldest_ms + 1, rq->words->text[W_OLDER]);
}

/* An incident number with a typing error is said to be one: it is not just not there. */
static void
write_mistyped(struct buf *out, const struct request *rq, struct slice typed)
{
	char id[INCIDENT_LEN + 1];

	if (incident_parse(typed, id) == INCIDENT_CHECK)
		html_note(out, rq, "say mid", W_MAYBE_MISTYPED);
}

static void
write_page(struct eventstore *s, const struct request *rq, struct slice typed, bool partial, struct answer *a)
{
	struct event_query q = { .newest = ROWS_MAX };
	struct diag diag = { 0 };
	struct rows rows;
	int column = column_of(rq);
	uint64_t before = 0;

	if (typed.len > 0 && column != -1) {
		q.words[column] = typed;
		q.exact = true;
	} else if (typed.len > 0)
		event_query_take(&q, typed);
	if (slice_u64(form_get(&rq->query, "before"), &before) == 0 && before < INT64_MAX)
		q.to_ms = (int64_t)before;
	html_begin(&a->body, rq, rq->words->text[W_NAV_SEARCH], "/");
	write_box(&a->body, rq, typed);
	if (partial)
		html_note(&a->body, rq, "say mid", W_LOG_PARTIAL);
	if (typed.len > 0 && column == -1)
		write_mistyped(&a->body, rq, typed);
	html_heading(&a->body, rq, typed.len > 0 ? W_FOUND : W_NEWEST);
	if (rows_write(s, &q, rq, &a->body, &rows, &diag) == -1)
		answer_trouble(rq, a, W_LOG_UNREADABLE, &diag);
	else if (q.id.len > 0 && rows.n == 1)
		answer_go(a, "/incident?id=%s", rows.only);
	else {
		write_end(&a->body, rq, typed, column, &rows);
		html_end(&a->body, rq, "/");
	}
	diag_fini(&diag);
}

void
page_search(struct console *c, const struct request *rq, struct answer *a)
{
	struct slice typed = slice_trim(form_get(&rq->query, "q"));
	struct eventstore *s;
	bool partial;

	if (typed.len > TYPED_MAX) {
		answer_message(rq, a, STATUS_BAD, W_TOO_LONG, W_SEARCH_TOO_LONG);
		return;
	}
	if ((s = console_store(c, rq, a, &partial)) != NULL)
		write_page(s, rq, typed, partial, a);
}
