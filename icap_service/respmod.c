#include <c_icap/c-icap.h>
#include <c_icap/service.h>
#include <c_icap/simple_api.h>

#include "icap_service/answer.h"
#include "icap_service/flow.h"
#include "icap_service/ranges.h"
#include "icap_service/recall.h"
#include "icap_service/report.h"
#include "runtime/runtime.h"

enum { MS = 1000, COPY_LIFE_S = 366 * 24 * 3600 };

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
inspect(struct txn *t, ci_request_t *req, struct slice preview)
{
	const struct service_options *o = process_options(t->process);

	t->body = body_new((size_t)o->hold_small, (size_t)o->hold_tail, preview.len);
	t->digester = digester_new(t->plan.algs);
	if (t->body == NULL || t->digester == NULL)
		return flow_out_of_memory(t, req);
	t->flow = FLOW_INSPECT;
	if (t->x.head.content_length > o->hold_small)
		stream(t, req);
	if (txn_take(t, preview) < preview.len)
		return CI_MOD_ERROR;
	return CI_MOD_CONTINUE;
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
	t->plan = judge_plan(t->generation, &t->x.head);
	switch (t->plan.action) {
	case PLAN_PASS:
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
	recall_remember(t, why, facts->size, (int64_t)body_seen(t->body));
	t->flow = FLOW_KILLED;
	process_incident(t->process, t->now_ms, incident);
	say(t, EVENT_KILLED, why, facts, (int64_t)body_sent(t->body), incident);
	return CI_MOD_DONE;
}

static int
pass_body(struct txn *t, ci_request_t *req, bool checked)
{
	int64_t length = t->x.head.content_length;
	uint64_t seen = body_seen(t->body);

	/* An end also comes when the origin broke off; what was cut is not what a cache keeps. */
	if (length == LENGTH_UNKNOWN || (uint64_t)length == seen)
		journal(t, (int64_t)seen, checked);
	if (ci_req_allow204(req) && !ci_req_sent_data(req) && body_sent(t->body) == 0)
		return CI_MOD_ALLOW204;
	body_release(t->body);
	ci_req_unlock_data(req);
	return CI_MOD_DONE;
}

static int
judge_end(struct txn *t, ci_request_t *req)
{
	struct body_facts facts = { .size = body_seen(t->body) };
	struct why why;

	if (t->digester == NULL)		/* outgrown */
		return pass_body(t, req, true);
	facts.n = digester_final(t->digester, facts.digests);
	process_count(t->process, COUNTER_bodies_hashed, 1);
	judge_body(t->generation, &facts, t->now_ms / MS, &why);
	if (why.verdict == VERDICT_BLOCK && flow_enforces(t))
		return stop_body(t, req, &why, &facts);
	if (why.verdict == VERDICT_BLOCK || why.would_block)
		note(t, EVENT_WOULD_BLOCK, &why, &facts);
	else if (reason_unchecked(why.reason))
		note(t, EVENT_PASSED_UNCHECKED, &why, &facts);
	return pass_body(t, req, why.verdict == VERDICT_PASS && !reason_unchecked(why.reason) &&
	    outlives_copy(t, &why));
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
