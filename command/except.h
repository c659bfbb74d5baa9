/* except.h - makes an exception live, for whoever was asked to: the verb, or the console.
 *
 * Nothing is printed here but that an audit line could not be written. */
#ifndef COMMAND_EXCEPT_H
#define COMMAND_EXCEPT_H

#include <jansson.h>

#include "base/buf.h"
#include "base/diag.h"
#include "command/edit_live.h"

enum { EXCEPT_LIFE_DEFAULT_S = 7 * 24 * 3600 };
#define EXCEPT_SOURCE	"exceptions"

/* What is asked for.  All of it is the caller's. */
struct except_wish {
	const json_t	*event;			/* of the incident whose rule it is from; NULL: RULE says it */
	struct slice	 rule;			/* "REV:ID" */
	struct slice	 client, user, host;	/* null: those of the event; empty: an error */
	bool		 any_client, any_host;	/* whatever the event says */
	int64_t		 life_s;
	struct slice	 reason;
	const char	*by;			/* who asked, for the audit; NULL: the user id alone says it */
	enum edit_show	 show;
};

/* What came of it: except_made_fini(). */
struct except_made {
	char		label[EDIT_LABEL_MAX];
	struct buf	value;			/* "2:local:4 user=ann host=a.example" */
	struct diag	diag;			/* what is wrong, or was found while publishing */
};

/* Make the exception that W asks for live in C's state folder, for the user of the event or else its client, and its host.  What
 * edit_live() answers: EXIT_FOUND when some worker has not confirmed, EXIT_TROUBLE with errors in M->diag when nothing changed.
 * except_made_fini() is due in any case. */
int except_add(const struct call *c, const struct except_wish *w, struct except_made *m);
void except_made_fini(struct except_made *m);

/* Open the source of exceptions under the publishers' lock: a descriptor whose closing ends that, or -1 with an error in DIAG.
 * edit_fini() is due in either case. */
int except_open_source(const struct call *c, struct edit *edit, struct diag *diag);

/* Write a line of STATE/log/exceptions.log: WHAT was done to RULE at NOW (seconds), asked for by BY (NULL: by this user id). */
void except_audit(const struct call *c, int64_t now, const char *by, const char *what, struct slice rule);

#endif
