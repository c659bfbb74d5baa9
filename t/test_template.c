/* Templates: what may be in one, where each mistake is found, and that nothing that is filled in is read as anything but text. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "pages/page.h"
#include "templates/page_markup.h"
#include "templates/page_source.h"
#include "t/tap.h"

#define BEGIN	"<!doctype html><html lang=\"{{lang}}\"><head><meta name=\"viewport\" content=\"x\"><title>{{title}}</title></head><body><h1>x</h1>"
#define NEED	"{{incident}}{{reason}}{{advice}}{{contact}}"
#define END	"</body></html>"

static struct buf ops;
static struct diag diag;

static int
compile(enum page_kind kind, bool has_logo, struct slice text)
{
	struct page_template t = { .kind = kind, .has_logo = has_logo };

	buf_reset(&ops);
	diag_fini(&diag);
	return page_template_compile(&t, "f", text, &ops, &diag);
}

/* ---- what is refused, and where ---- */

static void
test_refused(void)
{
	static const struct { const char *idea, *body; unsigned line, col; const char *why; } rows[] = {
		{ "an unknown placeholder", "\n\n <p>{{incidant}}</p>" NEED, 3, 5, "no such placeholder: incidant: firebreak-pages(5) has all" },
		{ "an empty one", "\n{{}}" NEED, 2, 1, "no such placeholder" },
		{ "one that is not closed", "\n{{host" NEED "}", 2, 1, "no such placeholder" },
		{ "one over two lines", "\n{{host\n}}" NEED, 2, 1, "without" },
		{ "an unknown word", "\n{{word_nothing}}" NEED, 2, 1, "no such placeholder: word_nothing" },
		{ "a word with facts", "\n{{word_says_site}}" NEED, 2, 1, "places for facts" },
		{ "the same five times", "\n{{host}}{{host}}{{host}}{{host}}{{host}}" NEED, 2, 33, "more than four" },
		{ "a section that is not closed", "\n{{#host}}" NEED, 2, 1, "section is not closed" },
		{ "a section that is not open", "\n{{/host}}" NEED, 2, 1, "not the one that is open" },
		{ "sections that cross", "\n{{#host}}{{#file}}{{/host}}{{/file}}" NEED, 2, 19, "not the one that is open" },
		{ "a section across elements", "\n{{#host}}<p>{{/host}}</p>" NEED, 2, 13, "an element is open" },
		{ "an element across a section", "\n<p>{{#host}}</p>{{/host}}" NEED, 2, 4, "section is not closed" },
		{ "an unknown condition", "\n{{#incident}}x{{/incident}}" NEED, 2, 1, "no such condition" },
		{ "no number", "{{reason}}{{advice}}{{contact}}", 0, 0, "{{incident}} is missing" },
		{ "a number that is not always there", "{{#file}}{{incident}}{{/file}}{{reason}}{{advice}}{{contact}}", 0, 0, "{{incident}} is missing" },
		{ "a number that has to be opened", "<details>{{incident}}</details>{{reason}}{{advice}}{{contact}}", 0, 0, "{{incident}} is missing" },
		{ "a number in an attribute alone", "<p title=\"{{incident}}\"></p>{{reason}}{{advice}}{{contact}}", 0, 0, "{{incident}} is missing" },
		{ "a number in a comment", "<!-- {{incident}} -->{{reason}}{{advice}}{{contact}}", 0, 0, "{{incident}} is missing" },
		{ "no reason", "{{incident}}{{advice}}{{contact}}", 0, 0, "{{reason}} is missing" },
		{ "a form of its own", "\n<form action=\"https://e.example/\"></form>" NEED, 2, 1, "the only form" },
		{ "the form on a block page", "\n{{continue_form}}" NEED, 2, 1, "warn page alone" },
		{ "a script", "\n<script>alert(1)</script>" NEED, 2, 1, "no scripts" },
		{ "a script in capitals", "\n <SCRIPT >" NEED, 2, 2, "no scripts" },
		{ "an event handler", "\n<p onclick=\"x()\">" NEED, 2, 4, "an event handler: onclick" },
		{ "one without a value", "\n<p OnLoad>" NEED, 2, 4, "an event handler: OnLoad" },
		{ "an image from elsewhere", "\n<img src=\"https://e.example/x.png\" alt=\"\">" NEED, 2, 11, "fetches nothing" },
		{ "an image of its own", "\n<img src=\"data:image/svg+xml,x\" alt=\"\">" NEED, 2, 11, "fetches nothing" },
		{ "more than the logo", "\n<img src=\"{{logo}}x\" alt=\"\">" NEED, 2, 11, "fetches nothing" },
		{ "a logo that is not there", "\n<img src=\"{{logo}}\" alt=\"\">" NEED, 2, 11, "there is no logo" },
		{ "srcset", "\n<img srcset=\"x\" alt=\"\">" NEED, 2, 6, "an attribute" },
		{ "a style attribute", "\n<p style=\"color:red\">" NEED, 2, 4, "an attribute" },
		{ "a frame", "\n<iframe src=\"x\"></iframe>" NEED, 2, 1, "fetches nothing" },
		{ "an object", "\n<object data=\"x\"></object>" NEED, 2, 1, "fetches nothing" },
		{ "SVG", "\n<svg/onload=alert(1)>" NEED, 2, 1, "fetches nothing" },
		{ "a link that runs", "\n<a href=\"javascript:alert(1)\">x</a>" NEED, 2, 10, "no link for a page" },
		{ "a link that hides that", "\n<a href=\"java\tscript:alert(1)\">x</a>" NEED, 2, 10, "no link for a page" },
		{ "a link made of a fact", "\n<a href=\"https://{{host}}/\">x</a>" NEED, 2, 10, "percent-encoded" },
		{ "a link that is a fact", "\n<a href=\"{{host}}\">x</a>" NEED, 2, 10, "no link for a page" },
		{ "a link with a reference", "\n<a href=\"&#106;avascript:x\">x</a>" NEED, 2, 10, "no link for a page" },
		{ "a mistake link that may be none", "\n<a href=\"{{mistake_link}}\">x</a>" NEED, 2, 10, "between" },
		{ "a mistake link as text", "\n{{mistake_link}}" NEED, 2, 1, "alone" },
		{ "a value without quotes", "\n<p class=x>" NEED, 2, 10, "in quotes" },
		{ "a quote that is not closed", "\n<p class=\"x>" NEED, 2, 10, "not closed" },
		{ "a placeholder through a quote", "\n<p title=\"{{ho\" class=\"st}}\">" NEED, 2, 11, "within the quotes" },
		{ "a placeholder for an attribute's name", "\n<p {{host}}=\"x\">" NEED, 2, 4, "no attribute" },
		{ "a placeholder for an element", "\n<{{host}}>" NEED, 2, 1, "&lt;" },
		{ "a placeholder in a class", "\n<p class=\"{{host}}\"></p>" NEED, 2, 11, "nothing is filled into this attribute" },
		{ "a section in an attribute", "\n<p title=\"{{#host}}x{{/host}}\"></p>" NEED, 2, 11, "in the text of the body" },
		{ "a tag that is not closed", "\n<p class=\"x\"", 2, 1, "this tag is not closed" },
		{ "an element that is not closed", "\n<p>" NEED, 0, 0, "not the end of the element that is open" },
		{ "an element that is open when its section ends", "\n{{#host}}<p>{{/host}}" NEED, 2, 13, "open that began in it: p" },
		{ "an end without a beginning", "\n</p>" NEED, 2, 1, "not the end" },
		{ "a comment that is not closed", "\n<!-- " NEED, 2, 1, "comment is not closed" },
		{ "a bare <", "\n1 < 2" NEED, 2, 3, "&lt;" },
		{ "another doctype", "\n<!doctype html>" NEED, 2, 1, "&lt;" },
		{ "CDATA", "\n<![CDATA[x]]>" NEED, 2, 1, "&lt;" },
		{ "a processing instruction", "\n<?x?>" NEED, 2, 1, "&lt;" },
		{ "a style sheet in the body", "\n<style></style>" NEED, 2, 1, "may not stand here" },
		{ "a refresh", "\n<meta http-equiv=\"refresh\">" NEED, 2, 1, "may not stand here" },
		{ "a base", "\n<base href=\"https://e.example/\">" NEED, 2, 1, "fetches nothing" },
		{ "a text area", "\n<textarea>" NEED, 2, 1, "not among" },
		{ "bytes that are not UTF-8", "\nab\xff" NEED, 2, 3, "not UTF-8" },
		{ "an overlong slash", "\n\xc0\xaf" NEED, 2, 1, "not UTF-8" },
		{ "a control", "\n\x01" NEED, 2, 1, "control" },
		{ "what turns the writing round", "\nx\u202e" NEED, 2, 2, "control" },
		{ "no language", "\n<p lang=\"en us\"></p>" NEED, 2, 10, "no language" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[2000];
		bool found = false;

		snprintf(text, sizeof(text), BEGIN "%s" END, rows[i].body);
		if (strcmp(rows[i].idea, "a tag that is not closed") == 0)
			text[strlen(text) - strlen(END)] = '\0';
		ok(compile(PAGE_BLOCK, false, slice_str(text)) == -1, "refused: %s", rows[i].idea);
		for (size_t k = 0; k < diag.n; k++)
			found = found || (diag.v[k].level == DIAG_ERROR && strstr(diag.v[k].text, rows[i].why) != NULL &&
			    (rows[i].line == 0 || (diag.v[k].line == rows[i].line && diag.v[k].col == rows[i].col)));
		ok(found, "it is said where and why (%s, %u:%u)", diag_first_error(&diag), diag.n > 0 ? diag.v[0].line : 0,
		    diag.n > 0 ? diag.v[0].col : 0);
	}
}

static void
test_heads(void)
{
	static const struct { const char *idea, *text; bool fine; } rows[] = {
		{ "a plain page", BEGIN NEED END, true },
		{ "a byte order mark", "\xef\xbb\xbf" BEGIN NEED END, true },
		{ "a doctype in capitals", "<!DOCTYPE HTML><html lang=\"it\"><head><title>x</title></head><body>" NEED "</body></html>", true },
		{ "no doctype", "<html lang=\"it\"><head><title>x</title></head><body>" NEED "</body></html>", false },
		{ "an empty file", "", false },
		{ "no language", "<!doctype html><html><head><title>x</title></head><body>" NEED "</body></html>", false },
		{ "no title", "<!doctype html><html lang=\"it\"><body>" NEED "</body></html>", false },
		{ "text before the page", "<!doctype html>x" BEGIN NEED END, false },
		{ "a placeholder behind it", BEGIN NEED END "{{host}}", false },
		{ "two bodies", BEGIN NEED "</body><body></body></html>", false },
		{ "http-equiv", "<!doctype html><html lang=\"it\"><head><meta http-equiv=\"refresh\" content=\"0\"><title>x</title></head><body>"
		    NEED "</body></html>", false },
		{ "a style sheet elsewhere", "<!doctype html><html lang=\"it\"><head><link rel=\"stylesheet\" href=\"https://e.example/\">"
		    "<title>x</title></head><body>" NEED "</body></html>", false },
		{ "a script in the title", "<!doctype html><html lang=\"it\"><head><title><script></title></head><body>" NEED "</body></html>", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int r = compile(PAGE_BLOCK, false, slice_str(rows[i].text));

		ok((r == 0) == rows[i].fine, "%s (%s)", rows[i].idea, diag_first_error(&diag));
	}
	ok(compile(PAGE_WARN, false, SLICE(BEGIN NEED END)) == -1 && strstr(diag_first_error(&diag), "{{continue_form}} is missing") != NULL,
	    "a warning without a way on");
	ok(compile(PAGE_WARN, false, SLICE(BEGIN NEED "{{#host}}{{continue_form}}{{/host}}" END)) == -1, "with one that is not always there");
	ok(compile(PAGE_WARN, false, SLICE(BEGIN NEED "{{continue_form}}" END)) == 0, "with one");
	ok(compile(PAGE_BLOCK, true, SLICE(BEGIN NEED "<img src=\"{{logo}}\" alt=\"{{organisation}}\">" END)) == 0, "a logo");
}

static void
test_styles(void)
{
	static const struct { const char *css; bool fine; } rows[] = {
		{ "a{b:c}@media(x){a{b:c}}", true }, { "a{background:url(x)}", false }, { "@IMPORT 'x'", false }, { "a{b:\\75rl(x)}", false },
		{ "a{b:c}<!--", false }, { "a{b:Expression(x)}", false }, { "a{b:image-set('x' 1x)}", false }, { "a{b:{{host}}}", false },
		{ "a{src:URL (x)}", true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[500];

		snprintf(text, sizeof(text), "<!doctype html><html lang=\"it\"><head><title>x</title><style>%s</style></head><body>" NEED
		    "</body></html>", rows[i].css);
		ok((compile(PAGE_BLOCK, false, slice_str(text)) == 0) == rows[i].fine, "style %s", rows[i].css);
	}
}

/* ---- what comes out ---- */

static struct buf page;

static bool
has(const char *text)
{
	return slice_search(buf_slice(&page), slice_str(text)) < page.len;
}

/* One page of KIND with TEMPLATE for all, or nothing, for a file that is called NAME, asked for from HOST. */
static void
fill(enum page_kind kind, struct slice template, const char *host, const char *name, const char *contact)
{
	struct page_entry_head head = { .what = ENTRY_TEMPLATE, .kind = (uint8_t)kind };
	struct why why = { .verdict = VERDICT_BLOCK, .reason = REASON_FILE, .has_rule = true, .rule = { .kind = RULE_FILE, .rev = 7,
		.id = slice_str(name), .value = slice_str(name), .name = slice_str(name), .alert = slice_str(name), .key = { .size = 1000 } } };
	struct page_facts f = { .why = &why, .host = slice_str(host), .incident = "1M83ME10C4HM007J", .now_ms = INT64_C(1795418424332),
		.contact = contact, .organisation = contact, .mistake_link = "mailto:a@b.example?subject={incident}",
		.action = kind == PAGE_WARN ? SLICE("/x?a=1&b=\"2\"") : (struct slice){ 0 } };
	const char *bad = NULL;
	struct buf bytes;
	struct page_set *set;
	int r = compile(kind, false, template);

	ok(r == 0, "it is a template (%s)", diag_first_error(&diag));
	head.len = (uint32_t)ops.len;
	buf_init(&bytes, PAGE_SET_MAX);
	buf_add(&bytes, &head, sizeof(head));
	buf_add_char(&bytes, '\0');
	buf_add_slice(&bytes, buf_slice(&ops));
	set = page_set_open(buf_slice(&bytes), &bad);
	ok(set != NULL, "a generation can have it (%s)", bad == NULL ? "" : bad);
	f.set = set;
	buf_reset(&page);
	ok(page_write(&f, &page) == 0, "it is filled in");
	page_set_free(set);
	buf_fini(&bytes);
}

static void
test_filled(void)
{
	const struct slice all = SLICE(BEGIN NEED "|{{host}}|{{file}}|{{rule}}|{{revision}}|{{alert}}|{{time}}|{{organisation}}|{{reason_word}}|"
	    "<p title=\"{{host}} {{rule}}\" lang='{{lang}}'></p><!-- secret -->"
	    "{{#mistake_link}}<a href=\"{{mistake_link}}\">{{word_mistake}}</a>{{/mistake_link}}"
	    "{{#is_file}}F{{#host}}H{{/host}}{{^host}}N{{/host}}{{/is_file}}{{^is_file}}X{{#host}}X{{/host}}{{/is_file}}{{#is_site}}X{{/is_site}}" END);
	static const char *const hostile[] = { "{{incident}}", "{{#file}}", "<script>alert(1)</script>", "\"onmouseover=\"alert(1)", "'><img src=x>",
		"&lt;", "\x80\xff", "{incident}", "\u202e\x1b[2J", "-->" };
	size_t plain = 0;

	fill(PAGE_BLOCK, all, "h.example", "patch.exe", "4242");
	ok(has("|h.example|patch.exe, 1,000 bytes|patch.exe|7|patch.exe|2026-11-23T07:20:24Z|4242|file|"), "each fact in its place");
	ok(has("<html lang=\"en\">") && has("lang='en'") && has("<title>Blocked for your safety</title>"), "language and title");
	ok(has("<a href=\"mailto:a@b.example?subject=1M83-ME10-C4HM-007J\">This is a mistake</a>"), "the mistake link has the number");
	ok(has("FH</body>") && !has("secret"), "sections, and no comments");
	for (size_t k = 0; k < page.len; k++)
		plain += page.p[k] == '<';
	fill(PAGE_BLOCK, all, "", "patch.exe", "4242");
	ok(has("FN</body>"), "the other section");
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		size_t tags = 0;

		fill(PAGE_BLOCK, all, hostile[i], hostile[i], hostile[i]);
		for (size_t k = 0; k < page.len; k++)
			tags += page.p[k] == '<';
		is_int(tags, plain, hostile[i]);
		ok(!has("\"onmouseover") && !has("'><img") && !has("\x1b") && !has("\x80\xff"), "nothing of it leaves its place");
	}
	fill(PAGE_BLOCK, all, "{{incident}}", "{{contact}}", "{{host}}");
	ok(has("|{{incident}}|{{contact}}, 1,000 bytes|{{contact}}|"), "placeholders from outside are text");
	fill(PAGE_WARN, SLICE(BEGIN NEED "{{continue_form}}" END), "h.example", "patch.exe", "4242");
	ok(has("<form method=\"post\" action=\"/x?a=1&amp;b=&quot;2&quot;\"><button>I know this site: continue</button></form>"), "the way on");
}

/* The longest of everything that a template may have, as often as it may: it fits. */
static void
test_longest(void)
{
	static char text[PAGE_TEMPLATE_MAX], host[HOST_MAX + 1], name[RULE_NAME_MAX], contact[501];
	size_t n;

	memset(host, '"', HOST_MAX);
	memset(name, '"', sizeof(name) - 1);
	memset(contact, '"', sizeof(contact) - 1);
	n = (size_t)snprintf(text, sizeof(text), BEGIN NEED NEED NEED NEED "{{host}}{{host}}{{host}}{{host}}{{rule}}{{rule}}{{rule}}{{rule}}"
	    "{{alert}}{{alert}}{{alert}}{{alert}}{{file}}{{file}}{{file}}{{file}}" END);
	memset(text + n, ' ', sizeof(text) - n);
	fill(PAGE_BLOCK, slice_make(text, sizeof(text)), host, name, contact);
	ok(page.len > PAGE_TEMPLATE_MAX && has("|") == false && slice_ends(slice_trim(buf_slice(&page)), SLICE("</html>")), "the longest fits: %zu",
	    page.len);
	ok(compile(PAGE_BLOCK, false, slice_make(text, sizeof(text))) == 0, "64 KiB");
	{
		static char more[PAGE_TEMPLATE_MAX + 1];

		memcpy(more, text, sizeof(text));
		more[PAGE_TEMPLATE_MAX] = ' ';
		ok(compile(PAGE_BLOCK, false, slice_make(more, sizeof(more))) == -1, "a byte more");
	}
}

/* ---- bytes that were not written so ---- */

/* Whatever bit of a set flips, it is refused, or what comes out of it is whole. */
static void
test_flips(void)
{
	struct page_entry_head head = { .what = ENTRY_TEMPLATE };
	struct why why = { .verdict = VERDICT_BLOCK, .reason = REASON_LIMIT };
	struct page_facts f = { .why = &why, .incident = "1M83ME10C4HM007J", .contact = "x", .organisation = "", .mistake_link = "" };
	struct buf bytes;
	const char *bad;
	size_t opened = 0;

	ok(compile(PAGE_BLOCK, false, SLICE(BEGIN NEED "{{#host}}{{#file}}x{{/file}}y{{/host}}{{word_site}}" END)) == 0, "a template");
	head.len = (uint32_t)ops.len;
	buf_init(&bytes, PAGE_SET_MAX);
	buf_add(&bytes, &head, sizeof(head));
	buf_add_char(&bytes, '\0');
	buf_add_slice(&bytes, buf_slice(&ops));
	for (size_t bit = 0; bit < bytes.len * 8; bit++) {
		struct page_set *set;

		bytes.p[bit / 8] = (char)(bytes.p[bit / 8] ^ 1 << bit % 8);
		if ((set = page_set_open(buf_slice(&bytes), &bad)) != NULL) {
			f.set = set;
			buf_reset(&page);
			opened += page_write(&f, &page) == 0 && page.len > 0;
			page_has_image(&f);
		}
		page_set_free(set);
		bytes.p[bit / 8] = (char)(bytes.p[bit / 8] ^ 1 << bit % 8);
	}
	ok(opened > 0 && opened < bytes.len * 8, "some of %zu are refused, and of %zu comes a page", bytes.len * 8, opened);
	for (size_t n = 0; n < bytes.len; n++) {
		struct page_set *set = page_set_open(slice_make(bytes.p, n), &bad);

		if (set != NULL && n > 0)
			ok(false, "%zu bytes of it are no set", n);
		page_set_free(set);
	}
	buf_fini(&bytes);
}

/* ---- folders ---- */

static char folder[] = "/tmp/firebreak-template-XXXXXX";

static void
put(const char *name, struct slice text)
{
	char *path = file_join(folder, name);

	if (file_write(path, text, 0644) == -1)
		abort();
	free(path);
}

static void
take(const char *name)
{
	char *path = file_join(folder, name);

	unlink(path);
	free(path);
}

static int
read_folder(struct buf *out)
{
	buf_reset(out);
	diag_fini(&diag);
	return page_source_read(folder, true, out, &diag);
}

static bool
said(const char *text)
{
	for (size_t i = 0; i < diag.n; i++)
		if (strstr(diag.v[i].text, text) != NULL)
			return true;
	return false;
}

#define PNG	"\x89PNG\r\n\x1a\n\0\0\0\rIHDR....\0\0\0\0IEND\xae\x42\x60\x82"

static void
test_folder(void)
{
	struct buf out, again;
	struct page_set *set;
	const char *why;
	size_t n;

	buf_init(&out, PAGE_SET_MAX);
	buf_init(&again, PAGE_SET_MAX);
	if (mkdtemp(folder) == NULL)
		abort();
	ok(read_folder(&out) == 0 && out.len == 0, "an empty folder says nothing");
	put("block.html", SLICE(BEGIN NEED END));
	put("block.de.html", SLICE(BEGIN NEED "Deutsch" END));
	put("de.words", SLICE("# one word alone\n\ncall = Rufen Sie die 4242 an:\n"));
	put("logo.png", SLICE(PNG));
	put(".hidden", SLICE("x"));
	put("block.html~", SLICE("x"));
	put("README", SLICE("x"));
	ok(read_folder(&out) == 0 && diag.n_warnings == 1 && said("nothing that a page is made of"), "a folder, and what is not for it");
	ok(read_folder(&again) == 0 && slice_eq(buf_slice(&out), buf_slice(&again)), "the same files, the same bytes");
	set = page_set_open(buf_slice(&out), &why);
	page_set_tags(set, &n);
	is_int(n, PAGE_LANGUAGES, "no other languages");
	is_str(page_set_words(set, 1)->text[WORD_CALL], "Rufen Sie die 4242 an:", "a word of the site's own");
	is_str(page_set_words(set, 1)->text[WORD_SITE], "Seite", "the others are firebreak's");
	ok(page_set_template(set, PAGE_BLOCK, 0).len > 0 && page_set_template(set, PAGE_BLOCK, 1).len > page_set_template(set, PAGE_BLOCK, 0).len,
	    "a page of a language, and one for the others");
	ok(page_set_template(set, PAGE_WARN, 0).len == 0, "and none to warn");
	ok(slice_starts(page_set_logo(set), SLICE("data:image/png;base64,iVBORw0K")), "the logo");
	page_set_free(set);

	put("block.it.html", SLICE(BEGIN NEED END));
	ok(read_folder(&out) == -1 && said("there are no words in this language: put it.words"), "a page without words");
	put("it.words", SLICE("site = Sito\n"));
	ok(read_folder(&out) == -1 && said("title is missing"), "a language with a word alone");
	take("it.words");
	take("block.it.html");
	put("logo.jpg", SLICE("\xff\xd8\xff...\xff\xd9"));
	ok(read_folder(&out) == -1 && said("another logo"), "two logos");
	take("logo.jpg");
	take("logo.png");
	put("logo.svg", SLICE("<svg/>"));
	ok(read_folder(&out) == -1 && said("SVG is no image"), "SVG");
	take("logo.svg");
	put("block.x.html", SLICE(BEGIN NEED END));
	ok(read_folder(&out) == -1 && said("is no language"), "a language that is none");
	take("block.x.html");
	put("blokc.html", SLICE(BEGIN NEED END));
	ok(read_folder(&out) == -1, "a name that is mistyped");
	take("blokc.html");
	put("fr.words", SLICE("call = <b>4242</b>\n\n  sitee = x\nsays_site = {host} est {quoi}\nsays_file = non\ncall = y\nx\ncall =\n"));
	ok(read_folder(&out) == -1 && diag.n_errors == 7, "seven mistakes in words: %zu", diag.n_errors);
	ok(diag.v[0].line == 1 && diag.v[0].col == 8 && diag.v[1].line == 3 && diag.v[1].col == 3 && diag.v[2].line == 4 && diag.v[2].col == 24,
	    "each where it is: %u:%u %u:%u %u:%u", diag.v[0].line, diag.v[0].col, diag.v[1].line, diag.v[1].col, diag.v[2].line, diag.v[2].col);
	take("fr.words");
	{
		static char big[PAGE_LOGO_MAX + 1];

		memcpy(big, PNG, 16);
		put("logo.png", slice_make(big, sizeof(big)));
		ok(read_folder(&out) == -1 && said("49152 bytes"), "a large logo");
		take("logo.png");
	}
	{
		char *path = file_join(folder, "warn.html");

		if (mkfifo(path, 0600) == -1)
			abort();
		ok(read_folder(&out) == -1 && said("no plain file"), "what is no file is not waited for");
		unlink(path);
		free(path);
	}
	for (const char *const *name = (const char *const[]){ "block.html", "block.de.html", "de.words", ".hidden", "block.html~", "README", NULL };
	    *name != NULL; name++)
		take(*name);
	ok(rmdir(folder) == 0, "nothing is left");
	ok(page_source_read(folder, false, &out, &diag) == 0 && page_source_read(folder, true, &out, &diag) == -1, "a folder that is not there");
	buf_fini(&out);
	buf_fini(&again);
}

static void
test_links(void)
{
	static const struct { const char *link; bool fine; } rows[] = {
		{ "mailto:help@example.com?subject={incident}", true }, { "https://help.example/?n={incident}&x={incident}", true },
		{ "https://help.example/", false }, { "http://help.example/{incident}", false }, { "javascript:x({incident})", false },
		{ "mailto:a b@example.com?subject={incident}", false }, { "https://x/{incident}\"", false }, { "https://x/{incident}{y}", false },
		{ "https://x/{Incident}", false }, { "", false },
	};
	static const struct { const char *tag; bool fine; } tags[] = { { "it", true }, { "pt-BR", true }, { "zh-Hant-TW", true }, { "gsw", true },
		{ "x", false }, { "", false }, { "it-", false }, { "it_IT", false }, { "../etc", false }, { "italian", false }, { "i1", false },
		{ "it-123456789", false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		ok((page_mistake_fault(slice_str(rows[i].link)) == NULL) == rows[i].fine, "link %s", rows[i].link);
	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++)
		ok(page_tag_ok(slice_str(tags[i].tag)) == tags[i].fine, "tag %s", tags[i].tag);
}

int
main(void)
{
	buf_init(&ops, PAGE_SET_MAX);
	buf_init(&page, PAGE_MAX);
	test_refused();
	test_heads();
	test_styles();
	test_filled();
	test_longest();
	test_flips();
	test_folder();
	test_links();
	buf_fini(&ops);
	buf_fini(&page);
	diag_fini(&diag);
	return tap_done();
}
