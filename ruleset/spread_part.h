/* spread_part.h - the parts that a source has in its layers, and marks in them, between who looks for rules and who writes the next
 * layer.  For ruleset/spread*.c only. */
#ifndef RULESET_SPREAD_PART_H
#define RULESET_SPREAD_PART_H

#include "ruleset/layer_rules.h"
#include "ruleset/spread.h"

enum { MARK_BITS = 64 };
#define NONE	SIZE_MAX		/* a number of no part */

/* The source in one layer. */
struct part {
	const struct layer	*layer;
	size_t			 index;		/* of the source there */
	struct row_source	 source;
	uint32_t		 removed;	/* the row of what is gone; UINT32_MAX when nothing is */
	uint64_t		*marks;		/* of the layer: of a rule, that it stays; of what is gone, that this changed */
	uint32_t		 ref;		/* of ROW, which was asked for last */
	bool			 has_row;
	struct rule		 row;
	char			 name[RULE_NAME_MAX];
};

struct spread {
	struct part		 parts[MANIFEST_LAYERS];	/* from the oldest on */
	size_t			 n;
	struct layer_places	 places;	/* what spread_find() found */
	bool			 marked, damaged;
};

/* The newest part from FROM to below TO that has the value KEY; what it has is in PLACES.  TO: none has it.  NONE: no memory. */
size_t spread_find(struct spread *s, size_t from, size_t to, enum rule_kind kind, const struct rule_key *key);

/* What row REF of P says, mostly as the row before; NULL when it does not hold together. */
const struct rule *spread_row(struct spread *s, struct part *p, uint32_t ref);

/* Some newer part than number PART has the value: 1; 0; -1 without memory. */
int spread_is_replaced(struct spread *s, size_t part, enum rule_kind kind, const struct rule_key *key);

/* The rule at PLACE of P's layer has its mark; give it one, or take it away. */
static inline bool
is_marked(const struct part *p, uint64_t place)
{
	return (p->marks[place / MARK_BITS] >> place % MARK_BITS & 1) != 0;
}

static inline void
mark(struct part *p, uint64_t place, bool on)
{
	uint64_t bit = UINT64_C(1) << place % MARK_BITS;

	p->marks[place / MARK_BITS] = on ? p->marks[place / MARK_BITS] | bit : p->marks[place / MARK_BITS] & ~bit;
}

/* Row REF of P's layer is of the source. */
static inline bool
is_of_part(const struct part *p, uint32_t ref)
{
	return ref - p->source.first < p->source.n;
}

#endif
