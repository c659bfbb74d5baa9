/* Fuzz: what begins with the letter of a segment is opened as addresses and as patterns and asked; once as it is, and once
 * with header and sums put right, so that changes of the content get past them.  Anything else is a pattern, and in the next
 * line a path: the canonical form stays so, and whatever matches has the literal. */
#include <stdlib.h>

#include "base/segment.h"
#include "url_rules/address_format.h"
#include "url_rules/address_table.h"
#include "url_rules/path_patterns.h"
#include "ruleset/exceptions.h"
#include "url_rules/name_table.h"
#include "url_rules/pattern_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of the header, as the drawing in segment.h has it. */
enum {
	AT_KIND = 12,
	AT_LENGTH = 16,
	AT_N = 24,
	AT_CRC = 32,
	HEADER = 40,
	ENTRY = 24,
	ENTRIES_MAX = 64
};
enum { MATCHES = 8, PATH_LEN_MAX = 300 };

static const struct { struct slice host, path; enum host_kind kind; } questions[] = {
	{ { "example.com", 11 }, { "/", 1 }, HOST_NAME },
	{ { "a.b.example.com", 15 }, { "/mail/id=x@y-patch121.exe", 25 }, HOST_NAME },
	{ { "192.0.2.7", 9 }, { "/a", 2 }, HOST_IPV4 },
	{ { "[2001:db8::7]", 13 }, { "/x/y", 4 }, HOST_IPV6 },
};

static void
require(bool good)
{
	if (!good)
		abort();
}

/* ---- segments ---- */

static void
ask_addresses(const struct address_table *t)
{
	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
		struct url url = { .host = questions[i].host, .kind = questions[i].kind };
		struct address_match m[MATCHES];
		struct network asked;
		bool damaged = false;
		size_t n = address_table_match(t, &url, m, MATCHES, &damaged);

		require(n <= address_table_rules(t) && (n == 0 || network_of_host(url.host, url.kind, &asked) == 0));
		for (size_t j = 0; j < n && j < MATCHES; j++)
			require(network_contains(&m[j].network, &asked) && (j == 0 || m[j].network.bits <= m[j - 1].network.bits));
	}
	for (size_t i = 0; i <= address_table_rules(t) && i < MATCHES; i++) {
		struct address_match m;
		bool damaged = false;

		if (address_table_at(t, i, &m) == 0) {
			size_t first, found = address_table_find(t, &m.network, &first, &damaged);

			require(found <= address_table_rules(t) && first <= address_table_rules(t) - found);
		}
	}
}

static bool
covers(const struct pattern_match *m, const struct url *url)
{
	bool self = slice_eq(url->host, m->host);

	return m->host.len == 0 || (host_under(url->host, m->host) && (m->scope == SCOPE_DOMAIN || (m->scope == SCOPE_EXACT) == self));
}

static void
ask_patterns(const struct path_patterns *t)
{
	struct pattern_match m[MATCHES], last = { .ref = 0 };

	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
		struct url url = { .host = questions[i].host, .path_query = questions[i].path, .kind = questions[i].kind };
		bool unchecked = false;
		size_t n = path_patterns_match(t, &url, m, MATCHES, &unchecked);

		require(n <= path_patterns_count(t));
		for (size_t j = 0; j < n && j < MATCHES; j++)
			require(covers(&m[j], &url) && (j == 0 || pattern_cmp(&m[j - 1], &m[j]) < 0));
	}
	for (size_t i = 0; path_patterns_at(t, i, m) == 0; i++) {
		require(m[0].pattern.len > 0 && (i == 0 || pattern_cmp(&last, m) < 0));
		last = m[0];
	}
}

static void
ask_names(const struct name_table *t)
{
	struct file_names names = { 0 };
	struct name_match m[MATCHES], last = { .ref = 0 };

	file_names_add(&names, SLICE("patch121.exe"));
	file_names_add(&names, SLICE("a b.c"));
	require(name_table_match(t, &names, 90112, m, MATCHES) <= name_table_count(t));
	require(name_table_knows(t, &names) || name_table_match(t, &names, 90112, m, MATCHES) == 0);
	for (size_t i = 0; name_table_at(t, i, m) == 0; i++) {
		require(m[0].pattern.len > 0 && (i == 0 || last.size <= m[0].size) && name_table_has_size(t, m[0].size));
		last = m[0];
	}
}

static void
ask_exceptions(const struct exceptions *t)
{
	static const struct asker asker = { { "192.0.2.7", 9 }, { "ann", 3 }, { "a.example", 9 }, NULL };
	struct slice text;
	uint32_t ref;
	size_t n = 0, known = 0, unknown = 0, at;

	while (exceptions_at(t, n, &text, &ref) == 0)
		n++;
	for (at = 0; exceptions_next(t, SLICE("local:1"), 1, &asker, &at, &ref); known++)
		;
	for (at = 0; exceptions_next(t, SLICE("local:1"), 1, NULL, &at, &ref); unknown++)
		;
	require(known <= n && unknown <= known);
}

static void
open_as(const char *p, size_t len, enum segment_kind kind)
{
	struct segment *segment = segment_open_bytes("input", p, len, kind, NULL);
	struct address_table *addresses = NULL;
	struct path_patterns *patterns = NULL;
	struct name_table *names = NULL;
	struct exceptions *exceptions = NULL;

	if (segment == NULL)
		return;
	if (kind == SEGMENT_ADDRESSES && (addresses = address_table_open(segment, NULL)) != NULL)
		ask_addresses(addresses);
	if (kind == SEGMENT_PATTERNS && (patterns = path_patterns_open(segment, NULL)) != NULL)
		ask_patterns(patterns);
	if (kind == SEGMENT_NAMES && (names = name_table_open(segment, NULL)) != NULL)
		ask_names(names);
	if (kind == SEGMENT_EXCEPTIONS && (exceptions = exceptions_open(segment, NULL)) != NULL)
		ask_exceptions(exceptions);
	exceptions_close(exceptions);
	name_table_close(names);
	address_table_close(addresses);
	path_patterns_close(patterns);
	segment_close(segment);
}

/* What a writer would have put into the header. */
static bool
repair_header(char *p, size_t len, uint32_t kind)
{
	uint64_t length = len;
	uint32_t n, crc = 0;

	memcpy(p + AT_KIND, &kind, sizeof(kind));
	memcpy(p + AT_LENGTH, &length, sizeof(length));
	memcpy(&n, p + AT_N, sizeof(n));
	if (n > ENTRIES_MAX || HEADER + (size_t)n * ENTRY > len)
		return false;
	memcpy(p + AT_CRC, &crc, sizeof(crc));
	crc = segment_crc(p, HEADER + (size_t)n * ENTRY);
	memcpy(p + AT_CRC, &crc, sizeof(crc));
	return true;
}

static void
repair_addresses(const struct segment *s)
{
	struct slice info = segment_section(s, ADDRESSES_INFO), entries = segment_section(s, ADDRESSES_ENTRIES);
	struct address_entry e;

	for (; info.len >= SIPHASH_KEY && entries.len >= sizeof(e); entries = slice_skip(entries, sizeof(e))) {
		memcpy(&e, entries.p, sizeof(e));
		e.sum = address_sum((const uint8_t *)info.p, &e);
		memcpy((char *)(uintptr_t)entries.p, &e, sizeof(e));
	}
}

static void
repair_patterns(const struct segment *s)
{
	struct slice info = segment_section(s, PATTERNS_INFO), index = segment_section(s, PATTERNS_INDEX);
	struct slice records = segment_section(s, PATTERNS_RECORDS);
	struct pattern_index place;

	for (; info.len >= SIPHASH_KEY && index.len >= sizeof(place); index = slice_skip(index, sizeof(place))) {
		struct slice record;
		uint32_t sum;

		memcpy(&place, index.p, sizeof(place));
		record = slice_head(slice_skip(records, place.offset), place.len);
		if (record.len < sizeof(sum))
			continue;
		sum = pattern_sum((const uint8_t *)info.p, record);
		memcpy((char *)(uintptr_t)record.p, &sum, sizeof(sum));
	}
}

static void
repair_texts(const struct segment *s)
{
	struct slice records = segment_section(s, TEXT_ROWS_RECORDS), texts = segment_section(s, TEXT_ROWS_TEXTS);
	struct text_record r;

	for (; records.len >= sizeof(r); records = slice_skip(records, sizeof(r))) {
		memcpy(&r, records.p, sizeof(r));
		r.sum = text_record_sum(&r, slice_head(slice_skip(texts, r.at), r.len));
		memcpy((char *)(uintptr_t)records.p, &r, sizeof(r));
	}
}

static void
try_segment(char *copy, const uint8_t *data, size_t size, enum segment_kind kind)
{
	struct segment *segment;

	memcpy(copy, data, size);
	open_as(copy, size, kind);
	if (size < HEADER || !repair_header(copy, size, (uint32_t)kind))
		return;
	open_as(copy, size, kind);
	if ((segment = segment_open_bytes("input", copy, size, kind, NULL)) == NULL)
		return;
	if (kind == SEGMENT_ADDRESSES)
		repair_addresses(segment);
	else if (kind == SEGMENT_NAMES || kind == SEGMENT_EXCEPTIONS)
		repair_texts(segment);
	else
		repair_patterns(segment);
	segment_close(segment);
	open_as(copy, size, kind);
}

/* ---- patterns ---- */

static void
try_regex(struct slice text, struct slice path, struct slice literal)
{
	char why[PATTERN_WHY];
	size_t at;
	struct regex *r = regex_compile(text, why, &at);

	require(r != NULL);
	if (regex_match(r, path) == REGEX_YES && literal.len > 0)
		require(slice_isearch(path, literal) < path.len);
	regex_free(r);
}

static void
try_pattern(struct slice text, struct slice path)
{
	char canonical[PATTERN_MAX], again[PATTERN_MAX], literal[PATTERN_MAX], why[PATTERN_WHY] = "";
	size_t len = 0, len_again = 0, at = 0;
	struct slice form, plain;

	if (pattern_canonical(text, false, canonical, &len, why, &at) == -1) {
		require(why[0] != '\0' && at <= text.len);
		return;
	}
	form = slice_make(canonical, len);
	plain = slice_make(literal, pattern_literal(form, literal));
	require(pattern_canonical(form, false, again, &len_again, why, &at) == 0 && slice_eq(form, slice_make(again, len_again)));
	require((pattern_canonical(form, true, again, &len_again, why, &at) == 0) == (plain.len >= PATTERN_LITERAL_MIN));
	if (pattern_is_regex(form))
		try_regex(form, path, plain);
	else if (glob_match(form, path))
		require(slice_search(path, plain) < path.len || plain.len == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text, path;
	char *copy;

	if (size == 0)
		return 0;
	if (data[0] != 'F') {
		slice_cut(slice_make((const char *)data, size), '\n', &text, &path);
		try_pattern(text, slice_head(path, PATH_LEN_MAX));
		return 0;
	}
	if ((copy = malloc(size)) == NULL)
		return 0;
	try_segment(copy, data, size, SEGMENT_ADDRESSES);
	try_segment(copy, data, size, SEGMENT_PATTERNS);
	try_segment(copy, data, size, SEGMENT_NAMES);
	try_segment(copy, data, size, SEGMENT_EXCEPTIONS);
	free(copy);
	return 0;
}
