#include "ruleset/generation_part.h"

#include <stddef.h>
#include <stdlib.h>

/* ---- rows ---- */

/* Row REF of view LAYER is of a source that counts: what is gone, and what a newer layer replaces, is among them. */
static bool
row_counts(const struct generation *g, unsigned layer, uint32_t ref)
{
	return g->views[layer].all || generation_source_of(g, layer, ref)->counts;
}

/* The same of rules that the newest layer of a source has all of: patterns, names and exceptions. */
static bool
row_is_newest(const struct generation *g, unsigned layer, uint32_t ref)
{
	const struct seen_source *s;

	if (g->views[layer].all)
		return true;
	s = generation_source_of(g, layer, ref);
	return s->counts && !s->is_older;
}

/* ---- hits ---- */

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

		if (other > layer && h->same_value(hit(h, i), hit(h, k)) &&
		    generation_source_of(h->g, other, hit_ref(h, k))->named == source)
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
		s = generation_source_of(h->g, *layer, hit_ref(h, i));
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

/* ---- asking ---- */

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
	source = generation_source_of(g, layer, ref)->named;
	if (source == NULL || !source->has_ends)
		return -1;
	out->expires = out->expires == RULE_ENDS_FILES ? source->file_end : source->host_end;
	return 0;
}
