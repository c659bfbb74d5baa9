/* update.h - the parts of "firebreak update".
 *
 *	sources.conf --> update_list: which feeds have an origin, and are due
 *	                     |
 *	      a process each, a few at once (update_fetch): fetched, verified, unpacked, looked at --> STATE/update/.new.NAME
 *	                     |
 *	      all that changed at once (update_live): into sources/, published, remembered in STATE/update/NAME
 *
 * A run may be killed anywhere.  Before a list takes the place of another, the old one gets the name STATE/update/.before.NAME, and
 * loses it when the new one is live and remembered.  A list in sources/ that is not the one remembered was never known to be live:
 * the next run publishes it, or puts the old one back.  Who updates holds STATE/update/.lock. */
#ifndef COMMAND_UPDATE_H
#define COMMAND_UPDATE_H

#include <sys/types.h>

#include "base/diag.h"
#include "command/call.h"
#include "command/incoming.h"
#include "command/live.h"
#include "feeds/feed_list.h"

enum update_outcome {
	UPDATE_NOT_DUE,		/* not asked for */
	UPDATE_SAME,		/* nothing new */
	UPDATE_NEW,		/* another list */
	UPDATE_FAILED,		/* the last good list stays */
	UPDATE_REFUSED,		/* could not be published: the last good list stays */
	UPDATE_HELD,		/* the list is held for a person: the last good rules stay */
};

/* What a process that fetched says at its end, through a pipe. */
struct update_result {
	enum update_outcome	outcome;	/* the first four */
	uint64_t		bytes;		/* that came in */
	struct feed_counts	counts;		/* of UPDATE_NEW */
	struct digest		raw, file;	/* unless it failed */
	bool			has_raw;	/* something came in */
	bool			partly;		/* not all of it could be used: it is to be asked for again, whatever the validators say */
	int64_t			retry_after_s;
	char			etag[FEED_VALIDATOR], modified[FEED_VALIDATOR];
	char			why[FEED_WHY];	/* of UPDATE_FAILED; of others what is worth telling, or "" */
};

struct update_source {
	struct feed_item	*feed;
	struct digest		 digest;	/* SHA-256 of its line in sources.conf */
	bool			 wanted;	/* is to be asked for in this run */
	struct update_result	 result;
	bool			 unproven;	/* the list in sources/ is not the one remembered: it was never known to be live */
	bool			 was_unproven;	/* so it was, and may have been put back */
	char			 staged[STATE_PATH], before[STATE_PATH];
	pid_t			 pid;		/* of the process that fetches; 0 */
	int			 pipe;
	size_t			 got;		/* bytes of the result */
};

struct update {
	const struct call	*call;
	int64_t			 now;		/* seconds */
	bool			 force, dry_run;
	const char		*only;		/* names, with commas; NULL: all that are due */
	struct feed_list	 list;
	struct update_source	*v;		/* of each in LIST */
	size_t			 n;
	struct diag		*diag;
	struct publish_report	 report;	/* its generation is 0 when nothing was published */
	struct confirmation	 confirmation;
	struct incoming		 alerts;
};

/* Read sources.conf into U: every source that has an origin, with what is remembered of it, and which are wanted: those that are
 * due, or all when U->force; those of U->only alone when that is not NULL.  Those that another file has the name of are
 * UPDATE_FAILED already.  What a killed run left is found: lists that are unproven; where there is none,
 * STATE/update/.before.NAME is removed, unless U->dry_run.  -1 with errors in U->diag: a line that is wrong, a name in U->only
 * that has no origin.  update_free() is due in either case. */
int update_list(struct update *u);
void update_free(struct update *u);

/* Fetch the wanted sources, a few at once, but for those that are UPDATE_FAILED already; the results and the staged files have what
 * came. */
void update_fetch(struct update *u);

/* Publish as "firebreak publish" does, without those lists that make it fail: they go back.  EXIT_FINE, EXIT_FOUND when it is not
 * everywhere, or not signed; EXIT_TROUBLE when nothing could be published, for a reason that is in U->diag. */
int update_publish(struct update *u);

/* Put the new lists in their places, publish when there is something new or FORCED, and remember.  The same. */
int update_live(struct update *u, bool forced);

#endif
