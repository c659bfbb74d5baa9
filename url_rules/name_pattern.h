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

enum name_class { NAME_BYTE, NAME_DIGIT, NAME_ALPHA, NAME_ALNUM, NAME_HEX, NAME_ANY, NAME_CLASSES };

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

/* Some of the places of a name: before its first byte, 0, to behind its last; or some of its bytes, each as the place before it. */
enum { NAME_WORDS = (FILE_NAME_MAX + 1) / 64 };

struct name_places {
	uint64_t	w[NAME_WORDS];
};

/* A name that patterns are asked about, and where in it each byte stands. */
struct asked_name {
	struct slice		 name;
	struct name_places	 end;		/* behind the last byte */
	uint8_t			 which[UINT8_MAX + 1];	/* of a byte, where in IN it is; 0: not in the name */
	struct name_places	 in[NAME_CLASSES + FILE_NAME_MAX];	/* of a class; of a byte; [NAME_BYTE] is nothing */
};

/* Prepare NAME, borrowed, which is as file_name.h has it. */
void name_ask(struct asked_name *out, struct slice name);

/* ITEMS fit NAME.  Most that do not cost a few comparisons; an item costs some instructions, one of many bytes some dozens, however
 * long the name is. */
bool name_pattern_fits(const struct name_item *items, size_t n_items, const struct asked_name *name);

#endif
