#include "eventstore/retain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/audit.h"
#include "command/events.h"
#include "command/show.h"
#include "command/verb.h"
#include "eventstore/deed.h"
#include "ruleset/overview.h"

enum { FLAG_DRY, FLAG_EVENTS, FLAG_TARGETS, FLAG_JSON, FLAGS };
enum { MS = 1000, SETTLE_MS = 2000, MESSAGE_MAX = 1024 };

/* One log, and what came of it. */
struct work {
	const struct call	*call;
	const char		*path;
	struct retain_limits	 limits;
	struct retain_sum	 sum;
	json_t			*files;		/* NULL: text */
};

struct asked {
	const struct call	*call;
	bool			 dry;
	int64_t			 now_ms;
	const char		*events, *targets;
	char			 paths[2][STATE_PATH];
	json_t			*all;		/* NULL: text */
	struct diag		 diag;
};

/* ---- telling ---- */

static void
show_file(void *arg, const struct retain_file *file)
{
	struct work *w = arg;
	json_t *j;

	if (w->files == NULL && file->removed > 0) {
		fputs("  ", stdout);
		show_text(stdout, slice_str(file->name));
		printf(": %" PRId64 " of %" PRId64 " line%s%s\n", file->removed, file->lines, show_s((uint64_t)file->lines),
		    file->gone ? ", and the file with them" : "");
	} else if (w->files != NULL) {
		j = json_pack("{s:I, s:I, s:I, s:I, s:b}", "lines", (json_int_t)file->lines, "removed", (json_int_t)file->removed, "bytes",
		    (json_int_t)file->size, "bytes_after", (json_int_t)file->size_after, "gone", file->gone);
		json_object_set_new(j, "file", show_json_text(slice_str(file->name)));
		json_array_append_new(w->files, j);
	}
}

static void
show_sum(const struct work *w, json_t *all)
{
	const struct retain_sum *s = &w->sum;
	char before[CLOCK_TEXT] = "";
	json_t *j;

	if (s->before_ms != 0)
		clock_format_s(s->before_ms / MS, before);
	if (all == NULL) {
		printf("%s: %s %" PRId64 " of %" PRId64 " lines%s%s, %" PRId64 " of %" PRId64 " bytes stay\n", w->path,
		    w->limits.dry ? "would remove" : "removed", s->removed, s->lines, s->before_ms != 0 ? ", those before " : "", before,
		    s->bytes_after, s->bytes);
		return;
	}
	j = json_pack("{s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:b, s:O}", "files_read", (json_int_t)s->files, "lines", (json_int_t)s->lines,
	    "removed", (json_int_t)s->removed, "bytes", (json_int_t)s->bytes, "bytes_after", (json_int_t)s->bytes_after, "dry_run",
	    w->limits.dry, "too_large", s->too_large, "partly", s->partly, "files", w->files);
	json_object_set_new(j, "log", show_json_text(slice_str(w->path)));
	json_object_set_new(j, "before", s->before_ms != 0 ? json_string(before) : json_null());
	json_array_append_new(all, j);
}

/* ---- the record ---- */

/* That lines were removed is an event, and a line of the trail. */
static int
record(const struct asked *a, const struct work *w)
{
	char by[AUDIT_PERSON], id[INCIDENT_LEN + 1], before[CLOCK_TEXT], text[MESSAGE_MAX];
	const char *name = strrchr(w->path, '/');
	struct deed d = { .action = EVENT_REMOVED, .reason = "retention", .message = text, .by = slice_str(by),
		.about = slice_str(name == NULL ? w->path : name + 1) };
	struct buf line;
	int r;

	audit_person(a->call, by);
	clock_format_s(w->sum.before_ms / MS, before);
	snprintf(text, sizeof(text), "%s removed %" PRId64 " lines before %s", by, w->sum.removed, before);
	if (deed_write(a->events, clock_ms(), &d, id) == -1)
		return call_fail(a->call, "lines are removed, but that could not be recorded in %s: %s", a->events, strerror(errno)), -1;
	buf_init(&line, 4 * MESSAGE_MAX);
	audit_begin(&line, a->now_ms);
	buf_addf(&line, " by=%s event=%s removed=%" PRId64 " before=%s log=", by, id, w->sum.removed, before);
	buf_add_utf8(&line, slice_str(w->path));
	r = audit_write(a->call, "retention.log", &line, "lines are removed");
	buf_fini(&line);
	return r;
}

/* ---- doing ---- */

/* The index is right when nothing of what went is left in it. */
static int
update_index(const struct asked *a)
{
	bool partial = false;
	struct eventstore *s = events_open(a->call, a->events, &partial);

	eventstore_close(s);
	return s == NULL || partial ? EXIT_FOUND : EXIT_FINE;
}

static int
treat(struct asked *a, const char *path, int64_t age_s, int64_t size, int64_t least_s)
{
	struct work w = { .call = a->call, .path = path, .limits = { .now_ms = a->now_ms, .age_s = age_s, .size = size,
		.least_s = least_s, .settle_ms = SETTLE_MS, .dry = a->dry } };
	int status = EXIT_FINE;

	if (age_s == 0 && size == 0)
		return EXIT_FINE;
	w.files = a->all != NULL ? json_array() : NULL;
	if (retain_log(path, &w.limits, show_file, &w, &w.sum, &a->diag) == -1)
		status = EXIT_TROUBLE;
	else {
		show_sum(&w, a->all);
		if (w.sum.removed > 0 && !a->dry && record(a, &w) == -1)
			status = EXIT_FOUND;
		if (w.sum.too_large)
			fprintf(stderr, "firebreak retain: %s takes more than is allowed, as what is left is younger than KeepLeast\n", path);
		if (w.sum.too_large || w.sum.partly)
			status = EXIT_FOUND;
	}
	json_decref(w.files);
	return status;
}

static int
treat_both(struct asked *a, const struct site *site)
{
	int events, targets, index = EXIT_FINE;

	if (site->keep_events == 0 && site->keep_events_size == 0 && site->keep_targets == 0 && site->keep_targets_size == 0) {
		if (a->all == NULL)
			puts("nothing is removed: KeepEvents, KeepEventsSize, KeepTargets and KeepTargetsSize are 0 in the generation that is "
			    "live; what was changed in site.conf counts from the next publish on");
		return EXIT_FINE;
	}
	events = treat(a, a->events, site->keep_events, site->keep_events_size, site->keep_least);
	targets = treat(a, a->targets, site->keep_targets, site->keep_targets_size, site->keep_least);
	if (!a->dry && events != EXIT_TROUBLE && (site->keep_events != 0 || site->keep_events_size != 0))
		index = update_index(a);
	events = events > index ? events : index;
	return events > targets ? events : targets;
}

static int
perform(struct asked *a, const char *const *values)
{
	const struct call *c = a->call;
	struct generation *g;
	int status = EXIT_TROUBLE;

	if (call_need_state(c) == -1 || call_become_owner(c) == -1 || call_path(c, STATE_EVENTS, a->paths[0]) == -1 ||
	    call_path(c, STATE_TARGETS, a->paths[1]) == -1)
		return EXIT_TROUBLE;
	a->events = values[FLAG_EVENTS] != NULL ? values[FLAG_EVENTS] : a->paths[0];
	a->targets = values[FLAG_TARGETS] != NULL ? values[FLAG_TARGETS] : a->paths[1];
	if ((g = overview_generation(c->state, false, &a->diag)) != NULL)
		status = treat_both(a, generation_site(g));
	generation_close(g);
	if (a->all != NULL && g != NULL && show_json(json_incref(a->all), true) == -1)
		status = EXIT_TROUBLE;
	return status;
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "dry-run", "events=", "targets=", "json" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct asked a = { .call = c, .now_ms = clock_ms() };
	int status;

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc > 0)
		return call_misused(c, "no operands");
	a.dry = values[FLAG_DRY] != NULL;
	a.all = values[FLAG_JSON] != NULL ? json_array() : NULL;
	status = perform(&a, values);
	diag_print(&a.diag, stderr);
	diag_fini(&a.diag);
	json_decref(a.all);
	return status;
}

const struct verb verb_retain = {
	.name = "retain",
	.run = run,
	.operands = "[--dry-run] [--json] [--events FILE] [--targets FILE]",
	.summary = "Remove events that are older than KeepEvents, and what has no room.",
	.help =
	    "  --dry-run     say what would be removed\n"
	    "  --events FILE the event log, with what rotation made of it; else events.jsonl in the\n"
	    "                state folder\n"
	    "  --targets FILE   the same for targets.jsonl\n"
	    "  --json        print an array with an object for each log\n",
};
