#include "url_rules/host_table.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "url_rules/host_format.h"

enum { PATH_LEN_MAX = 3 * URL_RAW_MAX, MIN_SLOTS = 8 };

struct row {
	char		*text;		/* host, then path */
	size_t		 host_len, path_len;
	enum host_scope	 scope;
	uint32_t	 ref;
};

struct host_builder {
	struct row	*rows;
	size_t		 n, cap;
};

struct host_builder *
host_builder_new(void)
{
	return calloc(1, sizeof(struct host_builder));
}

void
host_builder_free(struct host_builder *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n; i++)
		free(b->rows[i].text);
	free(b->rows);
	free(b);
}

int
host_builder_add(struct host_builder *b, enum host_scope scope, struct slice host,
    struct slice path, uint32_t ref)
{
	struct row row = { .host_len = host.len, .path_len = path.len, .scope = scope, .ref = ref };

	if (host.len == 0 || host.len > HOST_MAX || path.len > PATH_LEN_MAX)
		return errno = ERANGE, -1;
	if (b->n == b->cap) {
		size_t cap = b->cap > 0 ? b->cap * 2 : 64;
		struct row *rows = realloc(b->rows, cap * sizeof(*rows));

		if (rows == NULL)
			return -1;
		b->rows = rows;
		b->cap = cap;
	}
	if ((row.text = malloc(host.len + path.len)) == NULL)
		return -1;
	memcpy(row.text, host.p, host.len);
	if (path.len > 0)
		memcpy(row.text + host.len, path.p, path.len);
	b->rows[b->n++] = row;
	return 0;
}

static struct slice
row_host(const struct row *r)
{
	return slice_make(r->text, r->host_len);
}

static struct slice
row_path(const struct row *r)
{
	return slice_make(r->text + r->host_len, r->path_len);
}

/* By host, then path (host rules, which have none, first), scope and reference. */
static int
compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int c = slice_cmp(row_host(x), row_host(y));

	if (c == 0)
		c = slice_cmp(row_path(x), row_path(y));
	if (c == 0)
		c = (int)x->scope - (int)y->scope;
	if (c == 0)
		c = x->ref < y->ref ? -1 : x->ref > y->ref;
	return c;
}

static bool
same_key(const struct row *a, const struct row *b)
{
	return a->scope == b->scope && slice_eq(row_host(a), row_host(b)) &&
	    slice_eq(row_path(a), row_path(b));
}

/* Drop repetitions; -1 with ENOSPC in DIAG when one key has too many rules. */
static int
sort_rows(struct host_builder *b, const char *path, struct diag *diag)
{
	size_t n = 0, run = 0;

	if (b->n > 0)
		qsort(b->rows, b->n, sizeof(*b->rows), compare_rows);
	for (size_t i = 0; i < b->n; i++) {
		if (n > 0 && compare_rows(&b->rows[n - 1], &b->rows[i]) == 0) {
			free(b->rows[i].text);
			continue;
		}
		run = n > 0 && same_key(&b->rows[n - 1], &b->rows[i]) ? run + 1 : 1;
		b->rows[n++] = b->rows[i];
		if (run > HOST_RULES_PER_KEY) {
			memmove(&b->rows[n], &b->rows[i + 1], (b->n - i - 1) * sizeof(*b->rows));
			b->n = n + b->n - i - 1;
			diag_add(diag, DIAG_ERROR, path, 0, 0, "more than %d rules for \"%.*s\"",
			    HOST_RULES_PER_KEY, SLICE_ARGS(row_host(&b->rows[n - 1])));
			return -1;
		}
	}
	b->n = n;
	return 0;
}

/* The key follows from the content: the same rules give the same file, and nobody knows it
 * beforehand. */
static int
make_key(const struct host_builder *b, uint8_t key[static SIPHASH_KEY])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sum[EVP_MAX_MD_SIZE];
	bool good = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

	for (size_t i = 0; good && i < b->n; i++) {
		const struct row *r = &b->rows[i];
		uint64_t numbers[] = { r->host_len, r->path_len, r->scope, r->ref };

		good = EVP_DigestUpdate(ctx, numbers, sizeof(numbers)) == 1 &&
		    EVP_DigestUpdate(ctx, r->text, r->host_len + r->path_len) == 1;
	}
	good = good && EVP_DigestFinal_ex(ctx, sum, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	if (good)
		memcpy(key, sum, SIPHASH_KEY);
	return good ? 0 : -1;
}

/* Put the sum of what stands in OUT from AT to END at AT. */
static void
put_sum(const uint8_t *key, struct buf *out, size_t at, size_t end)
{
	uint32_t sum;

	if (out->failed)
		return;
	sum = host_sum(key, slice_make(out->p + at, end - at));
	memcpy(out->p + at, &sum, sizeof(sum));
}

/* The head of the record of the N rows of one host; -1 when there is too much for it. */
static int
make_head(const struct row *rows, size_t n, struct host_record *head)
{
	uint64_t len = sizeof(*head) + (rows->host_len + HOSTS_PAD - 1) / HOSTS_PAD * HOSTS_PAD;

	*head = (struct host_record){ .host_len = (uint32_t)rows->host_len };
	for (size_t i = 0; i < n; i++)
		if (rows[i].path_len == 0) {
			head->n_refs++;
			len += sizeof(struct host_ref);
		} else {
			head->n_paths++;
			len +=
			    sizeof(struct path_index) + sizeof(struct path_head) + rows[i].path_len;
		}
	head->len = (uint32_t)len;
	return len > UINT32_MAX ? -1 : 0;
}

/* Append the index of the paths among the N rows, and the paths; both begin in the record at BEGIN.
 * */
static void
add_paths(const uint8_t *key, const struct row *rows, size_t n, size_t n_paths, size_t begin,
    struct buf *out)
{
	size_t at = out->len - begin + n_paths * sizeof(struct path_index);

	for (size_t i = n - n_paths; i < n; i++) {
		struct path_index index = { (uint32_t)at, (uint32_t)rows[i].path_len };

		buf_add(out, &index, sizeof(index));
		at += sizeof(struct path_head) + rows[i].path_len;
	}
	for (size_t i = n - n_paths; i < n; i++) {
		struct path_head head = { .ref = rows[i].ref, .scope = (uint32_t)rows[i].scope };

		at = out->len;
		buf_add(out, &head, sizeof(head));
		buf_add_slice(out, row_path(&rows[i]));
		put_sum(key, out, at, out->len);
	}
}

/* Append the record of the N rows of one host: those without a path come first. */
static int
add_record(const uint8_t *key, const struct row *rows, size_t n, struct buf *out)
{
	static const char zeros[HOSTS_UNIT];
	struct host_record head;
	size_t begin = out->len;

	if (make_head(rows, n, &head) == -1)
		return -1;
	buf_add(out, &head, sizeof(head));
	buf_add_slice(out, row_host(rows));
	buf_add(out, zeros, (HOSTS_PAD - rows->host_len % HOSTS_PAD) % HOSTS_PAD);
	for (size_t i = 0; i < head.n_refs; i++) {
		struct host_ref ref = { rows[i].ref, (uint32_t)rows[i].scope };

		buf_add(out, &ref, sizeof(ref));
	}
	put_sum(key, out, begin, out->len);
	add_paths(key, rows, n, head.n_paths, begin, out);
	buf_add(out, zeros, (HOSTS_UNIT - out->len % HOSTS_UNIT) % HOSTS_UNIT);
	return out->failed ? -1 : 0;
}

/* How many of the N rows from ROWS are of the first one's host. */
static size_t
rows_of_host(const struct row *rows, size_t n)
{
	size_t same = 1;

	while (same < n && slice_eq(row_host(rows), row_host(&rows[same])))
		same++;
	return same;
}

static uint64_t
count_hosts(const struct host_builder *b)
{
	uint64_t hosts = 0;

	for (size_t i = 0; i < b->n; i += rows_of_host(&b->rows[i], b->n - i))
		hosts++;
	return hosts;
}

/* Write all records, and where each begins into the N slots of TABLE. */
static const char *
fill(const struct host_builder *b, const struct host_info *info, uint64_t *table, uint64_t n,
    struct buf *records)
{
	size_t run;

	for (size_t i = 0; i < b->n; i += run) {
		uint64_t hash = siphash(info->key, row_host(&b->rows[i])), at;
		uint64_t unit = records->len / HOSTS_UNIT + 1;

		if (unit > UINT32_MAX)
			return "the host rules need more than 32 GiB";
		for (at = hash & (n - 1); table[at] != 0; at = (at + 1) & (n - 1))
			;
		table[at] = (uint64_t)host_fingerprint(hash) << 32 | unit;
		run = rows_of_host(&b->rows[i], b->n - i);
		if (add_record(info->key, &b->rows[i], run, records) == -1)
			return records->failed ? "out of memory" : "too many paths on one host";
	}
	return NULL;
}

int
host_builder_write(struct host_builder *b, const char *path, uint64_t *len,
    uint8_t sha256[static SEGMENT_SHA256], struct diag *diag)
{
	struct host_info info = { 0 };
	uint64_t n = MIN_SLOTS, *table = NULL;
	const char *fault = "out of memory";
	struct buf records;
	int r = -1;

	if (sort_rows(b, path, diag) == -1)
		return -1;
	buf_init(&records, SIZE_MAX / 2);
	info.n_rules = b->n;
	info.n_hosts = count_hosts(b);
	while (n < 2 * info.n_hosts)
		n *= 2;
	if (make_key(b, info.key) == 0 && (table = calloc(n, sizeof(*table))) != NULL)
		fault = fill(b, &info, table, n, &records);
	if (fault != NULL)
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", fault);
	else {
		struct segment_part parts[] = {
			{ HOSTS_INFO, slice_make((const char *)&info, sizeof(info)) },
			{ HOSTS_SLOTS, slice_make((const char *)table, n * sizeof(*table)) },
			{ HOSTS_RECORDS, buf_slice(&records) },
		};

		r = segment_write(
		    path, SEGMENT_HOSTS, parts, sizeof(parts) / sizeof(*parts), len, sha256, diag);
	}
	free(table);
	buf_fini(&records);
	return r;
}
