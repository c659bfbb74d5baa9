#include "command/update_work.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "command/show.h"
#include "command/verb.h"
#include "inspect/digester.h"

enum { AT_ONCE = 8, STEPS = 3, SPARE_S = 30 };

/* ---- in the process of one source ---- */

int
update_work_fail(struct update_work *w, const char *why)
{
	w->out->outcome = UPDATE_FAILED;
	feed_state_text(w->out->why, sizeof(w->out->why), slice_str(why));
	return -1;
}

struct feed_check_options
update_work_question(const struct update_work *w)
{
	const char *helper = getenv("FIREBREAK_FEED_HELPER");
	const struct feed_origin *o = &w->s->feed->read.origin;

	return (struct feed_check_options){ .helper = helper != NULL ? helper : FEED_HELPER, .settings = w->s->feed->settings,
		.line = w->s->feed->line, .col = w->s->feed->col, .unpacked = (uint64_t)o->unpacked, .lines = (uint64_t)o->lines,
		.timeout_s = o->timeout };
}

int
update_work_open(struct update_work *w)
{
	int list = open(w->s->staged, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, UPDATE_MODE_LIST);

	return list != -1 ? list : update_work_fail(w, strerror(errno));
}

int
update_work_close(struct update_work *w, int list, int r)
{
	if (r == 0 && (fchmod(list, UPDATE_MODE_LIST) == -1 || fsync(list) == -1))
		r = update_work_fail(w, strerror(errno));
	if (close(list) == -1 && r == 0)
		r = update_work_fail(w, strerror(errno));
	w->out->outcome = r == -1 ? UPDATE_FAILED : w->list != -1 && digest_eq(&w->here, &w->out->file) ? UPDATE_SAME : UPDATE_NEW;
	if (w->out->outcome != UPDATE_NEW)
		unlink(w->s->staged);
	return r;
}

/* What came in becomes a list beside its place, unless it is the one that is there. */
static void
stage(struct update_work *w, int raw, bool gzip)
{
	struct feed_check_options question = update_work_question(w);
	struct feed_check_report report;
	int list = update_work_open(w), r;

	if (list == -1)
		return;
	question.gzip = gzip;
	if ((r = feed_check(&question, raw, list, &report)) == -1)
		update_work_fail(w, report.why);
	else {
		w->out->counts = report.counts;
		w->out->file = report.file;
	}
	update_work_close(w, list, r);
}

int
update_work_take(struct update_work *w, int r, const struct download_answer *a, int raw)
{
	const struct feed_state *state = &w->s->feed->state;

	w->out->bytes = a->bytes;
	if (r == -1) {
		w->out->retry_after_s = a->retry_after_s;
		return update_work_fail(w, a->why);
	}
	w->out->outcome = UPDATE_SAME;
	w->out->file = w->here;
	memcpy(w->out->etag, a->etag, sizeof(a->etag));
	memcpy(w->out->modified, a->modified, sizeof(a->modified));
	if (a->not_modified)
		return 0;
	if (digest_of_fd(raw, DIGEST_SHA256, &w->out->raw) == -1)
		return update_work_fail(w, strerror(errno));
	w->out->has_raw = true;
	return w->known && state->has_raw && digest_eq(&state->raw, &w->out->raw) ? 0 : 1;
}

static void
fetch_list(struct update_work *w, struct download *d, int raw)
{
	struct download_request rq = { .have = w->known ? &w->s->feed->state : NULL, .max = (uint64_t)w->s->feed->read.origin.max,
		.is_signed = true };
	struct download_answer a;
	int r = download_get(d, &rq, raw, &a);

	if (update_work_take(w, r, &a, raw) == 1)
		stage(w, raw, a.gzip);
}

/* The list in sources/, and whether what is remembered is of it. */
static void
look_at_list(struct update_work *w)
{
	const struct feed_state *s = &w->s->feed->state;

	w->list = open(w->s->feed->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (w->list != -1 && digest_of_fd(w->list, DIGEST_SHA256, &w->here) == -1) {
		close(w->list);
		w->list = -1;
	}
	w->known = w->list != -1 && s->has_file && digest_eq(&s->file, &w->here) && s->has_line && digest_eq(&s->line, &w->s->digest);
}

static void
work(struct update_work *w)
{
	char dir[STATE_PATH], why[FEED_WHY];
	int raw = state_path(w->u->call->state, STATE_UPDATE, dir) == -1 ? -1 : file_nameless(dir);
	struct download *d = NULL;

	look_at_list(w);
	if (raw == -1)
		update_work_fail(w, strerror(errno));
	else if ((d = download_open(&w->s->feed->read.origin, why)) == NULL)
		update_work_fail(w, why);
	else if (update_is_folder(w))
		update_fetch_folder(w, d, raw);
	else
		fetch_list(w, d, raw);
	download_close(d);
}

/* The process that fetches S: it ends with the run, and by itself when it has no end. */
static _Noreturn void
fetch_one(struct update *u, struct update_source *s, int fd, pid_t parent)
{
	struct update_result result = { .outcome = UPDATE_FAILED };
	struct update_work w = { .u = u, .s = s, .out = &result, .list = -1 };

	signal(SIGPIPE, SIG_IGN);
	/* Who was root has its real user id still (call_become_owner()); what an origin takes over must not. */
	if ((getuid() != geteuid() && setresuid(geteuid(), geteuid(), geteuid()) == -1) || prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 ||
	    getppid() != parent)
		_exit(EXIT_TROUBLE);
	/* The list comes, its signature comes, and it is read: each may take that. */
	alarm((unsigned)(STEPS * s->feed->read.origin.timeout + SPARE_S));
	work(&w);
	_exit(file_write_all(fd, slice_make((const char *)&result, sizeof(result))) == 0 ? EXIT_FINE : EXIT_TROUBLE);
}

/* ---- all of them ---- */

static void
say_failed(struct update_source *s, const char *why)
{
	s->result = (struct update_result){ .outcome = UPDATE_FAILED };
	feed_state_text(s->result.why, sizeof(s->result.why), slice_str(why));
}

static int
start(struct update *u, struct update_source *s)
{
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	fflush(stdout);
	if ((s->pid = fork()) == 0) {
		close(ends[0]);
		fetch_one(u, s, ends[1], parent);
	}
	close(ends[1]);
	s->pipe = ends[0];
	if (s->pid != -1)
		return 0;
	s->pid = 0;
	close(s->pipe);
	s->pipe = -1;
	return -1;
}

/* Its process is at its end. */
static void
finish(struct update_source *s)
{
	char why[FEED_WHY];
	int status = 0;

	close(s->pipe);
	s->pipe = -1;
	while (waitpid(s->pid, &status, 0) == -1 && errno == EINTR)
		continue;
	s->pid = 0;
	if (s->got == sizeof(s->result))
		return;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		say_failed(s, "took too long");
	else {
		snprintf(why, sizeof(why), "the process that fetches it ended, with %s %d", WIFSIGNALED(status) ? "signal" : "status",
		    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		say_failed(s, why);
	}
}

static void
take_result(struct update_source *s)
{
	ssize_t n = read(s->pipe, (char *)&s->result + s->got, sizeof(s->result) - s->got);

	if (n > 0)
		s->got += (size_t)n;
	else if (n == 0 || errno != EINTR)
		finish(s);
}

/* Wait until one of those that are under way says something.  How many are under way after that. */
static size_t
wait_for_some(struct update *u)
{
	struct pollfd fds[AT_ONCE];
	struct update_source *sources[AT_ONCE];
	size_t n = 0, left = 0;

	for (size_t i = 0; i < u->n && n < AT_ONCE; i++)
		if (u->v[i].pid > 0) {
			fds[n] = (struct pollfd){ .fd = u->v[i].pipe, .events = POLLIN };
			sources[n++] = &u->v[i];
		}
	if (n > 0 && poll(fds, (nfds_t)n, -1) > 0)
		for (size_t i = 0; i < n; i++)
			if (fds[i].revents != 0)
				take_result(sources[i]);
	for (size_t i = 0; i < n; i++)
		left += sources[i]->pid > 0;
	return left;
}

void
update_fetch(struct update *u)
{
	size_t running = 0, done = 0, wanted = 0;

	for (size_t i = 0; i < u->n; i++)
		wanted += u->v[i].wanted && u->v[i].result.outcome != UPDATE_FAILED;
	for (size_t i = 0; i < u->n || running > 0;) {
		if (i < u->n && running < AT_ONCE) {
			struct update_source *s = &u->v[i++];

			if (!s->wanted || s->result.outcome == UPDATE_FAILED)
				continue;
			if (start(u, s) == 0)
				running++;
			else
				say_failed(s, strerror(errno));
			continue;
		}
		show_progress("fetching: %zu of %zu sources done", done, wanted);
		done += running;
		running = wait_for_some(u);
		done -= running;
	}
	show_progress_end();
}
