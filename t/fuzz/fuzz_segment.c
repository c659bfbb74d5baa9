/* Fuzz: the bytes of a segment, opened as hosts and as digests and asked; once as they are, and
 * once with kind, length and checksum of the header put right, so that changes of the section table
 * get past it. */
#include <stdlib.h>

#include "base/segment.h"
#include "hashdb/hashdb.h"
#include "url_rules/host_table.h"

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
enum { MATCHES_MAX = 8, REFS_MAX = 4 };

static const struct { struct slice host, path; enum host_kind kind; } questions[] = {
	{ { "example.com", 11 }, { "/", 1 }, HOST_NAME },
	{ { "a.b.example.com", 15 }, { "/a/b/?x=1&y=2", 13 }, HOST_NAME },
	{ { "www.paths.example", 17 }, { "/a/b?x=1", 8 }, HOST_NAME },
	{ { "192.0.2.7", 9 }, { "/a", 2 }, HOST_IPV4 },
	{ { "[2001:db8::7]", 13 }, { "/x/y", 4 }, HOST_IPV6 },
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

static void
ask_hosts(const struct host_table *t)
{
	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
		struct url url = { .host = questions[i].host, .path_query = questions[i].path,
			.kind = questions[i].kind };
		struct host_match m[MATCHES_MAX];
		bool damaged = false;
		size_t n = host_table_match(t, &url, m, MATCHES_MAX, &damaged);

		for (size_t j = 0; j < n && j < MATCHES_MAX; j++)
			check_match(&m[j], &url);
	}
	host_table_hosts(t);
	host_table_rules(t);
}

/* Ask for a digest of each algorithm whose first byte is FIRST and whose others are all OTHER. */
static void
ask_digest(const struct hashdb *db, uint8_t first, uint8_t other)
{
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		struct digest d = { .alg = (enum digest_alg)alg };
		uint32_t refs[REFS_MAX];
		size_t any, sized;

		memset(d.b, other, digest_len(d.alg));
		d.b[0] = first;
		any = hashdb_find(db, &d, HASHDB_SIZE_ANY, refs, REFS_MAX);
		sized = hashdb_find(db, &d, 90112, refs, REFS_MAX);
		if (any > sized || sized > hashdb_count(db, d.alg))
			abort();	/* whatever has no size stands for this one too */
	}
}

static void
ask_digests(const struct hashdb *db)
{
	ask_digest(db, 0x00, 0x00);
	ask_digest(db, 0xab, 0xab);
	ask_digest(db, 0xab, 0x01);
	ask_digest(db, 0xff, 0xff);
	hashdb_has_size(db, hashdb_min_size(db));
	hashdb_has_size(db, hashdb_max_size(db));
	hashdb_has_size(db, 90112);
	if (hashdb_sizeless_algs(db) & ~hashdb_algs(db))
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

/* What a writer would have put into the header. */
static void
repair(char *p, size_t len, uint32_t kind)
{
	uint64_t length = len;
	uint32_t n, crc = 0;

	memcpy(p + AT_KIND, &kind, sizeof(kind));
	memcpy(p + AT_LENGTH, &length, sizeof(length));
	memcpy(&n, p + AT_N, sizeof(n));
	if (n > ENTRIES_MAX || HEADER + (size_t)n * ENTRY > len)
		return;
	memcpy(p + AT_CRC, &crc, sizeof(crc));
	crc = segment_crc(p, HEADER + (size_t)n * ENTRY);
	memcpy(p + AT_CRC, &crc, sizeof(crc));
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
		if (size < HEADER)
			continue;
		repair(copy, size, (uint32_t)kinds[i]);
		open_as(copy, size, kinds[i]);
	}
	free(copy);
	return 0;
}
