/* page_ops.h - a template as a generation has it: what to do, one thing after the other.
 *
 *	| op | arg | 0 0 | u32 len | TEXT: len bytes
 *	                            FILL, WORD: nothing, len is 0
 *	                            IF, UNLESS: len is how many bytes to pass over when the condition ARG does not hold (holds)
 *
 * Numbers are in the writer's byte order, as in all segments.  Whoever reads it believes nothing: page_ops_ok(). */
#ifndef TEMPLATES_PAGE_OPS_H
#define TEMPLATES_PAGE_OPS_H

#include "base/buf.h"

enum { PAGE_SECTIONS_DEEP = 16 };	/* sections within sections */

enum page_op { OP_TEXT = 1, OP_FILL, OP_WORD, OP_IF, OP_UNLESS };

struct page_op_head {
	uint8_t		op, arg, zero[2];
	uint32_t	len;
};

/* What a template may have filled in.  The names are those of page_fill_name(). */
enum page_fill { FILL_INCIDENT, FILL_REASON, FILL_ADVICE, FILL_CONTACT, FILL_CONTINUE_FORM, FILL_LANG, FILL_TITLE, FILL_HEADING,
	FILL_HOST, FILL_FILE, FILL_RULE, FILL_REVISION, FILL_ALERT, FILL_TIME, FILL_ORGANISATION, FILL_REASON_WORD,
	FILL_MISTAKE_LINK, FILL_LOGO, PAGE_FILLS };

/* What a section may depend on. */
enum page_condition { IF_HOST, IF_FILE, IF_RULE, IF_ALERT, IF_ORGANISATION, IF_MISTAKE_LINK, IF_LOGO, IF_IS_SITE, IF_IS_FILE,
	IF_IS_UNCHECKED, IF_IS_LOOKALIKE, IF_IS_UPLOAD, PAGE_CONDITIONS };

/* "incident", "is_site". */
const char *page_fill_name(enum page_fill fill);
const char *page_condition_name(enum page_condition condition);

/* Append one; an IF's length is set by page_op_close(), with where page_op_open() said that it is. */
int page_op_add(struct buf *out, enum page_op op, unsigned arg, struct slice text);
size_t page_op_open(struct buf *out, enum page_op op, unsigned arg);
void page_op_close(struct buf *out, size_t at);

/* OPS hold together: no step leads out of them, and each names something that there is.  Linear. */
bool page_ops_ok(struct slice ops);

/* Take the next of OPS, which page_ops_ok(); false at the end.  TEXT is that of OP_TEXT; of a condition what depends on it. */
bool page_ops_next(struct slice *ops, struct page_op_head *head, struct slice *text);

#endif
