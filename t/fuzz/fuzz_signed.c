/* Any bytes as a trusted comment, a newline, and the text that it is of.  What is accepted names plain files only, and written out it
 * is the same. */
#include <stdlib.h>

#include "delivery/signed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(const struct signed_text *t, const struct signed_head *head)
{
	struct signed_text again;
	struct buf out;

	if (t->n < 2 || t->n > SIGNED_FILES || t->head.generation != head->generation || t->head.epoch != head->epoch ||
	    t->head.expires != head->expires)
		abort();
	for (size_t i = 0; i < t->n; i++)
		if (!manifest_is_name(slice_str(t->files[i].name)) || t->files[i].len == 0)
			abort();
	buf_init(&out, SIGNED_MAX * 2);
	if (signed_format(t, &out) == -1 || (out.len <= SIGNED_MAX && signed_parse("again", buf_slice(&out), head, &again, NULL) == -1))
		abort();
	buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct signed_head head;
	struct diag diag = { 0 };
	struct slice comment, text;
	static struct signed_text out;

	slice_cut(slice_make((const char *)data, size), '\n', &comment, &text);
	if (signed_comment_parse(comment, &head) == 0) {
		if (signed_parse("input", text, &head, &out, &diag) == 0)
			check_text(&out, &head);
		else if (diag.n_errors != 1)
			abort();
	}
	diag_fini(&diag);
	return 0;
}
