/* The block page: says why, names the rule and the number, and nothing from outside gets through as markup. */
#include "icap_service/page.h"
#include "t/tap.h"

static struct buf page;

static bool
has(const char *text)
{
	return slice_search(buf_slice(&page), slice_str(text)) < page.len;
}

static void
make(enum reason reason, const char *host, const char *rule_id, const char *contact)
{
	struct why why = { .verdict = VERDICT_BLOCK, .reason = reason, .has_rule = rule_id != NULL,
		.rule = { .kind = RULE_HOST, .id = slice_str(rule_id), .rev = 3, .level = 4,
		    .value = SLICE("*.secure.upd01.net"), .alert = SLICE("19190"), .name = SLICE("patch.exe") } };
	struct page_facts facts = { .why = &why, .host = slice_str(host), .incident = "1M83ME10C4HM007J",
		.now_ms = INT64_C(1795418424332), .contact = contact, .organisation = "Example & Sons" };

	buf_reset(&page);
	ok(page_write(&facts, &page) == 0, "page for %s", reason_name(reason));
}

/* The longest of everything, and all of it to be escaped. */
static void
make_longest(void)
{
	static char value[URL_RAW_MAX], host[HOST_MAX], label[128], contact[501], organisation[201];
	struct why why = { .verdict = VERDICT_BLOCK, .reason = REASON_URL, .has_rule = true,
		.rule = { .kind = RULE_URL, .rev = UINT32_MAX } };
	struct page_facts facts = { .why = &why, .incident = "1M83ME10C4HM007J", .now_ms = INT64_C(1795418424332),
		.contact = contact, .organisation = organisation };

	memset(value, '"', sizeof(value));
	memset(host, '"', sizeof(host));
	memset(label, '"', sizeof(label));
	memset(contact, '"', sizeof(contact) - 1);
	memset(organisation, '"', sizeof(organisation) - 1);
	why.rule.value = slice_make(value, sizeof(value));
	why.rule.id = why.rule.alert = slice_make(label, sizeof(label));
	facts.host = slice_make(host, sizeof(host));
	buf_reset(&page);
	ok(page_write(&facts, &page) == 0, "the longest of everything fits");
	ok(has("&quot;...</p>") && has("1M83-ME10-C4HM-007J") && has("</html>"), "its sentence is cut, the rest is whole");
}

/* A rule as a generation gives it: its id and value are made of its source, its key and its label. */
static void
make_keyed(const char *label)
{
	struct why why = { .verdict = VERDICT_BLOCK, .reason = REASON_URL, .has_rule = true,
		.rule = { .kind = RULE_URL, .source = SLICE("feed-x"), .label = slice_str(label), .rev = 1,
		    .key = { .scope = SCOPE_DOMAIN, .host = SLICE("a.example"), .path = SLICE("/<b>/") } } };
	struct page_facts facts = { .why = &why, .host = SLICE("www.a.example"), .incident = "1M83ME10C4HM007J",
		.now_ms = INT64_C(1795418424332), .contact = "x", .organisation = "" };

	buf_reset(&page);
	ok(page_write(&facts, &page) == 0, "page for a rule of a generation");
}

int
main(void)
{
	buf_init(&page, PAGE_MAX);
	for (enum reason r = REASON_NONE + 1; r < REASONS; r++) {
		make(r, "updates.example.net", "alert-19190:host-1", "extension 4242");
		ok(has("1M83-ME10-C4HM-007J"), "%s: the number, grouped", reason_name(r));
		ok(has("<html lang=\"en\">") && has("<h1>") && has("<main>") && has("viewport"), "%s: language, heading, "
		    "landmark, phone", reason_name(r));
		ok(has("extension 4242"), "%s: whom to call", reason_name(r));
		ok(!has("src=") && !has("href=") && !has("<script"), "%s: nothing external", reason_name(r));
	}
	make(REASON_HOST, "updates.example.net", "alert-19190:host-1", "x");
	ok(has("alert-19190:host-1, revision 3") && has("<dd>19190</dd>"), "rule, revision and alert");
	ok(has("2026-11-23T07:20:24Z"), "the moment");
	ok(has("Example &amp; Sons"), "the organisation, escaped");

	make(REASON_HOST, "<script>alert(1)</script>\x80\"'&", "a<b>", "<img src=x>");
	ok(!has("<script") && !has("<img") && !has("a<b>"), "markup from outside is text");
	ok(has("&lt;script&gt;"), "and is shown");
	ok(!has("\x80"), "bytes that are not UTF-8 are replaced");

	make_keyed("");
	ok(has("feed-x/.a.example/&lt;b&gt;/, revision 1") && has("url .a.example/&lt;b&gt;/"), "a row of a feed, by its value");
	make_keyed("bad-1");
	ok(has("feed-x:bad-1, revision 1") && !has("<b>"), "a rule of a generation, by its label");

	make_longest();
	make(REASON_NO_RULES, "h.example", NULL, "x");
	ok(!has("<dt>Rule</dt>"), "without a rule none is named");
	ok(has("could not be checked"), "and it says that nothing was checked");
	buf_fini(&page);
	return tap_done();
}
