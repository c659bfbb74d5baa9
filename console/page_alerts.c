#include <stdio.h>
#include <stdlib.h>

#include "console/alert_words.h"
#include "console/html.h"
#include "console/part.h"

enum { ALERTS_SHOWN = 200 };

struct view {
	const struct request	*rq;
	struct buf		*out;
	struct alerts		 alerts;
	struct alerts_item	 item;
};

static int64_t
published(const struct alert *alert)
{
	return alert->last_published != 0 ? alert->last_published : alert->first_published;
}

static void
write_listed(struct view *v)
{
	const struct alert *alert = v->item.alert;
	char number[WORDS_NUMBER], time[HTML_TIME];

	buf_add_str(v->out, "<li><div>");
	html_alert_link(v->out, slice_str(v->item.id));
	buf_add_char(v->out, ' ');
	if (alert != NULL)
		html_text(v->out, slice_str(alert->title), HTML_SHORT);
	else
		html_word(v->out, v->rq, W_NO_RECORD);
	buf_add_str(v->out, "</div>\n<div class=\"meta\">");
	alert_add_state(v->out, v->rq, &v->item);
	if (alert != NULL)
		html_span(v->out, v->rq, W_ALERT_VERSION, words_number(v->rq->words, alert->version, number));
	if (alert != NULL && published(alert) != 0)
		html_span(v->out, v->rq, W_PUBLISHED, html_time(published(alert), time));
	buf_add_strs(v->out, "<span>", v->rq->words->text[W_LIVE_RULES], v->rq->words->text[W_COLON], " ", NULL);
	alert_add_live(v->out, v->rq, &v->item);
	buf_add_str(v->out, "</span>");
	if (v->item.n_held > 0)
		html_span(v->out, v->rq, W_HELD_RULES, words_number(v->rq->words, v->item.n_held, number));
	buf_add_str(v->out, "</div></li>\n");
}

/* The newest numbers first. */
static void
write_list(struct view *v, char *const *ids, size_t n)
{
	html_begin(v->out, v->rq, v->rq->words->text[W_NAV_ALERTS], "/alerts");
	if (n == 0)
		html_note(v->out, v->rq, NULL, W_NO_ALERTS);
	else
		buf_add_str(v->out, "<ul class=\"list\">\n");
	for (size_t i = 0; i < n && i < ALERTS_SHOWN; i++) {
		if (alerts_load(&v->alerts, ids[n - 1 - i], &v->item) == 0)
			write_listed(v);
		alerts_item_fini(&v->item);
	}
	if (n > 0)
		buf_add_str(v->out, "</ul>\n");
	if (n > ALERTS_SHOWN)
		html_note_number(v->out, v->rq, NULL, W_MORE_ALERTS, n);
	html_end(v->out, v->rq, "/alerts");
}

void
page_alerts(struct console *c, const struct request *rq, struct answer *a)
{
	struct view v = { .rq = rq, .out = &a->body };
	char **ids = NULL;
	size_t n = 0;

	if (alerts_init(&v.alerts, c->o->state) == -1 || alerts_ids(&v.alerts, &ids, &n) == -1)
		answer_trouble(rq, a, W_ALERTS_UNREADABLE, &v.alerts.diag);
	else
		write_list(&v, ids, n);
	for (size_t i = 0; i < n; i++)
		free(ids[i]);
	free(ids);
	alerts_fini(&v.alerts);
}
