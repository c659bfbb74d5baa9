#include "base/sorter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

enum { READ_AT_ONCE = 128 << 10, WRITE_AT_ONCE = 1 << 20, RECORD_ALIGN = 4, PREFIX_LEN = 8 };
enum { BINS = 256, BIN_BITS = 8, TOP_SHIFT = 8 * PREFIX_LEN - BIN_BITS, FEW = 24, AHEAD = 16 };

/* A record in memory: its first bytes, big-endian, settle most comparisons; the rest is at AT. */
struct item {
	uint64_t	prefix;
	size_t		at;		/* of its length, which its bytes follow */
};

/* A sorted run in the file, and what was read ahead of it. */
struct run {
	off_t		 at, end;	/* what is still to be read */
	char		*buf;
	size_t		 pos, len, cap;
	struct item	 head;		/* PREFIX only */
	struct slice	 record;
};

/* Records grow from the front of MEMORY, items from its back. */
struct sorter {
	char		*memory;
	size_t		 size, used, n_items;
	char		*dir;
	int		 fd;		/* of the runs; -1 while there are none */
	off_t		 file_end;
	struct run	*runs;
	size_t		 n_runs;
	size_t		*heap, n_heap;	/* of runs by their records; n_runs stands for memory */
	size_t		 next_item;
	uint64_t	 count;
	char		*last;		/* the record that was given out */
	size_t		 last_len;
	bool		 has_last;
};

struct sorter *
sorter_new(size_t memory, const char *dir)
{
	struct sorter *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->fd = -1;
	s->size = (memory < SORTER_MEMORY_MIN ? SORTER_MEMORY_MIN : memory) & ~(sizeof(struct item) - 1);
	s->dir = strdup(dir);
	s->memory = malloc(s->size);	/* touched as it fills */
	s->last = malloc(SORTER_RECORD_MAX);
	if (s->dir != NULL && s->memory != NULL && s->last != NULL)
		return s;
	sorter_free(s);
	return NULL;
}

void
sorter_free(struct sorter *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_runs; i++)
		free(s->runs[i].buf);
	if (s->fd != -1)
		close(s->fd);
	free(s->runs);
	free(s->heap);
	free(s->last);
	free(s->memory);
	free(s->dir);
	free(s);
}

uint64_t
sorter_count(const struct sorter *s)
{
	return s->count;
}

/* ---- in memory ---- */

static struct item *
items(const struct sorter *s)
{
	return (struct item *)(void *)(s->memory + s->size) - s->n_items;
}

static uint64_t
prefix_of(struct slice record)
{
	uint64_t prefix = 0;

	for (size_t i = 0; i < PREFIX_LEN; i++)
		prefix = prefix << 8 | (i < record.len ? (unsigned char)record.p[i] : 0);
	return prefix;
}

static struct slice
record_at(const struct sorter *s, size_t at)
{
	uint32_t len;

	memcpy(&len, s->memory + at, sizeof(len));
	return slice_make(s->memory + at + sizeof(len), len);
}

static int
compare_items(const void *a, const void *b, void *sorter)
{
	const struct item *x = a, *y = b;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	return slice_cmp(record_at(sorter, x->at), record_at(sorter, y->at));
}

static void
sort_few(struct sorter *s, struct item *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct item moved = v[i];
		size_t k = i;

		for (; k > 0 && compare_items(&moved, &v[k - 1], s) < 0; k--)
			v[k] = v[k - 1];
		v[k] = moved;
	}
}

static unsigned
bin_of(const struct item *item, int shift)
{
	return item->prefix >> shift & (BINS - 1);
}

/* Put each of V into its bin by eight bits of the prefix, in place; END gets where the bins end. */
static void
fill_bins(struct item *v, int shift, const size_t count[static BINS], size_t end[static BINS])
{
	size_t next[BINS], at = 0;

	for (int bin = 0; bin < BINS; bin++) {
		next[bin] = at;
		end[bin] = at += count[bin];
	}
	for (int bin = 0; bin < BINS; bin++)
		while (next[bin] < end[bin]) {
			struct item moved = v[next[bin]];
			unsigned to;

			while ((to = bin_of(&moved, shift)) != (unsigned)bin) {
				struct item there = v[next[to]];

				v[next[to]++] = moved;
				moved = there;
			}
			v[next[bin]++] = moved;
		}
}

/* Sort V, whose prefixes agree above SHIFT: by bins, in place (McIlroy, Bostic and McIlroy, 1993), which reads no record as long as
 * prefixes differ, and takes no memory beside them as qsort() does. */
static void
sort_items(struct sorter *s, struct item *v, size_t n, int shift)
{
	size_t count[BINS] = { 0 }, end[BINS];

	if (n <= FEW) {
		sort_few(s, v, n);
		return;
	}
	if (n <= 2 * BINS || shift < 0) {	/* mostly empty bins would cost more */
		qsort_r(v, n, sizeof(*v), compare_items, s);
		return;
	}
	for (size_t i = 0; i < n; i++)
		count[bin_of(&v[i], shift)]++;
	if (count[bin_of(v, shift)] == n) {
		sort_items(s, v, n, shift - BIN_BITS);
		return;
	}
	fill_bins(v, shift, count, end);
	for (int bin = 0; bin < BINS; bin++)
		sort_items(s, v + end[bin] - count[bin], count[bin], shift - BIN_BITS);
}

static void
sort_memory(struct sorter *s)
{
	sort_items(s, items(s), s->n_items, TOP_SHIFT);
}

/* Ask memory for the record of an item that comes soon after I: they lie in the order of adding. */
static void
record_ahead(const struct sorter *s, size_t i)
{
	if (i + AHEAD < s->n_items)
		__builtin_prefetch(s->memory + items(s)[i + AHEAD].at);
}

/* ---- runs ---- */

FILE *
sorter_file(const char *dir)
{
	int fd = file_nameless(dir);
	FILE *f = fd == -1 ? NULL : fdopen(fd, "w+");

	if (f == NULL && fd != -1)
		close(fd);
	return f;
}

/* Write the records, each with its length before it, in the order of the items. */
static int
write_items(struct sorter *s, char *out)
{
	const struct item *item = items(s);
	size_t n = 0;

	for (size_t i = 0; i < s->n_items; i++) {
		struct slice r = record_at(s, item[i].at);
		size_t len = sizeof(uint32_t) + r.len;

		record_ahead(s, i);
		if (n + len > WRITE_AT_ONCE) {
			if (file_write_all(s->fd, slice_make(out, n)) == -1)
				return -1;
			s->file_end += (off_t)n;
			n = 0;
		}
		memcpy(out + n, r.p - sizeof(uint32_t), len);
		n += len;
	}
	if (file_write_all(s->fd, slice_make(out, n)) == -1)
		return -1;
	s->file_end += (off_t)n;
	return 0;
}

/* Of a run that could not be written nothing counts: the next one begins at AT, where it did.  Keeps errno. */
static void
forget_run(struct sorter *s, off_t at)
{
	int saved = errno;

	s->file_end = at;
	if (s->fd != -1)
		lseek(s->fd, at, SEEK_SET);
	errno = saved;
}

/* Make what is in memory a run of the file. */
static int
spill(struct sorter *s)
{
	struct run *runs;
	char *out = NULL;
	int r = -1;

	if (s->n_runs == SORTER_RUNS_MAX)
		return errno = E2BIG, -1;
	if ((runs = realloc(s->runs, (s->n_runs + 1) * sizeof(*runs))) == NULL)
		return -1;
	s->runs = runs;
	runs[s->n_runs] = (struct run){ .at = s->file_end };
	if ((s->fd != -1 || (s->fd = file_nameless(s->dir)) != -1) &&
	    (out = malloc(WRITE_AT_ONCE + sizeof(uint32_t) + SORTER_RECORD_MAX)) != NULL) {
		sort_memory(s);
		r = write_items(s, out);
	}
	free(out);
	if (r == -1) {
		forget_run(s, runs[s->n_runs].at);
		return -1;
	}
	runs[s->n_runs++].end = s->file_end;
	s->used = s->n_items = 0;
	return 0;
}

int
sorter_add(struct sorter *s, struct slice record)
{
	uint32_t len = (uint32_t)record.len;
	size_t room = (sizeof(len) + record.len + RECORD_ALIGN - 1) & ~(size_t)(RECORD_ALIGN - 1);

	if (record.len > SORTER_RECORD_MAX)
		return errno = E2BIG, -1;
	if (s->used + room + (s->n_items + 1) * sizeof(struct item) > s->size && spill(s) == -1)
		return -1;
	memcpy(s->memory + s->used, &len, sizeof(len));
	if (len > 0)
		memcpy(s->memory + s->used + sizeof(len), record.p, len);
	s->n_items++;
	*items(s) = (struct item){ prefix_of(record), s->used };
	s->used += room;
	s->count++;
	return 0;
}

/* ---- reading back ---- */

/* Have at least WANT bytes of R ahead; -1 with errno, EIO when the file ends early. */
static int
read_ahead(const struct sorter *s, struct run *r, size_t want)
{
	memmove(r->buf, r->buf + r->pos, r->len - r->pos);
	r->len -= r->pos;
	r->pos = 0;
	if (want > r->cap) {
		char *grown = realloc(r->buf, want);

		if (grown == NULL)
			return -1;
		r->buf = grown;
		r->cap = want;
	}
	while (r->len < want) {
		size_t room = r->cap - r->len, left = (size_t)(r->end - r->at);
		ssize_t n = pread(s->fd, r->buf + r->len, room < left ? room : left, r->at);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return errno = n == 0 ? EIO : errno, -1;
		r->len += (size_t)n;
		r->at += n;
	}
	return 0;
}

/* The next record of R into its RECORD: 1; 0 at its end; -1 with errno. */
static int
run_next(const struct sorter *s, struct run *r)
{
	uint32_t len;

	if (r->pos == r->len && r->at == r->end)
		return 0;
	if (r->len - r->pos < sizeof(len) && read_ahead(s, r, sizeof(len)) == -1)
		return -1;
	memcpy(&len, r->buf + r->pos, sizeof(len));
	if (r->len - r->pos < sizeof(len) + len && read_ahead(s, r, sizeof(len) + len) == -1)
		return -1;
	r->record = slice_make(r->buf + r->pos + sizeof(len), len);
	r->head.prefix = prefix_of(r->record);
	r->pos += sizeof(len) + len;
	return 1;
}

/* The records in memory are the last of the "runs". */
static int
head_next(struct sorter *s, size_t i)
{
	struct run *r = &s->runs[i];

	if (i < s->n_runs)
		return run_next(s, r);
	if (s->next_item == s->n_items)
		return 0;
	record_ahead(s, s->next_item);
	r->head = items(s)[s->next_item++];
	r->record = record_at(s, r->head.at);
	return 1;
}

static bool
before(const struct sorter *s, size_t a, size_t b)
{
	const struct run *x = &s->runs[a], *y = &s->runs[b];

	if (x->head.prefix != y->head.prefix)
		return x->head.prefix < y->head.prefix;
	return slice_cmp(x->record, y->record) < 0;
}

static void
sift_down(struct sorter *s, size_t i)
{
	size_t moved = s->heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= s->n_heap)
			break;
		if (child + 1 < s->n_heap && before(s, s->heap[child + 1], s->heap[child]))
			child++;
		if (!before(s, s->heap[child], moved))
			break;
		s->heap[i] = s->heap[child];
		i = child;
	}
	s->heap[i] = moved;
}

int
sorter_sort(struct sorter *s)
{
	struct run *runs = realloc(s->runs, (s->n_runs + 1) * sizeof(*runs));

	if (runs != NULL)
		s->runs = runs;
	s->heap = calloc(s->n_runs + 1, sizeof(*s->heap));
	if (runs == NULL || s->heap == NULL)
		return errno = ENOMEM, -1;
	runs[s->n_runs] = (struct run){ 0 };
	sort_memory(s);
	for (size_t i = 0; i <= s->n_runs; i++) {
		int r;

		if (i < s->n_runs && (s->runs[i].buf = malloc(s->runs[i].cap = READ_AT_ONCE)) == NULL)
			return -1;
		if ((r = head_next(s, i)) == -1)
			return -1;
		if (r == 1)
			s->heap[s->n_heap++] = i;
	}
	for (size_t i = s->n_heap / 2; i-- > 0;)
		sift_down(s, i);
	return 0;
}

int
sorter_next(struct sorter *s, struct slice *out)
{
	while (s->n_heap > 0) {
		struct slice record = s->runs[s->heap[0]].record;
		bool again = s->has_last && slice_eq(record, slice_make(s->last, s->last_len));
		int r;

		if (!again) {
			if (record.len > 0)
				memcpy(s->last, record.p, record.len);
			s->last_len = record.len;
			s->has_last = true;
		}
		if ((r = head_next(s, s->heap[0])) == -1)
			return -1;
		if (r == 0)
			s->heap[0] = s->heap[--s->n_heap];
		if (s->n_heap > 0)
			sift_down(s, 0);
		if (!again) {
			*out = slice_make(s->last, s->last_len);
			return 1;
		}
	}
	return 0;
}
