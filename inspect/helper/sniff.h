/* sniff.h - what kind of archive or coding bytes begin with.  Pure. */
#ifndef INSPECT_HELPER_SNIFF_H
#define INSPECT_HELPER_SNIFF_H

#include "base/slice.h"

enum kind {
	KIND_NONE,
	/* Codings of a single file. */
	KIND_GZIP, KIND_BZIP2, KIND_XZ, KIND_LZMA, KIND_ZSTD, KIND_LZ4, KIND_LZIP, KIND_COMPRESS, KIND_RPM,
	/* Archives. */
	KIND_ZIP, KIND_RAR, KIND_RAR5, KIND_CAB, KIND_TAR, KIND_CPIO, KIND_AR, KIND_LHA, KIND_XAR, KIND_ISO, KIND_7Z,
};

enum {
	SNIFF_LEN = 512,	/* bytes that sniff_start() wants to see */
	SNIFF_SIGNATURE = 32,	/* and sniff_signature() */
	SNIFF_ISO_AT = 32769,	/* where an ISO 9660 image says that it is one: ECMA-119 8.1 */
	SNIFF_ISO_END = SNIFF_ISO_AT + 5,
};

/* What a stream is that begins with HEAD: its first SNIFF_LEN bytes, less only when there are no more.  An ISO image does not show
 * there. */
enum kind sniff_start(struct slice head);

/* What begins at HEAD, of those that may stand behind something else (a program that unpacks itself): zip, 7z, rar, cab.  HEAD has
 * SNIFF_SIGNATURE bytes, less only at the end.  *WEAK: it begins so, but what follows makes no sense. */
enum kind sniff_signature(struct slice head, bool *weak);

/* HEAD, of which SNIFF_LEN bytes are needed, is the header of a tar's entry: its sum says so.  *WEAK: one that
 * random bytes may have. */
bool sniff_tar(struct slice head, bool *weak);

/* Length of the 7z that begins with HEAD, as it says; UINT64_MAX when that makes no sense. */
uint64_t sniff_7z_len(struct slice head);

/* HEAD begins like an entry of a zip's directory that makes sense. */
bool sniff_central(struct slice head);

/* Offset of the first byte in BYTES that may begin a signature; its length when there is none. */
size_t sniff_next(struct slice bytes);

#endif
