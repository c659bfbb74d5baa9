/* percent.h - undoing percent-encoding (RFC 3986 2.1) however deep it was applied.  For url.c and host.c. */
#ifndef URL_RULES_PERCENT_H
#define URL_RULES_PERCENT_H

#include "base/slice.h"

/* Decode the LEN bytes at P in place until no "%HH" is left; the new length.
 *
 * Safe Browsing says to decode again and again.  Escapes never overlap (a '%' is no digit), so the order of
 * decoding does not change the result, and one pass is enough: whenever the last three bytes written are an
 * escape they become its byte.  "%252541" is "A" after one reading; the cost is linear for any depth. */
static inline size_t
percent_decode(char *p, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		p[n++] = p[i];
		while (n >= 3 && p[n - 3] == '%' && ascii_hex(p[n - 2]) >= 0 && ascii_hex(p[n - 1]) >= 0) {
			p[n - 3] = (char)(ascii_hex(p[n - 2]) << 4 | ascii_hex(p[n - 1]));
			n -= 2;
		}
	}
	return n;
}

#endif
