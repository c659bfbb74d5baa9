/* rows_format.h - the layout of a rules segment, for the reader and the compiler.
 *
 *	section SOURCES   struct row_source_entry each, in the order of their rows
 *	section HEADS     struct row_head each: what many rows have in common
 *	section BLOCKS    struct row_block each, one for every ROWS_PER_BLOCK rows
 *	section ROWS      the rows of one block after the other
 *	section TEXTS     bytes that sources and heads refer to
 *
 *	row:  | flags: 1 | head: varint | line: varint | label: 1 + n | name: varint, varint, n |    what FLAGS names
 *
 * A row without ROW_HEAD has the head of the row before it, one with ROW_NEXT_LINE the line after that row's; LINE is the
 * zigzag difference to it, and a name the bytes that it shares with the name before it, then the others.  Each block begins
 * anew: line 0, no name, a head.  The rows of a feed that have nothing of their own are one row (compile.h).
 *
 * Varints are LEB128 of at most 32 bits.  Every head and its texts, every source and its name, and every block has a sum: a
 * flipped bit makes rules that are skipped and never ones that say something else. */
#ifndef RULESET_ROWS_FORMAT_H
#define RULESET_ROWS_FORMAT_H

#include "base/sum.h"
#include "ruleset/rows.h"

enum { ROWS_SOURCES = 1, ROWS_HEADS = 2, ROWS_BLOCKS = 3, ROWS_ROWS = 4, ROWS_TEXTS = 5 };
enum { ROWS_PER_BLOCK = 16, ROW_COUNTS_ROOM = 24 };
enum { ROW_HEAD = 1, ROW_NEXT_LINE = 2, ROW_LINE = 4, ROW_LABEL = 8, ROW_NAME = 16, ROW_FLAGS = 31 };
enum { HEAD_LOCAL = 1, HEAD_FILES = 2, HEAD_REMOVED = 4 };
enum { SOURCE_DELTA = 1 };	/* of row_source_entry: other layers have more of the source, and the first row says "there is none" */

struct text_ref {
	uint32_t	at, len;
};

struct row_source_entry {
	uint32_t	sum, first, n, flags;
	struct text_ref	name;
	uint64_t	counts[ROW_COUNTS_ROOM];	/* the first ROW_COUNTS have a meaning, and new ones come behind them */
};

_Static_assert((int)ROW_COUNTS <= (int)ROW_COUNTS_ROOM, "every count has a place");

struct row_head {
	uint32_t	sum, rev;
	uint8_t		action, level, flags, zero[5];
	int64_t		published, expires;
	struct text_ref	alert, container, note;
};

struct row_block {
	uint32_t	at, sum;	/* AT: in ROWS */
};

/* The sum of A struct whose first word is its sum, and of the texts that it refers to. */
static inline uint32_t
row_sum_of(const void *p, size_t len, struct slice a, struct slice b, struct slice c)
{
	uint64_t h = sum_add(0, slice_make((const char *)p + sizeof(uint32_t), len - sizeof(uint32_t)));

	return sum_end(sum_add(sum_add(sum_add(h, a), b), c));
}

#endif
