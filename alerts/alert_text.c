#include "alerts/alert_part.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FINDING_MAX = 1000, TAG_NAME_MAX = 10, TAG_MAX = 2000 };

/* The tags that a copied web page is made of.  Others ("<your name>") are left to be text. */
static const struct { struct slice name; bool block; } tags[] = {
	{ SLICE("a"), false }, { SLICE("b"), false }, { SLICE("body"), true }, { SLICE("br"), true },
	{ SLICE("code"), false }, { SLICE("div"), true }, { SLICE("em"), false }, { SLICE("font"), false },
	{ SLICE("h1"), true }, { SLICE("h2"), true }, { SLICE("h3"), true }, { SLICE("h4"), true },
	{ SLICE("head"), true }, { SLICE("hr"), true }, { SLICE("html"), true }, { SLICE("i"), false },
	{ SLICE("img"), false }, { SLICE("li"), true }, { SLICE("meta"), true }, { SLICE("ol"), true },
	{ SLICE("p"), true }, { SLICE("pre"), true }, { SLICE("span"), false }, { SLICE("strong"), false },
	{ SLICE("table"), true }, { SLICE("tbody"), true }, { SLICE("td"), true }, { SLICE("th"), true },
	{ SLICE("title"), true }, { SLICE("tr"), true }, { SLICE("u"), false }, { SLICE("ul"), true },
};

static bool
tag_known(struct slice name, bool *block)
{
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (slice_ieq(name, tags[i].name)) {
			*block = tags[i].block;
			return true;
		}
	return false;
}

/* The length of the tag that S begins with; 0 when it is none of those known. */
static size_t
tag_length(struct slice s, bool *block)
{
	size_t start = s.len > 1 && s.p[1] == '/' ? 2 : 1, i = start;

	while (i < s.len && i - start <= TAG_NAME_MAX && (ascii_is_alpha(s.p[i]) || ascii_is_digit(s.p[i])))
		i++;
	if (i == s.len || (!ascii_is_space(s.p[i]) && s.p[i] != '>' && s.p[i] != '/') ||
	    !tag_known(slice_make(s.p + start, i - start), block))
		return 0;
	for (; i < s.len && i < TAG_MAX && s.p[i] != '<'; i++)
		if (s.p[i] == '>')
			return i + 1;
	return 0;
}

/* Blank the tag of LEN bytes at P, all but what an href="..." holds: that is where a copied link really leads. */
static void
blank_tag(char *p, size_t len, bool block)
{
	size_t href = slice_isearch(slice_make(p, len), SLICE("href=\"")), from = len, to = len;

	if (href < len) {
		from = href + sizeof("href=\"") - 1;
		to = from + slice_find(slice_make(p + from, len - from), '"');
	}
	for (size_t i = 0; i < len; i++)
		if (i < from || i >= to)
			p[i] = ' ';
	if (block)
		p[0] = '\n';
}

/* How many bytes at S are to become blanks; 0 when the first is text. */
static size_t
blank_length(struct slice s, size_t *sequence)
{
	unsigned char c = (unsigned char)s.p[0];

	*sequence = utf8_sequence(s);
	if (*sequence == 0) {
		*sequence = 1;
		return c == 0xa0;	/* Latin-1's no-break space */
	}
	if (slice_starts(s, SLICE("&nbsp;")))
		return *sequence = sizeof("&nbsp;") - 1;
	if (slice_starts(s, SLICE("\xc2\xa0")) || slice_starts(s, SLICE("\xef\xbb\xbf")))
		return *sequence;
	return c == 0x7f || (c < ' ' && c != '\n' && c != '\t');
}

static void
text_clean(char *p, size_t len)
{
	size_t n, step;
	bool block = false;

	for (size_t i = 0; i < len; i += step) {
		struct slice rest = slice_make(p + i, len - i);

		if (p[i] == '<' && (n = tag_length(rest, &block)) > 0) {
			blank_tag(p + i, n, block);
			step = 1;	/* what an href left is cleaned like the rest */
			continue;
		}
		n = blank_length(rest, &step);
		if (p[i] == '\r' && (i + 1 == len || p[i + 1] != '\n'))
			p[i] = '\n';
		else
			memset(p + i, ' ', n);
	}
}

/* Where the lines of S begin; NULL without memory. */
static uint32_t *
line_starts(struct slice s, size_t *n)
{
	uint32_t *starts;

	*n = 1;
	for (size_t i = 0; i < s.len; i++)
		*n += s.p[i] == '\n';
	if ((starts = calloc(*n, sizeof(*starts))) == NULL)
		return NULL;
	for (size_t i = 0, line = 1; i < s.len; i++)
		if (s.p[i] == '\n')
			starts[line++] = (uint32_t)(i + 1);
	return starts;
}

int
alert_text_init(struct alert_text *t, const char *file, struct slice text, struct diag *diag)
{
	*t = (struct alert_text){ .file = file, .diag = diag };
	t->store = slice_dup(text);
	t->input_lines = line_starts(text, &t->n_input_lines);
	if (t->store == NULL || t->input_lines == NULL)
		return -1;
	text_clean(t->store, text.len);
	t->clean = slice_make(t->store, text.len);
	t->lines = line_starts(t->clean, &t->n_lines);
	return t->lines == NULL ? -1 : 0;
}

void
alert_text_fini(struct alert_text *t)
{
	free(t->store);
	free(t->lines);
	free(t->input_lines);
}

/* The last of N line starts that is not behind AT. */
static size_t
line_search(const uint32_t *starts, size_t n, size_t at)
{
	size_t low = 0, high = n;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (starts[middle] <= at)
			low = middle;
		else
			high = middle;
	}
	return low;
}

void
alert_finding(const struct alert_text *t, enum diag_level level, size_t at, const char *fmt, ...)
{
	size_t line = line_search(t->input_lines, t->n_input_lines, at);
	char text[FINDING_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_add(t->diag, level, t->file, (unsigned)line + 1, (unsigned)(at - t->input_lines[line]) + 1, "%s", text);
}

struct slice
alert_line(const struct alert_text *t, size_t i)
{
	size_t from = t->lines[i], to = i + 1 < t->n_lines ? t->lines[i + 1] - 1 : t->clean.len;

	return slice_make(t->clean.p + from, to - from);
}

/* Append the one character that S begins with, as UTF-8 and harmless.  Its length in S. */
static size_t
add_character(struct buf *out, struct slice s)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t n = utf8_sequence(s);

	if (n == 0) {
		buf_add_char(out, (char)(0xc0 | c >> 6));
		buf_add_char(out, (char)(0x80 | (c & 0x3f)));
		return 1;
	}
	if (n == 1 && ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f))
		buf_add_char(out, ' ');
	else
		buf_add(out, s.p, n);
	return n;
}

char *
alert_dup(struct slice s)
{
	struct buf out;
	size_t n;

	s = slice_trim(s);
	buf_init(&out, 2 * s.len + 1);
	if (buf_reserve(&out, s.len) == -1)
		return NULL;
	for (size_t i = 0; i < s.len; i += n) {
		n = add_character(&out, slice_skip(s, i));
		/* Blanks before a line end come from CRLF and from tags. */
		while (i + n < s.len && s.p[i + n] == '\n' && out.len > 0 && out.p[out.len - 1] == ' ')
			out.len--;
	}
	if (buf_add_char(&out, '\0') == -1) {
		buf_fini(&out);
		return NULL;
	}
	return out.p;
}

char *
alert_dup_line(struct slice s)
{
	char *copy = alert_dup(s);

	for (char *p = copy; p != NULL && *p != '\0'; p++)
		if (*p == '\n' || *p == '\t')
			*p = ' ';
	return copy;
}

/* How long LABEL is at the start of S, where any number of blanks may stand for its one; 0 when it does not stand
 * there. */
static size_t
label_length(struct slice s, struct slice label)
{
	size_t n = 0;

	for (size_t i = 0; i < label.len; i++, n++) {
		if (n == s.len || ascii_lower(s.p[n]) != ascii_lower(label.p[i]))
			return 0;
		while (label.p[i] == ' ' && n + 1 < s.len && s.p[n + 1] == ' ')
			n++;
	}
	return n;
}

bool
alert_label(struct slice s, struct slice label, struct slice *rest)
{
	size_t n = label_length(s, label);

	if (n == 0)
		return false;
	s = slice_trim(slice_skip(s, n));
	if (s.len == 0 || s.p[0] != ':')
		return false;
	*rest = slice_trim(slice_skip(s, 1));
	return true;
}
