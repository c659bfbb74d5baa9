/* access_format.h - one line of a proxy's access log: what was asked for, by whom, when, and how many bytes came.
 *
 * A format is Squid's "logformat" text, taken apart once; or nobody says which, and each line is tried as Squid's own ("squid"),
 * and as the common or combined one of web servers.
 *
 *	%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt
 *	seconds   |    client         |    |   |  user
 *	          not read            size |   URL
 *	                                   method
 *
 * A code that says nothing of these is a field that ends where the text behind it begins.  What stands in a line was chosen by
 * strangers: a value that is quoted as Squid quotes it cannot pretend to be more fields, one that is logged raw ("'") can.
 * Immutable; threads may share it.  Pure. */
#ifndef EVENTSTORE_ACCESS_FORMAT_H
#define EVENTSTORE_ACCESS_FORMAT_H

#include "base/buf.h"
#include "base/diag.h"
#include "url_rules/url.h"

struct access_format;

/* The format that TEXT says: a logformat's text, with or without "logformat NAME" before it; "squid", "common" or "combined";
 * empty: each line tells.  NULL with errors in DIAG, with their column: a code that has to be read stands side by side with
 * another one, nothing says what was asked for, something is not closed, it is too long; or no memory.  The caller's:
 * access_format_free(). */
struct access_format *access_format_new(struct slice text, struct diag *diag);
void access_format_free(struct access_format *f);

/* FORMAT says when something was asked for; else the time of an entry is never there. */
bool access_format_has_time(const struct access_format *f);

enum access_kind {
	ACCESS_URL,		/* URL is one */
	ACCESS_CONNECT,		/* URL is "host:port" */
	ACCESS_HOST,		/* URL is a host: the format has no more */
	ACCESS_ERROR,		/* URL is "error:..." or empty: there was no request that Squid understood */
};

enum { ACCESS_UNKNOWN = -1 };

/* Texts are borrowed from the line or from the scratch buffer; empty where the log has "-". */
struct access_entry {
	enum access_kind kind;
	struct slice	 url, client, user, method, status;
	struct slice	 result;		/* Squid's own word, "TCP_MISS" */
	int64_t		 time_ms;		/* ACCESS_UNKNOWN */
	int64_t		 size;			/* of the reply, as sent to the client with its head; ACCESS_UNKNOWN */
	int64_t		 head_size;		/* of its head (%<sh); ACCESS_UNKNOWN */
};

/* Read LINE, without its newline, into OUT.  SCRATCH, which is reset, gets what has to be unquoted.  False when it is no line of
 * that format.  Linear. */
bool access_format_read(const struct access_format *f, struct slice line, struct buf *scratch, struct access_entry *out);

/* The URL of E as url_parse_request() and url_parse_authority() do it; URL_NO_HOST when it has none. */
enum url_error access_entry_url(const struct access_entry *e, struct url *u);

#endif
