/* words.h - what the console says, in each language.
 *
 * words.def has all texts, each in every language beside the others: a text that is missing does not compile. */
#ifndef CONSOLE_WORDS_H
#define CONSOLE_WORDS_H

#include "base/buf.h"

enum word_id {
#define WORD(name, en, de, fr, el, es)	W_##name,
#include "console/words.def"
#undef WORD
	WORDS
};

struct words {
	struct slice	 tag;		/* of the language (RFC 5646) */
	const char	*name;		/* in itself: "Deutsch" */
	const char	*group;		/* between groups of three digits */
	unsigned	 group_digits;	/* a number of this many digits is grouped */
	const char	*text[WORDS];
};

enum { WORDS_LANGUAGES = 5, WORDS_FACTS = 6 };
extern const struct words words_languages[WORDS_LANGUAGES];	/* the first is English */

/* The language whose tag is TAG; NULL when there is none. */
const struct words *words_find(struct slice tag);

/* The language that COOKIE names, else what ACCEPT (Accept-Language) wants most, else English. */
const struct words *words_choose(struct slice cookie, struct slice accept);

/* Append text ID to OUT, facts in their places: pieces of HTML, then NULL. */
void words_say(struct buf *out, const struct words *w, enum word_id id, ...) __attribute__((sentinel));

/* N as the language writes it, into OUT. */
enum { WORDS_NUMBER = 64 };
const char *words_number(const struct words *w, uint64_t n, char out[static WORDS_NUMBER]);

/* SECONDS as people say it, "3 min", into OUT. */
enum { WORDS_SPAN = 96 };
const char *words_span(const struct words *w, int64_t seconds, char out[static WORDS_SPAN]);

#endif
