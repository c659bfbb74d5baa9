#include "feeds/feed_settings.h"

#include <stdio.h>

#include "base/clock.h"
#include "ruleset/source_line.h"

/* While a line is read. */
struct reader {
	struct feed_settings	*out;
	const char		*conf;
	unsigned		 line, col;	/* that the text begins in */
	struct diag		*diag;
};

static int
refuse(struct reader *r, const struct word *w, const char *what)
{
	diag_add(r->diag, DIAG_ERROR, r->conf, r->line, r->col - 1 + (w->value_col > 0 ? w->value_col : w->col), "%s: \"%.*s\"", what,
	    SLICE_ARGS(slice_head(w->value.len > 0 ? w->value : w->key, 100)));
	return -1;
}

/* A copy of TEXT that lives as long as the settings.  There is room for all of the line. */
static const char *
keep(struct reader *r, struct slice text)
{
	size_t at = r->out->texts.len;

	buf_add_slice(&r->out->texts, text);
	buf_add_char(&r->out->texts, '\0');
	return r->out->texts.failed ? "" : r->out->texts.p + at;
}

static int
set_bool(struct reader *r, const struct word *w, bool *out)
{
	*out = slice_eq(w->value, SLICE("yes"));
	return *out || slice_eq(w->value, SLICE("no")) ? 0 : refuse(r, w, "expected yes or no");
}

static int
set_action(struct reader *r, const struct word *w)
{
	r->out->options.action = slice_eq(w->value, SLICE("allow")) ? RULE_ALLOW : RULE_BLOCK;
	return r->out->options.action == RULE_ALLOW || slice_eq(w->value, SLICE("block")) ? 0 :
	    refuse(r, w, "the action of a feed is block or allow");
}

static int
set_level(struct reader *r, const struct word *w)
{
	uint64_t level;

	if (slice_u64(w->value, &level) == -1 || level > RULE_LEVEL_MAX)
		return refuse(r, w, "level= takes a number from 0 to 5");
	r->out->level = (uint8_t)level;
	return 0;
}

static int
set_confidence(struct reader *r, const struct word *w)
{
	uint64_t confidence;

	if (slice_u64(w->value, &confidence) == -1 || confidence > FEED_CONFIDENCE_MAX)
		return refuse(r, w, "confidence= takes a number from 0 to 100");
	r->out->options.confidence = (unsigned)confidence;
	return 0;
}

static int
set_expires(struct reader *r, const struct word *w)
{
	r->out->has_life = true;
	if (slice_eq(w->value, SLICE("never")))
		return 0;
	if (clock_parse_span(w->value, &r->out->life) == -1 || r->out->life == 0)
		return refuse(r, w, "expires= takes a time after the feed's last change, such as 7d, or never");
	return 0;
}

static int
set_format(struct reader *r, const struct word *w)
{
	r->out->has_format = feed_format_parse(w->value, &r->out->format) == 0;
	return r->out->has_format ? 0 : refuse(r, w, "no such format; feeds(5) has the list");
}

static int
set_separator(struct reader *r, const struct word *w)
{
	if (slice_eq(w->value, SLICE("tab")))
		r->out->options.separator = '\t';
	else if (w->value.len == 1)
		r->out->options.separator = w->value.p[0];
	else
		return refuse(r, w, "separator= takes one character, or tab");
	return 0;
}

/* "COLUMN:VALUE,COLUMN:VALUE ...". */
static int
set_filter(struct reader *r, const struct word *w)
{
	struct slice rest = w->value, one, column, value;

	while (rest.len > 0) {
		slice_cut(rest, ',', &one, &rest);
		if (!slice_cut(one, ':', &column, &value) || column.len == 0)
			return refuse(r, w, "filter= takes COLUMN:VALUE, and more of them behind commas");
		if (r->out->options.n_filters == FEED_FILTERS_MAX)
			return refuse(r, w, "too many filters");
		r->out->filters[r->out->options.n_filters++] = (struct feed_filter){ keep(r, column), keep(r, value) };
	}
	return 0;
}

/* The column that KEY names; NULL. */
static const char **
column_of(struct feed_columns *c, struct slice key)
{
	const struct { const char *key, **column; } columns[] = {
		{ "host", &c->host }, { "url", &c->url }, { "md5", &c->md5 }, { "sha1", &c->sha1 }, { "sha256", &c->sha256 },
		{ "digest", &c->digest }, { "size", &c->size }, { "name", &c->name },
	};

	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
		if (slice_eq(key, slice_str(columns[i].key)))
			return columns[i].column;
	return NULL;
}

static int
set_column(struct reader *r, const struct word *w, const char **column)
{
	if (w->value.len == 0)
		return refuse(r, w, "expected a column's name, or its number");
	*column = keep(r, w->value);
	return 0;
}

static int
set_word(struct reader *r, const struct word *w)
{
	static const struct { const char *key; int (*set)(struct reader *r, const struct word *w); } keys[] = {
		{ "action", set_action }, { "level", set_level }, { "expires", set_expires }, { "format", set_format },
		{ "separator", set_separator }, { "filter", set_filter }, { "confidence", set_confidence },
	};
	const char **column = column_of(&r->out->options.columns, w->key);
	const struct option *row = feed_origin_find(w->key);
	char why[OPTION_WHY];

	if (column != NULL)
		return set_column(r, w, column);
	if (row != NULL)
		return feed_origin_set(&r->out->origin, row, w->value, why) == 0 ? 0 : refuse(r, w, why);
	if (slice_eq(w->key, SLICE("apex")))
		return set_bool(r, w, &r->out->options.apex);
	if (slice_eq(w->key, SLICE("ports")))
		return set_bool(r, w, &r->out->options.ports);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (slice_eq(w->key, slice_str(keys[i].key)))
			return keys[i].set(r, w);
	if (w->key.len == 0)
		return refuse(r, w, "expected key=value");
	return refuse(r, &(struct word){ .value = w->key, .col = w->col }, "unknown key");
}

/* Keys that are good alone, and not together. */
static int
check_origin(struct reader *r)
{
	const char *wrong = feed_origin_trouble(&r->out->origin, r->out->life);

	if (wrong == NULL && *r->out->origin.origin != '\0' && !r->out->has_format)
		wrong = "origin= needs format=, since its file's name will tell none";
	if (wrong != NULL)
		diag_add(r->diag, DIAG_ERROR, r->conf, r->line, r->col, "%s", wrong);
	return wrong == NULL ? 0 : -1;
}

/* Findings of the words' reader, from the N-th on, know the text alone. */
static void
shift_columns(struct reader *r, size_t n)
{
	for (; r->diag != NULL && n < r->diag->n; n++)
		r->diag->v[n].col += r->diag->v[n].col > 0 ? r->col - 1 : 0;
}

int
feed_settings_read(struct feed_settings *out, const char *conf, unsigned number, unsigned col, struct slice text, struct diag *diag)
{
	struct reader r = { out, conf, number, col, diag };
	size_t n = diag == NULL ? 0 : diag->n;
	struct source_line line;
	int result = 0;

	*out = (struct feed_settings){ .level = RULE_LEVEL_DEFAULT };
	buf_init(&out->texts, SIZE_MAX / 2);
	source_line_init(&line);
	/* Each word's text is kept at most once, with a NUL: it never moves. */
	if (buf_reserve(&out->texts, 2 * text.len + 2 * SOURCE_WORDS_MAX) == -1 || feed_origin_init(&out->origin) == -1)
		result = -1;
	if (source_line_split(&line, conf, number, text, diag) == -1)
		result = -1;
	shift_columns(&r, n);
	for (size_t i = 0; result == 0 && i < line.n; i++)
		result = set_word(&r, &line.words[i]);
	if (result == 0)
		result = check_origin(&r);
	out->options.filters = out->filters;
	source_line_fini(&line);
	return result;
}

void
feed_settings_fini(struct feed_settings *s)
{
	buf_fini(&s->texts);
	feed_origin_fini(&s->origin);
}
