#include "eventstore/eventstore.h"

bool
event_is_digest(struct slice text)
{
	struct digest d;

	for (int alg = 0; alg < DIGEST_ALGS; alg++)
		if (digest_parse((enum digest_alg)alg, text, &d) == 0)
			return true;
	return false;
}

bool
event_is_incident(struct slice text)
{
	char id[INCIDENT_LEN + 1];

	return incident_parse(text, id) == INCIDENT_OK;
}

void
event_query_take(struct event_query *q, struct slice text)
{
	if (event_is_incident(text))
		q->id = text;
	else if (event_is_digest(text))
		q->digest = text;
	else if (slice_find(text, '/') < text.len)
		q->url = text;
	else if (text.len > 0 && *text.p == '.')
		q->words[EVENT_WORD_HOST] = text;
	else
		q->any = text;
}
