/* download.h - files of one feed, as its origin has them now: fetched, and verified when a key is pinned; nothing of them is read.
 *
 * What is packed stays packed, and what is wrong is one line.  Several files of a folder share a connection.  No thread of its own;
 * one at a time. */
#ifndef DELIVERY_DOWNLOAD_H
#define DELIVERY_DOWNLOAD_H

#include "delivery/transfer.h"
#include "feeds/feed_origin.h"
#include "feeds/feed_state.h"

struct download;

/* Get ready to fetch from ORIGIN, which is borrowed.  NULL with WHY: the file of header= is no good, its URL is none, no memory.
 * The caller's: download_close(). */
struct download *download_open(const struct feed_origin *origin, char why[static FEED_WHY]);
void download_close(struct download *d);

struct download_request {
	const char		*name;		/* of a file in the folder that the origin stands in; NULL: the origin itself */
	const struct feed_state	*have;		/* of the one that is here; NULL: there is none, or it is to be fetched in any case */
	uint64_t		 max;		/* bytes that may come */
	int64_t			 end_ms;	/* by clock_boot_ms(); 0: the file may take its timeout=, and so may its signature */
	bool			 is_signed;	/* where a key is pinned it has a signature beside it */
};

struct download_answer {
	bool		not_modified;	/* the origin says that HAVE is it */
	bool		gzip;		/* what came is to be a gzip: the origin said so */
	uint64_t	bytes;		/* that came in */
	/* When the result is -1: */
	bool		too_long;	/* more than MAX */
	bool		hopeless;	/* 429 or 503, or it cannot be written: another file would fail as well */
	int64_t		retry_after_s;	/* 0: not said */
	char		why[FEED_WHY];
	/* Otherwise: */
	char		etag[FEED_VALIDATOR], modified[FEED_VALIDATOR];
};

/* Fetch what RQ asks for to where FD, of an empty file, stands.  -1 with WHY; FD then has a part. */
int download_get(struct download *d, const struct download_request *rq, int fd, struct download_answer *out);

#endif
