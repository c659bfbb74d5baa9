#include "pages/page.h"

#include <stdio.h>

#include "base/clock.h"
#include "command/caller.h"
#include "command/show.h"
#include "command/verb.h"
#include "events/incident.h"
#include "pages/page_reason.h"
#include "ruleset/site_file.h"
#include "ruleset/variant.h"
#include "templates/page_source.h"

enum { FLAG_FOLDER, FLAG_KIND, FLAG_FORM, FLAG_LANG, FLAG_REASON, FLAG_HOST, FLAG_JSON, FLAGS };
enum { SAMPLE_LEVEL = 4 };

/* The site's options and pages as they are on the disk, live or not. */
struct pages {
	struct site	 site;
	struct buf	 bytes;
	struct page_set	*set;
	struct diag	 diag;
};

/* ---- reading ---- */

/* Read FOLDER, or what site.conf says, or the state folder's own.  -1 with errors in P. */
static int
read_pages(const struct call *c, const char *folder, struct pages *p)
{
	char path[STATE_PATH];
	const char *why;
	struct caller was = { .away = false };
	bool named = folder != NULL;
	int site, folder_result;

	buf_init(&p->bytes, PAGE_SET_MAX);
	site = site_load(c->state, &p->site, &p->diag);
	if (folder == NULL && slice_str(p->site.pages_folder).len > 0)
		folder = p->site.pages_folder;
	if (folder == NULL && call_path(c, STATE_PAGES, path) == -1)
		return -1;
	if (named)
		caller_begin(&was);
	folder_result = page_source_read(folder != NULL ? folder : path, folder != NULL, &p->bytes, &p->diag);
	caller_end(&was);
	if (site == -1 || folder_result == -1)
		return -1;
	if (p->bytes.len > 0 && (p->set = page_set_open(buf_slice(&p->bytes), &why)) == NULL) {
		diag_error(&p->diag, "%s", why);
		return -1;
	}
	return 0;
}

static void
fini_pages(struct pages *p)
{
	option_fini(site_options, site_options_n, &p->site);
	page_set_free(p->set);
	buf_fini(&p->bytes);
	diag_fini(&p->diag);
}

/* ---- check ---- */

static json_t *
json_language(const struct page_set *set, size_t i)
{
	json_t *j = json_object();
	size_t n;

	json_object_set_new(j, "language", show_json_text(page_set_tags(set, &n)[i]));
	for (enum page_kind kind = 0; kind < PAGE_KINDS; kind++)
		json_object_set_new(j, page_kind_name(kind), json_string(page_set_template(set, kind, i).len > 0 ? "site" : "firebreak"));
	return j;
}

static int
check_json(const struct pages *p)
{
	json_t *j = json_object(), *languages = json_array();
	size_t n;

	page_set_tags(p->set, &n);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(languages, json_language(p->set, i));
	json_object_set_new(j, "languages", languages);
	json_object_set_new(j, "logo", json_boolean(page_set_logo(p->set).len > 0));
	json_object_set_new(j, "findings", show_json_findings(&p->diag));
	return show_json(j, true);
}

/* There is a page of the site's own. */
static bool
has_template(const struct page_set *set)
{
	size_t n;

	page_set_tags(set, &n);
	for (size_t i = 0; i < n; i++)
		for (enum page_kind kind = 0; kind < PAGE_KINDS; kind++)
			if (page_set_template(set, kind, i).len > 0)
				return true;
	return false;
}

static void
check_text(const struct pages *p)
{
	const struct slice *tags;
	size_t n;

	tags = page_set_tags(p->set, &n);
	for (size_t i = 0; i < n; i++)
		printf("%-8.*s block: %s  warn: %s\n", SLICE_ARGS(tags[i]),
		    page_set_template(p->set, PAGE_BLOCK, i).len > 0 ? "the site's own" : "firebreak's",
		    page_set_template(p->set, PAGE_WARN, i).len > 0 ? "the site's own" : "firebreak's");
	if (page_set_logo(p->set).len > 0)
		printf("logo     %zu bytes in a page%s\n", page_set_logo(p->set).len, has_template(p->set) ? "" :
		    ", which none shows: firebreak's own have no place for it");
}

static int
check(const struct call *c, const char *const *values)
{
	struct pages p = { 0 };
	int r = read_pages(c, values[FLAG_FOLDER], &p), shown = 0;

	if (values[FLAG_JSON] != NULL) {
		shown = check_json(&p);
	} else {
		diag_print(&p.diag, stderr);
		if (r == 0)
			check_text(&p);
	}
	fini_pages(&p);
	return shown == -1 ? EXIT_TROUBLE : r == -1 ? EXIT_FOUND : EXIT_FINE;
}

/* ---- show ---- */

/* A sample of what every reason is about: what the facts are made of. */
static void
fill_why(struct why *why, enum reason reason)
{
	static const struct slice title = { "Fake Mail Server Upgrade E-mail Messages", 40 };
	static char note[RULE_WHY];
	struct buf text;
	bool about_site = page_about(reason) == ABOUT_SITE;

	why_init(why);
	buf_init_in(&text, note, sizeof(note), sizeof(note) - 1);
	file_variant_format(&(struct file_variant){ 2, 3, title, SLICE("2009-10-28") }, &text);
	why->verdict = VERDICT_BLOCK;
	why->reason = reason;
	why->has_rule = !reason_unchecked(reason) && reason != REASON_LOOKALIKE && reason != REASON_PARTIAL;
	why->rule = (struct rule){ .kind = about_site ? RULE_HOST : RULE_FILE, .level = SAMPLE_LEVEL, .rev = 1, .alert = SLICE("19190"),
		.id = about_site ? SLICE("alert-19190:host-1") : SLICE("alert-19190:file-2"), .source = SLICE("alert-19190"),
		.value = about_site ? SLICE("*.secure.upd01.net") : SLICE("100352:md5:0ee4f395dd071f169e95e34454bbf446"),
		.name = SLICE("patch.exe"), .note = buf_slice(&text), .key = { .size = about_site ? 0 : 100352 } };
	why->steps[why->n_steps++] = (struct step){ .kind = STEP_UNSCANNABLE, .unscannable = UNSCANNABLE_ENCRYPTED };
	why->lookalike = (struct lookalike_finding){ .class = LOOKALIKE_E1, .level = LOOKALIKE_BLOCK,
		.target = SLICE("betterbricks.com"), .registrable = SLICE("upd01.net"), .fault = "it has more than 64 parts" };
}

/* What the flags ask for into FACTS and *REASON; NULL, or what is wrong with them. */
static const char *
read_wish(const char *const *values, const struct page_set *set, struct page_facts *f, enum reason *reason)
{
	static const char *const forms[] = { [FORM_HTML] = "html", [FORM_TEXT] = "text", [FORM_PROBLEM] = "json" };
	const char *kind = values[FLAG_KIND], *form = values[FLAG_FORM];
	const struct slice *tags;
	bool warns = kind != NULL && strcmp(kind, page_kind_name(PAGE_WARN)) == 0;
	size_t n;

	*reason = warns ? REASON_LOOKALIKE : REASON_FILE;
	if (kind != NULL && !warns && strcmp(kind, page_kind_name(PAGE_BLOCK)) != 0)
		return "--kind is block or warn";
	if (warns)
		f->action = SLICE("/.well-known/firebreak-continue?t=sample&to=%2F");
	for (f->form = FORM_HTML; form != NULL && f->form <= FORM_PROBLEM && strcmp(form, forms[f->form]) != 0; f->form++)
		;
	if (f->form > FORM_PROBLEM || (f->form != FORM_HTML && f->action.len > 0))
		return "--form is html, text or json, and of a warn page html";
	tags = page_set_tags(set, &n);
	for (f->language = 0; values[FLAG_LANG] != NULL && f->language < n; f->language++)
		if (slice_ieq(tags[f->language], slice_str(values[FLAG_LANG])))
			break;
	if (f->language == n)
		return "there is no page in the language of --lang; \"firebreak page check\" lists those that there are";
	if (values[FLAG_REASON] == NULL)
		return NULL;
	for (*reason = REASON_NONE + 1; *reason < REASONS && strcmp(reason_name(*reason), values[FLAG_REASON]) != 0; (*reason)++)
		;
	return *reason < REASONS ? NULL : "--reason is a word as events have it, such as host, file or lookalike; events(5) has all";
}

static int
print_page(const struct call *c, const struct page_facts *f)
{
	struct buf out;
	int r;

	buf_init(&out, PAGE_MAX);
	if ((r = page_write(f, &out)) == 0)
		fwrite(out.p, 1, out.len, stdout);
	buf_fini(&out);
	return r == 0 ? EXIT_FINE : call_fail(c, "the page does not fit");
}

static int
show(const struct call *c, const char *const *values)
{
	struct pages p = { 0 };
	struct why why;
	struct page_facts f = { .why = &why, .now_ms = clock_ms(), .host = SLICE("updates.betterbricks.com.secure.upd01.net") };
	char incident[INCIDENT_LEN + 1];
	enum reason reason;
	const char *wrong;
	int status = EXIT_FOUND;

	if (read_pages(c, values[FLAG_FOLDER], &p) == 0) {
		incident_make(f.now_ms, 0, 0, incident);
		f.set = p.set;
		f.incident = incident;
		f.contact = p.site.contact;
		f.organisation = p.site.organisation;
		f.mistake_link = p.site.mistake_link;
		if (values[FLAG_HOST] != NULL)
			f.host = slice_str(values[FLAG_HOST]);
		wrong = read_wish(values, p.set, &f, &reason);
		if (wrong == NULL)
			fill_why(&why, reason);
		status = wrong != NULL ? call_misused(c, wrong) : print_page(c, &f);
	}
	diag_print(&p.diag, stderr);
	fini_pages(&p);
	return status;
}

/* ---- words ---- */

static int
words(const struct call *c, const char *const *values)
{
	const struct page_words *w = page_language(values[FLAG_LANG] == NULL ? SLICE("en") : slice_str(values[FLAG_LANG]));

	if (w == NULL)
		return call_misused(c, "firebreak has no words in the language of --lang: en, de, fr, el, es");
	printf("# What the pages say, in \"%s\".  Translate what stands behind \"=\", and keep what is in braces.\n", w->tag.p);
	for (int i = 0; i < PAGE_WORDS; i++)
		printf("%s = %s\n", page_word_kinds[i].name, w->text[i] != NULL ? w->text[i] : page_english_says[i - WORD_SAYS_SITE]);
	return EXIT_FINE;
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "folder=", "kind=", "form=", "lang=", "reason=", "host=", "json" };
	static const struct { const char *name; int (*run)(const struct call *c, const char *const *values); } doings[] = {
		{ "check", check }, { "show", show }, { "words", words },
	};
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);

	if (result != CALL_GO)
		return call_end(c, result);
	for (size_t i = 0; c->argc == 1 && i < sizeof(doings) / sizeof(*doings); i++)
		if (strcmp(c->argv[0], doings[i].name) == 0)
			return doings[i].run(c, values);
	return call_misused(c, "check, show or words?");
}

const struct verb verb_page = {
	.name = "page",
	.run = run,
	.operands = "check|show|words [--folder DIR] [--kind block|warn] [--lang TAG] ...",
	.summary = "Check and show the site's own block and warn pages.",
	.help =
	    "  check         read the folder as publish does, say what is wrong, list the languages\n"
	    "  show          print a page with a sample incident, as it would be by what is in the folder\n"
	    "  words         print the words of a language, to be translated into LANG.words\n"
	    "  --folder DIR  the folder, in place of PagesFolder or STATE/pages\n"
	    "  --kind KIND   show: block (as without it) or warn\n"
	    "  --lang TAG    show, words: the language\n"
	    "  --reason WORD show: why, a word as events have it: host, file, lookalike, unscannable ...\n"
	    "  --host HOST   show: what was asked for\n"
	    "  --form FORM   show: html, text or json\n"
	    "  --json        check: all of it as JSON\n",
};
