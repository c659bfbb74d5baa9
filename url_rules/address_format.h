/* address_format.h - the layout of an address segment, for the reader and the compiler.
 *
 *	section INFO     one struct address_info
 *	section ENTRIES  one struct address_entry a rule, in the order of their groups, then addresses, then references
 *
 * A group is all networks of one prefix length: 0 to 32 of IPv4, then 0 to 128 of IPv6.  Within it a network is found by
 * bisection.  The reader believes none of it: what a rule consists of (group, address, reference) is compared with its
 * sum, so that a flipped bit loses a rule and cannot make one. */
#ifndef URL_RULES_ADDRESS_FORMAT_H
#define URL_RULES_ADDRESS_FORMAT_H

#include "base/siphash.h"
#include "url_rules/network.h"

enum { ADDRESSES_INFO = 1, ADDRESSES_ENTRIES = 2 };
enum { ADDRESS_GROUPS = NETWORK_BITS4 + 1 + NETWORK_BITS6 + 1 };

struct address_info {
	uint8_t		key[SIPHASH_KEY];		/* follows from the content */
	uint32_t	starts[ADDRESS_GROUPS + 1];	/* the first entry of each group; the last: how many there are */
};

struct address_entry {
	uint32_t	sum;
	uint32_t	ref;
	uint8_t		group;
	uint8_t		zero[3];
	uint8_t		address[NETWORK_ADDRESS];
};

static inline unsigned
address_group(const struct network *n)
{
	return n->kind == HOST_IPV4 ? n->bits : NETWORK_BITS4 + 1U + n->bits;
}

/* The sum of E under KEY: of all that follows the sum. */
static inline uint32_t
address_sum(const uint8_t key[static SIPHASH_KEY], const struct address_entry *e)
{
	return (uint32_t)siphash(key, slice_skip(slice_make((const char *)e, sizeof(*e)), sizeof(e->sum)));
}

#endif
