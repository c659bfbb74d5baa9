#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "command/clamav.h"
#include "command/lead.h"
#include "command/show.h"
#include "command/verb.h"
#include "eventstore/eventstore.h"
#include "ruleset/overview.h"
#include "setup/proof.h"

enum { FLAG_CLAMAV, FLAG_JSON, FLAGS };
enum { MS = 1000, FIRED_MAX = 100000, LINE_MOST = 2 << 20, NO_FILE = -1 };

/* A rule that fired. */
struct fired {
	char		*rule, *source, *alert;	/* alert may be empty */
	struct lead	 lead;			/* published: of the alert, else of the rule */
	bool		 live_known;		/* it cannot have been live before */
	uint64_t	 n, clients;
	struct event_row first;			/* its texts are gone; for eventstore_line() */
	bool		 is_file;
	struct clamav_file files[DIGEST_ALGS];	/* what it was met as first */
	size_t		 n_files;
};

struct report {
	const struct call	*call;
	struct fired		*v;
	size_t			 n, cap;
	struct clamav_file	*files;		/* all of them, sorted */
	size_t			 n_files;
	bool			 asked;		/* databases were there */
	bool			 failed, partly;
	struct diag		 diag;
};

/* ---- what fired ---- */

static int
add_fired(void *arg, const struct event_count *count)
{
	struct report *r = arg;
	struct fired *v;

	/* What setup asked for itself was met by nobody. */
	if (count->word.len == 0 || slice_starts(count->word, SLICE(PROOF_SOURCE ":")))
		return 0;
	if (r->n == FIRED_MAX) {
		diag_add(&r->diag, DIAG_WARNING, NULL, 0, 0, "more than %d rules fired: the others are left out", FIRED_MAX);
		r->partly = true;
		return 1;
	}
	if (r->n == r->cap) {
		size_t cap = r->cap > 0 ? 2 * r->cap : 64;

		if ((v = realloc(r->v, cap * sizeof(*v))) == NULL) {
			r->failed = true;
			return 1;
		}
		r->v = v;
		r->cap = cap;
	}
	r->v[r->n] = (struct fired){ .rule = slice_dup(count->word), .n = count->n, .clients = count->clients,
		.lead.first_hit = count->first_ms / MS };
	r->failed = r->failed || r->v[r->n++].rule == NULL;
	return 0;
}

static int
take_first(void *arg, const struct event_row *row)
{
	struct fired *f = arg;
	struct slice reason = row->words[EVENT_WORD_REASON];

	f->first = *row;
	f->source = slice_dup(row->words[EVENT_WORD_SOURCE]);
	f->alert = slice_dup(row->words[EVENT_WORD_ALERT]);
	f->is_file = slice_eq(reason, SLICE("file")) || slice_eq(reason, SLICE("file-again")) || slice_eq(reason, SLICE("file-name"));
	return 1;
}

/* Size and digests of the event LINE. */
static void
take_digests(struct fired *f, struct slice line)
{
	char number[EVENT_NUMBER];
	struct event_facts facts;
	uint64_t size = 0;

	if (event_facts_read(line, &facts) == -1)
		return;
	slice_u64(event_text(facts.json, "file.size", number), &size);
	for (enum digest_alg alg = 0; alg < DIGEST_ALGS; alg++)
		if (facts.has_digest[alg])
			f->files[f->n_files++] = (struct clamav_file){ .digest = facts.digests[alg], .size = size };
	event_facts_fini(&facts);
}

/* The first event of each rule: its source, its alert, and of a file what it was. */
static void
read_firsts(struct report *r, struct eventstore *s)
{
	struct buf line;

	buf_init(&line, LINE_MOST);
	for (size_t i = 0; i < r->n && !r->failed; i++) {
		struct fired *f = &r->v[i];
		struct event_query q = { .exact = true, .words[EVENT_WORD_RULE] = slice_str(f->rule) };

		if (eventstore_search(s, &q, take_first, f, &r->diag) == -1) {
			r->failed = true;
			break;
		}
		buf_reset(&line);
		if (f->is_file && eventstore_line(s, &f->first, &line, &r->diag) == 0)
			take_digests(f, buf_slice(&line));
	}
	buf_fini(&line);
}

static void
read_events(struct report *r)
{
	struct event_query q = { .newest = 0 };
	struct eventstore *s = NULL;
	char path[STATE_PATH];
	int partly = -1;

	if (call_path(r->call, STATE_EVENTS, path) == 0 && (s = eventstore_open(path, &r->diag)) != NULL)
		partly = eventstore_update(s, &r->diag);
	r->failed = partly == -1 || eventstore_count(s, &q, EVENT_WORD_RULE, add_fired, r, &r->diag) == -1 || r->failed;
	r->partly = r->partly || partly == 1;
	if (!r->failed)
		read_firsts(r, s);
	eventstore_close(s);
}

/* ---- when it was published and live ---- */

static int
by_rule(const void *a, const void *b)
{
	const struct fired *x = a, *y = b;

	return strcmp(x->rule, y->rule);
}

struct publication {
	struct report	*r;
	struct buf	 id;
};

/* What a rule says itself; that of an alert has the day of its import there. */
static int
take_published(void *arg, const struct rule *rule, unsigned layer, uint32_t ref)
{
	struct publication *p = arg;
	struct fired key = { .n = 0 }, *f;

	(void)layer;
	(void)ref;
	if (rule->published == 0)
		return 0;
	buf_reset(&p->id);
	rule_id_format(rule, &p->id);
	key.rule = p->id.p;
	f = p->id.failed || p->r->n == 0 ? NULL : bsearch(&key, p->r->v, p->r->n, sizeof(key), by_rule);
	if (f != NULL && *f->alert == '\0' && f->lead.published == 0)
		f->lead.published = rule->published;
	return 0;
}

/* As the console tells it: what was noted when the alert went live, else what is known of it, and what the kept generations say. */
static void
measure(const struct report *r, struct slice log, struct fired *f)
{
	struct slice id = slice_str(f->alert);
	int64_t first_hit = f->lead.first_hit;
	bool noted = id.len > 0 && lead_find(log, id, &f->lead);
	struct alert *alert;

	f->live_known = true;
	if (!noted && id.len > 0 && alert_id_ok(id)) {
		alert = alert_load(r->call->state, id);
		lead_measure(r->call->state, id, alert, &f->lead);
		alert_free(alert);
	}
	if (!noted)
		f->lead.live = overview_live_since(r->call->state, slice_str(f->source), &f->live_known);
	f->lead.first_hit = first_hit;
}

static void
measure_all(struct report *r)
{
	struct publication p = { .r = r };
	struct generation *g;
	bool damaged = false;
	struct buf log;

	lead_log(r->call->state, &log, &r->diag);
	for (size_t i = 0; i < r->n; i++)
		measure(r, buf_slice(&log), &r->v[i]);
	buf_fini(&log);
	if (r->n == 0 || (g = overview_generation(r->call->state, false, &r->diag)) == NULL)
		return;
	buf_init(&p.id, LINE_MOST);
	generation_each(g, take_published, &p, &damaged);
	buf_fini(&p.id);
	generation_close(g);
}

/* ---- ClamAV ---- */

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

/* The file of F that ClamAV knew first; else the first that it was asked about; NULL: none. */
static const struct clamav_file *
best_of(const struct report *r, const struct fired *f)
{
	const struct clamav_file *best = NULL;

	for (size_t i = 0; i < r->n_files; i++)
		for (size_t k = 0; k < f->n_files; k++) {
			const struct clamav_file *file = &r->files[i];

			if (!digest_eq(&file->digest, &f->files[k].digest) || file->checked == 0)
				continue;
			if (best == NULL || (file->known != 0 && (best->known == 0 || file->known < best->known)))
				best = file;
		}
	return best;
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
	if (clamav_remember(r->call, r->files, r->n_files, r->asked, clock_ms() / MS) == -1)
		r->partly = true;
	diag_fini(&diag);
}

/* ---- what is shown ---- */

static void
print_moment(const char *label, int64_t at, const char *missing)
{
	char date[CLOCK_TEXT];

	if (at != 0)
		clock_format_s(at, date);
	printf("  %-10s %s", label, at != 0 ? date : missing);
}

static void
print_since(int64_t at, int64_t before, const char *what)
{
	char span[CLOCK_SPAN];

	if (at == 0 || before == 0)
		return;
	clock_format_span(at < before ? before - at : at - before, span);
	printf(", %s %s %s", span, at < before ? "before it was" : "after it was", what);
}

static void
print_clamav(const struct report *r, const struct fired *f)
{
	const struct clamav_file *file = best_of(r, f);

	if (!f->is_file)
		return;
	if (file == NULL) {
		puts("  ClamAV     not asked");
		return;
	}
	if (file->known == 0) {
		print_moment("ClamAV", file->unknown, "");
		puts(": not known");
		return;
	}
	print_moment("ClamAV", file->known, "");
	printf(": %s as ", file->unknown != 0 ? "known" : "known already when it was first asked");
	show_text(stdout, slice_str(file->name));
	print_since(file->known, f->lead.live, "live here");
	if (file->gone != 0)
		fputs("; no longer", stdout);
	putchar('\n');
}

static void
print_fired(const struct report *r, const struct fired *f)
{
	show_text(stdout, slice_str(f->rule));
	if (*f->alert != '\0') {
		fputs("  alert ", stdout);
		show_text(stdout, slice_str(f->alert));
	}
	putchar('\n');
	print_moment("published", f->lead.published, "not known");
	putchar('\n');
	print_moment("live", f->lead.live, "not any more, or not known");
	fputs(f->lead.live != 0 && !f->live_known ? ", or earlier" : "", stdout);
	print_since(f->lead.live, f->lead.published, "published");
	putchar('\n');
	print_moment("first hit", f->lead.first_hit, "none");
	print_since(f->lead.first_hit, f->lead.live, "live");
	printf("; %" PRIu64 " event%s, %" PRIu64 " client%s\n", f->n, show_s(f->n), f->clients, show_s(f->clients));
	print_clamav(r, f);
}

static json_t *
json_clamav(const struct clamav_file *file)
{
	char hex[DIGEST_MAX_HEX + 1];
	json_t *j = json_object();

	digest_format(&file->digest, hex);
	json_object_set_new(j, digest_alg_name(file->digest.alg), json_string(hex));
	if (file->known != 0)
		json_object_set_new(j, "name", show_json_text(slice_str(file->name)));
	show_json_date(j, "checked", file->checked);
	show_json_date(j, "unknown", file->unknown);
	show_json_date(j, "known", file->known);
	show_json_date(j, "gone", file->gone);
	return j;
}

static json_t *
json_fired(const struct report *r, const struct fired *f)
{
	const struct clamav_file *file = best_of(r, f);
	json_t *j = json_object();

	json_object_set_new(j, "rule", show_json_text(slice_str(f->rule)));
	json_object_set_new(j, "source", show_json_text(slice_str(f->source)));
	if (*f->alert != '\0')
		json_object_set_new(j, "alert", show_json_text(slice_str(f->alert)));
	show_json_date(j, "published", f->lead.published);
	show_json_date(j, "imported", f->lead.imported);
	show_json_date(j, "live", f->lead.live);
	if (f->lead.live != 0 && !f->live_known)
		json_object_set_new(j, "or_earlier", json_true());
	show_json_date(j, "first_hit", f->lead.first_hit);
	show_json_number(j, "events", f->n);
	show_json_number(j, "clients", f->clients);
	if (file != NULL)
		json_object_set_new(j, "clamav", json_clamav(file));
	return j;
}

static int
print_all(const struct report *r, bool json)
{
	json_t *all = json ? json_array() : NULL;

	for (size_t i = 0; i < r->n; i++)
		if (json)
			json_array_append_new(all, json_fired(r, &r->v[i]));
		else
			print_fired(r, &r->v[i]);
	if (json)
		return show_json(all, true);
	if (r->n == 0)
		puts("No rule has fired.");
	return 0;
}

/* ---- all of it ---- */

static void
report_fini(struct report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].rule);
		free(r->v[i].source);
		free(r->v[i].alert);
	}
	free(r->v);
	free(r->files);
	diag_fini(&r->diag);
}

/* Every rule has its texts, be they empty. */
static void
complete(struct report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct fired *f = &r->v[i];

		if (f->source == NULL)
			f->source = strdup("");
		if (f->alert == NULL)
			f->alert = strdup("");
		r->failed = r->failed || f->rule == NULL || f->source == NULL || f->alert == NULL;
	}
	if (r->n > 0)
		qsort(r->v, r->n, sizeof(*r->v), by_rule);
}

static int
report(struct report *r, const char *dir, bool json)
{
	read_events(r);
	if (!r->failed)
		complete(r);
	if (!r->failed) {
		measure_all(r);
		ask_clamav(r, dir);
	}
	if (r->failed && r->diag.n_errors == 0)
		return call_fail(r->call, "out of memory");
	return r->failed || print_all(r, json) == -1 ? EXIT_TROUBLE : r->partly ? EXIT_FOUND : EXIT_FINE;
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
	report_fini(&r);
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
