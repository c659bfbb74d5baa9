#include "base/digest.h"

static const struct { const char *name; size_t len; } algs[DIGEST_ALGS] = {
	[DIGEST_MD5] = { "md5", 16 },
	[DIGEST_SHA1] = { "sha1", 20 },
	[DIGEST_SHA256] = { "sha256", 32 },
};

size_t
digest_len(enum digest_alg alg)
{
	return algs[alg].len;
}

const char *
digest_alg_name(enum digest_alg alg)
{
	return algs[alg].name;
}

int
digest_alg_parse(struct slice name, enum digest_alg *alg)
{
	for (int i = 0; i < DIGEST_ALGS; i++)
		if (slice_ieq(name, slice_str(algs[i].name))) {
			*alg = (enum digest_alg)i;
			return 0;
		}
	return -1;
}

int
digest_alg_of_hex(size_t n, enum digest_alg *alg)
{
	for (int i = 0; i < DIGEST_ALGS; i++)
		if (2 * algs[i].len == n) {
			*alg = (enum digest_alg)i;
			return 0;
		}
	return -1;
}

/* The value of a digit, and 16 when it is one.  Lists have millions of digests, and no processor guesses whether the next digit
 * is a letter: there is no branch on it. */
static const uint8_t digits[256] = {
	['0'] = 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
	['A'] = 26, 27, 28, 29, 30, 31,
	['a'] = 26, 27, 28, 29, 30, 31,
};

int
digest_parse(enum digest_alg alg, struct slice hex, struct digest *out)
{
	unsigned all = 16;

	*out = (struct digest){ .alg = alg };
	if (hex.len != 2 * digest_len(alg))
		return -1;
	for (size_t i = 0; i < hex.len; i += 2) {
		unsigned high = digits[(unsigned char)hex.p[i]], low = digits[(unsigned char)hex.p[i + 1]];

		all &= high & low;
		out->b[i / 2] = (uint8_t)(high << 4 | (low & 15));
	}
	return all == 16 ? 0 : -1;
}

void
digest_format(const struct digest *d, char out[static DIGEST_MAX_HEX + 1])
{
	static const char hex[] = "0123456789abcdef";
	size_t len = digest_len(d->alg);

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = hex[d->b[i] >> 4];
		out[2 * i + 1] = hex[d->b[i] & 15];
	}
	out[2 * len] = '\0';
}

bool
digest_eq(const struct digest *a, const struct digest *b)
{
	return a->alg == b->alg && memcmp(a->b, b->b, digest_len(a->alg)) == 0;
}
