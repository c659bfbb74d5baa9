#include "console/words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/weighted.h"

#define NARROW_SPACE	"\xe2\x80\xaf"		/* U+202F, which no line breaks at */

const struct words words_languages[WORDS_LANGUAGES] = {
	{ .tag = { "en", 2 }, .name = "English", .group = ",", .group_digits = 4, .text = {
#define WORD(name, en, de, fr, el, es)	[W_##name] = (en),
#include "console/words.def"
#undef WORD
	} },
	{ .tag = { "de", 2 }, .name = "Deutsch", .group = ".", .group_digits = 4, .text = {
#define WORD(name, en, de, fr, el, es)	[W_##name] = (de),
#include "console/words.def"
#undef WORD
	} },
	{ .tag = { "fr", 2 }, .name = "Français", .group = NARROW_SPACE, .group_digits = 4, .text = {
#define WORD(name, en, de, fr, el, es)	[W_##name] = (fr),
#include "console/words.def"
#undef WORD
	} },
	{ .tag = { "el", 2 }, .name = "Ελληνικά", .group = ".", .group_digits = 4, .text = {
#define WORD(name, en, de, fr, el, es)	[W_##name] = (el),
#include "console/words.def"
#undef WORD
	} },
	{ .tag = { "es", 2 }, .name = "Español", .group = NARROW_SPACE, .group_digits = 5, .text = {
#define WORD(name, en, de, fr, el, es)	[W_##name] = (es),
#include "console/words.def"
#undef WORD
	} },
};

const struct words *
words_find(struct slice tag)
{
	for (size_t i = 0; i < WORDS_LANGUAGES; i++)
		if (slice_eq(words_languages[i].tag, tag))
			return &words_languages[i];
	return NULL;
}

const struct words *
words_choose(struct slice cookie, struct slice accept)
{
	const struct words *w = words_find(cookie);
	struct slice tags[WORDS_LANGUAGES];

	for (size_t i = 0; i < WORDS_LANGUAGES; i++)
		tags[i] = words_languages[i].tag;
	return w != NULL ? w : &words_languages[accept_language_pick(accept, tags, WORDS_LANGUAGES)];
}

void
words_say(struct buf *out, const struct words *w, enum word_id id, ...)
{
	struct slice rest = slice_str(w->text[id]), text, fact;
	const char *facts[WORDS_FACTS], *next;
	size_t n = 0;
	va_list ap;

	va_start(ap, id);
	while (n < WORDS_FACTS && (next = va_arg(ap, const char *)) != NULL)
		facts[n++] = next;
	va_end(ap);
	while (slice_cut(rest, '{', &text, &rest)) {
		buf_add_slice(out, text);
		slice_cut(rest, '}', &fact, &rest);
		if (fact.len == 1 && *fact.p >= '1' && (size_t)(*fact.p - '1') < n)
			buf_add_str(out, facts[*fact.p - '1']);
	}
	buf_add_slice(out, text);
}

const char *
words_number(const struct words *w, uint64_t n, char out[static WORDS_NUMBER])
{
	enum { GROUP = 3 };
	char digits[DIGITS_MAX];
	size_t have = decimal(n, digits), len = 0;

	for (size_t i = 0; i < have; i++) {
		if (have >= w->group_digits && i > 0 && (have - i) % GROUP == 0)
			for (const char *p = w->group; *p != '\0'; p++)
				out[len++] = *p;
		out[len++] = digits[i];
	}
	out[len] = '\0';
	return out;
}

const char *
words_span(const struct words *w, int64_t seconds, char out[static WORDS_SPAN])
{
	static const struct { int64_t over, unit; enum word_id word; } units[] = {
		{ 2 * CLOCK_DAY_S, CLOCK_DAY_S, W_SPAN_D }, { 2 * 3600, 3600, W_SPAN_H }, { 2 * 60, 60, W_SPAN_MIN }, { 0, 1, W_SPAN_S },
	};
	char number[WORDS_NUMBER];
	struct buf text;
	size_t i = 0;

	seconds = seconds < 0 ? 0 : seconds;
	while (seconds < units[i].over)
		i++;
	buf_init_in(&text, out, WORDS_SPAN, WORDS_SPAN - 1);
	words_say(&text, w, units[i].word, words_number(w, (uint64_t)(seconds / units[i].unit), number), NULL);
	if (text.failed)
		*out = '\0';
	return out;
}
