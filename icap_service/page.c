#include "icap_service/page.h"

#include "base/clock.h"
#include "events/incident.h"

/* A rule's value may be as long as a URL: of the sentence that shows it so much, in whatever escapes, fits a page. */
enum { SENTENCE_MAX = 2048, MS_PER_S = 1000, PAGE_USUAL = 3000, SENTENCE_USUAL = 512, ID_USUAL = 256 };

/* Contrast of every pair is at least 7:1 in both schemes. */
static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"robots\" content=\"noindex\">\n"
    "<title>Blocked for your safety</title>\n<style>\n"
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

static const char *
heading(enum reason reason, bool is_upload, bool warns)
{
	if (warns)
		return "This site may not be what it looks like";
	switch (reason) {
	case REASON_HOST:
	case REASON_URL:
	case REASON_PATH:
	case REASON_ADDRESS:
	case REASON_LOOKALIKE:
		return "This site is blocked";
	case REASON_FILE:
	case REASON_FILE_NAME:
	case REASON_FILE_AGAIN:
	case REASON_PARTIAL:
	case REASON_UNSCANNABLE:
		return is_upload ? "This upload is blocked" : "This download is blocked";
	case REASON_NO_RULES:
	case REASON_ODD_HOST:
	case REASON_BAD_URL:
	case REASON_DAMAGED:
	case REASON_LIMIT:
	case REASON_NO_MEMORY:
	case REASON_NONE:
	case REASONS:
		break;
	}
	return "This could not be checked, so it is blocked";
}

static const char *
advice(enum reason reason, bool is_upload, bool warns)
{
	if (warns)
		return "If a message led you here, or you do not know this site, close this page: do not enter a password.";
	switch (reason) {
	case REASON_HOST:
	case REASON_URL:
	case REASON_PATH:
	case REASON_ADDRESS:
	case REASON_LOOKALIKE:
		return "Do not enter a password or open anything that this site or the message that led you here "
		    "offers. If you already did, say so when you call.";
	case REASON_FILE:
	case REASON_FILE_NAME:
	case REASON_FILE_AGAIN:
		return "Do not try to get the file another way. If you already opened it, switch the computer off "
		    "the network and call at once.";
	case REASON_UNSCANNABLE:
		return is_upload ? "Send it unpacked, or without a password, and call if it has to go as it is." :
		    "Ask for it unpacked, or without a password, and call if you need it as it is.";
	case REASON_PARTIAL:
		return "Start the download again from the beginning instead of resuming it.";
	case REASON_NO_RULES:
	case REASON_ODD_HOST:
	case REASON_BAD_URL:
	case REASON_DAMAGED:
	case REASON_LIMIT:
	case REASON_NO_MEMORY:
	case REASON_NONE:
	case REASONS:
		break;
	}
	return "Try again in a few minutes.";
}

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
add_rule_rows(struct buf *out, const struct why *why)
{
	char space[ID_USUAL];
	struct buf id;

	if (!why->has_rule)
		return;
	buf_init_in(&id, space, sizeof(space), PAGE_MAX);
	rule_id_format(&why->rule, &id);
	buf_add_str(out, "<dt>Rule</dt><dd>");
	buf_add_html(out, slice_head(buf_slice(&id), SENTENCE_MAX));
	buf_fini(&id);
	buf_add_str(out, ", revision ");
	buf_add_number(out, why->rule.rev);
	buf_add_str(out, "</dd>\n");
	add_row(out, "Alert", why->rule.alert);
}

static void
add_sentence(struct buf *out, const struct page_facts *f)
{
	char space[SENTENCE_USUAL];
	struct buf sentence;

	buf_init_in(&sentence, space, sizeof(space), PAGE_MAX);
	why_format_sentence(f->why, f->host, &sentence);
	buf_add_str(out, "<p>Why: ");
	buf_add_html(out, slice_head(buf_slice(&sentence), SENTENCE_MAX));
	buf_add_str(out, sentence.failed || sentence.len > SENTENCE_MAX ? "...</p>\n" : ".</p>\n");
	buf_fini(&sentence);
}

/* The way on, of a warning: a form, since what only follows links is not to take it. */
static void
add_form(struct buf *out, struct slice action)
{
	if (action.len == 0)
		return;
	buf_add_str(out, "<form method=\"post\" action=\"");
	buf_add_html(out, action);
	buf_add_str(out, "\"><button>I know this site: continue</button></form>\n");
}

int
page_write(const struct page_facts *f, struct buf *out)
{
	char shown[INCIDENT_SHOWN + 1], when[CLOCK_TEXT];
	bool warns = f->action.len > 0;

	incident_show(f->incident, shown);
	clock_format_s(f->now_ms / MS_PER_S, when);
	buf_reserve(out, PAGE_USUAL);
	buf_add_strs(out, head, "<h1>", heading(f->why->reason, f->is_upload, warns), "</h1>\n", NULL);
	add_sentence(out, f);
	buf_add_strs(out, "<p>", advice(f->why->reason, f->is_upload, warns), "</p>\n<p>Questions, or is this a mistake? Call ", NULL);
	buf_add_html(out, slice_str(f->contact));
	buf_add_strs(out, " and read out this number:</p>\n<p class=\"id\">", shown, "</p>\n<dl>\n", NULL);
	add_row(out, "Site", f->host);
	add_rule_rows(out, f->why);
	buf_add_strs(out, "<dt>Time</dt><dd><time datetime=\"", when, "\">", when, "</time></dd>\n</dl>\n", NULL);
	add_form(out, f->action);
	if (*f->organisation != '\0') {
		buf_add_str(out, "<p>");
		buf_add_html(out, slice_str(f->organisation));
		buf_add_str(out, "</p>\n");
	}
	buf_add_str(out, "</main>\n</body>\n</html>\n");
	return out->failed ? -1 : 0;
}
