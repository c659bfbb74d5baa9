#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "setup/plan_part.h"

enum { THREADS = 64, KEEP_ALIVE_S = 90 };

/* Squid reaches a service of this c-icap over an address that is not the loopback one. */
static const struct squid_service *
remote_user(const struct planning *p)
{
	for (size_t i = 0; i < p->squid->n_services; i++) {
		struct slice host;
		unsigned port = squid_uri_port(p->squid->services[i].uri, &host);

		if (port == p->cicap->port && p->squid->services[i].uri.len > 0 && (!cicap_is_loopback(host) || slice_search(host,
		    SLICE(":")) < host.len))
			return &p->squid->services[i];
	}
	return NULL;
}

uint64_t
plan_connections(const struct planning *p)
{
	uint64_t services = POINTS;

	for (size_t i = 0; i < p->squid->n_services; i++) {
		struct slice host;

		services += p->squid->services[i].uri.len > 0 && squid_uri_port(p->squid->services[i].uri, &host) == p->cicap->port;
	}
	return services * PLAN_CONNECTIONS;
}

/* D, a Port line, becomes one of the loopback address; one that is there already goes. */
static void
move_port(struct planning *p, const struct directive *d)
{
	struct slice host, other_host;
	unsigned port, other;
	char line[64];
	bool first = true;

	if (!cicap_port_read(conf_word(d, 1), &host, &port) || cicap_is_loopback(host))
		return;
	for (const struct directive *e = p->cicap->conf->v; e < p->cicap->conf->v + p->cicap->conf->n; e++)
		if (e != d && slice_eq(e->words[0], SLICE("Port")) && cicap_port_read(conf_word(e, 1), &other_host, &other) && other == port)
			first &= e > d && !slice_starts(other_host, SLICE("127."));
	snprintf(line, sizeof(line), "Port 127.0.0.1:%u\n", port);
	lines_replace(&p->edits, p->cicap->conf, d, first ? line : "");
	plan_say(p->notes, DIAG_NOTE, p->cicap->conf, d, "becomes port %u of 127.0.0.1: c-icap asks nobody for a password, so that nobody "
	    "but this machine's Squid may reach it (--keep-listen leaves it as it is)", port);
}

/* See to it that only this machine reaches c-icap. */
static void
close_ports(struct planning *p)
{
	const struct squid_service *user = remote_user(p);
	const struct conf *conf = p->cicap->conf;

	if (p->cicap->loopback)
		return;
	if (p->options->keep_listen || user != NULL) {
		if (user != NULL)
			plan_say(p->notes, DIAG_WARNING, p->squid->conf, user->at, "asks c-icap by another address than 127.0.0.1, so that "
			    "c-icap stays open to the network: filter its port, as it asks nobody for a password");
		return;
	}
	p->moves_port = true;
	if (p->cicap->n_ports == 0)
		buf_addf(&p->cicap_text, "\n# Only this machine: c-icap asks nobody for a password.\nPort 127.0.0.1:%u\n", p->cicap->port);
	for (size_t i = 0; i < conf->n; i++)
		if (slice_eq(conf->v[i].words[0], SLICE("Port")))
			move_port(p, &conf->v[i]);
}

static void
add_threads(struct planning *p)
{
	uint64_t connections = plan_connections(p), wanted = connections + PLAN_SPARE;
	uint64_t servers = (wanted + THREADS - 1) / THREADS;

	if (p->cicap->max_servers * p->cicap->threads >= wanted) {
		diag_add(p->notes, DIAG_NOTE, NULL, 0, 0, "c-icap's %" PRIu64 " threads are enough for the %" PRIu64 " connections that Squid "
		    "may have",
		    p->cicap->max_servers * p->cicap->threads, connections);
		return;
	}
	buf_addf(&p->cicap_text, "\n# A thread for each connection that Squid may have, idle ones as well: %" PRIu64 " by max-conn in "
	    "squid.conf, and some\n"
	    "# for others.  With too few, requests wait where neither Squid nor we see it.\n"
	    "StartServers 2\nMaxServers %" PRIu64 "\nThreadsPerChild %d\nMinSpareThreads 32\nMaxSpareThreads %d\n",
	    connections, servers, THREADS, 2 * THREADS + 2);
}

static void
add_connections(struct planning *p)
{
	buf_addf(&p->cicap_text, "\n# Squid closes what is idle for a minute.  Were it c-icap, a request could meet the closing; were "
	    "it ten minutes, as in\n"
	    "# c-icap's sample, dead clients would hold threads.\nKeepAliveTimeout %d\n"
	    "\n# As many requests a connection as come.\nMaxKeepAliveRequests -1\n", KEEP_ALIVE_S);
}

void
plan_cicap(struct planning *p)
{
	const struct plan_options *o = p->options;
	char *line = NULL;

	if (p->cicap->firebreak != NULL)
		plan_say(p->diag, DIAG_ERROR, p->cicap->conf, p->cicap->firebreak, "Firebreak was added by hand: take its lines out to "
		    "have setup do it, or leave all as it is");
	buf_addf(&p->cicap_text, "# Firebreak in c-icap.  Made by \"firebreak setup\", which makes it anew when it is run again; "
	    "\"firebreak undo\" takes it\n"
	    "# away.  Lines of your own do not belong here.\n\n"
	    "# The service that squid.conf names as icap://%s/" PLAN_SERVICE ".\nService firebreak_module %s\n"
	    "\n# Rules, events, and what the workers share.\nfirebreak.StateDir %s\n", p->icap, o->module, o->state);
	if (o->helper != NULL)
		buf_addf(&p->cicap_text, "\n# The program that looks into archives.\nfirebreak.Helper %s\n", o->helper);
	close_ports(p);
	add_threads(p);
	add_connections(p);
	if (asprintf(&line, "Include %s\n", plan_path(p, o->cicap.path)) == -1)
		p->edits.failed = true;
	else
		lines_append(&p->edits, p->cicap->conf, 0, line);
	free(line);
}
