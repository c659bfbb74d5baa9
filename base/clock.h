/* clock.h - moments and spans as numbers and as text.
 *
 * Moments are seconds or milliseconds since 1970-01-01T00:00:00Z, always UTC.  Pure but for those that look at a clock (clock_ms(),
 * clock_ns(), clock_boot_ms()) and clock_pause(). */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/slice.h"

enum { CLOCK_DAY_S = 86400, CLOCK_TEXT = sizeof("-292277022-12-31T23:59:59.999Z") };

/* 9999-12-31T23:59:59Z in seconds: the last moment that can be written and read back. */
#define CLOCK_LAST_S	INT64_C(253402300799)

/* Now, in milliseconds. */
int64_t clock_ms(void);

/* Nanoseconds of a clock that nobody sets, to measure spans by.  Costs no system call: some 25 ns. */
int64_t clock_ns(void);

/* Milliseconds of a clock that nobody sets and that goes on while the machine sleeps. */
int64_t clock_boot_ms(void);

/* Wait MS milliseconds; a signal that is caught ends it. */
void clock_pause(int64_t ms);

/* A moment in seconds from "2009-10-28", "2009-10-28T14:39Z" or "2009-10-28T14:39:00[.mmm]Z"; an offset
 * "+02:00" may stand for Z.  -1 when it is none of these or no such day exists. */
int clock_parse(struct slice text, int64_t *seconds);

/* The moment of a civil date and time in UTC; -1 when there is no such moment. */
int clock_civil(int year, int month, int day, int hour, int minute, int second, int64_t *seconds);

/* "2026-11-23T07:20:24Z" and "2026-11-23T07:20:24.332Z" into OUT. */
void clock_format_s(int64_t seconds, char out[static CLOCK_TEXT]);
void clock_format_ms(int64_t ms, char out[static CLOCK_TEXT]);

/* SECONDS as people say it, "3 min", into OUT. */
enum { CLOCK_SPAN = 32 };
void clock_format_span(int64_t seconds, char out[static CLOCK_SPAN]);

/* A span in seconds from "45s", "30m", "12h", "7d", "2w", or "90" (seconds).  -1 when it is none of these
 * or over a hundred years. */
int clock_parse_span(struct slice text, int64_t *seconds);

#endif
