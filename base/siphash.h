/* siphash.h - SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash for tables that strangers fill.
 *
 * Whoever does not know the key cannot choose inputs that collide.  Pure. */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include "base/slice.h"

enum { SIPHASH_KEY = 16 };

/* The 64-bit hash of DATA under KEY; the same on machines of either byte order. */
uint64_t siphash(const uint8_t key[static SIPHASH_KEY], struct slice data);

#endif
