#include "base/option.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"

static bool
is_text(const struct option *row)
{
	return row->type == OPTION_TEXT || row->type == OPTION_LIST;
}

static int64_t *
number_at(const struct option *row, void *struct_at)
{
	return (int64_t *)(void *)((char *)struct_at + row->offset);
}

static char **
text_at(const struct option *row, void *struct_at)
{
	return (char **)(void *)((char *)struct_at + row->offset);
}

static bool
same_name(const char *snake, struct slice name)
{
	size_t i = 0;

	for (; *snake != '\0'; snake++) {
		if (*snake == '_') {
			i += i < name.len && name.p[i] == '_';
			continue;
		}
		if (i >= name.len || ascii_lower(name.p[i]) != *snake)
			return false;
		i++;
	}
	return i == name.len;
}

const struct option *
option_find(const struct option *table, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (same_name(table[i].name, name))
			return &table[i];
	return NULL;
}

void
option_camel(const char *name, char out[static OPTION_NAME])
{
	size_t len = 0;
	bool upper = true;

	for (; *name != '\0' && len + 1 < OPTION_NAME; name++) {
		if (*name == '_') {
			upper = true;
			continue;
		}
		out[len++] = upper && ascii_is_alpha(*name) ? (char)(*name - 'a' + 'A') : *name;
		upper = false;
	}
	out[len] = '\0';
}

/* The index of VALUE among "a|b|c"; -1 when it is not there. */
static int64_t
word_index(const char *words, struct slice value)
{
	struct slice rest = slice_str(words), word;

	for (int64_t i = 0; rest.len > 0; i++) {
		slice_cut(rest, '|', &word, &rest);
		if (slice_ieq(word, value))
			return i;
	}
	return -1;
}

/* "a c" or "a,c" of "a|b|c" as a mask; a new value replaces the old one. */
static int
parse_set(const char *words, struct slice value, int64_t *out)
{
	int64_t mask = 0, i;
	size_t at = 0;

	if (slice_ieq(value, SLICE("none"))) {
		*out = 0;
		return 0;
	}
	while (at < value.len) {
		size_t from = at;

		while (at < value.len && !ascii_is_space(value.p[at]) && value.p[at] != ',')
			at++;
		i = word_index(words, slice_make(value.p + from, at - from));
		if (at > from && i < 0)
			return -1;
		mask |= at > from ? INT64_C(1) << i : 0;
		at++;
	}
	*out = mask;
	return mask == 0 ? -1 : 0;
}

static int
parse_size(struct slice value, int64_t *out)
{
	static const char units[] = "kmgt";
	const char *unit;
	uint64_t n;
	int shift = 0;

	if (value.len > 1 && (unit = strchr(units, ascii_lower(value.p[value.len - 1]))) != NULL &&
	    *unit != '\0') {
		shift = 10 * (int)(unit - units + 1);
		value.len--;
	}
	if (slice_u64(value, &n) == -1 || n > (UINT64_C(1) << 62) >> shift)
		return -1;
	*out = (int64_t)(n << shift);
	return 0;
}

static int
parse_bool(struct slice value, int64_t *out)
{
	if (slice_ieq(value, SLICE("yes")) || slice_ieq(value, SLICE("on")))
		*out = 1;
	else if (slice_ieq(value, SLICE("no")) || slice_ieq(value, SLICE("off")))
		*out = 0;
	else
		return -1;
	return 0;
}

static int
parse_int(struct slice value, int64_t *out)
{
	uint64_t n;

	if (slice_u64(value, &n) == -1 || n > INT64_MAX)
		return -1;
	*out = (int64_t)n;
	return 0;
}

static int
parse_number(const struct option *row, struct slice value, int64_t *out)
{
	switch (row->type) {
	case OPTION_SIZE: return parse_size(value, out);
	case OPTION_SPAN: return clock_parse_span(value, out);
	case OPTION_BOOL: return parse_bool(value, out);
	case OPTION_WORD: return (*out = word_index(row->words, value)) < 0 ? -1 : 0;
	case OPTION_SET: return parse_set(row->words, value, out);
	default: return parse_int(value, out);
	}
}

static bool
has_words(const struct option *row)
{
	return row->type == OPTION_WORD || row->type == OPTION_SET;
}

static int
set_number(const struct option *row, void *struct_at, struct slice value, char *why)
{
	static const char *const expected[] = {
		[OPTION_INT] = "a number", [OPTION_SIZE] = "a size such as 64k",
		[OPTION_SPAN] = "a time such as 30s, 12h or 7d", [OPTION_BOOL] = "yes or no",
		[OPTION_WORD] = "one of ", [OPTION_SET] = "none or some of ",
	};
	int64_t n;

	if (parse_number(row, value, &n) == -1) {
		snprintf(why, OPTION_WHY, "expected %s%s", expected[row->type], has_words(row) ? row->words : "");
		return -1;
	}
	if (!has_words(row) && row->type != OPTION_BOOL && (n < row->min || n > row->max)) {
		snprintf(why, OPTION_WHY, "must be from %" PRId64 " to %" PRId64 " %s", row->min,
		    row->max, row->unit);
		return -1;
	}
	*number_at(row, struct_at) = n;
	return 0;
}

/* Append the words of VALUE, each behind one space but the first of all. */
static void
add_words(struct buf *b, struct slice value)
{
	size_t at = 0;

	while (at < value.len) {
		size_t from = at;

		while (at < value.len && !ascii_is_space(value.p[at]))
			at++;
		if (at > from && b->len > 0)
			buf_add_char(b, ' ');
		buf_add(b, value.p + from, at - from);
		at++;
	}
}

/* Lists add up; the first value of a list replaces an empty default only. */
static int
set_text(const struct option *row, void *struct_at, struct slice value, char *why)
{
	char **at = text_at(row, struct_at);
	bool adds = row->type == OPTION_LIST && *at != NULL && **at != '\0' && value.len > 0;
	struct buf b;

	if (slice_find(value, '\0') < value.len) {
		snprintf(why, OPTION_WHY, "has a NUL byte");
		return -1;
	}
	buf_init(&b, (size_t)row->max);
	if (adds)
		buf_add_str(&b, *at);
	if (row->type == OPTION_LIST)
		add_words(&b, value);
	else
		buf_add_slice(&b, value);
	if (b.failed || buf_add(&b, "", 0) == -1) {
		snprintf(why, OPTION_WHY, "is longer than %" PRId64 " bytes", row->max);
		buf_fini(&b);
		return -1;
	}
	free(*at);
	*at = b.p;
	return 0;
}

int
option_set(const struct option *row, void *struct_at, struct slice value, char why[static OPTION_WHY])
{
	return is_text(row) ? set_text(row, struct_at, value, why) :
	    set_number(row, struct_at, value, why);
}

int
option_defaults(const struct option *table, size_t n, void *struct_at)
{
	char why[OPTION_WHY];

	for (size_t i = 0; i < n; i++)
		if (is_text(&table[i]))
			*text_at(&table[i], struct_at) = NULL;	/* option_fini() may follow a failure */
	for (size_t i = 0; i < n; i++) {
		if (option_set(&table[i], struct_at, slice_str(table[i].dflt), why) == 0)
			continue;
		assert(is_text(&table[i]));	/* else the table's own default is out of bounds */
		return -1;
	}
	return 0;
}

void
option_fini(const struct option *table, size_t n, void *struct_at)
{
	for (size_t i = 0; i < n; i++)
		if (is_text(&table[i])) {
			free(*text_at(&table[i], struct_at));
			*text_at(&table[i], struct_at) = NULL;
		} else
			*number_at(&table[i], struct_at) = 0;
}

/* "Name value", "name = value" or "name=value"; quotes around the value are taken off.  False when
 * there is no value, which is not the same as the empty text in quotes. */
static bool
split_line(struct slice line, struct slice *name, struct slice *value)
{
	size_t at = 0;

	while (at < line.len && !ascii_is_space(line.p[at]) && line.p[at] != '=')
		at++;
	*name = slice_head(line, at);
	*value = slice_trim(slice_skip(line, at));
	if (value->len > 0 && value->p[0] == '=')
		*value = slice_trim(slice_skip(*value, 1));
	if (value->len < 2 || value->p[0] != '"' || value->p[value->len - 1] != '"')
		return value->len > 0;
	*value = slice_make(value->p + 1, value->len - 2);
	return true;
}

/* The line without its comment: from a # that starts it or follows a blank, outside quotes. */
static struct slice
without_comment(struct slice line)
{
	bool quoted = false;

	for (size_t i = 0; i < line.len; i++) {
		if (line.p[i] == '"')
			quoted = !quoted;
		if (line.p[i] == '#' && !quoted && (i == 0 || ascii_is_space(line.p[i - 1])))
			return slice_head(line, i);
	}
	return line;
}

static void
parse_line(const struct option *table, size_t n, void *struct_at, const char *file, unsigned number,
    struct slice line, struct diag *diag)
{
	struct slice name, value, text = slice_trim(without_comment(line));
	const struct option *row;
	char why[OPTION_WHY];
	unsigned col;
	bool has_value;

	if (text.len == 0)
		return;
	has_value = split_line(text, &name, &value);
	col = (unsigned)(name.p - line.p) + 1;
	if ((row = option_find(table, n, name)) == NULL)
		diag_add(diag, DIAG_ERROR, file, number, col, "unknown option \"%.*s\"", SLICE_ARGS(name));
	else if (!has_value)
		diag_add(diag, DIAG_ERROR, file, number, col, "%.*s has no value", SLICE_ARGS(name));
	else if (option_set(row, struct_at, value, why) == -1)
		diag_add(diag, DIAG_ERROR, file, number, (unsigned)(value.p - line.p) + 1,
		    "%.*s \"%.*s\": %s", SLICE_ARGS(name), SLICE_ARGS(value), why);
}

int
option_parse(const struct option *table, size_t n, void *struct_at, const char *file, struct slice text,
    struct diag *diag)
{
	size_t before = diag->n_errors;
	struct slice line;

	for (unsigned number = 1; text.len > 0; number++) {
		slice_cut(text, '\n', &line, &text);
		parse_line(table, n, struct_at, file, number, line, diag);
	}
	return diag->n_errors > before ? -1 : 0;
}

static int
format_word(const struct option *row, int64_t index, struct buf *out)
{
	struct slice rest = slice_str(row->words), word = { 0 };

	for (int64_t i = 0; i <= index; i++)
		slice_cut(rest, '|', &word, &rest);
	return buf_add_slice(out, word);
}

static int
format_set(const struct option *row, int64_t mask, struct buf *out)
{
	struct slice rest = slice_str(row->words), word;
	bool first = true;

	for (int i = 0; rest.len > 0; i++) {
		slice_cut(rest, '|', &word, &rest);
		if ((mask >> i & 1) == 0)
			continue;
		if (!first)
			buf_add_char(out, ' ');
		buf_add_slice(out, word);
		first = false;
	}
	return first ? buf_add_str(out, "none") : out->failed ? -1 : 0;
}

int
option_format(const struct option *row, const void *struct_at, struct buf *out)
{
	const char *at = (const char *)struct_at + row->offset;
	int64_t n;

	if (is_text(row)) {
		const char *text;

		memcpy(&text, at, sizeof(text));
		return buf_add_str(out, text);
	}
	memcpy(&n, at, sizeof(n));
	if (row->type == OPTION_BOOL)
		return buf_add_str(out, n ? "yes" : "no");
	if (row->type == OPTION_WORD)
		return format_word(row, n, out);
	if (row->type == OPTION_SET)
		return format_set(row, n, out);
	return buf_addf(out, "%" PRId64, n);
}

/* "from 1 to 9 bytes", or the words, as a phrase. */
static void
add_bounds(const struct option *row, struct buf *out)
{
	if (row->type == OPTION_WORD)
		buf_addf(out, "one of %s", row->words);
	else if (row->type == OPTION_SET)
		buf_addf(out, "none or some of %s", row->words);
	else if (row->type == OPTION_BOOL)
		buf_add_str(out, "yes or no");
	else if (is_text(row))
		buf_addf(out, "%s, at most %" PRId64 " bytes", row->unit, row->max);
	else
		buf_addf(out, "%" PRId64 " to %" PRId64 " %s", row->min, row->max, row->unit);
}

int
option_sample(const struct option *table, size_t n, struct buf *out)
{
	char camel[OPTION_NAME];

	for (size_t i = 0; i < n; i++) {
		option_camel(table[i].name, camel);
		buf_addf(out, "%s# %s\n# (", i > 0 ? "\n" : "", table[i].help);
		add_bounds(&table[i], out);
		buf_addf(out, ")\n#%s %s\n", camel, *table[i].dflt != '\0' ? table[i].dflt : "\"\"");
	}
	return out->failed ? -1 : 0;
}

int
option_mdoc(const struct option *table, size_t n, struct buf *out)
{
	char camel[OPTION_NAME];

	buf_add_str(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < n; i++) {
		option_camel(table[i].name, camel);
		buf_addf(out, ".It Cm %s\n%s\nValue: ", camel, table[i].help);
		add_bounds(&table[i], out);
		if (*table[i].dflt != '\0')
			buf_addf(out, "; default %s.\n", table[i].dflt);
		else
			buf_add_str(out, "; empty by default.\n");
	}
	buf_add_str(out, ".El\n");
	return out->failed ? -1 : 0;
}
