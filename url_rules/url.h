/* url.h - one canonical form for every way to write a URL, and the expressions that rules are looked up by.
 *
 * The path is canonicalised as Safe Browsing v4 "URLs and Hashing" does it, the host as the WHATWG URL
 * Standard does it (parts 3.5, 3.6 of 2024: percent-decode, UTS 46 mapping, IPv4 in all its spellings, IPv6),
 * so that a browser, Squid and we mean the same server.  Where the two disagree, or both would refuse what a
 * proxy still has to judge, the deviations are listed in doc/URLS with their reason.
 *
 *	HTTP://User:pw@WWW.Example.COM.:80/a/../%62//c?x=1#f
 *	http://www.example.com/b/c?x=1
 *	scheme=http host=www.example.com port=80 path=/b/c query=?x=1
 *
 * Everything here is pure and thread-safe; a struct url belongs to whoever parsed it. */
#ifndef URL_RULES_URL_H
#define URL_RULES_URL_H

#include "base/slice.h"

enum {
	URL_RAW_MAX = 65536,	/* longer input is URL_TOO_LONG */
	HOST_MAX = 1024,	/* bytes of a canonical host; longer is URL_BAD_HOST */
};

enum url_error {
	URL_OK,
	URL_TOO_LONG,
	URL_NO_HOST,
	URL_BAD_HOST,
	URL_BAD_PORT,
	URL_NO_MEMORY,
};

enum host_kind { HOST_NAME, HOST_IPV4, HOST_IPV6 };

struct url {
	struct slice	 text;		/* the canonical form, without port and fragment */
	struct slice	 scheme;	/* lower case; "http" when none was written */
	struct slice	 host;		/* A-labels, lower case, no trailing dot; IPv6 in brackets, RFC 5952 */
	struct slice	 path;		/* begins with '/' */
	struct slice	 query;		/* begins with '?', or empty */
	struct slice	 path_query;	/* both, side by side */
	enum host_kind	 kind;
	uint16_t	 port;		/* as written, else the scheme's own; 0 when the scheme has none */
	char		*store;		/* what the slices point into */
};

/* RAW as a person, a feed or a proxy request line writes it: with or without scheme, surrounded by blanks or not.
 * On URL_OK U is filled and must be given to url_fini(); else U holds nothing.  Cost: linear, one allocation. */
enum url_error url_parse(struct url *u, struct slice raw);

/* The same for the absolute TARGET of a request that a proxy sent us.  A backslash ends no host here: browsers send none,
 * and Squid 5.7 looks up a name with one as it is written, so that "http://good.example\.evil.example/" reaches
 * evil.example. */
enum url_error url_parse_request(struct url *u, struct slice target);

/* RAW is a CONNECT target, "host:port" (port may be missing, IPv6 in brackets).  The scheme is "https", the path
 * is "/".  Nothing but the port ends the host: Squid 5.7 looks up "good.example/.evil.example" as one name. */
enum url_error url_parse_authority(struct url *u, struct slice raw);

/* An origin-form TARGET ("/a?b") with the Host header's value and SCHEME ("http" or "https"). */
enum url_error url_parse_origin(struct url *u, struct slice scheme, struct slice host, struct slice target);

/* Free what U holds; fine after a failed parse and on a zeroed struct. */
void url_fini(struct url *u);

/* A word for a person: "the URL has no host". */
const char *url_strerror(enum url_error e);

/* Canonical form of a host alone (a rule's value, a mail domain) into OUT, NUL-terminated; its length in *LEN.
 * KIND may be NULL. */
enum url_error host_canonical(struct slice raw, char out[static HOST_MAX + 1], size_t *len,
    enum host_kind *kind);

/* The next shorter domain: "a.b.c" -> "b.c" -> "c" -> false.  Addresses have no parent: false. */
bool host_parent(struct slice *host, enum host_kind kind);

/* HOST is DOMAIN or ends in "." DOMAIN; both canonical. */
bool host_under(struct slice host, struct slice domain);

/* The next shorter prefix of a canonical path_query that a rule may be written for; *PREFIX starts as the whole.
 *	/a/b/?x=1&y=2  ->  /a/b/?x=1  ->  /a/b/  ->  /a/b  ->  /a/  ->  /a  ->  /  ->  false */
bool path_prefix(struct slice *prefix);

#endif
