/* host_format.h - the layout of a host segment, for the reader and the compiler.
 *
 *	section INFO     one struct host_info
 *	section SLOTS    u64 each: high half fingerprint, low half where the record begins in
 *	                 RECORDS, in units of 8 bytes, plus 1; 0 = empty.  A power of two of
 *	                 them, at most half full; the search goes on to the next slot
 *	section RECORDS  the records in the order of their hosts, each at a multiple of 8:
 *
 *	+-----+-----+----------+--------+---------+------+-----------+-------------+-------+
 *	|     |     |          |        |         | host | n_refs x  | n_paths x   |       |
 *	| sum | len | host_len | n_refs | n_paths | (pad)| host_ref  | path_index  | paths |
 *	+-----+-----+----------+--------+---------+------+-----------+-------------+-------+
 *	       \___________________ summed ______________________/    by path       |
 *	                                                                            v
 *	                                  packed: | sum | ref | scope | path bytes |
 *	                                                 \______ summed _________/
 *
 * The reader believes none of it: every offset and length is checked against the record's own
 * bounds, and what a rule consists of (host, scope, reference, path) against its sum, so that a
 * flipped bit loses a rule and cannot make one.  The index of the paths has no sum of its own: a
 * wrong entry finds a path that does not hold, or none. */
#ifndef URL_RULES_HOST_FORMAT_H
#define URL_RULES_HOST_FORMAT_H

#include <stdint.h>

#include "base/siphash.h"

enum { HOSTS_INFO = 1, HOSTS_SLOTS = 2, HOSTS_RECORDS = 3 };
enum { HOSTS_UNIT = 8, HOSTS_PAD = 4 };

struct host_info {
	uint8_t		key[SIPHASH_KEY];
	uint64_t	n_hosts;
	uint64_t	n_rules;
};

struct host_record {
	uint32_t	sum;
	uint32_t	len;		/* of the whole record, without the padding to HOSTS_UNIT */
	uint32_t	host_len;
	uint32_t	n_refs;
	uint32_t	n_paths;
};

struct host_ref {
	uint32_t	ref;
	uint32_t	scope;
};

struct path_index {
	uint32_t	offset;		/* of the path's struct path_head, from the record's begin */
	uint32_t	len;		/* of the path's bytes, which follow that */
};

struct path_head {
	uint32_t	sum;
	uint32_t	ref;
	uint32_t	scope;
};

/* The slot's high half. */
static inline uint32_t
host_fingerprint(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

/* The sum over BYTES, which begin with the place of the sum itself. */
static inline uint32_t
host_sum(const uint8_t key[static SIPHASH_KEY], struct slice bytes)
{
	return (uint32_t)siphash(key, slice_skip(bytes, sizeof(uint32_t)));
}

#endif
