#include "command/update.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "feeds/feed_source.h"
#include "inspect/digester.h"
#include "ruleset/sources.h"

static struct digest
digest_of(struct slice text)
{
	struct digest d[DIGEST_ALGS] = { 0 };

	digests_of(text, DIGEST_BIT(DIGEST_SHA256), d);
	return d[0];
}

static int
set_source(struct update *u, struct update_source *s, struct feed_item *feed)
{
	char staged[STATE_PATH], before[STATE_PATH];

	s->feed = feed;
	s->pipe = -1;
	s->digest = digest_of(feed->settings);
	snprintf(staged, sizeof(staged), STATE_UPDATE "/.new.%s", feed->name);
	snprintf(before, sizeof(before), STATE_UPDATE "/.before.%s", feed->name);
	if (state_path(u->call->state, staged, s->staged) == 0 && state_path(u->call->state, before, s->before) == 0)
		return 0;
	diag_add(u->diag, DIAG_ERROR, u->call->state, 0, 0, "%s", strerror(errno));
	return -1;
}

/* ---- which are wanted ---- */

/* It is time, or its line in sources.conf is another than that of the last try. */
static bool
is_due(const struct update *u, const struct update_source *s)
{
	const struct feed_state *state = &s->feed->state;

	return feed_state_is_due(state, u->now) || !state->has_asked || !digest_eq(&state->asked, &s->digest);
}

/* Every name in ONLY is one. */
static int
check_names(struct update *u, const char *only)
{
	struct slice rest = slice_str(only), name;

	while (rest.len > 0) {
		slice_cut(rest, ',', &name, &rest);
		if (feed_list_find(&u->list, name) == NULL) {
			diag_add(u->diag, DIAG_ERROR, u->list.conf, 0, 0, "has no source \"%.*s\" with an origin", SLICE_ARGS(slice_head(name, 100)));
			return -1;
		}
	}
	return 0;
}

static int
choose(struct update *u, const char *only)
{
	struct slice rest = slice_str(only), name;

	if (check_names(u, only) == -1)
		return -1;
	for (size_t i = 0; i < u->n; i++)
		u->v[i].wanted = only == NULL && (u->force || is_due(u, &u->v[i]));
	while (rest.len > 0) {
		slice_cut(rest, ',', &name, &rest);
		for (size_t i = 0; i < u->n; i++)
			u->v[i].wanted = u->v[i].wanted || slice_eq(slice_str(u->v[i].feed->name), name);
	}
	return 0;
}

/* Another file of the same name would be the same source, and publish would refuse both. */
static void
find_rivals(struct update *u)
{
	struct source_list list = { 0 };
	struct diag unwanted = { 0 };
	char dir[STATE_PATH], why[FEED_WHY];

	if (state_path(u->call->state, STATE_SOURCES, dir) == 0)
		source_list_read(dir, u->list.conf, &feed_sources, slice_make(NULL, 0), u->now, &list, &unwanted);
	for (size_t i = 0; i < list.n; i++)
		for (size_t k = 0; k < u->n; k++)
			if (slice_eq(list.files[i].name, slice_str(u->v[k].feed->name)) && strcmp(list.files[i].path, u->v[k].feed->path) != 0) {
				snprintf(why, sizeof(why), "%.200s is the same source: remove it, or give one another name", list.files[i].path);
				u->v[k].result.outcome = UPDATE_FAILED;
				feed_state_text(u->v[k].result.why, FEED_WHY, slice_str(why));
			}
	source_list_free(&list);
	diag_fini(&unwanted);
}

/* What was left by a run that was killed: a list that is in place and was never known to be live. */
static void
find_left(struct update *u)
{
	struct digest d;

	for (size_t i = 0; i < u->n; i++) {
		struct update_source *s = &u->v[i];

		s->unproven = digest_of_file(s->feed->path, DIGEST_SHA256, &d) == 0 &&
		    !(s->feed->state.has_file && digest_eq(&s->feed->state.file, &d));
		s->was_unproven = s->unproven;
		if (!s->unproven && !u->dry_run)
			unlink(s->before);
	}
}

int
update_list(struct update *u)
{
	if (feed_list_read(u->call->state, &u->list, u->diag) == -1)
		return -1;
	if ((u->v = calloc(u->list.n + 1, sizeof(*u->v))) == NULL) {
		diag_error(u->diag, "out of memory");
		return -1;
	}
	for (; u->n < u->list.n; u->n++)
		if (set_source(u, &u->v[u->n], u->list.v[u->n]) == -1)
			return -1;
	if (choose(u, u->only) == -1)
		return -1;
	find_rivals(u);
	find_left(u);
	return 0;
}

void
update_free(struct update *u)
{
	feed_list_free(&u->list);
	free(u->v);
}
