/* manifest.h - the MANIFEST: which segments make up the current generation.  It is the truth; everything else is a hint.
 *
 *	firebreak-manifest 1
 *	generation 17
 *	created 2026-11-24T14:30:00Z
 *	segment rules rules-17.seg 4096 9f86d081...
 *	segment hosts hosts-17.seg 8192 60303ae2...
 *	end 3b5d5c3712955042212316173ccf37be...		SHA-256 of everything above this line
 *
 * Written last, by rename; read whole. */
#ifndef RULESET_MANIFEST_H
#define RULESET_MANIFEST_H

#include "base/buf.h"
#include "base/diag.h"
#include "base/segment.h"

enum { MANIFEST_SEGMENTS = 16, MANIFEST_NAME = 64, MANIFEST_MAX = 16384 };

struct manifest_segment {
	enum segment_kind kind;
	char		 name[MANIFEST_NAME];	/* a file name: letters, digits, '-', '_' and '.', not starting with '.' */
	uint64_t	 len;
	uint8_t		 sha256[SEGMENT_SHA256];
};

struct manifest {
	uint64_t		 generation;	/* from 1 */
	int64_t			 created;	/* seconds */
	size_t			 n;
	struct manifest_segment	 segments[MANIFEST_SEGMENTS];
};

/* Read TEXT, the content of FILE.  -1 with "file:line" errors in DIAG: wrong version, missing or repeated lines, a name
 * that is no plain file name, a wrong sum. */
int manifest_parse(const char *file, struct slice text, struct manifest *out, struct diag *diag);

/* The same for the file at PATH, whole.  errno is ENOENT when there is none, EBADMSG when the text is refused, else what the
 * system says. */
int manifest_load(const char *path, struct manifest *out, struct diag *diag);

/* Append the text that manifest_parse() reads. */
int manifest_format(const struct manifest *m, struct buf *out);

/* The segment of KIND; NULL when there is none. */
const struct manifest_segment *manifest_find(const struct manifest *m, enum segment_kind kind);

/* "rules", "hosts", "digests", "site". */
const char *segment_kind_name(enum segment_kind kind);

#endif
