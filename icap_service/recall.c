#include "icap_service/recall.h"

#include <c_icap/simple_api.h>

#include "icap_service/fields.h"
#include "icap_service/headers.h"
#include "runtime/runtime.h"

enum { MS = 1000, KEY_TEXT_USUAL = 512 };

int64_t
recall_whole_length(const struct body_head *head)
{
	return head->status == STATUS_PARTIAL ? head->complete_length : head->content_length;
}

/* The key of authority and ETag; 0 when the response has no ETag that counts.  A URL never begins with a NUL, and a host has
 * none, so that neither can pass for the other. */
static uint64_t
etag_key(struct txn *t, ci_request_t *req, const struct runtime *runtime)
{
	char space[KEY_TEXT_USUAL], port[DIGITS_MAX];
	struct slice etag;
	struct buf text;
	uint64_t key;

	if (!t->x.has_url || !t->x.is_get || header_find(ci_http_response_headers(req), SLICE("etag"), &etag) != 1 ||
	    !etag_is_strong(etag))
		return 0;
	buf_init_in(&text, space, sizeof(space), HOST_MAX + ETAG_MAX + sizeof(port) + 3);
	buf_add_char(&text, '\0');
	buf_add_slice(&text, t->x.url.host);
	buf_add_char(&text, '\0');
	buf_add(&text, port, decimal(t->x.url.port, port));
	buf_add_char(&text, '\0');
	buf_add_slice(&text, etag);
	key = text.failed ? 0 : runtime_key(runtime, buf_slice(&text));
	buf_fini(&text);
	return key;
}

/* KILL as facts, with every digest that is known of it. */
static void
facts_of(const struct kill *kill, struct body_facts *facts)
{
	facts->size = kill->size;
	facts->digests[facts->n++] = kill->digest;
	for (size_t i = 0; i < kill->n_more; i++)
		facts->digests[facts->n++] = kill->more[i];
}

/* What KEY is remembered as, and the rules of now against it.  When these go by a digest that was not taken then, this response
 * is inspected as any other. */
static bool
is_killed(struct txn *t, enum kill_by by, uint64_t key, struct body_facts *facts, struct why *why)
{
	int64_t length = recall_whole_length(&t->x.head);
	struct kill kill = { .by = by, .length = length == LENGTH_UNKNOWN ? KILL_LENGTH_UNKNOWN : (uint64_t)length };

	if (!runtime_recall_kill(process_runtime(t->process), key, t->now_ms, &kill))
		return false;
	*facts = (struct body_facts){ .names = t->x.head.names, .asker = txn_asker(t), .remembered = true };
	facts_of(&kill, facts);
	if (!judge_remembers_enough(t->generation, facts))
		return false;
	/* The rule that it was killed by went by the name of a member, or by one that this answer may not have. */
	if (t->x.head.names != NULL)
		t->names->rule = kill.named;
	judge_body(t->generation, facts, t->now_ms / MS, why);
	if (t->x.head.names != NULL)
		t->names->rule = 0;
	return why->verdict == VERDICT_BLOCK;
}

/* Answers to a POST differ under one URL: only a length makes them one.  What has no URL to show has no key, either. */
static bool
has_identity(const struct txn *t, int64_t length)
{
	return t->key != 0 && (length != LENGTH_UNKNOWN || t->x.is_get);
}

bool
recall_kill(struct txn *t, ci_request_t *req, struct body_facts *facts, struct why *why)
{
	const struct runtime *runtime = process_runtime(t->process);

	if (runtime == NULL || !t->x.has_request || !t->x.head.has_body || t->generation == NULL ||
	    !judge_has_file_rules(t->generation))
		return false;
	t->etag_key = etag_key(t, req, runtime);
	if (has_identity(t, recall_whole_length(&t->x.head)) && is_killed(t, KILL_BY_URL, t->key, facts, why))
		return true;
	return t->etag_key != 0 && is_killed(t, KILL_BY_ETAG, t->etag_key, facts, why);
}

/* Under both keys, with LENGTH as sent. */
static void
remember(struct txn *t, struct kill *kill, int64_t length)
{
	struct runtime *runtime = process_runtime(t->process);

	if (!has_identity(t, length))
		return;
	kill->length = length == LENGTH_UNKNOWN ? KILL_LENGTH_UNKNOWN : (uint64_t)length;
	kill->by = KILL_BY_URL;
	runtime_remember_kill(runtime, t->key, kill);
	kill->by = KILL_BY_ETAG;
	if (t->etag_key != 0)
		runtime_remember_kill(runtime, t->etag_key, kill);
}

/* The digests of FACTS into KILL, first the one that RULE went by. */
static void
take_digests(struct kill *kill, const struct rule *rule, const struct body_facts *facts)
{
	kill->digest = rule->key.digest != NULL ? *rule->key.digest : facts->digests[0];
	for (size_t i = 0; i < facts->n; i++)
		if (facts->digests[i].alg != kill->digest.alg)
			kill->more[kill->n_more++] = facts->digests[i];
}

void
recall_remember(struct txn *t, const struct why *why, const struct body_facts *facts, int64_t seen)
{
	int64_t said = recall_whole_length(&t->x.head);
	struct kill kill = { .size = facts->size, .time_ms = t->now_ms };

	if (process_runtime(t->process) == NULL || !t->x.has_request || !why->has_rule || why->rule.kind != RULE_FILE ||
	    facts->n == 0 || rule_is_canary(&why->rule))
		return;
	take_digests(&kill, &why->rule, facts);
	if (why->rule.key.digest == NULL)
		kill.named = name_rule_key(why->rule.key.path);
	/* The retry says what this response said; a resume also knows how long it was. */
	remember(t, &kill, said);
	if (seen != LENGTH_UNKNOWN && seen != said && t->x.head.status != STATUS_PARTIAL)
		remember(t, &kill, seen);
}

void
recall_want_whole(struct txn *t)
{
	struct runtime *runtime = process_runtime(t->process);

	if (runtime != NULL && t->x.is_get && t->key != 0)
		runtime_want_whole(runtime, t->key, t->now_ms);
}
