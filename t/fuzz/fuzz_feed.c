/* Any bytes as a feed: the first one tells the format, the next one the options.  What is no list of lines says the same in any portions.  What an entry says is canonical: formatted as a
 * rule's value it reads back the same.  Every line is counted, and a visitor that stops is obeyed. */
#include <stdlib.h>

#include "feeds/feed.h"
#include "t/fuzz/same_match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 2, LINE_MAX_BYTES = 300, BAD_SHOWN = 5, STOP = 42, PORTION = 7, NOW = 1795770000, CONFIDENCE = 80 };

/* Bits of the second byte.  Those that a stream has no use for mean something else there. */
enum { PICK_DIFF = 1, PICK_PREVIEW = 1, PICK_NAMES = 2, PICK_SURE = 128, PICK_APEX = 2, PICK_PORTS = 4, PICK_ALLOW = 8, PICK_STOP = 16, PICK_FILTER = 32, PICK_SHORT = 64,
	PICK_SEMICOLON = 128 };

struct seen {
	uint64_t	entries;
	bool		stop;
};

static int
visit(void *arg, const struct feed_entry *e)
{
	struct seen *seen = arg;

	seen->entries++;
	if (e->line == 0 || e->col == 0 || (e->action != RULE_BLOCK && e->action != RULE_ALLOW))
		abort();
	if (e->match == NULL ? e->name.len == 0 : !match_reads_back(e->kind, e->match))
		abort();
	return seen->stop ? STOP : 0;
}

static void
check_counts(enum feed_format format, const struct feed_counts *n, const struct seen *seen, const struct diag *diag)
{
	/* Lines may be packed; and what ends the reading is shown in any case. */
	bool packed = format == FEED_CVD;
	size_t shown = n->bad < BAD_SHOWN ? n->bad : BAD_SHOWN;

	if (n->entries != seen->entries || (n->lines > n->bytes && !packed))
		abort();
	if (diag->n_warnings < shown || diag->n_warnings > shown + feed_is_stream(format) || diag->n_errors > 0)
		abort();
}

static struct feed_options
options_of(unsigned pick, enum feed_format format)
{
	static const struct feed_filter filters[] = { { "ok", "yes" }, { "ok", "1" }, { "3", "x" } };
	bool guard = format == FEED_SQUIDGUARD_DOMAINS || format == FEED_SQUIDGUARD_URLS;

	return (struct feed_options){ .action = pick & PICK_ALLOW ? RULE_ALLOW : RULE_BLOCK, .diff = (pick & PICK_DIFF) && guard,
		.apex = pick & PICK_APEX, .ports = pick & PICK_PORTS, .separator = pick & PICK_SEMICOLON ? ';' : 0,
		.columns = { .host = "host", .url = "url", .md5 = "md5", .digest = "2", .size = "size", .name = "name" },
		.filters = filters, .n_filters = pick & PICK_FILTER ? sizeof(filters) / sizeof(*filters) : 0,
		.confidence = pick & PICK_SURE ? CONFIDENCE : 0, .now = NOW, .names_only = pick & PICK_NAMES, .line_max = pick & PICK_SHORT ? LINE_MAX_BYTES : 0, .bad_shown = BAD_SHOWN };
}

/* Give it to PUT, in portions of LEN bytes. */
static int
put_all(struct feed *f, struct slice text, size_t len, int (*put)(struct feed *f, struct slice text))
{
	int r = 0;

	while (r == 0 && text.len > 0)
		r = put(f, slice_take(&text, len));
	return r;
}

static struct feed_counts
read_all(enum feed_format format, unsigned pick, struct slice text, size_t portion)
{
	struct feed_options options = options_of(pick, format);
	struct seen seen = { .stop = pick & PICK_STOP };
	struct diag diag = { 0 };
	struct feed_counts n;
	struct feed *f = feed_new(format, &options, "input", visit, &seen, &diag);
	int r;

	if (f == NULL)
		abort();
	if ((pick & PICK_PREVIEW) && put_all(f, text, portion, feed_preview) != 0)
		abort();
	r = put_all(f, text, portion, feed_text);
	if (r != (seen.stop && seen.entries > 0 ? STOP : 0) || feed_end(f, &n) != r || (seen.stop && seen.entries > 1))
		abort();
	check_counts(format, &n, &seen, &diag);
	feed_free(f);
	diag_fini(&diag);
	return n;
}

static void
read_twice(enum feed_format format, unsigned pick, struct slice text)
{
	struct feed_counts whole = read_all(format, pick, text, SIZE_MAX), parts;

	if (!feed_is_stream(format) || (pick & PICK_STOP))
		return;
	parts = read_all(format, pick, text, PORTION);
	if (whole.entries != parts.entries || whole.skipped != parts.skipped || whole.bad != parts.bad || whole.lines != parts.lines)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_skip(slice_make((const char *)data, size), HEAD);
	enum feed_format format;
	bool diff;

	if (size < HEAD)
		return 0;
	read_twice((enum feed_format)(data[0] % FEED_FORMATS), data[1], text);
	feed_format_propose(text, &format);
	feed_format_of_file(text, &format, &diff);
	return 0;
}
