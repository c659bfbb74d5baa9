/* text_rows.h - a segment of few texts, each with a number and a reference: sorted, summed, and read whole.
 *
 *	section INFO     one struct text_rows_info
 *	section RECORDS  one struct text_record a row, in the order of text_row_cmp()
 *	section TEXTS    the bytes that they refer to
 *
 * For tables that every request may pay for, and that are small for that reason: whoever reads one keeps nothing of the segment,
 * and believes no row whose sum does not hold. */
#ifndef BASE_TEXT_ROWS_H
#define BASE_TEXT_ROWS_H

#include "base/diag.h"
#include "base/segment.h"

struct text_row {
	uint64_t	 number;	/* what it means is its owner's business */
	struct slice	 text;
	uint32_t	 ref;
};

/* By number, then text, then reference: only the same row is equal. */
int text_row_cmp(const struct text_row *a, const struct text_row *b);

/* ---- the reader ---- */

struct text_rows {
	char		*store;		/* what the texts point into */
	struct text_row	*v;
	size_t		 n, lost;	/* rows that hold together, in order, and rows that do not */
};

/* Read SEGMENT, which may be closed afterwards, into OUT.  NULL, or what is wrong with it as a whole, as with more than MAX rows.
 * text_rows_fini() is due in either case. */
const char *text_rows_read(struct text_rows *out, const struct segment *segment, size_t max);
void text_rows_fini(struct text_rows *rows);

/* ---- the compiler ---- */

struct text_rows_builder;

/* An empty builder; NULL without memory.  The caller's: text_rows_builder_free(), for which NULL is fine. */
struct text_rows_builder *text_rows_builder_new(void);
void text_rows_builder_free(struct text_rows_builder *b);

/* Add ROW, whose text is copied.  -1 without memory. */
int text_rows_builder_add(struct text_rows_builder *b, const struct text_row *row);

/* Rows added. */
size_t text_rows_builder_count(const struct text_rows_builder *b);

/* The rows in order, each once, *N of them: until the next row is added. */
const struct text_row *text_rows_builder_sorted(struct text_rows_builder *b, size_t *n);

/* Write the segment, of KIND, to PATH.  The result depends on what was added, not on the order.  -1 with an error in DIAG. */
int text_rows_builder_write(struct text_rows_builder *b, enum segment_kind kind, const char *path, uint64_t *len,
    uint8_t sha256[static SEGMENT_SHA256], struct diag *diag);

/* ---- the layout ---- */

enum { TEXT_ROWS_INFO = 1, TEXT_ROWS_RECORDS = 2, TEXT_ROWS_TEXTS = 3 };

struct text_rows_info {
	uint32_t	n, zero;
};

struct text_record {
	uint32_t	sum, place;	/* PLACE: among the records, so that none can stand twice */
	uint32_t	ref, zero;
	uint64_t	number;
	uint32_t	at, len;	/* of the text in TEXTS */
};

/* The sum over R, behind the place of the sum itself, and its TEXT. */
uint32_t text_record_sum(const struct text_record *r, struct slice text);

#endif
