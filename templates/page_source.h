/* page_source.h - the folder in which a site has its pages, read and checked: firebreak-pages(5).
 *
 *	block.html  block.LANG.html  warn.html  warn.LANG.html	templates (page_template.h)
 *	LANG.words						words of a language: "name = text"
 *	logo.png  logo.jpg  logo.webp				one of them */
#ifndef TEMPLATES_PAGE_SOURCE_H
#define TEMPLATES_PAGE_SOURCE_H

#include "base/buf.h"
#include "base/diag.h"

enum { PAGE_LOGO_MAX = 49152, PAGE_WORDS_MAX = 65536, PAGE_FILES_MAX = 200, PAGE_WORD_MAX = 1000 };

/* Append what the folder DIR says as page_set.h has it to OUT; nothing when there is no such folder and NEEDED is false.  All that
 * is wrong is an error in DIAG, with file, line and column.  -1 when there was one.  The same files give the same bytes. */
int page_source_read(const char *dir, bool needed, struct buf *out, struct diag *diag);

/* Append the words that TEXT, the content of FILE, has for the language TAG, as page_set.h has them.  -1 with errors in DIAG. */
int page_source_words(struct slice tag, const char *file, struct slice text, struct buf *out, struct diag *diag);

#endif
