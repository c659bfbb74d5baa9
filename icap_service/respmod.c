#include <c_icap/c-icap.h>
#include <c_icap/service.h>
#include <c_icap/simple_api.h>

#include <stdlib.h>

#include "icap_service/answer.h"
#include "icap_service/flow.h"
#include "icap_service/ranges.h"
#include "icap_service/recall.h"
#include "icap_service/report.h"
#include "inspect/coding.h"
#include "runtime/runtime.h"

enum { MS = 1000, COPY_LIFE_S = 366 * 24 * 3600, START_MAX = 4096 };

/* Remember what goes through, so that a cached copy can be met again when a rule comes.  Squid keeps
 * answers of many a status, but no parts.  SIZE may be unknown; CHECKED says that the rules of this
 * generation had no objection, else any generation is newer. */
static void
journal(struct txn *t, int64_t size, bool checked)
{
	struct runtime *runtime = process_runtime(t->process);

	if (runtime == NULL || !t->x.is_get || t->x.head.status == STATUS_PARTIAL || !t->x.head.has_body)
		return;
	runtime_journal_put(runtime, t->key, size == LENGTH_UNKNOWN ? JOURNAL_SIZE_UNKNOWN : (uint64_t)size,
	    t->generation == NULL || !checked ? 0 : generation_number(t->generation), t->now_ms);
}

/* The rule that let something go, if one did, is in force for as long as a copy may be cached: what an
 * allow has covered is not harmless once the allow has ended. */
static bool
outlives_copy(const struct txn *t, const struct why *why)
{
	return !why->has_rule || why->rule.expires == 0 || why->rule.expires - t->now_ms / MS > COPY_LIFE_S;
}

static int
let_go(struct txn *t, ci_request_t *req, bool checked)
{
	t->flow = FLOW_PASS;
	process_count(t->process, COUNTER_bodies_skipped, t->x.head.has_body);
	journal(t, t->x.head.content_length, checked);
	return answer_unchanged(req);
}

/* Write the event of ACTION; its number goes to INCIDENT. */
static void
say(struct txn *t, enum event_action action, const struct why *why, const struct body_facts *facts,
    int64_t delivered, const char *incident)
{
	struct outcome o = { .action = action, .why = why, .incident = incident, .facts = facts,
		.delivered = delivered };

	report(t, &o);
}

/* A new number and the event with it, for what passes. */
static void
note(struct txn *t, enum event_action action, const struct why *why, const struct body_facts *facts)
{
	char incident[INCIDENT_LEN + 1];

	process_incident(t->process, t->now_ms, incident);
	say(t, action, why, facts, -1, incident);
}

static int
refuse(struct txn *t, ci_request_t *req, const struct why *why, const struct body_facts *facts)
{
	char incident[INCIDENT_LEN + 1];
	bool made;

	process_incident(t->process, t->now_ms, incident);
	made = answer_page(t, req, why, incident) == 0;
	say(t, EVENT_BLOCKED, why, facts, -1, incident);
	return made ? CI_MOD_CONTINUE : flow_no_answer();
}

/* Judge the URL again: a site may run RESPMOD alone.  A response that came without its request has no URL that could be
 * bad. */
static void
judge_url(struct txn *t, struct why *why)
{
	struct question q = { .url = t->x.has_url ? &t->x.url : NULL, .url_error = t->x.url_error,
		.now = t->now_ms / MS };

	why_init(why);
	if (t->x.has_request)
		judge_request(t->generation, txn_fail_mode(t), &q, why);
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
	bool may_lag = t->plan.wish.members != MEMBERS_NO;
	size_t tail = (size_t)o->hold_tail, lag = may_lag ? INSPECT_STEP : 0;

	if (may_lag && tail < INSPECT_LAG)
		tail = INSPECT_LAG;
	if (t->plan.wish.codings.n > 0)
		lag += INSPECT_STILL;
	t->body = body_new((size_t)o->hold_small, tail, lag, room);
	if ((t->findings = malloc(sizeof(*t->findings))) == NULL || t->body == NULL)
		return -1;
	findings_init(t->findings, t->generation, t->now_ms / MS, flow_enforces(t));
	t->plan.wish.may_be_listed = findings_may_be_listed;
	t->inspector = inspector_new(&t->plan.wish, process_means(t->process), findings_found, t->findings);
	return t->inspector == NULL ? -1 : 0;
}

static int
inspect(struct txn *t, ci_request_t *req, struct slice preview)
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

/* The type of the body by its first bytes, behind its codings. */
static enum file_type
type_of(const struct txn *t, ci_request_t *req, struct slice preview)
{
	char start[START_MAX];
	struct slice decoded;

	if (!judge_wants_type(t->generation, &t->x.head))
		return TYPE_UNKNOWN;
	decoded = decode_start(&t->x.head.codings, preview, start, sizeof(start));
	return file_type_of(decoded, ci_req_hasalldata(req) != 0 && decoded.p == preview.p);
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
		return refuse(t, req, &why, NULL);
	/* What would only be logged has been logged by REQMOD; what could not be checked is said each time. */
	if (reason_unchecked(why.reason))
		note(t, EVENT_PASSED_UNCHECKED, &why, NULL);
	if (why.files_exempt)
		return let_go(t, req, flow_enforces(t) && outlives_copy(t, &why));
	if (flow_enforces(t) && recall_kill(t, req, &remembered, &why))
		return refuse(t, req, &why, &remembered);
	t->plan = judge_plan(t->generation, &t->x.head, type_of(t, req, preview));
	switch (t->plan.action) {
	case PLAN_PASS:
		process_count(t->process, COUNTER_bodies_left_out, t->plan.left_out);
		return let_go(t, req, flow_enforces(t));
	case PLAN_INSPECT:
		return inspect(t, req, preview);
	case PLAN_REFUSE:
		break;
	}
	why_init(&why);
	why.reason = REASON_PARTIAL;
	why.verdict = flow_enforces(t) ? VERDICT_BLOCK : VERDICT_PASS;
	if (flow_enforces(t)) {
		recall_want_whole(t);
		return refuse(t, req, &why, NULL);
	}
	note(t, EVENT_WOULD_BLOCK, &why, NULL);
	return let_go(t, req, false);
}

/* A listed body: the page while nothing has gone out, else the broken transfer. */
static int
stop_body(struct txn *t, ci_request_t *req, const struct why *why, const struct body_facts *facts)
{
	char incident[INCIDENT_LEN + 1];

	recall_want_whole(t);
	if (!ci_req_sent_data(req))
		return refuse(t, req, why, facts) == CI_MOD_CONTINUE ? CI_MOD_DONE : CI_MOD_ERROR;
	recall_remember(t, why, facts->size, t->judged ? (int64_t)body_seen(t->body) : LENGTH_UNKNOWN);
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
	if (length == LENGTH_UNKNOWN || (uint64_t)length == seen)
		journal(t, looked_inside(t) ? LENGTH_UNKNOWN : (int64_t)seen, checked);
	if (ci_req_allow204(req) && !ci_req_sent_data(req) && body_sent(t->body) == 0)
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
	note(t, why.verdict == VERDICT_BLOCK ? EVENT_WOULD_BLOCK : EVENT_PASSED_UNCHECKED, &why, &facts);
	return pass_body(t, req, false);
}

static int
judge_end(struct txn *t, ci_request_t *req)
{
	const struct judged *kept;
	const struct why *why;
	bool checked = true;

	inspector_end(t->inspector);
	count_work(t);
	kept = findings_kept(t->findings);
	if (inspector_stopped(t->inspector) && kept != NULL)
		return stop_body(t, req, &kept->why, &kept->facts);
	if (kept != NULL) {
		why = &kept->why;
		if (why->verdict == VERDICT_BLOCK || why->would_block)
			note(t, EVENT_WOULD_BLOCK, why, &kept->facts);
		else if (reason_unchecked(why->reason))
			note(t, EVENT_PASSED_UNCHECKED, why, &kept->facts);
		checked = why->verdict == VERDICT_PASS && !reason_unchecked(why->reason) && outlives_copy(t, why);
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
