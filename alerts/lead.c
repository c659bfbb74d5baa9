#include "alerts/lead.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "alerts/alert_version.h"
#include "base/clock.h"
#include "base/file.h"

enum { LOG_MAX = 16 << 20 };

/* ---- the lines ---- */

int
lead_log(const char *state, struct buf *text, struct diag *diag)
{
	char path[STATE_PATH];

	buf_init(text, LOG_MAX);
	if (state_path(state, STATE_LOG "/" LEAD_LOG, path) == -1 || (file_read(path, text) == -1 && errno != ENOENT)) {
		diag_error(diag, "%s/" STATE_LOG "/" LEAD_LOG ": %s", state, strerror(errno));
		return -1;
	}
	return 0;
}

/* LINE into L.  -1 when it has no alert or no date. */
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
lead_newest(struct slice log, struct lead out[static LEADS])
{
	struct slice line;
	struct lead l;
	size_t n = 0;

	while (log.len > 0) {
		slice_cut(log, '\n', &line, &log);
		if (parse(line, &l) == 0)
			n = add(out, n, &l);
	}
	return n;
}

bool
lead_find(struct slice log, struct slice id, struct lead *out)
{
	struct slice line;

	while (log.len > 0) {
		slice_cut(log, '\n', &line, &log);
		if (parse(line, out) == 0 && slice_eq(slice_str(out->alert), id))
			return true;
	}
	return false;
}

void
lead_format(const struct lead *l, uint64_t generation, struct buf *line)
{
	const struct { const char *key; int64_t at; } moments[] = { { "published", l->published }, { "imported", l->imported } };
	char date[CLOCK_TEXT];

	buf_addf(line, " alert=%s generation=%" PRIu64, l->alert, generation);
	for (size_t i = 0; i < sizeof(moments) / sizeof(*moments); i++)
		if (moments[i].at > 0) {
			clock_format_s(moments[i].at, date);
			buf_addf(line, " %s=%s", moments[i].key, date);
		}
}

/* ---- what there is to measure ---- */

/* "STATE/alerts/ID" with ENDING into OUT. */
static int
path_of(const char *state, struct slice id, const char *ending, char out[static STATE_PATH])
{
	char file[STATE_PATH];

	snprintf(file, sizeof(file), STATE_ALERTS "/%.*s%s", SLICE_ARGS(id), ending);
	return state_path(state, file, out);
}

static int64_t
first_import(const char *state, struct slice id)
{
	struct diag unwanted = { 0 };
	char path[STATE_PATH];
	struct stat st;
	const char *date;
	json_t *versions;
	int64_t at = 0;

	if (path_of(state, id, ".versions", path) == 0) {
		versions = alert_versions_load(path, &unwanted);
		date = json_string_value(json_object_get(json_array_get(versions, 0), "date"));
		if (date == NULL || clock_parse(slice_str(date), &at) == -1)
			at = 0;
		json_decref(versions);
	}
	diag_fini(&unwanted);
	if (at == 0 && path_of(state, id, ".json", path) == 0 && stat(path, &st) == 0)
		at = st.st_mtim.tv_sec;
	return at;
}

void
lead_measure(const char *state, struct slice id, const struct alert *alert, struct lead *out)
{
	*out = (struct lead){ .imported = first_import(state, id) };
	snprintf(out->alert, sizeof(out->alert), "%.*s", SLICE_ARGS(id));
	if (alert != NULL)
		out->published = alert->first_published != 0 ? alert->first_published : alert->last_published;
}
