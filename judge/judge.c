#include "judge/judge.h"

#include <stdlib.h>

/* Rules that apply beyond these need memory of their own: none is left out, since the last may be the one that decides. */
enum { MATCHES_FEW = 128, REFS_FEW = 64, PATTERNS_FEW = 32, NAMES_FEW = 16 };
enum { ID_USUAL = 256, ID_TEXT_MAX = 1 << 20 };

void
why_init(struct why *why)
{
	why->verdict = VERDICT_PASS;
	why->reason = why->would_reason = REASON_NONE;
	why->has_rule = why->would_block = why->files_exempt = why->excepted = why->warns = false;
	why->n_steps = why->steps_lost = 0;
}

/* Room for one more step; NULL when it is lost. */
static struct step *
new_step(struct why *why)
{
	if (why->n_steps < STEPS_MAX)
		return &why->steps[why->n_steps++];
	why->steps_lost++;
	return NULL;
}

static void
add_plain_step(struct why *why, enum step_kind kind, enum step_result result, enum reason reason)
{
	struct step *step = new_step(why);

	if (step != NULL)
		*step = (struct step){ .kind = kind, .result = result, .reason = reason };
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
	add_plain_step(why, STEP_UNCHECKED, STEP_DECIDES, reason);
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

/* A rule that was found, and where. */
struct found {
	unsigned	 layer;
	uint32_t	 ref;
	struct rule	 rule;		/* without its name */
};

/* One rule that applies and may act, while the best is looked for. */
struct candidate {
	bool		 found;
	struct found	 what;
	size_t		 step;		/* its index in why->steps, or STEPS_MAX when it was lost */
};

struct search {
	const struct generation	*g;
	int64_t			 now;
	struct why		*why;
	const struct asker	*asker;
	struct candidate	 best, local_allow, local_block, would;
	bool			 damaged, unchecked;
	size_t			 n;		/* rules that apply */
};

/* Candidates are large, and mostly none is found: nothing of them is cleared but FOUND. */
static void
search_init(struct search *s, const struct generation *g, int64_t now, const struct asker *asker, struct why *why)
{
	s->g = g;
	s->now = judge_now(g, now);
	s->why = why;
	s->asker = asker;
	s->best.found = s->local_allow.found = s->local_block.found = s->would.found = false;
	s->damaged = s->unchecked = false;
	s->n = 0;
}

/* The rule of row REF in LAYER, of KIND and KEY; false when it does not hold together. */
static bool
look_up(struct search *s, unsigned layer, uint32_t ref, enum rule_kind kind, const struct rule_key *key, struct found *out)
{
	*out = (struct found){ .layer = layer, .ref = ref };
	if (generation_rule(s->g, layer, ref, NULL, &out->rule) == -1) {
		s->damaged = true;
		return false;
	}
	out->rule.kind = kind;
	out->rule.key = *key;
	return true;
}

static bool
same_specificity(const struct rule *a, const struct rule *b)
{
	return a->kind == b->kind && a->key.scope == b->key.scope && a->key.host.len == b->key.host.len &&
	    a->key.path.len == b->key.path.len && (a->kind != RULE_ADDRESS || a->key.network.bits == b->key.network.bits);
}

static void
remember(struct candidate *c, const struct found *found, const struct why *why)
{
	*c = (struct candidate){ .found = true, .what = *found, .step = why->steps_lost > 0 ? STEPS_MAX : why->n_steps - 1 };
}

/* An exception from the rule that was found holds for who asks, at NOW. */
static bool
is_excepted(const struct search *s, const struct found *found)
{
	struct exception_match m;
	char space[ID_USUAL];
	struct buf id;
	bool excepted;

	if (found->rule.action != RULE_BLOCK || !generation_has_exceptions(s->g))
		return false;
	buf_init_in(&id, space, sizeof(space), ID_TEXT_MAX);
	excepted = rule_id_format(&found->rule, &id) == 0 &&
	    generation_match_exceptions(s->g, buf_slice(&id), found->rule.rev, s->asker, s->now, &m, 1) > 0;
	buf_fini(&id);
	return excepted;
}

/* What stands in the way of FOUND, as a step of KIND. */
static enum step_result
add_rule_step(struct search *s, enum step_kind kind, const struct found *found)
{
	enum step_result result = obstacle(s->g, &found->rule, s->now);
	struct step *step = new_step(s->why);

	if (result == STEP_PLAIN && is_excepted(s, found))
		result = STEP_EXCEPTED;
	s->why->excepted |= result == STEP_EXCEPTED;
	if (step != NULL)
		*step = (struct step){ .kind = kind, .result = result == STEP_PLAIN ? STEP_OVERRULED : result,
			.layer = found->layer, .ref = found->ref, .rule_kind = found->rule.kind, .key = found->rule.key };
	return result;
}

/* Weigh the next match of KIND and KEY; they come most specific first. */
static void
weigh(struct search *s, enum rule_kind kind, const struct rule_key *key, unsigned layer, uint32_t ref)
{
	enum step_result result;
	struct found found;
	const struct rule *rule = &found.rule;

	if (!look_up(s, layer, ref, kind, key, &found) || rule->action == RULE_PROTECT)
		return;
	result = add_rule_step(s, STEP_RULE, &found);
	if (result == STEP_BELOW_THRESHOLD && !s->would.found && !s->best.found && !s->local_allow.found)
		remember(&s->would, &found, s->why);
	if (result != STEP_PLAIN)
		return;
	if (rule->action == RULE_ALLOW && rule->local && !s->local_allow.found)
		remember(&s->local_allow, &found, s->why);
	if (rule->action == RULE_BLOCK && rule->local && !s->local_block.found)
		remember(&s->local_block, &found, s->why);
	if (!s->best.found || (s->best.what.rule.action == RULE_BLOCK && rule->action == RULE_ALLOW &&
	    same_specificity(&s->best.what.rule, rule)))
		remember(&s->best, &found, s->why);
}

/* DECIDES stands although something could not be checked: a block does, and the site's own allow, which nothing overrules. */
static bool
stands(const struct search *s, const struct candidate *decides)
{
	if (!s->damaged && !s->unchecked)
		return true;
	return decides->found && (decides->what.rule.action == RULE_BLOCK || decides->what.rule.local);
}

/* What decides: the site's own allow, then the best, but that nobody else's allow overrules the site's own block. */
static const struct candidate *
decider(const struct search *s)
{
	const struct rule *best = &s->best.what.rule;

	if (s->local_allow.found)
		return &s->local_allow;
	return s->best.found && best->action == RULE_ALLOW && !best->local && s->local_block.found ? &s->local_block : &s->best;
}

static enum reason
reason_of(const struct rule *rule)
{
	static const enum reason reasons[] = { [RULE_HOST] = REASON_HOST, [RULE_URL] = REASON_URL, [RULE_FILE] = REASON_FILE,
		[RULE_PATH] = REASON_PATH, [RULE_ADDRESS] = REASON_ADDRESS };

	return rule->kind == RULE_FILE && rule->key.digest == NULL ? REASON_FILE_NAME : reasons[rule->kind];
}

/* What C is, with its name; one that was good when it was weighed still is. */
static struct rule
name_rule(const struct generation *g, const struct candidate *c, char name[RULE_NAME_MAX])
{
	struct rule rule = c->what.rule, named;

	if (rule.is_named && generation_rule(g, c->what.layer, c->what.ref, name, &named) == 0)
		rule.name = named.name;
	return rule;
}

/* Write what was found into the search's why. */
static void
conclude(struct search *s, const struct candidate *decides)
{
	struct why *why = s->why;

	if (decides->found) {
		why->has_rule = true;
		why->rule = name_rule(s->g, decides, why->rule_name);
		if (decides->step < STEPS_MAX)
			why->steps[decides->step].result = STEP_DECIDES;
	}
	if (decides->found && decides->what.rule.action == RULE_BLOCK) {
		why->verdict = VERDICT_BLOCK;
		why->reason = reason_of(&decides->what.rule);
	} else if (s->would.found) {
		why->would_block = true;
		why->would = name_rule(s->g, &s->would, why->would_name);
		why->would_reason = reason_of(&s->would.what.rule);
	}
}

/* Weigh every path rule for URL.  -1 without memory. */
static int
weigh_patterns(struct search *s, const struct url *url)
{
	struct pattern_match few[PATTERNS_FEW], *many = NULL;
	size_t n = generation_match_patterns(s->g, url, few, PATTERNS_FEW, &s->unchecked);

	if (n > PATTERNS_FEW) {
		if ((many = calloc(n, sizeof(*many))) == NULL)
			return -1;
		n = generation_match_patterns(s->g, url, many, n, &s->unchecked);
	}
	for (size_t i = 0; i < n; i++) {
		const struct pattern_match *m = many == NULL ? &few[i] : &many[i];
		struct rule_key key = { .scope = m->scope, .host = m->host, .path = m->pattern };

		weigh(s, RULE_PATH, &key, m->layer, m->ref);
	}
	s->n += n;
	free(many);
	return 0;
}

/* Weigh every rule for the address that URL's host is, if it is one.  -1 without memory. */
static int
weigh_addresses(struct search *s, const struct url *url)
{
	struct address_match few[PATTERNS_FEW], *many = NULL;
	size_t n = url->kind == HOST_NAME ? 0 : generation_match_addresses(s->g, url, few, PATTERNS_FEW, &s->damaged);

	if (n > PATTERNS_FEW) {
		if ((many = calloc(n, sizeof(*many))) == NULL)
			return -1;
		n = generation_match_addresses(s->g, url, many, n, &s->damaged);
	}
	for (size_t i = 0; i < n; i++) {
		const struct address_match *m = many == NULL ? &few[i] : &many[i];
		struct rule_key key = { .host = url->host, .network = m->network };

		weigh(s, RULE_ADDRESS, &key, m->layer, m->ref);
	}
	s->n += n;
	free(many);
	return 0;
}

/* Weigh N matches: those with a path, then patterns, then those for hosts alone. */
static int
weigh_matches(struct search *s, const struct url *url, const struct host_match *m, size_t n)
{
	bool asked = false;

	for (size_t i = 0; i <= n; i++) {
		if (!asked && (i == n || m[i].path.len == 0)) {
			if (weigh_patterns(s, url) == -1)
				return -1;
			asked = true;
		}
		if (i < n) {
			struct rule_key key = { .scope = m[i].scope, .host = m[i].host, .path = m[i].path };

			weigh(s, m[i].path.len > 0 ? RULE_URL : RULE_HOST, &key, m[i].layer, m[i].ref);
		}
	}
	return 0;
}

/* Weigh every rule for URL.  -1 without memory. */
static int
weigh_url(struct search *s, const struct url *url)
{
	struct host_match few[MATCHES_FEW], *many = NULL;
	int r;

	s->n = generation_match(s->g, url, few, MATCHES_FEW, &s->damaged);
	if (s->n > MATCHES_FEW) {
		if ((many = calloc(s->n, sizeof(*many))) == NULL)
			return -1;
		s->n = generation_match(s->g, url, many, s->n, &s->damaged);
	}
	r = weigh_matches(s, url, many == NULL ? few : many, s->n);
	free(many);
	return r == -1 ? -1 : weigh_addresses(s, url);
}

/* Keep what F says, at its level, about a request that no rule decided. */
static void
conclude_lookalike(struct why *why, const struct lookalike_finding *f)
{
	bool blocks = f->level == LOOKALIKE_BLOCK, odd = f->class == LOOKALIKE_UNJUDGED;

	why->lookalike = *f;
	add_plain_step(why, STEP_LOOKALIKE, blocks ? STEP_DECIDES : STEP_PLAIN, odd ? REASON_ODD_HOST : REASON_LOOKALIKE);
	/* A rule that only would block is worth more than a finding that is only logged; a warning is more than both. */
	if (f->level == LOOKALIKE_OFF || (why->would_block && f->level < LOOKALIKE_WARN))
		return;
	if (blocks || odd) {
		why->verdict = blocks ? VERDICT_BLOCK : VERDICT_PASS;
		why->reason = odd ? REASON_ODD_HOST : REASON_LOOKALIKE;
		why->would_block = false;
		why->would_reason = REASON_NONE;
	} else {
		why->would_block = true;
		why->warns = f->level == LOOKALIKE_WARN;
		why->would_reason = REASON_LOOKALIKE;
	}
}

/* One level less for what people here have used for days, before anybody could send it to them (as Chromium does by site
 * engagement). */
static void
trust_history(const struct question *q, struct lookalike_finding *f)
{
	if (f->level < LOOKALIKE_WARN || f->class == LOOKALIKE_UNJUDGED || q->is_known == NULL || !q->is_known(q->arg, f->registrable))
		return;
	f->level--;
	f->excuse = EXCUSE_KNOWN;
	f->excused_by = f->registrable;
}

/* What Q's host looks like; no rule decided. */
static void
judge_lookalike(const struct generation *g, const struct question *q, struct why *why)
{
	const struct lookalike *l = generation_lookalike(g);
	const struct url *url = q->url;
	struct lookalike_levels levels;
	struct lookalike_finding f;

	if (l == NULL || url->kind != HOST_NAME || !generation_site(g)->lookalikes)
		return;
	site_lookalike_levels(generation_site(g), &levels);
	if (!lookalike_find(l, url->host, &levels, &f) && f.class == LOOKALIKE_NONE)
		return;
	if (generation_site(g)->lookalike_history)
		trust_history(q, &f);
	if (f.level == LOOKALIKE_WARN && generation_site(g)->lookalike_path && lookalike_trace(l, url->path_query, &f))
		f.level = LOOKALIKE_BLOCK;
	conclude_lookalike(why, &f);
}

void
judge_request(const struct generation *g, int fail_mode, const struct question *q, struct why *why)
{
	const struct candidate *decides;
	struct search s;

	search_init(&s, g, q->now, q->asker, why);
	why_init(why);
	if (g == NULL) {
		unchecked(why, fail_mode, REASON_NO_RULES);
		return;
	}
	if (q->url == NULL) {
		unchecked(why, fail_mode, q->url_error == URL_NO_MEMORY ? REASON_NO_MEMORY : REASON_BAD_URL);
		return;
	}
	if (weigh_url(&s, q->url) == -1) {
		unchecked(why, fail_mode, REASON_NO_MEMORY);
		return;
	}
	decides = decider(&s);
	if (s.local_allow.found)
		s.would.found = false;
	if (s.n == 0)
		add_plain_step(why, STEP_NO_RULE, STEP_PLAIN, REASON_NONE);
	if (!stands(&s, decides)) {
		unchecked(why, fail_mode, s.damaged ? REASON_DAMAGED : REASON_LIMIT);
		return;
	}
	conclude(&s, decides);
	if (!decides->found)
		judge_lookalike(g, q, why);
	why->files_exempt = decides->found && decides->what.rule.action == RULE_ALLOW && decides->what.rule.files;
}

/* Weigh one rule for a file; a file allow beats every file block. */
static void
weigh_file_rule(struct search *s, const struct rule_key *key, unsigned layer, uint32_t ref)
{
	enum step_result result;
	struct found found;

	if (!look_up(s, layer, ref, RULE_FILE, key, &found))
		return;
	result = add_rule_step(s, STEP_FILE, &found);
	if (result == STEP_BELOW_THRESHOLD && !s->would.found)
		remember(&s->would, &found, s->why);
	if (result != STEP_PLAIN)
		return;
	if (found.rule.action == RULE_ALLOW && found.rule.local && !s->local_allow.found)
		remember(&s->local_allow, &found, s->why);
	if (found.rule.action == RULE_BLOCK && found.rule.local && !s->local_block.found)
		remember(&s->local_block, &found, s->why);
	if (!s->best.found || (s->best.what.rule.action == RULE_BLOCK && found.rule.action == RULE_ALLOW))
		remember(&s->best, &found, s->why);
}

/* Weigh every rule for one digest.  -1 without memory. */
static int
weigh_digest(struct search *s, const struct digest *digest, uint64_t size)
{
	struct hashdb_match few[REFS_FEW], *many = NULL;
	size_t n = generation_find(s->g, digest, size, few, REFS_FEW, &s->damaged);

	if (n > REFS_FEW) {
		if ((many = calloc(n, sizeof(*many))) == NULL)
			return -1;
		n = generation_find(s->g, digest, size, many, n, &s->damaged);
	}
	for (size_t i = 0; i < n; i++) {
		const struct hashdb_match *m = many == NULL ? &few[i] : &many[i];
		struct rule_key key = { .digest = digest, .size = m->size };

		weigh_file_rule(s, &key, m->layer, m->ref);
	}
	free(many);
	return 0;
}

/* Weigh every rule for the names of a file of SIZE.  -1 without memory. */
static int
weigh_names(struct search *s, const struct file_names *names, uint64_t size)
{
	struct name_match few[NAMES_FEW], *many = NULL;
	size_t n = names == NULL ? 0 : generation_match_names(s->g, names, size, few, NAMES_FEW);

	if (n > NAMES_FEW) {
		if ((many = calloc(n, sizeof(*many))) == NULL)
			return -1;
		n = generation_match_names(s->g, names, size, many, n);
	}
	for (size_t i = 0; i < n; i++) {
		const struct name_match *m = many == NULL ? &few[i] : &many[i];
		struct rule_key key = { .path = m->pattern, .size = m->size };

		weigh_file_rule(s, &key, m->layer, m->ref);
	}
	free(many);
	return 0;
}

/* Weigh every rule for FACTS.  -1 without memory. */
static int
weigh_facts(struct search *s, const struct body_facts *facts)
{
	for (size_t i = 0; i < facts->n; i++)
		if (weigh_digest(s, &facts->digests[i], facts->size) == -1)
			return -1;
	return weigh_names(s, facts->names, facts->size);
}

void
judge_body(const struct generation *g, const struct body_facts *facts, int64_t now, struct why *why)
{
	const struct candidate *decides;
	struct search s;

	search_init(&s, g, now, facts->asker, why);
	why_init(why);
	if (g == NULL)
		return;
	if (facts->n == 0) {
		unchecked(why, (int)generation_site(g)->fail_mode, REASON_NO_MEMORY);
		return;
	}
	if (weigh_facts(&s, facts) == -1) {
		unchecked(why, (int)generation_site(g)->fail_mode, REASON_NO_MEMORY);
		return;
	}
	if (why->n_steps == 0)
		add_plain_step(why, STEP_NO_FILE, STEP_PLAIN, REASON_NONE);
	decides = decider(&s);
	if (!stands(&s, decides)) {
		unchecked(why, (int)generation_site(g)->fail_mode, REASON_DAMAGED);
		return;
	}
	if (decides->found && decides->what.rule.action == RULE_ALLOW)
		s.would.found = false;
	conclude(&s, decides);
	if (why->verdict == VERDICT_BLOCK && facts->remembered)
		why->reason = REASON_FILE_AGAIN;
}

void
judge_unscannable(const struct generation *g, enum unscannable u, struct why *why)
{
	why_init(why);
	why->reason = REASON_UNSCANNABLE;
	why->verdict = g != NULL && generation_site(g)->unscannable == UNSCANNABLE_BLOCK ? VERDICT_BLOCK : VERDICT_PASS;
	why->steps[why->n_steps++] = (struct step){ .kind = STEP_UNSCANNABLE, .result = STEP_DECIDES,
		.reason = REASON_UNSCANNABLE, .unscannable = u };
}
