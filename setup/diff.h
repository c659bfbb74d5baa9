/* diff.h - the difference of two texts, as "diff -u" shows it. */
#ifndef SETUP_DIFF_H
#define SETUP_DIFF_H

#include "base/buf.h"

/* Append the hunks that lead from A to B, under "--- NAME_A" and "+++ NAME_B", to OUT; nothing when they are the same.  Costs lines
 * times changes; texts that differ in over 4,000 lines are shown as one hunk.  -1 without memory. */
int diff_unified(const char *name_a, struct slice a, const char *name_b, struct slice b, struct buf *out);

#endif
