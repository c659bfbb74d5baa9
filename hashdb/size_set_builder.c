#include <stdlib.h>

#include "hashdb/size_set.h"
#include "hashdb/size_set_format.h"

struct size_set_builder *
size_set_new(void)
{
	struct size_set_builder *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	buf_init(&b->directory, SIZE_MAX / 2);
	buf_init(&b->pages, SIZE_MAX / 2);
	return b;
}

void
size_set_free(struct size_set_builder *b)
{
	if (b == NULL)
		return;
	buf_fini(&b->directory);
	buf_fini(&b->pages);
	free(b);
}

static void
close_page(struct size_set_builder *b)
{
	struct size_page page = { (uint32_t)b->page, b->n, b->pages.len };
	uint8_t bits[SIZE_PAGE_BYTES] = { 0 };

	if (b->n == 0)
		return;
	buf_add(&b->directory, &page, sizeof(page));
	b->n_pages++;
	if (b->n <= SIZE_LIST_MAX) {
		buf_add(&b->pages, b->list, b->n * sizeof(*b->list));
	} else {
		for (uint32_t i = 0; i < b->n; i++)
			bits[b->list[i] >> 3] |= (uint8_t)(1 << (b->list[i] & 7));
		buf_add(&b->pages, bits, sizeof(bits));
	}
	b->n = 0;
}

void
size_set_add(struct size_set_builder *b, uint64_t size)
{
	if (size >> SIZE_PAGE_BITS != b->page) {
		close_page(b);
		b->page = size >> SIZE_PAGE_BITS;
	}
	b->list[b->n++] = (uint16_t)size;
}

int
size_set_write(struct size_set_builder *b, struct buf *out)
{
	close_page(b);
	/* What lies before the pages was not known when they were placed. */
	for (uint64_t i = 0; !b->directory.failed && i < b->n_pages; i++) {
		struct size_page *page = (struct size_page *)(void *)(b->directory.p + i * sizeof(*page));

		page->at += sizeof(b->n_pages) + b->directory.len;
	}
	buf_add(out, &b->n_pages, sizeof(b->n_pages));
	buf_add_slice(out, buf_slice(&b->directory));
	buf_add_slice(out, buf_slice(&b->pages));
	return out->failed || b->directory.failed || b->pages.failed ? -1 : 0;
}
