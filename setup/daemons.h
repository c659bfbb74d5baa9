/* daemons.h - the running Squid and c-icap: asks their own parsers, restarts and reloads them.
 *
 * c-icap is told to "reconfigure" by its CommandsSocket, which is done in a moment, with all connections served on by its old
 * processes.  It cannot move to another address that way; then, or when nothing comes of it, it is restarted, and answers nobody
 * for as long as its old connections last, at most some ten seconds.
 * With systemd, and for the daemons that its units start, it is asked to restart and reload; else they are told by their own means:
 * "squid -k", and for c-icap its process, which is ended and started again with the same arguments. */
#ifndef SETUP_DAEMONS_H
#define SETUP_DAEMONS_H

#include "base/diag.h"
#include "setup/conf.h"

struct daemons {
	char	*squid, *squid_conf, *squid_name;	/* program, configuration, -n; the last may be NULL */
	char	*cicap, *cicap_conf, *pid_file, *command;	/* the last: CommandsSocket */
	char	*user;					/* whom c-icap becomes; NULL for nobody else */
	char	*icap;					/* "127.0.0.1:1344": where c-icap will listen */
	bool	 own_squid, own_cicap;			/* those of the system's units */
	bool	 moves_port;				/* c-icap listens elsewhere with our lines than without */
	bool	 must_restart;				/* the next time: its address changes; not kept */
	bool	 started_squid, started_cicap, enabled_cicap;	/* by setup: what undo takes back */
};

void daemons_fini(struct daemons *d);

/* Squid's own parser accepts what is on the disk.  -1 with what it says in DIAG. */
int daemons_check_squid(const struct daemons *d, struct diag *diag);

/* c-icap runs with the lines of CONF and, after them, those of ADDED, and its service "firebreak" answers.  c-icap itself tells
 * nothing of this: it exits with 0 on a bad configuration, and runs with a service that could not start.  So one is run for a
 * moment on another port, with its log, process id and socket in a folder of its own, as USER when we are root.  OWN is the name of
 * the file that ADDED will be.  -1 with what it says, by file and line, in DIAG. */
int daemons_try_cicap(const struct daemons *d, const struct conf *conf, struct slice added, const char *own, struct slice user,
    struct diag *diag);

/* There is a Squid, if only one that is ending or starting. */
bool daemons_squid_lives(const struct daemons *d);

/* Note in D what setup is going to start and enable, as it does not run: before it does. */
void daemons_note_running(struct daemons *d);

/* c-icap runs with what is on the disk, and, when READY, its service "firebreak" answers.  It is started when it was not running.
 * *RESTARTED tells of a break in which it answered nobody.  -1 with an error in DIAG. */
int daemons_restart_cicap(const struct daemons *d, bool ready, bool *restarted, struct diag *diag);

/* The same for Squid, which goes on with its connections. */
int daemons_reload_squid(const struct daemons *d, struct diag *diag);

/* Take back what was started and enabled; restart and reload what was running before. */
int daemons_back(const struct daemons *d, struct diag *diag);

#endif
