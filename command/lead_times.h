/* lead_times.h - alerts/lead.h, for the verbs: noting when an alert went live, and when it was first met. */
#ifndef COMMAND_LEAD_TIMES_H
#define COMMAND_LEAD_TIMES_H

#include "alerts/lead.h"
#include "command/call.h"

/* The line that has none yet for each alert that is live in the current generation of C's state folder.  A line that cannot be
 * written is said, and no reason to fail: the rules are live. */
void lead_times_note(const struct call *c);

/* The newest LEADS, as lead_newest() has them, of C's state folder; a log that cannot be read is said. */
size_t lead_times_newest(const struct call *c, struct lead out[static LEADS]);

/* Fill in when the event log first had each of the N; brings its index up to date, which costs a reading of what came since. */
void lead_times_first_hits(const struct call *c, struct lead *v, size_t n);

#endif
