/* canary.h - what the proof asks for: harmless bodies, and what hides one of them. */
#ifndef SETUP_CANARY_H
#define SETUP_CANARY_H

#include "base/buf.h"
#include "base/digest.h"

enum { CANARY_TOKEN = 17 };

/* A word of 16 letters and digits that nobody has had before.  -1 with errno. */
int canary_token(char out[static CANARY_TOKEN]);

/* LEN bytes of noise.  -1 with errno. */
int canary_noise(struct buf *out, size_t len);

/* LEN bytes of noise, the same whenever SEED is the same.  -1 without memory. */
int canary_noise_of(struct buf *out, size_t len, uint8_t seed);

/* "SIZE:ALG:HEX" of BYTES, appended to OUT.  -1 with errno. */
int canary_digest(struct slice bytes, enum digest_alg alg, struct buf *out);

/* BYTES in gzip, and as the one member of a zip archive, appended to OUT.  -1 without memory. */
int canary_gzip(struct slice bytes, struct buf *out);
int canary_zip(struct slice bytes, struct buf *out);

#endif
