/* rehearsal.h - what a candidate generation would change for those who are in the access logs: each request is judged by it and by
 * the live one, and only where the two differ is anything kept.
 *
 * A row is a rule and what it would do that is not done now.  Different clients and domains are counted exactly as long as there is
 * room for REHEARSAL_DISTINCT of them in all rows together; beyond that the numbers are "at least".  What a file is, no log says:
 * file rules are judged by captures (har.h) alone, which have bodies. */
#ifndef COMMAND_REHEARSAL_H
#define COMMAND_REHEARSAL_H

#include "command/access_logs.h"
#include "judge/judge.h"
#include "url_rules/psl.h"

enum { REHEARSAL_DISTINCT = 3 << 20, REHEARSAL_ROWS = 100000, REHEARSAL_SAMPLES = 3 };

/* What is done with a request; of a row what would be done from now on. */
enum outcome { OUTCOME_PASS, OUTCOME_LOG, OUTCOME_WARN, OUTCOME_BLOCK };
const char *rehearsal_outcome_name(enum outcome o);	/* "pass", "log", "warn", "block" */

struct rehearsal_row {
	bool		 is_source;		/* RULE is empty: what all rules of SOURCE would block together */
	enum outcome	 outcome;
	char		*rule, *source;		/* the rule of the candidate; of what would be done less, that of the live generation */
	char		*words;			/* "block host .a.example", as STATE/held has it; empty when it is no rule of a source */
	uint64_t	 requests, clients, domains;
	bool		 at_least;		/* clients and domains are */
	int64_t		 first_ms, last_ms;	/* ACCESS_UNKNOWN */
	char		*samples[REHEARSAL_SAMPLES];	/* URLs as the event log would have them; NULL */
};

struct rehearsal_tables;

/* The caller sets what stands before the rows. */
struct rehearsal {
	const struct generation		*live;		/* NULL: nothing is live */
	const struct generation		*candidate;
	int64_t				 now;		/* seconds */
	const struct public_suffixes	*suffixes;	/* NULL: domains are not counted */
	const struct pseudonyms		*pseudonyms;	/* for exceptions; NULL */
	bool				 show_query, show_mail;	/* in samples */
	const char *const		*captures;	/* HAR files, beside the logs */
	size_t				 n_captures;
	uint64_t			 bodies, no_bodies;	/* of captures: judged; without their bytes */
	struct rehearsal_row		*rows;
	size_t				 n, cap;
	uint64_t			 lost;		/* requests for which there was no row left */
	struct rehearsal_tables		*tables;
};

/* Judge what LOGS and the captures name (its functions are set here), and arrange the rows: sources first, then what would be
 * blocked, the most requests first.  -1 with errors in DIAG; what was read is there all the same.  R is to be given to
 * rehearsal_fini(). */
int rehearsal_run(struct rehearsal *r, struct access_logs *logs, struct diag *diag);
void rehearsal_fini(struct rehearsal *r);

#endif
