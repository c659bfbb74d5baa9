/* lead.h - how long it took from an alert to its rules: published, imported, live, first met.
 *
 * STATE/log/live.log has a line for each alert, written once, when a generation with rules of it was first taken up by every
 * worker:
 *
 *	2026-11-27T03:52:16.123Z uid=110 alert=19190 generation=18 published=2009-10-28T14:39:00Z imported=2026-11-27T03:52:10Z
 *
 * so that a later import, a rollback or a withdrawal does not change what was measured.  What is not known is left out. */
#ifndef COMMAND_LEAD_H
#define COMMAND_LEAD_H

#include "alerts/alert.h"
#include "command/call.h"

/* The line that has none yet for each alert that is live in the current generation of C's state folder.  A line that cannot be
 * written is said, and no reason to fail: the rules are live. */
void lead_note(const struct call *c);

struct lead {
	char	alert[ALERT_ID_MAX + 1];
	int64_t published, imported, live, first_hit;	/* seconds; 0 = not known, or not yet */
};

/* The LEADS alerts that went live last, oldest first, into OUT; how many.  Their first events are for lead_first_hits(). */
enum { LEADS = 32 };
size_t lead_read(const struct call *c, struct lead out[static LEADS]);

/* Fill in when the event log first had each of the N; brings its index up to date, which costs a reading of what came since. */
void lead_first_hits(const struct call *c, struct lead *v, size_t n);

#endif
