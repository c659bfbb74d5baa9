/* scale_lists - lists of any length, the same on every machine, for bench/scale.
 *
 *	scale_lists hdb N SEED		"MD5:SIZE:NAME": sizes log-normal about 200 KB, as those of real samples
 *	scale_lists hsb N SEED		the same with SHA-256
 *	scale_lists md5 N SEED		an MD5 a line, without a size
 *	scale_lists hosts N SEED	a host a line, of the lengths of real ones
 *	scale_lists urls N SEED HOSTS	URLs, every twentieth of one of the first HOSTS of that seed; for bench/scale_ask
 *
 * Nothing of it is a digest of anything. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"

enum { USAGE = 2, MD5_WORDS = 2, SHA256_WORDS = 4, SIZE_LEAST = 68 };

/* xoshiro256++ (Blackman and Vigna, 2019), seeded by SplitMix64. */
struct random {
	uint64_t	s[4];
};

static uint64_t
split_mix(uint64_t *x)
{
	uint64_t z = *x += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t
rotate(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

static uint64_t
next(struct random *r)
{
	uint64_t *s = r->s, result = rotate(s[0] + s[3], 23) + s[0], t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

static double
uniform(struct random *r)
{
	return ((double)(next(r) >> 11) + 0.5) / 9007199254740992.0;
}

/* Log-normal: half below 200 KB, one in a hundred above 8 MB (Box and Muller, 1958). */
static uint64_t
size(struct random *r)
{
	static const double median = 200000, spread = 1.6, two_pi = 6.283185307179586;
	double normal = sqrt(-2 * log(uniform(r))) * cos(two_pi * uniform(r));

	return SIZE_LEAST + (uint64_t)(median * exp(spread * normal));
}

static void
put_hex(char *out, struct random *r, int words)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < words; i++) {
		uint64_t x = next(r);

		for (int k = 0; k < 16; k++, x >>= 4)
			*out++ = digits[x & 15];
	}
	*out = '\0';
}

static void
digests(uint64_t n, struct random *r, int words, bool sized)
{
	char hex[SHA256_WORDS * 16 + 1];

	for (uint64_t i = 0; i < n; i++) {
		put_hex(hex, r, words);
		if (!sized)
			printf("%s\n", hex);
		else
			printf("%s:%" PRIu64 ":Win.%s.Agent-%" PRIu64 "%s\n", hex, size(r), i % 8 < 6 ? "Trojan" : "Malware", 1000000 + i,
			    words == MD5_WORDS ? "" : ":73");
	}
}

/* Host I of SEED: the same whoever asks for it. */
static void
put_host(char *out, size_t len, uint64_t seed, uint64_t i)
{
	static const char *const tops[] = { "com", "com", "net", "org", "info", "ru", "cn", "top", "xyz", "co.uk", "site", "biz" };
	static const char *const words[] = { "mail", "secure", "update", "cdn", "login", "web", "shop", "cloud", "data", "news" };
	uint64_t x = seed * UINT64_C(0x100000001b3) + i, a = split_mix(&x), b = split_mix(&x);

	snprintf(out, len, "%s%s%" PRIx64 "%s%s.%s", a % 3 == 0 ? words[a / 3 % 10] : "", a % 3 == 0 ? "." : "", i * 16 + b % 16,
	    b % 4 == 0 ? "-" : "", b % 2 == 0 ? words[b / 8 % 10] : "", tops[b / 128 % 12]);
}

static void
hosts(uint64_t n, uint64_t seed)
{
	char host[128];

	for (uint64_t i = 0; i < n; i++) {
		put_host(host, sizeof(host), seed, i);
		puts(host);
	}
}

static void
urls(uint64_t n, struct random *r, uint64_t seed, uint64_t listed)
{
	char host[128];

	for (uint64_t i = 0; i < n; i++) {
		bool hit = i % 20 == 0;

		put_host(host, sizeof(host), hit ? seed : seed + 1, next(r) % (hit ? listed : UINT64_C(1) << 40));
		printf("http://%s%s/%" PRIx64 "/index.html?id=%" PRIu64 "\n", hit || i % 3 == 0 ? "" : "www.", host, next(r) >> 40, i);
	}
}

int
main(int argc, char **argv)
{
	uint64_t n, seed, listed = 0;
	struct random r;

	if (argc < 4 || slice_u64(slice_str(argv[2]), &n) == -1 || slice_u64(slice_str(argv[3]), &seed) == -1 ||
	    (argc > 4 && slice_u64(slice_str(argv[4]), &listed) == -1)) {
		fprintf(stderr, "usage: scale_lists hdb|hsb|md5|hosts|urls N SEED [HOSTS]\n");
		return USAGE;
	}
	for (uint64_t i = 0, x = seed; i < 4; i++)
		r.s[i] = split_mix(&x);
	if (strcmp(argv[1], "hdb") == 0)
		digests(n, &r, MD5_WORDS, true);
	else if (strcmp(argv[1], "hsb") == 0)
		digests(n, &r, SHA256_WORDS, true);
	else if (strcmp(argv[1], "md5") == 0)
		digests(n, &r, MD5_WORDS, false);
	else if (strcmp(argv[1], "hosts") == 0)
		hosts(n, seed);
	else if (strcmp(argv[1], "urls") == 0 && listed > 0)
		urls(n, &r, seed, listed);
	else
		return USAGE;
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
