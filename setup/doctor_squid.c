#include "setup/doctor_part.h"

enum { PREVIEW_LEAST = 1024 };

/* ---- what tests ask ---- */

/* The last line of squid.conf by that name, or by an old one (NULL). */
static const struct directive *
last_of(const struct patient *p, const char *name, const char *old)
{
	const struct directive *a = conf_last(p->squid->conf, name), *b = old == NULL ? NULL : conf_last(p->squid->conf, old);

	return b != NULL && (a == NULL || b > a) ? b : a;
}

/* NAME of an adaptation_access line leads to us. */
static bool
leads_to_us(const struct patient *p, struct slice name)
{
	const struct squid_group *g = squid_group(p->squid, name);
	const struct squid_service *s;

	if (g == NULL)
		return (s = squid_service(p->squid, name)) != NULL && doctor_is_ours(s);
	for (size_t i = 2; i < g->at->n_words; i++)
		if ((s = squid_service(p->squid, g->at->words[i])) != NULL && doctor_is_ours(s))
			return true;
	return false;
}

static bool
has_service(const struct patient *p, enum point point)
{
	for (size_t i = 0; i < p->squid->n_services; i++)
		if (p->squid->services[i].point == point && doctor_is_ours(&p->squid->services[i]))
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

/* ---- squid.conf: whether we are asked ---- */

bool
doctor_built_without_icap(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->squid->build.major != 0 && !p->squid->build.icap;
}

bool
doctor_icap_is_off(const struct patient *p, struct spot *s)
{
	doctor_mark(s, p->squid->conf, conf_last(p->squid->conf, "icap_enable"));
	return !p->squid->icap_on;
}

bool
doctor_no_request_service(const struct patient *p, struct spot *s)
{
	(void)s;
	return !has_service(p, POINT_REQMOD);
}

bool
doctor_no_answer_service(const struct patient *p, struct spot *s)
{
	(void)s;
	return !has_service(p, POINT_RESPMOD);
}

bool
doctor_no_request_access(const struct patient *p, struct spot *s)
{
	(void)s;
	return has_service(p, POINT_REQMOD) && !has_access(p, POINT_REQMOD);
}

bool
doctor_no_answer_access(const struct patient *p, struct spot *s)
{
	(void)s;
	return has_service(p, POINT_RESPMOD) && !has_access(p, POINT_RESPMOD);
}

bool
doctor_unknown_service(const struct patient *p, struct spot *s)
{
	enum point point;

	for (size_t i = 0; i < p->squid->n_access; i++)
		if (!squid_point(p->squid, p->squid->access[i].name, &point)) {
			doctor_mark(s, p->squid->conf, p->squid->access[i].at);
			return true;
		}
	return false;
}

/* Something that is not us comes before us at its point, and takes something. */
bool
doctor_before_us(const struct patient *p, struct spot *s)
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
			doctor_mark(s, p->squid->conf, a->at);
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

bool
doctor_leaks(const struct patient *p, struct spot *s)
{
	for (size_t i = 0; i < p->squid->conf->n; i++) {
		const struct directive *d = &p->squid->conf->v[i];

		if (is_own_line(p, d) && slice_eq(conf_word(d, 2), SLICE("deny")) && !is_idle(d) && !is_of_streams(p, conf_word(d, 3))) {
			doctor_mark(s, p->squid->conf, d);
			return true;
		}
	}
	return false;
}

/* The last line of each of our services must take the rest; but of one that is for some there may be another. */
bool
doctor_takes_some(const struct patient *p, struct spot *s)
{
	const struct directive *last[POINTS] = { NULL };
	enum point point;

	for (size_t i = 0; i < p->squid->conf->n; i++)
		if (is_own_line(p, &p->squid->conf->v[i]) && squid_point(p->squid, conf_word(&p->squid->conf->v[i], 1), &point))
			last[point] = &p->squid->conf->v[i];
	for (point = 0; point < POINTS; point++)
		if (last[point] != NULL && !slice_eq(conf_word(last[point], 2), SLICE("deny")) &&
		    (last[point]->n_words != 4 || !slice_eq(conf_word(last[point], 3), SLICE("all")))) {
			doctor_mark(s, p->squid->conf, last[point]);
			return true;
		}
	return false;
}

/* ---- squid.conf: how ---- */

bool
doctor_bypasses(const struct patient *p, struct spot *s)
{
	for (size_t i = 0; i < p->squid->n_services; i++) {
		const struct squid_service *v = &p->squid->services[i];
		struct slice bypass = doctor_option(v->at, "bypass");

		if (doctor_is_ours(v) && (slice_eq(bypass, SLICE("on")) || slice_eq(bypass, SLICE("1")) || slice_eq(conf_word(v->at, 3),
		    SLICE("1")))) {
			doctor_mark(s, p->squid->conf, v->at);
			return true;
		}
	}
	return false;
}

bool
doctor_overload_bypasses(const struct patient *p, struct spot *s)
{
	for (size_t i = 0; i < p->squid->n_services; i++) {
		const struct squid_service *v = &p->squid->services[i];
		struct slice what = doctor_option(v->at, "on-overload");

		if (doctor_is_ours(v) && (slice_eq(what, SLICE("bypass")) || slice_eq(what, SLICE("force")))) {
			doctor_mark(s, p->squid->conf, v->at);
			return true;
		}
	}
	return false;
}

bool
doctor_no_preview(const struct patient *p, struct spot *s)
{
	doctor_mark(s, p->squid->conf, conf_last(p->squid->conf, "icap_preview_enable"));
	return doctor_says(s->at, "off", false);
}

bool
doctor_short_preview(const struct patient *p, struct spot *s)
{
	uint64_t size;

	doctor_mark(s, p->squid->conf, conf_last(p->squid->conf, "icap_preview_size"));
	return s->at != NULL && slice_u64(conf_word(s->at, 1), &size) == 0 && size < PREVIEW_LEAST;
}

bool
doctor_no_address(const struct patient *p, struct spot *s)
{
	doctor_mark(s, p->squid->conf, last_of(p, "adaptation_send_client_ip", "icap_send_client_ip"));
	return !doctor_says(s->at, "on", false);
}

bool
doctor_no_user(const struct patient *p, struct spot *s)
{
	doctor_mark(s, p->squid->conf, last_of(p, "adaptation_send_username", "icap_send_client_username"));
	return !doctor_says(s->at, "on", false);
}

bool
doctor_other_header(const struct patient *p, struct spot *s)
{
	doctor_mark(s, p->squid->conf, conf_last(p->squid->conf, "icap_client_username_header"));
	return s->at != NULL && !slice_ieq(conf_word(s->at, 1), SLICE("X-Client-Username"));
}

bool
doctor_encoded_user(const struct patient *p, struct spot *s)
{
	doctor_mark(s, p->squid->conf, conf_last(p->squid->conf, "icap_client_username_encode"));
	return doctor_says(s->at, "on", false);
}

/* Squid 6 and later lose a socket with any page that answers a CONNECT; 5 does not with ours, which has a body. */
bool
doctor_leaks_sockets(const struct patient *p, struct spot *s)
{
	doctor_mark(s, p->squid->conf, conf_last(p->squid->conf, "persistent_connection_after_error"));
	return p->squid->build.major >= 6 && !doctor_says(s->at, "off", false) &&
	    !slice_eq(doctor_service_option(p, "firebreak.BlockConnect"), SLICE("mark"));
}

bool
doctor_gives_up(const struct patient *p, struct spot *s)
{
	doctor_mark(s, p->squid->conf, conf_last(p->squid->conf, "icap_service_failure_limit"));
	return !doctor_says(s->at, "-1", false);
}

bool
doctor_revives_late(const struct patient *p, struct spot *s)
{
	uint64_t seconds;

	doctor_mark(s, p->squid->conf, conf_last(p->squid->conf, "icap_service_revival_delay"));
	return s->at == NULL || (slice_u64(conf_word(s->at, 1), &seconds) == 0 && seconds > 60);
}

bool
doctor_waits_long(const struct patient *p, struct spot *s)
{
	(void)s;
	return conf_last(p->squid->conf, "icap_io_timeout") == NULL && conf_last(p->squid->conf, "read_timeout") == NULL;
}

bool
doctor_expects(const struct patient *p, struct spot *s)
{
	(void)s;
	return conf_last(p->squid->conf, "force_request_body_continuation") == NULL;
}

bool
doctor_holds_streams(const struct patient *p, struct spot *s)
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

bool
doctor_logs_nothing(const struct patient *p, struct spot *s)
{
	(void)s;
	for (size_t i = 0; i < p->squid->conf->n; i++) {
		const struct directive *d = &p->squid->conf->v[i];

		if (slice_eq(d->words[0], SLICE("acl")) && slice_eq(conf_word(d, 2), SLICE("adaptation_service")))
			return false;
	}
	return true;
}

/* ---- squid.conf: what goes past us ---- */

static bool
is_port(const struct directive *d)
{
	return slice_eq(d->words[0], SLICE("http_port")) || slice_eq(d->words[0], SLICE("https_port"));
}

/* Clients of D's port know of no proxy. */
static bool
intercepts(const struct directive *d)
{
	static const char *const words[] = { "intercept", "transparent", "tproxy" };

	for (size_t i = 2; i < d->n_words; i++)
		for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
			if (slice_eq(d->words[i], slice_str(words[k])))
				return true;
	return false;
}

static bool
bumps(const struct directive *d)
{
	for (size_t i = 2; i < d->n_words; i++)
		if (slice_eq(d->words[i], SLICE("ssl-bump")))
			return true;
	return false;
}

static const struct directive *
port_that(const struct patient *p, bool (*is_so)(const struct directive *d))
{
	for (size_t i = 0; i < p->squid->conf->n; i++)
		if (is_port(&p->squid->conf->v[i]) && is_so(&p->squid->conf->v[i]))
			return &p->squid->conf->v[i];
	return NULL;
}

/* The header by which an origin offers QUIC (RFC 7838) is taken out of all answers. */
static bool
hides_quic(const struct patient *p)
{
	for (size_t i = 0; i < p->squid->conf->n; i++) {
		const struct directive *d = &p->squid->conf->v[i];

		if (slice_eq(d->words[0], SLICE("reply_header_access")) && slice_ieq(conf_word(d, 1), SLICE("Alt-Svc")))
			return slice_eq(conf_word(d, 2), SLICE("deny")) && slice_eq(conf_word(d, 3), SLICE("all"));
	}
	return false;
}

bool
doctor_loses_to_quic(const struct patient *p, struct spot *s)
{
	doctor_mark(s, p->squid->conf, port_that(p, intercepts));
	return s->at != NULL && !hides_quic(p);
}

bool
doctor_offers_quic(const struct patient *p, struct spot *s)
{
	doctor_mark(s, p->squid->conf, port_that(p, bumps));
	return s->at != NULL && port_that(p, intercepts) == NULL && !hides_quic(p);
}

/* Bug 5187, mended in 6.2.  Our own page has its length, with which it does not matter; that of others may not. */
bool
doctor_cuts_pages(const struct patient *p, struct spot *s)
{
	const struct squid_build *b = &p->squid->build;

	for (size_t i = 0; i < p->squid->n_services && s->at == NULL; i++) {
		const struct squid_service *v = &p->squid->services[i];

		if (v->point == POINT_REQMOD && slice_istarts(v->uri, SLICE("icap")) && !doctor_is_ours(v))
			doctor_mark(s, p->squid->conf, v->at);
	}
	return s->at != NULL && (b->major == 5 || (b->major == 6 && b->minor < 2));
}

/* What Squid has is not even asked about at RESPMOD, unless it has to be fetched anew. */
bool
doctor_serves_old(const struct patient *p, struct spot *s)
{
	doctor_mark(s, p->squid->conf, conf_last(p->squid->conf, "cache_dir"));
	for (size_t i = 0; i < p->squid->conf->n; i++)
		if (slice_eq(p->squid->conf->v[i].words[0], SLICE("send_hit")) &&
		    slice_eq(conf_word(&p->squid->conf->v[i], 1), SLICE("deny")))
			return false;
	return p->examined && s->at != NULL && p->cache_is_older;
}
