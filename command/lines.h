/* lines.h - an operand, or standard input a line at a time. */
#ifndef COMMAND_LINES_H
#define COMMAND_LINES_H

#include "base/slice.h"

/* What is done with one text; the exit status that it makes. */
typedef int line_do(void *arg, struct slice text);

/* DO the operand TEXT; for "-" each line of standard input, without its newline.  The highest exit status, EXIT_TROUBLE when
 * standard input could not be read to its end. */
int lines_do(const char *text, line_do *what, void *arg);

#endif
