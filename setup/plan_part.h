/* plan_part.h - what the parts of the planner share: plan.c puts together what plan_squid.c and plan_cicap.c decide. */
#ifndef SETUP_PLAN_PART_H
#define SETUP_PLAN_PART_H

#include "setup/lines.h"
#include "setup/plan.h"

enum { PLAN_TEXT_MAX = 1 << 20 };

struct planning {
	const struct squid_facts	*squid;
	const struct cicap_facts	*cicap;
	const struct plan_options	*options;
	struct line_edits		 edits;
	struct buf			 squid_text, cicap_text;	/* of our files, without marks */
	const char			*icap;				/* where c-icap will listen: "127.0.0.1:1344" */
	bool				 moves_port;
	struct diag			*notes, *diag;
};

/* How many connections each of our services may have, and how many threads c-icap must have for them. */
enum { PLAN_CONNECTIONS = 400, PLAN_SPARE = 64 };

/* Fill in their file's text and the lines of others that change. */
void plan_squid(struct planning *p);
void plan_cicap(struct planning *p);

/* PATH as a configuration has it. */
const char *plan_path(const struct planning *p, const char *path);

/* The sum of connections that Squid may have to this c-icap. */
uint64_t plan_connections(const struct planning *p);

/* Add a finding about D of CONF. */
void plan_say(struct diag *to, enum diag_level level, const struct conf *conf, const struct directive *d, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

#endif
