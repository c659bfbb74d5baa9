#include "command/update.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "feeds/feed_source.h"
#include "inspect/digester.h"
#include "ruleset/sources.h"

enum { CONF_MAX = 1 << 20 };

void
update_say(struct update *u, const struct update_source *s, const char *why)
{
	diag_add(u->diag, DIAG_ERROR, u->conf, s->line, 0, "%s: %s", s->name, why);
}

static int
no_memory(struct update *u)
{
	diag_error(u->diag, "out of memory");
	return -1;
}

/* ---- one line ---- */

static struct digest
digest_of(struct slice text)
{
	struct digest d[DIGEST_ALGS] = { 0 };

	digests_of(text, DIGEST_BIT(DIGEST_SHA256), d);
	return d[0];
}

static int
make_paths(struct update *u, struct update_source *s)
{
	char file[STATE_PATH], staged[STATE_PATH], before[STATE_PATH];

	snprintf(file, sizeof(file), STATE_SOURCES "/%s" FEED_FILE_END, s->name);
	snprintf(staged, sizeof(staged), STATE_UPDATE "/.new.%s", s->name);
	snprintf(before, sizeof(before), STATE_UPDATE "/.before.%s", s->name);
	if (state_path(u->call->state, file, s->path) == 0 && state_path(u->call->state, staged, s->staged) == 0 &&
	    state_path(u->call->state, before, s->before) == 0)
		return 0;
	diag_add(u->diag, DIAG_ERROR, u->call->state, 0, 0, "%s", strerror(errno));
	return -1;
}

static bool
has_source(const struct update *u, struct slice name)
{
	for (size_t i = 0; i < u->n; i++)
		if (slice_eq(slice_str(u->v[i]->name), name))
			return true;
	return false;
}

static int
name_source(struct update *u, struct update_source *s, struct slice name)
{
	const char *wrong = NULL;

	if (!source_name_ok(name) || name.p[0] == '.')
		wrong = "the source's name must be up to 64 letters, digits, '-', '_' and '.', and not begin with a dot";
	else if (has_source(u, name))
		wrong = "a source stands here twice";
	if (wrong != NULL)
		diag_add(u->diag, DIAG_ERROR, u->conf, s->line, 1, "%s: \"%.*s\"", wrong, SLICE_ARGS(slice_head(name, 100)));
	else
		snprintf(s->name, sizeof(s->name), "%.*s", SLICE_ARGS(name));
	return wrong == NULL ? 0 : -1;
}

static void
free_source(struct update_source *s)
{
	feed_settings_fini(&s->read);
	free(s);
}

/* Take WHOLE, line NUMBER, in when it has an origin.  -1 with errors. */
static int
read_line(struct update *u, struct slice whole, unsigned number)
{
	struct slice line = slice_trim(whole);
	struct update_source *s;
	size_t end = 0;
	int r;

	while (end < line.len && !ascii_is_space(line.p[end]))
		end++;
	if (line.len == 0 || line.p[0] == '#')
		return 0;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return no_memory(u);
	s->settings = slice_trim(slice_skip(line, end));
	s->line = number;
	s->col = (unsigned)(s->settings.p - whole.p) + 1;
	s->pipe = -1;
	r = feed_settings_read(&s->read, u->conf, number, s->col, s->settings, u->diag);
	if (r == 0 && *s->read.origin.origin != '\0' && (r = name_source(u, s, slice_head(line, end))) == 0 &&
	    (r = make_paths(u, s)) == 0) {
		s->digest = digest_of(s->settings);
		feed_state_load(u->call->state, s->name, &s->state);
		u->v[u->n++] = s;
		return 0;
	}
	free_source(s);
	return r;
}

static int
read_conf(struct update *u)
{
	struct slice rest, line;
	size_t lines = 1;
	int r = 0;

	if (file_read(u->conf, &u->text) == -1 && errno != ENOENT) {
		diag_add(u->diag, DIAG_ERROR, u->conf, 0, 0, "%s", strerror(errno));
		return -1;
	}
	rest = buf_slice(&u->text);
	for (size_t i = 0; i < rest.len; i++)
		lines += rest.p[i] == '\n';
	if ((u->v = calloc(lines, sizeof(*u->v))) == NULL)
		return no_memory(u);
	for (unsigned number = 1; rest.len > 0; number++) {
		slice_cut(rest, '\n', &line, &rest);
		if (read_line(u, line, number) == -1)
			r = -1;
	}
	return r;
}

/* ---- which are wanted ---- */

static int
choose(struct update *u, const char *only)
{
	struct slice rest = slice_str(only), name;

	for (size_t i = 0; i < u->n; i++)
		u->v[i]->wanted = only == NULL && (u->force || feed_state_is_due(&u->v[i]->state, u->now) || 
		    !u->v[i]->state.has_asked || !digest_eq(&u->v[i]->state.asked, &u->v[i]->digest));
	while (rest.len > 0) {
		slice_cut(rest, ',', &name, &rest);
		if (!has_source(u, name)) {
			diag_add(u->diag, DIAG_ERROR, u->conf, 0, 0, "has no source \"%.*s\" with an origin", SLICE_ARGS(slice_head(name, 100)));
			return -1;
		}
		for (size_t i = 0; i < u->n; i++)
			u->v[i]->wanted = u->v[i]->wanted || slice_eq(slice_str(u->v[i]->name), name);
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
		source_list_read(dir, u->conf, &feed_sources, slice_make(NULL, 0), u->now, &list, &unwanted);
	for (size_t i = 0; i < list.n; i++)
		for (size_t k = 0; k < u->n; k++)
			if (slice_eq(list.files[i].name, slice_str(u->v[k]->name)) && strcmp(list.files[i].path, u->v[k]->path) != 0) {
				snprintf(why, sizeof(why), "%.200s is the same source: remove it, or give one another name", list.files[i].path);
				u->v[k]->result.outcome = UPDATE_FAILED;
				feed_state_text(u->v[k]->result.why, FEED_WHY, slice_str(why));
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
		struct update_source *s = u->v[i];

		s->in_place = s->was_in_place = update_digest(s->path, &d) == 0 && !(s->state.has_file && digest_eq(&s->state.file, &d));
		if (!s->in_place && !u->dry_run)
			unlink(s->before);
	}
}

int
update_list(struct update *u, const char *only)
{
	buf_init(&u->text, CONF_MAX);
	if (call_path(u->call, STATE_SETTINGS, u->conf) == -1 || read_conf(u) == -1 || choose(u, only) == -1)
		return -1;
	find_rivals(u);
	find_left(u);
	return 0;
}

void
update_free(struct update *u)
{
	for (size_t i = 0; i < u->n; i++)
		free_source(u->v[i]);
	free(u->v);
	buf_fini(&u->text);
}
