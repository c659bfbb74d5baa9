#include "t/replay/strings.h"

/* The byte after a backslash; moves *TEXT behind it.  -1 when there is no such escape. */
static int
take_escape(struct slice *text)
{
	char c = text->len > 0 ? text->p[0] : '\0';
	int byte = -1;

	*text = slice_skip(*text, 1);
	switch (c) {
	case 'r': return '\r';
	case 'n': return '\n';
	case 't': return '\t';
	case '"':
	case '\\': return c;
	case 'x':
		if (text->len >= 2 && ascii_hex(text->p[0]) >= 0 && ascii_hex(text->p[1]) >= 0)
			byte = ascii_hex(text->p[0]) * 16 + ascii_hex(text->p[1]);
		*text = slice_skip(*text, 2);
		break;
	default:
		break;
	}
	return byte;
}

int
string_take(struct slice *text, struct buf *out)
{
	if (text->len == 0 || text->p[0] != '"')
		return -1;
	*text = slice_skip(*text, 1);
	while (text->len > 0 && text->p[0] != '"') {
		int c = (unsigned char)text->p[0];

		*text = slice_skip(*text, 1);
		if (c == '\\' && (c = take_escape(text)) == -1)
			return -1;
		buf_add_char(out, (char)c);
	}
	if (text->len == 0)
		return -1;
	*text = slice_skip(*text, 1);
	return 0;
}

/* "N *" before a string; 1 when there is none.  -1 when what stands there is no number. */
static int
take_factor(struct slice *text, uint64_t *factor)
{
	struct slice number;

	*factor = 1;
	if (text->p[0] == '"')
		return 0;
	if (!slice_cut(*text, '*', &number, text) || slice_u64(slice_trim(number), factor) == -1)
		return -1;
	*text = slice_trim(*text);
	return 0;
}

int
strings_add(struct slice text, struct buf *out, const char **why)
{
	for (text = slice_trim(text); text.len > 0; text = slice_trim(text)) {
		uint64_t factor;
		size_t at = out->len, len;

		*why = "a string or N * string was expected";
		if (take_factor(&text, &factor) == -1)
			return -1;
		*why = "not a string with \\r \\n \\t \\\\ \\\" \\xHH";
		if (string_take(&text, out) == -1)
			return -1;
		*why = "too long";
		len = out->len - at;
		if (factor == 0)
			out->len = at;
		if (factor > 0 && (factor > out->max || buf_reserve(out, len * (factor - 1)) == -1))
			return -1;
		for (uint64_t i = 1; i < factor; i++)
			buf_add(out, out->p + at, len);
		if (out->failed)
			return -1;
	}
	return 0;
}
