/* Fuzz: the bytes of a segment, opened as hosts and as digests, asked and shown; once as they are, once with kind, length and
 * checksum of the header put right, so that changes of the section table get past it, and once with the sums of the buckets
 * put right too, so that changes of the records do. */
#include <stdlib.h>

#include "base/segment_format.h"
#include "base/sum.h"
#include "hashdb/hashdb.h"
#include "hashdb/hashdb_format.h"
#include "url_rules/host_format.h"
#include "url_rules/host_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MATCHES_MAX = 8, TABLES = 3 };

static const struct { struct slice host, path; enum host_kind kind; } questions[] = {
	{ SLICE("example.com"), SLICE("/"), HOST_NAME },
	{ SLICE("a.b.example.com"), SLICE("/a/b/?x=1&y=2"), HOST_NAME },
	{ SLICE("www.paths.example"), SLICE("/a/b?x=1"), HOST_NAME },
	{ SLICE("192.0.2.7"), SLICE("/a"), HOST_IPV4 },
	{ SLICE("[2001:db8::7]"), SLICE("/x/y"), HOST_IPV6 },
};

/* A match lies in what was asked, and its host is a suffix of it. */
static void
check_match(const struct host_match *m, const struct url *url)
{
	if (m->scope != SCOPE_EXACT && m->scope != SCOPE_DOMAIN && m->scope != SCOPE_BELOW)
		abort();
	if (m->host.len == 0 || m->host.p < url->host.p ||
	    m->host.p + m->host.len != url->host.p + url->host.len)
		abort();
	if (m->path.len > 0 &&
	    (m->path.p != url->path_query.p || m->path.len > url->path_query.len))
		abort();
	if ((m->scope == SCOPE_EXACT && m->host.len != url->host.len) ||
	    (m->scope == SCOPE_BELOW && m->host.len == url->host.len))
		abort();
}

static int
check_rule(void *arg, enum host_scope scope, struct slice host, struct slice path, const struct host_place *at)
{
	(void)at;
	if ((scope != SCOPE_EXACT && scope != SCOPE_DOMAIN && scope != SCOPE_BELOW) || host.len > UINT16_MAX)
		abort();
	*(size_t *)arg += sum32(host) + sum32(path);	/* every byte can be read */
	return 0;
}

/* What is found of a value has places that are there, and asking memory ahead reads nothing that is not. */
static void
find_host(const struct host_table *t, const struct url *url)
{
	struct host_place at[MATCHES_MAX];
	bool damaged = false;

	for (enum host_scope scope = SCOPE_EXACT; scope <= SCOPE_BELOW; scope++)
		for (int whole = 0; whole < 2; whole++) {
			struct slice path = whole == 0 ? (struct slice){ 0 } : url->path_query;
			size_t n = host_table_find(t, scope, url->host, path, at, MATCHES_MAX, &damaged);

			for (size_t i = 0; i < n && i < MATCHES_MAX; i++)
				if (at[i].place >= host_table_places(t))
					abort();
		}
	host_table_ahead_more(t, host_table_ahead(t, url->host));
}

static void
ask_hosts(const struct host_table *t)
{
	const struct host_table *tables[TABLES] = { t, NULL, t };
	size_t read = 0;
	bool damaged = false;

	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
		struct url url = { .host = questions[i].host, .path_query = questions[i].path, .kind = questions[i].kind };
		struct host_match m[MATCHES_MAX];
		size_t n = host_table_match(tables, TABLES, &url, m, MATCHES_MAX, &damaged);

		for (size_t j = 0; j < n && j < MATCHES_MAX; j++)
			check_match(&m[j], &url);
		find_host(t, &url);
		if (n != 2 * host_table_match(tables, 1, &url, NULL, 0, &damaged))
			abort();
	}
	host_table_each(t, check_rule, &read, &damaged);
	host_table_hosts(t);
	host_table_rules(t);
}

/* Ask for a digest of each algorithm whose first byte is FIRST and whose others are all OTHER. */
static void
ask_digest(const struct hashdb *db, uint8_t first, uint8_t other)
{
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		struct digest d = { .alg = (enum digest_alg)alg };
		struct hashdb_match m[MATCHES_MAX];
		size_t any, sized;

		memset(d.b, other, digest_len(d.alg));
		d.b[0] = first;
		hashdb_ahead(db, &d);
		hashdb_may_have(db, &d);
		any = hashdb_find(db, &d, HASHDB_SIZE_ANY, m, MATCHES_MAX, NULL);
		sized = hashdb_find(db, &d, 90112, m, MATCHES_MAX, NULL);
		if (any > sized || sized > hashdb_count(db, d.alg))
			abort();	/* whatever has no size stands for this one too */
	}
}

static int
check_record(void *arg, const struct digest *digest, const struct hashdb_match *m)
{
	uint64_t *n = arg;

	if (digest->alg >= DIGEST_ALGS || m->size > HASHDB_SIZE_MAX)
		abort();
	n[digest->alg]++;
	return 0;
}

static void
ask_digests(const struct hashdb *db)
{
	uint64_t n[DIGEST_ALGS] = { 0 };
	bool damaged = false;

	ask_digest(db, 0x00, 0x00);
	ask_digest(db, 0xab, 0xab);
	ask_digest(db, 0xab, 0x01);
	ask_digest(db, 0xff, 0xff);
	hashdb_has_size(db, hashdb_min_size(db));
	hashdb_has_size(db, hashdb_max_size(db));
	hashdb_has_size(db, 90112);
	if (hashdb_sizeless_algs(db) & ~hashdb_algs(db))
		abort();
	hashdb_each(db, check_record, n, &damaged);
	for (int alg = 0; alg < DIGEST_ALGS; alg++)
		if (!damaged && n[alg] > hashdb_count(db, (enum digest_alg)alg))
			abort();
}

static void
open_as(const char *p, size_t len, enum segment_kind kind)
{
	struct segment *segment = segment_open_bytes("input", p, len, kind, NULL);
	struct host_table *hosts = NULL;
	struct hashdb *digests = NULL;

	if (segment == NULL)
		return;
	if (kind == SEGMENT_HOSTS && (hosts = host_table_open(segment, NULL)) != NULL)
		ask_hosts(hosts);
	if (kind == SEGMENT_DIGESTS && (digests = hashdb_open(segment, NULL)) != NULL)
		ask_digests(digests);
	host_table_close(hosts);
	hashdb_close(digests);
	segment_close(segment);
}

/* What a writer would have put into the header; false when it cannot be. */
static bool
repair_header(char *p, size_t len, enum segment_kind kind)
{
	struct segment_header h;

	if (len < sizeof(h))
		return false;
	memcpy(&h, p, sizeof(h));
	h.kind = (uint32_t)kind;
	h.length = len;
	if (h.n > SEGMENT_SECTIONS_MAX || sizeof(h) + h.n * sizeof(struct segment_entry) > len)
		return false;
	h.crc = segment_header_crc(&h, (const struct segment_entry *)(void *)(p + sizeof(h)));
	memcpy(p, &h, sizeof(h));
	return true;
}

/* Make SUMS right for what INDEX says of DATA, in things of STRIDE bytes. */
static void
repair_sums(struct slice index, struct slice sums, struct slice data, size_t stride)
{
	for (size_t i = 0; (i + 2) * sizeof(uint32_t) <= index.len && (i + 1) * sizeof(uint32_t) <= sums.len; i++) {
		uint64_t begin = bytes_u32(index.p + i * sizeof(uint32_t)) * (uint64_t)stride;
		uint64_t end = bytes_u32(index.p + (i + 1) * sizeof(uint32_t)) * (uint64_t)stride;
		uint32_t sum;

		if (begin > end || end > data.len)
			continue;
		sum = sum32(slice_head(slice_skip(data, begin), end - begin));
		memcpy((char *)(uintptr_t)sums.p + i * sizeof(sum), &sum, sizeof(sum));
	}
}

/* Make the sums of RECORDS right for the digests that they have where LINES says that they stand. */
static void
repair_records(struct slice lines, struct slice records, enum digest_alg alg)
{
	uint64_t n_lines = lines.len / HASHDB_LINE - 1;
	unsigned drop = hashdb_drop(n_lines);
	size_t stride = hashdb_stride(alg, drop), len = digest_len(alg);

	for (uint64_t line = 0; lines.len >= 2 * HASHDB_LINE && line < n_lines; line++) {
		uint64_t i = bytes_u32(lines.p + line * HASHDB_LINE), end = bytes_u32(lines.p + (line + 1) * HASHDB_LINE);
		uint32_t start = hashdb_line_start(line, n_lines);

		for (; i < end && (i + 1) * stride <= records.len; i++) {
			uint8_t *record = (uint8_t *)(uintptr_t)records.p + i * stride, digest[DIGEST_MAX_LEN];
			uint32_t low = (hashdb_first(record) >> 8 * drop) - start;

			bytes_put_big(digest, start + (low << 8 * drop >> 8 * drop), sizeof(start));
			memcpy(digest + sizeof(start), record + sizeof(start) - drop, len - sizeof(start));
			bytes_put(record + stride - HASHDB_SUM_LEN, hashdb_sum(digest, len, record + len - drop), HASHDB_SUM_LEN);
		}
	}
}

static void
repair_buckets(char *p, size_t len, enum segment_kind kind)
{
	struct segment *s = segment_open_bytes("input", p, len, kind, NULL);

	if (s == NULL)
		return;
	/* A filter of all bits: whatever the buckets have is looked for in them. */
	if (kind == SEGMENT_HOSTS && segment_section(s, HOSTS_FILTER).len > 0)
		memset((char *)(uintptr_t)segment_section(s, HOSTS_FILTER).p, 0xff, segment_section(s, HOSTS_FILTER).len);
	if (kind == SEGMENT_HOSTS)
		repair_sums(segment_section(s, HOSTS_INDEX), segment_section(s, HOSTS_SUMS), segment_section(s, HOSTS_DATA), 1);
	for (uint32_t alg = 0; kind == SEGMENT_DIGESTS && alg < DIGEST_ALGS; alg++)
		repair_records(segment_section(s, HASHDB_LINES + alg), segment_section(s, HASHDB_RECORDS + alg), (enum digest_alg)alg);
	segment_close(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum segment_kind kinds[] = { SEGMENT_HOSTS, SEGMENT_DIGESTS };
	char *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (size > 0)
			memcpy(copy, data, size);
		open_as(copy, size, kinds[i]);
		if (!repair_header(copy, size, kinds[i]))
			continue;
		open_as(copy, size, kinds[i]);
		repair_buckets(copy, size, kinds[i]);
		open_as(copy, size, kinds[i]);
	}
	free(copy);
	return 0;
}
