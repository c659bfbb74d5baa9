#include "feeds/stix_part.h"

#include <stdlib.h>

#include "base/count.h"

enum { PATH_MAX_LEN = 80 };

struct stix_pattern *
stix_pattern_new(void)
{
	struct stix_pattern *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	buf_init(&p->strings, STIX_PATTERN_MAX);
	if (buf_reserve(&p->strings, STIX_PATTERN_MAX) == -1) {
		stix_pattern_free(p);
		return NULL;
	}
	return p;
}

void
stix_pattern_free(struct stix_pattern *p)
{
	if (p == NULL)
		return;
	buf_fini(&p->strings);
	free(p);
}

/* ---- words ---- */

/* The first thing that is wrong, at what comes next. */
static int
refuse(struct stix_pattern *p, const char *why)
{
	if (p->why == NULL) {
		p->why = why;
		p->at = p->text.len - p->rest.len;
	}
	return NONE;
}

static void
skip_blanks(struct stix_pattern *p)
{
	while (p->rest.len > 0 && ascii_is_space(p->rest.p[0]))
		p->rest = slice_skip(p->rest, 1);
}

/* What comes next is C: take it. */
static bool
take(struct stix_pattern *p, char c)
{
	skip_blanks(p);
	if (p->rest.len == 0 || p->rest.p[0] != c)
		return false;
	p->rest = slice_skip(p->rest, 1);
	return true;
}

static bool
is_word(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_' || c == '-';
}

/* The word that comes next; empty when none does. */
static struct slice
peek_word(struct stix_pattern *p)
{
	size_t n = 0;

	skip_blanks(p);
	while (n < p->rest.len && is_word(p->rest.p[n]))
		n++;
	return slice_head(p->rest, n);
}

static bool
take_word(struct stix_pattern *p, const char *word)
{
	if (!slice_eq(peek_word(p), slice_str(word)))
		return false;
	p->rest = slice_skip(p->rest, strlen(word));
	return true;
}

/* A string that stands between two QUOTEs, whose backslashes are undone, into *OUT. */
static int
take_string(struct stix_pattern *p, char quote, struct slice *out)
{
	size_t start = p->strings.len;

	for (p->rest = slice_skip(p->rest, 1); p->rest.len > 0 && p->rest.p[0] != quote; p->rest = slice_skip(p->rest, 1)) {
		if (p->rest.p[0] == '\\')
			p->rest = slice_skip(p->rest, 1);
		if (p->rest.len > 0)
			buf_add_char(&p->strings, p->rest.p[0]);
	}
	if (p->rest.len == 0)
		return refuse(p, "a string that does not end");
	p->rest = slice_skip(p->rest, 1);
	*out = slice_make(p->strings.p + start, p->strings.len - start);
	return 0;
}

/* ---- what a comparison looks at ---- */

static const struct { const char *name; enum path path; } paths[] = {
	{ "domain-name:value", PATH_HOST }, { "url:value", PATH_URL }, { "ipv4-addr:value", PATH_ADDRESS },
	{ "ipv6-addr:value", PATH_ADDRESS }, { "file:size", PATH_SIZE }, { "file:name", PATH_NAME },
};

/* 'SHA-256', SHA256, sha_256: the publishers differ. */
static enum path
digest_path(struct slice name)
{
	static const struct { const char *name; enum path path; } digests[] = { { "md5", PATH_MD5 }, { "sha1", PATH_SHA1 },
		{ "sha256", PATH_SHA256 } };
	char plain[sizeof("sha256")];
	size_t n = 0;

	for (size_t i = 0; i < name.len; i++) {
		if (name.p[i] == '-' || name.p[i] == '_')
			continue;
		if (n == sizeof(plain))
			return PATH_OTHER_DIGEST;
		plain[n++] = ascii_lower(name.p[i]);
	}
	for (size_t i = 0; i < COUNT(digests); i++)
		if (slice_eq(slice_make(plain, n), slice_str(digests[i].name)))
			return digests[i].path;
	return PATH_OTHER_DIGEST;
}

static enum path
path_of(struct slice name)
{
	static const struct slice hashes = { "file:hashes.", sizeof("file:hashes.") - 1 };

	for (size_t i = 0; i < COUNT(paths); i++)
		if (slice_eq(name, slice_str(paths[i].name)))
			return paths[i].path;
	if (!slice_starts(name, hashes) || slice_find(slice_skip(name, hashes.len), '.') < name.len - hashes.len ||
	    slice_find(name, '[') < name.len)
		return PATH_UNSAID;
	return digest_path(slice_skip(name, hashes.len));
}

/* "[3]", "[*]" behind a step. */
static int
take_index(struct stix_pattern *p, struct buf *name)
{
	while (p->rest.len > 0 && p->rest.p[0] == '[') {
		size_t n = slice_find(p->rest, ']');

		if (n == p->rest.len)
			return refuse(p, "a bracket that is not closed");
		buf_add_char(name, '[');
		p->rest = slice_skip(p->rest, n + 1);
	}
	return 0;
}

/* One step of a path, quoted or not. */
static int
take_step(struct stix_pattern *p, struct buf *name)
{
	struct slice word;

	if (p->rest.len > 0 && (p->rest.p[0] == '\'' || p->rest.p[0] == '"')) {
		if (take_string(p, p->rest.p[0], &word) == NONE)
			return NONE;
	} else {
		word = peek_word(p);
		p->rest = slice_skip(p->rest, word.len);
	}
	if (word.len == 0)
		return refuse(p, "expected a property");
	buf_add_slice(name, word);
	return take_index(p, name);
}

/* "file:hashes.'SHA-256'"; a path that is too long is like one that nobody knows. */
static int
take_path(struct stix_pattern *p, enum path *out)
{
	char room[PATH_MAX_LEN];
	struct slice object = peek_word(p);
	struct buf name;
	int r;

	buf_init_in(&name, room, sizeof(room), sizeof(room) - 1);
	buf_add_slice(&name, object);
	p->rest = slice_skip(p->rest, object.len);
	if (object.len == 0 || p->rest.len == 0 || p->rest.p[0] != ':')
		return refuse(p, "expected an object's property, as in file:size");
	p->rest = slice_skip(p->rest, 1);
	buf_add_char(&name, ':');
	while ((r = take_step(p, &name)) == 0 && p->rest.len > 0 && p->rest.p[0] == '.') {
		p->rest = slice_skip(p->rest, 1);
		buf_add_char(&name, '.');
	}
	*out = name.failed ? PATH_UNSAID : path_of(buf_slice(&name));
	buf_fini(&name);
	return r;
}

/* ---- what it compares with ---- */

static int
take_number(struct stix_pattern *p, struct value *out)
{
	size_t n = p->rest.p[0] == '-' || p->rest.p[0] == '+';
	size_t start = n;

	while (n < p->rest.len && (ascii_is_digit(p->rest.p[n]) || p->rest.p[n] == '.'))
		n++;
	if (n == start)
		return refuse(p, "expected a value");
	*out = (struct value){ .text = slice_head(p->rest, n), .is_number = true };
	p->rest = slice_skip(p->rest, n);
	return 0;
}

/* 'a', 35, true, h'00', b'AA==', t'2026-01-01T00:00:00Z'. */
static int
take_value(struct stix_pattern *p)
{
	struct slice word = peek_word(p);
	struct value *v;
	char c = p->rest.len > 0 ? p->rest.p[0] : '\0';
	bool typed = word.len == 1 && p->rest.len > 1 && p->rest.p[1] == '\'' && strchr("hbt", c) != NULL;

	if (p->n_values == STIX_VALUES_MAX)
		return refuse(p, "too many values");
	v = &p->values[p->n_values++];
	*v = (struct value){ .is_string = c == '\'' };
	if (typed)
		p->rest = slice_skip(p->rest, 1);
	if (typed || c == '\'')
		return take_string(p, '\'', &v->text);
	if (slice_eq(word, SLICE("true")) || slice_eq(word, SLICE("false"))) {
		p->rest = slice_skip(p->rest, word.len);
		return 0;
	}
	return p->rest.len == 0 ? refuse(p, "expected a value") : take_number(p, v);
}

/* "('a', 'b')". */
static int
take_values(struct stix_pattern *p)
{
	if (!take(p, '('))
		return refuse(p, "expected a parenthesis behind IN");
	do {
		if (take_value(p) == NONE)
			return NONE;
	} while (take(p, ','));
	return take(p, ')') ? 0 : refuse(p, "expected a comma or a parenthesis");
}

/* ---- comparisons and groups ---- */

static int
new_part(struct stix_pattern *p, enum part_kind kind)
{
	if (p->n_parts == STIX_PARTS_MAX)
		return refuse(p, "too many comparisons");
	p->parts[p->n_parts] = (struct part){ .kind = kind, .first = NONE, .next = NONE };
	return p->n_parts++;
}

/* How a comparison compares. */
enum operator { OPERATOR_NONE, OPERATOR_EQUAL, OPERATOR_IN, OPERATOR_LIKE, OPERATOR_OTHER };

static enum operator
take_operator(struct stix_pattern *p)
{
	static const char *const words[] = { "MATCHES", "ISSUBSET", "ISSUPERSET" };
	static const char *const marks[] = { "!=", "<>", "<=", ">=", "<", ">" };

	if (take_word(p, "IN"))
		return OPERATOR_IN;
	if (take_word(p, "LIKE"))
		return OPERATOR_LIKE;
	if (take(p, '=')) {
		/* "==" is an older way to write it. */
		if (p->rest.len > 0 && p->rest.p[0] == '=')
			p->rest = slice_skip(p->rest, 1);
		return OPERATOR_EQUAL;
	}
	for (size_t i = 0; i < COUNT(words); i++)
		if (take_word(p, words[i]))
			return OPERATOR_OTHER;
	for (size_t i = 0; i < COUNT(marks); i++)
		if (slice_starts(p->rest, slice_str(marks[i]))) {
			p->rest = slice_skip(p->rest, strlen(marks[i]));
			return OPERATOR_OTHER;
		}
	return OPERATOR_NONE;
}

/* Each value is one that such a property can have. */
static bool
values_fit(const struct stix_pattern *p, const struct part *t)
{
	for (unsigned i = 0; i < t->n_values; i++) {
		const struct value *v = &p->values[t->first + (int)i];
		uint64_t ignored;

		if (t->path == PATH_SIZE ? slice_u64(v->text, &ignored) == -1 || !(v->is_string || v->is_number) : !v->is_string)
			return false;
	}
	return true;
}

/* "%.a.example", where the first character alone stands for others ("%" for any number, "_" for one): all below a.example. */
static bool
is_below(struct slice value)
{
	return slice_starts(value, SLICE("%.")) && slice_find(slice_skip(value, 1), '%') == value.len - 1 &&
	    slice_find(value, '_') == value.len;
}

/* What T, whose values are read, looks at when it compares by O. */
static enum path
compared(const struct stix_pattern *p, const struct part *t, enum operator o)
{
	if (o == OPERATOR_OTHER || !values_fit(p, t))
		return PATH_UNSAID;
	if (o != OPERATOR_LIKE)
		return t->path;
	return t->path == PATH_HOST && is_below(p->values[t->first].text) ? PATH_BELOW : PATH_UNSAID;
}

static int
read_comparison(struct stix_pattern *p)
{
	int n = new_part(p, PART_TERM);
	enum operator o;
	struct part *t;
	bool negated;

	if (n == NONE)
		return NONE;
	t = &p->parts[n];
	if (take_word(p, "EXISTS")) {
		if (take_path(p, &t->path) == NONE)
			return NONE;
		t->path = PATH_UNSAID;
		return n;
	}
	if (take_path(p, &t->path) == NONE)
		return NONE;
	negated = take_word(p, "NOT");
	if ((o = take_operator(p)) == OPERATOR_NONE)
		return refuse(p, "expected a comparison");
	t->first = p->n_values;
	if ((o == OPERATOR_IN ? take_values(p) : take_value(p)) == NONE)
		return NONE;
	t->n_values = (unsigned)(p->n_values - t->first);
	t->path = negated ? PATH_UNSAID : compared(p, t, o);
	return n;
}

static int read_group(struct stix_pattern *p, enum part_kind kind);

static int
read_operand(struct stix_pattern *p)
{
	int n;

	if (!take(p, '('))
		return read_comparison(p);
	if (p->depth == STIX_DEPTH_MAX)
		return refuse(p, "too many parentheses");
	p->depth++;
	n = read_group(p, PART_OR);
	p->depth--;
	if (n != NONE && !take(p, ')'))
		return refuse(p, "expected AND, OR or a parenthesis");
	return n;
}

/* "x OR y OR z", of which each is "x AND y AND z": AND binds closer. */
static int
read_group(struct stix_pattern *p, enum part_kind kind)
{
	int n = new_part(p, kind), last = NONE, one;

	do {
		one = n == NONE ? NONE : kind == PART_OR ? read_group(p, PART_AND) : read_operand(p);
		if (one == NONE)
			return NONE;
		if (last == NONE)
			p->parts[n].first = one;
		else
			p->parts[last].next = one;
		last = one;
	} while (take_word(p, kind == PART_OR ? "OR" : "AND"));
	return n;
}

/* ---- a pattern ---- */

/* What stands behind the bracket, or before it, makes the pattern one of several observations. */
static bool
is_compound(struct stix_pattern *p)
{
	static const char *const words[] = { "AND", "OR", "FOLLOWEDBY", "WITHIN", "REPEATS", "START" };
	struct slice word = peek_word(p);

	for (size_t i = 0; i < COUNT(words); i++)
		if (slice_eq(word, slice_str(words[i])))
			return true;
	return false;
}

/* The part that is all of TEXT; NONE when there is none, or for what is not read. */
static int
read_pattern(struct stix_pattern *p)
{
	int all;

	skip_blanks(p);
	if (p->rest.len > 0 && p->rest.p[0] == '(') {
		p->unsaid = 1;
		return NONE;
	}
	if (!take(p, '['))
		return refuse(p, "expected a bracket");
	if ((all = read_group(p, PART_OR)) == NONE)
		return NONE;
	if (!take(p, ']'))
		return refuse(p, "expected AND, OR or a bracket");
	if (is_compound(p)) {
		p->unsaid = 1;
		return NONE;
	}
	skip_blanks(p);
	return p->rest.len > 0 ? refuse(p, "text behind the bracket") : all;
}

int
stix_pattern_read(struct stix_pattern *p, struct slice text, stix_visit *visit, void *arg, struct stix_answer *answer)
{
	int all;

	p->text = p->rest = text;
	p->why = NULL;
	p->at = 0;
	p->depth = p->alternatives = p->unsaid = 0;
	p->n_parts = p->n_values = p->stopped = 0;
	p->too_many = false;
	p->visit = visit;
	p->arg = arg;
	buf_reset(&p->strings);
	all = text.len > STIX_PATTERN_MAX ? refuse(p, "the pattern is too long") : read_pattern(p);
	if (all != NONE)
		stix_give_alternatives(p, all);
	*answer = (struct stix_answer){ p->why, p->at, p->unsaid + p->too_many };
	return p->stopped;
}
