#include "delivery/pull.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/caller.h"
#include "command/live.h"
#include "command/show.h"
#include "command/verb.h"
#include "delivery/sign.h"
#include "runtime/runtime.h"

enum { FLAG_ROLLBACK, FLAG_CA, FLAG_DRY_RUN, FLAG_ENV_PROXY, FLAG_FORWARD, FLAG_FULL, FLAG_JSON, FLAG_KEY, FLAG_LEAVE,
	FLAG_NEXT_KEY, FLAG_REPLACE, FLAG_TIMEOUT, FLAGS };
enum { TIMEOUT_MAX_S = 24 * 3600 };

/* One pull while it runs. */
struct job {
	const struct call	*call;
	struct pull_options	 options;
	struct pull_report	 report;
	struct confirmation	 confirmation;
	struct runtime		*runtime;
	struct diag		 diag;
	bool			 json;
};

/* ---- what is asked for ---- */

/* TEXT is a key itself, or the file of one. */
static int
add_key(struct job *job, const char *text)
{
	struct minisign_public *key = &job->options.keys[job->options.n_keys];

	struct caller was;
	int r;

	caller_begin(&was);
	r = minisign_public_parse(slice_str(text), key) == -1 ? sign_read_public(text, NULL, key, &job->diag) : 0;
	caller_end(&was);
	if (r == 0)
		job->options.n_keys++;
	return r;
}

static int
read_numbers(struct job *job, const char *const *values)
{
	struct pull_options *o = &job->options;

	if (values[FLAG_ROLLBACK] != NULL &&
	    (slice_u64(slice_str(values[FLAG_ROLLBACK]), &o->allow_rollback) == -1 || o->allow_rollback == 0)) {
		call_misused(job->call, "--allow-rollback takes the number of a generation");
		return -1;
	}
	o->fetch.timeout_s = FETCH_TIMEOUT_S;
	if (values[FLAG_TIMEOUT] != NULL && (clock_parse_span(slice_str(values[FLAG_TIMEOUT]), &o->fetch.timeout_s) == -1 ||
	    o->fetch.timeout_s < 1 || o->fetch.timeout_s > TIMEOUT_MAX_S)) {
		call_misused(job->call, "--timeout takes a time from 1s to 24h");
		return -1;
	}
	return 0;
}

/* -1 after saying what is wrong. */
static int
read_flags(struct job *job, const char *const *values)
{
	struct pull_options *o = &job->options;
	int r = 0;

	o->fetch.ca = values[FLAG_CA];
	o->fetch.env_proxy = values[FLAG_ENV_PROXY] != NULL;
	o->dry_run = values[FLAG_DRY_RUN] != NULL;
	o->forward = values[FLAG_FORWARD] != NULL;
	o->full = values[FLAG_FULL] != NULL;
	o->replace = values[FLAG_REPLACE] != NULL;
	job->json = values[FLAG_JSON] != NULL;
	if (values[FLAG_NEXT_KEY] != NULL && values[FLAG_KEY] == NULL) {
		call_misused(job->call, "--next-key goes with --key");
		return -1;
	}
	if (read_numbers(job, values) == -1)
		return -1;
	if (values[FLAG_KEY] != NULL)
		r = add_key(job, values[FLAG_KEY]);
	if (r == 0 && values[FLAG_NEXT_KEY] != NULL)
		r = add_key(job, values[FLAG_NEXT_KEY]);
	if (r == -1)
		diag_print(&job->diag, stderr);
	return r;
}

static void
progress(const char *name, uint64_t bytes)
{
	show_progress("fetching %s, %" PRIu64 " KB", name, bytes / 1024);
}

/* ---- what was done ---- */

static void
print(const struct job *job)
{
	const struct pull_report *r = &job->report;
	char end[CLOCK_TEXT];

	clock_format_s(r->head.expires, end);
	if (!r->fresh)
		printf("generation %" PRIu64 ": nothing new; it expires %s\n", r->head.generation, end);
	else if (job->options.dry_run)
		printf("nothing written; generation %" PRIu64 " would be taken up: %zu of %zu files are missing, %" PRIu64 " of %" PRIu64
		    " bytes; it expires %s\n", r->head.generation, r->n_fetched, r->n_files, r->bytes_missing, r->bytes, end);
	else
		printf("generation %" PRIu64 ": %" PRIu64 " rule%s; %zu of %zu files were fetched, %" PRIu64 " of %" PRIu64
		    " bytes; it expires %s\n", r->head.generation, r->rules, show_s(r->rules), r->n_fetched, r->n_files,
		    r->bytes_missing, r->bytes, end);
	if (r->local != r->head.generation && !job->options.dry_run)
		printf("its number here is %" PRIu64 "\n", r->local);
	if (r->key_changed && !job->options.dry_run)
		puts("the keys that are trusted here have changed, as the origin said: see \"firebreak status\"");
	if (!job->options.dry_run)
		live_print_confirmation(&job->confirmation);
}

static int
print_json(const struct job *job)
{
	const struct pull_report *r = &job->report;
	json_t *j = json_object();

	show_json_number(j, "generation", r->head.generation);
	show_json_number(j, "epoch", r->head.epoch);
	show_json_number(j, "local", r->local);
	json_object_set_new(j, "fresh", json_boolean(r->fresh));
	json_object_set_new(j, "dry_run", json_boolean(job->options.dry_run));
	show_json_date(j, "created", r->created);
	show_json_date(j, "expires", r->head.expires);
	show_json_number(j, "rules", r->rules);
	show_json_number(j, "files", r->n_files);
	show_json_number(j, "files_missing", r->n_fetched);
	show_json_number(j, "bytes", r->bytes);
	show_json_number(j, "bytes_missing", r->bytes_missing);
	show_json_number(j, "bytes_fetched", r->bytes_fetched);
	json_object_set_new(j, "key_changed", json_boolean(r->key_changed));
	if (!job->options.dry_run)
		live_add_confirmation(j, &job->confirmation);
	json_object_set_new(j, "findings", show_json_findings(&job->diag));
	return show_json(j, true);
}

static int
report(const struct job *job)
{
	int status = job->confirmation.n_waiting > 0 ? EXIT_FOUND : EXIT_FINE;

	diag_print(&job->diag, stderr);
	if (!job->json)
		print(job);
	else if (print_json(job) == -1)
		return EXIT_FOUND;	/* what was done is done */
	return status;
}

static int
report_failure(const struct job *job)
{
	json_t *j;

	diag_print(&job->diag, stderr);
	fputs("firebreak pull: refused; what was live stays live\n", stderr);
	if (job->json) {
		j = json_object();
		json_object_set_new(j, "generation", json_null());
		json_object_set_new(j, "findings", show_json_findings(&job->diag));
		show_json(j, true);
	}
	return EXIT_TROUBLE;
}

/* ---- doing it ---- */

static int
perform(struct job *job)
{
	const struct call *c = job->call;
	int r;

	if (!job->options.dry_run && state_make(c->state) == -1)
		return call_fail(c, "%s: %s", c->state, strerror(errno));
	if (!job->options.dry_run && (job->runtime = runtime_open(c->state, &job->diag)) == NULL)
		return report_failure(job);
	show_progress("asking the origin");
	r = pull(&job->options, &job->report, &job->diag);
	show_progress_end();
	if (r == -1)
		return report_failure(job);
	/* Also when there is nothing new: who took it up may have been killed before the workers were told. */
	if (job->runtime != NULL)
		live_tell(c, job->runtime, job->report.local, &job->confirmation);
	return report(job);
}

static int
leave(const struct call *c, struct diag *diag)
{
	int r = pull_leave(c->state, diag);

	diag_print(diag, stderr);
	if (r == 0)
		puts("this state folder follows nobody; \"firebreak publish\" makes its own sources live");
	return r == 0 ? EXIT_FINE : EXIT_TROUBLE;
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "allow-rollback=", "ca=", "dry-run", "env-proxy", "forward", "full", "json", "key=",
		"leave", "next-key=", "replace", "timeout=" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct job job = { .call = c, .options = { .now = clock_ms() / 1000, .progress = progress } };
	int status = EXIT_TROUBLE;

	if (result != CALL_GO)
		return call_end(c, result);
	job.options.state = c->state;
	if (c->argc > 1)
		return call_misused(c, "one URL, or none for that of the last time");
	if (values[FLAG_LEAVE] != NULL) {
		if (c->argc > 0)
			return call_misused(c, "--leave takes no URL");
		status = call_need_state(c) == -1 ? EXIT_TROUBLE : leave(c, &job.diag);
	} else if (read_flags(&job, values) == 0) {
		job.options.fetch.url = c->argc == 1 ? c->argv[0] : NULL;
		status = perform(&job);
	}
	runtime_close(job.runtime);
	diag_fini(&job.diag);
	return status;
}

const struct verb verb_pull = {
	.name = "pull",
	.run = run,
	.operands = "[--key KEY [--next-key KEY]] [--allow-rollback N] [--ca FILE] [--dry-run] [--env-proxy] [--forward] [--full] "
	    "[--json] [--replace] [--timeout TIME] [URL] | --leave",
	.summary = "Take up the rules that an origin has signed.",
	.help =
	    "  URL             the folder rules/ of the origin, https:, http: or file:; else that of the last time\n"
	    "  --key KEY       who signs, a file or the key itself; else those of the last time\n"
	    "  --next-key KEY  who will sign some day\n"
	    "  --allow-rollback N   generation N may be taken up although a later one was here\n"
	    "  --ca FILE       the authorities that are believed, instead of the system's\n"
	    "  --dry-run       verify what is offered, and say what would be fetched; write nothing\n"
	    "  --env-proxy     obey http_proxy, https_proxy and no_proxy\n"
	    "  --forward       also after a rollback here\n"
	    "  --full          read all files that are here, and fetch those that are damaged\n"
	    "  --json          print an object\n"
	    "  --leave         follow nobody any more\n"
	    "  --replace       also when the state folder has rules of its own, or trusts other keys\n"
	    "  --timeout TIME  that a file may take, and a second more for each 64 KB; else 30s\n",
};
