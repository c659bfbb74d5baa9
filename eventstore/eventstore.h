/* eventstore.h - the event log and all that rotation made of it, to be searched.
 *
 * The log is the truth.  Beside it LOG.index.RANDOM, an SQLite file, says where each event stands and what one searches by; it
 * is brought up to date by whoever searches, may be removed at any time, and is made anew then.  Who may not write in the
 * folder gets a copy of its own for the time being, which costs a reading of the log.
 *
 *	event	key = milliseconds << 20 | some bits of the line's sum: rows stand in order of time, and a line that is met twice
 *		(in a copy of a file) is one row
 *	file	what has been read of which file.  A file is known again by the sum of its first line and of its last one that was
 *		read, whatever its name, inode and compression are by now
 *	point	where one can begin within a compressed file (log_bytes.h)
 *	word	what many events share
 *
 * What is no event (damage, a line over 1 MiB) is counted by file and said.  When a file is gone, so are its events here, and
 * the words that nobody else has.  Whoever writes the index holds a lock on the log's folder (flock).
 *
 * A store is for one thread; any number of processes may have the same log open. */
#ifndef EVENTSTORE_EVENTSTORE_H
#define EVENTSTORE_EVENTSTORE_H

#include "base/diag.h"
#include "eventstore/event_facts.h"

struct eventstore;
struct pseudonyms;

/* DONE of TOTAL bytes have been read; TOTAL is 0 while somebody else writes the index. */
typedef void eventstore_progress(void *arg, int64_t done, int64_t total);

/* The store of the log at PATH, which need not be there yet; its folder must.  NULL with an error in DIAG.  That it is a copy for
 * this time is a note in DIAG.  The caller's: eventstore_close(). */
struct eventstore *eventstore_open(const char *path, struct diag *diag);
void eventstore_close(struct eventstore *s);

/* Called now and then by eventstore_update(); NULL: not at all. */
void eventstore_set_progress(struct eventstore *s, eventstore_progress *progress, void *arg);

/* Users and clients are searched for in clear also where the log has pseudonyms of P, which must outlive S; NULL: not. */
void eventstore_set_pseudonyms(struct eventstore *s, const struct pseudonyms *p);

/* Read what came since.  0; 1 when a file could not be read, or not wholly, which is a warning in DIAG as are the lines that
 * are no events; -1 with an error in DIAG. */
int eventstore_update(struct eventstore *s, struct diag *diag);

/* What is searched for; empty and 0 mean "any".  All that is said must hold. */
struct event_query {
	struct slice	id;			/* a whole incident number */
	struct slice	words[EVENT_WORDS];	/* '*' stands for any text; a user is compared without case; a host that begins with
						 * a dot is it and all below it */
	bool		exact;			/* in words '*' is itself, and so is a dot: of rules that have them in their names */
	struct slice	any;			/* one of the words, whichever */
	struct slice	url;			/* a part of it, without case */
	struct slice	digest;			/* hexadecimal */
	int64_t		from_ms, to_ms;		/* TO is not in it; 0: open */
	size_t		newest;			/* this many at most; 0: all */
};

/* TEXT is a whole digest; it is an incident number without a typing error. */
bool event_is_digest(struct slice text);
bool event_is_incident(struct slice text);

/* Search for TEXT, which is an incident number, a digest, a part of a URL (with a slash), a domain with all below it (after a dot),
 * or else a whole word: what it is, is seen from it.  Borrowed by Q. */
void event_query_take(struct event_query *q, struct slice text);

/* Texts are borrowed until the visitor returns. */
struct event_row {
	int64_t		 ms;
	char		 id[INCIDENT_LEN + 1];
	struct slice	 words[EVENT_WORDS], url, digest;
	int64_t		 file, at, len, sum;	/* for eventstore_line() */
	int64_t		 key;			/* for eventstore_forget_to() */
};

/* Other than 0 ends the search. */
typedef int event_visit(void *arg, const struct event_row *row);

/* Visit what Q matches, oldest first.  0; what VISIT answered; -1 with an error in DIAG. */
int eventstore_search(struct eventstore *s, const struct event_query *q, event_visit *visit, void *arg, struct diag *diag);

/* What is counted: a word's column, or hours. */
enum { EVENT_BY_HOUR = EVENT_WORDS };

struct event_count {
	struct slice	word;		/* empty: those without it, or by the hour */
	uint64_t	n, clients;	/* different ones */
	int64_t		first_ms, last_ms;
};
typedef int event_count_visit(void *arg, const struct event_count *count);

/* Visit the counts of what Q matches (Q->newest is not looked at), the highest first, hours in order.  As eventstore_search().
 * Memory grows with the groups and their clients. */
int eventstore_count(struct eventstore *s, const struct event_query *q, int by, event_count_visit *visit, void *arg,
    struct diag *diag);

/* Append the line that ROW was made of, without newline, to OUT.  0; 1 when it is not there any more (eventstore_update() and
 * search again); -1 with an error in DIAG. */
int eventstore_line(struct eventstore *s, const struct event_row *row, struct buf *out, struct diag *diag);

/* The same of incident ID; 1 also when there is none. */
int eventstore_find(struct eventstore *s, const char id[static INCIDENT_LEN + 1], struct buf *out, struct diag *diag);

/* Between these two all answers are of one moment. */
int eventstore_hold(struct eventstore *s, struct diag *diag);
void eventstore_release(struct eventstore *s);

/* A store in memory without events that begins where S has read to: after each eventstore_update() it has what came since the last
 * eventstore_forget().  NULL with an error in DIAG.  The caller's. */
struct eventstore *eventstore_follow(struct eventstore *s, struct diag *diag);
int eventstore_forget(struct eventstore *s, struct diag *diag);

/* A store like that which outlives its process, for whoever hands events on: what was read of the log at PATH, and what was read
 * and not forgotten yet, is in the file NOTES (made with 0600), so that each event is visited again until somebody has it.  A new
 * one begins with all that the log has, which *ANEW says.  An update reads EVENTSTORE_STEP bytes at most, or one line: memory and
 * NOTES stay small however much there is.  Words and URLs of what is not forgotten are in NOTES.  NULL with an error in DIAG: it is
 * damaged or of another version, or another process has it. */
enum { EVENTSTORE_STEP = 16 << 20 };
struct eventstore *eventstore_follow_in(const char *path, const char *notes, bool *anew, struct diag *diag);

/* Forget what was visited up to ROW, which is its KEY. */
int eventstore_forget_to(struct eventstore *s, int64_t key, struct diag *diag);

#endif
