/* coder.h - undoes the coding of a single file: gzip, bzip2, xz, lzma, zstd.
 *
 * Coded members follow each other in one stream (RFC 1952 2.2), and each end is a place where a client may take what came out for
 * whole: libarchive's filters do not tell of them, and would read 70 KB of empty members before they say anything.  What comes out
 * is given out as soon as the input allows.  One thread. */
#ifndef INSPECT_HELPER_CODER_H
#define INSPECT_HELPER_CODER_H

#include "inspect/helper/sniff.h"
#include "inspect/helper/source.h"

struct coder;

/* KIND can be undone here. */
bool coder_knows(enum kind kind);

/* Undo KIND in FROM, which is borrowed, from offset AT on.  KEEP: do not let FROM forget what was used.  NULL without memory.  The
 * caller's: coder_free(). */
struct coder *coder_new(enum kind kind, struct source *from, uint64_t at, bool keep);
void coder_free(struct coder *c);

/* The next bytes that come out, up to SIZE: how many; 0 at the end; -1 when the coding is damaged or breaks off.  *PAUSE: a
 * coded member ended right behind them, or nothing has come out for so long that there may be only padding; then 0 bytes are no
 * end. */
ssize_t coder_read(struct coder *c, char *buf, size_t size, bool *pause);

/* Offset in FROM behind what was used. */
uint64_t coder_offset(const struct coder *c);

#endif
