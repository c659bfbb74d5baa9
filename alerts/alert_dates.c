#include "alerts/alert_part.h"

#include "base/clock.h"

static const struct slice months[] = {
	SLICE("january"), SLICE("february"), SLICE("march"), SLICE("april"), SLICE("may"), SLICE("june"), SLICE("july"),
	SLICE("august"), SLICE("september"), SLICE("october"), SLICE("november"), SLICE("december"),
};

/* Hours east of UTC.  Alerts were dated in Eastern time, later in GMT; the others are their readers'. */
static const struct { struct slice name; int east; } zones[] = {
	{ SLICE("GMT"), 0 }, { SLICE("UTC"), 0 }, { SLICE("Z"), 0 }, { SLICE("EDT"), -4 }, { SLICE("EST"), -5 },
	{ SLICE("CDT"), -5 }, { SLICE("CST"), -6 }, { SLICE("MDT"), -6 }, { SLICE("MST"), -7 }, { SLICE("PDT"), -7 },
	{ SLICE("PST"), -8 }, { SLICE("BST"), 1 }, { SLICE("CET"), 1 }, { SLICE("CEST"), 2 },
};

enum { HOUR_S = 3600, SHORT_MONTH = 3, YEAR_DIGITS = 4 };

struct parts {
	int	year, month, day, hour, minute, second;
	int	half;		/* 'a' or 'p'; 0 when the hour is of 24 */
	bool	has_zone, bad_zone;
	int	east;
};

static int
month_of(struct slice word)
{
	for (size_t i = 0; i < sizeof(months) / sizeof(months[0]); i++)
		if (word.len >= SHORT_MONTH && slice_istarts(months[i], word))
			return (int)i + 1;
	return 0;
}

/* "11:12" or "11:12:30".  -1 when WORD is neither. */
static int
take_time(struct parts *d, struct slice word)
{
	int *const out[] = { &d->hour, &d->minute, &d->second };
	bool more = true;
	uint64_t v;

	for (size_t i = 0; more; i++) {
		struct slice part;

		more = slice_cut(word, ':', &part, &word);
		if (i == sizeof(out) / sizeof(out[0]) || part.len > 2 || slice_u64(part, &v) == -1)
			return -1;
		*out[i] = (int)v;
	}
	return 0;
}

static int
take_number(struct parts *d, struct slice word)
{
	uint64_t v;

	if (slice_u64(word, &v) == -1)
		return -1;
	if (word.len == YEAR_DIGITS && d->year == 0)
		d->year = (int)v;
	else if (word.len <= 2 && d->day == 0)
		d->day = (int)v;
	else
		return -1;
	return 0;
}

static void
take_zone(struct parts *d, struct slice word)
{
	d->has_zone = true;
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		if (slice_ieq(word, zones[i].name)) {
			d->east = zones[i].east;
			return;
		}
	d->bad_zone = true;
}

static int
take_word(struct parts *d, struct slice word)
{
	if (word.len > 0 && ascii_is_digit(word.p[0]))
		return slice_find(word, ':') < word.len ? take_time(d, word) : take_number(d, word);
	if (d->month == 0 && (d->month = month_of(word)) > 0)
		return 0;
	if (slice_ieq(word, SLICE("AM")) || slice_ieq(word, SLICE("PM"))) {
		d->half = ascii_lower(word.p[0]);
		return 0;
	}
	if (slice_ieq(word, SLICE("at")) || slice_ieq(word, SLICE("of")))
		return 0;
	if (d->has_zone || d->year == 0)
		return -1;
	take_zone(d, word);
	return 0;
}

/* The next word of *S, without the blanks and commas around it. */
static bool
next_word(struct slice *s, struct slice *word)
{
	size_t n = 0;

	while (s->len > 0 && (ascii_is_space(s->p[0]) || s->p[0] == ','))
		*s = slice_skip(*s, 1);
	while (n < s->len && !ascii_is_space(s->p[n]) && s->p[n] != ',')
		n++;
	*word = slice_head(*s, n);
	*s = slice_skip(*s, n);
	return n > 0;
}

bool
alert_date_ok(int64_t seconds)
{
	return seconds >= 0 && seconds <= CLOCK_LAST_S;
}

/* As alert_date(), before its zone has put the moment out of the years that there are. */
static enum alert_date
read_date(struct slice text, int64_t *seconds)
{
	struct parts d = { .year = 0 };
	struct slice word;

	if (clock_parse(text, seconds) == 0)
		return slice_find(text, 'T') < text.len ? ALERT_DATE_OK : ALERT_DATE_NO_ZONE;
	while (next_word(&text, &word))
		if (take_word(&d, word) == -1)
			return ALERT_DATE_BAD;
	if (d.half != 0 && (d.hour < 1 || d.hour > 12))
		return ALERT_DATE_BAD;
	if (d.half != 0)
		d.hour = d.hour % 12 + (d.half == 'p' ? 12 : 0);
	if (clock_civil(d.year, d.month, d.day, d.hour, d.minute, d.second, seconds) == -1)
		return ALERT_DATE_BAD;
	*seconds -= (int64_t)d.east * HOUR_S;
	if (!d.has_zone)
		return ALERT_DATE_NO_ZONE;
	return d.bad_zone ? ALERT_DATE_BAD_ZONE : ALERT_DATE_OK;
}

enum alert_date
alert_date(struct slice text, int64_t *seconds)
{
	enum alert_date result = read_date(slice_trim(text), seconds);

	return result == ALERT_DATE_BAD || alert_date_ok(*seconds) ? result : ALERT_DATE_BAD;
}
