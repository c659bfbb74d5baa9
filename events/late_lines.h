/* late_lines.h - the lines that a log could not take, kept in order until it can: a disk that is full for a while loses no event.
 *
 *	late_lines_write --> the log takes it: written
 *	      |                    ^
 *	      '-> kept in memory --'  by the next line, or by late_lines_try() from a timer
 *
 * What is kept is bounded; what does not fit is lost, and the caller counts it.  A process that is killed takes what it kept along.
 * Any thread may call at any time; while nothing is kept, a line costs one atomic read more than the log. */
#ifndef EVENTS_LATE_LINES_H
#define EVENTS_LATE_LINES_H

#include "events/event.h"

enum late { LATE_WRITTEN, LATE_KEPT, LATE_LOST };
enum { LATE_TRIES = 5 };

struct late_lines;

/* For LOG, which is borrowed and must outlive it.  At most MAX bytes are kept.  NULL without memory. */
struct late_lines *late_lines_new(struct event_log *log, size_t max);

/* One last try, and free it: how many lines are lost with it. */
uint64_t late_lines_free(struct late_lines *l);

/* Write LINE (with its newline) behind those that are kept.  LATE_KEPT and LATE_LOST come with errno: why the log did not take
 * it. */
enum late late_lines_write(struct late_lines *l, struct slice line);

/* Write what is kept, as far as the log takes it: how many lines are left.  The log is asked at most LATE_TRIES times a second. */
uint64_t late_lines_try(struct late_lines *l);

#endif
