/* hashdb_format.h - the layout of a digest segment, for the reader and the writer.
 *
 *	section INFO             one struct hashdb_info
 *	section SIZES            u64 each, sorted, each once
 *	section RECORDS + alg    records of one algorithm, sorted as bytes
 *	section BUCKETS + alg    u64 each, 2^bits + 1 of them: where the run of digests begins whose first
 *	                         BITS bits are the index; the last is the number of records
 *	section SUMS + alg       u32 each, 2^bits of them: over the records of that run
 *
 *	record:  | digest: 16, 20 or 32 | size: 5, little-endian | reference: 4, little-endian |
 *
 * BITS follows from the number of records: about eight records to a bucket.  A run's sum is looked
 * at only when a digest was found in it: it costs the usual question nothing, and a flipped bit
 * cannot name another rule. */
#ifndef HASHDB_HASHDB_FORMAT_H
#define HASHDB_HASHDB_FORMAT_H

#include <stdint.h>

#include "base/digest.h"
#include "base/siphash.h"

enum {
	HASHDB_SIZES = 1,
	HASHDB_INFO = 2,
	HASHDB_RECORDS = 16,
	HASHDB_BUCKETS = 32,
	HASHDB_SUMS = 48
};
enum { HASHDB_SIZE_LEN = 5, HASHDB_REF_LEN = 4, HASHDB_BITS_MAX = 28, HASHDB_PER_BUCKET = 8 };

struct hashdb_info {
	uint32_t	sizeless;	/* mask of DIGEST_BITs; so that opening reads no record */
	uint32_t	zero;
};

/* Bytes of one record of ALG. */
static inline size_t
hashdb_stride(enum digest_alg alg)
{
	return digest_len(alg) + HASHDB_SIZE_LEN + HASHDB_REF_LEN;
}

/* How many bits of the digest choose the bucket among N records. */
static inline unsigned
hashdb_bits(uint64_t n)
{
	unsigned bits = 0;

	while (bits < HASHDB_BITS_MAX && n >> bits > HASHDB_PER_BUCKET)
		bits++;
	return bits;
}

/* The first BITS bits of a digest. */
static inline uint32_t
hashdb_bucket(const uint8_t *digest, unsigned bits)
{
	uint32_t first = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 |
	    (uint32_t)digest[2] << 8 | digest[3];

	return bits == 0 ? 0 : first >> (32 - bits);
}

/* The sum over a run of records.  The key is no secret: this finds damage, not malice. */
static inline uint32_t
hashdb_sum(const uint8_t *records, uint64_t len)
{
	static const uint8_t key[SIPHASH_KEY];

	return (uint32_t)siphash(key, slice_make((const char *)records, len));
}

/* A little-endian number of N bytes. */
static inline uint64_t
hashdb_number(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

#endif
