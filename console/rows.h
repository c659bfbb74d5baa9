/* rows.h - events, and who met them, as lists of links. */
#ifndef CONSOLE_ROWS_H
#define CONSOLE_ROWS_H

#include "console/words.h"
#include "events/event.h"
#include "eventstore/eventstore.h"
#include "ruleset/exception_list.h"

struct request;

struct rows {
	int64_t	oldest_ms;	/* of the first that was found */
	size_t	n;
	char	only[INCIDENT_LEN + 1];	/* the last one's number */
};

/* Append what Q finds in S to OUT, newest first, as <li>; ROWS_MAX at most, whatever Q says.  -1 with an error in DIAG. */
enum { ROWS_MAX = 100 };
int rows_write(struct eventstore *s, const struct event_query *q, const struct request *rq, struct buf *out, struct rows *rows,
    struct diag *diag);

/* Append the clients that met what Q finds most often to OUT, as <ul>.  What cannot be read is left out. */
void rows_write_clients(struct eventstore *s, const struct event_query *q, const struct request *rq, struct buf *out);

/* The action of that name, EVENT_ACTIONS when this version does not know it; whether it stopped something. */
enum event_action rows_action(struct slice name);
bool rows_stops(enum event_action action);

/* The class that an action is coloured by. */
const char *rows_action_class(struct slice action);

/* An action in RQ's language, or as it is when this version does not know it. */
void rows_add_action(struct buf *out, const struct request *rq, struct slice action);

/* What ACTION means for the user; UPLOAD: the body was the request's. */
enum word_id rows_action_meaning(struct slice action, bool upload);

/* The word for an exception's state. */
enum word_id exception_word(enum exception_state state);

#endif
