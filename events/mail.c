#include "events/mail.h"

enum { LOCAL_MAX = 64, DOMAIN_MAX = 253 };	/* RFC 5321 4.5.3.1, and of the DNS */

/* C may stand in the name of an address as URLs have it: what separates parameters does not. */
static bool
is_local(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || (c != '\0' && strchr("._+-~'!%", c) != NULL) || (unsigned char)c >= 0x80;
}

static bool
is_domain(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '.' || c == '-' || (unsigned char)c >= 0x80;
}

/* Bytes of the '@' that stands at AT, as it is or escaped, once or twice; 0 when none does. */
static size_t
at_sign(struct slice text, size_t at)
{
	struct slice rest = slice_skip(text, at);

	return slice_starts(rest, SLICE("@")) ? 1 : slice_starts(rest, SLICE("%40")) ? 3 : slice_starts(rest, SLICE("%2540")) ? 5 : 0;
}

/* The domain that REST begins with: with a dot in it, or empty. */
static struct slice
take_domain(struct slice rest)
{
	size_t n = 0;

	while (n < rest.len && n < DOMAIN_MAX && is_domain(rest.p[n]))
		n++;
	while (n > 0 && !ascii_is_alpha(rest.p[n - 1]) && !ascii_is_digit(rest.p[n - 1]))
		n--;
	rest.len = n;
	return slice_find(rest, '.') < n && slice_find(rest, '.') > 0 ? rest : (struct slice){ 0 };
}

bool
mail_next(struct slice text, size_t *at, struct mail *out)
{
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
