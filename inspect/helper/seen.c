#include "inspect/helper/seen.h"

#include <stdlib.h>

#include "base/bytes.h"

struct seen_row {
	bool		used;
	uint64_t	size;
	struct digest	digest;
};

enum { CAP_MIN = 64 };

void
seen_fini(struct seen *s)
{
	free(s->rows);
	*s = (struct seen){ NULL, 0, 0 };
}

/* Where it is, or the free row where it would be.  There always is one. */
static struct seen_row *
find(const struct seen *s, uint64_t size, const struct digest *d)
{
	size_t i = (size_t)bytes_u64(d->b) & (s->cap - 1);

	while (s->rows[i].used && (s->rows[i].size != size || !digest_eq(&s->rows[i].digest, d)))
		i = (i + 1) & (s->cap - 1);
	return &s->rows[i];
}

static bool
grow(struct seen *s)
{
	struct seen next = { NULL, s->n, s->cap == 0 ? CAP_MIN : 2 * s->cap };

	if ((next.rows = calloc(next.cap, sizeof(*next.rows))) == NULL)
		return false;
	for (size_t i = 0; i < s->cap; i++)
		if (s->rows[i].used)
			*find(&next, s->rows[i].size, &s->rows[i].digest) = s->rows[i];
	free(s->rows);
	*s = next;
	return true;
}

void
seen_add(struct seen *s, uint64_t size, const struct digest *d)
{
	struct seen_row *row;

	if (2 * (s->n + 1) > s->cap && !grow(s))
		return;
	row = find(s, size, d);
	s->n += !row->used;
	*row = (struct seen_row){ true, size, *d };
}

bool
seen_has(const struct seen *s, uint64_t size, const struct digest *d)
{
	return s->cap > 0 && find(s, size, d)->used;
}
