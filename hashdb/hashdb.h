/* hashdb.h - listed digests, in a mapped segment: is this (digest, size) known, and could this size be?
 *
 *	per algorithm:	records  | digest 16, 20 or 32 | size 5 bytes LE, 0 = any | reference u32 LE |   sorted
 *			buckets  u64 start of each run of the digest's first B bits, about N/8 of them, + 1
 *			sums     u32 over each run, looked at when a digest was found in it
 *	once:		sizes    u64, sorted, each once: every listed size but "any"
 *
 * Sizes are what makes inspection cheap: a body of known length that is no listed size cannot match a rule that
 * has one.  Immutable; any number of threads ask without a lock.  Records are verified at use: a damaged file may
 * lose a rule, it never crashes and never invents one. */
#ifndef HASHDB_HASHDB_H
#define HASHDB_HASHDB_H

#include "base/diag.h"
#include "base/digest.h"
#include "base/segment.h"

enum { HASHDB_SIZE_ANY = 0 };
#define HASHDB_SIZE_MAX	((UINT64_C(1) << 40) - 1)	/* bytes: a terabyte less one */

struct hashdb;

/* Take over SEGMENT (kind SEGMENT_DIGESTS) for reading; SEGMENT must outlive the result.  NULL with an error in DIAG
 * when the sections do not fit each other. */
struct hashdb *hashdb_open(const struct segment *segment, struct diag *diag);
void hashdb_close(struct hashdb *db);

/* Mask of DIGEST_BITs that some rule needs / that some rule without size needs. */
unsigned hashdb_algs(const struct hashdb *db);
unsigned hashdb_sizeless_algs(const struct hashdb *db);

/* SIZE is listed.  Logarithmic in the number of different sizes. */
bool hashdb_has_size(const struct hashdb *db, uint64_t size);

/* The largest and smallest listed size; 0 when no rule has one. */
uint64_t hashdb_max_size(const struct hashdb *db);
uint64_t hashdb_min_size(const struct hashdb *db);

/* The references of all rules for DIGEST with size SIZE or any; at most MAX are stored, the result is how many there
 * are.  Two memory accesses in the usual case. */
size_t hashdb_find(const struct hashdb *db, const struct digest *digest, uint64_t size, uint32_t *refs,
    size_t max);

/* Records of ALG. */
uint64_t hashdb_count(const struct hashdb *db, enum digest_alg alg);

/* ---- the writer ---- */

struct hashdb_builder;

struct hashdb_builder *hashdb_builder_new(void);
void hashdb_builder_free(struct hashdb_builder *b);

/* Add a record; SIZE 0 is any.  -1 without memory (ENOMEM) or for a size over HASHDB_SIZE_MAX (ERANGE). */
int hashdb_builder_add(struct hashdb_builder *b, const struct digest *digest, uint64_t size, uint32_t ref);

/* Write the segment to PATH; independent of the order of adding; a record added twice is written once.  -1 with an
 * error in DIAG. */
int hashdb_builder_write(struct hashdb_builder *b, const char *path, uint64_t *len,
    uint8_t sha256[static SEGMENT_SHA256], struct diag *diag);

#endif
