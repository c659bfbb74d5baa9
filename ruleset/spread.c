#include "ruleset/spread.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/siphash.h"
#include "ruleset/stored_rule.h"

enum { MARK_BITS = 64, GONE = 0, SAYS = 1 };
#define NONE	SIZE_MAX

/* The source in one layer. */
struct part {
	const struct layer	*layer;
	size_t			 index;		/* of the source there */
	struct row_source	 source;
	uint32_t		 removed;	/* the row of what is gone; UINT32_MAX when nothing is */
	uint64_t		*marks;		/* of the layer: of a rule, that it stays; of what is gone, that this changed */
	uint32_t		 ref;		/* of ROW, which was asked for last */
	bool			 has_row;
	struct rule		 row;
	char			 name[RULE_NAME_MAX];
};

struct spread {
	struct part		 parts[MANIFEST_LAYERS];	/* from the oldest on */
	size_t			 n;
	struct layer_places	 places;	/* what find() found */
	bool			 marked, damaged;
};

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

/* ---- marks ---- */

static bool
is_marked(const struct part *p, uint64_t place)
{
	return (p->marks[place / MARK_BITS] >> place % MARK_BITS & 1) != 0;
}

static void
mark(struct part *p, uint64_t place, bool on)
{
	uint64_t bit = UINT64_C(1) << place % MARK_BITS;

	p->marks[place / MARK_BITS] = on ? p->marks[place / MARK_BITS] | bit : p->marks[place / MARK_BITS] & ~bit;
}

/* ---- values ---- */

/* The newest part from FROM to below TO that has the value KEY; what it has is in PLACES.  TO: none has it.  NONE: no memory. */
static size_t
find(struct spread *s, size_t from, size_t to, enum rule_kind kind, const struct rule_key *key)
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

/* What row REF of P says, mostly as the row before; NULL when it does not hold together. */
static const struct rule *
row_of(struct spread *s, struct part *p, uint32_t ref)
{
	if (p->has_row && p->ref == ref)
		return &p->row;
	p->has_row = rows_get(p->layer->rows, ref, p->name, &p->row) == 0;
	p->ref = ref;
	s->damaged = s->damaged || !p->has_row;
	return p->has_row ? &p->row : NULL;
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
	size_t i = find(s, 0, s->n, rule->kind, &rule->key);

	assert(s->marked);
	if (i == NONE || i == s->n)
		return i == NONE ? -1 : 0;
	for (size_t k = 0; k < s->places.n; k++) {
		struct part *p = &s->parts[i];
		const struct layer_place *at = &s->places.v[k];
		const struct rule *row = at->ref == p->removed ? NULL : row_of(s, p, at->ref);

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

/* A walk over the part that S has of one layer. */
struct walk {
	struct spread	*s;
	size_t		 part;
	struct compiler	*c;
	size_t		 first;		/* the first part that is folded */
};

static bool
is_of(const struct part *p, uint32_t ref)
{
	return ref - p->source.first < p->source.n;
}

/* Some newer part than W's has the value: 1; 0; -1 without memory. */
static int
is_replaced(const struct walk *w, enum rule_kind kind, const struct rule_key *key)
{
	size_t from = w->part + 1, found = find(w->s, from, w->s->n, kind, key);

	return found == NONE ? -1 : found < w->s->n;
}

/* Whose the rows of a layer are, by source: those of which nothing is asked have no spread. */
struct gone_walk {
	const struct rows	*rows;
	struct walk		*walks;		/* by source */
	void			**args;
	spread_visit		*visit;
};

static int
visit_gone(void *arg, enum rule_kind kind, const struct rule_key *key, uint32_t ref, uint64_t place)
{
	const struct gone_walk *g = arg;
	size_t source = rows_source_of(g->rows, ref);
	const struct walk *w = &g->walks[source];
	int replaced;

	if (w->s == NULL || ref == w->s->parts[w->part].removed || !layer_is_by_value(kind, key) ||
	    is_marked(&w->s->parts[w->part], place))
		return 0;
	replaced = is_replaced(w, kind, key);
	return replaced != 0 ? (replaced == 1 ? 0 : -1) : g->visit(g->args[source], kind, key);
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
	struct gone_walk g = { .rows = layer->rows, .walks = calloc(sources + 1, sizeof(*g.walks)),
		.args = calloc(sources + 1, sizeof(*g.args)), .visit = visit };
	bool damaged = false;
	int r = g.walks == NULL || g.args == NULL ? -1 : 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		size_t part = part_in(spreads[i], layer);

		if (part == spreads[i]->n)
			continue;
		assert(spreads[i]->marked);
		g.walks[spreads[i]->parts[part].index] = (struct walk){ .s = spreads[i], .part = part };
		g.args[spreads[i]->parts[part].index] = args[i];
		found++;
	}
	if (r == 0 && found > 0)
		r = layer_each(layer, visit_gone, &g, &damaged);
	for (size_t i = 0; damaged && i < n; i++)
		spreads[i]->damaged = spreads[i]->damaged || part_in(spreads[i], layer) < spreads[i]->n;
	free(g.walks);
	free(g.args);
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
	if (layer_is_by_value(kind, key) || !is_of(w->part, ref))
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

/* ---- writing ---- */

int
spread_change(const struct rule *rule, bool says, struct buf *change)
{
	buf_reset(change);
	if (stored_rule_add_match(rule->kind, &rule->key, change) == -1)
		return -1;
	if (buf_add_char(change, says ? SAYS : GONE) == -1)
		return errno = ENOMEM, -1;
	return says ? stored_rule_add_says(rule, change) : 0;
}

/* Some part that stays has a rule for the value: 1; 0; -1 without memory. */
static int
stays(const struct walk *w, enum rule_kind kind, const struct rule_key *key)
{
	struct spread *s = w->s;
	size_t i = find(s, 0, w->first, kind, key);

	return i == NONE ? -1 : i < w->first && s->places.v[0].ref != s->parts[i].removed;
}

/* Say that the value is gone, where somebody would have it otherwise. */
static int
put_gone(const struct walk *w, enum rule_kind kind, const struct rule_key *key)
{
	int r = stays(w, kind, key);

	return r == 1 ? compiler_remove(w->c, kind, key) : r;
}

static int
put_row(const struct walk *w, struct part *p, enum rule_kind kind, const struct rule_key *key, uint32_t ref)
{
	const struct rule *row = row_of(w->s, p, ref);
	struct rule rule;

	if (row == NULL)
		return errno = EBADMSG, -1;
	rule = *row;
	rule.kind = kind;
	rule.key = *key;
	return compiler_put(w->c, &rule);
}

/* Put what folded part W->part has and is still so. */
static int
visit_folded(void *arg, enum rule_kind kind, const struct rule_key *key, uint32_t ref, uint64_t place)
{
	const struct walk *w = arg;
	struct part *p = &w->s->parts[w->part];
	int replaced;

	if (!is_of(p, ref))
		return 0;
	if (!layer_is_by_value(kind, key))
		return w->s->marked || w->part + 1 < w->s->n ? 0 : put_row(w, p, kind, key, ref);
	if (w->s->marked && ref != p->removed)
		return is_marked(p, place) ? put_row(w, p, kind, key, ref) : 0;
	if (w->s->marked && is_marked(p, place))
		return 0;
	if ((replaced = is_replaced(w, kind, key)) != 0)
		return replaced == 1 ? 0 : -1;
	return ref == p->removed ? put_gone(w, kind, key) : put_row(w, p, kind, key, ref);
}

/* Put the rules for the value that stay although others for it change, 1, and see that nobody puts them once more; 0 when there are
 * none. */
static int
put_kept(const struct walk *w, enum rule_kind kind, const struct rule_key *key)
{
	struct spread *s = w->s;
	size_t i = find(s, 0, s->n, kind, key);
	int result = 0;

	if (i == NONE || i == s->n)
		return i == NONE ? -1 : 0;
	for (size_t k = 0; k < s->places.n; k++) {
		struct part *p = &s->parts[i];
		const struct layer_place *at = &s->places.v[k];

		if (at->ref == p->removed) {
			mark(p, at->place, true);
		} else if (is_marked(p, at->place)) {
			if (put_row(w, p, kind, key, at->ref) == -1)
				return -1;
			mark(p, at->place, false);
			result = 1;
		}
	}
	return result;
}

/* The value of the changes that are read, and whether there is a rule for it. */
struct value {
	struct buf	match;
	bool		open, has_rule;
};

/* All changes of V were read. */
static int
end_value(const struct walk *w, struct value *v)
{
	struct stored_rule stored;
	struct slice at = buf_slice(&v->match);
	int kept = 0;

	if (!v->open)
		return 0;
	if (stored_rule_take_match(&at, &stored) == -1)
		return errno = EINVAL, -1;
	if (layer_is_by_value(stored.rule.kind, &stored.rule.key))
		kept = put_kept(w, stored.rule.kind, &stored.rule.key);
	if (kept != 0 || v->has_rule)
		return kept == -1 ? -1 : 0;
	return put_gone(w, stored.rule.kind, &stored.rule.key);
}

static int
put_change(const struct walk *w, struct value *v, struct slice change)
{
	struct stored_rule stored = { .rule.level = 0 };
	struct slice rest = change, match;
	bool says;

	if (stored_rule_take_match(&rest, &stored) == -1 || rest.len == 0)
		return errno = EINVAL, -1;
	match = slice_head(change, change.len - rest.len);
	says = rest.p[0] == SAYS;
	rest = slice_skip(rest, 1);
	if (!v->open || !slice_eq(buf_slice(&v->match), match)) {
		if (end_value(w, v) == -1)
			return -1;
		buf_reset(&v->match);
		*v = (struct value){ .match = v->match, .open = true };
		if (buf_add_slice(&v->match, match) == -1)
			return errno = ENOMEM, -1;
	}
	if (!says)
		return 0;
	v->has_rule = true;
	return stored_rule_take_says(&rest, &stored) == -1 ? (errno = EINVAL, -1) : compiler_put(w->c, &stored.rule);
}

static int
put_changes(const struct walk *w, struct sorter *changes)
{
	struct value v = { .open = false };
	struct slice change;
	int r;

	buf_init(&v.match, SORTER_RECORD_MAX);
	while ((r = sorter_next(changes, &change)) == 1 && (r = put_change(w, &v, change)) == 0)
		continue;
	if (r == 0)
		r = end_value(w, &v);
	buf_fini(&v.match);
	return r;
}

int
spread_write(struct spread *s, struct compiler *c, size_t first, struct sorter *changes, const uint64_t counts[static ROW_COUNTS])
{
	struct walk w = { .s = s, .c = c, .first = first };
	bool damaged = false;
	int r;

	if (compiler_feed(c, s->parts[0].source.name, first > 0) == -1)
		return -1;
	compiler_set_counts(c, counts);
	r = changes == NULL ? 0 : put_changes(&w, changes);
	for (w.part = first; r == 0 && w.part < s->n; w.part++)
		r = layer_each(s->parts[w.part].layer, visit_folded, &w, &damaged);
	/* What was read says all that is lost again; what was not may not lose anything. */
	return r == 0 && damaged && changes == NULL ? (errno = EBADMSG, -1) : r;
}
