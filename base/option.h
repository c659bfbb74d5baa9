/* option.h - option tables: name, type, bounds, default and help in one place, for code, man page and sample.
 *
 * A table is written once as NAME.def, a file of lines
 *	OPTION(name, TYPE, "unit", min, max, "default", "words", "help")
 * that is included with OPTION defined first to make the members of a struct and then to make the table:
 *	struct site { #define OPTION OPTION_MEMBER ... };
 * In files an option is written CamelCase or snake_case: "HoldTail", "hold_tail" and "holdtail" are one.
 * Values are copied into the struct; option_fini() frees the strings.  Pure; one thread at a time. */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include "base/buf.h"
#include "base/diag.h"

enum option_type {
	OPTION_INT,	/* int64_t: a number in UNIT */
	OPTION_SIZE,	/* int64_t: bytes; k, m, g and t are powers of 1024 */
	OPTION_SPAN,	/* int64_t: seconds; s, m, h, d, w */
	OPTION_BOOL,	/* int64_t: yes or no, on or off */
	OPTION_WORD,	/* int64_t: the index in WORDS, "page|mark" */
	OPTION_SET,	/* int64_t: a mask, bit i for word i of WORDS; "a b", "none" */
	OPTION_TEXT,	/* char *: any text, never NULL */
	OPTION_LIST,	/* char *: words that add up over lines, separated by one space, never NULL */
};

struct option {
	const char		*name;		/* snake_case */
	enum option_type	 type;
	const char		*unit;		/* for people */
	int64_t			 min, max;	/* of numbers; for text and lists the bytes that are allowed */
	const char		*dflt;
	const char		*words;		/* of OPTION_WORD and OPTION_SET */
	const char		*help;		/* one or two sentences */
	size_t			 offset;	/* of the member in the struct */
};

enum { OPTION_WHY = 200, OPTION_NAME = 64 };	/* bytes of a reason, and of a CamelCase name, with the NUL */

#define OPTION_C_INT	int64_t
#define OPTION_C_SIZE	int64_t
#define OPTION_C_SPAN	int64_t
#define OPTION_C_BOOL	int64_t
#define OPTION_C_WORD	int64_t
#define OPTION_C_SET	int64_t
#define OPTION_C_TEXT	char *
#define OPTION_C_LIST	char *
#define OPTION_MEMBER(name, type, unit, min, max, dflt, words, help)	OPTION_C_##type name;
#define OPTION_ROW(str, name, type, unit, min, max, dflt, words, help)	\
	{ #name, OPTION_##type, unit, min, max, dflt, words, help, offsetof(str, name) },

/* Set every option of TABLE (N rows) in STRUCT_AT to its default.  -1 without memory.  A default that its own
 * bounds refuse is a bug and asserted. */
int option_defaults(const struct option *table, size_t n, void *struct_at);

/* Free the strings of STRUCT_AT and zero its options. */
void option_fini(const struct option *table, size_t n, void *struct_at);

/* The row of that name; NULL when there is none. */
const struct option *option_find(const struct option *table, size_t n, struct slice name);

/* Set one option from VALUE.  On -1 the option is as it was and WHY says what was
 * wrong with the value. */
int option_set(const struct option *row, void *struct_at, struct slice value, char why[static OPTION_WHY]);

/* Read TEXT, lines of "Name value" or "name = value" with # comments and optional double quotes, into
 * STRUCT_AT.  Every bad line goes to DIAG under FILE; good lines are applied all the same.  -1 when there
 * was an error. */
int option_parse(const struct option *table, size_t n, void *struct_at, const char *file, struct slice text,
    struct diag *diag);

/* Append the value of ROW as option_set() would read it back. */
int option_format(const struct option *row, const void *struct_at, struct buf *out);

/* Append a commented sample of the whole table: help, unit, bounds and the default of each. */
int option_sample(const struct option *table, size_t n, struct buf *out);

/* Append the table as an mdoc list (.Bl ... .El) for a man page. */
int option_mdoc(const struct option *table, size_t n, struct buf *out);

/* "hold_tail" as "HoldTail" into OUT; cut when it does not fit. */
void option_camel(const char *name, char out[static OPTION_NAME]);

#endif
