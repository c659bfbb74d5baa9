/* Listed digests: what is found, which sizes and algorithms count, against a plain search, and in damaged files. */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/file.h"
#include "base/sorter.h"
#include "hashdb/hashdb.h"
#include "hashdb/hashdb_format.h"
#include "t/tap.h"

enum { MATCHES_MAX = 32 };

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

#define ZEROS	"00000000000000000000000000000000"
#define ONES	"ffffffffffffffffffffffffffffffff"
#define PATCH	"0123456789abcdef0123456789abcdef"
#define NEXT	"0123456789abcdef0123456789abcdf0"

struct record {
	enum digest_alg	 alg;
	const char	*hex;
	uint64_t	 size;
	uint32_t	 ref;
};

static char *folder;

static struct digest
digest_of(enum digest_alg alg, const char *hex)
{
	struct digest d;

	if (digest_parse(alg, slice_str(hex), &d) == -1)
		abort();
	return d;
}

static struct hashdb_builder *
new_builder(void)
{
	struct hashdb_builder *b = hashdb_builder_new(0, folder);

	if (b == NULL)
		abort();
	return b;
}

/* The bytes of the segment that B writes; the caller frees them. */
static struct slice
image_of(struct hashdb_builder *b)
{
	uint8_t sum[SEGMENT_SHA256];
	char *path = file_join(folder, "x.seg");
	struct buf image;
	uint64_t len;

	buf_init(&image, SIZE_MAX / 2);
	if (hashdb_builder_write(b, path, &len, sum, NULL) == -1 || file_read(path, &image) == -1 || image.len != len)
		abort();
	unlink(path);
	free(path);
	hashdb_builder_free(b);
	return buf_slice(&image);
}

static void
free_image(struct slice image)
{
	free((char *)(uintptr_t)image.p);
}

static struct hashdb *
db_of(struct slice image, struct segment **segment)
{
	struct hashdb *db;

	*segment = segment_open_bytes("test", image.p, image.len, SEGMENT_DIGESTS, NULL);
	db = *segment == NULL ? NULL : hashdb_open(*segment, NULL);
	if (db == NULL) {
		segment_close(*segment);
		*segment = NULL;
	}
	return db;
}

static void
close_db(struct hashdb *db, struct segment *segment)
{
	hashdb_close(db);
	segment_close(segment);
}

/* ---- what is found ---- */

static const struct record records[] = {
	{ DIGEST_MD5, PATCH, 90112, 1 },
	{ DIGEST_MD5, PATCH, 100352, 2 },
	{ DIGEST_MD5, PATCH, 90112, 3 },
	{ DIGEST_MD5, PATCH, 90112, 3 },
	{ DIGEST_MD5, NEXT, 105984, 4 },
	{ DIGEST_MD5, ZEROS, 1, 5 },
	{ DIGEST_MD5, ONES, HASHDB_SIZE_MAX, 6 },
	{ DIGEST_SHA1, PATCH "01234567", HASHDB_SIZE_ANY, 7 },
	{ DIGEST_SHA1, PATCH "01234567", 90112, 8 },
	{ DIGEST_SHA256, PATCH PATCH, 7, UINT32_MAX },
};
enum { RECORDS = sizeof(records) / sizeof(*records), REPEATED = 1 };

static const struct row {
	const char	*name;
	enum digest_alg	 alg;
	const char	*hex;
	uint64_t	 size;
	const char	*refs;		/* "*" behind one that is for any size */
} rows[] = {
	{ "digest and size, two rules, one of them said twice", DIGEST_MD5, PATCH, 90112, "1 3" },
	{ "another size of that digest", DIGEST_MD5, PATCH, 100352, "2" },
	{ "one byte more", DIGEST_MD5, PATCH, 90113, "" },
	{ "one byte less", DIGEST_MD5, PATCH, 90111, "" },
	{ "the size of another digest", DIGEST_MD5, PATCH, 105984, "" },
	{ "the next digest", DIGEST_MD5, NEXT, 105984, "4" },
	{ "no size is not any size", DIGEST_MD5, PATCH, 0, "" },
	{ "the smallest digest", DIGEST_MD5, ZEROS, 1, "5" },
	{ "the largest digest and size", DIGEST_MD5, ONES, HASHDB_SIZE_MAX, "6" },
	{ "a size beyond what can be listed", DIGEST_MD5, ONES, UINT64_MAX, "" },
	{ "a size that is equal in its low 40 bits", DIGEST_MD5, ZEROS, (UINT64_C(1) << 40) + 1,
	    "" },
	{ "a digest not listed", DIGEST_MD5, "0123456789abcdef0123456789abcdee", 90112, "" },
	{ "any size, and this one", DIGEST_SHA1, PATCH "01234567", 90112, "7* 8" },
	{ "any size", DIGEST_SHA1, PATCH "01234567", 12345, "7*" },
	{ "any size, of nothing", DIGEST_SHA1, PATCH "01234567", 0, "7*" },
	{ "a longer digest that begins like a listed one", DIGEST_SHA256, PATCH ONES, 90112, "" },
	{ "the largest reference", DIGEST_SHA256, PATCH PATCH, 7, "4294967295" },
};

static struct hashdb_builder *
builder_with(size_t n)
{
	struct hashdb_builder *b = new_builder();

	for (size_t i = 0; i < n; i++) {
		struct digest d = digest_of(records[i].alg, records[i].hex);

		if (hashdb_builder_add(b, &d, records[i].size, records[i].ref) == -1)
			abort();
	}
	return b;
}

static int
compare_matches(const void *a, const void *b)
{
	const struct hashdb_match *x = a, *y = b;

	return x->ref < y->ref ? -1 : x->ref > y->ref;
}

static void
test_rows(const struct hashdb *db)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct digest d = digest_of(rows[i].alg, rows[i].hex);
		struct hashdb_match m[MATCHES_MAX];
		size_t n = hashdb_find(db, &d, rows[i].size, m, MATCHES_MAX, NULL);
		struct buf text;

		ok(n == 0 || hashdb_may_have(db, &d), "%s: may be there", rows[i].name);
		buf_init(&text, 4096);
		buf_add_str(&text, "");
		qsort(m, n, sizeof(*m), compare_matches);
		for (size_t j = 0; j < n; j++)
			buf_addf(&text, "%s%u%s", j > 0 ? " " : "", m[j].ref, m[j].size == HASHDB_SIZE_ANY ? "*" :
			    m[j].size == rows[i].size ? "" : "?");
		is_slice(buf_slice(&text), slice_str(rows[i].refs), rows[i].name);
		buf_fini(&text);
	}
}

static void
test_facts(const struct hashdb *db)
{
	struct digest d = digest_of(DIGEST_MD5, PATCH);
	struct hashdb_match m[] = { { .ref = 99 }, { .ref = 99 } };

	is_int(hashdb_algs(db),
	    DIGEST_BIT(DIGEST_MD5) | DIGEST_BIT(DIGEST_SHA1) | DIGEST_BIT(DIGEST_SHA256),
	    "algorithms that some rule needs");
	is_int(hashdb_sizeless_algs(db), DIGEST_BIT(DIGEST_SHA1),
	    "algorithms that a rule without size needs");
	is_int((long long)hashdb_count(db, DIGEST_MD5), 6, "MD5 records, each once");
	is_int((long long)hashdb_count(db, DIGEST_SHA1), 2, "SHA-1 records");
	is_int((long long)hashdb_min_size(db), 1, "the smallest size");
	is_int((long long)hashdb_max_size(db), (long long)HASHDB_SIZE_MAX, "the largest size");
	for (size_t i = 0; i < RECORDS; i++)
		if (records[i].size != HASHDB_SIZE_ANY)
			ok(hashdb_has_size(db, records[i].size) &&
				!hashdb_has_size(db, records[i].size + 1),
			    "size %llu is listed, one more is not",
			    (unsigned long long)records[i].size);
	ok(!hashdb_has_size(db, 0) && !hashdb_has_size(db, UINT64_MAX), "\"any\" is no size");
	ok(hashdb_find(db, &d, 90112, m, 1, NULL) == 2 && m[0].ref != 99 && m[1].ref == 99,
	    "the result counts past what is stored");
	ok(hashdb_find(db, &d, 90112, NULL, 0, NULL) == 2, "asked only how many");
}

/* Records that were shown, in their order. */
struct shown {
	struct digest	 last;
	size_t		 n, of[RECORDS], stop_at;	/* OF: how often each of RECORDS; STOP_AT: 0 for never */
	bool		 strange, unsorted;
};

static int
visit(void *arg, const struct digest *digest, const struct hashdb_match *m)
{
	struct shown *s = arg;
	bool listed = false;

	for (size_t i = 0; i < RECORDS; i++) {
		struct digest d = digest_of(records[i].alg, records[i].hex);

		if (digest_eq(&d, digest) && records[i].size == m->size && records[i].ref == m->ref) {
			s->of[i]++;
			listed = true;
		}
	}
	s->strange = s->strange || !listed;
	s->unsorted = s->unsorted || (s->n > 0 && (s->last.alg > digest->alg ||
	    (s->last.alg == digest->alg && memcmp(s->last.b, digest->b, sizeof(digest->b)) > 0)));
	s->last = *digest;
	return ++s->n == s->stop_at ? -3 : 0;
}

static void
test_each(const struct hashdb *db)
{
	struct shown all = { .n = 0 }, some = { .stop_at = 2 };
	bool damaged = false, once = true;

	is_int(hashdb_each(db, visit, &all, &damaged), 0, "shown to the end");
	for (size_t i = 0; i < RECORDS; i++)
		once = once && all.of[i] == 1;
	ok(once && !all.strange && all.n == RECORDS - REPEATED && !damaged, "every record is shown, each once, as it was added");
	ok(!all.unsorted, "in order");
	ok(hashdb_each(db, visit, &some, &damaged) == -3 && some.n == 2, "a visitor that stops is the result");
}

/* ---- the writer ---- */

static void
test_order(struct slice image)
{
	struct hashdb_builder *b = new_builder();
	struct slice other;

	for (size_t i = RECORDS; i-- > 0; ) {
		struct digest d = digest_of(records[i].alg, records[i].hex);

		hashdb_builder_add(b, &d, records[i].size, records[i].ref);
	}
	other = image_of(b);
	ok(slice_eq(image, other), "the file does not depend on the order of adding");
	free_image(other);
	other = image_of(builder_with(RECORDS - 1));
	ok(!slice_eq(image, other), "other records, other file");
	free_image(other);
}

static void
test_limits(void)
{
	struct hashdb_builder *b = new_builder();
	struct digest d = digest_of(DIGEST_MD5, PATCH);
	uint8_t sum[SEGMENT_SHA256];
	struct diag diag = { 0 };
	uint64_t len;

	errno = 0;
	ok(hashdb_builder_add(b, &d, HASHDB_SIZE_MAX + 1, 1) == -1 && errno == ERANGE, "a size too large");
	ok(hashdb_builder_count(b) == 0, "does not count");
	ok(hashdb_builder_write(b, "/nonexistent/x.seg", &len, sum, &diag) == -1 &&
		diag.n_errors == 1,
	    "a folder that is not there");
	diag_fini(&diag);
	hashdb_builder_free(b);
	hashdb_builder_free(NULL);
	hashdb_close(NULL);
}

/* Whoever floods one digest gets no further than this, and what was there first stays. */
static void
test_crowded(void)
{
	struct hashdb_builder *b = new_builder();
	struct digest d = digest_of(DIGEST_MD5, PATCH), other = digest_of(DIGEST_SHA256, PATCH PATCH);
	char *path = file_join(folder, "crowded.seg");
	struct hashdb_match m[HASHDB_RULES_PER_KEY + 10];
	uint32_t highest = 0;
	uint8_t sum[SEGMENT_SHA256];
	struct diag diag = { 0 };
	struct segment *segment = NULL;
	struct hashdb *db = NULL;
	uint64_t len;
	size_t n;

	for (uint32_t i = 0; i < HASHDB_RULES_PER_KEY + 300; i++)	/* their bytes in another order than the numbers */
		if (hashdb_builder_add(b, &d, 5, HASHDB_RULES_PER_KEY + 299 - i) == -1)
			abort();
	hashdb_builder_add(b, &d, 6, 7);
	hashdb_builder_add(b, &other, 5, 8);
	ok(hashdb_builder_write(b, path, &len, sum, &diag) == 0 && diag.n_warnings == 1 &&
	    strstr(diag.v[0].text, "1 digest has more than 1024 rules") != NULL, "one digest is crowded: a warning");
	segment = segment_open(path, SEGMENT_DIGESTS, NULL, NULL);
	db = segment == NULL ? NULL : hashdb_open(segment, NULL);
	n = db == NULL ? 0 : hashdb_find(db, &d, 5, m, COUNT(m), NULL);
	for (size_t i = 0; i < n && i < COUNT(m); i++)
		highest = m[i].ref > highest ? m[i].ref : highest;
	ok(n == HASHDB_RULES_PER_KEY && highest == HASHDB_RULES_PER_KEY - 1, "the lowest references stay: %zu up to %u", n, highest);
	ok(db != NULL && hashdb_find(db, &d, 6, m, COUNT(m), NULL) == 1 && hashdb_find(db, &other, 5, m, COUNT(m), NULL) == 1,
	    "another size and another digest are as they were");
	close_db(db, segment);
	unlink(path);
	free(path);
	diag_fini(&diag);
	hashdb_builder_free(b);
}

static void
test_empty(void)
{
	struct slice image = image_of(new_builder());
	struct digest d = digest_of(DIGEST_SHA1, PATCH "01234567");
	struct segment *segment;
	struct hashdb *db = db_of(image, &segment);

	ok(db != NULL && hashdb_algs(db) == 0 && hashdb_sizeless_algs(db) == 0 &&
		hashdb_max_size(db) == 0 && hashdb_min_size(db) == 0 && !hashdb_has_size(db, 0) &&
		hashdb_find(db, &d, 0, NULL, 0, NULL) == 0,
	    "a file without a record");
	close_db(db, segment);
	free_image(image);
}

/* ---- against a plain search ---- */

enum { MANY = 8000, QUESTIONS = 1500, SIZES = 50 };

static uint64_t
next_number(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

struct plain {
	struct digest	digest;
	uint64_t	size;
};

/* Of any algorithm; with TOGETHER half are chosen by a stranger: they fall into one bucket. */
static void
random_digest(uint64_t *state, struct digest *d, bool together)
{
	*d = (struct digest){ .alg = (enum digest_alg)(next_number(state) % DIGEST_ALGS) };
	for (size_t i = 0; i < digest_len(d->alg); i++)
		d->b[i] = (uint8_t)next_number(state);
	if (together && next_number(state) % 2 == 0)
		memset(d->b, 0xab, 4);
}

static bool
answer_holds(const struct hashdb *db, const struct plain *all, const struct plain *asked)
{
	struct hashdb_match m[MATCHES_MAX];
	size_t n = hashdb_find(db, &asked->digest, asked->size, m, MATCHES_MAX, NULL), expected = 0;

	for (size_t i = 0; i < MANY; i++)
		expected += digest_eq(&all[i].digest, &asked->digest) &&
		    (all[i].size == HASHDB_SIZE_ANY || all[i].size == asked->size);
	if (n != expected || n > MATCHES_MAX || (n > 0 && !hashdb_may_have(db, &asked->digest)))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct plain *p = &all[m[i].ref];

		if (m[i].ref >= MANY || !digest_eq(&p->digest, &asked->digest) || m[i].size != p->size)
			return false;
		for (size_t k = 0; k < i; k++)
			if (m[k].ref == m[i].ref)
				return false;
	}
	return true;
}

/* ALL as it was shown: each once. */
struct seen {
	const struct plain	*all;
	uint8_t			 of[MANY];
	size_t			 n, wrong;
};

static int
see(void *arg, const struct digest *digest, const struct hashdb_match *m)
{
	struct seen *s = arg;

	s->n++;
	s->wrong += m->ref >= MANY || s->of[m->ref]++ > 0 || !digest_eq(&s->all[m->ref].digest, digest) || s->all[m->ref].size != m->size;
	return 0;
}

static bool
facts_hold(const struct hashdb *db, const struct plain *all)
{
	uint64_t n[DIGEST_ALGS] = { 0 };
	unsigned algs = 0, sizeless = 0;
	bool sizes[SIZES + 1] = { false }, damaged = false;
	struct seen seen = { .all = all };

	for (size_t i = 0; i < MANY; i++) {
		n[all[i].digest.alg]++;
		algs |= DIGEST_BIT(all[i].digest.alg);
		sizeless |= all[i].size == HASHDB_SIZE_ANY ? DIGEST_BIT(all[i].digest.alg) : 0;
		sizes[all[i].size] = all[i].size != HASHDB_SIZE_ANY;
	}
	for (int alg = 0; alg < DIGEST_ALGS; alg++)
		if (hashdb_count(db, (enum digest_alg)alg) != n[alg])
			return false;
	for (uint64_t size = 0; size <= SIZES; size++)
		if (hashdb_has_size(db, size) != sizes[size])
			return false;
	return hashdb_each(db, see, &seen, &damaged) == 0 && !damaged && seen.n == MANY && seen.wrong == 0 && hashdb_algs(db) == algs &&
	    hashdb_sizeless_algs(db) == sizeless;
}

static int
stop(void *arg, const struct digest *digest, const struct hashdb_match *m)
{
	(void)arg, (void)digest, (void)m;
	return 9;
}

/* A visitor that stops at the first does not hear of the last bucket, which is damaged. */
static void
test_stops(const struct hashdb *db, const struct segment *segment, const struct plain *all)
{
	struct slice md5 = segment_section(segment, HASHDB_RECORDS + DIGEST_MD5);
	char *last = (char *)(uintptr_t)md5.p + md5.len - 1;
	struct seen seen = { .all = all };
	bool damaged = false;

	*last ^= 1;
	ok(hashdb_each(db, stop, NULL, &damaged) == 9 && !damaged, "a visitor that stops is asked no more");
	ok(hashdb_each(db, see, &seen, &damaged) == 0 && damaged && seen.wrong == 0 && seen.n < MANY && seen.n > MANY / 2,
	    "one that goes on sees the other records: %zu", seen.n);
	*last ^= 1;
}

/* COPIES of one record count for how many buckets there are, and so for how much of a digest is left out. */
static void
add_copies(struct hashdb_builder *b, const struct plain *of, unsigned copies)
{
	for (unsigned i = 0; i < copies; i++)
		if (hashdb_builder_add(b, &of->digest, of->size, 0) == -1)
			abort();
}

/* Of digests that are not listed few may be there. */
static bool
is_filtered(const struct hashdb *db, uint64_t *state)
{
	size_t may = 0;

	for (size_t i = 0; i < QUESTIONS; i++) {
		struct digest d;

		random_digest(state, &d, false);
		hashdb_ahead(db, &d);
		may += hashdb_may_have(db, &d);
	}
	return may < QUESTIONS / 50;
}

static void
test_random(bool together, unsigned copies, unsigned dropped, const char *name)
{
	static struct plain all[MANY];
	struct hashdb_builder *b = new_builder();
	uint64_t state = UINT64_C(0x2545f4914f6cdd1d);
	struct segment *segment;
	struct slice image;
	struct hashdb *db;
	size_t wrong = 0, hits = 0;

	for (uint32_t i = 0; i < MANY; i++) {
		random_digest(&state, &all[i].digest, together);
		if (i > 0 && next_number(&state) % 4 == 0)
			all[i].digest = all[i - 1].digest;
		all[i].size = next_number(&state) % SIZES;
		if (hashdb_builder_add(b, &all[i].digest, all[i].size, i) == -1)
			abort();
	}
	add_copies(b, &all[0], copies);
	image = image_of(b);
	db = db_of(image, &segment);
	is_int(hashdb_drop(segment_section(segment, HASHDB_LINES + all[0].digest.alg).len / HASHDB_LINE - 1), dropped,
	    "bytes that records leave out");
	for (size_t i = 0; i < QUESTIONS; i++) {
		struct plain asked = all[next_number(&state) % MANY];

		if (i % 4 == 0)
			asked.digest.b[next_number(&state) % digest_len(asked.digest.alg)] ^= 1;
		if (i % 3 == 0)
			asked.size = next_number(&state) % (SIZES + 1);
		wrong += !answer_holds(db, all, &asked);
		hits += hashdb_find(db, &asked.digest, asked.size, NULL, 0, NULL) > 0;
	}
	ok(wrong == 0 && hits > QUESTIONS / 4 && hits < QUESTIONS,
	    "%d questions to %d records, %s, %zu found: %zu answers differ from a plain search", QUESTIONS, MANY, name, hits, wrong);
	ok(is_filtered(db, &state), "%s: most of what is not listed costs one line", name);
	test_stops(db, segment, all);
	ok(facts_hold(db, all), "%s: what is counted, shown and known of sizes and algorithms", name);
	close_db(db, segment);
	free_image(image);
}

/* ---- more than memory holds ---- */

enum { SPILLED = 250000 };

static struct hashdb_builder *
fill_spilled(size_t memory, bool backwards)
{
	struct hashdb_builder *b = hashdb_builder_new(memory, folder);

	for (uint32_t i = 0; i < SPILLED; i++) {
		uint64_t x = backwards ? SPILLED - 1 - i : i, state = (x / 4 * 3 + 1) * UINT64_C(0x9e3779b97f4a7c15);
		struct digest d;

		random_digest(&state, &d, false);
		if (hashdb_builder_add(b, &d, next_number(&state) >> (24 + next_number(&state) % 40), (uint32_t)x / 2) == -1)
			abort();
	}
	return b;
}

/* Records and sizes are put aside, each on their own. */
static void
test_spilled(void)
{
	static const struct { const char *name; size_t memory; bool backwards; } ways[] = {
		{ "in memory", 256 << 20, false }, { "spilled", SORTER_MEMORY_MIN, false }, { "spilled, backwards", 0, true },
	};
	uint8_t sum[SEGMENT_SHA256], first[SEGMENT_SHA256] = { 0 };
	uint64_t len, first_len = 0;
	char *path = file_join(folder, "spilled.seg");

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct hashdb_builder *b = fill_spilled(ways[i].memory, ways[i].backwards);

		is_int(hashdb_builder_write(b, path, &len, sum, NULL), 0, ways[i].name);
		if (i == 0) {
			memcpy(first, sum, sizeof(first));
			first_len = len;
		}
		ok(len == first_len && memcmp(first, sum, sizeof(sum)) == 0, "%s: the same file of %llu bytes", ways[i].name,
		    (unsigned long long)len);
		hashdb_builder_free(b);
	}
	unlink(path);
	free(path);
}

static void
test_no_room(void)
{
	struct hashdb_builder *b = hashdb_builder_new(0, "/nonexistent");
	char *path = file_join(folder, "full.seg");
	struct digest d = digest_of(DIGEST_MD5, PATCH);
	struct rlimit limit, unlimited;
	uint8_t sum[SEGMENT_SHA256];
	struct diag diag = { 0 };
	uint32_t n = 0;
	uint64_t len;

	errno = 0;
	while (n < SPILLED && hashdb_builder_add(b, &d, 1, n) == 0)
		n++;
	ok(n > 10000 && n < SPILLED && errno == ENOENT, "no folder to put aside: told when memory is full: %u", n);
	hashdb_builder_free(b);
	b = new_builder();
	for (n = 0; n < 50000; n++) {
		memcpy(d.b, &n, sizeof(n));
		hashdb_builder_add(b, &d, 1, n);
	}
	fflush(stdout);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &unlimited);
	limit = unlimited;
	limit.rlim_cur = 1 << 20;
	setrlimit(RLIMIT_FSIZE, &limit);
	ok(hashdb_builder_write(b, path, &len, sum, &diag) == -1 && diag.n_errors == 1 && access(path, F_OK) == -1, "no room");
	setrlimit(RLIMIT_FSIZE, &unlimited);
	hashdb_builder_free(b);
	diag_fini(&diag);
	free(path);
}

/* What was put aside is gone when it is read again: the digests', or the sizes'. */
static void
test_torn(void)
{
	char *path = file_join(folder, "torn.seg");

	for (int which = 0; which < 2; which++) {
		int fd = dup(STDOUT_FILENO);		/* the descriptors that the builder will get */
		struct hashdb_builder *b;
		uint8_t sum[SEGMENT_SHA256];
		struct diag diag = { 0 };
		uint64_t len;

		close(fd);
		b = fill_spilled(0, false);
		if (ftruncate(fd + which, 4096) == -1)
			abort();
		ok(hashdb_builder_write(b, path, &len, sum, &diag) == -1 && diag.n_errors == 1 && access(path, F_OK) == -1 &&
		    strcmp(diag_first_error(&diag), strerror(EIO)) == 0, "what was put aside is cut, %s", which == 0 ? "records" : "sizes");
		diag_fini(&diag);
		hashdb_builder_free(b);
	}
	free(path);
}

/* ---- damage ---- */

/* Ask every row; false when an answer is not one of its references.  *FOUND counts them. */
static bool
only_records(const struct hashdb *db, size_t *found)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct digest d = digest_of(rows[i].alg, rows[i].hex);
		struct hashdb_match m[MATCHES_MAX];
		size_t n = hashdb_find(db, &d, rows[i].size, m, MATCHES_MAX, NULL);

		for (size_t j = 0; j < n && j < MATCHES_MAX; j++) {
			bool listed = false;

			for (size_t k = 0; k < RECORDS; k++)
				listed = listed ||
				    (records[k].ref == m[j].ref && records[k].alg == rows[i].alg &&
					strcmp(records[k].hex, rows[i].hex) == 0 && records[k].size == m[j].size &&
					(records[k].size == HASHDB_SIZE_ANY ||
					    records[k].size == rows[i].size));
			if (!listed)
				return false;
		}
		hashdb_has_size(db, rows[i].size);
		*found += n;
	}
	return (hashdb_sizeless_algs(db) & ~hashdb_algs(db)) == 0;
}

/* No other record is shown, and none is missing without a word. */
static bool
each_is_records(const struct hashdb *db)
{
	struct shown s = { .n = 0 };
	bool damaged = false;

	return hashdb_each(db, visit, &s, &damaged) == 0 && !s.strange && s.n <= RECORDS - REPEATED &&
	    (damaged || s.n == RECORDS - REPEATED);
}

/* Change N bytes of the image at every place by xor with MASK, one place after the other. */
static void
test_damage(struct slice image, size_t n, unsigned mask, const char *name)
{
	size_t whole = 0, invented = 0, shown = 0, refused = 0, lost = 0;
	char *p = (char *)(uintptr_t)image.p;
	struct segment *segment;
	struct hashdb *db = db_of(image, &segment);

	ok(only_records(db, &whole) && whole == 11, "the undamaged file knows its records: %zu",
	    whole);
	close_db(db, segment);
	for (size_t at = 0; at + n <= image.len; at += n) {
		size_t found = 0;

		for (size_t i = 0; i < n; i++)
			p[at + i] ^= (char)mask;
		if ((db = db_of(image, &segment)) == NULL)
			refused++;
		else {
			invented += !only_records(db, &found) || found > whole;
			shown += !each_is_records(db);
			lost += found < whole;
		}
		close_db(db, segment);
		for (size_t i = 0; i < n; i++)
			p[at + i] ^= (char)mask;
	}
	ok(invented == 0, "%s: none makes a rule: %zu do", name, invented);
	ok(shown == 0, "%s: none shows another, or hides one and says nothing: %zu do", name, shown);
	ok(refused > 0 && lost > 0, "%s: some are refused, some lose a rule: %zu, %zu", name,
	    refused, lost);
}

/* One algorithm's sections as they fit each other, but for what the row says. */
enum { INFO = sizeof(struct hashdb_info) };
static const struct {
	const char	*name;
	size_t		 info, sizes, records, lines;
	bool		 fits, damaged;
} sections[] = {
	{ "sections that fit", INFO, 8, 27, 128, true, true },
	{ "no sections", 0, 0, 0, 0, false, false },
	{ "only the head", INFO, 0, 0, 0, false, false },
	{ "no records", INFO, 8, 0, 0, true, false },
	{ "no records, but a line", INFO, 8, 0, 100, true, false },
	{ "a head too short", INFO - 1, 8, 27, 128, false, false },
	{ "a head too long", INFO + 1, 8, 27, 128, false, false },
	{ "half a number of pages", INFO, 4, 27, 128, false, false },
	{ "half a record", INFO, 8, 26, 128, false, false },
	{ "no lines", INFO, 8, 27, 0, false, false },
	{ "one line", INFO, 8, 27, 64, false, false },
	{ "half a line", INFO, 8, 27, 160, false, false },
	{ "two buckets for one record", INFO, 8, 27, 192, true, true },
	{ "so many buckets that records are shorter", INFO, 8, 26, 257 * 64, true, true },
	{ "records as long as if there were fewer", INFO, 8, 27, 257 * 64, false, false },
	{ "more records than the lines say", INFO, 8, 270, 128, true, true },
};

static void
test_sections(void)
{
	static const char ones[257 * 64] = { [0 ... 257 * 64 - 1] = (char)0xff }, zeros[8];
	struct digest d = digest_of(DIGEST_MD5, ONES);

	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
		struct segment_part parts[] = {
			{ HASHDB_INFO, slice_make(ones, sections[i].info) },
			{ HASHDB_SIZES, slice_make(zeros, sections[i].sizes) },
			{ HASHDB_RECORDS + DIGEST_MD5, slice_make(ones, sections[i].records) },
			{ HASHDB_LINES + DIGEST_MD5, slice_make(ones, sections[i].lines) },
		};
		char *path = file_join(folder, "s.seg");
		struct shown shown = { .n = 0 };
		struct segment *segment = NULL;
		uint8_t sum[SEGMENT_SHA256];
		struct diag diag = { 0 };
		struct hashdb *db = NULL;
		bool damaged = false;
		uint64_t len;

		if (segment_write(path, SEGMENT_DIGESTS, parts, 4, &len, sum, &diag) == 0 &&
		    (segment = segment_open(path, SEGMENT_DIGESTS, sum, &diag)) != NULL)
			db = hashdb_open(segment, &diag);
		ok(segment != NULL && (db != NULL) == sections[i].fits && (diag.n_errors == 1) != sections[i].fits, "%s",
		    sections[i].name);
		ok(db == NULL || hashdb_find(db, &d, HASHDB_SIZE_MAX, NULL, 0, NULL) == 0, "%s: asked", sections[i].name);
		ok(db == NULL || (hashdb_each(db, visit, &shown, &damaged) == 0 && shown.n == 0 && damaged == sections[i].damaged),
		    "%s: shown", sections[i].name);
		close_db(db, segment);
		diag_fini(&diag);
		unlink(path);
		free(path);
	}
}

int
main(void)
{
	struct segment *segment;
	struct slice image;
	struct hashdb *db;

	folder = temp_dir();
	image = image_of(builder_with(RECORDS));
	db = db_of(image, &segment);
	test_rows(db);
	test_facts(db);
	test_each(db);
	close_db(db, segment);
	test_order(image);
	test_limits();
	test_crowded();
	test_empty();
	test_random(false, 0, 0, "anywhere");
	test_random(true, 0, 0, "half of them in one bucket");
	test_random(false, (1 << 8) * HASHDB_PER_LINE, 1, "anywhere, a byte left out");
	test_random(true, (1 << 8) * HASHDB_PER_LINE, 1, "half of them in one bucket, a byte left out");
	test_random(true, (1 << 16) * HASHDB_PER_LINE, 2, "two bytes left out");
	test_spilled();
	test_no_room();
	test_torn();
	for (unsigned bit = 0; bit < 8; bit++)
		test_damage(image, 1, 1u << bit, "a flipped bit");
	test_damage(image, 4, 0xff, "a word turned over");
	test_sections();
	free_image(image);
	ok(rmdir(folder) == 0, "nothing is left behind");
	free(folder);
	return tap_done();
}
