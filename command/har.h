/* har.h - a capture of HTTP as browsers and proxies save it: HAR 1.2, a JSON object with an entry for each exchange.
 *
 *	{"log":{"entries":[{"startedDateTime":"...","request":{"method":"GET","url":"...","headers":[...]},
 *	    "response":{"status":200,"headers":[...],"content":{"size":90112,"encoding":"base64","text":"TVqQ..."}}}]}}
 *
 * A body is there when its bytes are: in base64, or as text that is ASCII and as long as it says; other text was converted by who
 * saved it, and has no digest that counts.  It is the body with its content codings undone.
 *
 * The whole file is in memory, and then all of its JSON, a few times its length: up to a gigabyte for the longest.  One thread. */
#ifndef COMMAND_HAR_H
#define COMMAND_HAR_H

#include "base/diag.h"
#include "base/slice.h"
#include "eventstore/access_format.h"

enum { HAR_MAX = 256 << 20 };	/* bytes of a file */

/* Texts are borrowed until the visitor returns. */
struct har_exchange {
	struct slice	method, url, disposition;	/* the last is the response's Content-Disposition */
	int64_t		time_ms;			/* ACCESS_UNKNOWN */
	bool		answered;			/* there is a body, of SIZE bytes at least one */
	bool		has_body;			/* and its bytes are BODY */
	struct slice	body;
};
typedef void har_visit(void *arg, const struct har_exchange *x);

/* PATH's name is that of a capture. */
bool har_is_one(const char *path);

/* Show each exchange of PATH.  How many entries are none goes to *BAD.  -1 with an error in DIAG: it cannot be read, is too long or
 * no HAR. */
int har_read(const char *path, har_visit *visit, void *arg, uint64_t *bad, struct diag *diag);

#endif
