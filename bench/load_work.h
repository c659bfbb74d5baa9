/* load_work.h - what is asked: the requests as bytes, made once, and the bodies, each different.
 *
 * Read-only after load_work_init(); shared by all connections. */
#ifndef BENCH_LOAD_WORK_H
#define BENCH_LOAD_WORK_H

#include "base/buf.h"

enum load_verdict { VERDICT_UNSET, LOAD_PASS, LOAD_BLOCK, LOAD_KILL };

enum { LOAD_PREVIEW_NONE = -1, BODY_PIECE = 16384 };

enum load_coded { LOAD_PLAIN, LOAD_CODED_TEXT, LOAD_CODED_DATA };	/* what the gzip is of */

struct load_options {
	const char	*host;		/* of the server, an IPv4 address */
	unsigned	 port;
	const char	*service;
	bool		 respmod;
	bool		 chunked;	/* the HTTP response names no length */
	uint64_t	 body;		/* RESPMOD: bytes of each body */
	int		 preview;	/* bytes, or LOAD_PREVIEW_NONE */
	bool		 allow204, allow206;	/* outside the preview; within one 204 is always allowed */
	bool		 same_body;	/* every body is the same one */
	enum load_coded	 coded;		/* every body is the same gzip of BODY bytes */
	bool		 image;		/* it says and looks like an image, not like an unknown file */
	bool		 lenient;	/* about one mistake of e2guardian's */
};

/* One request: the ICAP head and the HTTP heads it encapsulates. */
struct load_request {
	struct slice	 bytes;
	enum load_verdict expect;
};

struct load_work {
	struct load_options	 options;
	struct load_request	*requests;	/* asked in turn */
	size_t			 n;
	struct buf		 store;		/* what BYTES points into */
	struct buf		 coded;
	char			*pool;		/* random bytes, which bodies are cut out of */
};

/* Make the requests of URLS: a line each, "URL", a tab, "pass", "block" or "kill".  -1 with a message in WHY. */
int load_work_init(struct load_work *w, const struct load_options *options, struct slice urls, char why[static 200]);
void load_work_fini(struct load_work *w);

/* The bytes from AT on of the body of request NUMBER; at most MAX, at most BODY_PIECE, fewer only at its end.  Borrowed. */
struct slice load_work_body(const struct load_work *w, uint64_t number, uint64_t at, size_t max);

#endif
