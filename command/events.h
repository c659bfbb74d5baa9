/* events.h - what the verbs that look into the event log share. */
#ifndef COMMAND_EVENTS_H
#define COMMAND_EVENTS_H

#include "alerts/alert.h"
#include "command/call.h"
#include "command/caller.h"
#include "eventstore/eventstore.h"

/* The store of the log at FILE, or that of C's state folder when FILE is NULL, up to date; what could not be read was said.  NULL
 * after saying why.  *PARTIAL says that a file is missing in it. */
struct eventstore *events_open(const struct call *c, const char *file, bool *partial);

/* Who called, from here to caller_end(), when he named the log FILE: as the owner of the folder that it is in.  NULL: nothing. */
void events_caller_begin(struct caller *was, const char *file);

/* Append the line of incident ID in S to OUT.  0 found; 1 not there; -1 after saying why. */
int events_line(struct eventstore *s, const char id[static INCIDENT_LEN + 1], struct buf *out);

/* What a person typed, joined: a number is often read out, and typed, in groups.  NULL when it is too long; the caller frees. */
char *events_typed(const struct call *c);

/* ---- one incident ---- */

struct events_found {
	char			 id[INCIDENT_LEN + 1];
	json_t			*event;
	struct eventstore	*store;		/* NULL when there is no index */
};

/* Find the incident whose number C's operands are, in the log at FILE or that of the state folder.  EXIT_FINE, or another exit
 * status after saying what is wrong.  events_found_fini() is due in either case. */
int events_find(const struct call *c, const char *file, struct events_found *found);

/* The same of the number that was TYPED elsewhere. */
int events_find_typed(const struct call *c, const char *typed, const char *file, struct events_found *found);

void events_found_fini(struct events_found *found);

/* ---- how rows are printed: on standard output ---- */

enum events_style { EVENTS_TABLE, EVENTS_JSON, EVENTS_CSV };

/* The line of CSV that names the columns. */
void events_print_head(void);

/* ROW as a line of the table or of CSV. */
void events_print_row(const struct event_row *row, enum events_style style);

/* LINE of the log as one of JSON, in ASCII.  -1 after saying that it could not be done. */
int events_print_json(struct slice line);

/* COUNT, which is by BY. */
void events_print_count(const struct event_count *count, int by, enum events_style style);

/* The line of CSV, or the head of the table, that counts begin with. */
void events_print_count_head(int by, enum events_style style);

#endif
