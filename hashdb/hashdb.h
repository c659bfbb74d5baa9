/* hashdb.h - listed digests, in a mapped segment: is this (digest, size) known, and could this size be?
 *
 *	per algorithm:	lines    of 64 bytes: where a bucket of 24 or 80 records begins, and a filter of their digests
 *			records  | digest 14 to 32 | size 5 bytes, 0 = any | reference 4 | sum 2 |      sorted
 *	once:		sizes    every listed size but "any"
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

/* SIZE is listed.  Logarithmic in the number of 64 KiB steps that have one. */
bool hashdb_has_size(const struct hashdb *db, uint64_t size);

/* The largest and smallest listed size; 0 when no rule has one. */
uint64_t hashdb_max_size(const struct hashdb *db);
uint64_t hashdb_min_size(const struct hashdb *db);

/* A listed digest. */
struct hashdb_match {
	uint32_t	ref;
	uint16_t	layer;		/* for who asks several tables */
	uint64_t	size;		/* as listed: HASHDB_SIZE_ANY, or the one that was asked for */
	uint64_t	place;		/* which of the records of its algorithm it is, from 0: for who marks them */
};

/* All rules for DIGEST with size SIZE or any; at most MAX are stored, the result is how many there are.  *DAMAGED (NULL is fine) is
 * set when something did not hold together: it was skipped.  The filter is not asked: hashdb_may_have() is. */
size_t hashdb_find(const struct hashdb *db, const struct digest *digest, uint64_t size, struct hashdb_match *out, size_t max,
    bool *damaged);

/* False: no rule is for DIGEST.  True: hashdb_find() knows, and memory was asked for what that will read; once in 16 to 1,500
 * times it knows of none.  One line of memory, which hashdb_ahead() asks for: who asks several tables asks all of them
 * ahead, then all whether they may have it, then those that may, so that their answers come side by side. */
void hashdb_ahead(const struct hashdb *db, const struct digest *digest);
bool hashdb_may_have(const struct hashdb *db, const struct digest *digest);

/* Records of ALG. */
uint64_t hashdb_count(const struct hashdb *db, enum digest_alg alg);

/* Show every record of DB that holds together to VISIT, sorted, until it answers other than 0, which is then the result.
 * *DAMAGED is set when something was skipped. */
typedef int hashdb_visit(void *arg, const struct digest *digest, const struct hashdb_match *match);
int hashdb_each(const struct hashdb *db, hashdb_visit *visit, void *arg, bool *damaged);

/* ---- the writer ---- */

struct hashdb_builder;

enum { HASHDB_RULES_PER_KEY = 1024 };

/* An empty builder that holds about MEMORY bytes and puts what is more into DIR (base/sorter.h).  NULL without memory. */
struct hashdb_builder *hashdb_builder_new(size_t memory, const char *dir);
void hashdb_builder_free(struct hashdb_builder *b);

/* Add a record; SIZE 0 is any.  -1 with errno: ERANGE for a size over HASHDB_SIZE_MAX, else that of sorter_add(). */
int hashdb_builder_add(struct hashdb_builder *b, const struct digest *digest, uint64_t size, uint32_t ref);

/* Records added. */
uint64_t hashdb_builder_count(const struct hashdb_builder *b);

/* Write the segment to PATH; independent of the order of adding; a record added twice is written once.  Once a builder.  Of more
 * than HASHDB_RULES_PER_KEY records for one digest and size those with the lowest references are taken, with a warning.  -1 with
 * an error in DIAG. */
int hashdb_builder_write(struct hashdb_builder *b, const char *path, uint64_t *len,
    uint8_t sha256[static SEGMENT_SHA256], struct diag *diag);

#endif
