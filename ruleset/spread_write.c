#include "ruleset/spread_part.h"

#include <errno.h>

#include "ruleset/stored_rule.h"

enum { GONE = 0, SAYS = 1 };

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

/* A walk over the parts that are folded. */
struct walk {
	struct spread	*s;
	size_t		 part;
	struct compiler	*c;
	size_t		 first;		/* the first part that is folded */
};

/* Some part that stays has a rule for the value: 1; 0; -1 without memory. */
static int
stays(const struct walk *w, enum rule_kind kind, const struct rule_key *key)
{
	struct spread *s = w->s;
	size_t i = spread_find(s, 0, w->first, kind, key);

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
	const struct rule *row = spread_row(w->s, p, ref);
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

	if (!is_of_part(p, ref))
		return 0;
	if (!layer_is_by_value(kind, key))
		return w->s->marked || w->part + 1 < w->s->n ? 0 : put_row(w, p, kind, key, ref);
	if (w->s->marked && ref != p->removed)
		return is_marked(p, place) ? put_row(w, p, kind, key, ref) : 0;
	if (w->s->marked && is_marked(p, place))
		return 0;
	if ((replaced = spread_is_replaced(w->s, w->part, kind, key)) != 0)
		return replaced == 1 ? 0 : -1;
	return ref == p->removed ? put_gone(w, kind, key) : put_row(w, p, kind, key, ref);
}

/* Put the rules for the value that stay although others for it change, 1, and see that nobody puts them once more; 0 when there are
 * none. */
static int
put_kept(const struct walk *w, enum rule_kind kind, const struct rule_key *key)
{
	struct spread *s = w->s;
	size_t i = spread_find(s, 0, s->n, kind, key);
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
