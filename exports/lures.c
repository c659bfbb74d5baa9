#include "exports/lures.h"

#include <stdio.h>

#include "exports/export.h"

enum {
	PHRASES = 4,		/* of one sample, the longest */
	PHRASE_LEAST = 24,	/* bytes */
	PHRASE_MOST = 200,
	WORDS_LEAST = 4,
	ALL_LEAST = 40,		/* bytes of all phrases together */
	ID_PLAIN = 24, ID_HEX = 8,
	SUBJECT_MOST = 400,
	WORD_NAME = ID_PLAIN + 1,
};

static bool
is_word_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c);
}

/* ---- patterns ---- */

/* Append TEXT as a regular expression of Perl that is it, but that blanks may be any. */
static void
add_pattern(struct buf *out, struct slice text)
{
	text = slice_trim(text);
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (is_word_char(text.p[i]))
			buf_add_char(out, text.p[i]);
		else if (ascii_is_space(text.p[i])) {
			if (!ascii_is_space(text.p[i - 1]))
				buf_add_str(out, "\\s+");
		} else if (c > ' ' && c < 0x7f)
			buf_add(out, (char[]){ '\\', text.p[i] }, 2);
		else
			buf_addf(out, "\\x%02x", c);
	}
}

/* ---- phrases ---- */

struct phrases {
	struct slice	v[PHRASES];	/* in the order of the text */
	size_t		n;
};

/* WORD may be another one in the next mail. */
static bool
differs(struct slice word)
{
	for (size_t i = 0; i < word.len; i++)
		if (ascii_is_digit(word.p[i]) || memchr("@[]<>{}_=", word.p[i], sizeof("@[]<>{}_=") - 1) != NULL || word.p[i] == '\0')
			return true;
	return slice_search(word, SLICE("://")) < word.len || slice_istarts(word, SLICE("hxxp")) || slice_istarts(word, SLICE("www."));
}

/* Keep PHRASE if it is among the longest. */
static void
offer(struct phrases *p, struct slice phrase, size_t words)
{
	size_t shortest = 0;

	if (phrase.len < PHRASE_LEAST || words < WORDS_LEAST)
		return;
	for (size_t i = 1; i < p->n; i++)
		if (p->v[i].len < p->v[shortest].len)
			shortest = i;
	if (p->n == PHRASES) {
		if (p->v[shortest].len >= phrase.len)
			return;
		memmove(&p->v[shortest], &p->v[shortest + 1], (PHRASES - 1 - shortest) * sizeof(p->v[0]));
		p->n--;
	}
	p->v[p->n++] = phrase;
}

/* The length of the word, or of the blanks, that TEXT begins with. */
static size_t
run_len(struct slice text, bool blanks)
{
	size_t n = 0;

	while (n < text.len && ascii_is_space(text.p[n]) == blanks)
		n++;
	return n;
}

/* SpamAssassin looks at one paragraph at a time: an empty line ends a phrase. */
static bool
ends_paragraph(struct slice blanks)
{
	size_t lines = 0;

	for (size_t i = 0; i < blanks.len; i++)
		lines += blanks.p[i] == '\n';
	return lines > 1;
}

static void
find_phrases(struct phrases *p, struct slice text)
{
	struct slice phrase = slice_head(text, 0), word, blanks;
	size_t words = 0;

	while (text.len > 0) {
		blanks = slice_take(&text, run_len(text, true));
		word = slice_take(&text, run_len(text, false));
		if (ends_paragraph(blanks) || differs(word) || (size_t)(word.p + word.len - phrase.p) > PHRASE_MOST) {
			offer(p, phrase, words);
			phrase = differs(word) ? slice_make(word.p + word.len, 0) : word;
			words = !differs(word);
			continue;
		}
		if (words == 0)
			phrase = slice_make(word.p, 0);
		phrase.len = (size_t)(word.p + word.len - phrase.p);
		words += word.len > 0;
	}
	offer(p, slice_trim(phrase), words);
}

/* ---- rules ---- */

/* What the rules of ALERT are named after: its id, or what stands for one that is no name, or a long one. */
static int
name_of(const struct alert *alert, char out[static WORD_NAME])
{
	struct slice id = slice_str(alert->id);
	char uuid[EXPORT_UUID];
	bool plain = id.len <= ID_PLAIN;

	for (size_t i = 0; i < id.len; i++)
		plain = plain && is_word_char(id.p[i]);
	if (!plain && export_uuid(id, uuid) == -1)
		return -1;
	snprintf(out, WORD_NAME, "%.*s", plain ? (int)ID_PLAIN : (int)ID_HEX, plain ? alert->id : uuid);
	return 0;
}

static size_t
length_of(const struct phrases *p)
{
	size_t len = 0;

	for (size_t i = 0; i < p->n; i++)
		len += p->v[i].len;
	return len;
}

static void
add_rules(struct buf *out, const char *name, size_t number, struct slice subject, const struct phrases *p)
{
	if (subject.len > 0) {
		buf_addf(out, "header __FB_%s_%zu_S Subject =~ /^\\s*", name, number);
		add_pattern(out, subject);
		buf_add_str(out, "\\s*$/i\n");
	}
	for (size_t i = 0; i < p->n; i++) {
		buf_addf(out, "body __FB_%s_%zu_B%zu /", name, number, i + 1);
		add_pattern(out, p->v[i]);
		buf_add_str(out, "/i\n");
	}
	buf_addf(out, "meta FB_%s_%zu (", name, number);
	if (subject.len > 0)
		buf_addf(out, "__FB_%s_%zu_S && ", name, number);
	for (size_t i = 0; i < p->n; i++)
		buf_addf(out, "%s__FB_%s_%zu_B%zu", i == 0 ? "" : " && ", name, number, i + 1);
	buf_addf(out, ")\ndescribe FB_%s_%zu A mail of alert %s\nscore FB_%s_%zu 4\n\n", name, number, name, name, number);
}

int
lures_format(const struct alert *alert, struct buf *out, size_t *n, size_t *left)
{
	char name[WORD_NAME];

	if (name_of(alert, name) == -1)
		return -1;
	for (size_t i = 0; i < alert->n_lures; i++) {
		struct slice subject = slice_trim(slice_str(alert->lures[i].subject));
		struct phrases p = { .n = 0 };

		find_phrases(&p, slice_str(alert->lures[i].body));
		if (length_of(&p) < ALL_LEAST || subject.len > SUBJECT_MOST) {
			++*left;
			continue;
		}
		buf_addf(out, "# alert %s, sample %zu\n", alert->id, i + 1);
		add_rules(out, name, i + 1, subject, &p);
		++*n;
	}
	return out->failed ? -1 : 0;
}
