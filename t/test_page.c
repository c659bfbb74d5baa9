/* The block page: says why, names the rule and the number, and nothing from outside gets through as markup. */
#include "icap_service/fields.h"
#include "icap_service/page_form.h"
#include "ruleset/variant.h"
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
	struct page_facts facts = { .mistake_link = "", .why = &why, .host = slice_str(host), .incident = "1M83ME10C4HM007J",
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
	struct page_facts facts = { .mistake_link = "", .why = &why, .incident = "1M83ME10C4HM007J", .now_ms = INT64_C(1795418424332),
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
	struct page_facts facts = { .mistake_link = "", .why = &why, .host = SLICE("www.a.example"), .incident = "1M83ME10C4HM007J",
		.now_ms = INT64_C(1795418424332), .contact = "x", .organisation = "" };

	buf_reset(&page);
	ok(page_write(&facts, &page) == 0, "page for a rule of a generation");
}

static size_t
language_of(const char *tag)
{
	for (size_t i = 0; i < PAGE_LANGUAGES; i++)
		if (slice_eq(page_languages[i].tag, slice_str(tag)))
			return i;
	abort();
}

static bool
has_needs(const char *text, struct slice needs)
{
	struct slice one;
	char braced[32];

	while (needs.len > 0) {
		slice_cut(needs, ' ', &one, &needs);
		snprintf(braced, sizeof(braced), "{%.*s}", SLICE_ARGS(one));
		if (strstr(text, braced) == NULL)
			return false;
	}
	return true;
}

/* Every language has every word, and a place for every fact. */
static void
test_languages(void)
{
	for (size_t i = 0; i < PAGE_LANGUAGES; i++) {
		const struct page_words *w = &page_languages[i];
		const char *missing = NULL;

		for (int k = 0; k < PAGE_WORDS; k++) {
			const char *text = w->text[k];

			if (i == 0 && k >= WORD_SAYS_SITE && k <= WORD_SAYS_UNCHECKED)
				text = page_english_says[k - WORD_SAYS_SITE];
			if (text == NULL || *text == '\0' || strpbrk(text, "<>&\"") != NULL || !has_needs(text, slice_str(page_word_kinds[k].needs)))
				missing = page_word_kinds[k].name;
		}
		ok(missing == NULL, "%s has every word, with every fact (%s)", w->tag.p, missing == NULL ? "all" : missing);
		ok(slice_eq(page_language_tags[i], w->tag), "%s has its tag", w->tag.p);
	}
}

static void
test_picking(void)
{
	static const struct { const char *value, *tag; } rows[] = {
		{ "", "en" }, { "de", "de" }, { "de-AT,de;q=0.9,en;q=0.8", "de" }, { "pt-BR,es;q=0.8,en;q=0.5", "es" },
		{ "fr;q=0.2, el;q=0.9", "el" }, { "deutsch", "en" }, { "*", "en" }, { "de;q=0, fr;q=0.1", "fr" }, { "en-GB, de;q=0.9", "en" },
		{ "\"><script>;q=1, de", "de" }, { "DE-ch", "de" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		is_str(page_language_tags[accept_language_pick(slice_str(rows[i].value), page_language_tags, PAGE_LANGUAGES)].p, rows[i].tag,
		    rows[i].value);
}

static void
test_forms(void)
{
	static const struct { const char *idea, *dest, *accept, *with; enum page_form form; } rows[] = {
		{ "a window", "document", "text/html,*/*;q=0.8", NULL, FORM_HTML }, { "a frame", "iframe", "*/*", NULL, FORM_HTML },
		{ "a window without Fetch Metadata", NULL, "text/html,application/xhtml+xml,*/*;q=0.8", NULL, FORM_HTML },
		{ "fetch()", "empty", "*/*", NULL, FORM_PROBLEM }, { "fetch() of a page", "empty", "text/html", NULL, FORM_HTML },
		{ "XMLHttpRequest as libraries have it", NULL, "*/*", "XMLHttpRequest", FORM_PROBLEM },
		{ "a program that wants JSON", NULL, "application/json", NULL, FORM_PROBLEM },
		{ "curl", NULL, "*/*", NULL, FORM_TEXT }, { "apt", NULL, NULL, NULL, FORM_TEXT }, { "an image", "image", "image/avif,*/*;q=0.8", NULL,
		    FORM_IMAGE }, { "an image without Fetch Metadata", NULL, "image/webp,*/*;q=0.8", NULL, FORM_IMAGE },
		{ "a script", "script", "*/*", NULL, FORM_SCRIPT }, { "a style sheet", "style", "text/css,*/*;q=0.1", NULL, FORM_STYLE },
		{ "an old one", NULL, "text/css,*/*;q=0.1", NULL, FORM_STYLE }, { "a font", "font", "*/*", NULL, FORM_TEXT },
		{ "a destination of the future", "hologram", "*/*", NULL, FORM_PROBLEM },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct page_ask ask = { .dest = slice_str(rows[i].dest), .accept = slice_str(rows[i].accept),
			.requested_with = slice_str(rows[i].with), .n_dest = rows[i].dest != NULL };

		is_int(page_form_for(&ask), rows[i].form, rows[i].idea);
	}
}

static void
make_as(enum page_form form, const char *tag, const char *action)
{
	struct why why = { .verdict = VERDICT_BLOCK, .reason = REASON_LOOKALIKE,
		.lookalike = { .target = SLICE("betterbricks.com"), .registrable = SLICE("upd01.net") } };
	struct page_facts facts = { .form = form, .language = language_of(tag), .mistake_link = "", .why = &why, .host = SLICE("betterbricks.com.upd01.net"),
		.incident = "1M83ME10C4HM007J", .now_ms = INT64_C(1795418424332), .contact = "<4242>", .organisation = "",
		.action = slice_str(action) };

	buf_reset(&page);
	ok(page_write(&facts, &page) == 0, "form %d in %s", form, tag);
}

static void
test_kinds(void)
{
	make_as(FORM_HTML, "de", NULL);
	ok(has("<html lang=\"de\">") && has("sieht aus wie betterbricks.com, gehört aber zu upd01.net.") && has("Diese Seite ist gesperrt") &&
	    !has("<form"), "a page in German");
	make_as(FORM_HTML, "el", "/x?a=1&b=2");
	ok(has("<form method=\"post\" action=\"/x?a=1&amp;b=2\">") && has("μοιάζει με betterbricks.com") && !has("<title>Αποκλείστηκε"),
	    "a warning in Greek");
	make_as(FORM_TEXT, "en", NULL);
	ok(has("Firebreak: This site is blocked: ") && has("<4242>") && has("1M83-ME10-C4HM-007J") &&
	    slice_find(buf_slice(&page), '\n') == page.len - 1, "one line of text");
	make_as(FORM_PROBLEM, "fr", NULL);
	ok(has("\"status\":403") && has("\"reason\":\"lookalike\"") && has("ressemble à betterbricks.com") &&
	    has("\"incident\":\"1M83-ME10-C4HM-007J\""), "problem details");
	make_as(FORM_IMAGE, "en", NULL);
	ok(slice_starts(buf_slice(&page), SLICE("GIF89a")) && page.len == 43, "a pixel");
	make_as(FORM_SCRIPT, "en", NULL);
	ok(has("/* blocked by Firebreak, incident 1M83-ME10-C4HM-007J */"), "a script that does nothing");
}

/* ---- what is known of a file ---- */

static void
make_file(enum page_form form, const char *tag, const char *note, uint64_t size)
{
	struct why why = { .verdict = VERDICT_BLOCK, .reason = REASON_FILE, .has_rule = true, .rule = { .kind = RULE_FILE,
		.id = SLICE("alert-19190:file-2"), .rev = 1, .value = SLICE("x"), .name = SLICE("patch.exe"), .note = slice_str(note),
		.key = { .size = size } } };
	struct page_facts facts = { .form = form, .language = language_of(tag), .why = &why, .host = SLICE("h.example"),
		.incident = "1M83ME10C4HM007J", .now_ms = INT64_C(1795418424332), .contact = "extension 4242", .organisation = "Example & Sons",
		.mistake_link = "https://help.example/mistake?n={incident}&again={incident}" };

	buf_reset(&page);
	ok(page_write(&facts, &page) == 0, "a file in form %d in %s", form, tag);
}

static void
test_file(void)
{
	static const struct { const char *tag, *file, *opened; } rows[] = {
		{ "en", "patch.exe, variant 2 of 3, 100,352 bytes, of “Fake <b>”, published 2009-10-28", "If you already opened it" },
		{ "de", "patch.exe, Variante 2 von 3, 100.352 Bytes, aus „Fake <b>“, veröffentlicht 2009-10-28", "schon geöffnet" },
		{ "fr", "patch.exe, variante 2 sur 3, 100\u202f352 octets, de « Fake <b> », publié le 2009-10-28", "déjà ouvert" },
		{ "el", "patch.exe, παραλλαγή 2 από 3, 100.352 byte, από «Fake <b>», δημοσιεύτηκε 2009-10-28", "ανοίξατε ήδη" },
		{ "es", "patch.exe, variante 2 de 3, 100.352 bytes, de «Fake <b>», publicado el 2009-10-28", "ya lo abrió" },
	};
	const char *note = "variant 2 of 3 of Fake <b>, published 2009-10-28";
	struct buf html;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (enum page_form form = FORM_HTML; form <= FORM_PROBLEM; form++) {
			make_file(form, rows[i].tag, note, 100352);
			buf_init(&html, PAGE_MAX);
			buf_add_html(&html, slice_str(rows[i].file));
			ok(has(form == FORM_HTML ? html.p : rows[i].file), "it says what the file is");
			buf_fini(&html);
			ok(has(rows[i].opened), "and what to do when it was opened");
			ok(has("extension 4242"), "and whom to ask");
			ok(has(form == FORM_HTML ? "href=\"https://help.example/mistake?n=1M83-ME10-C4HM-007J&amp;again=1M83-ME10-C4HM-007J\"" :
			    "https://help.example/mistake?n=1M83-ME10-C4HM-007J&again=1M83-ME10-C4HM-007J"), "and where to say that it is a mistake");
			ok(!has("<b>") || form != FORM_HTML, "what others wrote is text");
		}
	}
	make_file(FORM_PROBLEM, "en", note, 100352);
	ok(has("\"organisation\":\"Example & Sons\""), "problem details name the organisation");
	make_file(FORM_HTML, "en", "ticket 4711, do not tell", 100352);
	ok(has("<dd>patch.exe, 100,352 bytes</dd>") && !has("4711"), "another note is the site's own");
	make_file(FORM_HTML, "en", "", HASHDB_SIZE_ANY);
	ok(!has("<dt>File</dt>"), "of which nothing more is known, nothing more is said");
	make_file(FORM_HTML, "en", "variant 1 of 1 of A title, published 2009-10-28", 999);
	ok(has("<dd>patch.exe, 999 bytes, of “A title”, published 2009-10-28</dd>"), "the only one is no variant");
	make_file(FORM_HTML, "en", "variant 4 of 3 of A title", 1234567);
	ok(has("<dd>patch.exe, 1,234,567 bytes</dd>"), "nor is one that cannot be");
	make_file(FORM_HTML, "en", "variant 1 of 2 of A title, published 2009-10-2x", 1);
	ok(has("of “A title, published 2009-10-2x”</dd>"), "what is no date is of the title");
}

int
main(void)
{
	test_languages();
	test_picking();
	test_forms();
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

	test_kinds();
	test_file();
	make_longest();
	make(REASON_NO_RULES, "h.example", NULL, "x");
	ok(!has("<dt>Rule</dt>"), "without a rule none is named");
	ok(has("could not be checked"), "and it says that nothing was checked");
	buf_fini(&page);
	return tap_done();
}
