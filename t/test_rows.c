/* Rows: what rules of several sources say reads back to the last byte, in any order; references that are none; and no bit that
 * flips makes a row say something else. */
#include <errno.h>

#include "base/buf.h"
#include "ruleset/rows_format.h"
#include "t/tap.h"

enum { MANY = 5000, SMALL = 75, LINE_MAX_TEXT = 4096, LABEL_LONGEST = 255, ROOM = 64 << 20, ROUNDS = 40000, HEADS = 40 };

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

static const char *const names[] = { "alert-1", "feed-x", "local", "a-source-with-a-name-of-some-length", "z" };

static uint64_t seed = 88172645463325252;

static uint64_t
chance(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

/* ---- what is written ---- */

/* The rules of a segment, each with its source, and where each source begins; the same of rows, once it is written: rules that say
 * nothing of their own may share one. */
struct table {
	struct rule	*rules;
	size_t		 n, n_sources;
	size_t		 first[COUNT(names) + 1];
	uint32_t	*refs;
	uint32_t	 n_rows, first_row[COUNT(names) + 1];
};

/* What lives as long as the program. */
static void **things;
static size_t n_things;

static void *
keep(void *p)
{
	if (p == NULL || (things = realloc(things, (n_things + 1) * sizeof(*things))) == NULL)
		abort();
	return things[n_things++] = p;
}

static struct slice
text_of(size_t len)
{
	char *p = keep(malloc(len + 1));

	for (size_t i = 0; i < len; i++)
		p[i] = (char)('a' + chance(26));
	return slice_make(p, len);
}

/* Mostly what many rules have in common. */
static struct rule
make_head(void)
{
	struct rule r = { .action = (enum rule_action)chance(3), .level = (uint8_t)chance(6), .local = chance(2), .files = chance(2) };

	r.rev = chance(4) == 0 ? UINT32_MAX : 1 + (uint32_t)chance(9);
	r.published = chance(2) == 0 ? 0 : (int64_t)chance(INT64_C(253402300799));
	r.expires = chance(3) == 0 ? 0 : chance(9) == 0 ? INT64_MAX : (int64_t)chance(INT64_C(253402300799));
	r.alert = text_of(chance(2) * chance(65));
	r.container = text_of(chance(2) * chance(65));
	r.note = text_of(chance(2) * (chance(20) == 0 ? LINE_MAX_TEXT : chance(100)));
	return r;
}

/* A name that may have much in common with the one BEFORE, also all of it. */
static struct slice
make_name(struct slice before)
{
	static const size_t lengths[] = { 1, 12, 127, 128, 200, RULE_NAME_MAX - 1, RULE_NAME_MAX };
	size_t len = lengths[chance(COUNT(lengths))];
	struct slice name = text_of(len);
	size_t shared = before.len < len ? before.len : len;

	if (chance(3) > 0 && shared > 0)
		memcpy((char *)(uintptr_t)name.p, before.p, chance(3) == 0 ? shared : chance(shared + 1));
	return name;
}

static uint32_t
make_line(uint32_t before)
{
	switch (chance(8)) {
	case 0:
		return 0;
	case 1:
		return UINT32_MAX - (uint32_t)chance(3);
	case 2:
		return 1 + (uint32_t)chance(5);
	case 3:
		return 1 + (uint32_t)chance(UINT32_MAX);
	case 4:
		return before;
	default:
		return before + 1;
	}
}

static struct table
make_table(size_t n, size_t n_sources)
{
	struct table t = { .rules = keep(calloc(n, sizeof(*t.rules))),
		.refs = keep(calloc(n, sizeof(*t.refs))), .n = n, .n_sources = n_sources };
	struct rule heads[HEADS];
	struct slice name = { 0 };
	uint32_t line = 0;

	for (size_t i = 0; i < COUNT(heads); i++)
		heads[i] = make_head();
	for (size_t i = 1; i < n_sources; i++)
		t.first[i] = i == 2 ? t.first[1] : t.first[i - 1] + chance(2 * n / n_sources);	/* the second has no rule */
	t.first[n_sources] = n;
	for (size_t i = 0, s = 0; i < n; i++) {
		struct rule *r = &t.rules[i];

		while (s + 1 < n_sources && i >= t.first[s + 1])
			s++;
		*r = i > 0 && chance(3) > 0 ? r[-1] : heads[chance(COUNT(heads))];
		r->source = slice_str(names[s]);
		r->line = make_line(line);
		line = r->line != 0 ? r->line : line;
		r->label = chance(4) > 0 ? (struct slice){ 0 } : text_of(chance(9) == 0 ? LABEL_LONGEST : 1 + chance(RULE_LABEL_MAX));
		r->name = chance(2) == 0 ? (struct slice){ 0 } : make_name(name);
		name = r->name.len > 0 ? r->name : name;
	}
	return t;
}

static bool
is_same(const struct rule *a, const struct rule *b, bool named)
{
	return a->action == b->action && a->level == b->level && a->local == b->local && a->files == b->files && a->rev == b->rev &&
	    a->published == b->published && a->expires == b->expires && a->line == b->line && slice_eq(a->label, b->label) &&
	    slice_eq(a->source, b->source) && slice_eq(a->alert, b->alert) && slice_eq(a->container, b->container) &&
	    slice_eq(a->note, b->note) && (named ? slice_eq(a->name, b->name) : b->name.len == 0) && b->id.len == 0 && b->value.len == 0;
}

/* Rule I got row REF: the next one, or that of a rule of its source that says the same. */
static bool
is_reference(const struct table *t, size_t i, uint32_t ref)
{
	const struct rule *r = &t->rules[i];

	if (ref == t->n_rows)
		return true;
	for (size_t k = 0; k < i; k++)
		if (t->refs[k] == ref)
			return r->line == 0 && r->label.len == 0 && r->name.len == 0 && is_same(&t->rules[k], r, true);
	return false;
}

/* T as a segment at PATH. */
static void
write_table(struct table *t, const char *path)
{
	struct diag diag = { 0 };
	struct rows_builder *b = rows_builder_new(path, &diag);
	uint8_t sum[SEGMENT_SHA256];
	unsigned bad = 0;
	uint64_t len;

	if (b == NULL)
		abort();
	t->n_rows = 0;
	for (size_t s = 0; s < t->n_sources; s++) {
		t->first_row[s] = t->n_rows;
		bad += rows_builder_source(b, slice_str(names[s])) == -1;
		rows_builder_count(b, COUNT_HOSTS, s + 1);
		rows_builder_count(b, COUNT_HOSTS, 1);
		for (size_t i = t->first[s]; i < t->first[s + 1]; i++) {
			bad += rows_builder_add(b, &t->rules[i], &t->refs[i]) == -1 || !is_reference(t, i, t->refs[i]);
			t->n_rows += t->refs[i] == t->n_rows;
		}
	}
	t->first_row[t->n_sources] = t->n_rows;
	bad += rows_builder_rows(b) != t->n_rows || rows_builder_sources(b) != t->n_sources ||
	    !slice_eq(rows_builder_get_source(b, 0).name, slice_str(names[0]));
	bad += rows_builder_write(b, &len, sum) == -1 || diag.n > 0;
	ok(bad == 0, "%zu rules of %zu sources: written in %u rows: %s", t->n, t->n_sources, t->n_rows, diag_first_error(&diag));
	rows_builder_free(b);
	diag_fini(&diag);
}

/* ---- and read ---- */

static void
is_table(const struct rows *r, const struct table *t)
{
	char name[RULE_NAME_MAX];
	size_t wrong = 0, sources = 0;
	struct rule rule;

	for (size_t i = 0; i < 2 * t->n; i++) {
		size_t k = i < t->n ? i : chance(t->n), source = rows_source_of(r, t->refs[k]);

		wrong += rows_get(r, t->refs[k], name, &rule) == -1 || !is_same(&t->rules[k], &rule, true);
		wrong += rows_get(r, t->refs[k], NULL, &rule) == -1 || !is_same(&t->rules[k], &rule, false);
		sources += source < t->n_sources && slice_eq(rows_source(r, source).name, t->rules[k].source);
	}
	is_int((long long)wrong, 0, "every row says what was written, with and without its name");
	is_int((long long)sources, 2 * (long long)t->n, "and is of the source that it was written for");
}

static void
is_bounded(const struct rows *r, const struct table *t)
{
	static const uint32_t beyond[] = { 0, 1, ROWS_PER_BLOCK, UINT32_MAX };
	char name[RULE_NAME_MAX];
	struct rule rule;

	is_int(rows_count(r), t->n_rows, "rows");
	is_int((long long)rows_sources(r), (long long)t->n_sources, "sources");
	for (size_t i = 0; i < COUNT(beyond); i++) {
		uint32_t ref = i + 1 < COUNT(beyond) ? t->n_rows + beyond[i] : beyond[i];

		ok(rows_get(r, ref, name, &rule) == -1 && rows_source_of(r, ref) == t->n_sources, "no row %u", ref);
	}
	for (size_t s = 0; s < t->n_sources; s++) {
		struct row_source source = rows_source(r, s);

		ok(slice_eq(source.name, slice_str(names[s])) && source.first == t->first_row[s] &&
		    source.n == t->first_row[s + 1] - t->first_row[s] && row_source_rules(&source) == s + 2 && source.counts[COUNT_HOSTS] == s + 2 &&
		    source.counts[COUNT_URLS] == 0, "source %s", names[s]);
	}
}

static struct segment *
open_segment(const char *path)
{
	struct segment *s = segment_open(path, SEGMENT_RULES, NULL, NULL);

	if (s == NULL)
		abort();
	return s;
}

static size_t
different_heads(const struct table *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct rule a = t->rules[i];
		bool seen = false;

		a.line = 0;
		a.label = a.source = (struct slice){ 0 };
		for (size_t k = 0; k < i && !seen; k++) {
			struct rule b = t->rules[k];

			b.line = 0;
			b.label = b.source = b.name = (struct slice){ 0 };
			seen = is_same(&a, &b, false);
		}
		n += !seen;
	}
	return n;
}

static void
test_many(const char *dir)
{
	struct table t = make_table(MANY, COUNT(names));
	char *path = malloc(4096), *again = malloc(4096);
	struct diag diag = { 0 };
	uint8_t one[SEGMENT_SHA256], two[SEGMENT_SHA256];
	struct segment *s;
	struct rows *r;

	snprintf(path, 4096, "%s/many.seg", dir);
	snprintf(again, 4096, "%s/again.seg", dir);
	write_table(&t, path);
	write_table(&t, again);
	ok(segment_sha256(path, one) == 0 && segment_sha256(again, two) == 0 && memcmp(one, two, sizeof(one)) == 0,
	    "the same rows make the same bytes");
	s = open_segment(path);
	r = rows_open(s, &diag);
	if (ok(r != NULL, "opens: %s", diag_first_error(&diag))) {
		is_bounded(r, &t);
		is_table(r, &t);
	}
	is_int((long long)(segment_section(s, ROWS_HEADS).len / sizeof(struct row_head)), (long long)different_heads(&t),
	    "what rows have in common is there once");
	rows_close(r);
	segment_close(s);
	diag_fini(&diag);
	free(path);
	free(again);
}

/* ---- borders ---- */

/* No source; sources without rows; what does not fit. */
static void
test_borders(const char *dir)
{
	char path[4096], longest[RULE_NAME_MAX + 1] = { 0 };
	struct rule rule = { .rev = 1 };
	uint8_t sum[SEGMENT_SHA256];
	struct rows_builder *b;
	struct segment *s;
	struct rows *r;
	uint32_t ref;
	uint64_t len;

	snprintf(path, sizeof(path), "%s/none.seg", dir);
	b = rows_builder_new(path, NULL);
	ok(b != NULL && rows_builder_write(b, &len, sum) == 0, "no source: written");
	rows_builder_free(b);
	s = open_segment(path);
	r = rows_open(s, NULL);
	ok(r != NULL && rows_count(r) == 0 && rows_sources(r) == 0 && rows_get(r, 0, NULL, &rule) == -1 &&
	    rows_source_of(r, 0) == 0, "no source: no rows");
	rows_close(r);
	segment_close(s);
	b = rows_builder_new(path, NULL);
	rows_builder_source(b, SLICE("a"));
	rows_builder_source(b, SLICE("b"));
	rule = (struct rule){ .rev = 1, .name = slice_make(longest, sizeof(longest)) };
	errno = 0;
	ok(rows_builder_add(b, &rule, &ref) == -1 && errno == EFBIG, "a name that is too long");
	rule = (struct rule){ .rev = 1, .label = slice_make(longest, LABEL_LONGEST + 1) };
	errno = 0;
	ok(rows_builder_add(b, &rule, &ref) == -1 && errno == EFBIG, "a label that is too long");
	rule = (struct rule){ .rev = 1 };
	ok(rows_builder_add(b, &rule, &ref) == 0 && ref == 0, "and they left no row");
	rows_builder_source(b, SLICE("c"));
	ok(rows_builder_write(b, &len, sum) == 0, "sources without rows: written");
	rows_builder_free(b);
	s = open_segment(path);
	r = rows_open(s, NULL);
	ok(r != NULL && rows_count(r) == 1 && rows_sources(r) == 3 && rows_source_of(r, 0) == 1 && rows_source_of(r, 1) == 3,
	    "sources without rows: the one row is of the second");
	rows_close(r);
	segment_close(s);
	rows_builder_free(NULL);
	rows_close(NULL);
}

/* What a feed has nothing to say about is one row, however often; in another source it is another one. */
static void
test_shared(const char *dir)
{
	struct rule plain = { .rev = 1, .level = 4 }, noted = { .rev = 1, .level = 4, .note = SLICE("n") }, named = plain;
	char path[4096];
	uint8_t sum[SEGMENT_SHA256];
	unsigned wrong = 0;
	struct rows_builder *b;
	uint32_t ref;
	uint64_t len;

	named.name = SLICE("x");
	snprintf(path, sizeof(path), "%s/shared.seg", dir);
	b = rows_builder_new(path, NULL);
	rows_builder_source(b, SLICE("a"));
	for (int i = 0; i < 1000; i++) {
		wrong += rows_builder_add(b, &plain, &ref) == -1 || ref != 0;
		wrong += rows_builder_add(b, &noted, &ref) == -1 || ref != 1;
	}
	wrong += rows_builder_add(b, &named, &ref) == -1 || ref != 2;
	wrong += rows_builder_add(b, &named, &ref) == -1 || ref != 3;
	rows_builder_source(b, SLICE("b"));
	wrong += rows_builder_add(b, &plain, &ref) == -1 || ref != 4;
	wrong += rows_builder_add(b, &plain, &ref) == -1 || ref != 4;
	ok(wrong == 0 && rows_builder_rows(b) == 5 && rows_builder_write(b, &len, sum) == 0, "2,004 rules share 5 rows");
	rows_builder_free(b);
}

/* A builder that is given up leaves nothing. */
static void
test_given_up(const char *dir)
{
	char path[4096];
	struct rule rule = { .rev = 1 };
	struct diag diag = { 0 };
	struct rows_builder *b;
	uint32_t ref;

	snprintf(path, sizeof(path), "%s/up/r.seg", dir);
	ok(rows_builder_new(path, &diag) == NULL && diag.n_errors == 1, "no folder");
	diag_fini(&diag);
	snprintf(path, sizeof(path), "%s/up.seg", dir);
	b = rows_builder_new(path, &diag);
	rows_builder_source(b, SLICE("a"));
	for (int i = 0; i < 2 * ROWS_PER_BLOCK; i++)
		rows_builder_add(b, &rule, &ref);
	rows_builder_free(b);
	ok(access(path, F_OK) == -1 && diag.n == 0, "given up");
}

/* ---- damage ---- */

static char *
read_all(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *p = malloc(ROOM);

	if (f == NULL || p == NULL)
		abort();
	*len = fread(p, 1, ROOM, f);
	fclose(f);
	if ((p = realloc(p, *len)) == NULL)
		abort();
	return p;
}

/* What of the damaged segment P of LEN still says something: *LOST rows do not; those that say something else are the result. */
static size_t
wrong_rows(const char *p, size_t len, const struct table *t, bool *opened, size_t *lost)
{
	struct segment *s = segment_open_bytes("x", p, len, SEGMENT_RULES, NULL);
	struct rows *r = s == NULL ? NULL : rows_open(s, NULL);
	char name[RULE_NAME_MAX];
	struct rule rule;
	size_t wrong = 0;

	*opened = r != NULL;
	*lost = 0;
	if (r != NULL)
		wrong += rows_count(r) != t->n_rows || rows_sources(r) != t->n_sources;
	for (size_t i = 0; r != NULL && i < t->n; i++) {
		if (rows_get(r, t->refs[i], name, &rule) == -1)
			++*lost;
		else
			wrong += !is_same(&t->rules[i], &rule, true);
		if (rows_get(r, t->refs[i], NULL, &rule) == 0)
			wrong += !is_same(&t->rules[i], &rule, false);
	}
	rows_close(r);
	segment_close(s);
	return wrong;
}

static void
test_bits(const char *dir)
{
	struct table t = make_table(SMALL, 3);
	size_t len, wrong = 0, opened = 0, losing = 0, worst = 0, lost;
	char path[4096], *p;
	bool opens;

	for (size_t i = 0; i < t.n; i++) {	/* else there were too many bits */
		t.rules[i].note = slice_head(t.rules[i].note, 5);
		t.rules[i].name = slice_head(t.rules[i].name, 12);
		t.rules[i].label = slice_head(t.rules[i].label, 3);
	}
	snprintf(path, sizeof(path), "%s/small.seg", dir);
	write_table(&t, path);
	p = read_all(path, &len);
	ok(wrong_rows(p, len, &t, &opens, &lost) == 0 && opens && lost == 0, "undamaged: all of %zu rows", t.n);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		p[bit / 8] ^= (char)(1 << bit % 8);
		wrong += wrong_rows(p, len, &t, &opens, &lost);
		opened += opens;
		losing += lost > 0;
		worst = lost > worst ? lost : worst;
		p[bit / 8] ^= (char)(1 << bit % 8);
	}
	is_int((long long)wrong, 0, "no bit makes a row say something else");
	ok(opened > 4 * len && losing > opened / 2, "of %zu bits turned %zu open, %zu lose a row, at most %zu rows", 8 * len, opened,
	    losing, worst);
	free(p);
}

/* Blocks of nonsense with the right sum: whoever made them can say anything, and no more. */
static void
test_nonsense(const char *dir)
{
	struct table t = make_table(SMALL, 3);
	char path[4096], *p, name[RULE_NAME_MAX];
	size_t len, read = 0, bad = 0;
	struct slice rows, blocks;
	struct segment *s;
	struct rule rule;
	struct rows *r;

	snprintf(path, sizeof(path), "%s/small.seg", dir);
	write_table(&t, path);
	p = read_all(path, &len);
	s = segment_open_bytes("x", p, len, SEGMENT_RULES, NULL);
	r = rows_open(s, NULL);
	rows = segment_section(s, ROWS_ROWS);
	blocks = segment_section(s, ROWS_BLOCKS);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct row_block *b = (struct row_block *)(uintptr_t)blocks.p;
		size_t end = blocks.len > sizeof(*b) ? b[1].at : rows.len;

		((char *)(uintptr_t)rows.p)[chance(end < 64 ? end : 64)] = (char)chance(256);
		b->sum = sum32(slice_head(rows, end));
		for (uint32_t ref = 0; ref < ROWS_PER_BLOCK; ref++) {
			int result = rows_get(r, ref, name, &rule);

			read += result == 0;
			bad += result == 0 && (rule.name.len > RULE_NAME_MAX || rule.level > RULE_LEVEL_MAX || rule.action > RULE_PROTECT);
		}
	}
	ok(bad == 0 && read > 0, "%u times nonsense: %zu rows were read, all within bounds", (unsigned)ROUNDS, read);
	rows_close(r);
	segment_close(s);
	free(p);
}

int
main(void)
{
	char *dir = temp_dir();

	test_many(dir);
	test_borders(dir);
	test_shared(dir);
	test_given_up(dir);
	test_bits(dir);
	test_nonsense(dir);
	for (size_t i = 0; i < n_things; i++)
		free(things[i]);
	free(things);
	free(dir);
	return tap_done();
}
