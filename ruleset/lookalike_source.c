#include "ruleset/lookalike_source.h"

#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "ruleset/lint.h"
#include "url_rules/lookalike_format.h"
#include "url_rules/url.h"

enum { SOURCE_MAX = 64 << 20, WORD_LEN_MAX = 63 };

/* A file while it is read. */
struct reader {
	struct lookalike_builder	*b;
	const struct public_suffixes	*suffixes;
	const char			*path;
	struct diag			*diag;
	unsigned			 line;
	const char			*start;		/* of the line */
};

/* What a word at the beginning of a line means.  FLAGS are those of names, targets or words. */
struct meaning {
	const char	*word;
	int		(*add)(struct reader *r, const struct meaning *m, struct slice rest);
	unsigned	 flags;
};

static void
tell(struct reader *r, enum diag_level level, struct slice at, const char *what)
{
	diag_add(r->diag, level, r->path, r->line, (unsigned)(at.p - r->start) + 1, "\"%.*s\" %s", SLICE_ARGS(at), what);
}

static int
refuse(struct reader *r, struct slice at, const char *what)
{
	tell(r, DIAG_ERROR, at, what);
	return -1;
}

/* What the builder answered about AT. */
static int
added(struct reader *r, struct slice at, int result)
{
	return result == 0 ? 0 : refuse(r, at, errno == ENOSPC ? "is one too many" : errno == ERANGE ? "is too long" :
	    "needs memory that is not there");
}

/* The next word of *REST, which has blanks between them; empty at the end. */
static struct slice
next_word(struct slice *rest)
{
	struct slice word;
	size_t n = 0;

	while (rest->len > 0 && ascii_is_space(rest->p[0]))
		*rest = slice_skip(*rest, 1);
	while (n < rest->len && !ascii_is_space(rest->p[n]))
		n++;
	word = slice_head(*rest, n);
	*rest = slice_skip(*rest, n);
	return word;
}

/* WORD, with or without "." or "*." before it, as a host into HOST; empty with an error. */
static struct slice
domain_of(struct reader *r, struct slice word, char host[static HOST_MAX + 1])
{
	struct slice name = slice_skip(word, slice_starts(word, SLICE("*.")) ? 2 : slice_starts(word, SLICE(".")) ? 1 : 0);
	enum host_kind kind = HOST_NAME;
	size_t len = 0;

	if (name.len == 0 || slice_find(name, '/') < name.len || slice_find(name, ':') < name.len ||
	    host_canonical(name, host, &len, &kind) != URL_OK || kind != HOST_NAME || len > LOOKALIKE_HOST_MAX) {
		refuse(r, word, "is no domain");
		return (struct slice){ 0 };
	}
	for (size_t i = 0; i < len; i++)
		if (!ascii_is_alpha(host[i]) && !ascii_is_digit(host[i]) && memchr("-_.", host[i], 3) == NULL) {
			refuse(r, word, "has a character that no domain has");
			return (struct slice){ 0 };
		}
	return slice_make(host, len);
}

static int
add_names(struct reader *r, const struct meaning *m, struct slice rest)
{
	char host[HOST_MAX + 1];
	struct slice word, domain;
	int result = 0;

	for (word = next_word(&rest); word.len > 0; word = next_word(&rest))
		if ((domain = domain_of(r, word, host)).len == 0 ||
		    added(r, word, lookalike_builder_name(r->b, domain, m->flags)) == -1)
			result = -1;
	return result;
}

/* Of the list of top sites those that belong to one owner, who has them with their dot there. */
static int
add_top_sites(struct reader *r, const struct meaning *m, struct slice rest)
{
	struct slice word = next_word(&rest);

	return slice_starts(word, SLICE(".")) || slice_starts(word, SLICE("*.")) ? add_names(r, m, word) : 0;
}

/* One target of FLAGS.  What is nobody's protects nothing. */
static int
add_target(struct reader *r, struct slice word, unsigned flags)
{
	char host[HOST_MAX + 1];
	struct slice domain = domain_of(r, word, host);

	if (domain.len == 0)
		return -1;
	if (slice_find(domain, '.') == domain.len)
		return refuse(r, word, "is a single label: a domain is expected");
	if (r->suffixes != NULL && public_suffix(r->suffixes, domain).icann.len == domain.len) {
		tell(r, DIAG_WARNING, word, "is a public suffix, under which anybody may register: it is left out");
		return 0;
	}
	return added(r, word, lookalike_builder_target(r->b, domain, flags));
}

static int
add_targets(struct reader *r, const struct meaning *m, struct slice rest)
{
	unsigned flags = m->flags;
	struct slice word;
	int result = 0;

	for (word = next_word(&rest); word.len > 0; word = next_word(&rest)) {
		if (add_target(r, word, flags) == -1)
			result = -1;
		if (flags & TARGET_BRAND)
			flags &= ~(unsigned)TARGET_LEADING;
	}
	return result;
}

static int
add_embeds(struct reader *r, const struct meaning *m, struct slice rest)
{
	char name[HOST_MAX + 1], domain[HOST_MAX + 1];
	struct slice by = next_word(&rest), word, text, named;
	int result = 0;

	(void)m;
	if ((named = domain_of(r, by, name)).len == 0)
		return -1;
	word = next_word(&rest);
	if (word.len == 0)
		return refuse(r, by, "may embed what? a domain or * is expected behind it");
	for (; word.len > 0; word = next_word(&rest)) {
		text = slice_eq(word, SLICE("*")) ? (struct slice){ 0 } : domain_of(r, word, domain);
		if ((text.len == 0 && !slice_eq(word, SLICE("*"))) ||
		    added(r, word, lookalike_builder_embed(r->b, named, text)) == -1)
			result = -1;
	}
	return result;
}

static int
add_words(struct reader *r, const struct meaning *m, struct slice rest)
{
	struct slice word;
	int result = 0;

	for (word = next_word(&rest); word.len > 0; word = next_word(&rest)) {
		bool good = word.len <= WORD_LEN_MAX;

		for (size_t i = 0; i < word.len; i++)
			good = good && ((word.p[i] >= 'a' && word.p[i] <= 'z') || ascii_is_digit(word.p[i]));
		if (!good)
			result = refuse(r, word, "is no word of a-z and 0-9");
		else if (added(r, word, lookalike_builder_word(r->b, word, m->flags)) == -1)
			result = -1;
	}
	return result;
}

/* "U+0430" into OUT. */
static int
code_of(struct slice word, uint32_t *out)
{
	struct slice hex = slice_skip(word, 2);

	*out = 0;
	if (!slice_starts(word, SLICE("U+")) || hex.len < 4 || hex.len > 6)
		return -1;
	for (size_t i = 0; i < hex.len; i++) {
		if (ascii_hex(hex.p[i]) == -1)
			return -1;
		*out = *out << 4 | (unsigned)ascii_hex(hex.p[i]);
	}
	return *out < 0x80 ? -1 : 0;
}

static int
add_glyphs(struct reader *r, const struct meaning *m, struct slice rest)
{
	struct slice looks = next_word(&rest), word = next_word(&rest);
	uint32_t code;

	(void)m;
	if (looks.len > GLYPH_TEXT)
		return refuse(r, looks, "is longer than a glyph may look");
	for (size_t i = 0; i < looks.len; i++)
		if (!(looks.p[i] >= 'a' && looks.p[i] <= 'z') && !ascii_is_digit(looks.p[i]) && looks.p[i] != '-')
			return refuse(r, looks, "is not of a-z, 0-9 and the hyphen");
	for (; word.len > 0; word = next_word(&rest))
		if (code_of(word, &code) == -1)
			return refuse(r, word, "is no code point beyond ASCII, such as U+0430");
		else if (added(r, word, lookalike_builder_glyph(r->b, code, looks)) == -1)
			return -1;
	return 0;
}

static const struct meaning meanings[] = {
	{ "own", add_targets, TARGET_OWN | TARGET_LEADING },
	{ "mail", add_targets, TARGET_OWN | TARGET_LEADING },
	{ "partner", add_targets, TARGET_PARTNER | TARGET_LEADING },
	{ "brand", add_targets, TARGET_BRAND | TARGET_LEADING },
	{ "whole", add_targets, TARGET_BRAND },
	{ "family", add_names, NAME_FAMILY },
	{ "embed", add_embeds, 0 },
	{ "hosting", add_names, NAME_HOSTING },
	{ "infra", add_names, NAME_INFRA },
	{ "proxy", add_names, NAME_PROXY },
	{ "shared", add_names, NAME_SHARED },
	{ "bucket", add_names, NAME_BUCKET },
	{ "popular", add_names, NAME_POPULAR },
	{ "top-site", add_top_sites, NAME_POPULAR },
	{ "key", add_words, WORD_KEY },
	{ "key-weak", add_words, WORD_KEY_WEAK },
	{ "common", add_words, 0 },
	{ "proxy-word", add_words, WORD_PROXY },
	{ "proxy-name", add_words, WORD_PROXY | WORD_PROXY_SURE },
	{ "academic", add_words, WORD_ACADEMIC },
	{ "academic-below", add_words, WORD_ACADEMIC_BELOW },
	{ "defacto", add_words, WORD_DEFACTO },
	{ "lead", add_words, WORD_LEAD },
	{ "lead-weak", add_words, WORD_LEAD_WEAK },
	{ "service", add_words, WORD_SERVICE },
	{ "program", add_words, WORD_PROGRAM },
	{ "glyph", add_glyphs, 0 },
};

static const struct meaning *
find_meaning(struct slice word)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (slice_eq(word, slice_str(meanings[i].word)))
			return &meanings[i];
	return NULL;
}

static int
read_line(struct reader *r, const char *plain, struct slice line)
{
	struct slice rest = slice_head(line, slice_find(line, '#')), whole, word;
	const struct meaning *m;

	r->line++;
	r->start = line.p;
	whole = rest;
	word = next_word(&rest);
	if (word.len == 0)
		return 0;
	if ((m = find_meaning(word)) == NULL && plain != NULL) {
		m = find_meaning(slice_str(plain));
		rest = whole;
	}
	if (m == NULL)
		return refuse(r, word, "is no word that a line begins with");
	if (slice_trim(rest).len == 0)
		return refuse(r, word, "has nothing behind it");
	return m->add(r, m, rest);
}

int
lookalike_source_text(struct lookalike_builder *b, const struct public_suffixes *suffixes, const char *plain, const char *file,
    struct slice text, struct diag *diag)
{
	struct reader r = { .b = b, .suffixes = suffixes, .path = file, .diag = diag };
	struct slice line;
	int result = 0;

	while (text.len > 0) {
		slice_cut(text, '\n', &line, &text);
		if (read_line(&r, plain, line) == -1)
			result = -1;
	}
	return result;
}

int
lookalike_source_read(struct lookalike_builder *b, const struct public_suffixes *suffixes, const char *plain, const char *path,
    struct diag *diag)
{
	struct buf text;
	int result, error;

	buf_init(&text, SOURCE_MAX);
	if (file_read(path, &text) == -1) {
		error = errno;
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", strerror(error));
		buf_fini(&text);
		return errno = error, -1;
	}
	result = lookalike_source_text(b, suffixes, plain, path, buf_slice(&text), diag);
	buf_fini(&text);
	errno = EINVAL;
	return result;
}

int
lookalike_source_own(struct lookalike_builder *b, const struct public_suffixes *suffixes, struct slice domains)
{
	char host[HOST_MAX + 1];
	struct slice word;
	size_t len;
	enum host_kind kind;

	while ((word = next_word(&domains)).len > 0)
		if (host_canonical(word, host, &len, &kind) == URL_OK && kind == HOST_NAME && len <= LOOKALIKE_HOST_MAX &&
		    memchr(host, '.', len) != NULL && (suffixes == NULL || public_suffix(suffixes, slice_make(host, len)).icann.len < len) &&
		    lookalike_builder_target(b, slice_make(host, len), TARGET_OWN | TARGET_LEADING) == -1)
			return -1;
	return 0;
}

static int
read_shipped(struct lookalike_builder *b, const struct public_suffixes *suffixes, const char *lists, const char *name,
    const char *plain, struct diag *diag)
{
	char *path = file_join(lists, name);
	struct diag findings = { 0 };
	int r = path == NULL ? -1 : lookalike_source_read(b, suffixes, plain, path, &findings);
	bool missing = r == -1 && errno == ENOENT;

	if (missing) {
		diag_fini(&findings);
		diag_add(diag, DIAG_NOTE, path, 0, 0, "is missing: lookalikes are judged without it");
	} else
		diag_append(diag, &findings);
	free(path);
	return missing ? 0 : r;
}

int
lookalike_source_shipped(struct lookalike_builder *b, const struct public_suffixes *suffixes, const char *lists, bool brands,
    struct diag *diag)
{
	static const struct { const char *name, *plain; } files[] = { { LOOKALIKE_CLASSES_FILE, NULL }, { LOOKALIKE_WORDS_FILE, NULL },
		{ LOOKALIKE_GLYPHS_FILE, NULL }, { LINT_TOP_SITES, "top-site" }, { LINT_SHARED_HOSTS, "shared" } };
	int r = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (read_shipped(b, suffixes, lists, files[i].name, files[i].plain, diag) == -1)
			r = -1;
	if (brands && read_shipped(b, suffixes, lists, LOOKALIKE_BRANDS_FILE, "brand", diag) == -1)
		r = -1;
	return r;
}
