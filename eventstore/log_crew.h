/* log_crew.h - the lines of a long log, looked at on all processors.
 *
 *	reader (the caller's thread)   |piece|piece|piece|piece|      whole lines, about a megabyte each
 *	members, a thread each           v     v                      line(), side by side
 *	the caller's thread              piece() piece()              in the order of the log
 *
 * Whatever a member makes of its lines it keeps in its own memory until piece() takes it: nothing is locked.  Memory is bounded: a
 * piece a member.  A line longer than LOG_CREW_LINE is shown as far as that, and the rest of it is passed over. */
#ifndef EVENTSTORE_LOG_CREW_H
#define EVENTSTORE_LOG_CREW_H

#include "base/slice.h"

enum { LOG_CREW_LINE = 256 * 1024, LOG_CREW_MEMBERS = 64 };

struct log_crew_work {
	/* A line without its newline, borrowed until it returns.  In a thread of its own, or the caller's. */
	void	(*line)(void *member, struct slice line);
	/* All lines of a piece of N bytes were shown to MEMBER.  In the caller's thread.  Other than 0 ends the reading. */
	int	(*piece)(void *arg, void *member, size_t n);
};

/* How many members are worth having here: one more than processors, as one piece is being read; LOG_CREW_MEMBERS at most. */
size_t log_crew_size(void);

/* Read FD to its end: a regular file from its start, plain or of gzip, anything else from where it is, plain.  MEMBERS are N, at
 * least one.  0; what PIECE answered; -1 with errno: EBADMSG when compressed data are damaged, ENOTSUP when they are of a
 * compression that cannot be read here. */
int log_crew_read(int fd, const struct log_crew_work *work, void *const *members, size_t n, void *arg);

#endif
