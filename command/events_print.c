#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "command/events.h"
#include "command/show.h"

static const struct slice none = SLICE("-");

static struct slice
or_none(struct slice text)
{
	return text.len > 0 ? text : none;
}

/* A cell of CSV (RFC 4180) that no spreadsheet takes for a formula. */
static void
cell(struct slice text, char after)
{
	struct slice part;

	putchar('"');
	if (text.len > 0 && strchr("=+-@\t\r", *text.p) != NULL)
		putchar('\'');
	while (slice_cut(text, '"', &part, &text)) {
		show_text(stdout, part);
		fputs("\"\"", stdout);
	}
	show_text(stdout, part);
	printf("\"%c", after);
}

void
events_print_head(void)
{
	fputs("time,incident", stdout);
	for (int w = 0; w < EVENT_WORDS; w++)
		printf(",%s", event_word_name((enum event_word)w));
	puts(",digest,url");
}

static void
print_csv(const struct event_row *row, const char *date)
{
	cell(slice_str(date), ',');
	cell(slice_str(row->id), ',');
	for (int w = 0; w < EVENT_WORDS; w++)
		cell(row->words[w], ',');
	cell(row->digest, ',');
	cell(row->url, '\n');
}

/* TEXT in a column of WIDTH or wider. */
static void
column(struct slice text, size_t width)
{
	show_text(stdout, or_none(text));
	printf("%*s  ", text.len < width ? (int)(width - or_none(text).len) : 0, "");
}

void
events_print_row(const struct event_row *row, enum events_style style)
{
	enum { ACTION_WIDTH = 11, REASON_WIDTH = 10, CLIENT_WIDTH = 15, USER_WIDTH = 8, RULE_WIDTH = 16 };
	char date[CLOCK_TEXT], shown[INCIDENT_SHOWN + 1];

	clock_format_ms(row->ms, date);
	if (style == EVENTS_CSV) {
		print_csv(row, date);
		return;
	}
	incident_show(row->id, shown);
	printf("%s  %s  ", date, shown);
	column(row->words[EVENT_WORD_ACTION], ACTION_WIDTH);
	column(row->words[EVENT_WORD_REASON], REASON_WIDTH);
	column(row->words[EVENT_WORD_CLIENT], CLIENT_WIDTH);
	column(row->words[EVENT_WORD_USER], USER_WIDTH);
	column(row->words[EVENT_WORD_RULE], RULE_WIDTH);
	show_text(stdout, or_none(row->url.len > 0 ? row->url : row->words[EVENT_WORD_HOST]));
	putchar('\n');
}

int
events_print_json(struct slice line)
{
	return show_json(json_loadb(line.p, line.len, 0, NULL), false);
}

/* ---- counts ---- */

static const char *
name_of(int by)
{
	return by == EVENT_BY_HOUR ? "hour" : event_word_name((enum event_word)by);
}

void
events_print_count_head(int by, enum events_style style)
{
	if (style == EVENTS_CSV)
		printf("%s,events,clients,first,last\n", name_of(by));
	else if (style == EVENTS_TABLE)
		printf("%10s %10s  %-20s  %-20s  %s\n", "events", "clients", "first", "last", name_of(by));
}

/* The hour that MS is in. */
static void
format_hour(int64_t ms, char out[static CLOCK_TEXT])
{
	enum { MS_PER_S = 1000, HOUR_S = 3600 };
	int64_t s = ms / MS_PER_S;

	clock_format_s(s - s % HOUR_S, out);
}

void
events_print_count(const struct event_count *count, int by, enum events_style style)
{
	char first[CLOCK_TEXT], last[CLOCK_TEXT], hour[CLOCK_TEXT];
	struct slice word = count->word;
	json_t *j;

	clock_format_s(count->first_ms / 1000, first);
	clock_format_s(count->last_ms / 1000, last);
	format_hour(count->first_ms, hour);
	if (by == EVENT_BY_HOUR)
		word = slice_str(hour);
	if (style == EVENTS_JSON) {
		j = json_object();
		json_object_set_new(j, name_of(by), word.len == 0 ? json_null() : show_json_text(word));
		show_json_number(j, "events", count->n);
		show_json_number(j, "clients", count->clients);
		json_object_set_new(j, "first", json_string(first));
		json_object_set_new(j, "last", json_string(last));
		show_json(j, false);
	} else if (style == EVENTS_CSV) {
		cell(word, ',');
		printf("%" PRIu64 ",%" PRIu64 ",%s,%s\n", count->n, count->clients, first, last);
	} else {
		printf("%10" PRIu64 " %10" PRIu64 "  %s  %s  ", count->n, count->clients, first, last);
		show_text(stdout, or_none(word));
		putchar('\n');
	}
}
