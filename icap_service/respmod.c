#include <c_icap/c-icap.h>
#include <c_icap/service.h>
#include <c_icap/simple_api.h>

#include "icap_service/answer.h"
#include "icap_service/flow.h"
#include "icap_service/history.h"
#include "icap_service/inspection.h"
#include "icap_service/ranges.h"
#include "icap_service/recall.h"
#include "runtime/runtime.h"

enum { MS = 1000, COPY_LIFE_S = 366 * 24 * 3600 };

void
flow_journal(struct txn *t, int64_t size, bool checked)
{
	struct runtime *runtime = process_runtime(t->process);

	if (runtime == NULL || !t->x.is_get || t->x.head.status == STATUS_PARTIAL || !t->x.head.has_body)
		return;
	runtime_journal_put(runtime, t->key, size == LENGTH_UNKNOWN ? JOURNAL_SIZE_UNKNOWN : (uint64_t)size,
	    t->generation == NULL || !checked ? 0 : generation_number(t->generation), t->now_ms);
}

bool
flow_outlives_copy(const struct txn *t, int64_t ends)
{
	return ends == 0 || ends - t->now_ms / MS > COPY_LIFE_S;
}

static int
let_go(struct txn *t, ci_request_t *req, bool checked)
{
	t->flow = FLOW_PASS;
	process_count(t->process, COUNTER_bodies_skipped, t->x.head.has_body);
	if (t->x.head.has_body && t->x.head.content_length != LENGTH_UNKNOWN)
		process_count(t->process, COUNTER_bytes_skipped, (uint64_t)t->x.head.content_length);
	flow_journal(t, t->x.head.content_length, checked);
	return answer_unchanged(req);
}

/* Judge the URL again: a site may run RESPMOD alone.  A response that came without its request has no URL that could be
 * bad. */
static void
judge_url(struct txn *t, struct why *why)
{
	struct question q = { .url = t->x.has_url ? &t->x.url : NULL, .url_error = t->x.url_error,
		.now = t->now_ms / MS, .asker = txn_asker(t), .is_known = history_is_known, .arg = t };

	why_init(why);
	if (t->x.has_request)
		judge_request(t->generation, txn_fail_mode(t), &q, why);
}

/* A coding that nobody here can undo, where that is refused: WHY then says so, before a byte of the body has moved. */
static bool
is_hopeless(struct txn *t, struct why *why)
{
	if (t->plan.wish.codings.fault == UNSCANNABLE_NO || !flow_enforces(t))
		return false;
	judge_unscannable(t->generation, t->plan.wish.codings.fault, why);
	process_count(t->process, COUNTER_bodies_unscannable, why->verdict == VERDICT_BLOCK);
	return why->verdict == VERDICT_BLOCK;
}

int
flow_response(struct txn *t, ci_request_t *req, struct slice preview)
{
	struct body_facts remembered;
	struct why why;

	process_count(t->process, COUNTER_responses, 1);
	if (t->mode == MODE_OFF)
		return let_go(t, req, false);
	ranges_read(t, req, preview);
	judge_url(t, &why);
	if (why.verdict == VERDICT_BLOCK && flow_enforces(t))
		return inspection_refuse(t, req, &why, NULL);
	/* What would only be logged has been logged by REQMOD; what could not be checked is said each time. */
	if (reason_unchecked(why.reason))
		inspection_note(t, EVENT_PASSED_UNCHECKED, &why, NULL);
	if (why.files_exempt) {
		process_count(t->process, COUNTER_exempt, 1);
		return let_go(t, req, flow_enforces(t) && flow_outlives_copy(t, why.rule.expires));
	}
	if (t->x.head.has_body)
		txn_read_names(t, req);
	if (flow_enforces(t) && recall_kill(t, req, &remembered, &why))
		return inspection_refuse(t, req, &why, &remembered);
	t->plan = judge_plan(t->generation, &t->x.head, inspection_type(t, req, preview));
	switch (t->plan.action) {
	case PLAN_PASS:
		process_count(t->process, COUNTER_bodies_left_out, t->plan.left_out);
		return let_go(t, req, flow_enforces(t));
	case PLAN_INSPECT:
		if (is_hopeless(t, &why))
			return inspection_refuse(t, req, &why, NULL);
		return inspection_begin(t, req, preview);
	case PLAN_REFUSE:
		break;
	}
	why_init(&why);
	why.reason = REASON_PARTIAL;
	why.verdict = flow_enforces(t) ? VERDICT_BLOCK : VERDICT_PASS;
	if (flow_enforces(t)) {
		recall_want_whole(t);
		return inspection_refuse(t, req, &why, NULL);
	}
	inspection_note(t, EVENT_WOULD_BLOCK, &why, NULL);
	return let_go(t, req, false);
}
