#include "console/html.h"
#include "console/part.h"
#include "console/rows.h"

enum { TYPED_MAX = 2048 };

static void
write_box(struct buf *out, struct slice typed)
{
	buf_add_str(out, "<form class=\"search\" role=\"search\" action=\"/\"><input name=\"q\" type=\"search\" maxlength=\"2048\" "
	    "aria-label=\"Incident, host, URL, user, client or digest\" placeholder=\"Incident, host, URL, user, client, digest\" "
	    "value=\"");
	/* As it was typed: html_text() would show what cannot be seen, and search for that the next time. */
	buf_add_html(out, typed);
	buf_add_strs(out, "\"", typed.len == 0 ? " autofocus" : "", "><button>Search</button></form>\n", NULL);
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
write_end(struct buf *out, struct slice typed, int column, const struct rows *rows)
{
	if (rows->n == 0) {
		buf_add_str(out, "<p>There is no such event in this log.  Another proxy may have it; a * stands for any text, and a dot "
		    "before a host for all below it.</p>\n");
		return;
	}
	if (rows->n < ROWS_MAX)
		return;
	buf_add_str(out, "<p class=\"pages\"><a href=\"/?q=");
	form_add_value(out, typed);
	if (column != -1)
		buf_add_strs(out, "&amp;as=", event_word_name((enum event_word)column), NULL);
	/* What is of the same millisecond may be shown twice, and is never left out. */
	buf_addf(out, "&amp;before=%lld\">Older</a></p>\n", (long long)rows->oldest_ms + 1);
}

/* An incident number with a typing error is said to be one: it is not just not there. */
static void
write_mistyped(struct buf *out, struct slice typed)
{
	char id[INCIDENT_LEN + 1];

	if (incident_parse(typed, id) == INCIDENT_CHECK)
		buf_add_str(out, "<p class=\"say mid\">If this is an incident number, it is mistyped: its last character does not fit the "
		    "others.</p>\n");
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
	html_begin(&a->body, "Search", "/", rq->session);
	write_box(&a->body, typed);
	if (partial)
		buf_add_str(&a->body, "<p class=\"say mid\">A part of the event log cannot be read: something may be missing here.</p>\n");
	if (typed.len > 0 && column == -1)
		write_mistyped(&a->body, typed);
	buf_add_str(&a->body, typed.len > 0 ? "<h2>Found</h2>\n" : "<h2>Newest events</h2>\n");
	if (rows_write(s, &q, &a->body, &rows, &diag) == -1)
		answer_message(rq, a, STATUS_TROUBLE, "The event log cannot be read", slice_str(diag_first_error(&diag)));
	else if (q.id.len > 0 && rows.n == 1)
		answer_go(a, "/incident?id=%s", rows.only);
	else {
		write_end(&a->body, typed, column, &rows);
		html_end(&a->body);
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
		answer_message(rq, a, STATUS_BAD, "Too long", SLICE("What is searched for has 2048 bytes at most."));
		return;
	}
	if ((s = console_store(c, rq, a, &partial)) != NULL)
		write_page(s, rq, typed, partial, a);
}
