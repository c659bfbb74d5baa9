#include "ruleset/layer_rules.h"

#include <errno.h>
#include <stdlib.h>

enum { PLACES_FIRST = 64 };

/* ---- places ---- */

/* Where the places of a table begin: hosts, then digests by algorithm, then addresses; all others have none that is asked for. */
static uint64_t
digests_from(const struct layer *l)
{
	return l->hosts == NULL ? 0 : host_table_places(l->hosts);
}

static uint64_t
algorithm_from(const struct layer *l, unsigned alg)
{
	uint64_t from = digests_from(l);

	for (unsigned i = 0; l->digests != NULL && i < alg; i++)
		from += hashdb_count(l->digests, (enum digest_alg)i);
	return from;
}

static uint64_t
addresses_from(const struct layer *l)
{
	return algorithm_from(l, DIGEST_ALGS);
}

static uint64_t
few_from(const struct layer *l)
{
	return addresses_from(l) + (l->addresses == NULL ? 0 : address_table_rules(l->addresses));
}

uint64_t
layer_places(const struct layer *l)
{
	return few_from(l) + 1;
}

/* ---- all of them ---- */

struct walk {
	const struct layer	*layer;
	layer_visit		*visit;
	void			*arg;
	bool			*damaged;
	uint64_t		 from[DIGEST_ALGS];
};

static int
show_host(void *arg, enum host_scope scope, struct slice host, struct slice path, const struct host_place *at)
{
	const struct walk *w = arg;
	struct rule_key key = { .scope = scope, .host = host, .path = path };

	return w->visit(w->arg, path.len > 0 ? RULE_URL : RULE_HOST, &key, at->ref, at->place);
}

static int
show_digest(void *arg, const struct digest *digest, const struct hashdb_match *m)
{
	const struct walk *w = arg;
	struct rule_key key = { .digest = digest, .size = m->size };

	return w->visit(w->arg, RULE_FILE, &key, m->ref, w->from[digest->alg] + m->place);
}

static int
show_addresses(const struct walk *w)
{
	const struct address_table *t = w->layer->addresses;
	uint64_t from = addresses_from(w->layer);
	struct address_match m;
	int r = 0;

	for (size_t i = 0; r == 0 && t != NULL && i < address_table_rules(t); i++) {
		if (address_table_at(t, i, &m) == -1)
			*w->damaged = true;
		else
			r = w->visit(w->arg, RULE_ADDRESS, &(struct rule_key){ .network = m.network }, m.ref, from + i);
	}
	return r;
}

static int
show_patterns(const struct walk *w)
{
	const struct path_patterns *t = w->layer->patterns;
	uint64_t place = few_from(w->layer);
	struct pattern_match m;
	int r = 0;

	for (size_t i = 0; r == 0 && t != NULL && path_patterns_at(t, i, &m) == 0; i++)
		r = w->visit(w->arg, RULE_PATH, &(struct rule_key){ .scope = m.scope, .host = m.host, .path = m.pattern }, m.ref, place);
	return r;
}

static int
show_names(const struct walk *w)
{
	const struct name_table *t = w->layer->names;
	uint64_t place = few_from(w->layer);
	struct name_match m;
	int r = 0;

	for (size_t i = 0; r == 0 && t != NULL && name_table_at(t, i, &m) == 0; i++)
		r = w->visit(w->arg, RULE_FILE, &(struct rule_key){ .path = m.pattern, .size = m.size }, m.ref, place);
	return r;
}

int
layer_each_exception(const struct layer *l, layer_visit *visit, void *arg)
{
	uint64_t place = few_from(l);
	struct slice text;
	uint32_t ref;
	int r = 0;

	for (size_t i = 0; r == 0 && l->exceptions != NULL && exceptions_at(l->exceptions, i, &text, &ref) == 0; i++)
		r = visit(arg, RULE_RULE, &(struct rule_key){ .path = text }, ref, place);
	return r;
}

int
layer_each_few(const struct layer *l, layer_visit *visit, void *arg)
{
	struct walk w = { .layer = l, .visit = visit, .arg = arg };
	int r = show_patterns(&w);

	if (r == 0)
		r = show_names(&w);
	return r == 0 ? layer_each_exception(l, visit, arg) : r;
}

int
layer_each(const struct layer *l, layer_visit *visit, void *arg, bool *damaged)
{
	struct walk w = { .layer = l, .visit = visit, .arg = arg, .damaged = damaged };
	int r = 0;

	for (unsigned alg = 0; alg < DIGEST_ALGS; alg++)
		w.from[alg] = algorithm_from(l, alg);
	if (l->hosts != NULL)
		r = host_table_each(l->hosts, show_host, &w, damaged);
	if (r == 0 && l->digests != NULL)
		r = hashdb_each(l->digests, show_digest, &w, damaged);
	if (r == 0)
		r = show_addresses(&w);
	return r == 0 ? layer_each_few(l, visit, arg) : r;
}

/* ---- one value ---- */

bool
layer_is_by_value(enum rule_kind kind, const struct rule_key *key)
{
	return kind == RULE_HOST || kind == RULE_URL || kind == RULE_ADDRESS || (kind == RULE_FILE && key->digest != NULL);
}

void
layer_places_fini(struct layer_places *p)
{
	free(p->v);
	*p = (struct layer_places){ 0 };
}

static int
add_place(struct layer_places *p, uint32_t ref, uint64_t place)
{
	if (p->n == p->cap) {
		size_t cap = p->cap == 0 ? PLACES_FIRST : 2 * p->cap;
		struct layer_place *v = realloc(p->v, cap * sizeof(*v));

		if (v == NULL)
			return errno = ENOMEM, -1;
		p->v = v;
		p->cap = cap;
	}
	p->v[p->n++] = (struct layer_place){ ref, place };
	return 0;
}

enum { FEW = 8 };

static int
find_hosts(const struct layer *l, const struct rule_key *key, const struct row_source *s, struct layer_places *out, bool *damaged)
{
	struct host_place few[FEW], *v = few, *many = NULL;
	size_t n = host_table_find(l->hosts, key->scope, key->host, key->path, few, FEW, damaged);
	int r = 0;

	if (n > FEW) {
		if ((v = many = calloc(n, sizeof(*many))) == NULL)
			return errno = ENOMEM, -1;
		host_table_find(l->hosts, key->scope, key->host, key->path, many, n, damaged);
	}
	for (size_t i = 0; r == 0 && i < n; i++)
		if (v[i].ref - s->first < s->n)
			r = add_place(out, v[i].ref, v[i].place);
	free(many);
	return r;
}

static int
find_digests(const struct layer *l, const struct rule_key *key, const struct row_source *s, struct layer_places *out, bool *damaged)
{
	uint64_t from = algorithm_from(l, key->digest->alg);
	struct hashdb_match few[FEW], *v = few, *many = NULL;
	size_t n;
	int r = 0;

	if (!hashdb_may_have(l->digests, key->digest))
		return 0;
	n = hashdb_find(l->digests, key->digest, key->size, few, FEW, damaged);
	if (n > FEW) {
		if ((v = many = calloc(n, sizeof(*many))) == NULL)
			return errno = ENOMEM, -1;
		hashdb_find(l->digests, key->digest, key->size, many, n, damaged);
	}
	for (size_t i = 0; r == 0 && i < n; i++)
		if (v[i].size == key->size && v[i].ref - s->first < s->n)
			r = add_place(out, v[i].ref, from + v[i].place);
	free(many);
	return r;
}

static int
find_addresses(const struct layer *l, const struct rule_key *key, const struct row_source *s, struct layer_places *out,
    bool *damaged)
{
	uint64_t from = addresses_from(l);
	size_t first, n = address_table_find(l->addresses, &key->network, &first, damaged);
	struct address_match m;

	for (size_t i = first; i < first + n; i++)
		if (address_table_at(l->addresses, i, &m) == 0 && m.ref - s->first < s->n && add_place(out, m.ref, from + i) == -1)
			return -1;
	return 0;
}

int
layer_find(const struct layer *l, size_t source, enum rule_kind kind, const struct rule_key *key, struct layer_places *out,
    bool *damaged)
{
	const struct row_source *s = rows_source_at(l->rows, source);

	out->n = 0;
	if (kind == RULE_ADDRESS)
		return l->addresses == NULL ? 0 : find_addresses(l, key, s, out, damaged);
	if (kind == RULE_FILE)
		return l->digests == NULL ? 0 : find_digests(l, key, s, out, damaged);
	return l->hosts == NULL ? 0 : find_hosts(l, key, s, out, damaged);
}

uint64_t
layer_ahead(const struct layer *l, enum rule_kind kind, const struct rule_key *key)
{
	if (kind == RULE_FILE && l->digests != NULL && key->digest != NULL)
		hashdb_ahead(l->digests, key->digest);
	return (kind == RULE_HOST || kind == RULE_URL) && l->hosts != NULL ? host_table_ahead(l->hosts, key->host) : 0;
}

uint64_t
layer_ahead_more(const struct layer *l, enum rule_kind kind, const struct rule_key *key, uint64_t hash)
{
	if (kind == RULE_FILE && l->digests != NULL && key->digest != NULL)
		hashdb_may_have(l->digests, key->digest);
	return (kind == RULE_HOST || kind == RULE_URL) && l->hosts != NULL ? host_table_ahead_more(l->hosts, hash) : 0;
}
