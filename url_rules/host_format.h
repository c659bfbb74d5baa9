/* host_format.h - the layout of a host segment, for the reader and the compiler.
 *
 * Hosts are in the order of their hash, cut into buckets of about eight; the hash's high half chooses the bucket, its low byte
 * is the host's fingerprint:
 *
 *	section INFO     one struct host_info
 *	section INDEX    u32 each: where a bucket begins in DATA, and after the last one its end
 *	section SUMS     u32 each: over a bucket's bytes; looked at when a host was found in it
 *	section DATA     the buckets; one without hosts has no bytes
 *	section PATHS    the path rules, host by host
 *	section FILTER   u64 each: three bits for each host of a bucket, by its hash
 *
 *	bucket:  | n: 1, or 255 and 4 | fingerprint: n x 1 | record | record | ...
 *	record:  | host_len: 1, or 255 and 2 | tag: 1 | host | body |
 *	body:    tag 0-2, one host rule of that scope:  | ref: 4 |
 *	         tag HOST_TAG_LONG:  | n_refs: 4 | n_paths: 4 | paths at: 8 | scope, ref: n_refs x (1 + 4) |
 *
 *	the paths of one host, in order:  | offset of each, and their end: (n_paths + 1) x 4 |, then
 *	path:    | sum: 4 | ref: 4 | scope: 1 | path bytes |     offsets count from the first offset's place
 *
 * Most hosts that are asked about are in no table: of a full bucket's filter 31 of 64 bits are set (Bloom 1970), and all three of a
 * host are by chance in one of 33, so that it is told from what fits a processor's cache, without a look at index and data.
 *
 * The reader believes none of it: every offset and length is checked, and what a rule consists of (host, scope, reference)
 * against its bucket's sum, a path rule against its own, so that a flipped bit loses a rule and cannot make one.  The offsets of
 * paths have no sum: a wrong one finds a path that does not hold, or none.
 *
 * The key of the hash is the same everywhere: one hash serves all layers, and the same rules give the same file.  Who fills a
 * feed so that all of its hosts meet in one bucket makes that bucket slow (a scan of one byte a host), and no other. */
#ifndef URL_RULES_HOST_FORMAT_H
#define URL_RULES_HOST_FORMAT_H

#include <stdint.h>

#include "base/siphash.h"
#include "url_rules/host_table.h"

enum { HOSTS_INFO = 1, HOSTS_INDEX = 2, HOSTS_SUMS = 3, HOSTS_DATA = 4, HOSTS_PATHS = 5, HOSTS_FILTER = 6 };
enum { HOSTS_SECTIONS = 6 };
enum { HOSTS_PER_BUCKET = 8, HOST_TAG_LONG = 3, HOST_BYTE_MANY = 255 };
enum { PATH_HEAD = 9, PATH_SCOPE_AT = 8, HOST_REF_LEN = 5, HOST_LONG_HEAD = 16 };

struct host_info {
	uint64_t	n_hosts;
	uint64_t	n_rules;
};

/* The hash of a canonical host. */
static inline uint64_t
host_hash(struct slice host)
{
	static const uint8_t key[SIPHASH_KEY] = "firebreak hosts";

	return siphash(key, host);
}

static inline uint64_t
host_bucket(uint64_t hash, uint64_t n_buckets)
{
	return (hash >> 32) * n_buckets >> 32;
}

static inline uint8_t
host_fingerprint(uint64_t hash)
{
	return (uint8_t)hash;
}

/* What a host sets in its bucket's filter, of bits of the hash that choose neither the bucket nor the fingerprint. */
static inline uint64_t
host_filter(uint64_t hash)
{
	return UINT64_C(1) << (hash >> 8 & 63) | UINT64_C(1) << (hash >> 14 & 63) | UINT64_C(1) << (hash >> 20 & 63);
}

#endif
