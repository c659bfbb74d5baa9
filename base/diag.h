/* diag.h - things that a person must fix, or should know: "file:line:col: error: text".
 *
 * A reader of hand-written input adds every finding and goes on; the caller decides what one error means
 * (usually: the whole file is refused).  Bounded: past DIAG_MAX the findings are only counted.  Nothing
 * here prints by itself.  One thread at a time. */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdio.h>

#include "base/slice.h"

enum diag_level { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

enum { DIAG_MAX = 1000 };

struct diag_entry {
	enum diag_level	 level;
	char		*file;		/* NULL when no file is meant */
	unsigned	 line, col;	/* from 1; 0 when not known */
	char		*text;		/* control characters and non-UTF-8 already escaped */
};

struct diag {
	struct diag_entry	*v;
	size_t			 n, cap;
	size_t			 n_errors, n_warnings;	/* also those that were not kept */
	size_t			 lost;			/* findings not kept: over DIAG_MAX or no memory */
};

/* An empty list.  A zeroed struct is one too. */
void diag_init(struct diag *d);

/* Free all findings; the list is then empty. */
void diag_fini(struct diag *d);

/* Add a finding.  FILE may be NULL.  D may be NULL: the finding is then dropped.  Never fails; without
 * memory it counts the finding as lost. */
void diag_add(struct diag *d, enum diag_level level, const char *file, unsigned line, unsigned col,
    const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* Move all findings of FROM, which is empty then, behind those of TO.  Without room or memory the rest counts as lost; TO may be
 * NULL: they are dropped.  Never fails. */
void diag_append(struct diag *to, struct diag *from);

/* An error without a place. */
#define diag_error(d, ...)	diag_add((d), DIAG_ERROR, NULL, 0, 0, __VA_ARGS__)

/* Print all findings to F, a line each, in the order they came, and how many were lost. */
void diag_print(const struct diag *d, FILE *f);

/* The first error's text, for a log line; "no error" when there is none.  Borrowed from D. */
const char *diag_first_error(const struct diag *d);

/* "error", "warning", "note". */
const char *diag_level_name(enum diag_level level);

/* Format one finding as diag_print() would, without newline, into OUT of SIZE bytes. */
void diag_format(const struct diag_entry *e, char *out, size_t size);

#endif
