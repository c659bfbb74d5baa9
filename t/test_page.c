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

int
main(void)
{
	static const enum reason all[] = { REASON_HOST, REASON_URL, REASON_FILE, REASON_FILE_AGAIN, REASON_PARTIAL,
		REASON_NO_RULES, REASON_BAD_URL, REASON_DAMAGED, REASON_NO_MEMORY };

	buf_init(&page, PAGE_MAX);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		make(all[i], "updates.example.net", "alert-19190:host-1", "extension 4242");
		ok(has("1M83-ME10-C4HM-007J"), "%s: the number, grouped", reason_name(all[i]));
		ok(has("<html lang=\"en\">") && has("<h1>") && has("<main>") && has("viewport"), "%s: language, heading, "
		    "landmark, phone", reason_name(all[i]));
		ok(has("extension 4242"), "%s: whom to call", reason_name(all[i]));
		ok(!has("src=") && !has("href=") && !has("<script"), "%s: nothing external", reason_name(all[i]));
	}
	make(REASON_HOST, "updates.example.net", "alert-19190:host-1", "x");
	ok(has("alert-19190:host-1, revision 3") && has("<dd>19190</dd>"), "rule, revision and alert");
	ok(has("2026-11-23T07:20:24Z"), "the moment");
	ok(has("Example &amp; Sons"), "the organisation, escaped");

	make(REASON_HOST, "<script>alert(1)</script>\x80\"'&", "a<b>", "<img src=x>");
	ok(!has("<script") && !has("<img") && !has("a<b>"), "markup from outside is text");
	ok(has("&lt;script&gt;"), "and is shown");
	ok(!has("\x80"), "bytes that are not UTF-8 are replaced");

	make(REASON_NO_RULES, "h.example", NULL, "x");
	ok(!has("<dt>Rule</dt>"), "without a rule none is named");
	ok(has("could not be checked"), "and it says that nothing was checked");
	buf_fini(&page);
	return tap_done();
}
