/* feed_file.h - an open file, shown to the reader of its format: a list by lines, a stream by portions, after its preview. */
#ifndef FEEDS_FEED_FILE_H
#define FEEDS_FEED_FILE_H

#include "feeds/feed.h"

/* Show FD to F, which has seen nothing yet: a list of lines from where FD stands, a stream from its beginning, twice when it is
 * previewed.  feed_end() is left to the caller, and so is FD.  0; what the visitor answered; -1 with errno.  Memory: a line, or a
 * quarter of a megabyte. */
int feed_file_read(struct feed *f, int fd);

#endif
