#include "command/lead_report.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "command/verb.h"

enum { FLAG_CLAMAV, FLAG_JSON, FLAGS };
enum { MS = 1000 };

static int
gather_files(struct report *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->v[i].n_files;
	if (n > 0 && (r->files = calloc(n, sizeof(*r->files))) == NULL)
		return -1;
	for (size_t i = 0; i < r->n; i++)
		for (size_t k = 0; k < r->v[i].n_files; k++)
			r->files[r->n_files++] = r->v[i].files[k];
	r->n_files = clamav_sort(r->files, r->n_files);
	return 0;
}

/* DIR, or the usual folder when it is there. */
static void
ask_clamav(struct report *r, const char *dir)
{
	struct diag diag = { 0 };
	int n;

	if (gather_files(r) == -1) {
		r->failed = true;
		return;
	}
	n = clamav_look_up(dir != NULL ? dir : CLAMAV_FOLDER, r->files, r->n_files, &diag);
	r->asked = n > 0;
	if (dir != NULL || n > 0)
		diag_print(&diag, stderr);
	if (dir != NULL && n == 0)
		call_fail(r->call, "%s: there is no database of ClamAV", dir);
	r->partly = r->partly || (dir != NULL && n <= 0) || (n > 0 && diag.n_warnings > 0);
	if ((r->asked ? clamav_remember(r->call, r->files, r->n_files, clock_ms() / MS) :
	    clamav_recall(r->call, r->files, r->n_files)) == -1)
		r->partly = true;
	diag_fini(&diag);
}

static int
report(struct report *r, const char *dir, bool json)
{
	lead_read_fired(r);
	if (!r->failed)
		ask_clamav(r, dir);
	if (r->failed && r->diag.n_errors == 0)
		return call_fail(r->call, "out of memory");
	return r->failed || lead_print(r, json) == -1 ? EXIT_TROUBLE : r->partly ? EXIT_FOUND : EXIT_FINE;
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "clamav=", "json" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct report r = { .call = c };
	int status;

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc != 0)
		return call_misused(c, "no operand is expected");
	if (call_need_state(c) == -1 || call_become_owner(c) == -1)
		return EXIT_TROUBLE;
	status = report(&r, values[FLAG_CLAMAV], values[FLAG_JSON] != NULL);
	diag_print(&r.diag, stderr);
	diag_fini(&r.diag);
	lead_free_fired(&r);
	free(r.files);
	return status;
}

const struct verb verb_lead = {
	.name = "lead",
	.run = run,
	.operands = "[--clamav DIR] [--json]",
	.summary = "Tell for each rule that fired when it was published, live, first met, and known to ClamAV.",
	.help =
	    "  --clamav DIR  the folder of ClamAV's databases; else " CLAMAV_FOLDER ", when it is there\n"
	    "  --json        print an array\n",
};
