#include "setup/doctor.h"

#include <stdlib.h>

enum { DAY_S = 86400, SUFFIXES_DAYS = 366, KEEP_ALIVE_LONG_S = 300, KEEP_ALIVE_SHORT_S = 60, CONNECTIONS_LEAST = 100,
    PREVIEW_LEAST = 1024 };

#define DISK_LEAST	0.05

/* Where a test found what it looked for. */
struct spot {
	const struct conf	*conf;
	const struct directive	*at;
};

/* ---- what tests ask ---- */

/* The last line of squid.conf by that name, or by an old one (NULL). */
static const struct directive *
last_of(const struct patient *p, const char *name, const char *old)
{
	const struct directive *a = conf_last(p->squid->conf, name), *b = old == NULL ? NULL : conf_last(p->squid->conf, old);

	return b != NULL && (a == NULL || b > a) ? b : a;
}

static void
mark(struct spot *s, const struct conf *conf, const struct directive *d)
{
	s->conf = d == NULL ? NULL : conf;
	s->at = d;
}

/* D's value is WORD, or what Squid takes when there is no line. */
static bool
says(const struct directive *d, const char *word, bool when_absent)
{
	return d == NULL ? when_absent : slice_eq(conf_word(d, 1), slice_str(word));
}

static bool
is_our_service(const struct squid_service *s)
{
	return slice_eq(squid_uri_service(s->uri), SLICE("firebreak"));
}

/* NAME of an adaptation_access line leads to us. */
static bool
leads_to_us(const struct patient *p, struct slice name)
{
	const struct squid_group *g = squid_group(p->squid, name);
	const struct squid_service *s;

	if (g == NULL)
		return (s = squid_service(p->squid, name)) != NULL && is_our_service(s);
	for (size_t i = 2; i < g->at->n_words; i++)
		if ((s = squid_service(p->squid, g->at->words[i])) != NULL && is_our_service(s))
			return true;
	return false;
}

static bool
has_service(const struct patient *p, enum point point)
{
	for (size_t i = 0; i < p->squid->n_services; i++)
		if (p->squid->services[i].point == point && is_our_service(&p->squid->services[i]))
			return true;
	return false;
}

/* An adaptation_access line of POINT leads to us. */
static bool
has_access(const struct patient *p, enum point point)
{
	enum point its;

	for (size_t i = 0; i < p->squid->n_access; i++)
		if (squid_point(p->squid, p->squid->access[i].name, &its) && its == point && leads_to_us(p, p->squid->access[i].name))
			return true;
	return false;
}

static bool
is_access(const struct directive *d)
{
	return slice_eq(d->words[0], SLICE("adaptation_access")) || slice_eq(d->words[0], SLICE("icap_access"));
}

/* D is an access line for NAME that says nothing of any message: "deny !all". */
static bool
is_idle(const struct directive *d)
{
	return slice_eq(conf_word(d, 2), SLICE("deny")) && slice_eq(conf_word(d, 3), SLICE("!all"));
}

/* Some access line of NAME allows something. */
static bool
allows_something(const struct patient *p, struct slice name)
{
	for (size_t i = 0; i < p->squid->conf->n; i++) {
		const struct directive *d = &p->squid->conf->v[i];

		if (is_access(d) && slice_eq(conf_word(d, 1), name) && slice_eq(conf_word(d, 2), SLICE("allow")))
			return true;
	}
	return false;
}

/* The last word of D that begins with NAME and '='; empty. */
static struct slice
option_of(const struct directive *d, const char *name)
{
	struct slice key, value, found = { 0 };

	for (size_t i = 3; i < d->n_words; i++)
		if (slice_cut(d->words[i], '=', &key, &value) && slice_eq(key, slice_str(name)))
			found = value;
	return found;
}

/* The value of the service's option NAME in c-icap.conf; empty. */
static struct slice
service_option(const struct patient *p, const char *name)
{
	const struct directive *d = conf_last(p->cicap->conf, name);

	return d == NULL ? (struct slice){ 0 } : conf_word(d, 1);
}

/* ---- squid.conf: whether we are asked ---- */

static bool
squid_refuses(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && !p->squid_parses;
}

static bool
is_interrupted(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->setup_interrupted;
}

static bool
built_without_icap(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->squid->build.major != 0 && !p->squid->build.icap;
}

static bool
icap_is_off(const struct patient *p, struct spot *s)
{
	mark(s, p->squid->conf, conf_last(p->squid->conf, "icap_enable"));
	return !p->squid->icap_on;
}

static bool
no_request_service(const struct patient *p, struct spot *s)
{
	(void)s;
	return !has_service(p, POINT_REQMOD);
}

static bool
no_answer_service(const struct patient *p, struct spot *s)
{
	(void)s;
	return !has_service(p, POINT_RESPMOD);
}

static bool
no_request_access(const struct patient *p, struct spot *s)
{
	(void)s;
	return has_service(p, POINT_REQMOD) && !has_access(p, POINT_REQMOD);
}

static bool
no_answer_access(const struct patient *p, struct spot *s)
{
	(void)s;
	return has_service(p, POINT_RESPMOD) && !has_access(p, POINT_RESPMOD);
}

static bool
unknown_service(const struct patient *p, struct spot *s)
{
	enum point point;

	for (size_t i = 0; i < p->squid->n_access; i++)
		if (!squid_point(p->squid, p->squid->access[i].name, &point)) {
			mark(s, p->squid->conf, p->squid->access[i].at);
			return true;
		}
	return false;
}

/* Something that is not us comes before us at its point, and takes something. */
static bool
before_us(const struct patient *p, struct spot *s)
{
	bool met[POINTS] = { false };

	for (size_t i = 0; i < p->squid->n_access; i++) {
		const struct squid_access *a = &p->squid->access[i];
		enum point point;

		if (!squid_point(p->squid, a->name, &point) || met[point])
			continue;
		if (leads_to_us(p, a->name)) {
			/* A chain of others with us takes what its own lines say: the rest goes on to the next name. */
			met[point] = squid_group(p->squid, a->name) == NULL;
		} else if (has_service(p, point) && allows_something(p, a->name)) {
			mark(s, p->squid->conf, a->at);
			return true;
		}
	}
	return false;
}

/* A service of ours, not a chain of others. */
static bool
is_own_line(const struct patient *p, const struct directive *d)
{
	return is_access(d) && squid_group(p->squid, conf_word(d, 1)) == NULL && leads_to_us(p, conf_word(d, 1));
}

/* The acl NAME is of streams: its line has their type. */
static bool
is_of_streams(const struct patient *p, struct slice name)
{
	for (size_t i = 0; i < p->squid->conf->n; i++) {
		const struct directive *d = &p->squid->conf->v[i];

		if (slice_eq(d->words[0], SLICE("acl")) && slice_eq(conf_word(d, 1), name) &&
		    slice_search(slice_str(d->text), SLICE("event-stream")) < strlen(d->text))
			return true;
	}
	return false;
}

static bool
leaks(const struct patient *p, struct spot *s)
{
	for (size_t i = 0; i < p->squid->conf->n; i++) {
		const struct directive *d = &p->squid->conf->v[i];

		if (is_own_line(p, d) && slice_eq(conf_word(d, 2), SLICE("deny")) && !is_idle(d) && !is_of_streams(p, conf_word(d, 3))) {
			mark(s, p->squid->conf, d);
			return true;
		}
	}
	return false;
}

/* The last line of each of our services must take the rest; but of one that is for some there may be another. */
static bool
takes_some(const struct patient *p, struct spot *s)
{
	const struct directive *last[POINTS] = { NULL };
	enum point point;

	for (size_t i = 0; i < p->squid->conf->n; i++)
		if (is_own_line(p, &p->squid->conf->v[i]) && squid_point(p->squid, conf_word(&p->squid->conf->v[i], 1), &point))
			last[point] = &p->squid->conf->v[i];
	for (point = 0; point < POINTS; point++)
		if (last[point] != NULL && !slice_eq(conf_word(last[point], 2), SLICE("deny")) &&
		    (last[point]->n_words != 4 || !slice_eq(conf_word(last[point], 3), SLICE("all")))) {
			mark(s, p->squid->conf, last[point]);
			return true;
		}
	return false;
}

/* ---- squid.conf: how ---- */

static bool
bypasses(const struct patient *p, struct spot *s)
{
	for (size_t i = 0; i < p->squid->n_services; i++) {
		const struct squid_service *v = &p->squid->services[i];
		struct slice bypass = option_of(v->at, "bypass");

		if (is_our_service(v) && (slice_eq(bypass, SLICE("on")) || slice_eq(bypass, SLICE("1")) || slice_eq(conf_word(v->at, 3),
		    SLICE("1")))) {
			mark(s, p->squid->conf, v->at);
			return true;
		}
	}
	return false;
}

static bool
overload_bypasses(const struct patient *p, struct spot *s)
{
	for (size_t i = 0; i < p->squid->n_services; i++) {
		const struct squid_service *v = &p->squid->services[i];
		struct slice what = option_of(v->at, "on-overload");

		if (is_our_service(v) && (slice_eq(what, SLICE("bypass")) || slice_eq(what, SLICE("force")))) {
			mark(s, p->squid->conf, v->at);
			return true;
		}
	}
	return false;
}

static bool
no_preview(const struct patient *p, struct spot *s)
{
	mark(s, p->squid->conf, conf_last(p->squid->conf, "icap_preview_enable"));
	return says(s->at, "off", false);
}

static bool
short_preview(const struct patient *p, struct spot *s)
{
	uint64_t size;

	mark(s, p->squid->conf, conf_last(p->squid->conf, "icap_preview_size"));
	return s->at != NULL && slice_u64(conf_word(s->at, 1), &size) == 0 && size < PREVIEW_LEAST;
}

static bool
no_address(const struct patient *p, struct spot *s)
{
	mark(s, p->squid->conf, last_of(p, "adaptation_send_client_ip", "icap_send_client_ip"));
	return !says(s->at, "on", false);
}

static bool
no_user(const struct patient *p, struct spot *s)
{
	mark(s, p->squid->conf, last_of(p, "adaptation_send_username", "icap_send_client_username"));
	return !says(s->at, "on", false);
}

static bool
other_header(const struct patient *p, struct spot *s)
{
	mark(s, p->squid->conf, conf_last(p->squid->conf, "icap_client_username_header"));
	return s->at != NULL && !slice_ieq(conf_word(s->at, 1), SLICE("X-Client-Username"));
}

static bool
encoded_user(const struct patient *p, struct spot *s)
{
	mark(s, p->squid->conf, conf_last(p->squid->conf, "icap_client_username_encode"));
	return says(s->at, "on", false);
}

/* Squid 6 and later lose a socket with any page that answers a CONNECT; 5 does not with ours, which has a body. */
static bool
leaks_sockets(const struct patient *p, struct spot *s)
{
	mark(s, p->squid->conf, conf_last(p->squid->conf, "persistent_connection_after_error"));
	return p->squid->build.major >= 6 && !says(s->at, "off", false) && !slice_eq(service_option(p, "firebreak.BlockConnect"),
	    SLICE("mark"));
}

static bool
gives_up(const struct patient *p, struct spot *s)
{
	mark(s, p->squid->conf, conf_last(p->squid->conf, "icap_service_failure_limit"));
	return !says(s->at, "-1", false);
}

static bool
revives_late(const struct patient *p, struct spot *s)
{
	uint64_t seconds;

	mark(s, p->squid->conf, conf_last(p->squid->conf, "icap_service_revival_delay"));
	return s->at == NULL || (slice_u64(conf_word(s->at, 1), &seconds) == 0 && seconds > 60);
}

static bool
waits_long(const struct patient *p, struct spot *s)
{
	(void)s;
	return conf_last(p->squid->conf, "icap_io_timeout") == NULL && conf_last(p->squid->conf, "read_timeout") == NULL;
}

static bool
expects(const struct patient *p, struct spot *s)
{
	(void)s;
	return conf_last(p->squid->conf, "force_request_body_continuation") == NULL;
}

static bool
holds_streams(const struct patient *p, struct spot *s)
{
	(void)s;
	for (size_t i = 0; i < p->squid->conf->n; i++) {
		const struct directive *d = &p->squid->conf->v[i];

		if (is_access(d) && slice_eq(conf_word(d, 2), SLICE("deny")) && leads_to_us(p, conf_word(d, 1)) &&
		    is_of_streams(p, conf_word(d, 3)))
			return false;
	}
	return has_service(p, POINT_RESPMOD);
}

static bool
logs_nothing(const struct patient *p, struct spot *s)
{
	(void)s;
	for (size_t i = 0; i < p->squid->conf->n; i++) {
		const struct directive *d = &p->squid->conf->v[i];

		if (slice_eq(d->words[0], SLICE("acl")) && slice_eq(conf_word(d, 2), SLICE("adaptation_service")))
			return false;
	}
	return true;
}

/* ---- both together ---- */

/* Bug 5352: mended in 6.14 and 7.0.2. */
static bool
stalls(const struct patient *p, struct spot *s)
{
	const struct squid_build *b = &p->squid->build;

	mark(s, p->cicap->conf, conf_last(p->cicap->conf, "firebreak.HoldMode"));
	return says(s->at, "whole", false) && b->major != 0 && (b->major < 6 || (b->major == 6 && b->minor < 14));
}

static bool
mark_passes(const struct patient *p, struct spot *s)
{
	bool seen = false, denied = false;

	mark(s, p->cicap->conf, conf_last(p->cicap->conf, "firebreak.BlockConnect"));
	for (size_t i = 0; i < p->squid->conf->n; i++) {
		const struct directive *d = &p->squid->conf->v[i];

		seen |= slice_eq(d->words[0], SLICE("acl")) && slice_ieq(conf_word(d, 3), SLICE("X-Firebreak-Deny"));
		denied |= slice_eq(d->words[0], SLICE("adapted_http_access")) && slice_eq(conf_word(d, 1), SLICE("deny"));
	}
	return says(s->at, "mark", false) && !(seen && denied);
}

static bool
inner_passes(const struct patient *p, struct spot *s)
{
	mark(s, p->cicap->conf, conf_last(p->cicap->conf, "firebreak.BlockConnect"));
	for (size_t i = 0; i < p->squid->n_ports; i++)
		if (p->squid->ports[i].ssl_bump)
			return false;
	return says(s->at, "inner", false);
}

static bool
other_port(const struct patient *p, struct spot *s)
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
		if (is_our_service(v) && cicap_is_loopback(host) && !listens) {
			mark(s, p->squid->conf, v->at);
			return true;
		}
	}
	return false;
}

/* ---- c-icap.conf ---- */

static bool
no_module_line(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->cicap->firebreak == NULL;
}

static bool
no_module(const struct patient *p, struct spot *s)
{
	mark(s, p->cicap->conf, p->cicap->firebreak);
	return p->examined && p->cicap->firebreak != NULL && !p->module_there;
}

static bool
is_open(const struct patient *p, struct spot *s)
{
	mark(s, p->cicap->conf, conf_last(p->cicap->conf, "Port"));
	return !p->cicap->loopback;
}

/* Without max-conn Squid has as many as it likes: then there must be some hundred at least. */
static bool
few_threads(const struct patient *p, struct spot *s)
{
	uint64_t threads = p->cicap->max_servers * p->cicap->threads, wanted = 0;

	mark(s, p->cicap->conf, conf_last(p->cicap->conf, "MaxServers"));
	for (size_t i = 0; i < p->squid->n_services; i++) {
		uint64_t most = CONNECTIONS_LEAST;
		struct slice host;

		if (squid_uri_port(p->squid->services[i].uri, &host) != p->cicap->port || p->squid->services[i].uri.len == 0)
			continue;
		(void)slice_u64(option_of(p->squid->services[i].at, "max-conn"), &most);
		wanted += most;
	}
	return threads < wanted;
}

static bool
keeps_idle(const struct patient *p, struct spot *s)
{
	mark(s, p->cicap->conf, conf_last(p->cicap->conf, "KeepAliveTimeout"));
	return p->cicap->keep_alive > KEEP_ALIVE_LONG_S;
}

static bool
closes_early(const struct patient *p, struct spot *s)
{
	mark(s, p->cicap->conf, conf_last(p->cicap->conf, "KeepAliveTimeout"));
	return s->at != NULL && p->cicap->keep_alive < KEEP_ALIVE_SHORT_S;
}

/* ---- what runs ---- */

static bool
cicap_is_down(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->icap_status == 0;
}

static bool
service_is_down(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->icap_status != 0 && p->icap_status != 200;
}

static bool
squid_is_down(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && !p->squid_runs;
}

static bool
no_state(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && !p->state_there;
}

static bool
state_is_others(const struct patient *p, struct spot *s)
{
	mark(s, p->cicap->conf, conf_last(p->cicap->conf, "User"));
	return p->examined && p->state_there && !p->state_fits;
}

static bool
no_rules(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->state_there && !p->has_rules;
}

static bool
does_not_enforce(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->state_there && !p->enforces;
}

static bool
no_workers(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->icap_status == 200 && p->n_workers == 0;
}

static bool
is_behind(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->n_behind > 0;
}

static bool
selftest_failed(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->selftest_bad;
}

static bool
selftest_is_old(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->selftest_old;
}

static bool
old_suffixes(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && (p->suffixes_age_s < 0 || p->suffixes_age_s > (int64_t)SUFFIXES_DAYS * DAY_S);
}

static bool
disk_is_full(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->state_there && p->disk_free < DISK_LEAST;
}

static bool
clock_is_wrong(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->clock_behind_s > 0;
}

/* ---- the table ---- */

static const struct symptom {
	const char	*id;
	enum severity	 severity;
	bool		(*test)(const struct patient *p, struct spot *s);
	const char	*text, *advice;
} symptoms[] = {
#define SYMPTOM(id, severity, test, text, advice)	{ id, SEVERITY_ ## severity, test, text, advice },
#include "setup/doctor.def"
#undef SYMPTOM
};

enum { SYMPTOMS = sizeof(symptoms) / sizeof(symptoms[0]) };

void
doctor_examine(const struct patient *p, doctor_visit *visit, void *arg)
{
	for (size_t i = 0; i < SYMPTOMS; i++) {
		struct spot spot = { .conf = NULL };

		if (symptoms[i].test(p, &spot)) {
			const struct finding f = { .id = symptoms[i].id, .severity = symptoms[i].severity, .text = symptoms[i].text,
				.advice = symptoms[i].advice, .conf = spot.conf, .at = spot.at };

			visit(arg, &f);
		}
	}
}

const char *
severity_name(enum severity severity)
{
	static const char *const names[] = { [SEVERITY_NOTE] = "note", [SEVERITY_WARNING] = "warning", [SEVERITY_CRITICAL] = "critical" };

	return names[severity];
}

const char *
doctor_id(size_t i)
{
	return i < SYMPTOMS ? symptoms[i].id : NULL;
}
