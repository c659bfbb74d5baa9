#include "ruleset/source_line.h"

void
source_line_init(struct source_line *line)
{
	line->n = 0;
	buf_init(&line->store, SOURCE_LINE_MAX + 1);
}

void
source_line_fini(struct source_line *line)
{
	buf_fini(&line->store);
}

/* Where the reading of a line stands. */
struct reader {
	struct source_line	*line;
	struct slice		 text;
	size_t			 at;
	const char		*file;
	unsigned		 number;
	struct diag		*diag;
};

static int
refuse(const struct reader *r, size_t at, const char *what)
{
	diag_add(r->diag, DIAG_ERROR, r->file, r->number, (unsigned)at + 1, "%s", what);
	return -1;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A source is text: valid UTF-8 without control characters. */
static int
check_bytes(const struct reader *r)
{
	for (size_t i = 0; i < r->text.len;) {
		unsigned char c = (unsigned char)r->text.p[i];
		size_t n = c < 0x80 ? 1 : utf8_sequence(slice_skip(r->text, i));

		if (n == 0)
			return refuse(r, i, "is not UTF-8");
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return refuse(r, i, "a control character");
		i += n;
	}
	return 0;
}

/* Undo one escape behind a backslash at R->at. */
static int
read_escape(struct reader *r)
{
	struct slice rest = slice_skip(r->text, r->at + 1);
	int high, low;

	if (rest.len > 0 && (rest.p[0] == '"' || rest.p[0] == '\\')) {
		r->at += 2;
		return buf_add_char(&r->line->store, rest.p[0]);
	}
	if (rest.len >= 3 && rest.p[0] == 'x' && (high = ascii_hex(rest.p[1])) >= 0 &&
	    (low = ascii_hex(rest.p[2])) >= 0 && high + low > 0) {
		r->at += 4;
		return buf_add_char(&r->line->store, (char)(high << 4 | low));
	}
	return refuse(r, r->at, "a backslash stands only before \", \\ and xHH");
}

/* The quoted text that begins at R->at.  STORE has room for a whole line, so that it never moves. */
static int
read_quoted(struct reader *r, struct slice *out)
{
	size_t start = r->at++, from = r->line->store.len;

	while (r->at < r->text.len && r->text.p[r->at] != '"') {
		if (r->text.p[r->at] == '\\') {
			if (read_escape(r) == -1)
				return -1;
		} else {
			buf_add_char(&r->line->store, r->text.p[r->at++]);
		}
	}
	if (r->at == r->text.len)
		return refuse(r, start, "the quote is not closed");
	r->at++;
	if (r->at < r->text.len && !is_blank(r->text.p[r->at]))
		return refuse(r, r->at, "expected a blank after the quote");
	*out = slice_make(r->line->store.p + from, r->line->store.len - from);
	return 0;
}

static int
read_bare(struct reader *r, bool after_key, struct slice *out)
{
	size_t start = r->at;

	while (r->at < r->text.len && !is_blank(r->text.p[r->at])) {
		if (r->text.p[r->at] == '"')
			return refuse(r, r->at, "a quote within a word");
		r->at++;
	}
	if (after_key && r->at == start)
		return refuse(r, start, "the key has no value; an empty one is \"\"");
	*out = slice_make(r->text.p + start, r->at - start);
	return 0;
}

/* Bytes of "key=" that TEXT begins with; keys are lower-case words, which may end in digits, so that a URL with a query is none. */
static size_t
key_len(struct slice text)
{
	size_t n = 0;

	while (n < text.len && ((text.p[n] >= 'a' && text.p[n] <= 'z') || (n > 0 && ascii_is_digit(text.p[n]))))
		n++;
	return n > 0 && n < text.len && text.p[n] == '=' ? n + 1 : 0;
}

static int
read_word(struct reader *r)
{
	struct word *w;
	size_t key;

	if (r->line->n == SOURCE_WORDS_MAX)
		return refuse(r, r->at, "too many words");
	w = &r->line->words[r->line->n++];
	w->col = (unsigned)r->at + 1;
	key = key_len(slice_skip(r->text, r->at));
	w->key = slice_make(r->text.p + r->at, key == 0 ? 0 : key - 1);
	r->at += key;
	w->value_col = (unsigned)r->at + 1;
	w->quoted = r->at < r->text.len && r->text.p[r->at] == '"';
	if (w->quoted)
		return read_quoted(r, &w->value);
	return read_bare(r, key > 0, &w->value);
}

int
source_line_split(struct source_line *line, const char *file, unsigned number, struct slice text, struct diag *diag)
{
	struct reader r = { line, text, 0, file, number, diag };

	line->n = 0;
	buf_reset(&line->store);
	if (text.len > 0 && text.p[text.len - 1] == '\r')
		r.text.len--;
	if (r.text.len > SOURCE_LINE_MAX)
		return refuse(&r, SOURCE_LINE_MAX, "the line is too long");
	if (check_bytes(&r) == -1)
		return -1;
	if (buf_reserve(&line->store, r.text.len + 1) == -1)
		return refuse(&r, 0, "out of memory");
	for (;;) {
		while (r.at < r.text.len && is_blank(r.text.p[r.at]))
			r.at++;
		if (r.at == r.text.len || r.text.p[r.at] == '#')
			return 0;
		if (read_word(&r) == -1)
			return -1;
	}
}

/* Nothing, and "q=" alone, would be read as a value that is missing. */
static bool
needs_quotes(struct slice value)
{
	if (key_len(value) == value.len || value.p[0] == '#')
		return true;
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if (c <= 0x20 || c == '"' || c == '\\' || c >= 0x7f)
			return true;
	}
	return false;
}

int
source_line_quote(struct slice value, struct buf *out)
{
	if (!needs_quotes(value))
		return buf_add_slice(out, value);
	buf_add_char(out, '"');
	while (value.len > 0) {
		unsigned char c = (unsigned char)value.p[0];
		size_t n = c >= 0x80 ? utf8_sequence(value) : 1;

		if (c == '"' || c == '\\')
			buf_addf(out, "\\%c", c);
		else if (n == 0 || c < 0x20 || c == 0x7f)
			buf_addf(out, "\\x%02x", c);
		else
			buf_add_slice(out, slice_head(value, n));
		value = slice_skip(value, n == 0 ? 1 : n);
	}
	return buf_add_char(out, '"');
}
