#include "setup/doctor_part.h"

enum { KEEP_ALIVE_LONG_S = 300, KEEP_ALIVE_SHORT_S = 60, CONNECTIONS_LEAST = 100 };

/* ---- both together ---- */

/* Bug 5352: mended in 6.14 and 7.0.2. */
bool
doctor_stalls(const struct patient *p, struct spot *s)
{
	const struct squid_build *b = &p->squid->build;

	doctor_mark(s, p->cicap->conf, conf_last(p->cicap->conf, "firebreak.HoldMode"));
	return doctor_says(s->at, "whole", false) && b->major != 0 && (b->major < 6 || (b->major == 6 && b->minor < 14));
}

bool
doctor_mark_passes(const struct patient *p, struct spot *s)
{
	bool seen = false, denied = false;

	doctor_mark(s, p->cicap->conf, conf_last(p->cicap->conf, "firebreak.BlockConnect"));
	for (size_t i = 0; i < p->squid->conf->n; i++) {
		const struct directive *d = &p->squid->conf->v[i];

		seen |= slice_eq(d->words[0], SLICE("acl")) && slice_ieq(conf_word(d, 3), SLICE("X-Firebreak-Deny"));
		denied |= slice_eq(d->words[0], SLICE("adapted_http_access")) && slice_eq(conf_word(d, 1), SLICE("deny"));
	}
	return doctor_says(s->at, "mark", false) && !(seen && denied);
}

bool
doctor_inner_passes(const struct patient *p, struct spot *s)
{
	doctor_mark(s, p->cicap->conf, conf_last(p->cicap->conf, "firebreak.BlockConnect"));
	for (size_t i = 0; i < p->squid->n_ports; i++)
		if (p->squid->ports[i].ssl_bump)
			return false;
	return doctor_says(s->at, "inner", false);
}

bool
doctor_other_port(const struct patient *p, struct spot *s)
{
	for (size_t i = 0; i < p->squid->n_services; i++) {
		const struct squid_service *v = &p->squid->services[i];
		bool listens = p->cicap->n_ports == 0;
		struct slice host, its_host;
		unsigned port = squid_uri_port(v->uri, &host), its;

		for (size_t k = 0; k < p->cicap->conf->n; k++) {
			const struct directive *d = &p->cicap->conf->v[k];

			if ((slice_eq(d->words[0], SLICE("Port")) || slice_eq(d->words[0], SLICE("TlsPort"))) &&
			    cicap_port_read(conf_word(d, 1), &its_host, &its))
				listens |= its == port;
		}
		if (doctor_is_ours(v) && cicap_is_loopback(host) && !listens) {
			doctor_mark(s, p->squid->conf, v->at);
			return true;
		}
	}
	return false;
}

/* ---- c-icap.conf ---- */

bool
doctor_no_module_line(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->cicap->firebreak == NULL;
}

bool
doctor_no_module(const struct patient *p, struct spot *s)
{
	doctor_mark(s, p->cicap->conf, p->cicap->firebreak);
	return p->examined && p->cicap->firebreak != NULL && !p->module_there;
}

bool
doctor_is_open(const struct patient *p, struct spot *s)
{
	doctor_mark(s, p->cicap->conf, conf_last(p->cicap->conf, "Port"));
	return !p->cicap->loopback;
}

/* Without max-conn Squid has as many as it likes: then there must be some hundred at least. */
bool
doctor_few_threads(const struct patient *p, struct spot *s)
{
	uint64_t threads = p->cicap->max_servers * p->cicap->threads, wanted = 0;

	doctor_mark(s, p->cicap->conf, conf_last(p->cicap->conf, "MaxServers"));
	for (size_t i = 0; i < p->squid->n_services; i++) {
		uint64_t most = CONNECTIONS_LEAST;
		struct slice host;

		if (squid_uri_port(p->squid->services[i].uri, &host) != p->cicap->port || p->squid->services[i].uri.len == 0)
			continue;
		(void)slice_u64(doctor_option(p->squid->services[i].at, "max-conn"), &most);
		wanted += most;
	}
	return threads < wanted;
}

bool
doctor_keeps_idle(const struct patient *p, struct spot *s)
{
	doctor_mark(s, p->cicap->conf, conf_last(p->cicap->conf, "KeepAliveTimeout"));
	return p->cicap->keep_alive > KEEP_ALIVE_LONG_S;
}

bool
doctor_closes_early(const struct patient *p, struct spot *s)
{
	doctor_mark(s, p->cicap->conf, conf_last(p->cicap->conf, "KeepAliveTimeout"));
	return s->at != NULL && p->cicap->keep_alive < KEEP_ALIVE_SHORT_S;
}
