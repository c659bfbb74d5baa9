#include "ruleset/exceptions.h"

#include <stdlib.h>

/* An exception, and what it borrows from. */
struct entry {
	struct exception	 e;
	const struct text_row	*row;
	char			*store;
};

struct exceptions {
	struct text_rows	 rows;
	struct entry		*v;
	const struct entry	**by_id;	/* N, by rule */
	size_t			 n, lost;
};

static int
compare_entries(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;

	return slice_cmp((*x)->e.id, (*y)->e.id);
}

/* Move S to *AT, which goes behind it. */
static void
move(struct slice *s, char **at)
{
	if (s->len > 0)
		memcpy(*at, s->p, s->len);
	s->p = *at;
	*at += s->len;
}

/* Let E's exception borrow from E alone.  -1 without memory. */
static int
keep(struct entry *e)
{
	char *at;

	if ((at = e->store = malloc(e->e.id.len + e->e.client_token.len + e->e.user.len + e->e.host.len + 1)) == NULL)
		return -1;
	move(&e->e.id, &at);
	move(&e->e.client_token, &at);
	move(&e->e.user, &at);
	move(&e->e.host, &at);
	return 0;
}

static void
add_entry(struct exceptions *t, const struct text_row *row, struct diag *diag)
{
	struct entry *e = &t->v[t->n];
	char why[RULE_WHY] = "out of memory", host[HOST_MAX + 1];
	struct source_line line;

	e->row = row;
	source_line_init(&line);
	if (exception_parse(row->text, &line, host, &e->e, why) == 0 && keep(e) == 0)
		t->by_id[t->n++] = e;
	else {
		diag_add(diag, DIAG_WARNING, NULL, 0, 0, "an exception is left out: %s", why);
		t->lost++;
	}
	source_line_fini(&line);
}

/* What is wrong with SEGMENT as a whole, or NULL. */
static const char *
read_segment(struct exceptions *t, const struct segment *segment, struct diag *diag)
{
	const char *fault = text_rows_read(&t->rows, segment, EXCEPTIONS_MAX);

	if (fault != NULL)
		return fault;
	t->v = calloc(t->rows.n + 1, sizeof(*t->v));
	t->by_id = calloc(t->rows.n + 1, sizeof(*t->by_id));
	if (t->v == NULL || t->by_id == NULL)
		return "out of memory";
	t->lost = t->rows.lost;
	if (t->lost > 0)
		diag_add(diag, DIAG_WARNING, NULL, 0, 0, "%zu exceptions are damaged and left out", t->lost);
	for (size_t i = 0; i < t->rows.n; i++)
		add_entry(t, &t->rows.v[i], diag);
	if (t->n > 0)
		qsort(t->by_id, t->n, sizeof(*t->by_id), compare_entries);
	return NULL;
}

struct exceptions *
exceptions_open(const struct segment *segment, struct diag *diag)
{
	struct exceptions *t = calloc(1, sizeof(*t));
	const char *fault = t == NULL ? "out of memory" : read_segment(t, segment, diag);

	if (fault == NULL)
		return t;
	diag_error(diag, "exceptions: %s", fault);
	exceptions_close(t);
	return NULL;
}

void
exceptions_close(struct exceptions *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i].store);
	text_rows_fini(&t->rows);
	free(t->by_id);
	free(t->v);
	free(t);
}

size_t
exceptions_lost(const struct exceptions *t)
{
	return t->lost;
}

int
exceptions_at(const struct exceptions *t, size_t i, struct slice *text, uint32_t *ref)
{
	if (i >= t->n)
		return -1;
	*text = t->v[i].row->text;
	*ref = t->v[i].row->ref;
	return 0;
}

/* Where those for rule ID begin. */
static size_t
first_of(const struct exceptions *t, struct slice id)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (slice_cmp(t->by_id[middle]->e.id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool
exceptions_next(const struct exceptions *t, struct slice id, uint32_t rev, const struct asker *asker, size_t *at, uint32_t *ref)
{
	for (size_t i = *at == 0 ? first_of(t, id) : *at; i < t->n && slice_eq(t->by_id[i]->e.id, id); i++)
		if (exception_holds(&t->by_id[i]->e, rev, asker)) {
			*ref = t->by_id[i]->row->ref;
			*at = i + 1;
			return true;
		}
	return false;
}
