/* doctor.h - traps that let things through in silence, or stop users: each a row with an id, a test and what to do.
 *
 * The tests are pure: they look at a struct patient, which the caller has filled in, and at nothing else. */
#ifndef SETUP_DOCTOR_H
#define SETUP_DOCTOR_H

#include "setup/cicap_facts.h"
#include "setup/squid_facts.h"

/* What is known of a machine. */
struct patient {
	const struct squid_facts	*squid;		/* of all lines, setup's among them */
	const struct cicap_facts	*cicap;

	/* What runs, and what is on the disk; only where EXAMINED. */
	bool		 examined;
	bool		 squid_runs, squid_parses;
	int		 icap_status;		/* what the service answers: 200; 0 when nobody does */
	bool		 module_there;
	bool		 state_there, state_fits;	/* the folder; it is that of c-icap's user */
	bool		 has_rules;		/* a generation is live, and whole */
	bool		 enforces;		/* the mode is enforce */
	size_t		 n_workers, n_behind;
	int64_t		 suffixes_age_s;	/* of the public suffix list; -1 when there is none */
	double		 disk_free;		/* of the state folder's file system, 0 to 1 */
	int64_t		 clock_behind_s;	/* how much the clock is before the generation's creation */
	bool		 setup_interrupted;
	bool		 selftest_bad, selftest_old;	/* the last one was not good; none was made for long */
	bool		 cache_is_older;	/* Squid's cache on disk is, than the state folder */
	bool		 log_is_link;
	const char	*ended, *stale, *failing;	/* names of sources that are fetched, with commas between; NULL for none */
	bool		 pull_is_wrong;		/* what is pulled has expired, or its origin was not heard of */
};

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_CRITICAL };

/* What a test found; texts are borrowed from the table. */
struct finding {
	const char		*id;
	enum severity		 severity;
	const char		*text, *advice;		/* what that means; the line to paste, or what to do */
	const struct conf	*conf;			/* NULL when no line is meant */
	const struct directive	*at;
	const char		*names;			/* of what was found, borrowed from the patient; NULL */
};

typedef void doctor_visit(void *arg, const struct finding *finding);

/* Try all tests on P; VISIT is told of each finding, in the order of the table. */
void doctor_examine(const struct patient *p, doctor_visit *visit, void *arg);

/* "critical", "warning", "note". */
const char *severity_name(enum severity severity);

/* The ids of the table, in order; NULL behind the last. */
const char *doctor_id(size_t i);

#endif
