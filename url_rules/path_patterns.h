/* path_patterns.h - the path patterns one request is judged by, in a segment.
 *
 *	canonical URL --+-- host: is it, or a domain it lies in, named by a pattern?	-------+
 *			|								+-> candidates -> asked
 *			+-- path and query: four bytes of the literal of a pattern for all hosts? -+
 *
 * Opening reads the segment whole, compiles what is in it and keeps nothing of the segment.  From then on a table is immutable;
 * any number of threads may ask it without a lock.  Rules are known by their reference only: a u32 that the rows of the
 * layer (ruleset/rows.h) explain. */
#ifndef URL_RULES_PATH_PATTERNS_H
#define URL_RULES_PATH_PATTERNS_H

#include "base/diag.h"
#include "base/segment.h"
#include "url_rules/host_table.h"
#include "url_rules/path_pattern.h"

enum { PATTERNS_MAX = 1000, PATTERN_REGEXES_MAX = 100 };	/* of one table */

/* A pattern rule. */
struct pattern_match {
	uint32_t	 ref;
	uint16_t	 layer;		/* for who asks several tables */
	enum host_scope	 scope;		/* SCOPE_EXACT when for all hosts */
	struct slice	 host;		/* of the rule; empty: for all hosts.  Borrowed from the table */
	struct slice	 pattern;	/* canonical (path_pattern.h); borrowed from the table */
};

struct path_patterns;

/* Read SEGMENT (kind SEGMENT_PATTERNS), which may be closed afterwards.  A record that does not hold together, or cannot be
 * compiled here, is left out with a warning in DIAG, and counted by path_patterns_lost().  NULL with an error in DIAG when the
 * segment as a whole does not hold together, or without memory.  Cost: linear, and for each regular expression a
 * compilation. */
struct path_patterns *path_patterns_open(const struct segment *segment, struct diag *diag);

/* Free T; NULL is fine. */
void path_patterns_close(struct path_patterns *t);

/* Every rule that applies to URL, most specific first, by the order of pattern_cmp().  At most MAX are stored in OUT; the
 * result is how many apply, which may be more.  *UNCHECKED is set when a regular expression hit a limit or there was no memory:
 * some rule could not be checked.  Allocates only while it asks a regular expression.  Without a candidate the cost is one
 * pass over host and path. */
size_t path_patterns_match(const struct path_patterns *t, const struct url *url, struct pattern_match *out, size_t max,
    bool *unchecked);

/* The same, but that only rules are asked for whose reference COUNTS answers true with ARG: what does not count costs no more than
 * that, and cannot be unchecked. */
typedef bool pattern_counts(const void *arg, uint32_t ref);
size_t path_patterns_match_some(const struct path_patterns *t, const struct url *url, pattern_counts *counts, const void *arg,
    struct pattern_match *out, size_t max, bool *unchecked);

/* Rules that can be asked, and rules of the segment that cannot. */
size_t path_patterns_count(const struct path_patterns *t);
size_t path_patterns_lost(const struct path_patterns *t);

/* Rule I of those that can be asked, in the order of pattern_cmp(): for merging tables.  -1 when I is too high. */
int path_patterns_at(const struct path_patterns *t, size_t i, struct pattern_match *out);

/* The order of specificity: longer hosts first and none last, those of one length by name; then longer patterns; then pattern,
 * scope and reference, so that only the same rule is equal. */
int pattern_cmp(const struct pattern_match *a, const struct pattern_match *b);

/* ---- the compiler ---- */

struct pattern_builder;

/* An empty builder; NULL without memory.  The caller's: pattern_builder_free(), for which NULL is fine. */
struct pattern_builder *pattern_builder_new(void);
void pattern_builder_free(struct pattern_builder *b);

/* Add RULE, whose bytes are copied.  -1 without memory (ENOMEM), or when its host is longer than HOST_MAX, its pattern empty or
 * longer than PATTERN_MAX, or its scope impossible (ERANGE). */
int pattern_builder_add(struct pattern_builder *b, const struct pattern_match *rule);

/* Rules added. */
size_t pattern_builder_count(const struct pattern_builder *b);

/* Write the segment to PATH.  The result depends on what was added, not on the order; a rule added twice is written once.  -1
 * with an error in DIAG, also for a pattern that is not canonical or cannot be compiled, for more than PATTERNS_MAX rules,
 * and for more than PATTERN_REGEXES_MAX regular expressions. */
int pattern_builder_write(struct pattern_builder *b, const char *path, uint64_t *len,
    uint8_t sha256[static SEGMENT_SHA256], struct diag *diag);

#endif
