/* Rows of columns: CSV with a header of some kind, and hashdeep. */
#include "feeds/feed_part.h"

#include <errno.h>

#include "base/count.h"
#include "hashdb/hashdb.h"

/* ---- what a row says ---- */

bool
feed_is_nothing(struct slice s)
{
	static const char *const nothings[] = { "n/a", "none", "null" };

	return s.len == 0 || feed_is_one_of(s, nothings, COUNT(nothings));
}

/* The longest digest of ROW, or NULL. */
static const struct cell *
best_digest(const struct cell row[static CELLS])
{
	static const enum cell_kind best_first[] = { CELL_SHA256, CELL_SHA1, CELL_MD5, CELL_DIGEST };

	for (size_t i = 0; i < COUNT(best_first); i++)
		if (!feed_is_nothing(row[best_first[i]].text))
			return &row[best_first[i]];
	return NULL;
}

/* HEX is what its column says it is. */
static bool
is_of_column(const struct cell row[static CELLS], const struct cell *hex)
{
	static const enum cell_kind columns[DIGEST_ALGS] = { CELL_MD5, CELL_SHA1, CELL_SHA256 };
	enum digest_alg alg;

	return hex == &row[CELL_DIGEST] || (digest_alg_of_hex(hex->text.len, &alg) == 0 && hex == &row[columns[alg]]);
}

int
feed_size(struct feed *f, struct cell text, uint64_t *size)
{
	if (slice_u64(text.text, size) == -1) {
		feed_bad(f, text.col, "the size is no number");
		return 1;
	}
	if (*size == 0 || *size > HASHDB_SIZE_MAX) {
		feed_skip(f);
		return 1;
	}
	return 0;
}

static int
row_file(struct feed *f, const struct cell row[static CELLS], const struct cell *hex)
{
	const struct cell *size = &row[CELL_SIZE];
	uint64_t n = HASHDB_SIZE_ANY;

	if (!feed_is_nothing(size->text) && feed_size(f, *size, &n) != 0)
		return 0;
	if (!is_of_column(row, hex))
		return feed_bad(f, hex->col, "not as many digits as this column's digest has");
	return feed_digest(f, *hex, n, row[CELL_NAME].text);
}

int
feed_row(struct feed *f, const struct cell row[static CELLS])
{
	const struct cell *hex = best_digest(row), *host = &row[CELL_HOST], *url = &row[CELL_URL];
	struct slice name = row[CELL_NAME].text;
	int r = 0;

	if (hex == NULL && feed_is_nothing(host->text) && feed_is_nothing(url->text))
		return feed_skip(f);
	if (!feed_is_nothing(host->text))
		r = feed_host(f, *host, name);
	if (r == 0 && !feed_is_nothing(url->text))
		r = feed_url(f, *url, name);
	if (r == 0 && hex != NULL)
		r = row_file(f, row, hex);
	return r;
}

/* ---- cells: RFC 4180, one row a line, blanks around a cell do not count ---- */

static struct slice
skip_blanks(struct slice s)
{
	while (s.len > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = slice_skip(s, 1);
	return s;
}

/* TEXT, which stood between quotes, with its doubled quotes as one.  There is room in f->csv.plain for the whole line. */
static struct slice
undouble(struct feed *f, struct slice text)
{
	struct buf *plain = &f->csv.plain;
	size_t start = plain->len;

	while (text.len > 0) {
		size_t n = slice_find(text, '"');

		buf_add_slice(plain, slice_head(text, n + 1));
		text = slice_skip(text, n + 2);
	}
	return slice_make(plain->p + start, plain->len - start);
}

/* Take the quoted cell that *REST begins with, and the blanks behind it.  -1 when the quote is not closed. */
static int
take_quoted(struct feed *f, struct slice *rest, struct slice *text)
{
	struct slice s = slice_skip(*rest, 1);
	bool doubled = false;
	size_t n = 0;

	while ((n += slice_find(slice_skip(s, n), '"')) + 1 < s.len && s.p[n + 1] == '"') {
		doubled = true;
		n += 2;
	}
	if (n >= s.len)
		return -1;
	*text = doubled ? undouble(f, slice_head(s, n)) : slice_head(s, n);
	*rest = skip_blanks(slice_skip(s, n + 1));
	return 0;
}

/* Take the next cell of *REST, up to its separator. */
static int
take_cell(struct feed *f, struct slice *rest, struct cell *out)
{
	char separator = f->options.separator;
	size_t n;

	*rest = skip_blanks(*rest);
	*out = feed_cell(f, *rest);
	if (rest->len > 0 && rest->p[0] == '"') {
		if (take_quoted(f, rest, &out->text) == -1)
			return feed_bad(f, out->col, "the quote is not closed in this line"), -1;
		if (rest->len > 0 && rest->p[0] != separator)
			return feed_bad(f, feed_col(f, rest->p), "text behind a quote"), -1;
		return 0;
	}
	n = slice_find(*rest, separator);
	out->text = slice_trim(slice_head(*rest, n));
	*rest = slice_skip(*rest, n);
	if (slice_find(out->text, '"') < out->text.len)
		return feed_bad(f, out->col, "a quote within a cell without quotes"), -1;
	return 0;
}

int
feed_csv_split(struct feed *f, struct slice line)
{
	struct csv_state *csv = &f->csv;
	struct cell cell;
	int n = 0;

	buf_reset(&csv->plain);
	if (slice_find(line, '"') < line.len && buf_reserve(&csv->plain, line.len) == -1)
		return feed_bad(f, 1, "out of memory"), -1;
	for (struct slice rest = line;; rest = slice_skip(rest, 1)) {
		if (take_cell(f, &rest, &cell) == -1)
			return -1;
		if (n < FEED_COLUMNS_MAX)
			csv->cells[n++] = cell;
		if (rest.len == 0)
			break;
	}
	csv->n = (size_t)n;
	return n;
}

/* ---- the header ---- */

static const char *
column_of(const struct feed_columns *c, enum cell_kind kind)
{
	const char *const names[CELLS] = { [CELL_HOST] = c->host, [CELL_URL] = c->url, [CELL_MD5] = c->md5, [CELL_SHA1] = c->sha1,
		[CELL_SHA256] = c->sha256, [CELL_DIGEST] = c->digest, [CELL_SIZE] = c->size, [CELL_NAME] = c->name };

	return names[kind];
}

/* The place that NAME says by itself ("1" is the first), or NO_COLUMN. */
static int
numbered(const char *name)
{
	uint64_t n;

	return slice_u64(slice_str(name), &n) == 0 && n >= 1 && n <= FEED_COLUMNS_MAX ? (int)n - 1 : NO_COLUMN;
}

int
feed_csv_find(const struct csv_state *csv, const char *name)
{
	for (size_t i = 0; i < csv->n; i++)
		if (slice_ieq(csv->cells[i].text, slice_str(name)))
			return (int)i;
	return NO_COLUMN;
}

bool
feed_csv_place_filters(struct feed *f, bool by_number)
{
	struct csv_state *csv = &f->csv;

	for (size_t i = 0; i < f->options.n_filters; i++) {
		const char *name = f->options.filters[i].column;

		if ((csv->filter_at[i] = numbered(name)) == NO_COLUMN &&
		    (by_number || (csv->filter_at[i] = feed_csv_find(csv, name)) == NO_COLUMN))
			return false;
	}
	return true;
}

/* Look for all columns by FIND; false when one is missing. */
static bool
place_columns(struct feed *f, bool by_number)
{
	struct csv_state *csv = &f->csv;
	const char *name;

	for (int i = 0; i < CELLS; i++) {
		csv->at[i] = NO_COLUMN;
		if ((name = column_of(&f->options.columns, (enum cell_kind)i)) == NULL)
			continue;
		if ((csv->at[i] = numbered(name)) == NO_COLUMN &&
		    (by_number || (csv->at[i] = feed_csv_find(csv, name)) == NO_COLUMN))
			return false;
	}
	return feed_csv_place_filters(f, by_number);
}

int
feed_csv_begin(struct feed *f)
{
	const struct feed_columns *c = &f->options.columns;

	if (f->options.separator == '\0')
		f->options.separator = ',';
	if (c->host == NULL && c->url == NULL && c->md5 == NULL && c->sha1 == NULL && c->sha256 == NULL && c->digest == NULL) {
		diag_add(f->diag, DIAG_ERROR, f->file, 0, 0, "no column of the CSV is said to hold hosts, URLs or digests");
		return -1;
	}
	f->csv.has_header = place_columns(f, true);
	return 0;
}

/* Cut LINE, which may be the header, into cells. */
static int
split_header(struct feed *f, struct slice line)
{
	int n;

	if (line.p[0] != '#')
		return feed_csv_split(f, line);
	/* A comment in words may well have a quote that is not closed. */
	f->quiet = true;
	n = feed_csv_split(f, slice_skip(line, 1));
	f->quiet = false;
	return n;
}

bool
feed_csv_is_header(struct feed *f, struct slice line, bool (*place)(struct feed *f))
{
	int n = split_header(f, line);

	if (n != -1 && place(f))
		return true;
	if (n != -1 && line.p[0] != '#')
		feed_bad(f, feed_col(f, line.p), "no header with all the columns that were named stands above");
	return false;
}

static bool
place_by_name(struct feed *f)
{
	return place_columns(f, false);
}

/* LINE, before any row: the header, that may stand in a comment. */
static int
read_header(struct feed *f, struct slice line)
{
	f->csv.has_header = feed_csv_is_header(f, line, place_by_name);
	return 0;
}

/* ---- a row ---- */

struct cell
feed_csv_cell(const struct csv_state *csv, int at)
{
	return at == NO_COLUMN || (size_t)at >= csv->n ? (struct cell){ SLICE(""), 1 } : csv->cells[at];
}

static struct slice
filter_text(const struct feed *f, const void *arg, size_t i, char *room)
{
	(void)arg, (void)room;
	return feed_csv_cell(&f->csv, f->csv.filter_at[i]).text;
}

/* Filters I and K look at one column. */
static bool
is_same_column(const struct feed *f, size_t i, size_t k)
{
	if (f->stream == NULL)
		return f->csv.filter_at[k] == f->csv.filter_at[i];
	return slice_ieq(slice_str(f->options.filters[i].column), slice_str(f->options.filters[k].column));
}

bool
feed_filters_hold(const struct feed *f, feed_filter_text *text_of, const void *arg)
{
	for (size_t i = 0; i < f->options.n_filters; i++) {
		char room[JSON_NUMBER];
		bool holds = false;

		for (size_t k = 0; !holds && k < f->options.n_filters; k++)
			holds = is_same_column(f, i, k) && slice_ieq(text_of(f, arg, k, room), slice_str(f->options.filters[k].value));
		if (!holds)
			return false;
	}
	return true;
}

bool
feed_is_sure(const struct feed *f, struct slice text)
{
	uint64_t n;

	return f->options.confidence == 0 || (slice_u64(text, &n) == 0 && n >= f->options.confidence);
}

bool
feed_csv_is_whole(const struct feed *f, const int *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (at[i] != NO_COLUMN && (size_t)at[i] >= f->csv.n)
			return false;
	for (size_t i = 0; i < f->options.n_filters; i++)
		if ((size_t)f->csv.filter_at[i] >= f->csv.n)
			return false;
	return true;
}

int
feed_read_csv(struct feed *f, struct slice line)
{
	struct cell row[CELLS];

	line = slice_trim(line);
	if (line.len == 0)
		return 0;
	if (!f->csv.has_header)
		return read_header(f, line);
	if (line.p[0] == '#' || feed_csv_split(f, line) == -1)
		return 0;
	if (!feed_csv_is_whole(f, f->csv.at, CELLS))
		return feed_bad(f, feed_col(f, line.p), "the row has only %zu columns", f->csv.n);
	if (!feed_filters_hold(f, filter_text, NULL))
		return feed_skip(f);
	for (int i = 0; i < CELLS; i++)
		row[i] = feed_csv_cell(&f->csv, f->csv.at[i]);
	return feed_row(f, row);
}

/* ---- hashdeep: "%%%% size,md5,sha256,filename", then rows without quotes ---- */

static int
read_hashdeep_header(struct feed *f, struct slice line)
{
	static const char *const names[CELLS] = { [CELL_MD5] = "md5", [CELL_SHA1] = "sha1", [CELL_SHA256] = "sha256",
		[CELL_SIZE] = "size", [CELL_NAME] = "filename" };
	struct csv_state *csv = &f->csv;
	struct slice word;
	bool more = true;
	int n = 0;

	line = slice_trim(slice_skip(line, sizeof("%%%%") - 1));
	if (slice_istarts(line, SLICE("hashdeep")))
		return 0;
	for (int i = 0; i < CELLS; i++)
		csv->at[i] = NO_COLUMN;
	for (; more && n < FEED_COLUMNS_MAX; n++) {
		more = slice_cut(line, ',', &word, &line);
		for (int i = 0; i < CELLS; i++)
			if (names[i] != NULL && slice_ieq(slice_trim(word), slice_str(names[i])))
				csv->at[i] = n;
	}
	csv->n = (size_t)n;
	csv->has_header = csv->at[CELL_MD5] != NO_COLUMN || csv->at[CELL_SHA1] != NO_COLUMN || csv->at[CELL_SHA256] != NO_COLUMN;
	return csv->has_header ? 0 : feed_bad(f, 1, "the columns have no md5, sha1 or sha256");
}

int
feed_read_hashdeep(struct feed *f, struct slice line)
{
	struct csv_state *csv = &f->csv;
	struct cell row[CELLS];
	struct slice rest = line;
	size_t n;

	if (slice_starts(line, SLICE("%%%%")))
		return read_hashdeep_header(f, line);
	if (line.p[0] == '#' || slice_trim(line).len == 0)
		return 0;
	if (!csv->has_header)
		return feed_bad(f, 1, "no line such as \"%%%%%%%% size,md5,filename\" stands above");
	/* The last column is the name, which may have commas. */
	for (n = 0; n < csv->n; n++) {
		csv->cells[n] = feed_cell(f, rest);
		if (n + 1 < csv->n && !slice_cut(rest, ',', &csv->cells[n].text, &rest))
			break;
	}
	if (n < csv->n)
		return feed_bad(f, 1, "the row has fewer columns than the header");
	for (int i = 0; i < CELLS; i++)
		row[i] = feed_csv_cell(csv, csv->at[i]);
	return feed_row(f, row);
}
