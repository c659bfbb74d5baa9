/* The small things that everything stands on: slices, buffers, time, digests, findings, files, SipHash. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/siphash.h"
#include "t/tap.h"

enum { BIG = 200000 };
static const struct slice nothing;

/* ---- slices ---- */

static void
test_slice_order(void)
{
	static const struct { const char *name; struct slice a, b; int order; bool eq, ieq; } rows[] = {
		{ "same", SLICE("abc"), SLICE("abc"), 0, true, true },
		{ "other case", SLICE("aBc"), SLICE("abC"), -1, false, true },
		{ "shorter", SLICE("ab"), SLICE("abc"), -1, false, false },
		{ "longer", SLICE("abcd"), SLICE("abc"), 1, false, false },
		{ "empty", SLICE(""), SLICE(""), 0, true, true },
		{ "empty and not", SLICE(""), SLICE("a"), -1, false, false },
		{ "NUL inside", SLICE("a\0b"), SLICE("a\0c"), -1, false, false },
		{ "bytes over 127 are greater", SLICE("\xff"), SLICE("a"), 1, false, false },
		{ "no case over 127", SLICE("\xc4"), SLICE("\xe4"), -1, false, false },
		{ "@ and ` are no letters", SLICE("@["), SLICE("`{"), -1, false, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct slice a = guard_copy(rows[i].a), b = guard_copy(rows[i].b);
		int c = slice_cmp(a, b), back = slice_cmp(b, a);

		ok((c > 0) - (c < 0) == rows[i].order && (back > 0) - (back < 0) == -rows[i].order,
		    "order: %s", rows[i].name);
		ok(slice_eq(a, b) == rows[i].eq && slice_ieq(a, b) == rows[i].ieq, "equal: %s", rows[i].name);
	}
	ok(slice_eq(nothing, SLICE("")) && slice_ieq(nothing, SLICE("")) && slice_cmp(nothing, SLICE("")) == 0,
	    "no bytes at NULL are no bytes");
}

static void
test_slice_search(void)
{
	static const struct { const char *name; struct slice s, needle; size_t at, iat; } rows[] = {
		{ "in front", SLICE("abc"), SLICE("ab"), 0, 0 },
		{ "at the end", SLICE("abcd"), SLICE("cd"), 2, 2 },
		{ "nowhere", SLICE("abcd"), SLICE("ce"), 4, 4 },
		{ "case", SLICE("xAByab"), SLICE("ab"), 4, 1 },
		{ "longer than all", SLICE("ab"), SLICE("abc"), 2, 2 },
		{ "the end is not it", SLICE("xxab"), SLICE("abc"), 4, 4 },
		{ "itself", SLICE("abc"), SLICE("abc"), 0, 0 },
		{ "after a false start", SLICE("aaab"), SLICE("aab"), 1, 1 },
		{ "nothing is in front", SLICE("abc"), SLICE(""), 0, 0 },
		{ "nothing in nothing", SLICE(""), SLICE(""), 0, 0 },
		{ "something in nothing", SLICE(""), SLICE("a"), 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct slice s = guard_copy(rows[i].s), needle = guard_copy(rows[i].needle);

		is_int((long long)slice_search(s, needle), (long long)rows[i].at, rows[i].name);
		is_int((long long)slice_isearch(s, needle), (long long)rows[i].iat, rows[i].name);
	}
	is_int((long long)slice_find(guard_copy(SLICE("abc")), 'c'), 2, "find the last");
	is_int((long long)slice_find(guard_copy(SLICE("abc")), 'x'), 3, "find none");
	is_int((long long)slice_find(guard_copy(SLICE("a\0b")), '\0'), 1, "find a NUL");
	is_int((long long)slice_find(nothing, 'x'), 0, "find in nothing");
}

static void
test_slice_ends(void)
{
	struct slice s = guard_copy(SLICE("Example"));

	ok(slice_starts(s, SLICE("Exa")) && slice_starts(s, s) && slice_starts(s, nothing), "starts");
	ok(!slice_starts(s, SLICE("exa")) && !slice_starts(s, SLICE("Examples")), "does not start");
	ok(slice_istarts(s, SLICE("eXA")) && !slice_istarts(s, SLICE("ax")), "starts in any case");
	ok(!slice_istarts(s, SLICE("Examples")), "is too short to start");
	ok(slice_ends(s, SLICE("ple")) && slice_ends(s, s) && slice_ends(s, nothing), "ends");
	ok(!slice_ends(s, SLICE("PLE")) && !slice_ends(s, SLICE("nExample")), "does not end");
	is_slice(slice_skip(s, 5), SLICE("le"), "skip");
	is_slice(slice_skip(s, 8), SLICE(""), "skip too much");
	ok(slice_skip(nothing, 3).p == NULL, "skip nothing");
	is_slice(slice_head(s, 2), SLICE("Ex"), "head");
	is_slice(slice_head(s, 8), s, "head of more than all");
	is_slice(slice_str(NULL), SLICE(""), "no string");
	is_slice(slice_str("ab"), SLICE("ab"), "a string");
}

static void
test_slice_cut(void)
{
	static const struct { const char *name; struct slice s, head, tail; bool found; } rows[] = {
		{ "middle", SLICE("a=b"), SLICE("a"), SLICE("b"), true },
		{ "the first counts", SLICE("a=b=c"), SLICE("a"), SLICE("b=c"), true },
		{ "in front", SLICE("=b"), SLICE(""), SLICE("b"), true },
		{ "at the end", SLICE("a="), SLICE("a"), SLICE(""), true },
		{ "not there", SLICE("ab"), SLICE("ab"), SLICE(""), false },
		{ "empty", SLICE(""), SLICE(""), SLICE(""), false },
	};
	struct slice same = SLICE("x=y=z");

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct slice head, tail;

		ok(slice_cut(guard_copy(rows[i].s), '=', &head, &tail) == rows[i].found, "cut: %s", rows[i].name);
		is_slice(head, rows[i].head, rows[i].name);
		is_slice(tail, rows[i].tail, rows[i].name);
	}
	ok(slice_cut(same, '=', NULL, &same), "cut into itself");
	is_slice(same, SLICE("y=z"), "is the tail");
	ok(slice_cut(same, '=', &same, NULL), "cut into itself again");
	is_slice(same, SLICE("y"), "is the head");
	is_slice(slice_trim(guard_copy(SLICE(" \t\r\n a b \r\n"))), SLICE("a b"), "trim");
	is_slice(slice_trim(guard_copy(SLICE(" \v ")) ), SLICE("\v"), "trim knows four blanks");
	is_slice(slice_trim(guard_copy(SLICE("  "))), SLICE(""), "trim all");
	is_slice(slice_trim(nothing), SLICE(""), "trim nothing");
}

static void
test_slice_u64(void)
{
	static const struct { struct slice s; int r; uint64_t v; } rows[] = {
		{ SLICE("0"), 0, 0 }, { SLICE("007"), 0, 7 }, { SLICE("105984"), 0, 105984 },
		{ SLICE("18446744073709551615"), 0, UINT64_MAX },
		{ SLICE("18446744073709551616"), -1, 0 }, { SLICE("99999999999999999999999"), -1, 0 },
		{ SLICE(""), -1, 0 }, { SLICE("-1"), -1, 0 }, { SLICE("+1"), -1, 0 }, { SLICE(" 1"), -1, 0 },
		{ SLICE("1 "), -1, 0 }, { SLICE("1,000"), -1, 0 }, { SLICE("0x10"), -1, 0 }, { SLICE("1\0"), -1, 0 },
	};
	char *copy;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t v = 42;

		ok(slice_u64(guard_copy(rows[i].s), &v) == rows[i].r, "number \"%.*s\"", SLICE_ARGS(rows[i].s));
		ok(v == (rows[i].r == 0 ? rows[i].v : 42), "value of \"%.*s\"", SLICE_ARGS(rows[i].s));
	}
	copy = slice_dup(guard_copy(SLICE("abc")));
	is_str(copy, "abc", "a copy");
	free(copy);
	copy = slice_dup(nothing);
	is_str(copy, "", "a copy of nothing");
	free(copy);
}

static void
test_ascii(void)
{
	int hex = 0, lower = 0, digit = 0, alpha = 0, space = 0;

	for (int c = -128; c < 128; c++) {
		hex += ascii_hex((char)c) >= 0;
		lower += ascii_lower((char)c) != (char)c;
		digit += ascii_is_digit((char)c);
		alpha += ascii_is_alpha((char)c);
		space += ascii_is_space((char)c);
	}
	ok(hex == 22 && lower == 26 && digit == 10 && alpha == 52 && space == 4, "how many of each kind");
	ok(ascii_hex('0') == 0 && ascii_hex('9') == 9 && ascii_hex('a') == 10 && ascii_hex('F') == 15, "hex digits");
}

/* ---- buffers ---- */

static void
test_buf_bounds(void)
{
	struct buf b = { 0 };

	is_int(buf_add(&b, "", 0), 0, "nothing fits a maximum of zero");
	ok(b.p != NULL && b.p[0] == '\0', "and is a string");
	ok(buf_add_char(&b, 'x') == -1 && b.failed, "one byte does not");
	buf_fini(&b);
	buf_init(&b, 5);
	is_int(buf_add_str(&b, "abc"), 0, "fits");
	is_int(buf_add_str(&b, "def"), -1, "does not fit");
	is_slice(buf_slice(&b), SLICE("abc"), "is not cut");
	is_int(buf_add_char(&b, 'd'), -1, "what would fit is refused after a failure");
	buf_reset(&b);
	ok(!b.failed && b.len == 0 && b.p[0] == '\0', "forgotten");
	is_int(buf_add_slice(&b, SLICE("abcde")), 0, "as long as may be");
	is_int(buf_add_slice(&b, nothing), 0, "and nothing more");
	is_int(buf_reserve(&b, SIZE_MAX), -1, "a length that wraps");
	is_slice(buf_slice(&b), SLICE("abcde"), "does no harm");
	buf_fini(&b);
	ok(b.p == NULL && b.len == 0 && b.cap == 0 && b.max == 5 && !b.failed, "as it began");
	is_int(buf_addf(&b, "%d", 12345), 0, "printf that fits");
	is_int(buf_addf(&b, "%s", "x"), -1, "printf that does not");
	is_str(b.p, "12345", "is a string all the same");
	buf_fini(&b);
	buf_init(&b, SIZE_MAX);
	is_int(buf_add_str(&b, "abc"), 0, "no maximum");
	is_int(buf_reserve(&b, 1000), 0, "room");
	ok(b.cap >= 1004 && b.len == 3, "room is not length");
	is_int(buf_reserve(&b, SIZE_MAX - 3), -1, "more than there is");
	buf_fini(&b);
}

static void
test_buf_grow(void)
{
	bool same = true;
	struct buf b;

	buf_init(&b, 100000);
	for (int i = 0; i < 100000; i++)
		buf_add_char(&b, (char)('a' + i % 26));
	for (int i = 0; i < 100000; i++)
		same = same && b.p[i] == (char)('a' + i % 26);
	ok(same && !b.failed && b.len == 100000 && b.p[b.len] == '\0', "grows to its maximum");
	is_int(buf_add_char(&b, 'x'), -1, "and not beyond");
	ok(b.cap <= 100001, "in memory too");
	buf_fini(&b);
}

static const struct {
	const char	*name;
	struct slice	 raw;
	const char	*html, *escaped, *utf8;
} texts[] = {
	{ "plain", SLICE("abc"), "abc", "abc", "abc" },
	{ "nothing", SLICE(""), "", "", "" },
	{ "HTML", SLICE("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;", "<a href=\"x\">&'",
	    "<a href=\"x\">&'" },
	{ "a NUL", SLICE("a\0b"), "a\xef\xbf\xbd" "b", "a\\x00b", "a\\x00b" },
	{ "line ends", SLICE("a\r\nb\tc"), "a\xef\xbf\xbd\nb\tc", "a\\r\\nb\\tc", "a\\x0d\\x0ab\\x09c" },
	{ "backslash", SLICE("\\x"), "\\x", "\\\\x", "\\x" },
	{ "DEL and escape", SLICE("\x7f\x1b"), "\xef\xbf\xbd\xef\xbf\xbd", "\\x7f\\x1b", "\\x7f\\x1b" },
	{ "a C1 control, and the first that is none", SLICE("\xc2\x9b\xc2\xa0"), "\xef\xbf\xbd\xc2\xa0",
	    "\\xc2\\x9b\\xc2\\xa0", "\\xc2\\x9b\xc2\xa0" },
	{ "two bytes", SLICE("\xc3\xa4"), "\xc3\xa4", "\\xc3\\xa4", "\xc3\xa4" },
	{ "three bytes", SLICE("\xe2\x82\xac"), "\xe2\x82\xac", "\\xe2\\x82\\xac", "\xe2\x82\xac" },
	{ "four bytes", SLICE("\xf0\x9f\x94\xa5"), "\xf0\x9f\x94\xa5", "\\xf0\\x9f\\x94\\xa5",
	    "\xf0\x9f\x94\xa5" },
	{ "a byte alone", SLICE("a\xff" "b"), "a\xef\xbf\xbd" "b", "a\\xffb", "a\\xffb" },
	{ "cut short", SLICE("a\xe2\x82"), "a\xef\xbf\xbd\xef\xbf\xbd", "a\\xe2\\x82", "a\\xe2\\x82" },
	{ "overlong slash", SLICE("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd", "\\xc0\\xaf", "\\xc0\\xaf" },
};

static void
test_buf_escapes(void)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct slice raw = guard_copy(texts[i].raw), text;
		struct buf b, back;

		buf_init(&b, 1000);
		buf_init(&back, 1000);
		is_int(buf_add_html(&b, raw), 0, texts[i].name);
		is_slice(buf_slice(&b), slice_str(texts[i].html), texts[i].name);
		buf_reset(&b);
		is_int(buf_add_utf8(&b, raw), 0, texts[i].name);
		is_slice(buf_slice(&b), slice_str(texts[i].utf8), texts[i].name);
		buf_add_slice(&b, raw);
		is_int(buf_make_utf8(&b, strlen(texts[i].utf8)), 0, texts[i].name);
		is_slice(slice_skip(buf_slice(&b), strlen(texts[i].utf8)), slice_str(texts[i].utf8), texts[i].name);
		is_slice(slice_head(buf_slice(&b), strlen(texts[i].utf8)), slice_str(texts[i].utf8), "and what stood before stays");
		buf_reset(&b);
		is_int(buf_add_escaped(&b, raw), 0, texts[i].name);
		is_slice(buf_slice(&b), slice_str(texts[i].escaped), texts[i].name);
		text = guard_copy(buf_slice(&b));
		is_int(buf_add_unescaped(&back, text), 0, texts[i].name);
		is_slice(buf_slice(&back), raw, "and back again");
		buf_fini(&b);
		buf_fini(&back);
	}
}

/* At every place of a text, whatever stands around it, each byte is plain or is not. */
static void
test_slice_plain(void)
{
	enum { LEN = 50 };
	char text[LEN];
	bool right = true;

	for (unsigned c = 0; c <= UINT8_MAX; c++) {
		bool plain = c >= ' ' && c <= '~' && strchr("&<>\"'\\", (int)c) == NULL;

		for (size_t len = 1; len <= LEN; len++) {
			memset(text, 'x', sizeof(text));
			text[len - 1] = (char)c;
			right = right && slice_plain(slice_make(text, LEN)) == (plain ? LEN : len - 1);
			right = right && slice_plain(slice_make(text, len)) == (plain ? len : len - 1);
		}
	}
	ok(right, "plain bytes are counted");
	for (size_t len = 0; len <= LEN; len++)
		right = right && slice_plain(guard_copy(slice_make(text, len))) == (len < LEN ? len : LEN - 1);
	ok(right, "and none behind them is looked at");
	is_int((long long)slice_plain(nothing), 0, "of nothing none");
}

static void
test_buf_unescape(void)
{
	static const char *const bad[] = { "\\", "a\\", "\\q", "\\x", "\\x1", "\\x1g", "\\xg1", "\\X41", "\\0" };
	struct buf b;

	buf_init(&b, 100);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(buf_add_unescaped(&b, guard_copy(slice_str(bad[i]))) == -1, "bad escape \"%s\"", bad[i]);
	buf_reset(&b);
	is_int(buf_add_unescaped(&b, guard_copy(SLICE("\\x4A\\x4a"))), 0, "either case");
	is_slice(buf_slice(&b), SLICE("JJ"), "is the same");
	buf_fini(&b);
	buf_init(&b, 3);
	is_int(buf_add_html(&b, SLICE("&")), -1, "a reference that does not fit");
	ok(b.len == 0, "is not cut");
	buf_reset(&b);
	ok(buf_add_escaped(&b, SLICE("\x01")) == -1 && b.len == 0, "an escape that does not fit");
	buf_reset(&b);
	ok(buf_add_utf8(&b, SLICE("\x01")) == -1 && b.len == 0, "another");
	buf_reset(&b);
	ok(buf_add_str(&b, "a\x01") == 0 && buf_make_utf8(&b, 1) == -1 && b.failed, "and one in its place");
	buf_reset(&b);
	is_int(buf_add_unescaped(&b, SLICE("abcd")), -1, "text that does not fit");
	buf_fini(&b);
}

static void
test_utf8(void)
{
	static const struct { const char *name; struct slice s; size_t n; } rows[] = {
		{ "nothing", SLICE(""), 0 }, { "ASCII", SLICE("ab"), 1 }, { "NUL", SLICE("\0"), 1 },
		{ "U+0080", SLICE("\xc2\x80"), 2 }, { "U+07FF", SLICE("\xdf\xbf"), 2 },
		{ "U+0800", SLICE("\xe0\xa0\x80"), 3 }, { "U+FFFF", SLICE("\xef\xbf\xbf"), 3 },
		{ "U+D7FF", SLICE("\xed\x9f\xbf"), 3 }, { "U+E000", SLICE("\xee\x80\x80"), 3 },
		{ "U+10000", SLICE("\xf0\x90\x80\x80"), 4 }, { "U+10FFFF", SLICE("\xf4\x8f\xbf\xbf"), 4 },
		{ "continuation", SLICE("\x80"), 0 }, { "overlong 2", SLICE("\xc1\xbf"), 0 },
		{ "overlong 3", SLICE("\xe0\x9f\xbf"), 0 }, { "overlong 4", SLICE("\xf0\x8f\xbf\xbf"), 0 },
		{ "surrogate", SLICE("\xed\xa0\x80"), 0 }, { "over U+10FFFF", SLICE("\xf4\x90\x80\x80"), 0 },
		{ "five bytes", SLICE("\xf8\x88\x80\x80\x80"), 0 }, { "cut 2", SLICE("\xc2"), 0 },
		{ "cut 3", SLICE("\xe2\x82"), 0 }, { "cut 4", SLICE("\xf0\x9f\x94"), 0 },
		{ "bad third", SLICE("\xe2\x82\x41"), 0 }, { "bad fourth", SLICE("\xf0\x9f\x94\xc0"), 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		is_int((long long)utf8_sequence(guard_copy(rows[i].s)), (long long)rows[i].n, rows[i].name);
}

/* A lent space is used, outgrown and never freed. */
static void
test_buf_lent(void)
{
	char space[8];
	struct buf b;

	buf_init_in(&b, space, sizeof(space), 20);
	is_str(b.p, "", "a lent space: empty");
	ok(buf_add_str(&b, "1234567") == 0 && b.p == space, "seven bytes and the NUL fit in it");
	ok(buf_add_char(&b, '8') == 0 && b.p != space, "the eighth does not");
	is_str(b.p, "12345678", "and nothing is lost");
	ok(buf_add_str(&b, "9012345678901") == -1 && b.failed, "the maximum holds");
	buf_fini(&b);
	buf_init_in(&b, space, sizeof(space), 3);
	ok(buf_add_str(&b, "123") == 0 && buf_add_char(&b, '4') == -1, "a maximum below the space holds, too");
	buf_fini(&b);
	ok(b.p == NULL && !b.lent, "and is gone from it in the end");
	buf_init_in(&b, space, sizeof(space), 100);
	ok(buf_addf(&b, "%s", "formatted") == 0 && b.p != space, "printf beyond the space");
	is_str(b.p, "formatted", "all of it");
	buf_fini(&b);
}

static void
test_buf_number(void)
{
	static const struct { int64_t n; const char *text; } rows[] = {
		{ 0, "0" }, { 7, "7" }, { 10, "10" }, { -1, "-1" }, { INT64_MAX, "9223372036854775807" },
		{ INT64_MIN, "-9223372036854775808" },
	};
	struct buf b;

	buf_init(&b, 100);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		buf_reset(&b);
		is_int(buf_add_number(&b, rows[i].n), 0, "a number");
		is_str(b.p, rows[i].text, rows[i].text);
	}
	buf_fini(&b);
	buf_init(&b, 3);
	is_int(buf_add_number(&b, 1234), -1, "a number that does not fit");
	ok(b.len == 0 && b.failed, "leaves nothing of it");
	buf_fini(&b);
}

/* ---- time ---- */

static void
test_clock_parse(void)
{
	static const struct { struct slice text; int r; int64_t s; } rows[] = {
		{ SLICE("1970-01-01"), 0, 0 }, { SLICE("2009-10-28"), 0, 1256688000 },
		{ SLICE("2009-10-28T14:39Z"), 0, 1256740740 }, { SLICE("2009-10-28T14:39:07Z"), 0, 1256740747 },
		{ SLICE("2009-10-28T14:39:07.999Z"), 0, 1256740747 },
		{ SLICE("2009-10-28T14:39:07+02:00"), 0, 1256733547 },
		{ SLICE("2009-10-28T14:39-05:30"), 0, 1256760540 },
		{ SLICE("2012-02-29"), 0, 1330473600 }, { SLICE("2000-02-29"), 0, 951782400 },
		{ SLICE("9999-12-31T23:59:59Z"), 0, INT64_C(253402300799) },
		{ SLICE("2016-12-31T23:59:60Z"), 0, 1483228800 },
		{ SLICE("2011-02-29"), -1, 0 }, { SLICE("2100-02-29"), -1, 0 }, { SLICE("1969-12-31"), -1, 0 },
		{ SLICE("2009-13-01"), -1, 0 }, { SLICE("2009-00-01"), -1, 0 }, { SLICE("2009-01-00"), -1, 0 },
		{ SLICE("2009-04-31"), -1, 0 }, { SLICE("2009-1-1"), -1, 0 }, { SLICE("2009-10-28T"), -1, 0 },
		{ SLICE("2009-10-28T14"), -1, 0 }, { SLICE("2009-10-28T14:39"), -1, 0 },
		{ SLICE("2009-10-28T24:00Z"), -1, 0 }, { SLICE("2009-10-28T14:60Z"), -1, 0 },
		{ SLICE("2009-10-28T14:39:61Z"), -1, 0 }, { SLICE("2009-10-28T14:39.5Z"), -1, 0 },
		{ SLICE("2009-10-28T14:39:00.Z"), -1, 0 }, { SLICE("2009-10-28T14:39:00Zx"), -1, 0 },
		{ SLICE("2009-10-28T14:39+2:00"), -1, 0 }, { SLICE("2009-10-28T14:39+15:00"), -1, 0 },
		{ SLICE("2009-10-28T14:39+02:60"), -1, 0 }, { SLICE("2009-10-28 14:39Z"), -1, 0 },
		{ SLICE(""), -1, 0 }, { SLICE("2009"), -1, 0 }, { SLICE("2009-10-28Z"), -1, 0 },
		{ SLICE("-009-10-28"), -1, 0 }, { SLICE("2009-10-28\0"), -1, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t s = 0;

		ok(clock_parse(guard_copy(rows[i].text), &s) == rows[i].r, "moment \"%.*s\"",
		    SLICE_ARGS(rows[i].text));
		if (rows[i].r == 0)
			is_int(s, rows[i].s, rows[i].text.p);
	}
}

static void
test_clock_span(void)
{
	static const struct { struct slice text; int r; int64_t s; } rows[] = {
		{ SLICE("90"), 0, 90 }, { SLICE("0"), 0, 0 }, { SLICE("45s"), 0, 45 }, { SLICE("30m"), 0, 1800 },
		{ SLICE("12h"), 0, 43200 }, { SLICE("7d"), 0, 604800 }, { SLICE("2w"), 0, 1209600 },
		{ SLICE("36525d"), 0, INT64_C(3155760000) }, { SLICE("36526d"), -1, 0 },
		{ SLICE("3155760001"), -1, 0 }, { SLICE("18446744073709551615w"), -1, 0 }, { SLICE(""), -1, 0 },
		{ SLICE("s"), -1, 0 }, { SLICE("5y"), -1, 0 }, { SLICE("5H"), -1, 0 }, { SLICE("-5s"), -1, 0 },
		{ SLICE("1h30m"), -1, 0 }, { SLICE("5 s"), -1, 0 }, { SLICE("5\0"), -1, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t s = 0;

		ok(clock_parse_span(guard_copy(rows[i].text), &s) == rows[i].r, "span \"%.*s\"",
		    SLICE_ARGS(rows[i].text));
		if (rows[i].r == 0)
			is_int(s, rows[i].s, rows[i].text.p);
	}
}

/* As the C library has it: a moment of each day for an era of 400 years and more, then every now and then, and beyond both ends. */
static void
test_clock_days(void)
{
	const int64_t often = INT64_C(450) * 366 * CLOCK_DAY_S, step = CLOCK_DAY_S + 13;
	char out[CLOCK_TEXT], expected[CLOCK_TEXT];
	bool same = true;

	for (int64_t s = -500 * step; same && s < CLOCK_LAST_S + 500 * step; s += s < often ? step : 29 * step) {
		time_t t = (time_t)s;
		struct tm tm;

		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
		clock_format_s(s, out);
		same = strcmp(out, expected) == 0;
	}
	ok(same, "every day as the C library has it");
	clock_format_s(CLOCK_LAST_S, out);
	is_str(out, "9999-12-31T23:59:59Z", "the last moment");
}

static void
test_clock_format(void)
{
	static const struct { int64_t ms; const char *text; } rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" }, { INT64_C(1795418424332), "2026-11-23T07:20:24.332Z" },
		{ -1, "1969-12-31T23:59:59.999Z" }, { -1000, "1969-12-31T23:59:59.000Z" },
		{ -1001, "1969-12-31T23:59:58.999Z" },
		{ INT64_MAX, "292278994-08-17T07:12:55.807Z" }, { INT64_MIN, "-292275055-05-16T16:47:04.192Z" },
	};
	char out[CLOCK_TEXT];
	int64_t s, before = clock_ms();

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		clock_format_ms(rows[i].ms, out);
		is_str(out, rows[i].text, "milliseconds as text");
	}
	clock_format_s(1256740747, out);
	is_str(out, "2009-10-28T14:39:07Z", "seconds as text");
	test_clock_days();
	clock_format_s(INT64_MAX, out);
	is_str(out, "never", "beyond all years");
	ok(before > INT64_C(1700000000000) && clock_ms() >= before, "now is now");
	is_int(clock_civil(2009, 10, 28, 14, 39, 7, &s), 0, "a civil moment");
	is_int(s, 1256740747, "in seconds");
	ok(clock_civil(10000, 1, 1, 0, 0, 0, &s) == -1 && clock_civil(2009, 1, 1, -1, 0, 0, &s) == -1 &&
	    clock_civil(2009, 1, 1, 0, -1, 0, &s) == -1 && clock_civil(2009, 1, 1, 0, 0, -1, &s) == -1,
	    "no such moments");
}

/* ---- digests ---- */

static void
test_digest(void)
{
	static const char hex[] = "9abc553703f4e4fedb3ed975502a2c7a";
	struct digest a, b;
	enum digest_alg alg;
	char text[DIGEST_MAX_HEX + 1];

	for (int i = 0; i < DIGEST_ALGS; i++) {
		const char *name = digest_alg_name((enum digest_alg)i);

		ok(digest_alg_parse(slice_str(name), &alg) == 0 && alg == (enum digest_alg)i, "algorithm %s", name);
	}
	ok(digest_alg_parse(SLICE("SHA256"), &alg) == 0 && alg == DIGEST_SHA256, "any case");
	ok(digest_alg_parse(SLICE("sha"), &alg) == -1 && digest_alg_parse(SLICE("sha-1"), &alg) == -1 &&
	    digest_alg_parse(nothing, &alg) == -1, "no such algorithms");
	ok(digest_len(DIGEST_MD5) == 16 && digest_len(DIGEST_SHA1) == 20 && digest_len(DIGEST_SHA256) == 32, "lengths");
	ok(digest_alg_of_hex(2 * digest_len(DIGEST_SHA1), &alg) == 0 && alg == DIGEST_SHA1 && digest_alg_of_hex(39, &alg) == -1,
	    "which algorithm has that many digits");
	is_int(digest_parse(DIGEST_MD5, guard_copy(slice_str(hex)), &a), 0, "an MD5");
	is_int(digest_parse(DIGEST_MD5, SLICE("9ABC553703F4E4FEDB3ED975502A2C7A"), &b), 0, "in capitals");
	ok(digest_eq(&a, &b), "is the same");
	digest_format(&b, text);
	is_str(text, hex, "as text");
	b.b[15] ^= 1;
	ok(!digest_eq(&a, &b), "one bit makes another");
	is_int(digest_parse(DIGEST_SHA1, SLICE("9abc553703f4e4fedb3ed975502a2c7a00000000"), &b), 0, "a SHA-1");
	ok(!digest_eq(&a, &b), "another algorithm is another digest");
	ok(digest_parse(DIGEST_MD5, guard_copy(SLICE("9abc553703f4e4fedb3ed975502a2c")), &a) == -1, "30 digits");
	ok(digest_parse(DIGEST_MD5, guard_copy(SLICE("9abc553703f4e4fedb3ed975502a2c7a0")), &a) == -1, "33 digits");
	ok(digest_parse(DIGEST_MD5, guard_copy(SLICE("9abc553703f4e4fedb3ed975502a2c7g")), &a) == -1, "a g");
	ok(digest_parse(DIGEST_MD5, nothing, &a) == -1, "nothing");
}

/* ---- findings ---- */

static void
test_diag(void)
{
	static const char *const expected[] = {
		"a.rules:3:7: error: bad \"x\"", "a.rules:4: warning: odd", "a.rules: note: said", "error: plain",
		"b\\x0ac: error: a\\x1b[2J\\xff",
	};
	struct diag d;
	char line[256];

	diag_init(&d);
	is_str(diag_first_error(&d), "no error", "an empty list");
	diag_add(&d, DIAG_ERROR, "a.rules", 3, 7, "bad \"%s\"", "x");
	diag_add(&d, DIAG_WARNING, "a.rules", 4, 0, "odd");
	diag_add(&d, DIAG_NOTE, "a.rules", 0, 0, "said");
	diag_error(&d, "pl%s", "ain");
	diag_add(&d, DIAG_ERROR, "b\nc", 0, 0, "a\033[2J\xff");
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		diag_format(&d.v[i], line, sizeof(line));
		is_str(line, expected[i], "a finding");
	}
	ok(d.n == 5 && d.n_errors == 3 && d.n_warnings == 1 && d.lost == 0, "counts");
	diag_format(&d.v[0], line, 8);
	is_str(line, "a.rules", "a finding in little room");
	is_str(diag_first_error(&d), "bad \"x\"", "the first error");
	diag_fini(&d);
	ok(d.n == 0 && d.n_errors == 0 && d.v == NULL, "emptied");
	diag_error(NULL, "nobody listens");
	for (int i = 0; i < DIAG_MAX + 100; i++)
		diag_add(&d, DIAG_WARNING, NULL, 0, 0, "%d", i);
	ok(d.n == DIAG_MAX && d.lost == 100 && d.n_warnings == DIAG_MAX + 100, "no more than DIAG_MAX are kept");
	is_str(diag_first_error(&d), "no error", "warnings are no errors");
	diag_fini(&d);
}

static void
test_diag_append(void)
{
	struct diag to = { 0 }, from = { 0 };
	char line[64];

	diag_error(&to, "one");
	diag_add(&from, DIAG_WARNING, "a.rules", 4, 2, "two");
	diag_error(&from, "three");
	diag_append(&to, &from);
	ok(to.n == 3 && to.n_errors == 2 && to.n_warnings == 1 && from.n == 0 && from.n_errors == 0, "findings that were moved");
	diag_format(&to.v[1], line, sizeof(line));
	is_str(line, "a.rules:4:2: warning: two", "with the place that they had");
	for (size_t i = 0; i < DIAG_MAX; i++)
		diag_error(&from, "more");
	diag_append(&to, &from);
	ok(to.n == DIAG_MAX && to.lost == 3 && to.n_errors == DIAG_MAX + 2, "for which there was no room, and so were counted");
	diag_error(&from, "nobody listens");
	diag_append(NULL, &from);
	ok(from.n == 0, "dropped");
	diag_fini(&to);
}

static void
test_diag_print(void)
{
	struct diag d = { 0 };
	char *text = NULL, *wide = malloc(10001);
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	memset(wide, '\001', 10000);
	wide[10000] = '\0';
	diag_error(&d, "one");
	diag_add(&d, DIAG_NOTE, "x", 1, 0, "two");
	d.lost = 3;
	diag_print(&d, f);
	fclose(f);
	is_str(text, "error: one\nx:1: note: two\nnote: 3 more findings are not shown\n", "printed");
	free(text);
	diag_error(&d, "%s", wide);
	ok(d.n == 3 && strlen(d.v[2].text) > 10000 && strlen(d.v[2].text) % 4 == 0, "a long text is bounded");
	f = open_memstream(&text, &len);
	diag_print(&d, f);
	fclose(f);
	ok(len > 10000, "and printed");
	free(text);
	free(wide);
	diag_fini(&d);
}

/* ---- files ---- */

static void
is_file(const char *path, struct slice expected, const char *name)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	is_int(file_read(path, &b), 0, name);
	is_slice(buf_slice(&b), expected, name);
	buf_fini(&b);
}

static void
test_file_read(const char *path, struct slice content)
{
	static const int delta[] = { -1, 0, 1 };
	struct buf b;

	for (size_t i = 0; i < sizeof(delta) / sizeof(*delta); i++) {
		int expected = delta[i] < 0 ? -1 : 0;

		buf_init(&b, content.len + (size_t)delta[i]);
		errno = 0;
		ok(file_read(path, &b) == expected && errno == (expected == -1 ? EFBIG : 0),
		    "%zu bytes into a maximum of %d more", content.len, delta[i]);
		if (expected == 0)
			ok(slice_eq(buf_slice(&b), content) && b.p[b.len] == '\0', "whole, and a string");
		buf_fini(&b);
	}
	buf_init(&b, content.len + 3);
	buf_add_str(&b, "abc");
	ok(file_read(path, &b) == 0 && slice_starts(buf_slice(&b), SLICE("abc")) && b.len == content.len + 3,
	    "it is appended");
	buf_reset(&b);
	errno = 0;
	ok(file_read("/", &b) == -1 && errno == EISDIR, "a folder: EISDIR");
	errno = 0;
	ok(file_read("/nonexistent/x", &b) == -1 && errno == ENOENT, "no file: ENOENT");
	buf_fini(&b);
}

static void
test_file_write(const char *dir)
{
	char *path = file_join(dir, "a.txt"), *below = file_join(path, "x"), *gone = file_join(dir, "no/x");
	struct stat st;
	mode_t umask_before = umask(077);

	is_int(file_write(path, SLICE("one"), 0644), 0, "a new file");
	is_file(path, SLICE("one"), "its content");
	is_int(file_write(path, SLICE("two\0three"), 0640), 0, "replaced");
	is_file(path, SLICE("two\0three"), "by this");
	ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0640, "its mode, whatever the umask");
	is_int(file_write(path, nothing, 0640), 0, "by nothing");
	is_file(path, SLICE(""), "an empty file");
	ok(file_write(below, SLICE("x"), 0644) == -1 && errno == ENOTDIR, "below a file");
	ok(file_write(gone, SLICE("x"), 0644) == -1 && errno == ENOENT, "no folder");
	ok(file_write(dir, SLICE("x"), 0644) == -1, "over a folder");
	umask(umask_before);
	ok(chdir(dir) == 0 && file_write("b.txt", SLICE("x"), 0644) == 0, "a name without a folder");
	is_file("b.txt", SLICE("x"), "its content");
	free(path);
	free(below);
	free(gone);
}

/* Nothing but A.txt and B.txt is in the folder; and over DIR, where a file cannot go, nothing was left either. */
static void
test_no_rest(const char *dir)
{
	char command[4096];
	struct buf b;
	FILE *f;

	buf_init(&b, 1000);
	snprintf(command, sizeof(command), "ls -A '%s' | tr '\\n' ' '; ls -d '%s'.* 2>/dev/null | wc -l", dir, dir);
	if ((f = popen(command, "r")) != NULL) {
		char line[256];

		while (fgets(line, sizeof(line), f) != NULL)
			buf_add_str(&b, line);
		pclose(f);
	}
	is_slice(slice_trim(buf_slice(&b)), SLICE("a.txt b.txt 0"), "no temporary file is left");
	buf_fini(&b);
}

/* Writers of one path at once: the file is always one writer's whole. */
static void
test_file_race(const char *path)
{
	enum { WRITERS = 4, ROUNDS = 50, SIZE = 20000 };
	char *text = malloc(SIZE);
	bool whole = true;
	int status;

	for (int w = 0; w < WRITERS; w++)
		if (fork() == 0) {
			memset(text, 'a' + w, SIZE);
			for (int i = 0; i < ROUNDS; i++)
				if (file_write(path, slice_make(text, SIZE), 0644) == -1)
					_exit(1);
			_exit(0);
		}
	for (int i = 0; i < ROUNDS; i++) {
		struct buf b;

		buf_init(&b, 2 * SIZE);
		if (file_read(path, &b) == 0) {
			memset(text, b.len > 0 ? b.p[0] : 0, SIZE);
			whole = whole && slice_eq(buf_slice(&b), slice_make(text, SIZE));
		}
		buf_fini(&b);
	}
	for (int w = 0; w < WRITERS; w++)
		whole = wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 && whole;
	ok(whole, "a reader sees one writer's file, whole");
	free(text);
}

static void
test_file_dirs(const char *dir)
{
	char *deep = file_join(dir, "p//q/r/"), *q = file_join(dir, "p/q"), *file = file_join(dir, "a.txt");
	char *below = file_join(file, "x");
	struct stat st;
	mode_t before = umask(077);

	is_int(file_mkdirs(deep, 0755), 0, "folders");
	is_int(file_mkdirs(deep, 0700), 0, "that are there");
	umask(before);
	ok(stat(q, &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 0755, "with their mode, and keep it");
	ok(file_mkdirs(file, 0755) == -1 && errno == ENOTDIR, "a file is in the way");
	ok(file_mkdirs(below, 0755) == -1 && errno == ENOTDIR, "a file is above");
	ok(file_mkdirs("", 0755) == -1 && errno == ENOENT, "no name");
	is_int(file_mkdirs("/", 0755), 0, "the root is there");
	is_int(file_sync_dir(dir), 0, "a folder flushed");
	ok(file_sync_dir(file) == -1 && errno == ENOTDIR, "no folder");
	free(deep);
	free(q);
	free(file);
	free(below);
}

static void
test_file_pipe(void)
{
	int fds[2], saved = dup(STDIN_FILENO);
	struct buf b;

	buf_init(&b, 100);
	ok(pipe(fds) == 0 && file_write_all(fds[1], SLICE("from a pipe")) == 0 && file_write_all(fds[1], nothing) == 0,
	    "into a pipe");
	close(fds[1]);
	dup2(fds[0], STDIN_FILENO);
	is_int(file_read("-", &b), 0, "from standard input");
	is_slice(buf_slice(&b), SLICE("from a pipe"), "all of it");
	dup2(saved, STDIN_FILENO);
	close(saved);
	close(fds[0]);
	errno = 0;
	ok(file_write_all(fds[0], SLICE("x")) == -1 && errno == EBADF, "into a closed file");
	buf_fini(&b);
}

static void
test_files(void)
{
	char *dir = temp_dir(), *path = file_join(dir, "a.txt");
	static const size_t sizes[] = { 1, 65535, 65536, 65537, BIG };
	char *big = malloc(BIG);

	test_file_write(dir);
	test_no_rest(dir);
	memset(big, 'x', BIG);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		file_write(path, slice_make(big, sizes[i]), 0644);
		test_file_read(path, slice_make(big, sizes[i]));
	}
	test_file_race(path);
	test_file_dirs(dir);
	test_file_pipe();
	free(big);
	free(path);
	free(dir);
}

/* ---- SipHash ---- */

static void
test_siphash(void)
{
	/* The first and some later vectors of the reference implementation: key 00..0f, input 00, 01, 02 ... */
	static const struct { size_t len; uint64_t hash; } rows[] = {
		{ 0, UINT64_C(0x726fdb47dd0e0e31) }, { 1, UINT64_C(0x74f839c593dc67fd) },
		{ 2, UINT64_C(0x0d6c8009d9a94f5a) }, { 7, UINT64_C(0xab0200f58b01d137) },
		{ 8, UINT64_C(0x93f5f5799a932462) }, { 15, UINT64_C(0xa129ca6149be45e5) },
		{ 63, UINT64_C(0x958a324ceb064572) },
	};
	uint8_t key[SIPHASH_KEY];
	char input[64];

	for (size_t i = 0; i < sizeof(input); i++)
		input[i] = (char)i;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		ok(siphash(key, guard_copy(slice_make(input, rows[i].len))) == rows[i].hash, "SipHash of %zu bytes",
		    rows[i].len);
	ok(siphash(key, nothing) == rows[0].hash, "SipHash of nothing at NULL");
	key[0] ^= 1;
	ok(siphash(key, nothing) != rows[0].hash, "another key, another hash");
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);	/* children must not print what we have not */
	test_slice_order();
	test_slice_search();
	test_slice_ends();
	test_slice_cut();
	test_slice_u64();
	test_ascii();
	test_buf_bounds();
	test_buf_grow();
	test_buf_escapes();
	test_slice_plain();
	test_buf_unescape();
	test_utf8();
	test_buf_number();
	test_buf_lent();
	test_clock_parse();
	test_clock_span();
	test_clock_format();
	test_digest();
	test_diag();
	test_diag_append();
	test_diag_print();
	test_files();
	test_siphash();
	return tap_done();
}
