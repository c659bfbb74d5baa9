/* squid_facts.h - what a squid.conf says, as far as it matters to whoever adds an ICAP service to it.
 *
 * Pure: everything is read from a struct conf, and points into it. */
#ifndef SETUP_SQUID_FACTS_H
#define SETUP_SQUID_FACTS_H

#include "setup/conf.h"

/* Where in the life of a transaction a service is asked. */
enum point { POINT_REQMOD, POINT_RESPMOD, POINTS };

/* What is told of the binary by "squid -v". */
struct squid_build {
	unsigned	major, minor;	/* 0 when it is not known */
	bool		icap;		/* built with the ICAP client */
	bool		openssl;	/* with OpenSSL: ssl-bump, and %ssl:: codes */
	char		logs[256];	/* the folder of its logs; "" when it is not known */
};

/* Read what "squid -v" printed.  A version that is not told is 0.0; Squid's default is to have the ICAP client. */
void squid_build_read(struct slice said, struct squid_build *out);

struct squid_service {
	struct slice			 name;
	enum point			 point;
	struct slice			 uri;
	const struct directive		*at;
};

enum group_kind { GROUP_SET, GROUP_CHAIN };

/* adaptation_service_set and adaptation_service_chain: the members are the directive's words from 2 on. */
struct squid_group {
	struct slice			 name;
	enum group_kind			 kind;
	const struct directive		*at;
};

/* A name that adaptation_access lines have, once, in the order of the first such line; this order decides which of them is asked.
 * */
struct squid_access {
	struct slice			 name;
	const struct directive		*at;
};

struct squid_port {
	struct slice			 host;		/* empty: any address */
	unsigned			 port;
	bool				 plain;		/* for clients that know of the proxy: no intercept, tproxy, accel */
	bool				 ssl_bump;
};

struct squid_facts {
	const struct conf	*conf;
	struct squid_build	 build;
	struct squid_service	*services;
	size_t			 n_services;
	struct squid_group	*groups;
	size_t			 n_groups;
	struct squid_access	*access;
	size_t			 n_access;
	struct squid_port	*ports;
	size_t			 n_ports;
	unsigned		 workers;	/* 1 when nothing is said */
	bool			 icap_on;	/* icap_enable on, in the end */
	const struct directive	*include;	/* the first "include FOLDER/ *.conf" of the main file; NULL */
};

/* Gather them.  -1 without memory, and squid_facts_fini() is due in either case. */
int squid_facts_read(struct squid_facts *out, const struct conf *conf, struct squid_build build);
void squid_facts_fini(struct squid_facts *facts);

/* The service or the group of that name; NULL. */
const struct squid_service *squid_service(const struct squid_facts *facts, struct slice name);
const struct squid_group *squid_group(const struct squid_facts *facts, struct slice name);

/* The point of a group or service called NAME: that of its first member that is known.  False when nothing is known of it. */
bool squid_point(const struct squid_facts *facts, struct slice name, enum point *out);

/* The port of an icap: or icaps: URI, and its host into *HOST; 1344 or 11344 when it names none. */
unsigned squid_uri_port(struct slice uri, struct slice *host);

/* The part of the URI that names the service, without a query. */
struct slice squid_uri_service(struct slice uri);

/* Where clients reach this Squid from the machine itself: the first plain port without ssl-bump, else the first plain one; NULL. */
const struct squid_port *squid_proxy_port(const struct squid_facts *facts);

/* The same as "127.0.0.1:3128" into OUT.  False when there is none. */
enum { SQUID_PROXY = 300 };
bool squid_proxy_address(const struct squid_facts *facts, char out[static SQUID_PROXY]);

#endif
