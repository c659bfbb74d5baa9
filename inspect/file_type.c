#include "inspect/file_type.h"

#include "inspect/tar_sum.h"

struct magic {
	unsigned	 at;
	struct slice	 bytes;
	enum file_type	 type;
};

#define MAGIC(at, bytes, type)	{ at, { bytes, sizeof(bytes) - 1 }, TYPE_##type }

/* The first that fits counts. */
static const struct magic magics[] = {
	MAGIC(0, "PK\3\4", ARCHIVE), MAGIC(0, "PK\5\6", ARCHIVE), MAGIC(0, "PK\7\10", ARCHIVE),
	MAGIC(0, "7z\xbc\xaf\x27\x1c", ARCHIVE), MAGIC(0, "Rar!\x1a\x07", ARCHIVE), MAGIC(0, "MSCF", ARCHIVE),
	MAGIC(0, "\x1f\x8b", ARCHIVE), MAGIC(0, "\x1f\x9d", ARCHIVE), MAGIC(0, "\x1f\xa0", ARCHIVE), MAGIC(0, "BZh", ARCHIVE),
	MAGIC(0, "\xfd" "7zXZ\0", ARCHIVE), MAGIC(0, "\x28\xb5\x2f\xfd", ARCHIVE), MAGIC(0, "\x04\x22\x4d\x18", ARCHIVE),
	MAGIC(1, "\x2a\x4d\x18", ARCHIVE), MAGIC(0, "LZIP", ARCHIVE), MAGIC(0, "\x5d\0\0", ARCHIVE), MAGIC(257, "ustar", ARCHIVE),
	MAGIC(0, "!<arch>\n", ARCHIVE), MAGIC(0, "070701", ARCHIVE), MAGIC(0, "070702", ARCHIVE), MAGIC(0, "070707", ARCHIVE),
	MAGIC(0, "\xc7\x71", ARCHIVE), MAGIC(0, "\x71\xc7", ARCHIVE), MAGIC(2, "-lh", ARCHIVE), MAGIC(2, "-lz", ARCHIVE),
	MAGIC(2, "-pm", ARCHIVE), MAGIC(0, "\xed\xab\xee\xdb", ARCHIVE), MAGIC(0, "\x02\x21\x4c\x18", ARCHIVE),
	MAGIC(0, "xar!", ARCHIVE), MAGIC(0, "MSWIM\0\0\0", ARCHIVE), MAGIC(0, "\x60\xea", ARCHIVE), MAGIC(7, "**ACE**", ARCHIVE),
	MAGIC(0, "ITSF", ARCHIVE), MAGIC(0, "hsqs", ARCHIVE), MAGIC(0, "conectix", ARCHIVE), MAGIC(0, "vhdxfile", ARCHIVE),
	MAGIC(32769, "CD001", ARCHIVE),
	MAGIC(0, "MZ", EXECUTABLE), MAGIC(0, "\x7f" "ELF", EXECUTABLE), MAGIC(0, "\xca\xfe\xba\xbe", EXECUTABLE),
	MAGIC(0, "\xfe\xed\xfa\xce", EXECUTABLE), MAGIC(0, "\xfe\xed\xfa\xcf", EXECUTABLE), MAGIC(0, "\xce\xfa\xed\xfe", EXECUTABLE),
	MAGIC(0, "\xcf\xfa\xed\xfe", EXECUTABLE), MAGIC(0, "\0asm", EXECUTABLE), MAGIC(0, "dex\n", EXECUTABLE),
	MAGIC(0, "L\0\0\0\1\x14\2\0", EXECUTABLE), MAGIC(0, "FWS", EXECUTABLE), MAGIC(0, "CWS", EXECUTABLE),
	MAGIC(0, "ZWS", EXECUTABLE),
	MAGIC(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", DOCUMENT), MAGIC(0, "{\\rtf", DOCUMENT), MAGIC(0, "%PDF", DOCUMENT),
	MAGIC(0, "%!PS", DOCUMENT), MAGIC(0, "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", DOCUMENT),
	MAGIC(0, "#!", SCRIPT), MAGIC(0, "<?php", SCRIPT), MAGIC(0, "@echo ", SCRIPT), MAGIC(0, "<job", SCRIPT),
	MAGIC(0, "<hta:", SCRIPT),
	MAGIC(0, "\x89PNG\r\n\x1a\n", IMAGE), MAGIC(0, "GIF8", IMAGE), MAGIC(0, "\xff\xd8\xff", IMAGE), MAGIC(8, "WEBP", IMAGE),
	MAGIC(0, "\0\0\1\0", IMAGE), MAGIC(0, "\0\0\2\0", IMAGE), MAGIC(0, "II*\0", IMAGE), MAGIC(0, "MM\0*", IMAGE),
	MAGIC(4, "ftypavif", IMAGE), MAGIC(4, "ftypheic", IMAGE), MAGIC(4, "ftypmif1", IMAGE), MAGIC(0, "8BPS", IMAGE),
	MAGIC(0, "\0\0\0\x0cjP  ", IMAGE), MAGIC(0, "\xff\x0a", IMAGE), MAGIC(0, "\0\0\0\x0cJXL ", IMAGE),
	MAGIC(4, "ftyp", MEDIA), MAGIC(4, "moov", MEDIA), MAGIC(4, "styp", MEDIA), MAGIC(4, "moof", MEDIA), MAGIC(0, "ID3", MEDIA),
	MAGIC(0, "OggS", MEDIA), MAGIC(0, "fLaC", MEDIA), MAGIC(8, "WAVE", MEDIA), MAGIC(8, "AVI ", MEDIA),
	MAGIC(0, "\x1a\x45\xdf\xa3", MEDIA), MAGIC(0, "FLV\1", MEDIA), MAGIC(0, "\0\0\1\xba", MEDIA), MAGIC(0, "\0\0\1\xb3", MEDIA),
	MAGIC(0, "\xff\xfb", MEDIA), MAGIC(0, "\xff\xf3", MEDIA), MAGIC(0, "\xff\xf2", MEDIA), MAGIC(0, "\xff\xf1", MEDIA),
	MAGIC(0, "\xff\xf9", MEDIA), MAGIC(0, "#!AMR", MEDIA), MAGIC(0, "\x30\x26\xb2\x75", MEDIA), MAGIC(0, "wOFF", MEDIA),
	MAGIC(0, "wOF2", MEDIA), MAGIC(0, "OTTO", MEDIA), MAGIC(0, "\0\1\0\0\0", MEDIA), MAGIC(0, "ttcf", MEDIA),
};

static const char *const type_names[] = {
	[TYPE_TEXT] = "text", [TYPE_IMAGE] = "image", [TYPE_MEDIA] = "media", [TYPE_DOCUMENT] = "document",
	[TYPE_SCRIPT] = "script", [TYPE_EXECUTABLE] = "executable", [TYPE_ARCHIVE] = "archive", [TYPE_UNKNOWN] = "unknown",
};

_Static_assert(sizeof(type_names) / sizeof(*type_names) == FILE_TYPES, "every type has a name");

enum { PDF_WITHIN = 1024, TEXT_ENOUGH = 128, DELETE = 0x7f,
	TS_PACKET = 188 };

/* Bits of the control characters that are in texts: BS, TAB, LF, FF, CR, ESC. */
#define TEXT_CONTROLS	(1u << 8 | 1u << 9 | 1u << 10 | 1u << 12 | 1u << 13 | 1u << 27)

const char *
file_type_name(enum file_type t)
{
	return type_names[t];
}

static bool
has_at(struct slice s, size_t at, struct slice bytes)
{
	return at < s.len && slice_starts(slice_skip(s, at), bytes);
}

static bool
is_zeros(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] != '\0')
			return false;
	return s.len > 0;
}

/* Tar before POSIX has no magic number, but a sum over its head. */
static bool
is_old_tar(struct slice s)
{
	bool weak;

	return s.len >= TAR_BLOCK && tar_sum_holds(s.p, &weak) && !weak;
}

/* No control characters but those that text has.  UTF-16 begins with its mark. */
static bool
is_text(struct slice s)
{
	if (slice_starts(s, SLICE("\xff\xfe")) || slice_starts(s, SLICE("\xfe\xff")))
		return true;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = (uint8_t)s.p[i];

		if (c == DELETE || (c < ' ' && (TEXT_CONTROLS >> c & 1) == 0))
			return false;
	}
	return true;
}

static struct slice
without_mark(struct slice s)
{
	if (slice_starts(s, SLICE("\xef\xbb\xbf")))
		s = slice_skip(s, 3);
	while (s.len > 0 && ascii_is_space(s.p[0]))
		s = slice_skip(s, 1);
	return s;
}

static enum file_type
type_by_magic(struct slice start)
{
	/* Most fail by their first byte: this is done for nearly every response. */
	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++)
		if (magics[i].at < start.len && start.p[magics[i].at] == magics[i].bytes.p[0] &&
		    has_at(start, magics[i].at, magics[i].bytes))
			return magics[i].type;
	if (is_old_tar(start))
		return TYPE_ARCHIVE;
	if (has_at(start, 0, SLICE("\x47")) && has_at(start, TS_PACKET, SLICE("\x47")))
		return TYPE_MEDIA;
	return TYPE_UNKNOWN;
}

/* A mark of a script may stand behind blanks and in any case. */
static bool
is_script(struct slice text)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++)
		if (magics[i].type == TYPE_SCRIPT && slice_istarts(text, magics[i].bytes))
			return true;
	return false;
}

enum file_type
file_type_of(struct slice start, bool whole)
{
	struct slice head = slice_head(start, TYPE_BYTES);
	enum file_type type = type_by_magic(start);

	/* A tar begins with the name of its first file, which can be that of a picture's magic number. */
	if ((type == TYPE_IMAGE || type == TYPE_MEDIA) && is_old_tar(start))
		return TYPE_ARCHIVE;
	if (type != TYPE_UNKNOWN)
		return type;
	if (is_zeros(head))
		return TYPE_ARCHIVE;
	if (start.len > 0 && memmem(start.p, slice_head(start, PDF_WITHIN).len, "%PDF-", 5) != NULL)
		return TYPE_DOCUMENT;
	if ((!whole && head.len < TEXT_ENOUGH) || !is_text(head))
		return TYPE_UNKNOWN;
	return is_script(without_mark(head)) ? TYPE_SCRIPT : TYPE_TEXT;
}
