#include "base/text_rows.h"

#include <stdlib.h>

#include "base/sum.h"

int
text_row_cmp(const struct text_row *a, const struct text_row *b)
{
	int c;

	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	if ((c = slice_cmp(a->text, b->text)) != 0)
		return c;
	return a->ref < b->ref ? -1 : a->ref > b->ref;
}

uint32_t
text_record_sum(const struct text_record *r, struct slice text)
{
	return sum_end(sum_add(sum_add(0, slice_make((const char *)r + sizeof(r->sum), sizeof(*r) - sizeof(r->sum))), text));
}

/* Record I of RECORDS as a row; false when it does not hold together. */
static bool
read_row(const struct text_rows *rows, uint32_t i, struct slice records, struct slice texts, struct text_row *out)
{
	struct text_record r;
	struct slice text;

	memcpy(&r, records.p + i * sizeof(r), sizeof(r));
	text = slice_head(slice_skip(texts, r.at), r.len);
	*out = (struct text_row){ .number = r.number, .text = text, .ref = r.ref };
	return text.len == r.len && r.place == i && r.sum == text_record_sum(&r, text) &&
	    (rows->n == 0 || text_row_cmp(&rows->v[rows->n - 1], out) < 0);
}

const char *
text_rows_read(struct text_rows *out, const struct segment *segment, size_t max)
{
	struct slice head = segment_section(segment, TEXT_ROWS_INFO), records = segment_section(segment, TEXT_ROWS_RECORDS);
	struct slice texts = segment_section(segment, TEXT_ROWS_TEXTS);
	struct text_rows_info info;

	*out = (struct text_rows){ .n = 0 };
	if (head.len != sizeof(info))
		return "damaged: size of the table's head";
	memcpy(&info, head.p, sizeof(info));
	if (info.n > max || records.len != info.n * sizeof(struct text_record))
		return "damaged: number of rows";
	out->store = malloc(texts.len + 1);
	out->v = calloc(info.n + 1, sizeof(*out->v));
	if (out->store == NULL || out->v == NULL)
		return "out of memory";
	if (texts.len > 0)
		memcpy(out->store, texts.p, texts.len);
	for (uint32_t i = 0; i < info.n; i++)
		if (read_row(out, i, records, slice_make(out->store, texts.len), &out->v[out->n]))
			out->n++;
		else
			out->lost++;
	return NULL;
}

void
text_rows_fini(struct text_rows *rows)
{
	free(rows->store);
	free(rows->v);
	*rows = (struct text_rows){ .n = 0 };
}
