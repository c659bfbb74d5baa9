#include "ruleset/layer.h"

#include <stdlib.h>

#include "base/file.h"
#include "ruleset/generation.h"

struct segment *
layer_open_segment(const char *dir, const struct manifest_segment *m, bool verify, struct diag *diag)
{
	char *path = file_join(dir, m->name);
	struct segment *s;

	if (path == NULL) {
		diag_error(diag, "out of memory");
		return NULL;
	}
	s = segment_open(path, m->kind, verify || m->len <= GENERATION_VERIFY ? m->sha256 : NULL, diag);
	if (s != NULL && segment_size(s) != m->len) {
		diag_add(diag, DIAG_ERROR, path, 0, 0, "damaged: its length is not the one in the MANIFEST");
		segment_close(s);
		s = NULL;
	}
	free(path);
	return s;
}

void
layer_refuse_content(const char *dir, const struct manifest_segment *m, struct diag *fault, struct diag *diag)
{
	char *path = file_join(dir, m->name);

	diag_add(diag, DIAG_ERROR, path != NULL ? path : dir, 0, 0, "%s", diag_first_error(fault));
	diag_fini(fault);
	free(path);
}

/* A row that is lost would be a rule that does not count, and nobody was told.  FINDINGS, which end here, say why of what is not
 * WHOLE. */
static bool
is_whole(bool whole, const char *before, struct diag *findings, struct diag *fault)
{
	if (!whole)
		diag_error(fault, "%s%s", before, findings->n > 0 ? findings->v[0].text : "out of memory");
	diag_fini(findings);
	return whole;
}

static bool
open_patterns(struct layer *l, const struct segment *s, struct diag *fault)
{
	struct diag findings = { 0 };

	l->patterns = path_patterns_open(s, &findings);
	return is_whole(l->patterns != NULL && path_patterns_lost(l->patterns) == 0, "path rules: ", &findings, fault);
}

static bool
open_names(struct layer *l, const struct segment *s, struct diag *fault)
{
	struct diag findings = { 0 };

	l->names = name_table_open(s, &findings);
	return is_whole(l->names != NULL && name_table_lost(l->names) == 0, "", &findings, fault);
}

static bool
open_exceptions(struct layer *l, const struct segment *s, struct diag *fault)
{
	struct diag findings = { 0 };

	l->exceptions = exceptions_open(s, &findings);
	return is_whole(l->exceptions != NULL && exceptions_lost(l->exceptions) == 0, "", &findings, fault);
}

/* Make S, of kind KIND, a table of L. */
static bool
open_table(struct layer *l, enum segment_kind kind, const struct segment *s, struct diag *fault)
{
	switch (kind) {
	case SEGMENT_RULES:
		return (l->rows = rows_open(s, fault)) != NULL;
	case SEGMENT_HOSTS:
		return (l->hosts = host_table_open(s, fault)) != NULL;
	case SEGMENT_DIGESTS:
		return (l->digests = hashdb_open(s, fault)) != NULL;
	case SEGMENT_ADDRESSES:
		return (l->addresses = address_table_open(s, fault)) != NULL;
	case SEGMENT_PATTERNS:
		return open_patterns(l, s, fault);
	case SEGMENT_NAMES:
		return open_names(l, s, fault);
	case SEGMENT_EXCEPTIONS:
		return open_exceptions(l, s, fault);
	case SEGMENT_SITE:
	case SEGMENT_LOOKALIKE:
		break;
	}
	diag_error(fault, "no segment of a layer");
	return false;
}

static int
open_tables(struct layer *l, const char *dir, bool verify, struct diag *diag)
{
	struct diag fault = { 0 };

	for (size_t i = 0; i < l->named.n; i++) {
		const struct manifest_segment *m = &l->named.segments[i];

		if ((l->segments[i] = layer_open_segment(dir, m, verify, diag)) == NULL)
			return -1;
		if (!open_table(l, m->kind, l->segments[i], &fault)) {
			layer_refuse_content(dir, m, &fault, diag);
			return -1;
		}
	}
	for (size_t i = 0; i < l->named.n; i++)
		segment_forget(l->segments[i]);
	if (l->rows != NULL)
		return 0;
	diag_add(diag, DIAG_ERROR, dir, 0, 0, "the MANIFEST names no segment \"rules\" for layer %llu",
	    (unsigned long long)l->named.number);
	return -1;
}

/* L has what was removed, and was not looked at as a whole: a bit that flips there must not bring back a rule that is gone. */
static bool
must_verify(const struct layer *l)
{
	bool delta = false, large = false;

	for (size_t i = 0; i < rows_sources(l->rows); i++)
		delta = delta || rows_source(l->rows, i).delta;
	for (size_t i = 0; i < l->named.n; i++)
		large = large || l->named.segments[i].len > GENERATION_VERIFY;
	return delta && large;
}

struct layer *
layer_open(const char *dir, const struct manifest_layer *named, bool verify, struct diag *diag)
{
	struct layer *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		diag_error(diag, "out of memory");
		return NULL;
	}
	l->users = 1;
	l->named = *named;
	if (open_tables(l, dir, verify, diag) == 0 && (verify || !must_verify(l)))
		return l;
	verify = !verify && l->rows != NULL && must_verify(l);
	layer_put(l);
	return verify ? layer_open(dir, named, true, diag) : NULL;
}

struct layer *
layer_get(struct layer *l)
{
	__atomic_add_fetch(&l->users, 1, __ATOMIC_RELAXED);
	return l;
}

void
layer_put(struct layer *l)
{
	if (l == NULL || __atomic_sub_fetch(&l->users, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	rows_close(l->rows);
	host_table_close(l->hosts);
	hashdb_close(l->digests);
	address_table_close(l->addresses);
	path_patterns_close(l->patterns);
	name_table_close(l->names);
	exceptions_close(l->exceptions);
	for (size_t i = 0; i < MANIFEST_SEGMENTS; i++)
		segment_close(l->segments[i]);
	free(l);
}

struct lookalike_layer *
lookalike_layer_open(const char *dir, const struct manifest_segment *named, struct diag *diag)
{
	struct lookalike_layer *l = calloc(1, sizeof(*l));
	struct diag fault = { 0 };

	if (l == NULL) {
		diag_error(diag, "out of memory");
		return NULL;
	}
	l->users = 1;
	l->named = *named;
	if ((l->segment = layer_open_segment(dir, named, true, diag)) != NULL) {
		if ((l->table = lookalike_open(l->segment, &fault)) != NULL)
			return l;
		layer_refuse_content(dir, named, &fault, diag);
	}
	lookalike_layer_put(l);
	return NULL;
}

struct lookalike_layer *
lookalike_layer_get(struct lookalike_layer *l)
{
	__atomic_add_fetch(&l->users, 1, __ATOMIC_RELAXED);
	return l;
}

void
lookalike_layer_put(struct lookalike_layer *l)
{
	if (l == NULL || __atomic_sub_fetch(&l->users, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	lookalike_close(l->table);
	segment_close(l->segment);
	free(l);
}

bool
layer_is(const struct layer *l, const struct manifest_layer *named)
{
	if (l->named.number != named->number || l->named.n != named->n)
		return false;
	for (size_t i = 0; i < named->n; i++) {
		const struct manifest_segment *a = &l->named.segments[i], *b = &named->segments[i];

		if (a->kind != b->kind || a->len != b->len || memcmp(a->sha256, b->sha256, sizeof(a->sha256)) != 0)
			return false;
	}
	return true;
}
