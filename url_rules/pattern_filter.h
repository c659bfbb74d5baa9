/* pattern_filter.h - which of many patterns may hold for a path: one pass, whatever their number.
 *
 *	literal of a pattern:	-patch121.exe		four bytes of it that few others have, "atch", set a bit
 *	path:			/mail/id=x@y-patch121.exe	each four bytes ask one bit; on a hit the literal is compared
 *
 * ASCII letters are compared without case, so that what is found is a little more than what holds, never less.  For
 * path_patterns.c only.  A filter is immutable; any number of threads may ask it. */
#ifndef URL_RULES_PATTERN_FILTER_H
#define URL_RULES_PATTERN_FILTER_H

#include "url_rules/path_patterns.h"

enum { PATTERN_WORDS = (PATTERNS_MAX + 63) / 64 };

/* A bit for each pattern. */
struct pattern_candidates {
	uint64_t	set[PATTERN_WORDS];
};

struct pattern_filter;

/* A filter for the N canonical PATTERNS, at most PATTERNS_MAX, each with a literal of at least PATTERN_LITERAL_MIN bytes.  Keeps
 * nothing of them.  NULL without memory.  The caller's: pattern_filter_free(), for which NULL is fine. */
struct pattern_filter *pattern_filter_new(const struct slice *patterns, size_t n);
void pattern_filter_free(struct pattern_filter *f);

/* Whether a literal stands in PATH_QUERY; OUT is set only then. */
bool pattern_filter_ask(const struct pattern_filter *f, struct slice path_query, struct pattern_candidates *out);

#endif
