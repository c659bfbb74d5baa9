/* layer_rules.h - the rules of a layer by what they match: all of them, or those of exactly one value.
 *
 * Every rule that is found by its value has a place, a number of its own in its layer, so that who goes through a layer can mark
 * rules by a bit each.  All others share one, the last. */
#ifndef RULESET_LAYER_RULES_H
#define RULESET_LAYER_RULES_H

#include "ruleset/layer.h"

/* Show every rule of L that holds together to VISIT, hosts first, until it answers other than 0, which is then the result.  KEY is
 * borrowed until VISIT returns.  *DAMAGED is set when something was skipped; never of what is few, as a layer whose patterns, names
 * or exceptions lost one is not opened. */
typedef int layer_visit(void *arg, enum rule_kind kind, const struct rule_key *key, uint32_t ref, uint64_t place);
int layer_each(const struct layer *l, layer_visit *visit, void *arg, bool *damaged);

/* The same of exceptions alone, and of all that is not found by its value. */
int layer_each_exception(const struct layer *l, layer_visit *visit, void *arg);
int layer_each_few(const struct layer *l, layer_visit *visit, void *arg);

/* Every place is less than this. */
uint64_t layer_places(const struct layer *l);

/* Rules of this kind and key are found by their value: hosts, URLs, digests and addresses.  A source has so few patterns, names and
 * exceptions that its newest layer has all of them. */
bool layer_is_by_value(enum rule_kind kind, const struct rule_key *key);

struct layer_place {
	uint32_t	ref;
	uint64_t	place;
};

/* Places that were found; all zero to begin with, used again as often as needed, and freed in the end. */
struct layer_places {
	struct layer_place	*v;
	size_t			 n, cap;
};

void layer_places_fini(struct layer_places *p);

/* Those rules of SOURCE, a number as rows_find() has it, whose value is exactly KEY, which is by value, into OUT, in the order of
 * references.  -1 without memory. */
int layer_find(const struct layer *l, size_t source, enum rule_kind kind, const struct rule_key *key, struct layer_places *out,
    bool *damaged);

/* Who asks for many values asks memory ahead, some values before layer_find(); a while later once more with HASH, the result of the
 * first, and the result is about where the places are. */
uint64_t layer_ahead(const struct layer *l, enum rule_kind kind, const struct rule_key *key);
uint64_t layer_ahead_more(const struct layer *l, enum rule_kind kind, const struct rule_key *key, uint64_t hash);

#endif
