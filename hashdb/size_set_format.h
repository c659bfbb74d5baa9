/* size_set_format.h - the numbers that reader and writer of a size set share; drawn in size_set.h. */
#ifndef HASHDB_SIZE_SET_FORMAT_H
#define HASHDB_SIZE_SET_FORMAT_H

#include <stdint.h>

enum { SIZE_PAGE_BITS = 16, SIZE_PAGE_BYTES = 1 << 13, SIZE_LIST_MAX = SIZE_PAGE_BYTES / 2 };

struct size_page {
	uint32_t	page, n;
	uint64_t	at;
};

#endif
