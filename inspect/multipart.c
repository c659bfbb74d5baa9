#include "inspect/multipart.h"

#include <stdlib.h>

#include "base/buf.h"
#include "inspect/claims.h"

enum { DELIMITER_MAX = 2 + BOUNDARY_MAX, PENDING_MAX = 2 + DELIMITER_MAX, LINE_KEPT = DELIMITER_MAX + 16, NOT_SAID = -1 };

enum state {
	OUTSIDE,	/* in front of the first boundary, or behind the last */
	BEHIND,		/* a boundary, up to the end of its line */
	HEAD,
	BYTES,		/* of the part */
};

struct multipart {
	const struct multipart_sink	*sink;
	void				*arg;
	enum state			 state;
	bool				 stopped;
	enum unscannable		 fault;
	char				 delimiter[DELIMITER_MAX];	/* "--" and the boundary */
	size_t				 n_delimiter;

	char				 pending[PENDING_MAX];	/* the beginning of a line end and a delimiter */
	size_t				 n_pending;
	bool				 unreal;		/* the first of them was never sent: it stands for a line's beginning */

	size_t				 n_dashes;		/* BEHIND: right behind the boundary */
	bool				 blank, junk, cr;	/* BEHIND: blanks, something else; the last was a CR */
	bool				 any, met;		/* there were bytes; a boundary among them */
	int				 crlf;			/* lines of boundaries end in CRLF; NOT_SAID before the first has ended */

	char				 line[LINE_KEPT];	/* HEAD: the beginning of the line */
	size_t				 n_line;		/* its length, which may be more */
	struct buf			 head;
};

/* ---- parameters of a header's value ---- */

/* The end of the quoted string that S begins with, its closing quote included.  A backslash quotes only a quote or another one, for
 * there are clients that send paths with backslashes. */
static size_t
quoted_end(struct slice s)
{
	for (size_t i = 1; i < s.len; i++) {
		if (s.p[i] == '"')
			return i + 1;
		if (s.p[i] == '\\' && i + 1 < s.len && (s.p[i + 1] == '"' || s.p[i + 1] == '\\'))
			i++;
	}
	return s.len;
}

/* The next ";name=value" of *REST, as it stands there.  False when there is none. */
static bool
next_param(struct slice *rest, struct slice *name, struct slice *value)
{
	size_t at = 0, from, equals;

	while (at < rest->len && rest->p[at] != ';')
		at += rest->p[at] == '"' ? quoted_end(slice_skip(*rest, at)) : 1;
	if (at >= rest->len)
		return false;
	from = ++at;
	while (at < rest->len && rest->p[at] != ';')
		at += rest->p[at] == '"' ? quoted_end(slice_skip(*rest, at)) : 1;
	*value = slice_head(slice_skip(*rest, from), at - from);
	*rest = slice_skip(*rest, at);
	equals = slice_find(*value, '=');
	*name = slice_trim(slice_head(*value, equals));
	*value = slice_trim(slice_skip(*value, equals + 1));
	return true;
}

/* VALUE without its quotes into OUT, at most MAX bytes; how long it is. */
static size_t
unquote(struct slice value, char *out, size_t max)
{
	size_t n = 0, end = value.len;
	bool quoted = value.len > 0 && value.p[0] == '"';

	if (quoted && (end = quoted_end(value)) > 1 && value.p[end - 1] == '"')
		end--;
	for (size_t i = quoted ? 1 : 0; i < end; i++) {
		if (quoted && value.p[i] == '\\' && i + 1 < end && (value.p[i + 1] == '"' || value.p[i + 1] == '\\'))
			i++;
		if (n < max)
			out[n] = value.p[i];
		n++;
	}
	return n;
}

/* An extended value (RFC 8187 3.2), charset'language'text with %XX: its bytes into OUT; how many. */
static size_t
unescape(struct slice value, char *out, size_t max)
{
	size_t n = 0;

	slice_cut(value, '\'', NULL, &value);
	slice_cut(value, '\'', NULL, &value);
	for (size_t i = 0; i < value.len && n < max; i++) {
		int high = i + 2 < value.len ? ascii_hex(value.p[i + 1]) : -1, low = high == -1 ? -1 : ascii_hex(value.p[i + 2]);

		if (value.p[i] != '%' || low == -1)
			out[n++] = value.p[i];
		else {
			out[n++] = (char)(high << 4 | low);
			i += 2;
		}
	}
	return n;
}

/* Where servers would not agree on how the boundary VALUE is meant. */
static bool
is_odd_boundary(struct slice value)
{
	bool quoted = value.len > 0 && value.p[0] == '"';

	for (size_t i = quoted ? 1 : 0; i < value.len; i++) {
		char c = value.p[i];

		if ((unsigned char)c < ' ' || c == '\\' || (!quoted && (c == ',' || c == ' ' || c == '"')) ||
		    (quoted && c == '"' && (i + 1 < value.len || value.p[i - 1] == ' ')))
			return true;
	}
	return quoted && (value.len == 1 || value.p[value.len - 1] != '"');
}

struct multipart_boundary
multipart_boundary(struct slice type)
{
	struct multipart_boundary b = { 0 };
	struct slice name, value, whole = type;

	if (!slice_istarts(slice_trim(type), SLICE("multipart/")))
		return b;
	while (b.fault == UNSCANNABLE_NO && next_param(&type, &name, &value)) {
		if (!slice_ieq(name, SLICE("boundary")))
			continue;
		/* Of two, nobody knows which one counts; and some servers only look for the word. */
		if (b.len > 0 || is_odd_boundary(value) || slice_isearch(whole, SLICE("boundary")) != (size_t)(name.p - whole.p))
			b.fault = UNSCANNABLE_DAMAGED;
		b.len = unquote(value, b.text, BOUNDARY_MAX);
	}
	if (b.len == 0 || b.len > BOUNDARY_MAX)
		b.fault = UNSCANNABLE_DAMAGED;
	if (b.fault != UNSCANNABLE_NO)
		b.len = 0;
	return b;
}

/* ---- the head of a part ---- */

/* What is being read of it. */
struct reading {
	struct part_head	head;
	bool			has_disposition, has_transfer, has_type, two_types;
	int			rank;		/* of the name: filename* before filename before name */
	char			name[FINDING_NAME_MAX];
	struct slice		type;
};

static void
read_disposition(struct reading *r, struct slice value)
{
	struct slice name, text;

	r->head.disposition = value;
	while (next_param(&value, &name, &text)) {
		int rank = slice_ieq(name, SLICE("filename*")) ? 3 : slice_ieq(name, SLICE("filename")) ? 2 :
		    slice_ieq(name, SLICE("name")) ? 1 : 0;
		size_t n;

		if (rank <= r->rank)
			continue;
		r->rank = rank;
		n = rank == 3 ? unescape(text, r->name, sizeof(r->name)) : unquote(text, r->name, sizeof(r->name));
		r->head.name = slice_head(slice_make(r->name, sizeof(r->name)), n);
	}
}

static void
read_header(struct reading *r, struct slice line)
{
	struct slice name, value;

	if (!slice_cut(line, ':', &name, &value))
		return;
	name = slice_trim(name);
	if (slice_ieq(name, SLICE("Content-Disposition")) && !r->has_disposition) {
		r->has_disposition = true;
		read_disposition(r, slice_trim(value));
	} else if (slice_ieq(name, SLICE("Content-Type"))) {
		if (r->has_type)
			r->two_types = true;
		r->has_type = true;
		r->type = slice_trim(value);
	} else if (slice_ieq(name, SLICE("Content-Transfer-Encoding"))) {
		/* Of two, nobody knows which one counts. */
		if (r->has_transfer)
			r->head.codings.fault = UNSCANNABLE_CODING;
		r->has_transfer = true;
		codings_add_transfer(&r->head.codings, slice_trim(value));
	}
}

/* The next line of *TEXT with those that continue it (RFC 5322 2.2.3): line ends within it are blanks to whoever trims. */
static struct slice
next_header(struct slice *text)
{
	struct slice all = *text;
	size_t at = 0;

	do
		at += slice_find(slice_skip(all, at), '\n') + 1;
	while (at < all.len && (all.p[at] == ' ' || all.p[at] == '\t'));
	*text = slice_skip(all, at);
	return slice_head(all, at);
}

static bool
begin_part(struct multipart *m)
{
	struct slice text = buf_slice(&m->head);
	struct reading r = { .head.claims_file = false };

	while (text.len > 0)
		read_header(&r, next_header(&text));
	r.head.boundary = multipart_boundary(r.type);
	/* Of two, nobody knows which one counts. */
	if (r.two_types) {
		r.head.boundary.len = 0;
		r.head.boundary.fault = UNSCANNABLE_DAMAGED;
	}
	r.head.claims_file = claims_file(r.type, r.head.disposition) || (r.rank > 1 && is_file_name(r.head.name));
	buf_reset(&m->head);
	return m->sink->begin(m->arg, &r.head);
}

/* ---- the body ---- */

static void
damage(struct multipart *m)
{
	m->fault = UNSCANNABLE_DAMAGED;
}

/* As at the beginning of a line, although no line end was sent, or it belongs to something else. */
static void
at_line_begin(struct multipart *m, enum state state)
{
	m->state = state;
	m->pending[0] = '\n';
	m->n_pending = 1;
	m->unreal = true;
}

struct multipart *
multipart_new(const struct multipart_boundary *boundary, const struct multipart_sink *sink, void *arg)
{
	struct multipart *m = malloc(sizeof(*m));

	if (m == NULL)
		return NULL;
	*m = (struct multipart){ .sink = sink, .arg = arg, .delimiter = "--", .n_delimiter = 2 + boundary->len, .crlf = NOT_SAID };
	memcpy(m->delimiter + 2, boundary->text, boundary->len);
	buf_init(&m->head, PART_HEAD_MAX);
	at_line_begin(m, OUTSIDE);
	return m;
}

void
multipart_free(struct multipart *m)
{
	if (m == NULL)
		return;
	buf_fini(&m->head);
	free(m);
}

static void
emit(struct multipart *m, struct slice bytes)
{
	if (m->state == BYTES && bytes.len > 0 && !m->stopped && !m->sink->bytes(m->arg, bytes))
		m->stopped = true;
}

static void
end_part(struct multipart *m)
{
	if (!m->stopped && !m->sink->end(m->arg))
		m->stopped = true;
}

enum match { MATCH_NO, MATCH_PERHAPS, MATCH_YES };

/* S, which begins with CR or LF, begins with a line end and the delimiter; *LEN is then how long they are. */
static enum match
match(const struct multipart *m, struct slice s, size_t *len)
{
	size_t at = s.p[0] == '\r' ? 1 : 0, n;

	if (at == s.len)
		return MATCH_PERHAPS;
	if (s.p[at++] != '\n')
		return MATCH_NO;
	n = s.len - at < m->n_delimiter ? s.len - at : m->n_delimiter;
	if (memcmp(s.p + at, m->delimiter, n) != 0)
		return MATCH_NO;
	*len = at + n;
	return n == m->n_delimiter ? MATCH_YES : MATCH_PERHAPS;
}

static void
go_behind(struct multipart *m)
{
	m->state = BEHIND;
	m->n_pending = 0;
	m->n_dashes = 0;
	m->blank = m->junk = m->cr = false;
	m->met = true;
}

/* A delimiter, with the line end in front of it: CRLF, or a bare LF. */
static void
meet_delimiter(struct multipart *m, bool crlf, bool unreal)
{
	if (m->state == BYTES) {
		if (!unreal && m->crlf != NOT_SAID && m->crlf != crlf)
			damage(m);
		end_part(m);
	}
	go_behind(m);
}

/* One byte more behind what is pending; false when it was not taken. */
static bool
take_pending(struct multipart *m, char c)
{
	bool unreal = m->unreal;
	size_t len, n;

	m->pending[m->n_pending] = c;
	switch (match(m, slice_make(m->pending, m->n_pending + 1), &len)) {
	case MATCH_PERHAPS:
		m->n_pending++;
		return true;
	case MATCH_YES:
		meet_delimiter(m, m->pending[0] == '\r', unreal);
		return true;
	case MATCH_NO:
		break;
	}
	n = m->n_pending;
	m->n_pending = 0;
	m->unreal = false;
	emit(m, slice_make(m->pending + unreal, n - unreal));
	return false;
}

/* Bytes of a part or outside of one, up to a delimiter or the end of what there is; what is left. */
static struct slice
scan(struct multipart *m, struct slice bytes)
{
	size_t at = 0, len;

	while (at < bytes.len) {
		const char *lf = memchr(bytes.p + at, '\n', bytes.len - at);
		size_t begin = lf == NULL ? bytes.len - 1 : (size_t)(lf - bytes.p);

		at = begin + 1;
		if (lf == NULL && bytes.p[begin] != '\r')
			break;
		if (lf != NULL && begin > 0 && bytes.p[begin - 1] == '\r')
			begin--;
		switch (match(m, slice_skip(bytes, begin), &len)) {
		case MATCH_NO:
			break;
		case MATCH_PERHAPS:
			emit(m, slice_head(bytes, begin));
			m->n_pending = bytes.len - begin;
			memcpy(m->pending, bytes.p + begin, m->n_pending);
			m->unreal = false;
			return (struct slice){ 0 };
		case MATCH_YES:
			emit(m, slice_head(bytes, begin));
			meet_delimiter(m, bytes.p[begin] == '\r', false);
			return slice_skip(bytes, begin + len);
		}
	}
	emit(m, bytes);
	return (struct slice){ 0 };
}

/* One byte of the line behind a delimiter (RFC 2046: "--" when it is the last one, then blanks). */
static void
take_behind(struct multipart *m, char c)
{
	if (c == '\n') {
		m->crlf = m->crlf == NOT_SAID ? m->cr : m->crlf;
		if (m->junk || m->n_dashes == 1)
			damage(m);
		m->state = HEAD;
		m->n_line = 0;
		return;
	}
	if (c == '-' && !m->junk && !m->blank) {
		if (++m->n_dashes == 2)
			m->state = OUTSIDE;
		return;
	}
	m->cr = c == '\r';
	m->blank = m->blank || c == ' ' || c == '\t' || c == '\r';
	m->junk = m->junk || !ascii_is_space(c);
}

static void
take_behind_all(struct multipart *m, struct slice bytes)
{
	for (size_t i = 0; i < bytes.len && m->state == BEHIND; i++)
		take_behind(m, bytes.p[i]);
}

static void
end_head(struct multipart *m)
{
	if (m->head.failed) {
		damage(m);
		m->head.failed = false;
	}
	at_line_begin(m, BYTES);
	if (!begin_part(m))
		m->stopped = true;
}

/* One byte of a part's head. */
static void
take_head(struct multipart *m, char c)
{
	bool kept;
	struct slice line;

	if (m->n_line < LINE_KEPT)
		m->line[m->n_line] = c;
	m->n_line++;
	if (!m->head.failed)
		buf_add_char(&m->head, c);
	if (c != '\n')
		return;
	kept = m->n_line <= LINE_KEPT;
	line = slice_make(m->line, kept ? m->n_line : LINE_KEPT);
	m->n_line = 0;
	if (slice_eq(line, SLICE("\n")) || slice_eq(line, SLICE("\r\n")))
		end_head(m);
	else if (kept && slice_trim(line).len == 0)
		damage(m);	/* blanks alone: for some the end of the head, for others a line of it */
	else if (slice_starts(line, slice_make(m->delimiter, m->n_delimiter))) {
		/* There is no part, only the beginning of a head. */
		buf_reset(&m->head);
		go_behind(m);
		line = slice_skip(line, m->n_delimiter);
		take_behind_all(m, line);
		if (m->state == BEHIND)
			take_behind(m, '\n');
	}
}

void
multipart_push(struct multipart *m, struct slice bytes)
{
	m->any = m->any || bytes.len > 0;
	while (bytes.len > 0 && !m->stopped) {
		if (m->state == BEHIND || m->state == HEAD) {
			(m->state == BEHIND ? take_behind : take_head)(m, bytes.p[0]);
			bytes = slice_skip(bytes, 1);
		} else if (m->n_pending == 0)
			bytes = scan(m, bytes);
		else if (take_pending(m, bytes.p[0]))
			bytes = slice_skip(bytes, 1);
	}
}

void
multipart_end(struct multipart *m)
{
	if (m->stopped)
		return;
	/* Without its last boundary, or within a head: some take what there is, others do not. */
	if (m->state != OUTSIDE || (m->any && !m->met))
		damage(m);
	if (m->state == BYTES)
		end_part(m);
	m->stopped = true;
}

size_t
multipart_pending(const struct multipart *m)
{
	return m->state == BYTES && !m->stopped ? m->n_pending - m->unreal : 0;
}

enum unscannable
multipart_fault(const struct multipart *m)
{
	return m->fault;
}
