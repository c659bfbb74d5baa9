/* findings.h - judges what inspection finds in one body, one thing after the other, and keeps what counts most.
 *
 * A block stops the inspection; in observe mode it is only kept.  Of what does not stop, the first of the highest rank is kept:
 * block, would block, could not be checked, let through by an exception, allowed by a rule, nothing.  Pure. */
#ifndef JUDGE_FINDINGS_H
#define JUDGE_FINDINGS_H

#include "judge/judge.h"

/* One thing that was found, and what the rules say of it. */
struct judged {
	struct body_facts facts;
	struct why	  why;
	char		  member[FINDING_NAME_MAX];
};

struct findings {
	const struct generation	*g;
	int64_t			 now;
	bool			 stops;		/* a block ends it */
	const struct file_names	*names;		/* of the body; NULL: no rule goes by one of them */
	const struct asker	*asker;		/* NULL: no exceptions */
	bool			 members_named;	/* rules go by names: those of members count */
	struct file_names	 member_names;	/* of the member that is judged */
	struct judged		 judged[2];	/* one is kept, the other is for the next */
	int			 kept;
	bool			 any;		/* the kept one is there */
	unsigned		 n;		/* how many were judged for good */
	bool			 excepted;	/* an exception let any of them through, kept or not */
	int64_t			 ends;		/* when the first rule that decided any of them does; 0: none does */
};

/* Nothing found yet.  NAMES, borrowed, are those of the body if a rule goes by one (struct inspect_plan), else NULL; ASKER,
 * borrowed, is who gets it, or NULL.  F may not be moved afterwards. */
void findings_init(struct findings *f, const struct generation *g, int64_t now, bool stops, const struct file_names *names,
    const struct asker *asker);

/* For inspector_new(): ARG is the struct findings. */
bool findings_found(void *arg, const struct finding *finding);
bool findings_may_be_listed(void *arg, uint64_t size);

/* What counts most, or NULL when nothing was found at all. */
const struct judged *findings_kept(const struct findings *f);

#endif
