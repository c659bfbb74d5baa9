#include "templates/page_template.h"

#include "templates/page_markup.h"
#include "templates/page_words.h"

/* The byte order mark, with which some editors begin a file. */
#define BOM	"\xef\xbb\xbf"

enum { ELEMENTS_DEEP = 64 };

/* An element that is open. */
struct open_element {
	const struct page_element	*element;
	size_t				 at;
};

/* A section that is open. */
struct open_section {
	enum page_condition	 condition;
	bool			 inverted;
	size_t			 at, op;	/* in the text; in OUT */
	size_t			 deep;		/* elements that are open around it */
};

struct compiler {
	const struct page_template *t;
	const char		*file;
	struct slice		 text;
	size_t			 at;		/* what is read next */
	size_t			 from;		/* what is not in OUT yet */
	struct buf		*out;
	struct diag		*diag;
	bool			 failed;
	struct open_element	 elements[ELEMENTS_DEEP];
	size_t			 n_elements;
	struct open_section	 sections[PAGE_SECTIONS_DEEP];
	size_t			 n_sections;
	bool			 has_html, has_body, has_title, has_lang, has_viewport, has_h1;
	unsigned		 fills[PAGE_FILLS], words[PAGE_WORDS];
	bool			 always[PAGE_FILLS];	/* as text, and whatever the conditions */
};

/* Where a placeholder stands. */
enum context { CONTEXT_BODY, CONTEXT_TITLE, CONTEXT_ATTRIBUTE };

static const char *const kinds[PAGE_KINDS] = { [PAGE_BLOCK] = "block", [PAGE_WARN] = "warn" };

const char *
page_kind_name(enum page_kind kind)
{
	return kinds[kind];
}

/* ---- what is wrong ---- */

/* Columns are bytes, as in all of firebreak. */
static void
find(struct compiler *c, enum diag_level level, size_t at, const char *what, struct slice name, const char *why)
{
	struct slice before = slice_head(c->text, at), line;
	unsigned n = 1;

	while (slice_cut(before, '\n', &line, &before))
		n++;
	diag_add(c->diag, level, c->file, n, (unsigned)line.len + 1, "%s%.*s%s%s", what, SLICE_ARGS(slice_head(name, 40)),
	    *why == '\0' || name.len == 0 ? "" : ": ", why);
	c->failed |= level == DIAG_ERROR;
}

static void
refuse(struct compiler *c, size_t at, const char *what)
{
	find(c, DIAG_ERROR, at, what, (struct slice){ 0 }, "");
}

static struct slice
rest(const struct compiler *c)
{
	return slice_skip(c->text, c->at);
}

static bool
next_is(const struct compiler *c, const char *text)
{
	return slice_istarts(rest(c), slice_str(text));
}

/* What was passed since FROM goes out as it is. */
static void
flush(struct compiler *c, size_t to)
{
	if (to > c->from)
		page_op_add(c->out, OP_TEXT, 0, slice_make(c->text.p + c->from, to - c->from));
	c->from = to;
}

static const struct page_element *
innermost(const struct compiler *c)
{
	return c->n_elements == 0 ? NULL : c->elements[c->n_elements - 1].element;
}

static bool
is_named(const struct page_element *e, const char *name)
{
	return e != NULL && strcmp(e->name, name) == 0;
}

/* Where text may be for people to read. */
static bool
in_body(const struct compiler *c)
{
	return c->n_elements >= 2 && is_named(c->elements[1].element, "body");
}

/* What stands here is seen without opening anything. */
static bool
is_open(const struct compiler *c)
{
	for (size_t i = 0; i < c->n_elements; i++)
		if (is_named(c->elements[i].element, "details"))
			return false;
	return c->n_sections == 0;
}

/* Bytes that nobody sees, or that make people see something else. */
static void
check_bytes(struct compiler *c)
{
	size_t n;

	for (size_t at = next_is(c, BOM) ? sizeof(BOM) - 1 : 0; at < c->text.len; at += n) {
		struct slice s = slice_skip(c->text, at);

		if ((n = utf8_sequence(s)) == 0) {
			refuse(c, at, "this is not UTF-8");
			return;
		}
		if (ascii_is_space(*s.p) || !utf8_misleads(s, n))
			continue;
		refuse(c, at, "a control character");
		return;
	}
}

/* ---- placeholders ---- */

static int
find_fill(struct slice name)
{
	for (int i = 0; i < PAGE_FILLS; i++)
		if (slice_eq(name, slice_str(page_fill_name((enum page_fill)i))))
			return i;
	return -1;
}

static int
find_condition(struct slice name)
{
	for (int i = 0; i < PAGE_CONDITIONS; i++)
		if (slice_eq(name, slice_str(page_condition_name((enum page_condition)i))))
			return i;
	return -1;
}

/* The next bytes are only there when CONDITION holds. */
static bool
depends_on(const struct compiler *c, enum page_condition condition)
{
	for (size_t i = 0; i < c->n_sections; i++)
		if (c->sections[i].condition == condition && !c->sections[i].inverted)
			return true;
	return false;
}

static void
open_section(struct compiler *c, size_t at, struct slice name, bool inverted)
{
	int condition = find_condition(name);

	if (condition == -1) {
		find(c, DIAG_ERROR, at, "no such condition: ", name, "firebreak-pages(5) has all");
	} else if (c->n_sections == PAGE_SECTIONS_DEEP) {
		refuse(c, at, "sections are too deep within each other");
	} else {
		c->sections[c->n_sections++] = (struct open_section){ (enum page_condition)condition, inverted, at,
			page_op_open(c->out, inverted ? OP_UNLESS : OP_IF, (unsigned)condition), c->n_elements };
	}
}

static void
close_section(struct compiler *c, size_t at, struct slice name)
{
	const struct open_section *s = c->n_sections == 0 ? NULL : &c->sections[c->n_sections - 1];

	if (s == NULL || !slice_eq(name, slice_str(page_condition_name(s->condition)))) {
		find(c, DIAG_ERROR, at, "this section is not the one that is open: ", name, "");
		return;
	}
	if (s->deep != c->n_elements)
		find(c, DIAG_ERROR, at, "the section ends while an element is open that began in it: ", slice_str(innermost(c)->name), "");
	page_op_close(c->out, s->op);
	c->n_sections--;
}

/* {{mistake_link}}, {{logo}} and {{continue_form}} have places of their own. */
static void
add_fill(struct compiler *c, size_t at, enum page_fill fill, enum context context)
{
	if (fill == FILL_LOGO || fill == FILL_MISTAKE_LINK) {
		refuse(c, at, fill == FILL_LOGO ? "{{logo}} is for src=\"{{logo}}\" alone" :
		    "{{mistake_link}} is for href=\"{{mistake_link}}\" alone");
	} else if (fill == FILL_CONTINUE_FORM && (context != CONTEXT_BODY || c->t->kind != PAGE_WARN)) {
		refuse(c, at, "{{continue_form}} is for the text of a warn page alone");
	} else if (c->fills[fill]++ == PAGE_FILL_TIMES) {
		find(c, DIAG_ERROR, at, "more than four times the same: ", slice_str(page_fill_name(fill)), "");
	} else {
		c->always[fill] |= context == CONTEXT_BODY && is_open(c);
		page_op_add(c->out, OP_FILL, fill, (struct slice){ 0 });
	}
}

/* NAME is a word for people, or a fact. */
static void
add_named(struct compiler *c, size_t at, struct slice name, enum context context)
{
	struct slice word = slice_skip(name, sizeof("word_") - 1);
	int fill = find_fill(name), w = slice_starts(name, SLICE("word_")) ? page_word_find(word) : -1;

	if (fill != -1) {
		add_fill(c, at, (enum page_fill)fill, context);
	} else if (w == -1) {
		find(c, DIAG_ERROR, at, "no such placeholder: ", name, "firebreak-pages(5) has all");
	} else if (*page_word_kinds[w].needs != '\0' || slice_starts(word, SLICE("says_"))) {
		find(c, DIAG_ERROR, at, "this word has places for facts: {{reason}} and {{file}} are made of them: ", name, "");
	} else if (c->words[w]++ == PAGE_WORD_TIMES) {
		find(c, DIAG_ERROR, at, "more than eight times the same: ", name, "");
	} else
		page_op_add(c->out, OP_WORD, (unsigned)w, (struct slice){ 0 });
}

/* At "{{".  -1: it has no end. */
static int
read_placeholder(struct compiler *c, enum context context)
{
	size_t at = c->at, n = slice_search(rest(c), SLICE("}}"));
	struct slice name = slice_head(slice_skip(rest(c), 2), n < 2 ? 0 : n - 2);
	char first = name.len > 0 ? *name.p : '\0';

	if (n == rest(c).len || slice_find(name, '\n') < name.len) {
		refuse(c, at, "\"{{\" without \"}}\" on its line");
		return -1;
	}
	flush(c, at);
	c->at = c->from = at + n + 2;
	if (first != '#' && first != '^' && first != '/')
		add_named(c, at, slice_trim(name), context);
	else if (context != CONTEXT_BODY)
		refuse(c, at, "a section begins and ends in the text of the body");
	else if (first == '/')
		close_section(c, at, slice_trim(slice_skip(name, 1)));
	else
		open_section(c, at, slice_trim(slice_skip(name, 1)), first == '^');
	return 0;
}

/* ---- attributes ---- */

/* VALUE is only FILL, which is for such an attribute. */
static bool
is_fill(struct slice value, enum page_fill fill)
{
	return slice_starts(value, SLICE("{{")) && slice_ends(value, SLICE("}}")) && value.len > 4 &&
	    slice_eq(slice_trim(slice_make(value.p + 2, value.len - 4)), slice_str(page_fill_name(fill)));
}

/* The value, which begins at AT, is FILL: nothing else is in it. */
static void
take_whole(struct compiler *c, size_t at, size_t len, enum page_fill fill)
{
	if (c->fills[fill]++ == PAGE_FILL_TIMES)
		find(c, DIAG_ERROR, at, "more than four times the same: ", slice_str(page_fill_name(fill)), "");
	flush(c, at);
	page_op_add(c->out, OP_FILL, fill, (struct slice){ 0 });
	c->from = at + len;
}

static void
check_link(struct compiler *c, size_t at, struct slice value)
{
	const char *fault;

	if (is_fill(value, FILL_MISTAKE_LINK)) {
		if (!depends_on(c, IF_MISTAKE_LINK))
			refuse(c, at, "{{mistake_link}} stands between {{#mistake_link}} and {{/mistake_link}}, as there may be none");
		take_whole(c, at, value.len, FILL_MISTAKE_LINK);
	} else if ((fault = page_link_fault(value)) != NULL)
		find(c, DIAG_ERROR, at, "this is no link for a page: ", value, fault);
}

static void
check_image(struct compiler *c, size_t at, struct slice value)
{
	if (!is_fill(value, FILL_LOGO)) {
		find(c, DIAG_ERROR, at, "the only image is the logo, src=\"{{logo}}\": a page fetches nothing from elsewhere: ", value, "");
		return;
	}
	if (!c->t->has_logo && !depends_on(c, IF_LOGO))
		refuse(c, at, "there is no logo: put logo.png, logo.jpg or logo.webp beside this file");
	take_whole(c, at, value.len, FILL_LOGO);
}

/* Text for people, in quotes: it ends before END. */
static void
read_text_value(struct compiler *c, size_t end)
{
	while (c->at < end) {
		struct slice left = slice_head(rest(c), end - c->at);

		if (!slice_starts(left, SLICE("{{"))) {
			c->at++;
		} else if (slice_search(left, SLICE("}}")) == left.len) {
			refuse(c, c->at, "\"{{\" without \"}}\" within the quotes");
			return;
		} else if (read_placeholder(c, CONTEXT_ATTRIBUTE) == -1)
			return;
	}
}

static void
check_value(struct compiler *c, const struct page_element *e, struct slice name, size_t at, struct slice value)
{
	switch (page_attribute(e, name)) {
	case ATTRIBUTE_REFUSED:
		break;
	case ATTRIBUTE_PLAIN:
		if (slice_search(value, SLICE("{{")) < value.len)
			find(c, DIAG_ERROR, at, "nothing is filled into this attribute: ", name, "");
		c->has_viewport |= is_named(e, "meta") && slice_ieq(value, SLICE("viewport"));
		break;
	case ATTRIBUTE_TEXT:
		c->at = at;
		read_text_value(c, at + value.len);
		break;
	case ATTRIBUTE_LANG:
		c->has_lang |= is_named(e, "html");
		if (is_fill(value, FILL_LANG))
			take_whole(c, at, value.len, FILL_LANG);
		else if (!page_tag_ok(value))
			find(c, DIAG_ERROR, at, "this is no language: ", value, "");
		break;
	case ATTRIBUTE_LINK:
		check_link(c, at, value);
		break;
	case ATTRIBUTE_IMAGE:
		check_image(c, at, value);
		break;
	}
}

static void
check_name(struct compiler *c, const struct page_element *e, struct slice name, size_t at)
{
	if (page_attribute(e, name) != ATTRIBUTE_REFUSED)
		return;
	if (slice_istarts(name, SLICE("on")))
		find(c, DIAG_ERROR, at, "an event handler: ", name, "a page has no scripts");
	else
		find(c, DIAG_ERROR, at, "an attribute that this element may not have here: ", name,
		    slice_ieq(name, SLICE("style")) ? "put it into the style element" : "");
}

static bool
is_name_byte(char ch)
{
	return ascii_is_alpha(ch) || ascii_is_digit(ch) || ch == '-';
}

/* The name at C; empty when there is none. */
static struct slice
take_name(struct compiler *c)
{
	size_t begin = c->at;

	while (c->at < c->text.len && is_name_byte(c->text.p[c->at]))
		c->at++;
	return slice_make(c->text.p + begin, c->at - begin);
}

static void
skip_blanks(struct compiler *c)
{
	while (c->at < c->text.len && ascii_is_space(c->text.p[c->at]))
		c->at++;
}

/* At an attribute.  -1: the tag cannot be read on. */
static int
read_attribute(struct compiler *c, const struct page_element *e)
{
	size_t at = c->at, end;
	struct slice name = take_name(c), value;

	if (name.len == 0) {
		refuse(c, at, "this is no attribute: name=\"value\", in quotes");
		return -1;
	}
	check_name(c, e, name, at);
	skip_blanks(c);
	if (!next_is(c, "="))
		return 0;
	c->at++;
	skip_blanks(c);
	if (!next_is(c, "\"") && !next_is(c, "'")) {
		refuse(c, c->at, "the value of an attribute stands in quotes");
		return -1;
	}
	at = c->at + 1;
	value = slice_skip(c->text, at);
	end = slice_find(value, c->text.p[c->at]);
	if (end == value.len) {
		refuse(c, c->at, "this quote is not closed");
		return -1;
	}
	check_value(c, e, name, at, slice_head(value, end));
	c->at = at + end + 1;
	return 0;
}

/* ---- elements ---- */

/* E may begin here. */
static bool
may_stand(const struct compiler *c, const struct page_element *e)
{
	switch (e->place) {
	case IN_DOCUMENT:
		return c->n_elements == 0 && !c->has_html;
	case IN_HTML:
		return is_named(innermost(c), "html") && !c->has_body;
	case IN_HEAD:
		return is_named(innermost(c), "head");
	case IN_BODY:
		return in_body(c);
	}
	return false;
}

static void
note_element(struct compiler *c, const struct page_element *e)
{
	c->has_html |= is_named(e, "html");
	c->has_body |= is_named(e, "body");
	c->has_title |= is_named(e, "title");
	c->has_h1 |= is_named(e, "h1") && c->n_sections == 0;
}

/* The style sheet up to its end tag. */
static void
read_style(struct compiler *c)
{
	size_t n = slice_isearch(rest(c), SLICE("</style")), at;
	const char *fault = page_style_fault(slice_head(rest(c), n), &at);

	if (fault != NULL)
		find(c, DIAG_ERROR, c->at + at, "", SLICE("in a style sheet"), fault);
	c->at += n;
}

/* At "<" and a letter.  -1: the file cannot be read on. */
static int
read_start(struct compiler *c)
{
	size_t at = c->at++;
	struct slice name = take_name(c);
	const struct page_element *e = page_element(name);

	if (e == NULL) {
		find(c, DIAG_ERROR, at, "the element ", name, page_element_refused(name));
		return -1;
	}
	if (!may_stand(c, e)) {
		find(c, DIAG_ERROR, at, "this element may not stand here: ", name, "");
		return -1;
	}
	for (skip_blanks(c); !next_is(c, ">") && !next_is(c, "/>"); skip_blanks(c))
		if (c->at == c->text.len || read_attribute(c, e) == -1) {
			if (c->at == c->text.len)
				find(c, DIAG_ERROR, at, "this tag is not closed: ", name, "");
			return -1;
		}
	if (next_is(c, "/>") && !e->is_void)
		find(c, DIAG_ERROR, c->at, "only an element that has no end is closed like this, not ", name, "");
	c->at += next_is(c, "/>") ? 2 : 1;
	note_element(c, e);
	if (e->is_void)
		return 0;
	if (c->n_elements == ELEMENTS_DEEP) {
		refuse(c, at, "elements are too deep within each other");
		return -1;
	}
	c->elements[c->n_elements++] = (struct open_element){ e, at };
	if (is_named(e, "style"))
		read_style(c);
	return 0;
}

/* At "</". */
static int
read_end(struct compiler *c)
{
	size_t at = c->at;
	const struct page_element *e;
	struct slice name;

	c->at += 2;
	name = take_name(c);
	e = page_element(name);
	skip_blanks(c);
	if (!next_is(c, ">") || e == NULL || e != innermost(c)) {
		find(c, DIAG_ERROR, at, "this is not the end of the element that is open: ",
		    slice_str(innermost(c) == NULL ? "none is" : innermost(c)->name), "");
		return -1;
	}
	c->at++;
	c->n_elements--;
	if (c->n_sections > 0 && c->sections[c->n_sections - 1].deep > c->n_elements) {
		const struct open_section *s = &c->sections[c->n_sections - 1];

		find(c, DIAG_ERROR, s->at, "this section is not closed before the element ends in which it began: ",
		    slice_str(page_condition_name(s->condition)), "");
		return -1;
	}
	return 0;
}

/* What is a note of the site's own is nobody else's to read. */
static int
read_comment(struct compiler *c)
{
	size_t n = slice_search(rest(c), SLICE("-->"));

	if (n == rest(c).len) {
		refuse(c, c->at, "this comment is not closed");
		return -1;
	}
	flush(c, c->at);
	c->at = c->from = c->at + n + 3;
	return 0;
}

/* ---- the whole ---- */

/* What is next, of which C->AT is not the end.  -1: the file cannot be read on. */
static int
read_one(struct compiler *c)
{
	bool in_title = is_named(innermost(c), "title");

	if (next_is(c, "{{") && (in_title || in_body(c)))
		return read_placeholder(c, in_title ? CONTEXT_TITLE : CONTEXT_BODY);
	if (next_is(c, "<!--"))
		return read_comment(c);
	if (next_is(c, "</"))
		return read_end(c);
	if (next_is(c, "<") && c->at + 1 < c->text.len && ascii_is_alpha(c->text.p[c->at + 1]) && !in_title)
		return read_start(c);
	if (next_is(c, "<")) {
		refuse(c, c->at, "a \"<\" that begins no tag is written &lt;");
		return -1;
	}
	if (!in_title && !in_body(c) && !ascii_is_space(c->text.p[c->at])) {
		refuse(c, c->at, "text that is not within the body");
		return -1;
	}
	c->at++;
	return 0;
}

static void
read_all(struct compiler *c)
{
	if (next_is(c, BOM))
		c->at = c->from = sizeof(BOM) - 1;
	skip_blanks(c);
	if (!next_is(c, "<!doctype html>")) {
		refuse(c, c->at, "a template begins with <!doctype html>");
		return;
	}
	c->at += sizeof("<!doctype html>") - 1;
	while (c->at < c->text.len)
		if (read_one(c) == -1)
			return;
	flush(c, c->at);
	if (c->n_sections > 0)
		find(c, DIAG_ERROR, c->sections[c->n_sections - 1].at, "this section is not closed: ",
		    slice_str(page_condition_name(c->sections[c->n_sections - 1].condition)), "");
	if (c->n_elements > 0)
		find(c, DIAG_ERROR, c->elements[c->n_elements - 1].at, "this element is not closed: ", slice_str(innermost(c)->name), "");
}

/* What a page has to say, whatever else it does. */
static void
check_whole(struct compiler *c)
{
	static const struct { enum page_fill fill; enum diag_level level; const char *why; } needed[] = {
		{ FILL_INCIDENT, DIAG_ERROR,
		    "{{incident}} is missing in the text, outside of sections and details: nobody could tell what happened" },
		{ FILL_REASON, DIAG_ERROR,
		    "{{reason}} is missing in the text, outside of sections and details: nobody could tell why" },
		{ FILL_ADVICE, DIAG_WARNING, "{{advice}} is missing: say in your own words what to do, also when a file was opened" },
		{ FILL_CONTACT, DIAG_WARNING, "{{contact}} is missing: say in your own words whom to ask" },
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (!c->always[needed[i].fill])
			find(c, needed[i].level, c->text.len, needed[i].why, (struct slice){ 0 }, "");
	if (c->t->kind == PAGE_WARN && !c->always[FILL_CONTINUE_FORM])
		refuse(c, c->text.len, "{{continue_form}} is missing in the text, outside of sections and details: nobody could go on");
	if (!c->has_body || !c->has_title || !c->has_lang)
		refuse(c, c->text.len, "a page has <html lang=\"{{lang}}\">, a <title> and a <body>");
	if (!c->has_viewport)
		find(c, DIAG_WARNING, c->text.len, "<meta name=\"viewport\"> is missing: it is hard to read on a phone", (struct slice){ 0 }, "");
	if (!c->has_h1)
		find(c, DIAG_WARNING, c->text.len, "an <h1> is missing: who hears the page does not know what it is about",
		    (struct slice){ 0 }, "");
}

int
page_template_compile(const struct page_template *t, const char *file, struct slice text, struct buf *out, struct diag *diag)
{
	struct compiler c = { .t = t, .file = file, .text = text, .out = out, .diag = diag };

	if (text.len > PAGE_TEMPLATE_MAX) {
		refuse(&c, PAGE_TEMPLATE_MAX, "a template has 64 KiB at most");
		return -1;
	}
	check_bytes(&c);
	if (!c.failed)
		read_all(&c);
	if (!c.failed)
		check_whole(&c);
	if (out->failed)
		diag_error(diag, "out of memory");
	return c.failed || out->failed ? -1 : 0;
}
