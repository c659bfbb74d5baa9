/* hashdb_format.h - the layout of a digest segment, for the reader and the writer.
 *
 *	section INFO             one struct hashdb_info
 *	section SIZES            the listed sizes (hashdb/size_set.h)
 *	section LINES + alg      one line of memory for each bucket, and one that ends them
 *	section RECORDS + alg    records of one algorithm, sorted by digest
 *
 *	line:    | begin: 4 | n: 1 | filter: 59 |         BEGIN: how many records stand before the bucket
 *	record:  | digest without its first DROP bytes | size: 5 | reference: 4 | sum: 2 |      all little-endian
 *
 * The first 32 bits of a digest, as a fraction of 2^32, choose its bucket.  So a bucket says what they are, all but a few bits, and
 * a record leaves out as many whole bytes of them as its bucket determines: none in small tables, two among a hundred million.
 *
 * A digest that is not listed costs one line of memory, and none of the records: that is most of what is asked, and what a worker
 * has in memory of a table then is one to three bytes a record.  N is HASHDB_MANY when there are as many or more: whoever fills a
 * feed with digests that begin alike makes a bucket of any length, and the next line says where it ends.
 *
 * The sum is over the whole digest, so that a damaged line does not give a record another one, and over size and reference in
 * such a way that no damage to one byte of them goes unseen.  A damaged filter loses a rule, as it may (segments(5)).
 */
#ifndef HASHDB_HASHDB_FORMAT_H
#define HASHDB_HASHDB_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/sum.h"

enum { HASHDB_SIZES = 1, HASHDB_INFO = 2, HASHDB_RECORDS = 16, HASHDB_LINES = 32 };
enum { HASHDB_SIZE_LEN = 5, HASHDB_REF_LEN = 4, HASHDB_SUM_LEN = 2, HASHDB_TAIL = HASHDB_SIZE_LEN + HASHDB_REF_LEN };
/* The largest prime below 2^16, and what 2^40, where the reference begins, is modulo it. */
enum { HASHDB_PRIME = 65521, HASHDB_SIZE_END = (UINT64_C(1) << 40) % HASHDB_PRIME };
enum { HASHDB_LINE = 64, HASHDB_LINE_N = 4, HASHDB_LINE_FILTER = 5, HASHDB_MANY = 255 };
enum { HASHDB_FILTER_BITS = (HASHDB_LINE - HASHDB_LINE_FILTER) * 8, HASHDB_FILTER_PROBES = 5,
	HASHDB_PROBE_BITS = 12 };
/* Records to a bucket.  Few give a filter that is wrong once in fifteen hundred times, so that records nobody asks for stay out
 * of memory: a kernel maps up to a megabyte for one touch.  From HASHDB_LARGE records on the bytes count more, and it is wrong
 * once in sixteen. */
enum { HASHDB_PER_LINE = 24, HASHDB_PER_LINE_LARGE = 80, HASHDB_LARGE = 4000000 };

struct hashdb_info {
	uint32_t	sizeless;	/* mask of DIGEST_BITs; so that opening reads no record */
	uint32_t	zero;
	uint64_t	min_size, max_size;	/* 0 when no rule has a size */
};

/* Buckets for N records, which are at least one. */
static inline uint64_t
hashdb_lines_for(uint64_t n)
{
	return n / (n < HASHDB_LARGE ? HASHDB_PER_LINE : HASHDB_PER_LINE_LARGE) + 1;
}

/* How many first bytes of a digest records leave out when there are N_LINES buckets: the others of the first four tell two digests
 * of a bucket apart, as long as a bucket has at most so many. */
static inline unsigned
hashdb_drop(uint64_t n_lines)
{
	return n_lines >= 1 << 24 ? 3 : n_lines >= 1 << 16 ? 2 : n_lines >= 1 << 8 ? 1 : 0;
}

/* Bytes of one record of ALG without DROP of its digest. */
static inline size_t
hashdb_stride(enum digest_alg alg, unsigned drop)
{
	return digest_len(alg) - drop + HASHDB_TAIL + HASHDB_SUM_LEN;
}

/* The first 32 bits of a digest. */
static inline uint32_t
hashdb_first(const uint8_t *digest)
{
	return (uint32_t)bytes_get_big(digest, sizeof(uint32_t));
}

/* Which of N_LINES buckets digests that begin with FIRST are in. */
static inline uint64_t
hashdb_line(uint32_t first, uint64_t n_lines)
{
	return first * n_lines >> 32;
}

/* The lowest first 32 bits in bucket LINE. */
static inline uint32_t
hashdb_line_start(uint64_t line, uint64_t n_lines)
{
	return (uint32_t)(((line << 32) + n_lines - 1) / n_lines);
}

/* The bits of a line's filter that DIGEST has, each less than HASHDB_FILTER_BITS. */
static inline void
hashdb_probes(const uint8_t *digest, unsigned out[static HASHDB_FILTER_PROBES])
{
	uint64_t h = sum_step(bytes_u32(digest + 4), bytes_u64(digest + 8));

	for (int i = 0; i < HASHDB_FILTER_PROBES; i++, h >>= HASHDB_PROBE_BITS)
		out[i] = (h & ((1 << HASHDB_PROBE_BITS) - 1)) * HASHDB_FILTER_BITS >> HASHDB_PROBE_BITS;
}

/* The sum of a record: over the whole DIGEST of LEN bytes, and TAIL, its size and reference, as a number modulo a prime. */
static inline uint32_t
hashdb_sum(const uint8_t *digest, size_t len, const uint8_t *tail)
{
	uint64_t size = bytes_get(tail, HASHDB_SIZE_LEN), ref = bytes_get(tail + HASHDB_SIZE_LEN, HASHDB_REF_LEN);
	uint32_t sum = sum32(slice_make((const char *)digest, len));

	return ((sum ^ sum >> 16) & 0xffff) ^ (uint32_t)((size + ref * HASHDB_SIZE_END) % HASHDB_PRIME);
}

#endif
