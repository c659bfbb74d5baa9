#include "bench/load_hist.h"

#include <math.h>

static unsigned
bucket_of(uint64_t v)
{
	unsigned shift;

	if (v < 2 << HIST_SUB_BITS)
		return (unsigned)v;
	shift = 63 - (unsigned)__builtin_clzll(v) - HIST_SUB_BITS;
	return (shift << HIST_SUB_BITS) + (unsigned)(v >> shift);
}

/* The highest value that bucket B counts. */
static uint64_t
top_of(unsigned b)
{
	unsigned shift = b >> HIST_SUB_BITS;

	if (b < 2 << HIST_SUB_BITS)
		return b;
	shift--;
	return (((uint64_t)b - ((uint64_t)shift << HIST_SUB_BITS) + 1) << shift) - 1;
}

void
load_hist_add(struct load_hist *h, int64_t ns)
{
	h->buckets[bucket_of(ns < 0 ? 0 : (uint64_t)ns)]++;
	h->n++;
}

int64_t
load_hist_at(const struct load_hist *h, double share)
{
	uint64_t wanted = (uint64_t)ceil(share * (double)h->n), seen = 0;

	for (unsigned b = 0; b < HIST_BUCKETS && h->n > 0; b++) {
		seen += h->buckets[b];
		if (seen >= wanted && h->buckets[b] > 0)
			return (int64_t)top_of(b);
	}
	return 0;
}
