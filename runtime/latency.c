#include "runtime/latency.h"

#include <stdatomic.h>

#define US	INT64_C(1000)
#define MS	(1000 * US)
#define S	(1000 * MS)

/* Within these limits lies what is judged from memory as well as what waits for a helper.  They are part of the shared file's
 * layout: what was counted below other ones means something else. */
static const int64_t bounds[LATENCY_BOUNDS] = {
	5 * US, 10 * US, 25 * US, 50 * US, 100 * US, 250 * US, 500 * US, 1 * MS, 2500 * US, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS,
	250 * MS, 500 * MS, 1 * S, 2500 * MS, 5 * S, 10 * S, 30 * S, 60 * S,
};

void
latency_add(struct latency *l, int64_t ns)
{
	size_t i = 0;

	while (i < LATENCY_BOUNDS && ns > bounds[i])
		i++;
	atomic_fetch_add_explicit(&l->buckets[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&l->sum_ns, ns > 0 ? (uint64_t)ns : 0, memory_order_relaxed);
}

void
latency_read(const struct latency *l, struct latency_counts *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < LATENCY_BUCKETS; i++)
		out->upto[i] = n += atomic_load_explicit(&l->buckets[i], memory_order_relaxed);
	out->sum_ns = atomic_load_explicit(&l->sum_ns, memory_order_relaxed);
}

int64_t
latency_bound_ns(size_t i)
{
	return bounds[i];
}
