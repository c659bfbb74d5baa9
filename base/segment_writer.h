/* segment_writer.h - writes a segment (base/segment.h) of any length, section by section, without holding it.
 *
 * The file grows beside PATH and takes its place in segment_writer_finish(): complete, flushed, with its header written last.
 * An error is kept and told once, at the end.  One thread at a time. */
#ifndef BASE_SEGMENT_WRITER_H
#define BASE_SEGMENT_WRITER_H

#include "base/segment.h"

struct segment_writer;

/* Begin a segment of at most MAX_SECTIONS sections.  NULL with an error in DIAG, which must outlive the result.  The caller's:
 * segment_writer_finish() or segment_writer_abort(). */
struct segment_writer *segment_writer_new(const char *path, enum segment_kind kind, uint32_t max_sections, struct diag *diag);

/* End the section before, if any, and begin section ID (from 1, each once). */
void segment_writer_begin(struct segment_writer *w, uint32_t id);

/* Append to the section. */
void segment_writer_add(struct segment_writer *w, const void *p, size_t len);

/* Bytes of the section so far. */
uint64_t segment_writer_section_len(const struct segment_writer *w);

/* Write the header, flush, put the file into its place (mode 0640) and give its length and SHA-256.  W is gone in either
 * case.  -1 with an error in DIAG: PATH is then as it was.  Identical sections give an identical file. */
int segment_writer_finish(struct segment_writer *w, uint64_t *len, uint8_t sha256[static SEGMENT_SHA256]);

/* Remove what was written; NULL is fine. */
void segment_writer_abort(struct segment_writer *w);

#endif
