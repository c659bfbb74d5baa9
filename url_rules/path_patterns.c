#include "url_rules/path_patterns.h"

#include <stdlib.h>

#include "url_rules/pattern_filter.h"
#include "url_rules/pattern_format.h"

/* A pattern that can be asked. */
struct pattern {
	struct pattern_match	 rule;
	struct regex		*regex;		/* NULL: a glob */
};

/* All patterns of one host, which stand side by side. */
struct group {
	uint32_t	hash;
	uint16_t	first, n;
};

struct path_patterns {
	char			*store;		/* the records; what the rules' slices point into */
	struct pattern		*patterns;	/* N; the first HOSTED of them are for some host only */
	size_t			 n, hosted, lost;
	struct group		*groups;
	uint16_t		*slots;		/* open addressing by hash: number of a group, plus 1; 0 = empty */
	uint32_t		 slot_mask;
	size_t			 n_groups;
	struct pattern_filter	*filter;	/* for the others, numbered from 0; NULL when there is none */
};

int
pattern_cmp(const struct pattern_match *a, const struct pattern_match *b)
{
	int c = 0;

	if (a->host.len != b->host.len)
		return a->host.len > b->host.len ? -1 : 1;
	if ((c = slice_cmp(a->host, b->host)) != 0)
		return c;
	if (a->pattern.len != b->pattern.len)
		return a->pattern.len > b->pattern.len ? -1 : 1;
	if ((c = slice_cmp(a->pattern, b->pattern)) != 0)
		return c;
	if (a->scope != b->scope)
		return a->scope < b->scope ? -1 : 1;
	return a->ref < b->ref ? -1 : a->ref > b->ref;
}

/* ---- opening ---- */

/* Hosts are hashed from their ends, so that one pass gives the hash of every domain. */
static uint32_t
hash_byte(uint32_t hash, char c)
{
	return (hash ^ (unsigned char)c) * UINT32_C(0x01000193);
}

static uint32_t
hash_host(struct slice host)
{
	uint32_t hash = 0;

	for (size_t i = host.len; i > 0; i--)
		hash = hash_byte(hash, host.p[i - 1]);
	return hash;
}

static uint32_t
slot_of(const struct path_patterns *t, uint32_t hash)
{
	return (hash ^ hash >> 15) & t->slot_mask;
}

/* Record NUMBER, which is BYTES, as a rule; -1 when it does not hold together. */
static int
read_record(const struct patterns_info *info, uint32_t number, struct slice bytes, struct pattern_match *out)
{
	struct pattern_record head;

	if (bytes.len < sizeof(head))
		return -1;
	memcpy(&head, bytes.p, sizeof(head));
	if (pattern_sum(info->key, bytes) != head.sum || head.number != number)
		return -1;
	bytes = slice_skip(bytes, sizeof(head));
	if (head.host_len > HOST_MAX || head.host_len >= bytes.len || bytes.len - head.host_len > PATTERN_MAX ||
	    head.scope > SCOPE_BELOW || (head.host_len == 0 && head.scope != SCOPE_EXACT))
		return -1;
	*out = (struct pattern_match){ .ref = head.ref, .scope = (enum host_scope)head.scope,
		.host = slice_head(bytes, head.host_len), .pattern = slice_skip(bytes, head.host_len) };
	return 0;
}

/* Make RULE one that can be asked; -1 with the reason in WHY. */
static int
add_pattern(struct path_patterns *t, const struct pattern_match *rule, char why[static PATTERN_WHY])
{
	struct pattern *p = &t->patterns[t->n];
	char literal[PATTERN_MAX];
	size_t at;

	snprintf(why, PATTERN_WHY, "is out of order");
	if (t->n > 0 && pattern_cmp(&p[-1].rule, rule) >= 0)
		return -1;
	snprintf(why, PATTERN_WHY, "has no literal");
	if (rule->host.len == 0 && pattern_literal(rule->pattern, literal) < PATTERN_LITERAL_MIN)
		return -1;
	*p = (struct pattern){ .rule = *rule };
	if (pattern_is_regex(rule->pattern) && (p->regex = regex_compile(rule->pattern, why, &at)) == NULL)
		return -1;
	t->n++;
	t->hosted += rule->host.len > 0;
	return 0;
}

static void
add_records(struct path_patterns *t, const struct patterns_info *info, struct slice index, struct slice records, struct diag *diag)
{
	for (uint32_t i = 0; i < info->n; i++) {
		char why[PATTERN_WHY] = "is damaged";
		struct pattern_match rule;
		struct pattern_index place;
		struct slice bytes;

		memcpy(&place, index.p + i * sizeof(place), sizeof(place));
		bytes = slice_head(slice_skip(records, place.offset), place.len);
		if (bytes.len == place.len && read_record(info, i, bytes, &rule) == 0 && add_pattern(t, &rule, why) == 0)
			continue;
		diag_add(diag, DIAG_WARNING, NULL, 0, 0, "path pattern %u of %u is left out: %s", i + 1, info->n, why);
		t->lost++;
	}
}

/* The groups of the patterns that have a host, and where each is found. */
static int
make_groups(struct path_patterns *t)
{
	uint32_t slots = 16;

	while (slots < 4 * t->hosted)
		slots *= 2;
	t->slot_mask = slots - 1;
	t->groups = calloc(t->hosted + 1, sizeof(*t->groups));
	t->slots = calloc(slots, sizeof(*t->slots));
	if (t->groups == NULL || t->slots == NULL)
		return -1;
	for (size_t i = 0; i < t->hosted; i++) {
		struct slice host = t->patterns[i].rule.host;
		uint32_t hash = hash_host(host), at;

		if (i > 0 && slice_eq(host, t->patterns[i - 1].rule.host)) {
			t->groups[t->n_groups - 1].n++;
			continue;
		}
		for (at = slot_of(t, hash); t->slots[at] != 0; at = (at + 1) & t->slot_mask)
			;
		t->groups[t->n_groups++] = (struct group){ .hash = hash, .first = (uint16_t)i, .n = 1 };
		t->slots[at] = (uint16_t)t->n_groups;
	}
	return 0;
}

static int
make_filter(struct path_patterns *t)
{
	struct slice patterns[PATTERNS_MAX];

	if (t->hosted == t->n)
		return 0;
	for (size_t i = t->hosted; i < t->n; i++)
		patterns[i - t->hosted] = t->patterns[i].rule.pattern;
	t->filter = pattern_filter_new(patterns, t->n - t->hosted);
	return t->filter == NULL ? -1 : 0;
}

/* What is wrong with SEGMENT as a whole, or NULL. */
static const char *
read_segment(struct path_patterns *t, const struct segment *segment, struct diag *diag)
{
	struct slice head = segment_section(segment, PATTERNS_INFO);
	struct slice index = segment_section(segment, PATTERNS_INDEX);
	struct slice records = segment_section(segment, PATTERNS_RECORDS);
	struct patterns_info info;

	if (head.len != sizeof(info))
		return "damaged: size of the pattern table's head";
	memcpy(&info, head.p, sizeof(info));
	if (info.n > PATTERNS_MAX || index.len != info.n * sizeof(struct pattern_index))
		return "damaged: number of patterns";
	t->store = malloc(records.len + 1);
	t->patterns = calloc(info.n + 1, sizeof(*t->patterns));
	if (t->store == NULL || t->patterns == NULL)
		return "out of memory";
	if (records.len > 0)
		memcpy(t->store, records.p, records.len);
	add_records(t, &info, index, slice_make(t->store, records.len), diag);
	return make_groups(t) == -1 || make_filter(t) == -1 ? "out of memory" : NULL;
}

struct path_patterns *
path_patterns_open(const struct segment *segment, struct diag *diag)
{
	struct path_patterns *t = calloc(1, sizeof(*t));
	const char *fault = t == NULL ? "out of memory" : read_segment(t, segment, diag);

	if (fault == NULL)
		return t;
	diag_error(diag, "path patterns: %s", fault);
	path_patterns_close(t);
	return NULL;
}

void
path_patterns_close(struct path_patterns *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++)
		regex_free(t->patterns[i].regex);
	pattern_filter_free(t->filter);
	free(t->patterns);
	free(t->groups);
	free(t->slots);
	free(t->store);
	free(t);
}

size_t
path_patterns_count(const struct path_patterns *t)
{
	return t->n;
}

size_t
path_patterns_lost(const struct path_patterns *t)
{
	return t->lost;
}

int
path_patterns_at(const struct path_patterns *t, size_t i, struct pattern_match *out)
{
	if (i >= t->n)
		return -1;
	*out = t->patterns[i].rule;
	return 0;
}

/* ---- asking ---- */

/* Where matches go. */
struct matches {
	struct pattern_match	*out;
	size_t			 max, n;
	bool			*unchecked;
	pattern_counts		*counts;	/* NULL: all do */
	const void		*arg;
};

static void
ask(const struct pattern *p, struct slice path_query, struct matches *m)
{
	enum regex_result found;

	if (m->counts != NULL && !m->counts(m->arg, p->rule.ref))
		return;
	if (p->regex == NULL)
		found = glob_match(p->rule.pattern, path_query) ? REGEX_YES : REGEX_NO;
	else
		found = regex_match(p->regex, path_query);
	if (found == REGEX_UNCHECKED)
		*m->unchecked = true;
	if (found != REGEX_YES)
		return;
	if (m->n < m->max)
		m->out[m->n] = p->rule;
	m->n++;
}

/* The group of HOST, whose hash is HASH, or NULL. */
static const struct group *
find_group(const struct path_patterns *t, struct slice host, uint32_t hash)
{
	for (uint32_t at = slot_of(t, hash); t->slots[at] != 0; at = (at + 1) & t->slot_mask) {
		const struct group *g = &t->groups[t->slots[at] - 1];

		if (g->hash == hash && slice_eq(t->patterns[g->first].rule.host, host))
			return g;
	}
	return NULL;
}

/* The groups of HOST and of every domain that it lies in, shortest first. */
static size_t
find_groups(const struct path_patterns *t, struct slice host, enum host_kind kind, const struct group *out[static HOST_MAX])
{
	uint32_t hash = 0;
	size_t n = 0;

	if (host.len > HOST_MAX)
		return 0;
	for (size_t i = host.len; i > 0; i--) {
		hash = hash_byte(hash, host.p[i - 1]);
		if (i == 1 || (kind == HOST_NAME && host.p[i - 2] == '.')) {
			const struct group *g = find_group(t, slice_skip(host, i - 1), hash);

			if (g != NULL)
				out[n++] = g;
		}
	}
	return n;
}

static void
match_hosted(const struct path_patterns *t, const struct url *url, struct matches *m)
{
	const struct group *groups[HOST_MAX];
	size_t n = find_groups(t, url->host, url->kind, groups);

	while (n-- > 0) {
		const struct pattern *p = &t->patterns[groups[n]->first];
		bool self = p->rule.host.len == url->host.len;

		for (uint16_t i = 0; i < groups[n]->n; i++, p++)
			if (p->rule.scope == SCOPE_DOMAIN || (p->rule.scope == SCOPE_EXACT) == self)
				ask(p, url->path_query, m);
	}
}

size_t
path_patterns_match(const struct path_patterns *t, const struct url *url, struct pattern_match *out, size_t max, bool *unchecked)
{
	return path_patterns_match_some(t, url, NULL, NULL, out, max, unchecked);
}

size_t
path_patterns_match_some(const struct path_patterns *t, const struct url *url, pattern_counts *counts, const void *arg,
    struct pattern_match *out, size_t max, bool *unchecked)
{
	struct matches m = { .out = out, .max = max, .unchecked = unchecked, .counts = counts, .arg = arg };
	struct pattern_candidates candidates;

	if (t->hosted > 0)
		match_hosted(t, url, &m);
	if (t->filter == NULL || !pattern_filter_ask(t->filter, url->path_query, &candidates))
		return m.n;
	for (size_t word = 0; word < PATTERN_WORDS; word++)
		for (uint64_t set = candidates.set[word]; set != 0; set &= set - 1)
			ask(&t->patterns[t->hosted + word * 64 + (size_t)__builtin_ctzll(set)], url->path_query, &m);
	return m.n;
}
