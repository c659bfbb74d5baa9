/* feed_check.h - what came from an origin, unpacked and looked at before it becomes a source: by a process without privileges.
 *
 *	what came in --> firebreak-feed-helper --> the list, and whether it is one of the format that its settings say
 *	                  (a sandbox: it reads that one file and talks over one socket, and cannot do anything else)
 *
 * Undone are gzip (RFC 1952), twice at most, and a zip with a single member.  The helper parses; what it says is checked here as
 * if a stranger had said it: limits, text. */
#ifndef FEEDS_FEED_CHECK_H
#define FEEDS_FEED_CHECK_H

#include "base/digest.h"
#include "feeds/feed.h"
#include "feeds/feed_state.h"

#define FEED_HELPER	FIREBREAK_LIBEXEC "/firebreak-feed-helper"

struct feed_check_options {
	const char	*helper;	/* the program */
	struct slice	 settings;	/* as sources.conf has them, good by feed_settings_read() */
	unsigned	 line, col;	/* where */
	bool		 gzip;		/* it must be packed like that */
	uint64_t	 unpacked;	/* bytes that may come out */
	uint64_t	 lines;		/* that it may have */
	int64_t		 timeout_s;	/* that it may take */
};

struct feed_check_report {
	struct feed_counts	counts;
	struct digest		file;		/* SHA-256 of what was written */
	uint64_t		bytes;		/* that were written */
	char			why[FEED_WHY];	/* when the result is -1 */
};

/* Look at the file RAW, and write the list in it into OUT, an empty file.  -1 with WHY: it is not a list of its format, too many
 * lines are bad, it is beyond a limit, or the helper could not do it.  OUT then has a part at most. */
int feed_check(const struct feed_check_options *options, int raw, int out, struct feed_check_report *report);

#endif
