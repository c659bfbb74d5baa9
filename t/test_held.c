/* What is held and what was decided: ids that stay, lines that read back, decisions that count for exactly their words. */
#include "base/file.h"
#include "ruleset/held.h"
#include "t/tap.h"

#include <sys/stat.h>

enum { ROOM = 1 << 20 };

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))
#define ID		"0123456789abcdef01234567"
#define DATE		"2026-11-26T17:41:13Z"

/* ---- ids ---- */

static void
test_ids(void)
{
	static const struct { const char *idea, *class, *source, *rule; } rows[] = {
		{ "another class", "shared_host", "feed-x", "block host .a.example" },
		{ "another source", "top_site", "feed-y", "block host .a.example" },
		{ "another rule", "top_site", "feed-x", "block host a.example" },
		{ "the same bytes cut elsewhere", "top_sitef", "eed-x", "block host .a.example" },
		{ "nothing", "", "", "" },
	};
	char id[HELD_ID], other[HELD_ID];

	held_id(SLICE("top_site"), SLICE("feed-x"), SLICE("block host .a.example"), id);
	is_str(id, "1be6699b8a4e9d42f219ee90", "an id is the same everywhere and for ever");
	for (size_t i = 0; i < COUNT(rows); i++) {
		held_id(slice_str(rows[i].class), slice_str(rows[i].source), slice_str(rows[i].rule), other);
		ok(strcmp(id, other) != 0 && strlen(other) == HELD_ID - 1, "%s: another id", rows[i].idea);
	}
}

/* ---- lines ---- */

#define GOOD_HELD	ID " " DATE " top_site feed-x block host .a.example the rule covers it"
#define GOOD_DECISION	ID " approved " DATE " uid=1000 top_site feed-x block host .a.example ticket 4711"

/* A line, and the parts that it has; CLASS is NULL when it is none. */
static const struct line_row {
	const char		*idea;
	enum held_file		 which;
	const char		*text;
	enum held_verdict	 verdict;
	const char		*class, *source, *rule, *rest;
} line_rows[] = {
	{ "held", HELD_RULES, GOOD_HELD, HELD_WAITING, "top_site", "feed-x", "block host .a.example", "the rule covers it" },
	{ "a list", HELD_RULES, ID " " DATE " grew feed-x replace list 10:1000:00000000000000aa it grew", HELD_WAITING, "grew",
	    "feed-x", "replace list 10:1000:00000000000000aa", "it grew" },
	{ "no sentence", HELD_RULES, ID " " DATE " c s block host a.example", HELD_WAITING, "c", "s", "block host a.example", "" },
	{ "blanks around", HELD_RULES, "  " ID " " DATE " c s block host a.example x \r", HELD_WAITING, "c", "s",
	    "block host a.example", "x" },
	{ "approved", HELD_DECISIONS, GOOD_DECISION, HELD_APPROVED, "top_site", "feed-x", "block host .a.example", "ticket 4711" },
	{ "denied", HELD_DECISIONS, ID " denied d w c s block host a.example", HELD_DENIED, "c", "s", "block host a.example", "" },
	{ "a note in Greek", HELD_DECISIONS, ID " denied d w c s block host a.example \xce\xb1 \xce\xb2", HELD_DENIED, "c", "s",
	    "block host a.example", "\xce\xb1 \xce\xb2" },
	{ "a decision in the other file", HELD_RULES, ID, HELD_WAITING, NULL, NULL, NULL, NULL },
	{ "held in the other file", HELD_DECISIONS, GOOD_HELD, HELD_WAITING, NULL, NULL, NULL, NULL },
	{ "waiting is no decision", HELD_DECISIONS, ID " waiting d w c s block host a.example", HELD_WAITING,
	    NULL, NULL, NULL, NULL },
	{ "a short id", HELD_RULES, "0123456789abcdef0123456 " DATE " c s block host a.example x", HELD_WAITING, NULL, NULL, NULL, NULL },
	{ "a long id", HELD_RULES, "0123456789abcdef012345678 " DATE " c s block host a.example x", HELD_WAITING, NULL, NULL, NULL, NULL },
	{ "no value", HELD_RULES, ID " " DATE " c s block host", HELD_WAITING, NULL, NULL, NULL, NULL },
	{ "two blanks", HELD_RULES, ID "  " DATE " c s block host a.example x", HELD_WAITING, NULL, NULL, NULL, NULL },
	{ "a decision without its rule", HELD_DECISIONS, ID " approved", HELD_WAITING, NULL, NULL, NULL, NULL },
};

static void
test_line(const struct line_row *row)
{
	struct held_list list = { 0 };
	struct diag diag = { 0 };
	int r = held_parse(row->which, "x", guard_copy(slice_str(row->text)), &list, &diag);

	if (row->class != NULL) {
		ok(r == 0 && diag.n == 0 && list.n == 1 && list.v[0].verdict == row->verdict, "%s: read", row->idea);
		is_slice(list.n == 1 ? list.v[0].class : SLICE("-"), slice_str(row->class), "its class");
		is_slice(list.n == 1 ? list.v[0].source : SLICE("-"), slice_str(row->source), "its source");
		is_slice(list.n == 1 ? list.v[0].rule : SLICE("-"), slice_str(row->rule), "its rule");
		is_slice(list.n == 1 ? list.v[0].text : SLICE("-"), slice_str(row->rest), "and the rest");
	} else {
		bool hard = row->which == HELD_DECISIONS;

		ok(list.n == 0 && diag.n == 1 && diag.v[0].line == 1 && diag.v[0].level == (hard ? DIAG_ERROR : DIAG_WARNING) &&
		    r == (hard ? -1 : 0), "%s: left out, and said", row->idea);
	}
	held_fini(&list);
	diag_fini(&diag);
}

static void
test_lines(void)
{
	struct held_list list = { 0 };
	struct diag diag = { 0 };

	for (size_t i = 0; i < COUNT(line_rows); i++)
		test_line(&line_rows[i]);
	is_int(held_parse(HELD_DECISIONS, "x", SLICE("# comment\n\n" GOOD_DECISION "\nbad\n" GOOD_DECISION "\n"), &list, &diag), -1,
	    "a bad line among others");
	ok(list.n == 2 && diag.n == 1 && diag.v[0].line == 4, "is named by its number, and the others are read");
	held_fini(&list);
	diag_fini(&diag);
}

/* ---- writing and reading back ---- */

static int
add(struct held_list *list, const char *class, const char *source, const char *rule)
{
	return held_add(list, SLICE(DATE), slice_str(class), slice_str(source), slice_str(rule), SLICE("why it is held"));
}

static void
test_round_trip(void)
{
	struct held_list list = { 0 }, again = { 0 };
	struct buf text;

	buf_init(&text, ROOM);
	ok(add(&list, "top_site", "b", "block host .b.example") == 0 && add(&list, "shared_host", "b", "block host .b.example") == 0 &&
	    add(&list, "top_site", "a", "block host .z.example") == 0 && add(&list, "top_site", "b", "block host .b.example") == 0,
	    "four are held");
	held_arrange(&list);
	is_int((long long)list.n, 3, "the same twice is once");
	ok(held_format(&list, &text) == 0, "they are written");
	is_int(held_parse(HELD_RULES, "x", buf_slice(&text), &again, NULL), 0, "and read back");
	ok(again.n == 3 && slice_eq(again.v[0].source, SLICE("a")) && slice_eq(again.v[1].class, SLICE("shared_host")) &&
	    slice_eq(again.v[2].class, SLICE("top_site")) && slice_eq(again.v[2].text, SLICE("why it is held")),
	    "by source and class, with all their words");
	held_fini(&list);
	held_fini(&again);
	buf_fini(&text);
}

/* ---- deciding ---- */

/* Decide about HELD and read the line back behind what DECISIONS has. */
static void
decide(const struct held *held, enum held_verdict verdict, const char *note, struct held_list *decisions)
{
	struct buf text;

	buf_init(&text, ROOM);
	if (held_decide(held, verdict, SLICE(DATE), SLICE("uid=7"), slice_str(note), &text) == -1 ||
	    held_parse(HELD_DECISIONS, "x", buf_slice(&text), decisions, NULL) == -1)
		abort();
	ok(text.len > 2 && memchr(text.p, '\n', text.len) == text.p + text.len - 1 && text.p[text.len - 2] != ' ',
	    "a decision is one line");
	buf_fini(&text);
}

static bool
is_verdict(const struct held_list *decisions, const char *class, const char *source, const char *rule, enum held_verdict verdict)
{
	const struct held *d = held_match(decisions, slice_str(class), slice_str(source), slice_str(rule));

	return (d == NULL ? HELD_WAITING : d->verdict) == verdict;
}

static void
test_decisions(void)
{
	struct held_list held = { 0 }, decisions = { 0 };

	add(&held, "top_site", "s", "block host .a.example");
	add(&held, "top_site", "s", "block host .b.example");
	decide(&held.v[0], HELD_DENIED, "no\nline \x1b[2J two\n", &decisions);
	ok(decisions.n == 1 && slice_eq(decisions.v[0].text, SLICE("no line  [2J two")), "a note cannot make another line");
	decide(&held.v[1], HELD_APPROVED, "", &decisions);
	held_index(&decisions);
	ok(is_verdict(&decisions, "top_site", "s", "block host .a.example", HELD_DENIED), "denied");
	ok(is_verdict(&decisions, "top_site", "s", "block host .b.example", HELD_APPROVED), "approved");
	ok(is_verdict(&decisions, "top_site", "s", "block host b.example", HELD_WAITING), "another rule waits");
	ok(is_verdict(&decisions, "top_site", "t", "block host .b.example", HELD_WAITING), "another source's waits");
	ok(is_verdict(&decisions, "shared_host", "s", "block host .b.example", HELD_WAITING), "another class waits");
	decide(&held.v[0], HELD_APPROVED, "on second thought", &decisions);
	held_index(&decisions);
	ok(is_verdict(&decisions, "top_site", "s", "block host .a.example", HELD_APPROVED), "of two decisions the later counts");
	held_index(&held);
	ok(held_find(&held, held.v[0].id) == &held.v[0] && held_find(&held, SLICE("ffffffffffffffffffffffff")) == NULL,
	    "found by its id, or not");
	held_fini(&held);
	held_fini(&decisions);
}

/* Whoever finds words that make an approved id has gained nothing. */
static void
test_forged_id(void)
{
	struct held_list decisions = { 0 };
	char id[HELD_ID], line[300];

	held_id(SLICE("top_site"), SLICE("s"), SLICE("block host .bank.example"), id);
	snprintf(line, sizeof(line), "%s approved d w top_site s block host .harmless.example\n", id);
	is_int(held_parse(HELD_DECISIONS, "x", slice_str(line), &decisions, NULL), 0, "an approval of other words with the same id");
	held_index(&decisions);
	ok(is_verdict(&decisions, "top_site", "s", "block host .bank.example", HELD_WAITING), "approves nothing");
	held_fini(&decisions);
}

static void
test_files(void)
{
	char *dir = temp_dir(), *path = file_join(dir, "approved");
	struct held_list list = { 0 };
	struct diag diag = { 0 };

	ok(held_load(HELD_RULES, dir, &list, &diag) == 0 && list.n == 0 && diag.n == 0, "no file is an empty one");
	held_index(&list);
	held_arrange(&list);
	ok(held_find(&list, SLICE(ID)) == NULL, "in which nothing is found");
	ok(file_write(path, SLICE(GOOD_DECISION "\n"), 0644) == 0 && held_load(HELD_DECISIONS, dir, &list, &diag) == 0 && list.n == 1,
	    "a file is read");
	ok(unlink(path) == 0 && mkdir(path, 0755) == 0 && held_load(HELD_DECISIONS, dir, &list, &diag) == -1 && diag.n_errors == 1,
	    "what cannot be read is an error");
	held_fini(&list);
	diag_fini(&diag);
	free(path);
	free(dir);
}

int
main(void)
{
	test_ids();
	test_lines();
	test_round_trip();
	test_decisions();
	test_forged_id();
	test_files();
	return tap_done();
}
