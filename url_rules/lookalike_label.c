#include "url_rules/lookalike_search.h"

enum { BRAND_MIN = 4, KEY_MIN = 3, KEY_MAX = 16, EDIT_MIN = 6, EDIT_MAX = 32, FOLD_MIN = 5, HYPHEN_BRAND_MIN = 4 };

size_t
lookalike_fold(struct slice s, char *out)
{
	static const char pairs[][4] = { "rnm", "nnm", "vvw", "cld" };
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		for (size_t k = 0; k < sizeof(pairs) / sizeof(*pairs) && i + 1 < s.len; k++)
			if (c == pairs[k][0] && s.p[i + 1] == pairs[k][1]) {
				c = pairs[k][2];
				i++;
				break;
			}
		out[n++] = c == '1' || c == 'i' ? 'l' : c == '0' ? 'o' : c == '5' ? 's' : c;
	}
	return n;
}

/* A word of FLAGS, with or without digits behind it. */
static bool
is_key(const struct lookalike *l, unsigned flags, const uint64_t *sums, struct slice all, size_t from, size_t to)
{
	while (to > from && ascii_is_digit(all.p[to - 1]))
		to--;
	return to - from >= KEY_MIN && to - from <= KEY_MAX &&
	    (lookalike_word(l, slice_make(all.p + from, to - from), lookalike_part(l, sums, from, to)) & flags) != 0;
}

bool
lookalike_is_lure(const struct lookalike *l, const struct lookalike_host *h, size_t t)
{
	return is_key(l, WORD_KEY | WORD_KEY_WEAK, h->sums, slice_make(h->folded, h->n_bytes), h->at[t], lookalike_token_end(h, t));
}

/* ---- the name and a word with a hyphen between: E7 ---- */

static void
find_hyphened(struct lookalike_search *s)
{
	const struct lookalike_host *h = s->host;

	for (size_t i = s->label_first; i <= s->label_last; i++) {
		struct lookalike_hit hit = { .class = LOOKALIKE_E7, .begin = h->begin[i], .end = h->end[i], .cap = LOOKALIKE_LOG,
			.excuse = EXCUSE_PLAIN };
		struct lookalike_target target;
		struct slice text;

		if (hit.end - hit.begin < HYPHEN_BRAND_MIN)
			continue;
		hit.target = lookalike_by_label(s->l, lookalike_bytes(h, hit.begin, hit.end),
		    lookalike_part(s->l, h->sums, h->at[i], lookalike_token_end(h, i)), &target, &text);
		if (hit.target == UINT32_MAX || !(target.flags & TARGET_LEADING) || (target.flags & TARGET_WORD))
			continue;
		for (size_t k = s->label_first; k <= s->label_last; k++) {
			if (k == i)
				continue;
			hit.word = lookalike_bytes(h, h->begin[k], h->end[k]);
			if (lookalike_is_lure(s->l, h, k)) {
				hit.cap = LOOKALIKE_BLOCK;
				hit.excuse = EXCUSE_NONE;
				break;
			}
		}
		lookalike_consider(s, &hit);
	}
}

/* ---- the same without: E8 ---- */

/* The label's bytes FROM to TO are a target's name, and KEY_FROM to KEY_TO a word that lures use. */
static void
try_joined(struct lookalike_search *s, size_t from, size_t to, size_t key_from, size_t key_to)
{
	const struct lookalike_host *h = s->host;
	size_t at = h->at[s->label_first], begin = h->begin[s->label_first];
	struct lookalike_hit hit = { .class = LOOKALIKE_E8, .begin = begin + from, .end = begin + to, .cap = LOOKALIKE_BLOCK,
		.word = lookalike_bytes(h, begin + key_from, begin + key_to) };
	struct lookalike_target target;
	struct slice text;

	if (!is_key(s->l, WORD_KEY, h->sums, slice_make(h->folded, h->n_bytes), at + key_from, at + key_to))
		return;
	hit.target = lookalike_by_label(s->l, slice_make(h->folded + at + from, to - from),
	    lookalike_part(s->l, h->sums, at + from, at + to), &target, &text);
	if (hit.target != UINT32_MAX && (target.flags & TARGET_LEADING) && !(target.flags & TARGET_WORD))
		lookalike_consider(s, &hit);
}

static void
find_combined(struct lookalike_search *s)
{
	size_t len = s->label.len;

	for (size_t cut = KEY_MIN; cut + KEY_MIN <= len; cut++) {
		if (cut >= BRAND_MIN && len - cut <= KEY_MAX)
			try_joined(s, 0, cut, cut, len);
		if (len - cut >= BRAND_MIN && cut <= KEY_MAX)
			try_joined(s, cut, len, 0, cut);
	}
}

/* ---- one letter: E10 ---- */

/* A and B differ by one letter that is added, left out or another one, or by two that changed places. */
static bool
is_one_edit(struct slice a, struct slice b)
{
	size_t head = 0, tail = 0, least = a.len < b.len ? a.len : b.len;

	while (head < least && a.p[head] == b.p[head])
		head++;
	while (tail < least - head && a.p[a.len - 1 - tail] == b.p[b.len - 1 - tail])
		tail++;
	if (a.len != b.len)
		return (a.len > b.len ? a.len - b.len : b.len - a.len) == 1 && head + tail == least;
	return a.len - head - tail == 1 ||
	    (a.len - head - tail == 2 && a.p[head] == b.p[head + 1] && a.p[head + 1] == b.p[head]);
}

static size_t
without_digits(struct slice s)
{
	size_t n = s.len;

	while (n > 0 && ascii_is_digit(s.p[n - 1]))
		n--;
	return n;
}

/* Differences that names have by chance: the first letter, a hyphen, the digits at the end. */
static bool
is_chance(struct slice a, struct slice b)
{
	size_t head = 0;
	struct slice longer = a.len > b.len ? a : b;

	while (head < a.len && head < b.len && a.p[head] == b.p[head])
		head++;
	if (head == 0 || (a.len != b.len && head < longer.len && longer.p[head] == '-'))
		return true;
	return slice_eq(slice_head(a, without_digits(a)), slice_head(b, without_digits(b)));
}

/* Targets of INDEX under SUM are one letter away from the label. */
static void
try_edit(struct lookalike_search *s, enum lookalike_index index, uint64_t sum)
{
	uint64_t mixed = lookalike_mix(sum);
	uint32_t at = 0, number, bit = lookalike_bit(mixed, EDIT_BITS);

	if (index == INDEX_TYPO && !(s->l->edits[bit / 8] >> bit % 8 & 1))
		return;
	while ((number = lookalike_next(s->l, index, mixed, &at)) != UINT32_MAX) {
		struct lookalike_hit hit = { .class = LOOKALIKE_E10, .target = number, .begin = s->owner, .end = s->owner + s->label.len,
			.cap = LOOKALIKE_BLOCK };
		struct lookalike_target target;
		struct slice text, label;

		if (!lookalike_target_at(s->l, number, &target, &text) || !(target.flags & TARGET_LEADING) || (target.flags & TARGET_WORD))
			continue;
		label = lookalike_label_of(&target, text);
		if (label.len >= EDIT_MIN && is_one_edit(label, s->label) && !is_chance(label, s->label))
			lookalike_consider(s, &hit);
	}
}

static void
find_edits(struct lookalike_search *s)
{
	const struct lookalike_host *h = s->host;
	size_t from = h->at[s->label_first], to = lookalike_token_end(h, s->label_last);

	if (s->label.len + 1 < EDIT_MIN || s->label.len > EDIT_MAX || lookalike_is_encoded(s->label))
		return;
	try_edit(s, INDEX_TYPO, lookalike_part(s->l, h->sums, from, to));
	for (size_t i = from; i < to; i++) {
		uint64_t tail = lookalike_part(s->l, h->sums, i + 1, to);
		uint64_t sum = lookalike_part(s->l, h->sums, from, i) * s->l->powers[to - i - 1] + tail;

		try_edit(s, INDEX_TYPO, sum);
		try_edit(s, INDEX_LABEL, sum);
	}
}

/* ---- ASCII that looks alike: E11 ---- */

static void
find_folded(struct lookalike_search *s)
{
	char asked[LOOKALIKE_LABEL_MAX], theirs[LOOKALIKE_LABEL_MAX];
	struct lookalike_hit hit = { .class = LOOKALIKE_E11, .begin = s->owner, .end = s->owner + s->label.len, .cap = LOOKALIKE_BLOCK };
	struct lookalike_target target;
	struct slice text, label, folded;
	uint64_t mixed;
	uint32_t at = 0;

	if (s->label.len < FOLD_MIN || s->label.len > LOOKALIKE_LABEL_MAX)
		return;
	folded = slice_make(asked, lookalike_fold(s->label, asked));
	mixed = lookalike_mix(lookalike_sum_of(folded));
	while ((hit.target = lookalike_next(s->l, INDEX_FOLDED, mixed, &at)) != UINT32_MAX) {
		if (!lookalike_target_at(s->l, hit.target, &target, &text) || target.label_len > LOOKALIKE_LABEL_MAX)
			continue;
		label = lookalike_label_of(&target, text);
		if (label.len >= FOLD_MIN && (target.flags & TARGET_LEADING) && !(target.flags & TARGET_WORD) && !slice_eq(label, s->label) &&
		    slice_eq(slice_make(theirs, lookalike_fold(label, theirs)), folded))
			lookalike_consider(s, &hit);
	}
}

/* ---- the label itself: E9 ---- */

static void
find_same(struct lookalike_search *s)
{
	const struct lookalike_host *h = s->host;
	struct lookalike_hit hit = { .class = LOOKALIKE_E9, .begin = s->owner, .end = s->owner + s->label.len, .cap = LOOKALIKE_BLOCK };
	struct lookalike_target target;
	struct slice text;

	if (s->label.len < BRAND_MIN)
		return;
	hit.target = lookalike_by_label(s->l, s->label,
	    lookalike_part(s->l, h->sums, h->at[s->label_first], lookalike_token_end(h, s->label_last)), &target, &text);
	if (hit.target != UINT32_MAX && (target.flags & TARGET_LEADING) && !(target.flags & TARGET_WORD))
		lookalike_consider(s, &hit);
}

void
lookalike_find_label(struct lookalike_search *s)
{
	find_same(s);
	if (s->label_last > s->label_first)
		find_hyphened(s);
	else if (s->host->end[s->label_first] - s->host->begin[s->label_first] == (int)s->label.len)
		find_combined(s);
	/* What looks alike by another script is near enough; the letters of an A-label are not those that are read. */
	if (!s->skeleton)
		find_edits(s);
	find_folded(s);
}
