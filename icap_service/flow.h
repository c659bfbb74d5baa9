/* flow.h - what happens to a request and to a response: the order of questions, and the answer that
 * c-icap is given.
 *
 * Each function answers with c-icap's codes (CI_MOD_ALLOW204, CI_MOD_CONTINUE, CI_MOD_DONE,
 * CI_MOD_ERROR). */
#ifndef ICAP_SERVICE_FLOW_H
#define ICAP_SERVICE_FLOW_H

#include "icap_service/txn.h"

/* At the preview: PREVIEW is what Squid sent of the body. */
int flow_request(struct txn *t, ci_request_t *req, struct slice preview);
int flow_response(struct txn *t, ci_request_t *req, struct slice preview);

/* When more of the body was taken: what was found in it may be one to stop for.  CI_MOD_DONE, or CI_MOD_ERROR to break the
 * transfer. */
int flow_taken(struct txn *t, ci_request_t *req);

/* When the body has ended, or there was none. */
int flow_end(struct txn *t, ci_request_t *req);

/* Remember what goes through, so that a cached copy can be met again when a rule comes.  Squid keeps
 * answers of many a status, but no parts.  SIZE may be unknown; CHECKED says that the rules of this
 * generation had no objection, else any generation is newer. */
void flow_journal(struct txn *t, int64_t size, bool checked);

/* A rule that let something go and ENDS then (0: never, or there is none) is in force for as long as a copy may be cached: what an
 * allow has covered is not harmless once the allow has ended. */
bool flow_outlives_copy(const struct txn *t, int64_t ends);

/* A verdict to block, as the mode has it: true when it is to be acted on; in observe mode it
 * becomes would_block. */
bool flow_enforces(const struct txn *t);

/* A refusal for which no answer could be made: says so in the server log.  The client gets Squid's own error page. */
int flow_no_answer(void);

/* Memory ran out before anything was judged: what the fail mode says. */
int flow_out_of_memory(struct txn *t, ci_request_t *req);

#endif
