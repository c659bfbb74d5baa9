#include "ruleset/compile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
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

struct compiler {
	char			*dir;
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

int
compiler_source(struct compiler *c, struct slice name)
{
	return rows_builder_source(c->rows, name) == 0 ? 0 : fail(c);
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

static int
add_pattern(struct compiler *c, const struct rule_match *match, uint32_t ref)
{
	struct pattern_match pattern = { .ref = ref, .scope = match->scope, .host = slice_make(match->host, match->host_len),
		.pattern = slice_str(match->path) };

	return pattern_builder_add(c->patterns, &pattern);
}

static int
add_file(struct compiler *c, const struct rule_match *match, uint32_t ref)
{
	struct name_match name = { .ref = ref, .size = match->size, .pattern = slice_str(match->path) };

	return match->path == NULL ? hashdb_builder_add(c->digests, &match->digest, match->size, ref) :
	    name_table_add(c->names, &name);
}

int
compiler_add(struct compiler *c, const struct rule *rule, const struct rule_match *match)
{
	uint64_t counts[ROW_COUNTS] = { 0 };
	uint32_t ref;

	if (rows_builder_add(c->rows, rule, &ref) == -1)
		return -1;
	compiler_count(counts, rule, match);
	for (enum row_count k = 0; k < ROW_COUNTS; k++)
		rows_builder_count(c->rows, k, counts[k]);
	switch (rule->kind) {
	case RULE_HOST:
	case RULE_URL:
		return host_builder_add(c->hosts, match->scope, slice_make(match->host, match->host_len), slice_str(match->path), ref);
	case RULE_PATH:
		return add_pattern(c, match, ref);
	case RULE_ADDRESS:
		return address_builder_add(c->addresses, &match->network, ref);
	case RULE_RULE:
		return text_rows_builder_add(c->exceptions, &(struct text_row){ .text = slice_str(match->path), .ref = ref });
	case RULE_FILE:
		break;
	}
	return add_file(c, match, ref);
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
	grown[c->n_copied++] = (struct copied){ layer, i, s.first, rows_builder_rows(c->rows) };
	if (compiler_source(c, s.name) == -1)
		return -1;
	for (enum row_count k = 0; k < ROW_COUNTS; k++)
		rows_builder_count(c->rows, k, s.counts[k]);
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
copy_host(void *arg, enum host_scope scope, struct slice host, struct slice path, uint32_t ref)
{
	struct copy_walk *w = arg;

	return new_ref(w, ref, &ref) ? host_builder_add(w->c->hosts, scope, host, path, ref) : 0;
}

static int
copy_digest(void *arg, const struct digest *digest, uint64_t size, uint32_t ref)
{
	struct copy_walk *w = arg;

	return new_ref(w, ref, &ref) ? hashdb_builder_add(w->c->digests, digest, size, ref) : 0;
}

static int
copy_addresses(struct copy_walk *w, bool *damaged)
{
	size_t n = w->layer->addresses == NULL ? 0 : address_table_rules(w->layer->addresses);
	struct address_match m;

	for (size_t i = 0; i < n; i++) {
		if (address_table_at(w->layer->addresses, i, &m) == -1)
			*damaged = true;
		else if (new_ref(w, m.ref, &m.ref) && address_builder_add(w->c->addresses, &m.network, m.ref) == -1)
			return -1;
	}
	return 0;
}

static int
copy_patterns(struct copy_walk *w, bool *damaged)
{
	size_t n = w->layer->patterns == NULL ? 0 : path_patterns_count(w->layer->patterns);
	struct pattern_match m;

	for (size_t i = 0; i < n; i++) {
		if (path_patterns_at(w->layer->patterns, i, &m) == -1)
			*damaged = true;
		else if (new_ref(w, m.ref, &m.ref) && pattern_builder_add(w->c->patterns, &m) == -1)
			return -1;
	}
	return 0;
}

static int
copy_names(struct copy_walk *w)
{
	struct name_match m;

	for (size_t i = 0; w->layer->names != NULL && name_table_at(w->layer->names, i, &m) == 0; i++)
		if (new_ref(w, m.ref, &m.ref) && name_table_add(w->c->names, &m) == -1)
			return -1;
	return 0;
}

static int
copy_exceptions(struct copy_walk *w)
{
	struct text_row row = { .number = 0 };

	for (size_t i = 0; w->layer->exceptions != NULL && exceptions_at(w->layer->exceptions, i, &row.text, &row.ref) == 0; i++)
		if (new_ref(w, row.ref, &row.ref) && text_rows_builder_add(w->c->exceptions, &row) == -1)
			return -1;
	return 0;
}

static int
copy_tables(struct compiler *c, const struct layer *layer)
{
	struct copy_walk w = { .c = c, .layer = layer, .by_source = calloc(rows_sources(layer->rows) + 1, sizeof(*w.by_source)) };
	bool damaged = false;
	int r = 0;

	if (w.by_source == NULL)
		return fail(c);
	for (size_t i = 0; i < c->n_copied; i++)
		if (c->copied[i].layer == layer)
			w.by_source[c->copied[i].source] = &c->copied[i];
	if (layer->hosts != NULL)
		r = host_table_each(layer->hosts, copy_host, &w, &damaged);
	if (r == 0 && layer->digests != NULL)
		r = hashdb_each(layer->digests, copy_digest, &w, &damaged);
	if (r == 0)
		r = copy_addresses(&w, &damaged);
	if (r == 0)
		r = copy_patterns(&w, &damaged);
	if (r == 0)
		r = copy_names(&w);
	if (r == 0)
		r = copy_exceptions(&w);
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
	int r = copy_all_tables(c);
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
