/* ask_proxy.h - one request through a proxy, and what came of it.  libcurl is used behind this header. */
#ifndef SETUP_ASK_PROXY_H
#define SETUP_ASK_PROXY_H

#include <stdbool.h>
#include <stddef.h>

struct proxy_answer {
	long	 status;	/* of the answer, or of that to CONNECT; 0 when none came */
	size_t	 bytes;		/* of the body */
	bool	 cut;		/* it ended before its end */
	bool	 nobody;	/* nobody listens there */
	double	 seconds;	/* how long all of it took */
	char	 squid[64];	/* X-Squid-Error: a page of Squid's own; "" */
	char	 trouble[256];	/* what libcurl says when something was wrong; "" */
};

/* Ask PROXY, "127.0.0.1:3128", for URL.  RANGE is "0-99" or NULL; with CONNECT a tunnel to the URL's host and port is asked for,
 * and nothing in it. */
void proxy_ask(const char *proxy, const char *url, const char *range, bool connect, struct proxy_answer *out);

#endif
