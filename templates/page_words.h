/* page_words.h - what the pages say, in each language that comes with firebreak; a site adds others (page_source.h).
 *
 * Words have {host}, {what}, {target}, {owner} and others, as words.def says, where the facts go.  All of it is data that is never
 * changed. */
#ifndef TEMPLATES_PAGE_WORDS_H
#define TEMPLATES_PAGE_WORDS_H

#include "base/slice.h"

enum page_word {
#define WORD(upper, name, needs) WORD_##upper,
#include "templates/words.def"
#undef WORD
	PAGE_WORDS
};

struct page_word_kind {
	const char	*name;		/* "heading_site" */
	const char	*needs;		/* facts that must have a place in it, one blank between them */
};
extern const struct page_word_kind page_word_kinds[PAGE_WORDS];

struct page_words {
	struct slice	 tag;			/* of the language (RFC 5646), with a NUL behind it */
	const char	*text[PAGE_WORDS];	/* NULL: a sentence of English, for which judge has its own */
};

enum { PAGE_LANGUAGES = 5 };
extern const struct page_words page_languages[PAGE_LANGUAGES];	/* the first is English */

extern const struct slice page_language_tags[PAGE_LANGUAGES];	/* the tags of these */

/* What English has in the place of judge's sentences for whoever translates: from WORD_SAYS_SITE to WORD_SAYS_UNCHECKED. */
extern const char *const page_english_says[WORD_SAYS_UNCHECKED - WORD_SAYS_SITE + 1];

/* The word of that NAME; -1. */
int page_word_find(struct slice name);

/* The language of TAG, whatever its case; NULL when firebreak has none. */
const struct page_words *page_language(struct slice tag);

#endif
