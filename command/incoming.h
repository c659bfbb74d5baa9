/* incoming.h - the folder STATE/alerts/incoming: alerts that others put there, imported by "firebreak update".
 *
 *	alerts/incoming/NAME			waits
 *	alerts/incoming/imported/DATE-NAME	was imported
 *	alerts/incoming/refused/DATE-NAME	was not
 *
 * Who puts one there writes it under a name that begins with a dot, and renames it; one that changed within INCOMING_QUIET_S
 * seconds is left for the next run.  Texts of strangers: regular files alone, of ALERT_TEXT_MAX bytes at most, INCOMING_MAX a
 * run. */
#ifndef COMMAND_INCOMING_H
#define COMMAND_INCOMING_H

#include "base/diag.h"
#include "command/call.h"

enum { INCOMING_MAX = 100, INCOMING_QUIET_S = 2 };

struct incoming {
	char	*imported[INCOMING_MAX];	/* names */
	size_t	 n_imported, n_refused;
	size_t	 n_left;			/* could not be imported now: on the next run */
};

/* Import what is there at NOW (seconds).  What is refused is an error in DIAG and moved away; what failed for another reason, such
 * as a full disk, stays; what is imported stays where it is until incoming_done(): a run that is killed before its publish imports
 * it again, which changes nothing.  DRY_RUN: nothing is written or moved. */
void incoming_import(const struct call *c, int64_t now, bool dry_run, struct incoming *out, struct diag *diag);

/* What was imported is live: move it away.  Then, or without that, IN is to be given to incoming_fini(). */
void incoming_done(const struct call *c, int64_t now, const struct incoming *in, struct diag *diag);
void incoming_fini(struct incoming *in);

#endif
