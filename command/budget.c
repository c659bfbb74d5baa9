#include "command/budget.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/rehearsal.h"
#include "command/show.h"
#include "command/site_now.h"
#include "feeds/feed_list.h"
#include "ruleset/gate.h"
#include "ruleset/overview.h"

enum { MS = 1000, TEXT_MAX = 4096, LOGS_MAX = 1000 };

/* Who may block how much: the site's own number (INT64_MAX: any), and those of the feeds that have one in sources.conf. */
struct limits {
	int64_t			 most;
	struct feed_list	 feeds;
};

/* Of SOURCE. */
static int64_t
limit_of(const struct limits *l, const char *source)
{
	const struct feed_item *f = feed_list_find(&l->feeds, slice_str(source));

	return f != NULL && f->read.origin.budget > 0 ? f->read.origin.budget : l->most;
}

/* A feed has a budget of its own: the first; NULL. */
static const struct feed_item *
first_with_budget(const struct feed_list *feeds)
{
	for (size_t i = 0; i < feeds->n; i++)
		if (feeds->v[i]->read.origin.budget > 0)
			return feeds->v[i];
	return NULL;
}

/* C's site.conf into SITE, and the LIMITS.  False when nothing has to be asked, or a file is wrong, as publish will say. */
static bool
wants_budget(const struct call *c, struct site *site, struct limits *limits, struct diag *diag)
{
	struct diag unwanted = { 0 };
	const struct feed_item *own;

	if (!site_now(c, site))
		return false;
	limits->most = site->rehearse_budget > 0 ? site->rehearse_budget : INT64_MAX;
	feed_list_read(c->state, &limits->feeds, &unwanted);
	diag_fini(&unwanted);
	own = first_with_budget(&limits->feeds);
	if (own != NULL && *site->rehearse_logs == '\0')
		diag_add(diag, DIAG_WARNING, limits->feeds.conf, own->line, own->col, "budget= is held by no log: RehearseLogs of site.conf "
		    "says where the access logs are");
	return *site->rehearse_logs != '\0' && (own != NULL || site->rehearse_budget > 0);
}

/* The words of TEXT, at most MAX, into PATHS, each to be freed; how many. */
static size_t
split_paths(const char *text, char *paths[], size_t max)
{
	struct slice rest = slice_str(text), word;
	size_t n = 0;

	while (rest.len > 0 && n < max) {
		slice_cut(rest, ' ', &word, &rest);
		if (word.len > 0 && (paths[n] = slice_dup(word)) != NULL)
			n++;
	}
	return n;
}

/* ---- what is over it ---- */

/* Somebody has approved ROW's rule as over the budget. */
static bool
is_approved(const struct held_list *decisions, const struct rehearsal_row *row)
{
	const struct held *h = held_match(decisions, slice_str(lint_class_name(LINT_BUDGET)), slice_str(row->source),
	    slice_str(row->words));

	return h != NULL && h->verdict == HELD_APPROVED;
}

/* How many requests the rules of SOURCE would newly block that nobody has approved. */
static uint64_t
requests_of(const struct rehearsal *r, const struct held_list *decisions, const char *source)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		if (!r->rows[i].is_source && r->rows[i].outcome == OUTCOME_BLOCK && strcmp(r->rows[i].source, source) == 0 &&
		    !is_approved(decisions, &r->rows[i]))
			n += r->rows[i].requests;
	return n;
}

static void
hold_row(struct budget *b, const struct rehearsal_row *row, uint64_t all, int64_t most)
{
	char date[CLOCK_TEXT];
	struct buf text;

	clock_format_s(clock_ms() / MS, date);
	buf_init(&text, TEXT_MAX);
	buf_addf(&text, "it would block %" PRIu64 " request%s of %s%" PRIu64 " client%s in the access logs; with all new rules of its "
	    "source these are %" PRIu64 ", and the budget is %" PRId64, row->requests, show_s(row->requests),
	    row->at_least ? "at least " : "", row->clients, show_s(row->clients), all, most);
	held_add(&b->over, slice_str(date), slice_str(lint_class_name(LINT_BUDGET)), slice_str(row->source), slice_str(row->words),
	    buf_slice(&text));
	buf_fini(&text);
}

static void
find_over(const struct call *c, struct budget *b, const struct rehearsal *r, const struct limits *limits)
{
	struct diag unwanted = { 0 };
	struct held_list decisions = { 0 };

	held_load(HELD_DECISIONS, c->state, &decisions, &unwanted);
	held_index(&decisions);
	for (size_t i = 0; i < r->n && r->rows[i].is_source; i++) {
		uint64_t all = requests_of(r, &decisions, r->rows[i].source);
		int64_t most = limit_of(limits, r->rows[i].source);

		for (size_t k = 0; all > (uint64_t)most && k < r->n; k++)
			if (!r->rows[k].is_source && r->rows[k].outcome == OUTCOME_BLOCK && *r->rows[k].words != '\0' &&
			    strcmp(r->rows[k].source, r->rows[i].source) == 0 && !is_approved(&decisions, &r->rows[k]))
				hold_row(b, &r->rows[k], all, most);
	}
	held_index(&b->over);
	held_fini(&decisions);
	diag_fini(&unwanted);
}

/* ---- asking ---- */

static void
ask_logs(const struct call *c, struct budget *b, const struct limits *limits, struct access_logs *logs, struct diag *diag)
{
	struct rehearsal r = { .candidate = b->candidate.g, .now = judge_now(b->candidate.g, clock_ms() / MS) };
	struct diag findings = { 0 };
	char manifest[STATE_PATH];
	struct pseudonyms *keys = call_pseudonyms(c);
	struct generation *live = NULL;

	if (state_path(c->state, STATE_MANIFEST, manifest) == 0 && access(manifest, F_OK) == 0)
		live = overview_generation(c->state, false, &findings);
	r.live = live;
	r.pseudonyms = keys;
	rehearsal_run(&r, logs, &findings);
	if (logs->counts.entries == 0 && logs->counts.old == 0)
		diag_add(&findings, DIAG_ERROR, NULL, 0, 0, "no request is in them");
	if (findings.n_errors > 0)
		diag_add(diag, DIAG_WARNING, NULL, 0, 0, "the access logs of RehearseLogs could not all be asked, and the budget may not hold "
		    "what it should: %s%s%s", findings.v != NULL && findings.v[0].file != NULL ? findings.v[0].file : "",
		    findings.v != NULL && findings.v[0].file != NULL ? ": " : "", diag_first_error(&findings));
	find_over(c, b, &r, limits);
	rehearsal_fini(&r);
	generation_close(live);
	pseudonyms_free(keys);
	diag_fini(&findings);
}

static void
rehearse_site(const struct call *c, const struct publish_options *options, struct budget *b, const struct site *site,
    const struct limits *limits, struct diag *diag)
{
	struct diag unwanted = { 0 }, format = { 0 };
	struct access_logs logs = { .of_site = true, .format = access_format_new(slice_str(site->rehearse_format), &format) };
	char *paths[LOGS_MAX];

	logs.n = split_paths(site->rehearse_logs, paths, LOGS_MAX);
	logs.paths = (const char *const *)paths;
	if (logs.format == NULL)
		diag_add(diag, DIAG_WARNING, NULL, 0, 0, "RehearseFormat cannot be read, and no budget is held: column %u: %s",
		    format.n > 0 ? format.v[0].col : 0, diag_first_error(&format));
	else if (candidate_make(c, options, NULL, &b->candidate, &unwanted) == 0 && b->candidate.report.changed > 0) {
		if (access_format_has_time(logs.format))
			logs.since_ms = clock_ms() - site->rehearse_days * CLOCK_DAY_S * MS;
		ask_logs(c, b, limits, &logs, diag);
	}
	for (size_t i = 0; i < logs.n; i++)
		free(paths[i]);
	access_format_free((struct access_format *)logs.format);
	diag_fini(&unwanted);
	diag_fini(&format);
}

void
budget_ask(const struct call *c, const struct publish_options *options, struct budget *b, struct diag *diag)
{
	struct limits limits = { .most = 0 };
	struct site site;

	*b = (struct budget){ .candidate = { .dir = NULL } };
	if (wants_budget(c, &site, &limits, diag))
		rehearse_site(c, options, b, &site, &limits, diag);
	feed_list_free(&limits.feeds);
	option_fini(site_options, site_options_n, &site);
}

void
budget_fini(struct budget *b)
{
	held_fini(&b->over);
	candidate_fini(&b->candidate);
}
