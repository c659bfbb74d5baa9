/* continue_token.h - what a warning's "continue" carries, so that nobody can go on who was not warned.
 *
 *	EXPIRY-TAG	EXPIRY: seconds since 1970, 8 hexadecimal digits
 *			TAG: the first 128 bits of HMAC-SHA-256 (RFC 2104) over expiry, client, user and host, as hexadecimal digits
 *
 * It is good for one client, user and host, until it expires; who has it can use it again until then, which gives nothing that the
 * first use did not.  Pure. */
#ifndef ICAP_SERVICE_CONTINUE_TOKEN_H
#define ICAP_SERVICE_CONTINUE_TOKEN_H

#include "ruleset/exception.h"
#include "runtime/runtime.h"

enum { CONTINUE_TOKEN = 8 + 1 + 32 };	/* bytes, without the NUL */

/* A token for CLAIM, who was warned of what, that is good before EXPIRES (seconds).  -1 when it cannot be computed. */
int continue_token_make(const uint8_t secret[static RUNTIME_SECRET], const struct asker *claim, int64_t expires,
    char out[static CONTINUE_TOKEN + 1]);

/* TOKEN is one for CLAIM and has not expired at NOW.  Takes the same time for any wrong tag. */
bool continue_token_good(const uint8_t secret[static RUNTIME_SECRET], const struct asker *claim, int64_t now,
    struct slice token);

#endif
