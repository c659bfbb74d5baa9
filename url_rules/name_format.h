/* name_format.h - the layout of a segment of file names, for the reader and the compiler.
 *
 *	section INFO     one struct names_info
 *	section RECORDS  one struct name_record a rule, in the order of name_cmp() (name_table.h)
 *	section TEXTS    the canonical patterns that they refer to
 *
 * The sum is over the record behind it and its text.  The reader believes none of it. */
#ifndef URL_RULES_NAME_FORMAT_H
#define URL_RULES_NAME_FORMAT_H

#include "base/sum.h"

enum { NAMES_INFO = 1, NAMES_RECORDS = 2, NAMES_TEXTS = 3 };

struct names_info {
	uint32_t	n, zero;
};

struct name_record {
	uint32_t	sum, number;	/* NUMBER is the record's place, so that none can stand twice */
	uint32_t	ref, zero;
	uint64_t	size;
	uint32_t	at, len;	/* of the pattern in TEXTS */
};

static inline uint32_t
name_sum(const struct name_record *r, struct slice text)
{
	return sum_end(sum_add(sum_add(0, slice_make((const char *)r + sizeof(r->sum), sizeof(*r) - sizeof(r->sum))), text));
}

#endif
