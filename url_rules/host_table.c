#include "url_rules/host_table.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/sum.h"
#include "url_rules/host_format.h"

enum { LINES_AHEAD = 4, MEMORY_LINE = 64 };	/* most of a usual bucket */
enum { SUFFIXES_MAX = HOST_MAX };	/* even "a..b" has no more than one a byte */

struct host_table {
	struct host_info	 info;
	const char		*index, *sums, *filters;
	uint64_t		 n_buckets;
	struct slice		 data, paths;
};

/* A record that holds together. */
struct record {
	struct slice	host;
	unsigned	tag;
	uint32_t	ref;		/* when the tag is a scope */
	uint32_t	n_refs, n_paths;
	const char	*refs;		/* where they are stored, or REF is */
	struct slice	paths;		/* from the first offset on */
};

/* ---- opening ---- */

static const char *
sections_fault(const struct segment *segment, struct host_table *t)
{
	struct slice info = segment_section(segment, HOSTS_INFO);
	struct slice index = segment_section(segment, HOSTS_INDEX);
	struct slice sums = segment_section(segment, HOSTS_SUMS);
	struct slice filters = segment_section(segment, HOSTS_FILTER);

	if (info.len != sizeof(t->info))
		return "damaged: size of the host table's head";
	memcpy(&t->info, info.p, sizeof(t->info));
	if (index.len % sizeof(uint32_t) != 0 || index.len < 2 * sizeof(uint32_t))
		return "damaged: number of buckets";
	t->n_buckets = index.len / sizeof(uint32_t) - 1;
	if (sums.len != t->n_buckets * sizeof(uint32_t) || t->n_buckets > UINT32_MAX)
		return "damaged: number of sums";
	if (filters.len != t->n_buckets * sizeof(uint64_t))
		return "damaged: number of filters";
	t->index = index.p;
	t->filters = filters.p;
	t->sums = sums.p;
	t->data = segment_section(segment, HOSTS_DATA);
	t->paths = segment_section(segment, HOSTS_PATHS);
	if (t->data.p == NULL || t->paths.p == NULL)
		return "damaged: a section is missing";
	return NULL;
}

struct host_table *
host_table_open(const struct segment *segment, struct diag *diag)
{
	struct host_table *t = calloc(1, sizeof(*t));
	const char *fault = t == NULL ? "out of memory" : sections_fault(segment, t);

	if (fault == NULL)
		return t;
	diag_error(diag, "host rules: %s", fault);
	free(t);
	return NULL;
}

void
host_table_close(struct host_table *t)
{
	free(t);
}

size_t
host_table_hosts(const struct host_table *t)
{
	return (size_t)t->info.n_hosts;
}

size_t
host_table_rules(const struct host_table *t)
{
	return (size_t)t->info.n_rules;
}

/* ---- buckets and records ---- */

static uint32_t
index_at(const struct host_table *t, uint64_t i)
{
	return bytes_u32(t->index + i * sizeof(uint32_t));
}

/* The bytes of bucket B; false when its bounds are none. */
static bool
bucket_bytes(const struct host_table *t, uint64_t b, struct slice *out)
{
	uint32_t begin = index_at(t, b), end = index_at(t, b + 1);

	if (begin > end || end > t->data.len)
		return false;
	*out = slice_make(t->data.p + begin, end - begin);
	return true;
}

/* A host of HASH may be in its bucket B. */
static bool
filter_lets(const struct host_table *t, uint64_t b, uint64_t hash)
{
	return (~bytes_u64(t->filters + b * sizeof(uint64_t)) & host_filter(hash)) == 0;
}

static bool
sum_holds(const struct host_table *t, uint64_t b, struct slice bytes)
{
	return bytes_u32(t->sums + b * sizeof(uint32_t)) == sum32(bytes);
}

/* Take a count of one byte, or of WIDE bytes behind HOST_BYTE_MANY, off *AT; false when it is cut short. */
static bool
take_count(struct slice *at, size_t wide, uint32_t *out)
{
	if (at->len == 0)
		return false;
	*out = (uint8_t)at->p[0];
	*at = slice_skip(*at, 1);
	if (*out != HOST_BYTE_MANY)
		return true;
	if (at->len < wide)
		return false;
	*out = (uint32_t)bytes_get(at->p, wide);
	*at = slice_skip(*at, wide);
	return true;
}

/* Fingerprints and records of a bucket that is not empty. */
static bool
open_bucket(struct slice bytes, struct slice *fingerprints, struct slice *records)
{
	uint32_t n;

	if (!take_count(&bytes, sizeof(uint32_t), &n) || n > bytes.len)
		return false;
	*fingerprints = slice_head(bytes, n);
	*records = slice_skip(bytes, n);
	return true;
}

/* Take the body of a long record off *AT. */
static bool
take_long(const struct host_table *t, struct slice *at, struct record *r)
{
	uint64_t begin;

	if (at->len < HOST_LONG_HEAD)
		return false;
	r->n_refs = bytes_u32(at->p);
	r->n_paths = bytes_u32(at->p + 4);
	begin = bytes_u64(at->p + 8);
	*at = slice_skip(*at, HOST_LONG_HEAD);
	if ((uint64_t)r->n_refs * HOST_REF_LEN > at->len || begin > t->paths.len)
		return false;
	r->refs = at->p;
	*at = slice_skip(*at, (size_t)r->n_refs * HOST_REF_LEN);
	r->paths = slice_skip(t->paths, begin);
	return r->n_paths == 0 || ((uint64_t)r->n_paths + 1) * sizeof(uint32_t) <= r->paths.len;
}

/* Take the next record off *AT; false when it is cut short. */
static bool
take_record(const struct host_table *t, struct slice *at, struct record *r)
{
	uint32_t len;

	if (!take_count(at, sizeof(uint16_t), &len) || at->len < 1 + (size_t)len)
		return false;
	r->tag = (uint8_t)at->p[0];
	r->host = slice_make(at->p + 1, len);
	*at = slice_skip(*at, 1 + (size_t)len);
	r->n_refs = r->n_paths = 0;
	if (r->tag == HOST_TAG_LONG)
		return take_long(t, at, r);
	if (r->tag > SCOPE_BELOW || at->len < sizeof(uint32_t))
		return false;
	r->ref = bytes_u32(at->p);
	r->refs = at->p;
	*at = slice_skip(*at, sizeof(uint32_t));
	return true;
}

/* The record of HOST among RECORDS, which FINGERPRINTS tell of: 1; 0 when there is none, -1 when they do not hold together. */
static int
search_bucket(const struct host_table *t, struct slice fingerprints, struct slice records, struct slice host, uint8_t fingerprint,
    struct record *out)
{
	size_t taken = 0;

	for (size_t i = 0; i < fingerprints.len; i++) {
		if ((uint8_t)fingerprints.p[i] != fingerprint)
			continue;
		for (; taken <= i; taken++)
			if (!take_record(t, &records, out))
				return -1;
		if (slice_eq(out->host, host))
			return 1;
	}
	return 0;
}

/* The record of HOST, whose hash is HASH.  One that is damaged is reported and counts as not there; VERIFIED: its sum was looked at
 * before. */
static bool
find(const struct host_table *t, struct slice host, uint64_t hash, bool verified, struct record *out, bool *damaged)
{
	uint64_t b = host_bucket(hash, t->n_buckets);
	struct slice bytes, fingerprints, records;
	int r = -1;

	if (!filter_lets(t, b, hash))
		return false;
	if (bucket_bytes(t, b, &bytes)) {
		if (bytes.len == 0)
			return false;
		if (open_bucket(bytes, &fingerprints, &records))
			r = search_bucket(t, fingerprints, records, host, host_fingerprint(hash), out);
	}
	if (r == 1 && !verified && !sum_holds(t, b, bytes))
		r = -1;
	if (r == -1)
		*damaged = true;
	return r == 1;
}

/* ---- paths ---- */

/* Head and bytes of path I, side by side; empty when they are out of bounds. */
static struct slice
path_entry(const struct record *r, uint32_t i)
{
	uint32_t begin = bytes_u32(r->paths.p + (size_t)i * sizeof(begin));
	uint32_t end = bytes_u32(r->paths.p + ((size_t)i + 1) * sizeof(end));

	if (begin > end || end > r->paths.len || end - begin <= PATH_HEAD)
		return (struct slice){ 0 };
	return slice_make(r->paths.p + begin, end - begin);
}

/* The bytes of path I; empty, as no rule's path is, when they are out of bounds. */
static struct slice
path_at(const struct record *r, uint32_t i)
{
	return slice_skip(path_entry(r, i), PATH_HEAD);
}

static bool
path_holds(struct slice entry)
{
	return sum32(slice_skip(entry, sizeof(uint32_t))) == bytes_u32(entry.p) && (uint8_t)entry.p[PATH_SCOPE_AT] <= SCOPE_BELOW;
}

static uint32_t
path_ref(struct slice entry)
{
	return bytes_u32(entry.p + sizeof(uint32_t));
}

/* The first path of R that is not before PATH. */
static uint32_t
lower_bound(const struct record *r, struct slice path, bool *damaged)
{
	uint32_t low = 0, high = r->n_paths;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		struct slice at = path_at(r, mid);

		if (at.len == 0)
			*damaged = true;
		if (slice_cmp(at, path) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* ---- exactly one value ---- */

uint64_t
host_table_places(const struct host_table *t)
{
	return t->data.len + t->paths.len;
}

uint64_t
host_table_ahead(const struct host_table *t, struct slice host)
{
	uint64_t hash = host_hash(host), b = host_bucket(hash, t->n_buckets);

	__builtin_prefetch(t->filters + b * sizeof(uint64_t));
	__builtin_prefetch(t->index + b * sizeof(uint32_t));
	__builtin_prefetch(t->sums + b * sizeof(uint32_t));
	return hash;
}

uint64_t
host_table_ahead_more(const struct host_table *t, uint64_t hash)
{
	uint32_t begin = index_at(t, host_bucket(hash, t->n_buckets));

	for (size_t i = 0; begin <= t->data.len && i < LINES_AHEAD; i++)
		__builtin_prefetch(t->data.p + begin + i * MEMORY_LINE);
	return begin;
}

/* A rule of the host alone, whose reference is stored at REF; one of a path. */
static struct host_place
host_place(const struct host_table *t, const char *ref)
{
	return (struct host_place){ bytes_u32(ref), (uint64_t)(ref - t->data.p) };
}

static struct host_place
path_place(const struct host_table *t, struct slice entry)
{
	return (struct host_place){ path_ref(entry), t->data.len + (uint64_t)(entry.p - t->paths.p) };
}

/* Those of R for the host alone. */
static size_t
find_refs(const struct host_table *t, const struct record *r, enum host_scope scope, struct host_place *out, size_t max)
{
	size_t n = 0;

	if (r->tag == (unsigned)scope) {
		if (max > 0)
			out[0] = host_place(t, r->refs);
		return 1;
	}
	for (uint32_t i = 0; i < r->n_refs; i++) {
		const char *ref = r->refs + (size_t)i * HOST_REF_LEN;

		if ((uint8_t)ref[0] == scope && n++ < max)
			out[n - 1] = host_place(t, ref + 1);
	}
	return n;
}

static size_t
find_paths(const struct host_table *t, const struct record *r, enum host_scope scope, struct slice path, struct host_place *out,
    size_t max, bool *damaged)
{
	size_t n = 0;

	for (uint32_t i = lower_bound(r, path, damaged); i < r->n_paths; i++) {
		struct slice entry = path_entry(r, i);

		if (entry.len == 0 || !slice_eq(slice_skip(entry, PATH_HEAD), path))
			break;
		if (!path_holds(entry))
			*damaged = true;
		else if ((uint8_t)entry.p[PATH_SCOPE_AT] == scope && n++ < max)
			out[n - 1] = path_place(t, entry);
	}
	return n;
}

size_t
host_table_find(const struct host_table *t, enum host_scope scope, struct slice host, struct slice path, struct host_place *out,
    size_t max, bool *damaged)
{
	struct record r;

	if (!find(t, host, host_hash(host), false, &r, damaged))
		return 0;
	return path.len == 0 ? find_refs(t, &r, scope, out, max) : find_paths(t, &r, scope, path, out, max, damaged);
}

/* ---- matching ---- */

/* A suffix of the request's host. */
struct suffix {
	struct slice	host;
	uint64_t	hash;
	bool		self;
	unsigned	tables;		/* bit I: table I has a record of it */
};

/* A question while it is answered. */
struct search {
	const struct host_table	*const *tables;
	size_t			 n_tables;
	struct slice		 path_query;
	struct host_match	*out;
	size_t			 max, n;
	bool			*damaged;
	struct record		 last;		/* that was found: in LAST_TABLE, of the suffix of this length */
	size_t			 last_table, last_len;
};

static bool
applies(unsigned scope, bool self)
{
	return scope == SCOPE_DOMAIN || (scope == SCOPE_EXACT && self) ||
	    (scope == SCOPE_BELOW && !self);
}

static void
add_match(struct search *s, size_t table, uint32_t ref, unsigned scope, struct slice host, struct slice path)
{
	if (s->n < s->max)
		s->out[s->n] = (struct host_match){ .ref = ref, .layer = (uint16_t)table, .scope = (enum host_scope)scope,
			.host = host, .path = path };
	s->n++;
}

/* All suffixes of HOST. */
static size_t
make_suffixes(struct slice host, enum host_kind kind, struct suffix out[static SUFFIXES_MAX])
{
	size_t n = 0, len = host.len;

	do
		out[n++] = (struct suffix){ .host = host, .hash = host_hash(host), .self = host.len == len };
	while (n < SUFFIXES_MAX && host_parent(&host, kind));
	return n;
}

/* Filters lie anywhere in tables that may fit no cache: all are asked for side by side, so that the memory answers while the next
 * are looked up. */
static void
prefetch(const struct search *s, const struct suffix *suffixes, size_t n)
{
	for (size_t i = 0; i < s->n_tables; i++)
		for (size_t j = 0; s->tables[i] != NULL && j < n; j++)
			__builtin_prefetch(s->tables[i]->filters +
			    host_bucket(suffixes[j].hash, s->tables[i]->n_buckets) * sizeof(uint64_t));
}

/* Keep the suffixes that some table knows, at the front of SUFFIXES: how many. */
static size_t
keep_known(struct search *s, struct suffix *suffixes, size_t n)
{
	struct record record;
	size_t kept = 0;

	for (size_t j = 0; j < n; j++) {
		struct suffix *x = &suffixes[j];

		for (size_t i = 0; i < s->n_tables; i++) {
			if (s->tables[i] == NULL || !find(s->tables[i], x->host, x->hash, false, &record, s->damaged))
				continue;
			x->tables |= 1u << i;
			s->last = record;
			s->last_table = i;
			s->last_len = x->host.len;
		}
		if (x->tables != 0)
			suffixes[kept++] = *x;
	}
	return kept;
}

/* The record of X in table I, which was found before; mostly there is but one. */
static bool
known(const struct search *s, const struct suffix *x, size_t i, struct record *out)
{
	if ((x->tables & 1u << i) == 0)
		return false;
	if (s->last_table != i || s->last_len != x->host.len)
		return find(s->tables[i], x->host, x->hash, true, out, s->damaged);
	*out = s->last;
	return true;
}

/* The rules of R, of table I, for exactly the path PREFIX. */
static void
match_path(struct search *s, const struct suffix *x, size_t table, const struct record *r, struct slice prefix)
{
	for (uint32_t i = lower_bound(r, prefix, s->damaged); i < r->n_paths; i++) {
		struct slice entry = path_entry(r, i);

		if (entry.len == 0 || !slice_eq(slice_skip(entry, PATH_HEAD), prefix))
			break;
		if (!path_holds(entry))
			*s->damaged = true;
		else if (applies((uint8_t)entry.p[PATH_SCOPE_AT], x->self))
			add_match(s, table, path_ref(entry), (uint8_t)entry.p[PATH_SCOPE_AT], x->host, prefix);
	}
}

static void
match_paths(struct search *s, const struct suffix *x)
{
	struct record records[HOST_TABLES_MAX];
	struct slice prefix = s->path_query;
	bool any = false;

	for (size_t i = 0; i < s->n_tables; i++) {
		if (!known(s, x, i, &records[i]))
			records[i].n_paths = 0;
		any = any || records[i].n_paths > 0;
	}
	if (!any || prefix.len == 0)
		return;
	do {
		for (size_t i = 0; i < s->n_tables; i++)
			if (records[i].n_paths > 0)
				match_path(s, x, i, &records[i], prefix);
	} while (path_prefix(&prefix));
}

static void
match_ref(struct search *s, const struct suffix *x, size_t table, bool exact, unsigned scope, uint32_t ref)
{
	if ((scope == SCOPE_EXACT) == exact && applies(scope, x->self))
		add_match(s, table, ref, scope, x->host, (struct slice){ 0 });
}

/* The rules of X for the host alone; EXACT ones when EXACT, else the others. */
static void
match_hosts(struct search *s, const struct suffix *x, bool exact)
{
	struct record r;

	for (size_t i = 0; i < s->n_tables; i++) {
		if (!known(s, x, i, &r))
			continue;
		if (r.tag != HOST_TAG_LONG)
			match_ref(s, x, i, exact, r.tag, r.ref);
		for (uint32_t k = 0; k < r.n_refs; k++)
			match_ref(s, x, i, exact, (uint8_t)r.refs[(size_t)k * HOST_REF_LEN],
			    bytes_u32(r.refs + (size_t)k * HOST_REF_LEN + 1));
	}
}

size_t
host_table_match(const struct host_table *const *tables, size_t n_tables, const struct url *url, struct host_match *out,
    size_t max, bool *damaged)
{
	struct search s = { .tables = tables, .n_tables = n_tables < HOST_TABLES_MAX ? n_tables : HOST_TABLES_MAX,
		.path_query = url->path_query, .out = out, .max = max, .damaged = damaged };
	struct suffix suffixes[SUFFIXES_MAX];
	size_t n = make_suffixes(url->host, url->kind, suffixes);

	prefetch(&s, suffixes, n);
	n = keep_known(&s, suffixes, n);
	for (size_t i = 0; i < n; i++)
		match_paths(&s, &suffixes[i]);
	if (n > 0 && suffixes[0].self)
		match_hosts(&s, &suffixes[0], true);
	for (size_t i = 0; i < n; i++)
		match_hosts(&s, &suffixes[i], false);
	return s.n;
}

/* ---- all of it ---- */

static int
visit_paths(const struct host_table *t, const struct record *r, host_visit *visit, void *arg, bool *damaged)
{
	int result = 0;

	for (uint32_t i = 0; result == 0 && i < r->n_paths; i++) {
		struct slice entry = path_entry(r, i);
		struct host_place at;

		if (entry.len == 0 || !path_holds(entry)) {
			*damaged = true;
			continue;
		}
		at = path_place(t, entry);
		result = visit(arg, (enum host_scope)entry.p[PATH_SCOPE_AT], r->host, slice_skip(entry, PATH_HEAD), &at);
	}
	return result;
}

/* REF is where the reference of a rule for R's host alone is stored. */
static int
visit_ref(const struct host_table *t, const struct record *r, unsigned scope, const char *ref, host_visit *visit, void *arg)
{
	struct host_place at = host_place(t, ref);

	return visit(arg, (enum host_scope)scope, r->host, (struct slice){ 0 }, &at);
}

static int
visit_record(const struct host_table *t, const struct record *r, host_visit *visit, void *arg, bool *damaged)
{
	int result = 0;

	if (r->tag != HOST_TAG_LONG)
		return visit_ref(t, r, r->tag, r->refs, visit, arg);
	for (uint32_t i = 0; result == 0 && i < r->n_refs; i++) {
		const char *ref = r->refs + (size_t)i * HOST_REF_LEN;

		if ((uint8_t)ref[0] > SCOPE_BELOW)
			*damaged = true;
		else
			result = visit_ref(t, r, (uint8_t)ref[0], ref + 1, visit, arg);
	}
	return result != 0 ? result : visit_paths(t, r, visit, arg, damaged);
}

static int
visit_bucket(const struct host_table *t, uint64_t b, host_visit *visit, void *arg, bool *damaged)
{
	struct slice bytes, fingerprints, records;
	struct record r;
	int result = 0;

	if (!bucket_bytes(t, b, &bytes) || (bytes.len > 0 &&
	    (!sum_holds(t, b, bytes) || !open_bucket(bytes, &fingerprints, &records)))) {
		*damaged = true;
		return 0;
	}
	for (size_t i = 0; bytes.len > 0 && result == 0 && i < fingerprints.len; i++) {
		if (!take_record(t, &records, &r)) {
			*damaged = true;
			break;
		}
		result = visit_record(t, &r, visit, arg, damaged);
	}
	return result;
}

int
host_table_each(const struct host_table *t, host_visit *visit, void *arg, bool *damaged)
{
	int result = 0;

	for (uint64_t b = 0; result == 0 && b < t->n_buckets; b++)
		result = visit_bucket(t, b, visit, arg, damaged);
	return result;
}
