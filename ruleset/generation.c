#include "ruleset/generation.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"
#include "ruleset/layer.h"
#include "ruleset/site_format.h"

/* A publisher may have removed what an older MANIFEST named: the newer one is then read. */
enum { MANIFEST_TRIES = 8, MANIFEST_FILE = 40 };

_Static_assert((int)MANIFEST_LAYERS <= (int)HOST_TABLES_MAX, "all layers are asked at once");

/* A layer as this generation sees it. */
struct view {
	struct layer	*layer;
	bool		*counts;	/* by source of the layer */
	bool		 all;		/* all of them */
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
	unsigned		 algs, sizeless;
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

/* Which sources of V's layer count, and what they have. */
static int
count_sources(struct generation *g, struct view *v)
{
	size_t n = rows_sources(v->layer->rows);

	if ((v->counts = calloc(n + 1, sizeof(*v->counts))) == NULL)
		return -1;
	v->all = true;
	for (size_t i = 0; i < n; i++) {
		struct row_source s = rows_source(v->layer->rows, i);
		const struct manifest_source *named = manifest_source(&g->manifest, s.name);

		v->counts[i] = named != NULL && named->layer == v->layer->named.number && named->rules == row_source_rules(&s);
		v->all = v->all && v->counts[i];
		if (!v->counts[i])
			continue;
		g->n_rules += row_source_rules(&s);
		for (int k = 0; k < ROW_COUNTS; k++)
			g->n[k] += s.counts[k];
	}
	return 0;
}

/* Every source that the MANIFEST names was found where it says. */
static int
check_sources(const struct generation *g, const char *dir, struct diag *diag)
{
	uint64_t named = 0;

	for (size_t i = 0; i < g->manifest.n_sources; i++)
		named += g->manifest.sources[i].rules;
	if (named == g->n_rules)
		return 0;
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
		if (count_sources(g, v) == -1) {
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
	for (size_t i = 0; i < findings.n; i++)
		diag_add(diag, findings.v[i].level, findings.v[i].file, 0, 0, "%s", findings.v[i].text);
	diag_fini(&findings);
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
		free(g->views[i].counts);
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

/* Row REF of view LAYER is of a source that counts. */
static bool
row_counts(const struct generation *g, unsigned layer, uint32_t ref)
{
	const struct view *v = &g->views[layer];
	size_t source;

	if (v->all)
		return true;
	source = rows_source_of(v->layer->rows, ref);
	return source < rows_sources(v->layer->rows) && v->counts[source];
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
	return kept;
}

size_t
generation_find(const struct generation *g, const struct digest *digest, uint64_t size, struct hashdb_match *out, size_t max,
    bool *damaged)
{
	const struct hashdb *may[MANIFEST_LAYERS] = { NULL };
	size_t n = 0, room = 0;

	for (size_t i = 0; g->manifest.n_layers > 1 && i < g->manifest.n_layers; i++)
		if (g->views[i].layer->digests != NULL)
			hashdb_ahead(g->views[i].layer->digests, digest);
	for (size_t i = 0; i < g->manifest.n_layers; i++)
		if (g->views[i].layer->digests != NULL && hashdb_may_have(g->views[i].layer->digests, digest))
			may[i] = g->views[i].layer->digests;
	for (size_t i = 0; i < g->manifest.n_layers; i++) {
		size_t from = n, found = may[i] == NULL ? 0 : hashdb_find(may[i], digest, size, out + n, max - n, damaged);

		room += found;
		for (size_t k = from; found <= max - from && k < from + found; k++) {
			out[k].layer = (uint16_t)i;
			if (row_counts(g, (unsigned)i, out[k].ref))
				out[n++] = out[k];
		}
	}
	return room > max ? room : n;
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

	return row_counts(a->g, a->layer, ref);
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
	size_t n = 0, room = 0;

	for (size_t i = 0; i < g->manifest.n_layers; i++) {
		const struct address_table *t = g->views[i].layer->addresses;
		size_t from = n, found = t == NULL ? 0 : address_table_match(t, url, out + n, max - n, damaged);

		room += found;
		for (size_t k = from; found <= max - from && k < from + found; k++) {
			out[k].layer = (uint16_t)i;
			if (row_counts(g, (unsigned)i, out[k].ref))
				out[n++] = out[k];
		}
	}
	if (room <= max && n > 1)
		qsort(out, n, sizeof(*out), compare_addresses);
	return room > max ? room : n;
}

size_t
generation_match_names(const struct generation *g, const struct file_names *names, uint64_t size, struct name_match *out,
    size_t max)
{
	size_t n = 0, room = 0;

	for (size_t i = 0; i < g->manifest.n_layers; i++) {
		const struct name_table *t = g->views[i].layer->names;
		size_t from = n, found = t == NULL ? 0 : name_table_match(t, names, size, n < max ? out + n : NULL, max - n);

		room += found;
		for (size_t k = from; found <= max - from && k < from + found; k++) {
			out[k].layer = (uint16_t)i;
			if (row_counts(g, (unsigned)i, out[k].ref))
				out[n++] = out[k];
		}
	}
	return room > max ? room : n;
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

	return row_counts(g, layer, ref) && generation_rule(g, layer, ref, NULL, &except) == 0 && except.action == RULE_EXCEPT &&
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
	return layer < g->manifest.n_layers ? rows_get(g->views[layer].layer->rows, ref, name, out) : -1;
}

/* ---- all of it ---- */

/* A walk over one layer's tables. */
struct walk {
	const struct generation	*g;
	unsigned		 layer;
	generation_visit	*visit;
	void			*arg;
	bool			*damaged;
};

static int
show_rule(struct walk *w, enum rule_kind kind, const struct rule_key *key, uint32_t ref)
{
	char name[RULE_NAME_MAX];
	struct rule rule;

	if (!row_counts(w->g, w->layer, ref))
		return 0;
	if (generation_rule(w->g, w->layer, ref, name, &rule) == -1) {
		*w->damaged = true;
		return 0;
	}
	rule.kind = kind;
	rule.key = *key;
	return w->visit(w->arg, &rule, w->layer, ref);
}

static int
show_host(void *arg, enum host_scope scope, struct slice host, struct slice path, uint32_t ref)
{
	struct rule_key key = { .scope = scope, .host = host, .path = path };

	return show_rule(arg, path.len > 0 ? RULE_URL : RULE_HOST, &key, ref);
}

static int
show_digest(void *arg, const struct digest *digest, uint64_t size, uint32_t ref)
{
	struct rule_key key = { .digest = digest, .size = size };

	return show_rule(arg, RULE_FILE, &key, ref);
}

static int
show_patterns(struct walk *w, const struct path_patterns *t)
{
	struct pattern_match m;
	int r = 0;

	for (size_t i = 0; r == 0 && t != NULL && i < path_patterns_count(t); i++)
		if (path_patterns_at(t, i, &m) == 0) {
			struct rule_key key = { .scope = m.scope, .host = m.host, .path = m.pattern };

			r = show_rule(w, RULE_PATH, &key, m.ref);
		}
	return r;
}

static int
show_addresses(struct walk *w, const struct address_table *t)
{
	struct address_match m;
	int r = 0;

	for (size_t i = 0; r == 0 && t != NULL && i < address_table_rules(t); i++) {
		if (address_table_at(t, i, &m) == -1) {
			*w->damaged = true;
			continue;
		}
		r = show_rule(w, RULE_ADDRESS, &(struct rule_key){ .network = m.network }, m.ref);
	}
	return r;
}

static int
show_names(struct walk *w, const struct name_table *t)
{
	struct name_match m;
	int r = 0;

	for (size_t i = 0; r == 0 && t != NULL && name_table_at(t, i, &m) == 0; i++)
		r = show_rule(w, RULE_FILE, &(struct rule_key){ .path = m.pattern, .size = m.size }, m.ref);
	return r;
}

static int
show_exceptions(struct walk *w, const struct exceptions *t)
{
	struct slice text;
	uint32_t ref;
	int r = 0;

	for (size_t i = 0; r == 0 && t != NULL && exceptions_at(t, i, &text, &ref) == 0; i++)
		r = show_rule(w, RULE_RULE, &(struct rule_key){ .path = text }, ref);
	return r;
}

int
generation_each_exception(const struct generation *g, generation_visit *visit, void *arg, bool *damaged)
{
	struct walk w = { .g = g, .visit = visit, .arg = arg, .damaged = damaged };
	int r = 0;

	for (; r == 0 && w.layer < g->manifest.n_layers; w.layer++)
		r = show_exceptions(&w, g->views[w.layer].layer->exceptions);
	return r;
}

int
generation_each(const struct generation *g, generation_visit *visit, void *arg, bool *damaged)
{
	struct walk w = { .g = g, .visit = visit, .arg = arg, .damaged = damaged };
	int r = 0;

	for (; r == 0 && w.layer < g->manifest.n_layers; w.layer++) {
		const struct layer *l = g->views[w.layer].layer;

		if (l->hosts != NULL)
			r = host_table_each(l->hosts, show_host, &w, damaged);
		if (r == 0 && l->digests != NULL)
			r = hashdb_each(l->digests, show_digest, &w, damaged);
		if (r == 0)
			r = show_patterns(&w, l->patterns);
		if (r == 0)
			r = show_addresses(&w, l->addresses);
		if (r == 0)
			r = show_names(&w, l->names);
		if (r == 0)
			r = show_exceptions(&w, l->exceptions);
	}
	return r;
}
