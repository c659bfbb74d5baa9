#include "url_rules/name_table.h"

#include <stdlib.h>

#include "base/buf.h"
#include "url_rules/name_format.h"

struct name_builder {
	struct name_match	*rows;		/* the pattern in memory of its own */
	size_t			 n, cap;
};

struct name_builder *
name_builder_new(void)
{
	return calloc(1, sizeof(struct name_builder));
}

static void
row_fini(struct name_match *row)
{
	free((char *)(uintptr_t)row->pattern.p);
}

void
name_builder_free(struct name_builder *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n; i++)
		row_fini(&b->rows[i]);
	free(b->rows);
	free(b);
}

int
name_builder_add(struct name_builder *b, const struct name_match *rule)
{
	struct name_match row = *rule;

	if (b->n == b->cap) {
		size_t cap = b->cap > 0 ? b->cap * 2 : 64;
		struct name_match *rows = realloc(b->rows, cap * sizeof(*rows));

		if (rows == NULL)
			return -1;
		b->rows = rows;
		b->cap = cap;
	}
	if ((row.pattern.p = slice_dup(rule->pattern)) == NULL)
		return -1;
	b->rows[b->n++] = row;
	return 0;
}

size_t
name_builder_count(const struct name_builder *b)
{
	return b->n;
}

static int
compare_rows(const void *a, const void *b)
{
	return name_cmp(a, b);
}

/* Sort, and drop repetitions. */
static void
sort_rows(struct name_builder *b)
{
	size_t n = 0;

	if (b->n > 0)
		qsort(b->rows, b->n, sizeof(*b->rows), compare_rows);
	for (size_t i = 0; i < b->n; i++)
		if (n > 0 && name_cmp(&b->rows[n - 1], &b->rows[i]) == 0)
			row_fini(&b->rows[i]);
		else
			b->rows[n++] = b->rows[i];
	b->n = n;
}

static int
check_row(const struct name_match *row, const char *path, struct diag *diag)
{
	char canonical[NAME_PATTERN_MAX], why[NAME_PATTERN_WHY] = "is not canonical";
	struct name_pattern p;
	size_t len, at;

	if (name_pattern_parse(row->pattern, &p, why, &at) == 0 && name_pattern_format(&p, canonical, &len) == 0 &&
	    slice_eq(row->pattern, slice_make(canonical, len)))
		return 0;
	diag_add(diag, DIAG_ERROR, path, 0, 0, "file name \"%.*s\": %s", SLICE_ARGS(row->pattern), why);
	return -1;
}

static int
check_rows(const struct name_builder *b, const char *path, struct diag *diag)
{
	int r = 0;

	if (b->n > NAMES_MAX) {
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%zu file rules go by a name; at most %d are possible", b->n, NAMES_MAX);
		return -1;
	}
	for (size_t i = 0; i < b->n; i++)
		if (check_row(&b->rows[i], path, diag) == -1)
			r = -1;
	return r;
}

static void
add_record(const struct name_match *row, size_t number, struct buf *records, struct buf *texts)
{
	struct name_record r = { .number = (uint32_t)number, .ref = row->ref, .size = row->size, .at = (uint32_t)texts->len,
		.len = (uint32_t)row->pattern.len };

	r.sum = name_sum(&r, row->pattern);
	buf_add(records, &r, sizeof(r));
	buf_add_slice(texts, row->pattern);
}

int
name_builder_write(struct name_builder *b, const char *path, uint64_t *len, uint8_t sha256[static SEGMENT_SHA256],
    struct diag *diag)
{
	struct names_info info = { .n = 0 };
	struct buf records, texts;
	int r = -1;

	sort_rows(b);
	if (check_rows(b, path, diag) == -1)
		return -1;
	info.n = (uint32_t)b->n;
	buf_init(&records, UINT32_MAX);
	buf_init(&texts, UINT32_MAX);
	for (size_t i = 0; i < b->n; i++)
		add_record(&b->rows[i], i, &records, &texts);
	if (records.failed || texts.failed) {
		diag_add(diag, DIAG_ERROR, path, 0, 0, "out of memory");
	} else {
		struct segment_part parts[] = {
			{ NAMES_INFO, slice_make((const char *)&info, sizeof(info)) },
			{ NAMES_RECORDS, buf_slice(&records) },
			{ NAMES_TEXTS, buf_slice(&texts) },
		};

		r = segment_write(path, SEGMENT_NAMES, parts, sizeof(parts) / sizeof(*parts), len, sha256, diag);
	}
	buf_fini(&records);
	buf_fini(&texts);
	return r;
}
