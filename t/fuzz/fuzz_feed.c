/* Any bytes as a feed: the first one tells the format, the next one the options.  What an entry says is canonical: formatted as a
 * rule's value it reads back the same.  Every line is counted, and a visitor that stops is obeyed. */
#include <stdlib.h>

#include "feeds/feed.h"
#include "t/fuzz/same_match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 2, LINE_MAX_BYTES = 300, BAD_SHOWN = 5, STOP = 42 };

/* Bits of the second byte. */
enum { PICK_DIFF = 1, PICK_APEX = 2, PICK_PORTS = 4, PICK_ALLOW = 8, PICK_STOP = 16, PICK_FILTER = 32, PICK_SHORT = 64,
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
check_counts(const struct feed_counts *n, const struct seen *seen, const struct diag *diag)
{
	if (n->entries != seen->entries || n->lines > n->bytes)
		abort();
	if (diag->n_warnings != (n->bad < BAD_SHOWN ? n->bad : BAD_SHOWN) || diag->n_errors > 0)
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
		.line_max = pick & PICK_SHORT ? LINE_MAX_BYTES : 0, .bad_shown = BAD_SHOWN };
}

static void
read_all(enum feed_format format, unsigned pick, struct slice text)
{
	struct feed_options options = options_of(pick, format);
	struct seen seen = { .stop = pick & PICK_STOP };
	struct diag diag = { 0 };
	struct feed_counts n;
	struct feed *f = feed_new(format, &options, "input", visit, &seen, &diag);
	int r;

	if (f == NULL)
		abort();
	r = feed_text(f, text);
	if (r != (seen.stop && seen.entries > 0 ? STOP : 0) || feed_end(f, &n) != r || (seen.stop && seen.entries > 1))
		abort();
	check_counts(&n, &seen, &diag);
	feed_free(f);
	diag_fini(&diag);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_skip(slice_make((const char *)data, size), HEAD);
	enum feed_format format;
	bool diff;

	if (size < HEAD)
		return 0;
	read_all((enum feed_format)(data[0] % FEED_FORMATS), data[1], text);
	feed_format_propose(text, &format);
	feed_format_of_file(text, &format, &diff);
	return 0;
}
