/* inspection.h - what both directions do with a body that has to be looked at.
 *
 * inspection_begin() at the preview; flow_taken() and flow_end(), which stand in flow.h, then hold back, stop or let go.  Kill
 * memory (recall.h) and journal (respmod.c) are of responses only. */
#ifndef ICAP_SERVICE_INSPECTION_H
#define ICAP_SERVICE_INSPECTION_H

#include "events/event.h"
#include "icap_service/txn.h"

/* The type of the body by its first bytes, behind its codings. */
enum file_type inspection_type(const struct txn *t, ci_request_t *req, struct slice preview);

/* Begin with T's plan, which is PLAN_INSPECT; PREVIEW is what there is of the body.  c-icap's code for the preview. */
int inspection_begin(struct txn *t, ci_request_t *req, struct slice preview);

/* A new number and the event with it, for what passes.  FACTS may be NULL. */
void inspection_note(struct txn *t, enum event_action action, const struct why *why, const struct body_facts *facts);

/* The page for WHY with a new number, and its event.  CI_MOD_CONTINUE, or what flow_no_answer() says. */
int inspection_refuse(struct txn *t, ci_request_t *req, const struct why *why, const struct body_facts *facts);

#endif
