/* sum.h - a fast sum that finds damage: flipped bits, torn blocks.  No defence against people.
 *
 * Eight bytes a step: h = mix((h ^ word) * odd).  Every step is a bijection of h and of the word, so that two inputs that differ
 * in one word always differ in h, and agree in the 32 bits that are kept of it about once in 2^32. */
#ifndef BASE_SUM_H
#define BASE_SUM_H

#include "base/bytes.h"
#include "base/slice.h"

/* One step of a sum H over WORD. */
static inline uint64_t
sum_step(uint64_t h, uint64_t word)
{
	h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

/* Go on with the sum H over BYTES; their length counts. */
static inline uint64_t
sum_add(uint64_t h, struct slice bytes)
{
	uint64_t last = 0;
	size_t i = 0;

	h = sum_step(h, bytes.len);
	for (; i + sizeof(uint64_t) <= bytes.len; i += sizeof(uint64_t))
		h = sum_step(h, bytes_u64(bytes.p + i));
	if (i < bytes.len)
		memcpy(&last, bytes.p + i, bytes.len - i);
	return sum_step(h, last);
}

/* The 32 bits that are kept of H. */
static inline uint32_t
sum_end(uint64_t h)
{
	return (uint32_t)(h ^ h >> 32);
}

/* The sum over BYTES. */
static inline uint32_t
sum32(struct slice bytes)
{
	return sum_end(sum_add(0, bytes));
}

#endif
