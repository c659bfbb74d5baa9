/* transfer.h - one file by https:, http: or file:, with a limit of bytes and of time: what fetch.c and download.c are made of.
 *
 * libcurl lives here, and only http and https are ever given to it.  Certificates and names are verified (https); nothing is
 * decompressed; no password, cookie or .netrc is sent.  A redirect is followed, five times, when the caller says that it may be;
 * fields that are secret go to the scheme, host and port of the first URL alone.  Of this machine (file:) regular files are read.
 * Less than 100 bytes a second for 30 seconds ends it, before the time is over.  What comes is handed on as it comes and believed
 * by nobody here.  One thread at a time. */
#ifndef DELIVERY_TRANSFER_H
#define DELIVERY_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TRANSFER_WHY = 400,
	TRANSFER_URL = 4096,				/* bytes of any URL, with its NUL */
	TRANSFER_URL_ASKED = TRANSFER_URL / 2,		/* of one that somebody configures: the names of files come behind it */
	TRANSFER_FIELD = 256
};

struct transfer_options {
	const char	*ca;		/* a file of certificates instead of the system's; NULL */
	const char	*proxy;		/* the URL of one; NULL */
	bool		 env_proxy;	/* obey http_proxy, https_proxy and no_proxy */
};

struct transfer;

/* Get ready for any number of files.  NULL without memory.  The caller's: transfer_close(). */
struct transfer *transfer_open(const struct transfer_options *options);
void transfer_close(struct transfer *t);

/* Takes LEN bytes of a file; other than 0 ends the transfer. */
typedef int transfer_sink(void *arg, const void *bytes, size_t len);

struct transfer_request {
	const char		*url;		/* https: or http: */
	uint64_t		 max;		/* bytes */
	int64_t			 timeout_s;	/* all redirects together */
	const char *const	*fields;	/* "Name: value", sent everywhere */
	size_t			 n_fields;
	const char *const	*secrets;	/* the same, but not to another origin */
	size_t			 n_secrets;
	/* Must be there: why the redirect from FROM to TO may not be followed; NULL, and it is. */
	const char		*(*refuse)(void *refuse_arg, const char *from, const char *to);
	void			*refuse_arg;
	transfer_sink		*sink;
	void			*arg;		/* of SINK */
};

struct transfer_answer {
	long		status;			/* 0: there was none */
	uint64_t	bytes;			/* that came in, bodies of redirects too */
	int64_t		retry_after_s;		/* 0: not said */
	char		etag[TRANSFER_FIELD], modified[TRANSFER_FIELD], encoding[TRANSFER_FIELD];	/* "" when missing or too long */
	bool		too_long;		/* more than MAX bytes */
	bool		refused;		/* SINK ended it */
	char		why[TRANSFER_WHY];	/* when the result is -1 */
};

/* Get it.  0: the origin answered, with a status that is no redirect; the body of status 200 alone has been handed to SINK.  -1
 * with WHY. */
int transfer_get(struct transfer *t, const struct transfer_request *rq, struct transfer_answer *out);

/* The regular file PATH, of at most MAX bytes.  The same. */
int transfer_file(const char *path, uint64_t max, transfer_sink *sink, void *arg, struct transfer_answer *out);

/* Scheme, host and port of both URLs are the same. */
bool transfer_same_origin(const char *a, const char *b);

/* NULL, or why URL is none of the three kinds, or has a user in it. */
const char *transfer_url_trouble(const char *url);

/* The same, or that it is longer than TRANSFER_URL_ASKED bytes: of a URL that somebody configured. */
const char *transfer_asked_trouble(const char *url);

/* The path of the file: URL; or the host of any URL, or its scheme.  NULL when it has none.  The caller's: free(). */
char *transfer_path_of(const char *url);
char *transfer_host_of(const char *url);
char *transfer_scheme_of(const char *url);

#endif
