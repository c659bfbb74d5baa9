/* Any bytes as each of minisign's files.  What is accepted as a key is written as it was; a signature is verified by nobody's luck. */
#include <stdlib.h>

#include "feeds/minisign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_public(struct slice text)
{
	struct minisign_public key, again;
	char line[MINISIGN_KEY_TEXT];

	if (minisign_public_parse(text, &key) == -1)
		return;
	minisign_public_format(&key, line);
	if (slice_search(text, slice_str(line)) == text.len || minisign_public_parse(slice_str(line), &again) == -1 ||
	    !minisign_public_eq(&key, &again))
		abort();
}

/* Without a password no file costs anything. */
static void
check_secret(struct slice text)
{
	struct minisign_secret key, again;
	struct buf out;

	if (minisign_secret_parse(text, slice_make(NULL, 0), &key) == -1)
		return;
	buf_init(&out, MINISIGN_MAX);
	if (minisign_secret_format(&key, &out) == -1 || minisign_secret_parse(buf_slice(&out), slice_make(NULL, 0), &again) == -1 ||
	    memcmp(&key, &again, sizeof(key)) != 0)
		abort();
	buf_fini(&out);
}

static void
check_signature(struct slice text)
{
	static const struct minisign_public nobody = { .id = { 1 }, .key = { 2 } };
	struct minisign_signature s;

	if (minisign_signature_parse(text, &s) == -1)
		return;
	if (s.trusted.len > MINISIGN_COMMENT || (s.trusted.len > 0 && memchr(s.trusted.p, '\n', s.trusted.len) != NULL) ||
	    minisign_verify(&nobody, &s, text))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size);

	check_public(text);
	check_secret(text);
	check_signature(text);
	return 0;
}
