#include "judge/judge.h"

#include <stdlib.h>

/* Rules that apply beyond these need memory of their own: none is left out, since the last may be the one that decides. */
enum { MATCHES_FEW = 128, REFS_FEW = 64 };

static void
add_step(struct why *why, enum step_kind kind, enum step_result result, uint32_t ref, enum reason reason)
{
	if (why->n_steps == STEPS_MAX) {
		why->steps_lost++;
		return;
	}
	why->steps[why->n_steps++] = (struct step){ kind, result, ref, reason };
}

int64_t
judge_now(const struct generation *g, int64_t clock_seconds)
{
	int64_t created = g == NULL ? 0 : generation_created(g);

	return created > clock_seconds ? created : clock_seconds;
}

/* "Could not check": the fail mode decides, and it is said. */
static void
unchecked(struct why *why, int fail_mode, enum reason reason)
{
	why->verdict = fail_mode == FAIL_CLOSED ? VERDICT_BLOCK : VERDICT_PASS;
	why->reason = reason;
	add_step(why, STEP_UNCHECKED, STEP_DECIDES, 0, reason);
}

/* What stands in the way of RULE acting at NOW; STEP_PLAIN when nothing does.  An allow has no
 * level to reach. */
static enum step_result
obstacle(const struct generation *g, const struct rule *rule, int64_t now)
{
	if (rule->expires != 0 && rule->expires <= now)
		return STEP_EXPIRED;
	if (rule->action == RULE_BLOCK && rule->level < generation_site(g)->threshold)
		return STEP_BELOW_THRESHOLD;
	return STEP_PLAIN;
}

/* One rule that applies and may act, while the best is looked for. */
struct candidate {
	bool		 found;
	uint32_t	 ref;
	size_t		 step;		/* its index in why->steps, or STEPS_MAX when it was lost */
	struct rule	 rule;
	struct host_match match;
};

struct search {
	const struct generation	*g;
	int64_t			 now;
	struct why		*why;
	struct candidate	 best, local_allow, would;
	bool			 damaged;
};

/* A damaged segment must not block by a rule that says something else. */
static bool
rule_says_match(const struct rule *rule, const struct host_match *match)
{
	struct rule_match m;
	char why[RULE_WHY];
	size_t at;
	bool same;

	if (rule->kind == RULE_FILE || rule_match_parse(rule->kind, rule->value, &m, why, &at) == -1)
		return false;
	same = m.scope == match->scope && slice_eq(slice_make(m.host, m.host_len), match->host) &&
	    slice_eq(slice_str(m.path), match->path);
	rule_match_fini(&m);
	return same;
}

static bool
same_specificity(const struct host_match *a, const struct host_match *b)
{
	return a->scope == b->scope && a->host.len == b->host.len && a->path.len == b->path.len;
}

static void
remember(struct candidate *c, uint32_t ref, const struct why *why, const struct rule *rule,
    const struct host_match *match)
{
	*c = (struct candidate){ .found = true, .ref = ref, .rule = *rule, .match = *match,
		.step = why->steps_lost > 0 ? STEPS_MAX : why->n_steps - 1 };
}

/* Weigh the next match; they come most specific first. */
static void
weigh(struct search *s, const struct host_match *match)
{
	enum step_result result;
	struct rule rule;

	if (generation_rule(s->g, match->ref, &rule) == -1 || !rule_says_match(&rule, match)) {
		s->damaged = true;
		return;
	}
	if (rule.action == RULE_PROTECT)
		return;
	result = obstacle(s->g, &rule, s->now);
	add_step(s->why, STEP_RULE, result == STEP_PLAIN ? STEP_OVERRULED : result, match->ref, REASON_NONE);
	if (result == STEP_BELOW_THRESHOLD && !s->would.found && !s->best.found && !s->local_allow.found)
		remember(&s->would, match->ref, s->why, &rule, match);
	if (result != STEP_PLAIN)
		return;
	if (rule.action == RULE_ALLOW && rule.local && !s->local_allow.found)
		remember(&s->local_allow, match->ref, s->why, &rule, match);
	if (!s->best.found || (s->best.rule.action == RULE_BLOCK && rule.action == RULE_ALLOW &&
	    same_specificity(&s->best.match, match)))
		remember(&s->best, match->ref, s->why, &rule, match);
}

static enum reason
reason_of(const struct rule *rule)
{
	return rule->kind == RULE_URL ? REASON_URL : rule->kind == RULE_FILE ? REASON_FILE : REASON_HOST;
}

/* Write what was found into WHY. */
static void
conclude(const struct candidate *decides, const struct candidate *would, struct why *why)
{
	if (decides->found) {
		why->has_rule = true;
		why->rule = decides->rule;
		if (decides->step < STEPS_MAX)
			why->steps[decides->step].result = STEP_DECIDES;
	}
	if (decides->found && decides->rule.action == RULE_BLOCK) {
		why->verdict = VERDICT_BLOCK;
		why->reason = reason_of(&decides->rule);
	} else if (would->found) {
		why->would_block = true;
		why->would = would->rule;
		why->would_reason = reason_of(&would->rule);
	}
}

/* Weigh every rule for URL; how many there are into *N.  -1 without memory. */
static int
weigh_url(struct search *s, const struct url *url, size_t *n)
{
	const struct host_table *hosts = generation_hosts(s->g);
	struct host_match few[MATCHES_FEW], *many = NULL;

	*n = host_table_match(hosts, url, few, MATCHES_FEW, &s->damaged);
	if (*n > MATCHES_FEW) {
		if ((many = calloc(*n, sizeof(*many))) == NULL)
			return -1;
		host_table_match(hosts, url, many, *n, &s->damaged);
	}
	for (size_t i = 0; i < *n; i++)
		weigh(s, many == NULL ? &few[i] : &many[i]);
	free(many);
	return 0;
}

void
judge_request(const struct generation *g, int fail_mode, const struct question *q, struct why *why)
{
	struct search s = { .g = g, .now = judge_now(g, q->now), .why = why };
	const struct candidate *decides;
	size_t n;

	*why = (struct why){ 0 };
	if (g == NULL) {
		unchecked(why, fail_mode, REASON_NO_RULES);
		return;
	}
	if (q->url == NULL) {
		unchecked(why, fail_mode, q->url_error == URL_NO_MEMORY ? REASON_NO_MEMORY : REASON_BAD_URL);
		return;
	}
	if (weigh_url(&s, q->url, &n) == -1) {
		unchecked(why, fail_mode, REASON_NO_MEMORY);
		return;
	}
	decides = s.local_allow.found ? &s.local_allow : &s.best;
	if (s.local_allow.found)
		s.would.found = false;
	if (n == 0)
		add_step(why, STEP_NO_RULE, STEP_PLAIN, 0, REASON_NONE);
	if (!decides->found && s.damaged) {
		unchecked(why, fail_mode, REASON_DAMAGED);
		return;
	}
	conclude(decides, &s.would, why);
	why->files_exempt = decides->found && decides->rule.action == RULE_ALLOW && decides->rule.files;
}

static bool
rule_says_file(const struct rule *rule, const struct digest *digest, uint64_t size)
{
	struct rule_match m;
	char why[RULE_WHY];
	size_t at;
	bool same;

	if (rule->kind != RULE_FILE || rule_match_parse(rule->kind, rule->value, &m, why, &at) == -1)
		return false;
	same = digest_eq(&m.digest, digest) && (m.size == HASHDB_SIZE_ANY || m.size == size);
	rule_match_fini(&m);
	return same;
}

/* Weigh one rule for a digest; a file allow beats every file block. */
static void
weigh_ref(struct search *s, const struct digest *digest, uint64_t size, uint32_t ref)
{
	static const struct host_match nowhere;
	enum step_result result;
	struct rule rule;

	if (generation_rule(s->g, ref, &rule) == -1 || !rule_says_file(&rule, digest, size)) {
		s->damaged = true;
		return;
	}
	result = obstacle(s->g, &rule, s->now);
	add_step(s->why, STEP_FILE, result == STEP_PLAIN ? STEP_OVERRULED : result, ref, REASON_NONE);
	if (result == STEP_BELOW_THRESHOLD && !s->would.found)
		remember(&s->would, ref, s->why, &rule, &nowhere);
	if (result == STEP_PLAIN && (!s->best.found ||
	    (s->best.rule.action == RULE_BLOCK && rule.action == RULE_ALLOW)))
		remember(&s->best, ref, s->why, &rule, &nowhere);
}

/* Weigh every rule for one digest.  -1 without memory. */
static int
weigh_file(struct search *s, const struct digest *digest, uint64_t size)
{
	const struct hashdb *db = generation_digests(s->g);
	uint32_t few[REFS_FEW], *many = NULL;
	size_t n = hashdb_find(db, digest, size, few, REFS_FEW);

	if (n > REFS_FEW) {
		if ((many = calloc(n, sizeof(*many))) == NULL)
			return -1;
		hashdb_find(db, digest, size, many, n);
	}
	for (size_t i = 0; i < n; i++)
		weigh_ref(s, digest, size, many == NULL ? few[i] : many[i]);
	free(many);
	return 0;
}

void
judge_body(const struct generation *g, const struct body_facts *facts, int64_t now, struct why *why)
{
	struct search s = { .g = g, .now = judge_now(g, now), .why = why };

	*why = (struct why){ 0 };
	if (g == NULL)
		return;
	if (facts->n == 0) {
		unchecked(why, (int)generation_site(g)->fail_mode, REASON_NO_MEMORY);
		return;
	}
	for (size_t i = 0; i < facts->n; i++)
		if (weigh_file(&s, &facts->digests[i], facts->size) == -1) {
			unchecked(why, (int)generation_site(g)->fail_mode, REASON_NO_MEMORY);
			return;
		}
	if (why->n_steps == 0)
		add_step(why, STEP_NO_FILE, STEP_PLAIN, 0, REASON_NONE);
	if (!s.best.found && s.damaged) {
		unchecked(why, (int)generation_site(g)->fail_mode, REASON_DAMAGED);
		return;
	}
	if (s.best.found && s.best.rule.action == RULE_ALLOW)
		s.would.found = false;
	conclude(&s.best, &s.would, why);
	if (why->verdict == VERDICT_BLOCK && facts->remembered)
		why->reason = REASON_FILE_AGAIN;
}
