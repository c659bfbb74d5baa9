/* page_markup.h - the HTML that a template may be made of: what has no way to run a program or to fetch anything.
 *
 * A list of what may be, not of what may not.  Pure. */
#ifndef TEMPLATES_PAGE_MARKUP_H
#define TEMPLATES_PAGE_MARKUP_H

#include "base/slice.h"

enum element_place { IN_DOCUMENT, IN_HTML, IN_HEAD, IN_BODY };

struct page_element {
	const char		*name;
	enum element_place	 place;		/* where it may stand; IN_BODY: anywhere in the body */
	bool			 is_void;	/* has no end tag */
	const char		*attributes;	/* beside those that all may have, one blank before and behind each */
};

/* The element of that NAME, whatever its case; NULL when a template may not have it. */
const struct page_element *page_element(struct slice name);

/* Why a template may not have the element NAME, in a few words. */
const char *page_element_refused(struct slice name);

enum attribute_kind {
	ATTRIBUTE_REFUSED,
	ATTRIBUTE_PLAIN,	/* as it is written: nothing is filled in */
	ATTRIBUTE_TEXT,		/* for people: what may be filled into text may be filled in here */
	ATTRIBUTE_LANG,		/* a language tag, or {{lang}} */
	ATTRIBUTE_LINK,		/* where somebody may go, or {{mistake_link}} */
	ATTRIBUTE_IMAGE,	/* {{logo}} */
};

/* What the attribute NAME of ELEMENT may have. */
enum attribute_kind page_attribute(const struct page_element *element, struct slice name);

/* NULL, or what is wrong with a style sheet, and where: *AT.  It may fetch nothing, and have no escapes that hide that it does. */
const char *page_style_fault(struct slice css, size_t *at);

/* NULL, or what is wrong with where a link leads: https:, http:, mailto:, tel:, or #. */
const char *page_link_fault(struct slice value);

/* NULL, or what is wrong with where a user says that a block is a mistake: mailto: or https:, with {incident} somewhere. */
const char *page_mistake_fault(struct slice value);

/* A language tag as far as they are told apart here (RFC 5646 2.1): letters, then parts of letters and digits; up to
 * PAGE_TAG_MAX bytes. */
enum { PAGE_TAG_MAX = 35 };
bool page_tag_ok(struct slice tag);

#endif
