#include "base/text_rows.h"

#include <stdlib.h>

#include "base/buf.h"

struct text_rows_builder {
	struct text_row	*v;		/* each text in memory of its own */
	size_t		 n, cap;
};

struct text_rows_builder *
text_rows_builder_new(void)
{
	return calloc(1, sizeof(struct text_rows_builder));
}

static void
row_fini(struct text_row *row)
{
	free((char *)(uintptr_t)row->text.p);
}

void
text_rows_builder_free(struct text_rows_builder *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n; i++)
		row_fini(&b->v[i]);
	free(b->v);
	free(b);
}

int
text_rows_builder_add(struct text_rows_builder *b, const struct text_row *row)
{
	struct text_row copy = *row;

	if (b->n == b->cap) {
		size_t cap = b->cap > 0 ? b->cap * 2 : 64;
		struct text_row *v = realloc(b->v, cap * sizeof(*v));

		if (v == NULL)
			return -1;
		b->v = v;
		b->cap = cap;
	}
	if ((copy.text.p = slice_dup(row->text)) == NULL)
		return -1;
	b->v[b->n++] = copy;
	return 0;
}

size_t
text_rows_builder_count(const struct text_rows_builder *b)
{
	return b->n;
}

static int
compare_rows(const void *a, const void *b)
{
	return text_row_cmp(a, b);
}

const struct text_row *
text_rows_builder_sorted(struct text_rows_builder *b, size_t *n)
{
	size_t kept = 0;

	if (b->n > 0)
		qsort(b->v, b->n, sizeof(*b->v), compare_rows);
	for (size_t i = 0; i < b->n; i++)
		if (kept > 0 && text_row_cmp(&b->v[kept - 1], &b->v[i]) == 0)
			row_fini(&b->v[i]);
		else
			b->v[kept++] = b->v[i];
	*n = b->n = kept;
	return b->v;
}

static void
add_record(const struct text_row *row, size_t place, struct buf *records, struct buf *texts)
{
	struct text_record r = { .place = (uint32_t)place, .ref = row->ref, .number = row->number, .at = (uint32_t)texts->len,
		.len = (uint32_t)row->text.len };

	r.sum = text_record_sum(&r, row->text);
	buf_add(records, &r, sizeof(r));
	buf_add_slice(texts, row->text);
}

int
text_rows_builder_write(struct text_rows_builder *b, enum segment_kind kind, const char *path, uint64_t *len,
    uint8_t sha256[static SEGMENT_SHA256], struct diag *diag)
{
	struct text_rows_info info = { .n = 0 };
	const struct text_row *rows;
	struct buf records, texts;
	size_t n;
	int r = -1;

	rows = text_rows_builder_sorted(b, &n);
	info.n = (uint32_t)n;
	buf_init(&records, UINT32_MAX);
	buf_init(&texts, UINT32_MAX);
	for (size_t i = 0; i < n; i++)
		add_record(&rows[i], i, &records, &texts);
	if (records.failed || texts.failed) {
		diag_add(diag, DIAG_ERROR, path, 0, 0, "out of memory");
	} else {
		struct segment_part parts[] = {
			{ TEXT_ROWS_INFO, slice_make((const char *)&info, sizeof(info)) },
			{ TEXT_ROWS_RECORDS, buf_slice(&records) },
			{ TEXT_ROWS_TEXTS, buf_slice(&texts) },
		};

		r = segment_write(path, kind, parts, sizeof(parts) / sizeof(*parts), len, sha256, diag);
	}
	buf_fini(&records);
	buf_fini(&texts);
	return r;
}
