#include "command/update.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "command/show.h"
#include "command/site_now.h"
#include "command/verb.h"
#include "feeds/feed_source.h"
#include "inspect/digester.h"
#include "ruleset/held.h"
#include "ruleset/lint.h"

/* ---- places ---- */

/* A rename lasts when both folders are flushed; once for all of them. */
static int
sync_places(const struct update *u)
{
	static const char *const dirs[] = { STATE_UPDATE, STATE_SOURCES };
	char path[STATE_PATH];

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		if (state_path(u->call->state, dirs[i], path) == -1 || file_sync_dir(path) == -1)
			return -1;
	return 0;
}

/* The staged list of S takes its place.  The old one keeps the name that the last good one has, if none has it: of a run that was
 * killed it is the list that was never known to be live that stands in sources/. */
static int
put_in_place(const struct update_source *s)
{
	if (!s->unproven && link(s->feed->path, s->before) == -1 && errno != ENOENT && errno != EEXIST)
		return -1;
	return rename(s->staged, s->feed->path);
}

/* The new list of S goes back beside its place, and the old one takes it; there may have been none. */
static int
put_back(struct update_source *s)
{
	unlink(s->staged);
	if (link(s->feed->path, s->staged) == -1)
		return -1;
	if (rename(s->before, s->feed->path) == -1 && (errno != ENOENT || unlink(s->feed->path) == -1))
		return -1;
	s->unproven = false;
	return 0;
}

/* Do MOVE to each source under the publishers' lock, to the first that fails, and flush the folders. */
static int
move_all(struct update *u, int (*move)(struct update_source *s, const void *arg), const void *arg)
{
	int lock = state_lock(u->call->state), r = lock == -1 ? -1 : 0;

	for (size_t i = 0; i < u->n && r == 0; i++)
		r = move(&u->v[i], arg);
	if (r == 0)
		r = sync_places(u);
	if (r == -1)
		diag_add(u->diag, DIAG_ERROR, u->call->state, 0, 0, "%s", strerror(errno));
	if (lock != -1)
		close(lock);
	return r;
}

static int
put_if_new(struct update_source *s, const void *arg)
{
	int r;

	(void)arg;
	if (s->result.outcome != UPDATE_NEW)
		return 0;
	r = put_in_place(s);
	s->unproven = s->was_unproven = s->unproven || r == 0;
	return r;
}

/* All new lists into their places. */
static int
put_all(struct update *u)
{
	return move_all(u, put_if_new, NULL);
}

/* Whose lists go back; NULL: everybody's. */
struct choice {
	bool	(*which)(const struct update_source *s);
};

static int
put_back_if(struct update_source *s, const void *arg)
{
	const struct choice *choice = arg;

	return s->unproven && (choice->which == NULL || choice->which(s)) ? put_back(s) : 0;
}

/* The old lists of all that WHICH is true of, or of all. */
static int
put_back_all(struct update *u, bool (*which)(const struct update_source *s))
{
	return move_all(u, put_back_if, &(struct choice){ which });
}

/* ---- age ---- */

/* How long hosts last when sources.conf does not say. */
static int64_t
host_life(const struct call *c)
{
	struct site site;
	int64_t life;

	site_now(c, &site);
	life = site.host_life;
	option_fini(site_options, site_options_n, &site);
	return life;
}

/* Rules end some time after their list was written.  One that the origin says is still it is written anew, by its date alone, when
 * half of that time has passed: true when that was done.  Another's file takes the clock's date alone. */
static bool
renew(const struct update *u, const struct update_source *s, int64_t site_life)
{
	const struct timespec now[2] = { { .tv_sec = (time_t)u->now }, { .tv_sec = (time_t)u->now } };
	int64_t life = s->feed->read.has_life ? s->feed->read.life : site_life;
	struct stat st;

	return s->result.outcome == UPDATE_SAME && life != 0 && stat(s->feed->path, &st) == 0 && u->now - st.st_mtim.tv_sec > life / 2 &&
	    (utimensat(AT_FDCWD, s->feed->path, now, 0) == 0 || utimensat(AT_FDCWD, s->feed->path, NULL, 0) == 0);
}

/* Its line in sources.conf says something else of the same list. */
static bool
has_other_line(const struct update_source *s)
{
	return s->result.outcome == UPDATE_SAME && !(s->feed->state.has_line && digest_eq(&s->feed->state.line, &s->digest));
}

/* ---- publishing ---- */

/* Publish as "firebreak publish" does.  Findings go to DIAG. */
static int
publish_once(struct update *u, struct diag *diag)
{
	struct live_request rq = live_request(u->call);

	rq.quiet = true;
	rq.diag = diag;
	rq.report = &u->report;
	rq.confirmation = &u->confirmation;
	return live_run(u->call, &rq);
}

/* The error that names the file of S, or its line; NULL. */
static const struct diag_entry *
error_of(const struct update *u, const struct update_source *s, const struct diag *diag)
{
	for (size_t i = 0; i < diag->n; i++)
		if (diag->v[i].level == DIAG_ERROR && diag->v[i].file != NULL && (strcmp(diag->v[i].file, s->feed->path) == 0 ||
		    (strcmp(diag->v[i].file, u->list.conf) == 0 && diag->v[i].line == s->feed->line)))
			return &diag->v[i];
	return NULL;
}

static void
refuse(struct update_source *s, const char *why)
{
	char text[FEED_WHY];

	snprintf(text, sizeof(text), "cannot be published, and the list of before stays: %.300s", why);
	s->result.outcome = UPDATE_REFUSED;
	feed_state_text(s->result.why, sizeof(s->result.why), slice_str(text));
}

static bool
is_refused(const struct update_source *s)
{
	return s->result.outcome == UPDATE_REFUSED;
}

/* Put back those that DIAG has an error about: how many; -1. */
static int
put_back_named(struct update *u, const struct diag *diag)
{
	int n = 0;

	for (size_t i = 0; i < u->n; i++) {
		const struct diag_entry *e = u->v[i].unproven ? error_of(u, &u->v[i], diag) : NULL;

		if (e != NULL) {
			refuse(&u->v[i], e->text);
			n++;
		}
	}
	return n > 0 && put_back_all(u, is_refused) == -1 ? -1 : n;
}

/* The list of S, which was put back, takes its place again, alone of those that still wait, and is published: it is refused when
 * that fails.  As update_publish(), into *STATUS, where it was not refused.  -1 when it can be moved no more. */
static int
publish_with(struct update *u, struct update_source *s, struct diag *diag, int *status)
{
	int last;

	diag_fini(diag);
	if (put_in_place(s) == -1)
		return -1;
	s->unproven = true;
	if ((last = publish_once(u, diag)) != EXIT_TROUBLE) {
		*status = last;
		return 0;
	}
	refuse(s, diag_first_error(diag));
	diag_fini(diag);
	return put_back(s);
}

/* No error says which list it is about: publish without all of them, then with one more after the other.  As update_publish(). */
static int
publish_singly(struct update *u, struct diag *diag)
{
	bool *new = calloc(u->n + 1, sizeof(*new));
	int status = EXIT_TROUBLE;

	for (size_t i = 0; new != NULL && i < u->n; i++)
		new[i] = u->v[i].unproven;
	if (new != NULL && put_back_all(u, NULL) == 0)
		status = publish_once(u, diag);
	for (size_t i = 0; status != EXIT_TROUBLE && i < u->n; i++)
		if (new[i] && publish_with(u, &u->v[i], diag, &status) == -1)
			status = EXIT_TROUBLE;
	free(new);
	return status;
}

static size_t
count_unproven(const struct update *u)
{
	size_t n = 0;

	for (size_t i = 0; i < u->n; i++)
		n += u->v[i].unproven;
	return n;
}

int
update_publish(struct update *u)
{
	struct diag diag = { 0 };
	int status, n;

	while ((status = publish_once(u, &diag)) == EXIT_TROUBLE && (n = put_back_named(u, &diag)) > 0)
		diag_fini(&diag);
	if (status == EXIT_TROUBLE && n == 0 && count_unproven(u) > 0)
		status = publish_singly(u, &diag);
	diag_append(u->diag, &diag);
	return status;
}

/* ---- what is remembered ---- */

/* What STATE/held says of S; NULL. */
static const struct held *
held_of(const struct held_list *held, const struct update_source *s)
{
	for (size_t i = 0; i < held->n; i++)
		if (slice_eq(held->v[i].source, slice_str(s->feed->name)) && (slice_starts(held->v[i].rule, SLICE("replace list ")) ||
		    slice_eq(held->v[i].class, slice_str(lint_class_name(LINT_BUDGET)))))
			return &held->v[i];
	return NULL;
}

static void
find_held(struct update *u)
{
	struct held_list held = { 0 };
	struct diag unwanted = { 0 };

	held_load(HELD_RULES, u->call->state, &held, &unwanted);
	for (size_t i = 0; i < u->n; i++) {
		const struct held *h = u->v[i].result.outcome == UPDATE_NEW ? held_of(&held, &u->v[i]) : NULL;

		if (h == NULL)
			continue;
		u->v[i].result.outcome = UPDATE_HELD;
		snprintf(u->v[i].result.why, FEED_WHY, "held until somebody decides: \"firebreak held\" has it, and \"firebreak approve %.*s\"",
		    SLICE_ARGS(h->id));
	}
	held_fini(&held);
	diag_fini(&unwanted);
}

/* What came is what is remembered from now on. */
static void
note_good(struct update *u, struct update_source *s)
{
	const struct update_result *r = &s->result;
	struct feed_state *state = &s->feed->state;

	feed_state_good(state, u->now, s->feed->read.origin.every);
	state->has_line = state->has_file = true;
	state->line = s->digest;
	state->file = r->file;
	state->has_raw = (state->has_raw || r->has_raw) && !r->partly;
	if (r->partly) {
		state->etag[0] = state->modified[0] = '\0';
		return;
	}
	memcpy(state->etag, r->etag, sizeof(state->etag));
	memcpy(state->modified, r->modified, sizeof(state->modified));
	if (r->has_raw)
		state->raw = r->raw;
}

/* A "nothing new" may come without the validators that it is about. */
static void
keep_validators(struct update_source *s)
{
	if (s->result.has_raw)
		return;
	if (s->result.etag[0] == '\0')
		memcpy(s->result.etag, s->feed->state.etag, sizeof(s->result.etag));
	if (s->result.modified[0] == '\0')
		memcpy(s->result.modified, s->feed->state.modified, sizeof(s->result.modified));
}

/* The list of S in sources/ is live, and what is known of it is of another: the next answer will tell. */
static void
note_live(struct update_source *s)
{
	s->feed->state.has_file = digest_of_file(s->feed->path, DIGEST_SHA256, &s->feed->state.file) == 0;
	s->feed->state.has_line = s->feed->state.has_raw = false;
}

/* What became of S into what is remembered; false when that is nothing. */
static bool
note(struct update *u, struct update_source *s, bool published)
{
	bool live = s->unproven && published, failed = s->result.outcome == UPDATE_FAILED || s->result.outcome == UPDATE_REFUSED;

	if (s->wanted) {
		s->feed->state.has_asked = true;
		s->feed->state.asked = s->digest;
	}
	if (failed && s->wanted)
		feed_state_failed(&s->feed->state, u->now, s->feed->read.origin.every, s->result.retry_after_s, slice_str(s->result.why));
	if (failed || s->result.outcome == UPDATE_NOT_DUE) {
		if (live)
			note_live(s);
		return live || (failed && s->wanted);
	}
	/* What was put back is to come again. */
	if (s->was_unproven && !published)
		return false;
	keep_validators(s);
	note_good(u, s);
	return true;
}

static void
remember(struct update *u, struct update_source *s, bool published)
{
	if (!note(u, s, published))
		unlink(s->staged);
	else if (feed_state_write(u->call->state, s->feed->name, &s->feed->state) == -1)
		diag_add(u->diag, DIAG_WARNING, u->list.conf, s->feed->line, 0, "%s: what is known of it cannot be kept: %s",
		    s->feed->name, strerror(errno));
	else {
		if (published)
			unlink(s->before);
		unlink(s->staged);
	}
}

int
update_live(struct update *u, bool forced)
{
	int64_t life = host_life(u->call);
	bool renewed = forced;
	int status = EXIT_FINE;

	for (size_t i = 0; i < u->n; i++)
		if (renew(u, &u->v[i], life) || has_other_line(&u->v[i]))
			renewed = true;
	if (put_all(u) == -1) {
		put_back_all(u, NULL);
		return EXIT_TROUBLE;
	}
	if (count_unproven(u) > 0 || renewed)
		status = update_publish(u);
	if (status == EXIT_TROUBLE)
		put_back_all(u, NULL);
	else
		find_held(u);
	for (size_t i = 0; i < u->n; i++)
		remember(u, &u->v[i], status != EXIT_TROUBLE);
	return status;
}
