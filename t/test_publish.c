/* Publishing: sources become a generation that reads back whole, or nothing changes; a number never comes twice; what is
 * damaged is not opened, and says which file and why; whoever opens while publishes go on gets one generation, never parts
 * of two. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "ruleset/generation.h"
#include "ruleset/publish.h"
#include "ruleset/rule_format.h"
#include "runtime/state.h"
#include "t/tap.h"

enum { NOW = 1795000000, DAY = CLOCK_DAY_S, ROOM = 1 << 20, TEXT_MAX = 1000, MAX_MATCHES = 16, LIMIT_S = 300 };

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))
#define LAST_SECOND	INT64_C(253402300799)	/* 9999-12-31T23:59:59Z */

#define MD5	"9abc553703f4e4fedb3ed975502a2c7a"
#define SHA1	"0123456789abcdef0123456789abcdef01234567"
#define SHA256	SHA1 "0123456789abcdef01234567"

static const enum segment_kind kinds[] = { SEGMENT_HOSTS, SEGMENT_DIGESTS, SEGMENT_RULES, SEGMENT_SITE };

static char *top;		/* our folder: states 1, 2, 3 ... and the list of suffixes */
static char *suffix_file;

/* ---- states and files ---- */

/* A new empty state folder; the caller's to free. */
static char *
new_state(void)
{
	static int n;
	char *state;

	if (asprintf(&state, "%s/%d", top, ++n) == -1 || state_make(state) == -1)
		abort();
	return state;
}

/* "STATE/NAME"; good until the fourth call from here. */
static const char *
path_in(const char *state, const char *name)
{
	static char paths[4][STATE_PATH];
	static unsigned next;
	char *path = paths[next++ % COUNT(paths)];

	if (state_path(state, name, path) == -1)
		abort();
	return path;
}

/* "STATE/rules/KIND-NUMBER.seg", like path_in(). */
static const char *
segment_path(const char *state, enum segment_kind kind, uint64_t number)
{
	char name[100];

	snprintf(name, sizeof(name), STATE_RULES "/%s-%" PRIu64 ".seg", segment_kind_name(kind), number);
	return path_in(state, name);
}

/* As somebody writes who takes no care: in place, and without waiting for the disk. */
static void
write_plain(const char *path, struct slice bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd == -1 || file_write_all(fd, bytes) == -1 || close(fd) == -1)
		abort();
}

/* The file NAME of STATE, last changed at WHEN. */
static void
put_at(const char *state, const char *name, const char *text, int64_t when)
{
	struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };

	write_plain(path_in(state, name), slice_str(text));
	if (utimensat(AT_FDCWD, path_in(state, name), times, 0) == -1)
		abort();
}

static void
put(const char *state, const char *name, const char *text)
{
	put_at(state, name, text, NOW);
}

/* The content of PATH; the caller frees the buffer. */
static struct buf
content(const char *path)
{
	struct buf b;

	buf_init(&b, 64 * ROOM);
	if (file_read(path, &b) == -1)
		abort();
	return b;
}

static int
is_entry(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

/* Append what lies in DIR and below: names, modes, and of files the time and every byte.  A folder's time is none of it: a
 * file that came and went leaves it changed. */
static void
add_folder(const char *dir, struct buf *out)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, is_entry, alphasort);

	for (int i = 0; i < n; i++) {
		char *path = file_join(dir, entries[i]->d_name);
		struct stat st;

		if (lstat(path, &st) == -1)
			abort();
		buf_addf(out, "%s %o\n", path, st.st_mode);
		if (S_ISDIR(st.st_mode))
			add_folder(path, out);
		else if (buf_addf(out, "%lld\n", (long long)st.st_mtim.tv_sec) == -1 || file_read(path, out) == -1)
			abort();
		free(path);
		free(entries[i]);
	}
	free(entries);
}

/* All of STATE as it is, to be compared. */
static struct buf
snapshot(const char *state)
{
	struct buf b;

	buf_init(&b, 64 * ROOM);
	add_folder(state, &b);
	return b;
}

/* STATE is as it was at BEFORE, which is freed. */
static void
is_unchanged(const char *state, struct buf *before, const char *idea)
{
	struct buf now = snapshot(state);

	ok(slice_eq(buf_slice(before), buf_slice(&now)), "%s: nothing changed", idea);
	buf_fini(&now);
	buf_fini(before);
}

/* The names in STATE/rules, with a blank between. */
static const char *
listing(const char *state)
{
	static char names[TEXT_MAX];
	struct dirent **entries;
	int n = scandir(path_in(state, STATE_RULES), &entries, is_entry, alphasort);
	size_t len = 0;

	names[0] = '\0';
	for (int i = 0; i < n; i++) {
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i > 0 ? " " : "", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return names;
}

static void
skip(const char *name, const char *reason)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_n, name, reason);
}

/* ---- publishing and opening ---- */

static int
publish_at(const char *state, int64_t now, bool dry_run, struct publish_report *report, struct diag *diag)
{
	struct publish_options options = { .state = state, .suffix_file = suffix_file, .now = now, .dry_run = dry_run };

	return publish(&options, report, diag);
}

static void
show(const struct diag *diag)
{
	char line[TEXT_MAX];

	for (size_t i = 0; i < diag->n; i++) {
		diag_format(&diag->v[i], line, sizeof(line));
		printf("# %s\n", line);
	}
}

/* Publish STATE, which has nothing wrong: the number; 0 when it failed or something was found. */
static uint64_t
publish_good(const char *state, struct publish_report *report)
{
	struct publish_report own;
	struct diag diag = { 0 };
	uint64_t number = 0;

	report = report == NULL ? &own : report;
	if (publish_at(state, NOW, false, report, &diag) == 0 && diag.n_errors == 0 && diag.n_warnings == 0)
		number = report->generation;
	show(&diag);
	diag_fini(&diag);
	return number;
}

static struct generation *
open_good(const char *state, bool verify)
{
	struct diag diag = { 0 };
	struct generation *g = generation_open(path_in(state, STATE_RULES), verify, &diag);

	ok(g != NULL && diag.n == 0, "it opens");
	show(&diag);
	diag_fini(&diag);
	return g;
}

/* The ids of the N rules of REFS, with a blank between. */
static const char *
ids_of(const struct generation *g, const uint32_t *refs, size_t n)
{
	static char ids[TEXT_MAX];
	struct rule rule;
	size_t len = 0;

	ids[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (generation_rule(g, refs[i], &rule) == -1)
			return "a rule that cannot be read";
		len += (size_t)snprintf(ids + len, sizeof(ids) - len, "%s%.*s", i > 0 ? " " : "", SLICE_ARGS(rule.id));
	}
	return ids;
}

/* The ids of the rules that apply to URL, most specific first. */
static const char *
url_rules(const struct generation *g, const char *raw)
{
	struct host_match matches[MAX_MATCHES];
	uint32_t refs[MAX_MATCHES];
	bool damaged = false;
	struct url url;
	size_t n;

	if (url_parse(&url, slice_str(raw)) != URL_OK)
		abort();
	n = host_table_match(generation_hosts(g), &url, matches, COUNT(matches), &damaged);
	for (size_t i = 0; i < n && i < COUNT(refs); i++)
		refs[i] = matches[i].ref;
	url_fini(&url);
	return damaged || n > COUNT(refs) ? "damaged" : ids_of(g, refs, n);
}

/* The ids of the rules for a file. */
static const char *
file_rules(const struct generation *g, enum digest_alg alg, const char *hex, uint64_t size)
{
	uint32_t refs[MAX_MATCHES];
	struct digest digest;
	size_t n;

	if (digest_parse(alg, slice_str(hex), &digest) == -1)
		abort();
	n = hashdb_find(generation_digests(g), &digest, size, refs, COUNT(refs));
	return n > COUNT(refs) ? "too many" : ids_of(g, refs, n);
}

static int
rule_by_id(const struct generation *g, const char *id, struct rule *out)
{
	for (uint32_t ref = 0; ref < generation_rules(g); ref++)
		if (generation_rule(g, ref, out) == 0 && slice_eq(out->id, slice_str(id)))
			return 0;
	return -1;
}

/* ---- what is published reads back ---- */

static void
test_no_sources(void)
{
	char *state = new_state();
	struct publish_report report;
	struct generation *g;
	struct rule rule;

	is_int((long long)publish_good(state, &report), 1, "no sources: the first generation");
	ok(report.sources == 0 && report.rules == 0 && report.expired == 0 && report.created == NOW, "no sources: the report");
	g = open_good(state, false);
	if (g != NULL) {
		is_int((long long)generation_number(g), 1, "no sources: its number");
		is_int(generation_created(g), NOW, "no sources: its date");
		is_int(generation_rules(g), 0, "no sources: no rules");
		ok(generation_rule(g, 0, &rule) == -1, "no sources: not one");
		is_str(url_rules(g, "http://a.example/x?y"), "", "no sources: no host matches");
		is_int(hashdb_algs(generation_digests(g)), 0, "no sources: no algorithm is needed");
		is_int(generation_site(g)->threshold, 3, "no site.conf: the default threshold");
		is_str(generation_site(g)->own_domains, "", "no site.conf: no own domains");
	}
	generation_close(g);
	generation_close(NULL);
	if (rmdir(path_in(state, STATE_SOURCES)) == -1)
		abort();
	is_int((long long)publish_good(state, NULL), 2, "no folder of sources is as an empty one");
	free(state);
}

/* A rule as it is written, and as it reads back. */
struct rule_row {
	const char	*file, *line;
	struct rule	 rule;
};

#define TEXT(lit)	SLICE(lit)
#define HOST_END	(NOW + 30 * DAY)
#define FILE_END	(NOW + 3650LL * DAY)

/* In the order of the sources' names. */
static const struct rule_row rules[] = {
	{ "sources/alert-7.rules", "block file 90112:md5:" MD5 " name=setup.exe container=zip alert=7 rev=3 level=5",
	    { RULE_BLOCK, RULE_FILE, 5, false, false, 3, 0, FILE_END, TEXT("alert-7:1"), TEXT("alert-7"), TEXT("7"),
	    TEXT("90112:md5:" MD5), TEXT("setup.exe"), TEXT("zip"), TEXT("") } },
	{ "sources/alert-7.rules", "block file *:sha256:" SHA256,
	    { RULE_BLOCK, RULE_FILE, 4, false, false, 1, 0, FILE_END, TEXT("alert-7:2"), TEXT("alert-7"), TEXT(""),
	    TEXT("*:sha256:" SHA256), TEXT(""), TEXT(""), TEXT("") } },
	{ "sources/feed-x.rules", "block host *.c.example level=0 expires=2026-12-01",
	    { RULE_BLOCK, RULE_HOST, 0, false, false, 1, 0, 1796083200, TEXT("feed-x:1"), TEXT("feed-x"), TEXT(""),
	    TEXT("*.c.example"), TEXT(""), TEXT(""), TEXT("") } },
	{ "sources/feed-x.rules", "allow file 5:sha1:" SHA1,
	    { RULE_ALLOW, RULE_FILE, 4, false, false, 1, 0, FILE_END, TEXT("feed-x:2"), TEXT("feed-x"), TEXT(""),
	    TEXT("5:sha1:" SHA1), TEXT(""), TEXT(""), TEXT("") } },
	{ "sources/local.rules", "block host .A.example note=\"say \\\"hi\\\"\" published=2026-11-01 expires=never",
	    { RULE_BLOCK, RULE_HOST, 4, true, false, 1, 1793491200, 0, TEXT("local:1"), TEXT("local"), TEXT(""),
	    TEXT(".A.example"), TEXT(""), TEXT(""), TEXT("say \"hi\"") } },
	{ "sources/local.rules", "allow host www.a.example files=yes rev=2147483647",
	    { RULE_ALLOW, RULE_HOST, 4, true, true, 2147483647, 0, HOST_END, TEXT("local:2"), TEXT("local"), TEXT(""),
	    TEXT("www.a.example"), TEXT(""), TEXT(""), TEXT("") } },
	{ "sources/local.rules", "protect host .bank.example",
	    { RULE_PROTECT, RULE_HOST, 4, true, false, 1, 0, HOST_END, TEXT("local:3"), TEXT("local"), TEXT(""),
	    TEXT(".bank.example"), TEXT(""), TEXT(""), TEXT("") } },
	{ "sources/local.rules", "block url b.example/bad/?q=1 id=page",
	    { RULE_BLOCK, RULE_URL, 4, true, false, 1, 0, HOST_END, TEXT("local:page"), TEXT("local"), TEXT(""),
	    TEXT("b.example/bad/?q=1"), TEXT(""), TEXT(""), TEXT("") } },
	{ "sources/local.rules", "allow url .b.example/bad/ files=no",
	    { RULE_ALLOW, RULE_URL, 4, true, false, 1, 0, HOST_END, TEXT("local:5"), TEXT("local"), TEXT(""),
	    TEXT(".b.example/bad/"), TEXT(""), TEXT(""), TEXT("") } },
};

/* The sources of RULES, into STATE. */
static void
put_rules(const char *state)
{
	struct buf text;

	buf_init(&text, ROOM);
	for (size_t i = 0; i < COUNT(rules); i++) {
		if (i > 0 && strcmp(rules[i].file, rules[i - 1].file) != 0)
			buf_reset(&text);
		buf_addf(&text, "%s\n", rules[i].line);
		put(state, rules[i].file, text.p);
	}
	buf_fini(&text);
}

static bool
is_same_rule(const struct rule *a, const struct rule *b)
{
	return a->action == b->action && a->kind == b->kind && a->level == b->level && a->local == b->local &&
	    a->files == b->files && a->rev == b->rev && a->published == b->published && a->expires == b->expires &&
	    slice_eq(a->id, b->id) && slice_eq(a->source, b->source) && slice_eq(a->alert, b->alert) &&
	    slice_eq(a->value, b->value) && slice_eq(a->name, b->name) && slice_eq(a->container, b->container) &&
	    slice_eq(a->note, b->note);
}

static void
is_readable(const struct generation *g)
{
	struct rule got;

	is_int(generation_rules(g), COUNT(rules), "as many rules as were written");
	for (size_t i = 0; i < COUNT(rules); i++)
		ok(rule_by_id(g, rules[i].rule.id.p, &got) == 0 && is_same_rule(&got, &rules[i].rule), "read back: %s",
		    rules[i].line);
	ok(generation_rule(g, COUNT(rules), &got) == -1, "no rule behind the last");
	ok(generation_rule(g, UINT32_MAX, &got) == -1, "no rule at the end of numbers");
}

static const struct { const char *url, *ids; } urls[] = {
	{ "http://www.a.example/x", "local:2 local:1" },
	{ "https://a.example", "local:1" },
	{ "http://b.a.example/", "local:1" },
	{ "http://ba.example/", "" },
	{ "http://b.example/bad/?q=1&r=2", "local:page local:5" },
	{ "http://b.example/bad/x", "local:5" },
	{ "http://www.b.example/bad/?q=1", "local:5" },
	{ "http://b.example/", "" },
	{ "http://c.example/", "" },
	{ "http://x.c.example/", "feed-x:1" },
	{ "http://www.bank.example/", "local:3" },
};

static void
is_judgeable(const struct generation *g)
{
	const struct hashdb *db = generation_digests(g);

	for (size_t i = 0; i < COUNT(urls); i++)
		is_str(url_rules(g, urls[i].url), urls[i].ids, urls[i].url);
	is_str(file_rules(g, DIGEST_MD5, MD5, 90112), "alert-7:1", "a file by size and MD5");
	is_str(file_rules(g, DIGEST_MD5, MD5, 90113), "", "another size");
	is_str(file_rules(g, DIGEST_SHA256, SHA256, 1), "alert-7:2", "a file of any size by SHA-256");
	is_str(file_rules(g, DIGEST_SHA1, SHA1, 5), "feed-x:2", "a file by SHA-1");
	ok(hashdb_has_size(db, 5) && hashdb_max_size(db) == 90112 && !hashdb_has_size(db, 6), "the listed sizes");
	is_int(hashdb_sizeless_algs(db), DIGEST_BIT(DIGEST_SHA256), "what needs hashing whatever the size");
}

static const char site[] = "Threshold 5\nFailMode closed\nOwnDomains own.example [2001:db8::7]\nOwnDomains 192.0.2.7 "
    "b\xc3\xbc" "cher.example under_score.example.\nContact \"a  b\" # ext. 7\n";

static void
is_site(const struct site *s)
{
	is_int(s->threshold, 5, "site: a number");
	is_int(s->fail_mode, FAIL_CLOSED, "site: a word");
	is_int(s->host_life, 30 * DAY, "site: a default");
	is_str(s->own_domains, "own.example [2001:db8::7] 192.0.2.7 b\xc3\xbc" "cher.example under_score.example.", "site: a list");
	is_str(s->contact, "a  b", "site: a text");
	is_str(s->organisation, "", "site: an empty text");
}

static void
test_rules(void)
{
	char *state = new_state();
	struct publish_report r;
	struct generation *g;

	put_rules(state);
	put(state, STATE_SITE, site);
	is_int((long long)publish_good(state, &r), 1, "rules of each kind: published");
	ok(r.sources == 3 && r.rules == 9 && r.hosts == 3 && r.urls == 2 && r.files == 3 && r.protects == 1 && r.expired == 0,
	    "the counts (%zu sources, %zu rules: %zu %zu %zu %zu; %zu)", r.sources, r.rules, r.hosts, r.urls, r.files,
	    r.protects, r.expired);
	is_int((long long)r.sizeless, 1, "one file rule has no size");
	g = open_good(state, true);
	if (g != NULL) {
		is_readable(g);
		is_judgeable(g);
		is_site(generation_site(g));
		is_int((long long)host_table_rules(generation_hosts(g)), 6, "host rules in their table");
		is_int((long long)generation_manifest(g)->n, COUNT(kinds), "segments in the manifest");
		is_int((long long)generation_manifest(g)->generation, 1, "the manifest's number");
	}
	generation_close(g);
	free(state);
}

enum { MANY = 3000, LONG_NAME = 1000 };

/* Rule N of test_many(): everything that it says is N, but for a long name that all of them share. */
static bool
is_numbered_rule(const struct rule *rule)
{
	struct slice number = slice_skip(rule->id, strlen("a:"));
	char value[64];

	snprintf(value, sizeof(value), "h%.*s.example", SLICE_ARGS(number));
	return slice_starts(rule->id, SLICE("a:")) && slice_eq(rule->note, number) && slice_eq(rule->value, slice_str(value)) &&
	    rule->name.len == LONG_NAME;
}

/* So many texts that their table grows and slots are asked for twice; and equal ones are stored once. */
static void
test_many(void)
{
	char *state = new_state(), name[LONG_NAME + 1] = { 0 };
	unsigned good = 0;
	struct generation *g;
	struct rule rule;
	struct buf text;

	memset(name, 'x', LONG_NAME);
	buf_init(&text, 8 * ROOM);
	for (int i = 1; i <= MANY; i++)
		buf_addf(&text, "block host h%d.example note=%d name=%s\n", i, i, name);
	put(state, "sources/a.rules", text.p);
	is_int((long long)publish_good(state, NULL), 1, "many rules: published");
	g = open_good(state, true);
	for (uint32_t ref = 0; g != NULL && ref < generation_rules(g); ref++)
		good += generation_rule(g, ref, &rule) == 0 && is_numbered_rule(&rule);
	is_int(good, MANY, "many rules: each reads back");
	if (g != NULL) {
		is_str(url_rules(g, "http://h2999.example/"), "a:2999", "many rules: one of them");
		ok(manifest_find(generation_manifest(g), SEGMENT_RULES)->len < MANY * LONG_NAME / 2, "many rules: equal texts once");
	}
	generation_close(g);
	buf_fini(&text);
	free(state);
}

/* ---- the time ---- */

/* When a rule ends; -1 for one that is left out. */
struct life_row {
	const char	*file;
	int64_t		 changed;	/* when the file was */
	const char	*line, *id;
	int64_t		 expires;
};

#define OLD	(NOW - 10 * DAY)

static const struct life_row lives[] = {
	{ "sources/old.rules", OLD, "block host a.example", "old:1", -1 },
	{ "sources/old.rules", OLD, "block file 1:md5:" MD5, "old:2", NOW + 10 * DAY },
	{ "sources/old.rules", OLD, "block host b.example expires=10d", "old:3", -1 },
	{ "sources/old.rules", OLD, "block host c.example expires=11d", "old:4", NOW + DAY },
	{ "sources/old.rules", OLD, "block host d.example published=2026-11-17T11:06:40Z", "old:5", NOW + 9 * DAY },
	{ "sources/old.rules", OLD, "block host e.example expires=never", "old:6", 0 },
	{ "sources/old.rules", OLD, "block host .com expires=2026-11-01", "old:7", -1 },
	{ "sources/old.rules", OLD, "protect host p.example expires=1d", "old:8", -1 },
	{ "sources/old.rules", OLD, "block host p.example expires=2026-11-18T11:06:41Z", "old:9", NOW + 1 },
	{ "sources/old.rules", OLD, "allow url q.example/ expires=2026-11-18T11:06:40Z", "old:10", -1 },
	{ "sources/second.rules", OLD + 1, "block host a.example", "second:1", NOW + 1 },
	{ "sources/future.rules", NOW + 100 * DAY, "block host f.example", "future:1", NOW + 10 * DAY },
	{ "sources/now.rules", NOW, "block host g.example expires=1", "now:1", NOW + 1 },
};

static void
put_lives(const char *state)
{
	struct buf text;

	buf_init(&text, ROOM);
	for (size_t i = 0; i < COUNT(lives); i++) {
		if (i > 0 && strcmp(lives[i].file, lives[i - 1].file) != 0)
			buf_reset(&text);
		buf_addf(&text, "%s\n", lives[i].line);
		put_at(state, lives[i].file, text.p, lives[i].changed);
	}
	buf_fini(&text);
}

static void
test_lives(void)
{
	char *state = new_state();
	struct publish_report r;
	struct generation *g;
	struct rule rule;
	struct diag diag = { 0 };
	size_t kept = 0;

	put_lives(state);
	put(state, STATE_SITE, "HostLife 10d\nFileLife 20d\n");
	is_int((long long)publish_good(state, &r), 1, "an expired rule refuses nothing, and protects nothing");
	g = open_good(state, true);
	for (size_t i = 0; g != NULL && i < COUNT(lives); i++) {
		bool there = rule_by_id(g, lives[i].id, &rule) == 0;

		kept += there;
		ok(there == (lives[i].expires != -1) && (!there || rule.expires == lives[i].expires), "%s: %s", lives[i].line,
		    lives[i].expires == -1 ? "left out" : "ends when it should");
	}
	ok(publish_at(state, NOW, true, &r, &diag) == 0 && diag.n == r.expired && diag.n > 0 && diag.v[0].level == DIAG_NOTE &&
	    diag.v[0].line > 0 && strstr(diag.v[0].text, "the rule expired ") != NULL, "each that is left out is named");
	diag_fini(&diag);
	ok(r.rules == kept && r.expired == COUNT(lives) - kept, "%zu rules and %zu that are left out", r.rules, r.expired);
	if (g != NULL)
		is_str(url_rules(g, "http://a.example/"), "second:1", "what is left out matches nothing");
	generation_close(g);
	put(state, STATE_SITE, "HostLife 0\nFileLife 0\n");
	publish_good(state, &r);
	g = open_good(state, true);
	ok(g != NULL && rule_by_id(g, "old:1", &rule) == 0 && rule.expires == 0, "a life of 0 is for ever");
	generation_close(g);
	free(state);
}

/* A clock that nobody set: what it stamps could not be read back, and what is live would be lost. */
static void
test_clock(void)
{
	static const int64_t moments[] = { 0, -1, INT64_MIN, LAST_SECOND + 1 };
	char *state = new_state();
	struct publish_report report;
	struct diag diag = { 0 };

	put(state, "sources/local.rules", "block host a.example expires=never\n");
	publish_good(state, NULL);
	for (size_t i = 0; i < COUNT(moments); i++) {
		struct buf before = snapshot(state);

		ok(publish_at(state, moments[i], false, &report, &diag) == -1 && diag.n_errors == 1, "the clock says %lld: refused",
		    (long long)moments[i]);
		ok(publish_at(state, moments[i], true, &report, &diag) == -1, "and so is a dry run");
		is_unchanged(state, &before, "a clock that nobody set");
		diag_fini(&diag);
	}
	ok(publish_at(state, LAST_SECOND, false, &report, &diag) == 0, "the last second there is: published");
	generation_close(open_good(state, true));
	ok(publish_at(state, 1, false, &report, &diag) == 0, "the first one: published");
	generation_close(open_good(state, true));
	show(&diag);
	diag_fini(&diag);
	free(state);
}

/* ---- one error refuses all ---- */

static const char base_rules[] = "block host fine.example\nprotect host .protected.example\n";
static const char base_site[] = "OwnDomains own.example\n";

/* FILE with TEXT (NULL: a folder of that name), beside a.rules and site.conf: the one error, and where. */
struct refusal_row {
	const char	*idea, *file, *text, *at_file;
	unsigned	 line, col;
	const char	*part;
};

#define SECOND	"sources/b.rules"
#define SITE_ROW(idea, text, line, col, part) { idea, STATE_SITE, text, STATE_SITE, line, col, part }
#define OWN_ROW(idea, word) { "own domains: " idea, STATE_SITE, "OwnDomains own.example " word "\n", STATE_SITE, 0, 0, \
	"OwnDomains: \"" word "\" is no domain" }

static const struct refusal_row refusals[] = {
	{ "a bad line", SECOND, "deny host b.example\n", SECOND, 1, 1, "expected block, allow or protect: \"deny\"" },
	{ "a bad line between good ones", SECOND, "block host b.example\nblock host c.example level=9\nallow host d.example\n",
	    SECOND, 2, 28, "level must be a number from 0 to 5" },
	{ "an expired bad line", SECOND, "block host b.example expires=2020-01-01 level=9\n", SECOND, 1, 47, "level must be a number" },
	{ "an id twice", SECOND, "block host b.example id=x\nblock host c.example id=x\n", SECOND, 2, 0, "the same id" },
	{ "not UTF-8", SECOND, "block host b.example\n# \xff\n", SECOND, 2, 3, "is not UTF-8" },
	{ "a public suffix", SECOND, "block host *.com\n", SECOND, 1, 0, "the rule covers the public suffix com" },
	{ "a rule on an own domain", SECOND, "\nblock host .own.example\n", SECOND, 2, 0, "the site's own domain own.example" },
	{ "a domain protected in another source", SECOND, "block host www.protected.example\n", SECOND, 1, 0,
	    "the protected domain protected.example" },
	{ "a domain protected below, in the same", SECOND, "block host .b.example\nprotect host www.b.example\n", SECOND, 1, 0,
	    "the protected domain www.b.example" },
	{ "protecting what another source blocks", SECOND, "protect host fine.example\n", "sources/a.rules", 1, 0,
	    "the protected domain fine.example" },
	{ "protecting it from a feed", "sources/feed-z.rules", "protect host fine.example\n", "sources/a.rules", 1, 0,
	    "the protected domain fine.example" },
	{ "the empty file", SECOND, "block file *:md5:d41d8cd98f00b204e9800998ecf8427e\n", SECOND, 1, 0, "that of the empty file" },
	{ "a source with a blank in its name", "sources/b c.rules", "", "sources/b c.rules", 0, 0, "the source's name must be" },
	{ "a source that is a folder", SECOND, NULL, SECOND, 0, 0, "not a file" },
	SITE_ROW("an unknown option", "OwnDomains own.example\nTreshold 3\n", 2, 1, "unknown option \"Treshold\""),
	SITE_ROW("an option out of bounds", "Threshold 6\n", 1, 11, "must be from 0 to 5"),
	SITE_ROW("an option without value", "Threshold\n", 1, 1, "has no value"),
	SITE_ROW("a site.conf that is a folder", NULL, 0, 0, "Is a directory"),
	OWN_ROW("a wildcard", "*.own.example"),
	OWN_ROW("a comma", "a.example,"),
	OWN_ROW("two with a comma", "a.example,b.example"),
	OWN_ROW("a path", "a.example/"),
	OWN_ROW("a port", "a.example:80"),
	OWN_ROW("a URL", "https://a.example"),
	OWN_ROW("a mail address", "root@a.example"),
	OWN_ROW("an escaped blank", "a%20b.example"),
	OWN_ROW("dots", ".."),
	OWN_ROW("a quote", "'a.example'"),
	{ "own domains: half an IPv6 address", STATE_SITE, "OwnDomains [2001:db8::7\n", STATE_SITE, 0, 0, "is no domain" },
};

static void
put_refusal(const char *state, const struct refusal_row *row)
{
	remove_tree(path_in(state, row->file));
	if (row->text != NULL)
		put(state, row->file, row->text);
	else if (mkdir(path_in(state, row->file), 0755) == -1)
		abort();
}

static bool
is_refused_as(const struct diag *diag, const char *state, const struct refusal_row *row)
{
	const struct diag_entry *e = diag->v;

	return diag->n == 1 && e->level == DIAG_ERROR && e->file != NULL && strcmp(e->file, path_in(state, row->at_file)) == 0 &&
	    e->line == row->line && e->col == row->col && strstr(e->text, row->part) != NULL;
}

static void
test_refusal(const char *state, const struct refusal_row *row)
{
	struct publish_report report;
	struct diag diag = { 0 };
	struct buf before;

	put_refusal(state, row);
	before = snapshot(state);
	ok(publish_at(state, NOW, false, &report, &diag) == -1, "%s: refused", row->idea);
	if (!ok(is_refused_as(&diag, state, row), "%s: why and where", row->idea))
		show(&diag);
	diag_fini(&diag);
	ok(publish_at(state, NOW, true, &report, &diag) == -1 && is_refused_as(&diag, state, row), "%s: by a dry run too", row->idea);
	diag_fini(&diag);
	is_unchanged(state, &before, row->idea);
	remove_tree(path_in(state, row->file));
	put(state, STATE_SITE, base_site);
}

static void
test_refusals(void)
{
	char *state = new_state();
	struct generation *g;

	put(state, "sources/a.rules", base_rules);
	put(state, STATE_SITE, base_site);
	is_int((long long)publish_good(state, NULL), 1, "before the refusals: published");
	for (size_t i = 0; i < COUNT(refusals); i++)
		test_refusal(state, &refusals[i]);
	g = open_good(state, true);
	ok(g != NULL && generation_number(g) == 1, "after the refusals: what was live is live");
	generation_close(g);
	is_int((long long)publish_good(state, NULL), 2, "and no number is lost");
	free(state);
}

/* Everything that is wrong is told at once. */
static void
test_all_findings(void)
{
	char *state = new_state();
	struct publish_report report;
	struct diag diag = { 0 };

	put(state, "sources/a.rules", "deny host a.example\nblock host a.example level=9\n");
	put(state, "sources/b.rules", "block hosts b.example\n");
	ok(publish_at(state, NOW, false, &report, &diag) == -1 && diag.n == 3, "three bad lines in two sources");
	diag_fini(&diag);
	put(state, "sources/a.rules", "block host .com\nblock host .own.example\nblock host .own.example\n");
	put(state, "sources/b.rules", "block host .co.uk\n");
	put(state, STATE_SITE, base_site);
	ok(publish_at(state, NOW, false, &report, &diag) == -1 && diag.n == 4, "four bad rules in two sources");
	diag_fini(&diag);
	put(state, STATE_SITE, "Threshold 9\nOwnDomains *.a.example b.example, c.example\n");
	ok(publish_at(state, NOW, false, &report, &diag) == -1 && diag.n == 3, "three mistakes in site.conf");
	diag_fini(&diag);
	free(state);
}

/* What is no source is not read, whatever it holds. */
static void
test_names(void)
{
	static const char *const names[] = { "sources/.b.rules", "sources/.rules", "sources/b.rules~", "sources/b.rule",
		"sources/b.rules.Xa83bQ", "sources/README", "sources/rules" };
	char *state = new_state();
	struct publish_report report;

	put(state, "sources/a.rules", base_rules);
	for (size_t i = 0; i < COUNT(names); i++)
		put(state, names[i], "deny host b.example\n");
	is_int((long long)publish_good(state, &report), 1, "what is no source is not read");
	is_int((long long)report.sources, 1, "and does not count");
	free(state);
}

/* A source that is no file is refused and not waited for. */
static void
test_fifo(void)
{
	char *state = new_state();
	struct publish_report report;
	struct diag diag = { 0 };

	put(state, "sources/a.rules", base_rules);
	ok(mkfifo(path_in(state, "sources/b.rules"), 0644) == 0, "a fifo: set up");
	ok(publish_at(state, NOW, false, &report, &diag) == -1 && diag.n == 1 && strcmp(diag.v[0].text, "not a file") == 0,
	    "a fifo is no source");
	diag_fini(&diag);
	free(state);
}

/* Without a list the question is not asked: that is said, once, and is no error. */
static void
test_no_suffixes(void)
{
	char *state = new_state();
	struct publish_options options = { .state = state, .now = NOW, .suffix_file = path_in(state, "no-such-list") };
	struct publish_report report;
	struct diag diag = { 0 };

	put(state, "sources/a.rules", "block host .com\nblock host .net\n");
	ok(publish(&options, &report, &diag) == 0 && report.hosts == 2, "no list of suffixes: published");
	if (!ok(diag.n == 1 && diag.n_warnings == 1 && strstr(diag.v[0].text, "NOT checked") != NULL &&
	    strcmp(diag.v[0].file, options.suffix_file) == 0, "with one warning that names the list"))
		show(&diag);
	diag_fini(&diag);
	free(state);
}

/* ---- dry run ---- */

static bool
is_same_report(const struct publish_report *a, const struct publish_report *b)
{
	return a->generation == b->generation && a->sources == b->sources && a->rules == b->rules && a->hosts == b->hosts &&
	    a->urls == b->urls && a->files == b->files && a->protects == b->protects && a->expired == b->expired &&
	    a->sizeless == b->sizeless && a->created == b->created;
}

static void
test_dry_run(void)
{
	char *state = new_state();
	struct publish_report dry, real;
	struct diag diag = { 0 };
	struct buf before;
	int lock;

	put_rules(state);
	before = snapshot(state);
	ok(publish_at(state, NOW, true, &dry, &diag) == 0 && diag.n == 0, "dry run: fine");
	is_unchanged(state, &before, "dry run");
	is_int((long long)dry.generation, 1, "dry run: the number that it would be");
	publish_good(state, &real);
	ok(is_same_report(&dry, &real), "dry run: the report is that of the publish");
	before = snapshot(state);
	lock = open(path_in(state, STATE_RULES "/lock"), O_RDWR | O_CLOEXEC);
	ok(lock != -1 && flock(lock, LOCK_EX) == 0, "somebody else is publishing");
	ok(publish_at(state, NOW, true, &dry, &diag) == 0 && dry.generation == 2, "dry run: waits for nobody");
	close(lock);
	is_unchanged(state, &before, "the second dry run");
	show(&diag);
	diag_fini(&diag);
	free(state);
}

/* ---- numbers, and which files stay ---- */

#define ONE(n)		"MANIFEST digests-" n ".seg hosts-" n ".seg lock rules-" n ".seg site-" n ".seg"
#define TWO(a, b)	"MANIFEST digests-" a ".seg digests-" b ".seg hosts-" a ".seg hosts-" b ".seg lock rules-" a ".seg rules-" \
	b ".seg site-" a ".seg site-" b ".seg"

static void
test_numbers(void)
{
	char *state = new_state();
	struct generation *first, *third;

	put(state, "sources/a.rules", "block host a.example\n");
	is_int((long long)publish_good(state, NULL), 1, "the first");
	is_str(listing(state), ONE("1"), "the first's files");
	first = open_good(state, true);
	is_int((long long)publish_good(state, NULL), 2, "the second");
	is_str(listing(state), TWO("1", "2"), "the first's files stay");
	put(state, "sources/a.rules", "block host b.example\n");
	is_int((long long)publish_good(state, NULL), 3, "the third");
	is_str(listing(state), TWO("2", "3"), "the first's files go");
	third = open_good(state, true);
	if (first != NULL && third != NULL) {
		is_int((long long)generation_number(first), 1, "who has the first open still has it");
		is_str(url_rules(first, "http://a.example/"), "a:1", "and judges by it");
		is_int((long long)generation_number(third), 3, "who opens now has the third");
		is_str(url_rules(third, "http://a.example/"), "", "which has other rules");
		is_str(url_rules(third, "http://b.example/"), "a:1", "and judges by these");
	}
	generation_close(first);
	generation_close(third);
	free(state);
}

/* Publish over a MANIFEST that cannot be used: NUMBER is the new one, with one warning of which TEXT is a part. */
static void
is_replaced(const char *state, uint64_t number, const char *text, const char *idea)
{
	struct publish_report report;
	struct diag diag = { 0 };
	int r = publish_at(state, NOW, false, &report, &diag);
	const struct diag_entry *e = diag.v;

	ok(r == 0 && report.generation == number, "%s: published as %" PRIu64, idea, number);
	if (!ok(diag.n == 1 && diag.n_warnings == 1 && strcmp(e->file, path_in(state, STATE_RULES "/MANIFEST")) == 0 &&
	    strstr(e->text, text) != NULL, "%s: with a warning", idea))
		show(&diag);
	generation_close(open_good(state, true));
	diag_fini(&diag);
}

static void
test_bad_manifest(void)
{
	char *state = new_state(), *manifest = file_join(state, STATE_RULES "/MANIFEST");
	struct buf text;

	for (int i = 0; i < 3; i++)
		publish_good(state, NULL);
	unlink(manifest);
	is_int((long long)publish_good(state, NULL), 4, "a lost MANIFEST: no number comes again");
	is_str(listing(state), ONE("4"), "a lost MANIFEST: what nobody names is removed");
	write_plain(manifest, SLICE("firebreak-manifest 1\ngeneration 90\n"));
	is_replaced(state, 5, "is damaged and will be replaced", "half a MANIFEST");
	is_str(listing(state), ONE("5"), "half a MANIFEST: it names nothing");
	write_plain(manifest, SLICE(""));
	is_replaced(state, 6, "is damaged and will be replaced", "an empty MANIFEST");
	buf_init(&text, ROOM);
	while (text.len <= MANIFEST_MAX)
		buf_add_char(&text, 'x');
	write_plain(manifest, buf_slice(&text));
	is_replaced(state, 7, "will be replaced", "a MANIFEST without end");
	buf_fini(&text);
	free(manifest);
	free(state);
}

static void
test_strays(void)
{
	static const char *const strays[] = { "rules/rules-40.seg", "rules/rules-x.seg", "rules/other-99.seg", "rules/hosts-50.seg.Xa8",
		"rules/hosts-.seg", "rules/site-0.seg", "rules/hosts", "rules/-60.seg", "rules/rules-70-.seg",
		"rules/digests-18446744073709551615.seg" };
	char *state = new_state();

	for (size_t i = 0; i < COUNT(strays); i++)
		put(state, strays[i], "");
	is_int((long long)publish_good(state, NULL), 41, "a publish that died left a number: the next one follows");
	/* The highest number there is has none after it: its file is removed, and does not count. */
	is_str(listing(state), "-60.seg MANIFEST digests-41.seg hosts hosts-.seg hosts-41.seg hosts-50.seg.Xa8 lock other-99.seg "
	    "rules-41.seg rules-70-.seg rules-x.seg site-0.seg site-41.seg", "its file is removed, and nobody else's");
	free(state);
}

static void
write_manifest(const char *state, const struct manifest *m)
{
	struct buf text;

	buf_init(&text, MANIFEST_MAX);
	if (manifest_format(m, &text) == -1)
		abort();
	write_plain(path_in(state, STATE_RULES "/MANIFEST"), buf_slice(&text));
	buf_fini(&text);
}

/* After the last number comes 0, which no MANIFEST may have. */
static void
test_last_number(void)
{
	struct manifest last = { .generation = UINT64_MAX - 1, .created = NOW };
	char *state = new_state();
	struct publish_report report;
	struct diag diag = { 0 };
	struct generation *g;
	struct buf before;

	write_manifest(state, &last);
	ok(publish_good(state, NULL) == UINT64_MAX, "the last number there is");
	before = snapshot(state);
	ok(publish_at(state, NOW, false, &report, &diag) == -1 && diag.n_errors == 1, "no number is left: refused");
	is_unchanged(state, &before, "no number is left");
	g = open_good(state, true);
	ok(g != NULL && generation_number(g) == UINT64_MAX, "what was live is live");
	generation_close(g);
	diag_fini(&diag);
	free(state);
}

/* ---- the same again ---- */

static bool
is_same_file(const char *a, const char *b)
{
	struct buf x = content(a), y = content(b);
	bool same = slice_eq(buf_slice(&x), buf_slice(&y));

	buf_fini(&x);
	buf_fini(&y);
	return same;
}

/* The number is in the names and in the MANIFEST alone: a segment depends on nothing but the input. */
static void
test_same_input(void)
{
	char *state = new_state(), *other = new_state();

	put(other, "sources/zzz.rules", "block host later.example\n");
	put_rules(state);
	put(state, STATE_SITE, site);
	publish_good(state, NULL);
	publish_good(state, NULL);
	publish_good(other, NULL);
	unlink(path_in(other, "sources/zzz.rules"));
	put_rules(other);
	put(other, STATE_SITE, site);
	publish_good(other, NULL);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		const char *name = segment_kind_name(kinds[i]);

		ok(is_same_file(segment_path(state, kinds[i], 1), segment_path(state, kinds[i], 2)), "the same input: %s", name);
		ok(is_same_file(segment_path(state, kinds[i], 1), segment_path(other, kinds[i], 2)), "in another state: %s", name);
	}
	put(state, "sources/local.rules", "block host z.example\nblock file 8:md5:" MD5 "\n");
	put(state, STATE_SITE, "Threshold 4\n");
	publish_good(state, NULL);
	for (size_t i = 0; i < COUNT(kinds); i++)
		ok(!is_same_file(segment_path(state, kinds[i], 2), segment_path(state, kinds[i], 3)), "other input: another %s",
		    segment_kind_name(kinds[i]));
	free(state);
	free(other);
}

/* ---- damage ---- */

enum damage { FLIP, SWAP, CUT, GROW, REMOVE };

/* AT counts from the end when it is negative; of CUT it is the new length. */
struct damage_row {
	const char	*idea;
	enum damage	 how;
	long		 at;
	const char	*reason;
};

static const struct damage_row damages[] = {
	{ "another file", FLIP, 0, "not a Firebreak segment" },
	{ "a future version", FLIP, 7, "written by another version of Firebreak" },
	{ "the other byte order", SWAP, 8, "written on a machine of the other byte order" },
	{ "no byte order", FLIP, 8, "damaged: byte-order word" },
	{ "another kind", FLIP, 12, "a segment of another kind" },
	{ "a section's length", FLIP, 56, "damaged: checksum of the header" },
	{ "the checksum", FLIP, 32, "damaged: checksum of the header" },
	{ "the last byte", FLIP, -1, "damaged: its SHA-256 is not the one in the MANIFEST" },
	{ "one byte less", CUT, -1, "truncated" },
	{ "half a header", CUT, 20, "truncated" },
	{ "nothing left", CUT, 0, "truncated: empty" },
	{ "one byte more", GROW, 0, "longer than its header says" },
	{ "not there", REMOVE, 0, "No such file or directory" },
};

static void
do_damage(const char *path, const struct damage_row *row)
{
	struct buf b = content(path);
	size_t at = row->at < 0 ? b.len - (size_t)-row->at : (size_t)row->at;
	char swapped[4];

	switch (row->how) {
	case FLIP:
		b.p[at] ^= 0x04;
		break;
	case SWAP:
		for (size_t i = 0; i < sizeof(swapped); i++)
			swapped[i] = b.p[at + sizeof(swapped) - 1 - i];
		memcpy(b.p + at, swapped, sizeof(swapped));
		break;
	case CUT:
		b.len = at;
		break;
	case GROW:
		buf_add_char(&b, '\0');
		break;
	case REMOVE:
		break;
	}
	unlink(path);
	if (row->how != REMOVE)
		write_plain(path, buf_slice(&b));
	buf_fini(&b);
}

/* The generation of STATE does not open: one error about PATH, of which REASON is a part. */
static bool
is_closed(const char *state, bool verify, const char *path, const char *reason)
{
	struct diag diag = { 0 };
	struct generation *g;
	bool good;

	errno = 0;
	g = generation_open(path_in(state, STATE_RULES), verify, &diag);
	good = g == NULL && errno != ENOENT && diag.n == 1 && diag.v[0].level == DIAG_ERROR && diag.v[0].file != NULL &&
	    strcmp(diag.v[0].file, path) == 0 && strstr(diag.v[0].text, reason) != NULL;
	if (!good)
		show(&diag);
	generation_close(g);
	diag_fini(&diag);
	return good;
}

static void
test_damage_to(const char *state, enum segment_kind kind)
{
	const char *name = segment_kind_name(kind);
	char *path = strdup(segment_path(state, kind, 1));
	struct buf good = content(path);

	for (size_t i = 0; i < COUNT(damages); i++) {
		do_damage(path, &damages[i]);
		ok(is_closed(state, false, path, damages[i].reason), "%s: %s", name, damages[i].idea);
		ok(is_closed(state, true, path, damages[i].reason), "%s: %s, and verified", name, damages[i].idea);
		write_plain(path, buf_slice(&good));
	}
	buf_fini(&good);
	free(path);
}

/* Any byte of any segment, changed and found. */
static void
test_every_byte(const char *state, enum segment_kind kind)
{
	char *path = strdup(segment_path(state, kind, 1));
	struct buf image = content(path);
	unsigned missed = 0;

	for (size_t i = 0; i < image.len; i++) {
		char bit = (char)(1 << i % 8);

		image.p[i] ^= bit;
		write_plain(path, buf_slice(&image));
		missed += !is_closed(state, true, path, "");
		image.p[i] ^= bit;
	}
	write_plain(path, buf_slice(&image));
	ok(missed == 0 && image.len > 0, "%s: a bit turned in any of %zu bytes, verified", segment_kind_name(kind), image.len);
	buf_fini(&image);
	free(path);
}

static void
test_damages(void)
{
	char *state = new_state();
	struct generation *g;

	put_rules(state);
	publish_good(state, NULL);
	for (size_t i = 0; i < COUNT(kinds); i++)
		test_damage_to(state, kinds[i]);
	for (size_t i = 0; i < COUNT(kinds); i++)
		test_every_byte(state, kinds[i]);
	g = open_good(state, true);
	ok(g != NULL, "and put right again");
	generation_close(g);
	free(state);
}

/* ---- the MANIFEST ---- */

static struct manifest
read_manifest(const char *state)
{
	struct buf text = content(path_in(state, STATE_RULES "/MANIFEST"));
	struct manifest m;

	if (manifest_parse("MANIFEST", buf_slice(&text), &m, NULL) == -1)
		abort();
	buf_fini(&text);
	return m;
}

/* Lengths and sums of the MANIFEST again, after something was changed on purpose. */
static void
reseal(const char *state)
{
	struct manifest m = read_manifest(state);

	for (size_t i = 0; i < m.n; i++) {
		const char *path = segment_path(state, m.segments[i].kind, m.generation);
		struct stat st;

		if (stat(path, &st) == -1 || segment_sha256(path, m.segments[i].sha256) == -1)
			abort();
		m.segments[i].len = (uint64_t)st.st_size;
	}
	write_manifest(state, &m);
}

/* The MANIFEST's own line for KIND. */
static struct manifest_segment *
line_of(struct manifest *m, enum segment_kind kind)
{
	size_t i = 0;

	while (i < m->n && m->segments[i].kind != kind)
		i++;
	if (i == m->n)
		abort();
	return &m->segments[i];
}

static void
test_unnamed(const char *state, const struct manifest *good, enum segment_kind kind)
{
	char *dir = strdup(path_in(state, STATE_RULES));
	char reason[100];
	struct manifest m = *good;

	*line_of(&m, kind) = m.segments[m.n - 1];
	m.n--;
	write_manifest(state, &m);
	snprintf(reason, sizeof(reason), "the MANIFEST names no segment \"%s\"", segment_kind_name(kind));
	ok(is_closed(state, false, dir, reason), "no line for %s", segment_kind_name(kind));
	free(dir);
}

/* A MANIFEST that is whole, and wrong about the segment of KIND. */
static void
test_misnamed(const char *state, const struct manifest *good, enum segment_kind kind)
{
	char *path = strdup(segment_path(state, kind, 1)), *absent = file_join(state, STATE_RULES "/absent");
	const char *name = segment_kind_name(kind);
	struct manifest m = *good;

	line_of(&m, kind)->len++;
	write_manifest(state, &m);
	ok(is_closed(state, true, path, "its length is not the one in the MANIFEST"), "another length of %s", name);
	m = *good;
	line_of(&m, kind)->sha256[SEGMENT_SHA256 - 1] ^= 1;
	write_manifest(state, &m);
	ok(is_closed(state, false, path, "its SHA-256 is not the one in the MANIFEST"), "another sum of %s", name);
	m = *good;
	snprintf(line_of(&m, kind)->name, MANIFEST_NAME, "absent");
	write_manifest(state, &m);
	ok(is_closed(state, true, absent, "No such file or directory"), "another name of %s", name);
	free(absent);
	free(path);
}

static void
test_manifest_faults(const char *state)
{
	struct manifest good = read_manifest(state);

	for (size_t i = 0; i < COUNT(kinds); i++) {
		test_unnamed(state, &good, kinds[i]);
		test_misnamed(state, &good, kinds[i]);
	}
	write_manifest(state, &good);
	generation_close(open_good(state, true));
}

static void
is_absent(const char *dir, const char *idea)
{
	struct diag diag = { 0 };

	errno = 0;
	ok(generation_open(dir, false, &diag) == NULL && errno == ENOENT, "%s: nothing there", idea);
	ok(diag.n == 1 && diag.n_errors == 1 && strstr(diag.v[0].text, "nothing was published yet") != NULL &&
	    strstr(diag.v[0].file, "MANIFEST") != NULL, "%s: and that is said", idea);
	diag_fini(&diag);
	errno = 0;
	ok(generation_open(dir, true, NULL) == NULL && errno == ENOENT, "%s: also without a diag", idea);
}

static void
test_manifests(void)
{
	char *state = new_state(), *manifest = file_join(state, STATE_RULES "/MANIFEST");

	is_absent(path_in(state, STATE_RULES), "no MANIFEST");
	is_absent(path_in(state, "no-such-folder"), "no folder");
	put_rules(state);
	publish_good(state, NULL);
	test_manifest_faults(state);
	write_plain(manifest, SLICE("firebreak-manifest 1\ngeneration 1\n"));
	ok(is_closed(state, false, manifest, "is cut short"), "half a MANIFEST");
	write_plain(manifest, SLICE(""));
	ok(is_closed(state, true, manifest, "is no MANIFEST"), "an empty MANIFEST");
	unlink(manifest);
	is_absent(path_in(state, STATE_RULES), "a MANIFEST that was removed");
	if (mkdir(manifest, 0755) == -1)
		abort();
	ok(is_closed(state, false, manifest, "Is a directory"), "a folder for a MANIFEST");
	free(manifest);
	free(state);
}

/* ---- whole files with nonsense in them ---- */

struct nonsense_row {
	const char		*idea;
	enum segment_kind	 kind;
	struct segment_part	 part;
	const char		*reason;
};

static const struct nonsense_row nonsense[] = {
	{ "hosts without a head", SEGMENT_HOSTS, { 99, SLICE("x") }, "damaged: size of the host table's head" },
	{ "digests without a head", SEGMENT_DIGESTS, { 99, SLICE("x") }, "damaged: size of the digests' head" },
	{ "half a rule", SEGMENT_RULES, { RULES_RECORDS, SLICE("x") }, "damaged: length of the rules" },
	{ "half an option", SEGMENT_SITE, { 1, SLICE("threshold\0" "3") }, "damaged: it ends within an option" },
	{ "an option without value", SEGMENT_SITE, { 1, SLICE("threshold\0") }, "damaged: it ends within an option" },
	{ "an option of a newer version", SEGMENT_SITE, { 1, SLICE("colour\0red\0") }, "has the unknown option colour" },
	{ "an option out of bounds", SEGMENT_SITE, { 1, SLICE("threshold\0" "9\0") }, "threshold: must be from 0 to 5" },
};

static void
test_nonsense(void)
{
	char *state = new_state();

	put_rules(state);
	publish_good(state, NULL);
	for (size_t i = 0; i < COUNT(nonsense); i++) {
		const struct nonsense_row *row = &nonsense[i];
		char *path = strdup(segment_path(state, row->kind, 1));
		struct buf good = content(path);
		uint8_t sum[SEGMENT_SHA256];
		uint64_t len;

		if (segment_write(path, row->kind, &row->part, 1, &len, sum, NULL) == -1)
			abort();
		reseal(state);
		ok(is_closed(state, true, path, row->reason), "well sealed: %s", row->idea);
		write_plain(path, buf_slice(&good));
		buf_fini(&good);
		free(path);
	}
	reseal(state);
	generation_close(open_good(state, true));
	free(state);
}

/* How many rules of G cannot be read.  One that reads as another rule than was published counts into *WRONG. */
static unsigned
unreadable(const struct generation *g, unsigned *wrong)
{
	struct rule rule;
	unsigned n = 0;

	for (uint32_t ref = 0; ref < generation_rules(g); ref++)
		if (generation_rule(g, ref, &rule) == -1)
			n++;
		else if (ref >= COUNT(rules) || !is_same_rule(&rule, &rules[ref].rule))
			++*wrong;
	return n;
}

/* A bit of the rules turned, and the sums put right by whoever did it: a rule may be lost, but says nothing else. */
static void
test_rule_records(void)
{
	char *state = new_state(), *path = strdup(segment_path(state, SEGMENT_RULES, 1));
	unsigned opened = 0, lost = 0, wrong = 0;
	struct buf image;

	put_rules(state);
	publish_good(state, NULL);
	image = content(path);
	for (size_t i = 0; i < image.len; i++) {
		char bit = (char)(1 << i % 8);
		struct generation *g;

		image.p[i] ^= bit;
		write_plain(path, buf_slice(&image));
		reseal(state);
		g = generation_open(path_in(state, STATE_RULES), true, NULL);
		opened += g != NULL;
		lost += g != NULL && unreadable(g, &wrong) > 0;
		generation_close(g);
		image.p[i] ^= bit;
	}
	is_int(wrong, 0, "rules: no bit makes another rule");
	ok(opened > 0 && opened < image.len, "rules: %u of %zu damaged ones open, those whose header is whole", opened, image.len);
	ok(lost > COUNT(rules) * 80, "rules: and %u of them miss a rule", lost);
	buf_fini(&image);
	free(path);
	free(state);
}

/* What lies behind the last rule is none, even where it looks like one. */
static void
test_behind_the_last(void)
{
	char *state = new_state(), *path = strdup(segment_path(state, SEGMENT_RULES, 1));
	struct segment_part parts[] = { { RULES_RECORDS, SLICE("") }, { 99, SLICE("") }, { RULES_TEXTS, SLICE("") } };
	uint8_t sum[SEGMENT_SHA256];
	struct generation *g;
	struct segment *s;
	struct rule rule;
	uint64_t len;

	put_rules(state);
	publish_good(state, NULL);
	if ((s = segment_open(path, SEGMENT_RULES, NULL, NULL)) == NULL)
		abort();
	parts[0].bytes = slice_head(segment_section(s, RULES_RECORDS), sizeof(struct rule_record));
	parts[1].bytes = slice_skip(segment_section(s, RULES_RECORDS), sizeof(struct rule_record));
	parts[2].bytes = segment_section(s, RULES_TEXTS);
	if (segment_write(path, SEGMENT_RULES, parts, COUNT(parts), &len, sum, NULL) == -1)
		abort();
	segment_close(s);
	reseal(state);
	g = open_good(state, true);
	ok(g != NULL && generation_rules(g) == 1 && generation_rule(g, 0, &rule) == 0, "behind the last: one rule is left");
	ok(g != NULL && generation_rule(g, 1, &rule) == -1, "behind the last: the next one is none");
	generation_close(g);
	free(path);
	free(state);
}

/* ---- large segments ---- */

/* A rules segment longer than GENERATION_VERIFY: two rules, the first with a note that long. */
static void
write_large(const char *path)
{
	struct rule_table_builder *b = rule_table_new();
	struct rule large = rules[0].rule, small = rules[1].rule;
	uint8_t sum[SEGMENT_SHA256];
	uint32_t first, second;
	uint64_t len;

	large.note = slice_make(calloc(GENERATION_VERIFY, 1), GENERATION_VERIFY);
	if (b == NULL || rule_table_add(b, &large, &first) == -1 || rule_table_add(b, &small, &second) == -1 || first != 0 ||
	    second != 1 || rule_table_write(b, path, &len, sum, NULL) == -1)
		abort();
	free((char *)(uintptr_t)large.note.p);
	rule_table_free(b);
}

/* One byte of PATH is changed. */
static void
flip_at(const char *path, off_t at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char c;

	if (fd == -1 || pread(fd, &c, 1, at) != 1)
		abort();
	c ^= 1;
	if (pwrite(fd, &c, 1, at) != 1 || close(fd) == -1)
		abort();
}

static void
test_large(void)
{
	char *state = new_state(), *path = strdup(segment_path(state, SEGMENT_RULES, 1));
	struct generation *g;
	struct rule rule;

	publish_good(state, NULL);
	write_large(path);
	reseal(state);
	g = open_good(state, true);
	ok(g != NULL && generation_rule(g, 0, &rule) == 0 && rule.note.len == GENERATION_VERIFY, "large: a rule of 16 MiB");
	generation_close(g);
	flip_at(path, GENERATION_VERIFY / 2);
	ok(is_closed(state, true, path, "its SHA-256 is not the one in the MANIFEST"), "large: a bit is found when it is verified");
	g = open_good(state, false);
	ok(g != NULL && generation_rule(g, 0, &rule) == -1, "large: unverified it opens, and the rule with that bit is lost");
	ok(g != NULL && generation_rule(g, 1, &rule) == 0 && is_same_rule(&rule, &rules[1].rule), "large: the other one is not");
	generation_close(g);
	flip_at(path, 50);
	ok(is_closed(state, false, path, "checksum of the header"), "large: its header is looked at in any case");
	flip_at(path, 50);
	if (truncate(path, GENERATION_VERIFY) == -1)
		abort();
	ok(is_closed(state, false, path, "truncated"), "large: and its length");
	free(path);
	free(state);
}

/* ---- writes that fail ---- */

/* Publishing fails with one error about PATH, of which REASON is a part, and nothing changes. */
static void
is_failing(const char *state, const char *path, const char *reason, const char *idea)
{
	struct buf before = snapshot(state);
	struct publish_report report;
	struct diag diag = { 0 };
	int r = publish_at(state, NOW, false, &report, &diag);
	const struct diag_entry *e = diag.n > 0 ? &diag.v[diag.n - 1] : NULL;

	ok(r == -1 && diag.n_errors == 1, "%s: refused", idea);
	if (!ok(e != NULL && e->level == DIAG_ERROR && strcmp(e->file, path) == 0 && strstr(e->text, reason) != NULL, "%s: why", idea))
		show(&diag);
	diag_fini(&diag);
	is_unchanged(state, &before, idea);
}

static void
test_no_folder(void)
{
	char *state = new_state(), *lock = file_join(state, STATE_RULES "/lock"), *dir = file_join(state, STATE_RULES);

	put(state, "sources/a.rules", base_rules);
	if (rmdir(dir) == -1)
		abort();
	is_failing(state, lock, "No such file or directory", "no folder for rules");
	write_plain(dir, SLICE("x"));
	is_failing(state, lock, "Not a directory", "a file for a folder of rules");
	if (unlink(dir) == -1 || mkdir(dir, 0755) == -1)
		abort();
	publish_good(state, NULL);
	free(dir);
	dir = file_join(state, STATE_SOURCES);
	remove_tree(dir);
	write_plain(dir, SLICE("x"));
	is_failing(state, dir, "Not a directory", "a file for a folder of sources");
	free(dir);
	free(lock);
	free(state);
}

/* The segments are written, and the MANIFEST cannot be replaced. */
static void
test_no_manifest(void)
{
	char *state = new_state(), *manifest = file_join(state, STATE_RULES "/MANIFEST");

	put(state, "sources/a.rules", base_rules);
	publish_good(state, NULL);
	unlink(manifest);
	if (mkdir(manifest, 0755) == -1)
		abort();
	is_failing(state, manifest, "Is a directory", "a MANIFEST that cannot be replaced");
	rmdir(manifest);
	is_int((long long)publish_good(state, NULL), 2, "and when it can be: the next number");
	free(manifest);
	free(state);
}

static void
test_unwritable(void)
{
	char *state = new_state(), *dir = file_join(state, STATE_RULES), *first = strdup(segment_path(state, SEGMENT_HOSTS, 2));

	put(state, "sources/a.rules", base_rules);
	publish_good(state, NULL);
	if (geteuid() == 0) {
		skip("a folder that must not be written", "root may write everywhere");
	} else if (chmod(dir, 0555) == 0) {
		is_failing(state, first, "Permission denied", "a folder that must not be written");
		chmod(dir, 0755);
	}
	is_int((long long)publish_good(state, NULL), 2, "a folder that may be written again");
	free(first);
	free(dir);
	free(state);
}

/* More rules for one host than its record holds: only the writer of the hosts finds that. */
static void
test_too_many(void)
{
	char *state = new_state(), *first = strdup(segment_path(state, SEGMENT_HOSTS, 2));
	struct buf text;

	publish_good(state, NULL);
	buf_init(&text, ROOM);
	for (int i = 0; i <= HOST_RULES_PER_KEY; i++)
		buf_add_str(&text, "block host a.example\n");
	put(state, "sources/a.rules", text.p);
	is_failing(state, first, "more than 64 rules for \"a.example\"", "too many rules for a host");
	put(state, "sources/a.rules", text.p + strlen("block host a.example\n"));
	is_int((long long)publish_good(state, NULL), 2, "one less is published");
	buf_fini(&text);
	free(first);
	free(state);
}

/* In a child: no file may grow beyond MAX bytes.  How many checks fail is its status. */
static int
publish_limited(const char *state, rlim_t max, const char *path)
{
	struct rlimit limit = { max, max };
	struct publish_report report;
	struct diag diag = { 0 };
	int r;

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) == -1)
		return 100;
	r = publish_at(state, NOW, false, &report, &diag);
	return (r != -1) + (diag.n != 1) + (diag.n != 1 || strcmp(diag.v[0].file, path) != 0) +
	    (diag.n != 1 || strstr(diag.v[0].text, "File too large") == NULL);
}

/* The exit status of PID; -1 when it did not exit by itself. */
static int
status_of(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static pid_t
fork_quietly(void)
{
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == -1)
		abort();
	return pid;
}

/* The disk is full while the rules are written: hosts and digests are there by then, and go again. */
static void
test_full_disk(void)
{
	char *state = new_state(), *path = strdup(segment_path(state, SEGMENT_RULES, 2));
	struct buf text, before;
	struct generation *g;
	pid_t pid;

	publish_good(state, NULL);
	buf_init(&text, ROOM);
	buf_add_str(&text, "block host a.example note=");
	while (text.len < 4000)
		buf_add_char(&text, 'x');
	put(state, "sources/a.rules", text.p);
	before = snapshot(state);
	if ((pid = fork_quietly()) == 0)
		_exit(publish_limited(state, 2000, path));
	is_int(status_of(pid), 0, "a disk that is full: refused, and why");
	is_unchanged(state, &before, "a disk that is full");
	g = open_good(state, true);
	ok(g != NULL && generation_number(g) == 1, "what was live is live");
	generation_close(g);
	buf_fini(&text);
	free(path);
	free(state);
}

static void
test_long_path(void)
{
	static char state[STATE_PATH + 1];
	struct publish_report report;
	struct diag diag = { 0 };

	memset(state, 'x', STATE_PATH);
	ok(publish_at(state, NOW, false, &report, &diag) == -1 && diag.n_errors == 1, "a path that is too long: refused");
	diag_fini(&diag);
	state[STATE_PATH - 1 - strlen("/" STATE_RULES)] = '\0';
	ok(publish_at(state, NOW, true, &report, &diag) == -1 && diag.n_errors == 1, "one that has no room for MANIFEST");
	diag_fini(&diag);
}

/* ---- more than one at a time ---- */

enum { PUBLISHES = 50, READERS = 2, PUBLISHERS = 2 };

/* Everything in generation N of test_readers() says N. */
static void
put_numbered(const char *state, uint64_t n)
{
	char text[TEXT_MAX];

	snprintf(text, sizeof(text), "block host h%" PRIu64 ".example note=%" PRIu64 "\nblock file %" PRIu64 ":md5:" MD5 "\n", n, n, n);
	put(state, "sources/a.rules", text);
	snprintf(text, sizeof(text), "Contact %" PRIu64 "\n", n);
	put(state, STATE_SITE, text);
}

static bool
is_whole(const struct generation *g)
{
	uint64_t n = generation_number(g);
	const struct hashdb *db = generation_digests(g);
	char number[32], url[64];
	struct rule rule;

	snprintf(number, sizeof(number), "%" PRIu64, n);
	snprintf(url, sizeof(url), "http://h%" PRIu64 ".example/", n);
	return generation_rules(g) == 2 && rule_by_id(g, "a:1", &rule) == 0 && slice_eq(rule.note, slice_str(number)) &&
	    strcmp(generation_site(g)->contact, number) == 0 && hashdb_min_size(db) == n && hashdb_max_size(db) == n &&
	    strcmp(url_rules(g, url), "a:1") == 0;
}

struct reading {
	unsigned	opened, failed, parts, back;
	unsigned	generations;	/* different ones */
	uint64_t	newest;
};

/* Open again and again until generation LAST is there. */
static struct reading
read_until(const char *rules_dir, uint64_t last, int ready)
{
	struct reading r = { 0 };

	while (r.newest < last && r.failed == 0) {
		struct diag diag = { 0 };
		struct generation *g = generation_open(rules_dir, r.opened % 2 == 0, &diag);
		uint64_t number = g != NULL ? generation_number(g) : 0;

		r.failed += g == NULL || diag.n > 0;
		r.parts += g != NULL && !is_whole(g);
		r.back += number < r.newest;
		r.generations += number > r.newest;
		r.newest = number > r.newest ? number : r.newest;
		if (r.opened++ == 0 && write(ready, "", 1) != 1)
			abort();
		generation_close(g);
		diag_fini(&diag);
	}
	return r;
}

/* A child that reads until generation PUBLISHES is there, and writes down what it saw. */
static pid_t
start_reader(const char *state, int out)
{
	pid_t pid = fork_quietly();
	struct reading r;

	if (pid != 0)
		return pid;
	alarm(LIMIT_S);
	r = read_until(path_in(state, STATE_RULES), PUBLISHES, out);
	_exit(write(out, &r, sizeof(r)) != sizeof(r));
}

static void
is_reading(const struct reading *r, int i)
{
	ok(r->opened > 1 && r->generations > 1, "reader %d opened %u times, %u generations", i, r->opened, r->generations);
	is_int(r->failed, 0, "and never failed");
	is_int(r->parts, 0, "and never got parts of two");
	is_int(r->back, 0, "and never one older than before");
	is_int((long long)r->newest, PUBLISHES, "and the last in the end");
}

static void
test_readers(void)
{
	char *state = new_state(), c;
	int pipes[READERS][2];
	pid_t pids[READERS];
	struct reading r;
	unsigned good = 0;

	put_numbered(state, 1);
	publish_good(state, NULL);
	for (int i = 0; i < READERS; i++) {
		if (pipe(pipes[i]) == -1)
			abort();
		pids[i] = start_reader(state, pipes[i][1]);
		close(pipes[i][1]);
		ok(read(pipes[i][0], &c, 1) == 1, "reader %d is there", i);
	}
	for (uint64_t n = 2; n <= PUBLISHES; n++) {
		put_numbered(state, n);
		good += publish_good(state, NULL) == n;
	}
	is_int(good, PUBLISHES - 1, "published under the readers' eyes");
	for (int i = 0; i < READERS; i++) {
		if (ok(read(pipes[i][0], &r, sizeof(r)) == sizeof(r), "reader %d came to its end", i))
			is_reading(&r, i);
		close(pipes[i][0]);
		is_int(status_of(pids[i]), 0, "and is gone");
	}
	free(state);
}

/* A reader that was stopped between MANIFEST and segments: in between two more were published, and the segments are gone.
 * The MANIFEST that it reads is a pipe; before its end is told, the newest one stands in its place. */
static void
test_late_reader(void)
{
	char *state = new_state(), *manifest = file_join(state, STATE_RULES "/MANIFEST"), *newest = file_join(state, "newest");
	struct generation *g;
	struct buf old;
	pid_t pid;
	int fd;

	publish_good(state, NULL);
	old = content(manifest);
	publish_good(state, NULL);
	publish_good(state, NULL);
	if (rename(manifest, newest) == -1 || mkfifo(manifest, 0600) == -1)
		abort();
	if ((pid = fork_quietly()) == 0) {
		alarm(LIMIT_S);
		fd = open(manifest, O_WRONLY | O_CLOEXEC);
		_exit(fd == -1 || file_write_all(fd, buf_slice(&old)) == -1 || rename(newest, manifest) == -1);
	}
	g = open_good(state, true);
	ok(g != NULL && generation_number(g) == 3, "a late reader gets the newest");
	generation_close(g);
	is_int(status_of(pid), 0, "and was late");
	buf_fini(&old);
	free(newest);
	free(manifest);
	free(state);
}

/* Several publish at once: each gets a number of its own, and the last one's is whole. */
static void
test_publishers(void)
{
	char *state = new_state();
	pid_t pids[PUBLISHERS];
	struct generation *g;

	put(state, "sources/a.rules", base_rules);
	for (int i = 0; i < PUBLISHERS; i++) {
		if ((pids[i] = fork_quietly()) != 0)
			continue;
		alarm(LIMIT_S);
		for (int k = 0; k < 10; k++)
			if (publish_good(state, NULL) == 0)
				_exit(1);
		_exit(0);
	}
	for (int i = 0; i < PUBLISHERS; i++)
		is_int(status_of(pids[i]), 0, "a publisher among others");
	g = open_good(state, true);
	ok(g != NULL && generation_number(g) == PUBLISHERS * 10, "no number was given twice");
	generation_close(g);
	is_str(listing(state), TWO("19", "20"), "and the last two's files are there");
	free(state);
}

/* Who waits for the lock reads the sources afterwards, so that the last publish has all there is. */
static void
test_lock(void)
{
	char *state = new_state(), c;
	struct publish_report report;
	int ready[2], fd;
	pid_t pid;

	put(state, "sources/a.rules", base_rules);
	publish_good(state, NULL);
	if (pipe(ready) == -1)
		abort();
	if ((pid = fork_quietly()) == 0) {
		fd = open(path_in(state, STATE_RULES "/lock"), O_RDWR | O_CLOEXEC);
		if (fd == -1 || flock(fd, LOCK_EX) == -1 || write(ready[1], "", 1) != 1)
			_exit(1);
		usleep(200 * 1000);
		put(state, "sources/b.rules", "block host late.example\n");
		_exit(0);
	}
	ok(read(ready[0], &c, 1) == 1, "another one holds the lock");
	is_int((long long)publish_good(state, &report), 2, "waited for it");
	is_int((long long)report.sources, 2, "and read what came meanwhile");
	is_int(status_of(pid), 0, "who held it");
	close(ready[0]);
	close(ready[1]);
	free(state);
}

/* ---- all of it ---- */

static void
test_publishing(void)
{
	test_no_sources();
	test_rules();
	test_many();
	test_lives();
	test_clock();
	test_refusals();
	test_all_findings();
	test_names();
	test_fifo();
	test_no_suffixes();
	test_dry_run();
	test_numbers();
	test_bad_manifest();
	test_strays();
	test_last_number();
	test_same_input();
}

static void
test_opening(void)
{
	test_damages();
	test_manifests();
	test_nonsense();
	test_rule_records();
	test_behind_the_last();
	test_large();
}

static void
test_failing(void)
{
	test_no_folder();
	test_no_manifest();
	test_unwritable();
	test_too_many();
	test_full_disk();
	test_long_path();
}

int
main(void)
{
	alarm(LIMIT_S);
	umask(022);
	top = temp_dir();
	suffix_file = file_join(top, "suffixes.dat");
	write_plain(suffix_file, SLICE("com\nnet\nuk\nco.uk\n"));
	test_publishing();
	test_opening();
	test_failing();
	test_readers();
	test_late_reader();
	test_publishers();
	test_lock();
	remove_tree(top);
	ok(access(top, F_OK) == -1, "cleaned up");
	free(suffix_file);
	free(top);
	return tap_done();
}
