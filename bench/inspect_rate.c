/* inspect_rate - what looking at a body costs beside the libraries that do the work: megabytes a second of one core, in turn.
 *
 *	inspect_rate [ROUNDS]
 *
 * identity: the inspector with a digest and its watch for archives, beside OpenSSL's MD5.  gzip: as sent, decoded, looked up after
 * each read, beside zlib's inflate and MD5 of what comes out.  Reads of 4,096 bytes, as c-icap hands them out, for all of them.
 * The last column is the median of the rounds' ratios. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/evp.h>
#include <zlib.h>

#include "base/slice.h"
#include "inspect/inspector.h"

enum { SIZE = 64 << 20, READ = 4096, ROUNDS = 7, ROUNDS_MAX = 99, OUT = 32768, GZIP_BITS = MAX_WBITS + 16, LEVEL = 6 };

static char plain[SIZE], coded[SIZE];
static size_t coded_len;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Bytes that compress to about a third, and are of no type. */
static void
fill(void)
{
	uint32_t x = 1;
	z_stream z = { .next_in = (Bytef *)plain, .avail_in = SIZE, .next_out = (Bytef *)coded, .avail_out = SIZE };

	for (size_t i = 0; i < SIZE; i++) {
		x = x * 1664525 + 1013904223;
		plain[i] = (char)(i % 3 == 0 ? x >> 24 : i >> 8);
	}
	if (deflateInit2(&z, LEVEL, Z_DEFLATED, GZIP_BITS, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK || deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	coded_len = SIZE - z.avail_out;
	deflateEnd(&z);
}

static double
md5_alone(void)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	double from = now();

	EVP_DigestInit_ex(md, EVP_md5(), NULL);
	for (size_t at = 0; at < SIZE; at += READ)
		EVP_DigestUpdate(md, plain + at, READ);
	EVP_DigestFinal_ex(md, digest, NULL);
	EVP_MD_CTX_free(md);
	return now() - from;
}

static double
inflate_alone(void)
{
	static char out[OUT];
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	z_stream z = { 0 };
	double from = now();

	inflateInit2(&z, GZIP_BITS);
	EVP_DigestInit_ex(md, EVP_md5(), NULL);
	for (size_t at = 0; at < coded_len; at += READ) {
		z.next_in = (Bytef *)coded + at;
		z.avail_in = (uInt)(coded_len - at < READ ? coded_len - at : READ);
		do {
			z.next_out = (Bytef *)out;
			z.avail_out = OUT;
			inflate(&z, Z_NO_FLUSH);
			EVP_DigestUpdate(md, out, OUT - z.avail_out);
		} while (z.avail_out == 0);
	}
	EVP_DigestFinal_ex(md, digest, NULL);
	EVP_MD_CTX_free(md);
	inflateEnd(&z);
	return now() - from;
}

static bool
never(void *arg, uint64_t size)
{
	(void)arg, (void)size;
	return false;
}

static bool
found(void *arg, const struct finding *f)
{
	(void)arg, (void)f;
	return true;
}

static double
inspected(const char *bytes, size_t len, bool gzip)
{
	static const struct inspect_means means = { .helper = "", .spool_dir = "" };
	struct inspect_wish wish = { .sent_algs = gzip ? 0 : DIGEST_BIT(DIGEST_MD5), .sent_until = UINT64_MAX, .decoded_until = UINT64_MAX,
		.decoded_algs = gzip ? DIGEST_BIT(DIGEST_MD5) : 0, .members = MEMBERS_WATCH, .may_be_listed = never,
		.limits = { .bytes = UINT64_MAX, .ratio = UINT64_MAX, .depth = 1 } };
	struct inspector *i;
	double from = now();

	if (gzip)
		codings_add(&wish.codings, SLICE("gzip"));
	if ((i = inspector_new(&wish, &means, found, NULL)) == NULL)
		abort();
	for (size_t at = 0; at < len; at += READ)
		inspector_update(i, slice_make(bytes + at, len - at < READ ? len - at : READ), true);
	inspector_end(i);
	inspector_free(i);
	return now() - from;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
report(const char *name, double *library, double *ours, double *ratios, int n)
{
	qsort(library, (size_t)n, sizeof(*library), compare);
	qsort(ours, (size_t)n, sizeof(*ours), compare);
	qsort(ratios, (size_t)n, sizeof(*ratios), compare);
	printf("%-10s library %7.1f MB/s   inspector %7.1f MB/s   ratio %.2f\n", name, SIZE / 1e6 / library[n / 2],
	    SIZE / 1e6 / ours[n / 2], ratios[n / 2]);
}

int
main(int argc, char **argv)
{
	static double library[ROUNDS_MAX], ours[ROUNDS_MAX], ratios[ROUNDS_MAX];
	int n = argc > 1 ? atoi(argv[1]) : ROUNDS;

	if (n < 1 || n > ROUNDS_MAX || argc > 2) {
		fputs("usage: inspect_rate [ROUNDS]\n", stderr);
		return 2;
	}
	fill();
	for (int gzip = 0; gzip <= 1; gzip++) {
		for (int i = 0; i < n; i++) {
			library[i] = gzip ? inflate_alone() : md5_alone();
			ours[i] = gzip ? inspected(coded, coded_len, true) : inspected(plain, SIZE, false);
			ratios[i] = library[i] / ours[i];
		}
		report(gzip ? "gzip" : "identity", library, ours, ratios, n);
	}
	return EXIT_SUCCESS;
}
