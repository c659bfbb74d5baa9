/* syslog_message.h - an event as a message of syslog (RFC 5424).
 *
 *	<132>1 2026-11-23T07:20:24.332Z proxy1 firebreak - blocked [firebreak@32473 id="1M83ME10C4HM007J" ...] {"@time...
 *
 * MSG is the line of the event log, byte for byte: a converter adds what syslog wants around it and changes nothing.  What the
 * structured data have is there a second time, for receivers that look no further.  Everything in an event was chosen by strangers:
 * no byte of theirs stands in the header, and in the structured data none that ends a value, a message or a line.  Pure. */
#ifndef EVENTSTORE_SYSLOG_MESSAGE_H
#define EVENTSTORE_SYSLOG_MESSAGE_H

#include "eventstore/eventstore.h"

enum { SYSLOG_SEVERITY_BY_ACTION = -1, SYSLOG_HOST_MAX = 255, SYSLOG_SD_ID_MAX = 32, SYSLOG_SIZE_MIN = 2048 };

struct syslog_style {
	int		 facility;	/* 0 to 23 */
	int		 severity;	/* 0 to 7, or SYSLOG_SEVERITY_BY_ACTION: warning where something was refused, else notice */
	bool		 bom;		/* before MSG: RFC 5424 6.4 wants it of UTF-8, RFC 8259 8.1 forbids it of JSON */
	size_t		 max;		/* bytes of a message, SYSLOG_SIZE_MIN or more */
	const char	*sd_id;		/* syslog_is_sd_id() */
	const char	*host;		/* syslog_is_host(), or "-" */
};

/* The number of a facility ("local0") or a severity ("notice"), or -1. */
int syslog_facility(const char *word);
int syslog_severity(const char *word);

/* TEXT may be an SD-ID of one's own, NAME@NUMBER; it may be a HOSTNAME. */
bool syslog_is_sd_id(const char *text);
bool syslog_is_host(const char *text);

/* Append ROW, whose line is JSON, to OUT.  When that would be longer than STYLE->max, MSG is left out and the structured data say
 * how many bytes it has (omitted="70211"): half a JSON is none, and what a receiver cuts off it may take for a message of its own.
 * 0; 1 when it was left out; -1 when OUT has no room. */
int syslog_message(const struct syslog_style *style, const struct event_row *row, struct slice json, struct buf *out);

#endif
