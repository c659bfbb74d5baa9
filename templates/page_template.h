/* page_template.h - a page as a site writes it: plain HTML with places that are filled in; firebreak-pages(5).
 *
 *	{{incident}}		a fact, or a word of words.def, in the reader's language
 *	{{#file}} ... {{/file}}	only when there is one
 *	{{^file}} ... {{/file}}	only when there is none
 *
 * What is filled in is text: it is escaped for where it stands and never read as markup or as a template.  A template that could
 * run a program, fetch anything, or leave out what a page has to say is refused as a whole.  Pure. */
#ifndef TEMPLATES_PAGE_TEMPLATE_H
#define TEMPLATES_PAGE_TEMPLATE_H

#include "base/diag.h"
#include "templates/page_ops.h"

enum page_kind { PAGE_BLOCK, PAGE_WARN, PAGE_KINDS };

/* "block", "warn". */
const char *page_kind_name(enum page_kind kind);

enum { PAGE_TEMPLATE_MAX = 65536, PAGE_FILL_TIMES = 4, PAGE_WORD_TIMES = 8 };	/* bytes; how often one template may have a thing */

struct page_template {
	enum page_kind	 kind;
	bool		 has_logo;	/* there is one for {{logo}} */
};

/* Check TEXT, the content of FILE, and append what it says as page_ops.h has it to OUT.  All that is wrong is an error in DIAG with
 * line and column; what is unwise a warning.  -1 when there was an error. */
int page_template_compile(const struct page_template *t, const char *file, struct slice text, struct buf *out, struct diag *diag);

#endif
