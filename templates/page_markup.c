#include "templates/page_markup.h"

enum { TAG_PART_MAX = 8, TAG_FIRST_MIN = 2, TAG_FIRST_MAX = 3 };

static const struct page_element elements[] = {
	{ "html", IN_DOCUMENT, false, "" }, { "head", IN_HTML, false, "" }, { "body", IN_HTML, false, "" },
	{ "meta", IN_HEAD, true, " charset name content " }, { "title", IN_HEAD, false, "" }, { "style", IN_HEAD, false, "" },
	{ "a", IN_BODY, false, " href " }, { "img", IN_BODY, true, " src alt width height " },
	{ "time", IN_BODY, false, " datetime " }, { "th", IN_BODY, false, " colspan rowspan scope " },
	{ "td", IN_BODY, false, " colspan rowspan " }, { "ol", IN_BODY, false, " start " }, { "details", IN_BODY, false, " open " },
	{ "br", IN_BODY, true, "" }, { "hr", IN_BODY, true, "" }, { "wbr", IN_BODY, true, "" },
	{ "abbr", IN_BODY, false, "" }, { "address", IN_BODY, false, "" }, { "article", IN_BODY, false, "" },
	{ "aside", IN_BODY, false, "" }, { "b", IN_BODY, false, "" }, { "bdi", IN_BODY, false, "" },
	{ "blockquote", IN_BODY, false, "" }, { "caption", IN_BODY, false, "" }, { "cite", IN_BODY, false, "" },
	{ "code", IN_BODY, false, "" }, { "dd", IN_BODY, false, "" }, { "div", IN_BODY, false, "" }, { "dl", IN_BODY, false, "" },
	{ "dt", IN_BODY, false, "" }, { "em", IN_BODY, false, "" }, { "figcaption", IN_BODY, false, "" },
	{ "figure", IN_BODY, false, "" }, { "footer", IN_BODY, false, "" }, { "h1", IN_BODY, false, "" }, { "h2", IN_BODY, false, "" },
	{ "h3", IN_BODY, false, "" }, { "h4", IN_BODY, false, "" }, { "header", IN_BODY, false, "" }, { "i", IN_BODY, false, "" },
	{ "kbd", IN_BODY, false, "" }, { "li", IN_BODY, false, "" }, { "main", IN_BODY, false, "" }, { "mark", IN_BODY, false, "" },
	{ "nav", IN_BODY, false, "" }, { "p", IN_BODY, false, "" }, { "pre", IN_BODY, false, "" }, { "q", IN_BODY, false, "" },
	{ "s", IN_BODY, false, "" }, { "samp", IN_BODY, false, "" }, { "section", IN_BODY, false, "" }, { "small", IN_BODY, false, "" },
	{ "span", IN_BODY, false, "" }, { "strong", IN_BODY, false, "" }, { "sub", IN_BODY, false, "" },
	{ "summary", IN_BODY, false, "" }, { "sup", IN_BODY, false, "" }, { "table", IN_BODY, false, "" },
	{ "tbody", IN_BODY, false, "" }, { "tfoot", IN_BODY, false, "" }, { "thead", IN_BODY, false, "" }, { "tr", IN_BODY, false, "" },
	{ "u", IN_BODY, false, "" }, { "ul", IN_BODY, false, "" },
};

static const struct { const char *name; enum attribute_kind kind; } everywhere[] = {
	{ "class", ATTRIBUTE_PLAIN }, { "id", ATTRIBUTE_PLAIN }, { "dir", ATTRIBUTE_PLAIN }, { "role", ATTRIBUTE_PLAIN },
	{ "lang", ATTRIBUTE_LANG }, { "title", ATTRIBUTE_TEXT }, { "aria-label", ATTRIBUTE_TEXT }, { "aria-labelledby", ATTRIBUTE_PLAIN },
	{ "aria-describedby", ATTRIBUTE_PLAIN }, { "aria-hidden", ATTRIBUTE_PLAIN }, { "aria-live", ATTRIBUTE_PLAIN },
};

const struct page_element *
page_element(struct slice name)
{
	for (size_t i = 0; i < sizeof(elements) / sizeof(*elements); i++)
		if (slice_ieq(name, slice_str(elements[i].name)))
			return &elements[i];
	return NULL;
}

const char *
page_element_refused(struct slice name)
{
	static const char *const fetching[] = { "link", "iframe", "frame", "frameset", "object", "embed", "audio", "video", "source",
		"track", "picture", "base", "svg", "math", "applet" };

	if (slice_ieq(name, SLICE("script")))
		return "a page has no scripts";
	if (slice_ieq(name, SLICE("form")) || slice_ieq(name, SLICE("input")) || slice_ieq(name, SLICE("button")))
		return "the only form is {{continue_form}}";
	for (size_t i = 0; i < sizeof(fetching) / sizeof(*fetching); i++)
		if (slice_ieq(name, slice_str(fetching[i])))
			return "a page fetches nothing from elsewhere";
	return "it is not among the elements that a page may have";
}

/* NAME, whatever its case, is a word of LIST, which has a blank before and behind each. */
static bool
is_listed(const char *list, struct slice name)
{
	struct slice rest = slice_str(list), word;

	while (rest.len > 0) {
		slice_cut(rest, ' ', &word, &rest);
		if (word.len > 0 && slice_ieq(word, name))
			return true;
	}
	return false;
}

enum attribute_kind
page_attribute(const struct page_element *element, struct slice name)
{
	for (size_t i = 0; i < sizeof(everywhere) / sizeof(*everywhere); i++)
		if (slice_ieq(name, slice_str(everywhere[i].name)))
			return everywhere[i].kind;
	if (!is_listed(element->attributes, name))
		return ATTRIBUTE_REFUSED;
	if (slice_ieq(name, SLICE("href")))
		return ATTRIBUTE_LINK;
	if (slice_ieq(name, SLICE("src")))
		return ATTRIBUTE_IMAGE;
	return slice_ieq(name, SLICE("alt")) || slice_ieq(name, SLICE("datetime")) ? ATTRIBUTE_TEXT : ATTRIBUTE_PLAIN;
}

const char *
page_style_fault(struct slice css, size_t *at)
{
	static const struct { const char *text, *fault; } banned[] = {
		{ "\\", "an escape, which could hide what the style sheet does" },
		{ "<", "a \"<\", which could end the style sheet" },
		{ "{{", "a placeholder: nothing is filled into a style sheet" },
		{ "@import", "@import: a page fetches nothing from elsewhere" },
		{ "url(", "url(): a page fetches nothing from elsewhere" },
		{ "image-set(", "image-set(): a page fetches nothing from elsewhere" },
		{ "src(", "src(): a page fetches nothing from elsewhere" },
		{ "expression(", "expression(): a page has no scripts" },
		{ "-moz-binding", "-moz-binding: a page has no scripts" },
	};
	const char *fault = NULL;

	*at = css.len;
	for (size_t i = 0; i < sizeof(banned) / sizeof(*banned); i++) {
		size_t found = slice_isearch(css, slice_str(banned[i].text));

		if (found < *at) {
			*at = found;
			fault = banned[i].fault;
		}
	}
	return fault;
}

/* VALUE has only bytes that a URL may have. */
static bool
is_encoded(struct slice value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.p[i] <= ' ' || value.p[i] >= 0x7f || memchr("\"'<>\\^`{|}", value.p[i], 10) != NULL)
			return false;
	return true;
}

const char *
page_mistake_fault(struct slice value)
{
	const struct slice place = SLICE("{incident}");
	size_t n = slice_search(value, place);

	if (!slice_istarts(value, SLICE("mailto:")) && !slice_istarts(value, SLICE("https://")))
		return "it begins with neither mailto: nor https://";
	if (n == value.len)
		return "it has no {incident}, the place of the number: mailto:helpdesk@example.com?subject={incident}";
	for (; n < value.len; n = slice_search(value, place)) {
		if (!is_encoded(slice_head(value, n)))
			break;
		value = slice_skip(value, n + place.len);
	}
	return is_encoded(value) ? NULL : "it has a character that has to be percent-encoded";
}

const char *
page_link_fault(struct slice value)
{
	static const struct slice schemes[] = { { "https://", 8 }, { "http://", 7 }, { "mailto:", 7 }, { "tel:", 4 }, { "#", 1 } };
	bool known = false;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		known = known || slice_istarts(value, schemes[i]);
	if (!known)
		return "it begins with none of https://, http://, mailto:, tel: and #";
	return is_encoded(value) ? NULL : "it has a character that has to be percent-encoded";
}

bool
page_tag_ok(struct slice tag)
{
	struct slice rest = tag, part;
	bool first = true;

	if (tag.len > PAGE_TAG_MAX)
		return false;
	for (bool more = true; more; first = false) {
		more = slice_cut(rest, '-', &part, &rest);
		if (part.len == 0 || part.len > TAG_PART_MAX || (first && (part.len < TAG_FIRST_MIN || part.len > TAG_FIRST_MAX)))
			return false;
		for (size_t i = 0; i < part.len; i++)
			if (!ascii_is_alpha(part.p[i]) && (first || !ascii_is_digit(part.p[i])))
				return false;
	}
	return true;
}
