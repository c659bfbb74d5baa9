/* Sources: what a rule may look like, where each mistake is found, and that what is written reads back the same. */
#include "base/clock.h"
#include "ruleset/source.h"
#include "t/tap.h"

enum { NOW = 1795000000, DAY = CLOCK_DAY_S, RULES_MAX = 8, ROOM = 1 << 20, WHY_MAX = 200 };

#define MD5	"9abc553703f4e4fedb3ed975502a2c7a"
#define SHA1	"0123456789abcdef0123456789abcdef01234567"
#define SHA256	SHA1 "0123456789abcdef01234567"
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const struct source_defaults lives = { .now = NOW, .host_life = 30 * DAY, .file_life = 3650LL * DAY };

/* ---- mistakes ---- */

/* What a whole file's findings are: "LINE:COL text" of each, a part of the text being enough. */
struct error_row {
	const char	*idea, *text;
	unsigned	 line, col;
	const char	*part;
};

static const struct error_row errors[] = {
	{ "unknown action", "deny host a.example", 1, 1, "expected block, allow, protect or except: \"deny\"" },
	{ "an action in capitals", "Block host a.example", 1, 1, "expected block, allow, protect or except" },
	{ "an action after blanks", "\t  deny host a.example", 1, 4, "expected block, allow, protect or except" },
	{ "a key for an action", "block=x host a.example", 1, 1, "expected block, allow, protect or except: \"block\"" },
	{ "the action alone", "block", 1, 1, "expected ACTION KIND VALUE" },
	{ "no value", "block host", 1, 7, "expected ACTION KIND VALUE" },
	{ "unknown kind", "block name a.example", 1, 7, "expected host, url, file, path or address: \"name\"" },
	{ "a key for a kind", "block host=x a.example", 1, 7, "expected host, url, file, path or address: \"host\"" },
	{ "protect a url", "protect url a.example/x", 1, 9, "only a host can be protected" },
	{ "protect a file", "protect file 1:md5:" MD5, 1, 9, "only a host can be protected" },
	{ "protect a path", "protect path /setup.exe", 1, 9, "only a host can be protected" },
	{ "protect an address", "protect address 192.0.2.7", 1, 9, "only a host can be protected" },
	{ "a name with a folder", "block file 5:name:a/b.exe", 1, 20, "a file name has no /" },
	{ "a class that there is not", "block file 5:name:a{WORD[3]}.exe", 1, 20, "expected {DIGIT}" },
	{ "a name that says nothing", "block file *:name:a*.exe", 1, 19, "needs 4 bytes of its own" },
	{ "no name", "block file 5:name:", 1, 19, "no file name" },
	{ "a regular expression not closed", "block path ~setup(x", 1, 20, "missing closing parenthesis" },
	{ "the same in quotes", "block path \"~setup (x\"", 1, 22, "missing closing parenthesis" },
	{ "an exception of a host", "except host a.example", 1, 8, "an exception is one from a rule" },
	{ "a block of a rule", "block rule 1:a:b", 1, 7, "expected host, url, file, path or address: \"rule\"" },
	{ "an exception without a revision", "except rule alert-1:x", 1, 13, "expected REVISION:RULE" },
	{ "an exception from revision 0", "except rule 0:a:b", 1, 13, "expected REVISION:RULE" },
	{ "an exception from nothing", "except rule 1:", 1, 13, "expected the rule as events name it" },
	{ "an exception from a line", "except rule 1:local:7", 1, 13, "named by its line" },
	{ "an exception for no address", "except rule 1:a:b client=x", 1, 26, "no address, such as 192.0.2.7" },
	{ "an exception without an end", "except rule 1:a:b expires=never", 1, 27, "an exception has an end" },
	{ "a client of a block", "block host a.example client=192.0.2.7", 1, 22, "only an exception has this key" },
	{ "an address with host bits", "block address 192.0.2.7/24", 1, 15, "the network is 192.0.2.0/24, the address alone 192.0.2.7" },
	{ "the line is counted", "block host a.example\n\n# x\ndeny host b.example\n", 4, 1, "expected block" },
	{ "the last line without newline", "block host a.example\ndeny host b.example", 2, 1, "expected block" },
	{ "CR LF is one end", "block host a.example\r\ndeny host b.example\r\n", 2, 1, "expected block" },
	{ "a CR within", "block host a.example\rblock", 1, 21, "a control character" },
	{ "a control character", "block host a\001.example", 1, 13, "a control character" },
	{ "a DEL", "block host a.example note=\177", 1, 27, "a control character" },
	{ "not UTF-8", "block host \xff.example", 1, 12, "is not UTF-8" },
	{ "not UTF-8 in a comment", "# \xc3", 1, 3, "is not UTF-8" },
	{ "an overlong sequence", "# \xc0\xaf", 1, 3, "is not UTF-8" },
	{ "a quote not closed", "block host a.example note=\"x", 1, 27, "the quote is not closed" },
	{ "a quote that an escape keeps open", "block host a.example note=\"x\\\"", 1, 27, "the quote is not closed" },
	{ "text behind a quote", "block host a.example note=\"x\"y", 1, 30, "expected a blank after the quote" },
	{ "a quote within a word", "block host a\"b.example", 1, 13, "a quote within a word" },
	{ "a quote within a value", "block host a.example note=a\"b\"", 1, 28, "a quote within a word" },
	{ "a quote within the rule's value", "block url q=\"1.example/x y\"", 1, 13, "a quote within the value" },
	{ "an unknown escape", "block host a.example note=\"x\\n\"", 1, 29, "a backslash stands only before" },
	{ "half an escape", "block host a.example note=\"\\x4\"", 1, 28, "a backslash stands only before" },
	{ "no hexadecimal", "block host a.example note=\"\\xfg\"", 1, 28, "a backslash stands only before" },
	{ "an escaped NUL", "block host a.example note=\"\\x00\"", 1, 28, "a backslash stands only before" },
	{ "a backslash at the end", "block host a.example note=\"\\", 1, 28, "a backslash stands only before" },
	{ "a key without value", "block host a.example note= level=1", 1, 27, "the key has no value" },
	{ "a key without value at the end", "block host a.example note=", 1, 27, "the key has no value" },
	{ "too many words", "block host a 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33",
	    1, 95, "too many words" },
	{ "no key", "block host a.example b.example", 1, 22, "expected key=value: \"b.example\"" },
	{ "unknown key", "block host a.example notes=x", 1, 22, "unknown key: \"notes\"" },
	{ "a key in capitals", "block host a.example Note=x", 1, 22, "expected key=value: \"Note=x\"" },
	{ "a key twice", "block host a.example level=1 note=x level=2", 1, 37, "the key stands twice: \"level\"" },
	{ "an empty id", "block host a.example id=\"\"", 1, 25, "expected up to 64 letters" },
	{ "an id with a colon", "block host a.example id=a:b", 1, 25, "expected up to 64 letters" },
	{ "an alert with a slash", "block host a.example alert=../x", 1, 28, "expected up to 64 letters" },
	{ "a container with a blank", "block host a.example container=\"a b\"", 1, 32, "expected up to 64 letters" },
	{ "revision 0", "block host a.example rev=0", 1, 26, "rev must be a number from 1 to 2147483647: \"0\"" },
	{ "revision too high", "block host a.example rev=2147483648", 1, 26, "rev must be a number" },
	{ "level too high", "block host a.example level=6", 1, 28, "level must be a number from 0 to 5: \"6\"" },
	{ "level below 0", "block host a.example level=-1", 1, 28, "level must be a number" },
	{ "level in words", "block host a.example level=high", 1, 28, "level must be a number" },
	{ "level without bound", "block host a.example level=99999999999999999999", 1, 28, "level must be a number" },
	{ "no such day", "block host a.example published=2026-02-29", 1, 32, "expected a date such as" },
	{ "published before time", "block host a.example published=1970-01-01", 1, 32, "expected a date such as" },
	{ "published after time", "block host a.example published=9999-12-31T23:59:60Z", 1, 32, "expected a date such as" },
	{ "published is no span", "block host a.example published=30d", 1, 32, "expected a date such as" },
	{ "expires is no word", "block host a.example expires=soon", 1, 30, "expected a date, a time such as 30d, or never" },
	{ "expires at once", "block host a.example expires=0d", 1, 30, "expected a date, a time" },
	{ "expires empty", "block host a.example expires=\"\"", 1, 30, "expected a date, a time" },
	{ "expires unit", "block host a.example expires=30y", 1, 30, "expected a date, a time" },
	{ "expires in two centuries", "block host a.example expires=73000d", 1, 30, "expected a date, a time" },
	{ "files of a block", "block host a.example files=yes", 1, 22, "files= belongs to an allow of a host or URL" },
	{ "files of a file", "allow file 1:md5:" MD5 " files=yes", 1, 51, "files= belongs to an allow" },
	{ "files of protect", "protect host a.example files=no", 1, 24, "files= belongs to an allow" },
	{ "files in other words", "allow host a.example files=true", 1, 28, "expected yes or no" },
	{ "an id twice", "block host a.example id=x\nblock host b.example id=y\nblock host c.example id=x\n", 3, 0,
	    "same id as the one in line 1" },
	{ "an id that is another's line", "block host a.example id=2\nblock host b.example\n", 2, 0,
	    "same id as the one in line 1" },
	{ "a host with a path", "block host a.example/x", 1, 21, "a host has no path, user or blank" },
	{ "a quoted host with a path", "block host \"a.example/x\"", 1, 22, "a host has no path, user or blank" },
	{ "a url without a path", "block url a.example", 1, 20, "has no path; a rule for a whole host is \"host\"" },
	{ "a file without algorithm", "block file " MD5, 1, 12, "expected SIZE:ALGORITHM:DIGEST" },
	{ "a file of another algorithm", "block file 1:sha512:" MD5, 1, 14, "the algorithm is not md5, sha1 or sha256" },
	{ "a digest cut short", "block file 1:md5:9abc", 1, 18, "has 4 characters and must be 32" },
};

static int
refuse_all(void *arg, const struct rule *rule, const struct rule_match *match, unsigned line)
{
	(void)rule, (void)match, (void)line;
	++*(size_t *)arg;
	return 0;
}

static void
show(const struct diag *diag)
{
	char line[1000];

	for (size_t i = 0; i < diag->n; i++) {
		diag_format(&diag->v[i], line, sizeof(line));
		printf("# got %s\n", line);
	}
}

static void
test_errors(void)
{
	for (size_t i = 0; i < COUNT(errors); i++) {
		const struct error_row *row = &errors[i];
		struct slice text = guard_copy(slice_str(row->text));
		struct diag diag = { 0 };
		int result = source_parse("x.rules", SLICE("x"), text, &lives, NULL, NULL, &diag);
		const struct diag_entry *e = diag.v;

		if (!ok(result == -1 && diag.n == 1 && e->line == row->line && e->col == row->col &&
		    strcmp(e->file, "x.rules") == 0 && strstr(e->text, row->part) != NULL, "error: %s", row->idea))
			show(&diag);
		diag_fini(&diag);
	}
}

/* A text of HEAD, N times C, and TAIL. */
static struct slice
long_text(const char *head, size_t n, const char *tail)
{
	static char text[ROOM];
	size_t len = (size_t)snprintf(text, sizeof(text), "%s", head);

	memset(text + len, 'x', n);
	snprintf(text + len + n, sizeof(text) - len - n, "%s", tail);
	return guard_copy(slice_str(text));
}

struct bound_row {
	const char	*idea, *head, *tail;
	size_t		 max;
	unsigned	 col;		/* of the error at one more */
};

static const struct bound_row bounds[] = {
	{ "id", "block host a.example id=", "", 64, 25 },
	{ "alert", "block host a.example alert=", "", 64, 28 },
	{ "container", "block host a.example container=", "", 64, 32 },
	{ "name", "block host a.example name=", "", 1024, 27 },
	{ "note", "block host a.example note=\"", "\"", 4096, 27 },
	{ "line", "# ", "", 65534, 65537 },
};

static void
test_bounds(void)
{
	for (size_t i = 0; i < COUNT(bounds); i++) {
		const struct bound_row *row = &bounds[i];
		struct diag diag = { 0 };
		struct slice fits = long_text(row->head, row->max, row->tail);
		struct slice over = long_text(row->head, row->max + 1, row->tail);

		ok(source_parse("x", SLICE("x"), fits, &lives, NULL, NULL, &diag) == 0, "%s: %zu bytes fit", row->idea,
		    row->max);
		ok(source_parse("x", SLICE("x"), over, &lives, NULL, NULL, &diag) == -1 && diag.n == 1 &&
		    diag.v[0].col == row->col, "%s: one more does not", row->idea);
		show(&diag);
		diag_fini(&diag);
	}
}

static void
test_all_findings(void)
{
	struct slice text = SLICE("block host a.example\ndeny x\nblock host b.example level=9 rev=0 zap=1\n"
	    "block host b.example/ level=7\n");
	struct diag diag = { 0 };
	size_t n = 0;

	ok(source_parse("x", SLICE("x"), text, &lives, refuse_all, &n, &diag) == -1, "several errors: refused");
	is_int((long long)n, 1, "only the good line is visited");
	is_int((long long)diag.n_errors, 6, "every error is told");
	diag_fini(&diag);
	ok(source_parse("x", SLICE("x"), text, &lives, NULL, NULL, NULL) == -1, "without a diag it is refused too");
	ok(source_parse("x", SLICE("a/b"), SLICE(""), &lives, NULL, NULL, &diag) == -1 && diag.n == 1,
	    "a source's name is a plain word");
	diag_fini(&diag);
}

/* ---- good rules ---- */

struct rule_row {
	const char	*idea, *line;
	const char	*id, *alert, *name, *container, *note, *value;
	int		 level;
	uint32_t	 rev;
	bool		 files;
};

static const struct rule_row rules[] = {
	{ "defaults", "block host a.example", "x:1", "", "", "", "", "a.example", 4, 1, false },
	{ "every key", "allow url a.example/ id=i-1 rev=7 level=0 alert=19190 name=n.exe container=zip note=w files=yes",
	    "x:i-1", "19190", "n.exe", "zip", "w", "a.example/", 0, 7, true },
	{ "the highest", "block host a.example rev=2147483647 level=5", "x:1", "", "", "", "", "a.example", 5, 2147483647,
	    false },
	{ "a value that looks like a key", "block url q=1.example/?a=b", "x:1", "", "", "", "", "q=1.example/?a=b", 4, 1, false },
	{ "quotes", "block url \"a.example/x y\" note=\"a \\\"b\\\" \\\\ \\x41\\xc3\\xa9 # no comment\"", "x:1", "", "", "",
	    "a \"b\" \\ A\xc3\xa9 # no comment", "a.example/x y", 4, 1, false },
	{ "a comment behind", "block host a.example # note=x", "x:1", "", "", "", "", "a.example", 4, 1, false },
	{ "no comment within a word", "block host a.example note=a#b", "x:1", "", "", "", "a#b", "a.example", 4, 1, false },
	{ "tabs and CR", "\tblock\thost  a.example\tname=b \r", "x:1", "", "b", "", "", "a.example", 4, 1, false },
	{ "empty texts", "block host a.example name=\"\" note=\"\"", "x:1", "", "", "", "", "a.example", 4, 1, false },
	{ "a value with =", "block host a.example note=a=b=c", "x:1", "", "", "", "a=b=c", "a.example", 4, 1, false },
	{ "a path that looks like a key", "block path id=1.example/x*", "x:1", "", "", "", "", "id=1.example/x*", 4, 1, false },
	{ "a path with = in it", "block path /mail/id=*-patch*.exe name=x", "x:1", "", "x", "", "", "/mail/id=*-patch*.exe", 4, 1, false },
	{ "a regular expression", "block path ~-patch\\d+\\.exe$#x", "x:1", "", "", "", "", "~-patch\\d+\\.exe$#x", 4, 1, false },
	{ "one in quotes", "block path \"~patch\\\\d \"", "x:1", "", "", "", "", "~patch\\d ", 4, 1, false },
	{ "files of a path", "allow path a.example/*.exe files=yes", "x:1", "", "", "", "", "a.example/*.exe", 4, 1, true },
	{ "an address", "allow address 192.0.2.0/24 files=yes", "x:1", "", "", "", "", "192.0.2.0/24", 4, 1, true },
	{ "files=no", "allow host a.example files=no", "x:1", "", "", "", "", "a.example", 4, 1, false },
};

static int
visit_rule_row(void *arg, const struct rule *rule, const struct rule_match *match, unsigned line)
{
	const struct rule_row *row = arg;

	(void)match;
	ok(line == 1 && rule->level == row->level && rule->rev == row->rev && rule->files == row->files &&
	    slice_eq(rule->source, SLICE("x")), "%s: numbers", row->idea);
	is_slice(rule->id, slice_str(row->id), row->idea);
	is_slice(rule->alert, slice_str(row->alert), row->idea);
	is_slice(rule->name, slice_str(row->name), row->idea);
	is_slice(rule->container, slice_str(row->container), row->idea);
	is_slice(rule->note, slice_str(row->note), row->idea);
	is_slice(rule->value, slice_str(row->value), row->idea);
	return 42;
}

static void
test_rules(void)
{
	for (size_t i = 0; i < COUNT(rules); i++) {
		struct rule_row row = rules[i];
		struct slice text = guard_copy(slice_str(row.line));
		struct diag diag = { 0 };

		ok(source_parse("x", SLICE("x"), text, &lives, visit_rule_row, &row, &diag) == 42, "%s: visited", row.idea);
		show(&diag);
		diag_fini(&diag);
	}
}

static const struct { const char *name; bool local; } names[] = {
	{ "local", true }, { "alert-19190", false }, { "feed-x", false }, { "alerts", true }, { "feed", true },
};

static int
visit_local(void *arg, const struct rule *rule, const struct rule_match *match, unsigned line)
{
	(void)match, (void)line;
	*(bool *)arg = rule->local;
	return 0;
}

static void
test_local(void)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		bool local = !names[i].local;

		source_parse("x", slice_str(names[i].name), SLICE("block host a.example"), &lives, visit_local, &local, NULL);
		ok(local == names[i].local, "%s: %s", names[i].name, names[i].local ? "local" : "not local");
	}
}

/* ---- lives ---- */

struct life_row {
	const char	*idea, *keys;
	int64_t		 host, file;	/* seconds; 0 = never */
};

#define PUBLISHED	1790000000	/* 2026-09-21T14:13:20Z */
#define PUBLISHED_TEXT	"published=2026-09-21T14:13:20Z "
#define DATE_END	INT64_C(253402300799)

static const struct life_row live_rows[] = {
	{ "default after the file's time", "", NOW + 30 * DAY, NOW + 3650LL * DAY },
	{ "default after published", PUBLISHED_TEXT, PUBLISHED + 30 * DAY, PUBLISHED + 3650LL * DAY },
	{ "a date", "expires=2026-11-24", 1795478400, 1795478400 },
	{ "a date in the past", PUBLISHED_TEXT "expires=2020-01-01T00:00:30Z", 1577836830, 1577836830 },
	{ "a span after the file's time", "expires=12h", NOW + DAY / 2, NOW + DAY / 2 },
	{ "a span after published", PUBLISHED_TEXT "expires=1w", PUBLISHED + 7 * DAY, PUBLISHED + 7 * DAY },
	{ "published may stand behind", "expires=1w " PUBLISHED_TEXT, PUBLISHED + 7 * DAY, PUBLISHED + 7 * DAY },
	{ "never", "expires=never", 0, 0 },
	{ "seconds", "expires=90", NOW + 90, NOW + 90 },
	{ "the last date there is", "published=9999-12-31 expires=5000w", DATE_END, DATE_END },
	{ "the last date by default", "published=9999-12-31", DATE_END, DATE_END },
};

static int
visit_life(void *arg, const struct rule *rule, const struct rule_match *match, unsigned line)
{
	(void)match;
	((int64_t *)arg)[line - 1] = rule->expires;
	return 0;
}

static void
test_lives(void)
{
	static const struct source_defaults ever = { .now = NOW };
	char text[500];
	int64_t got[2];

	for (size_t i = 0; i < COUNT(live_rows); i++) {
		const struct life_row *row = &live_rows[i];

		got[0] = got[1] = -1;
		snprintf(text, sizeof(text), "block host a.example %s\nblock file 1:md5:" MD5 " %s\n", row->keys, row->keys);
		source_parse("x", SLICE("x"), slice_str(text), &lives, visit_life, got, NULL);
		is_int(got[0], row->host, row->idea);
		is_int(got[1], row->file, row->idea);
	}
	got[0] = -1;
	source_parse("x", SLICE("x"), SLICE("block url a.example/"), &ever, visit_life, got, NULL);
	is_int(got[0], 0, "a default life of 0 is for ever");
}

/* ---- writing ---- */

static const char *const texts[] = {
	"plain", "with blank", "\ttab", "#hash", "a#b", "say \"hi\"", "back\\slash", "\\x41", "new\nline\r", "\x7f\x01",
	"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xff\xc3", "=", "a=b", "\"", "\\", " ", "'",
};

static int
visit_note(void *arg, const struct rule *rule, const struct rule_match *match, unsigned line)
{
	(void)match, (void)line;
	return slice_eq(rule->note, *(struct slice *)arg) && slice_eq(rule->name, *(struct slice *)arg) ? 1 : 2;
}

static void
test_quoting(void)
{
	struct buf line;

	buf_init(&line, ROOM);
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct slice text = slice_str(texts[i]);
		struct rule rule = { .rev = 1, .value = SLICE("a.example"), .id = SLICE("x:a"), .source = SLICE("x"),
			.note = text, .name = text };
		struct diag diag = { 0 };

		buf_reset(&line);
		ok(source_format(&rule, &line) == 0 && source_parse("x", SLICE("x"), guard_copy(buf_slice(&line)), &lives,
		    visit_note, &text, &diag) == 1, "quoting: text %zu reads back", i);
		show(&diag);
		diag_fini(&diag);
	}
	buf_fini(&line);
}

struct format_row {
	const char *idea, *line;
};

/* What source_format() would write is what stands here. */
static const struct format_row formats[] = {
	{ "host", "block host *.a.example id=h-1 rev=1 level=4 expires=2026-11-24T00:00:00Z\n" },
	{ "every key", "allow url \"a.example/x y\" id=2 rev=3 level=0 published=2026-09-21T14:13:20Z "
	    "expires=2027-01-01T00:00:00Z alert=1 name=n container=zip note=\"a b\" files=yes\n" },
	{ "protect", "protect host .a.example id=p rev=1 level=5 expires=2026-11-24T00:00:00Z\n" },
	{ "file", "block file *:sha1:" SHA1 " id=f rev=1 level=4 expires=2026-11-24T00:00:00Z name=\"\xc3\xa9\"\n" },
	{ "path", "block path /mail/id=*-patch*.exe id=f rev=1 level=4 expires=2026-11-24T00:00:00Z\n" },
	{ "a regular expression", "block path \"~-patch\\\\d+\\\\.exe$\" id=f rev=1 level=4 expires=2026-11-24T00:00:00Z\n" },
	{ "an exception", "except rule 2:alert-1:file-1 client=192.0.2.0/24 user=\"ann b\" host=a.example id=f rev=1 level=4 "
	    "expires=2026-11-24T00:00:00Z note=\"ticket 4711\"\n" },
	{ "an exception from a row of a feed", "except rule \"*:feed-x/a.example/x y\" id=f rev=1 level=4 expires=2026-11-24T00:00:00Z\n" },
	{ "a name", "block file 90112:name:a%20{DIGIT[3]}*.exe id=f rev=1 level=4 expires=2026-11-24T00:00:00Z\n" },
	{ "address", "block address 2001:db8::/32 id=f rev=1 level=4 expires=2026-11-24T00:00:00Z\n" },
	{ "a value like a key", "block url q=1.example/ id=f rev=1 level=4 expires=2026-11-24T00:00:00Z\n" },
	{ "a value like a key alone", "block host \"q=\" id=f rev=1 level=4 expires=2026-11-24T00:00:00Z\n" },
};

static int
visit_format(void *arg, const struct rule *rule, const struct rule_match *match, unsigned line)
{
	(void)match, (void)line;
	return source_format(rule, arg);
}

static void
test_formats(void)
{
	struct buf line;

	buf_init(&line, ROOM);
	for (size_t i = 0; i < COUNT(formats); i++) {
		bool own = slice_starts(slice_str(formats[i].line), SLICE("except"));

		buf_reset(&line);
		source_parse("x", own ? SLICE("local") : SLICE("alert-1"), slice_str(formats[i].line), &lives, visit_format, &line, NULL);
		is_slice(buf_slice(&line), slice_str(formats[i].line), formats[i].idea);
	}
	buf_fini(&line);
}

/* ---- values ---- */

/* CANONICAL is NULL for a value that is refused, with PART of the reason at byte AT. */
struct value_row {
	const char	*idea;
	enum rule_kind	 kind;
	const char	*value, *canonical;
	size_t		 at;
	const char	*part;
};

static const struct value_row values[] = {
	{ "a host", RULE_HOST, "WWW.A.Example.", "www.a.example", 0, NULL },
	{ "the host and below", RULE_HOST, ".A.example", ".a.example", 0, NULL },
	{ "below the host", RULE_HOST, "*.A.example", "*.a.example", 0, NULL },
	{ "an IDN", RULE_HOST, "*.B\xc3\xbc""cher.example", "*.xn--bcher-kva.example", 0, NULL },
	{ "one label", RULE_HOST, "intranet", "intranet", 0, NULL },
	{ "IPv4", RULE_HOST, "192.0.2.7", "192.0.2.7", 0, NULL },
	{ "IPv4 otherwise", RULE_HOST, "0xc0.0.519", "192.0.2.7", 0, NULL },
	{ "IPv6", RULE_HOST, "[2001:DB8:0::7]", "[2001:db8::7]", 0, NULL },
	{ "IPv6 bare", RULE_HOST, "2001:db8::7", "[2001:db8::7]", 0, NULL },
	{ "IPv4 in IPv6", RULE_HOST, "[::ffff:192.0.2.7]", "192.0.2.7", 0, NULL },
	{ "a host, escaped", RULE_HOST, "%61.example", "a.example", 0, NULL },
	{ "no host", RULE_HOST, "", NULL, 0, "no host" },
	{ "only a dot", RULE_HOST, ".", NULL, 1, "no host" },
	{ "only a wildcard", RULE_HOST, "*.", NULL, 2, "no host" },
	{ "two dots", RULE_HOST, "..a.example", NULL, 1, "begins with two dots" },
	{ "a wildcard and a dot", RULE_HOST, "*..a.example", NULL, 2, "begins with two dots" },
	{ "two wildcards", RULE_HOST, "*.*.a.example", NULL, 2, "* stands only at the start" },
	{ "a wildcard alone", RULE_HOST, "*", NULL, 0, "* stands only at the start" },
	{ "a wildcard within", RULE_HOST, "a.*.example", NULL, 0, "* stands only at the start" },
	{ "a wildcard in a label", RULE_HOST, "*a.example", NULL, 0, "* stands only at the start" },
	{ "a wildcard, escaped", RULE_HOST, "%2a.a.example", NULL, 0, "* stands only at the start" },
	{ "a port", RULE_HOST, "a.example:80", NULL, 9, "a host rule has no port" },
	{ "a path", RULE_HOST, "*.a.example/x", NULL, 11, "a host has no path" },
	{ "a scheme", RULE_HOST, "http://a.example", NULL, 5, "a host has no path" },
	{ "a user", RULE_HOST, "u@a.example", NULL, 1, "a host has no path, user or blank" },
	{ "a blank", RULE_HOST, "a example", NULL, 1, "a host has no path, user or blank" },
	{ "a percent sign", RULE_HOST, "a%25b.example", NULL, 0, "has a byte that no host has" },
	{ "an escaped slash", RULE_HOST, "a%2fb.example", NULL, 0, "has a byte that no host has" },
	{ "below IPv4", RULE_HOST, "*.192.0.2.7", NULL, 2, "nothing lies below an address" },
	{ "IPv4 and below", RULE_HOST, ".192.0.2.7", NULL, 1, "nothing lies below an address" },
	{ "below IPv6", RULE_HOST, "*.[2001:db8::7]", NULL, 2, "nothing lies below an address" },
	{ "half an IPv6", RULE_HOST, "[2001:db8::7", NULL, 0, "no name and no address" },
	{ "a URL", RULE_URL, "A.example/B", "a.example/B", 0, NULL },
	{ "scheme, user, port, fragment", RULE_URL, "HTTPS://u:p@A.example:8443/x#f", "a.example/x", 0, NULL },
	{ "scheme and scope", RULE_URL, "http://*.A.example/x", "*.a.example/x", 0, NULL },
	{ "scope", RULE_URL, ".a.example/", ".a.example/", 0, NULL },
	{ "a tidy path", RULE_URL, "a.example//x/../%7ey/./", "a.example/~y/", 0, NULL },
	{ "a query", RULE_URL, "a.example/x?a=1&b=http://b.example/", "a.example/x?a=1&b=http://b.example/", 0, NULL },
	{ "a query and no path", RULE_URL, "a.example?x", "a.example/?x", 0, NULL },
	{ "an open query", RULE_URL, "a.example/x?", "a.example/x", 0, NULL },
	{ "an open parameter", RULE_URL, "a.example/x?a=1&", "a.example/x?a=1", 0, NULL },
	{ "nothing but separators", RULE_URL, "a.example/?&&", "a.example/", 0, NULL },
	{ "& at the end of a path", RULE_URL, "a.example/x&", "a.example/x&", 0, NULL },
	{ "the same and an open query", RULE_URL, "a.example/x%26?&", "a.example/x&", 0, NULL },
	{ "an escaped ? at the end", RULE_URL, "a.example/x%3f", "a.example/x%3F", 0, NULL },
	{ "IPv6 with port", RULE_URL, "[2001:db8::7]:80/x", "[2001:db8::7]/x", 0, NULL },
	{ "IPv4 in one number", RULE_URL, "http://3221225991/x", "192.0.2.7/x", 0, NULL },
	{ "no path", RULE_URL, "http://a.example", NULL, 16, "has no path" },
	{ "no host before the path", RULE_URL, "/x", NULL, 0, "no host" },
	{ "no host after a scheme", RULE_URL, "http:///x", NULL, 7, "no host" },
	{ "no host after a wildcard", RULE_URL, "*./x", NULL, 2, "no host" },
	{ "a bad port", RULE_URL, "http://a.example:99999/x", NULL, 7, "port" },
	{ "a wildcard within a URL", RULE_URL, "http://a.*.example/x", NULL, 7, "* stands only at the start" },
	{ "a percent sign in a URL", RULE_URL, "a%25.example/x", NULL, 0, "has a byte that no host has" },
	{ "below an address in a URL", RULE_URL, "*.192.0.2.7/x", NULL, 2, "nothing lies below an address" },
	{ "md5", RULE_FILE, "90112:md5:9ABC553703f4e4fedb3ed975502a2c7a", "90112:md5:" MD5, 0, NULL },
	{ "sha1 of any size", RULE_FILE, "*:sha1:" SHA1, "*:sha1:" SHA1, 0, NULL },
	{ "sha256 of the largest", RULE_FILE, "1099511627775:sha256:" SHA256, "1099511627775:sha256:" SHA256, 0, NULL },
	{ "one byte too large", RULE_FILE, "1099511627776:md5:" MD5, NULL, 0, "the size is no number of bytes" },
	{ "size 0", RULE_FILE, "0:md5:" MD5, NULL, 0, "the size is no number of bytes" },
	{ "no size", RULE_FILE, ":md5:" MD5, NULL, 0, "the size is no number of bytes" },
	{ "a size in k", RULE_FILE, "64k:md5:" MD5, NULL, 0, "the size is no number of bytes" },
	{ "no algorithm", RULE_FILE, "1:" MD5, NULL, 0, "expected SIZE:ALGORITHM:DIGEST" },
	{ "another algorithm", RULE_FILE, "1:crc32:" MD5, NULL, 2, "the algorithm is not md5, sha1 or sha256" },
	{ "a digest of another algorithm", RULE_FILE, "1:md5:" SHA1, NULL, 6, "has 40 characters and must be 32" },
	{ "no hexadecimal", RULE_FILE, "1:md5:zabc553703f4e4fedb3ed975502a2c7a", NULL, 6, "must be 32 hexadecimal digits" },
	{ "a glob", RULE_PATH, "/mail/id=*-patch*.exe", "/mail/id=*-patch*.exe", 0, NULL },
	{ "a tidy glob", RULE_PATH, "/%7euser/**.exe", "/~user/*.exe", 0, NULL },
	{ "a glob of a host", RULE_PATH, "*.Example.com/wp-content/*.exe", "*.example.com/wp-content/*.exe", 0, NULL },
	{ "all of a host, as a glob", RULE_PATH, ".a.example/*", ".a.example/*", 0, NULL },
	{ "a glob with a scheme", RULE_PATH, "http://A.example/x*", "a.example/x*", 0, NULL },
	{ "a glob of an address", RULE_PATH, "[2001:DB8::7]/x*", "[2001:db8::7]/x*", 0, NULL },
	{ "a tilde in a glob", RULE_PATH, "a.example/~x*", "a.example/~x*", 0, NULL },
	{ "a URL within a glob", RULE_PATH, "/go?u=http://*", "/go?u=http://*", 0, NULL },
	{ "an expression", RULE_PATH, "~-patch[0-9]+\\.exe$", "~-patch[0-9]+\\.exe$", 0, NULL },
	{ "an expression of a host", RULE_PATH, "*.A.example~^/[a-z]/", "*.a.example~^/[a-z]/", 0, NULL },
	{ "no pattern", RULE_PATH, "a.example", NULL, 9, "has no pattern" },
	{ "an empty pattern", RULE_PATH, "", NULL, 0, "has no pattern" },
	{ "a glob without a slash", RULE_PATH, "*.exe", NULL, 5, "has no pattern" },
	{ "a glob without a literal", RULE_PATH, "/*.gz", NULL, 0, "4 bytes side by side" },
	{ "no host after a scheme, glob", RULE_PATH, "http:///setup", NULL, 7, "no host" },
	{ "a port before a glob", RULE_PATH, "a.example:80/x", NULL, 9, "has no port" },
	{ "a host with an escaped ~", RULE_PATH, ".%7euser/x*", NULL, 0, "a host with ~" },
	{ "a wildcard for a host", RULE_PATH, "*/setup.exe", NULL, 0, "* stands only at the start" },
	{ "below an address in a glob", RULE_PATH, "*.192.0.2.7/x", NULL, 2, "nothing lies below an address" },
	{ "a dot segment in a glob", RULE_PATH, "http://a.example/x/../y", NULL, 19, "no canonical path has" },
	{ "an expression that cannot be", RULE_PATH, ".a.example~x)", NULL, 12, "unmatched closing parenthesis" },
	{ "an expression without a literal", RULE_PATH, "~[a-z]+", NULL, 0, "4 plain characters" },
	{ "a network", RULE_ADDRESS, "192.0.2.0/24", "192.0.2.0/24", 0, NULL },
	{ "an address", RULE_ADDRESS, "192.0.2.7", "192.0.2.7", 0, NULL },
	{ "an IPv6 network", RULE_ADDRESS, "[2001:0DB8::]/32", "2001:db8::/32", 0, NULL },
	{ "IPv4 in IPv6, a network", RULE_ADDRESS, "::ffff:192.0.2.0/120", "192.0.2.0/24", 0, NULL },
	{ "host bits", RULE_ADDRESS, "192.0.2.7/24", NULL, 0, "the network is 192.0.2.0/24, the address alone 192.0.2.7" },
	{ "IPv6 host bits", RULE_ADDRESS, "2001:db8::7/32", NULL, 0, "the network is 2001:db8::/32, the address alone 2001:db8::7" },
	{ "a prefix too long", RULE_ADDRESS, "192.0.2.0/33", NULL, 10, "no number from 0 to 32" },
	{ "a name for an address", RULE_ADDRESS, "a.example", NULL, 0, "no address, such as" },
	{ "an empty digest", RULE_FILE, "1:md5:", NULL, 6, "has 0 characters" },
};

static void
test_refused_value(const struct value_row *row)
{
	struct rule_match m;
	char why[WHY_MAX];
	size_t at = 0;

	if (!ok(rule_match_parse(row->kind, guard_copy(slice_str(row->value)), &m, why, &at) == -1 && m.path == NULL,
	    "value: %s: refused", row->idea)) {
		rule_match_fini(&m);
		return;
	}
	if (!ok(at == row->at && strstr(why, row->part) != NULL, "value: %s: why and where", row->idea))
		printf("# got %zu %s\n", at, why);
}

static void
test_values(void)
{
	struct buf canonical;

	buf_init(&canonical, ROOM);
	for (size_t i = 0; i < COUNT(values); i++) {
		const struct value_row *row = &values[i];
		struct rule_match m;
		char why[WHY_MAX] = "";
		size_t at;

		if (row->canonical == NULL) {
			test_refused_value(row);
			continue;
		}
		if (!ok(rule_match_parse(row->kind, guard_copy(slice_str(row->value)), &m, why, &at) == 0, "value: %s: %s",
		    row->idea, why))
			continue;
		buf_reset(&canonical);
		rule_match_format(row->kind, &m, &canonical);
		is_slice(buf_slice(&canonical), slice_str(row->canonical), row->idea);
		rule_match_fini(&m);
	}
	buf_fini(&canonical);
}

int
main(void)
{
	test_errors();
	test_bounds();
	test_all_findings();
	test_rules();
	test_local();
	test_lives();
	test_quoting();
	test_formats();
	test_values();
	return tap_done();
}
