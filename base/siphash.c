#include "base/siphash.h"

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t
rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

/* Compilers make one load of this where the machine is little-endian.  Inline, as round_once() is. */
static inline __attribute__((always_inline)) uint64_t
load_8(const uint8_t *p)
{
	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
	    (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

/* The N bytes at LAST, fewer than eight, which are the last of LEN. */
static uint64_t
load_last(const uint8_t *last, size_t n, size_t len)
{
	uint64_t v = 0;

	if (n == 0)
		return 0;
	if (len >= 8)
		return load_8(last + n - 8) >> (64 - 8 * n);	/* with some before them, which go */
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)last[i] << (8 * i);
	return v;
}

/* Inline, as is whatever calls it: a call would spill the four words of the state. */
static inline __attribute__((always_inline)) void
round_once(struct state *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

static inline __attribute__((always_inline)) void
absorb(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	round_once(s);
	round_once(s);
	s->v0 ^= word;
}

uint64_t
siphash(const uint8_t key[static SIPHASH_KEY], struct slice data)
{
	const uint8_t *p = (const uint8_t *)data.p;
	uint64_t k0 = load_8(key), k1 = load_8(key + 8);
	struct state s = { k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573) };
	size_t left = data.len;

	for (; left >= 8; left -= 8, p += 8)
		absorb(&s, load_8(p));
	absorb(&s, (uint64_t)data.len << 56 | load_last(p, left, data.len));
	s.v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		round_once(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
