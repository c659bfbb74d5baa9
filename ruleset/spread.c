#include "ruleset/spread_part.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/siphash.h"
#include "ruleset/stored_rule.h"

/* Let the next part of S be what LAYER has of NAMED. */
static int
add_part(struct spread *s, const struct layer *layer, const struct manifest_source *named)
{
	struct part *p = &s->parts[s->n];

	p->layer = layer;
	p->index = rows_find(layer->rows, slice_str(named->name));
	if (p->index == rows_sources(layer->rows))
		return errno = EINVAL, -1;
	p->source = rows_source(layer->rows, p->index);
	p->removed = p->source.delta ? p->source.first : UINT32_MAX;
	s->n++;
	return p->source.delta == (s->n > 1) ? 0 : (errno = EINVAL, -1);
}

void
spread_marks_fini(struct spread_marks *marks)
{
	for (size_t i = 0; i < MANIFEST_LAYERS; i++)
		free(marks->of[i]);
	*marks = (struct spread_marks){ 0 };
}

/* The marks of the newest part of S, which is in layer I. */
static int
take_marks(struct spread *s, size_t i, struct spread_marks *marks)
{
	struct part *p = &s->parts[s->n - 1];

	if (marks->of[i] == NULL &&
	    (marks->of[i] = calloc(layer_places(p->layer) / MARK_BITS + 1, sizeof(*marks->of[i]))) == NULL)
		return -1;
	p->marks = marks->of[i];
	return 0;
}

struct spread *
spread_new(struct layer *const *layers, size_t n, const struct manifest_source *named, struct spread_marks *marks)
{
	struct spread *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->marked = marks != NULL;
	for (size_t i = 0; i < manifest_source_layers(named); i++) {
		size_t k = 0;

		while (k < n && (layers[k] == NULL || layers[k]->named.number != manifest_source_layer(named, i)))
			k++;
		errno = EINVAL;
		if (k < n && add_part(s, layers[k], named) == 0 && (marks == NULL || take_marks(s, k, marks) == 0))
			continue;
		spread_free(s);
		return NULL;
	}
	return s;
}

/* Keeps errno. */
void
spread_free(struct spread *s)
{
	int saved = errno;

	if (s != NULL)
		layer_places_fini(&s->places);
	free(s);
	errno = saved;
}

/* ---- values ---- */

size_t
spread_find(struct spread *s, size_t from, size_t to, enum rule_kind kind, const struct rule_key *key)
{
	for (size_t i = to; i-- > from;) {
		const struct part *p = &s->parts[i];

		if (layer_find(p->layer, p->index, kind, key, &s->places, &s->damaged) == -1)
			return NONE;
		if (s->places.n > 0)
			return i;
	}
	return to;
}

const struct rule *
spread_row(struct spread *s, struct part *p, uint32_t ref)
{
	if (p->has_row && p->ref == ref)
		return &p->row;
	p->has_row = rows_get(p->layer->rows, ref, p->name, &p->row) == 0;
	p->ref = ref;
	s->damaged = s->damaged || !p->has_row;
	return p->has_row ? &p->row : NULL;
}

int
spread_is_replaced(struct spread *s, size_t part, enum rule_kind kind, const struct rule_key *key)
{
	size_t found = spread_find(s, part + 1, s->n, kind, key);

	return found == NONE ? -1 : found < s->n;
}

static bool
says_same(const struct rule *a, const struct rule *b)
{
	return a->action == b->action && a->level == b->level && a->local == b->local && a->files == b->files && a->rev == b->rev &&
	    a->published == b->published && a->expires == b->expires && a->line == b->line && slice_eq(a->label, b->label) &&
	    slice_eq(a->alert, b->alert) && slice_eq(a->name, b->name) && slice_eq(a->container, b->container) &&
	    slice_eq(a->note, b->note);
}

int
spread_keep(struct spread *s, const struct rule *rule, bool keeps)
{
	size_t i = spread_find(s, 0, s->n, rule->kind, &rule->key);

	assert(s->marked);
	if (i == NONE || i == s->n)
		return i == NONE ? -1 : 0;
	for (size_t k = 0; k < s->places.n; k++) {
		struct part *p = &s->parts[i];
		const struct layer_place *at = &s->places.v[k];
		const struct rule *row = at->ref == p->removed ? NULL : spread_row(s, p, at->ref);

		if (row == NULL || !says_same(row, rule))
			continue;
		mark(p, at->place, keeps);
		return 1;
	}
	return 0;
}

/* The oldest part is the one that fits no cache. */
uint64_t
spread_ahead(const struct spread *s, const struct rule *rule)
{
	return layer_ahead(s->parts[0].layer, rule->kind, &rule->key);
}

void
spread_ahead_more(const struct spread *s, const struct rule *rule, uint64_t hash)
{
	const struct part *p = &s->parts[0];

	assert(s->marked);
	__builtin_prefetch(&p->marks[layer_ahead_more(p->layer, rule->kind, &rule->key, hash) / MARK_BITS], 1);
}

bool
spread_is_damaged(const struct spread *s)
{
	return s->damaged;
}

/* ---- all of it ---- */

/* A source of a layer of which is asked what is gone; those of which nothing is have no spread. */
struct gone_source {
	struct spread	*spread;
	size_t		 part;		/* that is in the layer */
	void		*arg;
};

struct gone_walk {
	const struct rows	*rows;
	struct gone_source	*sources;
	spread_visit		*visit;
};

static int
visit_gone(void *arg, enum rule_kind kind, const struct rule_key *key, uint32_t ref, uint64_t place)
{
	const struct gone_walk *g = arg;
	const struct gone_source *source = &g->sources[rows_source_of(g->rows, ref)];
	const struct part *part;
	int replaced;

	if (source->spread == NULL)
		return 0;
	part = &source->spread->parts[source->part];
	if (ref == part->removed || !layer_is_by_value(kind, key) || is_marked(part, place))
		return 0;
	replaced = spread_is_replaced(source->spread, source->part, kind, key);
	return replaced != 0 ? (replaced == 1 ? 0 : -1) : g->visit(source->arg, kind, key);
}

/* Which part of S is in LAYER; the number of parts when none is. */
static size_t
part_in(const struct spread *s, const struct layer *layer)
{
	size_t i = 0;

	while (i < s->n && s->parts[i].layer != layer)
		i++;
	return i;
}

/* All that is gone of LAYER. */
static int
each_gone_in(const struct layer *layer, struct spread *const *spreads, void *const *args, size_t n, spread_visit *visit)
{
	size_t sources = rows_sources(layer->rows), found = 0;
	struct gone_walk g = { .rows = layer->rows, .sources = calloc(sources + 1, sizeof(*g.sources)), .visit = visit };
	bool damaged = false;
	int r = g.sources == NULL ? -1 : 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		size_t part = part_in(spreads[i], layer);

		if (part == spreads[i]->n)
			continue;
		assert(spreads[i]->marked);
		g.sources[spreads[i]->parts[part].index] = (struct gone_source){ spreads[i], part, args[i] };
		found++;
	}
	if (r == 0 && found > 0)
		r = layer_each(layer, visit_gone, &g, &damaged);
	for (size_t i = 0; damaged && i < n; i++)
		spreads[i]->damaged = spreads[i]->damaged || part_in(spreads[i], layer) < spreads[i]->n;
	free(g.sources);
	return r;
}

int
spread_each_gone(struct spread *const *spreads, void *const *args, size_t n, struct layer *const *layers, size_t n_layers,
    spread_visit *visit)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n_layers; i++)
		if (layers[i] != NULL)
			r = each_gone_in(layers[i], spreads, args, n, visit);
	return r;
}

uint64_t
spread_few_of(const struct rule *rule)
{
	static const uint8_t key[SIPHASH_KEY] = "firebreak few";
	struct buf bytes;
	uint64_t h;

	buf_init(&bytes, SORTER_RECORD_MAX);
	stored_rule_add_says(rule, &bytes);
	stored_rule_add_match(rule->kind, &rule->key, &bytes);
	h = siphash(key, buf_slice(&bytes));
	buf_fini(&bytes);
	return h;
}

/* A sum while it is made. */
struct few_walk {
	const struct part	*part;
	uint64_t		 sum;
};

static int
visit_few(void *arg, enum rule_kind kind, const struct rule_key *key, uint32_t ref, uint64_t place)
{
	struct few_walk *w = arg;
	char name[RULE_NAME_MAX];
	struct rule rule;

	(void)place;
	if (layer_is_by_value(kind, key) || !is_of_part(w->part, ref))
		return 0;
	if (rows_get(w->part->layer->rows, ref, name, &rule) == 0) {
		rule.kind = kind;
		rule.key = *key;
		w->sum += spread_few_of(&rule);
	}
	return 0;
}

uint64_t
spread_few(const struct spread *s)
{
	struct few_walk w = { .part = &s->parts[s->n - 1] };

	layer_each_few(w.part->layer, visit_few, &w);
	return w.sum;
}

void
spread_counts(const struct spread *s, uint64_t out[static ROW_COUNTS])
{
	memcpy(out, s->parts[s->n - 1].source.counts, sizeof(s->parts->source.counts));
}
