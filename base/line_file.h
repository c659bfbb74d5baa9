/* line_file.h - the lines of a file of any length, one after the other, in little memory. */
#ifndef BASE_LINE_FILE_H
#define BASE_LINE_FILE_H

#include "base/slice.h"

/* A line without its '\n', borrowed until the visitor returns; other than 0 ends the reading. */
typedef int line_visit(void *arg, struct slice line);

/* Read FD to its end.  The last line may lack its '\n'.  A line of more than MAX bytes comes as its first MAX + 1 bytes, and what
 * follows of it is passed over.  0; what VISIT answered; -1 with errno. */
int line_file_read(int fd, size_t max, line_visit *visit, void *arg);

#endif
