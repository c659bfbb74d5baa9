/* publish.h - from sources to a live generation.
 *
 * Reads STATE/site.conf and every STATE/sources/NAME.rules, lints, compiles the segments into STATE/rules, and replaces the
 * MANIFEST last.  One flock on STATE/rules/lock serialises publishers.  When anything is wrong nothing changes. */
#ifndef RULESET_PUBLISH_H
#define RULESET_PUBLISH_H

#include "base/diag.h"
#include "ruleset/manifest.h"

struct publish_options {
	const char	*state;		/* the state folder */
	const char	*suffix_file;	/* NULL: PUBLIC_SUFFIX_FILE */
	int64_t		 now;		/* seconds */
	bool		 dry_run;	/* read, lint and count; write nothing */
};

struct publish_report {
	uint64_t generation;	/* the new one; with dry_run the one it would be */
	size_t	 sources;	/* files read */
	size_t	 rules, hosts, urls, files, protects, expired;	/* expired ones are left out */
	size_t	 sizeless;	/* file rules without a size: they force hashing */
	int64_t	 created;
};

/* Publish.  0 and REPORT; -1 with errors in DIAG (warnings may be there in either case).  Segment files that neither the new
 * MANIFEST nor the one before it names are removed: a worker still maps what it maps.  Does not touch runtime/: the caller
 * stores the generation word after this returned. */
int publish(const struct publish_options *options, struct publish_report *report, struct diag *diag);

#endif
