/* seen.h - a set of digests with sizes: what was reported already.  A zeroed struct is an empty one.  One thread. */
#ifndef INSPECT_HELPER_SEEN_H
#define INSPECT_HELPER_SEEN_H

#include "base/digest.h"

struct seen {
	struct seen_row	*rows;
	size_t		 n, cap;
};

/* Free what it holds. */
void seen_fini(struct seen *s);

/* Add a file; nothing happens without memory. */
void seen_add(struct seen *s, uint64_t size, const struct digest *d);

/* It was added. */
bool seen_has(const struct seen *s, uint64_t size, const struct digest *d);

#endif
