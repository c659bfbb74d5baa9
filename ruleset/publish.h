/* publish.h - from sources to a live generation.
 *
 *	sources: NAME.rules   changed? --yes-->  read, lint, compile --+
 *	                    |                                     +-->  a new layer  -->  MANIFEST
 *	layers of before    +---no--->  kept, or, when small, folded in --+
 *
 * Only what changed is read: a line more in a small source costs what that source costs, however many rules the others have.  One
 * flock on STATE/rules/lock serialises publishers.  Rules that wait for a person are left out and listed in STATE/held, which is
 * written right before the MANIFEST.  When anything is wrong what is live does not change.  A
 * folder that follows an origin (STATE/follow, delivery/follow.h) is refused by all but publish_rollback(). */
#ifndef RULESET_PUBLISH_H
#define RULESET_PUBLISH_H

#include "base/diag.h"
#include "ruleset/held.h"
#include "ruleset/manifest.h"

struct publish_options {
	const char	*state;		/* the state folder */
	const char	*suffix_file;	/* NULL: PUBLIC_SUFFIX_FILE */
	const char	*lists;		/* folder of the lists of sites (lint.h); NULL: LINT_FOLDER */
	const struct source_formats *formats;	/* who reads feeds (ruleset/sources.h); NULL: nobody, they are passed over */
	int64_t		 now;		/* seconds */
	bool		 dry_run;	/* read, lint and count; write nothing */
	bool		 full;		/* read every source, changed or not, into one layer */
	bool		 forward;	/* also after a rollback */
	const char	*only;		/* look at this source alone; NULL: at all of them */
	bool		 shrinks;	/* that ONLY has less rules than before is meant: it is not held for that */
	const struct held_list *budget;	/* rules that are to be held as over the budget (gate.h); NULL */
	const struct manifest *rehearsed;	/* the generation that BUDGET was found with: a source that has changed since is an
						 * error; NULL */
	bool		 locked;	/* the caller holds the publishers' lock */
};

struct publish_report {
	uint64_t generation;	/* the new one; with dry_run the one it would be */
	size_t	 sources;	/* that count */
	size_t	 changed;	/* that were read */
	size_t	 layers;
	uint64_t rules, hosts, urls, paths, addresses, files, protects, exceptions;
	uint64_t held, denied;	/* left out: until somebody decides; because somebody denied them (gate.h) */
	uint64_t refused;	/* left out, rows of feeds that were read: lint refuses them */
	uint64_t approved;	/* among those that were read: would be held, but somebody approved them */
	uint64_t expired;	/* left out, of the sources that were read */
	uint64_t sizeless;	/* file rules without a size: they force hashing */
	int64_t	 created;
};

/* Publish.  0 and REPORT; -1 with errors in DIAG (warnings may be there in either case).  Does not touch runtime/: the caller
 * stores the generation word after this returned. */
int publish(const struct publish_options *options, struct publish_report *report, struct diag *diag);

/* Make the rules of generation NUMBER (0: the one before the live one), which must be among the kept, live again, as a new
 * generation.  Until a publish with FORWARD the sources, which say otherwise, are not looked at.  The same of result and REPORT. */
int publish_rollback(const struct publish_options *options, uint64_t number, struct publish_report *report, struct diag *diag);

/* Make all layers one, from the segments alone.  The work is done without the lock; a source that was published meanwhile
 * stays as it was published.  The same of result and REPORT. */
int publish_compact(const struct publish_options *options, struct publish_report *report, struct diag *diag);

#endif
