/* html.h - pieces of HTML.  Whatever is shown was chosen by strangers: it goes through html_text(). */
#ifndef CONSOLE_HTML_H
#define CONSOLE_HTML_H

#include "base/buf.h"
#include "console/session.h"

enum { HTML_SHORT = 200, HTML_LONG = 8192 };

extern const char html_style[];		/* the style sheet */

/* Append TEXT, of which MAX bytes at most are shown and the rest is counted: escaped for an element or a quoted attribute; control
 * characters, what changes the direction of writing, and bytes that are not UTF-8 as \xHH. */
void html_text(struct buf *out, struct slice text, size_t max);

/* The beginning of a page, with the links for whom SESSION (NULL: nobody) has logged in, and its end.  PATH is the page's own. */
void html_begin(struct buf *out, const char *title, const char *path, const struct session *session);
void html_end(struct buf *out);

/* <dt>TERM</dt><dd>text AFTER</dd>, when there is a text. */
void html_row(struct buf *out, const char *term, struct slice text, const char *after);

/* A link that searches for TEXT as a word of the column AS, such as "rule"; NULL: for whatever it is.  TEXT is what is shown, or a
 * dash when it is empty. */
void html_search_link(struct buf *out, const char *as, struct slice text);

/* A row of a list of definitions with such a link, when there is a text. */
void html_search_row(struct buf *out, const char *term, const char *as, struct slice text);

/* The hidden field with a form's TOKEN. */
void html_token(struct buf *out, const char *token);

/* <time>, to the second. */
void html_time(struct buf *out, int64_t seconds);

#endif
