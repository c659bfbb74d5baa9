/* Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), the greedy form: the farthest end on each diagonal for 0, 1,
 * 2 ... changes, remembered, and walked back. */
#include "setup/diff.h"

#include <stdlib.h>

enum { CONTEXT = 3, CHANGES_MAX = 4000 };

struct text {
	struct slice	*v;		/* lines with their newline */
	int		 n;
};

struct diff {
	struct text	 a, b;
	bool		*gone, *come;	/* of each line of A: it goes; of B: it comes */
};

static int
split(struct slice s, struct text *out)
{
	size_t lines = 1;

	for (size_t i = 0; i < s.len; i++)
		lines += s.p[i] == '\n';
	if (lines > INT32_MAX / 4 || (out->v = calloc(lines, sizeof(out->v[0]))) == NULL)
		return -1;
	while (s.len > 0) {
		size_t n = slice_find(s, '\n');

		out->v[out->n++] = slice_take(&s, n < s.len ? n + 1 : n);
	}
	return 0;
}

/* Where the path to diagonal K with D changes comes from one more line of B: else from one less of A. */
static bool
comes_down(const int *ends, int k, int d)
{
	return k == -d || (k != d && ends[k - 1] < ends[k + 1]);
}

/* Find the fewest changes.  TRACE[d] gets a copy of the ends before step d.  How many; -1 when there are too many, or no memory. */
static int
search(const struct diff *f, int *ends, int **trace, int max)
{
	for (int d = 0; d <= max; d++) {
		if ((trace[d] = malloc((size_t)(2 * d + 3) * sizeof(int))) == NULL)
			return -1;
		memcpy(trace[d], ends - d - 1, (size_t)(2 * d + 3) * sizeof(int));
		for (int k = -d; k <= d; k += 2) {
			int x = comes_down(ends, k, d) ? ends[k + 1] : ends[k - 1] + 1, y = x - k;

			while (x < f->a.n && y < f->b.n && x >= 0 && y >= 0 && slice_eq(f->a.v[x], f->b.v[y]))
				x++, y++;
			ends[k] = x;
			if (x >= f->a.n && y >= f->b.n)
				return d;
		}
	}
	return -1;
}

static void
walk_back(struct diff *f, int **trace, int d)
{
	int x = f->a.n, y = f->b.n;

	for (; d > 0; d--) {
		const int *ends = trace[d] + d + 1;
		int k = x - y, from = comes_down(ends, k, d) ? k + 1 : k - 1;

		x = ends[from];
		y = x - from;
		if (from == k + 1)
			f->come[y] = true;
		else
			f->gone[x] = true;
	}
}

static int
compare(struct diff *f)
{
	int max = f->a.n + f->b.n < CHANGES_MAX ? f->a.n + f->b.n : CHANGES_MAX, d, result = -1;
	int *ends = calloc((size_t)(2 * max + 5), sizeof(int)), **trace = calloc((size_t)max + 1, sizeof(trace[0]));

	if (ends == NULL || trace == NULL)
		goto out;
	if ((d = search(f, ends + max + 2, trace, max)) >= 0) {
		walk_back(f, trace, d);
	} else {
		memset(f->gone, true, (size_t)f->a.n);
		memset(f->come, true, (size_t)f->b.n);
	}
	result = 0;
out:
	for (int i = 0; trace != NULL && i <= max; i++)
		free(trace[i]);
	free(trace);
	free(ends);
	return result;
}

static void
add_line(struct buf *out, char mark, struct slice line)
{
	buf_add_char(out, mark);
	buf_add_slice(out, line);
	if (!slice_ends(line, SLICE("\n")))
		buf_add_str(out, "\n\\ No newline at end of file\n");
}

/* Where in a hunk we are. */
struct at {
	int	a, b;
};

static bool
changes_here(const struct diff *f, struct at at)
{
	return (at.a < f->a.n && f->gone[at.a]) || (at.b < f->b.n && f->come[at.b]);
}

/* Go one step, and append the line when OUT is there. */
static void
step(const struct diff *f, struct at *at, struct buf *out)
{
	if (at->a < f->a.n && f->gone[at->a]) {
		if (out != NULL)
			add_line(out, '-', f->a.v[at->a]);
		at->a++;
	} else if (at->b < f->b.n && f->come[at->b]) {
		if (out != NULL)
			add_line(out, '+', f->b.v[at->b]);
		at->b++;
	} else {
		if (out != NULL)
			add_line(out, ' ', f->a.v[at->a]);
		at->a++;
		at->b++;
	}
}

/* The end of the hunk whose first change is at FIRST: up to CONTEXT lines behind the last change that is no more than twice that
 * away. */
static struct at
hunk_end(const struct diff *f, struct at first)
{
	struct at at = first, last = first;
	int same = 0;

	while ((at.a < f->a.n || at.b < f->b.n) && same <= 2 * CONTEXT) {
		same = changes_here(f, at) ? 0 : same + 1;
		step(f, &at, NULL);
		if (same == 0)
			last = at;
	}
	for (same = 0; same < CONTEXT && last.a < f->a.n; same++)
		step(f, &last, NULL);
	return last;
}

static void
add_hunks(const struct diff *f, struct buf *out)
{
	struct at at = { 0, 0 };

	while (at.a < f->a.n || at.b < f->b.n) {
		struct at from, to;
		int back;

		if (!changes_here(f, at)) {
			step(f, &at, NULL);
			continue;
		}
		back = at.a < CONTEXT ? at.a : CONTEXT;
		back = at.b < back ? at.b : back;
		from = (struct at){ at.a - back, at.b - back };
		to = hunk_end(f, at);
		buf_addf(out, "@@ -%d,%d +%d,%d @@\n", from.a + (to.a > from.a), to.a - from.a, from.b + (to.b > from.b), to.b - from.b);
		for (at = from; at.a < to.a || at.b < to.b;)
			step(f, &at, out);
	}
}

int
diff_unified(const char *name_a, struct slice a, const char *name_b, struct slice b, struct buf *out)
{
	struct diff f = { .gone = NULL };
	int result = -1;

	if (slice_eq(a, b))
		return 0;
	if (split(a, &f.a) == 0 && split(b, &f.b) == 0 && (f.gone = calloc((size_t)f.a.n + 1, sizeof(bool))) != NULL &&
	    (f.come = calloc((size_t)f.b.n + 1, sizeof(bool))) != NULL && compare(&f) == 0) {
		buf_addf(out, "--- %s\n+++ %s\n", name_a, name_b);
		add_hunks(&f, out);
		result = out->failed ? -1 : 0;
	}
	free(f.a.v);
	free(f.b.v);
	free(f.gone);
	free(f.come);
	return result;
}
