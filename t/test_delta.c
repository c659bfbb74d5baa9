/* Feeds that change a little: only what changed is written, and whatever changes how often, a generation says and answers what one
 * says that was made of the same lists at once, in another state. */
#include <openssl/evp.h>

#include "feeds/feed_source.h"
#include "judge/judge.h"
#include "ruleset/held.h"
#include "t/state.h"

enum { SOURCES = 5, LINES = 1700, ROUNDS = 30, UNIVERSE = 2400, LINE_MAX_LEN = 200, LEAST = 1000, BALLAST = 1100 };

#define RANDOM_SEED	UINT64_C(88172645463325252)

static uint64_t seed = RANDOM_SEED;

static uint64_t
chance(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

/* ---- a format with rules of every kind ---- */

/* "ACTION KIND VALUE [NAME [DAYS]]": a feed like any other, of which some rows have a name, and some end on a day of their own. */
static int
give_line(const struct source_file *source, const struct source_defaults *defaults, struct slice line, source_visit *visit,
    void *arg)
{
	struct rule rule = { .level = 4, .rev = 1, .source = source->name };
	struct slice action, kind, value, days;
	char why[RULE_WHY];
	struct rule_match match;
	uint64_t n;
	size_t at;
	int r;

	slice_cut(line, ' ', &action, &line);
	slice_cut(line, ' ', &kind, &line);
	slice_cut(line, ' ', &value, &line);
	slice_cut(line, ' ', &rule.name, &days);
	rule.action = slice_eq(action, SLICE("allow")) ? RULE_ALLOW : RULE_BLOCK;
	for (rule.kind = RULE_HOST; !slice_eq(kind, slice_str(rule_kind_name(rule.kind))); rule.kind++)
		continue;
	rule.expires = defaults->now + (rule.kind == RULE_FILE ? defaults->file_life : defaults->host_life);
	rule.as_list = days.len == 0;
	rule.note = slice_starts(rule.name, SLICE("named-3")) ? SLICE("one note of several rules") : rule.note;
	if (slice_u64(days, &n) == 0)
		rule.expires = NOW + (int64_t)n * DAY;
	if (rule_match_parse(rule.kind, value, &match, why, &at) == -1) {
		printf("# %.*s: %s\n", SLICE_ARGS(value), why);
		abort();
	}
	r = visit(arg, &rule, &match, 1);
	rule_match_fini(&match);
	return r;
}

static bool
is_any(const char *file)
{
	return slice_ends(slice_str(file), SLICE(".any"));
}

static bool
any_knows(const char *file, bool is_folder)
{
	return (!is_folder && is_any(file)) || feed_sources.knows(file, is_folder);
}

static int
any_read(const struct source_file *source, const char *conf, const struct source_defaults *defaults, source_visit *visit, void *arg,
    struct diag *diag)
{
	struct buf text;
	struct slice rest, line;
	int r = 0;

	if (!is_any(source->path))
		return feed_sources.read(source, conf, defaults, visit, arg, diag);
	text = content(source->path);
	for (rest = buf_slice(&text); r == 0 && slice_cut(rest, '\n', &line, &rest);)
		r = give_line(source, defaults, line, visit, arg);
	buf_fini(&text);
	return r;
}

static const struct source_formats formats = { .knows = any_knows, .read = any_read };

/* ---- lists ---- */

/* What line N of the universe of list I is.  Some lines of a list are about the same value; none stands
 * twice. */
static void
line_of(unsigned i, unsigned n, char out[static LINE_MAX_LEN])
{
	unsigned k = n / 3 * 3;

	switch (i) {
	case 0:		/* hosts, and networks */
		if (n % 10 == 9)
			snprintf(out, LINE_MAX_LEN, "10.%u.%u.0/%u", n / 200, n % 200, 24 + n % 3 * 0);
		else
			snprintf(out, LINE_MAX_LEN, "%sh%u.example", n % 3 == 0 ? "" : n % 3 == 1 ? "." : "*.", n % 10 == 8 ? k : n);
		break;
	case 1:		/* digests, of which some have several names, and some several sizes */
		snprintf(out, LINE_MAX_LEN, "%064x:%u:Name.%u:73", n % 5 == 0 ? k : n, n % 7 == 0 ? 7 : 1000 + n % 2, n % 4 == 0 ? 1 : n);
		break;
	case 2:		/* URLs on few hosts */
		snprintf(out, LINE_MAX_LEN, "http://u%u.example/p%u/%s", n % 40, n, n % 5 == 0 ? "?q=1" : "");
		break;
	case 3:		/* blocks and allows of the same hosts */
		snprintf(out, LINE_MAX_LEN, "%s||w%u.example^", n % 2 == 0 ? "" : "@@", n / 2);
		break;
	default:	/* all kinds, with names and ends of their own; few patterns and names */
		if (n % 50 == 0 && n < 400)
			snprintf(out, LINE_MAX_LEN, "block path /pattern%u/*.exe", n);
		else if (n % 50 == 1 && n < 400)
			snprintf(out, LINE_MAX_LEN, "block file *:name:setup%u*.exe", n);
		else if (n % 4 == 0)
			snprintf(out, LINE_MAX_LEN, "%s file %u:md5:%032x named-%u %u", n % 8 == 0 ? "allow" : "block", 1 + n % 3, k, n % 9,
			    n % 12 == 0 ? 900 : 901);
		else if (n % 4 == 1)
			snprintf(out, LINE_MAX_LEN, "block address 172.16.%u.%u", n / 250, n % 250);
		else if (n % 4 == 2)
			snprintf(out, LINE_MAX_LEN, "%s url .any%u.example/x%u", n % 3 == 0 ? "allow" : "block", n % 90, n);
		else
			snprintf(out, LINE_MAX_LEN, "block host .any%u.example%s", n, n % 5 == 0 ? " label 33" : "");
	}
}

static const char *const files[SOURCES] = { "sources/hosts.hosts", "sources/names.hsb", "sources/urls.urls",
	"sources/block.adblock", "sources/any.any" };

/* A file of KIB kibibytes of rules of a person, so that their layer is too large to be folded into every other. */
static void
put_ballast(const char *state, unsigned k, unsigned kib)
{
	char name[64], line[1025];
	struct buf text;

	buf_init(&text, 16 * ROOM);
	for (unsigned i = 0; i < kib; i++) {
		int n = snprintf(line, sizeof(line), "block host b%u.ballast%u.example note=", i, k);

		while (n < (int)sizeof(line) - 1)
			line[n++] = (char)('a' + chance(26));
		buf_add(&text, line, sizeof(line) - 1);
		buf_add_char(&text, '\n');
	}
	snprintf(name, sizeof(name), "sources/ballast%u.rules", k);
	put(state, name, text.p);
	buf_fini(&text);
}

enum { BALLASTS = 3 };
static const unsigned ballast_kib[BALLASTS] = { 4400, 2100, 1050 };

/* Which lines of its universe each list has, and when it was written. */
struct lists {
	char	*state;
	bool	 has[SOURCES][UNIVERSE];
	bool	 there[SOURCES];
	int64_t	 written[SOURCES];
	bool	 touched[SOURCES][UNIVERSE];	/* since the last look */
};

static void
write_list(const struct lists *l, const char *state, unsigned i)
{
	char line[LINE_MAX_LEN];
	struct buf text;

	if (!l->there[i]) {
		unlink(path_in(state, files[i]));
		return;
	}
	buf_init(&text, ROOM);
	buf_add_str(&text, i == 4 ? "" : i == 3 ? "! list\n" : "# list\n");
	/* In another order each time: that is nothing that rules depend on. */
	for (unsigned n = 0, at = (unsigned)chance(UNIVERSE); n < UNIVERSE; n++, at = (at + 7) % UNIVERSE)
		if (l->has[i][at]) {
			line_of(i, at, line);
			buf_addf(&text, "%s\n", line);
		}
	put_at(state, files[i], text.p, l->written[i]);
	buf_fini(&text);
}

/* Change N lines of list I. */
static void
edit(struct lists *l, unsigned i, unsigned n)
{
	while (n-- > 0) {
		unsigned at = (unsigned)chance(UNIVERSE);

		l->has[i][at] = !l->has[i][at];
		l->touched[i][at] = true;
	}
}

/* Change list I in one of the ways that lists do. */
static void
change(struct lists *l, unsigned i)
{
	switch (l->there[i] ? chance(24) : 0) {
	case 0:
		l->there[i] = !l->there[i];
		for (unsigned n = 0; n < UNIVERSE; n++)
			l->touched[i][n] = true;
		break;
	case 1:
		edit(l, i, UNIVERSE / 2);
		break;
	case 2:
		break;	/* only its time */
	default:
		edit(l, i, 1 + (unsigned)chance(30));
	}
	l->written[i] += DAY / 24;
	if (l->written[i] > NOW)
		l->written[i] = NOW - (int64_t)chance(5) * DAY;
	write_list(l, l->state, i);
}

static struct publish_options
options_for(const char *state)
{
	struct publish_options options = options_of(state);

	options.formats = &formats;
	return options;
}

/* The same lists in a state of their own, published at once; the caller frees the name. */
static char *
publish_whole(const struct lists *l)
{
	char *state = new_state();
	struct publish_options options = options_for(state);
	struct buf conf = content(path_in(l->state, STATE_SITE));

	put(state, STATE_SITE, conf.p);
	for (unsigned i = 0; i < SOURCES; i++)
		write_list(l, state, i);
	for (unsigned i = 0; i < BALLASTS; i++) {
		char name[64];
		struct buf text;

		snprintf(name, sizeof(name), "sources/ballast%u.rules", i);
		if (access(path_in(l->state, name), F_OK) == -1)
			continue;
		text = content(path_in(l->state, name));
		put(state, name, text.p);
		buf_fini(&text);
	}
	if (publish_as(&options, NULL) == 0)
		abort();
	buf_fini(&conf);
	return state;
}

/* ---- answers ---- */

/* Add all that is known of row REF of LAYER, which KEY of KIND led to. */
static void
add_answer(const struct generation *g, struct lines *out, enum rule_kind kind, struct rule_key key, unsigned layer, uint32_t ref)
{
	char name[RULE_NAME_MAX];
	struct rule rule;

	if (generation_rule(g, layer, ref, name, &rule) == -1) {
		lines_add(out, strdup("damaged"));
		return;
	}
	rule.kind = kind;
	rule.key = key;
	add_line(out, &rule, layer, ref);
}

static void
ask_url(const struct generation *g, const char *text, struct lines *out)
{
	struct host_match hosts[MAX_MATCHES];
	struct address_match addresses[MAX_MATCHES];
	struct pattern_match patterns[MAX_MATCHES];
	bool damaged = false;
	struct question q = { .now = NOW };
	struct why why;
	struct url url;
	size_t n;

	if (url_parse(&url, slice_str(text)) != URL_OK)
		abort();
	n = generation_match(g, &url, hosts, MAX_MATCHES, &damaged);
	for (size_t i = 0; i < n && n <= MAX_MATCHES; i++)
		add_answer(g, out, hosts[i].path.len > 0 ? RULE_URL : RULE_HOST, (struct rule_key){ .scope = hosts[i].scope,
			.host = hosts[i].host, .path = hosts[i].path }, hosts[i].layer, hosts[i].ref);
	n = generation_match_addresses(g, &url, addresses, MAX_MATCHES, &damaged);
	for (size_t i = 0; i < n && n <= MAX_MATCHES; i++)
		add_answer(g, out, RULE_ADDRESS, (struct rule_key){ .network = addresses[i].network }, addresses[i].layer, addresses[i].ref);
	n = generation_match_patterns(g, &url, patterns, MAX_MATCHES, &damaged);
	for (size_t i = 0; i < n && n <= MAX_MATCHES; i++)
		add_answer(g, out, RULE_PATH, (struct rule_key){ .path = patterns[i].pattern }, patterns[i].layer, patterns[i].ref);
	q.url = &url;
	judge_request(g, FAIL_OPEN, &q, &why);
	lines_add(out, strdup(damaged ? "damaged" : why.verdict == VERDICT_BLOCK ? "blocked" : "passed"));
	url_fini(&url);
}

static void
ask_file(const struct generation *g, const struct digest *digest, uint64_t size, struct lines *out)
{
	struct hashdb_match matches[MAX_MATCHES];
	struct body_facts facts = { .n = 1, .size = size, .digests = { *digest } };
	bool damaged = false;
	struct why why;
	size_t n = generation_find(g, digest, size, matches, MAX_MATCHES, &damaged);

	for (size_t i = 0; i < n && n <= MAX_MATCHES; i++)
		add_answer(g, out, RULE_FILE, (struct rule_key){ .digest = digest, .size = matches[i].size }, matches[i].layer,
		    matches[i].ref);
	judge_body(g, &facts, NOW, &why);
	lines_add(out, strdup(damaged ? "damaged" : why.verdict == VERDICT_BLOCK ? "blocked" : "passed"));
}

static void
ask_name(const struct generation *g, const char *name, struct lines *out)
{
	struct name_match matches[MAX_MATCHES];
	struct file_names names = { .n = 0 };
	size_t n;

	file_names_add(&names, slice_str(name));
	n = generation_match_names(g, &names, 5, matches, MAX_MATCHES);
	for (size_t i = 0; i < n && n <= MAX_MATCHES; i++)
		add_answer(g, out, RULE_FILE, (struct rule_key){ .path = matches[i].pattern, .size = matches[i].size }, matches[i].layer,
		    matches[i].ref);
}

/* What G answers about line N of list I, and about what is near it. */
static struct lines
answers(const struct generation *g, unsigned i, unsigned n)
{
	struct lines out = { 0 };
	char hex[65], text[LINE_MAX_LEN];
	struct digest digest;
	unsigned k = n / 3 * 3;

	if (i == 0 || i == 3) {
		for (unsigned below = 0; below < 2; below++) {
			snprintf(text, sizeof(text), "http://%s%c%u.example/", below ? "b." : "", i == 0 ? 'h' : 'w', i == 0 ? n : n / 2);
			ask_url(g, text, &out);
		}
		snprintf(text, sizeof(text), "http://10.%u.%u.7/", n / 200, n % 200);
		ask_url(g, text, &out);
	} else if (i == 2) {
		snprintf(text, sizeof(text), "http://u%u.example/p%u/?q=1&x", n % 40, n);
		ask_url(g, text, &out);
		snprintf(text, sizeof(text), "http://u%u.example/p%u", n % 40, n);
		ask_url(g, text, &out);
	} else {
		snprintf(text, sizeof(text), "http://172.16.%u.%u/", n / 250, n % 250);
		ask_url(g, text, &out);
		snprintf(text, sizeof(text), "http://w.any%u.example/x%u/pattern%u/a.exe", n % 90, n, n);
		ask_url(g, text, &out);
		snprintf(text, sizeof(text), "http://any%u.example/pattern%u/a.exe", n, n);
		ask_url(g, text, &out);
		snprintf(text, sizeof(text), "setup%u-x.exe", n);
		ask_name(g, text, &out);
		snprintf(hex, sizeof(hex), "%0*x", i == 1 ? 64 : 32, i == 1 && n % 5 != 0 ? n : k);
		if (digest_parse(i == 1 ? DIGEST_SHA256 : DIGEST_MD5, slice_str(hex), &digest) == -1)
			abort();
		for (uint64_t size = 1; size < 4; size++)
			ask_file(g, &digest, i == 1 ? 998 + size : size, &out);
	}
	lines_sort(&out);
	return out;
}

/* A and B answer the same about line N of list I. */
static bool
same_answers(const struct generation *a, const struct generation *b, unsigned i, unsigned n)
{
	struct lines x = answers(a, i, n), y = answers(b, i, n);
	bool same = x.n == y.n;

	for (size_t k = 0; same && k < x.n; k++)
		same = strcmp(x.v[k], y.v[k]) == 0 && strcmp(x.v[k], "damaged") != 0;
	if (!same && lines_missing(&x, &y) + lines_missing(&y, &x) == 0)
		printf("# list %u line %u: %zu and %zu answers\n", i, n, x.n, y.n);
	lines_fini(&x);
	lines_fini(&y);
	return same;
}

/* How many answers about what was touched, and, ALL, about everything, are not the same. */
static unsigned
count_other_answers(struct lists *l, const struct generation *a, const struct generation *b, bool all)
{
	unsigned other = 0;

	for (unsigned i = 0; i < SOURCES; i++)
		for (unsigned n = 0; n < UNIVERSE; n++)
			if ((all || l->touched[i][n] || chance(20) == 0) && !same_answers(a, b, i, n))
				other++;
	memset(l->touched, 0, sizeof(l->touched));
	return other;
}

/* A and B have the same rules, and count them so. */
static bool
same_rules(const struct generation *a, const struct generation *b)
{
	bool damaged = false, same;
	struct lines x = lines_of(a, &damaged), y = lines_of(b, &damaged);
	uint64_t m[ROW_COUNTS], n[ROW_COUNTS];

	generation_counts(a, m);
	generation_counts(b, n);
	same = !damaged && lines_missing(&x, &y) + lines_missing(&y, &x) == 0 && memcmp(m, n, sizeof(m)) == 0 &&
	    generation_rules(a) == generation_rules(b) && generation_algs(a) == generation_algs(b) &&
	    generation_sizeless_algs(a) == generation_sizeless_algs(b);
	for (size_t i = 0; same && i < generation_manifest(a)->n_sources; i++)
		same = generation_manifest(a)->sources[i].rules == generation_manifest(b)->sources[i].rules;
	lines_fini(&x);
	lines_fini(&y);
	return same;
}

/* Layers of A that some source shares with an older one. */
static size_t
count_deltas(const char *state)
{
	struct manifest m = read_manifest(state);
	size_t n = 0;

	for (size_t i = 0; i < m.n_sources; i++)
		n += m.sources[i].n_older;
	manifest_fini(&m);
	return n;
}

/* All segments of the only layers of A and B are the same bytes. */
static bool
same_segments(const char *a, const char *b)
{
	struct manifest x = read_manifest(a), y = read_manifest(b);
	bool same = x.n_layers == y.n_layers && x.n_layers <= 1 && (x.n_layers == 0 || x.layers[0].n == y.layers[0].n);

	for (size_t i = 0; same && x.n_layers == 1 && i < x.layers[0].n; i++) {
		const struct manifest_segment *s = &x.layers[0].segments[i], *t = manifest_find(&y.layers[0], s->kind);

		same = t != NULL && s->len == t->len && memcmp(s->sha256, t->sha256, sizeof(s->sha256)) == 0;
		if (!same)
			printf("# %s\n", segment_kind_name(s->kind));
	}
	manifest_fini(&x);
	manifest_fini(&y);
	return same;
}

static void
lists_init(struct lists *l)
{
	*l = (struct lists){ .state = new_state() };
	put(l->state, STATE_SITE, "KeepGenerations 1\nLintShrank ignore\nLintGrew ignore\nLintAddress ignore\nHostLife 30d\n"
	    "FileLife 99d\n");
	put_ballast(l->state, 0, ballast_kib[0]);
	for (unsigned i = 0; i < SOURCES; i++) {
		l->there[i] = true;
		l->written[i] = NOW - DAY;
		for (unsigned n = 0; n < UNIVERSE; n++)
			l->has[i][n] = chance(UNIVERSE) < LINES;
		write_list(l, l->state, i);
	}
}

/* Publish L, and compare it with what a state of its own has. */
static unsigned
publish_and_compare(struct lists *l, bool compact, bool all)
{
	struct publish_options options = options_for(l->state);
	struct publish_report report;
	char *whole = publish_whole(l);
	struct generation *a, *b;
	unsigned wrong = publish_as(&options, &report) == 0;

	if (compact)
		wrong += publish_compact(&options, &report, NULL) == -1 || !same_segments(l->state, whole);
	a = generation_open(path_in(l->state, STATE_RULES), all, NULL, NULL);
	b = generation_open(path_in(whole, STATE_RULES), false, NULL, NULL);
	if (a == NULL || b == NULL)
		wrong++;
	else
		wrong += !same_rules(a, b) + count_other_answers(l, a, b, all);
	generation_close(a);
	generation_close(b);
	remove_tree(whole);
	free(whole);
	return wrong;
}

static void
test_random(void)
{
	struct lists l;
	unsigned wrong = 0, edits = 0;
	size_t deltas = 0, most = 0;

	seed = RANDOM_SEED;	/* whatever came before */
	lists_init(&l);
	for (unsigned n = 0; n < ROUNDS; n++) {
		unsigned here;
		size_t now;

		for (uint64_t k = 4 + chance(6); k > 0 && n > 0; k--, edits++)
			change(&l, (unsigned)chance(SOURCES));
		if (n % 3 == 2) {
			unsigned k = n % 9 == 2 ? 1 : n % 9 == 5 ? 2 : 0;	/* the larger one first: both stay beside the largest */

			put_ballast(l.state, k, ballast_kib[k]);
		}
		here = publish_and_compare(&l, n % 9 == 8, n % 10 == 7);
		if (here > 0 && wrong == 0)
			printf("# round %u is wrong\n", n);
		wrong += here;
		now = count_deltas(l.state);
		deltas += now > 0;
		most = now > most ? now : most;
	}
	is_int(wrong, 0, "after each of many changes rules, counts and answers are those of a whole publish");
	ok(edits >= 180 && deltas > ROUNDS / 2 && most > SOURCES, "%u changes; %zu of %d publishes had deltas, one of them %zu",
	    edits, deltas, ROUNDS, most);
	free(l.state);
}

/* ---- one feed ---- */

/* N hosts "hI.KIND.example" from FROM on, into FILE of STATE, written at WHEN, and MORE. */
static void
put_hosts(const char *state, const char *file, unsigned from, unsigned n, int64_t when, const char *more)
{
	struct buf text;

	buf_init(&text, 16 * ROOM);
	for (unsigned i = from; i < from + n; i++)
		buf_addf(&text, "h%u.%s.example\n", i, i % 2 == 0 ? "even" : "odd");
	buf_add_str(&text, more);
	put_at(state, file, text.p, when);
	buf_fini(&text);
}

static struct manifest_source
source_named(const char *state, const char *name)
{
	struct manifest m = read_manifest(state);
	const struct manifest_source *s = manifest_source(&m, slice_str(name));
	struct manifest_source copy = { .layer = 0 };

	if (s != NULL)
		copy = *s;
	manifest_fini(&m);
	return copy;
}

/* Some row of a feed is for URL: its id has a slash. */
static bool
is_listed(const char *state, const char *url)
{
	struct generation *g = generation_open(path_in(state, STATE_RULES), false, NULL, NULL);
	bool listed = g != NULL && strchr(url_rules(g, url), '/') != NULL;

	generation_close(g);
	return listed;
}

static off_t
size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : 0;
}

/* One line more and one less: a few hundred bytes beside what is there. */
static void
test_small(void)
{
	enum { MANY = 50000 };
	char *state = new_state();
	struct publish_options options = options_for(state);
	struct publish_report r;
	struct manifest_source s;

	put_hosts(state, "sources/f.hosts", 0, MANY, NOW - DAY, "");
	ok(publish_as(&options, &r) == 1 && r.rules == MANY, "a feed");
	put_hosts(state, "sources/f.hosts", 1, MANY, NOW - DAY / 2, "");
	ok(publish_as(&options, &r) == 2 && r.rules == MANY && r.layers == 2 && r.changed == 1, "a line more and one less: two layers");
	s = source_named(state, "f");
	ok(s.layer == 2 && s.n_older == 1 && s.older[0] == 1 && s.rules == MANY, "it is in both");
	ok(size_of(segment_path(state, SEGMENT_HOSTS, 2)) < 1000 && size_of(segment_path(state, SEGMENT_HOSTS, 1)) > 1 << 20,
	    "the new one is small");
	ok(s.has_ends && s.host_end == NOW - DAY / 2 + 30 * DAY, "all of it ends later now");
	ok(!is_listed(state, "http://h0.even.example/") && is_listed(state, "http://h50000.even.example/") &&
	    is_listed(state, "http://h1.odd.example/"), "what is gone is gone, what is new is there, and so is the rest");
	put_hosts(state, "sources/f.hosts", 1, MANY, NOW, "");
	ok(publish_as(&options, &r) == 3 && r.layers == 2, "the same later");
	s = source_named(state, "f");
	ok(s.layer == 2 && s.host_end == NOW + 30 * DAY && access(segment_path(state, SEGMENT_HOSTS, 3), F_OK) == -1,
	    "makes no layer, and ends later");
	put_hosts(state, "sources/f.hosts", 0, MANY, NOW, "");
	ok(publish_as(&options, &r) == 4 && r.layers == 2, "as it was in the beginning: the small layer is folded");
	s = source_named(state, "f");
	ok(s.layer == 4 && s.n_older == 1 && s.older[0] == 1 && is_listed(state, "http://h0.even.example/") &&
	    !is_listed(state, "http://h50000.even.example/"), "and it is right again");
	put_hosts(state, "sources/f.hosts", 0, MANY / 2, NOW, "");
	put(state, STATE_SITE, "LintShrank ignore\n");
	ok(publish_as(&options, &r) == 5 && r.layers == 1 && r.rules == MANY / 2, "half of it: a whole layer");
	s = source_named(state, "f");
	ok(s.n_older == 0 && s.layer == 5, "and no other one");
	put_hosts(state, "sources/f.hosts", 0, MANY / 2, NOW, "");
	put(state, "sources/g.rules", "block host g.example\n");
	ok(publish_as(&options, &r) != 0 && r.rules == MANY / 2 + 1, "another source beside it");
	unlink(path_in(state, "sources/f.hosts"));
	ok(publish_as(&options, &r) != 0 && r.rules == 1 && !is_listed(state, "http://h0.even.example/"), "dropped");
	free(state);
}

/* A line that stands twice counts twice, as it does in a list that is read as a whole. */
static void
test_repeated(void)
{
	char *state = new_state();
	struct publish_options options = options_for(state);
	struct publish_report r, full;

	put_ballast(state, 0, BALLAST);
	put_hosts(state, "sources/f.hosts", 0, 2 * LEAST, NOW, "");
	publish_as(&options, &r);
	put_hosts(state, "sources/f.hosts", 0, 2 * LEAST, NOW, "h1.odd.example\nh1.odd.example\n");
	ok(publish_as(&options, &r) == 2 && r.rules == 2 * LEAST + BALLAST + 2 && source_named(state, "f").n_older == 1,
	    "lines that stand twice are counted");
	put_hosts(state, "sources/f.hosts", 0, 2 * LEAST, NOW, "h1.odd.example\nnew.example\nnew.example\n");
	ok(publish_as(&options, &r) == 3 && r.rules == 2 * LEAST + BALLAST + 3 && is_listed(state, "http://new.example/"), "new ones, too");
	options.full = true;
	ok(publish_as(&options, &full) == 4 && full.rules == r.rules && full.hosts == r.hosts, "as when all is read again");
	free(state);
}

/* Feeds that are small, and what people write, are read as they were. */
static void
test_not_worth(void)
{
	char *state = new_state();
	struct publish_options options = options_for(state);
	struct publish_report r;

	put_ballast(state, 0, BALLAST);
	put_hosts(state, "sources/small.hosts", 0, LEAST - 1, NOW, "");
	put_hosts(state, "sources/large.hosts", 0, LEAST, NOW, "");
	publish_as(&options, &r);
	put_hosts(state, "sources/small.hosts", 1, LEAST - 1, NOW, "");
	put_hosts(state, "sources/large.hosts", 1, LEAST, NOW, "");
	ok(publish_as(&options, &r) != 0 && source_named(state, "small").n_older == 0 && source_named(state, "large").n_older == 1,
	    "a small feed has one layer");
	ok(publish_as(&options, &r) != 0 && r.rules == 2 * LEAST - 1 + BALLAST, "and all rules are there");
	free(state);
}

/* Many small deltas are made few. */
static void
test_many(void)
{
	enum { MANY = 30000, TIMES = 40 };
	char *state = new_state();
	struct publish_options options = options_for(state);
	struct publish_report r = { 0 };
	size_t most = 0;
	bool right = true;

	put_hosts(state, "sources/f.hosts", 0, MANY, NOW, "");
	put_hosts(state, "sources/g.hosts", 1, MANY, NOW, "");
	publish_as(&options, &r);
	for (unsigned i = 1; i <= TIMES; i++) {
		put_hosts(state, i % 2 == 0 ? "sources/f.hosts" : "sources/g.hosts", i, MANY, NOW, "");
		right = publish_as(&options, &r) != 0 && r.rules == 2 * MANY && right;
		most = r.layers > most ? r.layers : most;
	}
	ok(right && most <= 3, "%d changes: %zu layers at most", TIMES, most);
	ok(publish_compact(&options, &r, NULL) == 0 && r.layers == 1 && r.rules == 2 * MANY, "compacted");
	ok(source_named(state, "f").n_older == 0 && source_named(state, "g").n_older == 0, "each is in one layer");
	ok(publish_as(&options, &r) != 0 && r.changed == 0, "and nothing is read again");
	free(state);
}

/* ---- the gate ---- */

/* Publish STATE, whatever is warned of: how many rules are live. */
static uint64_t
publish_warned(const char *state, struct publish_report *r)
{
	struct publish_options options = options_for(state);
	struct diag diag = { 0 };
	int result = publish(&options, r, &diag);

	if (result == -1)
		show(&diag);
	diag_fini(&diag);
	r->rules -= BALLAST;
	return result == -1 ? 0 : r->rules;
}

/* Let VERDICT be what somebody decided about all that waits in STATE, or, AGAIN, the other way about the same. */
static void
decide(const char *state, enum held_verdict verdict, bool again)
{
	struct held_list list = { 0 };
	struct buf text;

	buf_init(&text, ROOM);
	held_continue(&text);
	if (held_load(again ? HELD_DECISIONS : HELD_RULES, state, &list, NULL) == -1 || list.n == 0)
		abort();
	for (size_t i = 0; i < list.n; i++)
		held_decide(&list.v[i], verdict, SLICE("2026-11-26T17:41:13Z"), SLICE("uid=1"), (struct slice){ 0 }, &text);
	put(state, STATE_APPROVED, text.p);
	held_fini(&list);
	buf_fini(&text);
}

#define BAD_HOST	"http://www.popular.example/"

/* What is held, and what people decide about it, although nothing else of the list is asked about again. */
static void
test_gate(void)
{
	char *state = new_state(), *top_sites = file_join(list_folder, LINT_TOP_SITES);
	struct publish_report r;

	write_plain(top_sites, SLICE("popular.example\n"));
	put_ballast(state, 0, BALLAST);
	put_hosts(state, "sources/f.hosts", 0, LEAST, NOW, "");
	put(state, STATE_SITE, "LintGrew hold\nLintShrank hold\n");
	ok(publish_warned(state, &r) == LEAST, "gate: a feed");
	put_hosts(state, "sources/f.hosts", 0, LEAST, NOW, "new.example\n.popular.example\n");
	ok(publish_warned(state, &r) == LEAST + 1 && r.held == 1 && source_named(state, "f").n_older == 1 && !is_listed(state, BAD_HOST),
	    "a line that is held, and one that is not");
	put_hosts(state, "sources/f.hosts", 0, LEAST, NOW, "new.example\n.popular.example\nmore.example\n");
	ok(publish_warned(state, &r) == LEAST + 2 && r.held == 1 && !is_listed(state, BAD_HOST), "it is held still");
	decide(state, HELD_APPROVED, false);
	ok(publish_warned(state, &r) == LEAST + 3 && r.held == 0 && r.approved == 1 && r.changed == 1 && is_listed(state, BAD_HOST) &&
	    source_named(state, "f").n_older == 1, "approved: it is live");
	put_hosts(state, "sources/f.hosts", 0, LEAST, NOW, "new.example\n.popular.example\nmore.example\nlast.example\n");
	ok(publish_warned(state, &r) == LEAST + 4 && is_listed(state, BAD_HOST), "and stays so");
	decide(state, HELD_DENIED, true);
	put_hosts(state, "sources/f.hosts", 0, LEAST, NOW, "new.example\n.popular.example\nmore.example\nlast.example\nother.example\n");
	ok(publish_warned(state, &r) == LEAST + 4 && r.denied == 1 && !is_listed(state, BAD_HOST) &&
	    is_listed(state, "http://other.example/"), "denied: it is gone, although the list has it as before");
	put(state, "sources/p.rules", "protect host .h2.even.example\n");
	ok(publish_warned(state, &r) == LEAST + 4 && r.protects == 1 && r.refused == 1 && !is_listed(state, "http://h2.even.example/") &&
	    is_listed(state, "http://h1.odd.example/"), "what is protected now is refused, although the list is as it was");
	unlink(path_in(state, "sources/p.rules"));
	ok(publish_warned(state, &r) == LEAST + 4 && is_listed(state, "http://h2.even.example/"), "and is there again without that");
	put_hosts(state, "sources/f.hosts", 0, LEAST / 10, NOW, "");
	ok(publish_warned(state, &r) == LEAST + 4 && r.held == 1 && r.changed == 1 && is_listed(state, "http://last.example/"),
	    "a list that lost most of it is held");
	ok(publish_warned(state, &r) == LEAST + 4 && r.held == 1 && r.changed == 0, "and not read again");
	put_hosts(state, "sources/f.hosts", 0, LEAST, NOW, "");
	ok(publish_warned(state, &r) == LEAST && r.held == 0 && !is_listed(state, "http://last.example/"),
	    "one that is right again is live");
	put_hosts(state, "sources/f.hosts", 0, LEAST, NOW - 31 * DAY, "");
	publish_warned(state, &r);
	ok(r.rules == LEAST && r.held == 1, "all of it has expired: that is held as well");
	write_plain(top_sites, SLICE(""));
	free(top_sites);
	free(state);
}

/* A dry run says what a publish would, and writes nothing. */
static void
test_dry_run(void)
{
	char *state = new_state();
	struct publish_options options = options_for(state);
	struct publish_report dry, r;
	struct buf before;

	put_hosts(state, "sources/f.hosts", 0, LEAST * 2, NOW, "");
	put_ballast(state, 0, BALLAST);
	publish_as(&options, NULL);
	put_hosts(state, "sources/f.hosts", 5, LEAST * 2 + 7, NOW, "");
	before = snapshot(state);
	options.dry_run = true;
	ok(publish_as(&options, &dry) == 2, "a dry run");
	is_unchanged(state, &before, "a dry run");
	options.dry_run = false;
	publish_as(&options, &r);
	ok(dry.rules == r.rules && dry.hosts == r.hosts && dry.changed == r.changed && dry.layers == r.layers,
	    "says what is then: %zu and %zu layers", dry.layers, r.layers);
	free(state);
}

/* ---- going back, and older generations ---- */

static void
test_rollback(void)
{
	char *state = new_state();
	struct publish_options options = options_for(state);
	struct publish_report r;

	put_ballast(state, 0, BALLAST);
	put_hosts(state, "sources/f.hosts", 0, LEAST * 2, NOW, "");
	publish_as(&options, NULL);
	put_hosts(state, "sources/f.hosts", 3, LEAST * 2, NOW, "");
	publish_as(&options, NULL);
	put_hosts(state, "sources/f.hosts", 6, LEAST * 2, NOW, "");
	publish_as(&options, NULL);
	ok(publish_rollback(&options, 2, &r, NULL) == 0 && r.rules == LEAST * 2 + BALLAST && is_listed(state, "http://h3.odd.example/") &&
	    !is_listed(state, "http://h2.even.example/") && !is_listed(state, "http://h2003.odd.example/"), "back to one with a delta");
	ok(publish_rollback(&options, 1, &r, NULL) == 0 && is_listed(state, "http://h2.even.example/") &&
	    !is_listed(state, "http://h2001.odd.example/"), "and to the one before it");
	options.forward = true;
	ok(publish_as(&options, &r) != 0 && r.changed == 1 && is_listed(state, "http://h2005.odd.example/") &&
	    !is_listed(state, "http://h5.odd.example/"), "forward: what is read is held against what is live");
	free(state);
}

/* Append the line "end" that belongs to TEXT. */
static void
add_sum(struct buf *text)
{
	uint8_t sum[SEGMENT_SHA256];

	if (EVP_Digest(text->p, text->len, sum, NULL, EVP_sha256(), NULL) != 1)
		abort();
	buf_add_str(text, "end ");
	for (size_t i = 0; i < sizeof(sum); i++)
		buf_addf(text, "%02x", sum[i]);
	buf_add_char(text, '\n');
}

/* The MANIFEST of STATE as version 2 wrote it: nothing in several layers, no ends, and rows with dates of their own.  That is how
 * the rules of a file of rules still are. */
static void
test_version_before(void)
{
	char *state = new_state();
	struct publish_options options = options_for(state);
	struct publish_report r;
	struct buf text, lines;
	struct slice head, rest, line;
	uint64_t stamp;

	buf_init(&lines, 16 * ROOM);
	for (unsigned i = 0; i < 2 * LEAST; i++)
		buf_addf(&lines, "block host h%u.example expires=2030-01-01\n", i);
	put(state, "sources/feed-f.rules", lines.p);
	publish_as(&options, NULL);
	text = content(path_in(state, STATE_MANIFEST));
	buf_reset(&lines);
	slice_cut(buf_slice(&text), '\n', &head, &rest);
	ok(slice_eq(head, SLICE("firebreak-manifest 3")), "this version's MANIFEST");
	buf_add_str(&lines, "firebreak-manifest 2\n");
	while (slice_cut(rest, '\n', &line, &rest) && !slice_starts(line, SLICE("end ")))
		buf_addf(&lines, "%.*s\n", SLICE_ARGS(line));
	add_sum(&lines);
	put_manifest(state, buf_slice(&lines));
	ok(is_listed(state, "http://h7.example/"), "the version before is judged by");
	unlink(path_in(state, "sources/feed-f.rules"));
	put(state, "sources/other.rules", "block host other.example\n");
	options.only = "other";
	ok(publish_as(&options, &r) == 2 && r.rules == 2 * LEAST + 1 && is_listed(state, "http://h7.example/"), "and published upon");
	options.only = NULL;
	buf_reset(&lines);
	for (unsigned i = 1; i < 2 * LEAST; i++)
		buf_addf(&lines, "h%u.example\n", i);
	put(state, "sources/feed-f.hosts", lines.p);
	ok(publish_as(&options, &r) == 3 && r.rules == 2 * LEAST && source_named(state, "feed-f").n_older == 0 && !is_listed(state,
	    "http://h0.example/"), "a feed of before is read as a whole: %" PRIu64, r.rules);
	stamp = source_named(state, "feed-f").stamp;
	ok(source_named(state, "feed-f").has_ends && stamp != 0, "and has ends then");
	buf_fini(&lines);
	buf_fini(&text);
	free(state);
}

/* ---- MANIFESTs that do not fit their layers ---- */

/* The generation of STATE does not open with SOURCE in the layers N of NUMBERS; one test point. */
static void
is_no_generation(const char *state, const char *name, const uint64_t *numbers, size_t n, const char *idea)
{
	struct manifest m = read_manifest(state);
	struct diag diag = { 0 };
	struct generation *g;

	manifest_source_set(manifest_source(&m, slice_str(name)), numbers, n);
	write_manifest(state, &m);
	g = generation_open(path_in(state, STATE_RULES), false, NULL, &diag);
	ok(g == NULL && diag.n_errors == 1, "%s: refused: %s", idea, diag_first_error(&diag));
	generation_close(g);
	diag_fini(&diag);
	manifest_fini(&m);
}

static void
test_wrong_layers(void)
{
	char *state = new_state();
	struct publish_options options = options_for(state);
	struct publish_report r;
	struct diag diag = { 0 };
	struct manifest good;

	put_hosts(state, "sources/f.hosts", 0, LEAST * 50, NOW, "");
	publish_as(&options, NULL);
	put_hosts(state, "sources/f.hosts", 1, LEAST * 50, NOW, "");
	put(state, "sources/x.rules", "block host x.example\n");
	publish_as(&options, NULL);
	good = read_manifest(state);
	is_no_generation(state, "f", (const uint64_t[]){ 2 }, 1, "a delta alone");
	write_manifest(state, &good);
	is_no_generation(state, "x", (const uint64_t[]){ 1, 2 }, 2, "a layer that has nothing of the source");
	ok(publish(&options, &r, &diag) == 0 && r.rules == LEAST * 50 + 1, "the next publish mends it: %s", diag_first_error(&diag));
	generation_close(open_good(state, true));
	diag_fini(&diag);
	manifest_fini(&good);
	free(state);
}

int
main(void)
{
	/* Nothing here needs a disk, and each publish waits for one. */
	if (getenv("TMPDIR") == NULL && access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 1);
	state_begin();
	test_small();
	test_repeated();
	test_not_worth();
	test_many();
	test_gate();
	test_dry_run();
	test_rollback();
	test_version_before();
	test_wrong_layers();
	test_random();
	return state_end();
}
