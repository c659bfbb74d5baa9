/* alert_withdrawal.h - the source of an alert that was taken back: all of it comments, so that nothing is lost.
 *
 *	# This alert was withdrawn 2026-11-26T18:10:00Z by uid=1000: it lists our own mirror
 *	# Importing it again, or a later version of it, makes its rules anew; those that come back keep their ids.
 *	# withdrawn 2026-11-26T18:10:00Z: # Alert 19190, version 2: Threat Outbreak Alert: ...
 *	# withdrawn 2026-11-26T18:10:00Z: block host *.secure.upd01.net id=host-1 rev=2 ...
 *	# withdrawn and: ...							the rest of a line that was too long for one
 *
 * Pure; one thread at a time. */
#ifndef ALERTS_ALERT_WITHDRAWAL_H
#define ALERTS_ALERT_WITHDRAWAL_H

#include "base/buf.h"

struct alert_withdrawal {
	int64_t		 date;		/* seconds */
	uint64_t	 uid;		/* who */
	struct slice	 reason;	/* why, in a person's words */
};

/* SOURCE begins as alert_withdrawal_write() begins it.  OUT (may be NULL) gets what is said there; the reason is borrowed from
 * SOURCE.  Rules that somebody wrote behind it do not matter here. */
bool alert_withdrawal_read(struct slice source, struct alert_withdrawal *out);

/* Append SOURCE as comments below W's head.  One that was withdrawn before is brought back first.  -1 when it did not fit. */
int alert_withdrawal_write(struct slice source, const struct alert_withdrawal *w, struct buf *out);

/* Append the text that SOURCE was before it was withdrawn; one that was not is appended as it is.  Never longer than SOURCE by more
 * than a newline.  -1 when it did not fit. */
int alert_withdrawal_undo(struct slice source, struct buf *out);

#endif
