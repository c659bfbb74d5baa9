/* The decision, through the real publisher: precedence, levels, expiry, files, and the size-first question. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "judge/judge.h"
#include "ruleset/publish.h"
#include "runtime/state.h"
#include "t/tap.h"

enum { NOW = 1795000000 };	/* 2026-11-18 */

#define MD5_A	"0123456789abcdef0123456789abcdef"
#define MD5_B	"fedcba9876543210fedcba9876543210"

/* The sources are published in two layers: the feed first, with so much in it that it stays where it is. */
static bool two_layers;

enum { PAD_RULES = 280, PAD_NOTE = 4000 };

/* TEXT as source FILE of STATE, written at NOW, whatever this machine's clock says: relative ends count from it. */
static void
put_source(const char *state, const char *file, const char *text, bool padded)
{
	char path[STATE_PATH];
	struct buf all;

	buf_init(&all, 1 << 22);
	buf_add_str(&all, text);
	for (int i = 0; padded && i < PAD_RULES; i++)
		buf_addf(&all, "block host pad%d.example.net note=%0*d\n", i, PAD_NOTE, i);
	snprintf(path, sizeof(path), "%s/sources/%s", state, file);
	if (file_write(path, buf_slice(&all), 0644) == -1 ||
	    utimensat(AT_FDCWD, path, (const struct timespec[]){ { .tv_sec = NOW }, { .tv_sec = NOW } }, 0) == -1)
		abort();
	buf_fini(&all);
}

/* Publish the sources "local", "feed-x" and "alert-1" (NULL = none) with SITE; the generation is the caller's. */
static struct generation *
generation_of(const char *site, const char *local, const char *feed, const char *alert)
{
	char *state = temp_dir(), path[STATE_PATH], rules[STATE_PATH];
	struct publish_options options = { .state = state, .now = NOW };
	struct publish_report report;
	struct diag diag = { 0 };
	struct generation *g = NULL;

	if (state_make(state) == -1)
		abort();
	snprintf(path, sizeof(path), "%s/site.conf", state);
	if (site != NULL && file_write(path, slice_str(site), 0644) == -1)
		abort();
	if (feed != NULL)
		put_source(state, "feed-x.rules", feed, two_layers);
	if (two_layers)
		publish(&options, &report, &diag);
	if (local != NULL)
		put_source(state, "local.rules", local, false);
	if (alert != NULL)
		put_source(state, "alert-1.rules", alert, false);
	state_path(state, STATE_RULES, rules);
	if (publish(&options, &report, &diag) == 0)
		g = generation_open(rules, true, NULL, &diag);
	if (two_layers && report.layers != (size_t)(feed != NULL) + (local != NULL || alert != NULL))
		ok(false, "%zu layers", report.layers);
	for (size_t i = 0; g == NULL && i < diag.n; i++)
		printf("# %s\n", diag.v[i].text);
	diag_fini(&diag);
	free(state);
	return g;
}

struct request_row {
	const char *idea, *site, *local, *feed, *alert, *url;
	enum verdict verdict;
	enum reason reason;
	const char *rule, *would;	/* ids, or NULL */
};

/* An expression that runs into its limit. */
#define HEAVY_RULE	"block path limits.example~^/(a+)+$ name=heavy\n"
#define HEAVY_URL	"http://limits.example/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"

static const struct request_row requests[] = {
	{ "could not be checked", NULL, HEAVY_RULE, NULL, NULL, HEAVY_URL, VERDICT_PASS, REASON_LIMIT, NULL, NULL },
	{ "could not be checked, but is blocked", NULL, HEAVY_RULE, "block host limits.example\n", NULL, HEAVY_URL,
	    VERDICT_BLOCK, REASON_HOST, "feed-x/limits.example", NULL },
	{ "could not be checked, and a feed allows it", NULL, HEAVY_RULE, "allow host limits.example\n", NULL, HEAVY_URL,
	    VERDICT_PASS, REASON_LIMIT, NULL, NULL },
	{ "could not be checked, but the site allows it", NULL, "allow host limits.example\n", HEAVY_RULE, NULL, HEAVY_URL,
	    VERDICT_PASS, REASON_NONE, "local:1", NULL },
	{ "no rule", NULL, "block host a.example\n", NULL, NULL, "http://b.example/", VERDICT_PASS, REASON_NONE, NULL, NULL },
	{ "the founding attack", NULL, NULL, NULL, "block host *.secure.upd01.net id=host-1\n",
	    "http://updates.betterbricks.com.secure.upd01.net/mail/id=1@betterbricks.com-patch121.exe",
	    VERDICT_BLOCK, REASON_HOST, "alert-1:host-1", NULL },
	{ "a wildcard is not the host itself", NULL, "block host *.secure.upd01.net\n", NULL, NULL,
	    "http://secure.upd01.net/", VERDICT_PASS, REASON_NONE, NULL, NULL },
	{ "a dot is the host and below", NULL, "block host .upd01.net\n", NULL, NULL, "http://upd01.net/",
	    VERDICT_BLOCK, REASON_HOST, "local:1", NULL },
	{ "a dot below", NULL, "block host .upd01.net\n", NULL, NULL, "http://a.b.upd01.net/",
	    VERDICT_BLOCK, REASON_HOST, "local:1", NULL },
	{ "right-hand match only", NULL, "block host .upd01.net\n", NULL, NULL, "http://upd01.net.example.org/",
	    VERDICT_PASS, REASON_NONE, NULL, NULL },
	{ "label boundaries", NULL, "block host .upd01.net\n", NULL, NULL, "http://notupd01.net/",
	    VERDICT_PASS, REASON_NONE, NULL, NULL },
	{ "exact beats domain", NULL, NULL, "block host .a.example\nallow host www.a.example\n", NULL,
	    "http://www.a.example/", VERDICT_PASS, REASON_NONE, "feed-x/www.a.example", NULL },
	{ "longest domain wins", NULL, NULL, "allow host .a.example\nblock host .b.a.example\n", NULL,
	    "http://x.b.a.example/", VERDICT_BLOCK, REASON_HOST, "feed-x/.b.a.example", NULL },
	{ "equal: allow beats block", NULL, NULL, "block host a.example\nallow host a.example\n", NULL,
	    "http://a.example/", VERDICT_PASS, REASON_NONE, "feed-x/a.example", NULL },
	{ "a feed's allow does not overrule the site's block", NULL, "block host .a.example\n", "allow host www.a.example\n", NULL,
	    "http://www.a.example/", VERDICT_BLOCK, REASON_HOST, "local:1", NULL },
	{ "nor at the same host", NULL, "block host a.example\n", "allow host a.example\n", NULL,
	    "http://a.example/", VERDICT_BLOCK, REASON_HOST, "local:1", NULL },
	{ "it overrules an alert's", NULL, NULL, "allow host a.example\n", "block host a.example id=h\n",
	    "http://a.example/", VERDICT_PASS, REASON_NONE, "feed-x/a.example", NULL },
	{ "a pattern beats a host", NULL, NULL, "allow host a.example\nblock path /x/*.exe\n", NULL,
	    "http://a.example/x/y.exe", VERDICT_BLOCK, REASON_PATH, "feed-x//x/*.exe", NULL },
	{ "a URL beats a pattern", NULL, NULL, "allow url a.example/x/\nblock path /x/*.exe\n", NULL,
	    "http://a.example/x/y.exe", VERDICT_PASS, REASON_NONE, "feed-x/a.example/x/", NULL },
	{ "of two patterns the longer", NULL, NULL, "allow path /xxxx/*\nblock path /xxxx/*.exe\n", NULL,
	    "http://a.example/xxxx/y.exe", VERDICT_BLOCK, REASON_PATH, "feed-x//xxxx/*.exe", NULL },
	{ "one with a host before one without", NULL, NULL, "allow path a.example/x/*\nblock path /x/*.exe\n", NULL,
	    "http://a.example/x/y.exe", VERDICT_PASS, REASON_NONE, "feed-x/a.example/x/*", NULL },
	{ "a network", NULL, NULL, "block address 198.18.0.0/15\n", NULL,
	    "http://198.18.7.7/", VERDICT_BLOCK, REASON_ADDRESS, "feed-x/198.18.0.0/15", NULL },
	{ "of two networks the longer", NULL, NULL, "block address 198.18.0.0/15\nallow address 198.18.7.0/24\n", NULL,
	    "http://198.18.7.7/", VERDICT_PASS, REASON_NONE, "feed-x/198.18.7.0/24", NULL },
	{ "a host beats a network", NULL, NULL, "block address 198.18.7.0/24\nallow host 198.18.7.7\n", NULL,
	    "http://198.18.7.7/", VERDICT_PASS, REASON_NONE, "feed-x/198.18.7.7", NULL },
	{ "a network is not of names", NULL, NULL, "block address 198.18.0.0/15\n", NULL,
	    "http://a.example/", VERDICT_PASS, REASON_NONE, NULL, NULL },
	{ "a regular expression that hits its limit", NULL, NULL, "block path ~abcd(?:a+a+)+(?:b|c)\n", NULL,
	    "http://a.example/abcdaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", VERDICT_PASS, REASON_LIMIT, NULL, NULL },
	{ "URL beats host", NULL, NULL, "allow host a.example\nblock url a.example/bad/\n", NULL,
	    "http://a.example/bad/x?y", VERDICT_BLOCK, REASON_URL, "feed-x/a.example/bad/", NULL },
	{ "longest URL wins", NULL, NULL, "block url a.example/bad/\nallow url a.example/bad/good/\n", NULL,
	    "http://a.example/bad/good/x", VERDICT_PASS, REASON_NONE, "feed-x/a.example/bad/good/", NULL },
	{ "a path ends at a boundary", NULL, "block url a.example/bad\n", NULL, NULL, "http://a.example/badger",
	    VERDICT_PASS, REASON_NONE, NULL, NULL },
	{ "local allow beats all", NULL, "allow host .a.example\n", "block url www.a.example/bad/\n", NULL,
	    "http://www.a.example/bad/x", VERDICT_PASS, REASON_NONE, "local:1", NULL },
	{ "a feed's allow does not", NULL, NULL, "allow host .a.example\n", "block url www.a.example/bad/\n",
	    "http://www.a.example/bad/x", VERDICT_BLOCK, REASON_URL, "alert-1:1", NULL },
	{ "equal, of two sources: allow beats block", NULL, NULL, "allow host a.example\n", "block host a.example level=5\n",
	    "http://a.example/", VERDICT_PASS, REASON_NONE, "feed-x/a.example", NULL },
	{ "longest domain wins, of two sources", NULL, NULL, "block host .b.a.example\n", "allow host .a.example\n",
	    "http://x.b.a.example/", VERDICT_BLOCK, REASON_HOST, "feed-x/.b.a.example", NULL },
	{ "URL beats host, of two sources", NULL, "block url a.example/bad/\n", "allow host a.example\n", NULL,
	    "http://a.example/bad/x?y", VERDICT_BLOCK, REASON_URL, "local:1", NULL },
	{ "below the threshold, the other source acts", NULL, "block host .a.example id=wide\n", "block host a.example level=1\n", NULL,
	    "http://a.example/", VERDICT_BLOCK, REASON_HOST, "local:wide", NULL },
	{ "below the threshold", NULL, NULL, "block host a.example level=2\n", NULL, "http://a.example/",
	    VERDICT_PASS, REASON_NONE, NULL, "feed-x/a.example" },
	{ "at the threshold", NULL, NULL, "block host a.example level=3\n", NULL, "http://a.example/",
	    VERDICT_BLOCK, REASON_HOST, "feed-x/a.example", NULL },
	{ "the site's threshold", "Threshold 5\n", NULL, "block host a.example level=4\n", NULL, "http://a.example/",
	    VERDICT_PASS, REASON_NONE, NULL, "feed-x/a.example" },
	{ "dropped below, a wider one acts", NULL, NULL, "block host a.example level=1\nblock host .example2.org level=5\n"
	    "block host .a.example level=4\n", NULL, "http://a.example/", VERDICT_BLOCK, REASON_HOST, "feed-x/.a.example", NULL },
	{ "a local allow hides what would be", NULL, "allow host a.example\n", "block host a.example level=1\n", NULL,
	    "http://a.example/", VERDICT_PASS, REASON_NONE, "local:1", NULL },
	{ "expires later", NULL, "block host a.example expires=2026-11-19\n", NULL, NULL, "http://a.example/",
	    VERDICT_BLOCK, REASON_HOST, "local:1", NULL },
	{ "protect does not block", NULL, "protect host .a.example\n", NULL, NULL, "http://www.a.example/",
	    VERDICT_PASS, REASON_NONE, NULL, NULL },
};

static void
is_rule(bool has, const struct rule *rule, const char *id, const char *idea, const char *what)
{
	struct buf got;

	buf_init(&got, 1 << 20);
	if (!ok((!has || rule_id_format(rule, &got) == 0) && slice_eq(buf_slice(&got), slice_str(id)), "%s: %s", idea, what))
		printf("# got \"%.*s\"\n", SLICE_ARGS(buf_slice(&got)));
	buf_fini(&got);
}

static void
test_requests(void)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		const struct request_row *row = &requests[i];
		struct generation *g = generation_of(row->site, row->local, row->feed, row->alert);
		struct url url = { 0 };
		struct question q = { .url = &url, .now = NOW };
		struct why why;

		if (!ok(g != NULL && url_parse(&url, slice_str(row->url)) == URL_OK, "%s: set up", row->idea))
			continue;
		judge_request(g, FAIL_OPEN, &q, &why);
		ok(why.verdict == row->verdict && why.reason == row->reason, "%s: verdict (%d %s)", row->idea,
		    why.verdict, reason_name(why.reason));
		is_rule(why.has_rule, &why.rule, row->rule, row->idea, "rule");
		is_rule(why.would_block, &why.would, row->would, row->idea, "would block");
		url_fini(&url);
		generation_close(g);
	}
}

static void
test_expired_later(void)
{
	struct generation *g = generation_of(NULL, "block host a.example expires=2026-11-19\n", NULL, NULL);
	struct url url = { 0 };
	struct question q = { .url = &url, .now = NOW + 30 * 86400 };
	struct why why;

	if (!ok(g != NULL && url_parse(&url, SLICE("http://a.example/")) == URL_OK, "expired: set up"))
		return;
	judge_request(g, FAIL_OPEN, &q, &why);
	ok(why.verdict == VERDICT_PASS && !why.would_block, "expired since: passes, and would not block");
	ok(why.n_steps == 1 && why.steps[0].result == STEP_EXPIRED, "and the step says expired");
	q.now = 0;
	judge_request(g, FAIL_OPEN, &q, &why);
	ok(why.verdict == VERDICT_BLOCK, "a clock in 1970 counts as the generation's creation");
	url_fini(&url);
	generation_close(g);
}

static void
test_unchecked(void)
{
	struct question q = { .url_error = URL_BAD_HOST, .now = NOW };
	struct generation *g = generation_of(NULL, "block host a.example\n", NULL, NULL);
	struct why why;

	judge_request(NULL, FAIL_OPEN, &q, &why);
	ok(why.verdict == VERDICT_PASS && why.reason == REASON_NO_RULES, "no generation, fail open");
	judge_request(NULL, FAIL_CLOSED, &q, &why);
	ok(why.verdict == VERDICT_BLOCK && why.reason == REASON_NO_RULES, "no generation, fail closed");
	judge_request(g, FAIL_OPEN, &q, &why);
	ok(why.verdict == VERDICT_PASS && why.reason == REASON_BAD_URL, "a bad URL, fail open: passes, but is said");
	judge_request(g, FAIL_CLOSED, &q, &why);
	ok(why.verdict == VERDICT_BLOCK && why.reason == REASON_BAD_URL, "a bad URL, fail closed");
	generation_close(g);
}

struct file_row {
	const char *idea, *local;
	uint64_t size;
	const char *md5;
	enum verdict verdict;
	const char *rule, *would;
};

static const struct file_row files[] = {
	{ "size and digest", "block file 90112:md5:" MD5_A "\n", 90112, MD5_A, VERDICT_BLOCK, "local:1", NULL },
	{ "another size", "block file 90112:md5:" MD5_A "\n", 90113, MD5_A, VERDICT_PASS, NULL, NULL },
	{ "another digest", "block file 90112:md5:" MD5_A "\n", 90112, MD5_B, VERDICT_PASS, NULL, NULL },
	{ "any size", "block file *:md5:" MD5_A "\n", 5, MD5_A, VERDICT_BLOCK, "local:1", NULL },
	{ "allow beats block", "block file *:md5:" MD5_A "\nallow file 5:md5:" MD5_A "\n", 5, MD5_A, VERDICT_PASS,
	    "local:2", NULL },
	{ "below the threshold", "block file 5:md5:" MD5_A " level=1\n", 5, MD5_A, VERDICT_PASS, NULL, "local:1" },
};

static void
test_files(void)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		const struct file_row *row = &files[i];
		struct generation *g = generation_of(NULL, row->local, NULL, NULL);
		struct body_facts facts = { .size = row->size, .n = 1 };
		struct why why;

		if (!ok(g != NULL && digest_parse(DIGEST_MD5, slice_str(row->md5), &facts.digests[0]) == 0, "%s: set up",
		    row->idea))
			continue;
		judge_body(g, &facts, NOW, &why);
		ok(why.verdict == row->verdict, "file, %s: verdict", row->idea);
		is_rule(why.has_rule, &why.rule, row->rule, row->idea, "rule");
		is_rule(why.would_block, &why.would, row->would, row->idea, "would block");
		generation_close(g);
	}
}

/* What a file is called counts as its digest does, where rules go by names. */
static void
test_named_files(void)
{
	static const struct { const char *idea, *local, *name; uint64_t size; enum verdict verdict; const char *rule, *would; } rows[] = {
		{ "name and size", "block file 90112:name:patch{DIGIT[3]}.exe\n", "Patch121.exe", 90112, VERDICT_BLOCK, "local:1", NULL },
		{ "another size", "block file 90112:name:patch{DIGIT[3]}.exe\n", "patch121.exe", 90113, VERDICT_PASS, NULL, NULL },
		{ "another name", "block file 90112:name:patch{DIGIT[3]}.exe\n", "patch12.exe", 90112, VERDICT_PASS, NULL, NULL },
		{ "any size", "block file *:name:wild*.exe\n", "wild-.exe", 5, VERDICT_BLOCK, "local:1", NULL },
		{ "no name at all", "block file *:name:wild*.exe\n", NULL, 5, VERDICT_PASS, NULL, NULL },
		{ "an allow by digest", "block file *:name:wild*.exe\nallow file *:md5:" MD5_A "\n", "wild1.exe", 5, VERDICT_PASS, "local:2",
		    NULL },
		{ "an allow by name", "block file 5:md5:" MD5_A "\nallow file 5:name:mine.exe\n", "mine.exe", 5, VERDICT_PASS, "local:2", NULL },
		{ "below the threshold", "block file 5:name:patch*.exe level=1\n", "patch1.exe", 5, VERDICT_PASS, NULL, "local:1" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct generation *g = generation_of(NULL, rows[i].local, NULL, NULL);
		struct file_names names = { 0 };
		struct body_facts facts = { .size = rows[i].size, .n = 1, .names = &names };
		struct why why;

		if (!ok(g != NULL && digest_parse(DIGEST_MD5, SLICE(MD5_A), &facts.digests[0]) == 0, "%s: set up", rows[i].idea))
			continue;
		if (rows[i].name != NULL)
			file_names_add(&names, slice_str(rows[i].name));
		judge_body(g, &facts, NOW, &why);
		ok(why.verdict == rows[i].verdict && (why.verdict == VERDICT_PASS || why.reason == REASON_FILE_NAME), "named, %s: verdict",
		    rows[i].idea);
		is_rule(why.has_rule, &why.rule, rows[i].rule, rows[i].idea, "rule");
		is_rule(why.would_block, &why.would, rows[i].would, rows[i].idea, "would block");
		generation_close(g);
	}
}

/* Hashing that failed must not look like a file that nobody listed. */
static void
test_no_digest(void)
{
	static const struct { const char *idea, *site; enum verdict verdict; } rows[] = {
		{ "fail open", "FailMode open\n", VERDICT_PASS }, { "fail closed", "FailMode closed\n", VERDICT_BLOCK },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct generation *g = generation_of(rows[i].site, "block file 5:md5:" MD5_A "\n", NULL, NULL);
		struct why why;

		judge_body(g, &(struct body_facts){ .size = 5 }, NOW, &why);
		ok(why.verdict == rows[i].verdict && why.reason == REASON_NO_MEMORY && !why.has_rule, "no digest, %s",
		    rows[i].idea);
		generation_close(g);
	}
}

/* Rules that may not act do not hide the one that may, however many they are. */
static void
test_many(void)
{
	static const char *const crowd[] = { "url a.example/p/q", "url a.example/p/", "url a.example/p", ("file 5:md5:" MD5_A) };
	struct body_facts facts = { .size = 5, .n = 1 };
	struct generation *g;
	struct url url = { 0 };
	struct question q = { .url = &url, .now = NOW };
	struct why why;
	struct buf rules;

	buf_init(&rules, 1 << 20);
	for (size_t i = 0; i < sizeof(crowd) / sizeof(*crowd); i++)
		for (int k = 0; k < 60 || (k < 200 && i == 3); k++)
			buf_addf(&rules, "block %s level=1\n", crowd[i]);
	buf_add_str(&rules, "block host .example id=host level=5\nblock file 5:md5:" MD5_A " id=file level=5\n");
	g = generation_of(NULL, rules.p, NULL, NULL);
	ok(g != NULL && url_parse(&url, SLICE("http://a.example/p/q")) == URL_OK &&
	    digest_parse(DIGEST_MD5, SLICE(MD5_A), &facts.digests[0]) == 0, "many rules: set up");
	judge_request(g, FAIL_OPEN, &q, &why);
	ok(why.verdict == VERDICT_BLOCK && why.reason == REASON_HOST, "many URL rules: the host rule behind them decides");
	judge_body(g, &facts, NOW, &why);
	ok(why.verdict == VERDICT_BLOCK && why.reason == REASON_FILE, "many file rules: blocked");
	is_rule(why.has_rule, &why.rule, "local:file", "many file rules", "the last decides");
	url_fini(&url);
	generation_close(g);
	buf_fini(&rules);
}

struct plan_row {
	const char *idea, *rules;
	struct body_head head;
	enum file_type type;
	enum plan_action action;
	unsigned sent, decoded;		/* algorithms */
	uint64_t until;
	enum member_mode members;
};

#define SIZED		"block file 90112:md5:" MD5_A "\nblock file 300:sha1:0123456789abcdef0123456789abcdef01234567\n"
#define SIZELESS	SIZED "block file *:md5:" MD5_B "\n"
#define MD5		DIGEST_BIT(DIGEST_MD5)
#define BOTH		(DIGEST_BIT(DIGEST_MD5) | DIGEST_BIT(DIGEST_SHA1))
#define GZIP		.codings = { .n = 1, .list = { CODING_GZIP } }
#define UNKNOWN_CODING	.codings = { .fault = UNSCANNABLE_CODING }
#define FORM		.boundary = { .len = 3, .text = "XyZ" }
#define BAD_FORM	.boundary = { .fault = UNSCANNABLE_DAMAGED }
#define EVER		UINT64_MAX
#define NAMED		"block file 90112:name:patch{DIGIT[3]}.exe\n"
#define ANY_NAMED	"block file *:name:patch{DIGIT[3]}.exe\n"
#define PATCH		.names = &(const struct file_names){ .n = 1, .v = { { 12, "patch121.exe" } } }
#define OTHER		.names = &(const struct file_names){ .n = 1, .v = { { 9, "other.exe" } } }
#define H(body, s, length, complete, ...)	\
	{ .has_body = body, .status = s, .content_length = length, .complete_length = complete, __VA_ARGS__ }

static const struct plan_row plans[] = {
	{ "no body", SIZED, H(false, 200, 90112, -1), TYPE_EXECUTABLE, PLAN_PASS, 0, 0, 0, 0 },
	{ "no file rules", "block host a.example\n", H(true, 200, -1, -1), TYPE_EXECUTABLE, PLAN_PASS, 0, 0, 0, 0 },
	/* texts, images and media: only a listed length speaks for them */
	{ "a length nobody listed", SIZED, H(true, 200, 90111, -1), TYPE_TEXT, PLAN_PASS, 0, 0, 0, 0 },
	{ "a listed length", SIZED, H(true, 200, 90112, -1), TYPE_TEXT, PLAN_INSPECT, BOTH, 0, 90112, MEMBERS_NO },
	{ "a listed length, an image", SIZED, H(true, 200, 90112, -1), TYPE_IMAGE, PLAN_INSPECT, BOTH, 0, 90112, MEMBERS_NO },
	{ "a text of unknown length", SIZED, H(true, 200, -1, -1), TYPE_TEXT, PLAN_PASS, 0, 0, 0, 0 },
	{ "a coded text", SIZED, H(true, 200, 90111, -1, GZIP), TYPE_TEXT, PLAN_PASS, 0, 0, 0, 0 },
	{ "a coded text of a listed length", SIZED, H(true, 200, 300, -1, GZIP), TYPE_TEXT, PLAN_INSPECT, BOTH, 0, 90112, MEMBERS_NO },
	{ "a film of unknown length", SIZED, H(true, 200, -1, -1), TYPE_MEDIA, PLAN_PASS, 0, 0, 0, 0 },
	{ "a text, and rules without a size", SIZELESS, H(true, 200, 5, -1), TYPE_TEXT, PLAN_PASS, 0, 0, 0, 0 },
	/* but what claims to be a file is looked at */
	{ "a text to be kept", SIZED, H(true, 200, -1, -1, .claims_file = true), TYPE_TEXT, PLAN_INSPECT, BOTH, 0, 90112, MEMBERS_WATCH },
	{ "an image to be kept", SIZED, H(true, 200, 5, -1, .claims_file = true), TYPE_IMAGE, PLAN_INSPECT, 0, 0, 90112, MEMBERS_WATCH },
	/* programs: the length first; an archive may be in them */
	{ "a program of a listed length", SIZED, H(true, 200, 90112, -1), TYPE_EXECUTABLE, PLAN_INSPECT, BOTH, 0, 90112, MEMBERS_WATCH },
	{ "a program of another", SIZED, H(true, 200, 90111, -1), TYPE_EXECUTABLE, PLAN_INSPECT, 0, 0, 90112, MEMBERS_WATCH },
	{ "a program of unknown length", SIZED, H(true, 200, -1, -1), TYPE_EXECUTABLE, PLAN_INSPECT, BOTH, 0, 90112, MEMBERS_WATCH },
	{ "a coded program", SIZED, H(true, 200, 5, -1, GZIP), TYPE_EXECUTABLE, PLAN_INSPECT, 0, BOTH, 90112, MEMBERS_WATCH },
	{ "a coded program in chunks", SIZED, H(true, 200, -1, -1, GZIP), TYPE_EXECUTABLE, PLAN_INSPECT, BOTH, BOTH, 90112,
	    MEMBERS_WATCH },
	{ "an unknown coding", SIZED, H(true, 200, 5, -1, UNKNOWN_CODING), TYPE_UNKNOWN, PLAN_INSPECT, 0, 0, 90112, MEMBERS_WATCH },
	{ "an unknown coding of what looks like a text", SIZED, H(true, 200, 5, -1, UNKNOWN_CODING), TYPE_TEXT, PLAN_INSPECT, 0, 0, 90112,
	    MEMBERS_NO },
	{ "no size needed", SIZELESS, H(true, 200, 90111, -1), TYPE_EXECUTABLE, PLAN_INSPECT, MD5, 0, EVER, MEMBERS_WATCH },
	{ "listed, and no size needed", SIZELESS, H(true, 200, 300, -1), TYPE_UNKNOWN, PLAN_INSPECT, BOTH, 0, EVER, MEMBERS_WATCH },
	{ "unknown, and no size needed", SIZELESS, H(true, 200, -1, -1), TYPE_UNKNOWN, PLAN_INSPECT, BOTH, 0, EVER, MEMBERS_WATCH },
	{ "an error page too", SIZED, H(true, 404, 300, -1), TYPE_TEXT, PLAN_INSPECT, BOTH, 0, 90112, MEMBERS_NO },
	/* archives */
	{ "an archive", SIZED, H(true, 200, 5, -1), TYPE_ARCHIVE, PLAN_INSPECT, 0, 0, 90112, MEMBERS_ALL },
	{ "an archive of a listed length", SIZED, H(true, 200, 300, -1), TYPE_ARCHIVE, PLAN_INSPECT, BOTH, 0, 90112, MEMBERS_ALL },
	{ "a coded archive", SIZED, H(true, 200, 5, -1, GZIP), TYPE_ARCHIVE, PLAN_INSPECT, 0, BOTH, 90112, MEMBERS_ALL },
	/* forms */
	{ "a form", SIZED, H(true, 0, 5, -1, FORM), TYPE_TEXT, PLAN_INSPECT, 0, 0, 90112, MEMBERS_NO },
	{ "a form of a listed length", SIZED, H(true, 0, 300, -1, FORM), TYPE_TEXT, PLAN_INSPECT, BOTH, 0, 90112, MEMBERS_NO },
	{ "a coded form", SIZED, H(true, 0, 5, -1, GZIP, FORM), TYPE_TEXT, PLAN_INSPECT, 0, 0, 90112, MEMBERS_NO },
	{ "an archive that says it is a form", SIZED, H(true, 0, 5, -1, FORM), TYPE_ARCHIVE, PLAN_INSPECT, 0, 0, 90112, MEMBERS_ALL },
	{ "a form without a boundary", SIZED, H(true, 0, 5, -1, BAD_FORM), TYPE_TEXT, PLAN_INSPECT, 0, 0, 90112, MEMBERS_NO },
	{ "a form, and no file rules", "block host a.example\n", H(true, 0, 5, -1, FORM), TYPE_TEXT, PLAN_PASS, 0, 0, 0, 0 },
	/* names */
	{ "a listed name of another length", NAMED, H(true, 200, 90111, -1, PATCH), TYPE_TEXT, PLAN_PASS, 0, 0, 0, 0 },
	{ "a listed name of that length", NAMED, H(true, 200, 90112, -1, PATCH), TYPE_TEXT, PLAN_INSPECT, MD5, 0, 90112, MEMBERS_NO },
	{ "a listed name of unknown length", NAMED, H(true, 200, -1, -1, PATCH), TYPE_TEXT, PLAN_INSPECT, MD5, 0, 90112, MEMBERS_NO },
	{ "a listed name, coded", NAMED, H(true, 200, 5, -1, PATCH, GZIP), TYPE_TEXT, PLAN_INSPECT, MD5, MD5, 90112, MEMBERS_NO },
	{ "another name of that length", NAMED, H(true, 200, 90112, -1, OTHER), TYPE_TEXT, PLAN_PASS, 0, 0, 0, 0 },
	{ "a listed name of any length", ANY_NAMED, H(true, 200, 5, -1, PATCH), TYPE_TEXT, PLAN_INSPECT, MD5, 0, EVER, MEMBERS_NO },
	{ "a listed name, and digests", SIZED NAMED, H(true, 200, 90112, -1, PATCH), TYPE_TEXT, PLAN_INSPECT, BOTH, 0, 90112, MEMBERS_NO },
	{ "an archive with names in it", NAMED, H(true, 200, 5, -1, OTHER), TYPE_ARCHIVE, PLAN_INSPECT, 0, 0, 90112, MEMBERS_ALL },
	{ "a part of a listed name's length", NAMED, H(true, 206, 100, 90112, OTHER), TYPE_TEXT, PLAN_REFUSE, 0, 0, 0, 0 },
	/* parts */
	{ "a part of a listed length", SIZED, H(true, 206, 100, 90112), TYPE_UNKNOWN, PLAN_REFUSE, 0, 0, 0, 0 },
	{ "a part of another length", SIZED, H(true, 206, 100, 90111), TYPE_TEXT, PLAN_REFUSE, 0, 0, 0, 0 },
	{ "a part of no known length", SIZED, H(true, 206, 100, -1), TYPE_TEXT, PLAN_REFUSE, 0, 0, 0, 0 },
};

static void
check_plan(const struct plan_row *row, const char *site)
{
	struct generation *g = generation_of(site, row->rules, NULL, NULL);
	struct inspect_plan plan;

	if (!ok(g != NULL, "plan, %s: set up", row->idea))
		return;
	plan = judge_plan(g, &row->head, row->type);
	ok(plan.action == row->action, "plan, %s: %d, %s", row->idea, plan.action, plan.because);
	if (plan.action == PLAN_INSPECT)
		ok(plan.wish.sent_algs == row->sent && plan.wish.decoded_algs == row->decoded && plan.wish.sent_until == row->until &&
		    plan.wish.decoded_until == row->until && plan.wish.members == row->members &&
		    plan.wish.boundary.len == row->head.boundary.len && plan.wish.boundary.fault == row->head.boundary.fault,
		    "plan, %s: digests %x and %x, until %llu, members %d", row->idea, plan.wish.sent_algs, plan.wish.decoded_algs,
		    (unsigned long long)plan.wish.sent_until, plan.wish.members);
	generation_close(g);
}

static void
test_plans(void)
{
	static const struct plan_row by_site[] = {
		{ "all types count", SIZED, H(true, 200, -1, -1), TYPE_TEXT, PLAN_INSPECT, BOTH, 0, 90112, MEMBERS_NO },
		{ "no type counts", SIZED, H(true, 200, -1, -1), TYPE_EXECUTABLE, PLAN_PASS, 0, 0, 0, 0 },
		{ "no type counts, whatever it claims", SIZED, H(true, 200, -1, -1, .claims_file = true), TYPE_TEXT, PLAN_PASS, 0, 0, 0, 0 },
		{ "archives alone are unpacked", SIZED, H(true, 200, 5, -1), TYPE_EXECUTABLE, PLAN_PASS, 0, 0, 0, 0 },
		{ "a part, and no archives", SIZED, H(true, 206, 300, 90111), TYPE_TEXT, PLAN_INSPECT, BOTH, 0, 90112, 0 },
		{ "nothing is unpacked", SIZED, H(true, 200, 5, -1), TYPE_ARCHIVE, PLAN_PASS, 0, 0, 0, 0 },
	};
	struct inspect_plan plan;

	for (size_t i = 0; i < sizeof(plans) / sizeof(*plans); i++)
		check_plan(&plans[i], NULL);
	check_plan(&by_site[0], "HashTypes text,image,media,document,script,executable,archive,unknown\n");
	check_plan(&by_site[1], "HashTypes none\nUnpackTypes none\n");
	check_plan(&by_site[2], "HashTypes none\nUnpackTypes none\n");
	check_plan(&by_site[3], "UnpackTypes archive\n");
	check_plan(&by_site[4], "InspectDepth 0\n");
	check_plan(&by_site[5], "InspectDepth 0\n");
	plan = judge_plan(NULL, &(struct body_head)H(true, 200, -1, -1), TYPE_UNKNOWN);
	ok(plan.action == PLAN_PASS, "plan without a generation");
}

/* ---- ranges ---- */

/* Nothing is looked into: a file can be listed by its own length only. */
#define DEPTH_0		"InspectDepth 0\n"
#define AUTO	DEPTH_0 "RangePolicy auto\n"
#define STRIP	DEPTH_0 "RangePolicy strip\n"
#define PASS	DEPTH_0 "RangePolicy pass\n"
#define HOSTS	"RangeHosts .updates.example\nRangeHosts Other.example\n"

static void
test_range_requests(void)
{
	static const struct { const char *idea, *site, *rules, *host; bool all, media, wanted, strip; } rows[] = {
		{ "auto, only rules with a size", AUTO, SIZED, "a.example", false, false, false, false },
		{ "auto, a rule without a size", AUTO, SIZELESS, "a.example", false, false, false, true },
		{ "auto is the default", NULL, SIZELESS, "a.example", false, false, false, true },
		{ "auto, no file rules", AUTO, "block host b.example\n", "a.example", false, false, true, false },
		{ "auto, all of it", AUTO, SIZELESS, "a.example", true, false, false, false },
		{ "auto, a player", AUTO, SIZELESS, "a.example", false, true, false, false },
		{ "auto, a host of the list", AUTO HOSTS, SIZELESS, "updates.example", false, false, false, false },
		{ "auto, below a host of the list", AUTO HOSTS, SIZELESS, "a.other.example", false, false, false, false },
		{ "auto, a host that ends alike", AUTO HOSTS, SIZELESS, "another.example", false, false, false, true },
		{ "auto, a host that begins alike", AUTO HOSTS, SIZELESS, "updates.example.evil.example", false, false, false, true },
		{ "auto, a host above", AUTO HOSTS, SIZELESS, "example", false, false, false, true },
		{ "auto, a host of the default list", NULL, SIZELESS, "7.tlu.dl.delivery.mp.microsoft.com", false, false, false, false },
		{ "auto, none in an emptied list", "RangeHosts \"\"\n", SIZELESS, "windowsupdate.com", false, false, false, true },
		{ "auto, no name", NULL, SIZELESS, "", false, false, false, true },
		{ "auto, wanted whole", AUTO, SIZED, "a.example", false, false, true, true },
		{ "auto, wanted whole beats all", AUTO, SIZELESS, "a.example", true, true, true, true },
		{ "auto, wanted whole beats the list", AUTO HOSTS, SIZED, "updates.example", false, false, true, true },
		{ "strip", STRIP, SIZED, "a.example", false, false, false, true },
		{ "strip knows no exception", STRIP HOSTS, SIZED, "updates.example", true, true, false, true },
		{ "strip, no file rules", STRIP, "block host b.example\n", "a.example", false, false, false, true },
		{ "pass", PASS, SIZELESS, "a.example", false, false, true, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct range_request q = { .host = slice_str(rows[i].host), .all = rows[i].all, .media = rows[i].media,
			.wanted_whole = rows[i].wanted };
		struct generation *g = generation_of(rows[i].site, rows[i].rules, NULL, NULL);

		ok(g != NULL && judge_range_strip(g, &q) == rows[i].strip, "request for a part, %s", rows[i].idea);
		generation_close(g);
	}
	ok(!judge_range_strip(NULL, &(struct range_request){ .wanted_whole = true }), "request for a part, no generation");
}

/* A part of LENGTH bytes from FIRST to LAST; one of 100 from 5 on, and all of it, out of N. */
#define PARTIAL(length, n, from, to, ...)	{ .has_body = true, .status = 206, .content_length = length, .complete_length = n, \
	.part = { .first = from, .last = to, __VA_ARGS__ } }
#define PART(n)		PARTIAL(100, n, 5, 104)
#define PART_OF(n, ...)	PARTIAL(100, n, 5, 104, __VA_ARGS__)
#define ALL_OF(n, ...)	PARTIAL(n, n, 0, (n) - 1, __VA_ARGS__)
#define UPDATES		.host = { "updates.example", sizeof("updates.example") - 1 }

static void
test_parts(void)
{
	static const struct { const char *idea, *site, *rules; struct body_head head; enum plan_action action; } rows[] = {
		{ "unlisted", AUTO, SIZED, PART(5000), PLAN_PASS },
		{ "listed", AUTO, SIZED, PART(90112), PLAN_REFUSE },
		{ "unknown", AUTO, SIZED, PART(-1), PLAN_REFUSE },
		{ "no file rules", AUTO, "block host b.example\n", PART(-1), PLAN_PASS },
		{ "coded", AUTO, SIZED, PART_OF(5000, .coded = true), PLAN_REFUSE },
		{ "unasked", AUTO, SIZED, PART_OF(5000, .unasked = true), PLAN_REFUSE },
		{ "unlisted, a rule without a size", AUTO, SIZELESS, PART(5000), PLAN_REFUSE },
		{ "media", AUTO, SIZELESS, PART_OF(5000, .media = true), PLAN_PASS },
		{ "media of a listed length", AUTO, SIZELESS, PART_OF(300, .media = true), PLAN_REFUSE },
		{ "media of no known length", AUTO, SIZELESS, PART_OF(-1, .media = true), PLAN_REFUSE },
		{ "coded media", AUTO, SIZELESS, PART_OF(5000, .media = true, .coded = true), PLAN_REFUSE },
		{ "a host of the list", AUTO HOSTS, SIZELESS, PART_OF(5000, UPDATES), PLAN_PASS },
		{ "a host of the list, a listed length", AUTO HOSTS, SIZELESS, PART_OF(90112, UPDATES), PLAN_REFUSE },
		{ "all of a listed length", AUTO, SIZED, ALL_OF(90112), PLAN_INSPECT },
		{ "all of another length", AUTO, SIZED, ALL_OF(5000), PLAN_PASS },
		{ "all, a rule without a size", AUTO, SIZELESS, ALL_OF(5000, .unasked = true), PLAN_INSPECT },
		{ "all, and coded", AUTO, SIZED, ALL_OF(90112, .coded = true), PLAN_INSPECT },
		{ "all, chunked", AUTO, SIZED, PARTIAL(-1, 90112, 0, 90111), PLAN_INSPECT },
		{ "all, but shorter", AUTO, SIZED, PARTIAL(90111, 90112, 0, 90111), PLAN_REFUSE },
		{ "all but the last", AUTO, SIZED, PARTIAL(90111, 90112, 0, 90110), PLAN_REFUSE },
		{ "all but the first", AUTO, SIZED, PARTIAL(90111, 90112, 1, 90111), PLAN_REFUSE },
		{ "all of nothing known", AUTO, SIZED, PARTIAL(100, -1, 0, -1), PLAN_REFUSE },
		{ "several parts of a listed length", AUTO, SIZED, PARTIAL(100, 300, -1, -1), PLAN_REFUSE },
		{ "several parts of another length", AUTO, SIZED, PARTIAL(100, 5000, -1, -1), PLAN_PASS },
		{ "strip, unlisted", STRIP, SIZED, PART(5000), PLAN_PASS },
		{ "strip, unasked", STRIP, SIZED, PART_OF(5000, .unasked = true), PLAN_REFUSE },
		{ "strip knows no media", STRIP, SIZELESS, PART_OF(5000, .media = true), PLAN_REFUSE },
		{ "strip knows no host", STRIP HOSTS, SIZELESS, PART_OF(5000, UPDATES), PLAN_REFUSE },
		{ "pass, listed", PASS, SIZELESS, PART(90112), PLAN_PASS },
		{ "pass, unknown", PASS, SIZELESS, PART(-1), PLAN_PASS },
		{ "pass, coded", PASS, SIZELESS, PART_OF(5000, .coded = true), PLAN_PASS },
		{ "pass, unasked", PASS, SIZED, PART_OF(5000, .unasked = true), PLAN_REFUSE },
		{ "pass, all of it", PASS, SIZED, ALL_OF(90112), PLAN_INSPECT },
		{ "no part", AUTO, SIZELESS, { .has_body = true, .status = 200, .content_length = 5000, .complete_length = -1,
		    .part = { .unasked = true, .coded = true } }, PLAN_INSPECT },
		{ "unlisted, and archives are looked into", "", SIZED, PART(5000), PLAN_REFUSE },
		{ "media, and archives are looked into", "", SIZED, PART_OF(5000, .media = true), PLAN_PASS },
		{ "unlisted, and no type is looked into", "UnpackTypes none\n", SIZED, PART(5000), PLAN_PASS },
		{ "not satisfied", AUTO, SIZED, H(true, 416, 100, -1), PLAN_PASS },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct generation *g = generation_of(rows[i].site, rows[i].rules, NULL, NULL);
		struct inspect_plan plan = { 0 };

		if (g != NULL)
			plan = judge_plan(g, &rows[i].head, TYPE_UNKNOWN);
		ok(g != NULL && plan.action == rows[i].action && plan.because != NULL, "part, %s (%d: %s)", rows[i].idea, plan.action,
		    plan.because);
		generation_close(g);
	}
}

static void
test_words(void)
{
	struct generation *g = generation_of(NULL, NULL, "block host .a.example level=4 name=x\nallow host a.example\n", NULL);
	struct url url = { 0 };
	struct question q = { .url = &url, .now = NOW };
	struct why why;
	struct buf text;

	buf_init(&text, 10000);
	if (!ok(g != NULL && url_parse(&url, SLICE("http://www.a.example/")) == URL_OK, "words: set up"))
		return;
	judge_request(g, FAIL_OPEN, &q, &why);
	why_format_steps(g, &why, &text);
	is_slice(buf_slice(&text), SLICE("block host .a.example (rule feed-x/.a.example, revision 1, level 4): this decides"), "steps");
	buf_reset(&text);
	why_format_sentence(&why, url.host, &text);
	is_slice(buf_slice(&text), SLICE("www.a.example is listed as harmful: host .a.example"), "sentence");
	buf_fini(&text);
	url_fini(&url);
	generation_close(g);
}

int
main(void)
{
	test_requests();
	two_layers = true;
	test_requests();
	two_layers = false;
	test_expired_later();
	test_unchecked();
	test_files();
	test_named_files();
	test_no_digest();
	test_many();
	test_plans();
	test_range_requests();
	test_parts();
	test_words();
	return tap_done();
}
