/* Rows about what a feed's text becomes, for the tests of feeds. */
#ifndef T_FEED_ROWS_H
#define T_FEED_ROWS_H

#include <inttypes.h>

#include "feeds/feed.h"
#include "t/tap.h"

enum { ROOM = 1 << 16 };

#define MD5	"9abc553703f4e4fedb3ed975502a2c7a"
#define SHA1	"0123456789abcdef0123456789abcdef01234567"
#define SHA256	SHA1 "0123456789abcdef01234567"
#define SHA384	SHA256 MD5
#define EMPTY	"d41d8cd98f00b204e9800998ecf8427e"
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* What TEXT becomes: ENTRIES, a line each as show_entry() has it; how much is skipped and bad; and "LINE:COL part of the
 * message" of the first bad line. */
struct row {
	const char	*idea, *text, *entries;
	unsigned	 skipped, bad;
	const char	*first_bad;
};

static int
show_entry(void *arg, const struct feed_entry *e)
{
	struct buf *out = arg;

	buf_addf(out, "%s%s %s ", e->removed ? "-" : "", rule_action_name(e->action), rule_kind_name(e->kind));
	if (e->match != NULL)
		rule_match_format(e->kind, e->match, out);
	if (e->name.len > 0)
		buf_addf(out, "%s[%.*s]", e->match != NULL ? " " : "", SLICE_ARGS(e->name));
	if (e->note.len > 0)
		buf_addf(out, " {%.*s}", SLICE_ARGS(e->note));
	if (e->expires != 0)
		buf_addf(out, " until %" PRId64, e->expires);
	if (e->line_md5.len > 0)
		buf_addf(out, " %.*s", SLICE_ARGS(e->line_md5));
	return buf_add_char(out, '\n');
}

static bool
is_found(const struct diag *diag, const char *expected)
{
	unsigned line, col;
	char *part;

	if (expected == NULL)
		return diag->n == 0;
	line = (unsigned)strtoul(expected, &part, 10);
	col = (unsigned)strtoul(part + 1, &part, 10);
	return diag->n > 0 && diag->v[0].level == DIAG_WARNING && strcmp(diag->v[0].file, "x.list") == 0 &&
	    diag->v[0].line == line && diag->v[0].col == col && strstr(diag->v[0].text, part + 1) != NULL;
}

static void
show(const struct diag *diag)
{
	char line[1000];

	for (size_t i = 0; i < diag->n; i++) {
		diag_format(&diag->v[i], line, sizeof(line));
		printf("# %s\n", line);
	}
}

/* How a text is given to the reader. */
struct way {
	const char	*name;
	bool		 preview;
	size_t		 portion;	/* bytes; 0: all at once */
};

static int
put_all(struct feed *f, const struct way *way, struct slice text, int (*put)(struct feed *f, struct slice text))
{
	int r = 0;

	text = guard_copy(text);
	while (r == 0 && text.len > 0)
		r = put(f, slice_take(&text, way->portion == 0 ? text.len : way->portion));
	return r;
}

static void
test_row_by(enum feed_format format, const struct feed_options *options, const struct row *row, struct slice all, const struct way *way)
{
	struct feed_counts n = { 0 };
	struct diag diag = { 0 };
	struct buf got;
	struct feed *f;
	bool good;

	buf_init(&got, ROOM);
	buf_add(&got, "", 0);
	f = feed_new(format, options, "x.list", show_entry, &got, &diag);
	good = f != NULL && (!way->preview || put_all(f, way, all, feed_preview) == 0) && put_all(f, way, all, feed_text) == 0 &&
	    feed_end(f, &n) == 0;
	feed_free(f);
	good = good && slice_eq(buf_slice(&got), slice_str(row->entries)) && n.skipped == row->skipped && n.bad == row->bad &&
	    is_found(&diag, row->first_bad);
	if (!ok(good, "%s: %s%s", feed_format_name(format), row->idea, way->name)) {
		printf("# got %" PRIu64 " skipped, %" PRIu64 " bad, and:\n", n.skipped, n.bad);
		for (struct slice line, rest = buf_slice(&got); slice_cut(rest, '\n', &line, &rest);)
			printf("# %.*s\n", SLICE_ARGS(line));
		show(&diag);
	}
	buf_fini(&got);
	diag_fini(&diag);
}

static inline void
test_row(enum feed_format format, const struct feed_options *options, const struct row *row)
{
	static const struct way whole = { "", false, 0 };

	test_row_by(format, options, row, slice_str(row->text), &whole);
}

static inline void
test_rows(enum feed_format format, const struct feed_options *options, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		test_row(format, options, &rows[i]);
}

#endif
