#include "url_rules/host_table.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/segment_writer.h"
#include "base/sorter.h"
#include "base/sum.h"
#include "url_rules/host_format.h"

enum { PATH_LEN_MAX = 3 * URL_RAW_MAX };
enum { KEY_HASH = 8, KEY_TAIL = 5 };	/* of a sort key: | hash: 8 | host | NUL | path | NUL | scope: 1 | ref: 4 | */
#define DATA_MAX	((uint64_t)UINT32_MAX)

struct host_builder {
	struct sorter	*sorter;
	char		*dir;
	struct buf	 key;
};

struct host_builder *
host_builder_new(size_t memory, const char *dir)
{
	struct host_builder *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	buf_init(&b->key, SORTER_RECORD_MAX);
	b->dir = strdup(dir);
	b->sorter = sorter_new(memory, dir);
	if (b->sorter != NULL && b->dir != NULL)
		return b;
	host_builder_free(b);
	return NULL;
}

void
host_builder_free(struct host_builder *b)
{
	if (b == NULL)
		return;
	sorter_free(b->sorter);
	buf_fini(&b->key);
	free(b->dir);
	free(b);
}

uint64_t
host_builder_count(const struct host_builder *b)
{
	return sorter_count(b->sorter);
}

int
host_builder_add(struct host_builder *b, enum host_scope scope, struct slice host,
    struct slice path, uint32_t ref)
{
	uint8_t hash[KEY_HASH], tail[KEY_TAIL] = { (uint8_t)scope };

	if (host.len == 0 || host.len > HOST_MAX || path.len > PATH_LEN_MAX)
		return errno = ERANGE, -1;
	if (slice_find(host, '\0') < host.len || slice_find(path, '\0') < path.len)
		return errno = EINVAL, -1;
	bytes_put_big(hash, host_hash(host), sizeof(hash));
	bytes_put_big(tail + 1, ref, sizeof(ref));
	buf_reset(&b->key);
	buf_add(&b->key, hash, sizeof(hash));
	buf_add_slice(&b->key, host);
	buf_add_char(&b->key, '\0');
	buf_add_slice(&b->key, path);
	buf_add_char(&b->key, '\0');
	if (buf_add(&b->key, tail, sizeof(tail)) == -1)
		return errno = ENOMEM, -1;
	return sorter_add(b->sorter, buf_slice(&b->key));
}

/* ---- writing ---- */

/* A sort key taken apart. */
struct row {
	uint64_t	 hash;
	struct slice	 host, path;
	uint8_t		 scope;
	uint32_t	 ref;
};

/* The segment while it is written; a host and a bucket are kept until the next one begins. */
struct image {
	const struct host_builder *b;
	struct host_info	 info;
	uint64_t		 n_buckets, bucket;
	struct segment_writer	*writer;
	FILE			*paths;			/* all paths, until their section's turn */
	uint64_t		 paths_len;
	struct buf		 index, sums, filters;
	uint64_t		 filter;		/* of the bucket */
	struct buf		 fingerprints, records;	/* of the bucket */
	struct buf		 host;			/* the host */
	uint64_t		 hash;
	struct buf		 refs;			/* its host rules, HOST_REF_LEN each */
	struct buf		 offsets, entries;	/* its paths */
	struct buf		 last_key;		/* host, path and scope of the last row, and how many have them */
	unsigned		 same_key;
	const char		*fault;
};

static struct row
row_of(struct slice key)
{
	struct row row = { .hash = bytes_get_big(key.p, KEY_HASH) };
	struct slice rest = slice_skip(key, KEY_HASH);

	slice_cut(rest, '\0', &row.host, &rest);
	slice_cut(rest, '\0', &row.path, &rest);
	row.scope = (uint8_t)rest.p[0];
	row.ref = (uint32_t)bytes_get_big(rest.p + 1, sizeof(row.ref));
	return row;
}

static void
add_u32(struct buf *out, uint64_t v)
{
	uint32_t u = (uint32_t)v;

	buf_add(out, &u, sizeof(u));
}

/* A count of one byte, or of WIDE bytes behind HOST_BYTE_MANY. */
static void
add_count(struct buf *out, uint64_t n, size_t wide)
{
	uint8_t bytes[1 + sizeof(uint64_t)] = { n < HOST_BYTE_MANY ? (uint8_t)n : HOST_BYTE_MANY };

	bytes_put(bytes + 1, n, wide);
	buf_add(out, bytes, n < HOST_BYTE_MANY ? 1 : 1 + wide);
}

static void
write_paths(struct image *m, struct slice bytes)
{
	if (bytes.len > 0 && fwrite(bytes.p, 1, bytes.len, m->paths) != bytes.len)
		m->fault = strerror(errno);
	m->paths_len += bytes.len;
}

/* Append the body of a host that has more than one rule, or paths. */
static void
add_long(struct image *m)
{
	uint32_t n_paths = (uint32_t)(m->offsets.len / sizeof(uint32_t));
	uint64_t at = m->paths_len;
	uint32_t first;

	add_u32(&m->records, m->refs.len / HOST_REF_LEN);
	add_u32(&m->records, n_paths);
	buf_add(&m->records, &at, sizeof(at));
	buf_add_slice(&m->records, buf_slice(&m->refs));
	if (n_paths == 0)
		return;
	/* The offsets were counted from the first entry. */
	add_u32(&m->offsets, m->entries.len);
	first = (uint32_t)m->offsets.len;
	for (size_t i = 0; !m->offsets.failed && i < m->offsets.len; i += sizeof(uint32_t)) {
		uint32_t offset = bytes_u32(m->offsets.p + i) + first;

		memcpy(m->offsets.p + i, &offset, sizeof(offset));
	}
	if (m->entries.len + m->offsets.len > UINT32_MAX)
		m->fault = "too many paths on one host";
	if (m->offsets.failed)
		m->fault = "out of memory";
	write_paths(m, buf_slice(&m->offsets));
	write_paths(m, buf_slice(&m->entries));
}

/* Append the record of the host that was collected. */
static void
end_host(struct image *m)
{
	bool is_long = m->refs.len != HOST_REF_LEN || m->offsets.len > 0;
	char tag = HOST_TAG_LONG;

	if (m->host.len == 0)
		return;
	if (!is_long)
		tag = m->refs.p[0];
	m->info.n_hosts++;
	m->filter |= host_filter(m->hash);
	buf_add_char(&m->fingerprints, (char)host_fingerprint(m->hash));
	add_count(&m->records, m->host.len, sizeof(uint16_t));
	buf_add_char(&m->records, tag);
	buf_add_slice(&m->records, buf_slice(&m->host));
	if (is_long)
		add_long(m);
	else
		buf_add(&m->records, m->refs.p + 1, sizeof(uint32_t));
	buf_reset(&m->host);
	buf_reset(&m->refs);
	buf_reset(&m->offsets);
	buf_reset(&m->entries);
}

/* Write the bucket that was collected, and empty ones up to NEXT. */
static void
end_bucket(struct image *m, uint64_t next)
{
	struct buf bytes;

	buf_init(&bytes, SIZE_MAX / 2);
	if (m->fingerprints.len > 0)
		add_count(&bytes, m->fingerprints.len, sizeof(uint32_t));
	buf_add_slice(&bytes, buf_slice(&m->fingerprints));
	buf_add_slice(&bytes, buf_slice(&m->records));
	if (bytes.failed || m->records.failed || m->fingerprints.failed)
		m->fault = "out of memory";
	for (; m->bucket < next; m->bucket++) {
		add_u32(&m->sums, sum32(buf_slice(&bytes)));
		buf_add(&m->filters, &m->filter, sizeof(m->filter));
		m->filter = 0;
		segment_writer_add(m->writer, bytes.p, bytes.len);
		buf_reset(&bytes);
		add_u32(&m->index, segment_writer_section_len(m->writer));
	}
	if (segment_writer_section_len(m->writer) > DATA_MAX)
		m->fault = "the hosts need more than 4 GiB";
	buf_reset(&m->fingerprints);
	buf_reset(&m->records);
	buf_fini(&bytes);
}

static void
add_path(struct image *m, const struct row *row)
{
	uint8_t head[PATH_HEAD] = { 0 };
	size_t at = m->entries.len;
	uint32_t sum;

	memcpy(head + sizeof(sum), &row->ref, sizeof(row->ref));
	head[PATH_SCOPE_AT] = row->scope;
	add_u32(&m->offsets, at);
	buf_add(&m->entries, head, sizeof(head));
	if (buf_add_slice(&m->entries, row->path) == -1 || m->offsets.failed) {
		m->fault = "out of memory";
		return;
	}
	sum = sum32(slice_skip(slice_make(m->entries.p + at, m->entries.len - at), sizeof(sum)));
	memcpy(m->entries.p + at, &sum, sizeof(sum));
}

static void
add_ref(struct image *m, const struct row *row)
{
	uint8_t bytes[HOST_REF_LEN] = { row->scope };

	memcpy(bytes + 1, &row->ref, sizeof(row->ref));
	if (buf_add(&m->refs, bytes, sizeof(bytes)) == -1)
		m->fault = "out of memory";
}

/* Rules are known to be at most HOST_RULES_PER_KEY for one host, path and scope: who asks for them has room. */
static bool
too_many(struct image *m, struct slice key)
{
	struct slice same = slice_head(key, key.len - sizeof(uint32_t));

	if (!slice_eq(same, buf_slice(&m->last_key))) {
		buf_reset(&m->last_key);
		buf_add_slice(&m->last_key, same);
		m->same_key = 0;
	}
	return ++m->same_key > HOST_RULES_PER_KEY;
}

static int
add_row(struct image *m, struct slice key, const char *path, struct diag *diag)
{
	struct row row = row_of(key);
	uint64_t bucket = host_bucket(row.hash, m->n_buckets);

	if (too_many(m, key)) {
		if (m->same_key == HOST_RULES_PER_KEY + 1)
			diag_add(diag, DIAG_WARNING, path, 0, 0, "more than %d rules for \"%.*s\": the others are left out",
			    HOST_RULES_PER_KEY, SLICE_ARGS(row.host));
		return 0;
	}
	if (!slice_eq(row.host, buf_slice(&m->host))) {
		end_host(m);
		if (bucket != m->bucket)
			end_bucket(m, bucket);
		m->hash = row.hash;
		if (buf_add_slice(&m->host, row.host) == -1)
			m->fault = "out of memory";
	}
	m->info.n_rules++;
	if (row.path.len > 0)
		add_path(m, &row);
	else
		add_ref(m, &row);
	return 0;
}

/* Give the writer what was put aside. */
static void
add_paths_section(struct image *m)
{
	char bytes[65536];
	uint64_t read = 0;
	size_t n;

	segment_writer_begin(m->writer, HOSTS_PATHS);
	if (m->fault == NULL && (fflush(m->paths) != 0 || fseek(m->paths, 0, SEEK_SET) != 0))
		m->fault = strerror(errno);
	while (m->fault == NULL && (n = fread(bytes, 1, sizeof(bytes), m->paths)) > 0) {
		segment_writer_add(m->writer, bytes, n);
		read += n;
	}
	/* What the writer met it tells at its end. */
	if (m->fault == NULL && (ferror(m->paths) || read != m->paths_len))
		m->fault = "the paths could not be read again";
}

/* All sections; -1 with FAULT set, or with an error in DIAG. */
static int
fill(struct image *m, struct host_builder *b, const char *path, struct diag *diag)
{
	struct slice key;
	int r = 0;

	segment_writer_begin(m->writer, HOSTS_DATA);
	add_u32(&m->index, 0);
	while (m->fault == NULL && (r = sorter_next(b->sorter, &key)) == 1)
		if (add_row(m, key, path, diag) == -1)
			return -1;
	if (r == -1)
		m->fault = strerror(errno);
	end_host(m);
	end_bucket(m, m->n_buckets);
	add_paths_section(m);
	if (m->index.failed || m->sums.failed || m->filters.failed)
		m->fault = "out of memory";
	segment_writer_begin(m->writer, HOSTS_INDEX);
	segment_writer_add(m->writer, m->index.p, m->index.len);
	segment_writer_begin(m->writer, HOSTS_SUMS);
	segment_writer_add(m->writer, m->sums.p, m->sums.len);
	segment_writer_begin(m->writer, HOSTS_FILTER);
	segment_writer_add(m->writer, m->filters.p, m->filters.len);
	segment_writer_begin(m->writer, HOSTS_INFO);
	segment_writer_add(m->writer, &m->info, sizeof(m->info));
	return m->fault == NULL ? 0 : -1;
}

enum { IMAGE_BUFS = 10 };

static struct buf *const *
image_bufs(struct image *m, struct buf *out[static IMAGE_BUFS])
{
	struct buf *all[IMAGE_BUFS] = { &m->index, &m->sums, &m->filters, &m->fingerprints, &m->records, &m->host, &m->refs, &m->offsets,
		&m->entries, &m->last_key };

	memcpy(out, all, sizeof(all));
	return out;
}

int
host_builder_write(struct host_builder *b, const char *path, uint64_t *len,
    uint8_t sha256[static SEGMENT_SHA256], struct diag *diag)
{
	struct image m = { .b = b, .n_buckets = sorter_count(b->sorter) / HOSTS_PER_BUCKET + 1 };
	struct buf *bufs[IMAGE_BUFS];
	int r = -1;

	image_bufs(&m, bufs);
	for (size_t i = 0; i < sizeof(bufs) / sizeof(*bufs); i++)
		buf_init(bufs[i], SIZE_MAX / 2);
	if ((m.paths = sorter_file(b->dir)) == NULL || sorter_sort(b->sorter) == -1)
		m.fault = strerror(errno);
	else if ((m.writer = segment_writer_new(path, SEGMENT_HOSTS, HOSTS_SECTIONS, diag)) != NULL)
		r = fill(&m, b, path, diag);
	if (m.fault != NULL)
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", m.fault);
	if (r == 0)
		r = segment_writer_finish(m.writer, len, sha256);
	else
		segment_writer_abort(m.writer);
	if (m.paths != NULL)
		fclose(m.paths);
	for (size_t i = 0; i < sizeof(bufs) / sizeof(*bufs); i++)
		buf_fini(bufs[i]);
	return r;
}
