#include "pages/page.h"

#include "base/clock.h"
#include "events/incident.h"
#include "events/json_line.h"
#include "pages/page_reason.h"

/* A rule's value may be as long as a URL: of the sentence that shows it so much, in whatever escapes, fits a page. */
enum { SENTENCE_MAX = 2048, MS_PER_S = 1000, PAGE_USUAL = 3000, SENTENCE_USUAL = 512, ID_USUAL = 256 };

/* Contrast of every pair is at least 7:1 in both schemes. */
static const char head[] =
    "\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"robots\" content=\"noindex\">\n"
    "<title>";
static const char style[] =
    "</title>\n<style>\n"
    ":root{color-scheme:light dark}\n"
    "body{margin:0;overflow-wrap:anywhere;font:1.0625rem/1.5 system-ui,sans-serif;background:#fff;color:#1a1a1a}\n"
    "main{max-width:38rem;margin:0 auto;padding:2rem 1.25rem}\n"
    "h1{font-size:1.6rem;line-height:1.25;border-inline-start:.4rem solid #a30000;padding-inline-start:.8rem}\n"
    "dt{font-weight:600;margin-top:.8rem}dd{margin:0}\n"
    ".id{font:700 1.35rem/1.4 ui-monospace,monospace;letter-spacing:.04em}\n"
    "button{font:inherit;padding:.6rem 1rem;margin-top:1.2rem;min-height:2.75rem}\n"
    "@media(prefers-color-scheme:dark){body{background:#121212;color:#f1f1f1}"
    "h1{border-color:#ff8a80}}\n"
    "</style>\n</head>\n<body>\n<main>\n<h1>";

/* What the parts of a page are made of. */
struct writer {
	const struct page_facts	*f;
	const struct page_words	*words;
	enum reason		 reason;
	struct buf		*out;
	char			 shown[INCIDENT_SHOWN + 1], when[CLOCK_TEXT];
};

typedef int how_text(struct buf *out, struct slice text);

static const char *const bare[] = { "", "", "" };

/* ---- facts ---- */

/* Append what FORMAT says, which HOW makes harmless, cut. */
static void
add_rule_id(struct buf *out, const struct rule *rule, how_text *how)
{
	char space[ID_USUAL];
	struct buf id;

	buf_init_in(&id, space, sizeof(space), PAGE_MAX);
	rule_id_format(rule, &id);
	how(out, slice_head(buf_slice(&id), SENTENCE_MAX));
	buf_fini(&id);
}

/* Append why with HOW, cut. */
static void
add_sentence(const struct writer *w, how_text *how)
{
	char space[SENTENCE_USUAL];
	struct buf sentence;

	buf_init_in(&sentence, space, sizeof(space), PAGE_MAX);
	page_sentence_format(w->words, w->f->why, w->f->host, &sentence);
	how(w->out, slice_head(buf_slice(&sentence), SENTENCE_MAX));
	buf_add_str(w->out, sentence.failed || sentence.len > SENTENCE_MAX ? "..." : ".");
	buf_fini(&sentence);
}

/* Append BEFORE, what is known of the file with HOW, and AFTER; nothing when nothing is known. */
static void
add_file(const struct writer *w, const char *const before[static 3], how_text *how, const char *after)
{
	char space[SENTENCE_USUAL];
	struct buf file;

	buf_init_in(&file, space, sizeof(space), PAGE_MAX);
	page_file_format(w->words, w->f->why, &file);
	if (file.len > 0) {
		buf_add_strs(w->out, before[0], before[1], before[2], NULL);
		how(w->out, slice_head(buf_slice(&file), SENTENCE_MAX));
		buf_add_str(w->out, after);
	}
	buf_fini(&file);
}

/* Append the site's link with the number in it, with HOW. */
static void
add_mistake_link(const struct writer *w, how_text *how)
{
	struct slice rest = slice_str(w->f->mistake_link), text;
	const struct slice place = SLICE("{incident}");

	while (rest.len > 0) {
		size_t n = slice_search(rest, place);

		text = slice_head(rest, n);
		how(w->out, text);
		if (n < rest.len)
			buf_add_str(w->out, w->shown);
		rest = slice_skip(rest, n + place.len);
	}
}

/* The way on, of a warning: a form, since what only follows links is not to take it. */
static void
add_way_on(const struct writer *w)
{
	if (w->f->action.len == 0)
		return;
	buf_add_str(w->out, "<form method=\"post\" action=\"");
	buf_add_html(w->out, w->f->action);
	buf_add_strs(w->out, "\"><button>", w->words->text[WORD_GO_ON], "</button></form>\n", NULL);
}

static bool
warns(const struct writer *w)
{
	return w->f->action.len > 0;
}

static const char *
heading(const struct writer *w)
{
	return w->words->text[page_heading_of(w->reason, w->f->is_upload, warns(w))];
}

static const char *
advice(const struct writer *w)
{
	return w->words->text[page_advice_of(w->reason, w->f->is_upload, warns(w))];
}

static struct slice
contact(const struct writer *w)
{
	return slice_str(*w->f->contact != '\0' ? w->f->contact : w->words->text[WORD_HELPDESK]);
}

/* ---- firebreak's own page ---- */

static void
add_row(struct buf *out, const char *term, struct slice text)
{
	if (text.len == 0)
		return;
	buf_add_strs(out, "<dt>", term, "</dt><dd>", NULL);
	buf_add_html(out, text);
	buf_add_str(out, "</dd>\n");
}

static void
add_rule_rows(const struct writer *w)
{
	const struct why *why = w->f->why;

	if (!why->has_rule)
		return;
	buf_add_strs(w->out, "<dt>", w->words->text[WORD_RULE], "</dt><dd>", NULL);
	add_rule_id(w->out, &why->rule, buf_add_html);
	buf_add_strs(w->out, ", ", w->words->text[WORD_REVISION], " ", NULL);
	buf_add_number(w->out, why->rule.rev);
	buf_add_str(w->out, "</dd>\n");
	add_row(w->out, w->words->text[WORD_ALERT], why->rule.alert);
}

static void
add_rows(const struct writer *w)
{
	const char *const *text = w->words->text;

	buf_add_str(w->out, "<dl>\n");
	add_file(w, (const char *[]){ "<dt>", text[WORD_FILE], "</dt><dd>" }, buf_add_html, "</dd>\n");
	add_row(w->out, text[WORD_SITE], w->f->host);
	add_rule_rows(w);
	buf_add_strs(w->out, "<dt>", text[WORD_TIME], "</dt><dd><time datetime=\"", w->when, "\">", w->when,
	    "</time></dd>\n</dl>\n", NULL);
}

static void
write_html(const struct writer *w)
{
	const char *const *text = w->words->text, *title = heading(w);
	struct buf *out = w->out;

	buf_add_strs(out, "<!doctype html>\n<html lang=\"", w->words->tag.p, head, warns(w) ? title : text[WORD_TITLE], style,
	    title, "</h1>\n<p>", text[WORD_WHY], ": ", NULL);
	add_sentence(w, buf_add_html);
	buf_add_strs(out, "</p>\n<p>", advice(w), "</p>\n<p>", text[WORD_CALL], " ", NULL);
	buf_add_html(out, contact(w));
	buf_add_strs(out, " ", text[WORD_READ_OUT], "</p>\n<p class=\"id\">", w->shown, "</p>\n", NULL);
	if (*w->f->mistake_link != '\0') {
		buf_add_str(out, "<p><a href=\"");
		add_mistake_link(w, buf_add_html);
		buf_add_strs(out, "\">", text[WORD_MISTAKE], "</a></p>\n", NULL);
	}
	add_rows(w);
	add_way_on(w);
	if (*w->f->organisation != '\0') {
		buf_add_str(out, "<p>");
		buf_add_html(out, slice_str(w->f->organisation));
		buf_add_str(out, "</p>\n");
	}
	buf_add_str(out, "</main>\n</body>\n</html>\n");
}

/* ---- a site's own page ---- */

static bool
knows_file(const struct writer *w)
{
	char space[SENTENCE_USUAL];
	struct buf file;
	bool known;

	buf_init_in(&file, space, sizeof(space), PAGE_MAX);
	page_file_format(w->words, w->f->why, &file);
	known = file.len > 0;
	buf_fini(&file);
	return known;
}

static bool
holds(const struct writer *w, enum page_condition condition)
{
	const struct page_facts *f = w->f;

	switch (condition) {
	case IF_HOST:
		return f->host.len > 0;
	case IF_FILE:
		return knows_file(w);
	case IF_IS_FILE:
		return page_about(w->reason) == ABOUT_FILE;
	case IF_RULE:
		return f->why->has_rule;
	case IF_ALERT:
		return f->why->has_rule && f->why->rule.alert.len > 0;
	case IF_ORGANISATION:
		return *f->organisation != '\0';
	case IF_MISTAKE_LINK:
		return *f->mistake_link != '\0';
	case IF_LOGO:
		return page_set_logo(f->set).len > 0;
	case IF_IS_SITE:
		return page_about(w->reason) == ABOUT_SITE;
	case IF_IS_UNCHECKED:
		return page_about(w->reason) == ABOUT_NOTHING;
	case IF_IS_LOOKALIKE:
		return w->reason == REASON_LOOKALIKE;
	case IF_IS_UPLOAD:
		return f->is_upload && page_about(w->reason) != ABOUT_SITE;
	case PAGE_CONDITIONS:
		break;
	}
	return false;
}

/* Append FILL, escaped for an element and for an attribute in quotes of either kind: words have apostrophes. */
static void
fill(const struct writer *w, enum page_fill what)
{
	const struct page_facts *f = w->f;
	struct buf *out = w->out;

	switch (what) {
	case FILL_INCIDENT:
		buf_add_str(out, w->shown);
		break;
	case FILL_REASON:
		add_sentence(w, buf_add_html);
		break;
	case FILL_ADVICE:
		buf_add_html(out, slice_str(advice(w)));
		break;
	case FILL_CONTACT:
		buf_add_html(out, contact(w));
		break;
	case FILL_CONTINUE_FORM:
		add_way_on(w);
		break;
	case FILL_LANG:
		buf_add_html(out, w->words->tag);
		break;
	case FILL_TITLE:
		buf_add_html(out, slice_str(warns(w) ? heading(w) : w->words->text[WORD_TITLE]));
		break;
	case FILL_HEADING:
		buf_add_html(out, slice_str(heading(w)));
		break;
	case FILL_HOST:
		buf_add_html(out, f->host);
		break;
	case FILL_FILE:
		add_file(w, bare, buf_add_html, "");
		break;
	case FILL_RULE:
		if (f->why->has_rule)
			add_rule_id(out, &f->why->rule, buf_add_html);
		break;
	case FILL_REVISION:
		if (f->why->has_rule)
			buf_add_number(out, f->why->rule.rev);
		break;
	case FILL_ALERT:
		if (f->why->has_rule)
			buf_add_html(out, f->why->rule.alert);
		break;
	case FILL_TIME:
		buf_add_str(out, w->when);
		break;
	case FILL_ORGANISATION:
		buf_add_html(out, slice_str(f->organisation));
		break;
	case FILL_REASON_WORD:
		buf_add_str(out, reason_name(w->reason));
		break;
	case FILL_MISTAKE_LINK:
		add_mistake_link(w, buf_add_html);
		break;
	case FILL_LOGO:
		buf_add_slice(out, page_set_logo(f->set));
		break;
	case PAGE_FILLS:
		break;
	}
}

static struct slice
template_of(const struct page_facts *f)
{
	return page_set_template(f->set, f->action.len > 0 ? PAGE_WARN : PAGE_BLOCK, f->language);
}

static void
write_template(const struct writer *w, struct slice ops)
{
	struct page_op_head op;
	struct slice text;

	while (page_ops_next(&ops, &op, &text))
		switch (op.op) {
		case OP_TEXT:
			buf_add_slice(w->out, text);
			break;
		case OP_FILL:
			fill(w, op.arg);
			break;
		case OP_WORD:
			buf_add_html(w->out, slice_str(w->words->text[op.arg]));
			break;
		default:
			if (holds(w, op.arg) != (op.op == OP_IF))
				ops = slice_skip(ops, op.len);
			break;
		}
}

/* A site's own page, or firebreak's, also where the other would not fit: a refusal is never without one. */
static void
write_page(const struct writer *w)
{
	struct slice ops = template_of(w->f);
	size_t begin = w->out->len;

	buf_reserve(w->out, PAGE_USUAL);
	if (ops.len > 0) {
		write_template(w, ops);
		if (!w->out->failed)
			return;
		w->out->len = begin;
		w->out->failed = false;
	}
	write_html(w);
}

bool
page_has_image(const struct page_facts *f)
{
	struct slice ops = template_of(f), text;
	struct page_op_head op;

	if (f->form != FORM_HTML || page_set_logo(f->set).len == 0)
		return false;
	while (page_ops_next(&ops, &op, &text))
		if (op.op == OP_FILL && op.arg == FILL_LOGO)
			return true;
	return false;
}

/* ---- for who is no person ---- */

static void
write_text(const struct writer *w)
{
	const char *const *text = w->words->text;

	buf_add_strs(w->out, "Firebreak: ", heading(w), ": ", NULL);
	add_sentence(w, buf_add_utf8);
	add_file(w, (const char *[]){ " (", "", "" }, buf_add_utf8, ")");
	buf_add_strs(w->out, " ", advice(w), " ", text[WORD_CALL], " ", NULL);
	buf_add_utf8(w->out, contact(w));
	buf_add_strs(w->out, " ", text[WORD_READ_OUT], " ", w->shown, NULL);
	if (*w->f->mistake_link != '\0') {
		buf_add_strs(w->out, " ", text[WORD_MISTAKE], ": ", NULL);
		add_mistake_link(w, buf_add_utf8);
	}
	buf_add_char(w->out, '\n');
}

static int
add_plain(struct buf *out, struct slice text)
{
	return buf_add_slice(out, text);
}

/* A member with what ADD appends; none when that is nothing. */
static void
add_member(struct json_line *j, const struct writer *w, const char *name, void add(const struct writer *w))
{
	char space[SENTENCE_USUAL];
	struct writer part = *w;
	struct buf text;

	buf_init_in(&text, space, sizeof(space), PAGE_MAX);
	part.out = &text;
	add(&part);
	if (text.len > 0)
		json_line_text(j, name, slice_head(buf_slice(&text), SENTENCE_MAX));
	buf_fini(&text);
}

static void
add_detail(const struct writer *w)
{
	page_sentence_format(w->words, w->f->why, w->f->host, w->out);
}

static void
add_plain_file(const struct writer *w)
{
	add_file(w, bare, add_plain, "");
}

static void
add_plain_rule(const struct writer *w)
{
	if (w->f->why->has_rule)
		add_rule_id(w->out, &w->f->why->rule, add_plain);
}

static void
add_plain_link(const struct writer *w)
{
	add_mistake_link(w, add_plain);
}

/* Problem details (RFC 9457): what has no URI of its own is about:blank, with the status' own words. */
static void
write_problem(const struct writer *w)
{
	struct json_line j;

	json_line_begin(&j, w->out);
	json_line_text(&j, "type", SLICE("about:blank"));
	json_line_text(&j, "title", SLICE("Forbidden"));
	json_line_number(&j, "status", PAGE_STATUS);
	add_member(&j, w, "detail", add_detail);
	json_line_text(&j, "incident", slice_str(w->shown));
	json_line_text(&j, "reason", slice_str(reason_name(w->reason)));
	add_member(&j, w, "rule", add_plain_rule);
	add_member(&j, w, "file", add_plain_file);
	json_line_text(&j, "advice", slice_str(advice(w)));
	json_line_text(&j, "contact", contact(w));
	if (*w->f->organisation != '\0')
		json_line_text(&j, "organisation", slice_str(w->f->organisation));
	add_member(&j, w, "mistake_link", add_plain_link);
	json_line_end(&j);
}

/* An image that shows nothing: one transparent pixel. */
static const char pixel[] =
    "GIF89a\1\0\1\0\200\0\0\0\0\0\0\0\0!\371\4\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;";

int
page_write(const struct page_facts *f, struct buf *out)
{
	struct writer w = { .f = f, .words = page_set_words(f->set, f->language), .reason = why_reason(f->why), .out = out };

	incident_show(f->incident, w.shown);
	clock_format_s(f->now_ms / MS_PER_S, w.when);
	switch (f->form) {
	case FORM_HTML:
		write_page(&w);
		break;
	case FORM_TEXT:
		write_text(&w);
		break;
	case FORM_PROBLEM:
		write_problem(&w);
		break;
	case FORM_IMAGE:
		buf_add(out, pixel, sizeof(pixel) - 1);
		break;
	case FORM_SCRIPT:
	case FORM_STYLE:
		buf_add_strs(out, "/* blocked by Firebreak, incident ", w.shown, " */\n", NULL);
		break;
	case PAGE_FORMS:
		break;
	}
	return out->failed ? -1 : 0;
}
