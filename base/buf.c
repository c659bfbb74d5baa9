#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 256 };

void
buf_free(char *p)
{
	free(p);
}

int
buf_grow(struct buf *b, size_t len)
{
	size_t want, cap;
	char *p;

	if (b->failed || len > b->max - b->len)
		goto fail;
	want = b->len + len + 1;	/* the NUL */
	if (want <= b->cap)
		return 0;
	for (cap = b->cap > 0 ? b->cap : FIRST_CAPACITY; cap < want; )
		cap = cap > SIZE_MAX / 2 ? want : cap * 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	if ((p = realloc(b->lent ? NULL : b->p, cap)) == NULL)
		goto fail;
	if (b->lent)
		memcpy(p, b->p, b->len + 1);
	b->p = p;
	b->cap = cap;
	b->lent = false;
	return 0;
fail:
	b->failed = true;
	return -1;
}

size_t
decimal(uint64_t n, char out[static DIGITS_MAX])
{
	char digits[DIGITS_MAX];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	memcpy(out, digits + at, sizeof(digits) - at);
	return sizeof(digits) - at;
}

int
buf_add_number(struct buf *b, int64_t number)
{
	char text[1 + DIGITS_MAX] = "-";

	if (number >= 0 && number < 10)
		return buf_add_char(b, (char)('0' + number));
	if (number < 0)
		return buf_add(b, text, 1 + decimal(-(uint64_t)number, text + 1));
	return buf_add(b, text, decimal((uint64_t)number, text));
}

int
buf_add_strs(struct buf *b, ...)
{
	const char *s;
	va_list ap;
	size_t len;

	va_start(ap, b);
	while ((s = va_arg(ap, const char *)) != NULL && buf_reserve(b, len = strlen(s)) == 0) {
		memcpy(b->p + b->len, s, len + 1);	/* with the NUL */
		b->len += len;
	}
	va_end(ap);
	return b->failed ? -1 : 0;
}

int
buf_addf(struct buf *b, const char *fmt, ...)
{
	size_t room = b->failed ? 0 : b->cap - b->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room > 0 ? b->p + b->len : NULL, room, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < room) {
		b->len += (size_t)n;
		return 0;
	}
	if (room > 0)
		b->p[b->len] = '\0';
	if (n < 0 || buf_reserve(b, (size_t)n) == -1) {
		b->failed = true;
		return -1;
	}
	va_start(ap, fmt);
	vsnprintf(b->p + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

/* RFC 3629 section 4: no overlong forms, no surrogates, nothing above U+10FFFF. */
size_t
utf8_sequence(struct slice s)
{
	const unsigned char *u = (const unsigned char *)s.p;
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (s.len == 0)
		return 0;
	if (u[0] < 0x80)
		return 1;
	if (u[0] < 0xc2 || u[0] > 0xf4)
		return 0;
	n = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	if (u[0] == 0xe0)
		low = 0xa0;
	if (u[0] == 0xf0)
		low = 0x90;
	if (u[0] == 0xed)
		high = 0x9f;
	if (u[0] == 0xf4)
		high = 0x8f;
	if (s.len < n || u[1] < low || u[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (u[i] < 0x80 || u[i] > 0xbf)
			return 0;
	return n;
}

static const char *
html_reference(char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return NULL;
	}
}

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

bool
utf8_is_control(struct slice s, size_t n)
{
	return is_control(s.p[0]) || (n == 2 && s.p[0] == '\xc2' && (unsigned char)s.p[1] < 0xa0);
}

int
buf_add_html(struct buf *b, struct slice s)
{
	while (s.len > 0) {
		size_t run = slice_plain(s), n;
		const char *reference;

		buf_add(b, s.p, run);
		if ((s = slice_skip(s, run)).len == 0)
			break;
		n = utf8_sequence(s);
		reference = html_reference(s.p[0]);
		if (n == 0 || (utf8_is_control(s, n) && s.p[0] != '\t' && s.p[0] != '\n'))
			buf_add_str(b, "\xef\xbf\xbd");
		else if (reference != NULL)
			buf_add_str(b, reference);
		else
			buf_add(b, s.p, n);
		s = slice_skip(s, n > 0 ? n : 1);
	}
	return b->failed ? -1 : 0;
}

int
buf_add_escaped(struct buf *b, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		switch (c) {
		case '\t': buf_add_str(b, "\\t"); break;
		case '\r': buf_add_str(b, "\\r"); break;
		case '\n': buf_add_str(b, "\\n"); break;
		case '\\': buf_add_str(b, "\\\\"); break;
		default:
			if (is_control(c) || (unsigned char)c > 0x7e)
				buf_addf(b, "\\x%02x", (unsigned char)c);
			else
				buf_add_char(b, c);
		}
	}
	return b->failed ? -1 : 0;
}

/* The byte that the escape at the start of S stands for, and the escape's length in *N; -1 when bad. */
static int
unescape_one(struct slice s, size_t *n)
{
	int high, low;

	*n = 2;
	if (s.len < 2)
		return -1;
	switch (s.p[1]) {
	case 't': return '\t';
	case 'r': return '\r';
	case 'n': return '\n';
	case '\\': return '\\';
	case 'x': break;
	default: return -1;
	}
	if (s.len < 4 || (high = ascii_hex(s.p[2])) < 0 || (low = ascii_hex(s.p[3])) < 0)
		return -1;
	*n = 4;
	return high * 16 + low;
}

int
buf_add_unescaped(struct buf *b, struct slice s)
{
	while (s.len > 0) {
		size_t n = 1;
		int c = s.p[0] == '\\' ? unescape_one(s, &n) : (unsigned char)s.p[0];

		if (c < 0)
			return -1;
		buf_add_char(b, (char)c);
		s = slice_skip(s, n);
	}
	return b->failed ? -1 : 0;
}

int
buf_add_utf8(struct buf *b, struct slice s)
{
	while (s.len > 0) {
		size_t run = slice_plain(s), n;

		buf_add(b, s.p, run);
		if ((s = slice_skip(s, run)).len == 0)
			break;
		n = utf8_sequence(s);
		if (n == 0 || utf8_is_control(s, n)) {
			buf_addf(b, "\\x%02x", (unsigned char)s.p[0]);
			n = 1;
		} else
			buf_add(b, s.p, n);
		s = slice_skip(s, n);
	}
	return b->failed ? -1 : 0;
}

int
buf_make_utf8(struct buf *b, size_t begin)
{
	struct slice s = slice_skip(buf_slice(b), begin);
	char *copy;

	if (b->failed)
		return -1;
	if (slice_plain(s) == s.len)
		return 0;
	if ((copy = slice_dup(s)) == NULL) {
		b->failed = true;
		return -1;
	}
	b->len = begin;
	buf_add_utf8(b, slice_make(copy, s.len));
	free(copy);
	return b->failed ? -1 : 0;
}

bool
utf8_misleads(struct slice s, size_t n)
{
	static const char *const odd[] = {
		"\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaa",
		"\xe2\x80\xab", "\xe2\x80\xac", "\xe2\x80\xad", "\xe2\x80\xae", "\xe2\x81\xa6",
		"\xe2\x81\xa7", "\xe2\x81\xa8", "\xe2\x81\xa9", "\xef\xbb\xbf",
	};

	if (utf8_is_control(s, n))
		return true;
	if (n == 2)
		return memcmp(s.p, "\xd8\x9c", n) == 0;
	for (size_t i = 0; n == 3 && i < sizeof(odd) / sizeof(odd[0]); i++)
		if (memcmp(s.p, odd[i], n) == 0)
			return true;
	return false;
}
