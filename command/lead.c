#include "command/lead.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "command/audit.h"
#include "eventstore/eventstore.h"
#include "ruleset/manifest.h"

#define FILE_NAME	"live.log"

enum { TEXT_MAX = 16 << 20, LINE_USUAL = 512, MS_PER_S = 1000 };

static const struct slice source_head = SLICE("alert-");

/* ---- the lines ---- */

/* All of the log, empty when there is none. */
static void
read_log(const struct call *c, struct buf *text)
{
	char file[STATE_PATH], path[STATE_PATH];

	buf_init(text, TEXT_MAX);
	if (state_path(STATE_LOG, FILE_NAME, file) == 0 && state_path(c->state, file, path) == 0 &&
	    file_read(path, text) == -1 && errno != ENOENT)
		call_fail(c, "%s: %s", path, strerror(errno));
}

/* LINE, which somebody may have edited, into L.  -1 when it has no alert or no date. */
static int
parse(struct slice line, struct lead *l)
{
	static const struct slice alert = SLICE("alert="), published = SLICE("published="), imported = SLICE("imported=");
	struct slice word;

	*l = (struct lead){ .live = 0 };
	slice_cut(line, ' ', &word, &line);
	if (clock_parse(word, &l->live) == -1)
		return -1;
	while (line.len > 0) {
		slice_cut(line, ' ', &word, &line);
		if (slice_starts(word, alert) && alert_id_ok(slice_skip(word, alert.len)))
			snprintf(l->alert, sizeof(l->alert), "%.*s", SLICE_ARGS(slice_skip(word, alert.len)));
		else if (slice_starts(word, published))
			clock_parse(slice_skip(word, published.len), &l->published);
		else if (slice_starts(word, imported))
			clock_parse(slice_skip(word, imported.len), &l->imported);
	}
	return *l->alert == '\0' ? -1 : 0;
}

/* Add L to the N of OUT, in place of the first when there are LEADS; two publishes at once may have noted one alert twice. */
static size_t
add(struct lead out[static LEADS], size_t n, const struct lead *l)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(out[i].alert, l->alert) == 0)
			return n;
	if (n == LEADS)
		memmove(out, out + 1, --n * sizeof(*out));
	out[n] = *l;
	return n + 1;
}

size_t
lead_read(const struct call *c, struct lead out[static LEADS])
{
	struct slice rest, line;
	struct lead l;
	struct buf text;
	size_t n = 0;

	read_log(c, &text);
	for (rest = buf_slice(&text); rest.len > 0;) {
		slice_cut(rest, '\n', &line, &rest);
		if (parse(line, &l) == 0)
			n = add(out, n, &l);
	}
	buf_fini(&text);
	return n;
}

/* ---- writing them ---- */

static bool
is_noted(struct slice log, struct slice id)
{
	struct slice line;
	struct lead l;

	while (log.len > 0) {
		slice_cut(log, '\n', &line, &log);
		if (parse(line, &l) == 0 && slice_eq(slice_str(l.alert), id))
			return true;
	}
	return false;
}

static void
add_moment(struct buf *line, const char *key, int64_t seconds)
{
	char date[CLOCK_TEXT];

	if (seconds <= 0)
		return;
	clock_format_s(seconds, date);
	buf_addf(line, " %s=%s", key, date);
}

/* When the record of alert ID was written; 0. */
static int64_t
import_of(const struct call *c, struct slice id)
{
	char file[STATE_PATH], path[STATE_PATH];
	struct stat st;

	snprintf(file, sizeof(file), STATE_ALERTS "/%.*s.json", SLICE_ARGS(id));
	return state_path(c->state, file, path) == 0 && stat(path, &st) == 0 ? (int64_t)st.st_mtim.tv_sec : 0;
}

static void
note(const struct call *c, struct slice id, uint64_t generation)
{
	struct alert *alert = alert_load(c->state, id);
	char space[LINE_USUAL];
	struct buf line;

	buf_init_in(&line, space, sizeof(space), TEXT_MAX);
	audit_begin(&line, clock_ms());
	buf_addf(&line, " alert=%.*s generation=%" PRIu64, SLICE_ARGS(id), generation);
	add_moment(&line, "published", alert == NULL ? 0 : alert->first_published);
	add_moment(&line, "imported", import_of(c, id));
	audit_write(c, FILE_NAME, &line, "the rules are live");
	buf_fini(&line);
	alert_free(alert);
}

void
lead_note(const struct call *c)
{
	char path[STATE_PATH];
	struct manifest m;
	struct buf log;

	if (state_path(c->state, STATE_MANIFEST, path) == 0 && manifest_load(path, &m, NULL) == 0) {
		read_log(c, &log);
		for (size_t i = 0; i < m.n_sources; i++) {
			struct slice name = slice_str(m.sources[i].name), id = slice_skip(name, source_head.len);

			if (m.sources[i].rules > 0 && slice_starts(name, source_head) && alert_id_ok(id) && !is_noted(buf_slice(&log), id))
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
lead_first_hits(const struct call *c, struct lead *v, size_t n)
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
