/* lead_report.h - what "firebreak lead" tells: which rules fired, how long they took, and what ClamAV knew of their files.  For
 * lead_*.c only. */
#ifndef COMMAND_LEAD_REPORT_H
#define COMMAND_LEAD_REPORT_H

#include "alerts/lead.h"
#include "command/clamav.h"
#include "eventstore/eventstore.h"

/* A rule that fired. */
struct fired {
	char		*rule, *source, *alert;	/* alert may be empty */
	struct lead	 lead;			/* published: of the alert, else of the rule */
	bool		 live_known;		/* it cannot have been live before */
	uint64_t	 n, clients;
	struct event_row first;			/* its texts are gone; for eventstore_line() */
	bool		 is_file;
	struct clamav_file files[DIGEST_ALGS];	/* what it was met as first */
	size_t		 n_files;
};

struct report {
	const struct call	*call;
	struct fired		*v;
	size_t			 n, cap;
	struct clamav_file	*files;		/* all of them, sorted */
	size_t			 n_files;
	bool			 asked;		/* databases were there */
	bool			 failed, partly;
	struct diag		 diag;
};

/* Which rules fired, by the event log of R's call, and when each was published, live and first met; by rule.  FAILED, with an error
 * in DIAG unless memory was missing; PARTLY when there is more than what could be read. */
void lead_read_fired(struct report *r);
void lead_free_fired(struct report *r);

/* Print all, with what ClamAV knew (R->files), or a JSON array.  -1 after saying that it could not be done. */
int lead_print(const struct report *r, bool json);

#endif
