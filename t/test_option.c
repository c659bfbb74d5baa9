/* Option tables: names, values, bounds, files, and what is made of them for people. */
#include "base/option.h"
#include "t/tap.h"

struct sample {
	int64_t	 threads;
	int64_t	 hold_tail;
	int64_t	 retry_after;
	int64_t	 log_query;
	int64_t	 block_connect;
	int64_t	 hash_types;
	char	*event_log;
	char	*own_domains;
};

#define ROW(name, type, unit, min, max, dflt, words, help) \
	OPTION_ROW(struct sample, name, type, unit, min, max, dflt, words, help)
static const struct option table[] = {
	ROW(threads, INT, "threads", 1, 64, "8", NULL, "How many.")
	ROW(hold_tail, SIZE, "bytes", 1, 1 << 30, "64k", NULL, "What is held back.")
	ROW(retry_after, SPAN, "seconds", 0, 86400, "30s", NULL, "When again.")
	ROW(log_query, BOOL, "", 0, 1, "no", NULL, "Whether the query is logged.")
	ROW(block_connect, WORD, "", 0, 0, "page", "page|mark", "How a CONNECT is refused.")
	ROW(hash_types, SET, "", 0, 0, "text script", "text|image|script", "What is hashed.")
	ROW(event_log, TEXT, "a path", 0, 20, "", NULL, "Where events go.")
	ROW(own_domains, LIST, "hosts", 0, 30, "", NULL, "Ours.")
};
enum { ROWS = sizeof(table) / sizeof(*table), WHY = 200 };

static struct sample
fresh(void)
{
	struct sample s;

	if (option_defaults(table, ROWS, &s) == -1)
		abort();
	return s;
}

static const struct {
	const char	*name;
	struct slice	 typed;
	const char	*found;		/* NULL = no such option */
} names[] = {
	{ "snake", SLICE("hold_tail"), "hold_tail" },
	{ "camel", SLICE("HoldTail"), "hold_tail" },
	{ "run together", SLICE("holdtail"), "hold_tail" },
	{ "capitals", SLICE("HOLD_TAIL"), "hold_tail" },
	{ "two underscores", SLICE("hold__tail"), NULL },
	{ "underscore at the end", SLICE("hold_tail_"), NULL },
	{ "underscore in front", SLICE("_hold_tail"), NULL },
	{ "hyphen", SLICE("hold-tail"), NULL },
	{ "the beginning of one", SLICE("hold"), NULL },
	{ "longer than one", SLICE("holdtails"), NULL },
	{ "nothing", SLICE(""), NULL },
};

static void
test_names(void)
{
	char camel[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct option *row = option_find(table, ROWS, guard_copy(names[i].typed));

		is_str(row == NULL ? "none" : row->name, names[i].found == NULL ? "none" : names[i].found,
		    names[i].name);
	}
	option_camel("hold_tail", camel);
	is_str(camel, "HoldTail", "camel");
	option_camel("x", camel);
	is_str(camel, "X", "camel of one letter");
	option_camel("a23456789_123456789_123456789_123456789_123456789_123456789_123456789_", camel);
	is_int((long long)strlen(camel), 63, "camel of a name that is too long is cut");
}

enum { T_THREADS, T_HOLD, T_RETRY, T_QUERY, T_CONNECT, T_TYPES, T_LOG, T_OWN };

static const struct {
	const char	*name;
	int		 row;
	struct slice	 value;
	int64_t		 number;	/* -1 = refused */
	const char	*why;		/* what the refusal says */
} numbers[] = {
	{ "int", T_THREADS, SLICE("12"), 12, NULL },
	{ "int, lowest", T_THREADS, SLICE("1"), 1, NULL },
	{ "int, highest", T_THREADS, SLICE("64"), 64, NULL },
	{ "int, too low", T_THREADS, SLICE("0"), -1, "must be from 1 to 64 threads" },
	{ "int, too high", T_THREADS, SLICE("65"), -1, "must be from 1 to 64 threads" },
	{ "int, over 63 bits", T_THREADS, SLICE("9223372036854775808"), -1, "expected a number" },
	{ "int, over 64 bits", T_THREADS, SLICE("18446744073709551617"), -1, "expected a number" },
	{ "int with a sign", T_THREADS, SLICE("+1"), -1, "expected a number" },
	{ "int, negative", T_THREADS, SLICE("-1"), -1, "expected a number" },
	{ "int with a unit", T_THREADS, SLICE("1k"), -1, "expected a number" },
	{ "int in hexadecimal", T_THREADS, SLICE("0x1"), -1, "expected a number" },
	{ "int, empty", T_THREADS, SLICE(""), -1, "expected a number" },
	{ "size", T_HOLD, SLICE("100"), 100, NULL },
	{ "size in k", T_HOLD, SLICE("2k"), 2048, NULL },
	{ "size in M", T_HOLD, SLICE("3M"), 3 << 20, NULL },
	{ "size in g", T_HOLD, SLICE("1g"), 1 << 30, NULL },
	{ "size in t, too high", T_HOLD, SLICE("1t"), -1, "must be from 1 to 1073741824 bytes" },
	{ "size that wraps", T_HOLD, SLICE("16777216t"), -1, "expected a size" },
	{ "size, only a unit", T_HOLD, SLICE("k"), -1, "expected a size" },
	{ "size with two units", T_HOLD, SLICE("1kk"), -1, "expected a size" },
	{ "size with NUL", T_HOLD, SLICE("1\0"), -1, "expected a size" },
	{ "span", T_RETRY, SLICE("2m"), 120, NULL },
	{ "span without unit", T_RETRY, SLICE("7"), 7, NULL },
	{ "span, too long", T_RETRY, SLICE("2d"), -1, "must be from 0 to 86400 seconds" },
	{ "span with another unit", T_RETRY, SLICE("2y"), -1, "expected a time" },
	{ "yes", T_QUERY, SLICE("yes"), 1, NULL },
	{ "ON", T_QUERY, SLICE("ON"), 1, NULL },
	{ "no", T_QUERY, SLICE("no"), 0, NULL },
	{ "off", T_QUERY, SLICE("off"), 0, NULL },
	{ "maybe", T_QUERY, SLICE("maybe"), -1, "expected yes or no" },
	{ "1 is no yes", T_QUERY, SLICE("1"), -1, "expected yes or no" },
	{ "first word", T_CONNECT, SLICE("page"), 0, NULL },
	{ "second word", T_CONNECT, SLICE("Mark"), 1, NULL },
	{ "no such word", T_CONNECT, SLICE("pag"), -1, "expected one of page|mark" },
	{ "two words", T_CONNECT, SLICE("page|mark"), -1, "expected one of page|mark" },
	{ "no word", T_CONNECT, SLICE(""), -1, "expected one of page|mark" },
	{ "set of one", T_TYPES, SLICE("image"), 2, NULL },
	{ "set of all, by blanks and commas", T_TYPES, SLICE("script, Text,image"), 7, NULL },
	{ "a word twice", T_TYPES, SLICE("text text"), 1, NULL },
	{ "the empty set", T_TYPES, SLICE("none"), 0, NULL },
	{ "no word of the set", T_TYPES, SLICE("text picture"), -1, "expected none or some of text|image|script" },
	{ "nothing of the set", T_TYPES, SLICE(" "), -1, "expected none or some of text|image|script" },
};

static void
test_numbers(void)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		const struct option *row = &table[numbers[i].row];
		struct sample s = fresh();
		char why[WHY] = "";
		int64_t before, after;
		int r;

		memcpy(&before, (char *)&s + row->offset, sizeof(before));
		r = option_set(row, &s, guard_copy(numbers[i].value), why);
		memcpy(&after, (char *)&s + row->offset, sizeof(after));
		is_int(r, numbers[i].number == -1 ? -1 : 0, numbers[i].name);
		is_int(after, r == -1 ? before : numbers[i].number, numbers[i].name);
		if (numbers[i].why != NULL)
			ok(strstr(why, numbers[i].why) != NULL, "%s: \"%s\"", numbers[i].name, why);
		option_fini(table, ROWS, &s);
	}
}

static void
test_texts(void)
{
	struct sample s = fresh();
	char why[WHY] = "";

	is_str(s.event_log, "", "text is never NULL");
	is_int(option_set(&table[T_LOG], &s, guard_copy(SLICE("/var/log/20 bytes___")), why), 0, "as long as may be");
	is_str(s.event_log, "/var/log/20 bytes___", "with a blank inside");
	is_int(option_set(&table[T_LOG], &s, SLICE("/var/log/21 bytes____"), why), -1, "one byte more");
	is_str(why, "is longer than 20 bytes", "says so");
	is_int(option_set(&table[T_LOG], &s, SLICE("a\0b"), why), -1, "a NUL inside");
	is_str(why, "has a NUL byte", "says so");
	is_str(s.event_log, "/var/log/20 bytes___", "and leaves the text as it was");
	is_int(option_set(&table[T_LOG], &s, SLICE("b"), why), 0, "a second text");
	is_str(s.event_log, "b", "replaces the first");
	is_int(option_set(&table[T_OWN], &s, SLICE("a.example"), why), 0, "a list");
	is_int(option_set(&table[T_OWN], &s, SLICE(" b.example \t c.example\t"), why), 0, "a second list, with blanks and tabs");
	is_str(s.own_domains, "a.example b.example c.example", "adds to the first");
	is_int(option_set(&table[T_OWN], &s, SLICE("d"), why), -1, "a list that grows too long");
	is_str(s.own_domains, "a.example b.example c.example", "stays as it was");
	option_fini(table, ROWS, &s);
	ok(s.event_log == NULL && s.own_domains == NULL && s.threads == 0, "all is gone");
	option_fini(table, ROWS, &s);
}

static void
test_parse(void)
{
	static const char text[] =
	    "# a comment\n"
	    "\n"
	    "Threads 12\r\n"
	    "hold_tail = 128k   # behind a value\n"
	    "\tRetryAfter=1h\n"
	    "LogQuery \"yes\"\n"
	    "BlockConnect\tmark\n"
	    "EventLog = \"/x/# y\"\n"
	    "OwnDomains a.example\n"
	    "own_domains b#c";
	struct sample s = fresh();
	struct diag diag = { 0 };

	is_int(option_parse(table, ROWS, &s, "x.conf", guard_copy(SLICE(text)), &diag), 0, "every form");
	is_str(diag_first_error(&diag), "no error", "nothing to say");
	is_int(s.threads, 12, "name value");
	is_int(s.hold_tail, 128 << 10, "name = value # comment");
	is_int(s.retry_after, 3600, "name=value");
	is_int(s.log_query, 1, "quotes");
	is_int(s.block_connect, 1, "a tab");
	is_str(s.event_log, "/x/# y", "a # in quotes is no comment");
	is_str(s.own_domains, "a.example b#c", "a # in a word is no comment; no newline at the end");
	is_int(option_parse(table, ROWS, &s, "x.conf", SLICE("event_log \"\""), &diag), 0, "the empty text in quotes");
	is_str(s.event_log, "", "is the empty text");
	is_int(option_parse(table, ROWS, &s, "x.conf", slice_make(NULL, 0), &diag), 0, "an empty file");
	diag_fini(&diag);
	option_fini(table, ROWS, &s);
}

static const struct {
	const char	*name;
	struct slice	 line;
	const char	*expected;
} bad_lines[] = {
	{ "unknown", SLICE("Nothing 1"), "x.conf:2:1: error: unknown option \"Nothing\"" },
	{ "indented", SLICE("   Nothing 1"), "x.conf:2:4: error: unknown option \"Nothing\"" },
	{ "no value", SLICE("Threads"), "x.conf:2:1: error: Threads has no value" },
	{ "no value but =", SLICE("Threads ="), "x.conf:2:1: error: Threads has no value" },
	{ "only a comment for a value", SLICE("Threads # 5"), "x.conf:2:1: error: Threads has no value" },
	{ "no name", SLICE("= 5"), "x.conf:2:1: error: unknown option \"\"" },
	{ "bad value", SLICE("Threads  x"), "x.conf:2:10: error: Threads \"x\": expected a number" },
	{ "empty number", SLICE("Threads \"\""), "x.conf:2:10: error: Threads \"\": expected a number" },
	{ "two values", SLICE("Threads 1 2"), "x.conf:2:9: error: Threads \"1 2\": expected a number" },
	{ "control characters", SLICE("Th\033reads 1"),
	    "x.conf:2:1: error: unknown option \"Th\\x1breads\"" },
	{ "not UTF-8", SLICE("\xff 1"), "x.conf:2:1: error: unknown option \"\\xff\"" },
};

static void
test_bad_lines(void)
{
	for (size_t i = 0; i < sizeof(bad_lines) / sizeof(*bad_lines); i++) {
		struct sample s = fresh();
		struct diag diag = { 0 };
		char shown[512] = "";
		struct buf text;

		buf_init(&text, 1024);
		buf_add_str(&text, "RetryAfter 5\n");
		buf_add_slice(&text, bad_lines[i].line);
		buf_add_str(&text, "\nLogQuery yes\n");
		is_int(option_parse(table, ROWS, &s, "x.conf", guard_copy(buf_slice(&text)), &diag), -1,
		    bad_lines[i].name);
		if (diag.n > 0)
			diag_format(&diag.v[0], shown, sizeof(shown));
		is_str(shown, bad_lines[i].expected, bad_lines[i].name);
		ok(diag.n == 1 && s.threads == 8 && s.retry_after == 5 && s.log_query == 1,
		    "%s: one finding, and the lines around it count", bad_lines[i].name);
		diag_fini(&diag);
		buf_fini(&text);
		option_fini(table, ROWS, &s);
	}
}

static void
test_format(void)
{
	static const char *const expected[ROWS] = { "8", "65536", "30", "no", "page", "text script", "", "" };
	struct sample s = fresh();
	char why[WHY];
	struct buf b;

	buf_init(&b, 1024);
	for (size_t i = 0; i < ROWS; i++) {
		buf_reset(&b);
		is_int(option_format(&table[i], &s, &b), 0, table[i].name);
		is_slice(buf_slice(&b), slice_str(expected[i]), table[i].name);
		is_int(option_set(&table[i], &s, buf_slice(&b), why), 0, "and is read back");
	}
	buf_fini(&b);
	buf_init(&b, 3);
	is_int(option_format(&table[T_HOLD], &s, &b), -1, "what does not fit");
	buf_fini(&b);
	option_fini(table, ROWS, &s);
}

/* The sample, with its comment signs taken off, says the defaults. */
static void
test_sample(void)
{
	struct sample s = fresh(), d = fresh();
	struct diag diag = { 0 };
	struct slice line, rest;
	struct buf b, live;

	buf_init(&b, 4096);
	buf_init(&live, 4096);
	is_int(option_sample(table, ROWS, &b), 0, "a sample");
	is_int(option_parse(table, ROWS, &s, "sample", buf_slice(&b), &diag), 0, "as it is, it sets nothing");
	for (rest = buf_slice(&b); rest.len > 0; ) {
		slice_cut(rest, '\n', &line, &rest);
		if (line.len > 1 && line.p[1] != ' ') {
			buf_add_slice(&live, slice_skip(line, 1));
			buf_add_char(&live, '\n');
		}
	}
	s.threads = 1;
	is_int(option_parse(table, ROWS, &s, "sample", buf_slice(&live), &diag), 0, "without the comment signs too");
	is_str(diag_first_error(&diag), "no error", "no finding");
	ok(s.threads == d.threads && s.hold_tail == d.hold_tail && s.retry_after == d.retry_after &&
	    s.log_query == d.log_query && s.block_connect == d.block_connect && s.hash_types == d.hash_types, "it says the numbers of the table");
	is_str(s.event_log, d.event_log, "and the texts");
	ok(slice_search(buf_slice(&b), SLICE("# What is held back.\n# (1 to 1073741824 bytes)\n#HoldTail 64k\n")) <
	    b.len, "help, bounds and default of each");
	ok(slice_search(buf_slice(&b), SLICE("(one of page|mark)")) < b.len, "words");
	diag_fini(&diag);
	buf_fini(&b);
	buf_fini(&live);
	option_fini(table, ROWS, &s);
	option_fini(table, ROWS, &d);
}

static void
test_mdoc(void)
{
	struct buf b;

	buf_init(&b, 4096);
	is_int(option_mdoc(table, ROWS, &b), 0, "a list for the page");
	ok(slice_starts(buf_slice(&b), SLICE(".Bl -tag -width Ds\n.It Cm Threads\nHow many.\nValue: 1 to 64 "
	    "threads; default 8.\n")), "its first item");
	ok(slice_ends(buf_slice(&b), SLICE("empty by default.\n.El\n")), "its end");
	buf_fini(&b);
	buf_init(&b, 30);
	is_int(option_mdoc(table, ROWS, &b), -1, "a page that does not fit");
	buf_reset(&b);
	is_int(option_sample(table, ROWS, &b), -1, "a sample that does not fit");
	buf_fini(&b);
}

int
main(void)
{
	test_names();
	test_numbers();
	test_texts();
	test_parse();
	test_bad_lines();
	test_format();
	test_sample();
	test_mdoc();
	return tap_done();
}
