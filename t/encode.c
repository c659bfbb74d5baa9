#include "t/encode.h"

#include <stdlib.h>

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

enum { ROOM = 1 << 16, GZIP_BITS = MAX_WBITS + 16, LEVEL = 6, BR_QUALITY = 5, SKIP_MAGIC = 0x184d2a50 };

static void
deflate_into(struct slice bytes, int bits, size_t n_empty, struct buf *out)
{
	size_t max = bytes.len + bytes.len / 100 + ROOM + 16 * n_empty;
	char *room = malloc(max);
	z_stream z = { .next_in = (Bytef *)(uintptr_t)bytes.p, .avail_in = (uInt)bytes.len, .next_out = (Bytef *)room,
		.avail_out = (uInt)max };

	if (room == NULL || deflateInit2(&z, LEVEL, Z_DEFLATED, bits, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	if (n_empty > 0)
		deflate(&z, Z_FULL_FLUSH);
	/* deflate() makes no empty block twice: here is one, stored, byte by byte. */
	for (size_t i = 0; i < n_empty; i++) {
		memcpy(z.next_out, "\0\0\0\xff\xff", 5);
		z.next_out += 5;
		z.avail_out -= 5;
	}
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	buf_add(out, room, max - z.avail_out);
	deflateEnd(&z);
	free(room);
}

static void
brotli_into(struct slice bytes, struct buf *out)
{
	size_t len = BrotliEncoderMaxCompressedSize(bytes.len) + ROOM;
	uint8_t *room = malloc(len);

	if (room == NULL || !BrotliEncoderCompress(BR_QUALITY, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, bytes.len,
	    (const uint8_t *)(bytes.p == NULL ? "" : bytes.p), &len, room))
		abort();
	buf_add(out, (char *)room, len);
	free(room);
}

static void
zstd_into(struct slice bytes, struct buf *out)
{
	size_t max = ZSTD_compressBound(bytes.len), len;
	char *room = malloc(max);

	if (room == NULL || ZSTD_isError(len = ZSTD_compress(room, max, bytes.p, bytes.len, LEVEL)))
		abort();
	buf_add(out, room, len);
	free(room);
}

void
encode(enum coding coding, struct slice bytes, struct buf *out)
{
	switch (coding) {
	case CODING_GZIP:
		deflate_into(bytes, GZIP_BITS, 0, out);
		break;
	case CODING_DEFLATE:
		deflate_into(bytes, MAX_WBITS, 0, out);
		break;
	case CODING_BR:
		brotli_into(bytes, out);
		break;
	case CODING_ZSTD:
		zstd_into(bytes, out);
		break;
	case CODING_BASE64:
	case CODING_QUOTED:
		abort();
	}
}

void
encode_raw_deflate(struct slice bytes, struct buf *out)
{
	deflate_into(bytes, -MAX_WBITS, 0, out);
}

void
encode_gzip_padded(struct slice bytes, size_t n, struct buf *out)
{
	deflate_into(bytes, GZIP_BITS, n, out);
}

void
encode_empty(enum coding coding, struct buf *out)
{
	encode(coding, SLICE(""), out);
}

void
encode_zstd_skipped(size_t len, struct buf *out)
{
	uint32_t head[2] = { SKIP_MAGIC, (uint32_t)len };	/* little-endian machines only, as the tests run on */

	buf_add(out, (char *)head, sizeof(head));
	for (size_t i = 0; i < len; i++)
		buf_add_char(out, (char)i);
}
