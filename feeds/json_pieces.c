#include "feeds/json_pieces.h"

#include <inttypes.h>
#include <stdio.h>

/* What may come next. */
enum {
	AT_START,	/* the text, with or without a byte order mark */
	AT_VALUE,	/* a value, and nothing else */
	AT_FIRST,	/* the first value or key of what was entered, or its end */
	AT_KEY,		/* a key */
	AT_COLON,
	IN_VALUE,	/* the rest of a value, or of a key */
	AT_NEXT,	/* a comma, or the end of what was entered */
	AT_END,		/* nothing but blanks */
	BROKEN,
};

static const char mark[] = "\xef\xbb\xbf";	/* the byte order mark */

void
json_pieces_init(struct json_pieces *p, const struct json_reader *reader, void *arg)
{
	*p = (struct json_pieces){ .reader = reader, .arg = arg, .line = 1, .col = 1, .state = AT_START };
	buf_init(&p->text, JSON_PIECE_MAX);
}

void
json_pieces_fini(struct json_pieces *p)
{
	buf_fini(&p->text);
}

bool
json_pieces_at(const struct json_pieces *p, size_t level, const char *key)
{
	return level < p->n && strcmp(p->levels[level].key, key) == 0;
}

static unsigned
shown(uint64_t n)
{
	return n > UINT32_MAX ? UINT32_MAX : (unsigned)n;
}

static void
complain(struct json_pieces *p, uint64_t line, uint64_t col, const char *what)
{
	p->reader->bad(p->arg, shown(line), shown(col), what);
}

static void
break_off(struct json_pieces *p, const char *what)
{
	p->state = BROKEN;
	complain(p, p->line, p->col, what);
}

/* C was read. */
static void
count(struct json_pieces *p, char c)
{
	p->col++;
	if (c == '\n') {
		p->line++;
		p->col = 1;
	}
}

bool
json_pieces_broken(const struct json_pieces *p)
{
	return p->state == BROKEN;
}

/* ---- a piece that was taken ---- */

/* Where byte AT of the piece stands in the file. */
static void
place_of(const struct json_pieces *p, size_t at, uint64_t *line, uint64_t *col)
{
	*line = p->value_line;
	*col = p->value_col;
	/* What was dropped of a long string cannot be counted any more. */
	for (size_t i = 0; !p->cut && i < at && i < p->text.len; i++) {
		++*col;
		if (p->text.p[i] == '\n') {
			++*line;
			*col = 1;
		}
	}
}

/* The byte that is wrong: the library stands behind it when it is a mark or a word, and before it when it is none of a text. */
static size_t
error_at(const json_error_t *error)
{
	bool is_before = json_error_code(error) == json_error_invalid_utf8 ||
	    slice_starts(slice_str(error->text), SLICE("control character"));

	return error->position > 0 ? (size_t)error->position - !is_before : 0;
}

/* The piece in p->text, parsed; NULL and it was said why not. */
static json_t *
parse(struct json_pieces *p)
{
	json_error_t error;
	uint64_t line, col;
	json_t *j;

	if (p->excess == NULL && p->text.failed)
		p->excess = p->text.len == p->text.max ? "is too long" : "out of memory";
	if (p->excess != NULL) {
		complain(p, p->value_line, p->value_col, p->excess);
		return NULL;
	}
	j = json_loadb(p->text.p, p->text.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
	if (j == NULL) {
		place_of(p, error_at(&error), &line, &col);
		complain(p, line, col, json_error_code(&error) == json_error_null_character ? "a NUL in a text" : error.text);
	}
	return j;
}

/* A key ended. */
static void
take_key(struct json_pieces *p)
{
	struct json_level *level = &p->levels[p->n - 1];
	json_t *j = parse(p);
	size_t len = j == NULL ? 0 : json_string_length(j);

	level->key[0] = '\0';
	if (len > 0 && len <= JSON_KEY_MAX)
		memcpy(level->key, json_string_value(j), len + 1);
	json_decref(j);
	p->state = AT_COLON;
}

static void
take_value(struct json_pieces *p)
{
	json_t *j = p->way == JSON_TAKE ? parse(p) : NULL;

	p->state = p->n == 0 ? AT_END : AT_NEXT;
	if (j != NULL)
		p->stopped = p->reader->take(p->arg, p, j, shown(p->value_line), shown(p->value_col));
	json_decref(j);
}

/* ---- where a value ends ---- */

/* What of the value is kept, and why no more of it. */
static void
keep(struct json_pieces *p, char c)
{
	if (p->way != JSON_TAKE || p->dropping || p->excess != NULL)
		return;
	buf_add_char(&p->text, c);
}

static void
give_up(struct json_pieces *p, const char *why)
{
	if (p->way != JSON_TAKE || p->excess != NULL)
		return;
	p->excess = why;
	buf_reset(&p->text);
}

/* C stands in a string. */
static void
scan_string(struct json_pieces *p, char c)
{
	bool ends = c == '"' && !p->escaped;

	p->escaped = c == '\\' && !p->escaped;
	if (!ends && ++p->string_len == JSON_STRING_MAX && p->way == JSON_TAKE && p->excess == NULL) {
		p->text.len = p->string_at;
		p->dropping = p->cut = true;
	}
	if (ends)
		p->dropping = p->in_string = false;
	keep(p, c);
}

/* C stands between strings. */
static void
scan_mark(struct json_pieces *p, char c)
{
	keep(p, c);
	if (c == '"') {
		p->in_string = true;
		p->string_len = 0;
		p->string_at = p->text.len;
	}
	p->depth += c == '{' || c == '[';
	p->depth -= c == '}' || c == ']';
	p->marks += c == '{' || c == '[' || c == ',' || c == ':';
	if (p->depth > JSON_PIECE_DEPTH)
		give_up(p, "is nested too deep");
	else if (p->marks > JSON_PIECE_MARKS)
		give_up(p, "has too many parts");
}

static bool
ends_scalar(char c)
{
	return c == ',' || c == ']' || c == '}' || ascii_is_space(c);
}

/* The end of a value or key. */
static void
end_value(struct json_pieces *p)
{
	if (p->is_key)
		take_key(p);
	else
		take_value(p);
}

/* Read on in a value, up to its end: how many bytes of S. */
static size_t
scan(struct json_pieces *p, struct slice s)
{
	for (size_t i = 0; i < s.len;) {
		char c = s.p[i];

		if (p->is_scalar && ends_scalar(c)) {
			end_value(p);
			return i;
		}
		i++;
		count(p, c);
		if (p->is_scalar)
			keep(p, c);
		else if (p->in_string)
			scan_string(p, c);
		else
			scan_mark(p, c);
		if (!p->is_scalar && !p->in_string && p->depth == 0) {
			end_value(p);
			return i;
		}
	}
	return s.len;
}

/* ---- what stands between values ---- */

static void
begin(struct json_pieces *p, enum json_way way, bool is_key, char first)
{
	p->way = way;
	p->is_key = is_key;
	p->is_scalar = first != '{' && first != '[' && first != '"';
	p->in_string = p->escaped = p->dropping = p->cut = false;
	p->depth = p->marks = 0;
	p->excess = NULL;
	p->value_line = p->line;
	p->value_col = p->col;
	p->state = IN_VALUE;
	buf_reset(&p->text);
}

static void
enter(struct json_pieces *p, char first)
{
	count(p, first);
	p->levels[p->n++] = (struct json_level){ .is_array = first == '[' };
	p->state = AT_FIRST;
}

/* A value begins with FIRST: whether that byte was used. */
static bool
begin_value(struct json_pieces *p, char first)
{
	bool is_container = first == '{' || first == '[';
	enum json_way way;

	if (!is_container && first != '"' && first != '-' && !ascii_is_digit(first) && !ascii_is_alpha(first)) {
		break_off(p, "expected a value");
		return false;
	}
	way = p->reader->ask(p->arg, p, first);
	if (way == JSON_ENTER && is_container && p->n < JSON_LEVELS) {
		enter(p, first);
		return true;
	}
	begin(p, way == JSON_ENTER ? JSON_SKIP : way, false, first);
	return false;
}

static void
leave(struct json_pieces *p, char c)
{
	if ((c == ']') != p->levels[p->n - 1].is_array) {
		break_off(p, c == ']' ? "expected } and not ]" : "expected ] and not }");
		return;
	}
	count(p, c);
	p->n--;
	p->state = p->n == 0 ? AT_END : AT_NEXT;
}

static bool
begin_key(struct json_pieces *p, char c)
{
	if (c != '"') {
		break_off(p, "expected a key in quotes");
		return false;
	}
	p->levels[p->n - 1].key[0] = '\0';
	begin(p, JSON_TAKE, true, c);
	return false;
}

/* The first thing in what was entered, or what follows its comma. */
static bool
begin_member(struct json_pieces *p, char c)
{
	return p->levels[p->n - 1].is_array ? begin_value(p, c) : begin_key(p, c);
}

/* C, which is no blank, where STATE is the state: whether it was used. */
static bool
step(struct json_pieces *p, char c)
{
	switch (p->state) {
	case AT_START:
	case AT_VALUE:
		return begin_value(p, c);
	case AT_FIRST:
		if (c != ']' && c != '}')
			return begin_member(p, c);
		leave(p, c);
		return p->state != BROKEN;
	case AT_KEY:
		return begin_member(p, c);
	case AT_COLON:
		if (c != ':')
			return break_off(p, "expected a colon behind the key"), false;
		p->state = AT_VALUE;
		break;
	case AT_NEXT:
		if (c == ']' || c == '}') {
			leave(p, c);
			return p->state != BROKEN;
		}
		if (c != ',')
			return break_off(p, "expected a comma, or the end of what is open"), false;
		p->state = AT_KEY;
		break;
	default:
		return break_off(p, "text behind the end of the JSON"), false;
	}
	count(p, c);
	return true;
}

/* Pass over the byte order mark, of which the first bytes may have come before. */
static struct slice
skip_mark(struct json_pieces *p, struct slice s)
{
	while (p->state == AT_START && s.len > 0 && p->mark_len < sizeof(mark) - 1 && s.p[0] == mark[p->mark_len]) {
		p->mark_len++;
		s = slice_skip(s, 1);
	}
	if (p->state == AT_START && s.len > 0) {
		p->state = AT_VALUE;
		if (p->mark_len > 0 && p->mark_len < sizeof(mark) - 1)
			break_off(p, "half a byte order mark");
	}
	return s;
}

int
json_pieces_put(struct json_pieces *p, struct slice s)
{
	s = skip_mark(p, s);
	while (s.len > 0 && p->stopped == 0 && p->state != BROKEN) {
		if (p->state == IN_VALUE)
			s = slice_skip(s, scan(p, s));
		else if (ascii_is_space(s.p[0])) {
			count(p, s.p[0]);
			s = slice_skip(s, 1);
		} else
			s = slice_skip(s, step(p, s.p[0]));
	}
	return p->stopped;
}

void
json_pieces_end(struct json_pieces *p)
{
	if (p->state == IN_VALUE && p->is_scalar && p->n == 0 && p->stopped == 0)
		end_value(p);
	if (p->state != AT_END && p->state != BROKEN && p->stopped == 0)
		break_off(p, p->state <= AT_VALUE && p->n == 0 ? "there is no JSON" : "the JSON ends before its end");
	p->state = BROKEN;
}

/* ---- what is in a piece ---- */

struct slice
json_text(const json_t *o, const char *key, char room[static JSON_NUMBER])
{
	const json_t *j = json_object_get(o, key);

	if (json_is_string(j))
		return slice_make(json_string_value(j), json_string_length(j));
	if (!json_is_integer(j))
		return SLICE("");
	return slice_make(room, (size_t)snprintf(room, JSON_NUMBER, "%" JSON_INTEGER_FORMAT, json_integer_value(j)));
}

bool
json_is_set(const json_t *o, const char *key)
{
	char room[JSON_NUMBER];

	return json_is_true(json_object_get(o, key)) || slice_eq(json_text(o, key, room), SLICE("1"));
}
