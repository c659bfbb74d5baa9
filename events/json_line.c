#include "events/json_line.h"

/* Printable ASCII but for the quote and the backslash. */
static const bool plain[UINT8_MAX + 1] = { [' ' ... '"' - 1] = true, ['"' + 1 ... '\\' - 1] = true, ['\\' + 1 ... '~'] = true };

static size_t
plain_run(struct slice s)
{
	size_t n = 0;

	while (n < s.len && plain[(uint8_t)s.p[n]])
		n++;
	return n;
}

static void
add_shown(struct buf *b, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	const char text[] = { '\\', '\\', 'x', hex[c >> 4], hex[c & 15] };

	buf_add(b, text, sizeof(text));
}

static void
add_string(struct buf *b, struct slice s)
{
	buf_add_char(b, '"');
	while (s.len > 0) {
		size_t n = plain_run(s);

		buf_add(b, s.p, n);
		s = slice_skip(s, n);
		if (s.len == 0)
			break;
		n = utf8_sequence(s);
		if (n > 1 && !utf8_is_control(s, n)) {
			buf_add(b, s.p, n);
		} else if (*s.p == '"' || *s.p == '\\') {
			buf_add_char(b, '\\');
			buf_add_char(b, *s.p);
		} else {
			/* A C1 control has two bytes; both are shown. */
			n = n == 0 ? 1 : n;
			for (size_t i = 0; i < n; i++)
				add_shown(b, (unsigned char)s.p[i]);
		}
		s = slice_skip(s, n > 0 ? n : 1);
	}
	buf_add_char(b, '"');
}

/* How much of A and B, up to a dot, is the same. */
static size_t
common(struct slice a, struct slice b)
{
	size_t same = 0;

	if (a.len < b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0))
		return a.len;
	for (size_t i = 0; i < a.len && i < b.len && a.p[i] == b.p[i]; i++)
		if (a.p[i] == '.')
			same = i + 1;
	return same;
}

/* Close what is open beyond its first KEEP bytes. */
static void
close_to(struct json_line *j, size_t keep)
{
	for (size_t i = keep; i < j->open.len; i++)
		if (j->open.p[i] == '.') {
			buf_add_char(j->out, '}');
			j->comma = true;
		}
}

static void
add_key(struct json_line *j, struct slice key)
{
	struct buf *b = j->out;
	char *p;

	/* Every field has one: it is put together in place. */
	if (b->failed || buf_reserve(b, key.len + sizeof(",\"\":")) == -1)
		return;
	p = b->p + b->len;
	if (j->comma)
		*p++ = ',';
	*p++ = '"';
	memcpy(p, key.p, key.len);
	p += key.len;
	*p++ = '"';
	*p++ = ':';
	*p = '\0';
	b->len = (size_t)(p - b->p);
	j->comma = true;
}

/* Close and open objects so that PATH's last key is where the value goes. */
static void
go_to(struct json_line *j, struct slice path)
{
	size_t keep = common(j->open, path);
	struct slice rest = slice_skip(path, keep), key = rest;

	/* Mostly it is one more key of the object that is open. */
	if (keep == j->open.len && memchr(rest.p, '.', rest.len) == NULL) {
		add_key(j, rest);
		return;
	}
	close_to(j, keep);
	while (slice_cut(rest, '.', &key, &rest)) {
		add_key(j, key);
		buf_add_char(j->out, '{');
		j->comma = false;
	}
	j->open = slice_head(path, path.len - key.len);
	add_key(j, key);
}

void
json_line_begin(struct json_line *j, struct buf *out)
{
	*j = (struct json_line){ .out = out };
	buf_add_char(out, '{');
}

void
json_line_text(struct json_line *j, const char *path, struct slice text)
{
	go_to(j, slice_str(path));
	add_string(j->out, text);
}

void
json_line_number(struct json_line *j, const char *path, int64_t number)
{
	go_to(j, slice_str(path));
	buf_add_number(j->out, number);
}

void
json_line_list(struct json_line *j, const char *path, struct slice lines)
{
	struct slice line;
	bool comma = false;

	go_to(j, slice_str(path));
	buf_add_char(j->out, '[');
	while (lines.len > 0) {
		slice_cut(lines, '\n', &line, &lines);
		if (line.len == 0)
			continue;
		if (comma)
			buf_add_char(j->out, ',');
		add_string(j->out, line);
		comma = true;
	}
	buf_add_char(j->out, ']');
}

int
json_line_end(struct json_line *j)
{
	close_to(j, 0);
	buf_add(j->out, "}\n", 2);
	return j->out->failed ? -1 : 0;
}
