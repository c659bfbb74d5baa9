/* bytes.h - numbers at any address, as files have them.
 *
 * u32 and u64 are in the machine's own byte order, which a segment's header names; the others say theirs. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t
bytes_u32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t
bytes_u64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* The little-endian number of N bytes, at most 8, at P. */
static inline uint64_t
bytes_get(const void *p, size_t n)
{
	const uint8_t *u = p;
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | u[n];
	return v;
}

/* Store V as a little-endian number of N bytes, at most 8, at P. */
static inline void
bytes_put(void *p, uint64_t v, size_t n)
{
	uint8_t *u = p;

	for (size_t i = 0; i < n; i++)
		u[i] = (uint8_t)(v >> (8 * i));
}

/* The same, the most significant byte first: what sorts as the number does. */
static inline void
bytes_put_big(void *p, uint64_t v, size_t n)
{
	uint8_t *u = p;

	for (size_t i = 0; i < n; i++)
		u[n - 1 - i] = (uint8_t)(v >> (8 * i));
}

static inline uint64_t
bytes_get_big(const void *p, size_t n)
{
	const uint8_t *u = p;
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | u[i];
	return v;
}

#endif
