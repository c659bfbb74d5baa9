/* watch.h - looking out for an archive that does not begin where the body does: behind a program that unpacks it, or behind junk.
 *
 * The signatures are those of zip's local header, 7z, rar and cab, which all stand in front of what they are of.  Pure; some
 * gigabytes a second. */
#ifndef INSPECT_WATCH_H
#define INSPECT_WATCH_H

#include "base/slice.h"

enum { WATCH_KEPT = 5 };	/* a byte less than the longest signature */

/* The end of what came before.  All zero at the beginning. */
struct watch {
	char	kept[WATCH_KEPT];
	size_t	n;
};

/* A signature begins in or before BYTES, and ends in them: then KEPT (of W) and REST (of BYTES) are everything from it on. */
bool watch_push(struct watch *w, struct slice bytes, struct slice *kept, struct slice *rest);

#endif
