#include "alerts/alert_mail.h"

#include <errno.h>
#include <iconv.h>

enum { BOUNDARY_MAX = 70, HEX = 16, SIX_BITS = 6 };

/* One entity: a mail or a part. */
struct entity {
	struct slice	head, body;
};

/* While a mail is read. */
struct reader {
	struct buf	*out;
	unsigned	 parts;
	bool		 found;
	const char	*wrong;
};

/* ---- heads ---- */

/* The next line of *REST without its end. */
static struct slice
next_line(struct slice *rest)
{
	struct slice line;

	slice_cut(*rest, '\n', &line, rest);
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* The name of the field that LINE begins with: empty when it is none, or a URL. */
static struct slice
field_name(struct slice line)
{
	size_t colon = slice_find(line, ':');

	for (size_t i = 0; i < colon; i++)
		if ((unsigned char)(line.p[i] - '!') > '~' - '!')
			return slice_make(line.p, 0);
	if (colon == line.len || slice_starts(slice_skip(line, colon + 1), SLICE("//")))
		return slice_make(line.p, 0);
	return slice_head(line, colon);
}

static bool
is_folded(struct slice line)
{
	return line.len > 0 && (line.p[0] == ' ' || line.p[0] == '\t');
}

/* Cut TEXT into head and body.  An mbox's first line is no field. */
static struct entity
split(struct slice text)
{
	struct slice rest = text, line;

	if (slice_starts(rest, SLICE("From ")))
		next_line(&rest);
	text = rest;
	while (rest.len > 0) {
		struct slice before = rest;

		line = next_line(&rest);
		if (line.len == 0)
			return (struct entity){ slice_head(text, (size_t)(before.p - text.p)), rest };
		if (!is_folded(line) && field_name(line).len == 0)
			return (struct entity){ slice_head(text, (size_t)(before.p - text.p)), before };
	}
	return (struct entity){ text, slice_make(text.p + text.len, 0) };
}

/* The value of the field NAME, with its folded lines; empty without one. */
static struct slice
field(struct slice head, struct slice name)
{
	while (head.len > 0) {
		struct slice line = next_line(&head), start = line;

		while (is_folded(head))
			line = next_line(&head);
		if (slice_ieq(field_name(start), name))
			return slice_trim(slice_make(start.p + name.len + 1, (size_t)(line.p + line.len - start.p) - name.len - 1));
	}
	return slice_make("", 0);
}

/* The parameter NAME of a field's VALUE, RFC 2045 5.1: in quotes or not; empty without one. */
static struct slice
parameter(struct slice value, struct slice name)
{
	struct slice one, key, text;

	slice_cut(value, ';', NULL, &value);
	while (value.len > 0) {
		size_t end = 0;
		bool quoted = false;

		while (end < value.len && (quoted || value.p[end] != ';'))
			quoted ^= value.p[end++] == '"';
		one = slice_head(value, end);
		value = slice_skip(value, end + 1);
		if (!slice_cut(one, '=', &key, &text) || !slice_ieq(slice_trim(key), name))
			continue;
		text = slice_trim(text);
		if (text.len >= 2 && text.p[0] == '"' && text.p[text.len - 1] == '"')
			text = slice_make(text.p + 1, text.len - 2);
		return text;
	}
	return slice_make("", 0);
}

bool
alert_is_mail(struct slice text)
{
	static const char *const marks[] = { "Date", "Message-ID", "MIME-Version", "Received", "Return-Path", "Delivered-To" };
	struct slice head = split(slice_head(text, ALERT_MAIL_HEAD)).head;

	if (field(head, SLICE("From")).len == 0)
		return false;
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (field(head, slice_str(marks[i])).len > 0)
			return true;
	return false;
}

/* ---- codings ---- */

/* RFC 2045 6.7: "=XX", and a "=" at a line's end joins two. */
static void
undo_quoted(struct slice body, struct buf *out)
{
	while (body.len > 0) {
		struct slice line = next_line(&body);
		bool joined = false;

		while (line.len > 0 && (line.p[line.len - 1] == ' ' || line.p[line.len - 1] == '\t'))
			line.len--;
		for (size_t i = 0; i < line.len; i++) {
			int high = i + 2 < line.len ? ascii_hex(line.p[i + 1]) : -1;
			int low = high == -1 ? -1 : ascii_hex(line.p[i + 2]);

			joined = line.p[i] == '=' && i + 1 == line.len;
			if (joined)
				break;
			if (line.p[i] == '=' && low != -1) {
				buf_add_char(out, (char)(high * HEX + low));
				i += 2;
			} else
				buf_add_char(out, line.p[i]);
		}
		if (!joined)
			buf_add_char(out, '\n');
	}
}

static int
base64_value(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits);
}

/* RFC 2045 6.8: what is no digit is passed over, and padding ends it. */
static void
undo_base64(struct slice body, struct buf *out)
{
	uint32_t bits = 0;
	int n = 0;

	for (size_t i = 0; i < body.len && body.p[i] != '='; i++) {
		int value = base64_value(body.p[i]);

		if (value == -1)
			continue;
		bits = bits << SIX_BITS | (uint32_t)value;
		n += SIX_BITS;
		if (n >= 8) {
			n -= 8;
			buf_add_char(out, (char)(bits >> n & 0xff));
		}
	}
}

/* BYTES, of one of the character sets that are known, as UTF-8; others as they are. */
static void
add_text(struct slice set, struct slice bytes, struct buf *out)
{
	static const char *const sets[] = { "ISO-8859-1", "ISO-8859-15", "WINDOWS-1252", "ISO-8859-2", "ISO-8859-7", "WINDOWS-1253" };
	iconv_t cd = (iconv_t)-1;
	char space[4096], *from = (char *)(uintptr_t)bytes.p, *to;
	size_t left = bytes.len, room, r = 0;

	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++)
		if (slice_ieq(set, slice_str(sets[i])))
			cd = iconv_open("UTF-8", sets[i]);
	if (cd == (iconv_t)-1) {
		buf_add_slice(out, bytes);
		return;
	}
	while (left > 0) {
		to = space;
		room = sizeof(space);
		r = iconv(cd, &from, &left, &to, &room);
		buf_add(out, space, sizeof(space) - room);
		if (r == (size_t)-1 && errno != E2BIG && left > 0) {
			/* A byte that the set has not. */
			buf_add_char(out, '?');
			from++;
			left--;
		}
	}
	iconv_close(cd);
}

/* ---- parts ---- */

/* The body of E, which is a text. */
static void
take_text(struct reader *r, const struct entity *e, struct slice type)
{
	struct slice coding = field(e->head, SLICE("Content-Transfer-Encoding")), set = parameter(type, SLICE("charset"));
	struct buf plain;

	buf_init(&plain, r->out->max);
	if (slice_ieq(coding, SLICE("quoted-printable")))
		undo_quoted(e->body, &plain);
	else if (slice_ieq(coding, SLICE("base64")))
		undo_base64(e->body, &plain);
	else
		buf_add_slice(&plain, e->body);
	r->found = slice_trim(buf_slice(&plain)).len > 0;
	if (r->found)
		add_text(set, buf_slice(&plain), r->out);
	if (plain.failed || r->out->failed)
		r->wrong = "the mail's text is too long";
	buf_fini(&plain);
}

/* LINE is "--BOUNDARY", or with a second "--" behind it the last one. */
static bool
is_boundary(struct slice line, struct slice boundary, bool *last)
{
	if (!slice_starts(line, SLICE("--")) || !slice_starts(slice_skip(line, 2), boundary))
		return false;
	line = slice_skip(line, 2 + boundary.len);
	*last = slice_starts(line, SLICE("--"));
	return *last || slice_trim(line).len == 0;
}

/* The next part of *REST: false at the end.  What stands before the first boundary is none. */
static bool
next_part(struct slice *rest, struct slice boundary, struct slice *part, bool *ended)
{
	const char *start = rest->p;

	while (rest->len > 0 && !*ended) {
		const char *end = rest->p;
		struct slice line = next_line(rest);

		if (!is_boundary(line, boundary, ended))
			continue;
		/* The line's end before a boundary, which belongs to that, is left: blanks at the end of a text mean nothing. */
		*part = slice_make(start, (size_t)(end - start));
		return true;
	}
	*part = slice_make(start, (size_t)(rest->p - start));
	return !*ended && part->len > 0;
}

static void read_entity(struct reader *r, struct slice text, int depth);

static void
read_parts(struct reader *r, struct slice body, struct slice boundary, int depth)
{
	bool ended = false, first = true;
	struct slice part;

	if (boundary.len == 0 || boundary.len > BOUNDARY_MAX) {
		r->wrong = "the mail has parts, and no boundary between them";
		return;
	}
	while (!r->found && r->wrong == NULL && next_part(&body, boundary, &part, &ended)) {
		if (!first)
			read_entity(r, part, depth + 1);
		first = false;
	}
}

static void
read_entity(struct reader *r, struct slice text, int depth)
{
	struct entity e = split(text);
	struct slice type = field(e.head, SLICE("Content-Type")), kind;

	if (depth > ALERT_MAIL_DEPTH || ++r->parts > ALERT_MAIL_PARTS) {
		r->wrong = "the mail has too many parts, or parts within parts";
		return;
	}
	slice_cut(type, ';', &kind, NULL);
	kind = slice_trim(kind);
	if (kind.len == 0 || slice_ieq(kind, SLICE("text/plain")))
		take_text(r, &e, type);
	else if (slice_istarts(kind, SLICE("multipart/")))
		read_parts(r, e.body, parameter(type, SLICE("boundary")), depth);
	else if (slice_ieq(kind, SLICE("message/rfc822")))
		read_entity(r, e.body, depth + 1);
}

const char *
alert_mail_text(struct slice mail, struct buf *out)
{
	struct reader r = { .out = out };

	read_entity(&r, mail, 0);
	if (r.wrong != NULL)
		return r.wrong;
	return r.found ? NULL : "the mail has no text (text/plain) in it";
}
