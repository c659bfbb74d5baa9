/* variant.h - what the note of a file rule says when an alert made it: "variant 2 of 3 of TITLE, published 2009-10-28".
 *
 * The page says it in the reader's language.  Any other note is the site's own, and no page shows it.  Pure. */
#ifndef RULESET_VARIANT_H
#define RULESET_VARIANT_H

#include "base/buf.h"

struct file_variant {
	uint64_t	 k, n;		/* the K-th of N files */
	struct slice	 title;		/* of the alert */
	struct slice	 published;	/* a date, or empty */
};

/* Append V as a note. */
int file_variant_format(const struct file_variant *v, struct buf *out);

/* Read NOTE, of which OUT borrows; false when it is another one. */
bool file_variant_parse(struct slice note, struct file_variant *out);

#endif
