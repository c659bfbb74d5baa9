#include <c_icap/c-icap.h>
#include <c_icap/service.h>
#include <c_icap/simple_api.h>

#include "icap_service/answer.h"
#include "icap_service/codings.h"
#include "icap_service/flow.h"
#include "icap_service/history.h"
#include "icap_service/inspection.h"
#include "icap_service/ranges.h"
#include "icap_service/report.h"
#include "icap_service/svc_log.h"
#include "icap_service/warning.h"
#include "runtime/runtime.h"

enum { MS = 1000, TARGET_USUAL = 2048 };

bool
flow_enforces(const struct txn *t)
{
	return t->mode == MODE_ENFORCE;
}

/* Rules of now may object to what E says was let through: an older generation looked at it, and its
 * length, as far as it is known, is one that a rule could match. */
static bool
may_be_listed(const struct generation *g, const struct journal_entry *e)
{
	if (!judge_has_file_rules(g) || e->generation >= generation_number(g))
		return false;
	return e->size == JOURNAL_SIZE_UNKNOWN || judge_may_be_listed(g, e->size);
}

/* A cached copy of this URL may be a file that is listed by now. */
static bool
needs_refetch(struct txn *t)
{
	struct runtime *runtime = process_runtime(t->process);
	struct journal_entry known[JOURNAL_LENGTHS];
	size_t n;

	if (!t->x.is_get || runtime == NULL || t->generation == NULL || !flow_enforces(t))
		return false;
	n = runtime_journal_get(runtime, t->key, known);
	for (size_t i = 0; i < n; i++)
		if (may_be_listed(t->generation, &known[i]))
			return true;
	return false;
}

/* Let the request go with the headers as they are now: echo what there is of a body. */
static int
echo(struct txn *t, ci_request_t *req, struct slice preview)
{
	if (ci_req_hasbody(req)) {
		/* The headers have been changed: nothing else can be answered any more. */
		if ((t->body = body_new(0, 1, 0, preview.len)) == NULL)
			return flow_no_answer();
		body_release(t->body);
	}
	t->flow = t->body == NULL ? FLOW_PASS : FLOW_ECHO;
	if (t->body != NULL && txn_take(t, preview) < preview.len)
		return CI_MOD_ERROR;
	ci_req_unlock_data(req);
	return CI_MOD_CONTINUE;
}

/* The body of this request is to be looked at: T's plan then says how. */
static bool
is_inspected(struct txn *t, ci_request_t *req, struct slice preview)
{
	if (!txn_site(t)->inspect_uploads || t->generation == NULL || !ci_req_hasbody(req))
		return false;
	exchange_read_upload(&t->x, req);
	txn_read_names(t, req);
	t->plan = judge_plan(t->generation, &t->x.head, inspection_type(t, req, preview));
	return t->plan.action == PLAN_INSPECT;
}

/* FILES: nothing says that files are not to be looked at, neither the one that is sent nor the one that comes back, which should be
 * one that can be judged. */
static int
pass(struct txn *t, ci_request_t *req, struct slice preview, bool files)
{
	bool inspected = files && is_inspected(t, req, preview);

	process_count(t->process, COUNTER_tunnels, t->x.is_connect);
	t->changed = answer_strip(req) > 0;
	if (files && flow_enforces(t)) {
		t->changed |= ranges_strip(t, req);
		t->changed |= codings_narrow(t, req);
	}
	if (needs_refetch(t) && answer_refetch(req) == 0) {
		process_count(t->process, COUNTER_refetched, 1);
		t->changed = true;
	}
	if (inspected)
		return inspection_begin(t, req, preview);
	return t->changed ? echo(t, req, preview) : answer_unchanged(req);
}

static int
refuse(struct txn *t, ci_request_t *req, const struct why *why, struct slice preview)
{
	struct outcome o = { .action = EVENT_BLOCKED, .why = why, .delivered = -1 };
	bool mark = t->x.is_connect && process_options(t->process)->block_connect == CONNECT_MARK, made;
	char incident[INCIDENT_LEN + 1];

	process_count(t->process, COUNTER_answered, 1);
	process_incident(t->process, t->now_ms, incident);
	o.incident = incident;
	if (mark) {
		answer_strip(req);
		o.action = EVENT_MARKED;
		made = answer_mark(t, req, why, incident) == 0;
	} else
		made = answer_page(t, req, why, incident) == 0;
	report(t, &o);
	if (!made)
		return flow_no_answer();
	return mark ? echo(t, req, preview) : CI_MOD_CONTINUE;
}

/* Somebody has gone on after a warning: back to where he was. */
static int
go_on(struct txn *t, ci_request_t *req, const struct why *why)
{
	char space[TARGET_USUAL];
	struct buf target;
	int r = -1;

	buf_init_in(&target, space, sizeof(space), URL_RAW_MAX);
	process_count(t->process, COUNTER_answered, 1);
	inspection_note(t, EVENT_CONTINUED, why, NULL);
	if (warning_target(t, &target) == 0)
		r = answer_redirect(t, req, buf_slice(&target));
	buf_fini(&target);
	return r == 0 ? CI_MOD_CONTINUE : flow_no_answer();
}

/* The page that warns. */
static int
warn(struct txn *t, ci_request_t *req, const struct why *why)
{
	struct outcome o = { .action = EVENT_WARNED, .why = why, .delivered = -1 };
	char incident[INCIDENT_LEN + 1], space[TARGET_USUAL];
	struct buf action;
	int r = -1;

	process_count(t->process, COUNTER_answered, 1);
	process_incident(t->process, t->now_ms, incident);
	o.incident = incident;
	buf_init_in(&action, space, sizeof(space), URL_RAW_MAX);
	if (warning_action(t, &action) == 0)
		r = answer_warning(t, req, why, incident, buf_slice(&action));
	buf_fini(&action);
	report(t, &o);
	return r == 0 ? CI_MOD_CONTINUE : flow_no_answer();
}

/* A request for a host that is to be warned of. */
static int
flow_doubtful(struct txn *t, ci_request_t *req, const struct why *why, struct slice preview)
{
	switch (warning_due(t, req)) {
	case WARNING_CONTINUE:
		return go_on(t, req, why);
	case WARNING_PAGE:
		return warn(t, req, why);
	case WARNING_LOG:
		inspection_note(t, EVENT_WOULD_BLOCK, why, NULL);
		break;
	case WARNING_PASS:
		break;
	}
	return pass(t, req, preview, !why->files_exempt);
}

/* T is a CONNECT whose inner requests are judged in its place. */
static bool
is_left_to_inner(const struct txn *t)
{
	return t->x.is_connect && process_options(t->process)->block_connect == CONNECT_INNER;
}

int
flow_request(struct txn *t, ci_request_t *req, struct slice preview)
{
	struct question q = { .url = t->x.has_url ? &t->x.url : NULL, .url_error = t->x.url_error,
		.now = t->now_ms / MS, .asker = txn_asker(t), .is_known = history_is_known, .arg = t };
	struct why why;

	process_count(t->process, COUNTER_requests, 1);
	if (t->mode == MODE_OFF) {
		process_count(t->process, COUNTER_exempt, 1);
		return pass(t, req, preview, false);
	}
	judge_request(t->generation, txn_fail_mode(t), &q, &why);
	if (why.verdict == VERDICT_BLOCK && flow_enforces(t) && !is_left_to_inner(t))
		return refuse(t, req, &why, preview);
	if (why.warns && flow_enforces(t))
		return flow_doubtful(t, req, &why, preview);
	if (why.verdict == VERDICT_BLOCK || why.would_block)
		inspection_note(t, EVENT_WOULD_BLOCK, &why, NULL);
	else if (reason_unchecked(why.reason))
		inspection_note(t, EVENT_PASSED_UNCHECKED, &why, NULL);
	else
		history_note(t);
	return pass(t, req, preview, !why.files_exempt);
}

int
flow_no_answer(void)
{
	svc_log(SVC_ERROR, "out of memory: a request or response is refused without its page, by an ICAP error");
	return CI_MOD_ERROR;
}

int
flow_out_of_memory(struct txn *t, ci_request_t *req)
{
	struct why why;

	why_init(&why);
	why.reason = REASON_NO_MEMORY;
	why.steps[why.n_steps++] = (struct step){ .kind = STEP_UNCHECKED, .result = STEP_DECIDES, .reason = REASON_NO_MEMORY };
	if (txn_fail_mode(t) == FAIL_CLOSED && flow_enforces(t)) {
		why.verdict = VERDICT_BLOCK;
		return refuse(t, req, &why, (struct slice){ 0 });
	}
	inspection_note(t, EVENT_PASSED_UNCHECKED, &why, NULL);
	return answer_unchanged(req);
}
