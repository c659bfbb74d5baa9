/* Mail addresses in URLs: what is one, and what is shown of it. */
#include "events/mail.h"
#include "t/tap.h"

static void
test_masks(void)
{
	static const struct { const char *idea, *text, *masked; size_t n; } rows[] = {
		{ "a lure", "http://a.example/mail/id=joe.doe@betterbricks.com-patch121.exe", "http://a.example/mail/id=***@betterbricks.com-patch121.exe", 1 },
		{ "an escaped one", "/x?to=joe%40b.example&x=1", "/x?to=***%40b.example&x=1", 1 },
		{ "escaped twice", "/x?to=joe%2540b.example", "/x?to=***%2540b.example", 1 },
		{ "escaped by a page that warned of it", "/?to=%2F%3Fa%3Djoe%252540b.example", "/?to=***%252540b.example", 1 },
		{ "an escaped dot behind it", "/x?to=joe@b%2Eexample", "/x?to=***@b%2Eexample", 1 },
		{ "all of it escaped", "/x?to=joe%40b%2eexample%2e&x", "/x?to=***%40b%2eexample%2e&x", 1 },
		{ "a long name, escaped", "/%6a%6f%65%2e%61%6c%65%78%61%6e%64%65%72%2e%64%6f%65%2e%74%68%69%72%64%2e@b.example",
		    "/***@b.example", 1 },
		{ "characters that few names have", "/x?to=j$o{e}|d^o`e@b.example", "/x?to=***@b.example", 1 },
		{ "no dot within, escaped", "/joe%40%2eexample", "/joe%40%2eexample", 0 },
		{ "half a sign", "/joe%4/joe%2525/joe%", "/joe%4/joe%2525/joe%", 0 },
		{ "an escape within", "/joe%2Edoe@b.example/", "/***@b.example/", 1 },
		{ "two", "/a@b.example/c+d@e.example", "/***@b.example/***@e.example", 2 },
		{ "one behind the other", "/a@b.example@c.example", "/***@b.example@c.example", 1 },
		{ "none", "http://a.example/@/x@/y@z/@b.example", "http://a.example/@/x@/y@z/@b.example", 0 },
		{ "a handle", "/@joe/status", "/@joe/status", 0 },
		{ "no dot within", "/joe@.example", "/joe@.example", 0 },
		{ "no text", "", "", 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf out;

		buf_init(&out, 4096);
		is_int((long long)mail_mask(slice_str(rows[i].text), &out), (long long)rows[i].n, rows[i].idea);
		buf_add_char(&out, '\0');
		is_str(out.p, rows[i].masked, rows[i].idea);
		buf_fini(&out);
	}
}

/* Nothing of any bytes is lost but what was hidden, and a mask is not an address. */
static void
test_random(void)
{
	static const char letters[] = "a.@%40%2540-=&/b1\xc3";
	uint64_t state = 99;
	size_t bad = 0, found = 0;

	for (int i = 0; i < 100000; i++) {
		char text[40];
		struct buf out, again;
		size_t n;

		buf_init(&out, 4096);
		buf_init(&again, 4096);
		for (size_t k = 0; k < sizeof(text); k++) {
			state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
			text[k] = letters[(state >> 33) % (sizeof(letters) - 1)];
		}
		n = mail_mask(slice_make(text, sizeof(text)), &out);
		found += n;
		bad += out.len + sizeof(text) * n < sizeof(text) || mail_mask(buf_slice(&out), &again) > n;
		buf_fini(&out);
		buf_fini(&again);
	}
	ok(bad == 0 && found > 1000, "%zu addresses in random text, %zu wrong", found, bad);
}

int
main(void)
{
	test_masks();
	test_random();
	return tap_done();
}
