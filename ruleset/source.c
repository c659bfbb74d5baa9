#include "ruleset/source.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/siphash.h"
#include "ruleset/exception.h"
#include "ruleset/source_line.h"

enum { NOTE_MAX = 4096 };

/* An id that was used, to find it used again. */
struct used_id {
	uint64_t	hash;
	unsigned	line;
};

struct source_reader {
	const char			*file;
	struct slice			 name;
	const struct source_defaults	*defaults;
	struct diag			*diag;
	unsigned			 line;
	struct source_line		 words;
	struct buf			 id;		/* the full id of the line's rule */
	struct used_id			*ids;
	size_t				 n_ids, cap_ids;
	struct slice			 expires;	/* as written, until PUBLISHED is known */
	unsigned			 expires_col;
	source_visit			*visit;
	void				*arg;
	size_t				 errors_before;
	bool				 is_feed, is_row;	/* all of it; the line of now */
	struct exception		 exception;	/* of an except line */
	char				 host[HOST_MAX + 1];
	struct buf			 scope;		/* its value */
	struct diag			 own;		/* when the caller wants none */
};

static int
refuse(struct source_reader *r, unsigned col, const char *what, struct slice value)
{
	diag_add(r->diag, DIAG_ERROR, r->file, r->line, col, "%s: \"%.*s\"", what, SLICE_ARGS(slice_head(value, 100)));
	return -1;
}

/* ---- keys ---- */

enum key { KEY_ID, KEY_REV, KEY_LEVEL, KEY_PUBLISHED, KEY_EXPIRES, KEY_ALERT, KEY_NAME, KEY_CONTAINER, KEY_NOTE,
	KEY_FILES, KEY_FEED, KEY_CLIENT, KEY_USER, KEY_HOST, KEYS };

static const char *const key_names[KEYS] = { "id", "rev", "level", "published", "expires", "alert", "name",
	"container", "note", "files", "feed", "client", "user", "host" };

bool
source_name_ok(struct slice s)
{
	if (s.len == 0 || s.len > RULE_LABEL_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && memchr("-_.", s.p[i], 3) == NULL)
			return false;
	return true;
}

static int
set_number(struct source_reader *r, const struct word *w, uint64_t min, uint64_t max, uint64_t *out)
{
	if (slice_u64(w->value, out) == 0 && *out >= min && *out <= max)
		return 0;
	diag_add(r->diag, DIAG_ERROR, r->file, r->line, w->value_col, "%.*s must be a number from %" PRIu64 " to %" PRIu64
	    ": \"%.*s\"", SLICE_ARGS(w->key), min, max, SLICE_ARGS(slice_head(w->value, 100)));
	return -1;
}

static int
set_text(struct source_reader *r, const struct word *w, size_t max, struct slice *out)
{
	if (w->value.len > max)
		return refuse(r, w->value_col, "the text is too long", w->value);
	*out = w->value;
	return 0;
}

static int
set_label(struct source_reader *r, const struct word *w, struct slice *out)
{
	if (!source_name_ok(w->value))
		return refuse(r, w->value_col, "expected up to 64 letters, digits, '-', '_' and '.'", w->value);
	*out = w->value;
	return 0;
}

/* A date in seconds; 0 means "not said" and is none. */
static int
parse_date(struct slice value, int64_t *out)
{
	return clock_parse(value, out) == 0 && *out > 0 && *out <= CLOCK_LAST_S ? 0 : -1;
}

static int64_t
date_after(int64_t from, int64_t life)
{
	return from + life < CLOCK_LAST_S ? from + life : CLOCK_LAST_S;
}

/* A row of somebody's list, as "firebreak rules dump" writes it: named after what it matches, and not of this site's making. */
static int
set_feed(struct source_reader *r, const struct word *w, struct rule *rule)
{
	if (!slice_eq(w->value, SLICE("yes")))
		return refuse(r, w->value_col, "expected yes", w->value);
	r->is_row = true;
	rule->local = false;
	return 0;
}

static int
set_files(struct source_reader *r, const struct word *w, struct rule *rule)
{
	if (rule->action != RULE_ALLOW || rule->kind == RULE_FILE)
		return refuse(r, w->col, "files= belongs to an allow of a host or URL", w->value);
	rule->files = slice_eq(w->value, SLICE("yes"));
	if (!rule->files && !slice_eq(w->value, SLICE("no")))
		return refuse(r, w->value_col, "expected yes or no", w->value);
	return 0;
}

/* What an exception is for. */
static int
set_scope(struct source_reader *r, const struct word *w, enum exception_key key, const struct rule *rule)
{
	char why[RULE_WHY];

	if (rule->action != RULE_EXCEPT)
		return refuse(r, w->col, "only an exception has this key", w->key);
	return exception_take_key(key, w->value, r->host, &r->exception, why) == 0 ? 0 : refuse(r, w->value_col, why, w->value);
}

static int
set_key(struct source_reader *r, enum key key, const struct word *w, struct rule *rule)
{
	uint64_t n = 0;
	int result = 0;

	switch (key) {
	case KEY_ID:
		return set_label(r, w, &rule->id);
	case KEY_REV:
		result = set_number(r, w, 1, INT32_MAX, &n);
		rule->rev = (uint32_t)n;
		return result;
	case KEY_LEVEL:
		result = set_number(r, w, 0, RULE_LEVEL_MAX, &n);
		rule->level = (uint8_t)n;
		return result;
	case KEY_PUBLISHED:
		if (parse_date(w->value, &rule->published) == -1)
			return refuse(r, w->value_col, "expected a date such as 2026-11-24 or 2026-11-24T14:30:00Z", w->value);
		return 0;
	case KEY_EXPIRES:
		r->expires = w->value;
		r->expires_col = w->value_col;
		return 0;
	case KEY_ALERT:
		return set_label(r, w, &rule->alert);
	case KEY_NAME:
		return set_text(r, w, RULE_NAME_MAX, &rule->name);
	case KEY_CONTAINER:
		return set_label(r, w, &rule->container);
	case KEY_NOTE:
		return set_text(r, w, NOTE_MAX, &rule->note);
	case KEY_FILES:
		return set_files(r, w, rule);
	case KEY_FEED:
		return set_feed(r, w, rule);
	case KEY_CLIENT:
		return set_scope(r, w, EXCEPTION_CLIENT, rule);
	case KEY_USER:
		return set_scope(r, w, EXCEPTION_USER, rule);
	case KEY_HOST:
		return set_scope(r, w, EXCEPTION_HOST, rule);
	case KEYS:
		break;
	}
	return -1;
}

static int
set_keys(struct source_reader *r, struct rule *rule)
{
	unsigned seen = 0;
	int result = 0;

	for (size_t i = 3; i < r->words.n; i++) {
		const struct word *w = &r->words.words[i];
		enum key key = 0;

		while (key < KEYS && !slice_eq(w->key, slice_str(key_names[key])))
			key++;
		if (key == KEYS)
			result = refuse(r, w->col, w->key.len == 0 ? "expected key=value" : "unknown key",
			    w->key.len == 0 ? w->value : w->key);
		else if (seen & 1u << key)
			result = refuse(r, w->col, "the key stands twice", w->key);
		else if (set_key(r, key, w, rule) == -1)
			result = -1;
		seen |= key < KEYS ? 1u << key : 0;
	}
	return result;
}

/* When RULE ends: as written, else by the default life of its kind. */
static int
set_expiry(struct source_reader *r, struct rule *rule)
{
	int64_t from = rule->published != 0 ? rule->published : r->defaults->now;
	int64_t life = rule->kind == RULE_FILE ? r->defaults->file_life : r->defaults->host_life;

	if (r->expires.p == NULL) {
		rule->expires = life == 0 ? 0 : date_after(from, life);
		return 0;
	}
	if (slice_eq(r->expires, SLICE("never")) && rule->action == RULE_EXCEPT)
		return refuse(r, r->expires_col, "an exception has an end", r->expires);
	if (slice_eq(r->expires, SLICE("never"))) {
		rule->expires = 0;
		return 0;
	}
	if (parse_date(r->expires, &rule->expires) == 0)
		return 0;
	if (clock_parse_span(r->expires, &life) == -1 || life == 0)
		return refuse(r, r->expires_col, "expected a date, a time such as 30d, or never", r->expires);
	rule->expires = date_after(from, life);
	return 0;
}

/* ---- the three words at the start ---- */

static int
set_action(struct source_reader *r, const struct word *w, struct rule *rule)
{
	for (enum rule_action a = RULE_BLOCK; a <= RULE_EXCEPT; a++)
		if (!w->quoted && w->key.len == 0 && slice_eq(w->value, slice_str(rule_action_name(a)))) {
			rule->action = a;
			return 0;
		}
	return refuse(r, w->col, "expected block, allow, protect or except", w->key.len > 0 ? w->key : w->value);
}

static int
set_kind(struct source_reader *r, const struct word *w, struct rule *rule)
{
	enum rule_kind k = RULE_HOST;

	while (k <= RULE_RULE && !(w->key.len == 0 && slice_eq(w->value, slice_str(rule_kind_name(k)))))
		k++;
	if (k > RULE_RULE || (k == RULE_RULE && rule->action != RULE_EXCEPT))
		return refuse(r, w->col, "expected host, url, file, path or address", w->key.len > 0 ? w->key : w->value);
	if (rule->action == RULE_EXCEPT && k != RULE_RULE)
		return refuse(r, w->col, "an exception is one from a rule: except rule REVISION:RULE", w->value);
	if (rule->action == RULE_EXCEPT && !rule->local)
		return refuse(r, w->col, "only a source of the site's own has exceptions", w->value);
	if (rule->action == RULE_PROTECT && k != RULE_HOST)
		return refuse(r, w->col, "only a host can be protected", w->value);
	rule->kind = k;
	return 0;
}

/* The rule that an exception is from; what it is for follows with the keys. */
static int
set_excepted(struct source_reader *r, const struct word *w)
{
	char why[RULE_WHY];

	return exception_take_rule(w->value, &r->exception, why) == 0 ? 0 : refuse(r, w->value_col, why, w->value);
}

/* All of an exception as its value. */
static int
set_exception(struct source_reader *r, const struct word *w, struct rule *rule, struct rule_match *match)
{
	char why[RULE_WHY];
	size_t at;

	buf_reset(&r->scope);
	if (exception_format(&r->exception, &r->scope) == -1)
		return refuse(r, w->col, "out of memory", w->value);
	rule->value = buf_slice(&r->scope);
	return rule_match_parse(RULE_RULE, rule->value, match, why, &at) == 0 ? 0 : refuse(r, w->col, why, w->value);
}

/* The value may look like key=value ("q=1.example/"): it is then taken whole. */
static int
set_value(struct source_reader *r, const struct word *w, struct rule *rule, struct rule_match *match)
{
	char why[RULE_WHY];
	size_t at = 0;

	if (w->quoted && w->key.len > 0)
		return refuse(r, w->value_col, "a quote within the value; put all of it into quotes", w->value);
	rule->value = w->key.len == 0 ? w->value : slice_make(w->key.p, w->key.len + 1 + w->value.len);
	if (rule_match_parse(rule->kind, rule->value, match, why, &at) == 0)
		return 0;
	return refuse(r, w->col + w->quoted + (unsigned)at, why, rule->value);
}

/* ---- ids ---- */

static int
note_id(struct source_reader *r)
{
	static const uint8_t key[SIPHASH_KEY];

	if (r->n_ids == r->cap_ids) {
		size_t cap = r->cap_ids == 0 ? 64 : 2 * r->cap_ids;
		struct used_id *ids = realloc(r->ids, cap * sizeof(*ids));

		if (ids == NULL)
			return refuse(r, 0, "out of memory", buf_slice(&r->id));
		r->ids = ids;
		r->cap_ids = cap;
	}
	r->ids[r->n_ids++] = (struct used_id){ siphash(key, buf_slice(&r->id)), r->line };
	return 0;
}

static int
compare_ids(const void *a, const void *b)
{
	const struct used_id *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

static void
check_ids(struct source_reader *r)
{
	if (r->n_ids > 0)
		qsort(r->ids, r->n_ids, sizeof(*r->ids), compare_ids);
	for (size_t i = 1; i < r->n_ids; i++)
		if (r->ids[i].hash == r->ids[i - 1].hash)
			diag_add(r->diag, DIAG_ERROR, r->file, r->ids[i].line, 0, "the rule has the same id as the one in line %u",
			    r->ids[i - 1].line);
}

/* "NAME:ID", where a rule without id= has its line for one, or in a feed, whose lines move, what it matches. */
static int
set_id(struct source_reader *r, struct rule *rule)
{
	rule->label = rule->id;
	rule->line = r->is_row ? 0 : r->line;
	rule->id = (struct slice){ 0 };
	buf_reset(&r->id);
	if (r->is_row && rule->label.len == 0)
		return 0;
	if (rule_id_format(rule, &r->id) == -1)
		return refuse(r, 0, "out of memory", rule->label);
	rule->id = buf_slice(&r->id);
	return note_id(r);
}

/* ---- lines ---- */

static bool
is_local(struct slice name)
{
	return !slice_starts(name, SLICE("alert-")) && !slice_starts(name, SLICE("feed-"));
}

/* Make the line's words a rule.  -1 with findings; MATCH is to be freed in either case. */
static int
read_rule(struct source_reader *r, struct rule *rule, struct rule_match *match)
{
	const struct word *w = r->words.words;
	int result;

	*rule = (struct rule){ .level = RULE_LEVEL_DEFAULT, .rev = 1, .source = r->name, .local = is_local(r->name) };
	r->expires = (struct slice){ 0 };
	r->is_row = r->is_feed;
	if (set_action(r, &w[0], rule) == -1)
		return -1;
	if (r->words.n < 3)
		return refuse(r, w[r->words.n - 1].col, "expected ACTION KIND VALUE", w[r->words.n - 1].value);
	if (set_kind(r, &w[1], rule) == -1)
		return -1;
	result = rule->action == RULE_EXCEPT ? set_excepted(r, &w[2]) : set_value(r, &w[2], rule, match);
	if (set_keys(r, rule) == -1)
		result = -1;
	if (rule->action == RULE_EXCEPT && result == 0)
		result = set_exception(r, &w[2], rule, match);
	if (set_expiry(r, rule) == -1 || set_id(r, rule) == -1)
		result = -1;
	return result;
}

int
source_reader_line(struct source_reader *r, struct slice text)
{
	struct rule_match match = { .path = NULL };
	struct rule rule;
	int result = 0;

	r->line++;
	if (source_line_split(&r->words, r->file, r->line, text, r->diag) == -1 || r->words.n == 0)
		return 0;
	if (read_rule(r, &rule, &match) == 0 && r->visit != NULL)
		result = r->visit(r->arg, &rule, &match, r->line);
	rule_match_fini(&match);
	return result;
}

struct source_reader *
source_reader_new(const char *file, struct slice name, const struct source_defaults *defaults,
    source_visit *visit, void *arg, struct diag *diag)
{
	struct source_reader *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->file = file;
	r->name = name;
	r->defaults = defaults;
	r->visit = visit;
	r->arg = arg;
	r->diag = diag != NULL ? diag : &r->own;
	r->errors_before = r->diag->n_errors;
	r->is_feed = slice_starts(name, SLICE("feed-"));
	source_line_init(&r->words);
	buf_init(&r->scope, SOURCE_LINE_MAX);
	buf_init(&r->id, name.len + RULE_LABEL_MAX + 32);
	if (!source_name_ok(name))
		refuse(r, 0, "the source's name must be up to 64 letters, digits, '-', '_' and '.'", name);
	return r;
}

int
source_reader_end(struct source_reader *r)
{
	int result;

	check_ids(r);
	result = r->diag->n_errors > r->errors_before ? -1 : 0;
	source_line_fini(&r->words);
	buf_fini(&r->scope);
	buf_fini(&r->id);
	free(r->ids);
	diag_fini(&r->own);
	free(r);
	return result;
}

int
source_parse(const char *file, struct slice name, struct slice text, const struct source_defaults *defaults,
    source_visit *visit, void *arg, struct diag *diag)
{
	struct source_reader *r = source_reader_new(file, name, defaults, visit, arg, diag);
	struct slice line;
	int result = 0, end;

	if (r == NULL) {
		diag_add(diag, DIAG_ERROR, file, 0, 0, "out of memory");
		return -1;
	}
	while (text.len > 0 && result == 0) {
		slice_cut(text, '\n', &line, &text);
		result = source_reader_line(r, line);
	}
	end = source_reader_end(r);
	return result != 0 ? result : end;
}

/* ---- writing ---- */

static void
add_key(struct buf *out, enum key key, struct slice value)
{
	if (value.len == 0)
		return;
	buf_addf(out, " %s=", key_names[key]);
	source_line_quote(value, out);
}

static void
add_date(struct buf *out, enum key key, int64_t seconds)
{
	char date[CLOCK_TEXT];

	if (seconds == 0)
		return;
	clock_format_s(seconds, date);
	add_key(out, key, slice_str(date));
}

static int
format_rule(const struct rule *rule, bool exact, struct buf *out)
{
	struct slice id = rule->id.len > 0 ? rule->id : rule->label;
	struct buf value;

	if (slice_starts(id, rule->source) && id.len > rule->source.len && id.p[rule->source.len] == ':')
		id = slice_skip(id, rule->source.len + 1);
	buf_addf(out, "%s %s ", rule_action_name(rule->action), rule_kind_name(rule->kind));
	buf_init(&value, SIZE_MAX / 2);
	if (rule_value_format(rule, &value) == -1)
		out->failed = true;
	/* That of an exception is written as a source has it. */
	if (rule->kind == RULE_RULE)
		buf_add_slice(out, buf_slice(&value));
	else
		source_line_quote(buf_slice(&value), out);
	buf_fini(&value);
	add_key(out, KEY_ID, id);
	buf_addf(out, " rev=%u level=%u", rule->rev, rule->level);
	add_date(out, KEY_PUBLISHED, rule->published);
	add_date(out, KEY_EXPIRES, rule->expires);
	if (exact && rule->expires == 0)
		add_key(out, KEY_EXPIRES, SLICE("never"));
	add_key(out, KEY_ALERT, rule->alert);
	add_key(out, KEY_NAME, rule->name);
	add_key(out, KEY_CONTAINER, rule->container);
	add_key(out, KEY_NOTE, rule->note);
	if (rule->files)
		add_key(out, KEY_FILES, SLICE("yes"));
	if (exact && rule->line == 0 && rule->label.len == 0 && !slice_starts(rule->source, SLICE("feed-")))
		add_key(out, KEY_FEED, SLICE("yes"));
	return buf_add_char(out, '\n');
}

int
source_format(const struct rule *rule, struct buf *out)
{
	return format_rule(rule, false, out);
}

int
source_format_exact(const struct rule *rule, struct buf *out)
{
	return format_rule(rule, true, out);
}
