#include "console/html.h"

#include <stdio.h>

#include "base/clock.h"
#include "console/part.h"
#include "runtime/pseudonym.h"

/* "client-", the key's id and a hyphen, and 70 bits. */
enum { PSEUDONYM_SHOWN = 30 };

/* Contrast of text is at least 7:1, of what is drawn 3:1, in both schemes; nothing is wider than a phone. */
const char html_style[] =
    ":root{color-scheme:light dark;--ground:#fff;--ink:#1a1a1a;--soft:#f1f1f1;--line:#8a8a8a;--link:#003c99;--bad:#a30000;"
    "--badtint:#fdeeee;--mid:#5c4400;--midtint:#fff1cc;--good:#0b4d1f;--goodtint:#e0f3e4;--bar:#a30000;--bar2:#b87a00}\n"
    "@media(prefers-color-scheme:dark){:root{--ground:#121212;--ink:#f1f1f1;--soft:#242424;--line:#8f8f8f;--link:#a8c7ff;"
    "--bad:#ffb4ad;--badtint:#3b1512;--mid:#ffe08a;--midtint:#332700;--good:#a5e8b5;--goodtint:#0f2d18;--bar:#d9534b;"
    "--bar2:#ffe08a}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;overflow-wrap:anywhere;font:1.0625rem/1.5 system-ui,sans-serif;background:var(--ground);color:var(--ink)}\n"
    "a{color:var(--link)}\n"
    "a:focus-visible,button:focus-visible,input:focus-visible,summary:focus-visible,pre:focus-visible{"
    "outline:3px solid var(--link);"
    "outline-offset:2px}\n"
    ".skip{position:absolute;left:-99rem}.skip:focus{left:1rem;background:var(--ground);padding:.5rem}\n"
    "header{border-bottom:1px solid var(--line);background:var(--soft)}\n"
    "header>div{max-width:64rem;margin:0 auto;padding:.5rem 1.25rem;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;"
    "align-items:center}\n"
    "header strong{margin-inline-end:.5rem}\n"
    "nav{display:flex;flex-wrap:wrap;gap:0 1.25rem}nav a{padding:.6rem 0;min-height:2.75rem;color:inherit}\n"
    "main:focus{outline:none}\n"
    "footer{border-top:1px solid var(--line);margin-top:2rem}footer nav{max-width:64rem;margin:0 auto;padding:.25rem 1.25rem}\n"
    "footer nav a[aria-current]{border-bottom-color:var(--line)}\n"
    "nav a[aria-current]{font-weight:700;text-decoration:none;border-bottom:3px solid var(--bad)}\n"
    "header form{margin-inline-start:auto;display:flex;gap:.75rem;align-items:center}\n"
    "main{max-width:64rem;margin:0 auto;padding:1.25rem}\n"
    "h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0 1rem;border-inline-start:.4rem solid var(--bar);"
    "padding-inline-start:.8rem}\n"
    "h2{font-size:1.2rem;margin:2rem 0 .5rem}\n"
    "button,input{font:inherit;color:inherit;min-height:2.75rem}\n"
    "input{background:var(--ground);border:1px solid var(--line);border-radius:.3rem;padding:.4rem .6rem;width:100%}\n"
    "button{background:var(--soft);border:1px solid var(--line);border-radius:.3rem;padding:.4rem 1rem;cursor:pointer;"
    "white-space:nowrap}\n"
    "main button{background:var(--ink);color:var(--ground);border-color:var(--ink)}\n"
    "main button.second{background:var(--soft);color:var(--ink);border-color:var(--line)}"
    ".two{display:flex;flex-wrap:wrap;gap:.75rem}\n"
    "label{display:block;font-weight:600}\n"
    ".search{display:flex;gap:.5rem}.search input{flex:1;min-width:0}\n"
    ".field{margin:.8rem 0;max-width:28rem}.field label{font-weight:600}.field small{display:block}\n"
    "#days{width:6rem}\n"
    ".id{font:700 1.35rem/1.4 ui-monospace,monospace;letter-spacing:.04em}\n"
    "dl{margin:0}dt{font-weight:600;margin-top:.7rem}dd{margin:0}\n"
    "@media(min-width:44rem){dl{display:grid;grid-template-columns:9rem 1fr;gap:.45rem 1rem}dt{margin:0}}\n"
    "ul.list{list-style:none;margin:1rem 0;padding:0}\n"
    "ul.list>li{border-top:1px solid var(--line);padding:.7rem 0}\n"
    "ul.list .meta{display:flex;align-items:baseline;flex-wrap:wrap;gap:.1rem 1rem}\n"
    "ol{padding-inline-start:1.4rem}\n"
    ".tag{display:inline-block;padding:0 .5rem;border-radius:.3rem;font-weight:600}\n"
    ".bad{background:var(--badtint);color:var(--bad)}.mid{background:var(--midtint);color:var(--mid)}"
    ".good{background:var(--goodtint);color:var(--good)}\n"
    ".say{padding:.6rem .9rem;border-radius:.3rem;margin:1rem 0}\n"
    "code{font:.95em ui-monospace,monospace}\n"
    "pre{font:.9em/1.45 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;background:var(--soft);"
    "border:1px solid var(--line);border-radius:.3rem;padding:.8rem;margin:.5rem 0}\n"
    "ul.plain{list-style:none;padding:0;margin:.3rem 0}"
    "ul.list a,ul.plain a,dd a,li a,td a{display:inline-block;min-height:1.5rem}\n"
    ".counts{display:flex;flex-wrap:wrap;gap:.6rem;margin:1rem 0;padding:0;list-style:none}\n"
    ".counts li{border:1px solid var(--line);border-radius:.3rem;padding:.4rem .8rem}.counts b{font-size:1.3rem;display:block}\n"
    "svg{display:block;width:100%;height:auto}svg text{fill:var(--ink);font:12px system-ui,sans-serif}\n"
    "svg .a{fill:var(--bar)}svg .b{fill:var(--bar2);stroke:var(--ground)}svg .axis{stroke:var(--line)}\n"
    "@media(max-width:44rem){svg text{font-size:24px}th,td{padding-inline-end:.5rem!important}}\n"
    "svg.bar{height:.7rem}\n"
    ".key span{display:inline-block;width:.9rem;height:.9rem;margin-inline:.9rem .35rem;vertical-align:-.1rem}"
    ".key .ka{background:var(--bar);margin-inline-start:0}.key .kb{background:var(--bar2)}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse}th,td{overflow-wrap:break-word;text-align:start;"
    "padding:.3rem .9rem .3rem 0;"
    "border-bottom:1px solid var(--line);vertical-align:top}td.n,th.n{text-align:end}td.n,time{white-space:nowrap}"
    "th.text{font-weight:400}\n"
    ".pages{display:flex;flex-wrap:wrap;gap:0 1.5rem}.pages a{padding:.6rem 0}summary{padding:.5rem 0;cursor:pointer}\n";

void
html_text(struct buf *out, struct slice text, size_t max)
{
	struct slice rest = text;

	while (rest.len > 0 && text.len - rest.len < max) {
		size_t n = utf8_sequence(rest);

		if (n > 0 && !utf8_misleads(rest, n))
			buf_add_html(out, slice_head(rest, n));
		else
			for (size_t i = 0; i < (n > 0 ? n : 1); i++)
				buf_addf(out, "\\x%02x", (unsigned char)rest.p[i]);
		rest = slice_skip(rest, n > 0 ? n : 1);
	}
	if (rest.len > 0)
		buf_addf(out, "\xe2\x80\xa6 (+%zu B)", rest.len);
}

void
html_name(struct buf *out, struct slice name)
{
	enum pseudonym_kind kind;
	bool cut = name.len > PSEUDONYM_SHOWN && pseudonym_is_token(name, &kind);

	html_text(out, cut ? slice_head(name, PSEUDONYM_SHOWN) : name, HTML_SHORT);
	buf_add_str(out, cut ? "\xe2\x80\xa6" : "");
}

/* ---- the page around it ---- */

static void
add_links(struct buf *out, const struct request *rq, const char *path)
{
	static const struct { const char *path; enum word_id name; enum role role; } links[] = {
		{ "/", W_NAV_SEARCH, ROLE_READ }, { "/today", W_NAV_TODAY, ROLE_READ }, { "/alerts", W_NAV_ALERTS, ROLE_READ },
		{ "/sources", W_NAV_SOURCES, ROLE_READ }, { "/proxies", W_NAV_PROXIES, ROLE_READ },
		{ "/reveals", W_NAV_REVEALS, ROLE_REVEAL },
	};

	buf_add_strs(out, "<nav aria-label=\"", rq->words->text[W_PAGES], "\">", NULL);
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		if (request_may(rq, links[i].role))
			buf_add_strs(out, "<a href=\"", links[i].path, strcmp(path, links[i].path) == 0 && slice_eq(rq->path, slice_str(path)) ?
			    "\" aria-current=\"page\">" : "\">", rq->words->text[links[i].name], "</a>", NULL);
	buf_add_str(out, "</nav>\n");
}

/* Who he is, and what he may do.  Whom another server logs in is logged out there. */
static void
add_user(struct buf *out, const struct request *rq)
{
	static const enum word_id names[ROLES] = { [ROLE_READ] = W_ROLE_READ, [ROLE_DECIDE] = W_ROLE_DECIDE,
		[ROLE_REVEAL] = W_ROLE_REVEAL };
	const struct user *user = &rq->session->user;
	const char *before = " (";

	buf_add_str(out, "<form method=\"post\" action=\"/logout\"><span>");
	html_text(out, slice_str(user->name), HTML_SHORT);
	for (enum role role = ROLE_READ; role < ROLES; role++)
		if (request_may(rq, role) && (role != ROLE_READ || user->roles == ROLE_BIT(ROLE_READ))) {
			buf_add_strs(out, before, rq->words->text[names[role]], NULL);
			before = ", ";
		}
	buf_add_str(out, ")</span>");
	if (*user->hash != '\0') {
		html_token(out, rq->session->csrf);
		buf_add_strs(out, "<button>", rq->words->text[W_LOG_OUT], "</button>", NULL);
	}
	buf_add_str(out, "</form>\n");
}

void
html_begin(struct buf *out, const struct request *rq, const char *title, const char *path)
{
	buf_add_str(out, "<!doctype html>\n<html lang=\"");
	buf_add_slice(out, rq->words->tag);
	buf_add_strs(out, "\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"robots\" content=\"noindex\">\n"
	    "<title>", title, " - Firebreak</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n"
	    "</head>\n<body>\n<a class=\"skip\" href=\"#main\">", rq->words->text[W_SKIP],
	    "</a>\n<header><div><strong>Firebreak</strong>\n", NULL);
	if (rq->session != NULL) {
		add_links(out, rq, path);
		add_user(out, rq);
	}
	buf_add_strs(out, "</div></header>\n<main id=\"main\" tabindex=\"-1\">\n<h1>", title, "</h1>\n", NULL);
}

/* The page's own address in another language: of what was posted only the incident's number is known again. */
static void
add_address(struct buf *out, const struct request *rq, const char *path, struct slice lang)
{
	const struct form *f = rq->is_post ? &rq->fields : &rq->query;

	buf_add_strs(out, path, "?lang=", NULL);
	buf_add_slice(out, lang);
	for (size_t i = 0; i < f->n; i++) {
		if (slice_eq(f->v[i].name, SLICE("lang")) || slice_eq(f->v[i].name, SLICE("done")) ||
		    (rq->is_post && !slice_eq(f->v[i].name, SLICE("id"))))
			continue;
		buf_add_str(out, "&amp;");
		form_add_value(out, f->v[i].name);
		buf_add_char(out, '=');
		form_add_value(out, f->v[i].value);
	}
}

void
html_end(struct buf *out, const struct request *rq, const char *path)
{
	buf_add_strs(out, "</main>\n<footer><nav aria-label=\"", rq->words->text[W_LANGUAGE], "\">", NULL);
	for (size_t i = 0; i < WORDS_LANGUAGES; i++) {
		const struct words *w = &words_languages[i];

		buf_add_str(out, "<a href=\"");
		add_address(out, rq, path, w->tag);
		buf_add_str(out, "\" lang=\"");
		buf_add_slice(out, w->tag);
		buf_add_str(out, "\" hreflang=\"");
		buf_add_slice(out, w->tag);
		buf_add_strs(out, w == rq->words ? "\" aria-current=\"true\">" : "\">", w->name, "</a>", NULL);
	}
	buf_add_str(out, "</nav></footer>\n</body>\n</html>\n");
}

/* ---- pieces of it ---- */

void
html_word(struct buf *out, const struct request *rq, enum word_id id)
{
	buf_add_str(out, rq->words->text[id]);
}

void
html_span(struct buf *out, const struct request *rq, enum word_id id, const char *fact)
{
	buf_add_str(out, "<span>");
	words_say(out, rq->words, id, fact, NULL);
	buf_add_str(out, "</span>");
}

void
html_heading(struct buf *out, const struct request *rq, enum word_id id)
{
	buf_add_strs(out, "<h2>", rq->words->text[id], "</h2>\n", NULL);
}

static void
begin_note(struct buf *out, const char *class)
{
	buf_add_str(out, "<p");
	if (class != NULL)
		buf_add_strs(out, " class=\"", class, "\"", NULL);
	buf_add_char(out, '>');
}

void
html_note(struct buf *out, const struct request *rq, const char *class, enum word_id id)
{
	begin_note(out, class);
	buf_add_strs(out, rq->words->text[id], "</p>\n", NULL);
}

void
html_note_number(struct buf *out, const struct request *rq, const char *class, enum word_id id, uint64_t n)
{
	char number[WORDS_NUMBER];

	begin_note(out, class);
	words_say(out, rq->words, id, words_number(rq->words, n, number), NULL);
	buf_add_str(out, "</p>\n");
}

void
html_english(struct buf *out, const struct request *rq, struct slice text, size_t max)
{
	bool foreign = rq->words != &words_languages[0];

	buf_add_str(out, foreign ? "<span lang=\"en\">" : "");
	html_text(out, text, max);
	buf_add_str(out, foreign ? "</span>" : "");
}

void
html_dt(struct buf *out, const struct request *rq, enum word_id term)
{
	buf_add_strs(out, "<dt>", rq->words->text[term], "</dt><dd>", NULL);
}

void
html_dd_end(struct buf *out)
{
	buf_add_str(out, "</dd>\n");
}

void
html_row(struct buf *out, const struct request *rq, enum word_id term, struct slice text)
{
	if (text.len == 0)
		return;
	html_dt(out, rq, term);
	html_text(out, text, HTML_LONG);
	html_dd_end(out);
}

void
html_search_link(struct buf *out, const char *as, struct slice text)
{
	if (text.len == 0) {
		buf_add_str(out, "-");
		return;
	}
	buf_add_str(out, "<a href=\"/?q=");
	form_add_value(out, slice_head(text, HTML_LONG / 4));
	if (as != NULL)
		buf_add_strs(out, "&amp;as=", as, NULL);
	buf_add_str(out, "\">");
	html_text(out, text, HTML_SHORT);
	buf_add_str(out, "</a>");
}

void
html_incident_link(struct buf *out, const char id[static INCIDENT_LEN + 1])
{
	char shown[INCIDENT_SHOWN + 1];

	incident_show(id, shown);
	buf_add_strs(out, "<a href=\"/incident?id=", id, "\">", shown, "</a>", NULL);
}

void
html_alert_link(struct buf *out, struct slice id)
{
	buf_add_str(out, "<a href=\"/alert?id=");
	form_add_value(out, slice_head(id, HTML_SHORT));
	buf_add_str(out, "\">");
	html_text(out, id, HTML_SHORT);
	buf_add_str(out, "</a>");
}

void
html_search_row(struct buf *out, const struct request *rq, enum word_id term, const char *as, struct slice text)
{
	if (text.len == 0)
		return;
	html_dt(out, rq, term);
	html_search_link(out, as, text);
	html_dd_end(out);
}

void
html_token(struct buf *out, const char *token)
{
	buf_add_strs(out, "<input type=\"hidden\" name=\"token\" value=\"", token, "\">", NULL);
}

const char *
html_time(int64_t seconds, char out[static HTML_TIME])
{
	enum { DATE = sizeof("2026-11-23") - 1 };
	char text[CLOCK_TEXT];

	clock_format_s(seconds, text);
	snprintf(out, HTML_TIME, "<time datetime=\"%s\">%.*s %.8s UTC</time>", text, DATE, text, text + DATE + 1);
	return out;
}

void
html_add_time(struct buf *out, int64_t seconds)
{
	char text[HTML_TIME];

	buf_add_str(out, html_time(seconds, text));
}

void
html_number(struct buf *out, const struct request *rq, uint64_t n)
{
	char text[WORDS_NUMBER];

	buf_add_str(out, words_number(rq->words, n, text));
}
