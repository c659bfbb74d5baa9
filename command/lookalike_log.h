/* lookalike_log.h - what the event log says of lookalikes, summed up for each registrable domain, and which of these are waves. */
#ifndef COMMAND_LOOKALIKE_LOG_H
#define COMMAND_LOOKALIKE_LOG_H

#include "base/diag.h"
#include "url_rules/lookalike.h"

/* One event; its texts are in the log's buffer. */
struct lookalike_event {
	uint32_t	at;			/* of host and client, side by side */
	uint32_t	host_no;		/* of those that a wave is made of; else LOOKALIKE_NO_HOST */
	uint16_t	host_len, registrable_len, client_len;	/* the registrable domain is the end of the host */
	bool		refused;
	int64_t		time_ms;
};

#define LOOKALIKE_NO_HOST	UINT32_MAX

/* The events of reason lookalike.  The caller sets the first three. */
struct lookalike_log {
	const struct lookalike		*lookalike;
	struct lookalike_levels		 levels;
	int64_t				 since_ms;
	struct buf			 text;
	struct lookalike_event		*v;
	size_t				 n, cap;
	size_t				 lost;		/* events that were too many */
	size_t				 unread;	/* files that could not be read, or not to their end */
};

/* Hosts under one registrable domain that embed whole domains, with nothing that speaks for them: a wave when these are two
 * domains, or when LOOKALIKE_WAVE_HOSTS of them were met within a day. */
enum { LOOKALIKE_WAVE_HOSTS = 3 };

struct lookalike_wave {
	bool		found;			/* it is one */
	bool		itself;			/* one of the hosts is DOMAIN */
	bool		refused;		/* all of the hosts are blocked at the site's levels */
	size_t		hosts, targets;
	struct slice	domain;			/* the longest domain above all of them, and not above the registrable one */
	struct slice	target;			/* what most of them embed; borrowed from the table */
};

/* What is said of one registrable domain. */
struct lookalike_summary {
	struct slice	registrable;
	size_t		refused, would, hosts, clients;
	int64_t		first_ms, last_ms;
	struct slice	host;			/* of the worst finding */
	struct lookalike_finding worst;		/* as the table has it by now */
	struct lookalike_wave wave;
};

/* Read the event log at PATH and what rotation made of it.  0; -1 with an error in DIAG, when there is none or no memory.  A file
 * that cannot be read is a warning, and counted. */
int lookalike_log_read(struct lookalike_log *log, const char *path, struct diag *diag);

/* Free what LOG holds. */
void lookalike_log_fini(struct lookalike_log *log);

/* Ask the table again about each host, and sum up: *OUT has *N, those with the most clients first; the caller frees it.  Its
 * slices are borrowed from LOG.  -1 without memory. */
int lookalike_log_sum(struct lookalike_log *log, struct lookalike_summary **out, size_t *n);

#endif
