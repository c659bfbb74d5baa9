#include "setup/doctor_part.h"

#include <stdlib.h>

enum { DAY_S = 86400, SUFFIXES_DAYS = 366 };

#define DISK_LEAST	0.05

/* ---- what tests ask ---- */

void
doctor_mark(struct spot *s, const struct conf *conf, const struct directive *d)
{
	s->conf = d == NULL ? NULL : conf;
	s->at = d;
}

bool
doctor_says(const struct directive *d, const char *word, bool when_absent)
{
	return d == NULL ? when_absent : slice_eq(conf_word(d, 1), slice_str(word));
}

bool
doctor_is_ours(const struct squid_service *s)
{
	return slice_eq(squid_uri_service(s->uri), SLICE("firebreak"));
}

struct slice
doctor_option(const struct directive *d, const char *name)
{
	struct slice key, value, found = { 0 };

	for (size_t i = 3; i < d->n_words; i++)
		if (slice_cut(d->words[i], '=', &key, &value) && slice_eq(key, slice_str(name)))
			found = value;
	return found;
}

struct slice
doctor_service_option(const struct patient *p, const char *name)
{
	const struct directive *d = conf_last(p->cicap->conf, name);

	return d == NULL ? (struct slice){ 0 } : conf_word(d, 1);
}

/* ---- what runs ---- */

bool
doctor_squid_refuses(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && !p->squid_parses;
}

bool
doctor_is_interrupted(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->setup_interrupted;
}

bool
doctor_cicap_is_down(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->icap_status == 0;
}

bool
doctor_service_is_down(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->icap_status != 0 && p->icap_status != 200;
}

bool
doctor_squid_is_down(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && !p->squid_runs;
}

bool
doctor_no_state(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && !p->state_there;
}

bool
doctor_state_is_others(const struct patient *p, struct spot *s)
{
	doctor_mark(s, p->cicap->conf, conf_last(p->cicap->conf, "User"));
	return p->examined && p->state_there && !p->state_fits;
}

bool
doctor_no_rules(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->state_there && !p->has_rules;
}

bool
doctor_does_not_enforce(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->state_there && !p->enforces;
}

bool
doctor_no_workers(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->icap_status == 200 && p->n_workers == 0;
}

bool
doctor_is_behind(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->n_behind > 0;
}

bool
doctor_selftest_failed(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->selftest_bad;
}

bool
doctor_selftest_is_old(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->selftest_old;
}

bool
doctor_old_suffixes(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && (p->suffixes_age_s < 0 || p->suffixes_age_s > (int64_t)SUFFIXES_DAYS * DAY_S);
}

bool
doctor_disk_is_full(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->state_there && p->disk_free < DISK_LEAST;
}

bool
doctor_clock_is_wrong(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->clock_behind_s > 0;
}

/* ---- where the rules come from ---- */

/* NAMES are those of what was found. */
static bool
names_some(const struct patient *p, struct spot *s, const char *names)
{
	s->names = names;
	return p->examined && names != NULL && *names != '\0';
}

bool
doctor_sources_ended(const struct patient *p, struct spot *s)
{
	return names_some(p, s, p->ended);
}

bool
doctor_sources_are_stale(const struct patient *p, struct spot *s)
{
	return names_some(p, s, p->stale);
}

bool
doctor_sources_fail(const struct patient *p, struct spot *s)
{
	return names_some(p, s, p->failing);
}

bool
doctor_pull_is_wrong(const struct patient *p, struct spot *s)
{
	(void)s;
	return p->examined && p->pull_is_wrong;
}

bool
doctor_log_is_link(const struct patient *p, struct spot *s)
{
	doctor_mark(s, p->cicap->conf, conf_last(p->cicap->conf, "firebreak.EventLog"));
	return p->examined && p->log_is_link;
}

/* ---- the table ---- */

static const struct symptom {
	const char	*id;
	enum severity	 severity;
	bool		(*test)(const struct patient *p, struct spot *s);
	const char	*text, *advice;
} symptoms[] = {
#define SYMPTOM(id, severity, test, text, advice)	{ id, SEVERITY_ ## severity, doctor_ ## test, text, advice },
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
				.advice = symptoms[i].advice, .conf = spot.conf, .at = spot.at, .names = spot.names };

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
