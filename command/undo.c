#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "command/canaries.h"
#include "command/selftest_result.h"
#include "command/show.h"
#include "command/verb.h"
#include "setup/apply.h"
#include "setup/proof.h"
#include "setup/site.h"

static const char *const words[] = {
	[UNDO_RESTORED] = "is as it was, byte for byte", [UNDO_REMOVED] = "is gone, as there was none before",
	[UNDO_AS_BEFORE] = "was as before already",
	[UNDO_LINES] = "was changed by somebody since: only Firebreak's lines were taken out, the rest stays",
	[UNDO_FOREIGN] = "was changed by somebody since, and has no line of Firebreak: it stays",
	[UNDO_GONE] = "was removed by somebody since: it stays so",
};

static void
show_file(void *arg, const char *path, enum undo_what what)
{
	(void)arg;
	show_text(stdout, slice_str(path));
	printf(" %s\n", words[what]);
}

/* A service of squid.conf, as it is now, asks this c-icap. */
static bool
is_asked(const struct daemons *d)
{
	const struct setup_site_options o = { .all = true, .squid = d->squid, .squid_conf = d->squid_conf, .cicap = d->cicap,
		.cicap_conf = d->cicap_conf };
	struct setup_site site = { .root = NULL };
	struct diag said = { 0 };
	struct slice host;
	bool asked = false;

	if (setup_site_find(&site, &o, &said) == 0)
		for (size_t i = 0; i < site.squid_facts.n_services; i++) {
			struct slice uri = site.squid_facts.services[i].uri;

			asked |= uri.len > 0 && squid_uri_port(uri, &host) == site.cicap_facts.port;
		}
	setup_site_fini(&site);
	diag_fini(&said);
	return asked;
}

/* What setup started is stopped, unless others count on it by now.  A setup that was killed was used by nobody. */
static void
spare_daemons(const struct journal *j, struct daemons *d)
{
	if (j->phase != JOURNAL_DONE)
		return;
	if (d->started_squid)
		puts("Squid, which setup started, goes on");
	d->started_squid = false;
	if (!d->started_cicap || !is_asked(d))
		return;
	puts("c-icap, which setup started, goes on: squid.conf has another service of it");
	d->started_cicap = d->enabled_cicap = false;
}

static int
undo(struct call *c, struct journal *j, struct diag *diag)
{
	int r = apply_undo(j, show_file, NULL, diag);

	if (r == -1) {
		diag_print(diag, stderr);
		return call_fail(c, "NOT all files could be put back; what went wrong stands above, and another undo tries again");
	}
	spare_daemons(j, &j->daemons);
	if (daemons_back(&j->daemons, diag) == -1) {
		journal_forget(j, diag);
		diag_print(diag, stderr);
		call_fail(c, "the files are as they were, but a daemon could not be told: reload Squid and restart c-icap by hand");
		return EXIT_FOUND;
	}
	canaries_remove(c, PROOF_SOURCE);
	if (journal_forget(j, diag) == -1) {
		diag_print(diag, stderr);
		return call_fail(c, "all is as it was, but %s could not be removed", j->path);
	}
	/* The last that root did; nothing is tested any more. */
	if (call_become_owner(c) == 0)
		selftest_result_forget(c->state);
	printf("Firebreak is out of Squid and c-icap; its rules and events stay in %s\n", c->state);
	return EXIT_FINE;
}

static int
run_undo(struct call *c)
{
	struct journal j = { .folder = -1 };
	struct diag diag = { 0 };
	const char *none;
	enum call_result result = call_flags(c, NULL, 0, &none);
	int status;

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc != 0)
		return call_misused(c, "no operand");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (journal_open(&j, c->state, false, &diag) == -1) {
		diag_print(&diag, stderr);
		status = call_fail(c, "nothing was changed");
	} else if (j.phase == JOURNAL_NONE) {
		puts("nothing to undo");
		status = EXIT_FINE;
	} else {
		status = undo(c, &j, &diag);
	}
	diag_fini(&diag);
	journal_close(&j);
	return status;
}

const struct verb verb_undo = {
	.name = "undo",
	.run = run_undo,
	.operands = "",
	.summary = "Take Firebreak out of Squid and c-icap again: every file as it was before setup.",
	.help = "",
};
