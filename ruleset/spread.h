/* spread.h - a source as its layers have it, one or several, while its next layer is made: which of its rules are still in the
 * list, which are not, and what has to be said of it in the new layer.
 *
 *	layers of the source    12 -------- 17 - 19        the first has all of it, the others what changed
 *	                         \           \____ folded into the new one, from FIRST on, with what changed now
 *	                          stays
 *
 * The rule that counts for a value is what the newest layer says that has the value at all.  A new layer says of each value that
 * changed all rules that there are for it now, or, when there are none and a layer that stays has one, that it is gone.  One
 * thread. */
#ifndef RULESET_SPREAD_H
#define RULESET_SPREAD_H

#include "base/sorter.h"
#include "ruleset/compile.h"
#include "ruleset/layer_rules.h"

struct spread;

/* Marks of the rules of layers, a bit a place, for all sources together; all zero to begin with. */
struct spread_marks {
	uint64_t	*of[MANIFEST_LAYERS];
};

void spread_marks_fini(struct spread_marks *marks);

/* The source NAMED in the LAYERS of its MANIFEST, of which there are N.  With MARKS its rules can be kept or go; NULL means that
 * all of them stay.  All must outlive the result.  NULL with errno: without memory, or EINVAL when a layer does not have it as it
 * should, or could not be opened (NULL).  The caller's: spread_free(). */
struct spread *spread_new(struct layer *const *layers, size_t n, const struct manifest_source *named, struct spread_marks *marks);
void spread_free(struct spread *s);

/* Of a spread with MARKS alone, as the next three: RULE, with kind and key and as a row says it, is there already, and is marked to
 * stay (KEEPS) or to go: 1; 0 when it is not there; -1 without memory. */
int spread_keep(struct spread *s, const struct rule *rule, bool keeps);

/* Ask memory ahead for what spread_keep() will look at, in two steps, as layer_ahead() does. */
uint64_t spread_ahead(const struct spread *s, const struct rule *rule);
void spread_ahead_more(const struct spread *s, const struct rule *rule, uint64_t hash);

/* Give each value of the N SPREADS that has a rule without a mark to VISIT, as often as it has such rules, with the one of ARGS
 * that belongs to its spread, until it answers other than 0, which is then the result; -1 without memory.  Each of the N_LAYERS
 * LAYERS is gone through once. */
typedef int spread_visit(void *arg, enum rule_kind kind, const struct rule_key *key);
int spread_each_gone(struct spread *const *spreads, void *const *args, size_t n, struct layer *const *layers, size_t n_layers,
    spread_visit *visit);

/* Something did not hold together and was passed over: a layer that folds all others is whole again. */
bool spread_is_damaged(const struct spread *s);

/* A sum over the patterns, names and exceptions of the source, of whatever order they are; the same of one RULE. */
uint64_t spread_few(const struct spread *s);
uint64_t spread_few_of(const struct rule *rule);

/* What the source counts. */
void spread_counts(const struct spread *s, uint64_t out[static ROW_COUNTS]);

/* Write the source into C's layer, with its layers from FIRST on folded in; all of them (0), and it is no delta.  CHANGES, sorted,
 * says what changed since, as spread_change() writes it; NULL, and nothing did, or was read.  Once.  -1 with errno. */
int spread_write(struct spread *s, struct compiler *c, size_t first, struct sorter *changes,
    const uint64_t counts[static ROW_COUNTS]);

/* Append to CHANGE that RULE, with kind and key, is new; or, with SAYS false, that something of its value is gone. */
int spread_change(const struct rule *rule, bool says, struct buf *change);

#endif
