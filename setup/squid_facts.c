#include "setup/squid_facts.h"

#include <stdio.h>

#include "setup/array.h"

enum { ICAP_PORT = 1344, ICAPS_PORT = 11344, PORT_MAX = 65535 };

/* ---- the binary ---- */

/* The number that S begins with; the rest to *REST. */
static unsigned
leading_number(struct slice s, struct slice *rest)
{
	size_t n = 0;
	uint64_t value = 0;

	while (n < s.len && ascii_is_digit(s.p[n]))
		n++;
	*rest = slice_skip(s, n);
	return slice_u64(slice_head(s, n), &value) == 0 && value <= PORT_MAX ? (unsigned)value : 0;
}

void
squid_build_read(struct slice said, struct squid_build *out)
{
	static const struct slice version = { "Version ", sizeof("Version ") - 1 };
	static const struct slice logs = { "'--with-logdir=", sizeof("'--with-logdir=") - 1 };
	struct slice rest = slice_skip(said, slice_search(said, version));

	*out = (struct squid_build){ .major = 0 };
	out->major = leading_number(slice_skip(rest, version.len), &rest);
	if (slice_starts(rest, SLICE(".")))
		out->minor = leading_number(slice_skip(rest, 1), &rest);
	rest = slice_skip(said, slice_search(said, logs) + logs.len);
	rest = slice_head(rest, slice_find(rest, '\''));
	if (rest.len < sizeof(out->logs) && slice_starts(rest, SLICE("/")))
		memcpy(out->logs, rest.p, rest.len);
	out->icap = slice_search(said, SLICE("--disable-icap-client")) == said.len;
	out->openssl = slice_search(said, SLICE("--with-openssl")) < said.len || slice_search(said, SLICE("--enable-ssl ")) < said.len;
}

/* ---- directives ---- */

static int
add_service(struct squid_facts *f, const struct directive *d)
{
	struct slice point = conf_word(d, 2);
	struct squid_service *s;

	if (!slice_starts(point, SLICE("reqmod")) && !slice_starts(point, SLICE("respmod")))
		return 0;
	if ((s = array_add(&f->services, &f->n_services, sizeof(*s))) == NULL)
		return -1;
	*s = (struct squid_service){ .name = conf_word(d, 1), .at = d,
		.point = slice_starts(point, SLICE("reqmod")) ? POINT_REQMOD : POINT_RESPMOD };
	/* An old form has 0 or 1 for bypass before the address. */
	for (size_t i = 3; i < d->n_words && s->uri.len == 0; i++)
		if (slice_search(d->words[i], SLICE("://")) < d->words[i].len)
			s->uri = d->words[i];
	return 0;
}

static int
add_group(struct squid_facts *f, const struct directive *d, enum group_kind kind)
{
	struct squid_group *g = array_add(&f->groups, &f->n_groups, sizeof(*g));

	if (g == NULL)
		return -1;
	*g = (struct squid_group){ .name = conf_word(d, 1), .kind = kind, .at = d };
	return 0;
}

static int
add_access(struct squid_facts *f, const struct directive *d)
{
	struct squid_access *a;

	for (size_t i = 0; i < f->n_access; i++)
		if (slice_eq(f->access[i].name, conf_word(d, 1)))
			return 0;
	if ((a = array_add(&f->access, &f->n_access, sizeof(*a))) == NULL)
		return -1;
	*a = (struct squid_access){ .name = conf_word(d, 1), .at = d };
	return 0;
}

/* http_port "3128", "host:3128", "[::1]:3128", and what follows. */
static int
add_port(struct squid_facts *f, const struct directive *d)
{
	static const char *const special[] = { "intercept", "transparent", "tproxy", "accel", "vhost", "require-proxy-header" };
	struct slice where = conf_word(d, 1), rest;
	size_t colon = where.len;
	struct squid_port *p;

	while (colon > 0 && where.p[colon - 1] != ':')
		colon--;
	if ((p = array_add(&f->ports, &f->n_ports, sizeof(*p))) == NULL)
		return -1;
	*p = (struct squid_port){ .host = slice_head(where, colon > 0 ? colon - 1 : 0), .plain = true,
		.port = leading_number(slice_skip(where, colon), &rest) };
	for (size_t i = 2; i < d->n_words; i++) {
		for (size_t k = 0; k < sizeof(special) / sizeof(special[0]); k++)
			if (slice_eq(d->words[i], slice_str(special[k])))
				p->plain = false;
		p->ssl_bump |= slice_eq(d->words[i], SLICE("ssl-bump"));
	}
	return 0;
}

static bool
is_folder_include(const struct directive *d)
{
	return d->file == 0 && !d->conditional && d->n_words == 2 && slice_ends(d->words[1], SLICE("/*.conf"));
}

static int
read_directive(struct squid_facts *f, const struct directive *d)
{
	struct slice name = d->words[0];
	uint64_t workers;

	if (slice_eq(name, SLICE("icap_service")) || slice_eq(name, SLICE("ecap_service")))
		return add_service(f, d);
	if (slice_eq(name, SLICE("adaptation_service_set")))
		return add_group(f, d, GROUP_SET);
	if (slice_eq(name, SLICE("adaptation_service_chain")))
		return add_group(f, d, GROUP_CHAIN);
	/* icap_class and icap_access are what these were called before Squid 3.1. */
	if (slice_eq(name, SLICE("adaptation_access")) || slice_eq(name, SLICE("icap_access")))
		return add_access(f, d);
	if (slice_eq(name, SLICE("http_port")))
		return add_port(f, d);
	if (slice_eq(name, SLICE("workers")) && slice_u64(conf_word(d, 1), &workers) == 0 && workers > 0 && workers <= PORT_MAX)
		f->workers = (unsigned)workers;
	else if (slice_eq(name, SLICE("icap_enable")))
		f->icap_on = slice_eq(conf_word(d, 1), SLICE("on"));
	else if (slice_eq(name, SLICE("include")) && f->include == NULL && is_folder_include(d))
		f->include = d;
	return 0;
}

int
squid_facts_read(struct squid_facts *out, const struct conf *conf, struct squid_build build)
{
	*out = (struct squid_facts){ .conf = conf, .build = build, .workers = 1 };
	for (size_t i = 0; i < conf->n; i++)
		if (read_directive(out, &conf->v[i]) == -1)
			return -1;
	return 0;
}

void
squid_facts_fini(struct squid_facts *facts)
{
	free(facts->services);
	free(facts->groups);
	free(facts->access);
	free(facts->ports);
	*facts = (struct squid_facts){ .conf = NULL };
}

/* ---- questions ---- */

const struct squid_service *
squid_service(const struct squid_facts *facts, struct slice name)
{
	for (size_t i = 0; i < facts->n_services; i++)
		if (slice_eq(facts->services[i].name, name))
			return &facts->services[i];
	return NULL;
}

const struct squid_group *
squid_group(const struct squid_facts *facts, struct slice name)
{
	for (size_t i = 0; i < facts->n_groups; i++)
		if (slice_eq(facts->groups[i].name, name))
			return &facts->groups[i];
	return NULL;
}

bool
squid_point(const struct squid_facts *facts, struct slice name, enum point *out)
{
	const struct squid_group *g = squid_group(facts, name);
	const struct squid_service *s = squid_service(facts, name);

	for (size_t i = 2; g != NULL && i < g->at->n_words; i++)
		if ((s = squid_service(facts, g->at->words[i])) != NULL)
			break;
	if (s == NULL)
		return false;
	*out = s->point;
	return true;
}

unsigned
squid_uri_port(struct slice uri, struct slice *host)
{
	unsigned port = slice_istarts(uri, SLICE("icaps:")) ? ICAPS_PORT : ICAP_PORT;
	struct slice rest = slice_skip(uri, slice_search(uri, SLICE("://")) + strlen("://"));
	size_t n = slice_find(rest, '/'), colon;

	*host = slice_head(rest, n);
	for (colon = host->len; colon > 0 && ascii_is_digit(host->p[colon - 1]); colon--)
		;
	if (colon == 0 || colon == host->len || host->p[colon - 1] != ':')
		return port;
	port = leading_number(slice_skip(*host, colon), &rest);
	*host = slice_head(*host, colon - 1);
	return port;
}

struct slice
squid_uri_service(struct slice uri)
{
	struct slice rest = slice_skip(uri, slice_search(uri, SLICE("://")) + strlen("://"));

	rest = slice_skip(rest, slice_find(rest, '/') + 1);
	return slice_head(rest, slice_find(rest, '?'));
}

const struct squid_port *
squid_proxy_port(const struct squid_facts *facts)
{
	const struct squid_port *found = NULL;

	for (size_t i = 0; i < facts->n_ports; i++) {
		const struct squid_port *p = &facts->ports[i];

		if (p->plain && p->port != 0 && (found == NULL || (found->ssl_bump && !p->ssl_bump)))
			found = p;
	}
	return found;
}

bool
squid_proxy_address(const struct squid_facts *facts, char out[static SQUID_PROXY])
{
	static const char *const any[] = { "", "0.0.0.0", "[::]", "::", ":" };
	const struct squid_port *port = squid_proxy_port(facts);
	struct slice host;

	if (port == NULL)
		return false;
	host = port->host;
	for (size_t i = 0; i < sizeof(any) / sizeof(any[0]); i++)
		if (slice_eq(port->host, slice_str(any[i])))
			host = SLICE("127.0.0.1");
	snprintf(out, SQUID_PROXY, "%.*s:%u", SLICE_ARGS(host), port->port);
	return true;
}
