/* check.h - what came back and what was logged, held against what the case says. */
#ifndef T_REPLAY_CHECK_H
#define T_REPLAY_CHECK_H

#include "t/replay/case.h"

/* Where and how an exchange was run. */
struct check_run {
	bool		 fake;		/* the fake server: deterministic, and this very process */
	uint64_t	 generation;	/* in force; 0 = none */
	const struct case_line *never;	/* what no event and no page may show */
	const struct case_line *unshown;	/* what no page may show */
	const struct case_line *shown;		/* what every page shows */
};

/* Compare REPLY and LOG, the event lines that the exchange X added.  Each difference is a line in WHY. */
void check_exchange(const struct check_run *run, const struct case_exchange *x, const struct icap_reply *reply,
    struct slice log, struct buf *why);

/* Every line of the server's LOG is one that EXPECTED names, and each of EXPECTED is there. */
void check_server_log(const struct case_line *expected, struct slice log, struct buf *why);

#endif
