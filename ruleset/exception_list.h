/* exception_list.h - all exceptions of a generation, and whether each still does something.
 *
 * Whoever judges asks generation_match_exceptions(); this is for people who look.  It goes through all rules of the generation. */
#ifndef RULESET_EXCEPTION_LIST_H
#define RULESET_EXCEPTION_LIST_H

#include "ruleset/generation.h"

enum exception_state { EXCEPTION_HOLDS, EXCEPTION_EXPIRED, EXCEPTION_LAPSED, EXCEPTION_ORPHAN };

/* "holds", "expired", "lapsed: the rule has another revision", "the rule is gone". */
const char *exception_state_text(enum exception_state state);

/* RULE is the exception, borrowed until the visitor returns. */
typedef void exception_list_visit(void *arg, const struct rule *rule, enum exception_state state);

/* Visit every exception of G as it is at NOW (seconds).  *DAMAGED is set when something was skipped.  -1 without memory.  Memory
 * grows with the exceptions, which are at most EXCEPTIONS_MAX a layer. */
int exception_list(const struct generation *g, int64_t now, exception_list_visit *visit, void *arg, bool *damaged);

#endif
