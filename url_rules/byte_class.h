/* byte_class.h - what a byte is to a URL, one look-up each.  For url.c and host.c. */
#ifndef URL_RULES_BYTE_CLASS_H
#define URL_RULES_BYTE_CLASS_H

#include "base/slice.h"

enum byte_class {
	BYTE_VANISHES = 1,	/* tab, CR and LF, which browsers drop anywhere */
	BYTE_ENDS_LINK = 2,	/* the host of a link, as browsers read it */
	BYTE_ENDS_REQUEST = 4,	/* the host of a request target, as Squid reads it */
	BYTE_ESCAPED = 8,	/* Safe Browsing v4 writes it as %HH in a path; a query may have '?' */
	BYTE_NO_NAME = 16,	/* forbidden host code points (WHATWG URL Standard 3.1), and what is not ASCII */
	BYTE_SLASH = 32,	/* either of them: what ends a segment of a path */
};

static const uint8_t byte_classes[256] = {
	[0x00 ... 0x08] = BYTE_ESCAPED | BYTE_NO_NAME,
	['\t'] = BYTE_ESCAPED | BYTE_NO_NAME | BYTE_VANISHES,
	['\n'] = BYTE_ESCAPED | BYTE_NO_NAME | BYTE_VANISHES,
	[0x0b ... 0x0c] = BYTE_ESCAPED | BYTE_NO_NAME,
	['\r'] = BYTE_ESCAPED | BYTE_NO_NAME | BYTE_VANISHES,
	[0x0e ... 0x20] = BYTE_ESCAPED | BYTE_NO_NAME,
	['#'] = BYTE_ESCAPED | BYTE_NO_NAME | BYTE_ENDS_LINK | BYTE_ENDS_REQUEST,
	['%'] = BYTE_ESCAPED | BYTE_NO_NAME,
	['/'] = BYTE_SLASH | BYTE_NO_NAME | BYTE_ENDS_LINK | BYTE_ENDS_REQUEST,
	[':'] = BYTE_NO_NAME,
	['<'] = BYTE_NO_NAME,
	['>'] = BYTE_NO_NAME,
	['?'] = BYTE_ESCAPED | BYTE_NO_NAME | BYTE_ENDS_LINK | BYTE_ENDS_REQUEST,
	['@'] = BYTE_NO_NAME,
	['['] = BYTE_NO_NAME,
	['\\'] = BYTE_SLASH | BYTE_NO_NAME | BYTE_ENDS_LINK,
	[']'] = BYTE_NO_NAME,
	['^'] = BYTE_NO_NAME,
	['|'] = BYTE_NO_NAME,
	[0x7f ... 0xff] = BYTE_ESCAPED | BYTE_NO_NAME,
};

static inline bool
byte_is(char c, unsigned classes)
{
	return (byte_classes[(unsigned char)c] & classes) != 0;
}

/* Where the first byte of one of CLASSES stands in S; S.len when none does. */
static inline size_t
find_byte(struct slice s, unsigned classes)
{
	size_t i = 0;

	while (i < s.len && !byte_is(s.p[i], classes))
		i++;
	return i;
}

#endif
