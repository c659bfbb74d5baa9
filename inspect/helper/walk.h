/* walk.h - walks through a body: what is in it, what is in that, and so on, each with size and digests.
 *
 * Everything is pulled: an archive within an archive reads from the entry of the outer one while that is unpacked, so that nothing
 * is stored to be opened later.  Formats that end with their directory (zip, 7z), or that stand behind something else, are read
 * again with random access: the body from its spool, what is nested from a bounded copy in memory.
 *
 * Knows nothing of processes and sockets: those are behind struct walk_io.  One thread. */
#ifndef INSPECT_HELPER_WALK_H
#define INSPECT_HELPER_WALK_H

#include <sys/types.h>

#include "inspect/finding.h"

struct walk_io {
	/* Bytes of the body from AT on, which are available: how many; -1. */
	ssize_t		(*read)(void *arg, uint64_t at, char *buf, size_t size);
	/* All below HAVE has been used: wait for more.  How much there is now; *ENDED when that is all. */
	uint64_t	(*more)(void *arg, uint64_t have, bool *ended);
	/* Something is complete.  False: stop. */
	bool		(*finding)(void *arg, const struct finding *f);
	/* The first reason why something was not looked at.  The walk may go on. */
	void		(*unscannable)(void *arg, enum unscannable reason);
	void		*arg;
};

struct walk_wish {
	unsigned		algs;
	uint64_t		until;
	struct inspect_limits	limits;		/* without the time, which is not kept here */
};

/* Walk through a body, which need not be an archive.  UNSCANNABLE_NO when all of it was looked at.  Memory is bounded by
 * SOURCE_BUDGET and what the formats need to unpack. */
enum unscannable walk_body(const struct walk_wish *wish, const struct walk_io *io);

#endif
