/* overview.h - what is live on this machine: the generation, the mode, the workers and what they counted.
 *
 * One look, for "firebreak status" and the console.  Reads, and makes nothing.  One thread. */
#ifndef RULESET_OVERVIEW_H
#define RULESET_OVERVIEW_H

#include "ruleset/generation.h"
#include "runtime/runtime.h"

/* The live generation of the state folder STATE, NULL with errors in DIAG.  The caller's: generation_close(). */
struct generation *overview_generation(const char *state, bool verify, struct diag *diag);

/* What the workers share, or NULL: with an error in DIAG, or without one when no worker and no publish has made it yet.  The
 * caller's: runtime_close(). */
struct runtime *overview_runtime(const char *state, struct diag *diag);

struct overview {
	struct generation	*g;		/* NULL: none, or damaged */
	struct runtime		*runtime;	/* NULL: nothing ran yet, or damaged */
	int64_t			 now_ms;
	enum mode		 mode;
	int64_t			 until_ms;	/* of the mode; 0: no end */
	size_t			 n_workers, n_behind;	/* overview_is_behind() */
	struct worker		 workers[RUNTIME_WORKERS];
};

/* Look.  What cannot be read is NULL in O, with errors in DIAG.  overview_fini() is due. */
void overview_init(struct overview *o, const char *state, bool verify, int64_t now_ms, struct diag *diag);
void overview_fini(struct overview *o);

/* Worker W judges by another generation than the one that is live. */
bool overview_is_behind(const struct overview *o, const struct worker *w);

/* How long worker W has not been seen; clocks may jump. */
int64_t overview_silence_ms(const struct overview *o, const struct worker *w);

/* Since when, in seconds, SOURCE has had live rules without a break, as far as the generations that are kept tell; 0: it has none.
 * *KNOWN: false when it may have been longer than that. */
int64_t overview_live_since(const char *state, struct slice source, bool *known);

#endif
