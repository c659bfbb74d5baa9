/* lookup.h - the addresses of a host's name, with a bound on how long that may take: resolvers have none that one could rely on.
 *
 * A thread asks; who waits no longer leaves it alone, and may wait for the same answer again. */
#ifndef EVENTSTORE_LOOKUP_H
#define EVENTSTORE_LOOKUP_H

#include <netdb.h>
#include <stdbool.h>

struct lookup;

/* What lookup_wait() says besides what getaddrinfo(3) says: all of that is 0 or, in glibc, negative. */
enum { LOOKUP_LATE = 1 };

/* Begin to ask for HOST and PORT, for datagrams or else a stream.  NULL with errno.  The caller's: lookup_free(). */
struct lookup *lookup_new(const char *host, const char *port, bool datagrams);

/* Wait MS at most, or until a signal comes.  0: the addresses are in *OUT, once: the caller's, freeaddrinfo().  LOOKUP_LATE: there
 * is no answer yet.  Else what getaddrinfo(3) says, with errno for EAI_SYSTEM. */
int lookup_wait(struct lookup *l, int ms, struct addrinfo **out);

/* What still asks goes on, and keeps what it needs until it ends. */
void lookup_free(struct lookup *l);

#endif
