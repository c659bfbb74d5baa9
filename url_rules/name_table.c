#include "url_rules/name_table.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/sum.h"

/* A rule that can be asked. */
struct name_rule {
	struct name_match	 rule;
	struct name_item	*items;
	size_t			 n_items, min, max;
	uint64_t		 key;
};

struct name_table {
	struct text_rows	 rows;		/* what the rules' patterns point into */
	struct name_rule	*rules;
	size_t			 n, any, lost;	/* the first ANY of them are for files of any size */
};

uint64_t
name_rule_key(struct slice pattern)
{
	return sum_add(0, pattern) | 1;
}

/* ---- opening ---- */

/* Make ROW a rule that can be asked; -1 with the reason in WHY. */
static int
add_rule(struct name_table *t, const struct text_row *row, char why[static NAME_PATTERN_WHY])
{
	struct name_rule *r = &t->rules[t->n];
	struct name_pattern p;
	size_t at;

	if (name_pattern_parse(row->text, &p, why, &at) == -1)
		return -1;
	snprintf(why, NAME_PATTERN_WHY, "there is no memory");
	if ((r->items = malloc(p.n * sizeof(*r->items))) == NULL)
		return -1;
	memcpy(r->items, p.items, p.n * sizeof(*r->items));
	r->rule = (struct name_match){ .ref = row->ref, .size = row->number, .pattern = row->text };
	r->n_items = p.n;
	r->key = name_rule_key(row->text);
	r->min = p.min;
	r->max = p.max;
	t->n++;
	t->any += row->number == NAME_SIZE_ANY;
	return 0;
}

/* What is wrong with SEGMENT as a whole, or NULL. */
static const char *
read_segment(struct name_table *t, const struct segment *segment, struct diag *diag)
{
	const char *fault = text_rows_read(&t->rows, segment, NAMES_MAX);

	if (fault != NULL)
		return fault;
	if ((t->rules = calloc(t->rows.n + 1, sizeof(*t->rules))) == NULL)
		return "out of memory";
	t->lost = t->rows.lost;
	if (t->lost > 0)
		diag_add(diag, DIAG_WARNING, NULL, 0, 0, "%zu file names are damaged and left out", t->lost);
	for (size_t i = 0; i < t->rows.n; i++) {
		char why[NAME_PATTERN_WHY] = "";

		if (add_rule(t, &t->rows.v[i], why) == 0)
			continue;
		diag_add(diag, DIAG_WARNING, NULL, 0, 0, "a file name is left out: %s", why);
		t->lost++;
	}
	return NULL;
}

struct name_table *
name_table_open(const struct segment *segment, struct diag *diag)
{
	struct name_table *t = calloc(1, sizeof(*t));
	const char *fault = t == NULL ? "out of memory" : read_segment(t, segment, diag);

	if (fault == NULL)
		return t;
	diag_error(diag, "file names: %s", fault);
	name_table_close(t);
	return NULL;
}

void
name_table_close(struct name_table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++)
		free(t->rules[i].items);
	free(t->rules);
	text_rows_fini(&t->rows);
	free(t);
}

size_t
name_table_count(const struct name_table *t)
{
	return t->n;
}

size_t
name_table_lost(const struct name_table *t)
{
	return t->lost;
}

int
name_table_at(const struct name_table *t, size_t i, struct name_match *out)
{
	if (i >= t->n)
		return -1;
	*out = t->rules[i].rule;
	return 0;
}

/* ---- asking ---- */

static bool
fits(const struct name_rule *r, const struct asked_name *name)
{
	return name->name.len >= r->min && name->name.len <= r->max && name_pattern_fits(r->items, r->n_items, name);
}

/* The first rule whose size is SIZE or more. */
static size_t
first_of(const struct name_table *t, uint64_t size)
{
	size_t low = t->any, high = t->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->rules[middle].rule.size < size)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Add the rules from FROM on whose size is SIZE and that one of NAMES fits to the N that are in OUT. */
static size_t
match_some(const struct name_table *t, size_t from, uint64_t size, const struct file_names *names, struct name_match *out,
    size_t max, size_t n)
{
	bool hit[NAMES_MAX] = { false };
	size_t end = from;

	while (end < t->n && t->rules[end].rule.size == size)
		end++;
	for (size_t k = 0; k < names->n && from < end; k++) {
		struct asked_name name;

		name_ask(&name, file_name_at(names, k));
		for (size_t i = from; i < end; i++)
			hit[i] = hit[i] || fits(&t->rules[i], &name);
	}
	for (size_t i = from; i < end; i++) {
		if (!hit[i] && names->rule != t->rules[i].key)
			continue;
		if (n < max)
			out[n] = t->rules[i].rule;
		n++;
	}
	return n;
}

size_t
name_table_match(const struct name_table *t, const struct file_names *names, uint64_t size, struct name_match *out, size_t max)
{
	size_t n = match_some(t, 0, NAME_SIZE_ANY, names, out, max, 0);

	return size == NAME_SIZE_ANY ? n : match_some(t, first_of(t, size), size, names, out, max, n);
}

bool
name_table_knows(const struct name_table *t, const struct file_names *names)
{
	for (size_t k = 0; k < names->n; k++) {
		struct asked_name name;

		name_ask(&name, file_name_at(names, k));
		for (size_t i = 0; i < t->n; i++)
			if (fits(&t->rules[i], &name))
				return true;
	}
	return false;
}

bool
name_table_has_size(const struct name_table *t, uint64_t size)
{
	size_t i = first_of(t, size);

	return t->any > 0 || (i < t->n && t->rules[i].rule.size == size);
}

uint64_t
name_table_max_size(const struct name_table *t)
{
	return t->any > 0 ? UINT64_MAX : t->n > 0 ? t->rules[t->n - 1].rule.size : 0;
}
