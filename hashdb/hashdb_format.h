/* hashdb_format.h - the layout of a digest segment, for the reader and the writer.
 *
 *	section INFO             one struct hashdb_info
 *	section SIZES            the listed sizes (hashdb/size_set.h)
 *	section RECORDS + alg    records of one algorithm, sorted as bytes
 *	section INDEX + alg      u32 each: how many records stand before each bucket; the last is the number of records
 *	section SUMS + alg       u32 each: over HASHDB_PER_SUM records, the last one over those that are left
 *
 *	record:  | digest: 16, 20 or 32 | size: 5, little-endian | reference: 4, little-endian |
 *
 * The first 32 bits of a digest, as a fraction of 2^32, choose its bucket: about ten records to one.  A sum is looked at only when
 * a digest was found among its records: it costs the usual question nothing, and a flipped bit cannot name another rule.  Sums are
 * not of buckets, since whoever fills a feed with digests that begin alike makes a bucket of any length. */
#ifndef HASHDB_HASHDB_FORMAT_H
#define HASHDB_HASHDB_FORMAT_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/digest.h"

enum { HASHDB_SIZES = 1, HASHDB_INFO = 2, HASHDB_RECORDS = 16, HASHDB_INDEX = 32, HASHDB_SUMS = 48 };
enum { HASHDB_SIZE_LEN = 5, HASHDB_REF_LEN = 4, HASHDB_PER_BUCKET = 10, HASHDB_PER_SUM = 16 };

struct hashdb_info {
	uint32_t	sizeless;	/* mask of DIGEST_BITs; so that opening reads no record */
	uint32_t	zero;
	uint64_t	min_size, max_size;	/* 0 when no rule has a size */
};

/* Bytes of one record of ALG. */
static inline size_t
hashdb_stride(enum digest_alg alg)
{
	return digest_len(alg) + HASHDB_SIZE_LEN + HASHDB_REF_LEN;
}

/* Which of N_BUCKETS the digest is in. */
static inline uint64_t
hashdb_bucket(const uint8_t *digest, uint64_t n_buckets)
{
	return bytes_get_big(digest, sizeof(uint32_t)) * n_buckets >> 32;
}

#endif
