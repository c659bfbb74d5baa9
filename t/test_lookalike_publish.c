/* What hosts may imitate, through publisher and judge: when its segment is made anew and when it stays, what refuses a publish,
 * and that rules go before it. */
#include "judge/judge.h"
#include "t/state.h"

/* The lookalikes' segment of the live generation; "" when there is none. */
static const char *
live_segment(const char *state)
{
	static char names[4][MANIFEST_NAME];
	static unsigned next;
	char *name = names[next++ % COUNT(names)];
	struct manifest m;

	name[0] = '\0';
	if (manifest_load(path_in(state, STATE_MANIFEST), &m, NULL) == 0 && m.lookalike.len > 0)
		memcpy(name, m.lookalike.name, MANIFEST_NAME);
	manifest_fini(&m);
	return name;
}

/* The reason that the live generation of STATE has for URL. */
static const char *
reason_for(const char *state, const char *text)
{
	struct diag diag = { 0 };
	struct generation *g = generation_open(path_in(state, STATE_RULES), true, NULL, &diag);
	struct question q = { .now = NOW };
	const char *reason = "no generation";
	struct why why;
	struct url u;

	if (g != NULL && url_parse(&u, slice_str(text)) == URL_OK) {
		q.url = &u;
		judge_request(g, FAIL_OPEN, &q, &why);
		reason = reason_name(why.would_block ? why.would_reason : why.reason);
		url_fini(&u);
	}
	show(&diag);
	diag_fini(&diag);
	generation_close(g);
	return reason;
}

#define LURE	"http://bank.com.evil.net/"

static bool
knows_evil(void *arg, struct slice registrable)
{
	++*(int *)arg;
	return slice_eq(registrable, SLICE("evil.net"));
}

/* What has been gone to for days is judged a level lower, unless the site does not want that. */
static void
test_history(void)
{
	static const struct { const char *idea, *site, *url; enum verdict verdict; bool warns; int asked; } rows[] = {
		{ "a block becomes a warning", "", LURE, VERDICT_PASS, true, 1 },
		{ "an unknown domain stays blocked", "", "http://bank.com.other.net/", VERDICT_BLOCK, false, 1 },
		{ "a warning is logged", "LookalikeE1 warn\n", LURE, VERDICT_PASS, false, 1 },
		{ "but the path may raise it again", "", "http://bank.com.evil.net/joe@bank.com", VERDICT_BLOCK, false, 1 },
		{ "the site does not want it", "LookalikeHistory no\n", LURE, VERDICT_BLOCK, false, 0 },
		{ "what is no lookalike is not asked about", "", "http://www.evil.net/", VERDICT_PASS, false, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char *state = new_state(), site[200];
		struct diag diag = { 0 };
		struct generation *g;
		struct why why;
		struct url u;
		int asked = 0;

		snprintf(site, sizeof(site), "OwnDomains bank.com\n%s", rows[i].site);
		put(state, "site.conf", site);
		publish_good(state, NULL);
		g = generation_open(path_in(state, STATE_RULES), true, NULL, &diag);
		if (!ok(g != NULL && url_parse(&u, slice_str(rows[i].url)) == URL_OK, "%s: set up", rows[i].idea))
			continue;
		judge_request(g, FAIL_OPEN, &(struct question){ .now = NOW, .url = &u, .is_known = knows_evil, .arg = &asked }, &why);
		ok(why.verdict == rows[i].verdict && why.warns == rows[i].warns && asked == rows[i].asked, "%s", rows[i].idea);
		url_fini(&u);
		generation_close(g);
		diag_fini(&diag);
		free(state);
	}
}

static void
test_stays(void)
{
	char *state = new_state();
	const char *first;

	put(state, "sources/a.rules", "block host .x.net\n");
	ok(publish_good(state, NULL) == 1 && *live_segment(state) == '\0', "nothing to imitate: no segment");
	is_str(reason_for(state, LURE), "none", "and nothing is found");
	put(state, "site.conf", "OwnDomains bank.com\n");
	publish_good(state, NULL);
	is_str(first = live_segment(state), "lookalike-2.seg", "OwnDomains: it is made");
	is_str(reason_for(state, LURE), "lookalike", "and found");
	put(state, "sources/a.rules", "block host .y.net\n");
	publish_good(state, NULL);
	is_str(live_segment(state), first, "other rules: it stays");
	put_at(state, STATE_LOOKALIKE, "own shop.net # ours\n", NOW - 1);
	publish_good(state, NULL);
	is_str(live_segment(state), "lookalike-4.seg", "lookalike.conf: it is made anew");
	is_str(reason_for(state, "http://shop.net.evil.net/"), "lookalike", "with what that says");
	is_str(reason_for(state, LURE), "lookalike", "and what was said before");
	put(state, "sources/b.rules", "protect host .works.com\n");
	publish_good(state, NULL);
	is_str(reason_for(state, "http://works.com-a.net/"), "lookalike", "a protect rule counts, too");
	put(state, "site.conf", "OwnDomains bank.com\nLookalikes no\n");
	publish_good(state, NULL);
	ok(*live_segment(state) == '\0', "Lookalikes no: there is none");
	is_str(reason_for(state, LURE), "none", "and nothing is found");
	free(state);
}

static void
test_kept(void)
{
	char *state = new_state();
	struct publish_report report;
	struct publish_options options;
	struct diag diag = { 0 };

	put(state, "site.conf", "OwnDomains bank.com\n");
	put(state, "sources/a.rules", "block host .x.net\n");
	publish_good(state, NULL);
	put(state, "site.conf", "OwnDomains shop.net\n");
	publish_good(state, NULL);
	is_str(reason_for(state, LURE), "none", "another own domain");
	options = options_of(state);
	ok(publish_rollback(&options, 1, &report, &diag) == 0, "rolled back");
	is_str(live_segment(state), "lookalike-1.seg", "to the segment of then");
	is_str(reason_for(state, LURE), "lookalike", "and what it finds");
	ok(publish_compact(&options, &report, &diag) == 0, "one layer is made");
	is_str(live_segment(state), "lookalike-1.seg", "and it stays");
	options.only = "a";
	put(state, "sources/a.rules", "block host .z.net\n");
	ok(publish(&options, &report, &diag) == 0, "one source is published");
	is_str(live_segment(state), "lookalike-1.seg", "and it stays again");
	show(&diag);
	diag_fini(&diag);
	free(state);
}

static void
test_refused(void)
{
	char *state = new_state();
	struct publish_options options = options_of(state);
	struct publish_report report;
	struct diag diag = { 0 };

	put(state, "site.conf", "OwnDomains bank.com\n");
	publish_good(state, NULL);
	put(state, STATE_LOOKALIKE, "own shop.net\nown a/b\nonw c.net\n");
	for (int dry = 1; dry >= 0; dry--) {
		options.dry_run = dry;
		ok(publish(&options, &report, &diag) == -1 && diag.n == 2 && diag.v[0].line == 2 && diag.v[0].col == 5 &&
		    diag.v[1].line == 3 && diag.v[1].col == 1, "a bad line refuses the publish, with its place%s", dry ? ", dry" : "");
		diag_fini(&diag);
	}
	is_str(live_segment(state), "lookalike-1.seg", "and what was live is");
	ok(access(path_in(state, STATE_RULES "/lookalike-2.seg"), F_OK) == -1, "nothing is left of it");
	free(state);
}

static void
test_damaged(void)
{
	char *state = new_state();
	const char *path;
	struct buf bytes;

	put(state, "site.conf", "OwnDomains bank.com\n");
	publish_good(state, NULL);
	path = segment_path(state, SEGMENT_LOOKALIKE, 1);
	buf_init(&bytes, ROOM);
	if (file_read(path, &bytes) == -1)
		abort();
	bytes.p[bytes.len / 2] ^= 1;
	write_plain(path, buf_slice(&bytes));
	is_str(reason_for(state, LURE), "no generation", "a bit that turned: the generation is refused");
	publish_good(state, NULL);
	is_str(live_segment(state), "lookalike-2.seg", "the next publish makes it anew");
	is_str(reason_for(state, LURE), "lookalike", "and all is well");
	buf_fini(&bytes);
	free(state);
}

static const struct { const char *idea, *rules, *url, *reason; } orders[] = {
	{ "an allow of the host", "allow host bank.com.evil.net\n", LURE, "none" },
	{ "an allow of its domain", "allow host .evil.net\n", LURE, "none" },
	{ "an allow of the page", "allow url bank.com.evil.net/\n", LURE, "none" },
	{ "a block", "block host .evil.net\n", LURE, "host" },
	{ "a block below the threshold", "block host .evil.net level=1\n", LURE, "lookalike" },
	{ "and what is only logged", "block host .bank.net level=1\n", "http://bank.net/", "host" },
	{ "only logged", "block host .x.net\n", "http://bank.net/", "lookalike" },
	{ "an address", "block host .x.net\n", "http://192.0.2.7/", "none" },
	{ "a host that is none", "block host .x.net\n", "http://a!b.evil.net/", "odd-host" },
	{ "a lure that is none", "block host .x.net\n", "http://a!b.bank.com.evil.net/", "lookalike" },
	{ "ours", "block host .x.net\n", "http://www.bank.com/", "none" },
};

static void
test_orders(void)
{
	for (size_t i = 0; i < COUNT(orders); i++) {
		char *state = new_state();

		put(state, "site.conf", "OwnDomains bank.com\n");
		put(state, "sources/a.rules", orders[i].rules);
		publish_good(state, NULL);
		is_str(reason_for(state, orders[i].url), orders[i].reason, orders[i].idea);
		free(state);
	}
}

int
main(void)
{
	state_begin();
	test_stays();
	test_history();
	test_kept();
	test_refused();
	test_damaged();
	test_orders();
	return state_end();
}
