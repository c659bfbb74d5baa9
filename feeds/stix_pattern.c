#include "feeds/stix_pattern.h"

#include <stdlib.h>

#include "base/buf.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

enum { NONE = -1, PATH_MAX_LEN = 80 };

enum part_kind { PART_OR, PART_AND, PART_TERM };

/* What a comparison looks at. */
enum path { PATH_HOST, PATH_BELOW, PATH_URL, PATH_ADDRESS, PATH_MD5, PATH_SHA1, PATH_SHA256, PATH_OTHER_DIGEST, PATH_SIZE,
	PATH_NAME, PATH_UNSAID /* or that it does in a way that no rule can */ };

/* A comparison, or a group of parts. */
struct part {
	enum part_kind	kind;
	enum path	path;
	int		first;		/* part of a group; value of a comparison */
	int		next;		/* part of the same group */
	unsigned	n_values;	/* one of which has to be equal */
};

struct value {
	struct slice	text;
	bool		is_string, is_number;
};

struct stix_pattern {
	struct slice		 text, rest;
	const char		*why;
	size_t			 at;
	unsigned		 depth;
	int			 n_parts, n_values;
	struct buf		 strings;	/* of the values; never moves while one pattern is read */
	stix_visit		*visit;
	void			*arg;
	unsigned		 alternatives, unsaid;
	int			 stopped;
	bool			 too_many;
	struct part		 parts[STIX_PARTS_MAX];
	struct value		 values[STIX_VALUES_MAX];
};

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

/* ---- alternatives ---- */

/* Comparisons that have to hold together, each with one value. */
struct together {
	unsigned	n;
	const struct part *parts[STIX_TOGETHER_MAX];
	const struct value *values[STIX_TOGETHER_MAX];
};

/* Where A keeps the value of a file's PATH; NULL when nowhere. */
static struct slice *
place_in(struct stix_alternative *a, enum path path)
{
	switch (path) {
	case PATH_MD5:
		return &a->hex[DIGEST_MD5];
	case PATH_SHA1:
		return &a->hex[DIGEST_SHA1];
	case PATH_SHA256:
		return &a->hex[DIGEST_SHA256];
	case PATH_SIZE:
		return &a->size;
	case PATH_NAME:
		return &a->name;
	default:
		return NULL;
	}
}

/* TOGETHER as one file: false when no rule says that. */
static bool
make_file(const struct together *t, struct stix_alternative *a)
{
	a->kind = STIX_FILE;
	for (unsigned i = 0; i < t->n; i++) {
		struct slice *place = place_in(a, t->parts[i]->path);

		if (place == NULL && t->parts[i]->path != PATH_OTHER_DIGEST)
			return false;
		if (place == NULL)
			continue;
		/* Nothing equals two values. */
		if (place->len > 0 && !slice_ieq(*place, t->values[i]->text))
			return false;
		*place = t->values[i]->text;
	}
	return a->hex[DIGEST_MD5].len + a->hex[DIGEST_SHA1].len + a->hex[DIGEST_SHA256].len > 0;
}

static bool
make_alternative(const struct together *t, struct stix_alternative *a)
{
	static const enum stix_kind kinds[] = { [PATH_HOST] = STIX_HOST, [PATH_BELOW] = STIX_BELOW, [PATH_URL] = STIX_URL,
		[PATH_ADDRESS] = STIX_ADDRESS };

	*a = (struct stix_alternative){ 0 };
	if (t->parts[0]->path > PATH_ADDRESS)
		return make_file(t, a);
	a->kind = kinds[t->parts[0]->path];
	a->value = slice_skip(t->values[0]->text, a->kind == STIX_BELOW ? strlen("%.") : 0);
	return t->n == 1;
}

static void
give(struct stix_pattern *p, const struct together *t)
{
	struct stix_alternative a;

	if (p->alternatives++ == STIX_ALTERNATIVES_MAX) {
		p->too_many = true;
		return;
	}
	if (make_alternative(t, &a))
		p->stopped = p->visit(p->arg, &a);
	else
		p->unsaid++;
}

/* What else has to hold: the part FIRST, unless ALONE the rest of its group, and then NEXT. */
struct pending {
	int			 first;
	bool			 alone;
	const struct pending	*next;
};

static void expand(struct stix_pattern *p, struct together *t, const struct pending *pending);

/* Every way in which the comparison holds. */
static void
expand_term(struct stix_pattern *p, struct together *t, const struct part *part, const struct pending *pending)
{
	/* A value is needed even where none is looked at. */
	static const struct value none;
	unsigned n = part->path == PATH_UNSAID ? 1 : part->n_values;

	if (t->n == STIX_TOGETHER_MAX) {
		p->alternatives++;
		p->unsaid++;
		return;
	}
	for (unsigned i = 0; i < n && p->stopped == 0 && !p->too_many; i++) {
		t->parts[t->n] = part;
		t->values[t->n] = part->path == PATH_UNSAID ? &none : &p->values[part->first + (int)i];
		t->n++;
		expand(p, t, pending);
		t->n--;
	}
}

static void
expand(struct stix_pattern *p, struct together *t, const struct pending *pending)
{
	const struct part *part;
	struct pending rest, inner;

	if (p->stopped != 0 || p->too_many)
		return;
	if (pending == NULL) {
		give(p, t);
		return;
	}
	part = &p->parts[pending->first];
	rest = (struct pending){ part->next, false, pending->next };
	pending = pending->alone || part->next == NONE ? pending->next : &rest;
	inner = (struct pending){ part->first, part->kind == PART_OR, pending };
	if (part->kind == PART_TERM)
		expand_term(p, t, part, pending);
	else if (part->kind == PART_AND)
		expand(p, t, &inner);
	else
		for (; inner.first != NONE; inner.first = p->parts[inner.first].next)
			expand(p, t, &inner);
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
	struct together t = { .n = 0 };
	struct pending first = { NONE, true, NULL };

	p->text = p->rest = text;
	p->why = NULL;
	p->at = 0;
	p->depth = p->alternatives = p->unsaid = 0;
	p->n_parts = p->n_values = p->stopped = 0;
	p->too_many = false;
	p->visit = visit;
	p->arg = arg;
	buf_reset(&p->strings);
	first.first = text.len > STIX_PATTERN_MAX ? refuse(p, "the pattern is too long") : read_pattern(p);
	if (first.first != NONE)
		expand(p, &t, &first);
	*answer = (struct stix_answer){ p->why, p->at, p->unsaid + p->too_many };
	return p->stopped;
}
