/* feed_state.h - what "firebreak update" remembers of a feed that it fetches: STATE/update/NAME.
 *
 *	firebreak-feed 1
 *	line 2c26b46b...			SHA-256 of its line in sources.conf: with another, the list is fetched and looked at again
 *	asked 2c26b46b...			the same of the last try
 *	etag "5e1f"				as the origin gave it; may be missing
 *	modified Fri, 27 Nov 2026 07:00:00 GMT	Last-Modified, the same
 *	raw 9f86d081...				SHA-256 of what came in
 *	file 60303ae2...			and of the list that was made of it, which is in sources/
 *	tried 2026-11-27T08:00:00Z		when it was last asked for
 *	good 2026-11-27T08:00:00Z		when the origin last said something good, "nothing new" too
 *	next 2026-11-27T09:00:00Z		not before
 *	failures 2				since GOOD
 *	why the origin answered with status 503	when there are
 *
 * Written by rename, after the list is in its place: a run that was killed between fetches what it has.  Who writes holds
 * STATE/update/.lock. */
#ifndef FEEDS_FEED_STATE_H
#define FEEDS_FEED_STATE_H

#include "base/diag.h"
#include "base/digest.h"

enum { FEED_VALIDATOR = 256, FEED_WHY = 400, FEED_BACKOFF_FIRST_S = 300, FEED_BACKOFF_LAST_S = 6 * 3600,
	FEED_RETRY_AFTER_S = 24 * 3600 };

/* Where the list of a feed NAME is, with its name: "sources/NAME.feed". */
#define FEED_FILE_END	".feed"

struct feed_state {
	char		etag[FEED_VALIDATOR], modified[FEED_VALIDATOR];	/* "" when there is none */
	bool		has_line, has_asked, has_raw, has_file;
	struct digest	line, asked, raw, file;
	int64_t		tried, good, next;				/* seconds; 0: never */
	uint64_t	failures;
	char		why[FEED_WHY];					/* one line, blanks for controls */
};

/* Read what STATE has of NAME.  One that is missing, or damaged, is as of a feed that was never asked for: the next run fetches
 * it. */
void feed_state_load(const char *state, const char *name, struct feed_state *out);

/* Replace it.  -1 with errno. */
int feed_state_write(const char *state, const char *name, const struct feed_state *s);

/* The run at NOW was good; it failed, for WHY, and the origin wants to be left alone for RETRY_AFTER seconds (0: said nothing).
 * EVERY is the feed's interval. */
void feed_state_good(struct feed_state *s, int64_t now, int64_t every);
void feed_state_failed(struct feed_state *s, int64_t now, int64_t every, int64_t retry_after, struct slice why);

/* It is time to ask: at NOW, or the clock was set back behind the last time. */
bool feed_state_is_due(const struct feed_state *s, int64_t now);

/* The origin has said nothing good for more than twice EVERY, or never. */
bool feed_state_is_stale(const struct feed_state *s, int64_t now, int64_t every);

/* Copy TEXT into OUT of SIZE bytes, cut, with blanks for controls. */
void feed_state_text(char *out, size_t size, struct slice text);

#endif
