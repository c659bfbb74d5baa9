#include "hashdb/hashdb.h"

#include <stdlib.h>

#include "hashdb/hashdb_format.h"

struct table {
	const uint8_t	*records;
	const char	*buckets, *sums;
	uint64_t	 n;
	unsigned	 bits;
};

struct hashdb {
	struct table	 tables[DIGEST_ALGS];
	const char	*sizes;
	uint64_t	 n_sizes;
	unsigned	 algs, sizeless;
};

static uint64_t
u64_at(const char *p, uint64_t i)
{
	uint64_t v;

	memcpy(&v, p + i * sizeof(v), sizeof(v));
	return v;
}

static const char *
table_fault(const struct segment *segment, enum digest_alg alg, struct table *t)
{
	struct slice records = segment_section(segment, HASHDB_RECORDS + (uint32_t)alg);
	struct slice buckets = segment_section(segment, HASHDB_BUCKETS + (uint32_t)alg);
	struct slice sums = segment_section(segment, HASHDB_SUMS + (uint32_t)alg);

	if (records.len % hashdb_stride(alg) != 0)
		return "damaged: length of the digests";
	t->records = (const uint8_t *)records.p;
	t->n = records.len / hashdb_stride(alg);
	if (t->n == 0)
		return NULL;
	t->bits = hashdb_bits(t->n);
	t->buckets = buckets.p;
	if (buckets.len != ((UINT64_C(1) << t->bits) + 1) * sizeof(uint64_t))
		return "damaged: number of buckets";
	if (sums.len != (UINT64_C(1) << t->bits) * sizeof(uint32_t))
		return "damaged: number of sums";
	t->sums = sums.p;
	return NULL;
}

static const char *
sections_fault(const struct segment *segment, struct hashdb *db)
{
	struct slice sizes = segment_section(segment, HASHDB_SIZES);
	struct slice info = segment_section(segment, HASHDB_INFO);
	struct hashdb_info head;

	if (info.len != sizeof(head))
		return "damaged: size of the digests' head";
	if (sizes.len % sizeof(uint64_t) != 0)
		return "damaged: length of the sizes";
	db->sizes = sizes.p;
	db->n_sizes = sizes.len / sizeof(uint64_t);
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		struct table *t = &db->tables[alg];
		const char *fault = table_fault(segment, (enum digest_alg)alg, t);

		if (fault != NULL)
			return fault;
		if (t->n > 0)
			db->algs |= DIGEST_BIT(alg);
	}
	memcpy(&head, info.p, sizeof(head));
	db->sizeless = head.sizeless & db->algs;
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
	return db->sizeless;
}

bool
hashdb_has_size(const struct hashdb *db, uint64_t size)
{
	uint64_t low = 0, high = db->n_sizes;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2, at = u64_at(db->sizes, mid);

		if (at == size)
			return true;
		if (at < size)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

uint64_t
hashdb_max_size(const struct hashdb *db)
{
	return db->n_sizes == 0 ? 0 : u64_at(db->sizes, db->n_sizes - 1);
}

uint64_t
hashdb_min_size(const struct hashdb *db)
{
	return db->n_sizes == 0 ? 0 : u64_at(db->sizes, 0);
}

uint64_t
hashdb_count(const struct hashdb *db, enum digest_alg alg)
{
	return db->tables[alg].n;
}

/* The first record from LOW to HIGH whose digest is not before DIGEST. */
static uint64_t
lower_bound(const struct table *t, const struct digest *digest, uint64_t low, uint64_t high)
{
	size_t len = digest_len(digest->alg), stride = hashdb_stride(digest->alg);

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		if (memcmp(t->records + mid * stride, digest->b, len) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Records BEGIN to END are what was written for BUCKET. */
static bool
run_holds(const struct table *t, size_t stride, uint32_t bucket, uint64_t begin, uint64_t end)
{
	uint32_t sum;

	memcpy(&sum, t->sums + bucket * sizeof(sum), sizeof(sum));
	return sum == hashdb_sum(t->records + begin * stride, (end - begin) * stride);
}

size_t
hashdb_find(
    const struct hashdb *db, const struct digest *digest, uint64_t size, uint32_t *refs, size_t max)
{
	const struct table *t = &db->tables[digest->alg];
	size_t len = digest_len(digest->alg), stride = hashdb_stride(digest->alg), n = 0;
	uint64_t begin, end, first;
	uint32_t bucket;

	if (t->n == 0)
		return 0;
	bucket = hashdb_bucket(digest->b, t->bits);
	begin = u64_at(t->buckets, bucket);
	end = u64_at(t->buckets, bucket + UINT64_C(1));
	if (begin > end || end > t->n)
		return 0;
	first = lower_bound(t, digest, begin, end);
	if (first == end || memcmp(t->records + first * stride, digest->b, len) != 0 ||
	    !run_holds(t, stride, bucket, begin, end))
		return 0;
	for (uint64_t i = first; i < end; i++) {
		const uint8_t *record = t->records + i * stride;
		uint64_t listed = hashdb_number(record + len, HASHDB_SIZE_LEN);

		if (memcmp(record, digest->b, len) != 0)
			break;
		if (listed != HASHDB_SIZE_ANY && listed != size)
			continue;
		if (n < max)
			refs[n] =
			    (uint32_t)hashdb_number(record + len + HASHDB_SIZE_LEN, HASHDB_REF_LEN);
		n++;
	}
	return n;
}
