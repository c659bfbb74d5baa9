/* latency.h - how long things took, counted in buckets: a histogram in memory that processes share.
 *
 * Two additions each time, without a lock and without waiting for anybody; a writer that is killed between them leaves a sum that
 * is short by what it was about to add.  What is read while others write may lack what came last, but its count is always that of
 * its buckets.  Any number of threads and processes at once. */
#ifndef RUNTIME_LATENCY_H
#define RUNTIME_LATENCY_H

#include <stddef.h>
#include <stdint.h>

enum { LATENCY_BOUNDS = 22, LATENCY_BUCKETS = LATENCY_BOUNDS + 1 };

/* Zeros are an empty one.  Three lines of the processor's cache, so that different ones are in nobody's way. */
struct latency {
	_Atomic uint64_t	buckets[LATENCY_BUCKETS];	/* the last has what is beyond every bound */
	_Atomic uint64_t	sum_ns;
};

/* Something took NS; what a clock makes negative is 0. */
void latency_add(struct latency *l, int64_t ns);

struct latency_counts {
	uint64_t upto[LATENCY_BUCKETS];		/* how many took no longer than the bound of that number; the last has all */
	uint64_t sum_ns;
};
void latency_read(const struct latency *l, struct latency_counts *out);

/* Bound I, up to LATENCY_BOUNDS: from 5 us to a minute, each two to three times the one before. */
int64_t latency_bound_ns(size_t i);

#endif
