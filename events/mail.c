#include "events/mail.h"

/* RFC 5321 4.5.3.1, with every byte escaped, and of the DNS; how many times over an escape may be escaped. */
enum { LOCAL_MAX = 3 * 64, DOMAIN_MAX = 253, ESCAPED_MAX = 8 };

/* C may stand in the name of an address as URLs have it: what separates parameters does not. */
static bool
is_local(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || (c != '\0' && strchr("._+-~'!%$^`{|}", c) != NULL) || (unsigned char)c >= 0x80;
}

static bool
is_domain(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '.' || c == '-' || (unsigned char)c >= 0x80;
}

/* Bytes of the C that REST begins with, as it is or escaped to the digits HEX, the escape's own '%' escaped or not; 0 when it does
 * not. */
static size_t
take_sign(struct slice rest, char c, struct slice hex)
{
	size_t n = 1;

	if (rest.len == 0 || rest.p[0] != '%')
		return rest.len > 0 && rest.p[0] == c;
	for (int i = 0; i < ESCAPED_MAX && slice_starts(slice_skip(rest, n), SLICE("25")); i++)
		n += 2;
	return slice_istarts(slice_skip(rest, n), hex) ? n + hex.len : 0;
}

static size_t
at_sign(struct slice text, size_t at)
{
	return take_sign(slice_skip(text, at), '@', SLICE("40"));
}

/* The domain that REST begins with: with a dot in it, or empty. */
static struct slice
take_domain(struct slice rest)
{
	size_t n = 0, end = 0, dot = 0, sign;

	while (n < rest.len && n < DOMAIN_MAX) {
		sign = take_sign(slice_skip(rest, n), '.', SLICE("2e"));
		if (sign == 0 && !is_domain(rest.p[n]))
			break;
		dot = dot == 0 && sign > 0 ? n + 1 : dot;
		n += sign > 0 ? sign : 1;
		if (sign == 0 && (ascii_is_alpha(rest.p[n - 1]) || ascii_is_digit(rest.p[n - 1])))
			end = n;
	}
	return dot > 1 && end >= dot ? slice_head(rest, end) : (struct slice){ 0 };
}

bool
mail_next(struct slice text, size_t *at, struct mail *out)
{
	struct slice rest = slice_skip(text, *at);

	/* Most texts have neither: they are asked for a vector's width at a time. */
	if (rest.len == 0 || (memchr(rest.p, '@', rest.len) == NULL && memchr(rest.p, '%', rest.len) == NULL)) {
		*at = text.len;
		return false;
	}
	for (size_t i = *at; i < text.len; i++) {
		size_t sign, from = i;

		if ((text.p[i] != '@' && text.p[i] != '%') || (sign = at_sign(text, i)) == 0)
			continue;
		while (from > *at && i - from < LOCAL_MAX && is_local(text.p[from - 1]))
			from--;
		out->local = slice_make(text.p + from, i - from);
		out->domain = take_domain(slice_skip(text, i + sign));
		i += sign - 1;
		if (out->local.len == 0 || out->domain.len == 0)
			continue;
		*at = i + 1 + out->domain.len;
		return true;
	}
	*at = text.len;
	return false;
}

size_t
mail_mask(struct slice text, struct buf *out)
{
	size_t at = 0, from = 0, n = 0;
	struct mail m;

	while (mail_next(text, &at, &m)) {
		buf_add_slice(out, slice_make(text.p + from, (size_t)(m.local.p - text.p) - from));
		buf_add_str(out, "***");
		from = (size_t)(m.local.p - text.p) + m.local.len;
		n++;
	}
	buf_add_slice(out, slice_skip(text, from));
	return n;
}
