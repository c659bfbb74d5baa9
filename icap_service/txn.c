#include "icap_service/txn.h"

#include <c_icap/simple_api.h>

#include <stdlib.h>

#include "base/clock.h"
#include "icap_service/page.h"

struct txn *
txn_new(struct process *process, ci_request_t *req)
{
	/* Not calloc(): glibc before 2.41 takes a lock for it that threads share. */
	struct txn *t = malloc(sizeof(*t));

	if (t == NULL)
		return NULL;
	*t = (struct txn){ .process = process };
	t->req = req;
	t->respmod = ci_req_type(req) == ICAP_RESPMOD;
	t->now_ms = clock_ms();
	t->policy = process_policy(process);
	t->generation = policy_generation(t->policy);
	t->mode = process_mode(process, t->now_ms);
	buf_init(&t->page, PAGE_MAX);
	return t;
}

void
txn_free(struct txn *t)
{
	if (t == NULL)
		return;
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

	inspector_update(i, bytes, body_full(t->body) || inspector_waiting(i) + bytes.len >= INSPECT_STEP);
	body_judged(t->body, inspector_judged(i));
	if (body_stuck(t->body) && inspector_hesitates(i)) {
		inspector_give_in(i);
		body_judged(t->body, inspector_judged(i));
	}
	outgrow(t);
}

size_t
txn_take(struct txn *t, struct slice bytes)
{
	size_t n;

	if (t->flow != FLOW_ECHO && t->flow != FLOW_INSPECT)
		return bytes.len;
	n = body_put(t->body, bytes);
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
