#include "ruleset/generation.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/file.h"
#include "ruleset/layer_rules.h"
#include "ruleset/site_format.h"

/* A publisher may have removed what an older MANIFEST named: the newer one is then read. */
enum { MANIFEST_TRIES = 8, MANIFEST_FILE = 40 };

_Static_assert((int)MANIFEST_LAYERS <= (int)HOST_TABLES_MAX, "all layers are asked at once");

/* A source of a layer as this generation sees it. */
struct seen_source {
	const struct manifest_source *named;	/* NULL: it is dropped, or in other layers */
	bool		 counts;
	bool		 is_older;		/* newer layers have something of it, too */
	uint32_t	 removed;		/* the row of values that are gone; UINT32_MAX: none are */
};

/* A layer as this generation sees it. */
struct view {
	struct layer	*layer;
	struct seen_source *sources;	/* of the layer, and one for rows of none */
	bool		 all;		/* every row counts, and no other layer has anything of its source */
};

struct generation {
	struct manifest		 manifest;
	struct view		 views[MANIFEST_LAYERS];
	const struct host_table	*hosts[MANIFEST_LAYERS];	/* of the views */
	struct site		 site;
	struct page_set		*pages;		/* NULL: none of the site's own */
	struct lookalike_layer	*lookalike;	/* NULL: none */
	uint64_t		 n[ROW_COUNTS];
	uint64_t		 n_rules;
	size_t			 n_placed;	/* sources that count, once a layer */
	unsigned		 algs, sizeless;
	bool			 split;		/* some source is in several layers */
};

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

/* ---- asking ---- */

/* How the source of row REF of view LAYER is seen. */
static const struct seen_source *
source_of(const struct generation *g, unsigned layer, uint32_t ref)
{
	const struct view *v = &g->views[layer];

	return &v->sources[rows_source_of(v->layer->rows, ref)];
}

/* Row REF of view LAYER is of a source that counts: what is gone, and what a newer layer replaces, is among them. */
static bool
row_counts(const struct generation *g, unsigned layer, uint32_t ref)
{
	return g->views[layer].all || source_of(g, layer, ref)->counts;
}

/* The same of rules that the newest layer of a source has all of: patterns, names and exceptions. */
static bool
row_is_newest(const struct generation *g, unsigned layer, uint32_t ref)
{
	const struct seen_source *s;

	if (g->views[layer].all)
		return true;
	s = source_of(g, layer, ref);
	return s->counts && !s->is_older;
}

/* What was found of hosts, digests, addresses or names: each hit begins as a host_match does. */
struct hits {
	const struct generation	*g;
	void			*v;
	size_t			 n, size;		/* hits, and bytes of one */
	bool			(*same_value)(const void *a, const void *b);
};

#define BEGINS_ALIKE(type) (offsetof(struct type, ref) == offsetof(struct host_match, ref) && \
	offsetof(struct type, layer) == offsetof(struct host_match, layer))
_Static_assert(BEGINS_ALIKE(hashdb_match) && BEGINS_ALIKE(address_match) && BEGINS_ALIKE(name_match), "what struct hits needs");

static void *
hit(const struct hits *h, size_t i)
{
	return (char *)h->v + i * h->size;
}

static uint32_t
hit_ref(const struct hits *h, size_t i)
{
	return *(const uint32_t *)(const void *)((char *)hit(h, i) + offsetof(struct host_match, ref));
}

static uint16_t *
hit_layer(const struct hits *h, size_t i)
{
	return (uint16_t *)(void *)((char *)hit(h, i) + offsetof(struct host_match, layer));
}

/* Hit I stays, as the one behind the KEPT that do. */
static size_t
keep_hit(const struct hits *h, size_t kept, size_t i)
{
	if (kept != i)
		memcpy(hit(h, kept), hit(h, i), h->size);
	return kept + 1;
}

/* FOUND hits of view LAYER stand behind those of H: those whose rows count, as COUNTS has it, are added. */
static void
add_found(struct hits *h, size_t found, unsigned layer, bool (*counts)(const struct generation *g, unsigned layer, uint32_t ref))
{
	for (size_t i = h->n, end = h->n + found; i < end; i++) {
		*hit_layer(h, i) = (uint16_t)layer;
		if (counts(h->g, layer, hit_ref(h, i)))
			h->n = keep_hit(h, h->n, i);
	}
}

/* Marks the layer of a hit that is gone or replaced, until all were looked at. */
enum { GONE = 0x8000 };

/* A newer layer has the value of hit I, of SOURCE in LAYER. */
static bool
is_hit_replaced(const struct hits *h, size_t i, unsigned layer, const struct manifest_source *source)
{
	for (size_t k = 0; k < h->n; k++) {
		unsigned other = *hit_layer(h, k) & ~(unsigned)GONE;

		if (other > layer && h->same_value(hit(h, i), hit(h, k)) && source_of(h->g, other, hit_ref(h, k))->named == source)
			return true;
	}
	return false;
}

static void
mark_gone(const struct hits *h)
{
	for (size_t i = 0; i < h->n; i++) {
		uint16_t *layer = hit_layer(h, i);
		const struct seen_source *s;

		if (h->g->views[*layer].all)
			continue;
		s = source_of(h->g, *layer, hit_ref(h, i));
		if (hit_ref(h, i) == s->removed || (s->is_older && is_hit_replaced(h, i, *layer, s->named)))
			*layer |= GONE;
	}
}

/* How many hits of H are left without what is gone. */
static size_t
drop_gone(const struct hits *h)
{
	size_t kept = 0;

	if (!h->g->split)
		return h->n;
	mark_gone(h);
	for (size_t i = 0; i < h->n; i++)
		if ((*hit_layer(h, i) & GONE) == 0)
			kept = keep_hit(h, kept, i);
	return kept;
}

/* All are parts of one host and of one path: the length tells them apart. */
static bool
same_host(const void *a, const void *b)
{
	const struct host_match *x = a, *y = b;

	return x->scope == y->scope && x->host.len == y->host.len && x->path.len == y->path.len;
}

static bool
same_size(const void *a, const void *b)
{
	return ((const struct hashdb_match *)a)->size == ((const struct hashdb_match *)b)->size;
}

static bool
same_network(const void *a, const void *b)
{
	return ((const struct address_match *)a)->network.bits == ((const struct address_match *)b)->network.bits;
}

size_t
generation_match(const struct generation *g, const struct url *url, struct host_match *out, size_t max, bool *damaged)
{
	size_t n = host_table_match(g->hosts, g->manifest.n_layers, url, out, max, damaged), kept = 0;

	if (n > max)
		return n;
	for (size_t i = 0; i < n; i++)
		if (row_counts(g, out[i].layer, out[i].ref))
			out[kept++] = out[i];
	return kept == 0 ? 0 : drop_gone(&(struct hits){ g, out, kept, sizeof(*out), same_host });
}

size_t
generation_find(const struct generation *g, const struct digest *digest, uint64_t size, struct hashdb_match *out, size_t max,
    bool *damaged)
{
	const struct hashdb *may[MANIFEST_LAYERS] = { NULL };
	struct hits h = { g, out, 0, sizeof(*out), same_size };
	size_t room = 0;

	for (size_t i = 0; g->manifest.n_layers > 1 && i < g->manifest.n_layers; i++)
		if (g->views[i].layer->digests != NULL)
			hashdb_ahead(g->views[i].layer->digests, digest);
	for (size_t i = 0; i < g->manifest.n_layers; i++)
		if (g->views[i].layer->digests != NULL && hashdb_may_have(g->views[i].layer->digests, digest))
			may[i] = g->views[i].layer->digests;
	for (size_t i = 0; i < g->manifest.n_layers; i++) {
		size_t found = may[i] == NULL ? 0 : hashdb_find(may[i], digest, size, out + h.n, max - h.n, damaged);

		room += found;
		if (found <= max - h.n)
			add_found(&h, found, (unsigned)i, row_counts);
	}
	return room > max ? room : drop_gone(&h);
}

static int
compare_patterns(const void *a, const void *b)
{
	return pattern_cmp(a, b);
}

/* A view whose rows are asked about. */
struct asked_view {
	const struct generation	*g;
	unsigned		 layer;
};

static bool
asked_row_counts(const void *arg, uint32_t ref)
{
	const struct asked_view *a = arg;

	return row_is_newest(a->g, a->layer, ref);
}

size_t
generation_match_patterns(const struct generation *g, const struct url *url, struct pattern_match *out, size_t max,
    bool *unchecked)
{
	struct asked_view asked = { .g = g };
	size_t n = 0;

	for (; asked.layer < g->manifest.n_layers; asked.layer++) {
		const struct path_patterns *t = g->views[asked.layer].layer->patterns;
		size_t from = n < max ? n : max;

		if (t == NULL)
			continue;
		n += path_patterns_match_some(t, url, asked_row_counts, &asked, out + from, max - from, unchecked);
		for (size_t k = from; k < n && k < max; k++)
			out[k].layer = (uint16_t)asked.layer;
	}
	if (n > 1 && n <= max)
		qsort(out, n, sizeof(*out), compare_patterns);
	return n;
}

static int
compare_addresses(const void *a, const void *b)
{
	const struct address_match *x = a, *y = b;

	return (int)y->network.bits - (int)x->network.bits;
}

size_t
generation_match_addresses(const struct generation *g, const struct url *url, struct address_match *out, size_t max,
    bool *damaged)
{
	struct hits h = { g, out, 0, sizeof(*out), same_network };
	size_t room = 0, n;

	for (size_t i = 0; i < g->manifest.n_layers; i++) {
		const struct address_table *t = g->views[i].layer->addresses;
		size_t found = t == NULL ? 0 : address_table_match(t, url, out + h.n, max - h.n, damaged);

		room += found;
		if (found <= max - h.n)
			add_found(&h, found, (unsigned)i, row_counts);
	}
	if (room > max)
		return room;
	if ((n = drop_gone(&h)) > 1)
		qsort(out, n, sizeof(*out), compare_addresses);
	return n;
}

size_t
generation_match_names(const struct generation *g, const struct file_names *names, uint64_t size, struct name_match *out,
    size_t max)
{
	struct hits h = { g, out, 0, sizeof(*out), NULL };	/* a newest layer has all of them: nothing replaces one */
	size_t room = 0;

	for (size_t i = 0; i < g->manifest.n_layers; i++) {
		const struct name_table *t = g->views[i].layer->names;
		size_t found = t == NULL ? 0 : name_table_match(t, names, size, h.n < max ? out + h.n : NULL, max - h.n);

		room += found;
		if (found <= max - h.n)
			add_found(&h, found, (unsigned)i, row_is_newest);
	}
	return room > max ? room : h.n;
}

bool
generation_has_names(const struct generation *g)
{
	return g->n[COUNT_NAMES] > 0;
}

bool
generation_knows_name(const struct generation *g, const struct file_names *names)
{
	for (size_t i = 0; i < g->manifest.n_layers; i++)
		if (g->views[i].layer->names != NULL && name_table_knows(g->views[i].layer->names, names))
			return true;
	return false;
}

bool
generation_has_named_size(const struct generation *g, uint64_t size)
{
	for (size_t i = 0; i < g->manifest.n_layers; i++)
		if (g->views[i].layer->names != NULL && name_table_has_size(g->views[i].layer->names, size))
			return true;
	return false;
}

uint64_t
generation_max_named_size(const struct generation *g)
{
	uint64_t max = 0;

	for (size_t i = 0; i < g->manifest.n_layers; i++) {
		uint64_t here = g->views[i].layer->names == NULL ? 0 : name_table_max_size(g->views[i].layer->names);

		max = here > max ? here : max;
	}
	return max;
}

bool
generation_has_exceptions(const struct generation *g)
{
	return g->n[COUNT_EXCEPTIONS] > 0;
}

/* Row REF of LAYER is an exception that holds at NOW.  One that does not hold together is none. */
static bool
holds_at(const struct generation *g, unsigned layer, uint32_t ref, int64_t now)
{
	struct rule except;

	return row_is_newest(g, layer, ref) && generation_rule(g, layer, ref, NULL, &except) == 0 && except.action == RULE_EXCEPT &&
	    except.local && except.expires > now;
}

size_t
generation_match_exceptions(const struct generation *g, struct slice id, uint32_t rev, const struct asker *asker, int64_t now,
    struct exception_match *out, size_t max)
{
	size_t n = 0;

	for (unsigned i = 0; i < g->manifest.n_layers && n < max; i++) {
		const struct exceptions *t = g->views[i].layer->exceptions;
		uint32_t ref;
		size_t at = 0;

		while (n < max && t != NULL && exceptions_next(t, id, rev, asker, &at, &ref))
			if (holds_at(g, i, ref, now))
				out[n++] = (struct exception_match){ i, ref };
	}
	return n;
}

bool
generation_has_size(const struct generation *g, uint64_t size)
{
	for (size_t i = 0; i < g->manifest.n_layers; i++)
		if (g->views[i].layer->digests != NULL && hashdb_has_size(g->views[i].layer->digests, size))
			return true;
	return false;
}

uint64_t
generation_max_size(const struct generation *g)
{
	uint64_t max = 0;

	for (size_t i = 0; i < g->manifest.n_layers; i++) {
		uint64_t here = g->views[i].layer->digests == NULL ? 0 : hashdb_max_size(g->views[i].layer->digests);

		max = here > max ? here : max;
	}
	return max;
}

int
generation_rule(const struct generation *g, unsigned layer, uint32_t ref, char name[RULE_NAME_MAX], struct rule *out)
{
	const struct manifest_source *source;

	if (layer >= g->manifest.n_layers || rows_get(g->views[layer].layer->rows, ref, name, out) == -1 || out->removed)
		return -1;
	if (out->expires != RULE_ENDS_HOSTS && out->expires != RULE_ENDS_FILES)
		return 0;
	source = source_of(g, layer, ref)->named;
	if (source == NULL || !source->has_ends)
		return -1;
	out->expires = out->expires == RULE_ENDS_FILES ? source->file_end : source->host_end;
	return 0;
}

/* ---- all of it ---- */

/* A walk over one layer. */
struct walk {
	const struct generation	*g;
	unsigned		 layer;
	generation_visit	*visit;
	void			*arg;
	bool			*damaged;
	struct layer_places	 places;
	const struct manifest_source *source;		/* that was asked about last */
	size_t			 index[MANIFEST_LAYERS];	/* of it in the newer layers that it is in; SIZE_MAX: it is not */
};

/* Where SOURCE is in the layers that are newer than W's. */
static void
look_ahead(struct walk *w, const struct manifest_source *source)
{
	w->source = source;
	for (size_t i = w->layer + 1; i < w->g->manifest.n_layers; i++) {
		const struct layer *l = w->g->views[i].layer;

		w->index[i] = manifest_source_is_in(source, l->named.number) ? rows_find(l->rows, slice_str(source->name)) : SIZE_MAX;
	}
}

/* A newer layer than W's has the value KEY of SOURCE, or says that it is gone.  Without memory nobody knows, as *DAMAGED says. */
static bool
is_replaced(struct walk *w, const struct manifest_source *source, enum rule_kind kind, const struct rule_key *key)
{
	if (w->source != source)
		look_ahead(w, source);
	for (size_t i = w->g->manifest.n_layers; i-- > w->layer + 1U;) {
		if (w->index[i] == SIZE_MAX)
			continue;
		if (layer_find(w->g->views[i].layer, w->index[i], kind, key, &w->places, w->damaged) == -1)
			*w->damaged = true;
		if (w->places.n > 0)
			return true;
	}
	return false;
}

static int
show_rule(void *arg, enum rule_kind kind, const struct rule_key *key, uint32_t ref, uint64_t place)
{
	struct walk *w = arg;
	const struct seen_source *s = source_of(w->g, w->layer, ref);
	char name[RULE_NAME_MAX];
	struct rule rule;

	(void)place;
	if (!s->counts || ref == s->removed)
		return 0;
	if (s->is_older && (!layer_is_by_value(kind, key) || is_replaced(w, s->named, kind, key)))
		return 0;
	if (generation_rule(w->g, w->layer, ref, name, &rule) == -1) {
		*w->damaged = true;
		return 0;
	}
	rule.kind = kind;
	rule.key = *key;
	return w->visit(w->arg, &rule, w->layer, ref);
}

int
generation_each_exception(const struct generation *g, generation_visit *visit, void *arg, bool *damaged)
{
	struct walk w = { .g = g, .visit = visit, .arg = arg, .damaged = damaged };
	int r = 0;

	for (; r == 0 && w.layer < g->manifest.n_layers; w.layer++)
		r = layer_each_exception(g->views[w.layer].layer, show_rule, &w);
	return r;
}

int
generation_each(const struct generation *g, generation_visit *visit, void *arg, bool *damaged)
{
	struct walk w = { .g = g, .visit = visit, .arg = arg, .damaged = damaged };
	int r = 0;

	for (; r == 0 && w.layer < g->manifest.n_layers; w.layer++) {
		w.source = NULL;
		r = layer_each(g->views[w.layer].layer, show_rule, &w, damaged);
	}
	layer_places_fini(&w.places);
	return r;
}
