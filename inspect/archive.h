/* archive.h - looking into an archive while it is in transfer: the client of the sandboxed helper (inspect/helper).
 *
 *	worker                                              helper, one process for one body
 *	archive_put()  -> appends to the spool  --file-->   reads it, never beyond what it was told of
 *	archive_step() -> "there is up to N"    --socket->  unpacks, hashes, reports each member when it is complete
 *	               <- findings, "I need more than M" <-
 *
 * The spool is a file without a name.  What the helper has read and will not need is given back to the disk, beyond
 * limits.spool; a format that needs a second look (zip's directory, 7z) is unscannable when it is longer.  A helper that dies,
 * hangs or says nonsense makes the body UNSCANNABLE_HELPER and is killed; no call here takes longer than limits.time_ms in
 * all.  One archive belongs to one thread. */
#ifndef INSPECT_ARCHIVE_H
#define INSPECT_ARCHIVE_H

#include "inspect/finding.h"

struct archive;

struct archive_wish {
	const char		*helper;	/* path of the program */
	const char		*spool_dir;	/* where spools are made */
	unsigned		 algs;		/* DIGEST_BITs to compute of each member; 0: the walk alone */
	uint64_t		 until;		/* a longer member matches no rule: its digest is not wanted; UINT64_MAX = any */
	struct inspect_limits	 limits;
};

/* Begin to look into a body; FOUND is called with ARG by archive_step(), archive_look_now() and archive_end(), for each member that
 * is not empty.  One that a client may take for whole before it ends, as a gzip of several members, is reported at each such
 * point; a zip's entry twice when its local header and the directory do not say the same.  NULL without memory.  When spool or
 * helper cannot be made the result is there all the same, and archive_unscannable() says so; ERROR (may be NULL) then gets errno,
 * else 0.  WISH's strings are only borrowed.  The caller's: archive_close(), which ends the helper.  Costs a process: some
 * milliseconds. */
struct archive *archive_new(const struct archive_wish *wish, finding_fn *found, void *arg, int *error);
void archive_close(struct archive *a);

/* Take the next bytes of the body.  Does not wait for the helper. */
void archive_put(struct archive *a, struct slice bytes);

/* Let the helper consume what was put, and wait until it has: until then no byte that it has not seen may leave. */
void archive_step(struct archive *a);

/* Find what would be found if the body ended here; it goes on afterwards as if nothing had happened.  For a place where a client
 * may take what it has for whole.  Costs another process and all the bytes so far once more, of the same time.  What could not be
 * looked at is no reason yet, archive_end() says that, but a helper that misbehaves is one; so is, as "members", the wish for more
 * than 16 looks.  Does nothing when no byte was put since the last look, when the archive is done, and when a part of the spool
 * was given back. */
void archive_look_now(struct archive *a);

/* The body has ended: the rest, and the second look where the format needs one. */
void archive_end(struct archive *a);

/* Offset up to which everything that is complete there has been reported.  Not to the byte: a format's reader may ask for a header
 * or a trailer more before it says that a member has ended.  Who releases bytes holds back ARCHIVE_HOLD before this offset. */
enum { ARCHIVE_HOLD = 64 * 1024 };
uint64_t archive_judged(const struct archive *a);

/* The first reason why not all of it was looked at. */
enum unscannable archive_unscannable(const struct archive *a);

/* Nothing more is to be found: FOUND said enough, the helper is done with it or gone, or this is no archive after all. */
bool archive_done(const struct archive *a);

/* How long all calls have waited for the helper so far; starting it is not in it. */
int64_t archive_waited_ns(const struct archive *a);

#endif
