/* case.h - one .case file: rules, wire, verdict and log line of a capture.
 *
 *	# A sentence, printed when the case fails.
 *	conf:				c-icap.conf lines of the service, without "firebreak."
 *	    BlockConnect mark
 *	site:				site.conf
 *	    Threshold 4
 *	rules:				sources/rules.rules; "rules alert-1:" is sources/alert-1.rules
 *	    block host .example.net
 *	page block.html:		pages/block.html
 *	    <!doctype html> ...
 *	now 2026-01-01			publish as if it were that day ("now" alone: today again)
 *	mode observe			enforce, observe or off, from here on
 *	unpublished			nothing is ever published
 *	log "text"			the server log has a line with that text; any other line is a failure
 *	never "text"			no event and no page shows that text
 *	unshown "text"			no page shows that text; an event may
 *	shown "text"			every page shows that text
 *	client preview=0 204=no		what the client offers from here on: preview=BYTES|no|yes, 204=yes|no|squid
 *	icap  X-Client-IP: 192.0.2.7	an ICAP header from here on; "icap" alone forgets them all
 *	> GET http://example.net/ HTTP/1.1	head of the request; a bare mark ends it
 *	>
 *	>+ "text" 3 * "more"		one read of its body: strings and repeated strings
 *	>.				the client goes away instead of ending the body
 *	< HTTP/1.1 200 OK		the same for the response
 *	= reqmod pass			run it, and this is what comes back
 *	! block reason=host client=192.0.2.7	what it logs; nothing else
 *
 * A head or icap line that begins with a quote is a list of strings like that of a body; its CRLF is added too.  Strings have
 * \r \n \t \\ \" and \xHH.  A head after a complete head is a new message, and a new request forgets the response.  Blocks
 * are read by the real publisher before the next exchange; a block of the same name replaces the earlier.
 *
 * Verdicts, after "= reqmod" or "= respmod":
 *	pass [204]	the same bytes go on; with 204, none of them came back
 *	pass early	... and the head was on its way before the body had ended (fake server only)
 *	modify		the head was changed, the body was not
 *	block 403	a page with that status, exact length and the incident number of its event
 *	kill delivered < N	the transfer broke off with fewer bytes than N, all of them true
 *	error 500	an ICAP error
 *	gone		the client went away itself
 * After it, quoted strings say what a line of the head that came back begins with; -"text" that none does.
 * Event words and fields are those of events.def; a field with nothing after "=" must be absent. */
#ifndef T_REPLAY_CASE_H
#define T_REPLAY_CASE_H

#include "base/diag.h"
#include "events/event.h"
#include "runtime/runtime.h"
#include "t/replay/icap.h"

enum case_verdict { CASE_PASS, CASE_MODIFY, CASE_BLOCK, CASE_KILL, CASE_ERROR, CASE_GONE };

/* One field of a "!" line. */
struct case_field {
	const struct event_field	*field;
	char				*value;		/* "" = must be absent */
	struct case_field		*next;
};

struct case_event {
	enum event_action	 action;
	struct case_field	*fields;
	struct case_event	*next;
};

/* What a line of the returned head must (or must not) begin with. */
struct case_line {
	bool			 absent;
	char			*text;
	struct case_line	*next;
};

enum { CLIENT_DEFAULT = -2 };

struct case_exchange {
	bool		 respmod;
	struct message	*request, *response;	/* of the case; REQUEST may be NULL in RESPMOD */
	char		*headers;		/* ICAP header lines */
	int		 preview;		/* bytes, NO_PREVIEW, or CLIENT_DEFAULT: what the service asks for */
	int		 allow204;		/* 0, 1, or CLIENT_DEFAULT: as Squid offers it */
	enum case_verdict verdict;
	uint64_t	 number;		/* the status, or the limit of a kill */
	bool		 only_204, early;
	struct case_line *lines;
	struct case_event *events;		/* in the order written */
};

enum case_step_kind { CASE_SOURCE, CASE_PAGE, CASE_SITE, CASE_NOW, CASE_MODE, CASE_EXCHANGE };

struct case_step {
	enum case_step_kind	 kind;
	unsigned		 line;		/* of the file */
	char			*name;		/* CASE_SOURCE, CASE_PAGE */
	struct buf		 text;		/* CASE_SOURCE, CASE_PAGE, CASE_SITE */
	int64_t			 now;		/* CASE_NOW: seconds; 0 = today */
	enum mode		 mode;		/* CASE_MODE */
	struct case_exchange	 exchange;	/* CASE_EXCHANGE */
	struct case_step	*next;
};

struct case_message {
	struct message		 m;
	struct case_message	*next;
};

struct case_file {
	char			*name;		/* "host-below" */
	struct buf		 sentence;
	struct buf		 conf;
	bool			 unpublished;
	struct case_line	*log;		/* what the server log must have */
	struct case_line	*never;		/* what nobody may be shown */
	struct case_line	*unshown;	/* what no page may show */
	struct case_line	*shown;		/* what every page shows */
	struct case_step	*steps;
	struct case_message	*messages;
};

/* Read PATH.  NULL with errors in DIAG.  The caller's: case_free(). */
struct case_file *case_load(const char *path, struct diag *diag);
void case_free(struct case_file *c);

#endif
