/* abuse.ch: ThreatFox, URLhaus, MalwareBazaar and the Feodo Tracker, as they export it (CSV, whose header may stand in a comment;
 * JSON, an object of lists of one) and as their APIs answer. */
#include "feeds/feed_part.h"

#include "base/count.h"
#include "hashdb/hashdb.h"

/* What is known of a row of abuse.ch. */
enum abuse_cell { ABUSE_IOC, ABUSE_TYPE, ABUSE_CONFIDENCE, ABUSE_URL, ABUSE_SHA256, ABUSE_SHA1, ABUSE_MD5, ABUSE_SIZE, ABUSE_NAME,
	ABUSE_IP, ABUSE_PORT, ABUSE_NOTE, ABUSE_CELLS };

struct abuse_state {
	bool	has_header;
	int	at[ABUSE_CELLS];	/* which column; or NO_COLUMN */
};

/* ---- what a row says ---- */

/* The names of a cell, by which a header and an object have it. */
static const char *const names[ABUSE_CELLS][3] = {
	[ABUSE_IOC] = { "ioc_value", "ioc", NULL },
	[ABUSE_TYPE] = { "ioc_type", NULL, NULL },
	[ABUSE_CONFIDENCE] = { "confidence_level", NULL, NULL },
	[ABUSE_URL] = { "url", NULL, NULL },
	[ABUSE_SHA256] = { "sha256_hash", "sha256", NULL },
	[ABUSE_SHA1] = { "sha1_hash", "sha1", NULL },
	[ABUSE_MD5] = { "md5_hash", "md5", NULL },
	[ABUSE_SIZE] = { "file_size", NULL, NULL },
	[ABUSE_NAME] = { "file_name", "filename", NULL },
	[ABUSE_IP] = { "dst_ip", "ip_address", NULL },
	[ABUSE_PORT] = { "dst_port", "port", NULL },
	[ABUSE_NOTE] = { "malware_printable", "signature", "malware" },
};

/* ThreatFox: what the indicator is of, its type tells. */
static int
give_ioc(struct feed *f, struct slice type, struct cell ioc)
{
	static const struct { const char *type; enum digest_alg alg; } digests[] = {
		{ "md5_hash", DIGEST_MD5 }, { "sha1_hash", DIGEST_SHA1 }, { "sha256_hash", DIGEST_SHA256 },
	};

	f->shown = ioc.text;
	if (slice_eq(type, SLICE("ip:port")))
		return feed_with_port(f, ioc);
	if (slice_eq(type, SLICE("domain")))
		return feed_name(f, ioc, SLICE(""));
	if (slice_eq(type, SLICE("url")))
		return feed_url(f, ioc, SLICE(""));
	for (size_t i = 0; i < COUNT(digests); i++)
		if (slice_eq(type, slice_str(digests[i].type)))
			return feed_digest_as(f, digests[i].alg, ioc, HASHDB_SIZE_ANY, SLICE(""));
	return feed_skip(f);
}

/* MalwareBazaar, and URLhaus's payloads: the longest digest, with the size where there is one. */
static int
give_file(struct feed *f, const struct cell row[static ABUSE_CELLS])
{
	static const struct { enum abuse_cell cell; enum digest_alg alg; } best_first[] = {
		{ ABUSE_SHA256, DIGEST_SHA256 }, { ABUSE_SHA1, DIGEST_SHA1 }, { ABUSE_MD5, DIGEST_MD5 },
	};
	struct slice name = feed_is_nothing(row[ABUSE_NAME].text) ? SLICE("") : row[ABUSE_NAME].text;
	uint64_t size = HASHDB_SIZE_ANY;

	if (!feed_is_nothing(row[ABUSE_SIZE].text) && feed_size(f, row[ABUSE_SIZE], &size) != 0)
		return 0;
	for (size_t i = 0; i < COUNT(best_first); i++) {
		const struct cell *hex = &row[best_first[i].cell];

		f->shown = hex->text;
		if (!feed_is_nothing(hex->text))
			return feed_digest_as(f, best_first[i].alg, *hex, size, name);
	}
	return 0;
}

static int
give_row(struct feed *f, const struct cell row[static ABUSE_CELLS])
{
	bool has_ioc = !feed_is_nothing(row[ABUSE_IOC].text), has_url = !feed_is_nothing(row[ABUSE_URL].text);
	bool has_ip = !feed_is_nothing(row[ABUSE_IP].text), has_file = !feed_is_nothing(row[ABUSE_SHA256].text) ||
	    !feed_is_nothing(row[ABUSE_SHA1].text) || !feed_is_nothing(row[ABUSE_MD5].text);
	int r = 0;

	if (!has_ioc && !has_url && !has_ip && !has_file)
		return feed_skip(f);
	if (!feed_is_sure(f, row[ABUSE_CONFIDENCE].text))
		return feed_skip(f);
	f->note = feed_is_nothing(row[ABUSE_NOTE].text) ? SLICE("") : row[ABUSE_NOTE].text;
	/* ThreatFox says all of it in one value; what it has beside is about that. */
	if (has_ioc)
		return give_ioc(f, row[ABUSE_TYPE].text, row[ABUSE_IOC]);
	if (has_ip) {
		f->shown = row[ABUSE_IP].text;
		r = !f->options.ports && !feed_is_nothing(row[ABUSE_PORT].text) ? feed_skip(f) : feed_ip(f, row[ABUSE_IP]);
	}
	if (r == 0 && has_url) {
		f->shown = row[ABUSE_URL].text;
		r = feed_url(f, row[ABUSE_URL], SLICE(""));
	}
	return r == 0 && has_file ? give_file(f, row) : r;
}

/* ---- CSV ---- */

static int
find_column(const struct csv_state *csv, enum abuse_cell cell)
{
	int at = NO_COLUMN;

	for (size_t i = 0; i < COUNT(names[cell]) && names[cell][i] != NULL && at == NO_COLUMN; i++)
		at = feed_csv_find(csv, names[cell][i]);
	return at;
}

/* The header has a column that makes an entry, and those that filters look at. */
static bool
place(struct feed *f)
{
	static const enum abuse_cell makes[] = { ABUSE_URL, ABUSE_SHA256, ABUSE_SHA1, ABUSE_MD5, ABUSE_IP };
	struct abuse_state *a = f->state;
	bool found;

	for (int i = 0; i < ABUSE_CELLS; i++)
		a->at[i] = find_column(&f->csv, (enum abuse_cell)i);
	found = a->at[ABUSE_IOC] != NO_COLUMN && a->at[ABUSE_TYPE] != NO_COLUMN;
	for (size_t i = 0; i < COUNT(makes); i++)
		found = found || a->at[makes[i]] != NO_COLUMN;
	return found && feed_csv_place_filters(f, false);
}

static struct slice
filter_text(const struct feed *f, const void *arg, size_t i, char *room)
{
	(void)arg, (void)room;
	return feed_csv_cell(&f->csv, f->csv.filter_at[i]).text;
}

int
feed_read_abuse(struct feed *f, struct slice line)
{
	struct abuse_state *a = f->state;
	struct cell row[ABUSE_CELLS];
	int r;

	line = slice_trim(line);
	if (line.len == 0)
		return 0;
	if (!a->has_header) {
		f->options.separator = ',';
		a->has_header = feed_csv_is_header(f, line, place);
		return 0;
	}
	if (line.p[0] == '#' || feed_csv_split(f, line) == -1)
		return 0;
	if (!feed_csv_is_whole(f, a->at, ABUSE_CELLS))
		return feed_bad(f, feed_col(f, line.p), "the row has only %zu columns", f->csv.n);
	if (!feed_filters_hold(f, filter_text, NULL))
		return feed_skip(f);
	for (int i = 0; i < ABUSE_CELLS; i++)
		row[i] = feed_csv_cell(&f->csv, a->at[i]);
	r = give_row(f, row);
	f->note = f->shown = SLICE("");
	return r;
}

const struct feed_kept feed_kept_abuse = { sizeof(struct abuse_state), NULL };

/* ---- JSON ---- */

/* A list of records, or an object of them: {"1952028":[{...}]}, {"query_status":"ok","data":[{...}]}, [{...}]. */
static enum json_way
ask(void *feed, const struct json_pieces *p, char first)
{
	(void)feed;
	if (p->n == 0)
		return JSON_ENTER;
	if (p->levels[p->n - 1].is_array)
		return first == '{' ? JSON_TAKE : JSON_SKIP;
	return first == '[' ? JSON_ENTER : JSON_SKIP;
}

static struct slice
member_text(const struct feed *f, const void *o, size_t i, char *room)
{
	return json_text(o, f->options.filters[i].column, room);
}

static int
take(void *feed, const struct json_pieces *p, json_t *o, unsigned line, unsigned col)
{
	struct feed *f = feed;
	char rooms[ABUSE_CELLS][JSON_NUMBER];
	struct cell row[ABUSE_CELLS];

	(void)p;
	feed_piece(f, line, col);
	if (!feed_filters_hold(f, member_text, o))
		return feed_skip(f);
	for (int i = 0; i < ABUSE_CELLS; i++) {
		row[i] = (struct cell){ SLICE(""), col };
		for (size_t k = 0; k < COUNT(names[i]) && names[i][k] != NULL && row[i].text.len == 0; k++)
			row[i].text = json_text(o, names[i][k], rooms[i]);
	}
	return give_row(f, row);
}

static int
begin(struct feed *f)
{
	static const struct json_reader reader = { ask, take, feed_json_bad };

	feed_json_begin(f, &reader);
	return 0;
}

const struct feed_stream feed_abuse_json = { begin, feed_json_put, feed_json_end, feed_json_fini, false };
