/* page_set.h - what a site has its pages say: its templates, its languages, its logo, out of a generation.
 *
 * The bytes are one entry after the other, in the writer's byte order:
 *
 *	| what | kind | u16 tag | u32 len | tag, NUL | len bytes
 *
 *	logo		"data:image/png;base64,..."
 *	words		for each that is not firebreak's own: its number, a byte, and its text, NUL
 *	template	page_ops.h; an empty tag: for whoever has no other
 *
 * Never changes while it is open; any number of threads ask it. */
#ifndef TEMPLATES_PAGE_SET_H
#define TEMPLATES_PAGE_SET_H

#include "base/buf.h"
#include "templates/page_template.h"
#include "templates/page_words.h"

enum { PAGE_SITE_LANGUAGES = 32, PAGE_SET_MAX = 3 << 20 };

enum page_entry { ENTRY_LOGO = 1, ENTRY_WORDS, ENTRY_TEMPLATE };

struct page_entry_head {
	uint8_t		what, kind;
	uint16_t	tag_len;
	uint32_t	len;
};

struct page_set;

/* What BYTES say, which are copied.  NULL with the reason in WHY, a static text.  The caller's: page_set_free(). */
struct page_set *page_set_open(struct slice bytes, const char **why);
void page_set_free(struct page_set *set);	/* NULL is fine */

/* ---- asking; a SET of NULL is what firebreak has by itself ---- */

/* The languages: *N tags, for accept_language_pick(); the first is English. */
const struct slice *page_set_tags(const struct page_set *set, size_t *n);

/* The words of language I.  Never NULL; borrowed. */
const struct page_words *page_set_words(const struct page_set *set, size_t i);

/* The page of KIND in language I, as page_ops.h has it; empty: the one that firebreak has by itself.  Borrowed. */
struct slice page_set_template(const struct page_set *set, enum page_kind kind, size_t i);

/* The logo as a data: URI; empty: none.  Borrowed. */
struct slice page_set_logo(const struct page_set *set);

#endif
