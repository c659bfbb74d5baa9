/* lookalike_waves.h - waves of lookalikes (lookalike_log.h) become rules: proposed in a source of their own, and held by publish's
 * gate until somebody approves them. */
#ifndef COMMAND_LOOKALIKE_WAVES_H
#define COMMAND_LOOKALIKE_WAVES_H

#include "base/diag.h"
#include "command/call.h"
#include "ruleset/generation.h"

enum waves_mode { WAVES_OFF, WAVES_HOLD, WAVES_APPLY };		/* the words of LookalikeWaves */

struct waves_request {
	const struct generation	*g;		/* that is live; it has lookalikes */
	enum waves_mode		 mode;		/* not WAVES_OFF */
	const char		*events;	/* the event log */
	int64_t			 since_ms;
	bool			 dry_run;	/* write nothing */
	bool			 fresh;		/* print only what is new */
	bool			 json;
};

/* Find waves, write a line into the source LINT_WAVES for each one that is not there, denied, blocked or allowed already, and whose
 * domain touches no name that is somebody else's; publish that source; print what became of each wave.  WAVES_APPLY also approves
 * those all of whose hosts the site's levels block anyway.  Doing it again changes nothing.  EXIT_FINE; EXIT_FOUND when some wave
 * waits for a person, or a worker has not confirmed; EXIT_TROUBLE with errors in DIAG, or after saying what is wrong: nothing
 * changed, or a log could not be read to its end. */
int lookalike_waves(const struct call *c, const struct waves_request *rq, struct diag *diag);

#endif
