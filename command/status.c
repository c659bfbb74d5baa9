#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/coverage.h"
#include "command/delivery.h"
#include "command/fetched.h"
#include "command/selftest_result.h"
#include "command/show.h"
#include "command/verb.h"
#include "ruleset/overview.h"

enum { FLAG_JSON, FLAG_VERIFY, FLAGS };

struct report {
	struct overview	 o;
	struct diag	 diag;
	bool		 verified;
	struct delivery	 delivery;
	struct coverage	 coverage;
	struct feed_list fetched;
	struct selftest_result selftest;
};

/* Whoever may not read the state must not be told that there is none.  -1 after saying so. */
static int
need_to_read(const struct call *c)
{
	static const struct { const char *what; int how; } files[] = {
		{ STATE_MANIFEST, R_OK }, { STATE_SHARED, R_OK | W_OK },
	};
	char path[STATE_PATH];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (call_path(c, files[i].what, path) == -1)
			return -1;
		if (faccessat(AT_FDCWD, path, files[i].how, AT_EACCESS) == 0 || errno != EACCES)
			continue;
		call_fail(c, "%s: %s; the state is for the group of %s", path, strerror(EACCES), c->state);
		return -1;
	}
	return 0;
}

static void
collect(const struct call *c, struct report *r)
{
	if (r->verified)
		show_progress("verifying the rule set");
	overview_init(&r->o, c->state, r->verified, clock_ms(), &r->diag);
	show_progress_end();
	coverage_look(r->o.runtime, r->o.g == NULL ? NULL : generation_site(r->o.g), r->o.now_ms, &r->coverage, &r->diag);
	delivery_look(c, r->o.g != NULL ? generation_number(r->o.g) : 0, r->o.now_ms / 1000, &r->delivery, &r->diag);
	feed_list_read(c->state, &r->fetched, &r->diag);
	selftest_result_read(c->state, &r->selftest);
}

static void
print_algs(unsigned algs)
{
	for (enum digest_alg alg = 0; alg < DIGEST_ALGS; alg++)
		if (algs & DIGEST_BIT(alg))
			printf(" %s", digest_alg_name(alg));
}

static void
print_hashing(const struct generation *g)
{
	unsigned sizeless = generation_sizeless_algs(g);

	if (sizeless == 0) {
		puts("Hashing     only bodies of a listed or unknown length");
		return;
	}
	printf("Hashing     EVERY body, because of rules without a size:");
	print_algs(sizeless);
	putchar('\n');
}

static void
print_generation(const struct report *r)
{
	const struct manifest *m = generation_manifest(r->o.g);
	char date[CLOCK_TEXT], age[CLOCK_SPAN];
	uint64_t n[ROW_COUNTS];

	generation_counts(r->o.g, n);
	clock_format_s(generation_created(r->o.g), date);
	clock_format_span(r->o.now_ms / 1000 - generation_created(r->o.g), age);
	printf("Generation  %" PRIu64 ", published %s, %s ago%s\n", generation_number(r->o.g), date, age,
	    r->verified ? "; every file verified" : "");
	if (m->rolled_back != 0)
		printf("            *** A ROLLBACK to generation %" PRIu64 ": the sources are not looked at ***\n", m->rolled_back);
	printf("Rules       %" PRIu64 " from %zu source%s in %zu layer%s; threshold %d\n", generation_rules(r->o.g), m->n_sources,
	    show_s(m->n_sources), m->n_layers, show_s(m->n_layers), (int)generation_site(r->o.g)->threshold);
	printf("Hosts       %" PRIu64 " host, %" PRIu64 " url, %" PRIu64 " path, %" PRIu64 " address, %" PRIu64 " protect, %" PRIu64
	    " except\n",
	    n[COUNT_HOSTS], n[COUNT_URLS], n[COUNT_PATTERNS], n[COUNT_ADDRESSES], n[COUNT_PROTECTS], n[COUNT_EXCEPTIONS]);
	printf("Files      ");
	for (enum digest_alg alg = 0; alg < DIGEST_ALGS; alg++)
		printf(" %" PRIu64 " %s%s", n[COUNT_FILES + alg], digest_alg_name(alg), alg + 1 < DIGEST_ALGS ? "," : "");
	printf(", %" PRIu64 " by name\n", n[COUNT_NAMES]);
	print_hashing(r->o.g);
}

static void
print_mode(const struct report *r)
{
	char date[CLOCK_TEXT];

	if (r->o.mode == MODE_ENFORCE) {
		puts("Mode        enforce");
		return;
	}
	printf("Mode        %s", r->o.mode == MODE_OFF ? "*** OFF: NOTHING IS JUDGED ***" :
	    "*** OBSERVE: NOTHING IS BLOCKED, ONLY LOGGED ***");
	if (r->o.until_ms != 0) {
		clock_format_s(r->o.until_ms / 1000, date);
		printf(" until %s", date);
	}
	putchar('\n');
}

static void
print_workers(const struct report *r)
{
	char age[CLOCK_SPAN];

	if (r->o.n_workers == 0) {
		puts("Workers     none is running");
		return;
	}
	printf("Workers     %zu", r->o.n_workers);
	if (r->o.n_behind > 0)
		printf(", %zu NOT on the current generation", r->o.n_behind);
	putchar('\n');
	for (size_t i = 0; i < r->o.n_workers; i++) {
		const struct worker *w = &r->o.workers[i];

		clock_format_span(overview_silence_ms(&r->o, w) / 1000, age);
		printf("  pid %-8jd generation %-8" PRIu64 " seen %s ago\n", (intmax_t)w->pid,
		    w->generation, age);
	}
}

static void
print_counters(const struct report *r)
{
	if (r->o.runtime == NULL)
		return;
	puts("Counters");
	for (enum counter i = 0; i < COUNTERS; i++)
		printf("  %-22s %12" PRIu64 "  %s\n", counter_name(i),
		    runtime_counter(r->o.runtime, i), counter_help(i));
}

static void
print_report(const struct report *r)
{
	print_mode(r);
	if (r->o.g == NULL)
		puts("Generation  NONE: \"firebreak publish\" makes one; till then firebreak.NoRules decides");
	else
		print_generation(r);
	delivery_print(&r->delivery);
	fetched_print(&r->fetched, r->o.now_ms / 1000);
	print_workers(r);
	selftest_result_print(&r->selftest, r->o.now_ms / 1000);
	if (r->o.runtime != NULL)
		coverage_print(&r->coverage, r->o.now_ms);
	print_counters(r);
}

static json_t *
json_generation(const struct report *r)
{
	const struct generation *g = r->o.g;
	const struct manifest *m = generation_manifest(g);
	uint64_t n[ROW_COUNTS];
	json_t *j = json_object(), *files = json_object(), *sizeless = json_array();

	show_json_number(j, "number", generation_number(g));
	show_json_date(j, "created", generation_created(g));
	json_object_set_new(j, "age_s", json_integer(r->o.now_ms / 1000 - generation_created(g)));
	json_object_set_new(j, "verified", json_boolean(r->verified));
	show_json_number(j, "rules", generation_rules(g));
	json_object_set_new(j, "threshold", json_integer(generation_site(g)->threshold));
	generation_counts(g, n);
	show_json_number(j, "hosts", n[COUNT_HOSTS]);
	show_json_number(j, "urls", n[COUNT_URLS]);
	show_json_number(j, "paths", n[COUNT_PATTERNS]);
	show_json_number(j, "addresses", n[COUNT_ADDRESSES]);
	show_json_number(j, "protects", n[COUNT_PROTECTS]);
	show_json_number(j, "exceptions", n[COUNT_EXCEPTIONS]);
	show_json_number(j, "sources", m->n_sources);
	show_json_number(j, "layers", m->n_layers);
	show_json_number(j, "rolled_back_to", m->rolled_back);
	for (enum digest_alg alg = 0; alg < DIGEST_ALGS; alg++) {
		show_json_number(files, digest_alg_name(alg), n[COUNT_FILES + alg]);
		if (generation_sizeless_algs(g) & DIGEST_BIT(alg))
			json_array_append_new(sizeless, json_string(digest_alg_name(alg)));
	}
	show_json_number(files, "name", n[COUNT_NAMES]);
	json_object_set_new(j, "files", files);
	json_object_set_new(j, "sizeless", sizeless);
	return j;
}

static json_t *
json_workers(const struct report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->o.n_workers; i++) {
		const struct worker *w = &r->o.workers[i];
		json_t *j = json_object();

		json_object_set_new(j, "pid", json_integer(w->pid));
		show_json_number(j, "generation", w->generation);
		show_json_number(j, "heartbeat_age_ms", (uint64_t)overview_silence_ms(&r->o, w));
		json_array_append_new(list, j);
	}
	return list;
}

static int
print_json(const struct report *r)
{
	char date[CLOCK_TEXT];
	json_t *j = json_object(), *counters = json_object();

	json_object_set_new(j, "mode", json_string(mode_name(r->o.mode)));
	if (r->o.until_ms != 0) {
		clock_format_ms(r->o.until_ms, date);
		json_object_set_new(j, "mode_until", json_string(date));
	}
	json_object_set_new(j, "generation", r->o.g == NULL ? json_null() : json_generation(r));
	json_object_set_new(j, r->delivery.follows ? "follows" : "offers", delivery_json(&r->delivery));
	json_object_set_new(j, "fetched", fetched_json(&r->fetched, r->o.now_ms / 1000));
	json_object_set_new(j, "workers", json_workers(r));
	show_json_number(j, "workers_behind", r->o.n_behind);
	for (enum counter i = 0; r->o.runtime != NULL && i < COUNTERS; i++)
		show_json_number(counters, counter_name(i), runtime_counter(r->o.runtime, i));
	json_object_set_new(j, "counters", counters);
	if (r->o.runtime != NULL)
		json_object_set_new(j, "coverage", coverage_json(&r->coverage));
	if (r->selftest.known)
		json_object_set_new(j, "selftest", selftest_result_json(&r->selftest));
	json_object_set_new(j, "findings", show_json_findings(&r->diag));
	return show_json(j, true);
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "json", "verify" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct report r = { 0 };
	int status;

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc > 0)
		return call_misused(c, "no operand is expected");
	if (call_need_state(c) == -1 || need_to_read(c) == -1)
		return EXIT_TROUBLE;
	r.verified = values[FLAG_VERIFY] != NULL;
	collect(c, &r);
	status = r.o.g == NULL || r.diag.n_errors > 0 || r.o.n_behind > 0 || delivery_is_wrong(&r.delivery) ||
	    fetched_is_wrong(&r.fetched, r.o.now_ms / 1000) || selftest_result_is_wrong(&r.selftest, r.o.now_ms / 1000) ?
	    EXIT_FOUND : EXIT_FINE;
	diag_print(&r.diag, stderr);
	if (values[FLAG_JSON] == NULL)
		print_report(&r);
	else if (print_json(&r) == -1)
		status = EXIT_TROUBLE;
	overview_fini(&r.o);
	feed_list_free(&r.fetched);
	diag_fini(&r.diag);
	return status;
}

const struct verb verb_status = {
	.name = "status",
	.run = run,
	.operands = "[--json] [--verify]",
	.summary = "Show what is live, in which workers, and what they counted.",
	.help =
	    "  --json        print an object\n"
	    "  --verify      read every file of the rule set and compare its SHA-256\n",
};
