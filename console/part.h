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
#include "console/words.h"
#include "eventstore/eventstore.h"

enum { ANSWER_MAX = 8 << 20, LOCATION_MAX = 128, COOKIE_MAX = 192, SECRET_BYTES = 32, EVENT_LINE_MAX = 1 << 21, TRUSTED_MAX = 16,
	TOKEN_MIN = 16, TOKEN_MAX = 512 };
enum { STATUS_OK = 200, STATUS_SEE_OTHER = 303, STATUS_BAD = 400, STATUS_UNAUTHORIZED = 401, STATUS_FORBIDDEN = 403,
	STATUS_NOT_FOUND = 404, STATUS_METHOD = 405, STATUS_CONFLICT = 409, STATUS_LENGTH = 411, STATUS_TOO_LARGE = 413,
	STATUS_TOO_MANY = 429, STATUS_TROUBLE = 500, STATUS_BUSY = 503 };

enum cookie { COOKIE_SESSION, COOKIE_LOGIN, COOKIE_LANGUAGE };

struct console {
	const struct console_options *o;
	struct eventstore	*store;		/* NULL: to be opened by whoever needs it */
	struct sessions		*sessions;
	struct limits		*limits;
	uint8_t			 secret[SECRET_BYTES];	/* of the tokens in login forms */
	bool			 is_secure;	/* browsers come by TLS */
	char			 trusted[TRUSTED_MAX][INET6_ADDRSTRLEN];	/* who may say which user it is; "": none */
	char			 metrics_token[TOKEN_MAX + 1];	/* "": none */
};

/* All of it is valid until the request is answered. */
struct request {
	bool		 is_get, is_post;
	struct slice	 path;			/* as it was sent, before the question mark */
	struct form	 query, fields;
	struct slice	 cookies, fetch_site, host, authorization;	/* headers */
	char		 client[INET6_ADDRSTRLEN];
	bool		 is_direct;		/* nobody says that he passes it on for somebody else */
	bool		 has_proxied, bad_proxied;	/* a trusted server says who it is; it says so, but not well */
	struct user	 proxied;
	int64_t		 now_ms;		/* the clock's */
	int64_t		 tick_ms;		/* that never goes back */
	const struct words *words;		/* the language of the answer */
	const struct session *session;		/* NULL: not logged in */
};

struct answer {
	unsigned	 status;
	const char	*type;			/* of the body */
	struct buf	 body;
	char		 location[LOCATION_MAX];	/* empty: none */
	char		 cookie[COOKIE_MAX], language[COOKIE_MAX];	/* empty: none */
};

/* ---- answer.c ---- */

/* Answer RQ: who may do what is decided here.  answer_fini() is due. */
void console_answer(struct console *c, struct request *rq, struct answer *a);
void answer_fini(struct answer *a);

/* A page of one sentence, for what went wrong. */
void answer_message(const struct request *rq, struct answer *a, unsigned status, enum word_id title, enum word_id text);

/* The same for what DIAG says, which is in English, or for TEXT. */
struct diag;
void answer_trouble(const struct request *rq, struct answer *a, enum word_id title, const struct diag *diag);

/* Go to LOCATION, which is made of nothing that a stranger wrote. */
void answer_go(struct answer *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The name of a cookie: "__Host-..." when browsers come by TLS, so that no other server can have set it (RFC 6265bis 4.1.3). */
const char *cookie_name(const struct console *c, enum cookie cookie);

/* Whoever gets the answer gets the cookie, for LIFE_S seconds; 0: while the browser is open; -1: he is to forget it. */
void cookie_set(const struct console *c, char out[static COOKIE_MAX], enum cookie cookie, const char *value, int life_s);

/* The session's user has ROLE. */
bool request_may(const struct request *rq, enum role role);

/* ---- pages; RQ has a session but at the login and the metrics ---- */

typedef void page(struct console *c, const struct request *rq, struct answer *a);
page page_login, page_log_in, page_log_out, page_metrics;
page page_reveal, page_reveals, page_decide;
page page_search, page_incident, page_except, page_today, page_alerts, page_alert, page_sources, page_proxies;

/* ---- what they have in common ---- */

/* The store with what came since.  NULL after answering that it cannot be read; *PARTIAL: not all of it could. */
struct eventstore *console_store(struct console *c, const struct request *rq, struct answer *a, bool *partial);

/* Which generation is live, and since when. */
struct generation;
void generation_write(const struct request *rq, const struct generation *g, struct buf *out);

/* An incident, while its page is made. */
struct incident {
	char		 id[INCIDENT_LEN + 1];
	json_t		*event;
	struct eventstore *store;		/* the console's */
};

/* The incident of the field "id" in FORM.  -1 after answering why there is none.  json_decref() of the event is due in either
 * case. */
int incident_find(struct console *c, const struct request *rq, const struct form *form, struct incident *in, struct answer *a);

/* Its page.  WRONG: what a form was refused for, as HTML; empty. */
void incident_write(const struct console *c, const struct request *rq, const struct incident *in, struct slice wrong,
    struct answer *a);

/* The form's field "reason", one line that can be read, into REASON.  WORDS, or the text that says what is wrong with it. */
enum { REASON_MAX = 400 };
enum word_id request_reason(const struct request *rq, struct slice *reason);

#endif
