/* budget.h - whom new rules would block, asked before they are published: RehearseBudget of site.conf, in whose place, or without
 * which, a feed may have its own: budget= in sources.conf.
 *
 * The candidate is judged over RehearseLogs.  Of a source whose new blocks are met by more requests than the budget, those rules
 * that are met are to be held; what a person has approved as that does not count. */
#ifndef COMMAND_BUDGET_H
#define COMMAND_BUDGET_H

#include "command/candidate.h"
#include "ruleset/held.h"

struct budget {
	struct candidate	 candidate;	/* what was rehearsed; its generation is NULL when nothing was */
	struct held_list	 over;		/* by held_index() */
};

/* Ask for a publish by OPTIONS, if C's site or a feed has a budget and something would change.  What cannot be asked is a
 * warning in DIAG, and nothing is held for it; what is wrong with the sources publish will say itself.  B is to be given to
 * budget_fini() in either case. */
void budget_ask(const struct call *c, const struct publish_options *options, struct budget *b, struct diag *diag);
void budget_fini(struct budget *b);

#endif
