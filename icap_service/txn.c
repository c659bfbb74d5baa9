#include "icap_service/txn.h"

#include <c_icap/simple_api.h>

#include <stdlib.h>

#include "base/clock.h"
#include "icap_service/svc_log.h"
#include "pages/page.h"

enum { MS = 1000, STALLED_AT = 65535 };

/* The mode that squid.conf asks for in the service's URL, "firebreak?mode=observe": its ACLs know subnets, users and groups. */
static enum mode
asked_mode(struct process *process, const ci_request_t *req)
{
	struct slice rest = slice_make(req->args, strnlen(req->args, sizeof(req->args))), word;
	enum mode mode = MODE_ENFORCE;

	while (rest.len > 0) {
		slice_cut(rest, '&', &word, &rest);
		if (slice_eq(word, SLICE("mode=observe")))
			mode = MODE_OBSERVE;
		else if (slice_eq(word, SLICE("mode=off")))
			mode = MODE_OFF;
		else if (!slice_eq(word, SLICE("mode=enforce")) && process_says_first(process, SAID_ODD_ARGUMENT))
			svc_log(SVC_WARNING, "squid.conf asks for the service with an argument that is not known, and has no effect: "
			    "mode=enforce, mode=observe and mode=off are");
	}
	return mode;
}

struct txn *
txn_new(struct process *process, ci_request_t *req)
{
	struct policy *policy = process_policy(process);
	const struct generation *g = policy_generation(policy);
	bool has_names = g != NULL && generation_has_names(g);
	/* Not calloc(): glibc before 2.41 takes a lock for it that threads share. */
	struct txn *t = malloc(sizeof(*t) + (has_names ? sizeof(*t->names) : 0));

	if (t == NULL) {
		policy_put(policy);
		return NULL;
	}
	*t = (struct txn){ .process = process, .policy = policy, .generation = g };
	t->req = req;
	t->respmod = ci_req_type(req) == ICAP_RESPMOD;
	t->now_ms = clock_ms();
	t->mode = process_mode(process, t->now_ms);
	/* Only ever less is done than firebreak mode says. */
	if (req->args[0] != '\0' && asked_mode(process, req) > t->mode)
		t->mode = asked_mode(process, req);
	t->hold = process_options(process)->hold_small;
	buf_init(&t->page, PAGE_MAX);
	return t;
}

/* Squid before 6.14 sends so many bytes, less one, of a response and then waits for its headers, which wait for the others. */
static void
notice_stall(const struct txn *t)
{
	if (t->may_stall && !t->judged && body_phase(t->body) == BODY_HELD && body_seen(t->body) == STALLED_AT &&
	    process_says_first(t->process, SAID_STALL))
		svc_log(SVC_WARNING, "a download that was held whole ended after %d bytes: a Squid before 6.14 or 7.0.2 does that (bug "
		    "5352); set HoldMode tail", STALLED_AT);
}

void
txn_free(struct txn *t)
{
	if (t == NULL)
		return;
	notice_stall(t);
	exchange_fini(&t->x);
	inspector_free(t->inspector);
	free(t->findings);
	body_free(t->body);
	buf_fini(&t->page);
	policy_put(t->policy);
	free(t);
}

int
txn_read(struct txn *t, ci_request_t *req)
{
	struct runtime *runtime = process_runtime(t->process);

	if (exchange_read(&t->x, req) == -1)
		return -1;
	if (runtime != NULL && t->x.shown.len > 0) {
		t->key = runtime_key(runtime, t->x.shown);
		runtime_expect(runtime, t->key);
	}
	return 0;
}

void
txn_read_names(struct txn *t, ci_request_t *req)
{
	if (t->generation == NULL || !generation_has_names(t->generation))
		return;
	t->names->n = 0;
	t->names->rule = 0;
	exchange_read_names(&t->x, req, t->names);
	t->x.head.names = t->names;
}

const struct asker *
txn_who(struct txn *t)
{
	if (!t->asker_known)
		t->asker = (struct asker){ .client = exchange_client(t->req), .user = exchange_user(t->req),
			.host = t->x.has_url ? t->x.url.host : (struct slice){ 0 },
			.pseudonyms = process_pseudonyms(t->process, false, t->now_ms) };
	t->asker_known = true;
	return &t->asker;
}

const struct asker *
txn_asker(struct txn *t)
{
	return t->generation != NULL && generation_has_exceptions(t->generation) ? txn_who(t) : NULL;
}

int64_t
txn_hold(struct txn *t)
{
	const struct service_options *o = process_options(t->process);
	int64_t whole = o->hold_whole;

	if (o->hold_mode != HOLD_WHOLE || whole <= o->hold_small || t->x.head.content_length > whole)
		return t->hold;
	t->hold = whole;
	t->may_stall = t->respmod;
	body_spool(t->body, (uint64_t)whole, process_means(t->process)->spool_dir);
	if (o->hold_trickle > 0)
		body_trickle(t->body, t->now_ms, o->hold_trickle * MS);
	return t->hold;
}

bool
txn_heads_due(struct txn *t)
{
	if (body_phase(t->body) == BODY_HELD && body_seen(t->body) > (uint64_t)t->hold)
		body_hold_tail(t->body);
	return body_phase(t->body) != BODY_HELD || (body_trickles(t->body) && body_tick(t->body, clock_ms()));
}

/* Nothing more can be found: the rest may go.  But what could not be looked into may be refused at the end. */
static void
outgrow(struct txn *t)
{
	if (t->outgrown || !inspector_done(t->inspector) || inspector_stopped(t->inspector) ||
	    (inspector_unscannable(t->inspector) != UNSCANNABLE_NO && txn_site(t)->unscannable == UNSCANNABLE_BLOCK))
		return;
	t->outgrown = true;
	body_release(t->body);
	process_count(t->process, COUNTER_bodies_outgrown, 1);
}

/* BYTES are in the body.  The helper is waited for now and then, and when there is no room for more. */
static void
look(struct txn *t, struct slice bytes)
{
	struct inspector *i = t->inspector;
	int64_t began = clock_ns();

	inspector_update(i, bytes, body_full(t->body) || inspector_waiting(i) + bytes.len >= INSPECT_STEP);
	body_judged(t->body, inspector_judged(i));
	if (body_stuck(t->body) && inspector_hesitates(i)) {
		inspector_give_in(i);
		body_judged(t->body, inspector_judged(i));
	}
	outgrow(t);
	t->work_ns += clock_ns() - began;
}

size_t
txn_take(struct txn *t, struct slice bytes)
{
	size_t n;

	if (t->flow != FLOW_ECHO && t->flow != FLOW_INSPECT)
		return bytes.len;
	n = body_put(t->body, bytes);
	if (body_spool_error(t->body) != 0 && process_says_first(t->process, SAID_SPOOL_FULL))
		svc_log(SVC_ERROR, "%s takes no more of the bodies that are held whole: %s; they go through but for their tails",
		    process_means(t->process)->spool_dir, strerror(body_spool_error(t->body)));
	if (t->flow == FLOW_INSPECT)
		look(t, slice_head(bytes, n));
	return n;
}

static int
give_page(struct txn *t, char *out, size_t len)
{
	struct slice left = slice_skip(buf_slice(&t->page), t->page_sent);
	size_t n = left.len < len ? left.len : len;

	if (n == 0)
		return TXN_EOF;
	memcpy(out, left.p, n);
	t->page_sent += n;
	return (int)n;
}

int
txn_give(struct txn *t, char *out, size_t len)
{
	size_t n;

	switch (t->flow) {
	case FLOW_PASS:
		return TXN_EOF;
	case FLOW_PAGE:
		return give_page(t, out, len);
	case FLOW_KILLED:
		return TXN_BREAK;
	case FLOW_ECHO:
	case FLOW_INSPECT:
		break;
	}
	n = body_get(t->body, out, len);
	if (body_broken(t->body)) {
		if (process_says_first(t->process, SAID_SPOOL_BROKEN))
			svc_log(SVC_ERROR, "%s does not give back what was held of a body: its transfer is broken",
			    process_means(t->process)->spool_dir);
		return TXN_BREAK;
	}
	if (n == 0 && t->judged)
		return body_empty(t->body) ? TXN_EOF : TXN_BREAK;
	return (int)n;
}

const struct site *
txn_site(const struct txn *t)
{
	return t->generation == NULL ? process_site(t->process) : generation_site(t->generation);
}

int
txn_fail_mode(const struct txn *t)
{
	if (t->generation == NULL)
		return (int)process_options(t->process)->no_rules;
	return (int)generation_site(t->generation)->fail_mode;
}
