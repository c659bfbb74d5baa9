/* rows.h - what the rules of one layer say: a mapped table, in the order of their sources.
 *
 *	reference ->  block of 16 rows ->  row: head, line or label, name
 *	              |                            |
 *	              source: a range of rows      action, level, revision, dates, alert, note: shared by many rows
 *
 * What a rule matches is not here: who found it by host or digest knows (struct rule_key).  Immutable; any number of threads ask
 * without a lock.  Rows are verified when used. */
#ifndef RULESET_ROWS_H
#define RULESET_ROWS_H

#include "base/diag.h"
#include "base/segment.h"
#include "ruleset/rule.h"

struct rows;

/* Take over SEGMENT (kind SEGMENT_RULES), which must outlive the result.  NULL with an error in DIAG. */
struct rows *rows_open(const struct segment *segment, struct diag *diag);
void rows_close(struct rows *r);

/* Rows, and sources; references are 0 to the number of rows less 1. */
uint32_t rows_count(const struct rows *r);
size_t rows_sources(const struct rows *r);

/* What a source has, by kind; files by algorithm; those without a size, and patterns that are regular expressions,
 * once more; files by name; exceptions. */
enum row_count { COUNT_PROTECTS, COUNT_HOSTS, COUNT_URLS, COUNT_PATTERNS, COUNT_ADDRESSES, COUNT_FILES,
	COUNT_SIZELESS = COUNT_FILES + DIGEST_ALGS, COUNT_REGEXES = COUNT_SIZELESS + DIGEST_ALGS, COUNT_NAMES, COUNT_EXCEPTIONS,
	ROW_COUNTS };

struct row_source {
	struct slice	name;		/* borrowed from the rows */
	uint32_t	first, n;	/* its rows */
	bool		delta;		/* only what changed since the layers before this one: its first row stands for what was removed */
	uint64_t	counts[ROW_COUNTS];	/* of the whole source, also of a delta */
};

/* How many rules COUNTS say. */
uint64_t row_counts_rules(const uint64_t counts[static ROW_COUNTS]);

/* Rules of S: more than its rows when it is a feed. */
uint64_t row_source_rules(const struct row_source *s);

/* Source I, which is less than rows_sources(). */
struct row_source rows_source(const struct rows *r, size_t i);

/* The same, borrowed from R. */
const struct row_source *rows_source_at(const struct rows *r, size_t i);

/* The index of source NAME; rows_sources() when it has none of that name. */
size_t rows_find(const struct rows *r, struct slice name);

/* Which source row REF is of; rows_sources() when none.  Logarithmic in the number of sources. */
size_t rows_source_of(const struct rows *r, uint32_t ref);

/* What row REF says into OUT: all but kind, key, id and value; its slices are borrowed from R, but for the name, which is put
 * together in NAME (NULL: no name is wanted).  -1 when REF or what it leads to does not hold together.  Reads one block. */
int rows_get(const struct rows *r, uint32_t ref, char name[RULE_NAME_MAX], struct rule *out);

/* ---- the compiler ---- */

struct rows_builder;

/* Begin the segment that rows_builder_write() puts in its place, PATH; rows are written as they come.  NULL with an error in
 * DIAG, which must outlive the builder. */
struct rows_builder *rows_builder_new(const char *path, struct diag *diag);
void rows_builder_free(struct rows_builder *b);

/* The rows that follow are of source NAME: each source once, in any order. */
int rows_builder_source(struct rows_builder *b, struct slice name);

/* The source of now, which has no row yet, is a delta: row 0 of it, which this adds, is that of what was removed. */
int rows_builder_delta(struct rows_builder *b, uint32_t *removed);

/* The source of now, which has no row yet, is one as S says, and its rows are copied. */
void rows_builder_like(struct rows_builder *b, const struct row_source *s);

/* Store RULE (all but its key; texts are copied) and give its reference, which rules of one source that say the same without a
 * line, a label or a name share.  -1 without memory,
 * or with errno EFBIG when there are too many. */
int rows_builder_add(struct rows_builder *b, const struct rule *rule, uint32_t *ref);

/* The same, as a row of its own: what is copied keeps its place in its source. */
int rows_builder_copy(struct rows_builder *b, const struct rule *rule, uint32_t *ref);

/* Count a rule for the source of now. */
void rows_builder_count(struct rows_builder *b, enum row_count kind, uint64_t n);

/* Source I as it stands in the builder: its name is borrowed until the next call. */
size_t rows_builder_sources(const struct rows_builder *b);
struct row_source rows_builder_get_source(const struct rows_builder *b, size_t i);

/* Rows so far. */
uint32_t rows_builder_rows(const struct rows_builder *b);

/* Write what is left and put the segment into its place.  Once a builder; -1 with an error in DIAG. */
int rows_builder_write(struct rows_builder *b, uint64_t *len, uint8_t sha256[static SEGMENT_SHA256]);

#endif
