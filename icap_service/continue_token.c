#include "icap_service/continue_token.h"

#include <stdio.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/buf.h"

enum { EXPIRY_DIGITS = 8, TAG_BYTES = 16, CLAIM_MAX = 1 << 16 };

/* Each part behind its length: no two claims are the same bytes. */
static void
add_part(struct buf *out, struct slice part)
{
	uint32_t len = (uint32_t)part.len;

	buf_add(out, &len, sizeof(len));
	buf_add_slice(out, part);
}

/* The tag of CLAIM and EXPIRY as digits, with a NUL. */
static int
make_tag(const uint8_t secret[static RUNTIME_SECRET], const struct asker *claim, struct slice expiry,
    char out[static 2 * TAG_BYTES + 1])
{
	uint8_t tag[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	struct buf text;
	int r = -1;

	buf_init(&text, CLAIM_MAX);
	add_part(&text, expiry);
	add_part(&text, claim->client);
	add_part(&text, claim->user);
	add_part(&text, claim->host);
	if (!text.failed && HMAC(EVP_sha256(), secret, RUNTIME_SECRET, (const uint8_t *)text.p, text.len, tag, &len) != NULL)
		r = 0;
	for (size_t i = 0; r == 0 && i < TAG_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", tag[i]);
	buf_fini(&text);
	return r;
}

int
continue_token_make(const uint8_t secret[static RUNTIME_SECRET], const struct asker *claim, int64_t expires,
    char out[static CONTINUE_TOKEN + 1])
{
	if (expires < 0 || expires > UINT32_MAX)
		return -1;
	snprintf(out, CONTINUE_TOKEN + 1, "%08x-", (unsigned)expires);
	return make_tag(secret, claim, slice_make(out, EXPIRY_DIGITS), out + EXPIRY_DIGITS + 1);
}

bool
continue_token_good(const uint8_t secret[static RUNTIME_SECRET], const struct asker *claim, int64_t now,
    struct slice token)
{
	char tag[2 * TAG_BYTES + 1];
	int64_t expires = 0;

	if (token.len != CONTINUE_TOKEN || token.p[EXPIRY_DIGITS] != '-')
		return false;
	for (size_t i = 0; i < EXPIRY_DIGITS; i++) {
		int digit = ascii_hex(token.p[i]);

		if (digit < 0)
			return false;
		expires = expires << 4 | digit;
	}
	if (make_tag(secret, claim, slice_head(token, EXPIRY_DIGITS), tag) == -1)
		return false;
	return CRYPTO_memcmp(tag, token.p + EXPIRY_DIGITS + 1, 2 * TAG_BYTES) == 0 && now < expires;
}
