#include "events/json_line.h"

static void
add_shown(struct buf *b, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	const char text[] = { '\\', '\\', 'x', hex[c >> 4], hex[c & 15] };

	buf_add(b, text, sizeof(text));
}

/* A text in quotes: what is not plain is escaped, or shown. */
static void
add_escaped(struct buf *b, struct slice s)
{
	buf_add_char(b, '"');
	while (s.len > 0) {
		size_t plain = slice_plain(s), n;

		buf_add(b, s.p, plain);
		if ((s = slice_skip(s, plain)).len == 0)
			break;
		n = utf8_sequence(s);
		if (*s.p == '"' || *s.p == '\\') {
			buf_add_char(b, '\\');
			buf_add_char(b, *s.p);
		} else if (n > 0 && !utf8_is_control(s, n)) {
			buf_add(b, s.p, n);
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

static void
add_string(struct buf *b, struct slice s)
{
	char *p;

	if (slice_plain(s) < s.len) {
		add_escaped(b, s);
		return;
	}
	/* As nearly all are: it is put together in place. */
	if (buf_reserve(b, s.len + 2) == -1)
		return;
	p = b->p + b->len;
	*p++ = '"';
	if (s.len > 0)
		memcpy(p, s.p, s.len);
	p += s.len;
	*p++ = '"';
	*p = '\0';
	b->len += s.len + 2;
}

/* How much of A and B, whose objects end in dots, is the same. */
static size_t
common(struct slice a, struct slice b)
{
	size_t same = 0;

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
	if (buf_reserve(b, key.len + sizeof(",\"\":")) == -1)
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

/* Close and open objects so that those of PATH are open. */
static void
go_into(struct json_line *j, struct json_path path)
{
	size_t key = common(j->open, path.object);

	close_to(j, key);
	for (size_t i = key; i < path.object.len; i++)
		if (path.object.p[i] == '.') {
			add_key(j, slice_make(path.object.p + key, i - key));
			buf_add_char(j->out, '{');
			j->comma = false;
			key = i + 1;
		}
	j->open = path.object;
}

/* All up to the value that stands at PATH. */
static inline void
go_to(struct json_line *j, struct json_path path)
{
	/* Mostly it is one more key of the object that is open. */
	if (!slice_eq(j->open, path.object))
		go_into(j, path);
	add_key(j, path.key);
}

struct json_path
json_path(const char *path)
{
	const char *dot = strrchr(path, '.');
	size_t object = dot == NULL ? 0 : (size_t)(dot - path) + 1;

	return (struct json_path){ slice_make(path, object), slice_str(path + object) };
}

void
json_line_begin(struct json_line *j, struct buf *out)
{
	*j = (struct json_line){ .out = out };
	buf_add_char(out, '{');
}

void
json_line_text_at(struct json_line *j, struct json_path path, struct slice text)
{
	go_to(j, path);
	add_string(j->out, text);
}

void
json_line_number_at(struct json_line *j, struct json_path path, int64_t number)
{
	go_to(j, path);
	buf_add_number(j->out, number);
}

void
json_line_list_at(struct json_line *j, struct json_path path, struct slice lines)
{
	struct slice line;
	bool comma = false;

	go_to(j, path);
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

void
json_line_json_at(struct json_line *j, struct json_path path, struct slice json)
{
	go_to(j, path);
	buf_add_slice(j->out, json);
}

int
json_line_end(struct json_line *j)
{
	close_to(j, 0);
	buf_add(j->out, "}\n", 2);
	return j->out->failed ? -1 : 0;
}
