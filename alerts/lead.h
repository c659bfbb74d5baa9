/* lead.h - how long it took from an alert to its rules: published, imported, live, first met.
 *
 * STATE/log/live.log has a line for each alert, written once, when a generation with rules of it was first taken up by every
 * worker:
 *
 *	2026-11-27T03:52:16.123Z uid=110 alert=19190 generation=18 published=2009-10-28T14:39:00Z imported=2026-11-27T03:52:10Z
 *
 * so that a later import, a rollback or a withdrawal does not change what was measured.  What is not known is left out.  Whatever
 * tells lead times asks here first.  Somebody may have edited the log: a line that is none counts for nothing. */
#ifndef ALERTS_LEAD_H
#define ALERTS_LEAD_H

#include "alerts/alert.h"
#include "base/buf.h"
#include "base/diag.h"

#define LEAD_LOG	"live.log"	/* in STATE/log */

struct lead {
	char	alert[ALERT_ID_MAX + 1];
	int64_t published, imported, live;	/* seconds; 0 = not known, or not yet */
	int64_t	first_hit;			/* for whoever has the event log; 0 here */
};

/* All of STATE's log into TEXT, which is made here, empty when there is none.  -1 with an error in DIAG.  buf_fini() is due in
 * either case. */
int lead_log(const char *state, struct buf *text, struct diag *diag);

/* The LEADS alerts of LOG that went live last, oldest first, into OUT; how many. */
enum { LEADS = 32 };
size_t lead_newest(struct slice log, struct lead out[static LEADS]);

/* The first line of LOG about alert ID into OUT, or false. */
bool lead_find(struct slice log, struct slice id, struct lead *out);

/* What is known by now of alert ID, of which there is no line yet, into OUT: when ALERT (NULL: unknown) was published, and when it
 * was first imported, else when its record was last written.  Not when it was live. */
void lead_measure(const char *state, struct slice id, const struct alert *alert, struct lead *out);

/* Append " alert=19190 generation=18 published=..." of L to LINE. */
void lead_format(const struct lead *l, uint64_t generation, struct buf *line);

#endif
