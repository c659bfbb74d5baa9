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

/* What came. */
enum feed_check_what {
	FEED_CHECK_LIST,	/* a list of the format that its settings say */
	FEED_CHECK_MANIFEST,	/* manifest.json of a MISP feed: what is written are lines of misp_event_format(), in their order */
	FEED_CHECK_EVENT,	/* one event of it, which may have nothing that counts */
};

struct feed_check_options {
	enum feed_check_what what;
	const char	*uuid;		/* of FEED_CHECK_EVENT: which one it must be */
	const char	*helper;	/* the program */
	struct slice	 settings;	/* as sources.conf has them, good by feed_settings_read() */
	unsigned	 line, col;	/* where */
	bool		 gzip;		/* it must be packed like that */
	uint64_t	 unpacked;	/* bytes that may come out */
	uint64_t	 lines;		/* that it may have; a manifest: events */
	int64_t		 timeout_s;	/* that it may take */
};

struct feed_check_report {
	struct feed_counts	counts;
	struct digest		file;		/* SHA-256 of what was written */
	uint64_t		bytes;		/* that were written */
	bool			is_ours;	/* when the result is -1: this machine failed, whatever came */
	char			why[FEED_WHY];	/* when the result is -1; of a manifest otherwise what is bad in it first, or "" */
};

/* Bad lines are few: no more than there are entries, or than a tenth of what is meant for others. */
bool feed_check_is_mostly_good(const struct feed_counts *n);


/* Look at the file RAW, and write the list in it into OUT, an empty file.  -1 with WHY: it is not what it is said to be, too many
 * lines are bad, it is beyond a limit, or the helper could not do it.  OUT then has a part at most. */
int feed_check(const struct feed_check_options *options, int raw, int out, struct feed_check_report *report);

#endif
