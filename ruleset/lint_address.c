#include "ruleset/lint_address.h"

#include <arpa/inet.h>

enum { V4_BITS = 32, V6_BYTES = 16 };

/* The most specific range of an address stands first. */
static const struct { uint32_t net; unsigned bits; const char *what; } v4[] = {
	{ 0x00000000, 8, "an address of \"this network\" (RFC 791)" },
	{ 0x0a000000, 8, "a private address (RFC 1918)" },
	{ 0x64400000, 10, "an address behind a carrier's NAT (RFC 6598)" },
	{ 0x7f000000, 8, "a loopback address (RFC 1122)" },
	{ 0xa9fe0000, 16, "a link-local address (RFC 3927)" },
	{ 0xac100000, 12, "a private address (RFC 1918)" },
	{ 0xc0000000, 24, "an address of IETF protocols (RFC 6890)" },
	{ 0xc0000200, 24, "an address of documentation (RFC 5737)" },
	{ 0xc01fc400, 24, "an address of AS112, which answers for private ones (RFC 7535)" },
	{ 0xc034c100, 24, "an address of multicast tunnels (RFC 7450)" },
	{ 0xc0586300, 24, "an address of 6to4 relays (RFC 7526)" },
	{ 0xc0a80000, 16, "a private address (RFC 1918)" },
	{ 0xc0af3000, 24, "an address of AS112, which answers for private ones (RFC 7534)" },
	{ 0xc6120000, 15, "an address of benchmarks (RFC 2544)" },
	{ 0xc6336400, 24, "an address of documentation (RFC 5737)" },
	{ 0xcb007100, 24, "an address of documentation (RFC 5737)" },
	{ 0xe0000000, 4, "a multicast address (RFC 5771)" },
	{ 0xffffffff, 32, "the broadcast address (RFC 919)" },
	{ 0xf0000000, 4, "a reserved address (RFC 1112)" },
};

/* Mapped and translated IPv4 addresses are IPv4 by now (url.h). */
static const struct { uint8_t net[V6_BYTES]; unsigned bits; const char *what; } v6[] = {
	{ { [15] = 0 }, 128, "the unspecified address (RFC 4291)" },
	{ { [15] = 1 }, 128, "the loopback address (RFC 4291)" },
	{ { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 }, 48, "an address of a local translator (RFC 8215)" },
	{ { 0x01, 0x00 }, 64, "an address of the discard prefix (RFC 6666)" },
	{ { 0x01, 0x00, [7] = 1 }, 64, "an address of the dummy prefix (RFC 9780)" },
	{ { 0x20, 0x01, 0x00, 0x00 }, 32, "an address of a Teredo tunnel (RFC 4380)" },
	{ { 0x20, 0x01, 0x00, 0x02, 0x00, 0x00 }, 48, "an address of benchmarks (RFC 5180)" },
	{ { 0x20, 0x01, 0x00 }, 23, "an address of IETF protocols (RFC 2928)" },
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32, "an address of documentation (RFC 3849)" },
	{ { 0x20, 0x02 }, 16, "an address of a 6to4 tunnel (RFC 3056)" },
	{ { 0x26, 0x20, 0x00, 0x4f, 0x80, 0x00 }, 48, "an address of AS112, which answers for private ones (RFC 7534)" },
	{ { 0x3f, 0xff, 0x00 }, 20, "an address of documentation (RFC 9637)" },
	{ { 0x5f, 0x00 }, 16, "an address of segment routing (RFC 9602)" },
	{ { 0xfc }, 7, "a private address (RFC 4193)" },
	{ { 0xfe, 0x80 }, 10, "a link-local address (RFC 4291)" },
	{ { 0xfe, 0xc0 }, 10, "a site-local address (RFC 3879)" },
	{ { 0xff }, 8, "a multicast address (RFC 4291)" },
};

static const char *
look_up_v4(uint32_t a)
{
	for (size_t i = 0; i < sizeof(v4) / sizeof(*v4); i++)
		if ((a ^ v4[i].net) >> (V4_BITS - v4[i].bits) == 0)
			return v4[i].what;
	return NULL;
}

/* The first BITS of A and B are the same. */
static bool
same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(a, b, whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

static const char *
look_up_v6(const uint8_t *a)
{
	for (size_t i = 0; i < sizeof(v6) / sizeof(*v6); i++)
		if (same_bits(a, v6[i].net, v6[i].bits))
			return v6[i].what;
	return NULL;
}

const char *
lint_address(struct slice host, enum host_kind kind)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr six;
	struct in_addr four;

	if (kind == HOST_NAME)
		return NULL;
	if (kind == HOST_IPV6 && host.len > 1)
		host = slice_make(host.p + 1, host.len - 2);	/* without its brackets */
	if (host.len >= sizeof(text))
		return NULL;
	memcpy(text, host.p, host.len);
	text[host.len] = '\0';
	if (kind == HOST_IPV4)
		return inet_pton(AF_INET, text, &four) == 1 ? look_up_v4(ntohl(four.s_addr)) : NULL;
	return inet_pton(AF_INET6, text, &six) == 1 ? look_up_v6(six.s6_addr) : NULL;
}
