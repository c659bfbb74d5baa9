/* fetch.h - files of one folder of an origin, by https:, http: or file:, each with a limit of bytes and of time.
 *
 * By transfer.h; a redirect is followed to the same scheme, host and port alone, and proxies of the environment are used when that
 * was asked for.  One thread at a time. */
#ifndef DELIVERY_FETCH_H
#define DELIVERY_FETCH_H

#include "base/diag.h"

enum { FETCH_TIMEOUT_S = 30, FETCH_RATE = 64 * 1024 };

struct fetch_options {
	const char	*url;		/* of the folder */
	const char	*ca;		/* a file of certificates instead of the system's; NULL */
	bool		 env_proxy;	/* obey http_proxy, https_proxy and no_proxy */
	int64_t		 timeout_s;	/* a file may take that, and a second more for each FETCH_RATE bytes of its limit */
};

struct fetch;

/* Get ready.  NULL with an error in DIAG: the URL is none of the three kinds, or has a user, a query or a fragment.  The caller's:
 * fetch_close(). */
struct fetch *fetch_open(const struct fetch_options *options, struct diag *diag);
void fetch_close(struct fetch *f);

/* Takes LEN bytes of a file; other than 0 ends the fetch, which then fails with no word of its own. */
typedef int fetch_sink(void *arg, const void *bytes, size_t len);

/* Fetch the file NAME, a plain name, of at most MAX bytes.  0: all that the origin wanted to send has been handed to SINK.  -1 with
 * an error in DIAG. */
int fetch_get(struct fetch *f, const char *name, uint64_t max, fetch_sink *sink, void *arg, struct diag *diag);

/* Bytes of files that came in so far. */
uint64_t fetch_bytes(const struct fetch *f);

#endif
