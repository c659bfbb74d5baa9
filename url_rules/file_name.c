#include "url_rules/file_name.h"

#include "url_rules/percent.h"

enum { RAW_MAX = 3 * FILE_NAME_MAX, QUOTED_ROOM = 2 * RAW_MAX, LATIN1_SPLIT = 0x40 };

/* The end of S, at most MAX bytes of it. */
static struct slice
end_of(struct slice s, size_t max)
{
	return s.len > max ? slice_skip(s, s.len - max) : s;
}

/* The part of NAME behind the last folder. */
static struct slice
last_part(struct slice name)
{
	size_t at = name.len;

	while (at > 0 && name.p[at - 1] != '/' && name.p[at - 1] != '\\')
		at--;
	return slice_skip(name, at);
}

static bool
is_dropped(char c)
{
	return c == ' ' || c == '.' || c == '\t';
}

void
file_names_add(struct file_names *names, struct slice name)
{
	char *to;

	if (names->n == FILE_NAMES_MAX)
		return;
	name = last_part(name);
	while (name.len > 0 && is_dropped(name.p[name.len - 1]))
		name.len--;
	name = end_of(slice_trim(name), FILE_NAME_MAX);
	for (size_t i = 0; i < names->n; i++)
		if (slice_ieq(name, file_name_at(names, i)))
			return;
	if (name.len == 0)
		return;
	to = names->v[names->n].text;
	for (size_t i = 0; i < name.len; i++)
		to[i] = ascii_lower(name.p[i]);
	names->v[names->n++].len = (uint8_t)name.len;
}

/* Add NAME, percent-decoded. */
static void
add_decoded(struct file_names *names, struct slice name)
{
	char room[RAW_MAX];

	name = end_of(name, sizeof(room));
	if (name.len == 0)
		return;
	memcpy(room, name.p, name.len);
	file_names_add(names, slice_make(room, percent_decode(room, name.len)));
}

void
file_names_add_path(struct file_names *names, struct slice path)
{
	add_decoded(names, last_part(path));
}

/* ---- Content-Disposition ---- */

/* Take a quoted-string off REST, which begins with its quote, into OUT, of a long one the end: RFC 9110 5.6.4.  One that is not
 * closed ends with REST. */
static struct slice
take_quoted(struct slice *rest, char out[static QUOTED_ROOM])
{
	size_t n = 0, i = 1;

	for (; i < rest->len && rest->p[i] != '"'; i++) {
		if (rest->p[i] == '\\' && i + 1 < rest->len)
			i++;
		if (n == QUOTED_ROOM)
			memcpy(out, out + RAW_MAX, n -= RAW_MAX);
		out[n++] = rest->p[i];
	}
	*rest = slice_skip(*rest, i + 1);
	return slice_make(out, n);
}

/* Take "name=value" off REST, and the ";" behind it.  OUT is room for the value. */
static bool
take_parameter(struct slice *rest, struct slice *name, struct slice *value, char out[static QUOTED_ROOM])
{
	size_t i = 0;

	*rest = slice_trim(*rest);
	while (i < rest->len && rest->p[i] != '=' && rest->p[i] != ';')
		i++;
	*name = slice_trim(slice_head(*rest, i));
	*value = (struct slice){ 0 };
	if (i < rest->len && rest->p[i] == '=') {
		*rest = slice_trim(slice_skip(*rest, i + 1));
		if (rest->len > 0 && rest->p[0] == '"')
			*value = take_quoted(rest, out);
		else
			*value = slice_trim(slice_head(*rest, slice_find(*rest, ';')));
	}
	return slice_cut(*rest, ';', NULL, rest) || name->len > 0;
}

/* ISO-8859-1 as UTF-8. */
static void
add_latin1(struct file_names *names, struct slice decoded)
{
	char room[2 * RAW_MAX];
	size_t n = 0;

	for (size_t i = 0; i < decoded.len && n + 2 <= sizeof(room); i++) {
		unsigned char c = (unsigned char)decoded.p[i];

		if (c >= 0x80)
			room[n++] = (char)(0xc0 | c >> 6);
		room[n++] = c < 0x80 ? (char)c : (char)(0x80 | (c & (LATIN1_SPLIT - 1)));
	}
	file_names_add(names, slice_make(room, n));
}

/* charset'language'value (RFC 8187 3.2.1); one without the quotes is taken as UTF-8. */
static void
add_extended(struct file_names *names, struct slice value)
{
	struct slice charset, text;
	char room[RAW_MAX];

	if (!slice_cut(value, '\'', &charset, &text) || !slice_cut(text, '\'', NULL, &text)) {
		add_decoded(names, value);
		return;
	}
	text = end_of(text, RAW_MAX);
	if (!slice_ieq(charset, SLICE("ISO-8859-1")) || text.len == 0) {
		add_decoded(names, text);
		return;
	}
	memcpy(room, text.p, text.len);
	add_latin1(names, slice_make(room, percent_decode(room, text.len)));
}

/* Add what the parameters of VALUE say by RFC 6266. */
static void
add_parameters(struct file_names *names, struct slice value)
{
	struct slice name, text;
	char room[QUOTED_ROOM];

	/* "filename=x" without a type is not valid, and clients take it. */
	while (take_parameter(&value, &name, &text, room)) {
		if (slice_ieq(name, SLICE("filename*"))) {
			add_extended(names, text);
		} else if (slice_ieq(name, SLICE("filename"))) {
			file_names_add(names, text);
			add_decoded(names, text);
		}
	}
}

/* Add what programs that only look for the word find in VALUE (curl -J, wget): behind each ';', also one in quotes; up to the next
 * quote of the kind, ' as well, that it begins with; and a \ hides nothing. */
static void
add_plain(struct file_names *names, struct slice value)
{
	while (value.len > 0) {
		struct slice parameter, name, text;
		size_t skip = 0;

		slice_cut(value, ';', &parameter, NULL);
		while (skip < parameter.len && !ascii_is_alpha(parameter.p[skip]))
			skip++;
		slice_cut(slice_skip(parameter, skip), '=', &name, NULL);
		/* The value goes on behind a ';' that is in its quotes. */
		text = slice_trim(slice_skip(value, skip + name.len + 1));
		value = slice_skip(value, parameter.len + 1);
		if (!slice_ieq(slice_trim(name), SLICE("filename")))
			continue;
		if (text.len > 0 && (text.p[0] == '"' || text.p[0] == '\''))
			slice_cut(slice_skip(text, 1), text.p[0], &text, NULL);
		else
			slice_cut(text, ';', &text, NULL);
		file_names_add(names, text);
	}
}

void
file_names_add_disposition(struct file_names *names, struct slice value)
{
	add_parameters(names, value);
	add_plain(names, value);
}
