/* What becomes of lint's findings: refused, warned about, held until somebody decides, denied; what STATE/held then has. */
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "ruleset/gate.h"
#include "ruleset/held.h"
#include "ruleset/source.h"
#include "runtime/state.h"
#include "t/tap.h"

enum { NOW = 1795000000, ROOM = 1 << 20, TEXT_MAX = 1000, MANY = 3 * GATE_SHOWN };

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))
#define SOURCE		"list-x"

static char *state;

/* ---- files ---- */

static void
put(const char *name, const char *text)
{
	char path[STATE_PATH];

	if (state_path(state, name, path) == -1)
		abort();
	if (text == NULL)
		remove_tree(path);
	else if (file_write(path, slice_str(text), 0644) == -1)
		abort();
}

/* What STATE/held has; to be freed; NULL when there is no file. */
static char *
held_text(void)
{
	char path[STATE_PATH], *text = NULL;
	struct buf b;

	buf_init(&b, ROOM);
	if (state_path(state, STATE_HELD, path) == 0 && file_read(path, &b) == 0)
		text = slice_dup(buf_slice(&b));
	buf_fini(&b);
	return text;
}

/* The line of STATE/approved that says VERDICT on what CLASS holds; good until the next call. */
static const char *
decision(const char *verdict, const char *class, const char *rule)
{
	static char line[TEXT_MAX];
	char id[HELD_ID];

	held_id(slice_str(class), SLICE(SOURCE), slice_str(rule), id);
	snprintf(line, sizeof(line), "%s %s 2026-11-26T17:41:13Z uid=1 %s " SOURCE " %s\n", id, verdict, class, rule);
	return line;
}

/* ---- a publish, as far as the gate sees it ---- */

struct pass {
	struct gate	*gate;
	struct diag	 diag;
	size_t		 admitted;
	struct gate_counts counts;
};

static int
visit(void *arg, const struct rule *rule, const struct rule_match *match, unsigned line)
{
	struct pass *p = arg;

	p->admitted += gate_admit(p->gate, rule, match, "x.rules", line, &p->diag);
	return 0;
}

/* Take RULES through a gate of the site that SITE makes, at NOW.  False when it does not open. */
static bool
take(struct pass *p, const char *site_text, const char *rules, int64_t now)
{
	struct gate_options options = { .state = state, .now = now };
	struct source_defaults defaults = { .now = now };
	struct site site;

	*p = (struct pass){ 0 };
	if (option_defaults(site_options, site_options_n, &site) == -1 ||
	    option_parse(site_options, site_options_n, &site, "site.conf", slice_str(site_text), &p->diag) == -1)
		abort();
	options.lint = (struct lint_options){ .site = &site, .lists = state };
	if ((p->gate = gate_open(&options, &p->diag)) != NULL) {
		if (source_parse("x.rules", SLICE(SOURCE), slice_str(rules), &defaults, visit, p, NULL) != 0)
			abort();
		gate_finish(p->gate, &p->diag);
		p->counts = gate_counted(p->gate);
	}
	option_fini(site_options, site_options_n, &site);
	return p->gate != NULL;
}

static void
end(struct pass *p)
{
	gate_close(p->gate);
	diag_fini(&p->diag);
}

/* ---- what becomes of a rule ---- */

#define TOP_RULE	"block host www.top.example"
#define BOTH_RULE	"block host docs.top.example"

/* Rules, of which ADMITTED may be published; CLASS and RULE are decided about as VERDICT. */
static const struct gate_row {
	const char	*idea, *site, *rules;
	const char	*verdict, *class, *rule;
	size_t		 admitted, held, denied, approved, warned, errors, warnings;
	const char	*text;		/* part of the first finding */
} rows[] = {
	{ "nothing to say", "", "block host a.example\nallow host .top.example\n", NULL, NULL, NULL, 2, 0, 0, 0, 0, 0, 0, NULL },
	{ "refused", "LintTopSite refuse\n", TOP_RULE "\nblock host a.example\n", NULL, NULL, NULL, 1, 0, 0, 0, 0, 1, 0,
	    "the rule covers top.example" },
	{ "refused: a row of a feed is left out", "LintTopSite refuse\n", TOP_RULE " feed=yes\nblock host a.example\n", NULL, NULL, NULL,
	    1, 0, 0, 0, 0, 0, 1, "the rule covers top.example" },
	{ "warned about", "LintTopSite warn\n", TOP_RULE "\n", NULL, NULL, NULL, 1, 0, 0, 0, 1, 0, 1, "the rule covers top.example" },
	{ "ignored", "LintTopSite ignore\n", TOP_RULE "\n", NULL, NULL, NULL, 1, 0, 0, 0, 0, 0, 0, NULL },
	{ "held", "", TOP_RULE "\nblock host a.example\n", NULL, NULL, NULL, 1, 1, 0, 0, 0, 0, 1,
	    "held, not published: the rule covers top" },
	{ "approved", "", TOP_RULE "\n", "approved", "top_site", TOP_RULE, 1, 0, 0, 1, 0, 0, 0, NULL },
	{ "approved, in other words", "", "block host WWW.TOP.Example. note=x\n", "approved", "top_site", TOP_RULE,
	    1, 0, 0, 1, 0, 0, 0, NULL },
	{ "denied", "", TOP_RULE "\nblock host a.example\n", "denied", "top_site", TOP_RULE, 1, 0, 1, 0, 0, 0, 0, NULL },
	{ "another rule was approved", "", TOP_RULE "\n", "approved", "top_site", "block host .www.top.example",
	    0, 1, 0, 0, 0, 0, 1, "held" },
	{ "approved of another class", "", TOP_RULE "\n", "approved", "shared_host", TOP_RULE, 0, 1, 0, 0, 0, 0, 1, "held" },
	{ "held, and shared: warned when it passes only", "", BOTH_RULE "\n", NULL, NULL, NULL, 0, 1, 0, 0, 0, 0, 1, "held" },
	{ "approved, and shared", "", BOTH_RULE "\n", "approved", "top_site", BOTH_RULE, 1, 0, 0, 1, 1, 0, 1, "side by side" },
	{ "held twice", "LintSharedHost hold\n", BOTH_RULE "\n", NULL, NULL, NULL, 0, 1, 0, 0, 0, 0, 2, "held" },
	{ "held twice, approved once", "LintSharedHost hold\n", BOTH_RULE "\n", "approved", "top_site", BOTH_RULE, 0, 1, 0, 0, 0, 0, 1,
	    "held, not published: the rule covers docs.top.example, where strangers" },
	{ "held twice, denied once", "LintSharedHost hold\n", BOTH_RULE "\n", "denied", "top_site", BOTH_RULE, 0, 0, 1, 0, 0, 0, 0, NULL },
	{ "held and refused", "LintSharedHost refuse\n", BOTH_RULE "\n", "approved", "top_site", BOTH_RULE, 0, 0, 0, 0, 0, 1, 0,
	    "side by side" },
	{ "approving does not help who is refused", "LintTopSite refuse\n", TOP_RULE "\n", "approved", "top_site", TOP_RULE,
	    0, 0, 0, 0, 0, 1, 0, "the rule covers top.example" },
	{ "a digest", "LintTrivialDigest hold\n", "block file *:md5:D41D8CD98F00B204E9800998ECF8427E\n", "approved", "trivial_digest",
	    "block file *:md5:d41d8cd98f00b204e9800998ecf8427e", 1, 0, 0, 1, 0, 0, 0, NULL },
	{ "all pages of a URL with a blank", "LintAddress hold\n", "block url \"10.0.0.1/a b?c d\"\n", "approved", "address",
	    "block url 10.0.0.1/a%20b?c%20d", 1, 0, 0, 1, 0, 0, 0, NULL },
};

static void
test_row(const struct gate_row *row)
{
	struct pass p;

	put(STATE_APPROVED, row->verdict == NULL ? NULL : decision(row->verdict, row->class, row->rule));
	if (!ok(take(&p, row->site, row->rules, NOW) && p.admitted == row->admitted && p.counts.held == row->held &&
	    p.counts.denied == row->denied && p.counts.approved == row->approved && p.counts.warned == row->warned &&
	    p.counts.refused >= row->errors && p.diag.n_errors == row->errors && p.diag.n_warnings == row->warnings,
	    "%s: done", row->idea)) {
		printf("# admitted %zu held %zu denied %zu approved %zu warned %zu\n", p.admitted, p.counts.held, p.counts.denied,
		    p.counts.approved, p.counts.warned);
		diag_print(&p.diag, stdout);
	}
	ok(row->text == NULL ? p.diag.n == 0 : p.diag.n > 0 && strstr(p.diag.v[0].text, row->text) != NULL && p.diag.v[0].line == 1,
	    "%s: and said", row->idea);
	end(&p);
	put(STATE_APPROVED, NULL);
}

/* ---- STATE/held ---- */

static void
test_held_file(void)
{
	struct pass p;
	char *text = NULL;

	take(&p, "", TOP_RULE "\n", NOW);
	ok(gate_write_held(p.gate, &p.diag) == 0, "what is held is written");
	end(&p);
	text = held_text();
	ok(text != NULL && strstr(text, " 2026-11-18T11:06:40Z top_site " SOURCE " " TOP_RULE " the rule covers top.example") != NULL,
	    "a line says all about it");
	free(text);
	take(&p, "", TOP_RULE "\nblock host ftp.top.example\n", NOW + CLOCK_DAY_S);
	ok(gate_write_held(p.gate, &p.diag) == 0, "a day later there is another");
	end(&p);
	text = held_text();
	ok(text != NULL && strstr(text, " 2026-11-18T11:06:40Z top_site " SOURCE " " TOP_RULE " ") != NULL &&
	    strstr(text, " 2026-11-19T11:06:40Z top_site " SOURCE " block host ftp.top.example ") != NULL,
	    "each has the date since when it is held");
	free(text);
	put(STATE_APPROVED, decision("denied", "top_site", TOP_RULE));
	take(&p, "", TOP_RULE "\n", NOW);
	ok(gate_write_held(p.gate, &p.diag) == 0 && (text = held_text()) == NULL, "nothing held: no file");
	ok(gate_write_held(p.gate, &p.diag) == 0, "and none is fine");
	end(&p);
	put(STATE_APPROVED, NULL);
}

static void
test_bad_files(void)
{
	struct pass p;

	put(STATE_APPROVED, "# fine\nwhatever\n");
	ok(!take(&p, "", "", NOW) && p.diag.n_errors == 1 && p.diag.v[0].line == 2, "a bad line in approved: it does not open");
	end(&p);
	put(STATE_APPROVED, NULL);
	put(STATE_HELD, "whatever\n");
	ok(take(&p, "", TOP_RULE "\n", NOW) && p.diag.n_errors == 0 && p.diag.n_warnings == 2, "one in held: a warning");
	ok(gate_write_held(p.gate, &p.diag) == 0 && p.diag.n_errors == 0, "it is written anew");
	end(&p);
	put(STATE_HELD, NULL);
	gate_close(NULL);
}

/* ---- floods ---- */

static void
test_flood(void)
{
	struct pass p;
	struct buf rules;
	char *text = NULL;
	size_t lines = 0;

	buf_init(&rules, ROOM);
	for (int i = 0; i < MANY; i++)
		buf_addf(&rules, "block host h%d.top.example\n", i);
	ok(take(&p, "", rules.p, NOW) && p.counts.held == MANY && p.admitted == 0, "many rules are held");
	ok(p.diag.n == GATE_SHOWN + 1 && strstr(p.diag.v[GATE_SHOWN].text, "40 more warnings") != NULL, "some are told, the rest counted");
	ok(gate_write_held(p.gate, &p.diag) == 0 && (text = held_text()) != NULL, "all are written");
	for (const char *at = text; at != NULL && (at = strstr(at, "\n")) != NULL; at++)
		lines++;
	is_int((long long)lines, MANY + 2, "a line each, and the head");
	end(&p);
	buf_fini(&rules);
	free(text);
	put(STATE_HELD, NULL);
}

/* A feed with a million rules that are held: no file of a million lines, and none of them is published. */
static void
test_many_held(void)
{
	struct pass p;
	struct buf rules;
	char *text = NULL;
	size_t lines = 0;

	buf_init(&rules, ROOM);
	for (int i = 0; i < GATE_HELD + 7; i++)
		buf_addf(&rules, "block host h%d.top.example\n", i);
	ok(take(&p, "", rules.p, NOW) && p.counts.held == GATE_HELD + 7 && p.admitted == 0, "more are held than are listed");
	ok(p.diag.n > 0 && strstr(p.diag.v[p.diag.n - 1].text, "7 more rules are held than the 1000") != NULL, "which is said");
	ok(gate_write_held(p.gate, &p.diag) == 0 && (text = held_text()) != NULL, "they are written");
	for (const char *at = text; at != NULL && (at = strstr(at, "\n")) != NULL; at++)
		lines++;
	is_int((long long)lines, GATE_HELD + 2, "as many as can be, and the head");
	end(&p);
	buf_fini(&rules);
	free(text);
	put(STATE_HELD, NULL);
}

/* ---- lists as a whole ---- */

static bool
admit_list(struct pass *p, const char *site, uint64_t stamp, size_t before, size_t now)
{
	bool admitted = take(p, site, "", NOW) && gate_admit_list(p->gate, SLICE(SOURCE), "x.rules", stamp, before, now, &p->diag);

	p->counts = gate_counted(p->gate);
	return admitted;
}

static void
test_list(void)
{
	struct pass p;

	ok(admit_list(&p, "", 10, 1000, 900) && p.diag.n == 0, "a list that shrank a little");
	end(&p);
	ok(!admit_list(&p, "", 10, 1000, 10) && p.counts.held == 1 && p.diag.n_warnings == 1, "by more than half: held");
	end(&p);
	put(STATE_APPROVED, decision("approved", "shrank", "replace list 1000:10:000000000000000a"));
	ok(admit_list(&p, "", 10, 1000, 10) && p.diag.n == 0, "approved");
	end(&p);
	ok(!admit_list(&p, "", 10, 1000, 9), "which counts for these numbers only");
	end(&p);
	ok(!admit_list(&p, "", 11, 1000, 10), "and for what the file was then");
	end(&p);
	put(STATE_APPROVED, NULL);
	ok(!admit_list(&p, "LintGrew refuse\n", 1, 10, 1000) && p.diag.n_errors == 1, "one that grew: refused");
	end(&p);
	ok(admit_list(&p, "LintGrew warn\n", 1, 10, 1000) && p.diag.n_warnings == 1, "or warned about");
	end(&p);
}

int
main(void)
{
	state = temp_dir();
	if (state_make(state) == -1)
		abort();
	put(LINT_TOP_SITES, ".top.example\n");
	put(LINT_SHARED_HOSTS, "docs.top.example\n");
	for (size_t i = 0; i < COUNT(rows); i++)
		test_row(&rows[i]);
	test_held_file();
	test_bad_files();
	test_flood();
	test_many_held();
	test_list();
	free(state);
	return tap_done();
}
