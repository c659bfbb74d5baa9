#include "t/property/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <brotli/encode.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum { PADDING = 70000, BLOCK_SOME = 8192, GARBAGE = 3000, RAW_BITS = -15, MEMORY = 8, GZIP_HEAD = 10, FLAW = 0x55,
	BROTLI_QUALITY = 3, BROTLI_WINDOW = 18, MTIME = 1700000000, MODE = 0644 };

static const char *const coding_names[CODINGS] = { "gzip", "deflate", "br", "zstd" };
static const char *const trick_names[TRICKS] = {
	"plain", "raw", "split", "flushed", "padded after it", "padded inside", "skippable", "a second member", "wrong checksum", "garbage"
};
static const char *const kind_names[KINDS] = {
	"zip", "zip stored", "tar", "tar pax", "tar.gz", "tar.bz2", "tar.xz", "tar.zst", "cpio", "cpio odc", "7z", "iso", "gz", "bz2",
	"xz", "zst"
};

const char *
coding_name(enum coding c)
{
	return coding_names[c];
}

const char *
trick_name(enum trick t)
{
	return trick_names[t];
}

const char *
archive_kind_name(enum archive_kind k)
{
	return kind_names[k];
}

bool
archive_kind_is_single(enum archive_kind k)
{
	return k >= KIND_GZ;
}

bool
archive_kind_is_zip(enum archive_kind k)
{
	return k == KIND_ZIP || k == KIND_ZIP_STORED;
}

bool
trick_is_flaw(enum trick t)
{
	return t == TRICK_CHECKSUM || t == TRICK_GARBAGE;
}

bool
trick_fits(enum trick t, enum coding c)
{
	switch (t) {
	case TRICK_RAW:
		return c == CODING_DEFLATE;
	case TRICK_SPLIT:
	case TRICK_AFTER:
	case TRICK_SECOND:
		return c == CODING_GZIP || c == CODING_ZSTD;
	case TRICK_SKIPPABLE:
		return c == CODING_ZSTD;
	case TRICK_CHECKSUM:
		return c != CODING_BR;
	default:
		return true;
	}
}

static void
need(bool good)
{
	if (!good)
		abort();
}

static void
add_le32(struct buf *out, uint32_t x)
{
	for (int i = 0; i < 4; i++)
		buf_add_char(out, (char)(x >> (8 * i)));
}

/* ---- deflate and gzip ---- */

/* The blocks of IN, and those that pad it; ended. */
static void
add_blocks(struct buf *out, struct slice in, enum trick t, struct rng *r)
{
	static const char empty[] = { 0, 0, 0, (char)0xff, (char)0xff }, last[] = { 1, 0, 0, (char)0xff, (char)0xff };
	z_stream z = { 0 };
	char piece[BLOCK_SOME];
	int flush = Z_NO_FLUSH, status = Z_OK;

	need(deflateInit2(&z, (int)rng_below(r, 4), Z_DEFLATED, RAW_BITS, MEMORY, Z_DEFAULT_STRATEGY) == Z_OK);
	while (status != Z_STREAM_END) {
		size_t n = t == TRICK_FLUSH ? rng_between(r, 1, BLOCK_SOME) : in.len;

		if (n > in.len)
			n = in.len;
		z.next_in = (Bytef *)(uintptr_t)in.p;
		z.avail_in = (uInt)n;
		in = slice_skip(in, n);
		flush = in.len > 0 ? Z_SYNC_FLUSH : t == TRICK_INSIDE ? Z_FULL_FLUSH : Z_FINISH;
		do {
			z.next_out = (Bytef *)piece;
			z.avail_out = sizeof(piece);
			status = deflate(&z, flush);
			buf_add(out, piece, sizeof(piece) - z.avail_out);
		} while (z.avail_out == 0);
		if (flush == Z_FULL_FLUSH)
			break;
	}
	deflateEnd(&z);
	if (t != TRICK_INSIDE)
		return;
	for (size_t i = 0; i < PADDING; i += sizeof(empty))
		buf_add(out, empty, sizeof(empty));
	buf_add(out, last, sizeof(last));
}

static void
add_gzip_member(struct buf *out, struct slice in, enum trick t, struct rng *r)
{
	static const char head[GZIP_HEAD] = { 0x1f, (char)0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };
	uLong sum = crc32(0, (const Bytef *)in.p, (uInt)in.len);

	buf_add(out, head, sizeof(head));
	add_blocks(out, in, t, r);
	add_le32(out, (uint32_t)sum ^ (t == TRICK_CHECKSUM ? FLAW : 0));
	add_le32(out, (uint32_t)in.len);
}

/* IN in parts.  The last is more than a byte: what lacks only that byte is another file, of which somebody may ask. */
static void
add_split(struct buf *out, struct slice in, struct rng *r, void (*add)(struct buf *, struct slice, enum trick, struct rng *))
{
	while (in.len > 0) {
		size_t n = rng_between(r, 1, in.len / 2 + 1);

		if (in.len - n == 1)
			n = in.len;
		add(out, slice_head(in, n), TRICK_NONE, r);
		in = slice_skip(in, n);
	}
}

static void
add_second(struct buf *out, struct rng *r, void (*add)(struct buf *, struct slice, enum trick, struct rng *))
{
	struct buf other;

	buf_init(&other, 2 * PADDING);
	rng_fill(r, &other, rng_between(r, 1, 2 * PADDING));
	add(out, buf_slice(&other), TRICK_NONE, r);
	buf_fini(&other);
}

static void
pack_gzip(struct buf *out, struct slice in, enum trick t, struct rng *r)
{
	struct buf empty;

	if (t == TRICK_SPLIT && in.len > 1)
		add_split(out, in, r, add_gzip_member);
	else
		add_gzip_member(out, in, t, r);
	if (t == TRICK_SECOND)
		add_second(out, r, add_gzip_member);
	if (t != TRICK_AFTER)
		return;
	buf_init(&empty, BLOCK_SOME);
	add_gzip_member(&empty, (struct slice){ 0 }, TRICK_NONE, r);
	for (size_t n = 0; n < PADDING; n += empty.len)
		buf_add_slice(out, buf_slice(&empty));
	buf_fini(&empty);
}

static void
pack_deflate(struct buf *out, struct slice in, enum trick t, struct rng *r)
{
	uLong sum = adler32(1, (const Bytef *)in.p, (uInt)in.len) ^ (t == TRICK_CHECKSUM ? FLAW : 0);

	if (t != TRICK_RAW)
		buf_add(out, "\x78\x9c", 2);
	add_blocks(out, in, t, r);
	for (int i = 0; i < 4 && t != TRICK_RAW; i++)
		buf_add_char(out, (char)(sum >> (24 - 8 * i)));
}

/* ---- br ---- */

static void
brotli_give(BrotliEncoderState *s, BrotliEncoderOperation op, struct slice in, struct buf *out)
{
	const uint8_t *at = (const uint8_t *)in.p;
	size_t left = in.len;

	do {
		char piece[BLOCK_SOME];
		uint8_t *to = (uint8_t *)piece;
		size_t room = sizeof(piece);

		need(BrotliEncoderCompressStream(s, op, &left, &at, &room, &to, NULL));
		buf_add(out, piece, sizeof(piece) - room);
	} while (left > 0 || BrotliEncoderHasMoreOutput(s) || (op == BROTLI_OPERATION_FINISH && !BrotliEncoderIsFinished(s)));
}

static void
pack_br(struct buf *out, struct slice in, enum trick t, struct rng *r)
{
	BrotliEncoderState *s = BrotliEncoderCreateInstance(NULL, NULL, NULL);
	struct buf nothing;

	need(s != NULL);
	buf_init(&nothing, PADDING);
	BrotliEncoderSetParameter(s, BROTLI_PARAM_QUALITY, (uint32_t)rng_below(r, BROTLI_QUALITY));
	BrotliEncoderSetParameter(s, BROTLI_PARAM_LGWIN, BROTLI_WINDOW);
	while (t == TRICK_FLUSH && in.len > 0) {
		size_t n = rng_between(r, 1, in.len < BLOCK_SOME ? in.len : BLOCK_SOME);

		brotli_give(s, BROTLI_OPERATION_FLUSH, slice_head(in, n), out);
		in = slice_skip(in, n);
	}
	if (in.len > 0)
		brotli_give(s, t == TRICK_INSIDE ? BROTLI_OPERATION_FLUSH : BROTLI_OPERATION_PROCESS, in, out);
	if (t == TRICK_INSIDE) {
		rng_fill(r, &nothing, PADDING);
		brotli_give(s, BROTLI_OPERATION_EMIT_METADATA, buf_slice(&nothing), out);
	}
	brotli_give(s, BROTLI_OPERATION_FINISH, (struct slice){ 0 }, out);
	BrotliEncoderDestroyInstance(s);
	buf_fini(&nothing);
}

/* ---- zstd ---- */

static void
zstd_give(ZSTD_CCtx *c, ZSTD_EndDirective op, struct slice in, struct buf *out)
{
	ZSTD_inBuffer from = { in.p, in.len, 0 };
	size_t left;

	do {
		char piece[BLOCK_SOME];
		ZSTD_outBuffer to = { piece, sizeof(piece), 0 };

		left = ZSTD_compressStream2(c, &to, &from, op);
		need(!ZSTD_isError(left));
		buf_add(out, piece, to.pos);
	} while (left > 0 || from.pos < from.size);
}

static void
add_zstd_frame(struct buf *out, struct slice in, enum trick t, struct rng *r)
{
	static const char empty[] = { 0, 0, 0 }, last[] = { 1, 0, 0 };	/* blocks (RFC 8878 3.1.1.2) */
	ZSTD_CCtx *c = ZSTD_createCCtx();

	need(c != NULL);
	ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, (int)rng_between(r, 1, 3));
	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, t == TRICK_CHECKSUM || (t != TRICK_INSIDE && rng_chance(r, 50)));
	while (t == TRICK_FLUSH && in.len > 0) {
		size_t n = rng_between(r, 1, in.len < BLOCK_SOME ? in.len : BLOCK_SOME);

		zstd_give(c, ZSTD_e_flush, slice_head(in, n), out);
		in = slice_skip(in, n);
	}
	if (t == TRICK_INSIDE) {
		zstd_give(c, ZSTD_e_flush, in, out);
		for (size_t i = 0; i < PADDING; i += sizeof(empty))
			buf_add(out, empty, sizeof(empty));
		buf_add(out, last, sizeof(last));
	} else
		zstd_give(c, ZSTD_e_end, in, out);
	if (t == TRICK_CHECKSUM)
		out->p[out->len - 1] ^= FLAW;
	ZSTD_freeCCtx(c);
}

static void
pack_zstd(struct buf *out, struct slice in, enum trick t, struct rng *r)
{
	static const char skip[] = { 0x50, 0x2a, 0x4d, 0x18, 60, 0, 0, 0 };
	struct buf frame;

	if (t == TRICK_SPLIT && in.len > 1)
		add_split(out, in, r, add_zstd_frame);
	else
		add_zstd_frame(out, in, t, r);
	if (t == TRICK_SECOND)
		add_second(out, r, add_zstd_frame);
	if (t != TRICK_AFTER && t != TRICK_SKIPPABLE)
		return;
	buf_init(&frame, BLOCK_SOME);
	if (t == TRICK_SKIPPABLE) {
		buf_add(&frame, skip, sizeof(skip));
		rng_fill(r, &frame, (size_t)skip[4]);
	} else
		add_zstd_frame(&frame, (struct slice){ 0 }, TRICK_NONE, r);
	for (size_t n = 0; n < PADDING; n += frame.len)
		buf_add_slice(out, buf_slice(&frame));
	buf_fini(&frame);
}

void
pack_coding(struct buf *out, enum coding c, enum trick t, struct slice in, struct rng *r)
{
	static void (*const packers[CODINGS])(struct buf *, struct slice, enum trick, struct rng *) = {
		pack_gzip, pack_deflate, pack_br, pack_zstd
	};

	packers[c](out, in, t, r);
	if (t == TRICK_GARBAGE)
		rng_fill(r, out, rng_between(r, 1, GARBAGE));
	need(!out->failed);
}

/* ---- archives ---- */

static la_ssize_t
keep(struct archive *a, void *arg, const void *p, size_t len)
{
	(void)a;
	need(buf_add(arg, p, len) == 0);
	return (la_ssize_t)len;
}

static int
set_format(struct archive *a, enum archive_kind k)
{
	switch (k) {
	case KIND_ZIP:
	case KIND_ZIP_STORED:
		return archive_write_set_format_zip(a);
	case KIND_TAR_PAX:
		return archive_write_set_format_pax(a);
	case KIND_CPIO:
		return archive_write_set_format_cpio_newc(a);
	case KIND_CPIO_ODC:
		return archive_write_set_format_cpio(a);
	case KIND_7Z:
		return archive_write_set_format_7zip(a);
	case KIND_ISO:
		return archive_write_set_format_iso9660(a);
	default:
		return archive_kind_is_single(k) ? archive_write_set_format_raw(a) : archive_write_set_format_ustar(a);
	}
}

static int
set_filter(struct archive *a, enum archive_kind k)
{
	switch (k) {
	case KIND_TAR_GZ:
	case KIND_GZ:
		return archive_write_add_filter_gzip(a);
	case KIND_TAR_BZ2:
	case KIND_BZ2:
		return archive_write_add_filter_bzip2(a);
	case KIND_TAR_XZ:
	case KIND_XZ:
		return archive_write_add_filter_xz(a);
	case KIND_TAR_ZST:
	case KIND_ZST:
		return archive_write_add_filter_zstd(a);
	default:
		return archive_write_add_filter_none(a);
	}
}

static int
set_options(struct archive *a, enum archive_kind k, const char *password)
{
	const char *options = NULL;

	switch (k) {
	case KIND_ZIP_STORED:
		options = "zip:compression=store";
		break;
	case KIND_7Z:
		options = "7zip:compression=deflate";
		break;
	case KIND_XZ:
	case KIND_TAR_XZ:
		options = "xz:compression-level=0";
		break;
	default:
		break;
	}
	if (options != NULL && archive_write_set_options(a, options) != ARCHIVE_OK)
		return ARCHIVE_FATAL;
	if (password == NULL)
		return ARCHIVE_OK;
	if (archive_write_set_options(a, "zip:encryption=zipcrypt") != ARCHIVE_OK)
		return ARCHIVE_FATAL;
	return archive_write_set_passphrase(a, password);
}

static int
write_member(struct archive *a, const struct member *m)
{
	struct archive_entry *e = archive_entry_new();
	int status;

	need(e != NULL);
	archive_entry_set_pathname(e, m->name);
	archive_entry_set_size(e, (la_int64_t)m->data.len);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, MODE);
	archive_entry_set_mtime(e, MTIME, 0);
	status = archive_write_header(a, e);
	if (status == ARCHIVE_OK && m->data.len > 0 && archive_write_data(a, m->data.p, m->data.len) != (la_ssize_t)m->data.len)
		status = ARCHIVE_FATAL;
	archive_entry_free(e);
	return status;
}

int
pack_archive(struct buf *out, enum archive_kind k, const struct member *members, size_t n, const char *password)
{
	struct archive *a = archive_write_new();
	size_t at = out->len;
	int status;

	need(a != NULL);
	if ((status = set_filter(a, k)) == ARCHIVE_OK && (status = set_format(a, k)) == ARCHIVE_OK)
		status = set_options(a, k, password);
	archive_write_set_bytes_in_last_block(a, 1);
	if (status == ARCHIVE_OK)
		status = archive_write_open(a, out, NULL, keep, NULL);
	for (size_t i = 0; i < n && status == ARCHIVE_OK; i++)
		status = write_member(a, &members[i]);
	if (status == ARCHIVE_OK)
		status = archive_write_close(a);
	archive_write_free(a);
	if (status != ARCHIVE_OK || out->failed)
		return -1;
	/* What stands before an image's own head is for those that boot from it: of every other one something. */
	if (k == KIND_ISO && n % 2 == 0)
		memcpy(out->p + at, "\x33\xc0\x8e\xd0\xbc\x00\x7c", 7);
	return 0;
}
