/* deed.h - what people did about the log, as an event in it: who was revealed to whom and why, what was removed.
 *
 * Such an event is found as all others are.  Its subject stands in it as the pseudonyms that it was about, never in clear. */
#ifndef EVENTSTORE_DEED_H
#define EVENTSTORE_DEED_H

#include "events/event.h"

/* All texts are the caller's; empty ones are left out. */
struct deed {
	enum event_action	 action;
	const char		*reason;	/* "reveal" or "retention" */
	const char		*message;	/* one sentence */
	struct slice		 by;		/* "uid=1000" */
	struct slice		 about;		/* an incident, a pseudonym, a request */
	struct slice		 note;		/* why, in somebody's words */
	struct slice		 user_token, client_token;
};

/* Append D as an event to the log at PATH, made where it is missing.  ID gets its number.  0, or -1 with
 * errno. */
int deed_write(const char *path, int64_t now_ms, const struct deed *d, char id[static INCIDENT_LEN + 1]);

#endif
