#include "ruleset/compile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/sorter.h"
#include "ruleset/layer_rules.h"
#include "ruleset/stored_rule.h"
#include "url_rules/address_table.h"
#include "url_rules/name_table.h"
#include "url_rules/path_patterns.h"

enum { HOSTS_SHARE = 3 };	/* of the memory; digests get the rest */

/* A source of another layer, whose rows were given other references. */
struct copied {
	const struct layer	*layer;
	size_t			 source;
	uint32_t		 from, to;	/* the first row, there and here */
};

/* The feed whose rules are added. */
struct feed {
	bool		 open, has_rows;
	bool		 delta;
	uint32_t	 removed;	/* the row of what was removed, in a delta */
	uint32_t	 plain;		/* the first of the four rows for what has nothing of its own */
	uint8_t		 level;		/* of these */
	struct sorter	*others;	/* NULL: none, so far */
	struct buf	 bytes;
};

struct compiler {
	char			*dir;
	struct feed		 feed;
	uint64_t		 number;
	struct diag		*diag;
	struct rows_builder	*rows;
	struct host_builder	*hosts;
	struct hashdb_builder	*digests;
	struct address_builder	*addresses;
	struct pattern_builder	*patterns;
	struct text_rows_builder *names, *exceptions;
	struct copied		*copied;
	size_t			 n_copied;
};

static int
fail(struct compiler *c)
{
	diag_add(c->diag, DIAG_ERROR, c->dir, 0, 0, "%s", strerror(errno));
	return -1;
}

static char *
segment_path(const struct compiler *c, const char *name)
{
	return file_join(c->dir, name);
}

static void
segment_name(const struct compiler *c, enum segment_kind kind, char out[static MANIFEST_NAME])
{
	snprintf(out, MANIFEST_NAME, "%s-%" PRIu64 ".seg", segment_kind_name(kind), c->number);
}

struct compiler *
compiler_new(const char *dir, uint64_t number, size_t memory, struct diag *diag)
{
	struct compiler *c = calloc(1, sizeof(*c));
	char name[MANIFEST_NAME], *path = NULL;

	if (c == NULL || (c->dir = strdup(dir)) == NULL)
		goto no_memory;
	c->number = number;
	c->diag = diag;
	buf_init(&c->feed.bytes, SORTER_RECORD_MAX);
	segment_name(c, SEGMENT_RULES, name);
	if ((path = segment_path(c, name)) == NULL || (c->hosts = host_builder_new(memory / HOSTS_SHARE, dir)) == NULL ||
	    (c->digests = hashdb_builder_new(memory - memory / HOSTS_SHARE, dir)) == NULL ||
	    (c->addresses = address_builder_new()) == NULL || (c->patterns = pattern_builder_new()) == NULL ||
	    (c->names = text_rows_builder_new()) == NULL ||
	    (c->exceptions = text_rows_builder_new()) == NULL)
		goto no_memory;
	c->rows = rows_builder_new(path, diag);
	free(path);
	if (c->rows != NULL)
		return c;
	compiler_free(c);
	return NULL;
no_memory:
	diag_error(diag, "out of memory");
	free(path);
	compiler_free(c);
	return NULL;
}

void
compiler_free(struct compiler *c)
{
	if (c == NULL)
		return;
	sorter_free(c->feed.others);
	buf_fini(&c->feed.bytes);
	rows_builder_free(c->rows);
	host_builder_free(c->hosts);
	hashdb_builder_free(c->digests);
	address_builder_free(c->addresses);
	pattern_builder_free(c->patterns);
	text_rows_builder_free(c->names);
	text_rows_builder_free(c->exceptions);
	free(c->copied);
	free(c->dir);
	free(c);
}

/* The count that RULE belongs to. */
static enum row_count
count_of(const struct rule *rule, const struct rule_match *match)
{
	if (rule->action == RULE_PROTECT)
		return COUNT_PROTECTS;
	switch (rule->kind) {
	case RULE_HOST:
		return COUNT_HOSTS;
	case RULE_URL:
		return COUNT_URLS;
	case RULE_PATH:
		return COUNT_PATTERNS;
	case RULE_ADDRESS:
		return COUNT_ADDRESSES;
	case RULE_RULE:
		return COUNT_EXCEPTIONS;
	case RULE_FILE:
		break;
	}
	return match->path != NULL ? COUNT_NAMES : (enum row_count)(COUNT_FILES + match->digest.alg);
}

void
compiler_count(uint64_t counts[static ROW_COUNTS], const struct rule *rule, const struct rule_match *match)
{
	counts[count_of(rule, match)]++;
	if (rule->kind == RULE_FILE && match->path == NULL && match->size == HASHDB_SIZE_ANY)
		counts[COUNT_SIZELESS + match->digest.alg]++;
	if (rule->kind == RULE_PATH && pattern_is_regex(slice_str(match->path)))
		counts[COUNT_REGEXES]++;
}

/* ---- what matches ---- */

/* Let row REF match KEY. */
static int
add_match(struct compiler *c, enum rule_kind kind, const struct rule_key *key, uint32_t ref)
{
	switch (kind) {
	case RULE_HOST:
	case RULE_URL:
		return host_builder_add(c->hosts, key->scope, key->host, key->path, ref);
	case RULE_PATH:
		return pattern_builder_add(c->patterns, &(struct pattern_match){ .ref = ref, .scope = key->scope, .host = key->host,
			.pattern = key->path });
	case RULE_ADDRESS:
		return address_builder_add(c->addresses, &key->network, ref);
	case RULE_RULE:
		return text_rows_builder_add(c->exceptions, &(struct text_row){ .text = key->path, .ref = ref });
	case RULE_FILE:
		break;
	}
	return key->digest != NULL ? hashdb_builder_add(c->digests, key->digest, key->size, ref) :
	    name_table_add(c->names, &(struct name_match){ .ref = ref, .size = key->size, .pattern = key->path });
}

/* ---- feeds ---- */

enum { PLAIN_ROWS = 4 };
#define OTHERS_MEMORY	((size_t)64 << 20)

/* Which of the four rows RULE has; PLAIN_ROWS when it has something of its own. */
static unsigned
plain_row(const struct rule *rule, uint8_t level)
{
	bool is_file = rule->expires == RULE_ENDS_FILES;

	if (rule->level != level || rule->rev != 1 || rule->local || rule->files || rule->published != 0 || rule->line != 0 ||
	    rule->label.len > 0 || rule->alert.len > 0 || rule->container.len > 0 || rule->note.len > 0 || rule->name.len > 0 ||
	    (rule->action != RULE_BLOCK && rule->action != RULE_ALLOW) || (!is_file && rule->expires != RULE_ENDS_HOSTS))
		return PLAIN_ROWS;
	return (rule->action == RULE_ALLOW ? 2 : 0) + is_file;
}

/* The four rows of LEVEL. */
static int
add_plain_rows(struct compiler *c, uint8_t level)
{
	for (unsigned i = 0; i < PLAIN_ROWS; i++) {
		struct rule rule = { .action = i < 2 ? RULE_BLOCK : RULE_ALLOW, .level = level, .rev = 1,
			.expires = i % 2 == 0 ? RULE_ENDS_HOSTS : RULE_ENDS_FILES };
		uint32_t ref;

		if (rows_builder_copy(c->rows, &rule, &ref) == -1)
			return -1;
		if (i == 0)
			c->feed.plain = ref;
	}
	c->feed.level = level;
	c->feed.has_rows = true;
	return 0;
}

static int
put_aside(struct compiler *c, const struct rule *rule)
{
	struct feed *f = &c->feed;

	if (f->others == NULL && (f->others = sorter_new(OTHERS_MEMORY, c->dir)) == NULL)
		return errno = ENOMEM, -1;
	buf_reset(&f->bytes);
	if (stored_rule_add_says(rule, &f->bytes) == -1 || stored_rule_add_match(rule->kind, &rule->key, &f->bytes) == -1)
		return -1;
	return sorter_add(f->others, buf_slice(&f->bytes));
}

int
compiler_put(struct compiler *c, const struct rule *rule)
{
	unsigned row;

	if (!c->feed.has_rows && add_plain_rows(c, rule->level) == -1)
		return -1;
	row = plain_row(rule, c->feed.level);
	return row < PLAIN_ROWS ? add_match(c, rule->kind, &rule->key, c->feed.plain + row) : put_aside(c, rule);
}

int
compiler_remove(struct compiler *c, enum rule_kind kind, const struct rule_key *key)
{
	return add_match(c, kind, key, c->feed.removed);
}

/* Give what was put aside its rows. */
static int
add_others(struct compiler *c)
{
	struct buf last;
	uint32_t ref = 0;
	struct slice bytes;
	int r;

	buf_init(&last, SORTER_RECORD_MAX);
	r = sorter_sort(c->feed.others);
	while (r != -1 && (r = sorter_next(c->feed.others, &bytes)) == 1) {
		struct stored_rule stored = { .digest = { .alg = DIGEST_MD5 } };
		struct slice rest = bytes, says;

		if (stored_rule_take_says(&rest, &stored) == -1)
			r = (errno = EINVAL, -1);
		says = slice_head(bytes, bytes.len - rest.len);
		if (r == 1 && (last.len == 0 || !slice_eq(buf_slice(&last), says))) {
			buf_reset(&last);
			r = buf_add_slice(&last, says) == -1 ? (errno = ENOMEM, -1) : rows_builder_copy(c->rows, &stored.rule, &ref);
		}
		if (r != -1 && (stored_rule_take_match(&rest, &stored) == -1 ||
		    add_match(c, stored.rule.kind, &stored.rule.key, ref) == -1))
			r = -1;
	}
	buf_fini(&last);
	return r;
}

/* All rules of the feed, if one is open, were added.  -1 with errno. */
static int
end_feed(struct compiler *c)
{
	int r = c->feed.others == NULL ? 0 : add_others(c), error = errno;

	sorter_free(c->feed.others);
	c->feed.others = NULL;
	c->feed.open = false;
	errno = error;
	return r;
}

/* ---- sources ---- */

int
compiler_source(struct compiler *c, struct slice name)
{
	return end_feed(c) == 0 && rows_builder_source(c->rows, name) == 0 ? 0 : fail(c);
}

int
compiler_feed(struct compiler *c, struct slice name, bool delta)
{
	if (compiler_source(c, name) == -1)
		return -1;
	c->feed.open = true;
	c->feed.has_rows = false;
	c->feed.delta = delta;
	return !delta || rows_builder_delta(c->rows, &c->feed.removed) == 0 ? 0 : fail(c);
}

void
compiler_set_counts(struct compiler *c, const uint64_t counts[static ROW_COUNTS])
{
	for (enum row_count k = 0; k < ROW_COUNTS; k++)
		rows_builder_count(c->rows, k, counts[k]);
}

int
compiler_add(struct compiler *c, const struct rule *rule, const struct rule_match *match)
{
	uint64_t counts[ROW_COUNTS] = { 0 };
	struct rule keyed = *rule;
	uint32_t ref;

	keyed.key = rule_match_key(match);
	if (!c->feed.open && rows_builder_add(c->rows, rule, &ref) == -1)
		return -1;
	compiler_count(counts, rule, match);
	compiler_set_counts(c, counts);
	return c->feed.open ? compiler_put(c, &keyed) : add_match(c, rule->kind, &keyed.key, ref);
}

/* ---- copying ---- */

static int
copy_rows(struct compiler *c, const struct layer *layer, const struct row_source *s)
{
	char name[RULE_NAME_MAX];
	struct rule rule;
	uint32_t ref;

	for (uint32_t i = 0; i < s->n; i++) {
		if (rows_get(layer->rows, s->first + i, name, &rule) == -1) {
			diag_add(c->diag, DIAG_ERROR, c->dir, 0, 0, "layer %" PRIu64 " is damaged: \"firebreak publish --full\" makes it "
			    "anew", layer->named.number);
			return -1;
		}
		if (rows_builder_copy(c->rows, &rule, &ref) == -1)
			return fail(c);
	}
	return 0;
}

int
compiler_copy(struct compiler *c, const struct layer *layer, size_t i)
{
	struct row_source s = rows_source(layer->rows, i);
	struct copied *grown = realloc(c->copied, (c->n_copied + 1) * sizeof(*grown));

	if (grown == NULL)
		return fail(c);
	c->copied = grown;
	if (compiler_source(c, s.name) == -1)
		return -1;
	grown[c->n_copied++] = (struct copied){ layer, i, s.first, rows_builder_rows(c->rows) };
	rows_builder_like(c->rows, &s);
	compiler_set_counts(c, s.counts);
	return copy_rows(c, layer, &s);
}

/* The walk through the tables of one layer from which sources were copied. */
struct copy_walk {
	struct compiler		*c;
	const struct layer	*layer;
	const struct copied	**by_source;	/* NULL: not copied */
};

/* The reference here of row REF there; false when its source was not copied. */
static bool
new_ref(const struct copy_walk *w, uint32_t ref, uint32_t *out)
{
	size_t source = rows_source_of(w->layer->rows, ref);

	if (source >= rows_sources(w->layer->rows) || w->by_source[source] == NULL)
		return false;
	*out = ref - w->by_source[source]->from + w->by_source[source]->to;
	return true;
}

static int
copy_match(void *arg, enum rule_kind kind, const struct rule_key *key, uint32_t ref, uint64_t place)
{
	struct copy_walk *w = arg;

	(void)place;
	return new_ref(w, ref, &ref) ? add_match(w->c, kind, key, ref) : 0;
}

static int
copy_tables(struct compiler *c, const struct layer *layer)
{
	struct copy_walk w = { .c = c, .layer = layer, .by_source = calloc(rows_sources(layer->rows) + 1, sizeof(*w.by_source)) };
	bool damaged = false;
	int r;

	if (w.by_source == NULL)
		return fail(c);
	for (size_t i = 0; i < c->n_copied; i++)
		if (c->copied[i].layer == layer)
			w.by_source[c->copied[i].source] = &c->copied[i];
	r = layer_each(layer, copy_match, &w, &damaged);
	free(w.by_source);
	if (r == -1)
		return fail(c);
	if (!damaged)
		return 0;
	diag_add(c->diag, DIAG_ERROR, c->dir, 0, 0, "layer %" PRIu64 " is damaged: \"firebreak publish --full\" makes it anew",
	    layer->named.number);
	return -1;
}

/* The tables of every layer from which sources were copied, each once. */
static int
copy_all_tables(struct compiler *c)
{
	for (size_t i = 0; i < c->n_copied; i++) {
		bool seen = false;

		for (size_t k = 0; k < i; k++)
			seen = seen || c->copied[k].layer == c->copied[i].layer;
		if (!seen && copy_tables(c, c->copied[i].layer) == -1)
			return -1;
	}
	return 0;
}

/* ---- writing ---- */

static int
write_segment(struct compiler *c, enum segment_kind kind, struct manifest_layer *out)
{
	struct manifest_segment *s = &out->segments[out->n];
	char *path;
	int r = -1;

	s->kind = kind;
	segment_name(c, kind, s->name);
	if ((path = segment_path(c, s->name)) == NULL)
		return fail(c);
	switch (kind) {
	case SEGMENT_RULES:
		r = rows_builder_write(c->rows, &s->len, s->sha256);
		break;
	case SEGMENT_HOSTS:
		r = host_builder_write(c->hosts, path, &s->len, s->sha256, c->diag);
		break;
	case SEGMENT_DIGESTS:
		r = hashdb_builder_write(c->digests, path, &s->len, s->sha256, c->diag);
		break;
	case SEGMENT_ADDRESSES:
		r = address_builder_write(c->addresses, path, &s->len, s->sha256, c->diag);
		break;
	case SEGMENT_PATTERNS:
		r = pattern_builder_write(c->patterns, path, &s->len, s->sha256, c->diag);
		break;
	case SEGMENT_NAMES:
		if (name_table_check(c->names, path, c->diag) == 0)
			r = text_rows_builder_write(c->names, kind, path, &s->len, s->sha256, c->diag);
		break;
	case SEGMENT_EXCEPTIONS:
		r = text_rows_builder_write(c->exceptions, kind, path, &s->len, s->sha256, c->diag);
		break;
	case SEGMENT_SITE:
	case SEGMENT_LOOKALIKE:
		break;
	}
	out->n += r == 0;
	free(path);
	return r;
}

/* Remove what was written; the errors were told. */
static void
remove_segments(struct compiler *c, const struct manifest_layer *out)
{
	for (size_t i = 0; i < out->n; i++) {
		char *path = segment_path(c, out->segments[i].name);

		if (path != NULL)
			unlink(path);
		free(path);
	}
}

int
compiler_write(struct compiler *c, struct manifest_layer *out)
{
	int r = end_feed(c) == 0 ? copy_all_tables(c) : fail(c);
	const struct { enum segment_kind kind; uint64_t n; } tables[] = {
		{ SEGMENT_HOSTS, host_builder_count(c->hosts) }, { SEGMENT_DIGESTS, hashdb_builder_count(c->digests) },
		{ SEGMENT_ADDRESSES, address_builder_count(c->addresses) }, { SEGMENT_PATTERNS, pattern_builder_count(c->patterns) },
		{ SEGMENT_NAMES, text_rows_builder_count(c->names) },
		{ SEGMENT_EXCEPTIONS, text_rows_builder_count(c->exceptions) },
	};

	*out = (struct manifest_layer){ .number = c->number };
	if (r == 0)
		r = write_segment(c, SEGMENT_RULES, out);
	for (size_t i = 0; r == 0 && i < sizeof(tables) / sizeof(*tables); i++)
		if (tables[i].n > 0)
			r = write_segment(c, tables[i].kind, out);
	if (r == -1)
		remove_segments(c, out);
	return r;
}

uint64_t
compiler_rules(const struct compiler *c)
{
	size_t n = rows_builder_sources(c->rows);
	struct row_source s = { .n = 0 };

	if (n > 0)
		s = rows_builder_get_source(c->rows, n - 1);
	return row_source_rules(&s);
}

size_t
compiler_sources(const struct compiler *c)
{
	return rows_builder_sources(c->rows);
}

struct row_source
compiler_get_source(const struct compiler *c, size_t i)
{
	return rows_builder_get_source(c->rows, i);
}
