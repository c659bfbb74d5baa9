/* answer.h - acting on a decision: the page, the mark, the changed request.  Policy-free.
 *
 * Every answer carries ICAP headers that name worker and generation; a refusal also the headers
 * that other ICAP clients look for (X-Infection-Found, X-Violations-Found, X-Virus-ID,
 * X-Response-Info) and X-Incident-Id. */
#ifndef ICAP_SERVICE_ANSWER_H
#define ICAP_SERVICE_ANSWER_H

#include "icap_service/txn.h"

/* Name worker and generation in the ICAP answer to come. */
void answer_identify(struct txn *t, ci_request_t *req);

/* Put the block page for WHY and INCIDENT in the place of request or response, ready to be sent at
 * once.  Whatever T's body held is dropped.  -1 when c-icap could not make the response. */
int answer_page(struct txn *t, ci_request_t *req, const struct why *why, const char *incident);

/* The same with "continue", which leads to ACTION, a path and query: a warning. */
int answer_warning(struct txn *t, ci_request_t *req, const struct why *why, const char *incident, struct slice action);

/* Send the client to TARGET, a path and query without a byte that a header cannot have, by GET. */
int answer_redirect(struct txn *t, ci_request_t *req, struct slice target);

/* Add X-Firebreak-Deny: INCIDENT to the request, and what other ICAP clients look for.  -1 without memory. */
int answer_mark(struct txn *t, ci_request_t *req, const struct why *why, const char *incident);

/* Take every X-Firebreak-* header out of the HTTP request, whoever sent it.  How many there were. */
size_t answer_strip(ci_request_t *req);

/* Ask for a fresh copy: Cache-Control: no-cache on the HTTP request, in place of what the client said.  -1 without memory. */
int answer_refetch(ci_request_t *req);

/* The preview's answer "let it go as it is".  To a client that takes no 204 c-icap then echoes by itself, which works beyond its
 * buffer of 32 KiB only while data are unlocked. */
int answer_unchanged(ci_request_t *req);

#endif
