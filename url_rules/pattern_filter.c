#include "url_rules/pattern_filter.h"

#include <stdlib.h>

enum {
	GRAM = PATTERN_LITERAL_MIN,
	COMPARED_MAX = 32,	/* bytes of a literal that are compared: a long path of one letter must not cost its square */
	BITS_EACH = 128,	/* of the bit map for a pattern: less than one foreign gram in a hundred finds its bit set */
	BITS_MIN = 10,		/* log2 */
	BUCKET_SHIFT = 5,	/* bits of the map for a bucket, log2 */
	COUNT_BITS = 16,
	NONE = UINT16_MAX,
};

struct entry {
	uint32_t	gram;		/* folded */
	uint32_t	literal;	/* where it begins in LITERALS */
	uint16_t	len;
	uint16_t	gram_at;	/* in the literal */
	uint16_t	next;		/* of the same bucket, or NONE */
};

struct pattern_filter {
	uint64_t	*bits;		/* by the high bits of a gram's hash */
	unsigned	 shift;
	uint16_t	*buckets;	/* by somewhat fewer of them: the first entry, or NONE */
	struct entry	*entries;
	size_t		 n;
	char		*literals;
};

/* ASCII letters in one case; that other bytes fall together too only makes candidates. */
static uint32_t
gram_at(const char *p)
{
	uint32_t gram;

	memcpy(&gram, p, GRAM);
	return gram | UINT32_C(0x20202020);
}

static uint32_t
gram_hash(uint32_t gram)
{
	return gram * UINT32_C(0x9e3779b1);
}

static bool
same_folded(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((a[i] | 0x20) != (b[i] | 0x20))
			return false;
	return true;
}

/* ---- making ---- */

/* How many windows of all literals have each gram, roughly. */
static void
count_grams(const struct pattern_filter *f, uint16_t *counts)
{
	for (size_t i = 0; i < f->n; i++)
		for (size_t at = 0; at + GRAM <= f->entries[i].len; at++) {
			uint16_t *count = &counts[gram_hash(gram_at(f->literals + f->entries[i].literal + at)) >> (32 - COUNT_BITS)];

			*count += *count < UINT16_MAX / 2;
		}
}

/* Words are rarer in paths than what stands between them. */
static bool
has_mark(const char *p)
{
	for (size_t i = 0; i < GRAM; i++)
		if (!ascii_is_alpha(p[i]) && !ascii_is_digit(p[i]))
			return true;
	return false;
}

static void
choose_gram(const struct pattern_filter *f, struct entry *e, const uint16_t *counts)
{
	const char *literal = f->literals + e->literal;
	uint32_t best = UINT32_MAX;

	for (size_t at = 0; at + GRAM <= e->len; at++) {
		uint32_t gram = gram_at(literal + at);
		uint32_t cost = 2U * counts[gram_hash(gram) >> (32 - COUNT_BITS)] + has_mark(literal + at);

		if (cost >= best)
			continue;
		best = cost;
		e->gram = gram;
		e->gram_at = (uint16_t)at;
	}
}

/* Keep the part of a long literal that stands around its gram. */
static void
trim_literal(struct entry *e)
{
	size_t before = (COMPARED_MAX - GRAM) / 2, from = e->gram_at > before ? e->gram_at - before : 0;

	if (e->len <= COMPARED_MAX)
		return;
	if (from + COMPARED_MAX > e->len)
		from = (size_t)e->len - COMPARED_MAX;
	e->literal += (uint32_t)from;
	e->len = COMPARED_MAX;
	e->gram_at = (uint16_t)(e->gram_at - from);
}

static int
make_entries(struct pattern_filter *f, const struct slice *patterns)
{
	size_t room = 0, used = 0;

	for (size_t i = 0; i < f->n; i++)
		room += patterns[i].len;
	f->literals = malloc(room + PATTERN_MAX);
	f->entries = calloc(f->n, sizeof(*f->entries));
	if (f->literals == NULL || f->entries == NULL)
		return -1;
	for (size_t i = 0; i < f->n; i++) {
		f->entries[i].literal = (uint32_t)used;
		f->entries[i].len = (uint16_t)pattern_literal(patterns[i], f->literals + used);
		used += f->entries[i].len;
	}
	return 0;
}

static int
make_map(struct pattern_filter *f)
{
	unsigned bits = BITS_MIN;
	size_t n_buckets;

	while (UINT32_C(1) << bits < f->n * BITS_EACH)
		bits++;
	f->shift = 32 - bits;
	n_buckets = (size_t)1 << (bits - BUCKET_SHIFT);
	f->bits = calloc(((size_t)1 << bits) / 64, sizeof(*f->bits));
	f->buckets = malloc(n_buckets * sizeof(*f->buckets));
	if (f->bits == NULL || f->buckets == NULL)
		return -1;
	memset(f->buckets, 0xff, n_buckets * sizeof(*f->buckets));
	for (size_t i = 0; i < f->n; i++) {
		uint32_t bit = gram_hash(f->entries[i].gram) >> f->shift;

		f->bits[bit / 64] |= UINT64_C(1) << bit % 64;
		f->entries[i].next = f->buckets[bit >> BUCKET_SHIFT];
		f->buckets[bit >> BUCKET_SHIFT] = (uint16_t)i;
	}
	return 0;
}

struct pattern_filter *
pattern_filter_new(const struct slice *patterns, size_t n)
{
	struct pattern_filter *f = calloc(1, sizeof(*f));
	uint16_t *counts = calloc((size_t)1 << COUNT_BITS, sizeof(*counts));
	int r = -1;

	if (f != NULL && counts != NULL) {
		f->n = n;
		r = make_entries(f, patterns);
	}
	if (r == 0) {
		count_grams(f, counts);
		for (size_t i = 0; i < n; i++) {
			choose_gram(f, &f->entries[i], counts);
			trim_literal(&f->entries[i]);
		}
		r = make_map(f);
	}
	free(counts);
	if (r == 0)
		return f;
	pattern_filter_free(f);
	return NULL;
}

void
pattern_filter_free(struct pattern_filter *f)
{
	if (f == NULL)
		return;
	free(f->bits);
	free(f->buckets);
	free(f->entries);
	free(f->literals);
	free(f);
}

/* ---- asking ---- */

/* Add the entries of BIT's bucket whose literal stands around AT in S. */
static bool
find_literals(const struct pattern_filter *f, struct slice s, size_t at, uint32_t bit, struct pattern_candidates *out)
{
	uint32_t gram = gram_at(s.p + at);
	bool found = false;

	for (uint16_t i = f->buckets[bit >> BUCKET_SHIFT]; i != NONE; i = f->entries[i].next) {
		const struct entry *e = &f->entries[i];

		if (e->gram != gram || (out->set[i / 64] >> i % 64 & 1) != 0 || at < e->gram_at ||
		    s.len - (at - e->gram_at) < e->len || !same_folded(s.p + at - e->gram_at, f->literals + e->literal, e->len))
			continue;
		out->set[i / 64] |= UINT64_C(1) << i % 64;
		found = true;
	}
	return found;
}

bool
pattern_filter_ask(const struct pattern_filter *f, struct slice s, struct pattern_candidates *out)
{
	bool empty = false, found = false;

	for (size_t at = 0; at + GRAM <= s.len; at++) {
		uint32_t bit = gram_hash(gram_at(s.p + at)) >> f->shift;

		if ((f->bits[bit / 64] >> bit % 64 & 1) == 0)
			continue;
		if (!empty)
			*out = (struct pattern_candidates){ .set = { 0 } };
		empty = true;
		found = find_literals(f, s, at, bit, out) || found;
	}
	return found;
}
