#include "feeds/stix_part.h"

/* Comparisons that have to hold together, each with one value. */
struct together {
	unsigned	n;
	const struct part *parts[STIX_TOGETHER_MAX];
	const struct value *values[STIX_TOGETHER_MAX];
};

/* Where A keeps the value of a file's PATH; NULL when nowhere. */
static struct slice *
place_in(struct stix_alternative *a, enum path path)
{
	switch (path) {
	case PATH_MD5:
		return &a->hex[DIGEST_MD5];
	case PATH_SHA1:
		return &a->hex[DIGEST_SHA1];
	case PATH_SHA256:
		return &a->hex[DIGEST_SHA256];
	case PATH_SIZE:
		return &a->size;
	case PATH_NAME:
		return &a->name;
	default:
		return NULL;
	}
}

/* TOGETHER as one file: false when no rule says that. */
static bool
make_file(const struct together *t, struct stix_alternative *a)
{
	a->kind = STIX_FILE;
	for (unsigned i = 0; i < t->n; i++) {
		struct slice *place = place_in(a, t->parts[i]->path);

		if (place == NULL && t->parts[i]->path != PATH_OTHER_DIGEST)
			return false;
		if (place == NULL)
			continue;
		/* Nothing equals two values. */
		if (place->len > 0 && !slice_ieq(*place, t->values[i]->text))
			return false;
		*place = t->values[i]->text;
	}
	return a->hex[DIGEST_MD5].len + a->hex[DIGEST_SHA1].len + a->hex[DIGEST_SHA256].len > 0;
}

static bool
make_alternative(const struct together *t, struct stix_alternative *a)
{
	static const enum stix_kind kinds[] = { [PATH_HOST] = STIX_HOST, [PATH_BELOW] = STIX_BELOW, [PATH_URL] = STIX_URL,
		[PATH_ADDRESS] = STIX_ADDRESS };

	*a = (struct stix_alternative){ 0 };
	if (t->parts[0]->path > PATH_ADDRESS)
		return make_file(t, a);
	a->kind = kinds[t->parts[0]->path];
	a->value = slice_skip(t->values[0]->text, a->kind == STIX_BELOW ? strlen("%.") : 0);
	return t->n == 1;
}

static void
give(struct stix_pattern *p, const struct together *t)
{
	struct stix_alternative a;

	if (p->alternatives++ == STIX_ALTERNATIVES_MAX) {
		p->too_many = true;
		return;
	}
	if (make_alternative(t, &a))
		p->stopped = p->visit(p->arg, &a);
	else
		p->unsaid++;
}

/* What else has to hold: the part FIRST, unless ALONE the rest of its group, and then NEXT. */
struct pending {
	int			 first;
	bool			 alone;
	const struct pending	*next;
};

static void expand(struct stix_pattern *p, struct together *t, const struct pending *pending);

/* Every way in which the comparison holds. */
static void
expand_term(struct stix_pattern *p, struct together *t, const struct part *part, const struct pending *pending)
{
	/* A value is needed even where none is looked at. */
	static const struct value none;
	unsigned n = part->path == PATH_UNSAID ? 1 : part->n_values;

	if (t->n == STIX_TOGETHER_MAX) {
		p->alternatives++;
		p->unsaid++;
		return;
	}
	for (unsigned i = 0; i < n && p->stopped == 0 && !p->too_many; i++) {
		t->parts[t->n] = part;
		t->values[t->n] = part->path == PATH_UNSAID ? &none : &p->values[part->first + (int)i];
		t->n++;
		expand(p, t, pending);
		t->n--;
	}
}

static void
expand(struct stix_pattern *p, struct together *t, const struct pending *pending)
{
	const struct part *part;
	struct pending rest, inner;

	if (p->stopped != 0 || p->too_many)
		return;
	if (pending == NULL) {
		give(p, t);
		return;
	}
	part = &p->parts[pending->first];
	rest = (struct pending){ part->next, false, pending->next };
	pending = pending->alone || part->next == NONE ? pending->next : &rest;
	inner = (struct pending){ part->first, part->kind == PART_OR, pending };
	if (part->kind == PART_TERM)
		expand_term(p, t, part, pending);
	else if (part->kind == PART_AND)
		expand(p, t, &inner);
	else
		for (; inner.first != NONE; inner.first = p->parts[inner.first].next)
			expand(p, t, &inner);
}

void
stix_give_alternatives(struct stix_pattern *p, int all)
{
	struct together t = { .n = 0 };

	expand(p, &t, &(struct pending){ all, true, NULL });
}
