/* live.h - makes a new generation and waits until every worker has it: what publish, rollback, block and others end with. */
#ifndef COMMAND_LIVE_H
#define COMMAND_LIVE_H

#include <jansson.h>
#include <sys/types.h>

#include "command/call.h"
#include "ruleset/publish.h"
#include "runtime/runtime.h"

enum live_what { LIVE_PUBLISH, LIVE_ROLLBACK, LIVE_COMPACT };

/* Workers that have taken a generation up, and those that have not. */
struct confirmation {
	size_t	n_workers, n_waiting;
	pid_t	waiting[RUNTIME_WORKERS];
};

struct live_request {
	enum live_what		 what;
	struct publish_options	 options;
	uint64_t		 generation;	/* to go back to; 0 = the one before */
	const char		*sign;		/* the key to sign with; NULL: what STATE/sign.conf says */
	bool			 json;		/* print an object instead of words */
	bool			 quiet;		/* print nothing but what is wrong */
	struct diag		*diag;		/* takes what is wrong, which is not printed then; NULL */
	struct publish_report	*report;	/* takes what was done; NULL */
	struct confirmation	*confirmation;	/* the same; NULL */
};

/* A plain publish of C's state folder, now. */
struct live_request live_request(const struct call *c);

/* Do it, print what was done, and wait at most two seconds for the workers.  EXIT_FINE; EXIT_FOUND when some worker has not
 * confirmed; EXIT_TROUBLE when nothing changed, which was said. */
int live_run(const struct call *c, const struct live_request *request);

/* Store the generation word of R, C's runtime, PUBLISHED or what the MANIFEST names by now, and wait at most two seconds for the
 * workers. */
void live_tell(const struct call *c, struct runtime *r, uint64_t published, struct confirmation *out);

/* Print CONF, or put it into J. */
void live_print_confirmation(const struct confirmation *conf);
void live_add_confirmation(json_t *j, const struct confirmation *conf);

#endif
