/* Fuzz: the first line is a logformat, the others are lines of a log in it.  What an entry names lies in its line or in the scratch
 * buffer, numbers are none or not negative, and a format that is refused has a reason with its column. */
#include <stdlib.h>

#include "eventstore/access_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SCRATCH_MAX = 1 << 16 };

static void
require(bool good)
{
	if (!good)
		abort();
}

static bool
is_within(struct slice part, struct slice whole)
{
	return part.len == 0 || (part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
}

static void
read_one(const struct access_format *f, struct slice line, struct buf *scratch)
{
	struct access_entry e;
	struct url u;

	if (!access_format_read(f, line, scratch, &e))
		return;
	require(is_within(e.url, line) || is_within(e.url, buf_slice(scratch)));
	require(is_within(e.user, line) || is_within(e.user, buf_slice(scratch)));
	require(is_within(e.client, line) && is_within(e.method, line) && is_within(e.status, line));

	require(e.size >= ACCESS_UNKNOWN && e.head_size >= ACCESS_UNKNOWN);
	if (access_entry_url(&e, &u) == URL_OK) {
		require(e.kind != ACCESS_ERROR && u.host.len > 0);
		url_fini(&u);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_make((const char *)data, size), line;
	struct diag diag = { 0 };
	struct access_format *f;
	struct buf scratch;

	slice_cut(rest, '\n', &line, &rest);
	f = access_format_new(line, &diag);
	require((f == NULL) == (diag.n_errors > 0));
	for (size_t i = 0; i < diag.n; i++)
		require(diag.v[i].line == 0 || (diag.v[i].col > 0 && diag.v[i].col <= line.len + 1));
	buf_init(&scratch, SCRATCH_MAX);
	while (f != NULL && rest.len > 0) {
		slice_cut(rest, '\n', &line, &rest);
		read_one(f, line, &scratch);
	}
	buf_fini(&scratch);
	access_format_free(f);
	diag_fini(&diag);
	return 0;
}
