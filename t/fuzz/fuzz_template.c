/* Any bytes as a template, and as words.  What is accepted is a template that a generation can have, with the number in it, and
 * however hostile the facts are, they add no tag to the page and no quote to an attribute. */
#include <stdlib.h>

#include "pages/page.h"
#include "templates/page_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char hostile[] = "\"'><x y={{incident}}{{#file}}</title></style>\x80";

/* The page that OPS make of FACT, which is all that is known. */
static void
fill(struct slice bytes, enum page_kind kind, const char *fact, struct buf *page)
{
	struct why why = { .verdict = VERDICT_BLOCK, .reason = REASON_FILE, .has_rule = true, .rule = { .kind = RULE_FILE, .rev = 1,
		.id = slice_str(fact), .value = slice_str(fact), .name = slice_str(fact), .alert = slice_str(fact), .key = { .size = 1 } } };
	struct page_facts f = { .why = &why, .host = slice_str(fact), .incident = "1M83ME10C4HM007J", .contact = fact, .organisation = fact,
		.mistake_link = fact, .action = kind == PAGE_WARN ? slice_str(fact) : (struct slice){ 0 } };
	const char *bad;
	struct page_set *set = page_set_open(bytes, &bad);

	if (set == NULL)
		abort();
	f.set = set;
	buf_init(page, PAGE_MAX);
	if (page_write(&f, page) == -1 || slice_search(buf_slice(page), SLICE("1M83-ME10-C4HM-007J")) == page->len)
		abort();
	page_set_free(set);
}

static size_t
count(const struct buf *page, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < page->len; i++)
		n += page->p[i] == c;
	return n;
}

static void
try_template(enum page_kind kind, struct slice text)
{
	struct page_template t = { .kind = kind, .has_logo = true };
	struct page_entry_head head = { .what = ENTRY_TEMPLATE, .kind = (uint8_t)kind };
	struct diag diag = { 0 };
	struct buf ops, bytes, bad, plain;
	int r;

	buf_init(&ops, PAGE_SET_MAX);
	buf_init(&bytes, PAGE_SET_MAX);
	r = page_template_compile(&t, "input", text, &ops, &diag);
	if (r != (diag.n_errors > 0 ? -1 : 0))
		abort();
	for (size_t i = 0; i < diag.n; i++)
		if (diag.v[i].line == 0 || diag.v[i].col == 0)
			abort();
	if (r == 0) {
		head.len = (uint32_t)ops.len;
		buf_add(&bytes, &head, sizeof(head));
		buf_add_char(&bytes, '\0');
		buf_add_slice(&bytes, buf_slice(&ops));
		fill(buf_slice(&bytes), kind, hostile, &bad);
		fill(buf_slice(&bytes), kind, "x", &plain);
		if (count(&bad, '<') != count(&plain, '<') || count(&bad, '"') != count(&plain, '"') || count(&bad, '\'') != count(&plain, '\''))
			abort();
		buf_fini(&bad);
		buf_fini(&plain);
	}
	buf_fini(&ops);
	buf_fini(&bytes);
	diag_fini(&diag);
}

static void
try_words(struct slice tag, struct slice text)
{
	struct page_entry_head head = { .what = ENTRY_WORDS, .tag_len = (uint16_t)tag.len };
	struct diag diag = { 0 };
	struct buf words, bytes, page;

	buf_init(&words, PAGE_WORDS_MAX);
	buf_init(&bytes, PAGE_SET_MAX);
	if (page_source_words(tag, "input", text, &words, &diag) == 0) {
		head.len = (uint32_t)words.len;
		buf_add(&bytes, &head, sizeof(head));
		buf_add_slice(&bytes, tag);
		buf_add_char(&bytes, '\0');
		buf_add_slice(&bytes, buf_slice(&words));
		fill(buf_slice(&bytes), PAGE_BLOCK, hostile, &page);
		buf_fini(&page);
	}
	buf_fini(&words);
	buf_fini(&bytes);
	diag_fini(&diag);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size);
	const char *bad;

	try_template(PAGE_BLOCK, text);
	try_template(PAGE_WARN, text);
	try_words(SLICE("en"), text);
	try_words(SLICE("it"), text);
	/* As a damaged generation would have it. */
	page_set_free(page_set_open(text, &bad));
	return 0;
}
