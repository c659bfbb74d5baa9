#include "icap_service/page.h"

#include "base/clock.h"
#include "events/incident.h"
#include "events/json_line.h"

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
    "body{margin:0;font:1.0625rem/1.5 system-ui,sans-serif;background:#fff;color:#1a1a1a}\n"
    "main{max-width:38rem;margin:0 auto;padding:2rem 1.25rem}\n"
    "h1{font-size:1.6rem;line-height:1.25;border-inline-start:.4rem solid #a30000;padding-inline-start:.8rem}\n"
    "dt{font-weight:600;margin-top:.8rem}dd{margin:0;overflow-wrap:anywhere}\n"
    ".id{font:700 1.35rem/1.4 ui-monospace,monospace;letter-spacing:.04em}\n"
    "button{font:inherit;padding:.6rem 1rem;margin-top:1.2rem;min-height:2.75rem}\n"
    "@media(prefers-color-scheme:dark){body{background:#121212;color:#f1f1f1}"
    "h1{border-color:#ff8a80}}\n"
    "</style>\n</head>\n<body>\n<main>\n";

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
add_rule_rows(struct buf *out, const struct page_words *words, const struct why *why)
{
	char space[ID_USUAL];
	struct buf id;

	if (!why->has_rule)
		return;
	buf_init_in(&id, space, sizeof(space), PAGE_MAX);
	rule_id_format(&why->rule, &id);
	buf_add_strs(out, "<dt>", words->rule, "</dt><dd>", NULL);
	buf_add_html(out, slice_head(buf_slice(&id), SENTENCE_MAX));
	buf_fini(&id);
	buf_add_strs(out, ", ", words->revision, " ", NULL);
	buf_add_number(out, why->rule.rev);
	buf_add_str(out, "</dd>\n");
	add_row(out, words->alert, why->rule.alert);
}

/* Append why with HOW, cut. */
static void
add_sentence(struct buf *out, const struct page_facts *f, int how(struct buf *out, struct slice text))
{
	char space[SENTENCE_USUAL];
	struct buf sentence;

	buf_init_in(&sentence, space, sizeof(space), PAGE_MAX);
	page_sentence_format(f->words, f->why, f->host, &sentence);
	how(out, slice_head(buf_slice(&sentence), SENTENCE_MAX));
	buf_add_str(out, sentence.failed || sentence.len > SENTENCE_MAX ? "..." : ".");
	buf_fini(&sentence);
}

/* The way on, of a warning: a form, since what only follows links is not to take it. */
static void
add_way_on(struct buf *out, const struct page_facts *f)
{
	if (f->action.len == 0)
		return;
	buf_add_str(out, "<form method=\"post\" action=\"");
	buf_add_html(out, f->action);
	buf_add_strs(out, "\"><button>", f->words->go_on, "</button></form>\n", NULL);
}

static void
write_html(const struct page_facts *f, const char *shown, struct buf *out)
{
	const struct page_words *words = f->words;
	enum reason reason = why_reason(f->why);
	bool warns = f->action.len > 0;
	const char *heading = words->heading[page_heading_of(reason, f->is_upload, warns)];
	char when[CLOCK_TEXT];

	clock_format_s(f->now_ms / MS_PER_S, when);
	buf_add_strs(out, "<!doctype html>\n<html lang=\"", words->tag.p, head, warns ? heading : words->title, style, "<h1>", heading,
	    "</h1>\n<p>", words->why, ": ", NULL);
	add_sentence(out, f, buf_add_html);
	buf_add_strs(out, "</p>\n<p>", words->advice[page_advice_of(reason, f->is_upload, warns)], "</p>\n<p>", words->call, " ", NULL);
	buf_add_html(out, slice_str(f->contact));
	buf_add_strs(out, " ", words->read_out, "</p>\n<p class=\"id\">", shown, "</p>\n<dl>\n", NULL);
	add_row(out, words->site, f->host);
	add_rule_rows(out, words, f->why);
	buf_add_strs(out, "<dt>", words->time, "</dt><dd><time datetime=\"", when, "\">", when, "</time></dd>\n</dl>\n", NULL);
	add_way_on(out, f);
	if (*f->organisation != '\0') {
		buf_add_str(out, "<p>");
		buf_add_html(out, slice_str(f->organisation));
		buf_add_str(out, "</p>\n");
	}
	buf_add_str(out, "</main>\n</body>\n</html>\n");
}

/* ---- for who is no person ---- */

static void
write_text(const struct page_facts *f, const char *shown, struct buf *out)
{
	const struct page_words *words = f->words;

	buf_add_strs(out, "Firebreak: ", words->heading[page_heading_of(why_reason(f->why), f->is_upload, false)], ": ", NULL);
	add_sentence(out, f, buf_add_utf8);
	buf_add_strs(out, " ", words->call, " ", NULL);
	buf_add_utf8(out, slice_str(f->contact));
	buf_add_strs(out, " ", words->read_out, " ", shown, "\n", NULL);
}

/* Problem details (RFC 9457): what has no URI of its own is about:blank, with the status' own words. */
static void
write_problem(const struct page_facts *f, const char *shown, struct buf *out)
{
	char id_space[ID_USUAL], space[SENTENCE_USUAL];
	struct buf id, detail;
	struct json_line j;

	buf_init_in(&id, id_space, sizeof(id_space), PAGE_MAX);
	buf_init_in(&detail, space, sizeof(space), PAGE_MAX);
	page_sentence_format(f->words, f->why, f->host, &detail);
	if (f->why->has_rule)
		rule_id_format(&f->why->rule, &id);
	json_line_begin(&j, out);
	json_line_text(&j, "type", SLICE("about:blank"));
	json_line_text(&j, "title", SLICE("Forbidden"));
	json_line_number(&j, "status", PAGE_STATUS);
	json_line_text(&j, "detail", slice_head(buf_slice(&detail), SENTENCE_MAX));
	json_line_text(&j, "incident", slice_str(shown));
	json_line_text(&j, "reason", slice_str(reason_name(why_reason(f->why))));
	if (id.len > 0)
		json_line_text(&j, "rule", slice_head(buf_slice(&id), SENTENCE_MAX));
	json_line_text(&j, "contact", slice_str(f->contact));
	json_line_end(&j);
	buf_fini(&id);
	buf_fini(&detail);
}

/* An image that shows nothing: one transparent pixel. */
static const char pixel[] =
    "GIF89a\1\0\1\0\200\0\0\0\0\0\0\0\0!\371\4\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;";

int
page_write(const struct page_facts *f, struct buf *out)
{
	char shown[INCIDENT_SHOWN + 1];

	incident_show(f->incident, shown);
	switch (f->form) {
	case FORM_HTML:
		buf_reserve(out, PAGE_USUAL);
		write_html(f, shown, out);
		break;
	case FORM_TEXT:
		write_text(f, shown, out);
		break;
	case FORM_PROBLEM:
		write_problem(f, shown, out);
		break;
	case FORM_IMAGE:
		buf_add(out, pixel, sizeof(pixel) - 1);
		break;
	case FORM_SCRIPT:
	case FORM_STYLE:
		buf_add_strs(out, "/* blocked by Firebreak, incident ", shown, " */\n", NULL);
		break;
	case PAGE_FORMS:
		break;
	}
	return out->failed ? -1 : 0;
}
