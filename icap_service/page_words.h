/* page_words.h - what the pages say, in each language.
 *
 * Sentences have {host}, {what}, {target} and {owner} where the facts go.  The English sentence is judge's own
 * (why_format_sentence()), which events have, too. */
#ifndef ICAP_SERVICE_PAGE_WORDS_H
#define ICAP_SERVICE_PAGE_WORDS_H

#include "judge/judge.h"

enum page_heading { HEADING_SITE, HEADING_DOWNLOAD, HEADING_UPLOAD, HEADING_UNCHECKED, HEADING_WARNING, HEADINGS };
enum page_sentence { SAYS_SITE, SAYS_LOOKALIKE, SAYS_LURE, SAYS_FILE, SAYS_FILE_AGAIN, SAYS_PARTIAL, SAYS_UNSCANNABLE,
	SAYS_UNCHECKED, PAGE_SENTENCES };
enum page_advice { ADVICE_SITE, ADVICE_FILE, ADVICE_UNSCANNABLE, ADVICE_UNSCANNABLE_UPLOAD, ADVICE_PARTIAL, ADVICE_LATER,
	ADVICE_WARNING, PAGE_ADVICES };

struct page_words {
	struct slice	 tag;			/* of the language (RFC 5646) */
	const char	*title;
	const char	*heading[HEADINGS];
	const char	*why;			/* before the sentence */
	const char	*sentence[PAGE_SENTENCES];
	const char	*advice[PAGE_ADVICES];
	const char	*call, *read_out;	/* before and behind whom to call */
	const char	*site, *rule, *revision, *alert, *time, *go_on;
};

enum { PAGE_LANGUAGES = 5 };
extern const struct page_words page_languages[PAGE_LANGUAGES];	/* the first is English */

/* The words that an Accept-Language VALUE (RFC 9110 12.5.4) would rather have; English when it has none of these. */
const struct page_words *page_words_for(struct slice value);

/* Which heading, sentence and advice are for REASON. */
enum page_heading page_heading_of(enum reason reason, bool is_upload, bool warns);
enum page_advice page_advice_of(enum reason reason, bool is_upload, bool warns);

/* Append why, in the language of WORDS. */
int page_sentence_format(const struct page_words *words, const struct why *why, struct slice host, struct buf *out);

#endif
