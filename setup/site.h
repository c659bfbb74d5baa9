/* site.h - the Squid and the c-icap of this machine: programs, configurations, what was built into them.
 *
 * Debian and Red Hat put them into the same places but for c-icap's program and modules; what was built by hand is below
 * /usr/local. */
#ifndef SETUP_SITE_H
#define SETUP_SITE_H

#include "setup/cicap_facts.h"
#include "setup/squid_facts.h"

/* What the command line says; NULL is "find it". */
struct setup_site_options {
	const char	*root;		/* look below this folder, and run nothing; NULL is / */
	const char	*squid, *squid_conf, *squid_name;
	const char	*cicap, *cicap_conf;
	const char	*module;
	bool		 all;		/* read setup's own lines, too; a module that is not there is no error */
};

struct setup_site {
	char			*root;		/* "" for /; links are followed */
	char			*squid, *squid_conf, *squid_name;	/* the last is NULL for Squid's own default */
	char			*cicap, *cicap_conf;
	char			*module;	/* as a Service line has it */
	bool			 own_squid, own_cicap;	/* where the system's units have them: systemd may be asked for them */
	struct conf		 squid_lines, cicap_lines;
	struct squid_facts	 squid_facts;
	struct cicap_facts	 cicap_facts;
};

/* Find and read them.  -1 with errors in DIAG, which say what to name.  setup_site_fini() is due in either case. */
int setup_site_find(struct setup_site *out, const struct setup_site_options *options, struct diag *diag);
void setup_site_fini(struct setup_site *site);

#endif
