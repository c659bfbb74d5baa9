#include "url_rules/host_table.h"

#include <stdlib.h>

#include "url_rules/host_format.h"

enum { SUFFIXES_MAX = HOST_MAX };	/* even "a..b" has no more than one a byte */

struct host_table {
	struct host_info	 info;
	const char		*slots;
	uint64_t		 n_slots;
	struct slice		 records;
};

/* A record that holds together. */
struct record {
	struct slice	bytes;
	struct slice	host;
	uint32_t	n_refs, n_paths;
	const char	*refs, *paths;
};

static const char *
sections_fault(const struct segment *segment, struct host_table *t)
{
	struct slice info = segment_section(segment, HOSTS_INFO);
	struct slice slots = segment_section(segment, HOSTS_SLOTS);

	if (info.len != sizeof(t->info))
		return "damaged: size of the host table's head";
	memcpy(&t->info, info.p, sizeof(t->info));
	t->n_slots = slots.len / sizeof(uint64_t);
	if (slots.len % sizeof(uint64_t) != 0 || t->n_slots == 0 ||
	    (t->n_slots & (t->n_slots - 1)) != 0)
		return "damaged: number of slots";
	if (t->info.n_hosts > t->n_slots / 2)
		return "damaged: more hosts than slots allow";
	t->slots = slots.p;
	t->records = segment_section(segment, HOSTS_RECORDS);
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

static uint64_t
u64_at(const char *p, uint64_t i)
{
	uint64_t v;

	memcpy(&v, p + i * sizeof(v), sizeof(v));
	return v;
}

/* The record that begins BEGIN bytes into RECORDS, checked; -1 when it does not hold together. */
static int
record_at(const struct host_table *t, uint64_t begin, struct record *out)
{
	struct slice bytes = slice_skip(t->records, begin);
	struct host_record head;
	uint64_t refs, paths;

	if (bytes.len < sizeof(head))
		return -1;
	memcpy(&head, bytes.p, sizeof(head));
	if (head.len > bytes.len)
		return -1;
	bytes.len = head.len;
	refs = sizeof(head) + ((uint64_t)head.host_len + HOSTS_PAD - 1) / HOSTS_PAD * HOSTS_PAD;
	paths = refs + head.n_refs * (uint64_t)sizeof(struct host_ref);
	if (paths + head.n_paths * (uint64_t)sizeof(struct path_index) > bytes.len ||
	    host_sum(t->info.key, slice_head(bytes, paths)) != head.sum)
		return -1;
	*out = (struct record){ .bytes = bytes,
		.host = slice_make(bytes.p + sizeof(head), head.host_len),
		.n_refs = head.n_refs,
		.n_paths = head.n_paths,
		.refs = bytes.p + refs,
		.paths = bytes.p + paths };
	return 0;
}

/* The record of HOST, whose keyed hash is HASH.  One that is damaged is reported and counts as not there. */
static bool
find(const struct host_table *t, struct slice host, uint64_t hash, struct record *out, bool *damaged)
{
	uint64_t mask = t->n_slots - 1;

	for (uint64_t i = 0, at = hash & mask; i < t->n_slots; i++, at = (at + 1) & mask) {
		uint64_t slot = u64_at(t->slots, at);

		if (slot == 0)
			return false;
		if ((uint32_t)(slot >> 32) != host_fingerprint(hash))
			continue;
		if ((uint32_t)slot == 0 ||
		    record_at(t, ((uint32_t)slot - UINT64_C(1)) * HOSTS_UNIT, out) == -1)
			*damaged = true;
		else if (slice_eq(out->host, host))
			return true;
	}
	return false;
}

/* Head and bytes of path I, side by side; empty when they are out of bounds. */
static struct slice
path_entry(const struct record *r, uint32_t i)
{
	struct path_index index;

	memcpy(&index, r->paths + i * sizeof(index), sizeof(index));
	if (index.offset > r->bytes.len ||
	    (uint64_t)index.len + sizeof(struct path_head) > r->bytes.len - index.offset)
		return (struct slice){ 0 };
	return slice_make(r->bytes.p + index.offset, sizeof(struct path_head) + index.len);
}

/* The bytes of path I; empty, as no rule's path is, when they are out of bounds. */
static struct slice
path_at(const struct record *r, uint32_t i)
{
	return slice_skip(path_entry(r, i), sizeof(struct path_head));
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

static bool
applies(uint32_t scope, bool self)
{
	return scope == SCOPE_DOMAIN || (scope == SCOPE_EXACT && self) ||
	    (scope == SCOPE_BELOW && !self);
}

/* Where matches go. */
struct matches {
	struct host_match	*out;
	size_t			 max, n;
};

static void
add_match(struct matches *m, uint32_t ref, uint32_t scope, struct slice host, struct slice path)
{
	if (m->n < m->max)
		m->out[m->n] = (struct host_match){ .ref = ref, .scope = (enum host_scope)scope,
			.host = host, .path = path };
	m->n++;
}

/* A suffix of the request's host; once looked up, one that has a record. */
struct suffix {
	struct slice	host;
	uint64_t	hash;
	bool		self;
	struct record	record;
};

/* All suffixes of HOST.  Their slots lie anywhere in a table that fits no cache: they are asked for side by side, so that one
 * waits while the others are hashed. */
static size_t
make_suffixes(const struct host_table *t, struct slice host, enum host_kind kind, struct suffix out[static SUFFIXES_MAX])
{
	size_t n = 0, len = host.len;

	do {
		out[n].host = host;
		out[n].self = host.len == len;
		out[n].hash = siphash(t->info.key, host);
		__builtin_prefetch(t->slots + (out[n].hash & (t->n_slots - 1)) * sizeof(uint64_t));
		n++;
	} while (n < SUFFIXES_MAX && host_parent(&host, kind));
	return n;
}

/* The rules of S for exactly the path PREFIX. */
static void
match_path(const struct host_table *t, const struct suffix *s, struct slice prefix,
    struct matches *m, bool *damaged)
{
	for (uint32_t i = lower_bound(&s->record, prefix, damaged); i < s->record.n_paths; i++) {
		struct slice entry = path_entry(&s->record, i);
		struct path_head head;

		if (entry.len == 0 || !slice_eq(path_at(&s->record, i), prefix))
			break;
		memcpy(&head, entry.p, sizeof(head));
		if (host_sum(t->info.key, entry) != head.sum)
			*damaged = true;
		else if (applies(head.scope, s->self))
			add_match(m, head.ref, head.scope, s->host, prefix);
	}
}

static void
match_paths(const struct host_table *t, const struct suffix *s, struct slice path_query,
    struct matches *m, bool *damaged)
{
	struct slice prefix = path_query;

	if (s->record.n_paths == 0 || prefix.len == 0)
		return;
	do
		match_path(t, s, prefix, m, damaged);
	while (path_prefix(&prefix));
}

/* The rules of S for the host alone; EXACT ones when EXACT, else the others. */
static void
match_hosts(const struct suffix *s, bool exact, struct matches *m)
{
	for (uint32_t i = 0; i < s->record.n_refs; i++) {
		struct host_ref ref;

		memcpy(&ref, s->record.refs + i * sizeof(ref), sizeof(ref));
		if ((ref.scope == SCOPE_EXACT) == exact && applies(ref.scope, s->self))
			add_match(m, ref.ref, ref.scope, s->host, (struct slice){ 0 });
	}
}

size_t
host_table_match(const struct host_table *t, const struct url *url, struct host_match *out,
    size_t max, bool *damaged)
{
	struct suffix suffixes[SUFFIXES_MAX];
	struct matches m = { .out = out, .max = max };
	size_t all = make_suffixes(t, url->host, url->kind, suffixes), n = 0;

	for (size_t i = 0; i < all; i++) {
		struct suffix *s = &suffixes[i], *to = &suffixes[n];

		if (!find(t, s->host, s->hash, &to->record, damaged))
			continue;
		to->host = s->host;
		to->self = s->self;
		n++;
	}
	for (size_t i = 0; i < n; i++)
		match_paths(t, &suffixes[i], url->path_query, &m, damaged);
	if (n > 0)
		match_hosts(&suffixes[0], true, &m);
	for (size_t i = 0; i < n; i++)
		match_hosts(&suffixes[i], false, &m);
	return m.n;
}
