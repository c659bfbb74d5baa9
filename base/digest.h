/* digest.h - a file's digest as a value: which algorithm, and its bytes.
 *
 * Digests here identify files that somebody listed; they are no proof of anything else.  MD5 and SHA-1 can
 * be made to collide, which costs a false alarm between two files of one author, never a missed one. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/slice.h"

enum digest_alg { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGEST_ALGS };

enum { DIGEST_MAX_LEN = 32, DIGEST_MAX_HEX = 2 * DIGEST_MAX_LEN };

struct digest {
	enum digest_alg	alg;
	uint8_t		b[DIGEST_MAX_LEN];	/* the first digest_len(alg) count, the rest is 0 */
};

/* Bit of ALG in a mask of algorithms. */
#define DIGEST_BIT(alg)	(1u << (alg))

/* Bytes of a digest of ALG: 16, 20 or 32. */
size_t digest_len(enum digest_alg alg);

/* "md5", "sha1", "sha256". */
const char *digest_alg_name(enum digest_alg alg);

/* The algorithm of that name, any case; -1 when there is none. */
int digest_alg_parse(struct slice name, enum digest_alg *alg);

/* The algorithm whose digests have N hexadecimal digits; -1 when there is none. */
int digest_alg_of_hex(size_t n, enum digest_alg *alg);

/* The digest that is the whole of HEX, any case.  -1 when its length or a digit is wrong; OUT is then
 * undefined. */
int digest_parse(enum digest_alg alg, struct slice hex, struct digest *out);

/* Lower-case hexadecimal, NUL-terminated, into OUT. */
void digest_format(const struct digest *d, char out[static DIGEST_MAX_HEX + 1]);

/* Same algorithm, same bytes. */
bool digest_eq(const struct digest *a, const struct digest *b);

#endif
