/* generation.h - one complete rule set, mapped and checked: what a worker judges by.
 *
 *	MANIFEST ->  layer 12 (base):  rows, hosts, digests      the rules of most sources
 *	             layer 17:         rows, hosts, digests      of those that changed since
 *	             site:             options
 *	             lookalike:        what hosts may imitate
 *
 * All layers are asked; what a layer still has of a source that another one holds now does not count, nor what it has of a value
 * that a newer layer of the source has, or says to be gone.  Immutable from
 * generation_open() to generation_close(); any number of threads ask it without a lock.  Segments of up to GENERATION_VERIFY bytes
 * are checked against their SHA-256 when they are mapped; larger ones by header and bounds here, and in full by "firebreak status
 * --verify".  Nothing here logs. */
#ifndef RULESET_GENERATION_H
#define RULESET_GENERATION_H

#include "hashdb/hashdb.h"
#include "ruleset/exception.h"
#include "ruleset/manifest.h"
#include "ruleset/rows.h"
#include "ruleset/rule.h"
#include "ruleset/site.h"
#include "templates/page_set.h"
#include "url_rules/address_table.h"
#include "url_rules/host_table.h"
#include "url_rules/name_table.h"
#include "url_rules/path_patterns.h"

#define GENERATION_VERIFY	(UINT64_C(4) << 20)

struct generation;

/* Open what RULES_DIR/MANIFEST names.  VERIFY checks every SHA-256 whatever the size.  Layers that BEFORE (NULL is fine) has mapped
 * already are shared with it, unless VERIFY.  NULL with errors in DIAG that name the file and the reason; errno is ENOENT when
 * there is no MANIFEST at all.  The caller's: generation_close(). */
struct generation *generation_open(const char *rules_dir, bool verify, const struct generation *before, struct diag *diag);

/* The same for generation NUMBER, as long as publish keeps it (RULES_DIR/MANIFEST.NUMBER). */
struct generation *generation_open_kept(const char *rules_dir, uint64_t number, bool verify, struct diag *diag);

/* NULL is fine. */
void generation_close(struct generation *g);

uint64_t generation_number(const struct generation *g);
int64_t generation_created(const struct generation *g);		/* seconds */
const struct site *generation_site(const struct generation *g);
const struct manifest *generation_manifest(const struct generation *g);

/* The site's own pages; NULL when it has none.  Borrowed from G. */
const struct page_set *generation_pages(const struct generation *g);

/* What hosts may imitate; NULL when there is nothing.  Borrowed from G. */
const struct lookalike *generation_lookalike(const struct generation *g);

/* ---- asking; no allocation, but for a regular expression ---- */

/* Every rule for URL, in the order of host_table_match(); at most MAX are stored.  A result over MAX says how much room to
 * come back with.  *DAMAGED is set when something was skipped. */
size_t generation_match(const struct generation *g, const struct url *url, struct host_match *out, size_t max, bool *damaged);

/* Every path rule for URL, in the order of pattern_cmp(), and every address rule, longest prefix first; the same of MAX.
 * *UNCHECKED is set when some regular expression could not be asked to its end. */
size_t generation_match_patterns(const struct generation *g, const struct url *url, struct pattern_match *out, size_t max,
    bool *unchecked);
size_t generation_match_addresses(const struct generation *g, const struct url *url, struct address_match *out, size_t max,
    bool *damaged);

/* Every rule for DIGEST with SIZE or any; the same of MAX and of *DAMAGED, which may be NULL. */
size_t generation_find(const struct generation *g, const struct digest *digest, uint64_t size, struct hashdb_match *out,
    size_t max, bool *damaged);

/* Every file rule by name that one of NAMES fits, of SIZE or any; the same of MAX. */
size_t generation_match_names(const struct generation *g, const struct file_names *names, uint64_t size, struct name_match *out,
    size_t max);

/* There are file rules by name; one of them fits NAMES, of whatever size; one is for files of SIZE, or of any (both may be of a
 * source that was dropped since); the largest size of one, UINT64_MAX for any, 0 when there is none. */
bool generation_has_names(const struct generation *g);
bool generation_knows_name(const struct generation *g, const struct file_names *names);
bool generation_has_named_size(const struct generation *g, uint64_t size);
uint64_t generation_max_named_size(const struct generation *g);

/* There are exceptions at all. */
bool generation_has_exceptions(const struct generation *g);

/* An exception, by the row that it has. */
struct exception_match {
	unsigned	layer;
	uint32_t	ref;
};

/* Those that hold for revision REV of rule ID when ASKER (NULL: nobody known) asks at NOW (seconds; INT64_MIN: those that have
 * expired, too), MAX at most, into OUT; the result is how many. */
size_t generation_match_exceptions(const struct generation *g, struct slice id, uint32_t rev, const struct asker *asker,
    int64_t now, struct exception_match *out, size_t max);

/* Masks of DIGEST_BITs that some rule needs / that some rule without size needs. */
unsigned generation_algs(const struct generation *g);
unsigned generation_sizeless_algs(const struct generation *g);

/* SIZE is listed (or was, by a source that was dropped since). */
bool generation_has_size(const struct generation *g, uint64_t size);

/* The largest listed size; 0 when no rule has one. */
uint64_t generation_max_size(const struct generation *g);

/* The rule behind row REF of layer LAYER, as a match gave them, without its key: into OUT, its slices borrowed from G and NAME
 * (NULL: no name is wanted).  -1 when it does not hold together. */
int generation_rule(const struct generation *g, unsigned layer, uint32_t ref, char name[RULE_NAME_MAX], struct rule *out);

/* ---- looking at all of it ---- */

/* How many rules count, and of which kinds. */
uint64_t generation_rules(const struct generation *g);
void generation_counts(const struct generation *g, uint64_t out[static ROW_COUNTS]);

/* Show every rule that counts to VISIT, with its key, layer by layer in no useful order, until it answers other than 0, which is
 * then the result.  All of the rule is borrowed until VISIT returns.  LAYER and REF order the rules of one source as it had them.
 * *DAMAGED is set when something was skipped. */
typedef int generation_visit(void *arg, const struct rule *rule, unsigned layer, uint32_t ref);
int generation_each(const struct generation *g, generation_visit *visit, void *arg, bool *damaged);

/* The same of exceptions alone: what other rules there are costs nothing. */
int generation_each_exception(const struct generation *g, generation_visit *visit, void *arg, bool *damaged);

#endif
