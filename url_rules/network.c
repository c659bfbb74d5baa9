#include "url_rules/network.h"

#include <arpa/inet.h>
#include <stdio.h>

static unsigned
width(enum host_kind kind)
{
	return kind == HOST_IPV4 ? NETWORK_BITS4 : NETWORK_BITS6;
}

static int
parse_address(struct slice s, enum host_kind kind, struct network *out)
{
	char text[INET6_ADDRSTRLEN];

	if (s.len == 0 || s.len >= sizeof(text) || memchr(s.p, '\0', s.len) != NULL)
		return -1;
	memcpy(text, s.p, s.len);
	text[s.len] = '\0';
	*out = (struct network){ .kind = kind, .bits = (uint8_t)width(kind) };
	return inet_pton(kind == HOST_IPV4 ? AF_INET : AF_INET6, text, out->address) == 1 ? 0 : -1;
}

static struct slice
without_brackets(struct slice s)
{
	return s.len >= 2 && s.p[0] == '[' && s.p[s.len - 1] == ']' ? slice_make(s.p + 1, s.len - 2) : s;
}

int
network_of_host(struct slice host, enum host_kind kind, struct network *out)
{
	return kind == HOST_NAME ? -1 : parse_address(without_brackets(host), kind, out);
}

struct network
network_prefix(const struct network *n, unsigned bits)
{
	struct network out = { .kind = n->kind, .bits = (uint8_t)bits };

	memcpy(out.address, n->address, bits / 8);
	if (bits % 8 != 0)
		out.address[bits / 8] = (uint8_t)(n->address[bits / 8] & 0xff << (8 - bits % 8));
	return out;
}

/* What IPv6 block N of BITS bits is IPv4 to a canonical host becomes that; only whole addresses are asked of url.h. */
static unsigned
unmap(struct network *n, unsigned bits)
{
	char text[INET6_ADDRSTRLEN], host[HOST_MAX + 1];
	enum host_kind kind;
	size_t len;

	if (n->kind != HOST_IPV6 || bits < NETWORK_BITS6 - NETWORK_BITS4 ||
	    inet_ntop(AF_INET6, n->address, text, sizeof(text)) == NULL ||
	    host_canonical(slice_str(text), host, &len, &kind) != URL_OK || kind != HOST_IPV4)
		return bits;
	network_of_host(slice_make(host, len), kind, n);
	return bits - (NETWORK_BITS6 - NETWORK_BITS4);
}

enum network_error
network_parse(struct slice text, struct network *out)
{
	struct slice address, length;
	struct network whole;
	uint64_t bits;
	bool cut = slice_cut(text, '/', &address, &length);

	if (parse_address(address, HOST_IPV4, &whole) == -1 &&
	    parse_address(without_brackets(address), HOST_IPV6, &whole) == -1)
		return NETWORK_BAD_ADDRESS;
	bits = whole.bits;
	if (cut && (slice_u64(length, &bits) == -1 || bits > whole.bits || (length.len > 1 && length.p[0] == '0')))
		return NETWORK_BAD_LENGTH;
	bits = unmap(&whole, (unsigned)bits);
	*out = network_prefix(&whole, (unsigned)bits);
	return memcmp(out->address, whole.address, sizeof(whole.address)) == 0 ? NETWORK_OK : NETWORK_HOST_BITS;
}

void
network_format(const struct network *n, char out[static NETWORK_TEXT])
{
	size_t len;

	if (inet_ntop(n->kind == HOST_IPV4 ? AF_INET : AF_INET6, n->address, out, NETWORK_TEXT) == NULL)
		*out = '\0';
	len = strlen(out);
	if (n->bits != width(n->kind))
		snprintf(out + len, NETWORK_TEXT - len, "/%u", n->bits);
}

bool
network_contains(const struct network *outer, const struct network *inner)
{
	struct network head;

	if (outer->kind != inner->kind || inner->bits < outer->bits)
		return false;
	head = network_prefix(inner, outer->bits);
	return memcmp(head.address, outer->address, sizeof(head.address)) == 0;
}

int
network_cmp(const struct network *a, const struct network *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->bits != b->bits)
		return a->bits < b->bits ? -1 : 1;
	return memcmp(a->address, b->address, sizeof(a->address));
}
