#include "templates/page_set.h"

#include <stdlib.h>

#include "templates/page_markup.h"

enum { LANGUAGES_MAX = PAGE_LANGUAGES + PAGE_SITE_LANGUAGES };

struct page_set {
	char			*store;		/* what all of it points into */
	size_t			 n;
	struct page_words	 words[LANGUAGES_MAX];
	struct slice		 tags[LANGUAGES_MAX];
	struct slice		 templates[LANGUAGES_MAX][PAGE_KINDS], plain[PAGE_KINDS];
	struct slice		 logo;
};

/* ---- opening ---- */

/* The language of TAG, which is made if it is not there: as English is; NULL when there are too many. */
static struct page_words *
language(struct page_set *set, struct slice tag)
{
	struct page_words *w;

	for (size_t i = 0; i < set->n; i++)
		if (slice_ieq(set->tags[i], tag))
			return &set->words[i];
	if (set->n == LANGUAGES_MAX)
		return NULL;
	w = &set->words[set->n];
	*w = page_languages[0];
	w->tag = set->tags[set->n] = tag;
	set->n++;
	return w;
}

static const char *
take_words(struct page_set *set, struct slice tag, struct slice rest)
{
	struct page_words *w = language(set, tag);
	struct slice text;

	if (w == NULL || tag.len == 0)
		return "too many languages";
	while (rest.len > 0) {
		unsigned word = (unsigned char)*rest.p;

		rest = slice_skip(rest, 1);
		if (word >= PAGE_WORDS || !slice_cut(rest, '\0', &text, &rest))
			return "words that do not hold together";
		w->text[word] = text.p;
	}
	return NULL;
}

static const char *
take_template(struct page_set *set, unsigned kind, struct slice tag, struct slice ops)
{
	struct page_words *w;

	if (kind >= PAGE_KINDS || !page_ops_ok(ops))
		return "a template that does not hold together";
	if (tag.len == 0) {
		set->plain[kind] = ops;
		return NULL;
	}
	if ((w = language(set, tag)) == NULL)
		return "too many languages";
	set->templates[w - set->words][kind] = ops;
	return NULL;
}

/* A logo goes into a page as it is. */
static bool
logo_ok(struct slice logo)
{
	for (size_t i = 0; i < logo.len; i++)
		if (!ascii_is_alpha(logo.p[i]) && !ascii_is_digit(logo.p[i]) && memchr(":/;,+=", logo.p[i], 6) == NULL)
			return false;
	return slice_starts(logo, SLICE("data:image/"));
}

/* Take the first entry of BYTES. */
static const char *
take_entry(struct page_set *set, struct slice *bytes)
{
	struct page_entry_head head;
	struct slice tag, content;

	if (bytes->len < sizeof(head))
		return "an entry that is cut";
	memcpy(&head, bytes->p, sizeof(head));
	*bytes = slice_skip(*bytes, sizeof(head));
	tag = slice_head(*bytes, head.tag_len);
	if ((size_t)head.tag_len + 1 > bytes->len || bytes->p[head.tag_len] != '\0' || (tag.len > 0 && !page_tag_ok(tag)))
		return "a language that is none";
	*bytes = slice_skip(*bytes, (size_t)head.tag_len + 1);
	if (head.len > bytes->len)
		return "an entry that is cut";
	content = slice_head(*bytes, head.len);
	*bytes = slice_skip(*bytes, head.len);
	switch (head.what) {
	case ENTRY_LOGO:
		set->logo = content;
		return logo_ok(content) ? NULL : "a logo that is none";
	case ENTRY_WORDS:
		return take_words(set, tag, content);
	case ENTRY_TEMPLATE:
		return take_template(set, head.kind, tag, content);
	default:
		return "an entry of an unknown kind";
	}
}

struct page_set *
page_set_open(struct slice bytes, const char **why)
{
	struct page_set *set = calloc(1, sizeof(*set));

	*why = "out of memory";
	if (set == NULL || (set->store = malloc(bytes.len + 1)) == NULL) {
		free(set);
		return NULL;
	}
	memcpy(set->store, bytes.p != NULL ? bytes.p : "", bytes.len);
	bytes.p = set->store;
	for (; set->n < PAGE_LANGUAGES; set->n++) {
		set->words[set->n] = page_languages[set->n];
		set->tags[set->n] = page_languages[set->n].tag;
	}
	while (bytes.len > 0)
		if ((*why = take_entry(set, &bytes)) != NULL) {
			page_set_free(set);
			return NULL;
		}
	return set;
}

void
page_set_free(struct page_set *set)
{
	if (set == NULL)
		return;
	free(set->store);
	free(set);
}

/* ---- asking ---- */

const struct slice *
page_set_tags(const struct page_set *set, size_t *n)
{
	*n = set == NULL ? PAGE_LANGUAGES : set->n;
	return set == NULL ? page_language_tags : set->tags;
}

const struct page_words *
page_set_words(const struct page_set *set, size_t i)
{
	return set == NULL ? &page_languages[i] : &set->words[i];
}

struct slice
page_set_template(const struct page_set *set, enum page_kind kind, size_t i)
{
	if (set == NULL)
		return (struct slice){ 0 };
	return set->templates[i][kind].len > 0 ? set->templates[i][kind] : set->plain[kind];
}

struct slice
page_set_logo(const struct page_set *set)
{
	return set == NULL ? (struct slice){ 0 } : set->logo;
}
