/* source_line.h - one line of a source as words, with the columns they stand in.  For source.c and exception.c. */
#ifndef RULESET_SOURCE_LINE_H
#define RULESET_SOURCE_LINE_H

#include "base/buf.h"
#include "base/diag.h"

enum { SOURCE_LINE_MAX = 65536, SOURCE_WORDS_MAX = 32 };

/* A word; for key=value KEY is what stands left of the first '=' outside quotes, else it is empty. */
struct word {
	struct slice	key, value;	/* without quotes, escapes undone */
	unsigned	col, value_col;	/* from 1; of a quoted value the quote */
	bool		quoted;
};

struct source_line {
	struct word	 words[SOURCE_WORDS_MAX];
	size_t		 n;
	struct buf	 store;		/* what quoted values point into */
};

/* Split TEXT (without its newline) into LINE, which was given to source_line_init() once; its slices hold until the
 * next call.  Comments are left out: n is 0 on an empty line.  -1 with a finding at FILE:NUMBER in DIAG. */
int source_line_split(struct source_line *line, const char *file, unsigned number, struct slice text,
    struct diag *diag);
void source_line_init(struct source_line *line);
void source_line_fini(struct source_line *line);

/* Append VALUE so that source_line_split() reads it back: bare where it can be, else in quotes. */
int source_line_quote(struct slice value, struct buf *out);

#endif
