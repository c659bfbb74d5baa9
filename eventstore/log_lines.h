/* log_lines.h - the lines of a log file from any offset on, in bounded memory, whatever the file holds.
 *
 * A line is what ends in a newline: a writer may be in the middle of the last one.  One thread. */
#ifndef EVENTSTORE_LOG_LINES_H
#define EVENTSTORE_LOG_LINES_H

#include "base/buf.h"
#include "eventstore/log_bytes.h"

enum { LOG_LINE_MAX = 1 << 20 };	/* a longer line is damage */

struct log_lines {
	struct log_bytes *bytes;
	int64_t		 at;		/* offset in the text of HELD's byte FROM */
	size_t		 from;
	struct buf	 held;
	bool		 skipping;	/* inside a line that is too long */
};

/* The lines of BYTES, the caller's, from where it stands on: a line begins there. */
void log_lines_init(struct log_lines *l, struct log_bytes *bytes);
void log_lines_fini(struct log_lines *l);

enum log_line { LOG_LINE, LOG_LINE_TOO_LONG, LOG_LINE_END, LOG_LINE_FAILED };

/* The next line without its newline into *LINE, borrowed until the next call, and where it begins into *AT; the next one begins
 * at l->at.  LOG_LINE_TOO_LONG: it was passed over, *LINE is empty.  LOG_LINE_FAILED: errno says why, as for
 * log_bytes_read(). */
enum log_line log_lines_next(struct log_lines *l, struct slice *line, int64_t *at);

/* Bytes after the last newline, once the end was met. */
int64_t log_lines_torn(const struct log_lines *l);

#endif
