/* Listed digests: what is found, which sizes and algorithms count, against a plain search, and in
 * damaged files. */
#include <errno.h>

#include "base/file.h"
#include "hashdb/hashdb.h"
#include "hashdb/hashdb_format.h"
#include "t/tap.h"

enum { REFS_MAX = 32 };

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

/* The bytes of the segment that B writes; the caller frees them. */
static struct slice
image_of(struct hashdb_builder *b)
{
	uint8_t sum[SEGMENT_SHA256];
	char *path = file_join(folder, "x.seg");
	struct buf image;
	uint64_t len;

	buf_init(&image, SIZE_MAX / 2);
	if (b == NULL || hashdb_builder_write(b, path, &len, sum, NULL) == -1 ||
	    file_read(path, &image) == -1 || image.len != len)
		abort();
	unlink(path);
	free(path);
	hashdb_builder_free(b);
	return buf_slice(&image);
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
enum { RECORDS = sizeof(records) / sizeof(*records) };

static const struct row {
	const char	*name;
	enum digest_alg	 alg;
	const char	*hex;
	uint64_t	 size;
	const char	*refs;
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
	{ "any size, and this one", DIGEST_SHA1, PATCH "01234567", 90112, "7 8" },
	{ "any size", DIGEST_SHA1, PATCH "01234567", 12345, "7" },
	{ "any size, of nothing", DIGEST_SHA1, PATCH "01234567", 0, "7" },
	{ "a longer digest that begins like a listed one", DIGEST_SHA256, PATCH ONES, 90112, "" },
	{ "the largest reference", DIGEST_SHA256, PATCH PATCH, 7, "4294967295" },
};

static struct hashdb_builder *
builder_with(size_t n)
{
	struct hashdb_builder *b = hashdb_builder_new();

	for (size_t i = 0; b != NULL && i < n; i++) {
		struct digest d = digest_of(records[i].alg, records[i].hex);

		if (hashdb_builder_add(b, &d, records[i].size, records[i].ref) == -1)
			abort();
	}
	return b;
}

static int
compare_refs(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void
test_rows(const struct hashdb *db)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct digest d = digest_of(rows[i].alg, rows[i].hex);
		uint32_t refs[REFS_MAX];
		size_t n = hashdb_find(db, &d, rows[i].size, refs, REFS_MAX);
		struct buf text;

		buf_init(&text, 4096);
		buf_add_str(&text, "");
		qsort(refs, n, sizeof(*refs), compare_refs);
		for (size_t j = 0; j < n; j++)
			buf_addf(&text, "%s%u", j > 0 ? " " : "", refs[j]);
		is_slice(buf_slice(&text), slice_str(rows[i].refs), rows[i].name);
		buf_fini(&text);
	}
}

static void
test_facts(const struct hashdb *db)
{
	struct digest d = digest_of(DIGEST_MD5, PATCH);
	uint32_t refs[] = { 99, 99 };

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
	ok(hashdb_find(db, &d, 90112, refs, 1) == 2 && refs[0] != 99 && refs[1] == 99,
	    "the result counts past what is stored");
	ok(hashdb_find(db, &d, 90112, NULL, 0) == 2, "asked only how many");
}

/* ---- the writer ---- */

static void
test_order(struct slice image)
{
	struct hashdb_builder *b = hashdb_builder_new();
	struct slice other;

	for (size_t i = RECORDS; i-- > 0; ) {
		struct digest d = digest_of(records[i].alg, records[i].hex);

		hashdb_builder_add(b, &d, records[i].size, records[i].ref);
	}
	other = image_of(b);
	ok(slice_eq(image, other), "the file does not depend on the order of adding");
	free((char *)(uintptr_t)other.p);
	other = image_of(builder_with(RECORDS - 1));
	ok(!slice_eq(image, other), "other records, other file");
	free((char *)(uintptr_t)other.p);
}

static void
test_limits(void)
{
	struct hashdb_builder *b = hashdb_builder_new();
	struct digest d = digest_of(DIGEST_MD5, PATCH);
	uint8_t sum[SEGMENT_SHA256];
	struct diag diag = { 0 };
	uint64_t len;

	errno = 0;
	ok(hashdb_builder_add(b, &d, HASHDB_SIZE_MAX + 1, 1) == -1 && errno == ERANGE,
	    "a size too large");
	ok(hashdb_builder_write(b, "/nonexistent/x.seg", &len, sum, &diag) == -1 &&
		diag.n_errors == 1,
	    "a folder that is not there");
	diag_fini(&diag);
	hashdb_builder_free(b);
	hashdb_builder_free(NULL);
	hashdb_close(NULL);
}

static void
test_empty(void)
{
	struct slice image = image_of(hashdb_builder_new());
	struct digest d = digest_of(DIGEST_SHA1, PATCH "01234567");
	struct segment *segment;
	struct hashdb *db = db_of(image, &segment);

	ok(db != NULL && hashdb_algs(db) == 0 && hashdb_sizeless_algs(db) == 0 &&
		hashdb_max_size(db) == 0 && hashdb_min_size(db) == 0 && !hashdb_has_size(db, 0) &&
		hashdb_find(db, &d, 0, NULL, 0) == 0,
	    "a file without a record");
	close_db(db, segment);
	free((char *)(uintptr_t)image.p);
}

/* ---- against a plain search ---- */

enum { MANY = 20000, QUESTIONS = 2000, SIZES = 50 };

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

/* Half of the digests are chosen by a stranger: they fall into one bucket. */
static void
random_digest(uint64_t *state, struct digest *d)
{
	*d = (struct digest){ .alg = DIGEST_SHA1 };
	for (size_t i = 0; i < digest_len(d->alg); i++)
		d->b[i] = (uint8_t)next_number(state);
	if (next_number(state) % 2 == 0)
		memset(d->b, 0xab, 4);
}

static bool
answer_holds(const struct hashdb *db, const struct plain *all, const struct plain *asked)
{
	uint32_t refs[REFS_MAX];
	size_t n = hashdb_find(db, &asked->digest, asked->size, refs, REFS_MAX), expected = 0;

	for (size_t i = 0; i < MANY; i++)
		expected += digest_eq(&all[i].digest, &asked->digest) &&
		    (all[i].size == HASHDB_SIZE_ANY || all[i].size == asked->size);
	if (n != expected || n > REFS_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (refs[i] >= MANY || !digest_eq(&all[refs[i]].digest, &asked->digest))
			return false;
	return true;
}

static void
test_random(void)
{
	static struct plain all[MANY];
	struct hashdb_builder *b = hashdb_builder_new();
	uint64_t state = UINT64_C(0x2545f4914f6cdd1d);
	struct segment *segment;
	struct slice image;
	struct hashdb *db;
	size_t wrong = 0, hits = 0;

	for (uint32_t i = 0; i < MANY; i++) {
		random_digest(&state, &all[i].digest);
		if (i > 0 && next_number(&state) % 4 == 0)
			all[i].digest = all[i - 1].digest;
		all[i].size = next_number(&state) % SIZES;
		if (hashdb_builder_add(b, &all[i].digest, all[i].size, i) == -1)
			abort();
	}
	image = image_of(b);
	db = db_of(image, &segment);
	for (size_t i = 0; i < QUESTIONS; i++) {
		struct plain asked = all[next_number(&state) % MANY];

		if (i % 4 == 0)
			asked.digest.b[next_number(&state) % 20] ^= 1;
		if (i % 3 == 0)
			asked.size = next_number(&state) % (SIZES + 1);
		wrong += !answer_holds(db, all, &asked);
		hits += hashdb_find(db, &asked.digest, asked.size, NULL, 0) > 0;
	}
	ok(wrong == 0 && hits > QUESTIONS / 4 && hits < QUESTIONS,
	    "%d questions to %d records, %zu found: %zu answers differ from a plain search",
	    QUESTIONS, MANY, hits, wrong);
	close_db(db, segment);
	free((char *)(uintptr_t)image.p);
}

/* ---- damage ---- */

/* Ask every row; false when an answer is not one of its references.  *FOUND counts them. */
static bool
only_records(const struct hashdb *db, size_t *found)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct digest d = digest_of(rows[i].alg, rows[i].hex);
		uint32_t refs[REFS_MAX];
		size_t n = hashdb_find(db, &d, rows[i].size, refs, REFS_MAX);

		for (size_t j = 0; j < n && j < REFS_MAX; j++) {
			bool listed = false;

			for (size_t k = 0; k < RECORDS; k++)
				listed = listed ||
				    (records[k].ref == refs[j] && records[k].alg == rows[i].alg &&
					strcmp(records[k].hex, rows[i].hex) == 0 &&
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

/* Change N bytes of the image at every place by xor with MASK, one place after the other. */
static void
test_damage(struct slice image, size_t n, unsigned mask, const char *name)
{
	size_t whole = 0, invented = 0, refused = 0, lost = 0;
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
		else if (!only_records(db, &found) || found > whole)
			invented++;
		else
			lost += found < whole;
		close_db(db, segment);
		for (size_t i = 0; i < n; i++)
			p[at + i] ^= (char)mask;
	}
	ok(invented == 0, "%s: none makes a rule: %zu do", name, invented);
	ok(refused > 0 && lost > 0, "%s: some are refused, some lose a rule: %zu, %zu", name,
	    refused, lost);
}

/* One algorithm's sections as they fit each other, but for what the row says. */
static const struct {
	const char *name;
	size_t info, sizes, records, buckets, sums;
	bool fits;
} sections[] = {
	{ "sections that fit", 8, 8, 25, 16, 4, true },
	{ "no sections", 0, 0, 0, 0, 0, false },
	{ "only the head", 8, 0, 0, 0, 0, true },
	{ "a head too short", 7, 8, 25, 16, 4, false },
	{ "half a size", 8, 4, 25, 16, 4, false },
	{ "half a record", 8, 8, 24, 16, 4, false },
	{ "no buckets", 8, 8, 25, 0, 4, false },
	{ "a bucket too few", 8, 8, 25, 8, 4, false },
	{ "a bucket too many", 8, 8, 25, 24, 4, false },
	{ "no sums", 8, 8, 25, 16, 0, false },
	{ "more records than buckets", 8, 8, 250, 16, 4, false },
};

static void
test_sections(void)
{
	static const char ones[256] = { [0 ... 255] = (char)0xff };
	struct digest d = digest_of(DIGEST_MD5, ONES);

	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
		struct segment_part parts[] = {
			{ HASHDB_INFO, slice_make(ones, sections[i].info) },
			{ HASHDB_SIZES, slice_make(ones, sections[i].sizes) },
			{ HASHDB_RECORDS + DIGEST_MD5, slice_make(ones, sections[i].records) },
			{ HASHDB_BUCKETS + DIGEST_MD5, slice_make(ones, sections[i].buckets) },
			{ HASHDB_SUMS + DIGEST_MD5, slice_make(ones, sections[i].sums) },
		};
		char *path = file_join(folder, "s.seg");
		struct segment *segment = NULL;
		uint8_t sum[SEGMENT_SHA256];
		struct diag diag = { 0 };
		struct hashdb *db = NULL;
		uint64_t len;

		if (segment_write(path, SEGMENT_DIGESTS, parts, 5, &len, sum, &diag) == 0 &&
		    (segment = segment_open(path, SEGMENT_DIGESTS, sum, &diag)) != NULL)
			db = hashdb_open(segment, &diag);
		ok(segment != NULL && (db != NULL) == sections[i].fits &&
			(diag.n_errors == 1) != sections[i].fits,
		    "%s", sections[i].name);
		ok(db == NULL || hashdb_find(db, &d, HASHDB_SIZE_MAX, NULL, 0) == 0, "%s: asked",
		    sections[i].name);
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
	close_db(db, segment);
	test_order(image);
	test_limits();
	test_empty();
	test_random();
	for (unsigned bit = 0; bit < 8; bit++)
		test_damage(image, 1, 1u << bit, "a flipped bit");
	test_damage(image, 4, 0xff, "a word turned over");
	test_sections();
	free((char *)(uintptr_t)image.p);
	rmdir(folder);
	free(folder);
	return tap_done();
}
