/* size_set.h - which sizes are listed, in a few bits each: a bitmap where they are dense, a list where they are not (after
 * Roaring bitmaps: Chambi, Lemire, Kaser and Godin, 2016).
 *
 *	head       u64: number of pages
 *	directory  | page: 4 | n: 4 | at: 8 |    a page is size >> 16; AT counts bytes from the section's begin
 *	pages      n <= SIZE_LIST_MAX: u16 each, sorted; else 65,536 bits
 *
 * Of a terabyte of possible sizes any set fits into 2 bytes a size.  Numbers are in the machine's byte order.  Nothing in it is
 * trusted: a damaged set answers something, within bounds. */
#ifndef HASHDB_SIZE_SET_H
#define HASHDB_SIZE_SET_H

#include "base/buf.h"

/* What is wrong with the bytes of SET, or NULL.  Cheap: pages are looked at when asked. */
const char *size_set_fault(struct slice set);

/* SIZE is in SET, which had no fault.  Logarithmic in the number of pages. */
bool size_set_has(struct slice set, uint64_t size);

/* ---- the writer ---- */

struct size_set_builder {
	struct buf	 directory, pages;
	uint64_t	 n_pages, page;		/* the open one */
	uint32_t	 n;			/* sizes in it */
	uint16_t	 list[1 << 16];		/* their low halves */
};

/* An empty builder; the caller's: size_set_free().  NULL without memory. */
struct size_set_builder *size_set_new(void);
void size_set_free(struct size_set_builder *b);

/* Add SIZE, larger than the one before. */
void size_set_add(struct size_set_builder *b, uint64_t size);

/* Append the set to OUT; nothing can be added after that.  -1 without memory. */
int size_set_write(struct size_set_builder *b, struct buf *out);

#endif
