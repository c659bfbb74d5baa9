#include "inspect/helper/sniff.h"

#include <zlib.h>

#include "base/bytes.h"
#include "inspect/tar_sum.h"

static const struct { enum kind kind; struct slice magic; } magics[] = {
	{ KIND_GZIP, SLICE("\x1f\x8b\x08") },
	{ KIND_XZ, SLICE("\xfd""7zXZ\0") },
	{ KIND_ZSTD, SLICE("\x28\xb5\x2f\xfd") },
	{ KIND_LZ4, SLICE("\x04\x22\x4d\x18") },
	{ KIND_LZ4, SLICE("\x02\x21\x4c\x18") },		/* its legacy form */
	{ KIND_LZIP, SLICE("LZIP") },
	{ KIND_COMPRESS, SLICE("\x1f\x9d") },
	{ KIND_RPM, SLICE("\xed\xab\xee\xdb") },
	{ KIND_ZIP, SLICE("PK\x03\x04") },
	{ KIND_ZIP, SLICE("PK\x07\x08PK\x03\x04") },		/* first of several volumes, and */
	{ KIND_ZIP, SLICE("PK00PK\x03\x04") },			/* the only one of them after all */
	{ KIND_RAR, SLICE("Rar!\x1a\x07\x00") },
	{ KIND_RAR5, SLICE("Rar!\x1a\x07\x01\x00") },
	{ KIND_CPIO, SLICE("070701") },
	{ KIND_CPIO, SLICE("070702") },
	{ KIND_CPIO, SLICE("070707") },
	{ KIND_CPIO, SLICE("\xc7\x71") },
	{ KIND_CPIO, SLICE("\x71\xc7") },
	{ KIND_AR, SLICE("!<arch>\n") },
	{ KIND_XAR, SLICE("xar!\x00\x1c") },
};

static bool
is_bzip2(struct slice head)
{
	static const char block[] = "1AY&SY", end[] = "\x17\x72\x45\x38\x50\x90";
	enum { AT = 4, LEN = 6 };

	return slice_starts(head, SLICE("BZh")) && head.len >= AT + LEN && head.p[3] >= '1' && head.p[3] <= '9' &&
	    (memcmp(head.p + AT, block, LEN) == 0 || memcmp(head.p + AT, end, LEN) == 0);
}

/* .lzma has no magic: what its writers write is what xz believes. */
static bool
is_lzma(struct slice head)
{
	enum { PROPERTIES_MAX = (4 * 5 + 4) * 9 + 8, DICT_AT = 1, SIZE_AT = 5, CODE_AT = 13, SIZE_BITS = 38 };
	uint64_t dict, size;

	if (head.len <= CODE_AT || (uint8_t)head.p[0] > PROPERTIES_MAX || head.p[CODE_AT] != 0)
		return false;
	dict = bytes_get(head.p + DICT_AT, 4);
	size = bytes_get(head.p + SIZE_AT, 8);
	if (dict < 4096 || (size != UINT64_MAX && size >> SIZE_BITS != 0))
		return false;
	/* 2^n or 2^n + 2^(n-1): at most two bits, and those neighbours. */
	return dict == UINT32_MAX || (dict & (dict - 1)) == 0 || (dict & (dict - 1)) == (dict & -dict) << 1;
}

bool
sniff_tar(struct slice head, bool *weak)
{
	return head.len >= TAR_BLOCK && tar_sum_holds(head.p, weak);
}

static bool
is_lha(struct slice head)
{
	enum { METHOD_AT = 2, METHOD_LEN = 5, LEVEL_AT = 20 };
	const char *m = head.p + METHOD_AT;

	return head.len > LEVEL_AT && (uint8_t)head.p[LEVEL_AT] <= 3 && m[0] == '-' && (m[1] == 'l' || m[1] == 'p') && m[4] == '-';
}

/* Frames of zstd and lz4 that carry nothing and may stand before others. */
static bool
is_skippable(struct slice head)
{
	return head.len >= 8 && (bytes_get(head.p, 4) & ~UINT64_C(0xf)) == 0x184d2a50;
}

enum kind
sniff_start(struct slice head)
{
	bool weak;
	enum kind kind;

	/* A sum over 512 bytes says more than the few of a magic number, which may be those of the first name. */
	if (sniff_tar(head, &weak) && !weak)
		return KIND_TAR;
	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++)
		if (slice_starts(head, magics[i].magic))
			return magics[i].kind;
	/* Some look for the header of a 7z at its end when its start says nothing. */
	if ((kind = sniff_signature(head, &weak)) != KIND_NONE && (!weak || kind == KIND_7Z))
		return kind;
	if (is_bzip2(head))
		return KIND_BZIP2;
	if (is_skippable(head))
		return KIND_ZSTD;
	if (sniff_tar(head, &weak))
		return KIND_TAR;
	if (is_lha(head))
		return KIND_LHA;
	return is_lzma(head) ? KIND_LZMA : KIND_NONE;
}

/* A local header (APPNOTE 4.3.7) that somebody may have written: programs have the signature as a constant.  7-Zip takes any
 * version below 128. */
enum { VERSION_MAX = 127, METHOD_MAX = 99, NAME_LEN_MAX = 8192 };

static bool
zip_makes_sense(struct slice head)
{
	enum { LOCAL = 30, VERSION_AT = 4, FLAGS_AT = 6, METHOD_AT = 8, NAME_AT = 26 };
	enum { STORED = 0, DEFLATED = 8, FLAGS_RESERVED = 0xd780 };
	uint64_t method;

	if (head.len < LOCAL)
		return false;
	method = bytes_get(head.p + METHOD_AT, 2);
	/* Whatever the version and the name, when the rest is what is written most often. */
	if ((method == STORED || method == DEFLATED) && (bytes_get(head.p + FLAGS_AT, 2) & FLAGS_RESERVED) == 0)
		return true;
	return (uint8_t)head.p[VERSION_AT] <= VERSION_MAX && method <= METHOD_MAX && bytes_get(head.p + NAME_AT, 2) <= NAME_LEN_MAX;
}

/* APPNOTE 4.3.12; the name's length is within SNIFF_SIGNATURE. */
bool
sniff_central(struct slice head)
{
	enum { METHOD_AT = 10, NAME_AT = 28 };

	return slice_starts(head, SLICE("PK\x01\x02")) && head.len >= NAME_AT + 2 && bytes_get(head.p + METHOD_AT, 2) <= METHOD_MAX &&
	    bytes_get(head.p + NAME_AT, 2) <= NAME_LEN_MAX;
}

/* The start header has a sum of itself (7zFormat.txt). */
static bool
sevenzip_makes_sense(struct slice head)
{
	enum { START = 32, SUM_AT = 8, SUMMED_AT = 12, SUMMED = 20 };

	return head.len >= START &&
	    crc32(0, (const Bytef *)head.p + SUMMED_AT, SUMMED) == bytes_get(head.p + SUM_AT, 4);
}

uint64_t
sniff_7z_len(struct slice head)
{
	enum { START = 32, NEXT_AT = 12, NEXT_LEN_AT = 20 };
	uint64_t len;

	if (!sevenzip_makes_sense(head) || __builtin_add_overflow(bytes_get(head.p + NEXT_AT, 8), START, &len) ||
	    __builtin_add_overflow(len, bytes_get(head.p + NEXT_LEN_AT, 8), &len))
		return UINT64_MAX;
	return len;
}

/* CFHEADER ([MS-CAB] 2.1): a word of zeros and version 1.3. */
static bool
cab_makes_sense(struct slice head)
{
	enum { RESERVED_AT = 4, VERSION_AT = 24 };

	return head.len >= VERSION_AT + 2 && bytes_get(head.p + RESERVED_AT, 4) == 0 && head.p[VERSION_AT] == 3 &&
	    head.p[VERSION_AT + 1] == 1;
}

enum kind
sniff_signature(struct slice head, bool *weak)
{
	*weak = false;
	if (slice_starts(head, SLICE("PK\x03\x04"))) {
		*weak = !zip_makes_sense(head);
		return KIND_ZIP;
	}
	if (slice_starts(head, SLICE("7z\xbc\xaf\x27\x1c"))) {
		*weak = !sevenzip_makes_sense(head);
		return KIND_7Z;
	}
	if (slice_starts(head, SLICE("Rar!\x1a\x07\x00")))
		return KIND_RAR;
	if (slice_starts(head, SLICE("Rar!\x1a\x07\x01\x00")))
		return KIND_RAR5;
	if (slice_starts(head, SLICE("MSCF"))) {
		*weak = !cab_makes_sense(head);
		return KIND_CAB;
	}
	return KIND_NONE;
}

size_t
sniff_next(struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		char c = bytes.p[i];

		if (c != 'P' && c != '7' && c != 'R' && c != 'M')
			continue;
		if (i + 1 == bytes.len || (c == 'P' && bytes.p[i + 1] == 'K') || (c == '7' && bytes.p[i + 1] == 'z') ||
		    (c == 'R' && bytes.p[i + 1] == 'a') || (c == 'M' && bytes.p[i + 1] == 'S'))
			return i;
	}
	return bytes.len;
}
