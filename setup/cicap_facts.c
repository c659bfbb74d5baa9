#include "setup/cicap_facts.h"

enum { ICAP_PORT = 1344 };

/* The value of the last line that is called NAME; empty when there is none. */
static struct slice
last_value(const struct conf *conf, const char *name)
{
	const struct directive *d = conf_last(conf, name);

	return d == NULL ? (struct slice){ 0 } : conf_word(d, 1);
}

static uint64_t
last_number(const struct conf *conf, const char *name)
{
	uint64_t n = 0;

	return slice_u64(last_value(conf, name), &n) == 0 ? n : 0;
}

bool
cicap_port_read(struct slice where, struct slice *host, unsigned *port)
{
	size_t colon = where.len;
	uint64_t n;

	while (colon > 0 && where.p[colon - 1] != ':')
		colon--;
	*host = slice_head(where, colon > 0 ? colon - 1 : 0);
	if (slice_u64(slice_skip(where, colon), &n) == -1 || n == 0 || n > UINT16_MAX)
		return false;
	*port = (unsigned)n;
	return true;
}

bool
cicap_is_loopback(struct slice host)
{
	return slice_starts(host, SLICE("127.")) || slice_ieq(host, SLICE("localhost")) || slice_eq(host, SLICE("[::1]")) ||
	    slice_eq(host, SLICE("::1"));
}

static void
read_port(struct cicap_facts *f, struct slice where)
{
	struct slice host;
	unsigned port;

	if (!cicap_port_read(where, &host, &port))
		return;
	if (f->n_ports++ == 0) {
		f->port = port;
		f->host = host;
	}
	f->loopback &= cicap_is_loopback(host);
}

static bool
is_ours(const struct directive *d)
{
	struct slice module = conf_word(d, 2);

	return slice_eq(d->words[0], SLICE("Service")) && (slice_eq(module, SLICE("srv_firebreak.so")) ||
	    slice_ends(module, SLICE("/srv_firebreak.so")));
}

void
cicap_facts_read(struct cicap_facts *out, const struct conf *conf)
{
	*out = (struct cicap_facts){ .conf = conf, .port = ICAP_PORT, .loopback = true,
		.user = last_value(conf, "User"), .group = last_value(conf, "Group"),
		.services_folder = last_value(conf, "ServicesDir"), .pid_file = last_value(conf, "PidFile"),
		.command = last_value(conf, "CommandsSocket"),
		.max_servers = last_number(conf, "MaxServers"), .threads = last_number(conf, "ThreadsPerChild"),
		.keep_alive = last_number(conf, "KeepAliveTimeout") };
	for (size_t i = 0; i < conf->n; i++) {
		const struct directive *d = &conf->v[i];

		if (slice_eq(d->words[0], SLICE("Port")))
			read_port(out, conf_word(d, 1));
		if (out->firebreak == NULL && is_ours(d))
			out->firebreak = d;
	}
	out->loopback &= out->n_ports > 0;
}
