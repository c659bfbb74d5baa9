/* Sets of sizes against a plain search, dense and sparse, at the borders of their pages, and damaged. */
#include "hashdb/hashdb.h"
#include "hashdb/size_set.h"
#include "hashdb/size_set_format.h"
#include "t/tap.h"

enum { PAGE = 1 << SIZE_PAGE_BITS, HEAD = 8, ENTRY = 16 };
#define TERABYTE	(UINT64_C(1) << 40)

/* Sizes that ascend, each once. */
struct sizes {
	uint64_t	*v;
	size_t		 n;
};

static uint64_t
next_number(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool
plain_has(const struct sizes *s, uint64_t size)
{
	return s->n > 0 && bsearch(&size, s->v, s->n, sizeof(*s->v), compare) != NULL;
}

static void
sort_unique(struct sizes *s)
{
	size_t kept = 0;

	if (s->n > 0)
		qsort(s->v, s->n, sizeof(*s->v), compare);
	for (size_t i = 0; i < s->n; i++)
		if (kept == 0 || s->v[kept - 1] != s->v[i])
			s->v[kept++] = s->v[i];
	s->n = kept;
}

/* The set of SIZES right before an unreadable page. */
static struct slice
set_of(const struct sizes *sizes)
{
	struct size_set_builder *b = size_set_new();
	struct slice set;
	struct buf out;

	buf_init(&out, SIZE_MAX / 2);
	for (size_t i = 0; i < sizes->n; i++)
		size_set_add(b, sizes->v[i]);
	if (size_set_write(b, &out) == -1)
		abort();
	size_set_free(b);
	set = guard_copy(buf_slice(&out));
	buf_fini(&out);
	return set;
}

/* How many of the questions around SIZE are answered otherwise than by SIZES. */
static size_t
wrong_around(struct slice set, const struct sizes *sizes, uint64_t size)
{
	const uint64_t asked[] = { size, size + 1, size - 1, size ^ PAGE, size + PAGE, size ^ TERABYTE, size | UINT64_C(1) << 63 };
	size_t wrong = 0;

	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++)
		wrong += size_set_has(set, asked[i]) != plain_has(sizes, asked[i]);
	return wrong;
}

static void
check(struct sizes *sizes, const char *name)
{
	size_t wrong = 0, pages = 0;
	struct slice set;

	sort_unique(sizes);
	for (size_t i = 0; i < sizes->n; i++)
		pages += i == 0 || sizes->v[i] / PAGE != sizes->v[i - 1] / PAGE;
	set = set_of(sizes);
	ok(size_set_fault(set) == NULL, "%s: fits", name);
	ok(set.len <= HEAD + pages * ENTRY + 2 * sizes->n, "%s: 2 bytes a size and %d a page: %zu for %zu in %zu", name, ENTRY,
	    set.len, sizes->n, pages);
	for (size_t i = 0; i < sizes->n; i++)
		wrong += wrong_around(set, sizes, sizes->v[i]);
	wrong += wrong_around(set, sizes, 0) + wrong_around(set, sizes, UINT64_MAX) + wrong_around(set, sizes, TERABYTE);
	ok(wrong == 0, "%s: %zu answers differ from a plain search", name, wrong);
}

static void
test_few(void)
{
	uint64_t one[] = { 90112 }, zero[] = { 0 };
	uint64_t borders[] = { 0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE - 1, 3 * PAGE, 5 * PAGE - 1 };
	uint64_t large[] = { HASHDB_SIZE_MAX, HASHDB_SIZE_MAX - 1, TERABYTE - PAGE, TERABYTE - PAGE - 1, TERABYTE / 2, 1 };
	uint64_t largest[] = { (UINT64_C(1) << 48) - 1, TERABYTE, 7 };
	struct sizes none = { NULL, 0 };

	check(&none, "no size");
	check(&(struct sizes){ one, 1 }, "one size");
	check(&(struct sizes){ zero, 1 }, "the size 0");
	check(&(struct sizes){ borders, 8 }, "borders of pages");
	check(&(struct sizes){ large, 6 }, "up to a terabyte less one");
	check(&(struct sizes){ largest, 3 }, "up to what 32 bits of pages hold");
	is_int((long long)set_of(&none).len, HEAD, "the empty set is its head");
}

/* N sizes of PAGE_NUMBER, every STEP, from FIRST. */
static void
add_run(struct sizes *s, uint64_t page_number, size_t n, size_t step, size_t first)
{
	for (size_t i = 0; i < n; i++)
		s->v[s->n++] = page_number * PAGE + first + i * step;
}

/* A list where it is short, bits where it is not: at the border and on either side of it. */
static void
test_dense(void)
{
	struct sizes s = { calloc(8, PAGE * sizeof(uint64_t)), 0 };

	add_run(&s, 1, SIZE_LIST_MAX, 1, 0);
	check(&s, "the longest list");
	is_int((long long)set_of(&s).len, HEAD + ENTRY + 2 * SIZE_LIST_MAX, "is a list");
	add_run(&s, 1, 1, 1, PAGE - 1);
	check(&s, "one size more");
	is_int((long long)set_of(&s).len, HEAD + ENTRY + SIZE_PAGE_BYTES, "is bits");
	s.n = 0;
	add_run(&s, 0, PAGE, 1, 0);
	check(&s, "every size of the first page");
	add_run(&s, 1, 3, 1, 0);
	add_run(&s, 3, PAGE / 2, 2, 1);
	add_run(&s, TERABYTE / PAGE - 1, PAGE, 1, 0);
	check(&s, "full, short, half and full");
	free(s.v);
}

static void
test_random(void)
{
	enum { N = 60000 };
	static const struct { const char *name; uint64_t range, seed; } kinds[] = {
		{ "random and dense", 2 * PAGE, 1 },
		{ "random, two pages in three bits", 20 * PAGE, 2 },
		{ "random, as files are", 100 << 20, 3 },
		{ "random over a terabyte", TERABYTE, 4 },
	};
	struct sizes s = { calloc(N, sizeof(uint64_t)), 0 };

	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		uint64_t state = UINT64_C(0x9e3779b97f4a7c15) * kinds[k].seed;

		for (s.n = 0; s.n < N; s.n++)
			s.v[s.n] = next_number(&state) % kinds[k].range;
		check(&s, kinds[k].name);
	}
	for (s.n = 0; s.n < N; s.n++) {		/* from bytes to terabytes */
		static uint64_t state = 5;

		s.v[s.n] = next_number(&state) >> (24 + next_number(&state) % 40);
	}
	check(&s, "random of every magnitude");
	free(s.v);
}

/* A set is written behind whatever OUT holds. */
static void
test_appended(void)
{
	struct size_set_builder *b = size_set_new();
	struct slice set;
	struct buf out;

	buf_init(&out, SIZE_MAX / 2);
	buf_add_str(&out, "before");
	size_set_add(b, 5);
	size_set_add(b, PAGE);
	is_int(size_set_write(b, &out), 0, "appended");
	set = slice_skip(buf_slice(&out), strlen("before"));
	ok(size_set_has(set, 5) && size_set_has(set, PAGE) && !size_set_has(set, 6), "and read from its own begin");
	buf_fini(&out);
	size_set_free(b);
	size_set_free(NULL);
	b = size_set_new();
	buf_init(&out, HEAD - 1);
	is_int(size_set_write(b, &out), -1, "no room for it");
	buf_fini(&out);
	size_set_free(b);
}

/* Ask a set of exactly LEN bytes; false when it has a fault. */
static bool
ask_damaged(const char *bytes, size_t len)
{
	static const uint64_t asked[] = { 0, 1, 7, PAGE - 1, PAGE, 2 * PAGE + 9, 3 * PAGE, TERABYTE - 1, UINT64_MAX };
	char *copy = calloc(1, len > 0 ? len : 1);
	struct slice set = slice_make(copy, len);
	bool fits;

	if (len > 0)
		memcpy(copy, bytes, len);
	fits = size_set_fault(set) == NULL;
	for (size_t i = 0; fits && i < sizeof(asked) / sizeof(*asked); i++)
		size_set_has(set, asked[i]);
	free(copy);
	return fits;
}

/* Nothing is read past the end, whatever the bytes say; the sanitizer watches. */
static void
test_damage(void)
{
	uint64_t v[PAGE];
	struct sizes s = { v, 0 };
	struct slice set;
	unsigned refused = 0;
	char *bytes;

	add_run(&s, 0, 2, 6, 1);
	add_run(&s, 1, SIZE_LIST_MAX + 1, 3, 0);
	add_run(&s, 2, 3, 9, 9);
	set = set_of(&s);
	bytes = (char *)(uintptr_t)set.p;
	for (size_t len = 0; len < set.len; len++)
		refused += !ask_damaged(bytes, len);
	is_int(refused, HEAD + 3 * ENTRY, "what lacks a part of its directory is refused");
	for (size_t at = 0; at < HEAD + 3 * ENTRY + 16; at++)
		for (unsigned mask = 1; mask < 256; mask++) {
			bytes[at] ^= (char)mask;
			refused += !ask_damaged(bytes, set.len);
			bytes[at] ^= (char)mask;
		}
	ok(refused > HEAD + 3 * ENTRY, "a number of pages that is too large is refused");
	memset(bytes, 0xff, HEAD);
	ok(!ask_damaged(bytes, set.len), "and the largest");
}

int
main(void)
{
	test_few();
	test_dense();
	test_random();
	test_appended();
	test_damage();
	return tap_done();
}
