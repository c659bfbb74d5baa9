#include "templates/page_source.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "templates/page_markup.h"
#include "templates/page_set.h"

/* The folder while it is read. */
struct folder {
	struct dirent	**list;		/* by name */
	int		 n;
	struct buf	*out;
	struct diag	*diag;
	bool		 has_logo;
	size_t		 n_languages;	/* that are not firebreak's own */
};

static void
add_entry(struct buf *out, enum page_entry what, unsigned kind, struct slice tag, struct slice content)
{
	struct page_entry_head head = { .what = (uint8_t)what, .kind = (uint8_t)kind, .tag_len = (uint16_t)tag.len,
		.len = (uint32_t)content.len };

	buf_add(out, &head, sizeof(head));
	buf_add_slice(out, tag);
	buf_add_char(out, '\0');
	buf_add_slice(out, content);
}

/* Append the content of the plain file at PATH to OUT, which has room for what it may have. */
static int
read_file(const char *path, struct buf *out, struct diag *diag)
{
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		diag_add(diag, DIAG_ERROR, path, 0, 0, "this is no plain file");
	else if (file_read(path, out) == 0)
		return 0;
	else if (errno == EFBIG)
		diag_add(diag, DIAG_ERROR, path, 0, 0, "it has more than the %zu bytes that it may have", out->max);
	else
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", strerror(errno));
	return -1;
}

/* ---- words ---- */

/* A fact in braces that WORD may have. */
static bool
may_have(int word, struct slice fact)
{
	static const struct slice says[] = { { "host", 4 }, { "what", 4 }, { "target", 6 }, { "owner", 5 } };
	struct slice needs = slice_str(page_word_kinds[word].needs), one;

	for (size_t i = 0; word >= WORD_SAYS_SITE && word <= WORD_SAYS_UNCHECKED && i < sizeof(says) / sizeof(*says); i++)
		if (slice_eq(fact, says[i]))
			return true;
	while (needs.len > 0) {
		slice_cut(needs, ' ', &one, &needs);
		if (slice_eq(one, fact))
			return true;
	}
	return false;
}

/* TEXT has FACT in braces. */
static bool
has_fact(struct slice text, struct slice fact)
{
	struct slice one;

	while (slice_cut(text, '{', NULL, &text))
		if (slice_cut(text, '}', &one, NULL) && slice_eq(one, fact))
			return true;
	return false;
}

/* Where in TEXT something is that a word may not have, and why; NULL. */
static const char *
word_fault(int word, struct slice text, size_t *at)
{
	struct slice fact;
	size_t n;

	*at = 0;
	if (text.len == 0 || text.len > PAGE_WORD_MAX)
		return "a word has 1 to 1000 bytes";
	for (; *at < text.len; *at += n) {
		struct slice s = slice_skip(text, *at);

		if ((n = utf8_sequence(s)) == 0)
			return "this is not UTF-8";
		if (utf8_misleads(s, n))
			return "a control character";
		if (memchr("<>&\"", *s.p, 4) != NULL)
			return "words are plain text, without < > & and \"";
		if (*s.p == '{' && (!slice_cut(slice_skip(s, 1), '}', &fact, NULL) || !may_have(word, fact)))
			return "\"{\" begins no fact that this word may have";
	}
	return NULL;
}

/* Facts that WORD needs and TEXT has not. */
static void
check_facts(int word, struct slice text, const char *file, unsigned line, struct diag *diag)
{
	struct slice needs = slice_str(page_word_kinds[word].needs), one;

	while (needs.len > 0) {
		slice_cut(needs, ' ', &one, &needs);
		if (!has_fact(text, one))
			diag_add(diag, DIAG_ERROR, file, line, 1, "%s has no place for {%.*s}", page_word_kinds[word].name, SLICE_ARGS(one));
	}
}

/* WHOLE is a line of FILE. */
static void
read_word(struct slice whole, const char *file, unsigned line, const char **texts, struct buf *out, struct diag *diag)
{
	struct slice name, text, trimmed = slice_trim(whole);
	const char *fault;
	size_t at;
	int word;

	if (trimmed.len == 0 || *trimmed.p == '#')
		return;
	if (!slice_cut(trimmed, '=', &name, &text)) {
		diag_add(diag, DIAG_ERROR, file, line, 1, "a line is \"name = text\"");
		return;
	}
	name = slice_trim(name);
	text = slice_trim(text);
	word = page_word_find(name);
	if (word == -1 || texts[word] != NULL) {
		diag_add(diag, DIAG_ERROR, file, line, (unsigned)(trimmed.p - whole.p) + 1, "%s: %.*s", word == -1 ? "no such word" :
		    "this word stands here already", SLICE_ARGS(slice_head(name, 40)));
		return;
	}
	texts[word] = text.p;
	if ((fault = word_fault(word, text, &at)) != NULL) {
		diag_add(diag, DIAG_ERROR, file, line, (unsigned)((text.len > 0 ? text.p : whole.p + whole.len) - whole.p + (ptrdiff_t)at) + 1,
		    "%s: %s", page_word_kinds[word].name, fault);
		return;
	}
	check_facts(word, text, file, line, diag);
	buf_add_char(out, (char)word);
	buf_add_slice(out, text);
	buf_add_char(out, '\0');
}

int
page_source_words(struct slice tag, const char *file, struct slice text, struct buf *out, struct diag *diag)
{
	const char *texts[PAGE_WORDS] = { NULL };
	size_t errors = diag->n_errors;
	struct slice line;

	if (slice_starts(text, SLICE("\xef\xbb\xbf")))
		text = slice_skip(text, 3);
	for (unsigned n = 1; text.len > 0; n++) {
		slice_cut(text, '\n', &line, &text);
		read_word(line, file, n, texts, out, diag);
	}
	for (int i = 0; page_language(tag) == NULL && i < PAGE_WORDS; i++)
		if (texts[i] == NULL)
			diag_add(diag, DIAG_ERROR, file, 0, 0, "%s is missing: firebreak has no words of its own in this language; \"firebreak "
			    "page words\" prints those of English", page_word_kinds[i].name);
	return diag->n_errors > errors || out->failed ? -1 : 0;
}

static void
read_words(struct folder *f, struct slice tag, const char *path)
{
	struct buf text, words;

	buf_init(&text, PAGE_WORDS_MAX);
	buf_init(&words, PAGE_WORDS_MAX);
	if (page_language(tag) == NULL && ++f->n_languages > PAGE_SITE_LANGUAGES)
		diag_add(f->diag, DIAG_ERROR, path, 0, 0, "more than %d languages", PAGE_SITE_LANGUAGES);
	else if (read_file(path, &text, f->diag) == 0 &&
	    page_source_words(tag, path, buf_slice(&text), &words, f->diag) == 0)
		add_entry(f->out, ENTRY_WORDS, 0, tag, buf_slice(&words));
	buf_fini(&text);
	buf_fini(&words);
}

/* ---- templates ---- */

static bool
has_words(const struct folder *f, struct slice tag)
{
	for (int i = 0; i < f->n; i++) {
		struct slice name = slice_str(f->list[i]->d_name);

		if (slice_ends(name, SLICE(".words")) && slice_ieq(slice_head(name, name.len - strlen(".words")), tag))
			return true;
	}
	return page_language(tag) != NULL;
}

static void
read_template(struct folder *f, enum page_kind kind, struct slice tag, const char *path)
{
	struct page_template t = { .kind = kind, .has_logo = f->has_logo };
	struct buf text, ops;

	buf_init(&text, PAGE_TEMPLATE_MAX);
	buf_init(&ops, PAGE_SET_MAX);
	if (tag.len > 0 && !has_words(f, tag))
		diag_add(f->diag, DIAG_ERROR, path, 0, 0, "there are no words in this language: put %.*s.words beside it, as {{reason}} and "
		    "others are made of them; \"firebreak page words\" prints those of English", SLICE_ARGS(tag));
	if (read_file(path, &text, f->diag) == 0 &&
	    page_template_compile(&t, path, buf_slice(&text), &ops, f->diag) == 0)
		add_entry(f->out, ENTRY_TEMPLATE, kind, tag, buf_slice(&ops));
	buf_fini(&text);
	buf_fini(&ops);
}

/* ---- the logo ---- */

/* Why BYTES, of a file of TYPE, are no logo, or NULL. */
static const char *
logo_fault(struct slice type, struct slice bytes)
{
	if (slice_eq(type, SLICE("svg")))
		return "SVG is no image but a document, which may have scripts: export it as PNG or WebP";
	if (slice_eq(type, SLICE("png")))
		return slice_starts(bytes, SLICE("\x89PNG\r\n\x1a\n\0\0\0\rIHDR")) && slice_ends(bytes, SLICE("IEND\xae\x42\x60\x82")) ? NULL :
		    "this is no PNG";
	if (slice_eq(type, SLICE("jpg")) || slice_eq(type, SLICE("jpeg")))
		return slice_starts(bytes, SLICE("\xff\xd8\xff")) && slice_ends(bytes, SLICE("\xff\xd9")) ? NULL : "this is no JPEG";
	if (slice_eq(type, SLICE("webp"))) {
		uint32_t n;

		if (bytes.len < 16 || !slice_starts(bytes, SLICE("RIFF")) || !slice_eq(slice_make(bytes.p + 8, 4), SLICE("WEBP")))
			return "this is no WebP";
		n = (uint32_t)((unsigned char)bytes.p[4] | (unsigned char)bytes.p[5] << 8 | (unsigned char)bytes.p[6] << 16) |
		    (uint32_t)(unsigned char)bytes.p[7] << 24;
		return (uint64_t)n + 8 == bytes.len ? NULL : "this WebP is not whole";
	}
	return "a logo is logo.png, logo.jpg or logo.webp";
}

static void
read_logo(struct folder *f, struct slice type, const char *path)
{
	struct buf bytes, uri;
	const char *fault = f->has_logo ? "there is another logo beside it" : NULL;

	buf_init(&bytes, PAGE_LOGO_MAX);
	buf_init(&uri, PAGE_SET_MAX);
	if (fault == NULL && read_file(path, &bytes, f->diag) == 0) {
		f->has_logo = true;
		fault = logo_fault(type, buf_slice(&bytes));
		buf_add_strs(&uri, "data:image/", slice_eq(type, SLICE("jpg")) ? "jpeg" : "", NULL);
		buf_add_slice(&uri, slice_eq(type, SLICE("jpg")) ? (struct slice){ 0 } : type);
		buf_add_str(&uri, ";base64,");
		if (fault == NULL && buf_reserve(&uri, bytes.len / 3 * 4 + 8) == 0) {
			uri.len += (size_t)EVP_EncodeBlock((unsigned char *)uri.p + uri.len, (const unsigned char *)bytes.p, (int)bytes.len);
			add_entry(f->out, ENTRY_LOGO, 0, (struct slice){ 0 }, buf_slice(&uri));
		}
	}
	if (fault != NULL)
		diag_add(f->diag, DIAG_ERROR, path, 0, 0, "%s", fault);
	f->out->failed |= uri.failed;
	buf_fini(&bytes);
	buf_fini(&uri);
}

/* ---- the folder ---- */

enum pass { PASS_LOGO, PASS_WORDS, PASS_TEMPLATES, PASSES };

/* What NAME is, and whose: block.html, warn.it.html; the tag may be bad. */
static bool
is_template(struct slice name, enum page_kind *kind, struct slice *tag)
{
	struct slice head, end;

	if (!slice_cut(name, '.', &head, &end))
		return false;
	for (*kind = 0; *kind < PAGE_KINDS && !slice_eq(head, slice_str(page_kind_name(*kind))); (*kind)++)
		;
	if (*kind == PAGE_KINDS)
		return false;
	*tag = (struct slice){ 0 };
	if (slice_eq(end, SLICE("html")))
		return true;
	if (!slice_ends(end, SLICE(".html")))
		return false;
	*tag = slice_head(end, end.len - strlen(".html"));
	return true;
}

/* TAG, of the file at PATH, is one; says so when it is not. */
static bool
tag_fine(const struct folder *f, struct slice tag, const char *path)
{
	if (page_tag_ok(tag))
		return true;
	diag_add(f->diag, DIAG_ERROR, path, 0, 0, "\"%.*s\" is no language, as de or pt-BR is one", SLICE_ARGS(tag));
	return false;
}

static void
read_named(struct folder *f, struct slice name, const char *path, enum pass pass)
{
	enum page_kind kind;
	struct slice tag;

	if (*name.p == '.' || slice_ends(name, SLICE("~")))
		return;
	if (slice_starts(name, SLICE("logo."))) {
		if (pass == PASS_LOGO)
			read_logo(f, slice_skip(name, strlen("logo.")), path);
	} else if (slice_ends(name, SLICE(".words"))) {
		tag = slice_head(name, name.len - strlen(".words"));
		if (pass == PASS_WORDS && tag_fine(f, tag, path))
			read_words(f, tag, path);
	} else if (is_template(name, &kind, &tag)) {
		if (pass == PASS_TEMPLATES && (tag.len == 0 || tag_fine(f, tag, path)))
			read_template(f, kind, tag, path);
	} else if (pass == PASS_TEMPLATES) {
		diag_add(f->diag, slice_ends(name, SLICE(".html")) ? DIAG_ERROR : DIAG_WARNING, path, 0, 0, "this is nothing that a page is made "
		    "of: block.html, warn.html, block.LANG.html, warn.LANG.html, LANG.words, logo.png, logo.jpg or logo.webp");
	}
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int
page_source_read(const char *dir, bool needed, struct buf *out, struct diag *diag)
{
	struct folder f = { .out = out, .diag = diag };
	size_t errors = diag->n_errors;

	f.n = scandir(dir, &f.list, NULL, by_name);
	if (f.n == -1) {
		if (!needed && errno == ENOENT)
			return 0;
		diag_add(diag, DIAG_ERROR, dir, 0, 0, "%s", strerror(errno));
		return -1;
	}
	if (f.n > PAGE_FILES_MAX)
		diag_add(diag, DIAG_ERROR, dir, 0, 0, "there are more than %d files", PAGE_FILES_MAX);
	/* A template wants to know whether there is a logo, and words. */
	for (enum pass pass = PASS_LOGO; pass < PASSES && f.n <= PAGE_FILES_MAX; pass++)
		for (int i = 0; i < f.n; i++) {
			char *path = file_join(dir, f.list[i]->d_name);

			if (path == NULL)
				out->failed = true;
			else
				read_named(&f, slice_str(f.list[i]->d_name), path, pass);
			free(path);
		}
	for (int i = 0; i < f.n; i++)
		free(f.list[i]);
	free(f.list);
	if (out->failed)
		diag_add(diag, DIAG_ERROR, dir, 0, 0, "it has more than pages may have, or there is no memory");
	return diag->n_errors > errors ? -1 : 0;
}
