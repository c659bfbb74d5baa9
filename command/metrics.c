#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "command/caller.h"
#include "command/delivery.h"
#include "command/lead_times.h"
#include "command/metrics.h"
#include "command/selftest_result.h"
#include "command/show.h"
#include "command/verb.h"
#include "feeds/feed_list.h"
#include "feeds/feed_source.h"
#include "ruleset/overview.h"
#include "ruleset/sources.h"

#include "config.h"

enum { FLAG_TO, FLAG_QUICK, FLAGS };
enum { TEXT_MAX = 16 << 20, FILE_MODE = 0644, MS_PER_S = 1000 };

#define NS_PER_S	1e9

/* A counter of the runtime as a metric; rows of one metric stand together. */
static const struct row {
	enum counter	 counter;
	const char	*metric, *label, *value;	/* LABEL NULL: none */
	const char	*help;				/* of the metric, on its first row; NULL: the counter's own */
} rows[] = {
	{ COUNTER_requests, "requests", NULL, NULL, NULL },
	{ COUNTER_responses, "responses", NULL, NULL, NULL },
	{ COUNTER_blocked, "decisions", "action", "blocked", "Decisions that were no plain pass, by what was done." },
	{ COUNTER_killed, "decisions", "action", "killed", NULL },
	{ COUNTER_marked, "decisions", "action", "marked", NULL },
	{ COUNTER_would_block, "decisions", "action", "would_block", NULL },
	{ COUNTER_passed_unchecked, "decisions", "action", "passed_unchecked", NULL },
	{ COUNTER_warned, "decisions", "action", "warned", NULL },
	{ COUNTER_continued, "decisions", "action", "continued", NULL },
	{ COUNTER_reason_host, "reasons", "reason", "host", "Decisions that were no plain pass, by their reason." },
	{ COUNTER_reason_url, "reasons", "reason", "url", NULL },
	{ COUNTER_reason_path, "reasons", "reason", "path", NULL },
	{ COUNTER_reason_address, "reasons", "reason", "address", NULL },
	{ COUNTER_reason_file, "reasons", "reason", "file", NULL },
	{ COUNTER_reason_file_name, "reasons", "reason", "file-name", NULL },
	{ COUNTER_reason_lookalike, "reasons", "reason", "lookalike", NULL },
	{ COUNTER_reason_odd_host, "reasons", "reason", "odd-host", NULL },
	{ COUNTER_reason_file_again, "reasons", "reason", "file-again", NULL },
	{ COUNTER_reason_partial, "reasons", "reason", "partial", NULL },
	{ COUNTER_reason_no_rules, "reasons", "reason", "no-rules", NULL },
	{ COUNTER_reason_bad_url, "reasons", "reason", "bad-url", NULL },
	{ COUNTER_reason_damaged, "reasons", "reason", "damaged", NULL },
	{ COUNTER_reason_unscannable, "reasons", "reason", "unscannable", NULL },
	{ COUNTER_reason_limit, "reasons", "reason", "limit", NULL },
	{ COUNTER_reason_no_memory, "reasons", "reason", "no-memory", NULL },
	{ COUNTER_bodies_skipped, "bodies", "way", "skipped", "Bodies, by what became of them; one may be in several rows." },
	{ COUNTER_bodies_left_out, "bodies", "way", "left_out", NULL },
	{ COUNTER_bodies_hashed, "bodies", "way", "hashed", NULL },
	{ COUNTER_bodies_outgrown, "bodies", "way", "outgrown", NULL },
	{ COUNTER_bodies_decoded, "bodies", "way", "decoded", NULL },
	{ COUNTER_bodies_unpacked, "bodies", "way", "unpacked", NULL },
	{ COUNTER_bodies_unscannable, "bodies", "way", "unscannable", NULL },
	{ COUNTER_bytes_skipped, "skipped_bytes", NULL, NULL, NULL },
	{ COUNTER_bytes_hashed, "hashed_bytes", NULL, NULL, NULL },
	{ COUNTER_bytes_decoded, "decoded_bytes", NULL, NULL, NULL },
	{ COUNTER_refetched, "refetched", NULL, NULL, NULL },
	{ COUNTER_ranges_stripped, "ranges_stripped", NULL, NULL, NULL },
	{ COUNTER_codings_narrowed, "codings_narrowed", NULL, NULL, NULL },
	{ COUNTER_reloads, "reloads", "result", "taken", "Generations that workers met." },
	{ COUNTER_reloads_refused, "reloads", "result", "refused", NULL },
	{ COUNTER_events_lost, "events_lost", NULL, NULL, NULL },
	{ COUNTER_events_late, "events_late", NULL, NULL, NULL },
	{ COUNTER_tunnels, "tunnels", NULL, NULL, NULL },
	{ COUNTER_answered, "answered", NULL, NULL, NULL },
	{ COUNTER_exempt, "exempt", NULL, NULL, NULL },
	{ COUNTER_canaries, "canaries", NULL, NULL, NULL },
	{ COUNTER_pseudonyms_unavailable, "pseudonyms_unavailable", NULL, NULL, NULL },
};

enum { N_ROWS = sizeof(rows) / sizeof(*rows) };

_Static_assert((int)N_ROWS == (int)COUNTERS, "a counter that is new needs a row here");

/* ---- the text format: https://prometheus.io/docs/instrumenting/exposition_formats/ ---- */

static void
head(struct buf *out, const char *metric, const char *type, const char *help)
{
	const char *total = strcmp(type, "counter") == 0 ? "_total" : "";

	buf_addf(out, "# HELP firebreak_%s%s %s\n# TYPE firebreak_%s%s %s\n", metric, total, help, metric, total, type);
}

/* The value of a label, which may be a file's name: UTF-8, and no control in it. */
static void
add_label(struct buf *out, const char *name, struct slice value)
{
	struct buf text;

	buf_init(&text, TEXT_MAX);
	buf_add_utf8(&text, value);
	buf_addf(out, "{%s=\"", name);
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, text.p[i]);
	}
	buf_add_str(out, "\"}");
	buf_fini(&text);
}

static void
gauge(struct buf *out, const char *metric, const char *help, double value)
{
	head(out, metric, "gauge", help);
	buf_addf(out, "firebreak_%s %.17g\n", metric, value);
}

/* ---- what there is ---- */

static void
add_counters(const struct runtime *r, struct buf *out)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		const struct row *row = &rows[i];

		if (i == 0 || strcmp(rows[i - 1].metric, row->metric) != 0)
			head(out, row->metric, "counter", row->help != NULL ? row->help : counter_help(row->counter));
		buf_addf(out, "firebreak_%s_total", row->metric);
		if (row->label != NULL)
			add_label(out, row->label, slice_str(row->value));
		buf_addf(out, " %" PRIu64 "\n", runtime_counter(r, row->counter));
	}
}

/* A histogram for each stage: how many took no longer than each bound, in all, and together. */
static void
add_latencies(const struct runtime *r, struct buf *out)
{
	struct latency_counts counts;

	head(out, "latency_seconds", "histogram", "How long the service took, by stage.");
	for (enum latency_of of = 0; of < LATENCIES; of++) {
		const char *stage = latency_name(of);

		latency_read(runtime_latency(r, of), &counts);
		for (size_t i = 0; i < LATENCY_BOUNDS; i++)
			buf_addf(out, "firebreak_latency_seconds_bucket{stage=\"%s\",le=\"%g\"} %" PRIu64 "\n", stage,
			    (double)latency_bound_ns(i) / NS_PER_S, counts.upto[i]);
		buf_addf(out, "firebreak_latency_seconds_bucket{stage=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", stage, counts.upto[LATENCY_BOUNDS]);
		buf_addf(out, "firebreak_latency_seconds_sum{stage=\"%s\"} %.9f\n", stage, (double)counts.sum_ns / NS_PER_S);
		buf_addf(out, "firebreak_latency_seconds_count{stage=\"%s\"} %" PRIu64 "\n", stage, counts.upto[LATENCY_BOUNDS]);
	}
}

static void
add_mode(const struct runtime *r, int64_t now_ms, struct buf *out)
{
	enum mode mode = runtime_mode(r, now_ms, NULL);

	head(out, "mode", "gauge", "1 for the mode that is in force.");
	for (enum mode m = MODE_ENFORCE; m <= MODE_OFF; m++) {
		buf_add_str(out, "firebreak_mode");
		add_label(out, "mode", slice_str(mode_name(m)));
		buf_addf(out, " %d\n", m == mode);
	}
}

static void
add_workers(const struct runtime *r, int64_t now_ms, uint64_t wanted, struct buf *out)
{
	enum { WORKER_GENERATION, WORKER_SILENCE, WORKER_STARTED, WORKER_METRICS };
	static const struct { const char *name, *help; } metrics[WORKER_METRICS] = {
		{ "worker_generation", "The generation that a worker judges by; 0 is none." },
		{ "worker_heartbeat_age_seconds", "How long ago a worker was last seen." },
		{ "worker_started_timestamp_seconds", "When a worker began." },
	};
	struct worker *v = calloc(RUNTIME_WORKERS, sizeof(*v));
	size_t n = v == NULL ? 0 : runtime_workers(r, v, RUNTIME_WORKERS), behind = 0;
	char pid[DIGITS_MAX + 1];

	n = n > RUNTIME_WORKERS ? RUNTIME_WORKERS : n;
	for (size_t i = 0; i < n; i++)
		behind += v[i].generation != wanted;
	gauge(out, "workers", "Workers that are running.", (double)n);
	gauge(out, "workers_behind", "Workers that judge by another generation than the live one.", (double)behind);
	for (size_t what = 0; what < WORKER_METRICS && n > 0; what++) {
		head(out, metrics[what].name, "gauge", metrics[what].help);
		for (size_t i = 0; i < n; i++) {
			int64_t age = now_ms > v[i].heartbeat_ms ? now_ms - v[i].heartbeat_ms : 0;

			pid[decimal((uint64_t)v[i].pid, pid)] = '\0';
			buf_addf(out, "firebreak_%s", metrics[what].name);
			add_label(out, "pid", slice_str(pid));
			if (what == WORKER_GENERATION)
				buf_addf(out, " %" PRIu64 "\n", v[i].generation);
			else
				buf_addf(out, " %.3f\n", (double)(what == WORKER_STARTED ? v[i].started_ms : age) / MS_PER_S);
		}
	}
	free(v);
}

static void
add_generation(const struct generation *g, struct buf *out)
{
	gauge(out, "generation_ok", "1 when there is a rule set that can be read.", g != NULL);
	if (g == NULL)
		return;
	gauge(out, "generation", "The number of the live rule set.", (double)generation_number(g));
	gauge(out, "generation_created_timestamp_seconds", "When it was published.", (double)generation_created(g));
	gauge(out, "rules", "Rules in it.", (double)generation_rules(g));
	head(out, "source_rules", "gauge", "Rules of each source in it.");
	for (size_t i = 0; i < generation_manifest(g)->n_sources; i++) {
		const struct manifest_source *s = &generation_manifest(g)->sources[i];

		buf_add_str(out, "firebreak_source_rules");
		add_label(out, "source", slice_str(s->name));
		buf_addf(out, " %" PRIu64 "\n", s->rules);
	}
}

/* Whoever may not read the sources gets everything else. */
static void
add_sources(const struct call *c, int64_t now_ms, struct buf *out)
{
	char dir[STATE_PATH], conf[STATE_PATH];
	struct source_list list = { 0 };
	struct diag unwanted = { 0 };

	if (state_path(c->state, STATE_SOURCES, dir) == -1 || state_path(c->state, STATE_SETTINGS, conf) == -1)
		return;
	source_list_read(dir, conf, &feed_sources, slice_make(NULL, 0), now_ms / MS_PER_S, &list, &unwanted);
	if (list.n > 0)
		head(out, "source_written_timestamp_seconds", "gauge", "When a source's file was last changed.");
	for (size_t i = 0; i < list.n; i++) {
		buf_add_str(out, "firebreak_source_written_timestamp_seconds");
		add_label(out, "source", list.files[i].name);
		buf_addf(out, " %" PRId64 "\n", list.files[i].written);
	}
	source_list_free(&list);
	diag_fini(&unwanted);
}

/* How old the last good list of each feed is that "firebreak update" fetches. */
static void
add_fetched(const struct call *c, int64_t now_ms, struct buf *out)
{
	struct diag unwanted = { 0 };
	struct feed_list list;

	feed_list_read(c->state, &list, &unwanted);
	for (int what = 0; what < 3 && list.n > 0; what++) {
		static const struct { const char *name, *help; } kinds[] = {
			{ "feed_good_timestamp_seconds", "When a feed's origin last said something good; 0 is never." },
			{ "feed_failures", "Failures of a feed since then." },
			{ "feed_stale", "1 when that is longer ago than twice its interval." },
		};

		head(out, kinds[what].name, "gauge", kinds[what].help);
		for (size_t i = 0; i < list.n; i++) {
			const struct feed_item *f = list.v[i];
			const int64_t values[] = { f->state.good, (int64_t)f->state.failures,
				feed_state_is_stale(&f->state, now_ms / MS_PER_S, f->read.origin.every) };

			buf_addf(out, "firebreak_%s", kinds[what].name);
			add_label(out, "source", slice_str(f->name));
			buf_addf(out, " %" PRId64 "\n", values[what]);
		}
	}
	feed_list_free(&list);
	diag_fini(&unwanted);
}

/* When an alert's rules came, at each step, for the newest alerts only: a series that nobody looks at costs as much as another. */
static void
add_leads(const struct call *c, bool quick, struct buf *out)
{
	struct lead v[LEADS];
	size_t n = lead_times_newest(c, v);

	if (!quick)
		lead_times_first_hits(c, v, n);
	if (n > 0)
		head(out, "alert_timestamp_seconds", "gauge", "When an alert was published, imported, live in every worker, and first met.");
	for (size_t i = 0; i < n; i++) {
		const struct { const char *step; int64_t at; } steps[] = { { "published", v[i].published }, { "imported", v[i].imported },
			{ "live", v[i].live }, { "first_hit", v[i].first_hit } };

		for (size_t k = 0; k < sizeof(steps) / sizeof(*steps); k++)
			if (steps[k].at != 0)
				buf_addf(out, "firebreak_alert_timestamp_seconds{alert=\"%s\",step=\"%s\"} %" PRId64 "\n", v[i].alert,
				    steps[k].step, steps[k].at);
	}
}

/* What is offered from here, or followed. */
static void
add_delivery(const struct call *c, uint64_t live, int64_t now_ms, struct diag *diag, struct buf *out)
{
	struct delivery d;

	delivery_look(c, live, now_ms / MS_PER_S, &d, diag);
	if (d.follows) {
		gauge(out, "pull_generation", "The origin's number of the rule set that was pulled last.", (double)d.follow.generation);
		gauge(out, "pull_checked_timestamp_seconds", "When the origin last said something good.", (double)d.follow.checked);
		gauge(out, "pull_expires_timestamp_seconds", "When what was pulled expires; it stays live.", (double)d.follow.expires);
		gauge(out, "pull_failed", "1 when the last pull failed.", d.follow.failed != 0);
	} else if (d.offers) {
		gauge(out, "signed_generation", "The rule set that is offered to those who pull.", (double)d.offer.generation);
		gauge(out, "signed_expires_timestamp_seconds", "When it expires.", (double)d.offer.expires);
	}
}

/* How the last selftest ended. */
static void
add_selftest(const struct call *c, struct buf *out)
{
	struct selftest_result r;

	selftest_result_read(c->state, &r);
	if (!r.known)
		return;
	gauge(out, "selftest_good", "1 when the last selftest found that all is blocked that has to be.", r.good);
	gauge(out, "selftest_timestamp_seconds", "When the last selftest was made.", (double)r.time);
	gauge(out, "selftest_good_timestamp_seconds", "When the last good one was made.", (double)r.good_time);
	gauge(out, "selftest_plain_seconds", "How long a plain request through the proxy took in it.", r.plain_s);
}

int
metrics_collect(const struct call *c, bool quick, struct buf *out)
{
	struct diag diag = { 0 };
	struct generation *g = overview_generation(c->state, false, &diag);
	struct runtime *r = overview_runtime(c->state, &diag);
	int64_t now_ms = clock_ms();

	head(out, "build_info", "gauge", "Always 1.");
	buf_addf(out, "firebreak_build_info{version=\"%s\"} 1\n", PACKAGE_VERSION);
	add_generation(g, out);
	add_sources(c, now_ms, out);
	add_fetched(c, now_ms, out);
	add_leads(c, quick, out);
	add_delivery(c, g == NULL ? 0 : generation_number(g), now_ms, &diag, out);
	add_selftest(c, out);
	if (r != NULL) {
		add_mode(r, now_ms, out);
		add_workers(r, now_ms, g == NULL ? 0 : generation_number(g), out);
		add_counters(r, out);
		add_latencies(r, out);
	}
	generation_close(g);
	runtime_close(r);
	diag_print(&diag, stderr);
	diag_fini(&diag);
	return out->failed ? call_fail(c, "%s", strerror(ENOMEM)), -1 : 0;
}

static int
write_out(const struct call *c, const char *to, struct slice text)
{
	struct caller was;
	int r;

	if (to == NULL)
		return fwrite(text.p, 1, text.len, stdout) == text.len ? EXIT_FINE : EXIT_TROUBLE;
	caller_begin_beside(&was, to);
	r = file_write(to, text, FILE_MODE);
	caller_end(&was);
	if (r == 0)
		return EXIT_FINE;
	return call_fail(c, "%s: %s", to, strerror(errno));
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "to=", "quick" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	int status = EXIT_TROUBLE;
	struct buf out;

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc > 0)
		return call_misused(c, "no operand is expected");
	if (call_need_state(c) == -1)
		return EXIT_TROUBLE;
	buf_init(&out, TEXT_MAX);
	if (metrics_collect(c, values[FLAG_QUICK] != NULL, &out) == 0)
		status = write_out(c, values[FLAG_TO], buf_slice(&out));
	buf_fini(&out);
	return status;
}

const struct verb verb_metrics = {
	.name = "metrics",
	.run = run,
	.operands = "[--quick] [--to FILE]",
	.summary = "Print what is counted, and the state, for Prometheus.",
	.help =
	    "  --quick       do not look into the event log for the first event of an alert\n"
	    "  --to FILE     replace FILE as a whole, for the textfile collector of node_exporter\n",
};
