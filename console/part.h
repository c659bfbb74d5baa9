/* part.h - what the files of this room share: the console, a request, an answer.
 *
 * A request is taken apart by server.c, which knows libmicrohttpd, and answered by answer.c and the pages, which do not. */
#ifndef CONSOLE_PART_H
#define CONSOLE_PART_H

#include <netinet/in.h>

#include "console/console.h"
#include "console/form.h"
#include "console/limit.h"
#include "console/session.h"
#include "eventstore/eventstore.h"

#define SESSION_COOKIE	"firebreak_session"
enum { ANSWER_MAX = 8 << 20, LOCATION_MAX = 128, COOKIE_MAX = 192, SECRET_BYTES = 32, EVENT_LINE_MAX = 1 << 21 };
enum { STATUS_OK = 200, STATUS_SEE_OTHER = 303, STATUS_BAD = 400, STATUS_FORBIDDEN = 403, STATUS_NOT_FOUND = 404,
	STATUS_METHOD = 405, STATUS_CONFLICT = 409, STATUS_LENGTH = 411, STATUS_TOO_LARGE = 413, STATUS_TOO_MANY = 429,
	STATUS_TROUBLE = 500 };

struct console {
	const struct console_options *o;
	struct eventstore	*store;		/* NULL: to be opened by whoever needs it */
	struct sessions		*sessions;
	struct limits		*limits;
	uint8_t			 secret[SECRET_BYTES];	/* of the tokens in login forms */
};

/* All of it is valid until the request is answered. */
struct request {
	bool		 is_get, is_post;
	struct slice	 path;			/* as it was sent, before the question mark */
	struct form	 query, fields;
	struct slice	 cookies, fetch_site;	/* headers */
	char		 client[INET6_ADDRSTRLEN];
	int64_t		 now_ms;		/* the clock's */
	int64_t		 tick_ms;		/* that never goes back */
	const struct session *session;		/* NULL: not logged in */
};

struct answer {
	unsigned	 status;
	const char	*type;			/* of the body */
	struct buf	 body;
	char		 location[LOCATION_MAX];	/* empty: none */
	char		 cookie[COOKIE_MAX];	/* empty: none */
};

/* ---- answer.c ---- */

/* Answer RQ: who may do what is decided here.  answer_fini() is due. */
void console_answer(struct console *c, struct request *rq, struct answer *a);
void answer_fini(struct answer *a);

/* A page of one sentence, for what went wrong. */
void answer_message(const struct request *rq, struct answer *a, unsigned status, const char *title, struct slice text);

/* Go to LOCATION, which is made of nothing that a stranger wrote. */
void answer_go(struct answer *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- pages; RQ has a session but at the login ---- */

typedef void page(struct console *c, const struct request *rq, struct answer *a);
page page_login, page_log_in, page_log_out;
page page_search, page_incident, page_except, page_today, page_sources;

/* ---- what they have in common ---- */

/* The store with what came since.  NULL after answering that it cannot be read; *PARTIAL: not all of it could. */
struct eventstore *console_store(struct console *c, const struct request *rq, struct answer *a, bool *partial);

#endif
