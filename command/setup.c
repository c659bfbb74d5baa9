#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "command/canaries.h"
#include "command/show.h"
#include "command/verb.h"
#include "setup/apply.h"
#include "setup/diff.h"
#include "setup/icap_ask.h"
#include "setup/plan.h"
#include "setup/proof.h"
#include "setup/site.h"

enum { FLAG_CICAP, FLAG_CICAP_CONF, FLAG_FAILOVER, FLAG_DRY, FLAG_HELPER, FLAG_LISTEN, FLAG_MODULE, FLAG_NO_PROOF, FLAG_PROXY,
    FLAG_ROOT,
	FLAG_SQUID, FLAG_SQUID_CONF, FLAG_SQUID_NAME, FLAGS };
enum { LIVE_MS = 30 * 1000, SETTLE_MS = 60 * 1000, SAY_MS = 10 * 1000, POLL_MS = 500, DIFF_MAX = 64 << 20, STATE_MODE = 02775 };

struct setup {
	const struct call	*call;
	const char *const	*values;
	struct setup_site		 site;
	struct plan		 plan;
	struct journal		 journal;
	char			*state;		/* absolute */
	char			 proxy[SQUID_PROXY];	/* "" when nothing is to be proven */
	bool			 made_state;
	struct diag		 diag;
};

/* ---- telling ---- */

static void
tell_findings(struct setup *s)
{
	fflush(stdout);
	diag_print(&s->diag, stderr);
	diag_fini(&s->diag);
}

static int
fail(struct setup *s, const char *what)
{
	tell_findings(s);
	return call_fail(s->call, "%s", what);
}

static int
show_difference(const struct plan *plan)
{
	struct buf out;

	buf_init(&out, DIFF_MAX);
	for (size_t i = 0; i < plan->n_files; i++) {
		const struct plan_file *f = &plan->files[i];

		if (diff_unified(f->exists ? f->path : "/dev/null", buf_slice(&f->now), f->path, buf_slice(&f->after), &out) == -1)
			break;
	}
	show_lines(stdout, buf_slice(&out));
	fflush(stdout);
	buf_fini(&out);
	return 0;
}

/* ---- finding ---- */

static bool
folder_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* PATH, taken over, with its folder's links followed, as files that are read have their names.  NULL without memory. */
static char *
real_folder(char *path)
{
	char *slash = path == NULL ? NULL : strrchr(path, '/'), *folder, *real = NULL;

	if (slash == NULL)
		return path;
	*slash = '\0';
	if ((folder = realpath(*path == '\0' ? "/" : path, NULL)) != NULL)
		real = file_join(folder, slash + 1);
	free(folder);
	free(path);
	return real;
}

static int
read_dropin(struct plan_dropin *d, char *path, struct buf *now, struct diag *diag)
{
	buf_init(now, CONF_FILE_MAX);
	if ((d->path = path) == NULL) {
		diag_error(diag, "the folder that squid.conf includes is not there: make it, or take the include line out");
		return -1;
	}
	d->exists = file_read(path, now) == 0;
	if (!d->exists && errno != ENOENT) {
		diag_error(diag, "%s: %s", path, strerror(errno));
		return -1;
	}
	d->now = buf_slice(now);
	return 0;
}

/* Decide what to change. */
static int
decide(struct setup *s)
{
	struct plan_options o = { .state = s->state, .module = s->site.module, .helper = s->values[FLAG_HELPER],
		.root = s->site.root, .keep_listen = s->values[FLAG_LISTEN] != NULL, .drop_failover = s->values[FLAG_FAILOVER] != NULL };
	char *squid = real_folder(plan_squid_dropin(&s->site.squid_facts, s->site.root, folder_exists));
	char *cicap = real_folder(plan_cicap_dropin(&s->site.cicap_lines));
	struct buf squid_now, cicap_now;
	int r = -1;

	if (read_dropin(&o.squid, squid, &squid_now, &s->diag) == 0 && read_dropin(&o.cicap, cicap, &cicap_now, &s->diag) == 0) {
		r = plan_make(&s->plan, &s->site.squid_facts, &s->site.cicap_facts, &o, &s->diag);
		buf_fini(&cicap_now);
	}
	buf_fini(&squid_now);
	free(squid);
	free(cicap);
	return r;
}

/* The daemons as they were found; what an earlier setup started stays noted. */
static int
note_daemons(struct setup *s, struct daemons *d)
{
	struct slice pid = s->site.cicap_facts.pid_file, command = s->site.cicap_facts.command;
	bool moved = d->moves_port, squid = d->started_squid, cicap = d->started_cicap, enabled = d->enabled_cicap;

	daemons_fini(d);
	*d = (struct daemons){ .squid = strdup(s->site.squid), .squid_conf = strdup(s->site.squid_conf),
		.squid_name = s->site.squid_name == NULL ? NULL : strdup(s->site.squid_name), .cicap = strdup(s->site.cicap),
		.cicap_conf = strdup(s->site.cicap_conf), .pid_file = slice_dup(pid.len > 0 ? pid : SLICE("/var/run/c-icap/c-icap.pid")),
		.command = slice_dup(command.len > 0 ? command : SLICE("/var/run/c-icap/c-icap.ctl")),
		.icap = strdup(s->plan.icap), .moves_port = s->plan.moves_port, .must_restart = moved != s->plan.moves_port,
		.user = s->site.cicap_facts.user.len == 0 ? NULL : slice_dup(s->site.cicap_facts.user), .own_squid = s->site.own_squid,
		    .own_cicap = s->site.own_cicap,
		.started_squid = squid, .started_cicap = cicap, .enabled_cicap = enabled };
	if (d->squid != NULL && d->squid_conf != NULL && d->cicap != NULL && d->cicap_conf != NULL && d->pid_file != NULL &&
	    d->icap != NULL)
		return 0;
	diag_error(&s->diag, "%s", strerror(ENOMEM));
	return -1;
}

/* The state folder, if there is one, would let the proof's rules act.  -1 with an error. */
static int
can_be_proven(struct setup *s)
{
	char shared[STATE_PATH], follow[STATE_PATH];
	enum mode mode = MODE_ENFORCE;

	if (state_path(s->state, STATE_SHARED, shared) == -1 || state_path(s->state, STATE_FOLLOW, follow) == -1)
		return 0;
	if (access(follow, F_OK) == 0) {
		diag_error(&s->diag, "%s follows an origin, and has no rules of its own to prove anything with: say --no-proof, and ask for what "
		    "the origin lists", s->state);
		return -1;
	}
	if (access(shared, F_OK) == 0)
		mode = canaries_mode(s->call);
	if (mode == MODE_ENFORCE)
		return 0;
	diag_error(&s->diag, "the mode is %s, in which nothing is blocked, and so nothing can be proven: \"firebreak mode enforce\", or "
	    "say "
	    "--no-proof", mode_name(mode));
	return -1;
}

/* The port is behind the last colon, so that [::1]:3128 is one, too. */
static bool
is_host_and_port(struct slice text)
{
	const char *colon = memrchr(text.p, ':', text.len);
	uint64_t port;

	return colon != NULL && colon > text.p && slice_u64(slice_str(colon + 1), &port) == 0 && port > 0 && port <= UINT16_MAX;
}

/* Where the proof asks.  -1 with an error when it is not known. */
static int
find_proxy(struct setup *s)
{
	if (s->values[FLAG_NO_PROOF] != NULL)
		return 0;
	if (can_be_proven(s) == -1)
		return -1;
	if (s->values[FLAG_PROXY] != NULL) {
		snprintf(s->proxy, sizeof(s->proxy), "%s", s->values[FLAG_PROXY]);
		if (is_host_and_port(slice_str(s->proxy)))
			return 0;
		diag_error(&s->diag, "--proxy takes HOST:PORT, such as 127.0.0.1:3128");
		return -1;
	}
	if (squid_proxy_address(&s->site.squid_facts, s->proxy))
		return 0;
	diag_error(&s->diag, "%s: no http_port is for clients that know of the proxy, so that nothing can be proven through it: name one "
	    "with --proxy HOST:PORT, or say --no-proof and try it from a client", s->site.squid_conf);
	return -1;
}

static int
find_site(struct setup *s)
{
	const struct setup_site_options o = { .root = s->values[FLAG_ROOT], .squid = s->values[FLAG_SQUID],
	    .squid_conf = s->values[FLAG_SQUID_CONF],
		.squid_name = s->values[FLAG_SQUID_NAME], .cicap = s->values[FLAG_CICAP], .cicap_conf = s->values[FLAG_CICAP_CONF],
		.module = s->values[FLAG_MODULE] };

	return setup_site_find(&s->site, &o, &s->diag);
}

/* ---- the state folder ---- */

/* Its owner is who c-icap runs as. */
static int
make_state(struct setup *s)
{
	const struct cicap_facts *f = &s->site.cicap_facts;
	char *user = slice_dup(f->user), *group = slice_dup(f->group);
	const struct passwd *pw = user == NULL || *user == '\0' ? NULL : getpwnam(user);
	const struct group *gr = group == NULL || *group == '\0' ? NULL : getgrnam(group);
	int r = 0;

	if (folder_exists(s->state))
		goto out;
	if (geteuid() == 0 && user != NULL && *user != '\0' && pw == NULL) {
		diag_error(&s->diag, "%s: User %s is nobody on this machine", s->site.cicap_conf, user);
		r = -1;
	} else if (file_mkdirs(s->state, 0755) == -1 || (geteuid() == 0 && pw != NULL &&
	    chown(s->state, pw->pw_uid, gr != NULL ? gr->gr_gid : pw->pw_gid) == -1) || chmod(s->state, STATE_MODE) == -1) {
		diag_error(&s->diag, "%s: %s", s->state, strerror(errno));
		r = -1;
	} else {
		s->made_state = true;
		printf("made %s%s%s\n", s->state, pw != NULL && geteuid() == 0 ? " for " : "", pw != NULL && geteuid() == 0 ? user : "");
	}
out:
	free(user);
	free(group);
	return r;
}

/* ---- the proof ---- */

static void
show_proof(void *arg, const struct proof_row *row)
{
	(void)arg;
	printf("  %-16s %s\n", row->name, row->said);
	if (row->advice != NULL)
		printf("  %-16s -> %s\n", "", row->advice);
	fflush(stdout);
}

/* 0: all is as it should be. */
static int
prove(struct setup *s)
{
	struct proof *p;
	unsigned bad = 0;
	int r;

	if (*s->proxy == '\0') {
		puts("not proven: ask for something that is listed before you believe it");
		return 0;
	}
	printf("asking http://%s for what must be blocked:\n", s->proxy);
	fflush(stdout);
	if ((p = proof_new(s->proxy, PROOF_OF_SETUP)) == NULL) {
		diag_error(&s->diag, "the proof could not be prepared: %s", strerror(errno));
		return -1;
	}
	if ((r = canaries_publish(s->call, PROOF_SOURCE, proof_rules(p))) == 0)
		bad = proof_run(p, s->site.squid_facts.workers, LIVE_MS, show_proof, NULL);
	else
		diag_error(&s->diag, "the rules for the proof could not be published");
	if (canaries_remove(s->call, PROOF_SOURCE) == -1)
		diag_error(&s->diag, "the rules for the proof are still there: remove %s/sources/" PROOF_SOURCE ".rules and publish", s->state);
	proof_free(p);
	if (bad > 0)
		diag_error(&s->diag, "%u of these were not as they should be", bad);
	return r == 0 && bad == 0 ? 0 : -1;
}

/* ---- in order ---- */

/* Somebody listens at one of Squid's ports; also when none is known. */
static bool
squid_listens(const struct squid_facts *f)
{
	bool known = false;

	for (size_t i = 0; i < f->n_ports; i++) {
		known |= f->ports[i].port != 0;
		if (f->ports[i].port != 0 && icap_is_listening(f->ports[i].port))
			return true;
	}
	return !known;
}

/* A Squid that ends listens no more, and lives on for shutdown_lifetime, half a minute.  Reloaded then it would listen once more,
 * and end in the midst of the proof.  Wait until it is gone, or another listens; -1 with an error when neither comes. */
static int
await_squid(struct setup *s, const struct daemons *d)
{
	int64_t start = clock_boot_ms(), said = start - SAY_MS, now;

	while (!squid_listens(&s->site.squid_facts) && daemons_squid_lives(d)) {
		if ((now = clock_boot_ms()) - start >= SETTLE_MS) {
			diag_error(&s->diag, "%s: Squid runs, and nobody listens at its http_port, for %d seconds now: when it is ending, call again "
			    "once it is gone; when it is to go on, \"squid -k reconfigure\" first", s->site.squid_conf, SETTLE_MS / 1000);
			return -1;
		}
		if (now - said >= SAY_MS) {
			printf("Squid runs, and listens nowhere: it is ending or starting; waiting for at most %d seconds\n",
			    (int)((SETTLE_MS - (now - start)) / 1000));
			fflush(stdout);
			said = now;
		}
		clock_pause(POLL_MS);
	}
	return 0;
}

/* All is as it was before; the files always are when this answers 0. */
static int
go_back(struct setup *s)
{
	struct diag back = { 0 };
	int files = apply_back(&s->journal, &back), daemons = daemons_back(&s->journal.daemons, &back);

	fflush(stdout);
	if (files == -1)
		fprintf(stderr, "NOT all files could be put back; \"firebreak undo\" tries again:\n");
	else if (apply_settle(&s->journal, &back) == 0)
		fprintf(stderr, "every file is as it was before, byte for byte%s\n",
		    daemons == 0 ? ", and so are both daemons" : "; a daemon could not be told:");
	diag_print(&back, stderr);
	diag_fini(&back);
	return files;
}

/* An earlier setup was killed: first what was before it. */
static int
repair(struct setup *s)
{
	if (s->journal.phase != JOURNAL_CHANGING)
		return 0;
	puts("an earlier setup was interrupted: putting back what it changed");
	if (go_back(s) == -1)
		return -1;
	journal_close(&s->journal);
	return journal_open(&s->journal, s->state, false, &s->diag);
}

/* From here on Ctrl-C does not end us, but the setup: what was changed is put back. */
static void
hold_interrupts(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigprocmask(SIG_BLOCK, set, NULL);
}

static bool
is_interrupted(struct setup *s)
{
	sigset_t pending;

	if (sigpending(&pending) == -1 || (sigismember(&pending, SIGINT) == 0 && sigismember(&pending, SIGTERM) == 0))
		return false;
	diag_error(&s->diag, "interrupted");
	return true;
}

/* What plan_make() made for c-icap, which is tried before it is written. */
static int
try_cicap(struct setup *s)
{
	const struct plan_file *own = &s->plan.files[0];

	printf("trying c-icap's configuration\n");
	fflush(stdout);
	return daemons_try_cicap(&s->journal.daemons, &s->site.cicap_lines, buf_slice(&own->after), own->path, s->site.cicap_facts.user,
	    &s->diag);
}

static int
change(struct setup *s)
{
	struct journal *j = &s->journal;
	bool restarted;

	if (apply_write(j, &s->plan, &s->diag) == -1 || daemons_check_squid(&j->daemons, &s->diag) == -1 || is_interrupted(s))
		return -1;
	printf("restarting c-icap, reloading Squid\n");
	fflush(stdout);
	return daemons_restart_cicap(&j->daemons, true, &restarted, &s->diag) == 0 && !is_interrupted(s) &&
	    daemons_reload_squid(&j->daemons, &s->diag) == 0 && prove(s) == 0 && !is_interrupted(s) ? 0 : -1;
}

static int
perform(struct setup *s)
{
	sigset_t held;
	int r;

	if (make_state(s) == -1 || (s->journal.folder == -1 && journal_open(&s->journal, s->state, true, &s->diag) == -1) ||
	    note_daemons(s, &s->journal.daemons) == -1 || try_cicap(s) == -1)
		return fail(s, "nothing was changed");
	daemons_note_running(&s->journal.daemons);
	hold_interrupts(&held);
	if (apply_begin(&s->journal, &s->plan, &s->diag) == -1)
		return fail(s, "nothing was changed");
	r = change(s);
	if (r == -1) {
		tell_findings(s);
		go_back(s);
		return call_fail(s->call, "not set up");
	}
	if (apply_end(&s->journal, &s->diag) == -1)
		return fail(s, "it works, but that could not be written down; \"firebreak undo\" takes it back");
	puts("Firebreak is set up; \"firebreak undo\" takes it away again.  Who is to block and import has to be in c-icap's group, "
	    "and log in anew");
	return EXIT_FINE;
}

/* Everything was there: is it so, too? */
static int
prove_again(struct setup *s)
{
	puts("Firebreak is set up already, and nothing changes");
	if (prove(s) == 0)
		return EXIT_FINE;
	tell_findings(s);
	call_fail(s->call, "it does not block as it should; nothing was changed");
	return EXIT_FOUND;
}

static int
set_up(struct setup *s)
{
	struct daemons found = { .squid = NULL };
	int r;

	if (find_site(s) == -1)
		return fail(s, "nothing was changed");
	if (note_daemons(s, &found) == 0 && *s->site.root == '\0' && daemons_check_squid(&found, &s->diag) == -1)
		diag_error(&s->diag, "%s: Squid itself refuses it as it is: mend it first", s->site.squid_conf);
	if (s->diag.n_errors == 0 && s->values[FLAG_DRY] == NULL)
		await_squid(s, &found);
	daemons_fini(&found);
	if (s->diag.n_errors > 0 || find_proxy(s) == -1 || decide(s) == -1)
		return fail(s, "nothing was changed");
	diag_print(&s->plan.notes, stdout);
	if (plan_is_done(&s->plan) && s->journal.phase == JOURNAL_DONE)
		return s->values[FLAG_DRY] != NULL ? puts("nothing would change"), EXIT_FINE : prove_again(s);
	if ((r = show_difference(&s->plan)) != 0)
		return r;
	return s->values[FLAG_DRY] != NULL ? EXIT_FINE : perform(s);
}

/* PATH as c-icap, which works elsewhere, may be given it.  The caller's; NULL with errno. */
static char *
absolute(const char *path)
{
	char *here, *all;

	if (*path == '/')
		return strdup(path);
	if ((here = getcwd(NULL, 0)) == NULL)
		return NULL;
	all = file_join(here, path);
	free(here);
	return all;
}

static int
run_setup(struct call *c)
{
	static const char *const flags[FLAGS] = { "c-icap=", "c-icap-conf=", "drop-failover", "dry-run", "helper=", "keep-listen",
	    "module=",
		"no-proof", "proxy=", "root=", "squid=", "squid-conf=", "squid-name=" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct setup s = { .call = c, .values = values, .journal = { .folder = -1 } };
	int status;

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc != 0)
		return call_misused(c, "no operand");
	if (values[FLAG_ROOT] != NULL && values[FLAG_DRY] == NULL)
		return call_misused(c, "--root is for --dry-run: what is below another root is not run");
	/* Whoever stops listening must not stop it half-way. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if ((s.state = absolute(c->state)) == NULL)
		return call_fail(c, "%s: %s", c->state, strerror(errno));
	if (journal_open(&s.journal, s.state, false, &s.diag) == -1)
		status = fail(&s, "nothing was changed");
	else if (values[FLAG_DRY] == NULL && repair(&s) == -1)
		status = fail(&s, "nothing else was changed");
	else
		status = set_up(&s);
	diag_fini(&s.diag);
	setup_site_fini(&s.site);
	plan_fini(&s.plan);
	journal_close(&s.journal);
	free(s.state);
	return status;
}

const struct verb verb_setup = {
	.name = "setup",
	.run = run_setup,
	.operands = "[--dry-run] [--no-proof] [--proxy HOST:PORT] [--keep-listen] [--drop-failover]\n"
	    "       [--squid FILE] [--squid-conf FILE] [--squid-name NAME] [--c-icap FILE] [--c-icap-conf FILE]\n"
	    "       [--module FILE] [--helper FILE] [--root DIR]",
	.summary = "Add Firebreak to the Squid and c-icap of this machine, and prove that it blocks.",
	.help =
	    "  --dry-run           show what would change, and change nothing\n"
	    "  --no-proof          ask for nothing afterwards\n"
	    "  --proxy HOST:PORT   where the proof asks; else what http_port says\n"
	    "  --keep-listen       leave c-icap's addresses as they are, though others than this machine reach it\n"
	    "  --drop-failover     of an adaptation_service_set keep the first service only: nothing can be put beside a set\n"
	    "  --squid FILE, --squid-conf FILE, --c-icap FILE, --c-icap-conf FILE\n"
	    "                      the programs and their configurations, where they are not found\n"
	    "  --squid-name NAME   what Squid is given with -n\n"
	    "  --module FILE       srv_firebreak.so, where it is not in c-icap's folder of modules\n"
	    "  --helper FILE       firebreak-inspect-helper, where it is not installed\n"
	    "  --root DIR          with --dry-run: look below DIR instead of /\n",
};
