/* unpack.h - the oracle: whatever a client could get out of bytes that it has, be they cut, damaged or padded.
 *
 * It is as tolerant as anything could be and knows nothing of Firebreak: each decoder gives all output that its input allows; what
 * it gives is looked at where a member, frame or stream ends, and where the bytes end.  Zips are read by their local heads and tars
 * by their heads, also when they are cut; libarchive reads whatever else there is.  A zip with something before it opens by its
 * directory only, as for any client. */
#ifndef T_PROPERTY_UNPACK_H
#define T_PROPERTY_UNPACK_H

#include "t/property/pack.h"

/* Called with each thing that comes out.  True: enough. */
typedef bool unpack_fn(void *arg, struct slice thing);

enum { UNPACK_MAX = 16 * 1024 * 1024, UNPACK_DEPTH = 8 };

/* All that IN can be taken for once CODINGS, N of them in the order of Content-Encoding, are undone, and all members of it.
 * INNER: IN is from somewhere in the middle, and whoever has it may look for members anywhere. */
bool unpack(struct slice in, const enum coding *codings, size_t n, bool inner, unpack_fn *found, void *arg);

#endif
