/* plan.h - what setup is going to change, decided from what was found and from nothing else.
 *
 *	facts of squid.conf ---+
 *	facts of c-icap.conf --+--> plan_make() --> files: before, now, after;  notes;  or errors, and no plan
 *	options ---------------+
 *
 * Pure: nothing is read, run or written.  The same facts always give the same bytes, so that setup twice changes nothing.
 *
 * How others' services are joined.  Of all names that adaptation_access lines have, Squid takes the first whose rules allow a
 * message, and asks that service or group alone.  So, for a service "av":
 *
 *	adaptation_service_chain av firebreak_req av	# a group is found before a service of that name: their lines mean the chain
 *	adaptation_service_chain av av firebreak_resp	# the same for answers
 *	adaptation_access av deny !all			# never matches; puts "av" before our own name where their lines come later
 *	adaptation_access firebreak_req allow all	# what nobody else wanted
 *
 * and not one of their lines is touched.  Requests come to us first: what is refused need not be asked about.  Answers come to us
 * last: we end a body before its end, and a service behind us would be left waiting for the rest, and the client with it
 * (measured with Squid 5.7 and echo).  An adaptation_service_chain of theirs gets a member, in its line.  Beside a set nothing
 * can be put: that is an error, or what PLAN_DROP_FAILOVER says. */
#ifndef SETUP_PLAN_H
#define SETUP_PLAN_H

#include "setup/cicap_facts.h"
#include "setup/squid_facts.h"

#define PLAN_SERVICE	"firebreak"		/* the name of the service in icap: URIs */
#define PLAN_DROPIN	"firebreak.conf"

/* A file of our own, beside those of the daemon. */
struct plan_dropin {
	const char	*path;
	bool		 exists;
	struct slice	 now;		/* what is in it */
};

struct plan_options {
	struct plan_dropin	 squid, cicap;
	const char		*root;		/* what stands before paths here, and not in configurations; NULL */
	const char		*state;		/* the state folder */
	const char		*module;	/* as the Service line has it */
	const char		*helper;	/* NULL: the one that was installed */
	bool			 keep_listen;	/* leave c-icap's addresses as they are */
	bool			 drop_failover;	/* make a chain of our service and the first member of a set */
};

struct plan_file {
	char		*path;
	const char	*model;		/* whose owner and mode a new file gets: the daemon's main file; borrowed from the facts */
	bool		 exists;	/* on the disk, now */
	struct buf	 now;		/* what is on the disk */
	struct buf	 before;	/* without what setup wrote; empty for a file that is all ours */
	struct buf	 after;		/* with it */
};

struct plan {
	struct plan_file	*files;		/* c-icap's first; also those that stay as they are, when we have lines there */
	size_t			 n_files;
	char			 icap[64];	/* "127.0.0.1:1344": where c-icap will listen */
	bool			 moves_port;	/* it listens elsewhere now, or on more */
	struct diag		 notes;		/* what the administrator should know */
};

/* Where our file goes: the folder that the main file of CONF includes whole (Squid), else beside the main file.  The caller's; NULL
 * without memory.  FOLDER_EXISTS tells of a folder whether it is there. */
char *plan_squid_dropin(const struct squid_facts *facts, const char *root, bool folder_exists(const char *));
char *plan_cicap_dropin(const struct conf *conf);

/* Decide.  -1 with errors in DIAG, each with the line to look at.  plan_fini() is due in either case. */
int plan_make(struct plan *out, const struct squid_facts *squid, const struct cicap_facts *cicap,
    const struct plan_options *options,
    struct diag *diag);
void plan_fini(struct plan *plan);

/* The plan leaves every file as it is on the disk. */
bool plan_is_done(const struct plan *plan);

#endif
