/* digester.h - several digests of one body in one pass.
 *
 * MD5 comes from a private OpenSSL library context with the default provider, so that it works where FIPS mode forbids it
 * elsewhere: here it names files, it protects nothing.  One digester belongs to one transaction; the contexts are fetched
 * once per process. */
#ifndef INSPECT_DIGESTER_H
#define INSPECT_DIGESTER_H

#include "base/digest.h"

struct digester;

/* Digests of the algorithms in MASK (DIGEST_BITs; 0 computes nothing).  NULL without memory or when OpenSSL has no such
 * algorithm.  The caller's: digester_free(). */
struct digester *digester_new(unsigned mask);
void digester_free(struct digester *d);

/* Hash the next bytes of the body. */
void digester_update(struct digester *d, struct slice bytes);

/* The digests of all bytes so far, in OUT, as digester_final() would give them; D goes on.  About half a microsecond each. */
size_t digester_peek(const struct digester *d, struct digest out[static DIGEST_ALGS]);

/* The digests of all bytes so far, in OUT, in the order of the algorithms; how many.  Ends the digester: only
 * digester_free() may follow. */
size_t digester_final(struct digester *d, struct digest out[static DIGEST_ALGS]);

/* The digests of the whole of BYTES. */
size_t digests_of(struct slice bytes, unsigned mask, struct digest out[static DIGEST_ALGS]);

/* The digest by ALG of all of the open file FD, wherever it stands, or of the file PATH.  -1 with errno: ESPIPE for a fifo, which
 * is not waited for, ENOTSUP when OpenSSL has no such algorithm.  Memory: some kilobytes, whoever cuts the file meanwhile. */
int digest_of_fd(int fd, enum digest_alg alg, struct digest *out);
int digest_of_file(const char *path, enum digest_alg alg, struct digest *out);

#endif
