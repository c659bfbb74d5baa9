#include "events/incident.h"

#include "base/siphash.h"

enum {
	BITS = 5,			/* of a character */
	MS_CHARS = 9,
	NODE_CHARS = 3,
	COUNTER_CHARS = 3,
	BODY_CHARS = MS_CHARS + NODE_CHARS + COUNTER_CHARS,
	POLYNOMIAL = 0x25,		/* x^5 + x^2 + 1 */
	GROUP = 4,
	NODE_MASK = (1 << NODE_CHARS * BITS) - 1,
};

_Static_assert(BODY_CHARS + 1 == INCIDENT_LEN, "the check is the last character");

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* The value of C as a person types it; -1 when it is none. */
static int
value_of(char c)
{
	const char *at;

	c = ascii_is_alpha(c) ? (char)(c & ~('a' ^ 'A')) : c;
	if (c == 'I' || c == 'L')
		return 1;
	if (c == 'O')
		return 0;
	at = c == '\0' ? NULL : strchr(alphabet, c);
	return at == NULL ? -1 : (int)(at - alphabet);
}

/* The check C with the next character, whose value is V, in it. */
static unsigned
add_to_check(unsigned c, unsigned v)
{
	c = (c ^ v) << 1;
	return c >> BITS != 0 ? c ^ POLYNOMIAL : c;
}

static char
check_of(const char *body)
{
	unsigned c = 0;

	for (int i = 0; i < BODY_CHARS; i++)
		c = add_to_check(c, (unsigned)value_of(body[i]));
	return alphabet[c];
}

/* The low N characters' worth of V, the highest first; the check C with them in it. */
static unsigned
put(uint64_t v, int n, char *out, unsigned c)
{
	for (int i = 0; i < n; i++) {
		unsigned bits = (unsigned)(v >> (n - 1 - i) * BITS) & ((1 << BITS) - 1);

		out[i] = alphabet[bits];
		c = add_to_check(c, bits);
	}
	return c;
}

void
incident_make(int64_t now_ms, unsigned node, unsigned counter, char out[static INCIDENT_LEN + 1])
{
	unsigned c = put((uint64_t)now_ms, MS_CHARS, out, 0);

	c = put(node, NODE_CHARS, out + MS_CHARS, c);
	c = put(counter, COUNTER_CHARS, out + MS_CHARS + NODE_CHARS, c);
	out[BODY_CHARS] = alphabet[c];
	out[INCIDENT_LEN] = '\0';
}

enum incident_error
incident_parse(struct slice typed, char out[static INCIDENT_LEN + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < typed.len; i++) {
		int v = value_of(typed.p[i]);

		if (typed.p[i] == '-' || ascii_is_space(typed.p[i]))
			continue;
		if (v < 0)
			return INCIDENT_CHARACTER;
		if (n < INCIDENT_LEN)
			out[n] = alphabet[v];
		n++;
	}
	if (n != INCIDENT_LEN)
		return INCIDENT_LENGTH;
	out[INCIDENT_LEN] = '\0';
	return check_of(out) == out[BODY_CHARS] ? INCIDENT_OK : INCIDENT_CHECK;
}

void
incident_show(const char id[static INCIDENT_LEN + 1], char out[static INCIDENT_SHOWN + 1])
{
	size_t len = 0;

	for (int i = 0; i < INCIDENT_LEN; i++) {
		if (i > 0 && i % GROUP == 0)
			out[len++] = '-';
		out[len++] = id[i];
	}
	out[len] = '\0';
}

int64_t
incident_ms(const char id[static INCIDENT_LEN + 1])
{
	int64_t ms = 0;

	for (int i = 0; i < MS_CHARS; i++)
		ms = ms << BITS | (value_of(id[i]) & ((1 << BITS) - 1));
	return ms;
}

unsigned
incident_node(struct slice text)
{
	static const uint8_t no_key[SIPHASH_KEY];	/* every start of one host gives one node */

	return (unsigned)(siphash(no_key, text) & NODE_MASK);
}
