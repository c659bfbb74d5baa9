#include "ruleset/generation_part.h"

#include "ruleset/layer_rules.h"

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
	const struct seen_source *s = generation_source_of(w->g, w->layer, ref);
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
