/* reveal.h - turning pseudonyms back: with a reason, on the record, and by option only when a second person agrees.
 *
 * Whoever calls this says who asks; that is believed.  Nothing is shown before the event and the audit line are written: what
 * cannot be recorded is refused.  Requests and approvals stand in STATE/private/reveals, of which only those who can read the
 * keys can write a line; several processes may use it at once.  Nothing here prints. */
#ifndef EVENTSTORE_REVEAL_H
#define EVENTSTORE_REVEAL_H

#include "eventstore/deed.h"
#include "runtime/pseudonym.h"

enum { REVEAL_TOKENS = 4, REVEAL_REASON_MAX = 1000, REVEAL_BY_MAX = 200, REVEAL_REQUESTS_MAX = 1000 };

/* What happened, one line without its end, for a trail of who did what.  -1: it could not be written, and nothing is shown. */
typedef int reveal_audit(void *arg, struct slice line);

/* How it is to be done.  All of it is the caller's. */
struct reveal {
	const char		*state;		/* the state folder */
	const char		*log;		/* the event log that it is recorded in */
	int64_t			 now_ms;
	const char		*by;		/* who asks, "uid=1000" or "console=ann": two ways in are never two persons */
	bool			 second;	/* another person has to agree (RevealSecond) */
	int64_t			 life_s;	/* of a request, and of an approval (RevealLife) */
	const struct pseudonyms	*keys;		/* NULL: nothing can be opened */
	reveal_audit		*audit;
	void			*arg;
};

/* Take SECOND and LIFE_S of R from the generation that is live in R->state.  -1 with an error in DIAG: who cannot know how this
 * site wants it shows nothing. */
int reveal_take_site(struct reveal *r, struct diag *diag);

/* Whom it is about: tokens, as an event has them or somebody typed them. */
struct reveal_subject {
	struct slice	about;			/* an incident number, or the token itself */
	struct slice	tokens[REVEAL_TOKENS];
	size_t		n;
};

/* TOKEN is NAME's when RESULT says that it was opened; else NAME is empty. */
typedef void reveal_show(void *arg, struct slice token, enum pseudonym_opened result, enum pseudonym_kind kind, struct slice name);

enum reveal_result {
	REVEAL_SHOWN,		/* and recorded */
	REVEAL_WAITS,		/* for somebody else's approval of the request */
	REVEAL_DONE,		/* approved, or denied */
	REVEAL_REFUSED,		/* recorded as such; an error in DIAG says why */
	REVEAL_TROUBLE,		/* nothing was shown; an error in DIAG says why */
};

/* Show whom S is about, or ask for it.  ID gets the number of the event, which is that of the request when it WAITS. */
enum reveal_result reveal_ask(const struct reveal *r, const struct reveal_subject *s, struct slice reason, reveal_show *show,
    void *arg, char id[static INCIDENT_LEN + 1], struct diag *diag);

/* Approve or deny request ID, for REASON (may be empty).  Nobody approves his own. */
enum reveal_result reveal_decide(const struct reveal *r, const char *id, bool approve, struct slice reason, struct diag *diag);

/* A request that waits, or was approved and not used.  Texts are borrowed until the visitor returns. */
struct reveal_request {
	const char	*id, *about, *by, *reason, *approved_by;	/* APPROVED_BY is NULL while it waits */
	const struct slice *tokens;	/* N of them, whose names are shown: ABOUT is only where who asks says that he found them */
	size_t		 n;
	int64_t		 made_ms, ends_ms;
};
typedef void reveal_visit(void *arg, const struct reveal_request *request);

/* Visit all of them.  0, or -1 with an error in DIAG. */
int reveal_list(const struct reveal *r, reveal_visit *visit, void *arg, struct diag *diag);

#endif
