#include "url_rules/name_pattern.h"

#include <stdio.h>

#include "base/buf.h"

enum { COUNT_MAX = FILE_NAME_MAX };

static const struct { struct slice word; enum name_class class; } classes[] = {
	{ { "DIGIT", 5 }, NAME_DIGIT }, { { "ALPHA", 5 }, NAME_ALPHA }, { { "ALNUM", 5 }, NAME_ALNUM }, { { "HEX", 3 }, NAME_HEX },
	{ { "ANY", 3 }, NAME_ANY },
};

enum { CLASSES = sizeof(classes) / sizeof(*classes) };

/* Where the reading of a pattern stands. */
struct reader {
	struct slice		 text;
	size_t			 at;
	struct name_pattern	*out;
	char			*why;
	size_t			*where;
};

static int
refuse(const struct reader *r, size_t at, const char *what)
{
	snprintf(r->why, NAME_PATTERN_WHY, "%s", what);
	*r->where = at;
	return -1;
}

static int
add(struct reader *r, size_t at, struct name_item item)
{
	struct name_pattern *p = r->out;
	struct name_item *last = p->n > 0 ? &p->items[p->n - 1] : NULL;

	if (item.min == 0 && last != NULL && last->class == NAME_ANY && last->min == 0 && last->max == COUNT_MAX)
		return 0;
	if (p->n == NAME_PATTERN_ITEMS || p->min + item.min > FILE_NAME_MAX)
		return refuse(r, at, "no name is so long: 255 bytes are the most");
	p->items[p->n++] = item;
	p->min += item.min;
	p->max = p->max + item.max > FILE_NAME_MAX ? FILE_NAME_MAX : p->max + item.max;
	return 0;
}

static int
add_byte(struct reader *r, size_t at, char c)
{
	if (c == '/' || c == '\\')
		return refuse(r, at, "a file name has no / and no \\");
	return add(r, at, (struct name_item){ NAME_BYTE, (uint8_t)c, 1, 1 });
}

static int
read_escape(struct reader *r)
{
	struct slice rest = slice_skip(r->text, r->at + 1);
	int high = rest.len < 2 ? -1 : ascii_hex(rest.p[0]), low = rest.len < 2 ? -1 : ascii_hex(rest.p[1]);

	if (high < 0 || low < 0)
		return refuse(r, r->at, "a % stands before two hexadecimal digits; the byte itself is %25");
	r->at += 3;
	return add_byte(r, r->at - 3, (char)(high << 4 | low));
}

static int
read_count(struct slice text, uint8_t *out)
{
	uint64_t n;

	if (slice_u64(text, &n) == -1 || n > COUNT_MAX)
		return -1;
	*out = (uint8_t)n;
	return 0;
}

/* "3]" or "1-3]". */
static int
read_counts(struct slice text, struct name_item *out)
{
	struct slice least, most;

	if (!slice_ends(text, SLICE("]")))
		return -1;
	text.len--;
	if (!slice_cut(text, '-', &least, &most))
		most = least;
	return read_count(least, &out->min) == -1 || read_count(most, &out->max) == -1 || out->max == 0 || out->min > out->max ? -1 : 0;
}

/* "{DIGIT}", "{DIGIT[3]}" or "{DIGIT[1-3]}". */
static int
read_class(struct reader *r)
{
	size_t start = r->at, end = start + slice_find(slice_skip(r->text, start), '}');
	struct slice inner = slice_make(r->text.p + start + 1, end - start - 1), word, counts;
	struct name_item item = { .min = 1, .max = 1 };
	size_t i = 0;

	if (end == r->text.len)
		return refuse(r, start, "{ is not closed; the byte itself is %7B");
	if (slice_cut(inner, '[', &word, &counts) && read_counts(counts, &item) == -1)
		return refuse(r, start, "expected a number as in {DIGIT[3]}, or two as in {DIGIT[1-3]}, up to 255");
	while (i < CLASSES && !slice_ieq(word, classes[i].word))
		i++;
	if (i == CLASSES)
		return refuse(r, start, "expected {DIGIT}, {ALPHA}, {ALNUM}, {HEX} or {ANY}; the byte { itself is %7B");
	item.class = (uint8_t)classes[i].class;
	r->at = end + 1;
	return add(r, start, item);
}

static int
read_item(struct reader *r)
{
	char c = r->text.p[r->at];

	switch (c) {
	case '%':
		return read_escape(r);
	case '{':
		return read_class(r);
	case '}':
		return refuse(r, r->at, "} without {; the byte itself is %7D");
	case '*':
		return add(r, r->at++, (struct name_item){ NAME_ANY, 0, 0, COUNT_MAX });
	case '?':
		return add(r, r->at++, (struct name_item){ NAME_ANY, 0, 1, 1 });
	default:
		r->at++;
		return add_byte(r, r->at - 1, c);
	}
}

int
name_pattern_parse(struct slice text, struct name_pattern *out, char why[static NAME_PATTERN_WHY], size_t *at)
{
	struct reader r = { .text = text, .out = out, .why = why, .where = at };
	struct name_item *last;

	out->n = out->min = out->max = 0;
	*at = 0;
	if (text.len == 0)
		return refuse(&r, 0, "no file name");
	if (text.len > NAME_PATTERN_MAX)
		return refuse(&r, NAME_PATTERN_MAX, "is longer than 512 bytes");
	while (r.at < text.len)
		if (read_item(&r) == -1)
			return -1;
	last = &out->items[out->n - 1];
	if (last->class == NAME_BYTE && (last->byte == '.' || last->byte == ' '))
		return refuse(&r, text.len - 1, "no file name ends in a dot or a blank");
	return 0;
}

/* ---- canonical form ---- */

/* The sequence of UTF-8 that S begins with, of N bytes, stands for itself: rules are shown, and a control character acts on a
 * terminal.  N is 0 when there is none. */
static bool
is_plain(struct slice s, size_t n)
{
	return n > 0 && s.p[0] != ' ' && !utf8_is_control(s, n) && strchr("%*?{}\"#", s.p[0]) == NULL;
}

/* The bytes of the literal run that begins at item I, for looking at UTF-8. */
static size_t
literal_run(const struct name_pattern *p, size_t i, char out[static 4])
{
	size_t n = 0;

	for (; i < p->n && n < 4 && p->items[i].class == NAME_BYTE; i++)
		out[n++] = (char)p->items[i].byte;
	return n;
}

static void
put_class(const struct name_item *item, struct buf *out)
{
	size_t i = 0;

	if (item->class == NAME_ANY && item->min == 0 && item->max == COUNT_MAX) {
		buf_add_char(out, '*');
		return;
	}
	if (item->class == NAME_ANY && item->min == 1 && item->max == 1) {
		buf_add_char(out, '?');
		return;
	}
	while (classes[i].class != (enum name_class)item->class)
		i++;
	buf_add_char(out, '{');
	buf_add_slice(out, classes[i].word);
	if (item->min != item->max)
		buf_addf(out, "[%u-%u]", item->min, item->max);
	else if (item->min != 1)
		buf_addf(out, "[%u]", item->min);
	buf_add_char(out, '}');
}

int
name_pattern_format(const struct name_pattern *p, char out[static NAME_PATTERN_MAX], size_t *len)
{
	struct buf text;

	buf_init_in(&text, out, NAME_PATTERN_MAX, NAME_PATTERN_MAX);
	for (size_t i = 0; i < p->n;) {
		char run[4];
		size_t n = literal_run(p, i, run), sequence = utf8_sequence(slice_make(run, n));
		bool plain = is_plain(slice_make(run, n), sequence);

		if (n == 0)
			put_class(&p->items[i], &text);
		else if (plain)
			buf_add(&text, run, sequence);
		else
			buf_addf(&text, "%%%02X", (unsigned char)run[0]);
		i += plain ? sequence : 1;
	}
	*len = text.len;
	return text.failed ? -1 : 0;
}

size_t
name_pattern_literal(const struct name_pattern *p)
{
	size_t end = p->n, n = 0;

	for (size_t i = 0; i < p->n; i++)
		if (p->items[i].class == NAME_BYTE && p->items[i].byte == '.')
			end = i;
	for (size_t i = 0; i < end; i++)
		n += p->items[i].class == NAME_BYTE;
	return n;
}

/* ---- asking ---- */

enum { WORD = 64 };

static inline bool
is_none(struct name_places s)
{
	return (s.w[0] | s.w[1] | s.w[2] | s.w[3]) == 0;
}

static inline struct name_places
both(struct name_places a, struct name_places b)
{
	for (int i = 0; i < NAME_WORDS; i++)
		a.w[i] &= b.w[i];
	return a;
}

static inline struct name_places
either(struct name_places a, struct name_places b)
{
	for (int i = 0; i < NAME_WORDS; i++)
		a.w[i] |= b.w[i];
	return a;
}

/* S, each N places later; N is at most FILE_NAME_MAX. */
static inline struct name_places
later(struct name_places s, unsigned n)
{
	struct name_places out = { { 0 } };
	unsigned words = n / WORD, bits = n % WORD;

	for (unsigned i = words; i < NAME_WORDS; i++) {
		out.w[i] = s.w[i - words] << bits;
		if (bits > 0 && i > words)
			out.w[i] |= s.w[i - words - 1] >> (WORD - bits);
	}
	return out;
}

/* The same, earlier. */
static inline struct name_places
earlier(struct name_places s, unsigned n)
{
	struct name_places out = { { 0 } };
	unsigned words = n / WORD, bits = n % WORD;

	for (unsigned i = 0; i + words < NAME_WORDS; i++) {
		out.w[i] = s.w[i + words] >> bits;
		if (bits > 0 && i + words + 1 < NAME_WORDS)
			out.w[i] |= s.w[i + words + 1] << (WORD - bits);
	}
	return out;
}

/* From the first place of S to the last one there is. */
static struct name_places
onwards(struct name_places s)
{
	uint64_t before = 0;

	for (int i = 0; i < NAME_WORDS; i++) {
		uint64_t first = s.w[i] & -s.w[i];

		s.w[i] = before | (first == 0 ? 0 : -first);
		before = s.w[i] == 0 ? 0 : UINT64_MAX;
	}
	return s;
}

/* What is reached from S by N bytes, at least one, that are all IN: each N that stand together, found by doubling. */
static struct name_places
after(struct name_places s, struct name_places in, unsigned n)
{
	unsigned have = 1;

	for (; have * 2 <= n; have *= 2)
		in = both(in, earlier(in, have));
	if (have < n)
		in = both(in, earlier(in, n - have));
	return later(both(s, in), n);
}

/* What ITEM reaches from S; IN are the bytes of NAME that are of its class. */
static struct name_places
step(const struct name_item *item, const struct asked_name *name, struct name_places in, struct name_places s)
{
	unsigned rest = item->max - item->min;

	if (item->min > 0)
		s = after(s, in, item->min);
	if (item->class == NAME_ANY && item->max == COUNT_MAX)
		return both(onwards(s), either(in, name->end));
	/* Up to 1, 3, 7 ... bytes more, and then what is missing. */
	for (unsigned n = 1; rest > 0; n *= 2) {
		unsigned more = n < rest ? n : rest;

		s = either(s, after(s, in, more));
		rest -= more;
	}
	return s;
}

static inline void
put(struct name_places *s, size_t at)
{
	s->w[at / WORD] |= UINT64_C(1) << at % WORD;
}

void
name_ask(struct asked_name *out, struct slice name)
{
	uint8_t n = NAME_CLASSES;

	out->name = slice_head(name, FILE_NAME_MAX);
	memset(out->which, 0, sizeof(out->which));
	memset(out->in, 0, NAME_CLASSES * sizeof(*out->in));
	memset(&out->end, 0, sizeof(out->end));
	put(&out->end, out->name.len);
	for (size_t i = 0; i < out->name.len; i++) {
		char c = out->name.p[i];
		uint8_t *which = &out->which[(unsigned char)c];
		bool digit = ascii_is_digit(c), alpha = ascii_is_alpha(c);

		if (*which == 0) {
			*which = n++;
			memset(&out->in[*which], 0, sizeof(*out->in));
		}
		put(&out->in[*which], i);
		put(&out->in[NAME_ANY], i);
		if (digit)
			put(&out->in[NAME_DIGIT], i);
		if (alpha)
			put(&out->in[NAME_ALPHA], i);
		if (digit || alpha)
			put(&out->in[NAME_ALNUM], i);
		if (ascii_hex(c) >= 0)
			put(&out->in[NAME_HEX], i);
	}
}

/* The bytes at the end of ITEMS, which are cheap to compare, fit the end of NAME. */
static bool
ends_as(const struct name_item *items, size_t n_items, struct slice name)
{
	for (size_t at = name.len; n_items > 0 && items[n_items - 1].class == NAME_BYTE; n_items--, at--)
		if (at == 0 || ascii_lower((char)items[n_items - 1].byte) != name.p[at - 1])
			return false;
	return true;
}

bool
name_pattern_fits(const struct name_item *items, size_t n_items, const struct asked_name *name)
{
	struct name_places s = { { 1 } };

	if (!ends_as(items, n_items, name->name))
		return false;
	for (size_t i = 0; i < n_items; i++) {
		unsigned char c = (unsigned char)ascii_lower((char)items[i].byte);
		size_t which = items[i].class == NAME_BYTE ? name->which[c] : items[i].class;

		if (which == 0)
			return false;
		s = step(&items[i], name, name->in[which], s);
		if (is_none(s))
			return false;
	}
	return !is_none(both(s, name->end));
}
