/* alert_words.h - what the list of alerts and the page of one say alike, in RQ's language. */
#ifndef CONSOLE_ALERT_WORDS_H
#define CONSOLE_ALERT_WORDS_H

#include "alerts/alert_store.h"
#include "base/buf.h"

struct request;

/* The state of ITEM, as a tag. */
void alert_add_state(struct buf *out, const struct request *rq, const struct alerts_item *item);

/* "7 of 7": of ITEM's rules in the source, how many are live. */
void alert_add_live(struct buf *out, const struct request *rq, const struct alerts_item *item);

#endif
