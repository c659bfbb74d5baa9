#include "hashdb/hashdb.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "hashdb/hashdb_format.h"

struct rows {
	uint8_t	*bytes;		/* records as they will stand in the file */
	size_t	 n, cap;
};

struct hashdb_builder {
	struct rows	 rows[DIGEST_ALGS];
	uint64_t	*sizes;
	size_t		 n_sizes, cap_sizes;
	unsigned	 sizeless;	/* mask of DIGEST_BITs */
};

struct hashdb_builder *
hashdb_builder_new(void)
{
	return calloc(1, sizeof(struct hashdb_builder));
}

void
hashdb_builder_free(struct hashdb_builder *b)
{
	if (b == NULL)
		return;
	for (int alg = 0; alg < DIGEST_ALGS; alg++)
		free(b->rows[alg].bytes);
	free(b->sizes);
	free(b);
}

/* Room for one more of SIZE bytes in *AT; 0, or -1 without memory. */
static int
grow(void *at, size_t n, size_t *cap, size_t size)
{
	size_t want = *cap > 0 ? *cap * 2 : 64;
	void *p;

	if (n < *cap)
		return 0;
	memcpy(&p, at, sizeof(p));
	if ((p = realloc(p, want * size)) == NULL)
		return -1;
	memcpy(at, &p, sizeof(p));
	*cap = want;
	return 0;
}

static void
put_number(uint8_t *p, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

int
hashdb_builder_add(
    struct hashdb_builder *b, const struct digest *digest, uint64_t size, uint32_t ref)
{
	struct rows *rows = &b->rows[digest->alg];
	size_t len = digest_len(digest->alg), stride = hashdb_stride(digest->alg);
	uint8_t *at;

	if (size > HASHDB_SIZE_MAX)
		return errno = ERANGE, -1;
	if (grow(&rows->bytes, rows->n, &rows->cap, stride) == -1 ||
	    grow(&b->sizes, b->n_sizes, &b->cap_sizes, sizeof(*b->sizes)) == -1)
		return -1;
	at = rows->bytes + rows->n++ * stride;
	memcpy(at, digest->b, len);
	put_number(at + len, size, HASHDB_SIZE_LEN);
	put_number(at + len + HASHDB_SIZE_LEN, ref, HASHDB_REF_LEN);
	if (size != HASHDB_SIZE_ANY)
		b->sizes[b->n_sizes++] = size;
	else
		b->sizeless |= DIGEST_BIT(digest->alg);
	return 0;
}

/* Records compare by digest, then by the numbers behind it, so that equal ones meet. */
static int
compare_records(const void *a, const void *b, void *stride)
{
	return memcmp(a, b, *(const size_t *)stride);
}

static int
compare_sizes(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

/* Sort, and keep each once. */
static void
sort_rows(struct rows *rows, size_t stride)
{
	size_t n = 0;

	if (rows->n > 1)
		qsort_r(rows->bytes, rows->n, stride, compare_records, &stride);
	for (size_t i = 0; i < rows->n; i++) {
		uint8_t *from = rows->bytes + i * stride;

		if (n > 0 && memcmp(from, rows->bytes + (n - 1) * stride, stride) == 0)
			continue;
		memmove(rows->bytes + n++ * stride, from, stride);
	}
	rows->n = n;
}

static void
sort_sizes(struct hashdb_builder *b)
{
	size_t n = 0;

	if (b->n_sizes > 1)
		qsort(b->sizes, b->n_sizes, sizeof(*b->sizes), compare_sizes);
	for (size_t i = 0; i < b->n_sizes; i++)
		if (n == 0 || b->sizes[n - 1] != b->sizes[i])
			b->sizes[n++] = b->sizes[i];
	b->n_sizes = n;
}

/* Append where each bucket of the sorted ROWS begins to BUCKETS, and each run's sum to SUMS. */
static void
add_buckets(const struct rows *rows, size_t stride, struct buf *buckets, struct buf *sums)
{
	unsigned bits = hashdb_bits(rows->n);
	uint64_t i = 0, begin = 0;

	buf_add(buckets, &i, sizeof(i));
	for (uint64_t bucket = 0; bucket < UINT64_C(1) << bits; bucket++) {
		uint32_t sum;

		for (begin = i;
		     i < rows->n && hashdb_bucket(rows->bytes + i * stride, bits) == bucket;)
			i++;
		sum = hashdb_sum(rows->bytes + begin * stride, (i - begin) * stride);
		buf_add(buckets, &i, sizeof(i));
		buf_add(sums, &sum, sizeof(sum));
	}
}

/* The memory of two sections of one algorithm. */
struct image {
	struct buf	buckets, sums;
};

/* Add the sections of ALG to PARTS, N of them so far; how many there are then. */
static size_t
add_table(struct hashdb_builder *b, enum digest_alg alg, struct image *image,
    struct segment_part *parts, size_t n)
{
	struct rows *rows = &b->rows[alg];
	size_t stride = hashdb_stride(alg);

	if (rows->n == 0)
		return n;
	sort_rows(rows, stride);
	add_buckets(rows, stride, &image->buckets, &image->sums);
	parts[n++] = (struct segment_part){ HASHDB_RECORDS + (uint32_t)alg,
		slice_make((const char *)rows->bytes, rows->n * stride) };
	parts[n++] =
	    (struct segment_part){ HASHDB_BUCKETS + (uint32_t)alg, buf_slice(&image->buckets) };
	parts[n++] = (struct segment_part){ HASHDB_SUMS + (uint32_t)alg, buf_slice(&image->sums) };
	return n;
}

int
hashdb_builder_write(struct hashdb_builder *b, const char *path, uint64_t *len,
    uint8_t sha256[static SEGMENT_SHA256], struct diag *diag)
{
	struct segment_part parts[2 + 3 * DIGEST_ALGS];
	struct hashdb_info info = { .sizeless = b->sizeless };
	struct image images[DIGEST_ALGS];
	bool failed = false;
	size_t n = 0;
	int r = -1;

	sort_sizes(b);
	parts[n++] =
	    (struct segment_part){ HASHDB_INFO, slice_make((const char *)&info, sizeof(info)) };
	parts[n++] = (struct segment_part){ HASHDB_SIZES, slice_make((const char *)b->sizes,
	    b->n_sizes * sizeof(*b->sizes)) };
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		buf_init(&images[alg].buckets, SIZE_MAX / 2);
		buf_init(&images[alg].sums, SIZE_MAX / 2);
		n = add_table(b, (enum digest_alg)alg, &images[alg], parts, n);
		failed = failed || images[alg].buckets.failed || images[alg].sums.failed;
	}
	if (failed)
		diag_add(diag, DIAG_ERROR, path, 0, 0, "out of memory");
	else
		r = segment_write(path, SEGMENT_DIGESTS, parts, n, len, sha256, diag);
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		buf_fini(&images[alg].buckets);
		buf_fini(&images[alg].sums);
	}
	return r;
}
