#include "url_rules/path_patterns.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "url_rules/pattern_format.h"

struct pattern_builder {
	struct pattern_match	*rows;		/* host and pattern side by side in memory of their own */
	size_t			 n, cap;
};

struct pattern_builder *
pattern_builder_new(void)
{
	return calloc(1, sizeof(struct pattern_builder));
}

static void
row_fini(struct pattern_match *row)
{
	free((char *)(uintptr_t)row->host.p);
}

void
pattern_builder_free(struct pattern_builder *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n; i++)
		row_fini(&b->rows[i]);
	free(b->rows);
	free(b);
}

int
pattern_builder_add(struct pattern_builder *b, const struct pattern_match *rule)
{
	struct pattern_match row = *rule;
	char *text;

	if (row.host.len > HOST_MAX || row.pattern.len == 0 || row.pattern.len > PATTERN_MAX || row.scope > SCOPE_BELOW ||
	    (row.host.len == 0 && row.scope != SCOPE_EXACT))
		return errno = ERANGE, -1;
	if (b->n == b->cap) {
		size_t cap = b->cap > 0 ? b->cap * 2 : 64;
		struct pattern_match *rows = realloc(b->rows, cap * sizeof(*rows));

		if (rows == NULL)
			return -1;
		b->rows = rows;
		b->cap = cap;
	}
	if ((text = malloc(row.host.len + row.pattern.len)) == NULL)
		return -1;
	if (row.host.len > 0)
		memcpy(text, row.host.p, row.host.len);
	memcpy(text + row.host.len, row.pattern.p, row.pattern.len);
	row.host.p = text;
	row.pattern.p = text + row.host.len;
	b->rows[b->n++] = row;
	return 0;
}

static int
compare_rows(const void *a, const void *b)
{
	return pattern_cmp(a, b);
}

/* Sort, and drop repetitions. */
static void
sort_rows(struct pattern_builder *b)
{
	size_t n = 0;

	if (b->n > 0)
		qsort(b->rows, b->n, sizeof(*b->rows), compare_rows);
	for (size_t i = 0; i < b->n; i++)
		if (n > 0 && pattern_cmp(&b->rows[n - 1], &b->rows[i]) == 0)
			row_fini(&b->rows[i]);
		else
			b->rows[n++] = b->rows[i];
	b->n = n;
}

static int
check_row(const struct pattern_match *row, const char *path, struct diag *diag)
{
	char canonical[PATTERN_MAX], why[PATTERN_WHY] = "is not canonical";
	size_t len = 0, at = 0;

	if (pattern_canonical(row->pattern, row->host.len == 0, canonical, &len, why, &at) == 0 &&
	    slice_eq(row->pattern, slice_make(canonical, len)))
		return 0;
	diag_add(diag, DIAG_ERROR, path, 0, 0, "pattern \"%.*s\": %s", SLICE_ARGS(row->pattern), why);
	return -1;
}

static int
check_rows(const struct pattern_builder *b, const char *path, struct diag *diag)
{
	size_t regexes = 0;
	int r = 0;

	for (size_t i = 0; i < b->n; i++)
		regexes += pattern_is_regex(b->rows[i].pattern);
	if (b->n > PATTERNS_MAX) {
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%zu path patterns; at most %d are possible", b->n, PATTERNS_MAX);
		return -1;
	}
	if (regexes > PATTERN_REGEXES_MAX) {
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%zu path patterns are regular expressions; at most %d are possible", regexes,
		    PATTERN_REGEXES_MAX);
		return -1;
	}
	for (size_t i = 0; i < b->n; i++)
		if (check_row(&b->rows[i], path, diag) == -1)
			r = -1;
	return r;
}

static void
add_record(const struct pattern_match *row, size_t number, struct buf *index, struct buf *records)
{
	struct pattern_record head = { .number = (uint32_t)number, .ref = row->ref, .scope = (uint16_t)row->scope,
		.host_len = (uint16_t)row->host.len };
	struct pattern_index place = { (uint32_t)records->len, (uint32_t)(sizeof(head) + row->host.len + row->pattern.len) };

	buf_add(index, &place, sizeof(place));
	buf_add(records, &head, sizeof(head));
	buf_add_slice(records, row->host);
	buf_add_slice(records, row->pattern);
}

/* The key follows from the content: the same rules give the same file. */
static int
put_sums(struct patterns_info *info, const struct buf *index, struct buf *records)
{
	uint8_t content[EVP_MAX_MD_SIZE];

	if (index->failed || records->failed ||
	    EVP_Digest(records->p, records->len, content, NULL, EVP_sha256(), NULL) != 1)
		return -1;
	memcpy(info->key, content, sizeof(info->key));
	for (size_t i = 0; i < info->n; i++) {
		struct pattern_index place;
		uint32_t sum;

		memcpy(&place, index->p + i * sizeof(place), sizeof(place));
		sum = pattern_sum(info->key, slice_make(records->p + place.offset, place.len));
		memcpy(records->p + place.offset, &sum, sizeof(sum));
	}
	return 0;
}

size_t
pattern_builder_count(const struct pattern_builder *b)
{
	return b->n;
}

int
pattern_builder_write(struct pattern_builder *b, const char *path, uint64_t *len,
    uint8_t sha256[static SEGMENT_SHA256], struct diag *diag)
{
	struct patterns_info info = { .n = 0 };
	struct buf index, records;
	int r = -1;

	sort_rows(b);
	if (check_rows(b, path, diag) == -1)
		return -1;
	info.n = (uint32_t)b->n;
	buf_init(&index, UINT32_MAX);
	buf_init(&records, UINT32_MAX);
	for (size_t i = 0; i < b->n; i++)
		add_record(&b->rows[i], i, &index, &records);
	if (put_sums(&info, &index, &records) == -1) {
		diag_add(diag, DIAG_ERROR, path, 0, 0, "out of memory");
	} else {
		struct segment_part parts[] = {
			{ PATTERNS_INFO, slice_make((const char *)&info, sizeof(info)) },
			{ PATTERNS_INDEX, buf_slice(&index) },
			{ PATTERNS_RECORDS, buf_slice(&records) },
		};

		r = segment_write(path, SEGMENT_PATTERNS, parts, sizeof(parts) / sizeof(*parts), len, sha256, diag);
	}
	buf_fini(&index);
	buf_fini(&records);
	return r;
}
