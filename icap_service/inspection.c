/* inspection.c - a body in flight, of a response or of an upload: begun at the preview, looked at as it comes, judged at its
 * end. */
#include "icap_service/inspection.h"

#include <c_icap/c-icap.h>
#include <c_icap/service.h>
#include <c_icap/simple_api.h>

#include <stdlib.h>

#include "base/clock.h"
#include "icap_service/answer.h"
#include "icap_service/flow.h"
#include "icap_service/recall.h"
#include "icap_service/report.h"
#include "inspect/coding.h"

enum { MS = 1000, START_MAX = 4096 };

/* Write the event of ACTION; its number goes to INCIDENT. */
static void
say(struct txn *t, enum event_action action, const struct why *why, const struct body_facts *facts,
    int64_t delivered, const char *incident)
{
	struct outcome o = { .action = action, .why = why, .incident = incident, .facts = facts,
		.delivered = delivered };

	report(t, &o);
}

void
inspection_note(struct txn *t, enum event_action action, const struct why *why, const struct body_facts *facts)
{
	char incident[INCIDENT_LEN + 1];

	process_incident(t->process, t->now_ms, incident);
	say(t, action, why, facts, -1, incident);
}

int
inspection_refuse(struct txn *t, ci_request_t *req, const struct why *why, const struct body_facts *facts)
{
	char incident[INCIDENT_LEN + 1];
	bool made;

	process_incident(t->process, t->now_ms, incident);
	made = answer_page(t, req, why, incident) == 0;
	say(t, EVENT_BLOCKED, why, facts, -1, incident);
	return made ? CI_MOD_CONTINUE : flow_no_answer();
}

/* Headers go early, so that neither Squid nor the client waits; from here a match is a kill. */
static void
stream(struct txn *t, ci_request_t *req)
{
	body_hold_tail(t->body);
	ci_req_unlock_data(req);
}

static int
begin_inspection(struct txn *t, size_t room)
{
	const struct service_options *o = process_options(t->process);
	bool may_lag = t->plan.wish.members != MEMBERS_NO || t->plan.wish.boundary.len > 0;
	size_t tail = (size_t)o->hold_tail, lag = may_lag ? INSPECT_STEP : 0;

	if (may_lag && tail < INSPECT_LAG)
		tail = INSPECT_LAG;
	if (t->plan.wish.codings.n > 0)
		lag += INSPECT_STILL;
	t->body = body_new((size_t)o->hold_small, tail, lag, room);
	if ((t->findings = malloc(sizeof(*t->findings))) == NULL || t->body == NULL)
		return -1;
	findings_init(t->findings, t->generation, t->now_ms / MS, flow_enforces(t), t->plan.named ? t->x.head.names : NULL,
	    txn_asker(t));
	t->plan.wish.may_be_listed = findings_may_be_listed;
	t->inspector = inspector_new(&t->plan.wish, process_means(t->process), findings_found, t->findings);
	return t->inspector == NULL ? -1 : 0;
}

int
inspection_begin(struct txn *t, ci_request_t *req, struct slice preview)
{
	int64_t hold;

	if (begin_inspection(t, preview.len) == -1)
		return flow_out_of_memory(t, req);
	t->flow = FLOW_INSPECT;
	hold = txn_hold(t);
	if (txn_take(t, preview) < preview.len)
		return CI_MOD_ERROR;
	/* What shows in the preview can still be answered with the page, however long the rest is. */
	if (inspector_stopped(t->inspector))
		return flow_taken(t, req) == CI_MOD_ERROR ? CI_MOD_ERROR : CI_MOD_CONTINUE;
	if (t->x.head.content_length > hold)
		stream(t, req);
	return CI_MOD_CONTINUE;
}

enum file_type
inspection_type(const struct txn *t, ci_request_t *req, struct slice preview)
{
	char start[START_MAX];
	struct slice decoded;

	if (!judge_wants_type(t->generation, &t->x.head))
		return TYPE_UNKNOWN;
	decoded = decode_start(&t->x.head.codings, preview, start, sizeof(start));
	return file_type_of(decoded, ci_req_hasalldata(req) != 0 && decoded.p == preview.p);
}

/* A listed body: the page while nothing has gone out, else the broken transfer. */
static int
stop_body(struct txn *t, ci_request_t *req, const struct why *why, const struct body_facts *facts)
{
	char incident[INCIDENT_LEN + 1];

	if (t->respmod)
		recall_want_whole(t);
	if (!ci_req_sent_data(req))
		return inspection_refuse(t, req, why, facts) == CI_MOD_CONTINUE ? CI_MOD_DONE : CI_MOD_ERROR;
	if (t->respmod)
		recall_remember(t, why, facts, t->judged ? (int64_t)body_seen(t->body) : LENGTH_UNKNOWN);
	t->flow = FLOW_KILLED;
	process_incident(t->process, t->now_ms, incident);
	say(t, EVENT_KILLED, why, facts, (int64_t)body_sent(t->body), incident);
	return CI_MOD_DONE;
}

/* What a rule may come to match in it later has another length than the body. */
static bool
looked_inside(const struct txn *t)
{
	return t->plan.wish.codings.n > 0 || inspector_has_archive(t->inspector);
}

static int
pass_body(struct txn *t, ci_request_t *req, bool checked)
{
	int64_t length = t->x.head.content_length;
	uint64_t seen = body_seen(t->body);

	/* An end also comes when the origin broke off; what was cut is not what a cache keeps. */
	if (t->respmod && (length == LENGTH_UNKNOWN || (uint64_t)length == seen))
		flow_journal(t, looked_inside(t) ? LENGTH_UNKNOWN : (int64_t)seen, checked);
	if (!t->changed && ci_req_allow204(req) && !ci_req_sent_data(req) && body_sent(t->body) == 0)
		return CI_MOD_ALLOW204;
	body_release(t->body);
	ci_req_unlock_data(req);
	return CI_MOD_DONE;
}

/* Count what was done to a body. */
static void
count_work(struct txn *t)
{
	const struct inspector *i = t->inspector;

	process_count(t->process, COUNTER_bodies_hashed, !t->outgrown && t->plan.wish.sent_algs != 0);
	process_count(t->process, COUNTER_bytes_hashed, inspector_hashed(i));
	process_count(t->process, COUNTER_bodies_decoded, t->plan.wish.codings.n > 0);
	process_count(t->process, COUNTER_bytes_decoded, inspector_decoded(i));
	process_count(t->process, COUNTER_bodies_unpacked, inspector_has_archive(i));
	process_count(t->process, COUNTER_bodies_unscannable, inspector_unscannable(i) != UNSCANNABLE_NO);
	process_time(t->process, LATENCY_body, t->work_ns);
	if (inspector_has_archive(i))
		process_time(t->process, LATENCY_helper, inspector_waited_ns(i));
}

/* Not all of the body could be looked into: what the site says of that. */
static int
end_unscannable(struct txn *t, ci_request_t *req)
{
	struct body_facts facts = { .size = body_seen(t->body) };
	const struct digest *digests;
	struct why why;

	facts.n = inspector_sent_digests(t->inspector, &digests);
	memcpy(facts.digests, digests, facts.n * sizeof(*digests));
	judge_unscannable(t->generation, inspector_unscannable(t->inspector), &why);
	if (why.verdict == VERDICT_BLOCK && flow_enforces(t))
		return stop_body(t, req, &why, &facts);
	inspection_note(t, why.verdict == VERDICT_BLOCK ? EVENT_WOULD_BLOCK : EVENT_PASSED_UNCHECKED, &why, &facts);
	return pass_body(t, req, false);
}

static int
judge_end(struct txn *t, ci_request_t *req)
{
	const struct judged *kept;
	const struct why *why;
	bool checked = true;
	int64_t began;

	began = clock_ns();
	inspector_end(t->inspector);
	t->work_ns += clock_ns() - began;
	count_work(t);
	kept = findings_kept(t->findings);
	if (inspector_stopped(t->inspector) && kept != NULL)
		return stop_body(t, req, &kept->why, &kept->facts);
	if (kept != NULL) {
		why = &kept->why;
		if (why->verdict == VERDICT_BLOCK || why->would_block)
			inspection_note(t, EVENT_WOULD_BLOCK, why, &kept->facts);
		else if (reason_unchecked(why->reason))
			inspection_note(t, EVENT_PASSED_UNCHECKED, why, &kept->facts);
		/* A copy that a cache keeps of what one user may have is not for the others, whatever else is in it. */
		checked = why->verdict == VERDICT_PASS && !reason_unchecked(why->reason) && !t->findings->excepted &&
		    flow_outlives_copy(t, t->findings->ends);
	}
	if (inspector_unscannable(t->inspector) != UNSCANNABLE_NO)
		return end_unscannable(t, req);
	return pass_body(t, req, checked);
}

int
flow_taken(struct txn *t, ci_request_t *req)
{
	const struct judged *kept;

	if (t->flow != FLOW_INSPECT || !inspector_stopped(t->inspector))
		return CI_MOD_DONE;
	kept = findings_kept(t->findings);
	count_work(t);
	return stop_body(t, req, &kept->why, &kept->facts) == CI_MOD_ERROR || t->flow == FLOW_KILLED ? CI_MOD_ERROR : CI_MOD_DONE;
}

int
flow_end(struct txn *t, ci_request_t *req)
{
	t->judged = true;
	if (t->flow == FLOW_INSPECT)
		return judge_end(t, req);
	if (t->flow == FLOW_ECHO && t->body != NULL)
		body_release(t->body);
	return CI_MOD_DONE;
}
