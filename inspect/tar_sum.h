/* tar_sum.h - the sum of a tar's header, by which a tar of any age is told.  Pure. */
#ifndef INSPECT_TAR_SUM_H
#define INSPECT_TAR_SUM_H

#include <stdbool.h>

enum { TAR_BLOCK = 512, TAR_MAGIC_AT = 257 };

/* The block P is the header of a tar's entry for one of those who read tars: its sum says so, in any form that one of them takes.
 * *WEAK: random bytes may have it. */
bool tar_sum_holds(const char p[static TAR_BLOCK], bool *weak);

/* Write the sum of the block P into it, as POSIX has it. */
void tar_sum_write(char p[static TAR_BLOCK]);

#endif
