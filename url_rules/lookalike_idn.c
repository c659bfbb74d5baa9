#include "url_rules/lookalike_table.h"

/* RFC 3492 5. */
enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, FIRST_BIAS = 72, FIRST_CODE = 128, CODE_MAX = 0x10ffff };

/* RFC 3492 6.1. */
static uint32_t
adapt(uint32_t delta, uint32_t n, bool first)
{
	uint32_t k = 0;

	delta = first ? delta / DAMP : delta / 2;
	delta += delta / n;
	for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
		delta /= BASE - T_MIN;
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static int
digit_value(char c)
{
	return ascii_is_digit(c) ? c - '0' + 26 : ascii_is_alpha(c) ? ascii_lower(c) - 'a' : -1;
}

/* Take one number of variable length off *REST.  -1 when it is none, or too large. */
static int
take_number(struct slice *rest, uint32_t bias, uint32_t *out)
{
	uint64_t weight = 1, value = 0;

	for (uint32_t k = BASE;; k += BASE) {
		uint32_t t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
		int digit = rest->len == 0 ? -1 : digit_value(rest->p[0]);

		if (digit == -1)
			return -1;
		*rest = slice_skip(*rest, 1);
		value += (uint64_t)digit * weight;
		if (value > UINT32_MAX)
			return -1;
		if ((uint32_t)digit < t)
			break;
		weight *= BASE - t;
		if (weight > UINT32_MAX)
			return -1;
	}
	*out = (uint32_t)value;
	return 0;
}

/* RFC 3492 6.2. */
size_t
lookalike_punycode(struct slice label, uint32_t out[static LOOKALIKE_LABEL_MAX])
{
	size_t hyphen = label.len, n = 0;
	uint64_t code = FIRST_CODE, i = 0;
	uint32_t bias = FIRST_BIAS;
	bool first = true;

	while (hyphen > 0 && label.p[hyphen - 1] != '-')
		hyphen--;
	if (label.len > LOOKALIKE_LABEL_MAX)
		return 0;
	for (; n + 1 < hyphen; n++)
		out[n] = (unsigned char)label.p[n];
	for (struct slice rest = slice_skip(label, hyphen); rest.len > 0; i++) {
		uint32_t delta;

		if (take_number(&rest, bias, &delta) == -1 || n == LOOKALIKE_LABEL_MAX)
			return 0;
		i += delta;
		bias = adapt(delta, (uint32_t)n + 1, first);
		first = false;
		code += i / (n + 1);
		i %= n + 1;
		if (code > CODE_MAX)
			return 0;
		memmove(out + i + 1, out + i, (n - i) * sizeof(*out));
		out[i] = (uint32_t)code;
		n++;
	}
	return n;
}

/* What CODE looks like; false when like nothing in ASCII. */
static bool
find_glyph(const struct lookalike_array *glyphs, uint32_t code, struct lookalike_glyph *out)
{
	uint32_t at = 0, n = glyphs->n, there;

	/* Without a branch that nobody can foresee. */
	while (n > 1) {
		uint32_t half = n / 2;

		memcpy(&there, glyphs->p + (size_t)(at + half) * sizeof(*out), sizeof(there));
		at += there <= code ? half : 0;
		n -= half;
	}
	if (n == 0)
		return false;
	memcpy(out, glyphs->p + (size_t)at * sizeof(*out), sizeof(*out));
	return out->code == code;
}

/* LABEL, an A-label without "xn--", as it looks, into OUT of ROOM bytes; 0 when it does not look like ASCII. */
static size_t
label_skeleton(const struct lookalike_array *glyphs, struct slice label, char *out, size_t room, uint32_t *code, char *looks)
{
	uint32_t codes[LOOKALIKE_LABEL_MAX];
	size_t n = lookalike_punycode(label, codes), len = 0;

	for (size_t i = 0; i < n; i++) {
		struct lookalike_glyph g;

		if (len == room)
			return 0;
		if (codes[i] < FIRST_CODE) {
			out[len++] = (char)codes[i];
			continue;
		}
		if (!find_glyph(glyphs, codes[i], &g))
			return 0;
		*code = codes[i];
		*looks = g.text[0];
		for (size_t k = 0; k < GLYPH_TEXT && g.text[k] != '\0'; k++) {
			if (len == room)
				return 0;
			out[len++] = g.text[k];
		}
	}
	return len;
}

size_t
lookalike_skeleton(const struct lookalike_array *glyphs, struct slice host, char out[static LOOKALIKE_HOST_MAX], uint32_t *code,
    char *looks)
{
	struct slice label;
	bool more = true, any = false;
	size_t len = 0;

	while (more) {
		size_t n = 0;

		more = slice_cut(host, '.', &label, &host);
		if (lookalike_is_encoded(label))
			n = label_skeleton(glyphs, slice_skip(label, A_LABEL_PREFIX), out + len, LOOKALIKE_HOST_MAX - len, code, looks);
		any |= n > 0;
		if (n == 0) {
			if (label.len > LOOKALIKE_HOST_MAX - len)
				return 0;
			memcpy(out + len, label.p, label.len);
			n = label.len;
		}
		len += n;
		if (more && len == LOOKALIKE_HOST_MAX)
			return 0;
		if (more)
			out[len++] = '.';
	}
	return any ? len : 0;
}
