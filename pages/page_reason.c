#include "pages/page_reason.h"

#include "ruleset/variant.h"

enum { WHAT_MAX = 1 << 20, WHAT_USUAL = 512, GROUP = 3 };

enum page_about
page_about(enum reason reason)
{
	switch (reason) {
	case REASON_HOST:
	case REASON_URL:
	case REASON_PATH:
	case REASON_ADDRESS:
	case REASON_LOOKALIKE:
		return ABOUT_SITE;
	case REASON_FILE:
	case REASON_FILE_NAME:
	case REASON_FILE_AGAIN:
		return ABOUT_FILE;
	case REASON_PARTIAL:
		return ABOUT_PART;
	case REASON_UNSCANNABLE:
		return ABOUT_CONTENT;
	case REASON_NO_RULES:
	case REASON_ODD_HOST:
	case REASON_BAD_URL:
	case REASON_DAMAGED:
	case REASON_LIMIT:
	case REASON_NO_MEMORY:
	case REASON_NONE:
	case REASONS:
		break;
	}
	return ABOUT_NOTHING;
}

enum page_word
page_heading_of(enum reason reason, bool is_upload, bool warns)
{
	enum page_about what = page_about(reason);

	if (warns)
		return WORD_HEADING_WARNING;
	if (what == ABOUT_SITE)
		return WORD_HEADING_SITE;
	return what == ABOUT_NOTHING ? WORD_HEADING_UNCHECKED : is_upload ? WORD_HEADING_UPLOAD : WORD_HEADING_DOWNLOAD;
}

enum page_word
page_advice_of(enum reason reason, bool is_upload, bool warns)
{
	static const enum page_word advices[] = { [ABOUT_SITE] = WORD_ADVICE_SITE, [ABOUT_FILE] = WORD_ADVICE_FILE,
		[ABOUT_PART] = WORD_ADVICE_PARTIAL, [ABOUT_CONTENT] = WORD_ADVICE_UNSCANNABLE, [ABOUT_NOTHING] = WORD_ADVICE_LATER };
	enum page_word advice = warns ? WORD_ADVICE_WARNING : advices[page_about(reason)];

	return advice == WORD_ADVICE_UNSCANNABLE && is_upload ? WORD_ADVICE_UNSCANNABLE_UPLOAD : advice;
}

static enum page_word
sentence_of(const struct why *why, enum reason reason)
{
	switch (page_about(reason)) {
	case ABOUT_SITE:
		return reason != REASON_LOOKALIKE ? WORD_SAYS_SITE : why->lookalike.target.len > 0 ? WORD_SAYS_LOOKALIKE : WORD_SAYS_LURE;
	case ABOUT_FILE:
		return reason == REASON_FILE_AGAIN ? WORD_SAYS_FILE_AGAIN : WORD_SAYS_FILE;
	case ABOUT_PART:
		return WORD_SAYS_PARTIAL;
	case ABOUT_CONTENT:
		return WORD_SAYS_UNSCANNABLE;
	case ABOUT_NOTHING:
		break;
	}
	return WORD_SAYS_UNCHECKED;
}

/* Append what {what} stands for. */
static int
add_what(const struct why *why, enum reason reason, struct buf *out)
{
	const struct rule *rule = why->has_rule ? &why->rule : &why->would;

	if (page_about(reason) == ABOUT_CONTENT)
		return buf_add_str(out, unscannable_text(why->steps[0].unscannable));
	if (page_about(reason) == ABOUT_NOTHING)
		return buf_add_str(out, reason_name(reason));
	if (page_about(reason) == ABOUT_FILE && rule->name.len > 0)
		return buf_add_slice(out, rule->name);
	return rule_value_format(rule, out);
}

/* Append what FIELD, a word in braces, stands for. */
static void
add_field(struct slice field, const struct why *why, enum reason reason, struct slice host, struct buf *out)
{
	char space[WHAT_USUAL];
	struct buf what;

	if (slice_eq(field, SLICE("host"))) {
		buf_add_utf8(out, host);
	} else if (slice_eq(field, SLICE("target"))) {
		buf_add_utf8(out, why->lookalike.target);
	} else if (slice_eq(field, SLICE("owner"))) {
		buf_add_utf8(out, why->lookalike.registrable);
	} else {
		buf_init_in(&what, space, sizeof(space), WHAT_MAX);
		out->failed |= add_what(why, reason, &what) == -1;
		buf_add_utf8(out, buf_slice(&what));
		buf_fini(&what);
	}
}

int
page_sentence_format(const struct page_words *words, const struct why *why, struct slice host, struct buf *out)
{
	enum reason reason = why_reason(why);
	struct slice rest = slice_str(words->text[sentence_of(why, reason)]), text, field;

	if (rest.len == 0)
		return why_format_sentence(why, host, out);
	while (slice_cut(rest, '{', &text, &rest)) {
		buf_add_slice(out, text);
		slice_cut(rest, '}', &field, &rest);
		add_field(field, why, reason, host, out);
	}
	buf_add_slice(out, text);
	return out->failed ? -1 : 0;
}

/* ---- the file ---- */

/* One fact in braces, or two, of a word. */
struct fact {
	struct slice	name, text;
};

/* Append WORD with FACTS, of which there are N, in their places. */
static void
add_word(const char *word, const struct fact *facts, size_t n, struct buf *out)
{
	struct slice rest = slice_str(word), text, name;

	while (slice_cut(rest, '{', &text, &rest)) {
		buf_add_slice(out, text);
		slice_cut(rest, '}', &name, &rest);
		for (size_t i = 0; i < n; i++)
			if (slice_eq(name, facts[i].name))
				buf_add_utf8(out, facts[i].text);
	}
	buf_add_slice(out, text);
}

/* NUMBER with what a language has between its thousands. */
static void
add_grouped(uint64_t number, const char *between, struct buf *out)
{
	char digits[DIGITS_MAX];
	size_t n = decimal(number, digits);

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && (n - i) % GROUP == 0)
			buf_add_str(out, between);
		buf_add_char(out, digits[i]);
	}
}

static void
add_comma(struct buf *out, size_t begin)
{
	if (out->len > begin)
		buf_add_str(out, ", ");
}

static void
add_size(const struct page_words *words, uint64_t size, struct buf *out)
{
	char space[WHAT_USUAL];
	struct buf number;

	buf_init_in(&number, space, sizeof(space), WHAT_MAX);
	add_grouped(size, words->text[WORD_THOUSANDS], &number);
	add_word(words->text[WORD_BYTES], &(struct fact){ SLICE("size"), buf_slice(&number) }, 1, out);
	buf_fini(&number);
}

static void
add_variant(const struct page_words *words, const struct file_variant *v, struct buf *out)
{
	char k[DIGITS_MAX], n[DIGITS_MAX];
	const struct fact facts[] = { { SLICE("k"), slice_make(k, decimal(v->k, k)) }, { SLICE("n"), slice_make(n, decimal(v->n, n)) } };

	add_word(words->text[WORD_VARIANT], facts, 2, out);
}

int
page_file_format(const struct page_words *words, const struct why *why, struct buf *out)
{
	const struct rule *rule = page_about(why_reason(why)) == ABOUT_FILE ? why_rule(why) : NULL;
	struct file_variant v;
	size_t begin = out->len;
	bool known = rule != NULL && file_variant_parse(rule->note, &v);

	if (rule == NULL || (rule->key.size == HASHDB_SIZE_ANY && !known))
		return 0;
	buf_add_utf8(out, rule->name);
	if (known && v.n > 1) {
		add_comma(out, begin);
		add_variant(words, &v, out);
	}
	if (rule->key.size != HASHDB_SIZE_ANY) {
		add_comma(out, begin);
		add_size(words, rule->key.size, out);
	}
	if (known) {
		add_comma(out, begin);
		add_word(words->text[WORD_OF], &(struct fact){ SLICE("title"), v.title }, 1, out);
	}
	if (known && v.published.len > 0) {
		add_comma(out, begin);
		add_word(words->text[WORD_PUBLISHED], &(struct fact){ SLICE("date"), v.published }, 1, out);
	}
	return out->failed ? -1 : 0;
}
