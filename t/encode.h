/* encode.h - the other side of content codings, for tests: what a server does, and the tricks of one that hides something. */
#ifndef T_ENCODE_H
#define T_ENCODE_H

#include "base/buf.h"
#include "inspect/coding.h"

/* Append BYTES in CODING to OUT, as a stream of its own. */
void encode(enum coding coding, struct slice bytes, struct buf *out);

/* The same as bare deflate (RFC 1951), which some servers mean by "deflate". */
void encode_raw_deflate(struct slice bytes, struct buf *out);

/* Append BYTES as gzip whose stream goes on behind them with N empty blocks, before its end. */
void encode_gzip_padded(struct slice bytes, size_t n, struct buf *out);

/* Append an empty stream (gzip, zstd), or for zstd a frame to be skipped of LEN bytes. */
void encode_empty(enum coding coding, struct buf *out);
void encode_zstd_skipped(size_t len, struct buf *out);

#endif
