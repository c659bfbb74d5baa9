/* generation.h - one complete rule set, mapped and checked: what a worker judges by.
 *
 * Immutable from generation_open() to generation_close(); any number of threads ask it without a lock.  Segments of up to
 * GENERATION_VERIFY bytes are checked against their SHA-256 when opened; larger ones by header and bounds here, and in full
 * by publish and "firebreak status --verify".  Nothing here logs. */
#ifndef RULESET_GENERATION_H
#define RULESET_GENERATION_H

#include "hashdb/hashdb.h"
#include "ruleset/manifest.h"
#include "ruleset/rule.h"
#include "ruleset/site.h"
#include "url_rules/host_table.h"

#define GENERATION_VERIFY	(UINT64_C(16) << 20)

struct generation;

/* Open what RULES_DIR/MANIFEST names.  VERIFY checks every SHA-256 whatever the size.  NULL with errors in DIAG that name the
 * file and the reason; errno is ENOENT when there is no MANIFEST at all.  The caller's: generation_close(). */
struct generation *generation_open(const char *rules_dir, bool verify, struct diag *diag);

/* NULL is fine. */
void generation_close(struct generation *g);

uint64_t generation_number(const struct generation *g);
int64_t generation_created(const struct generation *g);		/* seconds */
const struct site *generation_site(const struct generation *g);
const struct host_table *generation_hosts(const struct generation *g);
const struct hashdb *generation_digests(const struct generation *g);
const struct manifest *generation_manifest(const struct generation *g);

/* The rule behind REF into OUT, its slices borrowed from G.  -1 when REF or its record does not hold together. */
int generation_rule(const struct generation *g, uint32_t ref, struct rule *out);

/* How many rules there are; references are 0 to that less 1. */
uint32_t generation_rules(const struct generation *g);

/* ---- the compiler's side ---- */

struct rule_table_builder;

struct rule_table_builder *rule_table_new(void);
void rule_table_free(struct rule_table_builder *b);

/* Store RULE (its text is copied, equal strings once) and give its reference.  -1 without memory. */
int rule_table_add(struct rule_table_builder *b, const struct rule *rule, uint32_t *ref);
int rule_table_write(struct rule_table_builder *b, const char *path, uint64_t *len,
    uint8_t sha256[static SEGMENT_SHA256], struct diag *diag);

/* Write SITE as a segment to PATH. */
int site_write(const struct site *site, const char *path, uint64_t *len, uint8_t sha256[static SEGMENT_SHA256],
    struct diag *diag);

#endif
