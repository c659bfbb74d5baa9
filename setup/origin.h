/* origin.h - a web server of our own for a moment, on a port of 127.0.0.1: it has a few bodies and closes each connection.
 *
 * One thread, one connection at a time; a client that says nothing is left after a few seconds. */
#ifndef SETUP_ORIGIN_H
#define SETUP_ORIGIN_H

#include "base/buf.h"

struct origin_body {
	const char	*path;		/* "/x" */
	const char	*type;
	const char	*coding;	/* Content-Encoding; NULL */
	struct slice	 bytes;
};

struct origin;

/* Serve the N BODIES, which must outlive it.  NULL with errno.  The caller's: origin_stop(). */
struct origin *origin_start(const struct origin_body *bodies, size_t n);
void origin_stop(struct origin *o);

unsigned origin_port(const struct origin *o);

#endif
