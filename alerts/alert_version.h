/* alert_version.h - what each import of an alert changed: STATE/alerts/ID.versions, a JSON object a line, the oldest first.
 *
 *	{"date":"2026-11-27T07:20:00Z","uid":1000,"version":2,"published":"2026-11-26T00:00:00Z","title":"...","rules":7,
 *	 "n_added":1,"n_gone":0,"n_changed":6,"added":["block host *.evil.example"],"gone":[],"changed":[...]}
 *
 * The lists are cut at ALERT_VERSION_LISTED.  A history: nothing is decided by it. */
#ifndef ALERTS_ALERT_VERSION_H
#define ALERTS_ALERT_VERSION_H

#include "alerts/alert_store.h"

enum { ALERT_VERSION_LISTED = 100 };

struct alert_version {
	const struct alert	*alert;
	const char		*name;		/* of its source */
	struct slice		 before, after;	/* the source's text; BEFORE is empty the first time, or after it was withdrawn */
	int64_t			 now;		/* seconds */
	uint64_t		 uid;
	bool			 again;		/* this version was there: when nothing differs there is nothing to tell */
};

/* Append the line of V, with its newline, to the file at PATH, which is made when it is missing.  -1 with a warning in DIAG. */
int alert_version_add(const char *path, const struct alert_version *v, struct diag *diag);

/* All of it, as far as it can be read: an array of objects, the oldest first; bad lines are warnings in DIAG.  The caller's. */
json_t *alert_versions_load(const char *path, struct diag *diag);

#endif
