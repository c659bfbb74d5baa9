#include "command/lead_report.h"

#include <stdlib.h>
#include <string.h>

#include "ruleset/overview.h"
#include "setup/proof.h"

enum { MS = 1000, FIRED_MAX = 100000, LINE_MOST = 2 << 20 };

/* ---- the event log ---- */

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

/* ---- both ---- */

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

void
lead_read_fired(struct report *r)
{
	read_events(r);
	if (!r->failed)
		complete(r);
	if (!r->failed)
		measure_all(r);
}

void
lead_free_fired(struct report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].rule);
		free(r->v[i].source);
		free(r->v[i].alert);
	}
	free(r->v);
}
