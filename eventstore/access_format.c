#include "eventstore/access_format.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

enum { PIECES_MAX = 128, FORMAT_MAX = 16384, WIDTH_MAX = 1024, TIME_ARG = 128, MS = 1000, FORMATS = 2 };
enum { CIVIL_LEN = sizeof("23/Nov/2026:07:20:24 +0000") - 1, CIVIL_SHORT = sizeof("23/Nov/2026:07:20:24") - 1 };
enum { MINUTE_S = 60, HOUR_S = 3600 };

/* What is read of a field. */
enum field {
	FIELD_NONE, FIELD_URL, FIELD_HOST, FIELD_METHOD, FIELD_CLIENT, FIELD_USER, FIELD_SECONDS, FIELD_MILLIS, FIELD_LOCAL, FIELD_GMT,
	FIELD_SIZE, FIELD_HEAD_SIZE, FIELD_STATUS, FIELD_RESULT,
};

enum quoting { QUOTE_NONE, QUOTE_QUOTES, QUOTE_MIME, QUOTE_URL, QUOTE_SHELL, QUOTE_RAW };

/* A field, and the text that stands before it. */
struct piece {
	struct slice	 before;
	enum field	 field;
	enum quoting	 quoting;
	bool		 left, padded;
	unsigned	 blanks;	/* that are within the value */
	unsigned	 col;		/* where its code begins, from 1 */
	char		 arg[TIME_ARG];
};

/* Pieces, of which those up to the last that is wanted are looked at. */
struct layout {
	char		*text;
	size_t		 n, wanted;
	struct slice	 tail;
	struct piece	 pieces[PIECES_MAX];
};

struct access_format {
	size_t		 n;		/* FORMATS when each line tells */
	struct layout	 layouts[FORMATS];
};

/* ---- codes ---- */

/* The codes of Squid 4 to 7 whose end must be known: letters that are text may follow.  The longest that fits is meant. */
static const struct code {
	const char	*name;
	enum field	 field;
} codes[] = {
	{ "ru", FIELD_URL }, { ">ru", FIELD_URL }, { "<ru", FIELD_NONE }, { "rm", FIELD_METHOD }, { ">rm", FIELD_METHOD },
	{ "<rm", FIELD_NONE }, { "rd", FIELD_HOST }, { ">rd", FIELD_HOST }, { "<rd", FIELD_NONE }, { "ssl::>sni", FIELD_NONE },
	{ ">a", FIELD_CLIENT }, { ">A", FIELD_CLIENT }, { "un", FIELD_USER }, { "ul", FIELD_USER }, { "ue", FIELD_USER },
	{ "ts", FIELD_SECONDS }, { "tu", FIELD_MILLIS }, { "tl", FIELD_LOCAL }, { "tg", FIELD_GMT }, { "<st", FIELD_SIZE },
	{ "<sh", FIELD_HEAD_SIZE }, { ">Hs", FIELD_STATUS }, { "Hs", FIELD_STATUS }, { "<Hs", FIELD_NONE },
	{ "tr", FIELD_NONE }, { "dt", FIELD_NONE }, { "tS", FIELD_NONE }, { "<a", FIELD_NONE }, { "<A", FIELD_NONE },
	{ ">p", FIELD_NONE }, { "<p", FIELD_NONE }, { "<pt", FIELD_NONE }, { "<tt", FIELD_NONE }, { "la", FIELD_NONE },
	{ "lp", FIELD_NONE }, { ">la", FIELD_NONE }, { ">lp", FIELD_NONE }, { "<la", FIELD_NONE }, { "<lp", FIELD_NONE },
	{ ">eui", FIELD_NONE }, { "ui", FIELD_NONE }, { "us", FIELD_NONE }, { "Ss", FIELD_RESULT }, { "Sh", FIELD_NONE },
	{ "mt", FIELD_NONE }, { "st", FIELD_NONE }, { ">st", FIELD_NONE }, { ">sh", FIELD_NONE }, { "<bs", FIELD_NONE },
	{ "rv", FIELD_NONE }, { ">rv", FIELD_NONE }, { "<rv", FIELD_NONE }, { "rs", FIELD_NONE }, { ">rs", FIELD_NONE },
	{ "<rs", FIELD_NONE }, { "rp", FIELD_NONE }, { ">rp", FIELD_NONE }, { "<rp", FIELD_NONE }, { "rP", FIELD_NONE },
	{ ">rP", FIELD_NONE }, { "<rP", FIELD_NONE }, { "rG", FIELD_NONE }, { ">h", FIELD_NONE }, { ">ha", FIELD_NONE },
	{ "<h", FIELD_NONE }, { "et", FIELD_NONE }, { "ea", FIELD_NONE }, { "sn", FIELD_NONE }, { "err_code", FIELD_NONE },
	{ "err_detail", FIELD_NONE }, { "note", FIELD_NONE }, { "credentials", FIELD_NONE }, { "busy_time", FIELD_NONE },
	{ "master_xaction", FIELD_NONE },
};

static bool
is_of_name(char c)
{
	return ascii_is_alpha(c) || c == '_';
}

/* The length of the code that REST begins with, and what it is; an unknown one ends with its letters.  0 when there is none. */
static size_t
find_code(struct slice rest, enum field *field)
{
	size_t longest = 0, n = 0;

	*field = FIELD_NONE;
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		struct slice name = slice_str(codes[i].name);

		if (name.len > longest && slice_starts(rest, name)) {
			longest = name.len;
			*field = codes[i].field;
		}
	}
	if (longest > 0)
		return longest;
	while (n < rest.len && (is_of_name(rest.p[n]) || rest.p[n] == ':' || (rest.p[n] == '<' || rest.p[n] == '>')))
		n++;
	/* "%icap::<st/": a colon or a bracket at its end is text. */
	while (n > 0 && !is_of_name(rest.p[n - 1]))
		n--;
	return n;
}

/* ---- a format ---- */

struct parse {
	struct layout	*layout;
	struct slice	 text;		/* all of it */
	size_t		 at;
	enum quoting	 around;	/* what codes without a mark of their own are quoted by: '"' and '[' of the text decide */
	struct buf	 literal;
	struct diag	*diag;
};

static int
refuse(const struct parse *p, size_t at, const char *why)
{
	diag_add(p->diag, DIAG_ERROR, "logformat", 1, (unsigned)at + 1, "%s", why);
	return -1;
}

static char
next_char(const struct parse *p)
{
	return p->at < p->text.len ? p->text.p[p->at] : '\0';
}

/* A character of the text itself. */
static void
take_literal(struct parse *p)
{
	char c = p->text.p[p->at++];

	if (c == '"' && p->around != QUOTE_MIME)
		p->around = p->around == QUOTE_NONE ? QUOTE_QUOTES : QUOTE_NONE;
	else if (c == '[' && p->around == QUOTE_NONE)
		p->around = QUOTE_MIME;
	else if (c == ']' && p->around == QUOTE_MIME)
		p->around = QUOTE_NONE;
	buf_add_char(&p->literal, c);
}

static enum quoting
take_quoting(struct parse *p)
{
	static const char marks[] = "\"['#/";
	static const enum quoting meant[] = { QUOTE_QUOTES, QUOTE_MIME, QUOTE_RAW, QUOTE_URL, QUOTE_SHELL };
	const char *mark = next_char(p) == '\0' ? NULL : strchr(marks, next_char(p));

	if (mark == NULL)
		return p->around;
	p->at++;
	return meant[mark - marks];
}

/* Digits; how many characters a value has at least or at most.  -1 when that is more than anybody means. */
static int
take_width(struct parse *p, bool *any)
{
	unsigned width = 0;
	size_t from = p->at;

	for (; ascii_is_digit(next_char(p)); p->at++)
		if ((width = width * 10 + (unsigned)(next_char(p) - '0')) > WIDTH_MAX)
			return refuse(p, from, "the width is too large");
	*any = p->at > from && width > 1;
	return 0;
}

/* "{...}" into *ARG. */
static int
take_argument(struct parse *p, struct slice *arg)
{
	struct slice rest = slice_skip(p->text, p->at + 1);

	if (!slice_cut(rest, '}', arg, NULL))
		return refuse(p, p->at, "this '{' is not closed");
	p->at += arg->len + 2;
	return 0;
}

/* What a moment is written by, for strptime(); blanks of it are of the value. */
static int
set_time_argument(struct parse *p, struct piece *piece, struct slice arg)
{
	if (piece->field != FIELD_LOCAL && piece->field != FIELD_GMT)
		return 0;
	if (arg.len >= sizeof(piece->arg))
		return refuse(p, piece->col - 1, "the time's format is too long");
	memcpy(piece->arg, arg.p != NULL ? arg.p : "", arg.len);
	piece->arg[arg.len] = '\0';
	piece->blanks = arg.len == 0 && piece->field == FIELD_LOCAL;
	for (size_t i = 0; i < arg.len; i++) {
		piece->blanks += arg.p[i] == ' ';
		if (arg.p[i] == '%' && i + 1 < arg.len && strchr("cxXr+", arg.p[i + 1]) != NULL)
			return refuse(p, piece->col - 1, "a time that is written as the locale has it cannot be read");
	}
	return 0;
}

/* What stands between '%' and the code: marks, widths, and an argument. */
static int
take_modifiers(struct parse *p, struct piece *piece, struct slice *arg)
{
	bool least, most;

	piece->quoting = take_quoting(p);
	if (next_char(p) == '-') {
		piece->left = true;
		p->at++;
	}
	if (take_width(p, &least) == -1)
		return -1;
	if (next_char(p) == '.' && p->at + 1 < p->text.len && ascii_is_digit(p->text.p[p->at + 1])) {
		p->at++;
		if (take_width(p, &most) == -1)
			return -1;
	}
	piece->padded = least;
	return next_char(p) == '{' ? take_argument(p, arg) : 0;
}

/* The code behind a '%'. */
static int
take_code(struct parse *p)
{
	struct piece *piece = &p->layout->pieces[p->layout->n];
	struct slice arg = { 0 };
	size_t len;

	if (p->layout->n == PIECES_MAX)
		return refuse(p, p->at, "it has too many codes");
	*piece = (struct piece){ .col = (unsigned)p->at };
	if (take_modifiers(p, piece, &arg) == -1)
		return -1;
	if ((len = find_code(slice_skip(p->text, p->at), &piece->field)) == 0)
		return refuse(p, p->at, "a code is expected behind '%'");
	p->at += len;
	if (arg.p == NULL && next_char(p) == '{' && take_argument(p, &arg) == -1)
		return -1;
	if (set_time_argument(p, piece, arg) == -1)
		return -1;
	piece->before = slice_make(NULL, p->literal.len);
	p->layout->n++;
	return 0;
}

/* It has to be read: Squid's own word for the result is good to have. */
static bool
is_needed(const struct piece *piece)
{
	return piece->field != FIELD_NONE && piece->field != FIELD_RESULT;
}

/* A field of which nobody can tell where the next one begins is no good when one of the two is needed. */
static int
join_fields(struct parse *p)
{
	struct layout *l = p->layout;
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (i == 0 || l->pieces[i].before.len > 0) {
			l->pieces[n++] = l->pieces[i];
			continue;
		}
		if (is_needed(&l->pieces[n - 1]) || is_needed(&l->pieces[i]))
			return refuse(p, l->pieces[i].col - 1, "nothing stands between this code and the one before it, so nobody can tell where "
			    "it begins");
		l->pieces[n - 1].blanks += l->pieces[i].blanks;
		l->pieces[n - 1].field = FIELD_NONE;
	}
	l->n = n;
	return 0;
}

/* Of two fields that say the same the first is read; a host is not needed beside a URL. */
static void
drop_repeated(struct layout *l)
{
	unsigned seen = 0;

	for (size_t i = 0; i < l->n; i++)
		seen |= 1u << l->pieces[i].field;
	if (seen & 1u << FIELD_URL)
		for (size_t i = 0; i < l->n; i++)
			if (l->pieces[i].field == FIELD_HOST)
				l->pieces[i].field = FIELD_NONE;
	seen = 0;
	for (size_t i = 0; i < l->n; i++) {
		if (seen & 1u << l->pieces[i].field)
			l->pieces[i].field = FIELD_NONE;
		seen |= 1u << l->pieces[i].field;
		if (l->pieces[i].field != FIELD_NONE)
			l->wanted = i + 1;
	}
}

static bool
layout_has(const struct layout *l, enum field field)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->pieces[i].field == field)
			return true;
	return false;
}

/* The text is one string; each piece gets its part of it. */
static int
place_literals(struct parse *p, const size_t *ends)
{
	struct layout *l = p->layout;
	size_t from = 0;

	if (p->literal.failed || (l->text = slice_dup(buf_slice(&p->literal))) == NULL) {
		diag_error(p->diag, "out of memory");
		return -1;
	}
	for (size_t i = 0; i < l->n; i++) {
		l->pieces[i].before = slice_make(l->text + from, ends[i] - from);
		from = ends[i];
	}
	l->tail = slice_make(l->text + from, p->literal.len - from);
	return 0;
}

static int
parse_text(struct parse *p)
{
	size_t ends[PIECES_MAX];

	while (p->at < p->text.len) {
		if (p->text.p[p->at] != '%') {
			take_literal(p);
		} else if (p->at + 1 < p->text.len && p->text.p[p->at + 1] == '%') {
			buf_add_char(&p->literal, '%');
			p->at += 2;
		} else {
			p->at++;
			if (take_code(p) == -1)
				return -1;
			ends[p->layout->n - 1] = p->literal.len;
		}
	}
	if (place_literals(p, ends) == -1 || join_fields(p) == -1)
		return -1;
	drop_repeated(p->layout);
	if (!layout_has(p->layout, FIELD_URL) && !layout_has(p->layout, FIELD_HOST))
		return refuse(p, 0, "it does not say what was asked for: %ru, %>ru, %rd or %>rd");
	return 0;
}

static int
layout_parse(struct layout *l, struct slice text, struct diag *diag)
{
	struct parse p = { .layout = l, .text = text, .diag = diag };
	int r;

	buf_init(&p.literal, FORMAT_MAX);
	r = text.len > FORMAT_MAX ? refuse(&p, FORMAT_MAX, "it is too long") : parse_text(&p);
	buf_fini(&p.literal);
	return r;
}

/* ---- making one ---- */

#define FORMAT_SQUID	"%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt"
/* Squid does not write this one by its own logformat: method and URL are not quoted, though they stand in quotes (5.7, measured),
 * and "NONE/0.0" may be where HTTP is expected.  A URL has no blanks.  What combined has behind it nobody reads. */
#define FORMAT_COMMON	"%>a %[ui %[un [%tl] \"%'rm %'ru %'rv\" %>Hs %<st %Ss"

/* TEXT without the "logformat NAME" of squid.conf; *CUT is how much that was. */
static struct slice
without_directive(struct slice text, size_t *cut)
{
	struct slice rest = text;

	*cut = 0;
	if (!slice_starts(text, SLICE("logformat ")))
		return text;
	rest = slice_skip(rest, sizeof("logformat ") - 1);
	while (rest.len > 0 && ascii_is_space(rest.p[0]))
		rest = slice_skip(rest, 1);
	while (rest.len > 0 && !ascii_is_space(rest.p[0]))
		rest = slice_skip(rest, 1);
	while (rest.len > 0 && ascii_is_space(rest.p[0]))
		rest = slice_skip(rest, 1);
	*cut = text.len - rest.len;
	return rest;
}

struct access_format *
access_format_new(struct slice text, struct diag *diag)
{
	struct access_format *f = calloc(1, sizeof(*f));
	size_t cut;
	int r;

	if (f == NULL) {
		diag_error(diag, "out of memory");
		return NULL;
	}
	text = without_directive(slice_trim(text), &cut);
	f->n = text.len == 0 && cut == 0 ? FORMATS : 1;
	if (f->n == FORMATS)
		r = layout_parse(&f->layouts[0], SLICE(FORMAT_SQUID), diag) |
		    layout_parse(&f->layouts[1], SLICE(FORMAT_COMMON), diag);
	else if (slice_eq(text, SLICE("squid")))
		r = layout_parse(&f->layouts[0], SLICE(FORMAT_SQUID), diag);
	else if (slice_eq(text, SLICE("common")) || slice_eq(text, SLICE("combined")))
		r = layout_parse(&f->layouts[0], SLICE(FORMAT_COMMON), diag);
	else
		r = layout_parse(&f->layouts[0], text, diag);
	if (r == 0)
		return f;
	access_format_free(f);
	return NULL;
}

void
access_format_free(struct access_format *f)
{
	for (size_t i = 0; f != NULL && i < FORMATS; i++)
		free(f->layouts[i].text);
	free(f);
}

bool
access_format_has_time(const struct access_format *f)
{
	return layout_has(&f->layouts[0], FIELD_SECONDS) || layout_has(&f->layouts[0], FIELD_LOCAL) ||
	    layout_has(&f->layouts[0], FIELD_GMT);
}

/* ---- a line ---- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* How far TEXT goes in REST, which begins with it; 0 when it does not.  Blanks stand for one or more: values are padded. */
static size_t
match_literal(struct slice rest, struct slice text)
{
	size_t at = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (at == rest.len || rest.p[at] != text.p[i])
			return 0;
		at++;
		while (text.p[i] == ' ' && at < rest.len && rest.p[at] == ' ')
			at++;
		while (text.p[i] == ' ' && i + 1 < text.len && text.p[i + 1] == ' ')
			i++;
	}
	return at;
}

/* Where the value that REST begins with ends, by how it is quoted: where UNTIL stands first and *LEN is its length there; an empty
 * UNTIL is the line's end.  SIZE_MAX when it is not there. */
static size_t
find_end(struct slice rest, const struct piece *piece, struct slice until, size_t *len)
{
	unsigned blanks = piece->blanks;
	bool quoted = piece->quoting == QUOTE_QUOTES, shell = piece->quoting == QUOTE_SHELL && rest.len > 0 && rest.p[0] == '"';
	bool simple = !quoted && !shell && blanks == 0;

	*len = 0;
	if (until.len == 0)
		return rest.len;
	for (size_t i = 0; i < rest.len; i++) {
		if (simple) {
			const char *p = memchr(rest.p + i, until.p[0], rest.len - i);

			if (p == NULL)
				return SIZE_MAX;
			i = (size_t)(p - rest.p);
		}
		if (shell && i > 0 && rest.p[i] == '"') {
			shell = false;
			continue;
		}
		if ((quoted || shell) && rest.p[i] == '\\') {
			i++;
			continue;
		}
		if (shell || rest.p[i] != until.p[0])
			continue;
		if (blanks > 0 && is_blank(rest.p[i]))
			blanks--;
		else if ((*len = match_literal(slice_skip(rest, i), until)) > 0)
			return i;
		else
			while (rest.p[i] == ' ' && i + 1 < rest.len && rest.p[i + 1] == ' ')
				i++;	/* as it stands for all of them */
	}
	return SIZE_MAX;
}

/* "23/Nov/2026:07:20:24 +0000", as %tl is, or without the zone, as %tg is, in milliseconds; ACCESS_UNKNOWN. */
static int64_t
civil_ms(struct slice s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec", shape[] = "00/AAA/0000:00:00:00 +0000";
	static const unsigned char places[] = { 0, 7, 12, 15, 18, 22, 24 }, digits[] = { 2, 4, 2, 2, 2, 2, 2 };
	int n[sizeof(places)] = { 0 }, month = 0;
	int64_t seconds, zone;

	if (s.len != CIVIL_LEN && s.len != CIVIL_SHORT)
		return ACCESS_UNKNOWN;
	for (size_t i = 0; i < s.len; i++)
		if (shape[i] == '0' ? !ascii_is_digit(s.p[i]) : shape[i] == '+' ? s.p[i] != '+' && s.p[i] != '-' :
		    shape[i] != 'A' && s.p[i] != shape[i])
			return ACCESS_UNKNOWN;
	for (size_t i = 0; i < sizeof(places) && places[i] < s.len; i++)
		for (size_t k = 0; k < digits[i]; k++)
			n[i] = n[i] * 10 + (s.p[places[i] + k] - '0');
	while (month < 12 && memcmp(months + (ptrdiff_t)month * 3, s.p + 3, 3) != 0)
		month++;
	if (clock_civil(n[1], month + 1, n[0], n[2], n[3], n[4], &seconds) == -1)
		return ACCESS_UNKNOWN;
	zone = (int64_t)n[5] * HOUR_S + (int64_t)n[6] * MINUTE_S;
	return (seconds - (s.len == CIVIL_LEN && s.p[21] == '-' ? -zone : zone)) * MS;
}

/* The same of a moment that is written as PIECE's argument says. */
static int64_t
moment_ms(const struct piece *piece, struct slice s)
{
	char text[2 * TIME_ARG];
	struct tm tm = { .tm_isdst = -1 };
	const char *end;
	time_t seconds;
	long zone;

	if (piece->arg[0] == '\0')
		return civil_ms(s);
	if (s.len >= sizeof(text))
		return ACCESS_UNKNOWN;
	memcpy(text, s.p, s.len);
	text[s.len] = '\0';
	if ((end = strptime(text, piece->arg, &tm)) == NULL || *end != '\0')
		return ACCESS_UNKNOWN;
	zone = tm.tm_gmtoff;
	if (piece->field == FIELD_LOCAL && strstr(piece->arg, "%z") == NULL)
		seconds = mktime(&tm);
	else
		seconds = timegm(&tm) - zone;
	return seconds < 0 || seconds > CLOCK_LAST_S ? ACCESS_UNKNOWN : (int64_t)seconds * MS;
}

static int64_t
number(struct slice s, uint64_t most)
{
	uint64_t n;

	return slice_u64(s, &n) == 0 && n <= most ? (int64_t)n : ACCESS_UNKNOWN;
}

/* Undo backslashes (QUOTES, SHELL), or %XX where PERCENT; as it is when there is nothing to undo. */
static struct slice
unquote(struct slice s, const struct piece *piece, bool percent, struct buf *scratch)
{
	char mark = piece->quoting == QUOTE_QUOTES || piece->quoting == QUOTE_SHELL ? '\\' : '%';
	size_t from = scratch->len;

	if (piece->quoting == QUOTE_SHELL && s.len > 1 && s.p[0] == '"' && s.p[s.len - 1] == '"')
		s = slice_make(s.p + 1, s.len - 2);
	if (piece->quoting == QUOTE_RAW || (mark == '%' && !percent) || slice_find(s, mark) == s.len)
		return s;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (mark == '%' && c == '%' && i + 2 < s.len && ascii_hex(s.p[i + 1]) >= 0 && ascii_hex(s.p[i + 2]) >= 0) {
			c = (char)(ascii_hex(s.p[i + 1]) << 4 | ascii_hex(s.p[i + 2]));
			i += 2;
		} else if (mark == '\\' && c == '\\' && i + 1 < s.len) {
			c = s.p[++i];
			c = c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c;
		}
		if (buf_add_char(scratch, c) == -1)
			return s;
	}
	return slice_make(scratch->p + from, scratch->len - from);
}

static bool
is_dash(struct slice s)
{
	return s.len == 0 || slice_eq(s, SLICE("-"));
}

/* What a line has of seconds and of milliseconds, until both are known. */
struct moment {
	int64_t	seconds, millis;
};

static void
take_value(const struct piece *piece, struct slice s, struct buf *scratch, struct moment *m, struct access_entry *out)
{
	if (is_dash(s))
		return;
	switch (piece->field) {
	case FIELD_NONE:
		break;
	case FIELD_URL:
	case FIELD_HOST:
		out->url = unquote(s, piece, false, scratch);
		out->kind = piece->field == FIELD_HOST ? ACCESS_HOST : ACCESS_URL;
		break;
	case FIELD_METHOD:
		out->method = s;
		break;
	case FIELD_CLIENT:
		out->client = s;
		break;
	case FIELD_USER:
		out->user = unquote(s, piece, true, scratch);
		break;
	case FIELD_SECONDS:
		m->seconds = number(s, CLOCK_LAST_S);
		break;
	case FIELD_MILLIS:
		m->millis = number(s, MS - 1);
		break;
	case FIELD_LOCAL:
	case FIELD_GMT:
		out->time_ms = moment_ms(piece, s);
		break;
	case FIELD_SIZE:
		out->size = number(s, INT64_MAX);
		break;
	case FIELD_HEAD_SIZE:
		out->head_size = number(s, INT64_MAX);
		break;
	case FIELD_STATUS:
		out->status = s;
		break;
	case FIELD_RESULT:
		out->result = s;
		break;
	}
}

static struct slice
trim_blanks(struct slice s, bool front, bool end)
{
	while (front && s.len > 0 && is_blank(s.p[0]))
		s = slice_skip(s, 1);
	while (end && s.len > 0 && is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

static void
name_kind(struct access_entry *e)
{
	if (e->url.len == 0 || slice_starts(e->url, SLICE("error:")))
		e->kind = ACCESS_ERROR;
	else if (e->kind == ACCESS_URL && (slice_eq(e->method, SLICE("CONNECT")) || slice_search(e->url, SLICE("://")) == e->url.len))
		e->kind = ACCESS_CONNECT;
}

static bool
read_layout(const struct layout *l, struct slice line, struct buf *scratch, struct access_entry *out)
{
	struct moment m = { .seconds = ACCESS_UNKNOWN };
	size_t len = match_literal(line, l->pieces[0].before);

	*out = (struct access_entry){ .kind = ACCESS_ERROR, .time_ms = ACCESS_UNKNOWN, .size = ACCESS_UNKNOWN,
		.head_size = ACCESS_UNKNOWN };
	if (len == 0 && l->pieces[0].before.len > 0)
		return false;
	line = slice_skip(line, len);
	for (size_t i = 0; i < l->wanted; i++) {
		const struct piece *piece = &l->pieces[i];
		size_t end;

		line = trim_blanks(line, piece->padded && !piece->left, false);
		end = find_end(line, piece, i + 1 < l->n ? l->pieces[i + 1].before : l->tail, &len);
		/* What is cut off behind the last one that is wanted may be another format's. */
		if (end == SIZE_MAX && i + 1 == l->wanted && piece->quoting != QUOTE_QUOTES)
			end = line.len;
		if (end == SIZE_MAX)
			return false;
		take_value(piece, trim_blanks(slice_head(line, end), false, piece->padded), scratch, &m, out);
		line = slice_skip(line, end + len);
	}
	if (m.seconds != ACCESS_UNKNOWN)
		out->time_ms = m.seconds * MS + (m.millis == ACCESS_UNKNOWN ? 0 : m.millis);
	name_kind(out);
	return true;
}

/* Squid's own begins with seconds and a dot; nothing else that is tried does. */
static bool
is_squids(struct slice line)
{
	size_t i = 0;

	while (i < line.len && ascii_is_digit(line.p[i]))
		i++;
	return i > 0 && i + 1 < line.len && line.p[i] == '.' && slice_find(slice_skip(line, i + 1), ' ') == 3;
}

bool
access_format_read(const struct access_format *f, struct slice line, struct buf *scratch, struct access_entry *out)
{
	buf_reset(scratch);
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	if (f->n == 1)
		return read_layout(&f->layouts[0], line, scratch, out);
	if (is_squids(line))
		return read_layout(&f->layouts[0], line, scratch, out) && out->time_ms != ACCESS_UNKNOWN;
	return read_layout(&f->layouts[1], line, scratch, out) && out->time_ms != ACCESS_UNKNOWN;
}

enum url_error
access_entry_url(const struct access_entry *e, struct url *u)
{
	switch (e->kind) {
	case ACCESS_URL:
		return url_parse_request(u, e->url);
	case ACCESS_CONNECT:
	case ACCESS_HOST:
		return url_parse_authority(u, e->url);
	case ACCESS_ERROR:
		break;
	}
	return URL_NO_HOST;
}
