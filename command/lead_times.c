#include "command/lead_times.h"

#include <stdio.h>

#include "base/clock.h"
#include "command/audit.h"
#include "eventstore/eventstore.h"
#include "ruleset/manifest.h"

enum { LINE_MAX_BYTES = 4096, MS_PER_S = 1000 };

static const struct slice source_head = SLICE("alert-");

/* ---- the log ---- */

static void
read_log(const struct call *c, struct buf *log)
{
	struct diag diag = { 0 };

	lead_log(c->state, log, &diag);
	diag_print(&diag, stderr);
	diag_fini(&diag);
}

size_t
lead_times_newest(const struct call *c, struct lead out[static LEADS])
{
	struct buf log;
	size_t n;

	read_log(c, &log);
	n = lead_newest(buf_slice(&log), out);
	buf_fini(&log);
	return n;
}

static void
note(const struct call *c, struct slice id, uint64_t generation)
{
	struct alert *alert = alert_load(c->state, id);
	struct lead l;
	struct buf line;

	buf_init(&line, LINE_MAX_BYTES);
	audit_begin(&line, clock_ms());
	lead_measure(c->state, id, alert, &l);
	lead_format(&l, generation, &line);
	audit_write(c, LEAD_LOG, &line, "the rules are live");
	buf_fini(&line);
	alert_free(alert);
}

void
lead_times_note(const struct call *c)
{
	char path[STATE_PATH];
	struct manifest m = { 0 };
	struct lead found;
	struct buf log;

	if (state_path(c->state, STATE_MANIFEST, path) == 0 && manifest_load(path, &m, NULL) == 0) {
		read_log(c, &log);
		for (size_t i = 0; i < m.n_sources; i++) {
			struct slice name = slice_str(m.sources[i].name), id = slice_skip(name, source_head.len);

			if (m.sources[i].rules > 0 && slice_starts(name, source_head) && alert_id_ok(id) &&
			    !lead_find(buf_slice(&log), id, &found))
				note(c, id, m.generation);
		}
		buf_fini(&log);
	}
	manifest_fini(&m);
}

/* ---- the first event ---- */

static int
take_first(void *arg, const struct event_row *row)
{
	struct lead *l = arg;

	l->first_hit = row->ms / MS_PER_S;
	return 1;
}

void
lead_times_first_hits(const struct call *c, struct lead *v, size_t n)
{
	struct diag unwanted = { 0 };
	struct eventstore *s = NULL;
	char path[STATE_PATH];

	/* What is wrong with the log "firebreak events" says; this is called every minute. */
	if (n > 0 && state_path(c->state, STATE_EVENTS, path) == 0)
		s = eventstore_open(path, &unwanted);
	if (s != NULL && eventstore_update(s, &unwanted) != -1)
		for (size_t i = 0; i < n; i++) {
			struct event_query q = { .exact = true, .words[EVENT_WORD_ALERT] = slice_str(v[i].alert) };

			eventstore_search(s, &q, take_first, &v[i], &unwanted);
		}
	eventstore_close(s);
	diag_fini(&unwanted);
}
