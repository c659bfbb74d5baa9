#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/candidate.h"
#include "command/har.h"
#include "command/live.h"
#include "command/rehearsal.h"
#include "command/show.h"
#include "command/verb.h"
#include "ruleset/held.h"
#include "ruleset/overview.h"

enum { FLAG_ALL, FLAG_BUDGET, FLAG_DAYS, FLAG_FORMAT, FLAG_JSON, FLAG_LOG, FLAGS };
enum { MS = 1000, DAYS_MAX = 36500, HELD_SHOWN = 20 };

/* One rehearsal, and what it is asked for. */
struct rehearse {
	const struct call	*call;
	const char		*source, *file;		/* NULL */
	char			 name[MANIFEST_NAME + 1];	/* of the source that FILE would be */
	const char		**paths, **captures;
	struct access_logs	 logs;
	bool			 json, has_budget;
	uint64_t		 budget;
	struct candidate	 candidate;
	struct generation	*live;
	struct held_list	 held;			/* what the candidate does not have */
	struct rehearsal	 r;
	struct pseudonyms	*keys;
	int64_t			 took_ms;
};

/* ROW is more than what may be newly blocked for one source. */
static bool
is_over(const struct rehearse *h, const struct rehearsal_row *row)
{
	return row->is_source && h->has_budget && row->requests > h->budget;
}

static bool
is_any_over(const struct rehearse *h)
{
	for (size_t i = 0; i < h->r.n; i++)
		if (is_over(h, &h->r.rows[i]))
			return true;
	return false;
}

/* ---- as text ---- */

static void
print_span(int64_t first_ms, int64_t last_ms)
{
	char first[CLOCK_TEXT], last[CLOCK_TEXT];

	if (first_ms == ACCESS_UNKNOWN)
		return;
	clock_format_s(first_ms / MS, first);
	clock_format_s(last_ms / MS, last);
	printf(", %s to %s", first, last);
}

static void
print_numbers(const struct rehearse *h, const struct rehearsal_row *row)
{
	const char *least = row->at_least ? "at least " : "";

	printf("%" PRIu64 " request%s, %s%" PRIu64 " client%s", row->requests, show_s(row->requests), least, row->clients,
	    show_s(row->clients));
	if (h->r.suffixes != NULL)
		printf(", %s%" PRIu64 " domain%s", least, row->domains, show_s(row->domains));
	print_span(row->first_ms, row->last_ms);
}

static void
print_row(const struct rehearse *h, const struct rehearsal_row *row)
{
	if (row->is_source) {
		printf("source ");
		show_text(stdout, slice_str(row->source));
		printf(" would newly block ");
		print_numbers(h, row);
		if (h->has_budget)
			printf("; the budget is %" PRIu64 "%s", h->budget, is_over(h, row) ? ": EXCEEDED" : "");
		putchar('\n');
		return;
	}
	printf("%-5s  ", rehearsal_outcome_name(row->outcome));
	show_text(stdout, slice_str(row->rule));
	fputs("  ", stdout);
	print_numbers(h, row);
	putchar('\n');
	for (size_t i = 0; i < REHEARSAL_SAMPLES && row->samples[i] != NULL; i++) {
		fputs("         ", stdout);
		show_text(stdout, slice_str(row->samples[i]));
		putchar('\n');
	}
}

static void
print_held(const struct rehearse *h)
{
	if (h->held.n > 0)
		printf("held and not in it: %zu rule%s\n", h->held.n, show_s(h->held.n));
	for (size_t i = 0; i < h->held.n && i < HELD_SHOWN; i++) {
		fputs("  ", stdout);
		show_text(stdout, h->held.v[i].rule);
		fputs("  of ", stdout);
		show_text(stdout, h->held.v[i].source);
		fputs(": ", stdout);
		show_text(stdout, h->held.v[i].text);
		putchar('\n');
	}
	if (h->held.n > HELD_SHOWN)
		printf("  and %zu more\n", h->held.n - HELD_SHOWN);
}

static void
print_text(const struct rehearse *h)
{
	const struct access_counts *n = &h->logs.counts;

	printf("generation %" PRIu64 " as it would be: %" PRIu64 " rules; ", h->candidate.report.generation, h->candidate.report.rules);
	if (h->live == NULL)
		printf("nothing is live\n");
	else
		printf("live is %" PRIu64 ": %" PRIu64 " rules\n", generation_number(h->live), generation_rules(h->live));
	print_held(h);
	printf("%" PRIu64 " line%s, %" PRIu64 " request%s judged", n->lines, show_s(n->lines), n->entries, show_s(n->entries));
	print_span(n->first_ms, n->last_ms);
	printf("; %.1f s\n", (double)h->took_ms / MS);
	if (h->r.n_captures > 0)
		printf("%" PRIu64 " bod%s of captures judged, %" PRIu64 " more without their bytes\n", h->r.bodies,
		    h->r.bodies == 1 ? "y" : "ies", h->r.no_bodies);
	for (size_t i = 0; i < h->r.n; i++)
		print_row(h, &h->r.rows[i]);
	if (h->r.n == 0)
		puts("nothing would change for any of them");
	if (h->r.lost > 0)
		printf("%" PRIu64 " more requests would change by still other rules\n", h->r.lost);
}

/* ---- as JSON ---- */

static void
add_span(json_t *j, int64_t first_ms, int64_t last_ms)
{
	char date[CLOCK_TEXT];

	if (first_ms == ACCESS_UNKNOWN)
		return;
	clock_format_ms(first_ms, date);
	json_object_set_new(j, "first", json_string(date));
	clock_format_ms(last_ms, date);
	json_object_set_new(j, "last", json_string(date));
}

static json_t *
json_row(const struct rehearse *h, const struct rehearsal_row *row)
{
	json_t *j = json_object(), *samples = json_array();

	json_object_set_new(j, "source", show_json_text(slice_str(row->source)));
	if (!row->is_source) {
		json_object_set_new(j, "rule", show_json_text(slice_str(row->rule)));
		json_object_set_new(j, "outcome", json_string(rehearsal_outcome_name(row->outcome)));
	}
	show_json_number(j, "requests", row->requests);
	show_json_number(j, "clients", row->clients);
	if (h->r.suffixes != NULL)
		show_json_number(j, "domains", row->domains);
	json_object_set_new(j, "at_least", json_boolean(row->at_least));
	add_span(j, row->first_ms, row->last_ms);
	for (size_t i = 0; i < REHEARSAL_SAMPLES && row->samples[i] != NULL; i++)
		json_array_append_new(samples, show_json_text(slice_str(row->samples[i])));
	if (row->is_source) {
		json_object_set_new(j, "exceeded", json_boolean(is_over(h, row)));
		json_decref(samples);
	} else {
		json_object_set_new(j, "urls", samples);
	}
	return j;
}

static json_t *
json_held(const struct held_list *held)
{
	json_t *list = json_array();

	for (size_t i = 0; i < held->n; i++) {
		json_t *j = json_object();

		json_object_set_new(j, "id", show_json_text(held->v[i].id));
		json_object_set_new(j, "class", show_json_text(held->v[i].class));
		json_object_set_new(j, "source", show_json_text(held->v[i].source));
		json_object_set_new(j, "rule", show_json_text(held->v[i].rule));
		json_object_set_new(j, "why", show_json_text(held->v[i].text));
		json_array_append_new(list, j);
	}
	return list;
}

static int
print_json(const struct rehearse *h, const struct diag *diag)
{
	const struct access_counts *n = &h->logs.counts;
	json_t *j = json_object(), *sources = json_array(), *rules = json_array();

	show_json_number(j, "generation", h->candidate.report.generation);
	json_object_set_new(j, "live", h->live == NULL ? json_null() : json_integer((json_int_t)generation_number(h->live)));
	show_json_number(j, "rules", h->candidate.report.rules);
	show_json_number(j, "lines", n->lines);
	show_json_number(j, "requests", n->entries);
	show_json_number(j, "unread", n->unread);
	show_json_number(j, "older", n->old);
	show_json_number(j, "without_url", n->without);
	show_json_number(j, "not_shown", h->r.lost);
	show_json_number(j, "bodies", h->r.bodies);
	show_json_number(j, "bodies_without_bytes", h->r.no_bodies);
	add_span(j, n->first_ms, n->last_ms);
	json_object_set_new(j, "budget", h->has_budget ? json_integer((json_int_t)h->budget) : json_null());
	json_object_set_new(j, "exceeded", json_boolean(is_any_over(h)));
	for (size_t i = 0; i < h->r.n; i++)
		json_array_append_new(h->r.rows[i].is_source ? sources : rules, json_row(h, &h->r.rows[i]));
	json_object_set_new(j, "sources", sources);
	json_object_set_new(j, "changes", rules);
	json_object_set_new(j, "held", json_held(&h->held));
	json_object_set_new(j, "findings", show_json_findings(diag));
	return show_json(j, true);
}

/* ---- doing it ---- */

/* What the candidate holds back, and who is live. */
static int
open_both(struct rehearse *h, struct diag *diag)
{
	struct live_request rq = live_request(h->call);
	char manifest[STATE_PATH];

	rq.options.only = h->source;
	if (candidate_make(h->call, &rq.options, h->file, &h->candidate, diag) == -1 ||
	    held_load(HELD_RULES, h->candidate.dir, &h->held, diag) == -1 || call_path(h->call, STATE_MANIFEST, manifest) == -1)
		return -1;
	if (h->source != NULL && manifest_source(generation_manifest(h->candidate.g), slice_str(h->source)) == NULL) {
		diag_error(diag, "there is no source %s%s", h->source, h->file != NULL ? ": its name tells no format, or it has no rule" : "");
		return -1;
	}
	h->r.suffixes = public_suffixes_load(PUBLIC_SUFFIX_FILE, NULL);
	if (access(manifest, F_OK) == -1 && errno == ENOENT)
		return 0;
	h->live = overview_generation(h->call->state, false, diag);
	return h->live == NULL ? -1 : 0;
}

static int
rehearse(struct rehearse *h, struct diag *diag)
{
	const struct site *site;
	int64_t begun_ms;
	int r;

	if (open_both(h, diag) == -1)
		return EXIT_TROUBLE;
	site = generation_site(h->candidate.g);
	h->r.live = h->live;
	h->r.candidate = h->candidate.g;
	h->r.now = judge_now(h->candidate.g, clock_ms() / MS);
	if (!h->has_budget && site->rehearse_budget > 0) {
		h->has_budget = true;
		h->budget = (uint64_t)site->rehearse_budget;
	}
	h->r.pseudonyms = h->keys = call_pseudonyms(h->call);
	h->r.show_query = site->log_query;
	h->r.show_mail = site->log_mail;
	begun_ms = clock_ms();
	r = rehearsal_run(&h->r, &h->logs, diag);
	h->took_ms = clock_ms() - begun_ms;
	access_logs_note(&h->logs, diag);
	if (h->json)
		r |= print_json(h, diag);
	else
		print_text(h);
	return r != 0 ? EXIT_TROUBLE : is_any_over(h) ? EXIT_FOUND : EXIT_FINE;
}

static void
take_path(struct rehearse *h, const char *path)
{
	if (har_is_one(path))
		h->captures[h->r.n_captures++] = path;
	else
		h->paths[h->logs.n++] = path;
}

/* Operands are a source, unless all are meant, and more logs. */
static int
take_operands(struct rehearse *h, const struct call *c, const char *const *values)
{
	int first = values[FLAG_ALL] == NULL && c->argc > 0;

	if ((h->paths = calloc((size_t)c->argc + 1, sizeof(*h->paths))) == NULL ||
	    (h->captures = calloc((size_t)c->argc + 1, sizeof(*h->captures))) == NULL)
		return call_fail(c, "%s", strerror(errno));
	if (first > 0) {
		bool is_file = strchr(c->argv[0], '/') != NULL;

		h->file = is_file ? c->argv[0] : NULL;
		h->source = is_file ? candidate_source(c->argv[0], h->name) : c->argv[0];
	}
	take_path(h, values[FLAG_LOG]);
	for (int i = first; i < c->argc; i++)
		take_path(h, c->argv[i]);
	h->logs.paths = h->paths;
	h->r.captures = h->captures;
	return EXIT_FINE;
}

static int
take_numbers(struct rehearse *h, const struct call *c, const char *const *values)
{
	uint64_t days = 0;

	if (values[FLAG_DAYS] != NULL && (slice_u64(slice_str(values[FLAG_DAYS]), &days) == -1 || days == 0 || days > DAYS_MAX))
		return call_misused(c, "--days takes a number of days");
	if (values[FLAG_BUDGET] != NULL && slice_u64(slice_str(values[FLAG_BUDGET]), &h->budget) == -1)
		return call_misused(c, "--budget takes a number of requests");
	if (days > 0 && !access_format_has_time(h->logs.format))
		return call_misused(c, "--days: the format has no time");
	h->has_budget = values[FLAG_BUDGET] != NULL;
	h->logs.since_ms = days == 0 ? 0 : clock_ms() - (int64_t)days * CLOCK_DAY_S * MS;
	return EXIT_FINE;
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "all", "budget=", "days=", "format=", "json", "log=" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct rehearse h = { .call = c };
	struct access_format *format;
	struct diag diag = { 0 };
	int status = EXIT_TROUBLE;

	if (result != CALL_GO)
		return call_end(c, result);
	if (values[FLAG_LOG] == NULL)
		return call_misused(c, "--log FILE: which access log?");
	if (call_need_state(c) == -1)
		return EXIT_TROUBLE;
	h.json = values[FLAG_JSON] != NULL;
	h.logs.format = format = access_format_new(slice_str(values[FLAG_FORMAT]), &diag);
	if (format != NULL && take_numbers(&h, c, values) == EXIT_FINE && take_operands(&h, c, values) == EXIT_FINE)
		status = rehearse(&h, &diag);
	fflush(stdout);
	diag_print(&diag, stderr);
	diag_fini(&diag);
	rehearsal_fini(&h.r);
	public_suffixes_free((struct public_suffixes *)h.r.suffixes);
	held_fini(&h.held);
	generation_close(h.live);
	pseudonyms_free(h.keys);
	candidate_fini(&h.candidate);
	access_format_free(format);
	free(h.paths);
	free(h.captures);
	return status;
}

const struct verb verb_rehearse = {
	.name = "rehearse",
	.run = run,
	.operands = "[SOURCE|./LIST|--all] --log FILE [FILE ...] [--format LOGFORMAT] [--days N] [--budget N] [--json]",
	.summary = "What would a publish block of what people asked for, by the access logs?",
	.help =
	    "  SOURCE          publish this source alone; with a slash, a file that is no source yet\n"
	    "  --all           all sources that have changed: the default\n"
	    "  --log FILE      access logs of Squid, plain or of gzip; - is standard input; captures, x.har\n"
	    "  --format LOGFORMAT  what they are written in, as squid.conf has it; else Squid's own, common and combined\n"
	    "  --days N        of the last N days only\n"
	    "  --budget N      exit 1 when a source would newly block more than N requests\n"
	    "  --json          print an object\n",
};
