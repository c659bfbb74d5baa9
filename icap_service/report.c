#include "icap_service/report.h"

#include <errno.h>

#include "base/clock.h"
#include "events/json_line.h"
#include "events/mail.h"
#include "icap_service/svc_log.h"
#include "runtime/pseudonym.h"

enum { TARGETS_A_URL = 8 };
enum { LINE_MAX_BYTES = 256 * 1024, LINE_USUAL = 4096, TEXT_USUAL = 1024, ID_USUAL = 256, STEPS_TEXT_MAX = 64 * 1024,
	METHOD_MAX = 64 };		/* RFC 9110's have up to 7 bytes, those of WebDAV 16; Squid takes 32 */

static enum counter
counter_of(enum event_action action)
{
	switch (action) {
	case EVENT_BLOCKED: return COUNTER_blocked;
	case EVENT_KILLED: return COUNTER_killed;
	case EVENT_MARKED: return COUNTER_marked;
	case EVENT_WOULD_BLOCK: return COUNTER_would_block;
	case EVENT_WARNED: return COUNTER_warned;
	case EVENT_CONTINUED: return COUNTER_continued;
	default: return COUNTER_passed_unchecked;
	}
}

/* The counter of REASON, or COUNTERS. */
static enum counter
counter_of_reason(enum reason reason)
{
	switch (reason) {
	case REASON_HOST: return COUNTER_reason_host;
	case REASON_URL: return COUNTER_reason_url;
	case REASON_PATH: return COUNTER_reason_path;
	case REASON_ADDRESS: return COUNTER_reason_address;
	case REASON_FILE: return COUNTER_reason_file;
	case REASON_FILE_NAME: return COUNTER_reason_file_name;
	case REASON_LOOKALIKE: return COUNTER_reason_lookalike;
	case REASON_ODD_HOST: return COUNTER_reason_odd_host;
	case REASON_FILE_AGAIN: return COUNTER_reason_file_again;
	case REASON_PARTIAL: return COUNTER_reason_partial;
	case REASON_NO_RULES: return COUNTER_reason_no_rules;
	case REASON_BAD_URL: return COUNTER_reason_bad_url;
	case REASON_DAMAGED: return COUNTER_reason_damaged;
	case REASON_UNSCANNABLE: return COUNTER_reason_unscannable;
	case REASON_LIMIT: return COUNTER_reason_limit;
	case REASON_NO_MEMORY: return COUNTER_reason_no_memory;
	case REASON_NONE:
	case REASONS: break;
	}
	return COUNTERS;
}

/* What was done, and why. */
static void
count(struct txn *t, enum event_action action, enum reason reason)
{
	enum counter of_reason = counter_of_reason(reason);

	process_count(t->process, counter_of(action), 1);
	if (of_reason != COUNTERS)
		process_count(t->process, of_reason, 1);
}

/* The URL as the log may have it: a query often carries names, passwords or tokens. */
static struct slice
url_for_log(const struct txn *t, struct buf *store)
{
	struct slice shown = t->x.shown;
	size_t query = slice_find(shown, '?'), at = 0;
	bool cut = !txn_site(t)->log_query && query < shown.len;
	struct mail mail;

	if (cut)
		shown = slice_head(shown, query);
	if (!cut && (txn_site(t)->log_mail || !mail_next(shown, &at, &mail)))
		return shown;
	if (txn_site(t)->log_mail)
		buf_add_slice(store, shown);
	else
		mail_mask(shown, store);
	if (cut)
		buf_add_str(store, "?-");
	return buf_slice(store);
}

/* TEXT, which has a part of the URL in it, as the log may have it. */
static struct slice
text_for_log(const struct txn *t, struct slice text, struct buf *store)
{
	struct mail mail;
	size_t at = 0;

	if (txn_site(t)->log_mail || !mail_next(text, &at, &mail))
		return text;
	mail_mask(text, store);
	return buf_slice(store);
}

/* Pseudonyms are to be written.  Without a generation nobody knows: whoever has keys had them for that. */
static bool
is_pseudonymous(const struct txn *t)
{
	return t->generation != NULL ? txn_site(t)->pseudonyms : process_has_pseudonyms(t->process);
}

/* The pseudonym of NAME, or what stands there without a key: never the name. */
static struct slice
pseudonym_of(const struct txn *t, enum pseudonym_kind kind, struct slice name, char store[static PSEUDONYM_TEXT])
{
	const struct pseudonyms *keys = process_pseudonyms(t->process, t->generation != NULL, t->now_ms);
	int len = keys == NULL ? -1 : pseudonym_make(keys, kind, name, store);

	if (len > 0)
		return slice_make(store, (size_t)len);
	process_count(t->process, COUNTER_pseudonyms_unavailable, 1);
	return slice_str(pseudonym_unavailable(kind));
}

/* Who asked, in clear or by pseudonyms, of which TOKENS has the text. */
static void
fill_who(struct event *e, const struct txn *t, char tokens[static 2 * PSEUDONYM_TEXT])
{
	struct slice client = exchange_client(t->req), user = exchange_user(t->req);

	if (!is_pseudonymous(t)) {
		e->client_ip = client;
		e->user = user;
		return;
	}
	if (client.len > 0)
		e->client_token = pseudonym_of(t, PSEUDONYM_CLIENT, client, tokens);
	if (user.len > 0)
		e->user_token = pseudonym_of(t, PSEUDONYM_USER, user, tokens + PSEUDONYM_TEXT);
}

static void
note_target(struct txn *t, const struct event *e, const struct mail *mail)
{
	char space[LINE_USUAL], address_space[ID_USUAL], when[CLOCK_TEXT], token[PSEUDONYM_TEXT];
	bool hidden = is_pseudonymous(t);
	struct buf line, address;
	struct json_line j;

	clock_format_ms(t->now_ms, when);
	buf_init_in(&line, space, sizeof(space), LINE_MAX_BYTES);
	buf_init_in(&address, address_space, sizeof(address_space), SHOWN_MAX);
	buf_add_slice(&address, mail->local);
	buf_add_char(&address, '@');
	buf_add_slice(&address, mail->domain);
	json_line_begin(&j, &line);
	json_line_text(&j, "@timestamp", slice_str(when));
	json_line_text(&j, "event.id", slice_str(e->id));
	json_line_text(&j, "event.action", slice_str(event_action_name(e->action)));
	if (hidden)
		json_line_text(&j, "user.hash", pseudonym_of(t, PSEUDONYM_MAIL, buf_slice(&address), token));
	else
		json_line_text(&j, "user.email", buf_slice(&address));
	json_line_text(&j, "url.domain", e->host);
	json_line_text(&j, hidden ? "client.address" : "client.ip", hidden ? e->client_token : e->client_ip);
	if (json_line_end(&j) == 0)
		process_target(t->process, buf_slice(&line));
	else
		process_count(t->process, COUNTER_events_lost, 1);
	buf_fini(&address);
	buf_fini(&line);
}

/* Whom T's URL was made for goes where only the service's user looks. */
static void
note_targets(struct txn *t, const struct event *e)
{
	struct mail mail;
	size_t at = 0;

	if (!txn_site(t)->log_targets)
		return;
	for (int n = 0; n < TARGETS_A_URL && mail_next(t->x.shown, &at, &mail); n++)
		note_target(t, e, &mail);
}

static void
fill_rule(struct event *e, const struct why *why, struct buf *id)
{
	const struct rule *rule = why_rule(why);

	if (rule == NULL)
		return;
	if (rule_id_format(rule, id) == 0)
		e->rule_id = buf_slice(id);
	e->rule_ruleset = rule->source;
	e->rule_version = rule->rev;
	e->level = rule->level;
	e->alert = rule->alert;
}

static struct slice
last_part(struct slice path)
{
	size_t at = path.len;

	while (at > 0 && path.p[at - 1] != '/' && path.p[at - 1] != '\\')
		at--;
	return slice_skip(path, at);
}

static void
fill_file(struct event *e, const struct txn *t, const struct outcome *o, struct buf *name)
{
	if (o->facts == NULL)
		return;
	e->file_size = (int64_t)o->facts->size;
	e->file_name = text_for_log(t, exchange_file_name(&t->x), name);
	if (o->facts->kind == FINDING_MEMBER) {
		e->file_path = o->facts->member;
		e->file_name = last_part(o->facts->member);
	}
	e->found = o->facts->kind == FINDING_SENT ? NULL : o->facts->kind == FINDING_DECODED ? "decoded" : "member";
	for (size_t i = 0; i < o->facts->n; i++)
		e->digests[o->facts->digests[i].alg] = &o->facts->digests[i];
}

static void
fill_exchange(struct event *e, struct txn *t, struct buf *url)
{
	e->method = slice_head(t->x.method, METHOD_MAX);
	e->url = url_for_log(t, url);
	if (t->x.has_url)
		e->host = t->x.url.host;
	e->status = t->respmod ? t->x.head.status : 0;
	e->provider = t->respmod ? "respmod" : "reqmod";
	e->generation = t->generation == NULL ? 0 : generation_number(t->generation);
	e->worker = process_pid(t->process);
}

static void
write_line(struct txn *t, const struct event *e)
{
	char space[LINE_USUAL];
	struct buf line;

	buf_init_in(&line, space, sizeof(space), LINE_MAX_BYTES);
	if (event_format(e, &line) == 0) {
		process_event(t->process, buf_slice(&line));
	} else {
		process_count(t->process, COUNTER_events_lost, 1);
		if (process_says_first(t->process, SAID_LONG_EVENT))
			svc_log(SVC_ERROR, "an event has more than %d bytes and is lost; it is counted", LINE_MAX_BYTES);
	}
	buf_fini(&line);
}

/* What let through what the rule alone would have refused; NULL. */
static const char *
mode_of(const struct txn *t, const struct why *why)
{
	if (t->mode != MODE_ENFORCE)
		return mode_name(t->mode);
	return t->x.is_connect && why->verdict == VERDICT_BLOCK ? "inner" : NULL;
}

/* FACTS are of a file of the selftest's, and nothing else came with it: behind a member there may be what nobody looks at any more,
 * and anything could be called as RULE says. */
static bool
is_canary_file(const struct txn *t, const struct rule *rule, const struct body_facts *facts)
{
	int64_t length = t->x.head.content_length;

	if (facts == NULL || (facts->size != RULE_CANARY_SHORT && facts->size != RULE_CANARY_LONG))
		return false;
	return facts->kind != FINDING_MEMBER ||
	    (rule->key.digest != NULL && length != LENGTH_UNKNOWN && (uint64_t)length <= facts->size + RULE_CANARY_WRAP);
}

/* No other source has anything to say of the file that WHY is about, not even below the threshold. */
static bool
is_file_of_canaries_alone(const struct txn *t, const struct why *why)
{
	struct rule rule;

	for (size_t i = 0; i < why->n_steps; i++) {
		const struct step *step = &why->steps[i];

		if (step->kind == STEP_FILE && (generation_rule(t->generation, step->layer, step->ref, NULL, &rule) == -1 ||
		    !rule_is_canary(&rule)))
			return false;
	}
	return why->steps_lost == 0;
}

/* What T asked for is what "firebreak selftest" asks for: a rule that somebody put beside those of the selftest is news, and so is
 * what somebody dresses up as one of its files. */
static bool
is_asked_by_selftest(const struct txn *t, const struct rule *rule, const struct outcome *o)
{
	if (rule->kind != RULE_FILE)
		return t->x.has_url && slice_ends(t->x.url.host, SLICE(RULE_CANARY_DOMAIN));
	return is_canary_file(t, rule, o->facts) && is_file_of_canaries_alone(t, o->why);
}

/* A canary of "firebreak selftest" that was stopped, as it should be: no news.  One that passes is told by whoever asked. */
static bool
is_stopped_canary(const struct txn *t, const struct outcome *o)
{
	const struct rule *rule = why_rule(o->why);

	return rule != NULL && rule_is_canary(rule) && is_asked_by_selftest(t, rule, o) &&
	    (o->action == EVENT_BLOCKED || o->action == EVENT_KILLED || o->action == EVENT_MARKED);
}

void
report(struct txn *t, const struct outcome *o)
{
	enum reason reason = why_reason(o->why);
	char url_space[TEXT_USUAL], steps_space[TEXT_USUAL], sentence_space[TEXT_USUAL], id_space[ID_USUAL], name_space[ID_USUAL];
	char tokens[2 * PSEUDONYM_TEXT];
	struct buf url, steps, sentence, id, name, shown_steps, shown_sentence;
	struct event e;

	if (is_stopped_canary(t, o)) {
		process_count(t->process, COUNTER_canaries, 1);
		return;
	}
	/* On the stack: threads that share an arena of malloc wait for each other. */
	buf_init_in(&url, url_space, sizeof(url_space), 2 * SHOWN_MAX);
	buf_init_in(&steps, steps_space, sizeof(steps_space), STEPS_TEXT_MAX);
	buf_init_in(&sentence, sentence_space, sizeof(sentence_space), STEPS_TEXT_MAX);
	buf_init_in(&id, id_space, sizeof(id_space), STEPS_TEXT_MAX);
	buf_init_in(&name, name_space, sizeof(name_space), SHOWN_MAX);
	buf_init(&shown_steps, 2 * STEPS_TEXT_MAX);
	buf_init(&shown_sentence, 2 * STEPS_TEXT_MAX);
	event_init(&e);
	e.time_ms = t->now_ms;
	memcpy(e.id, o->incident, INCIDENT_LEN + 1);
	e.action = o->action;
	e.reason = reason_name(reason);
	e.delivered = o->delivered;
	e.mode = o->action == EVENT_WOULD_BLOCK ? mode_of(t, o->why) : NULL;
	fill_who(&e, t, tokens);
	fill_exchange(&e, t, &url);
	fill_rule(&e, o->why, &id);
	fill_file(&e, t, o, &name);
	why_format_steps(t->generation, o->why, &steps);
	why_format_sentence(o->why, e.host, &sentence);
	/* A rule that was made of a lure shows what that has. */
	e.steps = text_for_log(t, buf_slice(&steps), &shown_steps);
	e.message = text_for_log(t, buf_slice(&sentence), &shown_sentence).p;
	write_line(t, &e);
	note_targets(t, &e);
	count(t, o->action, reason);
	buf_fini(&url);
	buf_fini(&steps);
	buf_fini(&sentence);
	buf_fini(&id);
	buf_fini(&name);
	buf_fini(&shown_steps);
	buf_fini(&shown_sentence);
}
