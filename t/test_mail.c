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
		bad += out.len + 64 * n < sizeof(text) || mail_mask(buf_slice(&out), &again) > n;
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
