/* path_pattern.h - one pattern over a canonical path and query: a glob, or "~" and a regular expression.
 *
 *	/mail/id=*-patch*.exe		a glob: * is any bytes, none included, '/' and '?' too; '?' is the mark of the query,
 *					as in URLs; nothing else is special.  It holds for the whole path and query.
 *	~-patch[0-9]+\.exe(\?|$)	PCRE2 of bytes, which may hold for a part, and whose cost is bounded.
 *
 * Everything here is pure and thread-safe, and letters count as they are written, as in paths. */
#ifndef URL_RULES_PATH_PATTERN_H
#define URL_RULES_PATH_PATTERN_H

#include "base/slice.h"

enum {
	PATTERN_MAX = 1024,		/* bytes of a pattern */
	PATTERN_LITERAL_MIN = 4,	/* bytes that every match of a pattern for all hosts must contain, side by side */
	PATTERN_WHY = 200,		/* bytes of a reason, with the NUL */
};

/* TEXT is a regular expression, the '~' included. */
bool pattern_is_regex(struct slice text);

/* Bring TEXT, as a person writes it, into canonical form: escapes of a glob as canonical URLs have them, a run of * as one; a
 * regular expression stays as it is, if it can be compiled.  With EVERYWHERE it must also have a literal of
 * PATTERN_LITERAL_MIN bytes.  Its length goes to *LEN, no NUL.  -1 with the reason in WHY and the byte of TEXT where it shows
 * in *AT. */
int pattern_canonical(struct slice text, bool everywhere, char out[static PATTERN_MAX], size_t *len,
    char why[static PATTERN_WHY], size_t *at);

/* The longest run of bytes that whatever matches the canonical pattern TEXT contains, into OUT; 0 when none is known.  Of a
 * regular expression only what stands outside of groups, classes and alternatives counts, and the run is contained when
 * ASCII letters are compared without case. */
size_t pattern_literal(struct slice text, char out[static PATTERN_MAX]);

/* The canonical glob GLOB holds for all of PATH_QUERY.  Cost is linear in both. */
bool glob_match(struct slice glob, struct slice path_query);

/* ---- regular expressions ---- */

struct regex;

enum regex_result {
	REGEX_NO,
	REGEX_YES,
	REGEX_UNCHECKED,	/* a limit was hit, or there was no memory */
};

/* Compile TEXT, with its '~', for asking it often: with the just-in-time compiler where there is one.  NULL with the reason
 * in WHY and the byte of TEXT where it shows in *AT.  The caller's: regex_free(), for which NULL is fine. */
struct regex *regex_compile(struct slice text, char why[static PATTERN_WHY], size_t *at);
void regex_free(struct regex *r);

/* Whether R holds for a part of PATH_QUERY.  At most about 4,000,000 steps and 4 MiB, for all starts together.  Any number of
 * threads may ask one R. */
enum regex_result regex_match(const struct regex *r, struct slice path_query);

#endif
