/* page.h - the block page: what a person sees instead of what was refused, and what a program gets.
 *
 * Pure: facts in; HTML, a line of text, problem details or a small image out.  Everything that came from outside is escaped.  No
 * scripts, no external resources; readable on a phone and by a screen reader (one h1, landmarks, language, contrast, nothing by
 * colour alone).  A person gets the site's own page where the site has one (templates/page_set.h), else firebreak's. */
#ifndef PAGES_PAGE_H
#define PAGES_PAGE_H

#include "judge/judge.h"
#include "templates/page_set.h"

/* The longest template, a logo in it four times, and each fact four times with all of it escaped. */
enum { PAGE_MAX = 1 << 20, PAGE_STATUS = 403 };

enum page_form { FORM_HTML, FORM_TEXT, FORM_PROBLEM, FORM_IMAGE, FORM_SCRIPT, FORM_STYLE, PAGE_FORMS };

struct page_facts {
	enum page_form	 form;		/* of a warning FORM_HTML */
	const struct page_set *set;	/* the site's own pages; NULL: none */
	size_t		 language;	/* of page_set_tags() */
	const struct why *why;
	struct slice	 host;		/* canonical; may be empty */
	const char	*incident;	/* as stored */
	int64_t		 now_ms;
	struct slice	 action;	/* of a warning: where "continue" is sent; empty: a refusal */
	bool		 is_upload;	/* a file of the client's own is what was refused */
	const char	*contact;	/* site.conf Contact; may be "": the helpdesk, in the page's language */
	const char	*organisation;	/* site.conf Organisation; may be "" */
	const char	*mistake_link;	/* site.conf MistakeLink; may be "" */
};

/* Append the page to OUT; the sentence about a long rule is cut.  -1 when it did not fit, which a host of HOST_MAX bytes
 * and the longest texts of site.conf and of a rule do not bring about when OUT has room for PAGE_MAX. */
int page_write(const struct page_facts *facts, struct buf *out);

/* The page for FACTS shows an image: the logo.  A browser has to be allowed that. */
bool page_has_image(const struct page_facts *facts);

#endif
