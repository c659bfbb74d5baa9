#include "url_rules/url.h"

#include <arpa/inet.h>
#include <idn2.h>

#include <stdio.h>
#include <stdlib.h>

#include "url_rules/byte_class.h"
#include "url_rules/percent.h"

enum {
	HOST_RAW_MAX = 4 * HOST_MAX,	/* bytes as written; no name that resolves comes near */
	HOST_ROUNDS = 8,		/* of decoding and mapping, until nothing changes */
	IPV4_PARTS = 4,
};

/* A host while it is made canonical. */
struct draft {
	char	p[HOST_RAW_MAX + 1];
	size_t	len;
};

static struct slice
draft_slice(const struct draft *d)
{
	return slice_make(d->p, d->len);
}

static bool
has_high_byte(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return true;
	return false;
}

/* ---- names ---- */

static void
draft_lower(struct draft *d)
{
	for (size_t i = 0; i < d->len; i++)
		d->p[i] = ascii_lower(d->p[i]);
}

/* Labels end at a full stop, and at the three that UTS 46 maps to it. */
static size_t
label_end(struct slice s, size_t *dot_len)
{
	static const struct slice dots[] = { SLICE("."), SLICE("\xe3\x80\x82"), SLICE("\xef\xbc\x8e"),
		SLICE("\xef\xbd\xa1") };

	for (size_t i = 0; i < s.len; i++)
		for (size_t k = 0; k < sizeof(dots) / sizeof(*dots); k++)
			if (slice_starts(slice_skip(s, i), dots[k])) {
				*dot_len = dots[k].len;
				return i;
			}
	*dot_len = 0;
	return s.len;
}

static int
draft_append(struct draft *d, struct slice s)
{
	if (s.len > HOST_RAW_MAX - d->len)
		return -1;
	if (s.len > 0)
		memcpy(d->p + d->len, s.p, s.len);
	d->len += s.len;
	return 0;
}

/* One of the four characters that the transitional mapping changes: sharp s, final sigma and the joiners. */
static bool
has_deviation(struct slice s)
{
	static const struct slice deviations[] = { SLICE("\xc3\x9f"), SLICE("\xcf\x82"), SLICE("\xe2\x80\x8c"),
		SLICE("\xe2\x80\x8d") };

	for (size_t i = 0; i < sizeof(deviations) / sizeof(*deviations); i++)
		if (slice_search(s, deviations[i]) < s.len)
			return true;
	return false;
}

/* The A-label of LABEL by UTS 46.  libidn2 also applies the stricter IDNA 2008 to the result, which knows no symbols
 * (a heart, any emoji) although browsers send them, unless the mapping is the transitional one. */
static int
map_label(const char *label, char **out)
{
	int r = idn2_to_ascii_8z(label, out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

	if ((r == IDN2_DISALLOWED || r == IDN2_UNASSIGNED) && !has_deviation(slice_str(label)))
		r = idn2_to_ascii_8z(label, out, IDN2_NFC_INPUT | IDN2_TRANSITIONAL);
	return r;
}

/* LABEL as UTS 46 has it (non-transitional); what that refuses stays as it is, so that the labels right of it
 * still count. */
static int
append_mapped_label(struct draft *d, struct slice label)
{
	char in[HOST_RAW_MAX + 1], *out = NULL;
	int r;

	if (!has_high_byte(label) || memchr(label.p, '\0', label.len) != NULL)
		return draft_append(d, label);
	memcpy(in, label.p, label.len);
	in[label.len] = '\0';
	if ((r = map_label(in, &out)) != IDN2_OK)
		return r == IDN2_MALLOC ? -1 : draft_append(d, label);
	r = draft_append(d, slice_str(out));
	idn2_free(out);
	return r;
}

static int
draft_map_labels(struct draft *d)
{
	struct draft from = *d;
	struct slice rest = draft_slice(&from);
	size_t end, dot;

	d->len = 0;
	do {
		end = label_end(rest, &dot);
		if (append_mapped_label(d, slice_head(rest, end)) == -1 ||
		    (dot > 0 && draft_append(d, SLICE(".")) == -1))
			return -1;
		rest = slice_skip(rest, end + dot);
	} while (dot > 0);
	return 0;
}

/* Without dots at either end, and each run of them as one. */
static void
draft_tidy_dots(struct draft *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->len; i++)
		if (d->p[i] != '.' || (n > 0 && d->p[n - 1] != '.'))
			d->p[n++] = d->p[i];
	while (n > 0 && d->p[n - 1] == '.')
		n--;
	d->len = n;
}

/* Decode and, when MAPPED, map until nothing changes: a mapped full-width percent sign may begin a new escape.  What does
 * not come to rest is nobody's name. */
static int
draft_settle(struct draft *d, bool mapped)
{
	for (int round = 0; round < HOST_ROUNDS; round++) {
		struct draft before;

		d->len = percent_decode(d->p, d->len);
		draft_lower(d);
		draft_tidy_dots(d);
		if (!mapped || !has_high_byte(draft_slice(d)))
			return 0;
		before = *d;
		if (draft_map_labels(d) == -1)
			return -1;
		if (slice_eq(draft_slice(d), draft_slice(&before)))
			return 0;
	}
	return -1;
}

static enum url_error
write_name(const struct draft *d, char out[static HOST_MAX + 1], size_t *len)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 0; i < d->len; i++) {
		unsigned char c = (unsigned char)d->p[i];
		bool escape = byte_is(d->p[i], BYTE_NO_NAME);

		if (n + (escape ? 3 : 1) > HOST_MAX)
			return URL_BAD_HOST;
		if (!escape) {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '%';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	out[n] = '\0';
	*len = n;
	return URL_OK;
}

/* ---- IPv4, in every spelling that inet_aton(3) and the WHATWG "IPv4 parser" know ---- */

static bool
ipv4_number(struct slice s, uint64_t *out)
{
	unsigned base = 10;
	uint64_t v = 0;

	if (s.len == 0)
		return false;
	if (slice_istarts(s, SLICE("0x"))) {
		base = 16;
		s = slice_skip(s, 2);
	} else if (s.len > 1 && s.p[0] == '0') {
		base = 8;
	}
	for (size_t i = 0; i < s.len; i++) {
		int digit = ascii_hex(s.p[i]);

		if (digit < 0 || (unsigned)digit >= base)
			return false;
		v = v * base + (unsigned)digit;
		if (v > UINT32_MAX)
			return false;
	}
	*out = v;
	return true;
}

static bool
ipv4_parse(struct slice s, uint32_t *out)
{
	uint64_t part[IPV4_PARTS], last;
	struct slice word;
	unsigned n = 0;
	bool more;

	do {
		more = slice_cut(s, '.', &word, &s);
		if (n == IPV4_PARTS || !ipv4_number(word, &part[n++]))
			return false;
	} while (more);
	last = part[n - 1];
	if (last >> (8 * (IPV4_PARTS + 1 - n)) != 0)
		return false;
	*out = (uint32_t)last;
	for (unsigned i = 0; i + 1 < n; i++) {
		if (part[i] > UINT8_MAX)
			return false;
		*out |= (uint32_t)part[i] << (24 - 8 * i);
	}
	return true;
}

static void
ipv4_format(uint32_t a, char out[static HOST_MAX + 1], size_t *len)
{
	*len = (size_t)snprintf(out, HOST_MAX + 1, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255,
	    a & 255);
}

/* ---- IPv6 ---- */

/* The IPv4 address inside a mapped (RFC 4291 2.5.5.2) or translated (RFC 6052 2.1) one. */
static bool
ipv6_inner(const struct in6_addr *a, uint32_t *out)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t translated[12] = { 0x00, 0x64, 0xff, 0x9b };

	if (memcmp(a->s6_addr, mapped, sizeof(mapped)) != 0 &&
	    memcmp(a->s6_addr, translated, sizeof(translated)) != 0)
		return false;
	memcpy(out, a->s6_addr + sizeof(mapped), sizeof(*out));
	*out = ntohl(*out);
	return true;
}

/* As RFC 5952 has it, but never with a dotted end, which inet_ntop() gives ::7f00:1 (and what is mapped, which is IPv4 by
 * now); the length. */
static size_t
ipv6_format(const struct in6_addr *a, char out[static HOST_MAX + 1])
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, a, text, sizeof(text));
	if (strchr(text, '.') != NULL)
		snprintf(text, sizeof(text), "::%x:%x", a->s6_addr[12] << 8 | a->s6_addr[13],
		    a->s6_addr[14] << 8 | a->s6_addr[15]);
	return (size_t)snprintf(out, HOST_MAX + 1, "[%s]", text);
}

/* S is what stands between the brackets.  A zone ("%25eth0") is the client's own affair. */
static enum url_error
ipv6_canonical(struct slice s, char out[static HOST_MAX + 1], size_t *len, enum host_kind *kind)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr a;
	uint32_t inner;

	slice_cut(s, '%', &s, NULL);
	if (s.len >= sizeof(text) || memchr(s.p, '\0', s.len) != NULL)
		return URL_BAD_HOST;
	memcpy(text, s.p, s.len);
	text[s.len] = '\0';
	if (inet_pton(AF_INET6, text, &a) != 1)
		return URL_BAD_HOST;
	if (ipv6_inner(&a, &inner)) {
		*kind = HOST_IPV4;
		ipv4_format(inner, out, len);
		return URL_OK;
	}
	*kind = HOST_IPV6;
	*len = ipv6_format(&a, out);
	return URL_OK;
}

/* Squid 5 and 6 write a link-local address without its brackets. */
static bool
is_bare_ipv6(struct slice s)
{
	struct slice rest;

	return slice_cut(s, ':', NULL, &rest) && slice_find(rest, ':') < rest.len;
}

static enum url_error
name_canonical(struct slice raw, bool mapped, char out[static HOST_MAX + 1], size_t *len, enum host_kind *kind)
{
	struct draft d;
	uint32_t address;

	d.len = 0;
	if (draft_append(&d, raw) == -1 || draft_settle(&d, mapped) == -1)
		return URL_BAD_HOST;
	if (d.len == 0)
		return URL_NO_HOST;
	*kind = HOST_NAME;
	if (!ipv4_parse(draft_slice(&d), &address))
		return write_name(&d, out, len);
	*kind = HOST_IPV4;
	ipv4_format(address, out, len);
	return URL_OK;
}

/* Nearly all names are canonical but for their case: no byte that would have to be decoded, mapped or escaped, no superfluous dot,
 * and a last label that is no number.  False when RAW is not so; OUT is then undefined. */
static bool
plain_name(struct slice raw, char out[static HOST_MAX + 1], size_t *len)
{
	size_t label = 0;

	if (raw.len == 0 || raw.len > HOST_MAX)
		return false;
	for (size_t i = 0; i < raw.len; i++) {
		if (byte_is(raw.p[i], BYTE_NO_NAME) || (raw.p[i] == '.' && i == label))
			return false;
		label = raw.p[i] == '.' ? i + 1 : label;
		out[i] = ascii_lower(raw.p[i]);
	}
	if (label == raw.len || ascii_is_digit(raw.p[label]))
		return false;
	out[raw.len] = '\0';
	*len = raw.len;
	return true;
}

enum url_error
host_canonical(struct slice raw, char out[static HOST_MAX + 1], size_t *len, enum host_kind *kind)
{
	enum host_kind ignored;
	enum url_error e;

	kind = kind == NULL ? &ignored : kind;
	*kind = HOST_NAME;
	if (plain_name(raw, out, len))
		return URL_OK;
	if (raw.len > 0 && raw.p[0] == '[') {
		if (raw.p[raw.len - 1] != ']')
			return URL_BAD_HOST;
		return ipv6_canonical(slice_make(raw.p + 1, raw.len - 2), out, len, kind);
	}
	if (is_bare_ipv6(raw) && ipv6_canonical(raw, out, len, kind) == URL_OK)
		return URL_OK;
	/* Sixty labels of one character that stands for a word: no browser sends their A-labels, which are too long, but
	 * Squid looks the bytes up as they are. */
	e = name_canonical(raw, true, out, len, kind);
	return e == URL_BAD_HOST ? name_canonical(raw, false, out, len, kind) : e;
}

bool
host_parent(struct slice *host, enum host_kind kind)
{
	return kind == HOST_NAME && slice_cut(*host, '.', NULL, host);
}

bool
host_under(struct slice host, struct slice domain)
{
	if (domain.len == 0 || host.len < domain.len)
		return false;
	return slice_ends(host, domain) &&
	    (host.len == domain.len || host.p[host.len - domain.len - 1] == '.');
}
