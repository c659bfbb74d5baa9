#include "hashdb/hashdb.h"

#include <stdlib.h>

#include "base/sum.h"
#include "hashdb/hashdb_format.h"
#include "hashdb/size_set.h"

enum {
	LINE = 64,	/* bytes of a line of memory */
	STEPS = 8,	/* from the guess */
};

struct table {
	const uint8_t	*records;
	const char	*index, *sums;
	uint64_t	 n, n_buckets;
};

struct hashdb {
	struct table	 tables[DIGEST_ALGS];
	struct slice	 sizes;
	struct hashdb_info info;
	unsigned	 algs;
};

static const char *
table_fault(const struct segment *segment, enum digest_alg alg, struct table *t)
{
	struct slice records = segment_section(segment, HASHDB_RECORDS + (uint32_t)alg);
	struct slice index = segment_section(segment, HASHDB_INDEX + (uint32_t)alg);
	struct slice sums = segment_section(segment, HASHDB_SUMS + (uint32_t)alg);

	if (records.len % hashdb_stride(alg) != 0)
		return "damaged: length of the digests";
	t->records = (const uint8_t *)records.p;
	t->n = records.len / hashdb_stride(alg);
	if (t->n == 0)
		return NULL;
	if (index.len % sizeof(uint32_t) != 0 || index.len < 2 * sizeof(uint32_t))
		return "damaged: number of buckets";
	t->n_buckets = index.len / sizeof(uint32_t) - 1;
	if (sums.len != (t->n + HASHDB_PER_SUM - 1) / HASHDB_PER_SUM * sizeof(uint32_t) || t->n_buckets > UINT32_MAX)
		return "damaged: number of sums";
	t->index = index.p;
	t->sums = sums.p;
	return NULL;
}

static const char *
sections_fault(const struct segment *segment, struct hashdb *db)
{
	struct slice info = segment_section(segment, HASHDB_INFO);
	const char *fault;

	if (info.len != sizeof(db->info))
		return "damaged: size of the digests' head";
	memcpy(&db->info, info.p, sizeof(db->info));
	db->sizes = segment_section(segment, HASHDB_SIZES);
	if ((fault = size_set_fault(db->sizes)) != NULL)
		return fault;
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		struct table *t = &db->tables[alg];

		if ((fault = table_fault(segment, (enum digest_alg)alg, t)) != NULL)
			return fault;
		if (t->n > 0)
			db->algs |= DIGEST_BIT(alg);
	}
	return NULL;
}

struct hashdb *
hashdb_open(const struct segment *segment, struct diag *diag)
{
	struct hashdb *db = calloc(1, sizeof(*db));
	const char *fault = db == NULL ? "out of memory" : sections_fault(segment, db);

	if (fault == NULL)
		return db;
	diag_error(diag, "file rules: %s", fault);
	free(db);
	return NULL;
}

void
hashdb_close(struct hashdb *db)
{
	free(db);
}

unsigned
hashdb_algs(const struct hashdb *db)
{
	return db->algs;
}

unsigned
hashdb_sizeless_algs(const struct hashdb *db)
{
	return db->info.sizeless & db->algs;
}

bool
hashdb_has_size(const struct hashdb *db, uint64_t size)
{
	return size_set_has(db->sizes, size);
}

uint64_t
hashdb_max_size(const struct hashdb *db)
{
	return db->info.max_size;
}

uint64_t
hashdb_min_size(const struct hashdb *db)
{
	return db->info.min_size;
}

uint64_t
hashdb_count(const struct hashdb *db, enum digest_alg alg)
{
	return db->tables[alg].n;
}

/* Where DIGEST would stand from LOW to HIGH, its bucket, if digests were spread evenly, as they nearly are. */
static uint64_t
guess(const struct table *t, const struct digest *digest, uint64_t low, uint64_t high)
{
	uint64_t fraction = bytes_get_big(digest->b, sizeof(uint32_t)) * t->n_buckets & UINT32_MAX;

	return low + (fraction * (high - low) >> 32);
}

/* The first record from LOW to HIGH whose digest is not before DIGEST: mostly one or two steps from the guess, so that one or two
 * lines of memory are read; in a bucket that somebody made long, by halves. */
static uint64_t
lower_bound(const struct table *t, const struct digest *digest, uint64_t low, uint64_t high)
{
	size_t len = digest_len(digest->alg), stride = hashdb_stride(digest->alg);
	uint64_t at = guess(t, digest, low, high);

	for (int steps = 0; low < high; steps++) {
		if (steps >= STEPS)
			at = low + (high - low) / 2;
		if (at < high && memcmp(t->records + at * stride, digest->b, len) < 0)
			low = ++at;
		else if (at > low && memcmp(t->records + (at - 1) * stride, digest->b, len) >= 0)
			high = --at;
		else
			return at;
	}
	return low;
}

/* Where BUCKET's records begin and end; false when that cannot be. */
static bool
bucket_bounds(const struct table *t, uint64_t bucket, uint64_t *begin, uint64_t *end)
{
	*begin = bytes_u32(t->index + bucket * sizeof(uint32_t));
	*end = bytes_u32(t->index + (bucket + 1) * sizeof(uint32_t));
	return *begin <= *end && *end <= t->n;
}

/* Record I is what was written, and those beside it that have the same sum. */
static bool
record_holds(const struct table *t, size_t stride, uint64_t i)
{
	uint64_t block = i / HASHDB_PER_SUM, begin = block * HASHDB_PER_SUM;
	uint64_t n = t->n - begin < HASHDB_PER_SUM ? t->n - begin : HASHDB_PER_SUM;

	return bytes_u32(t->sums + block * sizeof(uint32_t)) == sum32(slice_make((const char *)t->records + begin * stride, n * stride));
}

void
hashdb_ahead(const struct hashdb *db, const struct digest *digest, enum hashdb_ahead what)
{
	const struct table *t = &db->tables[digest->alg];
	uint64_t bucket, begin, end, i;
	const uint8_t *at;

	if (t->n == 0)
		return;
	bucket = hashdb_bucket(digest->b, t->n_buckets);
	if (what == HASHDB_AHEAD_INDEX) {
		__builtin_prefetch(t->index + bucket * sizeof(uint32_t));
		return;
	}
	if (!bucket_bounds(t, bucket, &begin, &end) || begin == end)
		return;
	i = guess(t, digest, begin, end);
	at = t->records + i * hashdb_stride(digest->alg);
	__builtin_prefetch(t->sums + i / HASHDB_PER_SUM * sizeof(uint32_t));
	__builtin_prefetch(at);
	__builtin_prefetch(at - LINE / 2);
	__builtin_prefetch(at + LINE);
}

/* Add the records of DIGEST from FIRST to END that are of SIZE. */
static size_t
take_records(const struct table *t, const struct digest *digest, uint64_t size, uint64_t first, uint64_t end,
    struct hashdb_match *out, size_t max, bool *damaged)
{
	size_t len = digest_len(digest->alg), stride = hashdb_stride(digest->alg), n = 0;
	bool holds = false;

	for (uint64_t i = first; i < end; i++) {
		const uint8_t *record = t->records + i * stride;
		uint64_t listed = bytes_get(record + len, HASHDB_SIZE_LEN);

		if (memcmp(record, digest->b, len) != 0)
			break;
		if (i == first || i % HASHDB_PER_SUM == 0)
			holds = record_holds(t, stride, i);
		if (!holds)
			*damaged = true;
		if (!holds || (listed != HASHDB_SIZE_ANY && listed != size))
			continue;
		if (n < max)
			out[n] = (struct hashdb_match){ .size = listed,
				.ref = (uint32_t)bytes_get(record + len + HASHDB_SIZE_LEN, HASHDB_REF_LEN) };
		n++;
	}
	return n;
}

size_t
hashdb_find(const struct hashdb *db, const struct digest *digest, uint64_t size, struct hashdb_match *out, size_t max,
    bool *damaged)
{
	const struct table *t = &db->tables[digest->alg];
	uint64_t begin, end;
	bool nobody;

	damaged = damaged == NULL ? &nobody : damaged;
	if (t->n == 0)
		return 0;
	if (!bucket_bounds(t, hashdb_bucket(digest->b, t->n_buckets), &begin, &end)) {
		*damaged = true;
		return 0;
	}
	return take_records(t, digest, size, lower_bound(t, digest, begin, end), end, out, max, damaged);
}

static int
visit_table(const struct table *t, enum digest_alg alg, hashdb_visit *visit, void *arg, bool *damaged)
{
	size_t len = digest_len(alg), stride = hashdb_stride(alg);
	struct digest digest = { .alg = alg };
	bool holds = false;
	int result = 0;

	for (uint64_t i = 0; result == 0 && i < t->n; i++) {
		const uint8_t *record = t->records + i * stride;

		if (i % HASHDB_PER_SUM == 0 && !(holds = record_holds(t, stride, i)))
			*damaged = true;
		if (!holds)
			continue;
		memcpy(digest.b, record, len);
		result = visit(arg, &digest, bytes_get(record + len, HASHDB_SIZE_LEN),
		    (uint32_t)bytes_get(record + len + HASHDB_SIZE_LEN, HASHDB_REF_LEN));
	}
	return result;
}

int
hashdb_each(const struct hashdb *db, hashdb_visit *visit, void *arg, bool *damaged)
{
	int result = 0;

	for (int alg = 0; result == 0 && alg < DIGEST_ALGS; alg++)
		if (db->tables[alg].n > 0)
			result = visit_table(&db->tables[alg], (enum digest_alg)alg, visit, arg, damaged);
	return result;
}
