/* JSON piece by piece: which pieces there are, however the text comes, and what is wrong where. */
#include "feeds/json_pieces.h"
#include "t/tap.h"

enum { ROOM = 1 << 16 };

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

struct seen {
	struct buf	out;
	int		stop_after;	/* pieces; 0: never */
	int		n;
};

/* What is named e or is in a list is entered, what is named t or stands in an entered list is taken. */
static enum json_way
ask(void *arg, const struct json_pieces *p, char first)
{
	(void)arg, (void)first;
	if (p->n == 0 || json_pieces_at(p, p->n - 1, "e"))
		return JSON_ENTER;
	return json_pieces_at(p, p->n - 1, "t") || p->levels[p->n - 1].is_array ? JSON_TAKE : JSON_SKIP;
}

static int
take(void *arg, const struct json_pieces *p, json_t *piece, unsigned line, unsigned col)
{
	struct seen *seen = arg;
	char *text = json_dumps(piece, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);

	buf_addf(&seen->out, "%u:%u@%zu %s\n", line, col, p->n, text);
	free(text);
	return ++seen->n == seen->stop_after ? 42 : 0;
}

static void
bad(void *arg, unsigned line, unsigned col, const char *what)
{
	struct seen *seen = arg;

	buf_addf(&seen->out, "!%u:%u %s\n", line, col, what);
}

/* OUT has lines that begin as EXPECTED has them: a message of the library may say more. */
static bool
is_expected(struct slice out, struct slice expected)
{
	struct slice line, want;

	while (expected.len > 0) {
		slice_cut(expected, '\n', &want, &expected);
		if (out.len == 0)
			return false;
		slice_cut(out, '\n', &line, &out);
		if (!slice_starts(line, want) || (want.p[0] != '!' && line.len != want.len))
			return false;
	}
	return out.len == 0;
}

static int
run(struct seen *seen, struct slice text, size_t portion)
{
	static const struct json_reader reader = { ask, take, bad };
	struct json_pieces p;
	int r = 0;

	json_pieces_init(&p, &reader, seen);
	text = guard_copy(text);
	while (text.len > 0)
		r = json_pieces_put(&p, slice_take(&text, portion));
	json_pieces_end(&p);
	json_pieces_fini(&p);
	return r;
}

static void
expect(const char *idea, struct slice text, const char *expected)
{
	static const size_t portions[] = { SIZE_MAX, 1, 7 };

	for (size_t i = 0; i < COUNT(portions); i++) {
		struct seen seen = { .n = 0 };

		buf_init(&seen.out, ROOM);
		buf_add(&seen.out, "", 0);
		run(&seen, text, portions[i]);
		if (!ok(is_expected(buf_slice(&seen.out), slice_str(expected)), "%s%s", idea, i == 0 ? "" : i == 1 ? ", by bytes" : ", by sevens"))
			printf("# got %s\n", seen.out.p);
		buf_fini(&seen.out);
	}
}

#define ROW(idea, text, expected) { idea, { text, sizeof(text) - 1 }, expected }

static const struct { const char *idea; struct slice text; const char *expected; } rows[] = {
	ROW("a piece", "{\"t\":{\"a\":1}}", "1:6@1 {\"a\":1}\n"),
	ROW("pieces in a list", "[1,\"x\",null,{\"a\":[]},[2]]", "1:2@1 1\n1:4@1 \"x\"\n1:8@1 null\n1:13@1 {\"a\":[]}\n1:22@1 [2]\n"),
	ROW("deep inside", "{\"e\":{\"x\":[{\"t\":1}],\"e\":{\"t\":2}},\"t\":3}", "1:30@3 2\n1:38@1 3\n"),
	ROW("blanks and lines", "\n {\r\n\t\"t\" :\n  \"x\"\n}\n", "4:3@1 \"x\"\n"),
	ROW("a byte order mark", "\xef\xbb\xbf{\"t\":1}", "1:6@1 1\n"),
	ROW("half of one", "\xef\xbb{\"t\":1}", "!1:1 half a byte order mark\n"),
	ROW("marks in strings", "{\"x\":\"}]\\\"{[,:\",\"t\":\"}\\\\\"}", "1:21@1 \"}\\\\\"\n"),
	ROW("a key with an escape", "{\"\\u0074\":1}", "1:11@1 1\n"),
	ROW("a long key", "{\"ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt\":1,\"t\":2}", "1:84@1 2\n"),
	ROW("empty", "{}", ""), ROW("empty list", "[ ]", ""),
	ROW("nothing", "", "!1:1 there is no JSON\n"), ROW("blanks", " \n ", "!2:2 there is no JSON\n"),
	ROW("numbers up to the end", "{\"t\":-1.5e3}", "1:6@1 -1500.0\n"),
	ROW("a bad piece costs itself", "[{\"a\":},{\"b\":1}]", "!1:7 \n1:9@1 {\"b\":1}\n"),
	ROW("latin-1", "[{\n\"a\":\"caf\xe9\"},{\"b\":1}]", "!2:9 unable to decode byte 0xe9\n2:13@1 {\"b\":1}\n"),
	ROW("a NUL", "[{\"a\":\"x\0y\"},2]", "!1:9 \n1:14@1 2\n"),
	ROW("an escaped NUL", "[\"\\u0000\",2]", "!1:9 a NUL in a text\n1:11@1 2\n"),
	ROW("a control character", "[\"a\tb\",2]", "!1:4 control character 0x9\n1:8@1 2\n"),
	ROW("a key twice", "[{\"a\":1,\"a\":2},2]", "!1:11 duplicate object key\n1:16@1 2\n"),
	ROW("a word", "[nul,2]", "!1:4 invalid token\n1:6@1 2\n"),
	ROW("a number that is none", "[01,2]", "!1:2 invalid token\n1:5@1 2\n"),
	ROW("half a surrogate", "[\"\\ud800\",2]", "!1:9 invalid Unicode\n1:11@1 2\n"),
	ROW("single quotes", "{'t':1}", "!1:2 expected a key in quotes\n"),
	ROW("a comment", "{/* x */\"t\":1}", "!1:2 expected a key in quotes\n"),
	ROW("no comma", "{\"t\":1 \"x\":2}", "1:6@1 1\n!1:8 expected a comma\n"),
	ROW("a comma at the end", "[1,]", "1:2@1 1\n!1:4 expected a value\n"),
	ROW("a comma at the end of an object", "{\"t\":1,}", "1:6@1 1\n!1:8 expected a key in quotes\n"),
	ROW("no colon", "{\"t\" 1}", "!1:6 expected a colon\n"),
	ROW("the wrong bracket", "{\"t\":1]", "1:6@1 1\n!1:7 expected } and not ]\n"),
	ROW("the other wrong bracket", "[1}", "1:2@1 1\n!1:3 expected ] and not }\n"),
	ROW("it ends in a piece", "[1,{\"a\":", "1:2@1 1\n!1:9 the JSON ends before its end\n"),
	ROW("it ends in a string", "[1,\"x", "1:2@1 1\n!1:6 the JSON ends before its end\n"),
	ROW("it ends behind a piece", "[1,2\n", "1:2@1 1\n1:4@1 2\n!2:1 the JSON ends before its end\n"),
	ROW("it ends in a key", "{\"t", "!1:4 the JSON ends before its end\n"),
	ROW("more behind it", "[1]\n[2]", "1:2@1 1\n!2:1 text behind the end\n"),
	ROW("markup", "<html>", "!1:1 expected a value\n"),
	ROW("UTF-16", "\xff\xfe{\0", "!1:1 expected a value\n"),
};

static struct slice
filled(struct buf *b, const char *head, char c, size_t n, const char *tail)
{
	buf_reset(b);
	buf_add_str(b, head);
	buf_reserve(b, n + 1);
	memset(b->p + b->len, c, n);
	b->len += n;
	buf_add_str(b, tail);
	return buf_slice(b);
}

/* A list of N lists, each in the one before, and a 7. */
static struct slice
nested(struct buf *b, unsigned n)
{
	buf_reset(b);
	buf_add_char(b, '[');
	for (unsigned i = 0; i < 2 * n; i++)
		buf_add_char(b, i < n ? '[' : ']');
	buf_add_str(b, ",7]");
	return buf_slice(b);
}

/* What is too long is not held in memory, and does not end the reading. */
static void
test_bounds(void)
{
	struct buf b;
	struct seen seen = { .stop_after = 2 };

	buf_init(&b, SIZE_MAX / 2);
	expect("a long string in a piece becomes an empty one",
	    filled(&b, "[{\"a\":\"", 'x', JSON_STRING_MAX, "\\\"\",\"b\":\"y\"},2]"), "1:2@1 {\"a\":\"\",\"b\":\"y\"}\n1:65557@1 2\n");
	expect("one that just fits stays", filled(&b, "{\"x\":\"", 'x', JSON_STRING_MAX - 1, "\",\"t\":3}"), "1:65548@1 3\n");
	expect("nested as deep as it may be", nested(&b, JSON_PIECE_DEPTH), "1:2@1 [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
	    "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n1:131@1 7\n");
	expect("nested too deep", nested(&b, JSON_PIECE_DEPTH + 1), "!1:2 is nested too deep\n1:133@1 7\n");
	expect("a piece with too many parts", filled(&b, "[{\"a\":[1", ',', JSON_PIECE_MARKS, "1]},2]"), "!1:2 has too many parts\n1:131085@1 2\n");
	expect("what is passed over may be of any size", filled(&b, "{\"x\":{\"a\":[1", ',', JSON_PIECE_MARKS, "1]},\"t\":2}"), "1:131093@1 2\n");
	buf_init(&seen.out, ROOM);
	ok(run(&seen, filled(&b, "[", ' ', JSON_PIECE_MAX + 2, "1,2,3]"), SIZE_MAX) == 42 && seen.n == 2, "the reader stops it");
	buf_reset(&seen.out);
	seen.stop_after = 0;
	run(&seen, filled(&b, "[[", ' ', JSON_PIECE_MAX, "],2]"), SIZE_MAX);
	ok(is_expected(buf_slice(&seen.out), slice_str("!1:2 is too long\n1:8388613@1 2\n")), "a piece that is too long: %s", seen.out.p);
	buf_fini(&seen.out);
	buf_fini(&b);
}

int
main(void)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		expect(rows[i].idea, rows[i].text, rows[i].expected);
	test_bounds();
	return tap_done();
}
