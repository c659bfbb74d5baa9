/* scale_ask - how long the questions take that a worker asks of a generation, for bench/scale.
 *
 *	scale_ask open RULES_DIR N		open it N times: ms each, median
 *	scale_ask digests RULES_DIR N		look up N listed digests and N that are not: ns each
 *	scale_ask hosts RULES_DIR URLS		judge every URL of that file: ns each
 *	scale_ask touch RULES_DIR SECONDS	ask digests and hosts without end, for who measures memory
 *
 * Prints "what N n median n p99 n mean n" a line.  A question is timed by itself, the cost of two looks at the clock taken off;
 * everything was asked once before, so that the file is in memory. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"
#include "judge/judge.h"
#include "ruleset/generation.h"

enum { USAGE = 2, NS_PER_S = 1000000000, SAMPLES = 1 << 20, CLOCK_LOOKS = 100000, ROUNDS = 3 };

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

/* What two looks at the clock cost, at the least. */
static uint64_t
clock_cost(void)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < CLOCK_LOOKS; i++) {
		uint64_t from = now_ns(), took = now_ns() - from;

		least = took < least ? took : least;
	}
	return least;
}

static void
show(const char *what, uint64_t *took, size_t n)
{
	uint64_t sum = 0;

	if (n == 0)
		return;
	qsort(took, n, sizeof(*took), compare);
	for (size_t i = 0; i < n; i++)
		sum += took[i];
	printf("%s N %zu median %" PRIu64 " p99 %" PRIu64 " mean %" PRIu64 "\n", what, n, took[n / 2], took[n * 99 / 100], sum / n);
}

static struct generation *
open_generation(const char *dir)
{
	struct diag diag = { 0 };
	struct generation *g = generation_open(dir, false, NULL, &diag);

	diag_print(&diag, stderr);
	if (g == NULL)
		exit(EXIT_FAILURE);
	return g;
}

/* ---- digests ---- */

struct sample {
	struct digest	digest;
	uint64_t	size;
};

struct samples {
	struct sample	*v;
	size_t		 n, max;
	uint64_t	 seen, step;
};

/* Every STEPth listed digest. */
static int
take_sample(void *arg, const struct rule *rule, unsigned layer, uint32_t ref)
{
	struct samples *s = arg;

	(void)layer, (void)ref;
	if (rule->kind != RULE_FILE || s->seen++ % s->step != 0 || s->n == s->max)
		return 0;
	s->v[s->n++] = (struct sample){ *rule->key.digest, rule->key.size };
	return 0;
}

static uint64_t
step_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	return *x ^= *x << 17;
}

static void
shuffle(struct samples *s)
{
	uint64_t x = 88172645463325252u;

	for (size_t i = s->n; i > 1; i--) {
		size_t k = step_random(&x) % i;
		struct sample t = s->v[i - 1];

		s->v[i - 1] = s->v[k];
		s->v[k] = t;
	}
}

static struct samples
collect(const struct generation *g, size_t max)
{
	struct samples s = { .max = max, .v = calloc(max + 1, sizeof(*s.v)) };
	uint64_t n[ROW_COUNTS], files = 0;
	bool damaged = false;

	generation_counts(g, n);
	for (int alg = 0; alg < DIGEST_ALGS; alg++)
		files += n[COUNT_FILES + alg];
	s.step = files / max + 1;
	if (s.v == NULL || generation_each(g, take_sample, &s, &damaged) != 0 || damaged)
		exit(EXIT_FAILURE);
	shuffle(&s);
	return s;
}

/* Look all of S up; how many were found. */
static size_t
ask_digests(const struct generation *g, const struct samples *s, uint64_t cost, uint64_t *took)
{
	struct hashdb_match m[4];
	size_t found = 0;

	for (size_t i = 0; i < s->n; i++) {
		uint64_t from = now_ns();

		found += generation_find(g, &s->v[i].digest, s->v[i].size, m, 4, NULL) > 0;
		took[i] = now_ns() - from;
		took[i] = took[i] > cost ? took[i] - cost : 0;
	}
	return found;
}

static int
digests(const char *dir, size_t n)
{
	struct generation *g = open_generation(dir);
	struct samples listed = collect(g, n), other = { .v = calloc(n + 1, sizeof(*other.v)), .n = listed.n };
	uint64_t *took = calloc(n + 1, sizeof(*took)), cost = clock_cost(), x = 2463534242;
	size_t hits = 0, misses = 0;

	if (took == NULL || other.v == NULL)
		return EXIT_FAILURE;
	for (size_t i = 0; i < other.n; i++) {
		other.v[i] = listed.v[i];
		for (size_t k = 0; k < digest_len(listed.v[i].digest.alg); k++)
			other.v[i].digest.b[k] = (uint8_t)(step_random(&x) >> 32);
	}
	for (int round = 0; round < ROUNDS; round++)
		hits = ask_digests(g, &listed, cost, took);
	show("digest-hit", took, listed.n);
	for (int round = 0; round < ROUNDS; round++)
		misses = ask_digests(g, &other, cost, took);
	show("digest-miss", took, other.n);
	generation_close(g);
	free(listed.v);
	free(other.v);
	free(took);
	return hits == listed.n && misses == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- hosts ---- */

struct urls {
	struct url	*v;
	size_t		 n;
};

static struct urls
read_urls(const char *path)
{
	struct buf text;
	struct slice rest, line;
	struct urls u = { .v = calloc(SAMPLES, sizeof(*u.v)) };

	buf_init(&text, SIZE_MAX / 2);
	if (u.v == NULL || file_read(path, &text) == -1)
		exit(EXIT_FAILURE);
	rest = buf_slice(&text);
	while (rest.len > 0 && u.n < SAMPLES) {
		slice_cut(rest, '\n', &line, &rest);
		slice_cut(line, '\t', &line, NULL);
		u.n += url_parse(&u.v[u.n], line) == URL_OK;
	}
	buf_fini(&text);
	return u;
}

/* Judge all of U; how many are refused. */
static size_t
ask_hosts(const struct generation *g, const struct urls *u, uint64_t cost, uint64_t *took)
{
	static struct why why;
	size_t blocked = 0;

	for (size_t i = 0; i < u->n; i++) {
		struct question q = { .url = &u->v[i], .now = 0 };
		uint64_t from = now_ns();

		judge_request(g, FAIL_OPEN, &q, &why);
		took[i] = now_ns() - from;
		took[i] = took[i] > cost ? took[i] - cost : 0;
		blocked += why.verdict == VERDICT_BLOCK;
	}
	return blocked;
}

static int
hosts(const char *dir, const char *path)
{
	struct generation *g = open_generation(dir);
	struct urls u = read_urls(path);
	uint64_t *took = calloc(u.n + 1, sizeof(*took)), cost = clock_cost();
	size_t blocked = 0;

	if (took == NULL)
		return EXIT_FAILURE;
	for (int round = 0; round < ROUNDS; round++)
		blocked = ask_hosts(g, &u, cost, took);
	show("host", took, u.n);
	printf("blocked N %zu\n", blocked);
	for (size_t i = 0; i < u.n; i++)
		url_fini(&u.v[i]);
	free(u.v);
	free(took);
	generation_close(g);
	return EXIT_SUCCESS;
}

/* ---- the others ---- */

static int
open_often(const char *dir, size_t n)
{
	uint64_t *took = calloc(n + 1, sizeof(*took));

	if (took == NULL)
		return EXIT_FAILURE;
	for (size_t i = 0; i < n; i++) {
		uint64_t from = now_ns();
		struct generation *g = open_generation(dir);

		took[i] = now_ns() - from;
		generation_close(g);
	}
	show("open", took, n);
	free(took);
	return EXIT_SUCCESS;
}

static int
touch(const char *dir, uint64_t seconds)
{
	struct generation *g = open_generation(dir);
	uint64_t end = now_ns() + seconds * NS_PER_S, x = 88172645463325252u;
	struct digest d = { .alg = DIGEST_MD5 };
	struct hashdb_match m[4];

	while (now_ns() < end)
		for (int i = 0; i < CLOCK_LOOKS; i++) {
			for (size_t k = 0; k < digest_len(d.alg); k += sizeof(x)) {
				step_random(&x);
				memcpy(d.b + k, &x, sizeof(x));
			}
			generation_find(g, &d, x >> 40, m, 4, NULL);
		}
	generation_close(g);
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	uint64_t n = 0;

	if (argc == 4 && strcmp(argv[1], "hosts") == 0)
		return hosts(argv[2], argv[3]);
	if (argc == 4 && slice_u64(slice_str(argv[3]), &n) == 0 && n > 0) {
		if (strcmp(argv[1], "open") == 0)
			return open_often(argv[2], n);
		if (strcmp(argv[1], "digests") == 0)
			return digests(argv[2], n);
		if (strcmp(argv[1], "touch") == 0)
			return touch(argv[2], n);
	}
	fprintf(stderr, "usage: scale_ask open|digests|touch RULES_DIR N, or hosts RULES_DIR URLS\n");
	return USAGE;
}
