/* page_reason.h - which of the words a reason is told in, and what is known of a file. */
#ifndef PAGES_PAGE_REASON_H
#define PAGES_PAGE_REASON_H

#include "judge/judge.h"
#include "templates/page_words.h"

/* What kind of thing a reason is about. */
enum page_about { ABOUT_SITE, ABOUT_FILE, ABOUT_PART, ABOUT_CONTENT, ABOUT_NOTHING };
enum page_about page_about(enum reason reason);

/* Which heading and which advice are for REASON. */
enum page_word page_heading_of(enum reason reason, bool is_upload, bool warns);
enum page_word page_advice_of(enum reason reason, bool is_upload, bool warns);

/* Append why, in the language of WORDS; what English has no sentence for is judge's own (why_format_sentence()), which events have,
 * too. */
int page_sentence_format(const struct page_words *words, const struct why *why, struct slice host, struct buf *out);

/* Append what is known of the file that WHY is about, "patch.exe, variant 2 of 3, 100,352 bytes, ..."; nothing when it is about
 * none, or nothing is known beside what the sentence says. */
int page_file_format(const struct page_words *words, const struct why *why, struct buf *out);

#endif
