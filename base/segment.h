/* segment.h - the container of an immutable, memory-mapped file: header, named sections, nothing else.
 *
 *	0        8       12      16       24        32        40                        len
 *	+--------+-------+-------+--------+---------+---------+-----------+--------------+
 *	| magic  | order | kind  | length | n, zero | crc     | n entries | sections ... |
 *	+--------+-------+-------+--------+---------+---------+-----------+--------------+
 *	          0x01020304      u64      u32 u32   u32 u32
 *	entry: u32 id, u32 zero, u64 offset, u64 length; sections start at multiples of 64 (readers insist on 8),
 *	in order, without overlap.  The CRC-32C covers header and entries.  All numbers are in the writer's byte order; the
 *	order word tells a reader of the other kind.
 *
 * A mapped segment is read by any number of threads without a lock and never changes.  What is inside a
 * section is checked by the room that owns the kind, at each use. */
#ifndef BASE_SEGMENT_H
#define BASE_SEGMENT_H

#include "base/diag.h"
#include "base/slice.h"

enum segment_kind { SEGMENT_HOSTS = 1, SEGMENT_DIGESTS = 2, SEGMENT_RULES = 3, SEGMENT_SITE = 4,
	SEGMENT_ADDRESSES = 5, SEGMENT_PATTERNS = 6, SEGMENT_NAMES = 7, SEGMENT_EXCEPTIONS = 8,
	SEGMENT_LOOKALIKE = 9 };

enum { SEGMENT_SHA256 = 32 };

struct segment;

/* Map PATH read-only.  Checks size, magic, byte order, version, kind, CRC and the bounds of every section; with
 * SHA256 not NULL also the whole file's digest.  NULL with one error in DIAG that names PATH and the reason.
 * The caller owns the result: segment_close().  Costs no memory per byte. */
struct segment *segment_open(const char *path, enum segment_kind kind, const uint8_t *sha256,
    struct diag *diag);

/* The same over bytes that the caller keeps alive and aligned to 8 (fuzzing, tests).  NAME is for messages. */
struct segment *segment_open_bytes(const char *name, const void *p, size_t len, enum segment_kind kind,
    struct diag *diag);

/* What was read of S so far need not stay in memory on its account: opening looks at the head, and at all of what is verified. */
void segment_forget(const struct segment *s);

/* Unmap; NULL is fine.  Every slice got from it ends here. */
void segment_close(struct segment *s);

/* Section ID: borrowed from S, 8-byte aligned; empty when the segment has none of that id. */
struct slice segment_section(const struct segment *s, uint32_t id);

/* Bytes of the whole file. */
uint64_t segment_size(const struct segment *s);

struct segment_part {
	uint32_t	 id;		/* from 1, each once */
	struct slice	 bytes;
};

/* Write a segment of N PARTS to PATH (atomically, mode 0640) and give its length and SHA-256.  -1 with an
 * error in DIAG.  Identical parts give an identical file. */
int segment_write(const char *path, enum segment_kind kind, const struct segment_part *parts, size_t n,
    uint64_t *len, uint8_t sha256[static SEGMENT_SHA256], struct diag *diag);

/* SHA-256 of PATH.  -1 with errno. */
int segment_sha256(const char *path, uint8_t out[static SEGMENT_SHA256]);

/* CRC-32C (RFC 3720 B.4) of P, as the header has it. */
uint32_t segment_crc(const void *p, size_t len);

#endif
