#include "url_rules/lookalike_search.h"

#include <limits.h>

enum { JOINED_MIN = 8, JOINED_LABEL_MIN = 5, LABEL_MIN = 4, SHORT_LABEL = 3, OUTER = 8 };

/* ---- what counts most ---- */

static void
lower(enum lookalike_level *level, enum lookalike_excuse *excuse, enum lookalike_level cap, enum lookalike_excuse why)
{
	if (cap >= *level)
		return;
	*level = cap;
	*excuse = why;
}

static bool
is_whole(enum lookalike_class class)
{
	return class <= LOOKALIKE_E4 || class == LOOKALIKE_TAIL || class == LOOKALIKE_TAILX;
}

/* Of our own names only the whole domain is evidence: its label alone may be anybody's. */
static bool
is_weak(enum lookalike_class class)
{
	return class >= LOOKALIKE_E5 && class != LOOKALIKE_TAIL && class != LOOKALIKE_G &&
	    class != LOOKALIKE_IDN && class != LOOKALIKE_UNJUDGED;
}

/* Only some may register under SUFFIX. */
static bool
is_academic(const struct lookalike *l, struct slice suffix)
{
	unsigned means = WORD_ACADEMIC | (slice_find(suffix, '.') < suffix.len ? WORD_ACADEMIC_BELOW : 0);
	struct slice label;
	bool more = true;

	while (more) {
		more = slice_cut(suffix, '.', &label, &suffix);
		if (lookalike_word(l, label, lookalike_sum_of(label)) & means)
			return true;
	}
	return false;
}

/* A library's proxy by its words: one of them is called so, and only some may register under its suffix.  Few hosts have something
 * found in them that this could lower: it is asked then, and once. */
static void
find_proxy(struct lookalike_search *s)
{
	const struct lookalike_host *h = s->host;

	if (s->proxy_known)
		return;
	s->proxy_known = true;
	/* What a finding names must be of the host that was asked about. */
	if (s->plain != NULL) {
		find_proxy(s->plain);
		s->academic = s->plain->academic;
		s->proxy = s->plain->proxy;
		s->proxy_sure = s->plain->proxy_sure;
		s->proxy_word = s->plain->proxy_word;
		return;
	}
	/* By the list: "edu.li" may be anybody's. */
	s->academic = s->above.suffix.listed && is_academic(s->l, slice_skip(h->text, h->text.len - s->above.suffix.any));
	for (size_t i = h->n; i-- > 0 && !s->proxy;) {
		struct slice token = lookalike_bytes(h, h->begin[i], h->end[i]);
		size_t end = lookalike_token_end(h, i);
		unsigned word;

		if (h->begin[i] >= s->suffix)
			continue;
		while (token.len > 0 && ascii_is_digit(token.p[token.len - 1])) {
			token.len--;
			end--;
		}
		word = lookalike_word(s->l, token, lookalike_part(s->l, h->sums, h->at[i], end));
		s->proxy = s->academic && (word & WORD_PROXY);
		s->proxy_sure |= (word & WORD_PROXY_SURE) != 0;
		if (word & WORD_PROXY)
			s->proxy_word = token;
	}
}

/* Lower LEVEL for what is known of the names above the host. */
static void
lower_by_names(struct lookalike_search *s, enum lookalike_class class, const struct lookalike_target *target,
    struct slice text, enum lookalike_level *level, enum lookalike_excuse *excuse)
{
	unsigned flags = s->above.flags;
	bool whole = (class >= LOOKALIKE_E1 && class <= LOOKALIKE_E3) || class == LOOKALIKE_IDN;

	if (target != NULL && is_weak(class) && !(target->flags & TARGET_BRAND))
		lower(level, excuse, (enum lookalike_level)s->levels->own_names, EXCUSE_WEAK);
	/* Nothing below lowers to less. */
	if (*level <= LOOKALIKE_LOG)
		return;
	find_proxy(s);
	/* A name that anybody may choose excuses only what libraries have proxies for. */
	if (s->proxy || (flags & NAME_PROXY) || (s->proxy_sure && is_academic(s->l, slice_skip(text, slice_find(text, '.')))))
		lower(level, excuse, LOOKALIKE_LOG, EXCUSE_PROXY);
	if (flags & NAME_BUCKET)
		lower(level, excuse, whole ? LOOKALIKE_WARN : LOOKALIKE_LOG, EXCUSE_BUCKET);
	if (flags & NAME_POPULAR)
		lower(level, excuse, whole ? LOOKALIKE_WARN : LOOKALIKE_LOG, EXCUSE_POPULAR);
	if (flags & NAME_SHARED)
		lower(level, excuse, whole || class == LOOKALIKE_E4 ? LOOKALIKE_WARN : LOOKALIKE_LOG, EXCUSE_SHARED);
	if (s->academic && class != LOOKALIKE_G)
		lower(level, excuse, LOOKALIKE_LOG, EXCUSE_ACADEMIC);
}

/* The name that EXCUSE is about. */
static struct slice
excused_by(const struct lookalike_search *s, enum lookalike_excuse excuse)
{
	static const struct { enum lookalike_excuse excuse; unsigned bit; } names[] = {
		{ EXCUSE_OWN, NAME_OWN }, { EXCUSE_PARTNER, NAME_PARTNER }, { EXCUSE_FAMILY, NAME_FAMILY },
		{ EXCUSE_INFRA, NAME_INFRA }, { EXCUSE_PROXY, NAME_PROXY }, { EXCUSE_SHARED, NAME_SHARED },
		{ EXCUSE_BUCKET, NAME_BUCKET }, { EXCUSE_POPULAR, NAME_POPULAR }, { EXCUSE_HOSTING, NAME_HOSTING },
		{ EXCUSE_EMBEDS, NAME_EMBEDS },
	};

	if (excuse == EXCUSE_PROXY && !(s->above.flags & NAME_PROXY))
		return s->proxy_word;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].excuse == excuse && (s->above.flags & names[i].bit))
			return s->above.by[__builtin_ctz(names[i].bit)];
	return (struct slice){ 0 };
}

/* The site says that hosts there may embed TARGET. */
static enum lookalike_excuse
permission(const struct lookalike_search *s, uint32_t number, const struct lookalike_target *target)
{
	if ((s->above.flags & NAME_HOSTING) && (target->flags & (TARGET_OWN | TARGET_PARTNER)))
		return EXCUSE_HOSTING;
	if ((s->above.flags & NAME_EMBEDS) && (lookalike_may_embed(s->l, s->above.embeds, number) ||
	    lookalike_may_embed(s->l, s->above.embeds, target->shown)))
		return EXCUSE_EMBEDS;
	return EXCUSE_NONE;
}

/* What has LEVEL, is a WHOLE domain or not, OWN or not, of CLASS and LEN counts more than what was kept. */
static bool
counts_more(const struct lookalike_search *s, enum lookalike_level level, bool own, bool whole, enum lookalike_class class,
    size_t len)
{
	const struct lookalike_finding *kept = s->out;

	if (kept->class == LOOKALIKE_NONE || level != kept->level)
		return kept->class == LOOKALIKE_NONE || level > kept->level;
	if (own != kept->own)
		return own;
	if (whole != s->out_whole)
		return whole;
	/* The longer one holds the shorter: uta.edu.ec, and not uta.edu. */
	return len != s->out_len ? len > s->out_len : class < kept->class;
}

/* The most that may be done about CLASS.  A whole domain in letters of another script is no better than one in its own. */
static enum lookalike_level
level_of(const struct lookalike_search *s, enum lookalike_class class)
{
	uint8_t plain = s->levels->level[class], other = s->levels->level[LOOKALIKE_IDN];

	if (!s->skeleton)
		return (enum lookalike_level)plain;
	return (enum lookalike_level)(other != LOOKALIKE_OFF && class <= LOOKALIKE_E4 && plain > other ? plain : other);
}

/* Some of HIT is in letters of another script: what is not was found without them. */
static bool
is_decoded(const struct lookalike_search *s, const struct lookalike_hit *hit)
{
	const struct lookalike_host *h = s->host;

	for (size_t i = 0; i < h->n; i++)
		if ((s->decoded >> i & 1) && h->begin[i] >= hit->begin && h->end[i] <= hit->end)
			return true;
	return false;
}

void
lookalike_consider(struct lookalike_search *s, const struct lookalike_hit *hit)
{
	enum lookalike_class class = s->skeleton ? LOOKALIKE_IDN : hit->class;
	enum lookalike_level level = level_of(s, hit->class);
	enum lookalike_excuse excuse = EXCUSE_NONE, allowed;
	struct lookalike_target target, shown;
	struct slice text, shown_text;

	if (!lookalike_target_at(s->l, hit->target, &target, &text) || !lookalike_target_at(s->l, target.shown, &shown, &shown_text))
		return;
	if (s->skeleton && !is_decoded(s, hit))
		return;
	lower(&level, &excuse, hit->cap, hit->excuse);
	lower_by_names(s, class, &target, text, &level, &excuse);
	if (slice_eq(lookalike_label_of(&target, text), s->label) && !s->skeleton)
		lower(&level, &excuse, LOOKALIKE_LOG, EXCUSE_SAME_NAME);
	if ((allowed = permission(s, hit->target, &target)) != EXCUSE_NONE)
		lower(&level, &excuse, LOOKALIKE_OFF, allowed);
	if (!counts_more(s, level, (target.flags & TARGET_OWN) != 0, is_whole(hit->class), class, text.len))
		return;
	*s->out = (struct lookalike_finding){ .class = class, .level = level, .excuse = excuse, .own = (target.flags & TARGET_OWN) != 0,
		.target = shown_text, .name = lookalike_label_of(&shown, shown_text), .registrable = s->registrable,
		.spelled = s->skeleton ? s->asked : lookalike_bytes(s->host, hit->begin, hit->end),
		.word = s->skeleton ? (struct slice){ 0 } : hit->word, .excused_by = excused_by(s, excuse),
		.code = s->code, .looks_like = s->looks_like };
	s->out_len = text.len;
	s->out_whole = is_whole(hit->class);
}

/* ---- whole domains: E1 to E4, TAIL, TAILX ---- */

/* Written as the target TEXT is, but that some of its dots are hyphens. */
static bool
is_respelled(struct slice spelled, struct slice text)
{
	size_t i = 0, k = 0;

	while (i < spelled.len && k < text.len) {
		if (text.p[k] == '-' && spelled.p[i] == '.')
			return false;
		if (text.p[k] != '.' && text.p[k] != '-') {
			i++;
			k++;
			continue;
		}
		while (i < spelled.len && (spelled.p[i] == '.' || spelled.p[i] == '-'))
			i++;
		while (k < text.len && (text.p[k] == '.' || text.p[k] == '-'))
			k++;
	}
	return true;
}

/* BEGIN or END is within an A-label: what stands there nobody reads. */
static bool
is_encoded(const struct lookalike_search *s, size_t begin, size_t end)
{
	struct slice host = s->host->text;
	size_t label = begin, last = end;

	while (label > 0 && host.p[label - 1] != '.')
		label--;
	while (last > begin && host.p[last - 1] != '.')
		last--;
	return (label < begin && lookalike_is_encoded(slice_skip(host, label))) ||
	    (end < host.len && host.p[end] != '.' && lookalike_is_encoded(slice_skip(host, last)));
}

/* What it is that TEXT stands from BEGIN to END of the host. */
static enum lookalike_class
class_of_window(const struct lookalike_search *s, size_t begin, size_t end, const struct lookalike_target *target,
    struct slice text)
{
	struct slice host = s->host->text;
	bool exact = slice_eq(lookalike_bytes(s->host, begin, end), text);
	bool hyphen_before = begin > 0 && host.p[begin - 1] == '-', hyphen_after = end < host.len && host.p[end] == '-';

	/* What reads as a target in a public suffix itself is nobody's choice. */
	if (begin >= s->suffix || is_encoded(s, begin, end))
		return LOOKALIKE_NONE;
	if (!exact)
		return end <= s->suffix && is_respelled(lookalike_bytes(s->host, begin, end), text) ? LOOKALIKE_E4 : LOOKALIKE_NONE;
	if (end == host.len)
		return hyphen_before ? LOOKALIKE_TAIL : s->skeleton ? LOOKALIKE_IDN : LOOKALIKE_NONE;
	if (end > s->suffix && hyphen_before)
		return LOOKALIKE_TAILX;
	/* The name itself under a longer suffix: E9 says so. */
	if (end > s->suffix && slice_eq(lookalike_label_of(target, text), s->label))
		return LOOKALIKE_NONE;
	return hyphen_after ? LOOKALIKE_E2 : hyphen_before ? LOOKALIKE_E3 : LOOKALIKE_E1;
}

/* Other words of its label stand before it and behind it: so machines name what they build for others. */
static bool
is_in_middle(const struct lookalike_search *s, const struct lookalike_hit *hit)
{
	const char *text = s->host->text.p;

	return hit->end < s->owner && text[hit->end] == '-' && hit->begin > 0 && text[hit->begin - 1] == '-';
}

/* What ends in the tokens FROM to TO is a name that machines make: "mail.protection.outlook.com" is nothing that people read. */
static bool
is_machine(const struct lookalike_search *s, size_t from, size_t to)
{
	const struct lookalike_host *h = s->host;

	for (size_t t = from + 1; t-- > 0;) {
		struct slice asked = lookalike_bytes(h, h->begin[t], h->end[to]), text;
		uint64_t mixed = lookalike_mix(lookalike_part(s->l, h->sums, h->at[t], lookalike_token_end(h, to)));
		struct lookalike_name name;
		uint32_t at = 0, i;

		while ((i = lookalike_next(s->l, INDEX_NAMES, mixed, &at)) != UINT32_MAX)
			if (lookalike_name_at(s->l, i, &name, &text) && (name.flags & NAME_INFRA) && slice_eq(text, asked))
				return true;
	}
	return false;
}

/* A word, or a short name, and a suffix stand side by side by chance, unless they are all of a label left of the owner's. */
static enum lookalike_level
cap_of_window(const struct lookalike_search *s, const struct lookalike_hit *hit, const struct lookalike_target *target)
{
	const char *text = s->host->text.p;
	bool whole = hit->end < s->owner && text[hit->end] == '.' && (hit->begin == 0 || text[hit->begin - 1] == '.');
	bool word = (target->flags & TARGET_WORD) != 0;

	/* The suffix of the target is the registrable domain's label: "livedoor.blog" in "a-livedoor.blog.jp". */
	if (hit->begin < s->owner && hit->end == s->suffix - 1 &&
	    !(lookalike_word(s->l, s->label, lookalike_sum_of(s->label)) & (WORD_DEFACTO | WORD_LEAD)))
		return LOOKALIKE_LOG;
	if (hit->class == LOOKALIKE_E4 && !(target->flags & TARGET_LEADING))
		return LOOKALIKE_WARN;
	if (hit->class < LOOKALIKE_E3 || (!word && target->label_len > SHORT_LABEL))
		return LOOKALIKE_BLOCK;
	if (hit->class == LOOKALIKE_E3)
		return word ? LOOKALIKE_WARN : LOOKALIKE_BLOCK;
	return whole ? LOOKALIKE_WARN : LOOKALIKE_LOG;
}

/* A whole domain of the site's own is refused: only a longer one counts more. */
static bool
is_settled(const struct lookalike_search *s)
{
	return s->out->level == LOOKALIKE_BLOCK && s->out->own && s->out_whole;
}

/* Target NUMBER stands in the tokens FROM to TO. */
static void
found_window(struct lookalike_search *s, uint32_t number, size_t from, size_t to)
{
	struct lookalike_hit hit = { .target = number, .begin = s->host->begin[from], .end = s->host->end[to], .cap = LOOKALIKE_BLOCK };
	char tokens[LOOKALIKE_HOST_MAX + 1];
	size_t len = lookalike_token_end(s->host, to) - s->host->at[from];
	struct lookalike_target target;
	struct slice text;

	if (!lookalike_target_at(s->l, number, &target, &text) || text.len > LOOKALIKE_HOST_MAX ||
	    (is_settled(s) && text.len < s->out_len) ||
	    lookalike_tokens(text, tokens) != len || memcmp(tokens, s->host->folded + s->host->at[from], len) != 0)
		return;
	if ((hit.class = class_of_window(s, hit.begin, hit.end, &target, text)) == LOOKALIKE_NONE)
		return;
	lower(&hit.cap, &hit.excuse, cap_of_window(s, &hit, &target), EXCUSE_WORD);
	if (hit.class == LOOKALIKE_E4 && is_in_middle(s, &hit))
		lower(&hit.cap, &hit.excuse, LOOKALIKE_LOG, EXCUSE_MIDDLE);
	if (!(target.flags & TARGET_OWN) && is_machine(s, from, to))
		lower(&hit.cap, &hit.excuse, LOOKALIKE_LOG, EXCUSE_MACHINE);
	lookalike_consider(s, &hit);
}

static void
find_windows(struct lookalike_search *s)
{
	const struct lookalike_host *h = s->host;
	size_t most = lookalike_window(s->l);

	for (size_t i = 0; i + 1 < h->n; i++) {
		/* What begins within an A-label nobody reads. */
		if (h->inner >> i & 1)
			continue;
		for (size_t k = i + 1; k < h->n && k - i < most; k++) {
			uint64_t mixed = lookalike_mix(lookalike_part(s->l, h->sums, h->at[i], lookalike_token_end(h, k)));
			uint32_t at = 0, number;

			if (!lookalike_may_begin(s->l, mixed))
				break;
			while ((number = lookalike_next(s->l, INDEX_WHOLE, mixed, &at)) != UINT32_MAX)
				found_window(s, number, i, k);
		}
	}
}

/* ---- single tokens and labels left of the registrable domain: E5, E6 ---- */

/* TEXT without dots and hyphens is S. */
static bool
is_joined(struct slice text, struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '.' || text.p[i] == '-')
			continue;
		if (n >= s.len || s.p[n++] != text.p[i])
			return false;
	}
	return n == s.len;
}

static void
find_joined(struct lookalike_search *s)
{
	const struct lookalike_host *h = s->host;

	for (size_t i = 0; i < h->n && h->begin[i] < s->suffix; i++) {
		struct slice token = lookalike_bytes(h, h->begin[i], h->end[i]);
		uint64_t mixed;
		uint32_t at = 0, number;

		if (token.len < JOINED_MIN)
			continue;
		mixed = lookalike_mix(lookalike_part(s->l, h->sums, h->at[i], lookalike_token_end(h, i)));
		while ((number = lookalike_next(s->l, INDEX_JOINED, mixed, &at)) != UINT32_MAX) {
			struct lookalike_hit hit = { .class = LOOKALIKE_E5, .target = number, .begin = h->begin[i], .end = h->end[i],
				.cap = LOOKALIKE_BLOCK };
			struct lookalike_target target;
			struct slice text;

			if (lookalike_target_at(s->l, number, &target, &text) && target.label_len >= JOINED_LABEL_MIN && is_joined(text, token))
				lookalike_consider(s, &hit);
		}
	}
}

uint32_t
lookalike_by_label(const struct lookalike *l, struct slice label, uint64_t sum, struct lookalike_target *out, struct slice *text)
{
	uint64_t mixed = lookalike_mix(sum);
	uint32_t at = 0, number;

	while ((number = lookalike_next(l, INDEX_LABEL, mixed, &at)) != UINT32_MAX)
		if (lookalike_target_at(l, number, out, text) && slice_eq(lookalike_label_of(out, *text), label))
			return number;
	return UINT32_MAX;
}

/* A name in front of others' is common where services have customers; evidence is that it is all there is, or that a lure's word
 * stands beside it.  FIRST and LAST are its tokens. */
static bool
is_lured(struct lookalike_search *s, const struct lookalike_hit *hit, size_t first, size_t last)
{
	const struct lookalike_host *h = s->host;
	uint64_t own = 0;

	if (hit->begin == 0 && hit->end + 1 == s->owner)
		return true;
	/* Asked once a host: each of its labels may be a name. */
	for (size_t i = 0; !s->lures_known && i < h->n && h->begin[i] < s->suffix; i++)
		s->lures |= (uint64_t)lookalike_is_lure(s->l, h, i) << i;
	s->lures_known = true;
	for (size_t i = first; i <= last; i++)
		own |= UINT64_C(1) << i;
	return (s->lures & ~own) != 0;
}

/* All of TEXT stands in HOST from byte AT on: it was judged as such. */
static bool
stands_whole(struct slice host, size_t at, struct slice text)
{
	struct slice rest = slice_skip(host, at);

	return slice_starts(rest, text) && (rest.len == text.len || rest.p[text.len] == '.' || rest.p[text.len] == '-');
}

/* The labels left of the registrable domain.  Of very many only the OUTER ones at either end are looked at: nobody reads the
 * others, and each costs some memory that is far away. */
static void
find_labels(struct lookalike_search *s)
{
	const struct lookalike_host *h = s->host;
	size_t seen = 0;

	for (size_t i = 0; i < h->n && h->begin[i] < s->owner;) {
		struct lookalike_hit hit = { .class = LOOKALIKE_E6, .begin = h->begin[i], .cap = LOOKALIKE_BLOCK };
		struct lookalike_target target;
		struct slice text;
		size_t last = i;

		while (last + 1 < h->n && h->text.p[h->begin[last + 1] - 1] != '.')
			last++;
		hit.end = h->end[last];
		hit.target = UINT32_MAX;
		if (hit.end - hit.begin >= LABEL_MIN && (seen++ < OUTER || i + OUTER >= s->label_first))
			hit.target = lookalike_by_label(s->l, lookalike_bytes(h, hit.begin, hit.end),
			    lookalike_part(s->l, h->sums, h->at[i], lookalike_token_end(h, last)), &target, &text);
		if (hit.target != UINT32_MAX && (target.flags & TARGET_LEADING) && !(target.flags & TARGET_WORD) &&
		    !stands_whole(h->text, hit.begin, text)) {
			if (((target.flags & TARGET_BRAND) || s->levels->own_names > LOOKALIKE_LOG) && !is_lured(s, &hit, i, last))
				lower(&hit.cap, &hit.excuse, LOOKALIKE_LOG, EXCUSE_PLAIN);
			lookalike_consider(s, &hit);
		}
		i = last + 1;
	}
}

/* ---- without a target: G ---- */

/* What stands left of the registrable domain and its first token, with the dot between them, reads as a domain. */
static void
find_lead(struct lookalike_search *s)
{
	const struct lookalike_host *h = s->host;
	size_t first = s->label_first, before;
	enum lookalike_level level = (enum lookalike_level)s->levels->level[LOOKALIKE_G];
	enum lookalike_excuse excuse = EXCUSE_NONE;
	unsigned lead, left;

	/* Who protects nobody but himself asked for no more. */
	if (!s->l->info.leads || s->l->info.n_brands == 0 || first == 0 || s->label_last == first || h->end[first] >= h->text.len ||
	    h->text.p[h->end[first]] != '-')
		return;
	lead = lookalike_word(s->l, lookalike_bytes(h, h->begin[first], h->end[first]),
	    lookalike_part(s->l, h->sums, h->at[first], lookalike_token_end(h, first)));
	if (!(lead & (WORD_LEAD | WORD_LEAD_WEAK)))
		return;
	left = lookalike_word(s->l, lookalike_bytes(h, h->begin[first - 1], h->end[first - 1]),
	    lookalike_part(s->l, h->sums, h->at[first - 1], lookalike_token_end(h, first - 1)));
	if (lead & WORD_LEAD_WEAK)
		lower(&level, &excuse, LOOKALIKE_WARN, EXCUSE_PLAIN);
	if ((left & WORD_SERVICE) && !(lead & WORD_ACADEMIC))
		lower(&level, &excuse, LOOKALIKE_LOG, EXCUSE_PLAIN);
	for (before = h->begin[first - 1]; before > 0 && h->text.p[before - 1] != '.'; before--)
		;
	lower_by_names(s, LOOKALIKE_G, NULL, (struct slice){ 0 }, &level, &excuse);
	if (!counts_more(s, level, false, false, LOOKALIKE_G, 0))
		return;
	*s->out = (struct lookalike_finding){ .class = LOOKALIKE_G, .level = level, .excuse = excuse, .registrable = s->registrable,
		.spelled = lookalike_bytes(h, before, h->end[first]), .excused_by = excused_by(s, excuse) };
	s->out_len = 0;
	s->out_whole = false;
}

/* ---- one host ---- */

/* Where the registrable domain begins.  False when the host is a public suffix itself. */
static bool
find_owner(struct lookalike_search *s)
{
	struct slice host = s->host->text, label;
	size_t suffix = host.len - s->above.suffix.any, tries = 0;

	for (;; tries++) {
		size_t owner = suffix;

		if (suffix < 2)
			return tries > 0;
		for (owner--; owner > 0 && host.p[owner - 1] != '.'; owner--)
			;
		s->suffix = suffix;
		s->owner = owner;
		s->label = label = lookalike_bytes(s->host, owner, suffix - 1);
		/* "com.ru" is none of the list, and yet everybody may have a name under it. */
		if (tries > 0 || host.len - suffix != 2 || !(lookalike_word(s->l, label, lookalike_sum_of(label)) & WORD_DEFACTO))
			return true;
		suffix = owner;
	}
}

struct slice
lookalike_registrable(const struct lookalike *l, struct slice host)
{
	struct lookalike_host split;
	struct lookalike_search s = { .l = l, .host = &split };

	if (host.len > LOOKALIKE_HOST_MAX || !lookalike_split(host, &split))
		return (struct slice){ 0 };
	lookalike_look_above(l, &split, &s.above);
	return split.n > 0 && find_owner(&s) ? slice_skip(host, s.owner) : (struct slice){ 0 };
}

/* Answer S about its host, of which all but what comes from find_owner() is known. */
static void
search_host(struct lookalike_search *s)
{
	const struct lookalike_host *h = s->host;

	for (size_t i = 0; i < h->n; i++) {
		if (h->begin[i] <= s->owner)
			s->label_first = i;
		if (h->begin[i] < s->suffix)
			s->label_last = i;
	}
	find_windows(s);
	if (is_settled(s))
		return;
	find_joined(s);
	find_labels(s);
	lookalike_find_label(s);
	if (!s->skeleton)
		find_lead(s);
}

/* A bit for each token of HOST whose label is another one in ASKED, which HOST is the skeleton of. */
static uint64_t
decoded_tokens(const struct lookalike_host *host, struct slice asked)
{
	struct slice rest = host->text, label, theirs;
	uint64_t decoded = 0;
	size_t i = 0;

	while (rest.len > 0) {
		size_t end;

		slice_cut(rest, '.', &label, &rest);
		slice_cut(asked, '.', &theirs, &asked);
		end = (size_t)(label.p - host->text.p) + label.len;
		for (; i < host->n && host->end[i] <= end; i++)
			decoded |= (uint64_t)!slice_eq(label, theirs) << i;
	}
	return decoded;
}

/* The same of what the host looks like, when it has labels of other scripts. */
static void
search_skeleton(struct lookalike_search *of)
{
	char text[LOOKALIKE_HOST_MAX];
	struct lookalike_search s;
	struct lookalike_host host;
	size_t len, dots = 0;

	s = *of;
	s.plain = of;

	len = lookalike_skeleton(&s.l->glyphs, s.asked, text, &s.code, &s.looks_like);
	if (len == 0 || !lookalike_split(slice_make(text, len), &host))
		return;
	s.skeleton = true;
	s.lures_known = false;
	s.lures = 0;
	s.host = &host;
	/* Labels are as many: the registrable domain has the same of them. */
	for (size_t i = of->owner; i < s.asked.len; i++)
		dots += s.asked.p[i] == '.';
	for (s.owner = len; s.owner > 0 && (text[s.owner - 1] != '.' || dots-- > 0); s.owner--)
		;
	s.suffix = s.owner + slice_find(slice_make(text + s.owner, len - s.owner), '.') + 1;
	s.label = lookalike_bytes(&host, s.owner, s.suffix - 1);
	s.decoded = decoded_tokens(&host, s.asked);
	search_host(&s);
}

/* By the byte: a branch for each kind of it costs as much as a third of the search. */
static bool
is_name_byte(char c)
{
	static const bool is[UCHAR_MAX + 1] = { ['a' ... 'z'] = true, ['0' ... '9'] = true, ['-'] = true, ['_'] = true };

	return is[(unsigned char)c];
}

/* What is wrong with HOST; NULL when it is a name. */
static const char *
fault_of(struct slice host)
{
	size_t label = 0;

	if (host.len > LOOKALIKE_HOST_MAX)
		return "it has more than 253 characters";
	for (size_t i = 0; i <= host.len; i++) {
		char c = i < host.len ? host.p[i] : '.';

		if (c == '.') {
			if (i == label)
				return "it has an empty label";
			if (i - label > LOOKALIKE_LABEL_MAX)
				return "it has a label of more than 63 characters";
			label = i + 1;
		} else if (!is_name_byte(c)) {
			return "it has a character that no name has";
		}
	}
	return NULL;
}

static bool
unjudged(const struct lookalike_levels *levels, struct slice host, const char *fault, struct lookalike_finding *out)
{
	*out = (struct lookalike_finding){ .class = LOOKALIKE_UNJUDGED, .level = (enum lookalike_level)levels->level[LOOKALIKE_UNJUDGED],
		.registrable = host, .fault = fault };
	return out->level > LOOKALIKE_OFF;
}

/* The host is of those who are imitated, or nothing there is meant to be read; EXCUSE_NONE. */
static enum lookalike_excuse
excuse_of(unsigned flags)
{
	return flags & NAME_OWN ? EXCUSE_OWN : flags & NAME_PARTNER ? EXCUSE_PARTNER : flags & NAME_FAMILY ? EXCUSE_FAMILY :
	    flags & NAME_INFRA ? EXCUSE_INFRA : EXCUSE_NONE;
}

/* HOST, which is without fault. */
static bool
find_in(const struct lookalike *l, struct slice host, const struct lookalike_levels *levels, struct lookalike_finding *out)
{
	struct lookalike_host split;
	struct lookalike_search s = { .l = l, .levels = levels, .host = &split, .asked = host, .out = out };

	if (!lookalike_split(host, &split))
		return unjudged(levels, host, "it has more than 64 parts", out);
	*out = (struct lookalike_finding){ .registrable = host };
	lookalike_look_above(l, &split, &s.above);
	if (split.n == 0 || !find_owner(&s))
		return false;
	s.registrable = out->registrable = slice_skip(host, s.owner);
	if ((out->excuse = excuse_of(s.above.flags)) != EXCUSE_NONE) {
		out->excused_by = excused_by(&s, out->excuse);
		return false;
	}
	search_host(&s);
	if (split.encoded && !is_settled(&s))
		search_skeleton(&s);
	return out->class != LOOKALIKE_NONE && out->level > LOOKALIKE_OFF;
}

/* S, when it points into COPY, at its place in HOST, which is as long. */
static struct slice
moved(struct slice s, struct slice copy, struct slice host)
{
	uintptr_t at = (uintptr_t)s.p - (uintptr_t)copy.p;

	return s.len == 0 ? (struct slice){ 0 } : at < copy.len ? slice_make(host.p + at, s.len) : s;
}

/* HOST with a hyphen for each byte that no registered name has, and for the two digits of an escape: the same length, into OUT. */
static void
respell(struct slice host, char out[static LOOKALIKE_HOST_MAX])
{
	for (size_t i = 0, escape = 0; i < host.len; i++) {
		bool dot = host.p[i] == '.';

		escape = dot ? 0 : host.p[i] == '%' ? 3 : escape > 0 ? escape - 1 : 0;
		out[i] = !dot && (escape > 0 || !is_name_byte(host.p[i]) || host.p[i] == '_') ? '-' : host.p[i];
	}
}

/* Hosts may have '_' and worse, as registered names do not: they part words as a hyphen does, and nobody escapes by one.  False
 * when HOST is to be judged as it is, FAULT or not; else the answer is in OUT, and *FOUND. */
static bool
find_respelled(const struct lookalike *l, struct slice host, const char *fault, const struct lookalike_levels *levels,
    struct lookalike_finding *out, bool *found)
{
	char text[LOOKALIKE_HOST_MAX];
	struct slice copy = slice_make(text, host.len);

	if (host.len > LOOKALIKE_HOST_MAX)
		return false;
	respell(host, text);
	if (fault_of(copy) != NULL)
		return false;
	*found = find_in(l, copy, levels, out);
	/* Whose it is the host itself must say. */
	if (out->class == LOOKALIKE_UNJUDGED || (out->class == LOOKALIKE_NONE && out->excuse != EXCUSE_NONE) ||
	    (fault != NULL && (!*found || out->level <= levels->level[LOOKALIKE_UNJUDGED])))
		return false;
	out->registrable = moved(out->registrable, copy, host);
	out->spelled = moved(out->spelled, copy, host);
	out->word = moved(out->word, copy, host);
	out->excused_by = moved(out->excused_by, copy, host);
	return true;
}

bool
lookalike_find(const struct lookalike *l, struct slice host, const struct lookalike_levels *levels, struct lookalike_finding *out)
{
	const char *fault = fault_of(host);
	bool found;

	if ((fault != NULL || slice_find(host, '_') < host.len) && find_respelled(l, host, fault, levels, out, &found))
		return found;
	return fault != NULL ? unjudged(levels, host, fault, out) : find_in(l, host, levels, out);
}
