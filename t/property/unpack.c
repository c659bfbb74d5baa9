#include "t/property/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <brotli/decode.h>
#include <bzlib.h>
#include <lzma.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <lzma.h>
#include <bzlib.h>

enum { PIECE = 65536, GZIP_BITS = 31, ZLIB_BITS = 15, RAW_BITS = -15 };
enum { ZIP_HEAD = 30, ZIP_FLAGS = 6, ZIP_METHOD = 8, ZIP_PACKED = 18, ZIP_NAME = 26, ZIP_EXTRA = 28, ZIP_STORED = 0,
	ZIP_DEFLATED = 8, ZIP_SIZE_LATER = 8 };
enum { TAR_BLOCK = 512, TAR_SIZE = 124, TAR_SIZE_DIGITS = 11, TAR_MAGIC = 257, TAR_TYPE = 156 };

struct search {
	unpack_fn	*found;
	void		*arg;
	bool		 inner;
};

static bool unpack_archives(const struct search *s, struct slice in, unsigned depth);

/* ---- codings: each gives what comes out to NEXT, at every point where a client may stop ---- */

struct decoding {
	struct buf	 out;
	size_t		 seen;		/* of OUT, when NEXT was last asked */
	bool		 asked;
	bool		 enough;
	bool		 (*next)(void *arg, struct slice out);
	void		*arg;
};

static void
stop_here(struct decoding *d)
{
	if (d->enough || (d->asked && d->seen == d->out.len))
		return;
	d->asked = true;
	d->seen = d->out.len;
	d->enough = d->next(d->arg, buf_slice(&d->out));
}

/* BITS as inflateInit2() has them.  False when nothing came of it. */
static bool
inflate_all(struct decoding *d, struct slice in, int bits, bool members)
{
	static char piece[PIECE];
	z_stream z = { .next_in = (Bytef *)(uintptr_t)in.p, .avail_in = (uInt)in.len };
	int status = Z_OK;

	if (inflateInit2(&z, bits) != Z_OK)
		abort();
	while (!d->enough && !d->out.failed) {
		z.next_out = (Bytef *)piece;
		z.avail_out = sizeof(piece);
		status = inflate(&z, Z_SYNC_FLUSH);
		buf_add(&d->out, piece, sizeof(piece) - z.avail_out);
		if (status == Z_STREAM_END) {
			stop_here(d);
			if (!members || z.avail_in == 0 || inflateReset(&z) != Z_OK)
				break;
		} else if (status != Z_OK || (z.avail_in == 0 && z.avail_out > 0))
			break;
	}
	inflateEnd(&z);
	stop_here(d);
	return d->out.len > 0 || status == Z_STREAM_END;
}

static void
brotli_all(struct decoding *d, struct slice in)
{
	static char piece[PIECE];
	BrotliDecoderState *s = BrotliDecoderCreateInstance(NULL, NULL, NULL);
	const uint8_t *at = (const uint8_t *)in.p;
	size_t left = in.len;
	BrotliDecoderResult result = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;

	if (s == NULL)
		abort();
	while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT && !d->out.failed) {
		uint8_t *to = (uint8_t *)piece;
		size_t room = sizeof(piece);

		result = BrotliDecoderDecompressStream(s, &left, &at, &room, &to, NULL);
		buf_add(&d->out, piece, sizeof(piece) - room);
	}
	BrotliDecoderDestroyInstance(s);
	stop_here(d);
}

/* Fed block by block, as the library asks for it: given more, it keeps what it has when it then meets a wrong checksum. */
static void
zstd_all(struct decoding *d, struct slice in)
{
	static char piece[PIECE];
	ZSTD_DCtx *c = ZSTD_createDCtx();
	ZSTD_inBuffer from = { in.p, 0, 0 };
	size_t wanted = 1;
	bool full = false;

	if (c == NULL)
		abort();
	while (!d->enough && !d->out.failed) {
		ZSTD_outBuffer to = { piece, sizeof(piece), 0 };

		if (from.pos == from.size && !full)
			from.size += wanted == 0 ? 1 : wanted;
		if (from.size > in.len)
			from.size = in.len;
		wanted = ZSTD_decompressStream(c, &to, &from);
		full = to.pos == to.size;
		buf_add(&d->out, piece, to.pos);
		if (wanted == 0)
			stop_here(d);
		if (ZSTD_isError(wanted) || (from.pos == in.len && !full))
			break;
	}
	ZSTD_freeDCtx(c);
	stop_here(d);
}

static void
xz_all(struct decoding *d, struct slice in)
{
	static char piece[PIECE];
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_ret status = LZMA_OK;

	if (lzma_stream_decoder(&z, UINT64_MAX, LZMA_IGNORE_CHECK) != LZMA_OK)
		abort();
	z.next_in = (const uint8_t *)in.p;
	z.avail_in = in.len;
	while (status == LZMA_OK && !d->enough && !d->out.failed) {
		z.next_out = (uint8_t *)piece;
		z.avail_out = sizeof(piece);
		status = lzma_code(&z, LZMA_RUN);
		buf_add(&d->out, piece, sizeof(piece) - z.avail_out);
	}
	lzma_end(&z);
	stop_here(d);
}

static void
bz2_all(struct decoding *d, struct slice in)
{
	static char piece[PIECE];
	bz_stream z = { .next_in = (char *)(uintptr_t)in.p, .avail_in = (unsigned)in.len };
	int status = BZ_OK;

	if (BZ2_bzDecompressInit(&z, 0, 0) != BZ_OK)
		abort();
	while (status == BZ_OK && !d->enough && !d->out.failed) {
		z.next_out = piece;
		z.avail_out = sizeof(piece);
		status = BZ2_bzDecompress(&z);
		buf_add(&d->out, piece, sizeof(piece) - z.avail_out);
		if (z.avail_in == 0 && z.avail_out > 0)
			break;
	}
	BZ2_bzDecompressEnd(&z);
	stop_here(d);
}

static void
decode(struct decoding *d, enum coding c, struct slice in)
{
	switch (c) {
	case CODING_GZIP:
		inflate_all(d, in, GZIP_BITS, true);
		break;
	case CODING_DEFLATE:
		if (!inflate_all(d, in, ZLIB_BITS, false) && !d->enough)
			inflate_all(d, in, RAW_BITS, false);
		break;
	case CODING_BR:
		brotli_all(d, in);
		break;
	default:
		zstd_all(d, in);
		break;
	}
}

/* What is left to be undone. */
struct stack {
	const struct search	*s;
	const enum coding	*codings;
	size_t			 n;
};

static bool
undo(void *arg, struct slice in)
{
	const struct stack *stack = arg;
	struct stack rest = { stack->s, stack->codings, stack->n - 1 };
	struct decoding d = { .next = undo, .arg = &rest };

	if (stack->n == 0)
		return stack->s->found(stack->s->arg, in) || unpack_archives(stack->s, in, 1);
	buf_init(&d.out, UNPACK_MAX);
	decode(&d, stack->codings[stack->n - 1], in);
	buf_fini(&d.out);
	return d.enough;
}

/* ---- members ---- */

static bool
found_member(const struct search *s, struct slice data, unsigned depth)
{
	return s->found(s->arg, data) || unpack_archives(s, data, depth + 1);
}

/* One thing that was decoded, for found_member(). */
struct below {
	const struct search	*s;
	unsigned		 depth;
};

static bool
found_below(void *arg, struct slice data)
{
	const struct below *b = arg;

	return found_member(b->s, data, b->depth);
}

/* A single file that was packed, as gzip, zstd, xz and bzip2 do. */
static bool
unpack_packed(const struct search *s, struct slice in, unsigned depth)
{
	struct below below = { s, depth };
	struct decoding d = { .next = found_below, .arg = &below };

	buf_init(&d.out, UNPACK_MAX);
	if (slice_starts(in, SLICE("\x1f\x8b")))
		decode(&d, CODING_GZIP, in);
	else if (slice_starts(in, SLICE("\x28\xb5\x2f\xfd")))
		decode(&d, CODING_ZSTD, in);
	else if (slice_starts(in, SLICE("\xfd" "7zXZ")))
		xz_all(&d, in);
	else if (slice_starts(in, SLICE("BZh")))
		bz2_all(&d, in);
	buf_fini(&d.out);
	return d.enough;
}

static uint32_t
le(struct slice in, size_t at, unsigned bytes)
{
	uint32_t x = 0;

	for (unsigned i = 0; i < bytes; i++)
		x |= (uint32_t)(unsigned char)in.p[at + i] << (8 * i);
	return x;
}

/* The member whose local head is at the front of IN. */
static bool
unpack_zip_member(const struct search *s, struct slice in, unsigned depth)
{
	struct below below = { s, depth };
	struct decoding d = { .next = found_below, .arg = &below };
	uint32_t method, packed;
	struct slice data;

	if (in.len < ZIP_HEAD)
		return false;
	method = le(in, ZIP_METHOD, 2);
	packed = le(in, ZIP_PACKED, 4);
	data = slice_skip(in, ZIP_HEAD + le(in, ZIP_NAME, 2) + le(in, ZIP_EXTRA, 2));
	if (method == ZIP_STORED && !(le(in, ZIP_FLAGS, 2) & ZIP_SIZE_LATER))
		return found_member(s, slice_head(data, packed), depth);
	if (method != ZIP_DEFLATED)
		return false;
	buf_init(&d.out, UNPACK_MAX);
	inflate_all(&d, data, RAW_BITS, false);
	buf_fini(&d.out);
	return d.enough;
}

static bool
unpack_zip(const struct search *s, struct slice in, unsigned depth)
{
	const struct slice mark = SLICE("PK\x03\x04");

	if (!s->inner && !slice_starts(in, mark))
		return false;
	for (size_t at; (at = slice_search(in, mark)) < in.len; in = slice_skip(in, at + mark.len))
		if (unpack_zip_member(s, slice_skip(in, at), depth))
			return true;
	return false;
}

static bool
unpack_tar(const struct search *s, struct slice in, unsigned depth)
{
	while (in.len > TAR_BLOCK) {
		uint64_t size = 0;
		bool head = slice_starts(slice_skip(in, TAR_MAGIC), SLICE("ustar"));

		for (int i = 0; head && i < TAR_SIZE_DIGITS; i++)
			size = size * 8 + (uint64_t)(in.p[TAR_SIZE + i] & 7);
		in = slice_skip(in, TAR_BLOCK);
		if (head && found_member(s, slice_head(in, size), depth))
			return true;
		if (head)
			in = slice_skip(in, (size_t)(size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK);
	}
	return false;
}

/* All of an entry that can be read, into OUT. */
static void
read_entry(struct archive *a, struct buf *out)
{
	static char piece[PIECE];
	la_ssize_t n;

	while ((n = archive_read_data(a, piece, sizeof(piece))) > 0)
		if (buf_add(out, piece, (size_t)n) == -1)
			break;
}

static bool
unpack_libarchive(const struct search *s, struct slice in, unsigned depth)
{
	struct archive *a = archive_read_new();
	struct archive_entry *e;
	bool enough = false;

	if (a == NULL)
		abort();
	archive_read_support_filter_all(a);
	archive_read_support_format_all(a);
	archive_read_support_format_raw(a);
	if (archive_read_open_memory(a, in.p, in.len) == ARCHIVE_OK)
		while (!enough && archive_read_next_header(a, &e) >= ARCHIVE_WARN) {
			struct buf data;

			/* Raw and not packed: that is IN itself. */
			if (archive_format(a) == ARCHIVE_FORMAT_RAW && archive_filter_count(a) <= 1)
				break;
			buf_init(&data, UNPACK_MAX);
			read_entry(a, &data);
			enough = found_member(s, buf_slice(&data), depth);
			buf_fini(&data);
		}
	archive_read_free(a);
	return enough;
}

static bool
unpack_archives(const struct search *s, struct slice in, unsigned depth)
{
	if (depth > UNPACK_DEPTH || in.len == 0)
		return false;
	return unpack_packed(s, in, depth) || unpack_zip(s, in, depth) || unpack_tar(s, in, depth) ||
	    unpack_libarchive(s, in, depth);
}

bool
unpack(struct slice in, const enum coding *codings, size_t n, bool inner, unpack_fn *found, void *arg)
{
	const struct search s = { found, arg, inner };
	struct stack stack = { &s, codings, n };

	return undo(&stack, in);
}
