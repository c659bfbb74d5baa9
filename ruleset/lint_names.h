/* lint_names.h - the names of several lists in one table: which lists a rule for a host touches, told in one pass over the
 * host.  For lint.c only.
 *
 * A listed name stands for itself ("x"), for itself and all below ("."), or for all below ("*."), as in rules(5).  What lies
 * above a listed name is in the table too, so that one look says that a wide rule there would cover it.  Immutable once
 * filled; threads may then share it. */
#ifndef RULESET_LINT_NAMES_H
#define RULESET_LINT_NAMES_H

#include "url_rules/host_table.h"

enum lint_list { LIST_OWN, LIST_PROTECTED, LIST_TOP, LIST_SHARED, LIST_LOCAL, LINT_LISTS };

struct lint_names;

/* An empty table; NULL without memory.  The caller's: lint_names_free(). */
struct lint_names *lint_names_new(void);

/* NULL is fine. */
void lint_names_free(struct lint_names *names);

/* Put HOST, canonical, on LIST.  -1 without memory. */
int lint_names_add(struct lint_names *names, enum lint_list list, enum host_scope scope, struct slice host);

/* A bit for each list that a rule of SCOPE for HOST touches: it would refuse a host that the list means.  For each bit OUT
 * gets the listed name, borrowed from NAMES: the longest above HOST, else one below.  No allocation; the cost grows with
 * HOST, not with the lists. */
unsigned lint_names_touched(const struct lint_names *names, enum host_scope scope, struct slice host,
    struct slice out[static LINT_LISTS]);

#endif
