/* apply.h - a plan becomes files, and files become what they were.
 *
 *	apply_begin() -> apply_write() -> apply_end()			all went well
 *	                               -> apply_back(), apply_settle()	it did not: byte for byte as before this setup
 *	apply_undo(), journal_forget()					at any time later: as before the first setup
 *
 * Between the last two of each line the daemons are told, so that whoever is killed there is taken up where he was.
 *
 * Each file is exchanged by a rename, with the owner and mode that it had. */
#ifndef SETUP_APPLY_H
#define SETUP_APPLY_H

#include "setup/journal.h"
#include "setup/plan.h"

/* Keep what PLAN is going to change in J and write it down, before anything is changed.  -1 with errors in DIAG. */
int apply_begin(struct journal *j, const struct plan *plan, struct diag *diag);

/* Write the files.  -1 with an error in DIAG; some may be written then. */
int apply_write(struct journal *j, const struct plan *plan, struct diag *diag);

/* All is proven. */
int apply_end(struct journal *j, struct diag *diag);

/* The files as they were before the setup that is under way, or was interrupted.  -1 with errors in DIAG for each that could not
 * be put back. */
int apply_back(struct journal *j, struct diag *diag);

/* After that: J as it was, too; forgotten when that was the first setup. */
int apply_settle(struct journal *j, struct diag *diag);

enum undo_what {
	UNDO_RESTORED,	/* the bytes of before */
	UNDO_REMOVED,	/* there was no such file */
	UNDO_AS_BEFORE,	/* it is already as it was */
	UNDO_LINES,	/* somebody changed it since: only our lines were taken out */
	UNDO_FOREIGN,	/* somebody changed it since, and nothing of ours is in it: it was left alone */
	UNDO_GONE,	/* somebody removed it: it was left so */
};

/* Is told of each file; borrowed. */
typedef void undo_visit(void *arg, const char *path, enum undo_what what);

/* The files as they were before the first setup.  -1 with errors in DIAG for each that could not be put back. */
int apply_undo(const struct journal *j, undo_visit *visit, void *arg, struct diag *diag);

#endif
