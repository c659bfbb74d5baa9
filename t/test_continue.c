/* The token behind a warning's "continue": good for whom it was made, and for nobody else. */
#include "icap_service/continue_token.h"
#include "t/tap.h"

enum { NOW = 1795000000, LIFE = 600 };

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const uint8_t secret[RUNTIME_SECRET] = "not a secret, but thirty-two .\1";
static const uint8_t other_secret[RUNTIME_SECRET] = "not a secret, but thirty-two .\2";
static const struct asker claim = { { "192.0.2.7", 9 }, { "ann", 3 }, { "login.example", 13 }, NULL };

static void
test_claims(const char *token)
{
	static const struct { const char *idea; struct asker claim; } rows[] = {
		{ "another client", { { "192.0.2.8", 9 }, { "ann", 3 }, { "login.example", 13 }, NULL } },
		{ "another user", { { "192.0.2.7", 9 }, { "bob", 3 }, { "login.example", 13 }, NULL } },
		{ "another host", { { "192.0.2.7", 9 }, { "ann", 3 }, { "login.exampla", 13 }, NULL } },
		{ "a host below", { { "192.0.2.7", 9 }, { "ann", 3 }, { "x.login.example", 15 }, NULL } },
		{ "the border elsewhere", { { "192.0.2.7a", 10 }, { "nn", 2 }, { "login.example", 13 }, NULL } },
		{ "nobody", { { NULL, 0 }, { NULL, 0 }, { "login.example", 13 }, NULL } },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		ok(!continue_token_good(secret, &rows[i].claim, NOW, slice_str(token)), "not for %s", rows[i].idea);
	ok(!continue_token_good(other_secret, &claim, NOW, slice_str(token)), "not with another secret");
}

static void
test_bytes(const char *token)
{
	char copy[CONTINUE_TOKEN + 2];
	size_t good = 0;

	for (size_t i = 0; i < CONTINUE_TOKEN; i++)
		for (int bit = 0; bit < 8; bit++) {
			memcpy(copy, token, CONTINUE_TOKEN + 1);
			copy[i] = (char)(copy[i] ^ 1 << bit);
			good += continue_token_good(secret, &claim, NOW, slice_make(copy, CONTINUE_TOKEN));
		}
	is_int((long long)good, 0, "no bit of it may differ");
	for (size_t len = 0; len < CONTINUE_TOKEN; len++)
		good += continue_token_good(secret, &claim, NOW, slice_make(token, len));
	memcpy(copy, token, CONTINUE_TOKEN);
	copy[CONTINUE_TOKEN] = '0';
	good += continue_token_good(secret, &claim, NOW, slice_make(copy, CONTINUE_TOKEN + 1));
	is_int((long long)good, 0, "and it is neither shorter nor longer");
}

int
main(void)
{
	char token[CONTINUE_TOKEN + 1], again[CONTINUE_TOKEN + 1];

	ok(continue_token_make(secret, &claim, NOW + LIFE, token) == 0 && strlen(token) == CONTINUE_TOKEN, "a token: %s", token);
	ok(continue_token_make(secret, &claim, NOW + LIFE, again) == 0 && strcmp(token, again) == 0, "the same again");
	ok(continue_token_good(secret, &claim, NOW, slice_str(token)), "it is good");
	ok(continue_token_good(secret, &claim, NOW + LIFE - 1, slice_str(token)), "to its last second");
	ok(!continue_token_good(secret, &claim, NOW + LIFE, slice_str(token)), "and no longer");
	ok(continue_token_make(secret, &claim, -1, again) == -1 && continue_token_make(secret, &claim, INT64_MAX, again) == -1,
	    "no token for times that it cannot say");
	test_claims(token);
	test_bytes(token);
	return tap_done();
}
