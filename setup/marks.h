/* marks.h - the lines that setup puts into a file, told from those of others, so that they can be taken out again.
 *
 *	# >>> firebreak setup: "firebreak undo" takes this out
 *	#was Port 1344
 *	Port 127.0.0.1:1344
 *	# <<< firebreak setup
 *
 * A line behind "#was " is what stood in the place of the block.  A block that was put behind a last line without a newline says so
 * in its first line, and that newline goes with it: what is taken out leaves the file byte for byte as it was. */
#ifndef SETUP_MARKS_H
#define SETUP_MARKS_H

#include "base/buf.h"

/* Append a block to OUT: the lines of WAS, which it stands for, and the text MORE, both of whole lines or empty. */
int marks_add(struct buf *out, struct slice was, struct slice more);

/* Append TEXT to OUT without its blocks, what they stand for in their place.  A block without an end is left as it is.  -1 when OUT
 * has no room. */
int marks_remove(struct slice text, struct buf *out);

/* TEXT has a block. */
bool marks_found(struct slice text);

#endif
