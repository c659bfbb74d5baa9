#include "ruleset/exception_list.h"

#include <stdlib.h>

#include "ruleset/exceptions.h"

enum { ID_MAX = 1 << 20 };

/* One exception: what it is from, and the revision that this rule has now. */
struct wanted {
	char		*id;
	uint32_t	 rev, now_rev;		/* 0: any; the rule is gone */
};

struct list {
	struct wanted	 *v;			/* in the order of the generation */
	struct wanted	**sorted;		/* by id */
	size_t		  n, cap, next;
	int64_t		  now;
	exception_list_visit *visit;
	void		 *arg;
	bool		  failed;
};

const char *
exception_state_text(enum exception_state state)
{
	static const char *const texts[] = {
		[EXCEPTION_HOLDS] = "holds", [EXCEPTION_EXPIRED] = "expired",
		[EXCEPTION_LAPSED] = "lapsed: the rule has another revision", [EXCEPTION_ORPHAN] = "the rule is gone",
	};

	return texts[state];
}

static int
collect(void *arg, const struct rule *rule, unsigned layer, uint32_t ref)
{
	struct list *l = arg;
	char why[RULE_WHY], host[HOST_MAX + 1];
	struct wanted w = { 0 }, *more;
	struct source_line line;
	struct exception e;

	(void)layer;
	(void)ref;
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 16 : 2 * l->cap;
		if ((more = realloc(l->v, l->cap * sizeof(*more))) == NULL)
			return l->failed = true;
		l->v = more;
	}
	source_line_init(&line);
	if (exception_parse(rule->key.path, &line, host, &e, why) == 0) {
		w.rev = e.rev;
		w.id = slice_dup(e.id);
	} else
		w.id = slice_dup(SLICE(""));
	source_line_fini(&line);
	if (w.id == NULL)
		return l->failed = true;
	l->v[l->n++] = w;
	return 0;
}

static int
by_id(const void *a, const void *b)
{
	const struct wanted *const *x = a, *const *y = b;

	return slice_cmp(slice_str((*x)->id), slice_str((*y)->id));
}

/* slice_cmp() puts the shorter first, so that what begins with TEXT stands from here on. */
static size_t
lower_bound(const struct list *l, struct slice text)
{
	size_t low = 0, high = l->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (slice_cmp(slice_str(l->sorted[mid]->id), text) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Most rules are of sources that no exception is about: their ids are not even made. */
static int
look_at_rule(void *arg, const struct rule *rule, unsigned layer, uint32_t ref)
{
	struct list *l = arg;
	size_t at;
	struct buf id;

	(void)layer;
	(void)ref;
	if (rule->action != RULE_BLOCK)
		return 0;
	at = lower_bound(l, rule->source);
	if (at == l->n || !slice_starts(slice_str(l->sorted[at]->id), rule->source))
		return 0;
	buf_init(&id, ID_MAX);
	if (rule_id_format(rule, &id) == 0)
		for (at = lower_bound(l, buf_slice(&id)); at < l->n && slice_eq(slice_str(l->sorted[at]->id), buf_slice(&id)); at++)
			l->sorted[at]->now_rev = rule->rev;
	buf_fini(&id);
	return 0;
}

static int
show(void *arg, const struct rule *rule, unsigned layer, uint32_t ref)
{
	struct list *l = arg;
	enum exception_state state = EXCEPTION_HOLDS;
	const struct wanted *w;

	(void)layer;
	(void)ref;
	if (l->next == l->n)
		return 0;
	w = &l->v[l->next++];
	if (rule->expires <= l->now)
		state = EXCEPTION_EXPIRED;
	else if (w->now_rev == 0)
		state = EXCEPTION_ORPHAN;
	else if (w->rev != 0 && w->rev != w->now_rev)
		state = EXCEPTION_LAPSED;
	l->visit(l->arg, rule, state);
	return 0;
}

int
exception_list(const struct generation *g, int64_t now, exception_list_visit *visit, void *arg, bool *damaged)
{
	struct list l = { .now = now, .visit = visit, .arg = arg };

	if (!generation_has_exceptions(g))
		return 0;
	generation_each_exception(g, collect, &l, damaged);
	if (l.n > 0 && (l.sorted = calloc(l.n, sizeof(*l.sorted))) == NULL)
		l.failed = true;
	if (!l.failed && l.n > 0) {
		for (size_t i = 0; i < l.n; i++)
			l.sorted[i] = &l.v[i];
		qsort(l.sorted, l.n, sizeof(*l.sorted), by_id);
		generation_each(g, look_at_rule, &l, damaged);
		generation_each_exception(g, show, &l, damaged);
	}
	for (size_t i = 0; i < l.n; i++)
		free(l.v[i].id);
	free(l.v);
	free(l.sorted);
	return l.failed ? -1 : 0;
}
