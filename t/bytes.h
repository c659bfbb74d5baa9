/* bytes.h - the bytes that t/origin answers for /bytes?n=N&seed=SEED, for those who have to know them.
 *
 * Byte I depends on SEED and I only, so that any part of a body can be made by itself. */
#ifndef T_BYTES_H
#define T_BYTES_H

#include <stddef.h>
#include <stdint.h>

enum { BYTES_BLOCK = 8 };

/* SplitMix64's finisher (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). */
static inline uint64_t
bytes_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* The LEN bytes from AT on of the body that SEED names. */
static inline void
bytes_fill(uint64_t seed, uint64_t at, char *out, size_t len)
{
	uint64_t block = 0, have = UINT64_MAX;

	for (size_t i = 0; i < len; i++) {
		uint64_t index = (at + i) / BYTES_BLOCK;

		if (index != have)
			block = bytes_mix(bytes_mix(seed) + index);
		have = index;
		out[i] = (char)(block >> (8 * ((at + i) % BYTES_BLOCK)));
	}
}

#endif
