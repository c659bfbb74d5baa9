/* access_logs.h - access logs, one after the other, judged on all processors: what rehearse and hunt have in common. */
#ifndef COMMAND_ACCESS_LOGS_H
#define COMMAND_ACCESS_LOGS_H

#include "base/diag.h"
#include "eventstore/access_format.h"
#include "eventstore/log_crew.h"

struct access_counts {
	uint64_t	lines;
	uint64_t	entries;	/* that were shown */
	uint64_t	old;		/* before SINCE_MS */
	uint64_t	unread;		/* lines that are none of the format */
	uint64_t	without;	/* that name no URL: errors, and what cannot be parsed */
	int64_t		first_ms, last_ms;	/* of the entries; ACCESS_UNKNOWN */
};

struct access_logs;

/* What each member of the crew begins with.  Zeroed by whoever makes it. */
struct access_member {
	const struct access_logs *logs;
	struct buf		 scratch;
	struct access_counts	 counts;
};

/* The caller sets all but COUNTS. */
struct access_logs {
	const struct access_format *format;
	const char *const	*paths;		/* "-" is standard input; a file that is named twice is read once */
	size_t			 n;
	bool			 of_site;	/* the state folder names them, and not who called: only regular files are opened */
	int64_t			 since_ms;	/* 0: all */
	/* An entry of a log, with the URL that it has.  In MEMBER's own thread. */
	void			(*entry)(void *member, const struct access_entry *e, const struct url *url);
	/* A piece was looked at by MEMBER: take what it has.  In the caller's thread, in order.  Other than 0 (errno) ends it all. */
	int			(*piece)(void *arg, void *member);
	void			*arg;
	struct access_counts	 counts;	/* of what was read so far */
};

/* Read all.  MEMBERS are N, log_crew_size() at most, and begin with a struct access_member.  -1 with an error in DIAG: something
 * could not be opened, read to its end, or kept; what had been read was shown all the same. */
int access_logs_read(struct access_logs *logs, void *const *members, size_t n, struct diag *diag);

/* What could not be used, as notes in DIAG. */
void access_logs_note(const struct access_logs *logs, struct diag *diag);

/* URL as the event log would have it: without what stands behind '?' unless QUERY, and with mail addresses hidden unless MAIL.
 * NULL without memory; the caller frees. */
char *access_url_shown(struct slice url, bool query, bool mail);

#endif
