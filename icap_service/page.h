/* page.h - the block page: what a person sees instead of what was refused, and what a program gets.
 *
 * Pure: facts in; HTML, a line of text, problem details or a small image out.  Everything that came from outside is escaped.  No
 * scripts, no external resources; readable on a phone and by a screen reader (one h1, landmarks, language, contrast, nothing by
 * colour alone). */
#ifndef ICAP_SERVICE_PAGE_H
#define ICAP_SERVICE_PAGE_H

#include "icap_service/page_form.h"
#include "icap_service/page_words.h"

enum { PAGE_MAX = 32768, PAGE_STATUS = 403 };

struct page_facts {
	enum page_form	 form;		/* of a warning FORM_HTML */
	const struct page_words *words;
	const struct why *why;
	struct slice	 host;		/* canonical; may be empty */
	const char	*incident;	/* as stored */
	int64_t		 now_ms;
	struct slice	 action;	/* of a warning: where "continue" is sent; empty: a refusal */
	bool		 is_upload;	/* a file of the client's own is what was refused */
	const char	*contact;	/* site.conf Contact; never NULL */
	const char	*organisation;	/* site.conf Organisation; may be "" */
};

/* Append the page to OUT; the sentence about a long rule is cut.  -1 when it did not fit, which a host of HOST_MAX bytes
 * and the longest texts of site.conf and of a rule do not bring about when OUT has room for PAGE_MAX. */
int page_write(const struct page_facts *facts, struct buf *out);

#endif
