/* Fuzz: tokens, and files of keys, from anybody.  The first line of the input is a token, what follows a file of keys; the input as a
 * whole is a name as well. */
#include <stdlib.h>

#include "runtime/pseudonym.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The only key that a seed can know. */
static const char known[] =
    "key shvztgcx 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393"
    "a3b3c3d3e3f 2027-01-15T08:00:00Z\n";

/* What opens is what its name makes, and nothing else. */
static void
check_token(const struct pseudonyms *p, struct slice text)
{
	char again[PSEUDONYM_TEXT];
	enum pseudonym_kind kind, looks;
	struct buf name;
	bool form = pseudonym_is_token(text, &looks);
	enum pseudonym_opened r;

	buf_init(&name, PSEUDONYM_PLAIN_MAX);
	r = pseudonym_open(p, text, &kind, &name);
	if (r == PSEUDONYM_OPENED && (!form || kind != looks || pseudonym_make(p, kind, buf_slice(&name), again) <= 0 ||
	    !slice_ieq(slice_str(again), text)))
		abort();
	if (r != PSEUDONYM_OPENED && r != PSEUDONYM_NO_TOKEN && !form)
		abort();
	buf_fini(&name);
}

static void
check_name(const struct pseudonyms *p, struct slice name)
{
	for (int kind = 0; kind < PSEUDONYM_KINDS; kind++) {
		char token[PSEUDONYM_TEXT];
		int len = pseudonym_make(p, (enum pseudonym_kind)kind, name, token);

		if (len <= 0 || len >= PSEUDONYM_TEXT || token[len] != '\0')
			abort();
		check_token(p, slice_make(token, (size_t)len));
		if (name.len > 0 && !pseudonym_is(p, slice_make(token, (size_t)len), (enum pseudonym_kind)kind, name))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size), token, keys;
	struct diag diag = { 0 };
	struct pseudonyms *p = pseudonyms_read(slice_str(known), "keys", NULL), *own;

	if (p == NULL)
		abort();
	slice_cut(text, '\n', &token, &keys);
	check_token(p, token);
	check_name(p, text);
	if ((own = pseudonyms_read(keys, "keys", &diag)) != NULL) {
		check_name(own, token);
		check_token(own, token);
	}
	pseudonyms_free(own);
	pseudonyms_free(p);
	diag_fini(&diag);
	return 0;
}
