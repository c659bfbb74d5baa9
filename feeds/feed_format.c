#include "feeds/feed_part.h"

#include <limits.h>

#include "base/count.h"
#include "feeds/misp_manifest.h"

static const char *const names[FEED_FORMATS] = {
	[FEED_HOSTS_PLAIN] = "hosts",
	[FEED_HOSTS_FILE] = "hosts-file",
	[FEED_URLS] = "urls",
	[FEED_SQUIDGUARD_DOMAINS] = "squidguard-domains",
	[FEED_SQUIDGUARD_URLS] = "squidguard-urls",
	[FEED_HDB] = "hdb",
	[FEED_HSB] = "hsb",
	[FEED_FP] = "fp",
	[FEED_SFP] = "sfp",
	[FEED_IGN2] = "ign2",
	[FEED_DIGESTS] = "digests",
	[FEED_HASHDEEP] = "hashdeep",
	[FEED_CSV] = "csv",
	[FEED_ADBLOCK] = "adblock",
	[FEED_RPZ] = "rpz",
	[FEED_MISP] = "misp",
	[FEED_STIX] = "stix",
	[FEED_ABUSE_CSV] = "abuse-csv",
	[FEED_ABUSE_JSON] = "abuse-json",
	[FEED_CVD] = "cvd",
};

struct file_name {
	const char		*name;
	enum feed_format	 format;
};

static const struct file_name whole_names[] = {
	{ "hosts", FEED_HOSTS_FILE }, { "hosts.txt", FEED_HOSTS_FILE },
	{ "domains", FEED_SQUIDGUARD_DOMAINS }, { "urls", FEED_SQUIDGUARD_URLS },
	{ "MD5SUMS", FEED_DIGESTS }, { "SHA1SUMS", FEED_DIGESTS }, { "SHA256SUMS", FEED_DIGESTS },
};

static const struct file_name extensions[] = {
	{ "hosts", FEED_HOSTS_PLAIN }, { "dstdomain", FEED_HOSTS_PLAIN },
	{ "hosts-file", FEED_HOSTS_FILE },
	{ "urls", FEED_URLS },
	{ "domains", FEED_SQUIDGUARD_DOMAINS },
	{ "hdb", FEED_HDB }, { "hdu", FEED_HDB }, { "hsb", FEED_HSB }, { "hsu", FEED_HSB },
	{ "fp", FEED_FP }, { "sfp", FEED_SFP }, { "ign2", FEED_IGN2 },
	{ "md5", FEED_DIGESTS }, { "sha1", FEED_DIGESTS }, { "sha256", FEED_DIGESTS }, { "md5sum", FEED_DIGESTS },
	{ "sha1sum", FEED_DIGESTS }, { "sha256sum", FEED_DIGESTS }, { "digests", FEED_DIGESTS },
	{ "hashdeep", FEED_HASHDEEP },
	{ "csv", FEED_CSV },
	{ "adblock", FEED_ADBLOCK },
	{ "rpz", FEED_RPZ },
	{ "misp", FEED_MISP },
	{ "stix", FEED_STIX }, { "stix2", FEED_STIX },
	{ "cvd", FEED_CVD }, { "cld", FEED_CVD }, { "cud", FEED_CVD },
};

const char *
feed_format_name(enum feed_format format)
{
	return names[format];
}

int
feed_format_parse(struct slice name, enum feed_format *out)
{
	for (int i = 0; i < FEED_FORMATS; i++)
		if (slice_eq(name, slice_str(names[i]))) {
			*out = (enum feed_format)i;
			return 0;
		}
	return -1;
}

/* What stands behind the last C of S; S when there is none. */
static struct slice
behind_last(struct slice s, char c)
{
	for (size_t i = s.len; i > 0; i--)
		if (s.p[i - 1] == c)
			return slice_skip(s, i);
	return s;
}

static int
look_up(const struct file_name *table, size_t n, struct slice name, enum feed_format *out)
{
	for (size_t i = 0; i < n; i++)
		if (slice_ieq(name, slice_str(table[i].name))) {
			*out = table[i].format;
			return 0;
		}
	return -1;
}

/* "5bad1b96-53bc-4148-87eb-50d50a016219.json": an event of a MISP feed. */
static bool
is_event(struct slice name)
{
	static const struct slice end = { ".json", sizeof(".json") - 1 };

	return slice_ends(name, end) && misp_is_uuid(slice_head(name, name.len - end.len));
}

int
feed_format_of_file(struct slice path, enum feed_format *out, bool *diff)
{
	struct slice name = behind_last(path, '/');

	*diff = slice_ends(name, SLICE(".diff"));
	if (*diff)
		name.len -= sizeof(".diff") - 1;
	if (look_up(whole_names, COUNT(whole_names), name, out) == 0)
		return *diff && *out != FEED_SQUIDGUARD_DOMAINS && *out != FEED_SQUIDGUARD_URLS ? -1 : 0;
	if (*diff || slice_find(name, '.') == name.len)
		return -1;
	if (is_event(name)) {
		*out = FEED_MISP;
		return 0;
	}
	return look_up(extensions, COUNT(extensions), behind_last(name, '.'), out);
}

/* ---- what a text looks like ---- */

enum { SAMPLE_LINES = 64, SAMPLE_BYTES = 1 << 16, CSV_COLUMNS_LEAST = 3 };

static int
ignore(void *arg, const struct feed_entry *entry)
{
	(void)arg, (void)entry;
	return 0;
}

/* The first lines of TEXT, whole ones if there is one. */
static struct slice
sample_of(struct slice text)
{
	size_t end = 0;

	if (text.len > SAMPLE_BYTES) {
		text = slice_head(text, SAMPLE_BYTES);
		while (text.len > 0 && text.p[text.len - 1] != '\n')
			text.len--;
	}
	for (int i = 0; i < SAMPLE_LINES && end < text.len; i++)
		end += slice_find(slice_skip(text, end), '\n') + 1;
	return slice_head(text, end);
}

/* How much better than bad SAMPLE reads as FORMAT. */
static long
score(struct slice sample, enum feed_format format)
{
	struct feed *f = feed_new(format, NULL, NULL, ignore, NULL, NULL);
	struct feed_counts n = { 0 };

	if (f == NULL)
		return LONG_MIN;
	feed_text(f, sample);
	feed_end(f, &n);
	feed_free(f);
	return (long)n.entries - 2 * (long)n.bad;
}

/* Most rows of SAMPLE have the same number of separators, and several. */
static bool
is_table(struct slice sample)
{
	size_t first = 0, rows = 0, same = 0;
	struct slice line;

	while (sample.len > 0) {
		size_t columns = 1;

		slice_cut(sample, '\n', &line, &sample);
		line = slice_trim(line);
		if (line.len == 0 || line.p[0] == '#')
			continue;
		for (size_t i = 0; i < line.len; i++)
			columns += line.p[i] == ',';
		first = rows++ == 0 ? columns : first;
		same += columns == first;
	}
	return rows > 0 && first >= CSV_COLUMNS_LEAST && 2 * same > rows;
}

/* Is there a line in SAMPLE that begins with HEAD? */
static bool
has_line(struct slice sample, struct slice head)
{
	struct slice line;

	while (sample.len > 0) {
		slice_cut(sample, '\n', &line, &sample);
		if (slice_istarts(slice_trim(line), head))
			return true;
	}
	return false;
}

/* JSON says what it is by its first keys: "key": something that begins with FIRST. */
static bool
has_key(struct slice text, const char *key, char first)
{
	size_t at;

	while ((at = slice_search(text, slice_str(key))) < text.len) {
		struct slice rest = slice_trim(slice_skip(text, at + strlen(key)));

		text = slice_skip(text, at + 1);
		if (rest.len > 0 && rest.p[0] == ':') {
			rest = slice_trim(slice_skip(rest, 1));
			if (rest.len > 0 && rest.p[0] == first)
				return true;
		}
	}
	return false;
}

static int
propose_json(struct slice text, enum feed_format *out)
{
	if (has_key(text, "\"Event\"", '{'))
		*out = FEED_MISP;
	else if (has_key(text, "\"objects\"", '[') || has_key(text, "\"pattern_type\"", '"'))
		*out = FEED_STIX;
	else if (has_key(text, "\"ioc_type\"", '"') || has_key(text, "\"url_status\"", '"') || has_key(text, "\"sha256_hash\"", '"') ||
	    has_key(text, "\"ip_address\"", '"'))
		*out = FEED_ABUSE_JSON;
	else
		return -1;
	return 0;
}

/* A header of abuse.ch, in a comment or not. */
static bool
is_abuse_table(struct slice sample)
{
	static const char *const columns[] = { "url_status", "ioc_value", "sha256_hash", "c2_status" };
	struct slice line;

	while (sample.len > 0) {
		slice_cut(sample, '\n', &line, &sample);
		for (size_t i = 0; i < COUNT(columns) && slice_find(line, ',') < line.len; i++) {
			size_t at = slice_search(line, slice_str(columns[i]));

			if (at > 0 && at < line.len && strchr(",\"", line.p[at - 1]) != NULL)
				return true;
		}
	}
	return false;
}

/* Formats that say what they are. */
static int
propose_by_head(struct slice sample, enum feed_format *out)
{
	if (slice_starts(sample, SLICE("%%%%")))
		*out = FEED_HASHDEEP;
	else if (slice_starts(sample, SLICE("ClamAV-VDB:")))
		*out = FEED_CVD;
	else if (is_abuse_table(sample))
		*out = FEED_ABUSE_CSV;
	else if (has_line(sample, SLICE("$TTL")) || has_line(sample, SLICE("$ORIGIN")) || has_line(sample, SLICE("@ SOA")))
		*out = FEED_RPZ;
	else if (has_line(sample, SLICE("[Adblock")) || has_line(sample, SLICE("||")))
		*out = FEED_ADBLOCK;
	else
		return -1;
	return 0;
}

int
feed_format_propose(struct slice text, enum feed_format *out)
{
	/* Where two read a text equally well, the one that says more about a line is first. */
	static const enum feed_format tried[] = { FEED_HDB, FEED_DIGESTS, FEED_HOSTS_FILE, FEED_RPZ, FEED_HOSTS_PLAIN, FEED_URLS };
	struct slice sample = sample_of(text);
	long best = 0;
	int r = -1;

	if (slice_starts(text, SLICE("\xef\xbb\xbf")))
		text = slice_skip(text, 3);
	if (slice_starts(slice_trim(text), SLICE("{")) || slice_starts(slice_trim(text), SLICE("[{")))
		return propose_json(slice_head(text, SAMPLE_BYTES), out);
	if (propose_by_head(sample, out) == 0)
		return 0;
	for (size_t i = 0; i < COUNT(tried); i++) {
		long got = score(sample, tried[i]);

		if (got > best) {
			best = got;
			*out = tried[i];
			r = 0;
		}
	}
	if (is_table(sample) && (r == -1 || *out == FEED_URLS || *out == FEED_HOSTS_PLAIN)) {
		*out = FEED_CSV;
		return 0;
	}
	if (r == 0 && *out == FEED_URLS && slice_search(sample, SLICE("://")) == sample.len)
		*out = FEED_SQUIDGUARD_URLS;
	return r;
}
