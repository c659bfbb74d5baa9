/* output.h - where a verb writes what may be long: standard output, or a file that is the old one until all is there. */
#ifndef COMMAND_OUTPUT_H
#define COMMAND_OUTPUT_H

#include "base/slice.h"
#include "command/call.h"

struct output {
	const char	*path;	/* NULL: standard output */
	char		*beside;	/* what becomes PATH; NULL: nothing does */
	int		 fd;
};

/* Begin to write for PATH, NULL or "-" for standard output; what is no ordinary file, such as a pipe, is written to as it is.  -1
 * after saying why not. */
int output_begin(struct output *o, const struct call *c, const char *path);

/* The next piece; ARG is a struct output.  -1 with errno. */
int output_put(void *arg, struct slice text);

/* End: PATH is what was put, when KEEP; else it is as it was, as also after -1, which is said. */
int output_end(struct output *o, const struct call *c, bool keep);

#endif
