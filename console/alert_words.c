#include "console/alert_words.h"

#include "console/part.h"

static enum word_id
state_word(enum alerts_state state)
{
	static const enum word_id words[] = { [ALERTS_IMPORTED] = W_ALERT_IMPORTED, [ALERTS_LIVE] = W_ALERT_LIVE,
		[ALERTS_PARTLY] = W_ALERT_PARTLY, [ALERTS_CHANGED] = W_ALERT_CHANGED, [ALERTS_ENDED] = W_ALERT_ENDED,
		[ALERTS_REMOVED] = W_ALERT_REMOVED, [ALERTS_WITHDRAWN] = W_ALERT_WITHDRAWN, [ALERTS_STILL] = W_ALERT_STILL };

	return words[state];
}

void
alert_add_state(struct buf *out, const struct request *rq, const struct alerts_item *item)
{
	const char *class = item->state == ALERTS_LIVE ? "good" : item->state == ALERTS_STILL ? "bad" : "mid";

	buf_add_strs(out, "<span class=\"tag ", class, "\">", rq->words->text[state_word(item->state)], "</span>", NULL);
}

void
alert_add_live(struct buf *out, const struct request *rq, const struct alerts_item *item)
{
	char live[WORDS_NUMBER], all[WORDS_NUMBER];

	words_say(out, rq->words, W_OF, words_number(rq->words, item->n_live, live), words_number(rq->words, item->rules.n, all), NULL);
}
