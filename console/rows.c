#include "console/rows.h"

#include "console/html.h"
#include "console/part.h"

enum { MS_PER_S = 1000, ROWS_BYTES = 4 << 20, CLIENTS_SHOWN = 10 };

/* The store gives the oldest first; each one's end is noted, so that they can be put down from the last on. */
struct collected {
	const struct request *rq;
	struct buf	html;
	size_t		ends[ROWS_MAX];
	struct rows	*rows;
};

enum event_action
rows_action(struct slice name)
{
	int i = 0;

	while (i < EVENT_ACTIONS && !slice_eq(name, slice_str(event_action_name((enum event_action)i))))
		i++;
	return (enum event_action)i;
}

bool
rows_stops(enum event_action action)
{
	return action == EVENT_BLOCKED || action == EVENT_KILLED || action == EVENT_MARKED;
}

const char *
rows_action_class(struct slice action)
{
	return rows_stops(rows_action(action)) ? "bad" : "mid";
}

enum word_id
exception_word(enum exception_state state)
{
	static const enum word_id words[] = { [EXCEPTION_HOLDS] = W_STATE_HOLDS, [EXCEPTION_EXPIRED] = W_STATE_EXPIRED,
		[EXCEPTION_LAPSED] = W_STATE_LAPSED, [EXCEPTION_ORPHAN] = W_STATE_ORPHAN };

	return words[state];
}

/* A switch, so that the compiler names an action that has no word. */
static enum word_id
action_word(enum event_action action)
{
	switch (action) {
	case EVENT_BLOCKED: return W_DID_BLOCKED;
	case EVENT_KILLED: return W_DID_KILLED;
	case EVENT_MARKED: return W_DID_MARKED;
	case EVENT_WOULD_BLOCK: return W_DID_WOULD_BLOCK;
	case EVENT_PASSED_UNCHECKED: return W_DID_PASSED_UNCHECKED;
	case EVENT_WARNED: return W_DID_WARNED;
	case EVENT_CONTINUED: return W_DID_CONTINUED;
	case EVENT_REVEAL_REQUESTED: return W_DID_REVEAL_REQUESTED;
	case EVENT_REVEAL_APPROVED: return W_DID_REVEAL_APPROVED;
	case EVENT_REVEAL_DENIED: return W_DID_REVEAL_DENIED;
	case EVENT_REVEAL_REFUSED: return W_DID_REVEAL_REFUSED;
	case EVENT_REVEALED: return W_DID_REVEALED;
	case EVENT_REMOVED: return W_DID_REMOVED;
	case EVENT_ACTIONS: break;
	}
	return WORDS;
}

void
rows_add_action(struct buf *out, const struct request *rq, struct slice action)
{
	enum word_id word = action_word(rows_action(action));

	if (word != WORDS)
		html_word(out, rq, word);
	else
		html_text(out, action, HTML_SHORT);
}

enum word_id
rows_action_meaning(struct slice action, bool upload)
{
	switch (rows_action(action)) {
	case EVENT_BLOCKED: return W_MEANS_BLOCKED;
	case EVENT_KILLED: return upload ? W_MEANS_KILLED_UPLOAD : W_MEANS_KILLED;
	case EVENT_MARKED: return W_MEANS_MARKED;
	case EVENT_WOULD_BLOCK: return W_MEANS_WOULD_BLOCK;
	case EVENT_PASSED_UNCHECKED: return W_MEANS_PASSED_UNCHECKED;
	case EVENT_WARNED: return W_MEANS_WARNED;
	case EVENT_CONTINUED: return W_MEANS_CONTINUED;
	case EVENT_REVEAL_REQUESTED: return W_MEANS_REVEAL_REQUESTED;
	case EVENT_REVEAL_APPROVED: return W_MEANS_REVEAL_APPROVED;
	case EVENT_REVEAL_DENIED: return W_MEANS_REVEAL_DENIED;
	case EVENT_REVEAL_REFUSED: return W_MEANS_REVEAL_REFUSED;
	case EVENT_REVEALED: return W_MEANS_REVEALED;
	case EVENT_REMOVED: return W_MEANS_REMOVED;
	case EVENT_ACTIONS: break;
	}
	return W_MEANS_UNKNOWN;
}

static void
add_meta(struct buf *out, const struct request *rq, enum word_id label, struct slice text)
{
	if (text.len == 0)
		return;
	buf_add_strs(out, "<span>", rq->words->text[label], rq->words->text[W_COLON], " ", NULL);
	html_name(out, text);
	buf_add_str(out, "</span>");
}

static int
add_row(void *arg, const struct event_row *row)
{
	struct collected *c = arg;
	struct buf *out = &c->html;
	char shown[INCIDENT_SHOWN + 1];
	struct slice action = row->words[EVENT_WORD_ACTION], what = row->url.len > 0 ? row->url : row->words[EVENT_WORD_HOST];

	if (c->rows->n == ROWS_MAX)
		return 1;
	if (c->rows->n == 0)
		c->rows->oldest_ms = row->ms;
	incident_show(row->id, shown);
	buf_add_strs(out, "<li><div><a href=\"/incident?id=", row->id, "\">", NULL);
	html_text(out, what.len > 0 ? what : slice_str(shown), HTML_SHORT);
	buf_add_str(out, "</a></div>\n<div class=\"meta\">");
	html_add_time(out, row->ms / MS_PER_S);
	if (action.len > 0) {
		buf_add_strs(out, "<span class=\"tag ", rows_action_class(action), "\">", NULL);
		rows_add_action(out, c->rq, action);
		buf_add_str(out, "</span>");
	}
	add_meta(out, c->rq, W_USER, row->words[EVENT_WORD_USER]);
	add_meta(out, c->rq, W_CLIENT, row->words[EVENT_WORD_CLIENT]);
	add_meta(out, c->rq, W_RULE, row->words[EVENT_WORD_RULE]);
	if (what.len > 0)
		buf_add_strs(out, "<code>", shown, "</code>", NULL);
	buf_add_str(out, "</div></li>\n");
	memcpy(c->rows->only, row->id, sizeof(c->rows->only));
	c->ends[c->rows->n++] = out->len;
	return 0;
}

int
rows_write(struct eventstore *s, const struct event_query *q, const struct request *rq, struct buf *out, struct rows *rows,
    struct diag *diag)
{
	struct collected c = { .rq = rq, .rows = rows };
	struct event_query bounded = *q;
	int r;

	*rows = (struct rows){ 0 };
	if (bounded.newest == 0 || bounded.newest > ROWS_MAX)
		bounded.newest = ROWS_MAX;
	buf_init(&c.html, ROWS_BYTES);
	r = eventstore_search(s, &bounded, add_row, &c, diag);
	if (r != -1)
		buf_add_str(out, "<ul class=\"list\">\n");
	for (size_t i = rows->n; r != -1 && i-- > 0;) {
		size_t at = i > 0 ? c.ends[i - 1] : 0;

		buf_add(out, c.html.p + at, c.ends[i] - at);
	}
	if (r != -1)
		buf_add_str(out, "</ul>\n");
	buf_fini(&c.html);
	return r == -1 ? -1 : 0;
}

/* ---- who met them ---- */

struct clients {
	const struct request *rq;
	struct buf	*out;
	size_t		n;
};

static int
add_client(void *arg, const struct event_count *count)
{
	struct clients *c = arg;

	if (c->n++ == CLIENTS_SHOWN)
		return 1;
	buf_add_str(c->out, "<li>");
	html_search_link(c->out, "client", count->word);
	html_word(c->out, c->rq, W_COLON);
	buf_add_char(c->out, ' ');
	html_number(c->out, c->rq, count->n);
	buf_add_str(c->out, "</li>\n");
	return 0;
}

void
rows_write_clients(struct eventstore *s, const struct event_query *q, const struct request *rq, struct buf *out)
{
	struct clients c = { .rq = rq, .out = out };

	buf_add_str(out, "<ul>\n");
	eventstore_count(s, q, EVENT_WORD_CLIENT, add_client, &c, NULL);
	buf_add_str(out, "</ul>\n");
	if (c.n > CLIENTS_SHOWN)
		html_note(out, rq, NULL, W_MOST_CLIENTS);
}
