/* operand.h - an operand, or standard input a line at a time. */
#ifndef COMMAND_OPERAND_H
#define COMMAND_OPERAND_H

#include "base/slice.h"

/* What is done with one text; the exit status that it makes. */
typedef int operand_use(void *arg, struct slice text);

/* Do WHAT with the operand TEXT; for "-" with each line of standard input, without its newline.  The highest exit status,
 * EXIT_TROUBLE when standard input could not be read to its end. */
int operand_do(const char *text, operand_use *what, void *arg);

#endif
