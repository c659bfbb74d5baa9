/* Canonical hosts against the tests of the WHATWG URL Standard: the same, or a deviation that doc/URLS gives a reason for. */
#include "base/buf.h"
#include "base/file.h"
#include "t/tap.h"
#include "url_rules/url.h"

enum { TEXT_MAX = 1 << 20, DEVIATIONS_MAX = 1024 };

static const struct slice failure = { "<failure>", 9 };

/* A line of whatwg-deviations.tsv.  All escaped, as the files have it. */
struct deviation {
	struct slice	input, ours, class;
	bool		met;		/* whatwg-hosts.tsv has such a row */
};

static struct deviation deviations[DEVIATIONS_MAX];
static size_t n_deviations;

static void
read_source(const char *name, struct buf *out)
{
	const char *top = getenv("top_srcdir");
	char *path = file_join(top != NULL ? top : ".", name);

	buf_init(out, TEXT_MAX);
	ok(path != NULL && file_read(path, out) == 0, "%s is there", name);
	free(path);
}

/* The next line of TEXT that is no comment. */
static bool
next_row(struct slice *text, struct slice *row)
{
	while (text->len > 0) {
		slice_cut(*text, '\n', row, text);
		if (row->len > 0 && row->p[0] != '#')
			return true;
	}
	return false;
}

static void
read_deviations(struct slice text)
{
	struct slice row;

	while (n_deviations < DEVIATIONS_MAX && next_row(&text, &row)) {
		struct deviation *d = &deviations[n_deviations++];

		slice_cut(row, '\t', &d->input, &row);
		if (!slice_cut(row, '\t', &d->ours, &d->class))
			ok(false, "deviation of three columns: %.*s", SLICE_ARGS(d->input));
	}
	ok(n_deviations > 0 && n_deviations < DEVIATIONS_MAX, "deviations are read");
}

static struct deviation *
find_deviation(struct slice input)
{
	for (size_t i = 0; i < n_deviations; i++)
		if (slice_eq(deviations[i].input, input))
			return &deviations[i];
	return NULL;
}

/* The tables of libidn2 and of the tests may be of different years: such a row may also agree. */
static bool
may_agree(const struct deviation *d)
{
	return slice_eq(d->class, SLICE("unicode"));
}

/* Our host of INPUT, escaped.  A canonical URL must have that host, too. */
static void
our_host(struct slice input, struct buf *out)
{
	struct buf raw;
	struct url u, again;

	buf_init(&raw, URL_RAW_MAX);
	buf_reset(out);
	if (buf_add_unescaped(&raw, input) == -1)
		ok(false, "%.*s: a bad escape", SLICE_ARGS(input));
	else if (url_parse(&u, guard_copy(buf_slice(&raw))) != URL_OK)
		buf_add_slice(out, failure);
	else {
		buf_add_escaped(out, u.host);
		if (url_parse(&again, u.text) != URL_OK)
			ok(false, "%.*s: canonical, but refused", SLICE_ARGS(input));
		else if (!slice_eq(again.host, u.host))
			is_slice(again.host, u.host, "the canonical host is canonical");
		url_fini(&again);
		url_fini(&u);
	}
	buf_fini(&raw);
}

static void
check_row(struct slice input, struct slice expected)
{
	struct deviation *d = find_deviation(input);
	struct buf ours;
	char name[256];
	bool agrees;

	buf_init(&ours, 4 * HOST_MAX);
	our_host(input, &ours);
	agrees = slice_eq(buf_slice(&ours), expected);
	snprintf(name, sizeof(name), "%.*s", SLICE_ARGS(input));
	if (d == NULL || (agrees && may_agree(d)))
		is_slice(buf_slice(&ours), expected, name);
	else if (ok(!agrees, "%s: deviates still (%.*s)", name, SLICE_ARGS(d->class)))
		is_slice(buf_slice(&ours), d->ours, name);
	if (d != NULL)
		d->met = true;
	buf_fini(&ours);
}

/* "[class] N rows" stands in doc/URLS. */
static void
check_class(struct slice class, struct slice urls)
{
	char heading[64];
	size_t n = 0;

	for (size_t i = 0; i < n_deviations; i++)
		n += slice_eq(deviations[i].class, class);
	snprintf(heading, sizeof(heading), "[%.*s] %zu row%s\n", SLICE_ARGS(class), n, n == 1 ? "" : "s");
	ok(slice_search(urls, slice_str(heading)) < urls.len, "doc/URLS has %.*s and its %zu rows", SLICE_ARGS(class), n);
}

static void
check_classes(struct slice urls)
{
	for (size_t i = 0; i < n_deviations; i++) {
		bool first = true;

		for (size_t k = 0; k < i && first; k++)
			first = !slice_eq(deviations[k].class, deviations[i].class);
		if (first)
			check_class(deviations[i].class, urls);
		if (!deviations[i].met)
			ok(false, "%.*s is a row of whatwg-hosts.tsv", SLICE_ARGS(deviations[i].input));
	}
}

/* The sum that doc/URLS has, for N rows. */
static void
check_sum(size_t n, struct slice urls)
{
	char sum[128];

	snprintf(sum, sizeof(sum), "%zu rows in t/data/whatwg-hosts.tsv, of which %zu agree.", n, n - n_deviations);
	ok(n > n_deviations && slice_search(urls, slice_str(sum)) < urls.len, "doc/URLS says: %s", sum);
}

/* Every class that doc/URLS describes has rows. */
static void
check_headings(struct slice urls)
{
	struct slice line, class;
	bool used;

	while (urls.len > 0) {
		slice_cut(urls, '\n', &line, &urls);
		if (!slice_starts(line, SLICE("[")) || !slice_cut(line, ']', &class, NULL))
			continue;
		class = slice_skip(class, 1);
		used = false;
		for (size_t i = 0; i < n_deviations && !used; i++)
			used = slice_eq(deviations[i].class, class);
		ok(used, "%.*s of doc/URLS has rows", SLICE_ARGS(class));
	}
}

int
main(void)
{
	struct buf hosts, known, urls;
	struct slice rest, row, input, expected;
	size_t n = 0;

	read_source("t/data/whatwg-hosts.tsv", &hosts);
	read_source("t/data/whatwg-deviations.tsv", &known);
	read_source("doc/URLS", &urls);
	read_deviations(buf_slice(&known));
	for (rest = buf_slice(&hosts); next_row(&rest, &row); n++) {
		slice_cut(row, '\t', &input, &expected);
		check_row(input, expected);
	}
	check_sum(n, buf_slice(&urls));
	check_classes(buf_slice(&urls));
	check_headings(buf_slice(&urls));
	buf_fini(&hosts);
	buf_fini(&known);
	buf_fini(&urls);
	return tap_done();
}
