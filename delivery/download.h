/* download.h - the list of one feed, as its origin has it now: fetched, and verified when a key is pinned; nothing of it is read.
 *
 * What is packed stays packed, and what is wrong is one line.  No thread of its own; one at a time. */
#ifndef DELIVERY_DOWNLOAD_H
#define DELIVERY_DOWNLOAD_H

#include "delivery/transfer.h"
#include "feeds/feed_origin.h"
#include "feeds/feed_state.h"

struct download_answer {
	bool		not_modified;	/* the origin says that HAVE is it */
	bool		gzip;		/* what came is to be a gzip: the origin said so */
	uint64_t	bytes;		/* that came in */
	int64_t		retry_after_s;	/* 0: not said */
	char		etag[FEED_VALIDATOR], modified[FEED_VALIDATOR];
	char		why[FEED_WHY];	/* when the result is -1 */
};

/* Fetch the list of ORIGIN into FD, an empty file.  HAVE is what is remembered of the one that is here; NULL when there is none,
 * or it is to be fetched in any case.  -1 with WHY. */
int download(const struct feed_origin *origin, const struct feed_state *have, int fd, struct download_answer *out);

#endif
