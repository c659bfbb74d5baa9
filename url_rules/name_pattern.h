/* name_pattern.h - one pattern over a whole file name, in the notation of outbreak alerts.
 *
 *	patch{DIGIT[3]}.exe	three digits; {DIGIT[1-30]} one to thirty, {DIGIT} one
 *	FAX_id*.scr		* is any bytes, none included; ? is one byte
 *
 * Classes are DIGIT, ALPHA, ALNUM, HEX and ANY, all of ASCII but ANY; %HH is the byte itself, which blanks and the characters above
 * need.  ASCII letters count without case, as Windows compares names.  Pure and thread-safe. */
#ifndef URL_RULES_NAME_PATTERN_H
#define URL_RULES_NAME_PATTERN_H

#include "url_rules/file_name.h"

enum {
	NAME_PATTERN_MAX = 512,		/* bytes of a pattern */
	NAME_PATTERN_ITEMS = FILE_NAME_MAX,
	NAME_PATTERN_WHY = 160,		/* bytes of a reason, with the NUL */
	NAME_LITERAL_MIN = 4,		/* bytes before the ending that a pattern for files of any size must name */
};

enum name_class { NAME_BYTE, NAME_DIGIT, NAME_ALPHA, NAME_ALNUM, NAME_HEX, NAME_ANY };

/* MIN to MAX bytes of CLASS. */
struct name_item {
	uint8_t	class, byte, min, max;
};

struct name_pattern {
	size_t			 n, min, max;		/* items; bytes of a name that fits */
	struct name_item	 items[NAME_PATTERN_ITEMS];
};

/* Take TEXT apart.  -1 with the reason in WHY and the byte of TEXT where it shows in *AT. */
int name_pattern_parse(struct slice text, struct name_pattern *out, char why[static NAME_PATTERN_WHY], size_t *at);

/* Write P as a canonical text of at most NAME_PATTERN_MAX bytes, which parses to P; its length to *LEN.  -1 when it is longer. */
int name_pattern_format(const struct name_pattern *p, char out[static NAME_PATTERN_MAX], size_t *len);

/* Bytes before the last '.' (all, when there is none) that whatever fits has as they are written. */
size_t name_pattern_literal(const struct name_pattern *p);

/* P, of N_ITEMS items, fits NAME, which is as file_name.h has it.  Most names that do not fit cost a few comparisons; at most
 * NAME_PATTERN_ITEMS passes over the name. */
bool name_pattern_fits(const struct name_item *items, size_t n_items, struct slice name);

#endif
