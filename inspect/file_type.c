#include "inspect/file_type.h"

#include "base/bytes.h"
#include "inspect/tar_sum.h"

/* A magic number: bytes that begin at AT. */
struct magic {
	unsigned	 at;
	struct slice	 bytes;
	enum file_type	 type;
};

#define MAGIC(at, bytes, type)	{ at, { bytes, sizeof(bytes) - 1 }, TYPE_##type }
#define BEGINS(bytes, type)	MAGIC(0, bytes, type)
#define MAGICS(...)		((const struct magic[]){ __VA_ARGS__, { 0, { NULL, 0 }, TYPE_UNKNOWN } })

/* Those at the very beginning, by their first byte: this is asked for nearly every response. */
static const struct magic *const first_bytes[UINT8_MAX + 1] = {
	[0x00] = MAGICS(BEGINS("\0asm", EXECUTABLE), BEGINS("\0\0\1\0", IMAGE), BEGINS("\0\0\2\0", IMAGE),
	    BEGINS("\0\0\0\x0cjP  ", IMAGE), BEGINS("\0\0\0\x0cJXL ", IMAGE), BEGINS("\0\0\1\xba", MEDIA),
	    BEGINS("\0\0\1\xb3", MEDIA), BEGINS("\0\1\0\0\0", MEDIA)),
	[0x02] = MAGICS(BEGINS("\x02\x21\x4c\x18", ARCHIVE)),
	[0x04] = MAGICS(BEGINS("\x04\x22\x4d\x18", ARCHIVE)),
	[0x1a] = MAGICS(BEGINS("\x1a\x45\xdf\xa3", MEDIA)),
	[0x1f] = MAGICS(BEGINS("\x1f\x8b", ARCHIVE), BEGINS("\x1f\x9d", ARCHIVE), BEGINS("\x1f\xa0", ARCHIVE)),
	['!'] = MAGICS(BEGINS("!<arch>\n", ARCHIVE)),
	['#'] = MAGICS(BEGINS("#!", SCRIPT)),
	['%'] = MAGICS(BEGINS("%PDF", DOCUMENT), BEGINS("%!PS", DOCUMENT)),
	[0x28] = MAGICS(BEGINS("\x28\xb5\x2f\xfd", ARCHIVE)),
	['0'] = MAGICS(BEGINS("070701", ARCHIVE), BEGINS("070702", ARCHIVE), BEGINS("070707", ARCHIVE),
	    BEGINS("\x30\x26\xb2\x75", MEDIA)),
	['7'] = MAGICS(BEGINS("7z\xbc\xaf\x27\x1c", ARCHIVE)),
	['8'] = MAGICS(BEGINS("8BPS", IMAGE)),
	['<'] = MAGICS(BEGINS("<?php", SCRIPT), BEGINS("<job", SCRIPT), BEGINS("<hta:", SCRIPT)),
	['@'] = MAGICS(BEGINS("@echo ", SCRIPT)),
	['B'] = MAGICS(BEGINS("BZh", ARCHIVE)),
	['C'] = MAGICS(BEGINS("CWS", EXECUTABLE)),
	['F'] = MAGICS(BEGINS("FWS", EXECUTABLE), BEGINS("FLV\1", MEDIA)),
	['G'] = MAGICS(BEGINS("GIF8", IMAGE)),
	['I'] = MAGICS(BEGINS("ITSF", ARCHIVE), BEGINS("II*\0", IMAGE), BEGINS("ID3", MEDIA)),
	['L'] = MAGICS(BEGINS("LZIP", ARCHIVE), BEGINS("L\0\0\0\1\x14\2\0", EXECUTABLE)),
	['M'] = MAGICS(BEGINS("MSCF", ARCHIVE), BEGINS("MSWIM\0\0\0", ARCHIVE), BEGINS("MZ", EXECUTABLE), BEGINS("MM\0*", IMAGE)),
	['O'] = MAGICS(BEGINS("OggS", MEDIA), BEGINS("OTTO", MEDIA)),
	['P'] = MAGICS(BEGINS("PK\3\4", ARCHIVE), BEGINS("PK\5\6", ARCHIVE), BEGINS("PK\7\10", ARCHIVE)),
	['R'] = MAGICS(BEGINS("Rar!\x1a\x07", ARCHIVE)),
	['Z'] = MAGICS(BEGINS("ZWS", EXECUTABLE)),
	[0x5d] = MAGICS(BEGINS("\x5d\0\0", ARCHIVE)),
	[0x60] = MAGICS(BEGINS("\x60\xea", ARCHIVE)),
	['c'] = MAGICS(BEGINS("conectix", ARCHIVE)),
	['d'] = MAGICS(BEGINS("dex\n", EXECUTABLE)),
	['f'] = MAGICS(BEGINS("fLaC", MEDIA)),
	['h'] = MAGICS(BEGINS("hsqs", ARCHIVE)),
	['q'] = MAGICS(BEGINS("\x71\xc7", ARCHIVE)),
	['t'] = MAGICS(BEGINS("ttcf", MEDIA)),
	['v'] = MAGICS(BEGINS("vhdxfile", ARCHIVE)),
	['w'] = MAGICS(BEGINS("wOFF", MEDIA), BEGINS("wOF2", MEDIA)),
	['x'] = MAGICS(BEGINS("xar!", ARCHIVE)),
	['{'] = MAGICS(BEGINS("{\\rtf", DOCUMENT)),
	[0x7f] = MAGICS(BEGINS("\x7f" "ELF", EXECUTABLE)),
	[0x89] = MAGICS(BEGINS("\x89PNG\r\n\x1a\n", IMAGE)),
	[0xc7] = MAGICS(BEGINS("\xc7\x71", ARCHIVE)),
	[0xca] = MAGICS(BEGINS("\xca\xfe\xba\xbe", EXECUTABLE)),
	[0xce] = MAGICS(BEGINS("\xce\xfa\xed\xfe", EXECUTABLE)),
	[0xcf] = MAGICS(BEGINS("\xcf\xfa\xed\xfe", EXECUTABLE)),
	[0xd0] = MAGICS(BEGINS("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", DOCUMENT)),
	[0xe4] = MAGICS(BEGINS("\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", DOCUMENT)),
	[0xed] = MAGICS(BEGINS("\xed\xab\xee\xdb", ARCHIVE)),
	[0xfd] = MAGICS(BEGINS("\xfd" "7zXZ\0", ARCHIVE)),
	[0xfe] = MAGICS(BEGINS("\xfe\xed\xfa\xce", EXECUTABLE), BEGINS("\xfe\xed\xfa\xcf", EXECUTABLE)),
	[0xff] = MAGICS(BEGINS("\xff\xd8\xff", IMAGE), BEGINS("\xff\x0a", IMAGE), BEGINS("\xff\xfb", MEDIA),
	    BEGINS("\xff\xf3", MEDIA), BEGINS("\xff\xf2", MEDIA), BEGINS("\xff\xf1", MEDIA), BEGINS("\xff\xf9", MEDIA)),
};

/* Those behind something else; the first that fits counts. */
static const struct magic *const inner_archives = MAGICS(
	MAGIC(1, "\x2a\x4d\x18", ARCHIVE), MAGIC(257, "ustar", ARCHIVE), MAGIC(2, "-lh", ARCHIVE), MAGIC(2, "-lz", ARCHIVE),
	MAGIC(2, "-pm", ARCHIVE), MAGIC(7, "**ACE**", ARCHIVE), MAGIC(32769, "CD001", ARCHIVE)
);
static const struct magic *const inner_media = MAGICS(
	MAGIC(8, "WEBP", IMAGE), MAGIC(4, "ftypavif", IMAGE), MAGIC(4, "ftypheic", IMAGE), MAGIC(4, "ftypmif1", IMAGE),
	MAGIC(4, "ftyp", MEDIA), MAGIC(4, "moov", MEDIA), MAGIC(4, "styp", MEDIA), MAGIC(4, "moof", MEDIA), MAGIC(8, "WAVE", MEDIA),
	MAGIC(8, "AVI ", MEDIA)
);

/* A mark of a script may stand behind blanks and in any case. */
static const struct slice script_marks[] = { SLICE("#!"), SLICE("<?php"), SLICE("@echo "), SLICE("<job"), SLICE("<hta:") };

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

static bool
is_text_byte(uint8_t c)
{
	return c != DELETE && (c >= ' ' || (TEXT_CONTROLS >> c & 1) != 0);
}

/* None of the eight bytes in WORD is a control character; nor one that text has. */
static bool
has_no_control(uint64_t word)
{
	const uint64_t ones = UINT64_MAX / UINT8_MAX, highs = ones << 7, deletes = word ^ ones * DELETE;

	return (((word - ones * ' ') & ~word) & highs) == 0 && (((deletes - ones) & ~deletes) & highs) == 0;
}

/* No control characters but those that text has.  UTF-16 begins with its mark. */
static bool
is_text(struct slice s)
{
	size_t i = 0;

	if (slice_starts(s, SLICE("\xff\xfe")) || slice_starts(s, SLICE("\xfe\xff")))
		return true;
	while (i < s.len)
		if (s.len - i >= sizeof(uint64_t) && has_no_control(bytes_u64(s.p + i)))
			i += sizeof(uint64_t);
		else if (!is_text_byte((uint8_t)s.p[i++]))
			return false;
	return true;
}

static bool
has_pdf_mark(struct slice s)
{
	const struct slice mark = SLICE("%PDF-");
	size_t at;

	while ((at = slice_find(s, mark.p[0])) < s.len) {
		s = slice_skip(s, at);
		if (slice_starts(s, mark))
			return true;
		s = slice_skip(s, 1);
	}
	return false;
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

/* The first of MAGICS that fits. */
static enum file_type
find_magic(const struct magic *magics, struct slice start)
{
	for (const struct magic *m = magics; m != NULL && m->bytes.len > 0; m++)
		if (m->at < start.len && start.p[m->at] == m->bytes.p[0] && has_at(start, m->at, m->bytes))
			return m->type;
	return TYPE_UNKNOWN;
}

/* An archive counts before all, and a picture before sound and video, wherever their magic numbers are. */
static enum file_type
type_by_magic(struct slice start)
{
	enum file_type type, behind;

	if (find_magic(inner_archives, start) == TYPE_ARCHIVE)
		return TYPE_ARCHIVE;
	type = start.len == 0 ? TYPE_UNKNOWN : find_magic(first_bytes[(uint8_t)start.p[0]], start);
	if (type != TYPE_UNKNOWN && type != TYPE_MEDIA)
		return type;
	behind = find_magic(inner_media, start);
	if (type == TYPE_UNKNOWN || behind == TYPE_IMAGE)
		type = behind;
	if (type != TYPE_UNKNOWN)
		return type;
	if (is_old_tar(start))
		return TYPE_ARCHIVE;
	if (has_at(start, 0, SLICE("\x47")) && has_at(start, TS_PACKET, SLICE("\x47")))
		return TYPE_MEDIA;
	return TYPE_UNKNOWN;
}

static bool
is_script(struct slice text)
{
	for (size_t i = 0; i < sizeof(script_marks) / sizeof(*script_marks); i++)
		if (slice_istarts(text, script_marks[i]))
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
	if (has_pdf_mark(slice_head(start, PDF_WITHIN)))
		return TYPE_DOCUMENT;
	if ((!whole && head.len < TEXT_ENOUGH) || !is_text(head))
		return TYPE_UNKNOWN;
	return is_script(without_mark(head)) ? TYPE_SCRIPT : TYPE_TEXT;
}
