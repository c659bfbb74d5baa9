/* exchange.h - what an ICAP request says of the HTTP exchange it carries, in our own terms.
 *
 * Everything that is needed later is copied out of c-icap's headers, because their memory moves
 * when a header is added and their text is repacked when the answer is sent.  Only the named
 * headers are looked at: Squid hands over passwords too, and nothing here logs. */
#ifndef ICAP_SERVICE_EXCHANGE_H
#define ICAP_SERVICE_EXCHANGE_H

#include <c_icap/c-icap.h>
#include <c_icap/request.h>

#include "judge/judge.h"

struct exchange {
	struct slice	 method;	/* "GET"; empty when a response came without its request */
	struct slice	 target;	/* the request target as sent */
	struct slice	 shown;		/* the URL for people: with scheme and host, without userinfo; cut at SHOWN_MAX bytes */
	bool		 has_request;	/* there was a request line */
	bool		 is_connect, is_head, is_get;
	bool		 has_url;	/* URL is parsed */
	struct url	 url;
	enum url_error	 url_error;	/* when not */
	struct body_head head;		/* of the response, of a 206 what ranges_read() adds; of an upload once
					 * exchange_read_upload() was called */
	struct buf	 store;		/* what the slices point into */
};

enum { SHOWN_MAX = 8192 };

/* Fill X, which is zeroed, from REQ; X may not be moved afterwards.  -1 without memory; exchange_fini() is due in
 * either case. */
int exchange_read(struct exchange *x, ci_request_t *req);
void exchange_fini(struct exchange *x);

/* Also fill X's head, from what REQ's request says of its own body.  Before any header of it is changed. */
void exchange_read_upload(struct exchange *x, ci_request_t *req);

/* The names that the file would get which REQ's response (of an upload: its request) brings, added to OUT.  Before any header of it
 * is changed. */
void exchange_read_names(const struct exchange *x, ci_request_t *req, struct file_names *out);

/* Who asks, as Squid says: X-Client-IP and X-Client-Username of REQ.  Borrowed from REQ; only an event wants them. */
struct slice exchange_client(ci_request_t *req);
struct slice exchange_user(ci_request_t *req);

/* The name that a file from this URL would have: the last part of the path, at most 255 bytes; may
 * be empty. */
struct slice exchange_file_name(const struct exchange *x);

/* A Content-Length value: LENGTH_UNKNOWN when it is not one plain number.  Pure. */
int64_t content_length_parse(struct slice value);

#endif
