/* Host and path rules: what applies and in which order, against a plain search through all rules,
 * and in files that were damaged. */
#include <errno.h>

#include "base/file.h"
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
builder_with(const struct rule *rules, size_t n)
{
	struct host_builder *b = host_builder_new();

	for (size_t i = 0; b != NULL && i < n; i++)
		if (host_builder_add(b, rules[i].scope, slice_str(rules[i].host),
			slice_str(rules[i].path), rules[i].ref) == -1)
			abort();
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
	if (b == NULL || host_builder_write(b, path, &len, sum, NULL) == -1 ||
	    file_read(path, &image) == -1 || image.len != len)
		abort();
	unlink(path);
	free(path);
	host_builder_free(b);
	return buf_slice(&image);
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

static size_t
ask(const struct host_table *t, const char *host, const char *path, struct host_match *out,
    size_t max, bool *damaged)
{
	struct url url = { .host = slice_str(host), .path_query = slice_str(path) };

	url.kind = host[0] == '['		     ? HOST_IPV6
	    : ascii_is_digit(host[strlen(host) - 1]) ? HOST_IPV4
						     : HOST_NAME;
	return host_table_match(t, &url, out, max, damaged);
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
	size_t n = host_table_match(t, &url, m, MATCHES_MAX, &damaged);

	for (size_t i = 0; i < n; i++) {
		rule = rule && is_rule(&m[i]);
		inside = inside && m[i].host.p + m[i].host.len == host.p + host.len &&
		    (m[i].path.len == 0 || m[i].path.p == path.p);
	}
	ok(n == 5 && rule, "scope, host and path of each are the rule's");
	ok(inside, "host and path point into what was asked");
	m[2].ref = 99;
	ok(host_table_match(t, &url, m, 2, &damaged) == 5 && m[2].ref == 99,
	    "the result counts past what is stored");
	ok(host_table_match(t, &url, NULL, 0, &damaged) == 5, "asked only how many");
	is_int((long long)host_table_hosts(t), HOSTS, "hosts stored");
	is_int((long long)host_table_rules(t), RULES - REPEATED, "rules stored");
}

/* ---- the compiler ---- */

/* The key of the hash, which stands first in the first section. */
static struct slice
key_of(struct slice image)
{
	struct segment *segment =
	    segment_open_bytes("test", image.p, image.len, SEGMENT_HOSTS, NULL);
	struct slice info = segment_section(segment, HOSTS_INFO);

	segment_close(segment);
	return slice_head(info, SIPHASH_KEY);
}

static void
test_order(struct slice image)
{
	struct host_builder *b = host_builder_new();
	struct slice other;

	for (size_t i = RULES; i-- > 0; )
		host_builder_add(b, rules[i].scope, slice_str(rules[i].host),
		    slice_str(rules[i].path), rules[i].ref);
	other = image_of(b);
	ok(slice_eq(image, other), "the file does not depend on the order of adding");
	free((char *)(uintptr_t)other.p);
	b = builder_with(rules, RULES - 1);
	other = image_of(b);
	ok(!slice_eq(key_of(image), key_of(other)), "other rules, another key");
	free((char *)(uintptr_t)other.p);
}

static void
test_limits(void)
{
	static char host[HOST_MAX + 1], path[3 * 65536 + 1];
	struct host_builder *b = host_builder_new();
	uint8_t sum[SEGMENT_SHA256];
	struct diag diag = { 0 };
	char *file = new_path();
	uint64_t len;

	memset(host, 'h', sizeof(host));
	memset(path, '/', sizeof(path));
	errno = 0;
	ok(host_builder_add(b, SCOPE_EXACT, slice_make(host, HOST_MAX + 1), SLICE(""), 1) == -1 &&
		errno == ERANGE,
	    "a host too long");
	errno = 0;
	ok(host_builder_add(b, SCOPE_EXACT, SLICE(""), SLICE("/"), 1) == -1 && errno == ERANGE,
	    "no host");
	errno = 0;
	ok(host_builder_add(b, SCOPE_EXACT, SLICE("h"), slice_make(path, sizeof(path)), 1) == -1 &&
		errno == ERANGE,
	    "a path too long");
	ok(host_builder_add(
	       b, SCOPE_EXACT, slice_make(host, HOST_MAX), slice_make(path, 3 * 65535), 1) == 0,
	    "the longest host and path");
	for (uint32_t i = 0; i < HOST_RULES_PER_KEY; i++)
		host_builder_add(b, SCOPE_EXACT, SLICE("many.example"), SLICE(""), i);
	ok(host_builder_write(b, file, &len, sum, &diag) == 0,
	    "as many rules of one host as there may be");
	host_builder_add(b, SCOPE_EXACT, SLICE("many.example"), SLICE(""), HOST_RULES_PER_KEY);
	ok(host_builder_write(b, file, &len, sum, &diag) == -1 && diag.n_errors == 1 &&
		strstr(diag_first_error(&diag), "many.example") != NULL,
	    "one more, and the error names the host");
	unlink(file);
	free(file);
	diag_fini(&diag);
	host_builder_free(b);
	host_builder_free(NULL);
	host_table_close(NULL);
}

static void
test_unwritable(void)
{
	struct host_builder *b = builder_with(rules, RULES);
	uint8_t sum[SEGMENT_SHA256];
	struct diag diag = { 0 };
	uint64_t len;

	ok(host_builder_write(b, "/nonexistent/x.seg", &len, sum, &diag) == -1 &&
		diag.n_errors == 1,
	    "a folder that is not there");
	diag_fini(&diag);
	host_builder_free(b);
}

static void
test_empty(void)
{
	struct slice image = image_of(host_builder_new());
	struct host_match m[1];
	struct segment *segment;
	struct host_table *t = table_of(image, &segment);
	bool damaged = false;

	ok(t != NULL && ask(t, "example.com", "/", m, 1, &damaged) == 0 && !damaged &&
		host_table_hosts(t) == 0,
	    "a table without a rule");
	close_table(t, segment);
	free((char *)(uintptr_t)image.p);
}

/* A host of 512 labels, with a rule for each of its suffixes. */
static void
test_many_labels(void)
{
	enum { LABELS = 512 };
	struct host_builder *b = host_builder_new();
	static struct host_match m[LABELS + 1];
	char host[2 * LABELS];
	struct segment *segment;
	struct host_table *t;
	struct slice image;
	bool damaged = false, ordered = true;
	size_t n;

	for (size_t i = 0; i < LABELS; i++) {
		host[2 * i] = (char)('a' + i % 26);
		host[2 * i + 1] = '.';
	}
	host[2 * LABELS - 1] = '\0';
	for (uint32_t i = 0; i < LABELS; i++)
		host_builder_add(b, SCOPE_DOMAIN, slice_str(host + 2 * i), SLICE(""), i);
	image = image_of(b);
	t = table_of(image, &segment);
	n = ask(t, host, "/", m, LABELS + 1, &damaged);
	for (size_t i = 0; i < n; i++)
		ordered = ordered && m[i].ref == i;
	ok(n == LABELS && ordered && !damaged, "a rule for each of 512 suffixes of one host: %zu",
	    n);
	close_table(t, segment);
	free((char *)(uintptr_t)image.p);
}

/* ---- against a plain search through all rules ---- */

enum { RANDOM_RULES = 3000, RANDOM_QUESTIONS = 4000 };

static uint64_t
next_number(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

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

static bool
answer_holds(const struct host_table *t, const struct rule *all, const char *host, const char *path)
{
	static struct host_match m[RANDOM_RULES];
	static bool expected[RANDOM_RULES];
	bool damaged = false;
	size_t n = ask(t, host, path, m, RANDOM_RULES, &damaged), n_expected = 0;

	for (size_t i = 0; i < RANDOM_RULES; i++) {
		expected[i] = applies(&all[i], slice_str(host), slice_str(path));
		n_expected += expected[i];
	}
	if (n != n_expected || damaged)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!expected[m[i].ref] || (i > 0 && !in_order(&m[i - 1], &m[i])))
			return false;
		expected[m[i].ref] = false;	/* each once */
	}
	return true;
}

static void
test_random(void)
{
	static char hosts[RANDOM_RULES][32];
	static struct rule all[RANDOM_RULES];
	struct host_builder *b = host_builder_new();
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
	struct segment *segment;
	struct host_table *t;
	struct slice image;
	size_t wrong = 0;

	for (uint32_t i = 0; i < RANDOM_RULES; i++) {
		random_host(&state, hosts[i]);
		if (i >=
		    RANDOM_RULES / 4) /* most hosts are nobody's, so that no key gets too many */
			snprintf(hosts[i], sizeof(hosts[i]), "%u.com", i);
		all[i] = (struct rule){ (enum host_scope)(next_number(&state) % SCOPES), hosts[i],
			random_path(&state, true), i };
		if (host_builder_add(
			b, all[i].scope, slice_str(hosts[i]), slice_str(all[i].path), i) == -1)
			abort();
	}
	image = image_of(b);
	t = table_of(image, &segment);
	for (size_t i = 0; i < RANDOM_QUESTIONS; i++) {
		char host[32];

		random_host(&state, host);
		if (i % 4 == 0)
			snprintf(host, sizeof(host), "a.%u.com",
			    (unsigned)(next_number(&state) % RANDOM_RULES));
		wrong += !answer_holds(t, all, host, random_path(&state, false));
	}
	ok(wrong == 0, "%d questions to %d rules: %zu answers differ from a plain search",
	    RANDOM_QUESTIONS, RANDOM_RULES, wrong);
	close_table(t, segment);
	free((char *)(uintptr_t)image.p);
}

/* ---- damage ---- */

/* Ask every row; false when an answer is not one of the rules.  *FOUND counts rules, *NOTICED
 * damage. */
static bool
only_rules(const struct host_table *t, size_t *found, size_t *noticed)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct host_match m[MATCHES_MAX];
		bool damaged = false;
		size_t n = ask(t, rows[i].host, rows[i].path, m, MATCHES_MAX, &damaged);

		if (n > MATCHES_MAX)
			return false;
		for (size_t j = 0; j < n; j++)
			if (!is_rule(&m[j]))
				return false;
		*found += n;
		*noticed += damaged;
	}
	return true;
}

/* Each bit of the segment, one after the other. */
static void
test_bits(struct slice image)
{
	size_t whole = 0, none = 0, invented = 0, refused = 0, lost = 0, noticed = 0;
	char *p = (char *)(uintptr_t)image.p;
	struct segment *segment;
	struct host_table *t = table_of(image, &segment);

	ok(only_rules(t, &whole, &none) && none == 0 && whole > 40,
	    "the undamaged file knows its rules");
	close_table(t, segment);
	for (size_t bit = 0; bit < 8 * image.len; bit++) {
		size_t found = 0;

		p[bit / 8] ^= (char)(1 << bit % 8);
		if ((t = table_of(image, &segment)) == NULL)
			refused++;
		else if (!only_rules(t, &found, &noticed) || found > whole)
			invented++;
		else
			lost += found < whole;
		close_table(t, segment);
		p[bit / 8] ^= (char)(1 << bit % 8);
	}
	ok(invented == 0, "no flipped bit makes a rule: %zu do", invented);
	ok(refused > 0 && lost > 0 && noticed > 0,
	    "some are refused, lose a rule, or are noticed: %zu, %zu, %zu", refused, lost, noticed);
}

/* The same with bytes that are all ones, which make the largest offsets and counts. */
static void
test_words(struct slice image)
{
	char *p = (char *)(uintptr_t)image.p;
	size_t whole = 0, none = 0, invented = 0;
	struct segment *segment;
	struct host_table *t;

	for (size_t at = 0; at + 4 <= image.len; at += 4) {
		char saved[4];

		memcpy(saved, p + at, sizeof(saved));
		memset(p + at, 0xff, sizeof(saved));
		if ((t = table_of(image, &segment)) != NULL)
			invented += !only_rules(t, &whole, &none);
		close_table(t, segment);
		memcpy(p + at, saved, sizeof(saved));
	}
	ok(invented == 0, "no word of ones makes a rule: %zu do", invented);
}

static const struct { const char *name; size_t info, slots, records; bool fits; } sections[] = {
	{ "no sections", 0, 0, 0, false },
	{ "only the head", sizeof(struct host_info), 0, 0, false },
	{ "one slot, no records", sizeof(struct host_info), 8, 0, true },
	{ "a head too short", sizeof(struct host_info) - 1, 64, 64, false },
	{ "a head too long", sizeof(struct host_info) + 1, 64, 64, false },
	{ "slots that are no power of two", sizeof(struct host_info), 24, 64, false },
	{ "half a slot", sizeof(struct host_info), 60, 64, false },
	{ "all slots taken, all records zero", sizeof(struct host_info), 64, 64, true },
};

static void
test_sections(void)
{
	static char ones[64], zeros[64];

	memset(ones, 0xff, sizeof(ones));
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
		struct segment_part parts[] = {
			{ HOSTS_INFO, slice_make(zeros, sections[i].info) },
			{ HOSTS_SLOTS, slice_make(ones, sections[i].slots) },
			{ HOSTS_RECORDS, slice_make(zeros, sections[i].records) },
		};
		struct host_match m[1];
		uint8_t sum[SEGMENT_SHA256];
		struct diag diag = { 0 };
		char *path = new_path();
		struct segment *segment = NULL;
		struct host_table *t = NULL;
		bool damaged = false;
		uint64_t len;

		if (segment_write(path, SEGMENT_HOSTS, parts, 3, &len, sum, &diag) == 0 &&
		    (segment = segment_open(path, SEGMENT_HOSTS, sum, &diag)) != NULL)
			t = host_table_open(segment, &diag);
		ok(segment != NULL && (t != NULL) == sections[i].fits &&
			(diag.n_errors == 1) != sections[i].fits,
		    "%s", sections[i].name);
		ok(t == NULL || ask(t, "example.com", "/", m, 1, &damaged) == 0, "%s: asked",
		    sections[i].name);
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
	close_table(t, segment);
	test_order(image);
	test_limits();
	test_unwritable();
	test_empty();
	test_many_labels();
	test_random();
	test_bits(image);
	test_words(image);
	test_sections();
	free((char *)(uintptr_t)image.p);
	rmdir(folder);
	free(folder);
	return tap_done();
}
