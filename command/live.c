#include "command/live.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "command/ask.h"
#include "command/budget.h"
#include "command/caller.h"
#include "command/lead_times.h"
#include "command/show.h"
#include "command/verb.h"
#include "delivery/sign.h"
#include "feeds/feed_source.h"

enum { CONFIRM_WITHIN_MS = 2000, POLL_MS = 20, NS_PER_MS = 1000 * 1000 };

/* The generation that the MANIFEST names now; 0 when it cannot be read. */
static uint64_t
current_generation(const char *path)
{
	struct manifest m;
	uint64_t n = manifest_load(path, &m, NULL) == 0 ? m.generation : 0;

	manifest_fini(&m);
	return n;
}

/* Store the generation word.  Two publishers may come here in the order opposite to that of their
 * MANIFESTs: each stores what the MANIFEST says until that stays the same, so that the word ends on the
 * newest. */
static void
store_generation(struct runtime *r, const char *manifest, uint64_t published)
{
	uint64_t now = current_generation(manifest), stored;

	do {
		stored = now != 0 ? now : published;
		runtime_set_generation(r, stored);
		now = current_generation(manifest);
	} while (now != 0 && now != stored);
}

static void
look_at_workers(const struct runtime *r, struct confirmation *out)
{
	struct worker workers[RUNTIME_WORKERS];
	uint64_t wanted = runtime_generation(r);
	size_t n = runtime_workers(r, workers, RUNTIME_WORKERS);

	*out = (struct confirmation){ .n_workers = n };
	for (size_t i = 0; i < n && i < RUNTIME_WORKERS; i++)
		if (workers[i].generation != wanted)
			out->waiting[out->n_waiting++] = workers[i].pid;
}

/* Wait until every live worker has confirmed, or the time is up. */
static void
wait_for_workers(const struct runtime *r, struct confirmation *out)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * NS_PER_MS };

	look_at_workers(r, out);
	for (int polls = 0; out->n_waiting > 0 && polls < CONFIRM_WITHIN_MS / POLL_MS; polls++) {
		show_progress("waiting for %zu of %zu workers", out->n_waiting, out->n_workers);
		nanosleep(&pause, NULL);
		look_at_workers(r, out);
	}
	show_progress_end();
}

void
live_tell(const struct call *c, struct runtime *r, uint64_t published, struct confirmation *out)
{
	char manifest[STATE_PATH];

	*out = (struct confirmation){ .n_workers = 0 };
	if (call_path(c, STATE_MANIFEST, manifest) == -1)
		return;
	store_generation(r, manifest, published);
	wait_for_workers(r, out);
}

static void
print_counts(const struct publish_report *p, bool dry_run)
{
	printf("%s %" PRIu64 ": %" PRIu64 " rule%s (%" PRIu64 " host, %" PRIu64 " url, %" PRIu64 " path, %" PRIu64 " address, %" PRIu64
	    " file, %" PRIu64 " protect, %" PRIu64 " except) from %zu "
	    "source%s, %zu of them read",
	    dry_run ? "nothing written; it would be generation" : "generation", p->generation,
	    p->rules, show_s(p->rules), p->hosts, p->urls, p->paths, p->addresses, p->files, p->protects,
	    p->exceptions, p->sources,
	    show_s(p->sources), p->changed);
	if (p->expired > 0)
		printf("; %" PRIu64 " expired rule%s left out", p->expired, show_s(p->expired));
	putchar('\n');
	if (p->held > 0)
		printf("%" PRIu64 " held rule%s left out: \"firebreak held\" lists %s\n", p->held, show_s(p->held), p->held == 1 ? "it" : "them");
	if (p->refused > 0)
		printf("%" PRIu64 " row%s of feeds left out, as lint refuses %s\n", p->refused, show_s(p->refused),
		    p->refused == 1 ? "it" : "them");
	if (p->denied > 0)
		printf("%" PRIu64 " denied rule%s left out\n", p->denied, show_s(p->denied));
	if (p->sizeless > 0)
		printf("%" PRIu64 " file rules without a size: every body has to be hashed\n", p->sizeless);
}

void
live_print_confirmation(const struct confirmation *conf)
{
	if (conf->n_workers == 0)
		puts("no worker is running; the service takes it up when it starts");
	else if (conf->n_waiting == 0)
		printf("live in all %zu worker%s\n", conf->n_workers, show_s(conf->n_workers));
	else
		printf("NOT yet live in %zu of %zu worker%s:", conf->n_waiting, conf->n_workers,
		    show_s(conf->n_workers));
	for (size_t i = 0; i < conf->n_waiting; i++)
		printf(" %jd", (intmax_t)conf->waiting[i]);
	if (conf->n_waiting > 0)
		putchar('\n');
}

static json_t *
json_report(const struct publish_report *p, bool dry_run)
{
	json_t *j = json_object();

	show_json_number(j, "generation", p->generation);
	json_object_set_new(j, "dry_run", json_boolean(dry_run));
	show_json_date(j, "created", p->created);
	show_json_number(j, "sources", p->sources);
	show_json_number(j, "changed", p->changed);
	show_json_number(j, "layers", p->layers);
	show_json_number(j, "rules", p->rules);
	show_json_number(j, "hosts", p->hosts);
	show_json_number(j, "urls", p->urls);
	show_json_number(j, "paths", p->paths);
	show_json_number(j, "addresses", p->addresses);
	show_json_number(j, "files", p->files);
	show_json_number(j, "protects", p->protects);
	show_json_number(j, "exceptions", p->exceptions);
	show_json_number(j, "expired", p->expired);
	show_json_number(j, "held", p->held);
	show_json_number(j, "denied", p->denied);
	show_json_number(j, "refused", p->refused);
	show_json_number(j, "approved", p->approved);
	show_json_number(j, "sizeless", p->sizeless);
	return j;
}

void
live_add_confirmation(json_t *j, const struct confirmation *conf)
{
	json_t *waiting = json_array();

	for (size_t i = 0; i < conf->n_waiting; i++)
		json_array_append_new(waiting, json_integer(conf->waiting[i]));
	show_json_number(j, "workers", conf->n_workers);
	json_object_set_new(j, "unconfirmed", waiting);
}

/* One publish while it runs. */
struct job {
	const struct call		*call;
	const struct live_request	*request;
	struct publish_report		 report;
	struct confirmation		 confirmation;
	struct diag			*diag;
	struct runtime			*runtime;	/* NULL for a dry run */
	struct signer			 signer;
	bool				 not_signed;	/* it is live, and could not be signed */
	struct signed_head		 head;		/* as it was signed; its generation is 0 when it was not */
};

/* What was done, as an exit status. */
static int
status_of(const struct job *job)
{
	return job->confirmation.n_waiting > 0 || job->not_signed ? EXIT_FOUND : EXIT_FINE;
}

static void
print_signed(const struct job *job)
{
	char date[CLOCK_TEXT];

	clock_format_s(job->head.expires, date);
	if (job->not_signed)
		puts("NOT signed: it is live here, and those who pull do not get it");
	else if (job->head.generation != 0)
		printf("signed, in epoch %" PRIu64 "; it expires %s\n", job->head.epoch, date);
}

static void
add_signed(json_t *j, const struct job *job)
{
	json_object_set_new(j, "signed", json_boolean(job->head.generation != 0));
	if (job->head.generation == 0)
		return;
	show_json_number(j, "epoch", job->head.epoch);
	show_json_date(j, "expires", job->head.expires);
}

/* What was done; CONFIRMATION only means something when it was no dry run. */
static int
report(const struct job *job)
{
	bool dry_run = job->request->options.dry_run;
	json_t *j;

	if (job->request->diag == NULL)
		diag_print(job->diag, stderr);
	if (job->request->quiet)
		return status_of(job);
	if (!job->request->json) {
		print_counts(&job->report, dry_run);
		if (!dry_run)
			live_print_confirmation(&job->confirmation);
		print_signed(job);
	} else {
		j = json_report(&job->report, dry_run);
		if (!dry_run)
			live_add_confirmation(j, &job->confirmation);
		if (!dry_run)
			add_signed(j, job);
		json_object_set_new(j, "findings", show_json_findings(job->diag));
		/* What was done is done. */
		if (show_json(j, true) == -1)
			return EXIT_FOUND;
	}
	return status_of(job);
}

static int
report_failure(const struct job *job)
{
	json_t *j;

	if (job->request->diag != NULL)
		return EXIT_TROUBLE;
	diag_print(job->diag, stderr);
	fprintf(stderr, "firebreak %s: refused, %zu error%s; what was live stays live\n",
	    job->call->verb->name, job->diag->n_errors, show_s(job->diag->n_errors));
	if (job->request->json) {
		j = json_object();
		json_object_set_new(j, "generation", json_null());
		json_object_set_new(j, "findings", show_json_findings(job->diag));
		show_json(j, true);
	}
	return EXIT_TROUBLE;
}

/* A publish of all sources asks the access logs first, without the lock: a block must not wait for that. */
static int
publish_within_budget(struct job *job)
{
	struct publish_options options = job->request->options;
	struct budget budget = { 0 };
	int r;

	if (options.only == NULL)
		budget_ask(job->call, &options, &budget, job->diag);
	options.budget = &budget.over;
	options.rehearsed = budget.candidate.g == NULL ? NULL : generation_manifest(budget.candidate.g);
	r = publish(&options, &job->report, job->diag);
	budget_fini(&budget);
	return r;
}

static int
make_generation(struct job *job)
{
	const struct live_request *rq = job->request;

	switch (rq->what) {
	case LIVE_PUBLISH:
		return publish_within_budget(job);
	case LIVE_ROLLBACK:
		return publish_rollback(&rq->options, rq->generation, &job->report, job->diag);
	case LIVE_COMPACT:
		return publish_compact(&rq->options, &job->report, job->diag);
	}
	return -1;
}

/* The key is whose it is that called, and sign.conf the state folder's owner's. */
static int
open_named_key(struct job *job)
{
	struct minisign_secret key;
	struct caller was;
	int r;

	caller_begin(&was);
	r = sign_read_secret(job->request->sign, job->request->quiet ? NULL : ask_password, &key, job->diag);
	caller_end(&was);
	if (r == 0)
		r = signer_open_with(&job->signer, job->call->state, &key, job->diag);
	minisign_secret_wipe(&key);
	return r;
}

/* The runtime file and the key are opened first, so that a publish that nobody could be told of, or that could not be signed, fails
 * before anything changed. */
static int
open_first(struct job *job)
{
	const struct live_request *rq = job->request;

	if (rq->options.dry_run)
		return 0;
	if ((job->runtime = runtime_open(job->call->state, job->diag)) == NULL)
		return -1;
	return rq->sign != NULL ? open_named_key(job) : signer_open(&job->signer, job->call->state, NULL, rq->quiet ? NULL : ask_password,
	    job->diag);
}

static int
perform(struct job *job)
{
	const struct live_request *rq = job->request;
	int r;

	if (open_first(job) == -1)
		return report_failure(job);
	show_progress(rq->what == LIVE_PUBLISH ? "reading sources" : "at work");
	r = make_generation(job);
	show_progress_end();
	if (r == -1)
		return report_failure(job);
	if (job->signer.on)
		job->not_signed = signer_sign(&job->signer, job->call->state, rq->options.locked, rq->options.now, &job->head,
		    job->diag) == -1;
	if (job->runtime != NULL) {
		live_tell(job->call, job->runtime, job->report.generation, &job->confirmation);
		if (job->confirmation.n_waiting == 0)
			lead_times_note(job->call);
	}
	return report(job);
}

int
live_run(const struct call *c, const struct live_request *request)
{
	struct diag own = { 0 };
	struct job job = { .call = c, .request = request, .diag = request->diag != NULL ? request->diag : &own };
	int status;

	if (!request->options.dry_run && state_make(c->state) == -1)
		return call_fail(c, "%s: %s", c->state, strerror(errno));
	status = perform(&job);
	if (request->report != NULL && status != EXIT_TROUBLE)
		*request->report = job.report;
	if (request->confirmation != NULL)
		*request->confirmation = job.confirmation;
	runtime_close(job.runtime);
	signer_fini(&job.signer);
	diag_fini(&own);
	return status;
}

struct live_request
live_request(const struct call *c)
{
	return (struct live_request){ .what = LIVE_PUBLISH,
		.options = { .state = c->state, .now = clock_ms() / 1000, .formats = &feed_sources,
		    .lists = c->lists } };
}
