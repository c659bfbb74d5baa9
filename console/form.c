#include "console/form.h"

/* Append TEXT without its escapes to OUT and give it; -1 for a bad one. */
static int
decode(struct slice text, struct buf *out, struct slice *decoded)
{
	enum { ESCAPE = 3 };
	size_t at = out->len, i = 0;

	while (i < text.len) {
		char c = text.p[i];

		if (c == '%') {
			if (text.len - i < ESCAPE || ascii_hex(text.p[i + 1]) < 0 || ascii_hex(text.p[i + 2]) < 0)
				return -1;
			buf_add_char(out, (char)(ascii_hex(text.p[i + 1]) << 4 | ascii_hex(text.p[i + 2])));
			i += ESCAPE;
			continue;
		}
		buf_add_char(out, c == '+' ? ' ' : c);
		i++;
	}
	*decoded = slice_make(out->p + at, out->len - at);
	return out->failed ? -1 : 0;
}

static bool
has(const struct form *f, struct slice name)
{
	for (size_t i = 0; i < f->n; i++)
		if (slice_eq(f->v[i].name, name))
			return true;
	return false;
}

int
form_parse(struct form *f, struct slice encoded)
{
	struct slice field, name, value;

	f->n = 0;
	buf_init(&f->text, FORM_MAX);
	/* Nothing becomes longer, so that no slice of it moves. */
	if (buf_reserve(&f->text, encoded.len) == -1)
		return -1;
	while (encoded.len > 0) {
		slice_cut(encoded, '&', &field, &encoded);
		if (field.len == 0)
			continue;
		slice_cut(field, '=', &name, &value);
		if (f->n == FORM_FIELDS || decode(name, &f->text, &name) == -1 || decode(value, &f->text, &value) == -1 || has(f, name))
			return -1;
		f->v[f->n].name = name;
		f->v[f->n++].value = value;
	}
	return 0;
}

void
form_fini(struct form *f)
{
	buf_fini(&f->text);
	f->n = 0;
}

struct slice
form_get(const struct form *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (slice_eq(f->v[i].name, slice_str(name)))
			return f->v[i].value;
	return (struct slice){ 0 };
}

struct slice
cookie_get(struct slice header, const char *name)
{
	struct slice pair, key, value;

	while (header.len > 0) {
		slice_cut(header, ';', &pair, &header);
		if (slice_cut(slice_trim(pair), '=', &key, &value) && slice_eq(key, slice_str(name)))
			return value;
	}
	return (struct slice){ 0 };
}

void
form_add_value(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];

		if (ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '.' || c == '_')
			buf_add_char(out, c);
		else
			buf_addf(out, "%%%02X", (unsigned char)c);
	}
}
