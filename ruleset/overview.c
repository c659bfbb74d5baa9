#include "ruleset/overview.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ruleset/keep.h"
#include "runtime/state.h"

struct generation *
overview_generation(const char *state, bool verify, struct diag *diag)
{
	char dir[STATE_PATH];
	struct generation *g;
	size_t errors = diag->n_errors;

	if (state_path(state, STATE_RULES, dir) == -1) {
		diag_error(diag, "%s: %s", state, strerror(errno));
		return NULL;
	}
	g = generation_open(dir, verify, NULL, diag);
	if (g == NULL && diag->n_errors == errors)
		diag_error(diag, "%s: nothing has been published yet", dir);
	return g;
}

struct runtime *
overview_runtime(const char *state, struct diag *diag)
{
	char path[STATE_PATH];

	if (state_path(state, STATE_SHARED, path) == -1) {
		diag_error(diag, "%s: %s", state, strerror(errno));
		return NULL;
	}
	if (access(path, F_OK) == -1 && errno == ENOENT)
		return NULL;
	return runtime_open(state, diag);
}

void
overview_init(struct overview *o, const char *state, bool verify, int64_t now_ms, struct diag *diag)
{
	*o = (struct overview){ .g = overview_generation(state, verify, diag), .runtime = overview_runtime(state, diag),
		.now_ms = now_ms, .mode = MODE_ENFORCE };
	if (o->runtime == NULL)
		return;
	o->mode = runtime_mode(o->runtime, now_ms, &o->until_ms);
	o->n_workers = runtime_workers(o->runtime, o->workers, RUNTIME_WORKERS);
	if (o->n_workers > RUNTIME_WORKERS)
		o->n_workers = RUNTIME_WORKERS;
	for (size_t i = 0; i < o->n_workers; i++)
		o->n_behind += overview_is_behind(o, &o->workers[i]);
}

void
overview_fini(struct overview *o)
{
	generation_close(o->g);
	runtime_close(o->runtime);
	o->g = NULL;
	o->runtime = NULL;
}

bool
overview_is_behind(const struct overview *o, const struct worker *w)
{
	return w->generation != (o->g != NULL ? generation_number(o->g) : 0);
}

int64_t
overview_silence_ms(const struct overview *o, const struct worker *w)
{
	return o->now_ms > w->heartbeat_ms ? o->now_ms - w->heartbeat_ms : 0;
}

/* ---- since when ---- */

/* When the manifest at PATH was made, if SOURCE has rules in it; 0: it has none; -1: it cannot be read. */
static int64_t
made_with(const char *path, struct slice source)
{
	struct diag unwanted = { 0 };
	struct manifest m = { 0 };
	int64_t made = -1;

	if (manifest_load(path, &m, &unwanted) == 0)
		made = manifest_source(&m, source) != NULL ? m.created : 0;
	manifest_fini(&m);
	diag_fini(&unwanted);
	return made;
}

int64_t
overview_live_since(const char *state, struct slice source, bool *known)
{
	char path[STATE_PATH], dir[STATE_PATH], kept[STATE_PATH + DIGITS_MAX + 1];
	int64_t since, made = 0;
	uint64_t *list = NULL;
	int n = -1, i = 0;

	*known = false;
	if (state_path(state, STATE_MANIFEST, path) == -1 || state_path(state, STATE_RULES, dir) == -1 ||
	    (since = made_with(path, source)) <= 0)
		return 0;
	n = keep_list(dir, &list);
	for (; i < n; i++) {
		snprintf(kept, sizeof(kept), "%s.%" PRIu64, path, list[i]);
		if ((made = made_with(kept, source)) <= 0)
			break;
		since = made < since ? made : since;
	}
	/* Whatever is older than the oldest that is kept nobody knows, but the first of all generations. */
	*known = (i < n && made == 0) || (n > 0 && i == n && list[n - 1] == 1) || n == 0;
	free(list);
	return since;
}
