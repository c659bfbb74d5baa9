/* pattern_format.h - the layout of a pattern segment, for the reader and the compiler.
 *
 *	section INFO     one struct patterns_info
 *	section INDEX    one struct pattern_index a pattern, in their order (path_patterns.h)
 *	section RECORDS  packed: | sum | number | ref | scope | host_len | host | pattern |
 *	                               \________________ summed _________________/
 *
 * NUMBER is the record's place in the index, so that a damaged index cannot name one twice.  The reader believes none of
 * it: a record is taken when its sum holds. */
#ifndef URL_RULES_PATTERN_FORMAT_H
#define URL_RULES_PATTERN_FORMAT_H

#include "base/siphash.h"

enum { PATTERNS_INFO = 1, PATTERNS_INDEX = 2, PATTERNS_RECORDS = 3 };

struct patterns_info {
	uint8_t		key[SIPHASH_KEY];	/* follows from the content */
	uint32_t	n;
	uint32_t	zero;
};

struct pattern_index {
	uint32_t	offset;		/* of the record in RECORDS */
	uint32_t	len;		/* of all of it */
};

struct pattern_record {
	uint32_t	sum;
	uint32_t	number;
	uint32_t	ref;
	uint16_t	scope;
	uint16_t	host_len;
};

/* The sum over RECORD, which begins with the place of the sum itself. */
static inline uint32_t
pattern_sum(const uint8_t key[static SIPHASH_KEY], struct slice record)
{
	return (uint32_t)siphash(key, slice_skip(record, sizeof(uint32_t)));
}

#endif
