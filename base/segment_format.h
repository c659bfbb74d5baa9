/* segment_format.h - header and entries of a segment, for its reader and its writer; drawn in segment.h. */
#ifndef BASE_SEGMENT_FORMAT_H
#define BASE_SEGMENT_FORMAT_H

#include "base/segment.h"

enum {
	SEGMENT_VERSION = '3',
	SEGMENT_ORDER = 0x01020304,
	SEGMENT_FOREIGN_ORDER = 0x04030201,
	SEGMENT_SECTIONS_MAX = 64,
	SEGMENT_ALIGN = 64,	/* the writer's: what is laid out in lines of memory is in lines */
};

#define SEGMENT_MAGIC	"FBRKSEG"	/* the eighth byte is the version */

struct segment_header {
	char		magic[8];
	uint32_t	order;
	uint32_t	kind;
	uint64_t	length;
	uint32_t	n;
	uint32_t	zero;
	uint32_t	crc;		/* of header (this word as 0) and entries */
	uint32_t	zero2;
};

struct segment_entry {
	uint32_t	id;
	uint32_t	zero;
	uint64_t	offset;
	uint64_t	length;
};

/* CRC-32C of H, its own word as 0, and the ENTRIES that it counts: at most SEGMENT_SECTIONS_MAX. */
uint32_t segment_header_crc(const struct segment_header *h, const struct segment_entry *entries);

#endif
