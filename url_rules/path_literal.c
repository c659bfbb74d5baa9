#include "url_rules/path_pattern.h"

/* The runs of plain bytes of a pattern while it is read, and the longest so far. */
struct runs {
	char	*best;
	size_t	 best_len;
	char	 run[PATTERN_MAX];
	size_t	 len;
};

static void
end_run(struct runs *r)
{
	if (r->len > r->best_len) {
		memcpy(r->best, r->run, r->len);
		r->best_len = r->len;
	}
	r->len = 0;
}

static size_t
glob_literal(struct slice glob, char out[static PATTERN_MAX])
{
	struct slice best = { 0 }, piece;
	bool more;

	do {
		more = slice_cut(glob, '*', &piece, &glob);
		if (piece.len > best.len)
			best = piece;
	} while (more);
	if (best.len > 0)
		memcpy(out, best.p, best.len);
	return best.len;
}

/* ---- regular expressions: what is not understood gives no literal ---- */

struct scanner {
	struct slice	text;
	size_t		at;
	bool		atom;		/* what stands left of AT can be repeated */
	struct runs	runs;
};

static int
peek(const struct scanner *s, size_t ahead)
{
	return ahead < s->text.len - s->at ? (unsigned char)s->text.p[s->at + ahead] : -1;
}

/* An escaped letter that takes nothing of what follows, and stands for no byte that is known. */
static bool
is_simple_escape(int c)
{
	return c > 0 && strchr("dDwWsShHvVbBAzZGKRXnrtfea", c) != NULL;
}

static bool
is_word(int c)
{
	return c >= 0x80 || ascii_is_alpha((char)c) || ascii_is_digit((char)c);
}

/* An escape at AT: a byte that stands for itself is its value, one of unknown bytes is 0; -1 when it is not understood. */
static int
skip_escape(struct scanner *s)
{
	int c = peek(s, 1);

	if (c == -1 || (is_word(c) && !is_simple_escape(c)))
		return -1;
	s->at += 2;
	return is_word(c) ? 0 : c;
}

/* An escape at AT of which only the end matters: \Q, \E and \c change how brackets behind them are read. */
static int
pass_escape(struct scanner *s)
{
	int c = peek(s, 1);

	if (c <= 0 || strchr("QEc", c) != NULL)
		return -1;
	s->at += 2;
	return 0;
}

/* The class whose '[' is at AT. */
static int
skip_class(struct scanner *s)
{
	s->at++;
	if (peek(s, 0) == '^')
		s->at++;
	if (peek(s, 0) == ']')
		s->at++;
	while (peek(s, 0) != ']') {
		if (peek(s, 0) == -1 || (peek(s, 0) == '[' && strchr(":.=", peek(s, 1)) != NULL))
			return -1;
		if (peek(s, 0) != '\\')
			s->at++;
		else if (pass_escape(s) == -1)
			return -1;
	}
	s->at++;
	return 0;
}

/* The group whose '(' is at AT, and all within.  Options and verbs change how the rest is read. */
static int
skip_group(struct scanner *s)
{
	size_t depth = 0;

	do {
		int c = peek(s, 0), r = 0;

		if (c == -1 || (c == '(' && peek(s, 1) == '*'))
			return -1;
		if (c == '(' && peek(s, 1) == '?' && (peek(s, 2) == -1 || strchr(":=!>|<'&P", peek(s, 2)) == NULL))
			return -1;
		if (c == '\\')
			r = pass_escape(s);
		else if (c == '[')
			r = skip_class(s);
		else
			s->at++;
		if (r == -1)
			return -1;
		depth += c == '(';
		depth -= c == ')';
	} while (depth > 0);
	return 0;
}

/* The quantifier at AT: what it repeats may be missing, but for '+'. */
static int
skip_quantifier(struct scanner *s)
{
	int c = peek(s, 0);

	if (!s->atom)
		return -1;
	if (c != '+' && s->runs.len > 0)
		s->runs.len--;
	s->at++;
	if (c == '{') {
		if (!ascii_is_digit((char)peek(s, 0)))
			return -1;
		while (ascii_is_digit((char)peek(s, 0)) || peek(s, 0) == ',')
			s->at++;
		if (peek(s, 0) != '}')
			return -1;
		s->at++;
	}
	if (peek(s, 0) == '?' || peek(s, 0) == '+')
		s->at++;
	s->atom = false;
	end_run(&s->runs);
	return 0;
}

static void
add_byte(struct scanner *s, int c)
{
	s->runs.run[s->runs.len++] = (char)c;
	s->atom = true;
}

/* What is no plain byte and has no bytes that are known. */
static int
skip_unknown(struct scanner *s, int c)
{
	int r = 0;

	end_run(&s->runs);
	if (c == '[')
		r = skip_class(s);
	else if (c == '(')
		r = skip_group(s);
	else
		s->at++;
	s->atom = c != '^' && c != '$';
	return r;
}

static int
scan_one(struct scanner *s)
{
	int c = peek(s, 0), escaped;

	switch (c) {
	case '|':
	case ')':
		return -1;
	case '*':
	case '+':
	case '?':
	case '{':
		return skip_quantifier(s);
	case '[':
	case '(':
	case '.':
	case '^':
	case '$':
		return skip_unknown(s, c);
	case '\\':
		if ((escaped = skip_escape(s)) == -1)
			return -1;
		if (escaped > 0)
			add_byte(s, escaped);
		else
			end_run(&s->runs);
		s->atom = true;
		return 0;
	default:
		s->at++;
		add_byte(s, c);
		return 0;
	}
}

static size_t
regex_literal(struct slice text, char out[static PATTERN_MAX])
{
	struct scanner s = { .text = slice_skip(text, 1), .runs.best = out };

	if (slice_starts(s.text, SLICE("(?i)")))
		s.at = strlen("(?i)");
	while (s.at < s.text.len)
		if (scan_one(&s) == -1)
			return 0;
	end_run(&s.runs);
	return s.runs.best_len;
}

size_t
pattern_literal(struct slice text, char out[static PATTERN_MAX])
{
	if (text.len > PATTERN_MAX)
		return 0;
	return pattern_is_regex(text) ? regex_literal(text, out) : glob_literal(text, out);
}
