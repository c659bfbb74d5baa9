/* compile.h - makes one layer of a generation: rows, hosts and digests of whole sources, from rules or from other layers.
 *
 *	compiler_source, compiler_add ...       a source that was read
 *	compiler_feed, compiler_add ...         the same of a feed
 *	compiler_feed, compiler_put ...         what changed in a feed, or a feed that was in several layers
 *	compiler_copy                           a source as another layer has it
 *	compiler_write                          the segments
 *
 * A feed's rows do not depend on the order of its list: whether it is read as a whole, or as it was and then what changed of it,
 * the same rules make the same segments.  First come four rows, for what has nothing of its own: block and allow, of hosts and of
 * files, which end as the source does (rule.h); then what else there is, sorted by what it says, once each.  In a delta the row of
 * what was removed stands before them (rows.h).
 *
 * The memory of hosts and digests is bounded (base/sorter.h): what does not fit goes into files without a name in the rules
 * folder.  Rows are written as they come; what many of them share, networks, patterns, and while a table is written its index and
 * sums are held. */
#ifndef RULESET_COMPILE_H
#define RULESET_COMPILE_H

#include "ruleset/layer.h"
#include "ruleset/manifest.h"
#include "ruleset/rule.h"

struct compiler;

/* Bytes that a compiler keeps of hosts and digests before it puts them aside. */
#define COMPILER_MEMORY	((size_t)384 << 20)

/* Begin layer NUMBER in RULES_DIR.  NULL with an error in DIAG, which must outlive it.  The caller's: compiler_free(), which
 * removes what was not written. */
struct compiler *compiler_new(const char *rules_dir, uint64_t number, size_t memory, struct diag *diag);
void compiler_free(struct compiler *c);

/* The rules that follow are of source NAME: each once, in any order.  -1 with an error in DIAG. */
int compiler_source(struct compiler *c, struct slice name);

/* The same of a feed, whose rules have neither label nor line; DELTA: of what changed in it since layers that stay. */
int compiler_feed(struct compiler *c, struct slice name, bool delta);

/* Add RULE, which matches MATCH, and count it.  -1 with errno. */
int compiler_add(struct compiler *c, const struct rule *rule, const struct rule_match *match);

/* Add RULE, which has a kind and a key, to a feed.  Say of a delta that there is no rule for KEY any more.  Neither is counted:
 * COUNTS are those of the whole source.  -1 with errno. */
int compiler_put(struct compiler *c, const struct rule *rule);
int compiler_remove(struct compiler *c, enum rule_kind kind, const struct rule_key *key);
void compiler_set_counts(struct compiler *c, const uint64_t counts[static ROW_COUNTS]);

/* Add source I of LAYER as it is.  LAYER must live until compiler_write().  -1 with an error in DIAG. */
int compiler_copy(struct compiler *c, const struct layer *layer, size_t i);

/* Write the segments and say in OUT which they are.  Once a compiler.  -1 with an error in DIAG, and nothing is left. */
int compiler_write(struct compiler *c, struct manifest_layer *out);

/* Rules of the last source so far. */
uint64_t compiler_rules(const struct compiler *c);

/* What there is of each source. */
size_t compiler_sources(const struct compiler *c);
struct row_source compiler_get_source(const struct compiler *c, size_t i);

/* Count RULE, which matches MATCH, in COUNTS. */
void compiler_count(uint64_t counts[static ROW_COUNTS], const struct rule *rule, const struct rule_match *match);

#endif
