#include "console/limit.h"

#include <sys/random.h>

#include <stdlib.h>

#include "base/siphash.h"

struct entry {
	uint64_t	hash;
	int64_t		due_ms;		/* when all tries are forgotten; 0: free */
};

struct limits {
	uint8_t		key[SIPHASH_KEY];
	struct entry	v[LIMITS_MAX];
};

struct limits *
limits_new(void)
{
	struct limits *l = calloc(1, sizeof(*l));

	if (l == NULL || getentropy(l->key, sizeof(l->key)) == 0)
		return l;
	free(l);
	return NULL;
}

void
limits_free(struct limits *l)
{
	free(l);
}

/* The entry of HASH, or the one that may become it. */
static struct entry *
find(struct limits *l, uint64_t hash)
{
	struct entry *soonest = &l->v[0];

	for (size_t i = 0; i < LIMITS_MAX; i++) {
		if (l->v[i].due_ms != 0 && l->v[i].hash == hash)
			return &l->v[i];
		if (l->v[i].due_ms < soonest->due_ms)
			soonest = &l->v[i];
	}
	return soonest;
}

int64_t
limits_take(struct limits *l, struct slice key, unsigned burst, int64_t interval_ms, int64_t now_ms)
{
	uint64_t hash = siphash(l->key, key);
	struct entry *e = find(l, hash);
	int64_t due = e->due_ms != 0 && e->hash == hash && e->due_ms > now_ms ? e->due_ms : now_ms;
	int64_t wait = due - now_ms - (int64_t)(burst - 1) * interval_ms;

	if (wait > 0)
		return wait;
	*e = (struct entry){ .hash = hash, .due_ms = due + interval_ms };
	return 0;
}

void
limits_forgive(struct limits *l, struct slice key, int64_t interval_ms)
{
	uint64_t hash = siphash(l->key, key);
	struct entry *e = find(l, hash);

	if (e->due_ms != 0 && e->hash == hash)
		e->due_ms = e->due_ms > interval_ms ? e->due_ms - interval_ms : 0;
}

void
limits_charge(struct limits *l, struct slice key, int64_t cost_ms, int64_t now_ms)
{
	uint64_t hash = siphash(l->key, key);
	struct entry *e = find(l, hash);
	int64_t due = e->due_ms != 0 && e->hash == hash && e->due_ms > now_ms ? e->due_ms : now_ms;

	*e = (struct entry){ .hash = hash, .due_ms = due + cost_ms };
}
