/* What Chromium documents about lookalike hosts, rule by rule: the same, or a deviation that doc/LOOKALIKE gives a reason for. */
#include "base/file.h"
#include "ruleset/lookalike_source.h"
#include "ruleset/site.h"
#include "t/tap.h"

enum { TEXT_MAX = 1 << 20, ROWS_MAX = 512, OURS_MAX = 512 };

static const char suffixes[] =
    "com\nnet\norg\ngov\nde\ncn\ncom.cn\ncompany\n"
    "// ===BEGIN PRIVATE DOMAINS===\npages.net\n// ===END PRIVATE DOMAINS===\n";

/* Words and glyphs are those that come with firebreak. */
static const char targets[] =
    "own betterbricks.com millhouse.org mail.plasterers.net blorf.org an-uncommonly-long-name-of-bricks.com\n"
    "brand cloudmarket.com\nbrand waterworks.com\nbrand tuvo.com\nbrand hub.com\nbrand target.com\nbrand office.com\nbrand medium.com\n"
    "partner partner.com\n"
    "embed .errors.net betterbricks.com\n"
    "popular everybody.com\n"
    "infra edge.cloudmarket.com\n"
    "shared pages.net\n"
    "lead com gov\n";

/* A line of the table. */
struct row {
	struct slice	rule, host, theirs, ours, reason;
};

static struct row rows[ROWS_MAX];
static size_t n_rows;

static void
read_source(const char *name, struct buf *out)
{
	const char *top = getenv("top_srcdir");
	char *path = file_join(top != NULL ? top : ".", name);

	buf_init(out, TEXT_MAX);
	ok(path != NULL && file_read(path, out) == 0, "%s is there", name);
	free(path);
}

static void
read_rows(struct slice text)
{
	struct slice line;

	while (text.len > 0 && n_rows < ROWS_MAX) {
		struct row *row = &rows[n_rows];

		slice_cut(text, '\n', &line, &text);
		if (line.len == 0 || line.p[0] == '#')
			continue;
		if (slice_cut(line, '\t', &row->rule, &line) && slice_cut(line, '\t', &row->host, &line) &&
		    slice_cut(line, '\t', &row->theirs, &line) && slice_cut(line, '\t', &row->ours, &row->reason))
			n_rows++;
		else
			ok(false, "a row of five columns: %.*s", SLICE_ARGS(row->rule));
	}
	ok(n_rows > 0 && n_rows < ROWS_MAX, "rows are read");
}

/* ---- the table of targets ---- */

static char *
write_file(const char *folder, const char *name, struct slice text)
{
	char *path = file_join(folder, name);

	if (path == NULL || file_write(path, text, 0600) == -1)
		abort();
	return path;
}

static struct lookalike *
make(const char *folder, struct segment **segment)
{
	const char *top = getenv("top_srcdir");
	char *lists = file_join(top != NULL ? top : ".", "etc"), *path = file_join(folder, "a.seg");
	char *suffix_path = write_file(folder, "suffixes", SLICE(suffixes));
	struct public_suffixes *psl = public_suffixes_load(suffix_path, NULL);
	struct lookalike_builder *b = lookalike_builder_new();
	uint8_t sha256[SEGMENT_SHA256];
	struct diag diag = { 0 };
	struct lookalike *l = NULL;
	uint64_t len;

	if (lists == NULL || path == NULL || psl == NULL || b == NULL)
		abort();
	if (lookalike_builder_suffixes(b, psl) == 0 && lookalike_source_shipped(b, psl, lists, false, &diag) == 0 &&
	    lookalike_source_text(b, psl, NULL, "targets", SLICE(targets), &diag) == 0 &&
	    lookalike_builder_write(b, 1, path, &len, sha256, &diag) == 0 &&
	    (*segment = segment_open(path, SEGMENT_LOOKALIKE, sha256, &diag)) != NULL)
		l = lookalike_open(*segment, &diag);
	diag_print(&diag, stdout);
	diag_fini(&diag);
	lookalike_builder_free(b);
	public_suffixes_free(psl);
	free(suffix_path);
	free(path);
	free(lists);
	return l;
}

/* ---- a row ---- */

/* How much is done: nothing, something that stops nobody, a page. */
static int
grade(struct slice word)
{
	static const struct { struct slice word; int grade; } grades[] = {
		{ SLICE("none"), 0 }, { SLICE("pass"), 0 }, { SLICE("tip"), 1 }, { SLICE("count"), 1 }, { SLICE("log"), 1 },
		{ SLICE("page"), 2 }, { SLICE("warn"), 2 }, { SLICE("block"), 2 },
	};

	for (size_t i = 0; i < sizeof(grades) / sizeof(*grades); i++)
		if (slice_eq(grades[i].word, word))
			return grades[i].grade;
	return -1;
}

static void
check_row(const struct lookalike *l, const struct lookalike_levels *levels, const struct row *row)
{
	struct lookalike_finding f;
	struct slice done;
	struct buf ours;
	char name[OURS_MAX];
	int theirs = grade(row->theirs), mine;
	bool same = slice_eq(row->reason, SLICE("-"));

	buf_init(&ours, OURS_MAX);
	if (lookalike_find(l, guard_copy(row->host), levels, &f))
		buf_addf(&ours, "%s %s %.*s", lookalike_level_name(f.level), lookalike_class_name(f.class),
		    SLICE_ARGS(f.target.len > 0 ? f.target : SLICE("-")));
	else
		buf_add_str(&ours, "pass");
	snprintf(name, sizeof(name), "%.*s: %.*s", SLICE_ARGS(row->rule), SLICE_ARGS(row->host));
	is_slice(buf_slice(&ours), row->ours, name);
	slice_cut(row->ours, ' ', &done, NULL);
	mine = grade(done);
	ok(theirs >= 0 && mine >= 0 && (theirs == mine) == same, same ? "is as Chromium" : "differs (%.*s)", SLICE_ARGS(row->reason));
	buf_fini(&ours);
}

/* ---- doc/LOOKALIKE ---- */

static struct slice
word_of(const struct row *row, bool reason)
{
	return reason ? row->reason : row->rule;
}

/* "[word] N rows" stands in the text for every rule and every reason. */
static void
check_words(struct slice text, bool reason)
{
	for (size_t i = 0; i < n_rows; i++) {
		struct slice word = word_of(&rows[i], reason);
		size_t n = 0, first = n_rows;
		char heading[128];

		for (size_t k = n_rows; k-- > 0;)
			if (slice_eq(word_of(&rows[k], reason), word)) {
				first = k;
				n++;
			}
		if (first != i || slice_eq(word, SLICE("-")))
			continue;
		snprintf(heading, sizeof(heading), "\n[%.*s] %zu row%s\n", SLICE_ARGS(word), n, n == 1 ? "" : "s");
		ok(slice_search(text, slice_str(heading)) < text.len, "doc/LOOKALIKE has %.*s and its %zu rows", SLICE_ARGS(word), n);
	}
}

/* What the text describes has rows. */
static void
check_headings(struct slice text)
{
	struct slice line, word;

	while (text.len > 0) {
		bool used = false;

		slice_cut(text, '\n', &line, &text);
		if (!slice_starts(line, SLICE("[")) || !slice_cut(line, ']', &word, NULL))
			continue;
		word = slice_skip(word, 1);
		for (size_t i = 0; i < n_rows && !used; i++)
			used = slice_eq(rows[i].rule, word) || slice_eq(rows[i].reason, word);
		ok(used, "%.*s of doc/LOOKALIKE has rows", SLICE_ARGS(word));
	}
}

static void
check_sum(struct slice text)
{
	char sum[128];
	size_t same = 0;

	for (size_t i = 0; i < n_rows; i++)
		same += slice_eq(rows[i].reason, SLICE("-"));
	snprintf(sum, sizeof(sum), "%zu rows in t/data/chromium-lookalikes.tsv, of which %zu agree.", n_rows, same);
	ok(slice_search(text, slice_str(sum)) < text.len, "doc/LOOKALIKE says: %s", sum);
}

int
main(void)
{
	char *folder = temp_dir();
	struct buf table, text;
	struct segment *segment = NULL;
	struct lookalike *l;
	struct lookalike_levels levels;
	struct site site;

	if (option_defaults(site_options, site_options_n, &site) == -1)
		abort();
	site_lookalike_levels(&site, &levels);
	read_source("t/data/chromium-lookalikes.tsv", &table);
	read_source("doc/LOOKALIKE", &text);
	read_rows(buf_slice(&table));
	l = make(folder, &segment);
	if (!ok(l != NULL, "the targets are read"))
		return tap_done();
	for (size_t i = 0; i < n_rows; i++)
		check_row(l, &levels, &rows[i]);
	check_sum(buf_slice(&text));
	check_words(buf_slice(&text), false);
	check_words(buf_slice(&text), true);
	check_headings(buf_slice(&text));
	lookalike_close(l);
	segment_close(segment);
	option_fini(site_options, site_options_n, &site);
	buf_fini(&table);
	buf_fini(&text);
	free(folder);
	return tap_done();
}
