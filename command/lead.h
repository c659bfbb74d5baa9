/* lead.h - alerts/lead.h, for the verbs: noting when an alert went live, and when it was first met. */
#ifndef COMMAND_LEAD_H
#define COMMAND_LEAD_H

#include "alerts/lead.h"
#include "command/call.h"

/* The line that has none yet for each alert that is live in the current generation of C's state folder.  A line that cannot be
 * written is said, and no reason to fail: the rules are live. */
void lead_note(const struct call *c);

/* lead_newest() of C's state folder; a log that cannot be read is said. */
size_t lead_read(const struct call *c, struct lead out[static LEADS]);

/* Fill in when the event log first had each of the N; brings its index up to date, which costs a reading of what came since. */
void lead_first_hits(const struct call *c, struct lead *v, size_t n);

#endif
