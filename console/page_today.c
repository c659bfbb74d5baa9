#include <stdio.h>

#include "base/clock.h"
#include "console/html.h"
#include "console/part.h"
#include "console/rows.h"

enum { HOURS = 24, MS_PER_S = 1000, MS_PER_HOUR = 3600 * 1000, RULES_SHOWN = 20, DATE_LEN = 10 };

/* A day in UTC. */
struct day {
	int64_t		from_ms;
	uint64_t	stopped[HOURS], others[HOURS];
	uint64_t	actions[EVENT_ACTIONS];
	int		hour;		/* that is counted now */
	uint64_t	most;		/* events of one rule */
	size_t		n_rules;
	const struct request *rq;
	struct buf	*out;
};

static struct event_query
query_of(const struct day *d)
{
	return (struct event_query){ .from_ms = d->from_ms, .to_ms = d->from_ms + (int64_t)CLOCK_DAY_S * MS_PER_S };
}

static int
count_action(void *arg, const struct event_count *count)
{
	struct day *d = arg;
	enum event_action action = rows_action(count->word);

	if (action == EVENT_ACTIONS)
		return 0;
	/* What people did about the log was neither stopped nor let through. */
	if (action <= EVENT_CONTINUED)
		*(rows_stops(action) ? &d->stopped[d->hour] : &d->others[d->hour]) += count->n;
	d->actions[action] += count->n;
	return 0;
}

/* Hour by hour, so that each event is met once. */
static int
count_hours(struct eventstore *s, struct day *d, struct diag *diag)
{
	for (d->hour = 0; d->hour < HOURS; d->hour++) {
		struct event_query q = { .from_ms = d->from_ms + (int64_t)d->hour * MS_PER_HOUR };

		q.to_ms = q.from_ms + MS_PER_HOUR;
		if (eventstore_count(s, &q, EVENT_WORD_ACTION, count_action, d, diag) == -1)
			return -1;
	}
	return 0;
}

static void
write_count(struct buf *out, const struct day *d, enum event_action action)
{
	buf_add_str(out, "<li><b>");
	html_number(out, d->rq, d->actions[action]);
	buf_add_str(out, "</b>");
	rows_add_action(out, d->rq, slice_str(event_action_name(action)));
	buf_add_str(out, "</li>\n");
}

static void
write_counts(struct buf *out, const struct day *d)
{
	buf_add_str(out, "<ul class=\"counts\">\n");
	for (int i = 0; i < EVENT_ACTIONS; i++)
		if (d->actions[i] > 0 || i == EVENT_BLOCKED)
			write_count(out, d, (enum event_action)i);
	buf_add_str(out, "</ul>\n");
}

/* ---- by hour ---- */

enum { BAR = 30, LEFT = 40, TOP = 20, HEIGHT = 180, BOTTOM = TOP + HEIGHT, WIDTH = LEFT + HOURS * BAR, LABEL_Y = BOTTOM + 18 };

static void
write_bar(struct buf *out, const struct day *d, int hour, uint64_t most)
{
	double a = (double)d->stopped[hour] * HEIGHT / (double)most, b = (double)d->others[hour] * HEIGHT / (double)most;
	int x = LEFT + hour * BAR;

	buf_addf(out, "<rect class=\"a\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/>", x + 3, BOTTOM - a, BAR - 6, a);
	buf_addf(out, "<rect class=\"b\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/>\n", x + 3, BOTTOM - a - b, BAR - 6, b);
	if (hour % 3 == 0)
		buf_addf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%02d</text>\n", x + BAR / 2, LABEL_Y, hour);
}

static void
write_hour_table(struct buf *out, const struct day *d)
{
	const char *const *text = d->rq->words->text;

	buf_add_strs(out, "<details><summary>", text[W_IN_NUMBERS], "</summary>\n"
	    "<div class=\"wide\"><table><tr><th scope=\"col\">", text[W_HOUR], "</th>"
	    "<th scope=\"col\" class=\"n\">", text[W_STOPPED], "</th><th scope=\"col\" class=\"n\">", text[W_LET], "</th></tr>\n", NULL);
	for (int i = 0; i < HOURS; i++)
		if (d->stopped[i] + d->others[i] > 0)
			buf_addf(out, "<tr><th scope=\"row\">%02d</th><td class=\"n\">%llu</td><td class=\"n\">%llu</td></tr>\n", i,
			    (unsigned long long)d->stopped[i], (unsigned long long)d->others[i]);
	buf_add_str(out, "</table></div></details>\n");
}

static void
write_hours(struct buf *out, const struct day *d)
{
	uint64_t most = 1;

	for (int i = 0; i < HOURS; i++)
		if (d->stopped[i] + d->others[i] > most)
			most = d->stopped[i] + d->others[i];
	buf_add_strs(out, "<h2 id=\"by-hour\">", d->rq->words->text[W_BY_HOUR], "</h2>\n<p class=\"key\"><span class=\"ka\"></span>",
	    d->rq->words->text[W_STOPPED], "<span class=\"kb\"></span>", d->rq->words->text[W_LET_OR_WARNED], "</p>\n", NULL);
	buf_addf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"by-hour\">\n", WIDTH + 10, LABEL_Y + 8);
	buf_addf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%llu</text>\n", LEFT - 6, TOP + 4, (unsigned long long)most);
	buf_addf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">0</text>\n", LEFT - 6, BOTTOM + 4);
	buf_addf(out, "<path class=\"axis\" d=\"M%d %dH%dM%d %dH%d\"/>\n", LEFT, BOTTOM, WIDTH, LEFT, TOP, WIDTH);
	for (int i = 0; i < HOURS; i++)
		write_bar(out, d, i, most);
	buf_add_str(out, "</svg>\n");
	write_hour_table(out, d);
}

/* ---- by rule ---- */

/* The highest comes first, so that it is what the others are drawn against. */
static int
write_rule(void *arg, const struct event_count *count)
{
	char n[WORDS_NUMBER], clients[WORDS_NUMBER];
	struct day *d = arg;

	if (d->n_rules++ == RULES_SHOWN)
		return 1;
	if (d->most == 0)
		d->most = count->n;
	buf_add_str(d->out, "<li><div>");
	if (count->word.len > 0)
		html_search_link(d->out, "rule", count->word);
	else
		html_word(d->out, d->rq, W_WITHOUT_RULE);
	buf_add_str(d->out, " (");
	words_say(d->out, d->rq->words, W_EVENTS_CLIENTS, words_number(d->rq->words, count->n, n),
	    words_number(d->rq->words, count->clients, clients), NULL);
	buf_addf(d->out, ")</div><svg class=\"bar\" viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\" "
	    "aria-hidden=\"true\"><rect class=\"a\" width=\"%.2f\" height=\"4\"/></svg></li>\n", (double)count->n * 100 / (double)d->most);
	return 0;
}

static int
write_rules(struct eventstore *s, struct day *d, struct diag *diag)
{
	struct event_query q = query_of(d);
	int r;

	html_heading(d->out, d->rq, W_BY_RULE);
	buf_add_str(d->out, "<ul class=\"list\">\n");
	r = eventstore_count(s, &q, EVENT_WORD_RULE, write_rule, d, diag);
	buf_add_str(d->out, "</ul>\n");
	if (d->n_rules == 0)
		html_note(d->out, d->rq, NULL, W_NO_RULE_MET);
	else if (d->n_rules > RULES_SHOWN)
		html_note(d->out, d->rq, NULL, W_MOST_RULES);
	return r;
}

/* ---- the page ---- */

/* The beginning of the day that the field "day" says, in seconds, or of this one. */
static int64_t
day_of(const struct request *rq)
{
	struct slice text = form_get(&rq->query, "day");
	int64_t s = rq->now_ms / MS_PER_S;

	if (text.len == DATE_LEN && clock_parse(text, &s) == -1)
		s = rq->now_ms / MS_PER_S;
	if (s < 0 || s > CLOCK_LAST_S)
		s = 0;
	return s - s % CLOCK_DAY_S;
}

static void
add_day_link(struct buf *out, int64_t s, const char *name)
{
	char text[CLOCK_TEXT];

	clock_format_s(s, text);
	buf_addf(out, "<a href=\"/today?day=%.*s\">%s</a>", DATE_LEN, text, name);
}

static void
write_head(struct buf *out, const struct request *rq, int64_t day, int64_t today)
{
	char text[CLOCK_TEXT];
	struct buf title;

	clock_format_s(day, text);
	text[DATE_LEN] = '\0';
	buf_init(&title, HTML_LONG);
	if (day == today)
		words_say(&title, rq->words, W_TODAY_IS, text, NULL);
	else
		buf_add_str(&title, text);
	html_begin(out, rq, title.failed ? "" : title.p, "/today");
	buf_fini(&title);
	buf_add_str(out, "<p class=\"pages\">");
	if (day > 0)
		add_day_link(out, day - CLOCK_DAY_S, rq->words->text[W_DAY_BEFORE]);
	if (day < today)
		add_day_link(out, day + CLOCK_DAY_S, rq->words->text[W_DAY_AFTER]);
	buf_add_str(out, "</p>\n");
}

void
page_today(struct console *c, const struct request *rq, struct answer *a)
{
	int64_t now = rq->now_ms / MS_PER_S, day = day_of(rq);
	struct day d = { .from_ms = day * MS_PER_S, .rq = rq, .out = &a->body };
	struct diag diag = { 0 };
	bool partial;
	struct eventstore *s = console_store(c, rq, a, &partial);

	if (s == NULL)
		return;
	write_head(&a->body, rq, day, now - now % CLOCK_DAY_S);
	if (partial)
		html_note(&a->body, rq, "say mid", W_LOG_PARTIAL);
	if (count_hours(s, &d, &diag) == -1)
		answer_trouble(rq, a, W_LOG_UNREADABLE, &diag);
	else {
		write_counts(&a->body, &d);
		write_hours(&a->body, &d);
		if (write_rules(s, &d, &diag) == -1)
			answer_trouble(rq, a, W_LOG_UNREADABLE, &diag);
		else
			html_end(&a->body, rq, "/today");
	}
	diag_fini(&diag);
}
