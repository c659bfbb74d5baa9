/* console.h - the helpdesk's page: search, an incident, the day, alerts, sources, proxies and exceptions, in a browser.
 *
 * One process and one thread: requests are answered one after the other, from the event store and the live generation.  What is
 * changed, an exception, is changed by whoever called console_run(), through a function; names behind pseudonyms are shown by
 * eventstore/reveal.h alone, for which the keys are read each time and not kept.  HTML is made here, without scripts and
 * without anything from elsewhere.  No text of a request is ever a path. */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include <jansson.h>

#include "base/buf.h"

struct source_formats;

/* An exception that a user of the console asks for. */
struct console_wish {
	const json_t	*event;		/* from the rule that decided it, for its user or else its client, and its host */
	int64_t		 life_s;
	struct slice	 reason;
	const char	*by;		/* the user of the console */
};
enum console_done { CONSOLE_LIVE, CONSOLE_UNCONFIRMED, CONSOLE_REFUSED };

/* Make it.  When it is refused nothing has changed, and WHY gets what is wrong. */
typedef enum console_done console_except(void *arg, const struct console_wish *wish, struct buf *why);

/* Append the metrics in Prometheus's text format to OUT.  -1 after saying on standard error what is wrong. */
typedef int console_metrics(void *arg, struct buf *out);

/* Write LINE, about what BY did at NOW_MS, into the trail of reveals.  -1 after saying on standard error that it could not be. */
typedef int console_trail(void *arg, int64_t now_ms, const char *by, struct slice line);

/* Called once, when keys and certificates are read and the port is open, before anything of the state folder is: go on as who may
 * do that.  -1 after saying on standard error why not. */
typedef int console_settle(void *arg);

struct console_options {
	const char	*listen;	/* "127.0.0.1:8191", "[::1]:8191"; port 0: any that is free */
	const char	*state;		/* the state folder */
	const char	*events;	/* the event log */
	const char	*users;		/* users.h */
	const char	*tls_cert, *tls_key;	/* PEM files, both or none: then it speaks TLS alone */
	bool		 behind_tls;	/* browsers come by TLS to a server before this one */
	const char	*trust;		/* addresses, with commas between, of servers that say who it is; NULL: none */
	const char	*user_header, *role_header;	/* by these; NULL: no login by USER_HEADER, ROLE_READ for all */
	const char	*metrics_rule;	/* NULL: no /metrics; "loopback", or the path of a private file with a token */
	const struct source_formats *formats;
	console_except	*except;
	console_metrics	*metrics;
	console_trail	*trail;
	console_settle	*settle;
	void		*arg;		/* of all four */
};

/* Answer requests until SIGINT or SIGTERM.  Says on standard output where it listens, and on standard error who logs in.  -1 after
 * saying there why it cannot be done. */
int console_run(const struct console_options *o);

#endif
