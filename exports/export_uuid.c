#include "exports/export.h"

#include <openssl/evp.h>

#include <stdio.h>

int
export_uuid(struct slice name, char out[static EXPORT_UUID])
{
	/* 5c1b5c2e-6a0a-4f0e-9d5b-7f3f1f1c2a64, drawn once. */
	static const uint8_t space[] = { 0x5c, 0x1b, 0x5c, 0x2e, 0x6a, 0x0a, 0x4f, 0x0e, 0x9d, 0x5b, 0x7f, 0x3f, 0x1f, 0x1c, 0x2a, 0x64 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sum[EVP_MAX_MD_SIZE];
	char *p = out;
	bool made = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha1(), NULL) == 1 && EVP_DigestUpdate(ctx, space, sizeof(space)) == 1 &&
	    EVP_DigestUpdate(ctx, name.p, name.len) == 1 && EVP_DigestFinal_ex(ctx, sum, NULL) == 1;

	EVP_MD_CTX_free(ctx);
	if (!made)
		return -1;
	sum[6] = (uint8_t)((sum[6] & 0x0f) | 0x50);	/* version 5 */
	sum[8] = (uint8_t)((sum[8] & 0x3f) | 0x80);	/* variant 10 */
	for (size_t i = 0; i < sizeof(space); i++)
		p += snprintf(p, (size_t)(out + EXPORT_UUID - p), i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", sum[i]);
	return 0;
}
