/* doctor_part.h - what the parts of the doctor share: doctor.c has the table and the tests of what runs, doctor_squid.c those of
 * squid.conf, doctor_cicap.c those of c-icap.conf and of both together. */
#ifndef SETUP_DOCTOR_PART_H
#define SETUP_DOCTOR_PART_H

#include "setup/doctor.h"

/* Where a test found what it looked for; empty before. */
struct spot {
	const struct conf	*conf;
	const struct directive	*at;
	const char		*names;		/* of what it found, borrowed from the patient; NULL */
};

/* A test: P has the trap, and S says where.  One for each row of the table. */
#define SYMPTOM(id, severity, test, text, advice)	bool doctor_ ## test(const struct patient *p, struct spot *s);
#include "setup/doctor.def"
#undef SYMPTOM

/* S is D of CONF; nothing when D is NULL. */
void doctor_mark(struct spot *s, const struct conf *conf, const struct directive *d);

/* D's value is WORD, or what the daemon takes when there is no line. */
bool doctor_says(const struct directive *d, const char *word, bool when_absent);

/* S is an icap_service of Firebreak. */
bool doctor_is_ours(const struct squid_service *s);

/* The value of the last word of D that begins with NAME and '='; empty. */
struct slice doctor_option(const struct directive *d, const char *name);

/* The value of the service's option NAME in c-icap.conf; empty. */
struct slice doctor_service_option(const struct patient *p, const char *name);

#endif
