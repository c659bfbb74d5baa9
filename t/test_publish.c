/* Publishing: sources become a generation that reads back whole, or nothing changes; a number never comes twice; several publish
 * at once.  (Layers: test_layers.c.  Opening: test_generation.c.) */
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>

#include "t/state.h"

#define LAST_SECOND	INT64_C(253402300799)	/* 9999-12-31T23:59:59Z */

static const enum segment_kind kinds[] = { SEGMENT_HOSTS, SEGMENT_DIGESTS, SEGMENT_RULES, SEGMENT_SITE };

/* ---- what is published reads back ---- */

static void
test_no_sources(void)
{
	char *state = new_state();
	struct publish_report report;
	struct generation *g;
	struct rule rule;
	const char *hosts;

	is_int((long long)publish_good(state, &report), 1, "no sources: the first generation");
	ok(report.sources == 0 && report.rules == 0 && report.expired == 0 && report.created == NOW, "no sources: the report");
	g = open_good(state, false);
	if (g != NULL) {
		is_int((long long)generation_number(g), 1, "no sources: its number");
		is_int(generation_created(g), NOW, "no sources: its date");
		is_int((long long)generation_rules(g), 0, "no sources: no rules");
		ok(generation_rule(g, 0, 0, NULL, &rule) == -1, "no sources: not one");
		is_str(url_rules(g, "http://a.example/x?y"), "", "no sources: no host matches");
		is_int(generation_algs(g), 0, "no sources: no algorithm is needed");
		is_int(generation_site(g)->threshold, 3, "no site.conf: the default threshold");
		is_str(generation_site(g)->own_domains, "", "no site.conf: no own domains");
		hosts = strstr(generation_site(g)->range_hosts, "windowsupdate.com");
		ok(hosts != NULL && strstr(hosts + 1, "windowsupdate.com") == NULL, "no site.conf: the default list, once");
	}
	generation_close(g);
	generation_close(NULL);
	if (rmdir(path_in(state, STATE_SOURCES)) == -1)
		abort();
	is_int((long long)publish_good(state, NULL), 2, "no folder of sources is as an empty one");
	free(state);
}

static void
is_readable(const struct generation *g)
{
	bool damaged = false;
	struct lines got = lines_of(g, &damaged), expected = lines_of_rules();
	struct rule rule;

	is_int((long long)generation_rules(g), COUNT(rules), "as many rules as were written");
	ok(got.n == COUNT(rules) && !damaged, "each of them is shown once");
	is_int((long long)lines_missing(&expected, &got), 0, "and says what was written");
	ok(generation_rule(g, 0, COUNT(rules), NULL, &rule) == -1, "no rule behind the last");
	ok(generation_rule(g, 0, UINT32_MAX, NULL, &rule) == -1, "no rule at the end of numbers");
	ok(generation_rule(g, 1, 0, NULL, &rule) == -1 && generation_rule(g, UINT32_MAX, 0, NULL, &rule) == -1, "none in another layer");
	lines_fini(&got);
	lines_fini(&expected);
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
	{ "http://x.c.example/", "feed-x/*.c.example" },
	{ "http://www.bank.example/", "local:3" },
};

static void
is_judgeable(const struct generation *g)
{
	for (size_t i = 0; i < COUNT(urls); i++)
		is_str(url_rules(g, urls[i].url), urls[i].ids, urls[i].url);
	is_str(file_rules(g, DIGEST_MD5, MD5, 90112), "alert-7:1", "a file by size and MD5");
	is_str(file_rules(g, DIGEST_MD5, MD5, 90113), "", "another size");
	is_str(file_rules(g, DIGEST_SHA256, SHA256, 1), "alert-7:2", "a file of any size by SHA-256");
	is_str(file_rules(g, DIGEST_SHA1, SHA1, 5), "feed-x/5:sha1:" SHA1, "a file by SHA-1");
	ok(generation_has_size(g, 5) && generation_max_size(g) == 90112 && !generation_has_size(g, 6), "the listed sizes");
	is_int(generation_algs(g), DIGEST_BIT(DIGEST_MD5) | DIGEST_BIT(DIGEST_SHA1) | DIGEST_BIT(DIGEST_SHA256), "what is needed");
	is_int(generation_sizeless_algs(g), DIGEST_BIT(DIGEST_SHA256), "what needs hashing whatever the size");
}

static const char site[] = "Threshold 5\nFailMode closed\nOwnDomains own.example [2001:db8::7]\nOwnDomains 192.0.2.7 "
    "b\xc3\xbc" "cher.example under_score.example.\nRangeHosts \"\"\nRangeHosts one.example\nContact \"a  b\" # ext. 7\n";

static void
is_site(const struct site *s)
{
	is_int(s->threshold, 5, "site: a number");
	is_int(s->fail_mode, FAIL_CLOSED, "site: a word");
	is_int(s->host_life, 30 * DAY, "site: a default");
	is_str(s->range_hosts, "one.example", "site: a list in place of its default");
	is_str(s->own_domains, "own.example [2001:db8::7] 192.0.2.7 b\xc3\xbc" "cher.example under_score.example.", "site: a list");
	is_str(s->contact, "a  b", "site: a text");
	is_str(s->organisation, "", "site: an empty text");
}

static void
is_counted(const struct generation *g)
{
	uint64_t n[ROW_COUNTS];

	generation_counts(g, n);
	ok(n[COUNT_HOSTS] == 3 && n[COUNT_URLS] == 2 && n[COUNT_PROTECTS] == 1 && n[COUNT_PATTERNS] == 0 && n[COUNT_ADDRESSES] == 0,
	    "hosts, URLs, protects");
	for (int alg = 0; alg < DIGEST_ALGS; alg++)
		ok(n[COUNT_FILES + alg] == 1 && n[COUNT_SIZELESS + alg] == (alg == DIGEST_SHA256), "files by %s",
		    digest_alg_name((enum digest_alg)alg));
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
	ok(r.sources == 3 && r.changed == 3 && r.layers == 1 && r.rules == 9 && r.hosts == 3 && r.urls == 2 && r.files == 3 &&
	    r.protects == 1 && r.expired == 0, "the counts (%zu sources, %zu read, %zu layers)", r.sources, r.changed, r.layers);
	is_int((long long)r.sizeless, 1, "one file rule has no size");
	g = open_good(state, true);
	if (g != NULL) {
		is_readable(g);
		is_judgeable(g);
		is_site(generation_site(g));
		is_counted(g);
		ok(generation_manifest(g)->n_layers == 1 && generation_manifest(g)->layers[0].n == COUNT(kinds) - 1 &&
		    generation_manifest(g)->n_sources == 3, "one layer, its segments, three sources in the manifest");
		is_int((long long)generation_manifest(g)->generation, 1, "the manifest's number");
	}
	generation_close(g);
	free(state);
}

enum { MANY = 3000, LONG_NAME = 1000 };

/* Rule N of test_many(): everything that it says is N, but for a long name that all of them share. */
static int
count_numbered(void *arg, const struct rule *rule, unsigned layer, uint32_t ref)
{
	unsigned *good = arg;
	char text[64];

	(void)layer, (void)ref;
	snprintf(text, sizeof(text), "h%" PRIu32 ".example", rule->line);
	*good += slice_eq(rule->key.host, slice_str(text)) && rule->name.len == LONG_NAME && slice_eq(rule->source, SLICE("a")) &&
	    slice_eq(rule->note, slice_head(slice_str(text + 1), rule->note.len)) && text[1 + rule->note.len] == '.';
	return 0;
}

/* So many texts that their table grows and slots are asked for twice; and equal ones are stored once. */
static void
test_many(void)
{
	char *state = new_state(), name[LONG_NAME + 1] = { 0 };
	unsigned good = 0;
	struct generation *g;
	bool damaged = false;
	struct buf text;

	memset(name, 'x', LONG_NAME);
	buf_init(&text, 8 * ROOM);
	for (int i = 1; i <= MANY; i++)
		buf_addf(&text, "block host h%d.example note=%d name=%s\n", i, i, name);
	put(state, "sources/a.rules", text.p);
	is_int((long long)publish_good(state, NULL), 1, "many rules: published");
	g = open_good(state, true);
	if (g != NULL)
		generation_each(g, count_numbered, &good, &damaged);
	ok(!damaged, "many rules: all hold together");
	is_int(good, MANY, "many rules: each reads back");
	if (g != NULL) {
		is_str(url_rules(g, "http://h2999.example/"), "a:2999", "many rules: one of them");
		ok(manifest_find(&generation_manifest(g)->layers[0], SEGMENT_RULES)->len < MANY * LONG_NAME / 2, "many rules: equal texts once");
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
	struct publish_options options = options_of(state);
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
	ok(r.rules == kept && r.expired == COUNT(lives) - kept, "%llu rules and %llu that are left out", (unsigned long long)r.rules,
	    (unsigned long long)r.expired);
	options.dry_run = options.full = true;
	ok(publish(&options, &r, &diag) == 0 && diag.n == r.expired && diag.n > 0 && diag.v[0].level == DIAG_NOTE &&
	    diag.v[0].line > 0 && strstr(diag.v[0].text, "the rule expired ") != NULL, "each that is left out is named");
	diag_fini(&diag);
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

/* What a clock from the future left out as expired may not be: with the clock set right, every source is read again. */
static void
test_clock_back(void)
{
	char *state = new_state();
	struct publish_report report;
	struct diag diag = { 0 };

	put(state, "sources/local.rules", "block host a.example expires=2026-12-31\nblock host b.example expires=never\n");
	ok(publish_at(state, NOW + 400 * DAY, false, &report, &diag) == 0 && report.rules == 1 && report.expired == 1,
	    "a clock that is a year ahead: one has expired");
	ok(publish_at(state, NOW, false, &report, &diag) == 0 && report.rules == 2 && report.changed == 1, "set right: it is there again");
	ok(publish_at(state, NOW, false, &report, &diag) == 0 && report.changed == 0, "and then nothing is read");
	show(&diag);
	diag_fini(&diag);
	free(state);
}

/* What sources protect is in the site's segment: where that is lost, they are asked again. */
static void
test_site_lost(void)
{
	char *state = new_state();
	struct publish_report report;
	struct diag diag = { 0 };

	put(state, "sources/own.rules", "protect host .mine.example\n");
	publish_good(state, &report);
	if (unlink(segment_path(state, SEGMENT_SITE, report.generation)) == -1)
		abort();
	put(state, "sources/x.rules", "block host www.mine.example\n");
	ok(publish_at(state, NOW, false, &report, &diag) == -1 && strstr(diag_first_error(&diag), "mine.example") != NULL,
	    "the site's segment is lost: what is protected still is: %s", diag_first_error(&diag));
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
	{ "a bad line", SECOND, "deny host b.example\n", SECOND, 1, 1, "expected block, allow, protect or except: \"deny\"" },
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
	put(state, "sources/a.rules", "block host .com\ndeny host a.example\nblock host .own.example level=9\nblock host .own.example\n");
	ok(publish_at(state, NOW, false, &report, &diag) == -1 && diag.n == 5, "bad lines and bad rules are told together");
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
	struct diag diag = { 0 };

	put(state, "sources/a.rules", base_rules);
	for (size_t i = 0; i < COUNT(names); i++)
		put(state, names[i], "deny host b.example\n");
	ok(publish_at(state, NOW, false, &report, &diag) == 0 && diag.n_errors == 0, "what is no source is not read");
	diag_fini(&diag);
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
	struct publish_options options = options_of(state);
	struct publish_report report;
	struct diag diag = { 0 };

	options.suffix_file = path_in(state, "no-such-list");
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
	return a->generation == b->generation && a->sources == b->sources && a->changed == b->changed &&
	    a->rules == b->rules && a->hosts == b->hosts &&
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

static void
test_numbers(void)
{
	char *state = new_state();
	struct generation *first, *third;

	put(state, STATE_SITE, "KeepGenerations 2\n");
	put(state, "sources/a.rules", "block host a.example\n");
	is_int((long long)publish_good(state, NULL), 1, "the first");
	is_str(listing(state), "MANIFEST MANIFEST.1 compact.lock hosts-1.seg lock rules-1.seg site-1.seg", "the first's files");
	first = open_good(state, true);
	is_int((long long)publish_good(state, NULL), 2, "the second");
	is_str(listing(state), "MANIFEST MANIFEST.1 MANIFEST.2 compact.lock hosts-1.seg lock rules-1.seg site-1.seg site-2.seg",
	    "it has the first's layer");
	put(state, "sources/a.rules", "block host b.example\n");
	is_int((long long)publish_good(state, NULL), 3, "the third");
	is_str(listing(state), "MANIFEST MANIFEST.2 MANIFEST.3 compact.lock hosts-1.seg hosts-3.seg lock rules-1.seg rules-3.seg "
	    "site-2.seg site-3.seg", "the first's files go, but for what the second needs");
	third = open_good(state, true);
	if (first != NULL && third != NULL) {
		is_int((long long)generation_number(first), 1, "who has the first open still has it");
		is_str(url_rules(first, "http://a.example/"), "a:1", "and judges by it");
		is_int((long long)generation_number(third), 3, "who opens now has the third");
		is_str(url_rules(third, "http://a.example/"), "", "which has other rules");
		is_str(url_rules(third, "http://b.example/"), "a:1", "and judges by these");
	}
	is_int((long long)publish_good(state, NULL), 4, "the fourth");
	is_str(listing(state), "MANIFEST MANIFEST.3 MANIFEST.4 compact.lock hosts-3.seg lock rules-3.seg site-3.seg site-4.seg",
	    "the first's layer goes");
	if (first != NULL)
		is_str(url_rules(first, "http://a.example/"), "a:1", "and who has it open judges by it");
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
	char *state = new_state();
	struct buf text;

	put(state, STATE_SITE, "KeepGenerations 1\n");
	put(state, "sources/a.rules", "block host a.example\n");
	for (int i = 0; i < 3; i++)
		publish_good(state, NULL);
	unlink(path_in(state, STATE_MANIFEST));
	is_int((long long)publish_good(state, NULL), 4, "a lost MANIFEST: no number comes again");
	is_str(listing(state), "MANIFEST MANIFEST.4 compact.lock hosts-4.seg lock rules-4.seg site-4.seg",
	    "a lost MANIFEST: all is read, and what nobody names is removed");
	put_manifest(state, SLICE("firebreak-manifest 2\ngeneration 90\n"));
	is_replaced(state, 5, "is damaged and will be replaced", "half a MANIFEST");
	is_str(listing(state), "MANIFEST MANIFEST.5 compact.lock hosts-5.seg lock rules-5.seg site-5.seg",
	    "half a MANIFEST: it names nothing");
	put_manifest(state, SLICE("firebreak-manifest 1\ngeneration 90\n"));
	is_replaced(state, 6, "is damaged and will be replaced", "a MANIFEST of the version before");
	put_manifest(state, SLICE(""));
	is_replaced(state, 7, "is damaged and will be replaced", "an empty MANIFEST");
	buf_init(&text, 2 * MANIFEST_MAX);
	while (text.len <= MANIFEST_MAX)
		buf_add_char(&text, 'x');
	put_manifest(state, buf_slice(&text));
	is_replaced(state, 8, "will be replaced", "a MANIFEST without end");
	buf_fini(&text);
	free(state);
}

/* A kept MANIFEST that is damaged names nothing any more; one that cannot be read may name any segment: none is removed while it is
 * kept. */
static void
test_bad_kept(void)
{
	char *state = new_state();

	put(state, STATE_SITE, "KeepGenerations 2\n");
	publish_good(state, NULL);
	unlink(path_in(state, "rules/MANIFEST.1"));
	put(state, "rules/MANIFEST.1", "firebreak-manifest 2\n");
	put(state, "rules/rules-1.seg", "");
	is_int((long long)publish_good(state, NULL), 2, "a kept MANIFEST is damaged: published over it");
	is_str(listing(state), "MANIFEST MANIFEST.2 compact.lock lock site-2.seg", "it is removed, and what it may have named");
	unlink(path_in(state, "rules/MANIFEST.2"));
	if (mkdir(path_in(state, "rules/MANIFEST.2"), 0755) == -1)
		abort();
	put(state, "rules/rules-1.seg", "");
	is_int((long long)publish_good(state, NULL), 3, "a kept MANIFEST cannot be read: published over it");
	ok(access(segment_path(state, SEGMENT_RULES, 1), F_OK) == 0, "and nothing is removed");
	rmdir(path_in(state, "rules/MANIFEST.2"));
	is_int((long long)publish_good(state, NULL), 4, "and once more");
	is_str(listing(state), "MANIFEST MANIFEST.3 MANIFEST.4 compact.lock lock site-3.seg site-4.seg", "what nobody names is removed");
	free(state);
}

static void
test_strays(void)
{
	static const char *const strays[] = { "rules/rules-40.seg", "rules/rules-x.seg", "rules/other-99.seg", "rules/hosts-50.seg.Xa8",
		"rules/hosts-.seg", "rules/site-0.seg", "rules/hosts", "rules/-60.seg", "rules/rules-70-.seg", "rules/MANIFEST.x",
		"rules/digests-18446744073709551615.seg" };
	char *state = new_state();

	for (size_t i = 0; i < COUNT(strays); i++)
		put(state, strays[i], "");
	put(state, "sources/a.rules", "block host a.example\n");
	is_int((long long)publish_good(state, NULL), 51, "a publish that died left a number: the next one follows");
	/* The highest number there is has none after it: its file is removed, and does not count. */
	is_str(listing(state), "-60.seg MANIFEST MANIFEST.51 MANIFEST.x compact.lock hosts hosts-.seg hosts-51.seg lock other-99.seg "
	    "rules-51.seg rules-70-.seg rules-x.seg site-0.seg site-51.seg", "its files are removed, half ones too, and nobody else's");
	free(state);
}

/* After the last number comes 0, which no MANIFEST may have. */
static void
test_last_number(void)
{
	char *state = new_state();
	struct publish_report report;
	struct manifest last;
	struct diag diag = { 0 };
	struct generation *g;
	struct buf before;

	publish_good(state, NULL);
	if (manifest_load(path_in(state, STATE_MANIFEST), &last, NULL) == -1)
		abort();
	last.generation = UINT64_MAX - 1;
	write_manifest(state, &last);
	manifest_fini(&last);
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

/* ---- the budget ---- */

/* What publish held, as OPTIONS say; -1 when it was refused, for WHY. */
static long long
held_by(const struct publish_options *options, const char *why)
{
	struct publish_report r;
	struct diag diag = { 0 };
	int result = publish(options, &r, &diag);

	ok(result == 0 || strstr(diag_first_error(&diag), why) != NULL, "%s", result == 0 ? "published" : diag_first_error(&diag));
	diag_fini(&diag);
	return result == 0 ? (long long)r.held : -1;
}

static void
test_budget(void)
{
	char *state = new_state();
	struct publish_options options = options_of(state);
	struct held_list over = { 0 };
	struct generation *g;

	put(state, STATE_SITE, "RehearseBudget 5\n");
	put(state, "sources/local.rules", "block host a.example\n");
	publish_good(state, NULL);
	g = open_good(state, true);
	options.rehearsed = generation_manifest(g);
	options.full = true;
	is_int(held_by(&options, ""), 0, "a source that is as it was when it was rehearsed is published");
	put(state, "sources/local.rules", "block host a.example\nblock host b.example\n");
	is_int(held_by(&options, "changed after the access logs were asked about it"), -1, "one that has changed since is not");
	options.rehearsed = NULL;
	ok(held_add(&over, SLICE("2026-11-18"), SLICE("budget"), SLICE("local"), SLICE("block host b.example"), SLICE("too much")) == 0 &&
	    held_add(&over, SLICE("2026-11-18"), SLICE("budget"), SLICE("other"), SLICE("block host a.example"), SLICE("no")) == 0,
	    "two are over the budget");
	held_index(&over);
	options.budget = &over;
	is_int(held_by(&options, ""), 1, "that of this source is held");
	options.budget = NULL;
	is_int(held_by(&options, ""), 1, "and stays so when nobody asks again");
	put(state, STATE_SITE, "");
	is_int(held_by(&options, ""), 0, "until there is no budget");
	options.budget = &over;
	is_int(held_by(&options, ""), 0, "nothing is over none");
	held_fini(&over);
	generation_close(g);
	free(state);
}

/* ---- the same again ---- */

/* The number is in the names and in the MANIFEST alone: a segment depends on nothing but the input. */
static void
test_same_input(void)
{
	char *state = new_state(), *other = new_state();
	struct publish_options options = options_of(state);

	put(other, "sources/zzz.rules", "block host later.example\n");
	put_rules(state);
	put(state, STATE_SITE, site);
	publish_good(state, NULL);
	options.full = true;
	publish_as(&options, NULL);
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

/* Files stand in a folder in another order than names do: '-' comes before the '.' of ".rules". */
static void
test_order_of_names(void)
{
	static const char *const names[] = { "a", "a-b", "a-", "a.b", "a.", "a_b", "aa", "A", "a0", "B-", "B" };
	char *state = new_state(), file[100], text[100], url[100];
	struct publish_report r;
	struct generation *g;

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(file, sizeof(file), "sources/%s.rules", names[i]);
		snprintf(text, sizeof(text), "block host h%zu.example id=x\n", i);
		put(state, file, text);
	}
	is_int((long long)publish_good(state, NULL), 1, "names in an order of their own: published");
	g = open_good(state, true);
	for (size_t i = 0; g != NULL && i < COUNT(names); i++) {
		snprintf(url, sizeof(url), "http://h%zu.example/", i);
		snprintf(text, sizeof(text), "%s:x", names[i]);
		is_str(url_rules(g, url), text, "its rule is there");
	}
	generation_close(g);
	ok(publish_good(state, &r) == 2 && r.changed == 0 && r.sources == COUNT(names), "and none changed: %zu", r.changed);
	free(state);
}

/* The longest name that a source may have, and one more. */
static void
test_long_names(void)
{
	char *state = new_state(), name[100], file[200];
	struct publish_report report;
	struct diag diag = { 0 };
	struct generation *g;

	snprintf(name, sizeof(name), "%064d", 7);
	snprintf(file, sizeof(file), "sources/%s.rules", name);
	put(state, file, "block host a.example\n");
	is_int((long long)publish_good(state, NULL), 1, "a name of 64: published");
	g = open_good(state, true);
	ok(g != NULL && generation_rules(g) == 1 && strlen(generation_manifest(g)->sources[0].name) == 64, "a name of 64: opens");
	generation_close(g);
	ok(publish_good(state, &report) == 2 && report.changed == 0, "a name of 64: not read again");
	snprintf(file, sizeof(file), "sources/%s0.rules", name);
	put(state, file, "block host a.example\n");
	ok(publish_at(state, NOW, false, &report, &diag) == -1 && diag.n_errors == 1, "a name of 65: refused");
	diag_fini(&diag);
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
	char *state = new_state(), *manifest = file_join(state, STATE_MANIFEST);

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
	char *state = new_state(), *dir = file_join(state, STATE_RULES), *first = strdup(segment_path(state, SEGMENT_RULES, 2));

	put(state, "sources/a.rules", base_rules);
	publish_good(state, NULL);
	if (geteuid() == 0) {
		skip("a folder that must not be written", "root may write everywhere");
	} else if (chmod(dir, 0555) == 0) {
		is_failing(state, segment_path(state, SEGMENT_SITE, 2), "Permission denied", "a folder that must not be written, nothing new");
		put(state, "sources/a.rules", "block host other.example\n");
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
	struct publish_report report;
	struct diag diag = { 0 };
	char *state = new_state();
	struct buf text;
	char why[100];

	publish_good(state, NULL);
	buf_init(&text, ROOM);
	for (int i = 0; i <= HOST_RULES_PER_KEY; i++)
		buf_add_str(&text, "block host a.example\n");
	put(state, "sources/a.rules", text.p);
	snprintf(why, sizeof(why), "more than %d rules for \"a.example\": the others are left out", HOST_RULES_PER_KEY);
	ok(publish_at(state, NOW, false, &report, &diag) == 0 && diag.n_warnings == 1 && strstr(diag.v[0].text, why) != NULL,
	    "too many rules for a host: the first are published, with a warning");
	diag_fini(&diag);
	put(state, "sources/a.rules", text.p + strlen("block host a.example\n"));
	ok(publish_at(state, NOW, false, &report, &diag) == 0 && diag.n_warnings == 0, "one less: without");
	diag_fini(&diag);
	buf_fini(&text);
	free(state);
}

/* In a child: no file may grow beyond MAX bytes.  How many checks fail is its status. */
static int
publish_limited(const char *state, rlim_t max, const char *path, const char *why)
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
	    (diag.n != 1 || strstr(diag.v[0].text, why) == NULL);
}

/* The disk is full while one of the segments is written: those before it are there by then, and go again.  TEXT makes that of KIND
 * longer than MAX bytes, and no other. */
static void
test_full_disk_at(enum segment_kind kind, rlim_t max, const char *text, const char *why)
{
	char *state = new_state(), *path = strdup(segment_path(state, kind, 2));
	struct buf before;
	struct generation *g;
	pid_t pid;

	publish_good(state, NULL);
	put(state, "sources/a.rules", text);
	before = snapshot(state);
	if ((pid = fork_quietly()) == 0)
		_exit(publish_limited(state, max, path, why));
	is_int(status_of(pid), 0, "a disk that is full: refused, and why");
	is_unchanged(state, &before, "a disk that is full");
	g = open_good(state, true);
	ok(g != NULL && generation_number(g) == 1, "what was live is live");
	generation_close(g);
	free(path);
	free(state);
}

static void
test_full_disk(void)
{
	struct buf text;

	buf_init(&text, ROOM);
	buf_add_str(&text, "block host a.example note=");
	while (text.len < 4000)
		buf_add_char(&text, 'x');
	test_full_disk_at(SEGMENT_RULES, 2000, text.p, "File too large");
	buf_reset(&text);
	for (int i = 0; i < 500; i++)
		buf_addf(&text, "block host a-rather-long-name-of-%d.example\n", i);
	test_full_disk_at(SEGMENT_HOSTS, 8000, text.p, "File too large");
	buf_reset(&text);
	for (int i = 0; i < 500; i++)
		buf_addf(&text, "block url h.example/a-rather-long-path-of-%d\n", i);
	test_full_disk_at(SEGMENT_HOSTS, 8000, text.p, "File too large");
	buf_reset(&text);
	for (int i = 0; i < 500; i++)
		buf_addf(&text, "block file %d:sha256:%064d\n", i + 1, i);
	test_full_disk_at(SEGMENT_DIGESTS, 8000, text.p, "File too large");
	buf_fini(&text);
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

enum { PUBLISHERS = 3, PUBLISHES = 10 };

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
		for (int k = 0; k < PUBLISHES; k++)
			if (publish_good(state, NULL) == 0)
				_exit(1);
		_exit(0);
	}
	for (int i = 0; i < PUBLISHERS; i++)
		is_int(status_of(pids[i]), 0, "a publisher among others");
	g = open_good(state, true);
	ok(g != NULL && generation_number(g) == PUBLISHERS * PUBLISHES, "no number was given twice");
	generation_close(g);
	ok(access(path_in(state, "rules/MANIFEST.15"), F_OK) == 0 && access(path_in(state, "rules/MANIFEST.14"), F_OK) == -1,
	    "and the last 16 are kept");
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
	test_clock_back();
	test_site_lost();
	test_refusals();
	test_all_findings();
	test_names();
	test_fifo();
	test_no_suffixes();
	test_dry_run();
	test_numbers();
	test_bad_manifest();
	test_bad_kept();
	test_strays();
	test_last_number();
	test_budget();
	test_same_input();
	test_order_of_names();
	test_long_names();
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
	state_begin();
	test_publishing();
	test_failing();
	test_publishers();
	test_lock();
	return state_end();
}
