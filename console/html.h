/* html.h - pieces of HTML.  Whatever is shown was chosen by strangers: it goes through html_text(). */
#ifndef CONSOLE_HTML_H
#define CONSOLE_HTML_H

#include "base/buf.h"
#include "console/words.h"
#include "events/incident.h"

struct request;

enum { HTML_SHORT = 200, HTML_LONG = 8192 };

extern const char html_style[];		/* the style sheet */

/* Append TEXT, of which MAX bytes at most are shown and the rest is counted: escaped for an element or a quoted attribute; control
 * characters, what changes the direction of writing, and bytes that are not UTF-8 as \xHH. */
void html_text(struct buf *out, struct slice text, size_t max);

/* Append a user's or a client's NAME where there is little room: of what has the form of a pseudonym only so much as tells it from
 * others. */
void html_name(struct buf *out, struct slice name);

/* The beginning of a page in RQ's language, with the links for whoever has logged in, and its end, with the other languages.  TITLE
 * is HTML.  PATH is the page's own, by which one comes back to it. */
void html_begin(struct buf *out, const struct request *rq, const char *title, const char *path);
void html_end(struct buf *out, const struct request *rq, const char *path);

/* Text ID of RQ's language, without facts. */
void html_word(struct buf *out, const struct request *rq, enum word_id id);

/* The same with FACT, as <span>. */
void html_span(struct buf *out, const struct request *rq, enum word_id id, const char *fact);

/* A heading of a part of the page. */
void html_heading(struct buf *out, const struct request *rq, enum word_id id);

/* A paragraph of text ID, of class CLASS; NULL: none. */
void html_note(struct buf *out, const struct request *rq, const char *class, enum word_id id);

/* The same with the number N in it. */
void html_note_number(struct buf *out, const struct request *rq, const char *class, enum word_id id, uint64_t n);

/* What is in English because it comes from the judge or a library. */
void html_english(struct buf *out, const struct request *rq, struct slice text, size_t max);

/* <dt>TERM</dt><dd>text</dd>, when there is a text; html_dt() and html_dd_end() for what is more than a text. */
void html_dt(struct buf *out, const struct request *rq, enum word_id term);
void html_dd_end(struct buf *out);
void html_row(struct buf *out, const struct request *rq, enum word_id term, struct slice text);

/* A link that searches for TEXT as a word of the column AS, such as "rule"; NULL: for whatever it is.  TEXT is what is shown, or a
 * dash when it is empty. */
void html_search_link(struct buf *out, const char *as, struct slice text);

/* A link to the page of incident ID, which is shown in groups. */
void html_incident_link(struct buf *out, const char id[static INCIDENT_LEN + 1]);

/* A link to the page of alert ID. */
void html_alert_link(struct buf *out, struct slice id);

/* A row of a list of definitions with a link that searches, when there is a text. */
void html_search_row(struct buf *out, const struct request *rq, enum word_id term, const char *as, struct slice text);

/* The hidden field with a form's TOKEN. */
void html_token(struct buf *out, const char *token);

/* <time>, to the second: the same in all languages, for it is read aloud, compared and copied (ISO 8601, UTC). */
enum { HTML_TIME = 80 };
const char *html_time(int64_t seconds, char out[static HTML_TIME]);
void html_add_time(struct buf *out, int64_t seconds);

/* N, as RQ's language writes numbers. */
void html_number(struct buf *out, const struct request *rq, uint64_t n);

#endif
