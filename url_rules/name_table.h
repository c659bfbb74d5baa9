/* name_table.h - the file rules that go by a name, in a segment: patterns, and the size that a file must have besides.
 *
 * Opening reads the segment whole and keeps nothing of it.  From then on a table is immutable; any number of threads may ask it
 * without a lock.  Rules are known by their reference only: a u32 that the rows of the layer (ruleset/rows.h) explain. */
#ifndef URL_RULES_NAME_TABLE_H
#define URL_RULES_NAME_TABLE_H

#include "base/diag.h"
#include "base/text_rows.h"
#include "url_rules/name_pattern.h"

enum { NAMES_MAX = 1000, NAME_SIZE_ANY = 0 };	/* rules of one table */

struct name_match {
	uint32_t	 ref;
	uint16_t	 layer;		/* for who asks several tables */
	uint64_t	 size;		/* NAME_SIZE_ANY, or the one that was asked for */
	struct slice	 pattern;	/* canonical; borrowed from the table */
};

/* What a rule with the canonical PATTERN is remembered by; never 0. */
uint64_t name_rule_key(struct slice pattern);

struct name_table;

/* Read SEGMENT (kind SEGMENT_NAMES), which may be closed afterwards.  A record that does not hold together is left out with a
 * warning in DIAG, and counted by name_table_lost().  NULL with an error in DIAG when the segment as a whole does not hold
 * together, or without memory. */
struct name_table *name_table_open(const struct segment *segment, struct diag *diag);
void name_table_close(struct name_table *t);

/* Every rule that one of NAMES fits, or that their RULE is, and whose size is SIZE or any, those for any size first.  At most MAX
 * are stored; the result is how many there are.  No allocation; only patterns of that size, and of any, are asked. */
size_t name_table_match(const struct name_table *t, const struct file_names *names, uint64_t size, struct name_match *out,
    size_t max);

/* One of NAMES fits a rule, of whatever size. */
bool name_table_knows(const struct name_table *t, const struct file_names *names);

/* SIZE is that of a rule, or there is a rule for files of any size; the largest size of a rule, UINT64_MAX for any. */
bool name_table_has_size(const struct name_table *t, uint64_t size);
uint64_t name_table_max_size(const struct name_table *t);

/* Rules that can be asked, rules of the segment that cannot, and rule I of the first: -1 when I is too high. */
size_t name_table_count(const struct name_table *t);
size_t name_table_lost(const struct name_table *t);
int name_table_at(const struct name_table *t, size_t i, struct name_match *out);

/* ---- the compiler ---- */

/* Add RULE to B (base/text_rows.h), of which text_rows_builder_write() then makes the segment.  -1 without memory. */
int name_table_add(struct text_rows_builder *b, const struct name_match *rule);

/* B can be written: every pattern is canonical, and they are at most NAMES_MAX.  -1 with errors in DIAG under PATH. */
int name_table_check(struct text_rows_builder *b, const char *path, struct diag *diag);

#endif
