/* letter.h - the letter to a source's maintainer about a rule that was wrong.
 *
 * Neither client nor user stand in it: they are nobody's business out there.  Strangers' text is made harmless; the letter is plain
 * text in UTF-8, its lines end in newlines.  One thread. */
#ifndef EVENTSTORE_LETTER_H
#define EVENTSTORE_LETTER_H

#include "eventstore/eventstore.h"

struct letter {
	const char		*state;		/* the state folder, which has the alert */
	const char		*id;		/* the incident's */
	const json_t		*event;
	struct eventstore	*store;		/* for how often the rule was met; NULL: nothing is said of it, but for: */
	const struct event_count *met;		/* how often, when that was counted before; NULL */
	struct slice		 reason;	/* why it is a mistake; empty: nothing is said of it */
};

/* Append the letter to OUT.  0; 1 when no rule decided the incident, and nobody is to be written to; -1 with an error in DIAG: what
 * could be written is there. */
int letter_write(const struct letter *l, struct buf *out, struct diag *diag);

#endif
