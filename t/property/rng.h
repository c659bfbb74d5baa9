/* rng.h - numbers that depend on a seed only, for tests that must be repeatable.  One thread. */
#ifndef T_PROPERTY_RNG_H
#define T_PROPERTY_RNG_H

#include <stdint.h>

#include "base/buf.h"

struct rng {
	uint64_t state;
};

/* SplitMix64. */
static inline uint64_t
rng_next(struct rng *r)
{
	uint64_t x = r->state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* The row of numbers that belongs to SEED and N alone. */
static inline struct rng
rng_of(uint64_t seed, uint64_t n)
{
	struct rng r = { seed };

	r.state = rng_next(&r) ^ n * UINT64_C(0xd6e8feb86659fd93);
	rng_next(&r);
	return r;
}

/* 0 to N - 1; N is at least 1. */
static inline size_t
rng_below(struct rng *r, size_t n)
{
	return (size_t)(rng_next(r) % n);
}

/* FROM to TO, both of them possible. */
static inline size_t
rng_between(struct rng *r, size_t from, size_t to)
{
	return from + rng_below(r, to - from + 1);
}

/* True in PERCENT of 100 cases. */
static inline bool
rng_chance(struct rng *r, unsigned percent)
{
	return rng_below(r, 100) < percent;
}

/* Append LEN bytes that nothing compresses. */
static inline void
rng_fill(struct rng *r, struct buf *out, size_t len)
{
	while (len > 0) {
		uint64_t x = rng_next(r);
		size_t n = len < sizeof(x) ? len : sizeof(x);

		buf_add(out, &x, n);
		len -= n;
	}
}

#endif
