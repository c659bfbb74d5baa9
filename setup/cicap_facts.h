/* cicap_facts.h - what a c-icap.conf says, as far as it matters to whoever adds a service to it.  Pure, as squid_facts.h is. */
#ifndef SETUP_CICAP_FACTS_H
#define SETUP_CICAP_FACTS_H

#include "setup/conf.h"

struct cicap_facts {
	const struct conf	*conf;
	struct slice		 user, group;		/* empty when nothing is said: c-icap stays who started it */
	struct slice		 services_folder;
	struct slice		 pid_file, command;
	struct slice		 host;			/* of the first Port line; empty for any address */
	unsigned		 port;			/* of the first Port line; 1344 when there is none */
	size_t			 n_ports;		/* how many Port lines there are */
	bool			 loopback;		/* each of them is on a loopback address */
	uint64_t		 max_servers, threads;	/* as they are in the end; 0 when nothing is said */
	uint64_t		 keep_alive;		/* seconds */
	const struct directive	*firebreak;		/* a Service line that is ours already, written by hand; NULL */
};

/* Gather them. */
void cicap_facts_read(struct cicap_facts *out, const struct conf *conf);

/* Take the value of a Port line apart: "1344", "127.0.0.1:1344", "[::1]:1344".  False when it has no port. */
bool cicap_port_read(struct slice where, struct slice *host, unsigned *port);

/* HOST, in brackets or not, is this machine alone. */
bool cicap_is_loopback(struct slice host);

#endif
