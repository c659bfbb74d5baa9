#include "inspect/transfer_coding.h"

enum { SIX = 6, OCTET = 8, NO_VALUE = -1 };

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : NO_VALUE;
}

/* The first character of four completes no byte, each other one does. */
static size_t
base64_take(struct transfer *t, int value, char *out)
{
	unsigned left;

	t->bits = t->bits << SIX | (unsigned)value;
	t->n_chars = (t->n_chars + 1) % 4;
	if (t->n_chars == 1)
		return 0;
	left = t->n_chars == 0 ? 0 : OCTET - 2 * t->n_chars;
	*out = (char)(t->bits >> left);
	return 1;
}

enum transfer_step
base64_step(struct transfer *t, struct slice *in, char *out, size_t max, size_t *n)
{
	for (*n = 0; in->len > 0 && *n < max; ) {
		char c = in->p[0];
		int value = base64_value(c);

		if (value == NO_VALUE && c != '=' && !ascii_is_space(c))
			return TRANSFER_BAD;
		*in = slice_skip(*in, 1);
		if (value != NO_VALUE)
			*n += base64_take(t, value, out + *n);
		else if (c == '=' && t->n_chars == 1)
			return TRANSFER_BAD;
		else if (c == '=' && t->n_chars > 1) {
			t->n_chars = 0;
			return TRANSFER_END;
		}
	}
	return TRANSFER_MORE;
}

static size_t
put_blanks(struct transfer *t, char *out)
{
	size_t n = t->n_blanks;

	if (n > 0)
		memcpy(out, t->blanks, n);
	t->n_blanks = 0;
	return n;
}

/* Behind "=": two digits, or blanks and the end of the line.  -1 when it is neither. */
static int
quoted_escape(struct transfer *t, char c, char *out)
{
	if (c == '\n') {
		t->in_escape = t->blank_in_escape = false;
		return t->n_escape == 0 ? 0 : -1;
	}
	if (c == ' ' || c == '\t' || c == '\r') {
		t->blank_in_escape = true;
		return t->n_escape == 0 ? 0 : -1;
	}
	t->escape[t->n_escape++] = c;
	if (ascii_hex(c) == -1 || t->blank_in_escape)
		return -1;
	if (t->n_escape < sizeof(t->escape))
		return 0;
	*out = (char)(ascii_hex(t->escape[0]) << 4 | ascii_hex(t->escape[1]));
	t->in_escape = false;
	return 1;
}

enum transfer_step
quoted_step(struct transfer *t, struct slice *in, char *out, size_t max, size_t *n)
{
	for (*n = 0; in->len > 0 && max - *n >= TRANSFER_ROOM; *in = slice_skip(*in, 1)) {
		char c = in->p[0];
		int got;

		if (t->in_escape) {
			if ((got = quoted_escape(t, c, out + *n)) == -1)
				return TRANSFER_BAD;
			*n += (size_t)got;
		} else if (c == ' ' || c == '\t') {
			if (t->n_blanks == QUOTED_BLANKS_MAX)
				return TRANSFER_BAD;
			t->blanks[t->n_blanks++] = c;
		} else if ((unsigned char)c >= 0x7f || ((unsigned char)c < ' ' && c != '\r' && c != '\n'))
			return TRANSFER_BAD;
		else {
			if (c == '\r' || c == '\n')
				t->n_blanks = 0;
			*n += put_blanks(t, out + *n);
			if (c == '=') {
				t->in_escape = true;
				t->n_escape = 0;
			} else
				out[(*n)++] = c;
		}
	}
	return TRANSFER_MORE;
}
