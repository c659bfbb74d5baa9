#include "ruleset/generation_part.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"
#include "ruleset/site_format.h"

/* A publisher may have removed what an older MANIFEST named: the newer one is then read. */
enum { MANIFEST_TRIES = 8, MANIFEST_FILE = 40 };

_Static_assert((int)MANIFEST_LAYERS <= (int)HOST_TABLES_MAX, "all layers are asked at once");

/* ---- opening ---- */

static int
open_site(struct generation *g, const char *dir, bool verify, struct diag *diag)
{
	struct segment *s = layer_open_segment(dir, &g->manifest.site, verify, diag);
	struct diag fault = { 0 };
	struct slice pages;
	const char *why;
	int r;

	if (s == NULL)
		return -1;
	r = site_read(s, &g->site, NULL, &fault);
	pages = segment_section(s, SITE_PAGES);
	if (r == 0 && pages.len > 0 && (g->pages = page_set_open(pages, &why)) == NULL) {
		diag_error(&fault, "its pages: %s", why);
		r = -1;
	}
	if (r == -1)
		layer_refuse_content(dir, &g->manifest.site, &fault, diag);
	segment_close(s);
	return r;
}

/* The lookalikes are those of BEFORE as long as nothing about them changed. */
static int
open_lookalike(struct generation *g, const char *dir, bool verify, const struct generation *before, struct diag *diag)
{
	const struct manifest_segment *named = &g->manifest.lookalike, *there;

	if (named->len == 0)
		return 0;
	there = before != NULL && before->lookalike != NULL && !verify ? &before->lookalike->named : NULL;
	if (there != NULL && there->len == named->len && memcmp(there->sha256, named->sha256, sizeof(named->sha256)) == 0)
		g->lookalike = lookalike_layer_get(before->lookalike);
	else
		g->lookalike = lookalike_layer_open(dir, named, diag);
	return g->lookalike == NULL ? -1 : 0;
}

/* The layer of BEFORE that NAMED names, with one more user; NULL. */
static struct layer *
shared_layer(const struct generation *before, const struct manifest_layer *named)
{
	for (size_t i = 0; before != NULL && i < before->manifest.n_layers; i++)
		if (layer_is(before->views[i].layer, named))
			return layer_get(before->views[i].layer);
	return NULL;
}

/* SOURCE, of V's layer, is in its place: the first layer has all of it, each other one a delta, and the newest says how many rules
 * there are. */
static bool
is_in_place(const struct view *v, const struct manifest_source *named, const struct row_source *source)
{
	uint64_t number = v->layer->named.number;
	bool first = manifest_source_layer(named, 0) == number, last = named->layer == number;

	return source->delta != first && (!last || named->rules == row_source_rules(source));
}

/* Which sources of V's layer count, and what they have. */
static int
see_sources(struct generation *g, struct view *v)
{
	size_t n = rows_sources(v->layer->rows);

	if ((v->sources = calloc(n + 1, sizeof(*v->sources))) == NULL)
		return -1;
	v->all = true;
	for (size_t i = 0; i < n; i++) {
		struct row_source source = rows_source(v->layer->rows, i);
		const struct manifest_source *named = manifest_source(&g->manifest, source.name);
		struct seen_source *s = &v->sources[i];

		s->counts = named != NULL && manifest_source_is_in(named, v->layer->named.number) && is_in_place(v, named, &source);
		s->named = s->counts ? named : NULL;
		s->is_older = s->counts && named->layer != v->layer->named.number;
		s->removed = source.delta ? source.first : UINT32_MAX;
		v->all = v->all && s->counts && !s->is_older && !source.delta;
		g->split = g->split || s->is_older;
		g->n_placed += s->counts;
		if (!s->counts || s->is_older)
			continue;
		g->n_rules += row_source_rules(&source);
		for (int k = 0; k < ROW_COUNTS; k++)
			g->n[k] += source.counts[k];
	}
	return 0;
}

/* Every source that the MANIFEST names was found where it says. */
static int
check_sources(const struct generation *g, const char *dir, struct diag *diag)
{
	uint64_t named = 0;
	size_t places = 0;

	for (size_t i = 0; i < g->manifest.n_sources; i++) {
		named += g->manifest.sources[i].rules;
		places += manifest_source_layers(&g->manifest.sources[i]);
	}
	if (named == g->n_rules && places == g->n_placed)
		return 0;
	if (named == g->n_rules) {
		diag_add(diag, DIAG_ERROR, dir, 0, 0, "the MANIFEST names layers that have nothing of a source, or have it as no delta");
		return -1;
	}
	diag_add(diag, DIAG_ERROR, dir, 0, 0, "the MANIFEST names %" PRIu64 " rules and its segments have %" PRIu64, named, g->n_rules);
	return -1;
}

static int
open_layers(struct generation *g, const char *dir, bool verify, const struct generation *before, struct diag *diag)
{
	for (size_t i = 0; i < g->manifest.n_layers; i++) {
		const struct manifest_layer *named = &g->manifest.layers[i];
		struct view *v = &g->views[i];

		if (verify || (v->layer = shared_layer(before, named)) == NULL)
			v->layer = layer_open(dir, named, verify, diag);
		if (v->layer == NULL)
			return -1;
		g->hosts[i] = v->layer->hosts;
		if (see_sources(g, v) == -1) {
			diag_error(diag, "out of memory");
			return -1;
		}
	}
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		g->algs |= g->n[COUNT_FILES + alg] > 0 ? DIGEST_BIT(alg) : 0;
		g->sizeless |= g->n[COUNT_SIZELESS + alg] > 0 ? DIGEST_BIT(alg) : 0;
	}
	return check_sources(g, dir, diag);
}

/* -1 with errno ENOENT when there is no such file. */
static int
read_manifest(const char *dir, const char *name, struct manifest *out, struct diag *diag)
{
	char *path = file_join(dir, name);
	int r, error;

	*out = (struct manifest){ 0 };
	if (path == NULL) {
		diag_error(diag, "out of memory");
		return errno = ENOMEM, -1;
	}
	if ((r = manifest_load(path, out, diag)) == -1) {
		error = errno;
		manifest_fini(out);
		errno = error;
	}
	error = errno;
	free(path);
	errno = error;
	return r;
}

/* What M names, which is taken over; NULL, and M is gone, when something of it does not hold together. */
static struct generation *
open_named(struct manifest *m, const char *dir, bool verify, const struct generation *before, struct diag *diag)
{
	struct generation *g = calloc(1, sizeof(*g));

	if (g == NULL) {
		diag_error(diag, "out of memory");
		manifest_fini(m);
		return NULL;
	}
	g->manifest = *m;
	if (open_site(g, dir, verify, diag) == 0 && open_lookalike(g, dir, verify, before, diag) == 0 &&
	    open_layers(g, dir, verify, before, diag) == 0)
		return g;
	generation_close(g);
	return NULL;
}

/* The MANIFEST in DIR names another generation than NUMBER. */
static bool
is_outdated(uint64_t number, const char *dir)
{
	struct manifest now;
	bool outdated = read_manifest(dir, "MANIFEST", &now, NULL) == 0 && now.generation != number;

	manifest_fini(&now);
	return outdated;
}

struct generation *
generation_open(const char *dir, bool verify, const struct generation *before, struct diag *diag)
{
	struct generation *g = NULL;
	struct diag findings;
	struct manifest m;

	for (int i = 0; i < MANIFEST_TRIES; i++) {
		uint64_t number;

		if (read_manifest(dir, "MANIFEST", &m, diag) == -1)
			return NULL;
		number = m.generation;
		diag_init(&findings);
		g = open_named(&m, dir, verify, before, &findings);
		if (g != NULL || !is_outdated(number, dir))
			break;
		if (i + 1 < MANIFEST_TRIES)
			diag_fini(&findings);
	}
	diag_append(diag, &findings);
	errno = EINVAL;
	return g;
}

struct generation *
generation_open_kept(const char *dir, uint64_t number, bool verify, struct diag *diag)
{
	char name[MANIFEST_FILE];
	struct manifest m;

	snprintf(name, sizeof(name), "MANIFEST.%" PRIu64, number);
	if (read_manifest(dir, name, &m, NULL) == -1) {
		diag_add(diag, DIAG_ERROR, dir, 0, 0, "generation %" PRIu64 " is not kept", number);
		return NULL;
	}
	errno = EINVAL;
	return open_named(&m, dir, verify, NULL, diag);
}

void
generation_close(struct generation *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < MANIFEST_LAYERS; i++) {
		layer_put(g->views[i].layer);
		free(g->views[i].sources);
	}
	lookalike_layer_put(g->lookalike);
	page_set_free(g->pages);
	option_fini(site_options, site_options_n, &g->site);
	manifest_fini(&g->manifest);
	free(g);
}

/* ---- what it is ---- */

uint64_t
generation_number(const struct generation *g)
{
	return g->manifest.generation;
}

int64_t
generation_created(const struct generation *g)
{
	return g->manifest.created;
}

const struct site *
generation_site(const struct generation *g)
{
	return &g->site;
}

const struct page_set *
generation_pages(const struct generation *g)
{
	return g->pages;
}

const struct manifest *
generation_manifest(const struct generation *g)
{
	return &g->manifest;
}

const struct lookalike *
generation_lookalike(const struct generation *g)
{
	return g->lookalike == NULL ? NULL : g->lookalike->table;
}

uint64_t
generation_rules(const struct generation *g)
{
	return g->n_rules;
}

void
generation_counts(const struct generation *g, uint64_t out[static ROW_COUNTS])
{
	memcpy(out, g->n, sizeof(g->n));
}

unsigned
generation_algs(const struct generation *g)
{
	return g->algs;
}

unsigned
generation_sizeless_algs(const struct generation *g)
{
	return g->sizeless;
}
