/* pack.h - what an origin may make of a file: content codings (RFC 9110 8.4.1) and archives, with the padding and the flaws by which
 * the end of the file and the end of the body come apart.  One thread; without memory the program ends. */
#ifndef T_PROPERTY_PACK_H
#define T_PROPERTY_PACK_H

#include "t/property/rng.h"

enum coding { CODING_GZIP, CODING_DEFLATE, CODING_BR, CODING_ZSTD, CODINGS };
const char *coding_name(enum coding c);		/* as Content-Encoding has it */

enum trick {
	TRICK_NONE,
	TRICK_RAW,		/* deflate without zlib's frame, which browsers take too */
	TRICK_SPLIT,		/* several members or frames */
	TRICK_FLUSH,		/* flushed now and then: empty blocks in between */
	TRICK_AFTER,		/* 70 KB of empty members or frames after it */
	TRICK_INSIDE,		/* 70 KB of empty blocks or metadata after the last byte, before the end */
	TRICK_SKIPPABLE,	/* zstd: 70 KB in frames to be skipped */
	TRICK_SECOND,		/* a second member with other bytes: many clients take the first only */
	TRICK_CHECKSUM,		/* a wrong checksum: the bytes are out by then */
	TRICK_GARBAGE,		/* bytes after the end that are no part of it */
	TRICKS
};
const char *trick_name(enum trick t);

/* C knows T.  A body with a flaw may be called damaged, whatever was found in it. */
bool trick_fits(enum trick t, enum coding c);
bool trick_is_flaw(enum trick t);

/* Append IN, coded by C with T. */
void pack_coding(struct buf *out, enum coding c, enum trick t, struct slice in, struct rng *r);

enum archive_kind {
	KIND_ZIP, KIND_ZIP_STORED, KIND_TAR, KIND_TAR_PAX, KIND_TAR_GZ, KIND_TAR_BZ2, KIND_TAR_XZ, KIND_TAR_ZST, KIND_CPIO,
	KIND_CPIO_ODC, KIND_7Z, KIND_ISO, KIND_GZ, KIND_BZ2, KIND_XZ, KIND_ZST, KINDS
};
const char *archive_kind_name(enum archive_kind k);
bool archive_kind_is_single(enum archive_kind k);	/* one file without a name: it has no other members */
bool archive_kind_is_zip(enum archive_kind k);

struct member {
	const char	*name;
	struct slice	 data;
};

/* Append an archive of the N MEMBERS, in their order.  PASSWORD may be NULL; only zips have one.  -1 when the library cannot
 * make it. */
int pack_archive(struct buf *out, enum archive_kind k, const struct member *members, size_t n, const char *password);

#endif
