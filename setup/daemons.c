#include "setup/daemons.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "setup/icap_ask.h"
#include "setup/process.h"
#include "setup/run.h"

enum { PARSE_MS = 60 * 1000, TOLD_MS = 60 * 1000, END_MS = 5000, RECONFIGURE_MS = 5000, READY_MS = 30 * 1000, ASK_MS = 5000,
    POLL_MS = 50, SHOWN = 5 };

void
daemons_fini(struct daemons *d)
{
	free(d->squid);
	free(d->squid_conf);
	free(d->squid_name);
	free(d->cicap);
	free(d->cicap_conf);
	free(d->pid_file);
	free(d->command);
	free(d->icap);
	free(d->user);
	*d = (struct daemons){ .squid = NULL };
}

/* ---- systemd ---- */

static bool
has_systemd(void)
{
	return access("/run/systemd/system", F_OK) == 0;
}

/* "systemctl VERB UNIT"; its exit status.  Of a unit that has a SysV script, too, as Debian's c-icap has, enable and disable would
 * change the links of /etc/rc?.d, which nobody asked for, and which a disable does not make what they were. */
static int
systemctl(const char *verb, const char *unit, struct buf *said)
{
	const char *argv[] = { "/usr/bin/env", "SYSTEMCTL_SKIP_SYSV=1",
	    access("/usr/bin/systemctl", X_OK) == 0 ? "/usr/bin/systemctl" : "/bin/systemctl", verb, unit, NULL };

	return run(argv, TOLD_MS, said);
}

static bool
systemd_says(const char *verb, const char *unit)
{
	struct buf said;
	bool yes;

	buf_init(&said, RUN_SAID_MAX);
	yes = systemctl(verb, unit, &said) == 0;
	buf_fini(&said);
	return yes;
}

static int
systemd_do(const char *verb, const char *unit, struct diag *diag)
{
	struct buf said;
	int r;

	buf_init(&said, RUN_SAID_MAX);
	if ((r = systemctl(verb, unit, &said)) != 0)
		diag_error(diag, "systemctl %s %s: ended with %d: %.*s", verb, unit, r, SLICE_ARGS(slice_trim(buf_slice(&said))));
	buf_fini(&said);
	return r == 0 ? 0 : -1;
}

/* ---- Squid ---- */

/* Squid with "-k ORDER", or started when that is NULL. */
static int
squid(const struct daemons *d, const char *order, struct buf *said)
{
	const char *argv[8] = { d->squid, "-f", d->squid_conf };
	int n = 3;

	if (d->squid_name != NULL) {
		argv[n++] = "-n";
		argv[n++] = d->squid_name;
	}
	if (order != NULL) {
		argv[n++] = "-k";
		argv[n++] = order;
	}
	argv[n] = NULL;
	return run(argv, PARSE_MS, said);
}

/* What of SAID is an error: without its date. */
static void
tell_squid(const struct daemons *d, struct slice said, const char *what, struct diag *diag)
{
	static const char *const marks[] = { "FATAL: ", "ERROR: ", "Bungled ", "unrecognized: " };
	size_t shown = 0;
	struct slice line;

	while (said.len > 0 && shown < SHOWN) {
		slice_cut(said, '\n', &line, &said);
		for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
			/* Behind "2026/11/27 08:05:50| ". */
			if (slice_search(line, slice_str(marks[i])) < line.len) {
				diag_error(diag, "squid: %.*s", SLICE_ARGS(slice_trim(slice_skip(line, slice_find(line, '|') + 1))));
				shown++;
				break;
			}
	}
	if (shown == 0)
		diag_error(diag, "%s: %s", d->squid_conf, what);
}

int
daemons_check_squid(const struct daemons *d, struct diag *diag)
{
	struct buf said;
	int r;

	buf_init(&said, RUN_SAID_MAX);
	r = squid(d, "parse", &said);
	if (r != 0)
		tell_squid(d, buf_slice(&said), "\"squid -k parse\" refuses it", diag);
	buf_fini(&said);
	return r == 0 ? 0 : -1;
}

static bool
squid_runs(const struct daemons *d)
{
	struct buf said;
	bool yes;

	if (d->own_squid && has_systemd())
		return systemd_says("is-active", "squid.service");
	buf_init(&said, RUN_SAID_MAX);
	yes = squid(d, "check", &said) == 0;
	buf_fini(&said);
	return yes;
}

bool
daemons_squid_lives(const struct daemons *d)
{
	static const struct slice ending = SLICE("deactivating"), starting = SLICE("activating");
	struct slice state;
	struct buf said;
	bool lives;

	if (!d->own_squid || !has_systemd())
		return squid_runs(d);
	buf_init(&said, RUN_SAID_MAX);
	lives = systemctl("is-active", "squid.service", &said) == 0;
	state = slice_trim(buf_slice(&said));
	lives |= slice_eq(state, ending) || slice_eq(state, starting);
	buf_fini(&said);
	return lives;
}

static int
tell_order(const struct daemons *d, const char *order, struct diag *diag)
{
	struct buf said;
	int r;

	buf_init(&said, RUN_SAID_MAX);
	if ((r = squid(d, order, &said)) != 0)
		tell_squid(d, buf_slice(&said), order == NULL ? "Squid does not start with it" : "Squid could not be told to read it again",
		    diag);
	buf_fini(&said);
	return r == 0 ? 0 : -1;
}

int
daemons_reload_squid(const struct daemons *d, struct diag *diag)
{
	bool runs = squid_runs(d);

	if (d->own_squid && has_systemd())
		return systemd_do(runs ? "reload" : "start", "squid.service", diag);
	return tell_order(d, runs ? "reconfigure" : NULL, diag);
}

static int
stop_squid(const struct daemons *d, struct diag *diag)
{
	if (d->own_squid && has_systemd())
		return systemd_do("stop", "squid.service", diag);
	return squid_runs(d) ? tell_order(d, "shutdown", diag) : 0;
}

/* ---- c-icap ---- */

/* Our service answers, or, when it is not wanted to be READY any more, something else does.  False after TIMEOUT_MS, with what it
 * said last in LINE. */
static bool
cicap_answers(const struct daemons *d, bool ready, int64_t timeout_ms, char line[static ICAP_STATUS])
{
	int64_t end = clock_boot_ms() + timeout_ms;

	for (;;) {
		int status = icap_ask(d->icap, "firebreak", ASK_MS, line);

		if (ready ? status == 200 : status != 0 && status != 200)
			return true;
		if (clock_boot_ms() >= end)
			return false;
		clock_pause(POLL_MS);
	}
}

/* Have it read its files anew without a break.  False when that cannot be, or nothing comes of it. */
static bool
reconfigure(const struct daemons *d, bool ready)
{
	char line[ICAP_STATUS];
	struct process p;
	bool told = false;

	if (!d->must_restart && d->command != NULL && process_of_file(d->pid_file, d->cicap, &p)) {
		process_fini(&p);
		told = process_tell(d->command, SLICE("reconfigure")) == 0;
	}
	return told && cicap_answers(d, ready, RECONFIGURE_MS, line);
}

/* The folder of the number and the socket is on a file system that is empty after a start of the machine: a unit makes it, and
 * without one nobody does. */
static void
make_run_folder(const struct daemons *d)
{
	const struct passwd *pw = d->user == NULL || geteuid() != 0 ? NULL : getpwnam(d->user);
	char *copy = strdup(d->pid_file);
	const char *folder = copy == NULL ? NULL : dirname(copy);

	if (folder != NULL && mkdir(folder, 0755) == 0 && pw != NULL && chown(folder, pw->pw_uid, pw->pw_gid) == -1)
		rmdir(folder);
	free(copy);
}

/* End the process that runs, if there is one, and start it as it was. */
static int
restart_process(const struct daemons *d, struct diag *diag)
{
	char *first[] = { d->cicap, (char *)"-f", d->cicap_conf, NULL };
	struct process p;
	char line[ICAP_STATUS];
	int r = 0;

	if (!process_of_file(d->pid_file, d->cicap, &p)) {
		process_fini(&p);
		if (icap_ask(d->icap, "firebreak", ASK_MS, line) != 0) {
			diag_error(diag, "%s answers, but %s is not the number of a c-icap: restart it by hand, and call again", d->icap,
			    d->pid_file == NULL ? "no PidFile" : d->pid_file);
			return -1;
		}
	}
	if (p.pid != 0)
		run_end(p.pid, END_MS);
	else
		make_run_folder(d);
	if (run_start(d->cicap, p.arguments != NULL ? p.arguments : first, p.environment, p.folder != NULL ? p.folder : "/", NULL) == -1) {
		diag_error(diag, "%s: %s", d->cicap, strerror(errno));
		r = -1;
	}
	process_fini(&p);
	return r;
}

static int
restart_unit(const struct daemons *d, struct diag *diag)
{
	if (d->enabled_cicap && systemd_do("enable", "c-icap.service", diag) == -1)
		return -1;
	/* Who tries things out starts it more often in a minute than the unit's StartLimitBurst would have it. */
	systemd_says("reset-failed", "c-icap.service");
	return systemd_do("restart", "c-icap.service", diag);
}

static bool
cicap_runs(const struct daemons *d)
{
	struct process p;
	bool runs;

	if (d->own_cicap && has_systemd())
		return systemd_says("is-active", "c-icap.service");
	runs = process_of_file(d->pid_file, d->cicap, &p);
	process_fini(&p);
	return runs;
}

void
daemons_note_running(struct daemons *d)
{
	d->started_squid |= !squid_runs(d);
	d->started_cicap |= !cicap_runs(d);
	d->enabled_cicap |= d->own_cicap && has_systemd() && !systemd_says("is-enabled", "c-icap.service");
}

int
daemons_restart_cicap(const struct daemons *d, bool ready, bool *restarted, struct diag *diag)
{
	char line[ICAP_STATUS];

	*restarted = false;
	if (reconfigure(d, ready))
		return 0;
	*restarted = true;
	if ((d->own_cicap && has_systemd() ? restart_unit(d, diag) : restart_process(d, diag)) == -1)
		return -1;
	/* Without our lines it may listen where we do not know: then it is enough that it runs. */
	if (cicap_answers(d, ready, ready ? READY_MS : RECONFIGURE_MS, line) || (!ready && cicap_runs(d)))
		return 0;
	diag_error(diag, "c-icap at %s does not answer as it should within %d seconds%s%s; its ServerLog may say why", d->icap,
	    READY_MS / 1000, *line == '\0' ? "" : ": ", line);
	return -1;
}

static int
stop_cicap(const struct daemons *d, struct diag *diag)
{
	struct process p;

	if (d->own_cicap && has_systemd()) {
		if (d->enabled_cicap && systemd_do("disable", "c-icap.service", diag) == -1)
			return -1;
		return systemd_do("stop", "c-icap.service", diag);
	}
	if (process_of_file(d->pid_file, d->cicap, &p))
		run_end(p.pid, END_MS);
	process_fini(&p);
	return 0;
}

/* Squid, which knows of us, gives no service up while c-icap is away: so it goes on with that, and only then forgets it. */
static int
back_with_restart(const struct daemons *d, struct diag *diag)
{
	bool restarted;
	int r = daemons_restart_cicap(d, false, &restarted, diag);

	if (d->started_squid ? stop_squid(d, diag) == -1 : squid_runs(d) && daemons_reload_squid(d, diag) == -1)
		r = -1;
	return r;
}

int
daemons_back(const struct daemons *d, struct diag *diag)
{
	bool restarted = false;
	int r;

	if (d->must_restart && !d->started_cicap)
		return back_with_restart(d, diag);
	/* Squid first: it must not ask what is going away. */
	r = d->started_squid ? stop_squid(d, diag) : squid_runs(d) ? daemons_reload_squid(d, diag) : 0;
	if ((d->started_cicap ? stop_cicap(d, diag) : daemons_restart_cicap(d, false, &restarted, diag)) == -1)
		r = -1;
	/* After a break that nobody meant it may have given the services of others up for minutes. */
	if (restarted && !d->started_squid && squid_runs(d) && daemons_reload_squid(d, diag) == -1)
		r = -1;
	return r;
}
