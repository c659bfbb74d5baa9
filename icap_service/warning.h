/* warning.h - a host that is doubtful: the page with "continue", and what follows when somebody does.
 *
 *	GET http://doubtful/x          -> the page, with a form: POST /.well-known/firebreak-continue?t=TOKEN&to=%2Fx
 *	POST of that form              -> 303 to /x; client and user may go on to that host for WarnFor
 *	GET http://doubtful/x, again   -> passes
 *
 * A form that is sent again while its token is good leads back, too, and gives no more time.  Whatever else goes to that path goes
 * to the site.
 *
 * A page is for navigations only: what a page loads, programs, and CONNECT, to which no browser shows a page, pass, and are
 * logged.  So does who comes without a client's address or a user's name, since nobody could be told apart from him. */
#ifndef ICAP_SERVICE_WARNING_H
#define ICAP_SERVICE_WARNING_H

#include "icap_service/txn.h"

enum warning_answer {
	WARNING_PASS,		/* let it go on, silently: it was warned of */
	WARNING_LOG,		/* let it go on, and log that it would have been warned of */
	WARNING_PAGE,		/* the page, with "continue" */
	WARNING_CONTINUE,	/* somebody went on: send him to where he was */
};

/* What is due of T, a request for a host that is to be warned of.  WARNING_CONTINUE has taken effect. */
enum warning_answer warning_due(struct txn *t, ci_request_t *req);

/* Append where the page's form is sent, for T as it is; percent-encoded.  -1 when it cannot be made. */
int warning_action(struct txn *t, struct buf *out);

/* Append where whoever went on is sent: a path of the same host. */
int warning_target(const struct txn *t, struct buf *out);

#endif
