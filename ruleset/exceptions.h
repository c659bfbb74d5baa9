/* exceptions.h - the exceptions of one layer, in a segment: few, and asked only when a rule would block.
 *
 * Opening reads the segment whole and keeps nothing of it.  From then on a table is immutable; any number of threads may ask it
 * without a lock. */
#ifndef RULESET_EXCEPTIONS_H
#define RULESET_EXCEPTIONS_H

#include "base/text_rows.h"
#include "ruleset/exception.h"

enum { EXCEPTIONS_MAX = 10000 };	/* of all sources together, and so of one table */

struct exceptions;

/* Read SEGMENT (kind SEGMENT_EXCEPTIONS).  A row that does not hold together is left out with a warning in DIAG, and counted by
 * exceptions_lost().  NULL with an error in DIAG when the segment as a whole does not hold together, or without memory. */
struct exceptions *exceptions_open(const struct segment *segment, struct diag *diag);
void exceptions_close(struct exceptions *t);

size_t exceptions_lost(const struct exceptions *t);

/* Row I: its text, borrowed from the table, and its reference; -1 when I is too high. */
int exceptions_at(const struct exceptions *t, size_t i, struct slice *text, uint32_t *ref);

/* The next of those that hold for revision REV of rule ID when ASKER asks: its reference; false when there is no more.  *AT is 0 at
 * first.  Logarithmic in their number. */
bool exceptions_next(const struct exceptions *t, struct slice id, uint32_t rev, const struct asker *asker, size_t *at,
    uint32_t *ref);

#endif
