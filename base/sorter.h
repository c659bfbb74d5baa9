/* sorter.h - sorts more records than memory holds: an external merge sort (Knuth, TAOCP 3, 5.4).
 *
 *	add, add, add ...  ->  [ memory ]  full: sorted, appended as a run to one unlinked file
 *	next, next, next   <-  the smallest head of all runs and of what is still in memory
 *
 * Records are byte strings of up to SORTER_RECORD_MAX bytes, in the order of memcmp(), a shorter one first; equal ones come out
 * once.  Memory is bounded by what was asked for, plus a read buffer a run.  One thread at a time. */
#ifndef BASE_SORTER_H
#define BASE_SORTER_H

#include <stdio.h>

#include "base/slice.h"

enum { SORTER_RECORD_MAX = 1 << 20, SORTER_RUNS_MAX = 4096 };
#define SORTER_MEMORY_MIN	((size_t)4 << 20)

struct sorter;

/* An empty sorter that keeps at most MEMORY bytes (at least SORTER_MEMORY_MIN) of records and writes the others into a file
 * without a name in DIR, which is made when it is needed.  NULL without memory.  The caller's: sorter_free(). */
struct sorter *sorter_new(size_t memory, const char *dir);
void sorter_free(struct sorter *s);

/* Add a copy of RECORD.  -1 with errno: of the file, ENOMEM, or E2BIG for a record or a number of runs over the maximum; RECORD
 * is then not added, and all others still are. */
int sorter_add(struct sorter *s, struct slice record);

/* No more will be added.  -1 with errno. */
int sorter_sort(struct sorter *s);

/* The next record into *OUT, borrowed until the next call: 1; 0 behind the last; -1 with errno. */
int sorter_next(struct sorter *s, struct slice *out);

/* A file without a name in DIR, open for writing and reading, for whatever else has to be put aside.  NULL with errno. */
FILE *sorter_file(const char *dir);

/* Records added. */
uint64_t sorter_count(const struct sorter *s);

#endif
