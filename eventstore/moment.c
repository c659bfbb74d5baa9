#include "eventstore/moment.h"

#include "base/clock.h"

enum { MS_PER_S = 1000, DATE_LEN = sizeof("2026-11-23") - 1 };

static int64_t
day_of(int64_t seconds)
{
	int64_t rest = seconds % CLOCK_DAY_S;

	return seconds - (rest < 0 ? rest + CLOCK_DAY_S : rest);
}

int
moment_parse(struct slice text, int64_t now_ms, bool end, int64_t *ms)
{
	int64_t now_s = now_ms / MS_PER_S, s, day = end ? CLOCK_DAY_S : 0;

	text = slice_trim(text);
	if (slice_ieq(text, SLICE("now")))
		s = now_s;
	else if (slice_ieq(text, SLICE("today")))
		s = day_of(now_s) + day;
	else if (slice_ieq(text, SLICE("yesterday")))
		s = day_of(now_s) - CLOCK_DAY_S + day;
	else if (text.len == DATE_LEN && clock_parse(text, &s) == 0)
		s += day;
	else if (clock_parse(text, &s) == -1) {
		/* A bare number could be anything. */
		if (text.len == 0 || ascii_is_digit(text.p[text.len - 1]) || clock_parse_span(text, &s) == -1)
			return -1;
		s = now_s - s;
	}
	if (s <= 0 || s > CLOCK_LAST_S)
		return -1;
	*ms = s * MS_PER_S;
	return 0;
}
