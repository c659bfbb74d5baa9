/* Fuzz: a body, in pieces, through the helper's walk, without its process and its sandbox.  The first byte says how it arrives. */
#include <stdlib.h>

#include "inspect/helper/walk.h"

enum { DEPTH = 5, MEMBERS = 300, RATIO = 1000, BYTES = 32 << 20, UNTIL = 1 << 20, SHORT_SPOOL = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct body {
	struct slice	 bytes;
	size_t		 there, piece, needed;
	uint64_t	 spool;
	size_t		 findings, reasons;
};

static ssize_t
read_body(void *arg, uint64_t at, char *buf, size_t size)
{
	struct body *b = arg;

	/* Nothing may be read that is not there yet, or that is no more. */
	if (at + size > b->there || (b->there > b->spool && at < b->needed))
		abort();
	memcpy(buf, b->bytes.p + at, size);
	return (ssize_t)size;
}

static uint64_t
more(void *arg, uint64_t have, bool *ended)
{
	struct body *b = arg;

	if (have != b->there)
		abort();
	b->needed = b->there;
	b->there = b->bytes.len - b->there > b->piece ? b->there + b->piece : b->bytes.len;
	*ended = b->there == b->bytes.len;
	return b->there;
}

static bool
found(void *arg, const struct finding *f)
{
	struct body *b = arg;

	if (f->kind != FINDING_MEMBER || f->size > UNTIL || f->depth == 0 || f->depth > DEPTH || f->n != 1 ||
	    f->name.len > FINDING_NAME_MAX || ++b->findings > MEMBERS)
		abort();
	return true;
}

static void
unscannable(void *arg, enum unscannable reason)
{
	struct body *b = arg;

	if (reason == UNSCANNABLE_NO || reason == UNSCANNABLE_TIME || reason == UNSCANNABLE_HELPER || b->reasons++ > 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = { SIZE_MAX, 1, 7, 100, 4096 };
	struct body b = { .bytes = slice_skip(slice_make((const char *)data, size), 1) };
	struct walk_io io = { read_body, more, found, unscannable, &b };
	struct walk_wish wish = { DIGEST_BIT(DIGEST_MD5), UNTIL, { DEPTH, MEMBERS, RATIO, BYTES, 0, 0 } };

	if (size == 0)
		return 0;
	b.piece = pieces[(data[0] & 0x7f) % (sizeof(pieces) / sizeof(*pieces))];
	b.spool = (data[0] & 0x80) != 0 ? SHORT_SPOOL : UINT64_MAX;
	wish.limits.spool = b.spool;
	if ((walk_body(&wish, &io) == UNSCANNABLE_NO) != (b.reasons == 0))
		abort();
	return 0;
}
