/* retain.h - taking out of a log, and of all that rotation made of it, what is older than it may be.
 *
 * What goes is decided line by line, by the moment that a line says: all that are before one moment, which the age gives, or
 * the room that is allowed; so it is the oldest of all files that goes.  What is younger than that moment stays, whatever
 * happens meanwhile:
 *
 *	A file is written anew beside itself and put in its place by an exchange; when it was not the file that had been read, because
 *	logrotate moved it, it is exchanged back.  What a worker still wrote into the old one is appended to the log.
 *	The log that is written to is moved aside first, as rotation does.
 *	A line without a moment, which is damage, is as old as the last one before it, or as its file.
 *	What cannot be read, or whose compression is not known here, stays as it is, and is told.
 *
 * One process at a time (a lock in the folder).  Nothing here prints.  Memory grows with the minutes that the log spans. */
#ifndef EVENTSTORE_RETAIN_H
#define EVENTSTORE_RETAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"

struct retain_limits {
	int64_t	now_ms;
	int64_t	age_s;		/* older lines go; 0: for ever */
	int64_t	size;		/* all files together, in bytes on disk; 0: any */
	int64_t	least_s;	/* what is younger does not go because of the size */
	int64_t	settle_ms;	/* how long a file must not have been written to before it is read */
	bool	dry;		/* change nothing */
};

/* What became of a file. */
struct retain_file {
	const char	*name;		/* as it was found */
	int64_t		 lines, removed;
	int64_t		 size, size_after;	/* of a dry run, SIZE_AFTER is by proportion */
	bool		 gone;
};
typedef void retain_visit(void *arg, const struct retain_file *file);

struct retain_sum {
	int64_t	before_ms;	/* all that is older was to go; 0: nothing was */
	int64_t	files, lines, removed, bytes, bytes_after;
	bool	too_large;	/* still, as what is left is younger than LEAST_S */
	bool	partly;		/* a file stays as it is, which DIAG tells as a warning */
};

/* Take from the log at PATH what LIMITS says, and VISIT each file that something was in.  A log that is not there is none.  0,
 * or -1 with an error in DIAG; *SUM says what was done until then. */
int retain_log(const char *path, const struct retain_limits *limits, retain_visit *visit, void *arg, struct retain_sum *sum,
    struct diag *diag);

#endif
