/* page_form.h - what kind of answer whoever is refused can make sense of.
 *
 *	a person before a window or a frame	a page, in his language
 *	a script that asks for data		problem details (RFC 9457)
 *	curl, apt, pip, a program		one line of text
 *	an image, a script, a style sheet	a small one of that kind, which does no harm */
#ifndef ICAP_SERVICE_PAGE_FORM_H
#define ICAP_SERVICE_PAGE_FORM_H

#include "pages/page.h"

/* What the request says of itself; empty: it does not.  DEST is Sec-Fetch-Dest (Fetch Metadata). */
struct page_ask {
	struct slice	dest, accept, requested_with;
	size_t		n_dest;			/* how many there were: of two, none counts */
};

/* By its destination alone; false when that does not say. */
bool page_form_by_dest(struct slice dest, enum page_form *out);

/* Pure; table-tested. */
enum page_form page_form_for(const struct page_ask *ask);

/* The Content-Type of FORM. */
const char *page_form_type(enum page_form form);

#endif
