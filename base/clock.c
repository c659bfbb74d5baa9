#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

int64_t
clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t
clock_boot_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
clock_pause(int64_t ms)
{
	const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
days_in(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

int
clock_civil(int year, int month, int day, int hour, int minute, int second, int64_t *seconds)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day,
		.tm_hour = hour, .tm_min = minute, .tm_sec = second };

	if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 ||
	    day > days_in(year, month) || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
	    second < 0 || second > 60)
		return -1;
	*seconds = timegm(&tm);
	return 0;
}

/* Take exactly N digits off the front of *S; -1 when they are not there. */
static int
take_digits(struct slice *s, size_t n, int *out)
{
	uint64_t v;

	if (s->len < n || slice_u64(slice_head(*s, n), &v) == -1)
		return -1;
	*s = slice_skip(*s, n);
	*out = (int)v;
	return 0;
}

static bool
take_char(struct slice *s, char c)
{
	if (s->len == 0 || s->p[0] != c)
		return false;
	*s = slice_skip(*s, 1);
	return true;
}

/* ":SS" or ":SS.mmm", or nothing, off the front of *S; parts of a second are dropped. */
static int
take_seconds(struct slice *s, int *second)
{
	if (!take_char(s, ':'))
		return 0;
	if (take_digits(s, 2, second) == -1)
		return -1;
	if (!take_char(s, '.'))
		return 0;
	if (s->len == 0 || !ascii_is_digit(s->p[0]))
		return -1;
	while (s->len > 0 && ascii_is_digit(s->p[0]))
		*s = slice_skip(*s, 1);
	return 0;
}

/* "Z" or "+HH:MM" as seconds east of UTC, to the end of S. */
static int
take_zone(struct slice s, int *east)
{
	int sign, hours, minutes;

	*east = 0;
	if (take_char(&s, 'Z'))
		return s.len == 0 ? 0 : -1;
	sign = take_char(&s, '+') ? 1 : take_char(&s, '-') ? -1 : 0;
	if (sign == 0 || take_digits(&s, 2, &hours) == -1 || !take_char(&s, ':') ||
	    take_digits(&s, 2, &minutes) == -1 || s.len != 0 || hours > 14 || minutes > 59)
		return -1;
	*east = sign * (hours * 3600 + minutes * 60);
	return 0;
}

int
clock_parse(struct slice s, int64_t *seconds)
{
	int year, month, day, hour = 0, minute = 0, second = 0, east = 0;

	if (take_digits(&s, 4, &year) == -1 || !take_char(&s, '-') ||
	    take_digits(&s, 2, &month) == -1 || !take_char(&s, '-') || take_digits(&s, 2, &day) == -1)
		return -1;
	if (s.len > 0) {
		if (!take_char(&s, 'T') || take_digits(&s, 2, &hour) == -1 || !take_char(&s, ':') ||
		    take_digits(&s, 2, &minute) == -1)
			return -1;
		if (take_seconds(&s, &second) == -1 || take_zone(s, &east) == -1)
			return -1;
	}
	if (clock_civil(year, month, day, hour, minute, second, seconds) == -1)
		return -1;
	*seconds -= east;
	return 0;
}

/* N as two digits at OUT; what is behind them. */
static inline char *
put_two(char *out, int n)
{
	*out++ = (char)('0' + n / 10);
	*out++ = (char)('0' + n % 10);
	return out;
}

/* The civil date of day DAYS since 1970-01-01.  Years are counted from March, so that a leap day is the last of its year, and in
 * eras of 400, which repeat: Howard Hinnant's civil_from_days(), http://howardhinnant.github.io/date_algorithms.html */
static void
civil_date(int days, int *year, int *month, int *day)
{
	enum { ERA = 146097, TO_1970 = 719468 };
	int era = (days + TO_1970) / ERA, of_era = (days + TO_1970) % ERA;
	int year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int from_march = (5 * of_year + 2) / 153;

	*day = of_year - (153 * from_march + 2) / 5 + 1;
	*month = from_march < 10 ? from_march + 3 : from_march - 9;
	*year = year_of_era + 400 * era + (*month <= 2);
}

/* A moment before 1970 or beyond the year 9999: nobody's, and it need not be fast. */
static void
format_odd(int64_t seconds, char out[static CLOCK_TEXT])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || strftime(out, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(out, CLOCK_TEXT, "never");
}

/* Without gmtime_r(), for which threads wait for each other. */
void
clock_format_s(int64_t seconds, char out[static CLOCK_TEXT])
{
	int year, month, day, of_day = (int)(seconds % CLOCK_DAY_S);
	char *p = out;

	if (seconds < 0 || seconds > CLOCK_LAST_S) {
		format_odd(seconds, out);
		return;
	}
	civil_date((int)(seconds / CLOCK_DAY_S), &year, &month, &day);
	p = put_two(put_two(p, year / 100), year % 100);
	*p++ = '-';
	p = put_two(p, month);
	*p++ = '-';
	p = put_two(p, day);
	*p++ = 'T';
	p = put_two(p, of_day / 3600);
	*p++ = ':';
	p = put_two(p, of_day / 60 % 60);
	*p++ = ':';
	p = put_two(p, of_day % 60);
	*p++ = 'Z';
	*p = '\0';
}

void
clock_format_ms(int64_t ms, char out[static CLOCK_TEXT])
{
	int part = (int)(ms % 1000);
	size_t len;
	char *p;

	clock_format_s(ms / 1000 - (part < 0), out);
	if (part < 0)
		part += 1000;
	len = strlen(out);
	if (len == 0 || out[len - 1] != 'Z' || len + sizeof(".000Z") > CLOCK_TEXT + 1)
		return;
	p = out + len - 1;
	*p++ = '.';
	*p++ = (char)('0' + part / 100);
	p = put_two(p, part % 100);
	*p++ = 'Z';
	*p = '\0';
}

int
clock_parse_span(struct slice text, int64_t *seconds)
{
	static const struct { char unit; uint64_t s; } units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', CLOCK_DAY_S }, { 'w', 7 * CLOCK_DAY_S },
	};
	const uint64_t century = UINT64_C(36525) * CLOCK_DAY_S;
	uint64_t n, unit = 1;

	if (text.len > 1 && !ascii_is_digit(text.p[text.len - 1])) {
		char c = text.p[--text.len];

		unit = 0;
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			if (units[i].unit == c)
				unit = units[i].s;
	}
	if (unit == 0 || slice_u64(text, &n) == -1 || n > century / unit)
		return -1;
	*seconds = (int64_t)(n * unit);
	return 0;
}

void
clock_format_span(int64_t seconds, char out[static CLOCK_SPAN])
{
	static const struct { int64_t over, unit; const char *name; } units[] = {
		{ 2 * CLOCK_DAY_S, CLOCK_DAY_S, "days" }, { 2 * 3600, 3600, "h" },
		{ 2 * 60, 60, "min" }, { INT64_MIN, 1, "s" },
	};
	size_t i = 0;

	while (seconds < units[i].over)
		i++;
	snprintf(out, CLOCK_SPAN, "%" PRId64 " %s", seconds / units[i].unit, units[i].name);
}
