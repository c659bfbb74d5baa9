/* lookalike_cost - what judging a host by what it looks like costs: one core, nanoseconds a host.
 *
 *	lookalike_cost LISTS OWN HOSTS
 *
 * LISTS is the folder of the lists that come with firebreak, OWN a file of the site's own domains, HOSTS real hosts, one a line.
 * The table is made of both and of the brands.  First all hosts again and again, for the mean; then each alone, the best of a few
 * times, for the percentiles, less what asking the clock costs; then hosts that are made to be as slow as can be: of tokens that begin
 * targets, of long labels, of labels in other scripts. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "ruleset/lookalike_source.h"
#include "ruleset/site.h"
#include "url_rules/url.h"

enum { FILE_MAX = 64 << 20, TIMES = 9, ROUNDS = 5, CRAFTED = 20000, HOSTS_MAX = 4000000, NAME_MAX_LEN = LOOKALIKE_HOST_MAX };

struct hosts {
	struct slice	*v;
	size_t		 n;
	struct buf	 text;
};

static struct lookalike_levels levels;

static void
die(const char *what)
{
	fprintf(stderr, "lookalike_cost: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* Nanoseconds of CLOCK: the wall's, or what this process had of a processor. */
static double
now_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double
now(void)
{
	return now_of(CLOCK_MONOTONIC);
}

/* The canonical hosts of the file at PATH. */
static void
read_hosts(const char *path, struct hosts *out)
{
	struct slice rest, line;
	struct buf raw;

	buf_init(&raw, FILE_MAX);
	buf_init(&out->text, FILE_MAX);
	if (file_read(path, &raw) == -1 || (out->v = calloc(HOSTS_MAX, sizeof(*out->v))) == NULL ||
	    buf_reserve(&out->text, 2 * raw.len) == -1)
		die(path);
	for (rest = buf_slice(&raw); rest.len > 0 && out->n < HOSTS_MAX;) {
		char host[HOST_MAX + 1];
		enum host_kind kind;
		size_t len;

		slice_cut(rest, '\n', &line, &rest);
		if (host_canonical(slice_trim(line), host, &len, &kind) != URL_OK || kind != HOST_NAME)
			continue;
		out->v[out->n++] = slice_make(out->text.p + out->text.len, len);
		if (buf_add(&out->text, host, len) == -1)
			die(path);
	}
	buf_fini(&raw);
}

/* The table of LISTS and OWN; its size goes to *LEN. */
static struct lookalike *
make_table(const char *lists, const char *own, uint64_t *len)
{
	struct diag diag = { 0 };
	struct public_suffixes *suffixes = public_suffixes_load(PUBLIC_SUFFIX_FILE, &diag);
	struct lookalike_builder *b = lookalike_builder_new();
	char path[] = "/tmp/firebreak-cost-XXXXXX";
	uint8_t sha256[SEGMENT_SHA256];
	struct segment *segment = NULL;
	struct lookalike *l = NULL;
	int fd = mkstemp(path);

	if (fd != -1 && suffixes != NULL && b != NULL && lookalike_builder_suffixes(b, suffixes) == 0 &&
	    lookalike_source_shipped(b, suffixes, lists, true, &diag) == 0 &&
	    lookalike_source_read(b, suffixes, "own", own, &diag) == 0 && lookalike_builder_write(b, 0, path, len, sha256, &diag) == 0 &&
	    (segment = segment_open(path, SEGMENT_LOOKALIKE, sha256, &diag)) != NULL)
		l = lookalike_open(segment, &diag);
	unlink(path);
	if (l == NULL) {
		diag_print(&diag, stderr);
		exit(2);
	}
	lookalike_builder_free(b);
	public_suffixes_free(suffixes);
	return l;
}

/* The best of a few times of judging HOST, nanoseconds. */
static double
cost_of(const struct lookalike *l, struct slice host, double clock)
{
	struct lookalike_finding f;
	double best = 1e18;

	for (int i = 0; i < TIMES; i++) {
		double from = now(), t;

		lookalike_find(l, host, &levels, &f);
		t = now() - from - clock;
		best = t < best ? t : best;
	}
	return best < 0 ? 0 : best;
}

/* The same; what is more than MOST is measured again, so that no interruption makes a host the slowest. */
static double
cost_at_most(const struct lookalike *l, struct slice host, double clock, double most)
{
	double t = cost_of(l, host, clock);

	for (int i = 0; i < TIMES && t > most; i++) {
		double again = cost_of(l, host, clock);

		t = again < t ? again : t;
	}
	return t;
}

static int
by_cost(const void *a, const void *b)
{
	double x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

static double
clock_cost(void)
{
	double best = 1e18;

	for (int i = 0; i < 10000; i++) {
		double from = now(), t = now() - from;

		best = t < best ? t : best;
	}
	return best;
}

/* LABEL with a Cyrillic letter for its first a, e or o as an A-label (RFC 3492 6.3) into OUT; its length, 0 when it has none. */
static size_t
encode(struct slice label, char *out)
{
	static const struct { char plain; unsigned code; } alike[] = { { 'a', 0x430 }, { 'e', 0x435 }, { 'o', 0x43e } };
	enum { FIRST = 128, DIGITS = 36, BIAS = 72, T_MAX = 26 };
	size_t at = 0, len = 4;
	unsigned code = 0, delta;

	for (; at < label.len && code == 0; at++)
		for (size_t i = 0; i < sizeof(alike) / sizeof(*alike); i++)
			code = label.p[at] == alike[i].plain ? alike[i].code : code;
	if (code == 0)
		return 0;
	at--;
	memcpy(out, "xn--", 4);
	for (size_t i = 0; i < label.len; i++)
		if (i != at)
			out[len++] = label.p[i];
	if (label.len > 1)
		out[len++] = '-';
	delta = (code - FIRST) * (unsigned)label.len + (unsigned)at;
	for (unsigned k = DIGITS;; k += DIGITS) {
		unsigned t = k <= BIAS ? 1 : k >= BIAS + T_MAX ? T_MAX : k - BIAS, digit = delta < t ? delta : t + (delta - t) % (DIGITS - t);

		out[len++] = (char)(digit < 26 ? 'a' + digit : '0' + digit - 26);
		if (delta < t)
			return len;
		delta = (delta - t) / (DIGITS - t);
	}
}

/* A host of names of OWN, each with a letter of another script: all of it is searched twice. */
static size_t
craft_alike(const struct hosts *own, uint32_t *seed, char out[static NAME_MAX_LEN + 64])
{
	size_t len = 0;

	while (len + 60 < NAME_MAX_LEN) {
		struct slice from;

		*seed = *seed * 1664525 + 1013904223;
		from = own->v[(*seed >> 8) % own->n];
		from = slice_head(from, slice_find(from, '.'));
		if (from.len > 40)
			continue;
		len += encode(from, out + len);
		if (len > 0 && out[len - 1] != '.')
			out[len++] = '.';
	}
	memcpy(out + len, "net", 3);
	return len + 3;
}

/* A host of SHAPE that is slow by design, of pieces of OWN. */
static size_t
craft(const struct hosts *own, unsigned shape, uint32_t *seed, char out[static NAME_MAX_LEN + 64])
{
	static const size_t label_max[] = { 12, 63, 32, 63 };
	size_t len = 0, label = 0;

	while (len < NAME_MAX_LEN - 6) {
		struct slice from;
		size_t n;

		*seed = *seed * 1664525 + 1013904223;
		from = own->v[(*seed >> 8) % own->n];
		n = slice_find(from, '.');
		if (shape == 3 && label == 0) {
			memcpy(out + len, "xn--", 4);
			len += 4;
			label = 4;
		}
		if (shape == 0 && n > 4)	/* short ones: many tokens */
			continue;
		if (label + n + 1 > label_max[shape] || len + n + 5 > NAME_MAX_LEN) {
			if (label == 0)
				continue;
			out[len++] = '.';
			label = 0;
			continue;
		}
		memcpy(out + len, from.p, n);
		len += n;
		label += n;
		if (shape == 0)
			out[len++] = '.', label = 0;
		if (len + 70 > NAME_MAX_LEN && shape != 0)
			break;
	}
	while (len > 0 && (out[len - 1] == '.' || out[len - 1] == '-'))
		len--;
	memcpy(out + len, ".net", 4);
	return len + 4;
}

/* The slowest so far.  Another guest of the machine slows whatever is measured while it works, for longer than a host is measured:
 * so the slowest are measured again, in turns, and each is worth its best. */
struct slow {
	double	t;
	size_t	len;
	char	host[NAME_MAX_LEN + 64];
};

enum { SLOWEST = 32, TURNS = 200 };

static void
keep_slow(struct slow slowest[static SLOWEST], const char *host, size_t len, double t)
{
	struct slow *least = slowest;

	for (size_t i = 1; i < SLOWEST; i++)
		least = slowest[i].t < least->t ? &slowest[i] : least;
	if (t <= least->t)
		return;
	least->t = t;
	least->len = len;
	memcpy(least->host, host, len);
}

static const struct slow *
slowest_of(const struct lookalike *l, struct slow slowest[static SLOWEST], double clock)
{
	const struct slow *worst = slowest;

	for (int turn = 0; turn < TURNS; turn++)
		for (size_t i = 0; i < SLOWEST; i++) {
			double t = cost_of(l, slice_make(slowest[i].host, slowest[i].len), clock);

			slowest[i].t = t < slowest[i].t ? t : slowest[i].t;
		}
	for (size_t i = 1; i < SLOWEST; i++)
		worst = slowest[i].t > worst->t ? &slowest[i] : worst;
	return worst;
}

static void
measure_crafted(const struct lookalike *l, const struct hosts *own, double clock)
{
	static const char *const names[] = { "many short tokens", "labels of 63", "labels of 32", "A-labels", "A-labels like ASCII",
		"the same with a low line" };
	uint32_t seed = 1;

	for (unsigned shape = 0; shape < sizeof(names) / sizeof(*names); shape++) {
		struct slow slowest[SLOWEST] = { 0 };
		const struct slow *worst;

		for (int i = 0; i < CRAFTED; i++) {
			char host[NAME_MAX_LEN + 64];
			size_t len = shape >= 4 ? craft_alike(own, &seed, host) : craft(own, shape, &seed, host);

			/* What has a '_' is judged as if that were a hyphen, which this then is again. */
			if (shape == 5)
				*(char *)memrchr(host, '-', len) = '_';
			keep_slow(slowest, host, len, cost_of(l, slice_make(host, len), clock));
		}
		worst = slowest_of(l, slowest, clock);
		printf("crafted, %s: worst %.0f ns: %.*s\n", names[shape], worst->t, (int)worst->len, worst->host);
	}
}

int
main(int argc, char **argv)
{
	struct hosts hosts = { 0 }, own = { 0 };
	struct lookalike_finding f;
	struct lookalike *l;
	struct site site;
	double *costs, clock = clock_cost(), best = 1e18;
	uint64_t len = 0;
	size_t worst = 0;

	if (argc != 4 || option_defaults(site_options, site_options_n, &site) == -1) {
		fputs("usage: lookalike_cost LISTS OWN HOSTS\n", stderr);
		return 2;
	}
	site_lookalike_levels(&site, &levels);
	l = make_table(argv[1], argv[2], &len);
	read_hosts(argv[3], &hosts);
	read_hosts(argv[2], &own);
	if (hosts.n == 0 || own.n == 0 || (costs = calloc(hosts.n, sizeof(*costs))) == NULL)
		die("hosts");
	printf("%zu own domains, %zu brands' domains: %.2f MB of tables; the clock costs %.0f ns\n", lookalike_own(l), lookalike_brands(l),
	    (double)len / 1e6, clock);
	for (int round = 0; round < ROUNDS; round++) {
		double from = now_of(CLOCK_PROCESS_CPUTIME_ID), t;

		for (size_t i = 0; i < hosts.n; i++)
			lookalike_find(l, hosts.v[i], &levels, &f);
		t = (now_of(CLOCK_PROCESS_CPUTIME_ID) - from) / (double)hosts.n;
		best = t < best ? t : best;
	}
	for (size_t i = 0; i < hosts.n; i++) {
		costs[i] = cost_at_most(l, hosts.v[i], clock, costs[worst]);
		worst = costs[i] > costs[worst] ? i : worst;
	}
	qsort(costs, hosts.n, sizeof(*costs), by_cost);
	printf("%zu hosts: mean %.0f ns; alone and warm p50 %.0f, p99 %.0f, p99.9 %.0f, most %.0f ns: %.*s\n", hosts.n, best,
	    costs[hosts.n / 2], costs[hosts.n / 100 * 99], costs[hosts.n / 1000 * 999], costs[hosts.n - 1], SLICE_ARGS(hosts.v[worst]));
	measure_crafted(l, &own, clock);
	free(costs);
	lookalike_close(l);
	return 0;
}
