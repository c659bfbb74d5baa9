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

/* C, of which N bytes in REST are one sequence of UTF-8, or 0, stands for itself. */
static bool
is_plain(unsigned char c, size_t n)
{
	return n > 1 || (c > ' ' && c < 0x7f && strchr("%*?{}\"#", c) == NULL);
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
		size_t n = literal_run(p, i, run), sequence = n > 0 ? utf8_sequence(slice_make(run, n)) : 0;

		if (n == 0)
			put_class(&p->items[i], &text);
		else if (is_plain((unsigned char)run[0], sequence))
			buf_add(&text, run, sequence);
		else
			buf_addf(&text, "%%%02X", (unsigned char)run[0]);
		i += n > 0 && is_plain((unsigned char)run[0], sequence) ? sequence : 1;
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

static bool
is_in(const struct name_item *item, char c)
{
	switch ((enum name_class)item->class) {
	case NAME_BYTE:
		return ascii_lower((char)item->byte) == c;
	case NAME_DIGIT:
		return ascii_is_digit(c);
	case NAME_ALPHA:
		return ascii_is_alpha(c);
	case NAME_ALNUM:
		return ascii_is_digit(c) || ascii_is_alpha(c);
	case NAME_HEX:
		return ascii_hex(c) >= 0;
	case NAME_ANY:
		return true;
	}
	return false;
}

/* Places in a name, from FIRST to LAST, that can be reached: before[i] of them lie before place i. */
struct places {
	size_t	first, last;
	uint8_t	here[FILE_NAME_MAX + 1];
};

/* TO is what ITEM reaches in NAME from FROM; false: nothing. */
static bool
step(const struct name_item *item, struct slice name, const struct places *from, struct places *to)
{
	size_t end = from->last + item->max < name.len ? from->last + item->max : name.len, run = 0;
	uint16_t before[FILE_NAME_MAX + 2];
	bool any = false;

	before[from->first] = 0;
	for (size_t at = from->first; at <= end; at++) {
		size_t span;

		before[at + 1] = (uint16_t)(before[at] + (at <= from->last && from->here[at]));
		run = at == from->first ? 0 : is_in(item, name.p[at - 1]) ? run + 1 : 0;
		span = run < item->max ? run : item->max;
		to->here[at] = span >= item->min && before[at - item->min + 1] > before[at - span];
		if (to->here[at]) {
			to->first = any ? to->first : at;
			to->last = at;
			any = true;
		}
	}
	return any;
}

/* The bytes at the end of ITEMS, which are cheap to compare, fit the end of NAME. */
static bool
ends_as(const struct name_item *items, size_t n_items, struct slice name)
{
	for (size_t at = name.len; n_items > 0 && items[n_items - 1].class == NAME_BYTE; n_items--, at--)
		if (at == 0 || !is_in(&items[n_items - 1], name.p[at - 1]))
			return false;
	return true;
}

bool
name_pattern_fits(const struct name_item *items, size_t n_items, struct slice name)
{
	struct places a, b, *from = &a, *to = &b, *other;

	if (name.len > FILE_NAME_MAX || !ends_as(items, n_items, name))
		return false;
	from->first = from->last = 0;
	from->here[0] = true;
	for (size_t i = 0; i < n_items; i++) {
		if (!step(&items[i], name, from, to))
			return false;
		other = from;
		from = to;
		to = other;
	}
	return from->last == name.len;
}
