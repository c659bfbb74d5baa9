/* recall.h - what is remembered of kills, as a transaction asks and tells it: by its URL, and by authority and strong ETag, so that
 * another path or query does not help.
 *
 * A kill is recalled only for a response whose whole has the length that was killed, of the same URL or the same host, port and
 * ETag; and the rules of now judge it anew, by every digest that was taken of it; where these are not all that the rules of now go
 * by, it is not recalled.  So no site can have a response of another refused, and no rule that is gone. */
#ifndef ICAP_SERVICE_RECALL_H
#define ICAP_SERVICE_RECALL_H

#include "icap_service/txn.h"

/* The length of the whole that this response is, or is a part of. */
int64_t recall_whole_length(const struct body_head *head);

/* This response was killed before, and the rules of now still say so: FACTS and WHY then say what it was.  To be asked at the
 * preview, while REQ's heads are as they came: it notes the ETag for recall_remember(). */
bool recall_kill(struct txn *t, ci_request_t *req, struct body_facts *facts, struct why *why);

/* T's response is being killed because of WHY, a file rule, and FACTS, something in it.  SEEN is the length of the response
 * when its end has come, else LENGTH_UNKNOWN.  Canaries are not remembered: nobody asks for one again, and real kills need the
 * room. */
void recall_remember(struct txn *t, const struct why *why, const struct body_facts *facts, int64_t seen);

/* Whoever asks for a part of this URL next is to get the whole. */
void recall_want_whole(struct txn *t);

#endif
