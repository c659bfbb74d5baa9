/* coverage.h - how much of what went through the proxy was looked at, and what was not: what status says of it.
 *
 *	requests ---- tunnels           a CONNECT shows a host only
 *	    |-------- answered          by a page, a mark or a redirect: there is nothing more to see
 *	    |-------- exempt            mode off, or an allow with files=yes
 *	    |-------- cached            came out of Squid's cache, which asks RESPMOD nothing: looked at when it came, but by older rules
 *	    '-> responses -- left out   of a type that HashTypes leaves out
 *	            '------- unscannable, unchecked
 *	beside them - unfiltered        what Squid let through without asking: UnfilteredLog
 *
 * Counters are those of all workers since runtime/shared was made; unfiltered requests those of the last day. */
#ifndef COMMAND_COVERAGE_H
#define COMMAND_COVERAGE_H

#include <jansson.h>

#include "base/diag.h"
#include "ruleset/site.h"
#include "runtime/runtime.h"

enum { COVERAGE_DAYS = 1 };

struct coverage {
	uint64_t	requests, tunnels, answered, exempt, cached, responses, left_out, unscannable, unchecked;
	const char	*log;			/* UnfilteredLog, borrowed from the site; NULL: there is none */
	bool		unreadable;		/* LOG is there, and could not be read: what follows is not known */
	uint64_t	unfiltered;
	int64_t		last_ms;		/* of these the last one; 0 = none */
};

/* Fill OUT from RUNTIME and, with SITE, from its UnfilteredLog; both may be NULL.  What cannot be read is a warning in DIAG; a log
 * that does not exist is not. */
void coverage_look(const struct runtime *runtime, const struct site *site, int64_t now_ms, struct coverage *out, struct diag *diag);

/* Parts in a thousand of all requests of which nothing was left unseen that can be seen; 1000 when there was none. */
unsigned coverage_permille(const struct coverage *c);

void coverage_print(const struct coverage *c, int64_t now_ms);
json_t *coverage_json(const struct coverage *c);

#endif
