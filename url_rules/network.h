/* network.h - a block of addresses (RFC 4632, RFC 4291 2.3): what an address rule names, and what a request to a bare
 * address is compared with.
 *
 *	192.0.2.0/24   192.0.2.7   2001:db8::/32   2001:db8::7
 *
 * IPv4 and IPv6 never mix.  An IPv4 block that is written inside IPv6 (::ffff:192.0.2.0/120, 64:ff9b::192.0.2.0/120) is that
 * IPv4 block, as canonical hosts have it.  Everything here is pure. */
#ifndef URL_RULES_NETWORK_H
#define URL_RULES_NETWORK_H

#include "url_rules/url.h"

enum {
	NETWORK_ADDRESS = 16,		/* bytes of the longest address */
	NETWORK_TEXT = 64,		/* room for what network_format() writes */
	NETWORK_BITS4 = 32,
	NETWORK_BITS6 = 128,
};

struct network {
	enum host_kind	 kind;				/* HOST_IPV4 or HOST_IPV6 */
	uint8_t		 bits;				/* of the prefix */
	uint8_t		 address[NETWORK_ADDRESS];	/* network order; IPv4 in the first four; beyond BITS all zero */
};

enum network_error {
	NETWORK_OK,
	NETWORK_BAD_ADDRESS,
	NETWORK_BAD_LENGTH,
	NETWORK_HOST_BITS,	/* bits beyond the prefix are set: OUT is the network that they lie in */
};

/* TEXT is "ADDRESS" or "ADDRESS/BITS", the address in dotted decimal or as RFC 4291 2.2 writes IPv6, with or without
 * brackets.  OUT is undefined after NETWORK_BAD_ADDRESS and NETWORK_BAD_LENGTH. */
enum network_error network_parse(struct slice text, struct network *out);

/* The network of one address that is the canonical HOST of KIND.  -1 when it is a name. */
int network_of_host(struct slice host, enum host_kind kind, struct network *out);

/* N as network_parse() reads it, NUL-terminated; without "/BITS" when it is one address.  IPv6 as inet_ntop(3) has it. */
void network_format(const struct network *n, char out[static NETWORK_TEXT]);

/* Every address of INNER lies in OUTER. */
bool network_contains(const struct network *outer, const struct network *inner);

/* The first BITS bits of N, which has at least as many. */
struct network network_prefix(const struct network *n, unsigned bits);

/* An order for sorting: IPv4 first, then shorter prefixes, then addresses. */
int network_cmp(const struct network *a, const struct network *b);

#endif
