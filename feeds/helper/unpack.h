/* unpack.h - the bytes of the list in what came from an origin, whether it is packed or not.
 *
 *	plain | gzip | gzip of a gzip | zip with one member, whose name is that of a list
 *
 * Bounded: what comes out, and UNPACK_RATIO times what went in.  Streaming; one thread. */
#ifndef FEEDS_HELPER_UNPACK_H
#define FEEDS_HELPER_UNPACK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { UNPACK_RATIO = 200, UNPACK_WHY = 200 };

struct unpack;

/* The file FD, read by pread(2).  GZIP: it must be one.  NULL without memory, or with WHY set.  The caller's: unpack_close(). */
struct unpack *unpack_open(int fd, bool gzip, uint64_t max, char why[static UNPACK_WHY]);
void unpack_close(struct unpack *u);

/* The next bytes, up to SIZE: how many; 0 at the end; -1 with WHY. */
ssize_t unpack_read(struct unpack *u, char *buf, size_t size, char why[static UNPACK_WHY]);

#endif
