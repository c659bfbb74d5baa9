/* load_hist.h - a histogram of times, and what share of them was faster than what.
 *
 * Buckets are log-linear: 64 for each power of two, so that a percentile is at most 1.6 % above the true value.  One thread. */
#ifndef BENCH_LOAD_HIST_H
#define BENCH_LOAD_HIST_H

#include <stdint.h>

enum { HIST_SUB_BITS = 6, HIST_BUCKETS = 64 << HIST_SUB_BITS };

struct load_hist {
	uint64_t	n;
	uint64_t	buckets[HIST_BUCKETS];
};

/* Count one time. */
void load_hist_add(struct load_hist *h, int64_t ns);

/* The time in ns that SHARE (0 to 1) of all did not exceed; 0 when there are none. */
int64_t load_hist_at(const struct load_hist *h, double share);

#endif
