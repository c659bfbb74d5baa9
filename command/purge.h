/* purge.h - takes objects out of a Squid's cache: "PURGE URL" to the proxy, as "acl purge method PURGE" in squid.conf allows. */
#ifndef COMMAND_PURGE_H
#define COMMAND_PURGE_H

#include <netdb.h>

#include "base/slice.h"

enum { PURGE_TIMEOUT_S = 10, PURGE_PURGED = 200, PURGE_ABSENT = 404 };

struct purge {
	struct addrinfo	*addresses;
};

/* Whom to ask: "HOST:PORT", an IPv6 address in brackets.  0, or -1 with a sentence in *WHY, which is static.  The caller's:
 * purge_close(). */
int purge_open(struct purge *p, const char *squid, const char **why);
void purge_close(struct purge *p);

/* URL can be asked for: it has a scheme and no byte that would end a request line.  Squid's logs have no query unless
 * "strip_query_terms off" says so: what ends in '?' is not the URL that was asked for. */
bool purge_possible(struct slice url);

/* Purge URL, for which purge_possible() holds.  The status of the answer; -1 with errno.  Waits for PURGE_TIMEOUT_S at most for
 * each address, and each read and write. */
int purge_url(const struct purge *p, struct slice url);

#endif
