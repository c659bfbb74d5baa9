/* Host and path rules: what applies and in which order, in one table and in several, against a plain search through all rules,
 * and in files that were damaged. */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/file.h"
#include "base/sorter.h"
#include "t/tap.h"
#include "url_rules/host_format.h"
#include "url_rules/host_table.h"

enum { MATCHES_MAX = 600, SCOPES = 3 };

struct rule {
	enum host_scope	 scope;
	const char	*host, *path;
	uint32_t	 ref;
};

static char *folder;

static char *
new_path(void)
{
	static unsigned n;
	char *path = NULL;

	if (asprintf(&path, "%s/%u.seg", folder, n++) == -1)
		abort();
	return path;
}

static struct host_builder *
new_builder(void)
{
	struct host_builder *b = host_builder_new(0, folder);

	if (b == NULL)
		abort();
	return b;
}

static void
add(struct host_builder *b, enum host_scope scope, struct slice host, struct slice path, uint32_t ref)
{
	if (host_builder_add(b, scope, host, path, ref) == -1)
		abort();
}

static struct host_builder *
builder_with(const struct rule *rules, size_t n)
{
	struct host_builder *b = new_builder();

	for (size_t i = 0; i < n; i++)
		add(b, rules[i].scope, slice_str(rules[i].host), slice_str(rules[i].path), rules[i].ref);
	return b;
}

/* The bytes of the segment that B writes; the caller frees them. */
static struct slice
image_of(struct host_builder *b)
{
	uint8_t sum[SEGMENT_SHA256];
	char *path = new_path();
	struct buf image;
	uint64_t len;

	buf_init(&image, SIZE_MAX / 2);
	if (host_builder_write(b, path, &len, sum, NULL) == -1 || file_read(path, &image) == -1 || image.len != len)
		abort();
	unlink(path);
	free(path);
	host_builder_free(b);
	return buf_slice(&image);
}

static void
free_image(struct slice image)
{
	free((char *)(uintptr_t)image.p);
}

/* A table over IMAGE; NULL when it is refused. */
static struct host_table *
table_of(struct slice image, struct segment **segment)
{
	struct host_table *t;

	*segment = segment_open_bytes("test", image.p, image.len, SEGMENT_HOSTS, NULL);
	t = *segment == NULL ? NULL : host_table_open(*segment, NULL);
	if (t == NULL) {
		segment_close(*segment);
		*segment = NULL;
	}
	return t;
}

static void
close_table(struct host_table *t, struct segment *segment)
{
	host_table_close(t);
	segment_close(segment);
}

/* A table, with all that it lies in. */
struct made {
	struct slice		 image;
	struct segment		*segment;
	struct host_table	*table;
};

static struct made
make_table(struct host_builder *b)
{
	struct made made = { .image = image_of(b) };

	made.table = table_of(made.image, &made.segment);
	if (made.table == NULL)
		abort();
	return made;
}

static void
free_made(struct made *made)
{
	close_table(made->table, made->segment);
	free_image(made->image);
}

static size_t
ask_all(const struct host_table *const *tables, size_t n_tables, struct slice host, struct slice path, struct host_match *out,
    size_t max, bool *damaged)
{
	struct url url = { .host = host, .path_query = path };

	url.kind = host.p[0] == '[' ? HOST_IPV6 : ascii_is_digit(host.p[host.len - 1]) ? HOST_IPV4 : HOST_NAME;
	return host_table_match(tables, n_tables, &url, out, max, damaged);
}

static size_t
ask(const struct host_table *t, const char *host, const char *path, struct host_match *out, size_t max, bool *damaged)
{
	return ask_all(&t, 1, slice_str(host), slice_str(path), out, max, damaged);
}

static uint64_t
next_number(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* ---- all rules of a table, as sorted lines ---- */

struct lines {
	char	**v;
	size_t	  n, cap;
};

static int
add_line(void *arg, enum host_scope scope, struct slice host, struct slice path, uint32_t ref)
{
	struct lines *lines = arg;

	if (lines->n == lines->cap) {
		lines->cap = lines->cap > 0 ? 2 * lines->cap : 64;
		if ((lines->v = realloc(lines->v, lines->cap * sizeof(*lines->v))) == NULL)
			abort();
	}
	if (asprintf(&lines->v[lines->n++], "%d %.*s %.*s %u", (int)scope, SLICE_ARGS(host), SLICE_ARGS(path), ref) == -1)
		abort();
	return 0;
}

static int
compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
sort_lines(struct lines *lines)
{
	if (lines->n > 0)
		qsort(lines->v, lines->n, sizeof(*lines->v), compare_lines);
}

/* Drop lines said twice; LINES are sorted. */
static void
unique_lines(struct lines *lines)
{
	size_t kept = 0;

	for (size_t i = 0; i < lines->n; i++)
		if (kept == 0 || strcmp(lines->v[kept - 1], lines->v[i]) != 0)
			lines->v[kept++] = lines->v[i];
		else
			free(lines->v[i]);
	lines->n = kept;
}

static void
free_lines(struct lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		free(lines->v[i]);
	free(lines->v);
}

/* What host_table_each() showed. */
struct shown {
	const struct host_table	*t;
	struct lines		 lines;
	uint8_t			*taken;		/* by place */
	bool			 strange;
};

/* host_table_find() finds the rule that is shown, at a place that no other one has, and in the order of references. */
static bool
is_found(struct shown *s, enum host_scope scope, struct slice host, struct slice path, const struct host_place *at)
{
	struct host_place found[HOST_RULES_PER_KEY];
	bool damaged = false, here = false, sorted = true;
	size_t n = host_table_find(s->t, scope, host, path, found, HOST_RULES_PER_KEY, &damaged);

	for (size_t i = 0; i < n; i++) {
		here = here || (found[i].ref == at->ref && found[i].place == at->place);
		sorted = sorted && (i == 0 || found[i - 1].ref < found[i].ref);
	}
	if (!here || !sorted || damaged || at->place >= host_table_places(s->t) || s->taken[at->place]++ > 0)
		return false;
	return host_table_find(s->t, scope, host, path, NULL, 0, &damaged) == n;
}

static int
show_line(void *arg, enum host_scope scope, struct slice host, struct slice path, const struct host_place *at)
{
	struct shown *s = arg;

	s->strange = s->strange || !is_found(s, scope, host, path, at);
	return add_line(&s->lines, scope, host, path, at->ref);
}

/* host_table_each() shows what EXPECTED says, each once, and no more; EXPECTED is sorted, and freed.  All is found by its value. */
static bool
each_is(const struct host_table *t, struct lines *expected)
{
	struct shown shown = { .t = t, .taken = calloc(host_table_places(t) + 1, 1) };
	struct lines got;
	bool damaged = false, same;

	if (shown.taken == NULL)
		abort();
	same = host_table_each(t, show_line, &shown, &damaged) == 0 && !damaged && !shown.strange;
	free(shown.taken);
	got = shown.lines;
	sort_lines(&got);
	sort_lines(expected);
	unique_lines(expected);
	same = same && got.n == expected->n && got.n == host_table_rules(t);
	for (size_t i = 0; same && i < got.n; i++)
		same = strcmp(got.v[i], expected->v[i]) == 0;
	free_lines(&got);
	free_lines(expected);
	return same;
}

/* ---- what applies, and in which order ---- */

static const struct rule rules[] = {
	{ SCOPE_EXACT, "example.com", "", 1 },
	{ SCOPE_DOMAIN, "example.com", "", 2 },
	{ SCOPE_BELOW, "example.com", "", 3 },
	{ SCOPE_DOMAIN, "com", "", 4 },
	{ SCOPE_EXACT, "a.example.com", "", 5 },
	{ SCOPE_BELOW, "secure.upd01.net", "", 6 },
	{ SCOPE_EXACT, "paths.example", "/", 10 },
	{ SCOPE_EXACT, "paths.example", "/a", 11 },
	{ SCOPE_EXACT, "paths.example", "/a/", 12 },
	{ SCOPE_EXACT, "paths.example", "/a/b?x=1", 13 },
	{ SCOPE_DOMAIN, "paths.example", "/a", 14 },
	{ SCOPE_BELOW, "paths.example", "/a/b", 15 },
	{ SCOPE_DOMAIN, "paths.example", "", 16 },
	{ SCOPE_EXACT, "www.paths.example", "/", 17 },
	{ SCOPE_EXACT, "www.paths.example", "", 18 },
	{ SCOPE_DOMAIN, "192.0.2.7", "", 20 },
	{ SCOPE_DOMAIN, "2.7", "", 21 },
	{ SCOPE_EXACT, "[2001:db8::7]", "/x", 22 },
	{ SCOPE_EXACT, "twice.example", "", 30 },
	{ SCOPE_EXACT, "twice.example", "", 30 },
	{ SCOPE_EXACT, "twice.example", "", 31 },
	{ SCOPE_EXACT, "twice.example", "/p", 32 },
	{ SCOPE_EXACT, "twice.example", "/p", 32 },
	{ SCOPE_EXACT, "twice.example", "/p", 33 },
	{ SCOPE_EXACT, "a..b", "", 40 },
	{ SCOPE_DOMAIN, "b", "", 41 },
};
enum { RULES = sizeof(rules) / sizeof(*rules), REPEATED = 2, HOSTS = 12 };

static const struct row { const char *name, *host, *path, *refs;
} rows[] = {
	{ "no rule", "example.org", "/", "" },
	{ "the host: exact, then its domain, then the longer one", "example.com", "/", "1 2 4" },
	{ "below: exact, then what is below", "a.example.com", "/", "5 2 3 4" },
	{ "further below", "c.b.example.com", "/", "2 3 4" },
	{ "a host that only ends like it", "myexample.com", "/", "4" },
	{ "a wildcard is not for the host itself", "secure.upd01.net", "/", "" },
	{ "a wildcard is for all below", "updates.betterbricks.com.secure.upd01.net", "/mail",
	    "6" },
	{ "a shorter host", "upd01.net", "/", "" },
	{ "the shortest path", "paths.example", "/", "10 16" },
	{ "a path that only begins like it", "paths.example", "/ab", "10 16" },
	{ "a path", "paths.example", "/a", "11 14 10 16" },
	{ "the folder of that name", "paths.example", "/a/", "12 11 14 10 16" },
	{ "a rule with a query", "paths.example", "/a/b?x=1", "13 12 11 14 10 16" },
	{ "the same with more behind", "paths.example", "/a/b?x=1&y=2", "13 12 11 14 10 16" },
	{ "another query", "paths.example", "/a/b?x=2", "12 11 14 10 16" },
	{ "paths of the longer host first, then hosts", "www.paths.example", "/a/b",
	    "17 15 14 18 16" },
	{ "below, without the exact ones", "x.paths.example", "/a/b", "15 14 16" },
	{ "an address", "192.0.2.7", "/", "20" },
	{ "an address has no domain", "192.1.2.7", "/", "" },
	{ "an IPv6 address with a path", "[2001:db8::7]", "/x/y", "22" },
	{ "said twice, applies once", "twice.example", "/", "30 31" },
	{ "a path said twice", "twice.example", "/p", "32 33 30 31" },
	{ "an empty label", "a..b", "/", "40 41" },
	{ "no path at all", "paths.example", "", "16" },
};

static void
format_refs(const struct host_match *m, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%s%u", i > 0 ? " " : "", m[i].ref);
}

static void
test_rows(const struct host_table *t)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct host_match m[MATCHES_MAX];
		bool damaged = false;
		struct buf refs;

		buf_init(&refs, 4096);
		buf_add_str(&refs, "");
		format_refs(m, ask(t, rows[i].host, rows[i].path, m, MATCHES_MAX, &damaged), &refs);
		is_slice(buf_slice(&refs), slice_str(rows[i].refs), rows[i].name);
		ok(!damaged, "nothing is damaged: %s", rows[i].name);
		buf_fini(&refs);
	}
}

/* M is the rule of RULES that it says it is. */
static bool
is_rule(const struct host_match *m)
{
	for (size_t i = 0; i < RULES; i++)
		if (rules[i].ref == m->ref)
			return rules[i].scope == m->scope &&
			    slice_eq(m->host, slice_str(rules[i].host)) &&
			    slice_eq(m->path, slice_str(rules[i].path));
	return false;
}

static void
test_what_is_told(const struct host_table *t)
{
	struct slice host = guard_copy(SLICE("www.paths.example")),
		     path = guard_copy(SLICE("/a/b"));
	struct url url = { .host = host, .path_query = path, .kind = HOST_NAME };
	struct host_match m[MATCHES_MAX];
	bool damaged = false, inside = true, rule = true;
	size_t n = host_table_match(&t, 1, &url, m, MATCHES_MAX, &damaged);

	for (size_t i = 0; i < n; i++) {
		rule = rule && is_rule(&m[i]);
		inside = inside && m[i].host.p + m[i].host.len == host.p + host.len &&
		    (m[i].path.len == 0 || m[i].path.p == path.p);
	}
	ok(n == 5 && rule, "scope, host and path of each are the rule's");
	ok(inside, "host and path point into what was asked");
	m[2].ref = 99;
	ok(host_table_match(&t, 1, &url, m, 2, &damaged) == 5 && m[2].ref == 99,
	    "the result counts past what is stored");
	ok(host_table_match(&t, 1, &url, NULL, 0, &damaged) == 5, "asked only how many");
	is_int((long long)host_table_hosts(t), HOSTS, "hosts stored");
	is_int((long long)host_table_rules(t), RULES - REPEATED, "rules stored");
	is_int((long long)host_table_find(t, SCOPE_BELOW, SLICE("example.com"), SLICE("/nowhere"), NULL, 0, &(bool){ false }), 0,
	    "no such path");
}

static int
stop_third(void *arg, enum host_scope scope, struct slice host, struct slice path, const struct host_place *at)
{
	size_t *n = arg;

	(void)scope, (void)host, (void)path, (void)at;
	return ++*n == 3 ? -5 : 0;
}

static void
test_each(const struct host_table *t)
{
	struct lines expected = { 0 };
	bool damaged = false;
	size_t n = 0;

	for (size_t i = 0; i < RULES; i++)
		add_line(&expected, rules[i].scope, slice_str(rules[i].host), slice_str(rules[i].path), rules[i].ref);
	ok(each_is(t, &expected), "every rule is shown, each once, as it was added");
	ok(host_table_each(t, stop_third, &n, &damaged) == -5 && n == 3 && !damaged, "a visitor that stops is the result");
}

/* ---- the compiler ---- */

static void
test_order(struct slice image)
{
	struct host_builder *b = new_builder();
	struct slice other;

	for (size_t i = RULES; i-- > 0; )
		add(b, rules[i].scope, slice_str(rules[i].host), slice_str(rules[i].path), rules[i].ref);
	is_int((long long)host_builder_count(b), RULES, "rules added");
	other = image_of(b);
	ok(slice_eq(image, other), "the file does not depend on the order of adding");
	free_image(other);
	other = image_of(builder_with(rules, RULES - 1));
	ok(!slice_eq(image, other), "other rules, another file");
	free_image(other);
}

static void
test_bounds(void)
{
	static char host[HOST_MAX + 1], path[3 * 65536 + 1];
	struct host_builder *b = new_builder();

	memset(host, 'h', sizeof(host));
	memset(path, '/', sizeof(path));
	errno = 0;
	ok(host_builder_add(b, SCOPE_EXACT, slice_make(host, HOST_MAX + 1), SLICE(""), 1) == -1 && errno == ERANGE, "a host too long");
	errno = 0;
	ok(host_builder_add(b, SCOPE_EXACT, SLICE(""), SLICE("/"), 1) == -1 && errno == ERANGE, "no host");
	errno = 0;
	ok(host_builder_add(b, SCOPE_EXACT, SLICE("h"), slice_make(path, sizeof(path)), 1) == -1 && errno == ERANGE,
	    "a path too long");
	errno = 0;
	ok(host_builder_add(b, SCOPE_EXACT, SLICE("h\0h"), SLICE("/"), 1) == -1 && errno == EINVAL, "a NUL in a host");
	errno = 0;
	ok(host_builder_add(b, SCOPE_EXACT, SLICE("h"), SLICE("/\0"), 1) == -1 && errno == EINVAL, "a NUL in a path");
	is_int((long long)host_builder_count(b), 0, "none of them counts");
	ok(host_builder_add(b, SCOPE_EXACT, slice_make(host, HOST_MAX), slice_make(path, 3 * 65536), 1) == 0,
	    "the longest host and path");
	free_image(image_of(b));
	host_builder_free(NULL);
	host_table_close(NULL);
}

/* N rules of one host, path and scope, as many of each other scope, and one of them once more. */
static struct host_builder *
builder_with_many(uint32_t n, struct slice path)
{
	struct host_builder *b = new_builder();

	for (uint32_t i = 0; i < n; i++)
		add(b, SCOPE_DOMAIN, SLICE("many.example"), path, i);
	for (uint32_t i = 0; i < HOST_RULES_PER_KEY; i++) {
		add(b, SCOPE_EXACT, SLICE("many.example"), path, i);
		add(b, SCOPE_BELOW, SLICE("many.example"), path, i);
	}
	add(b, SCOPE_DOMAIN, SLICE("many.example"), path, 0);
	return b;
}

static void
test_per_key(struct slice path)
{
	struct host_builder *b = builder_with_many(HOST_RULES_PER_KEY, path);
	uint8_t sum[SEGMENT_SHA256];
	struct host_match m[MATCHES_MAX];
	struct diag diag = { 0 };
	char *file = new_path();
	bool damaged = false;
	struct segment *segment = NULL;
	struct host_table *table = NULL;
	struct made made;
	uint64_t len;

	made = make_table(b);
	ok(ask_all((const struct host_table *const []){ made.table }, 1, SLICE("many.example"), SLICE("/"), m, MATCHES_MAX,
	    &damaged) == 2 * HOST_RULES_PER_KEY && host_table_rules(made.table) == 3 * HOST_RULES_PER_KEY,
	    "as many rules of one host as there may be, \"%.*s\"", SLICE_ARGS(path));
	free_made(&made);
	b = builder_with_many(HOST_RULES_PER_KEY + 2, path);
	ok(host_builder_write(b, file, &len, sum, &diag) == 0 && diag.n_warnings == 1 && strstr(diag.v[0].text, "many.example") != NULL,
	    "two more: one warning names the host");
	ok((segment = segment_open(file, SEGMENT_HOSTS, sum, NULL)) != NULL && (table = host_table_open(segment, NULL)) != NULL &&
	    host_table_rules(table) == 3 * HOST_RULES_PER_KEY, "and as many rules as there may be are there");
	host_table_close(table);
	segment_close(segment);
	unlink(file);
	free(file);
	diag_fini(&diag);
	host_builder_free(b);
}

static void
test_unwritable(void)
{
	struct host_builder *b = builder_with(rules, RULES);
	struct rlimit limit, unlimited;
	uint8_t sum[SEGMENT_SHA256];
	struct diag diag = { 0 };
	char *file = new_path();
	uint64_t len;

	ok(host_builder_write(b, "/nonexistent/x.seg", &len, sum, &diag) == -1 && diag.n_errors == 1, "a folder that is not there");
	diag_fini(&diag);
	host_builder_free(b);
	b = host_builder_new(0, "/nonexistent");
	add(b, SCOPE_EXACT, SLICE("h"), SLICE(""), 1);
	ok(host_builder_write(b, file, &len, sum, &diag) == -1 && diag.n_errors == 1 && access(file, F_OK) == -1, "nor one to put aside");
	diag_fini(&diag);
	host_builder_free(b);

	b = new_builder();
	for (uint32_t i = 0; i < 3000; i++) {
		char path[2001];

		memset(path, 'x', sizeof(path) - 1);
		path[snprintf(path, sizeof(path), "/%u", i)] = 'x';
		add(b, SCOPE_EXACT, SLICE("h"), slice_make(path, 1000), i);
	}
	fflush(stdout);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &unlimited);
	limit = unlimited;
	limit.rlim_cur = 1 << 20;
	setrlimit(RLIMIT_FSIZE, &limit);
	ok(host_builder_write(b, file, &len, sum, &diag) == -1 && diag.n_errors == 1 && access(file, F_OK) == -1, "no room");
	setrlimit(RLIMIT_FSIZE, &unlimited);
	diag_fini(&diag);
	host_builder_free(b);
	free(file);
}

static void
test_empty(void)
{
	struct made made = make_table(new_builder());
	struct lines none = { 0 };
	struct host_match m[1];
	bool damaged = false;

	ok(ask(made.table, "example.com", "/", m, 1, &damaged) == 0 && !damaged && host_table_hosts(made.table) == 0,
	    "a table without a rule");
	ok(each_is(made.table, &none), "shows none");
	free_made(&made);
}

/* A host of 512 labels, with a rule for each of its suffixes. */
static void
test_many_labels(void)
{
	enum { LABELS = 512 };
	struct host_builder *b = new_builder();
	static struct host_match m[LABELS + 1];
	char host[2 * LABELS];
	struct made made;
	bool damaged = false, ordered = true;
	size_t n;

	for (size_t i = 0; i < LABELS; i++) {
		host[2 * i] = (char)('a' + i % 26);
		host[2 * i + 1] = '.';
	}
	host[2 * LABELS - 1] = '\0';
	for (uint32_t i = 0; i < LABELS; i++)
		add(b, SCOPE_DOMAIN, slice_str(host + 2 * i), SLICE(""), i);
	made = make_table(b);
	n = ask(made.table, host, "/", m, LABELS + 1, &damaged);
	for (size_t i = 0; i < n; i++)
		ordered = ordered && m[i].ref == i;
	ok(n == LABELS && ordered && !damaged, "a rule for each of 512 suffixes of one host: %zu", n);
	memset(host, '.', sizeof(host) - 1);
	ok(ask(made.table, host, "/", m, LABELS + 1, &damaged) == 0 && !damaged, "a host of dots");
	free_made(&made);
}

/* Hosts around where a length needs more than one byte, up to the longest; each is a part of the next. */
static void
test_long_hosts(void)
{
	static const size_t lens[] = { 1, 253, 254, 255, 256, 257, 511, 512, 1023, HOST_MAX };
	enum { LENS = sizeof(lens) / sizeof(*lens) };
	struct host_builder *b = new_builder();
	struct lines expected = { 0 };
	static char host[HOST_MAX];
	struct made made;

	memset(host, 'h', sizeof(host));
	for (uint32_t i = 0; i < LENS; i++) {
		struct slice h = slice_make(host, lens[i]);

		add(b, SCOPE_EXACT, h, SLICE(""), i);
		add_line(&expected, SCOPE_EXACT, h, SLICE(""), i);
		if (i % 2 == 0) {
			add(b, SCOPE_DOMAIN, h, SLICE("/p"), 100 + i);
			add_line(&expected, SCOPE_DOMAIN, h, SLICE("/p"), 100 + i);
		}
	}
	made = make_table(b);
	for (uint32_t i = 0; i < LENS; i++) {
		struct slice h = guard_copy(slice_make(host, lens[i]));
		struct host_match m[3];
		bool damaged = false;
		size_t n = ask_all((const struct host_table *const []){ made.table }, 1, h, SLICE("/p/q"), m, 3, &damaged);

		ok(!damaged && n == (i % 2 == 0 ? 2 : 1) && m[n - 1].ref == i && slice_eq(m[n - 1].host, h) &&
		    (n == 1 || m[0].ref == 100 + i), "a host of %zu bytes", lens[i]);
	}
	ok(each_is(made.table, &expected), "all of them are shown");
	free_made(&made);
}

/* Thousands of paths on one host, some of them the begin of others, beside a host with one. */
static void
test_many_paths(void)
{
	enum { PATHS = 6000 };
	static const char *const forms[] = { "/p%u", "/p%u/", "/p%u!", "/p%u/x", "/\xff%u", "/p%u?q=1" };
	struct host_builder *b = new_builder();
	struct lines expected = { 0 };
	char (*paths)[32] = calloc(PATHS, sizeof(*paths));
	size_t wrong = 0, longest = 0;
	struct made made;

	for (uint32_t i = 0; i < PATHS; i++) {
		size_t k = i % (sizeof(forms) / sizeof(*forms));

		snprintf(paths[i], sizeof(*paths), forms[k], i / 6);
		add(b, i % 2 == 0 ? SCOPE_DOMAIN : SCOPE_EXACT, SLICE("one.example"), slice_str(paths[i]), i);
		add_line(&expected, i % 2 == 0 ? SCOPE_DOMAIN : SCOPE_EXACT, SLICE("one.example"), slice_str(paths[i]), i);
	}
	add(b, SCOPE_EXACT, SLICE("other.example"), SLICE("/p1"), PATHS);
	add_line(&expected, SCOPE_EXACT, SLICE("other.example"), SLICE("/p1"), PATHS);
	made = make_table(b);
	for (uint32_t i = 0; i < PATHS; i++) {
		struct host_match m[8];
		bool damaged = false;
		size_t n = ask(made.table, "one.example", paths[i], m, 8, &damaged);

		wrong += damaged || n == 0 || m[0].ref != i || !slice_eq(m[0].path, slice_str(paths[i]));
		longest = n > longest ? n : longest;
		n = ask(made.table, "below.one.example", paths[i], m, 8, &damaged);
		wrong += damaged || (i % 2 == 0 && (n == 0 || m[0].ref != i));
	}
	ok(wrong == 0, "%d paths of one host: %zu are not found first", PATHS, wrong);
	ok(longest == 3, "and those that begin like it after it: %zu", longest);
	ok(each_is(made.table, &expected), "all of them are shown");
	free_made(&made);
	free(paths);
}

/* ---- a bucket that overflows ---- */

/* The I-th host of those that meet in bucket 3 of N_BUCKETS, counted on from *NUMBER. */
static void
meeting_host(uint64_t n_buckets, unsigned *number, char out[static 32])
{
	do
		snprintf(out, 32, "h%u.example", (*number)++);
	while (host_bucket(host_hash(slice_str(out)), n_buckets) != 3);
}

static struct made
make_bucket(size_t n, char (*hosts)[32], struct lines *all, unsigned *number)
{
	struct host_builder *b = new_builder();

	*number = 0;
	for (uint32_t i = 0; i < n; i++) {
		meeting_host(n / HOSTS_PER_BUCKET + 1, number, hosts[i]);
		add(b, SCOPE_EXACT, slice_str(hosts[i]), SLICE(""), i);
		add_line(all, SCOPE_EXACT, slice_str(hosts[i]), SLICE(""), i);
	}
	return make_table(b);
}

/* Around the number that one byte counts, and far past it: fingerprints meet too. */
static void
test_overflow(void)
{
	static const size_t numbers[] = { 253, 254, 255, 256, 257, 1000 };
	char (*hosts)[32] = calloc(1000, sizeof(*hosts));

	for (size_t k = 0; k < sizeof(numbers) / sizeof(*numbers); k++) {
		size_t wrong = 0, n = numbers[k];
		struct lines all = { 0 };
		bool damaged = false;
		unsigned number;
		struct made made = make_bucket(n, hosts, &all, &number);
		struct host_match m[2];
		char other[32];

		for (uint32_t i = 0; i < n; i++)
			wrong += ask(made.table, hosts[i], "/", m, 2, &damaged) != 1 || m[0].ref != i;
		for (uint32_t i = 0; i < n; i++) {
			meeting_host(n / HOSTS_PER_BUCKET + 1, &number, other);
			wrong += ask(made.table, other, "/", m, 2, &damaged) != 0;
		}
		ok(wrong == 0 && !damaged, "%zu hosts in one bucket: %zu answers are wrong", n, wrong);
		ok(each_is(made.table, &all), "%zu hosts in one bucket are shown", n);
		free_made(&made);
	}
	free(hosts);
}

/* ---- more than memory holds ---- */

enum { SPILLED = 16000, SPILLED_PATH = 2500 };

static struct host_builder *
fill_spilled(size_t memory, bool backwards)
{
	struct host_builder *b = host_builder_new(memory, folder);
	static char path[SPILLED_PATH + 16];
	size_t bytes = 0;

	memset(path, 'x', sizeof(path));
	for (uint32_t i = 0; i < SPILLED; i++) {
		uint64_t x = backwards ? SPILLED - 1 - i : i, state = x * UINT64_C(0x9e3779b97f4a7c15) + 1;
		char host[64];
		int n = snprintf(path, sizeof(path), "/%u", (unsigned)(next_number(&state) % 100));
		size_t len = (size_t)n + next_number(&state) % SPILLED_PATH;

		path[n] = 'x';
		if (x % 3 == 0)
			len = 0;
		snprintf(host, sizeof(host), "%u.example", (unsigned)(next_number(&state) % (SPILLED / 4)));
		add(b, (enum host_scope)(next_number(&state) % SCOPES), slice_str(host), slice_make(path, len), (uint32_t)x / 2);
		bytes += len;
	}
	if (bytes < 3 * SORTER_MEMORY_MIN)
		abort();
	return b;
}

static void
test_spilled(void)
{
	static const struct { const char *name; size_t memory; bool backwards; } ways[] = {
		{ "in memory", 256 << 20, false }, { "spilled", SORTER_MEMORY_MIN, false }, { "spilled, backwards", 0, true },
	};
	uint8_t sum[SEGMENT_SHA256], first[SEGMENT_SHA256] = { 0 };
	uint64_t len, first_len = 0;
	char *path = new_path();

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct host_builder *b = fill_spilled(ways[i].memory, ways[i].backwards);

		is_int(host_builder_write(b, path, &len, sum, NULL), 0, ways[i].name);
		if (i == 0) {
			memcpy(first, sum, sizeof(first));
			first_len = len;
		}
		ok(len == first_len && memcmp(first, sum, sizeof(sum)) == 0, "%s: the same file of %llu bytes", ways[i].name,
		    (unsigned long long)len);
		host_builder_free(b);
	}
	unlink(path);
	free(path);
}

/* What was put aside is cut when it is read again. */
static void
test_torn(void)
{
	int fd = dup(STDOUT_FILENO);		/* the descriptor that the builder will get */
	struct host_builder *b;
	uint8_t sum[SEGMENT_SHA256];
	struct diag diag = { 0 };
	char *path = new_path();
	uint64_t len;

	close(fd);
	b = fill_spilled(0, false);
	if (ftruncate(fd, 7 << 20) == -1)
		abort();
	ok(host_builder_write(b, path, &len, sum, &diag) == -1 && diag.n_errors == 1 && access(path, F_OK) == -1 &&
	    strcmp(diag_first_error(&diag), strerror(EIO)) == 0, "what was put aside is cut");
	diag_fini(&diag);
	host_builder_free(b);
	free(path);
}

/* ---- against a plain search through all rules ---- */

enum { RANDOM_RULES = 3000, RANDOM_QUESTIONS = 4000, TABLES = 5, NO_TABLE = 2 };

static void
random_host(uint64_t *state, char out[static 32])
{
	static const char *const labels[] = { "a", "b", "ab", "secure", "com" };
	size_t n = next_number(state) % 4 + 1;

	*out = '\0';
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(out);

		snprintf(
		    out + len, 32 - len, "%s%s", i > 0 ? "." : "", labels[next_number(state) % 5]);
	}
}

static const char *
random_path(uint64_t *state, bool rule)
{
	static const char *const paths[] = { "/", "/a", "/a/", "/a/b", "/a/b?x=1", "/a/b?x=1&y=2",
		"/?x=1", "/ab/c/d" };

	return rule && next_number(state) % 2 == 0 ? "" : paths[next_number(state) % 8];
}

static bool
is_prefix(struct slice rule, struct slice asked)
{
	do
		if (slice_eq(rule, asked))
			return true;
	while (path_prefix(&asked));
	return false;
}

static bool
applies(const struct rule *r, struct slice host, struct slice path)
{
	struct slice own = slice_str(r->host);
	bool self = slice_eq(host, own);

	if (!host_under(host, own) || (r->scope == SCOPE_EXACT && !self) ||
	    (r->scope == SCOPE_BELOW && self))
		return false;
	return r->path[0] == '\0' || is_prefix(slice_str(r->path), path);
}

/* A stands before B by what the header promises. */
static bool
in_order(const struct host_match *a, const struct host_match *b)
{
	if ((a->path.len > 0) != (b->path.len > 0))
		return a->path.len > 0;
	if (a->path.len == 0 && (a->scope == SCOPE_EXACT) != (b->scope == SCOPE_EXACT))
		return a->scope == SCOPE_EXACT;
	if (a->host.len != b->host.len)
		return a->host.len > b->host.len;
	return a->path.len >= b->path.len;
}

/* The tables that ALL are in: rule I in number TABLE_OF[I]. */
struct random {
	struct rule			 all[RANDOM_RULES];
	char				 hosts[RANDOM_RULES][32];
	uint8_t				 table_of[RANDOM_RULES];
	struct made			 made[TABLES];
	const struct host_table		*tables[TABLES];	/* NULL: NO_TABLE */
};

static bool
answer_holds(const struct random *r, const char *host, const char *path)
{
	static struct host_match m[RANDOM_RULES];
	static bool expected[RANDOM_RULES];
	bool damaged = false;
	size_t n = ask_all(r->tables, TABLES, slice_str(host), slice_str(path), m, RANDOM_RULES, &damaged), n_expected = 0;

	for (size_t i = 0; i < RANDOM_RULES; i++) {
		expected[i] = r->table_of[i] != NO_TABLE && applies(&r->all[i], slice_str(host), slice_str(path));
		n_expected += expected[i];
	}
	if (n != n_expected || damaged)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct rule *rule = &r->all[m[i].ref];

		if (!expected[m[i].ref] || m[i].layer != r->table_of[m[i].ref] || (i > 0 && !in_order(&m[i - 1], &m[i])))
			return false;
		if (m[i].scope != rule->scope || !slice_eq(m[i].host, slice_str(rule->host)) ||
		    !slice_eq(m[i].path, slice_str(rule->path)))
			return false;
		expected[m[i].ref] = false;	/* each once */
	}
	return true;
}

/* SPREAD tables have the rules; the others are empty. */
static void
make_random(struct random *r, uint64_t *state, unsigned spread)
{
	struct host_builder *b[TABLES];

	for (size_t i = 0; i < TABLES; i++)
		b[i] = new_builder();
	for (uint32_t i = 0; i < RANDOM_RULES; i++) {
		random_host(state, r->hosts[i]);
		if (i >= RANDOM_RULES / 4)	/* most hosts are nobody's, so that no key gets too many */
			snprintf(r->hosts[i], sizeof(r->hosts[i]), "%u.com", i);
		r->table_of[i] = (uint8_t)(next_number(state) % spread);
		r->all[i] = (struct rule){ (enum host_scope)(next_number(state) % SCOPES), r->hosts[i], random_path(state, true), i };
		add(b[r->table_of[i]], r->all[i].scope, slice_str(r->hosts[i]), slice_str(r->all[i].path), i);
	}
	for (size_t i = 0; i < TABLES; i++) {
		r->made[i] = make_table(b[i]);
		r->tables[i] = i == NO_TABLE ? NULL : r->made[i].table;
	}
}

static void
test_random(unsigned spread)
{
	struct random *r = calloc(1, sizeof(*r));
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
	size_t wrong = 0, hidden = 0;

	make_random(r, &state, spread);
	for (size_t i = 0; i < RANDOM_QUESTIONS; i++) {
		char host[32];

		random_host(&state, host);
		if (i % 4 == 0)
			snprintf(host, sizeof(host), "a.%u.com", (unsigned)(next_number(&state) % RANDOM_RULES));
		wrong += !answer_holds(r, host, random_path(&state, false));
	}
	ok(wrong == 0, "%d questions to %d rules in %u tables: %zu answers differ from a plain search", RANDOM_QUESTIONS, RANDOM_RULES,
	    spread, wrong);
	for (size_t t = 0; t < TABLES; t++) {
		struct lines expected = { 0 };

		for (uint32_t i = 0; i < RANDOM_RULES; i++)
			if (r->table_of[i] == t)
				add_line(&expected, r->all[i].scope, slice_str(r->hosts[i]), slice_str(r->all[i].path), i);
		hidden += !each_is(r->made[t].table, &expected);
		free_made(&r->made[t]);
	}
	ok(hidden == 0, "each of %u tables shows its rules", spread);
	free(r);
}

/* ---- several tables ---- */

static const struct rule below[] = {
	{ SCOPE_DOMAIN, "example.com", "", 50 },
	{ SCOPE_EXACT, "a.example.com", "/x", 51 },
	{ SCOPE_DOMAIN, "com", "/x/y", 52 },
	{ SCOPE_EXACT, "example.com", "", 53 },
};

static const struct rule above[] = {
	{ SCOPE_DOMAIN, "a.example.com", "", 60 },
	{ SCOPE_EXACT, "a.example.com", "", 61 },
	{ SCOPE_DOMAIN, "example.com", "/x/y", 62 },
	{ SCOPE_DOMAIN, "com", "/", 63 },
	{ SCOPE_BELOW, "example.com", "", 64 },
};

/* The most specific first, wherever it stands. */
static void
test_tables(void)
{
	struct made low = make_table(builder_with(below, sizeof(below) / sizeof(*below)));
	struct made high = make_table(builder_with(above, sizeof(above) / sizeof(*above)));
	const struct host_table *tables[HOST_TABLES_MAX + 1] = { low.table, NULL, high.table };
	struct host_match m[MATCHES_MAX];
	bool damaged = false, layers = true;
	struct buf refs;
	size_t n;

	buf_init(&refs, 4096);
	n = ask_all(tables, 3, SLICE("a.example.com"), SLICE("/x/y"), m, MATCHES_MAX, &damaged);
	format_refs(m, n, &refs);
	is_slice(buf_slice(&refs), SLICE("51 62 52 63 61 60 50 64"), "two tables as if they were one");
	for (size_t i = 0; i < n; i++)
		layers = layers && m[i].layer == (m[i].ref < 60 ? 0 : 2);
	ok(layers && !damaged, "and each says which of them it is in");
	ok(ask_all(tables, 1, SLICE("a.example.com"), SLICE("/x/y"), m, MATCHES_MAX, &damaged) == 3, "only the first");
	ok(ask_all(tables, 0, SLICE("a.example.com"), SLICE("/x/y"), m, MATCHES_MAX, &damaged) == 0, "none of them");
	ok(ask_all(tables + 1, 1, SLICE("a.example.com"), SLICE("/x/y"), m, MATCHES_MAX, &damaged) == 0 && !damaged, "one that is none");
	for (size_t i = 0; i <= HOST_TABLES_MAX; i++)
		tables[i] = low.table;
	n = ask_all(tables, HOST_TABLES_MAX, SLICE("example.com"), SLICE("/"), m, MATCHES_MAX, &damaged);
	for (size_t i = 0; i < n; i++)
		layers = layers && m[i].layer == i % HOST_TABLES_MAX && m[i].ref == (i < HOST_TABLES_MAX ? 53 : 50);
	ok(n == 2 * HOST_TABLES_MAX && layers, "as many tables as there may be");
	ok(ask_all(tables, HOST_TABLES_MAX + 1, SLICE("example.com"), SLICE("/"), m, MATCHES_MAX, &damaged) == n,
	    "those over it are not asked");
	buf_fini(&refs);
	free_made(&low);
	free_made(&high);
}

/* ---- damage ---- */

/* Ask every row of T, with the table WHOLE beside it; false when an answer is not one of the rules, or WHOLE's are not all there.
 * *FOUND counts T's, *NOTICED damage. */
static bool
only_rules(const struct host_table *t, const struct host_table *whole, size_t *found, size_t *noticed)
{
	const struct host_table *tables[] = { t, whole };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct host_match m[MATCHES_MAX];
		size_t of[2] = { 0 }, expected = 0;
		bool damaged = false;
		size_t n = ask_all(tables, 2, slice_str(rows[i].host), slice_str(rows[i].path), m, MATCHES_MAX, &damaged);

		if (n > MATCHES_MAX)
			return false;
		for (size_t j = 0; j < n; j++) {
			if (m[j].layer > 1 || !is_rule(&m[j]) || (j > 0 && !in_order(&m[j - 1], &m[j])))
				return false;
			of[m[j].layer]++;
		}
		for (const char *p = rows[i].refs; *p != '\0'; p++)
			expected += p == rows[i].refs || *p == ' ';
		if (of[0] > expected || of[1] != expected)
			return false;
		*found += of[0];
		*noticed += damaged;
	}
	return true;
}

static int
visit_is_rule(void *arg, enum host_scope scope, struct slice host, struct slice path, const struct host_place *at)
{
	struct host_match m = { .scope = scope, .host = host, .path = path, .ref = at->ref };

	++*(size_t *)arg;
	return is_rule(&m) ? 0 : 1;
}

/* The same of host_table_each(): no other rule, and none is missing without a word. */
static bool
each_is_rules(const struct host_table *t)
{
	bool damaged = false;
	size_t n = 0;

	return host_table_each(t, visit_is_rule, &n, &damaged) == 0 && n <= RULES - REPEATED && (damaged || n == RULES - REPEATED);
}

/* Each bit of the segment, one after the other. */
static void
test_bits(struct slice image)
{
	size_t all = 0, none = 0, invented = 0, shown = 0, refused = 0, lost = 0, noticed = 0;
	struct slice whole_image = guard_copy(image);
	char *p = (char *)(uintptr_t)image.p;
	struct segment *segment, *whole_segment = segment_open_bytes("whole", whole_image.p, image.len, SEGMENT_HOSTS, NULL);
	struct host_table *t = table_of(image, &segment), *whole = host_table_open(whole_segment, NULL);

	ok(only_rules(t, whole, &all, &none) && none == 0 && all > 40, "the undamaged file knows its rules");
	close_table(t, segment);
	for (size_t bit = 0; bit < 8 * image.len; bit++) {
		size_t found = 0;

		p[bit / 8] ^= (char)(1 << bit % 8);
		if ((t = table_of(image, &segment)) == NULL)
			refused++;
		else {
			invented += !only_rules(t, whole, &found, &noticed);
			shown += !each_is_rules(t);
			lost += found < all;
		}
		close_table(t, segment);
		p[bit / 8] ^= (char)(1 << bit % 8);
	}
	ok(invented == 0, "no flipped bit makes a rule, or costs another table one: %zu do", invented);
	ok(shown == 0, "none shows another rule, or hides one and says nothing: %zu do", shown);
	ok(refused > 0 && lost > 0 && noticed > 0, "some are refused, lose a rule, or are noticed: %zu, %zu, %zu", refused, lost, noticed);
	close_table(whole, whole_segment);
}

/* The same with bytes that are all ones or zeros, which make the largest and smallest offsets and counts. */
static void
test_words(struct slice image, int byte, size_t width)
{
	char *p = (char *)(uintptr_t)image.p;
	size_t all = 0, none = 0, invented = 0;
	struct slice whole_image = guard_copy(image);
	struct segment *segment, *whole_segment = segment_open_bytes("whole", whole_image.p, image.len, SEGMENT_HOSTS, NULL);
	struct host_table *t, *whole = host_table_open(whole_segment, NULL);

	for (size_t at = 0; at + width <= image.len; at += width) {
		char saved[8];

		memcpy(saved, p + at, width);
		memset(p + at, byte, width);
		if ((t = table_of(image, &segment)) != NULL)
			invented += !only_rules(t, whole, &all, &none) || !each_is_rules(t);
		close_table(t, segment);
		memcpy(p + at, saved, width);
	}
	ok(invented == 0, "no %zu bytes of %d make a rule: %zu do", width, byte, invented);
	close_table(whole, whole_segment);
}

/* A bucket of 300 hosts, with bits of its counts and fingerprints, and some of its records, turned. */
static void
test_overflow_bits(void)
{
	enum { HOSTS_IN = 300, STEP = 37 };
	char (*hosts)[32] = calloc(HOSTS_IN, sizeof(*hosts));
	struct lines all = { 0 };
	unsigned number;
	struct made made = make_bucket(HOSTS_IN, hosts, &all, &number);
	struct slice data = segment_section(made.segment, HOSTS_DATA);
	char *p = (char *)(uintptr_t)data.p;
	size_t invented = 0, lost = 0;

	for (size_t bit = 0; bit < 8 * data.len; bit += bit < 80 ? 1 : STEP) {
		p[bit / 8] ^= (char)(1 << bit % 8);
		for (uint32_t i = 0; i < HOSTS_IN; i += 60) {
			struct host_match m[2];
			bool damaged = false;
			size_t n = ask(made.table, hosts[i], "/", m, 2, &damaged);

			invented += n > 1 || (n == 1 && m[0].ref != i);
			lost += n == 0;
		}
		p[bit / 8] ^= (char)(1 << bit % 8);
	}
	ok(invented == 0 && lost > 0, "turned bits in a large bucket: %zu make a rule, %zu lose one", invented, lost);
	free_lines(&all);
	free_made(&made);
	free(hosts);
}

/* FILL: what index, sums and data consist of; filters let everything pass. */
static const struct {
	const char	*name;
	size_t		 info, index, sums, filters, data;
	int		 fill;
	bool		 fits, damaged;
	size_t		 missing;	/* of paths and data */
} sections[] = {
	{ "no sections", 0, 0, 0, 0, 0, 0, false, false, 0 },
	{ "only the head", sizeof(struct host_info), 0, 0, 0, 0, 0, false, false, 0 },
	{ "a head too short", sizeof(struct host_info) - 1, 8, 4, 8, 64, 0, false, false, 0 },
	{ "a head too long", sizeof(struct host_info) + 1, 8, 4, 8, 64, 0, false, false, 0 },
	{ "an index of one number", sizeof(struct host_info), 4, 0, 0, 64, 0, false, false, 0 },
	{ "half a number in the index", sizeof(struct host_info), 10, 4, 8, 64, 0, false, false, 0 },
	{ "no sums", sizeof(struct host_info), 8, 0, 0, 64, 0, false, false, 0 },
	{ "a sum too few", sizeof(struct host_info), 12, 4, 8, 64, 0, false, false, 0 },
	{ "a sum too many", sizeof(struct host_info), 8, 8, 16, 64, 0, false, false, 0 },
	{ "an empty bucket", sizeof(struct host_info), 8, 4, 8, 64, 0, true, false, 0 },
	{ "empty buckets, empty data", sizeof(struct host_info), 40, 36, 72, 0, 0, true, false, 0 },
	{ "an empty filter", sizeof(struct host_info), 8, 4, 0, 64, 0, false, false, 0 },
	{ "half a filter", sizeof(struct host_info), 8, 4, 4, 64, 0, false, false, 0 },
	{ "a filter too many", sizeof(struct host_info), 8, 4, 16, 64, 0, false, false, 0 },
	{ "no paths", sizeof(struct host_info), 8, 4, 8, 64, 0, false, false, 1 },
	{ "no data", sizeof(struct host_info), 8, 4, 8, 64, 0, false, false, 2 },
	{ "a bucket past the data", sizeof(struct host_info), 8, 4, 8, 64, 0xff, true, true, 0 },
	{ "a bucket far away, empty data", sizeof(struct host_info), 8, 4, 8, 0, 0x7f, true, true, 0 },
};

static void
test_sections(void)
{
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
		char bytes[64], filters[128];
		struct segment_part parts[] = {
			{ HOSTS_INFO, slice_make(bytes, sections[i].info) },
			{ HOSTS_INDEX, slice_make(bytes, sections[i].index) },
			{ HOSTS_SUMS, slice_make(bytes, sections[i].sums) },
			{ HOSTS_FILTER, slice_make(filters, sections[i].filters) },
			{ HOSTS_DATA, slice_make(bytes, sections[i].data) },
			{ HOSTS_PATHS, SLICE("") },
		};
		size_t n = sizeof(parts) / sizeof(*parts) - sections[i].missing;
		struct host_match m[1];
		uint8_t sum[SEGMENT_SHA256];
		struct diag diag = { 0 };
		char *path = new_path();
		struct segment *segment = NULL;
		struct host_table *t = NULL;
		bool damaged = false;
		uint64_t len;

		memset(bytes, sections[i].fill, sizeof(bytes));
		memset(filters, 0xff, sizeof(filters));
		if (segment_write(path, SEGMENT_HOSTS, parts, n, &len, sum, &diag) == 0 &&
		    (segment = segment_open(path, SEGMENT_HOSTS, sum, &diag)) != NULL)
			t = host_table_open(segment, &diag);
		ok(segment != NULL && (t != NULL) == sections[i].fits && (diag.n_errors == 1) != sections[i].fits, "%s",
		    sections[i].name);
		ok(t == NULL || (ask(t, "example.com", "/", m, 1, &damaged) == 0 && damaged == sections[i].damaged), "%s: asked",
		    sections[i].name);
		damaged = false;
		ok(t == NULL || (host_table_each(t, visit_is_rule, &(size_t){ 0 }, &damaged) == 0 && damaged == sections[i].damaged),
		    "%s: shown", sections[i].name);
		close_table(t, segment);
		diag_fini(&diag);
		unlink(path);
		free(path);
	}
}

int
main(void)
{
	struct segment *segment;
	struct host_table *t;
	struct slice image;

	folder = temp_dir();
	image = image_of(builder_with(rules, RULES));
	t = table_of(image, &segment);
	test_rows(t);
	test_what_is_told(t);
	test_each(t);
	close_table(t, segment);
	test_order(image);
	test_bounds();
	test_per_key(SLICE(""));
	test_per_key(SLICE("/"));
	test_unwritable();
	test_empty();
	test_many_labels();
	test_long_hosts();
	test_many_paths();
	test_overflow();
	test_spilled();
	test_torn();
	test_random(1);
	test_random(TABLES);
	test_tables();
	test_bits(image);
	test_words(image, 0xff, 4);
	test_words(image, 0, 4);
	test_words(image, 0xff, 8);
	test_overflow_bits();
	test_sections();
	free_image(image);
	ok(rmdir(folder) == 0, "nothing is left behind");
	free(folder);
	return tap_done();
}
