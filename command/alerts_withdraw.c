#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "command/alerts.h"
#include "command/live.h"
#include "command/show.h"
#include "command/verb.h"
#include "ruleset/edit.h"

enum { REASON_MAX = 1000, HISTORY_MAX = 16 << 20, FILE_MODE = 0644 };

/* One withdrawal while it is done, under the publishers' lock. */
struct withdrawal {
	const struct call	*call;
	struct alerts		*a;
	struct alerts_item	*item;
	struct alert_withdrawal	 what;
	bool			 json;
	struct edit		 edit;
	struct buf		 before, history;	/* of ID.withdrawn */
};

/* ---- ID.withdrawn ---- */

static int
add_line(struct withdrawal *w)
{
	const struct alert *alert = w->item->alert;
	json_t *j = json_object();
	char date[CLOCK_TEXT], *line;

	json_object_set_new(j, "date", json_string(alerts_date(w->what.date, date)));
	show_json_number(j, "uid", w->what.uid);
	json_object_set_new(j, "version", alert == NULL ? json_null() : json_integer(alert->version));
	show_json_number(j, "rules", w->item->rules.n);
	show_json_number(j, "live", w->item->n_live);
	json_object_set_new(j, "reason", show_json_text(w->what.reason));
	line = json_dumps(j, JSON_ENSURE_ASCII | JSON_COMPACT);
	json_decref(j);
	if (line == NULL)
		w->history.failed = true;
	else
		buf_add_strs(&w->history, line, "\n", NULL);
	free(line);
	return w->history.failed ? -1 : 0;
}

static int
write_history(struct withdrawal *w)
{
	const char *path = w->item->history_path;

	errno = 0;
	if (file_read(path, &w->before) == -1 && errno != ENOENT)
		goto fail;
	buf_add_slice(&w->history, buf_slice(&w->before));
	if (w->history.len > 0 && w->history.p[w->history.len - 1] != '\n')
		buf_add_char(&w->history, '\n');
	errno = EFBIG;
	if (add_line(w) == 0 && file_write(path, buf_slice(&w->history), FILE_MODE) == 0)
		return 0;
fail:
	diag_add(&w->a->diag, DIAG_ERROR, path, 0, 0, "%s", strerror(errno));
	return -1;
}

static int
undo_history(struct withdrawal *w)
{
	const char *path = w->item->history_path;

	if ((w->before.len > 0 ? file_write(path, buf_slice(&w->before), FILE_MODE) : unlink(path)) == 0)
		return 0;
	diag_add(&w->a->diag, DIAG_ERROR, path, 0, 0, "%s", strerror(errno));
	return -1;
}

/* ---- doing it ---- */

/* The MANIFEST is another one: what was asked for happened, and only telling it may have failed. */
static bool
was_published(const struct withdrawal *w)
{
	char path[STATE_PATH];
	struct manifest m;
	bool published;

	if (call_path(w->call, STATE_MANIFEST, path) == -1)
		return false;
	published = manifest_load(path, &m, NULL) == 0 && m.generation != w->a->live.generation;
	manifest_fini(&m);
	return published;
}

static void
put_back(struct withdrawal *w)
{
	int source = edit_undo(&w->edit, &w->a->diag), history = undo_history(w);

	if (source == 0 && history == 0)
		diag_add(&w->a->diag, DIAG_NOTE, w->edit.path, 0, 0, "is as it was, and so is what is live");
}

static void
say_done(const struct withdrawal *w)
{
	const struct alerts_item *item = w->item;

	printf("withdrawn: alert %s, %zu rule%s, %ju of them live until now\n", item->id, item->rules.n, show_s(item->rules.n),
	    (uintmax_t)item->n_live);
	if (item->has_record)
		fprintf(stderr, "a later version brings it back; to undo it: firebreak import %s && firebreak publish\n", item->record_path);
}

static int
make_live(struct withdrawal *w)
{
	struct live_request rq = live_request(w->call);
	int status;

	rq.options.only = w->item->name;
	rq.options.shrinks = true;
	rq.options.locked = true;
	rq.json = w->json;
	status = live_run(w->call, &rq);
	if (status == EXIT_TROUBLE && !was_published(w))
		put_back(w);
	else if (!w->json)
		say_done(w);
	return status;
}

static int
withdraw(struct withdrawal *w)
{
	char sources[STATE_PATH];
	struct diag *diag = &w->a->diag;

	if (call_path(w->call, STATE_SOURCES, sources) == -1 || edit_open(&w->edit, sources, slice_str(w->item->name), diag) == -1)
		return EXIT_TROUBLE;
	buf_reset(&w->edit.after);
	if (alert_withdrawal_write(buf_slice(&w->edit.before), &w->what, &w->edit.after) == -1) {
		diag_add(diag, DIAG_ERROR, w->edit.path, 0, 0, "is too large to be kept as comments; remove it, then \"firebreak publish\"");
		return EXIT_TROUBLE;
	}
	if (edit_write(&w->edit, diag) == -1) {
		edit_undo(&w->edit, NULL);	/* it may be in place, and only its folder not flushed */
		return EXIT_TROUBLE;
	}
	if (write_history(w) == 0)
		return make_live(w);
	if (edit_undo(&w->edit, diag) == 0)
		diag_add(diag, DIAG_NOTE, w->edit.path, 0, 0, "is as it was");
	return EXIT_TROUBLE;
}

/* Nothing is left to do. */
static int
say_twice(struct alerts *a, const struct alerts_item *item, bool json)
{
	char date[CLOCK_TEXT];
	json_t *j;

	diag_add(&a->diag, DIAG_WARNING, NULL, 0, 0, "alert %s was withdrawn already, %s by uid=%ju: %.*s", item->id,
	    alerts_date(item->withdrawal.date, date), (uintmax_t)item->withdrawal.uid, SLICE_ARGS(item->withdrawal.reason));
	if (!json)
		return EXIT_FOUND;
	j = json_object();
	json_object_set_new(j, "generation", json_null());
	json_object_set_new(j, "findings", show_json_findings(&a->diag));
	return show_json(j, true) == -1 ? EXIT_TROUBLE : EXIT_FOUND;
}

static int
perform(const struct call *c, struct alerts *a, const char *id, struct slice reason, bool json)
{
	struct alerts_item item = { .n_live = 0 };
	struct withdrawal w = { .call = c, .a = a, .item = &item, .json = json,
		.what = { .date = a->now, .uid = (uint64_t)getuid(), .reason = reason } };
	int status = EXIT_TROUBLE;

	buf_init(&w.before, HISTORY_MAX);
	buf_init(&w.history, HISTORY_MAX);
	if (alerts_load(a, id, &item) == 0)
		status = item.state == ALERTS_WITHDRAWN ? say_twice(a, &item, json) : withdraw(&w);
	edit_fini(&w.edit);
	buf_fini(&w.before);
	buf_fini(&w.history);
	alerts_item_fini(&item);
	return status;
}

/* Under the lock, so that neither an import nor a publish comes between reading and writing. */
int
alerts_withdraw(const struct call *c, const struct alerts_flags *flags, const char *id)
{
	struct slice reason = slice_trim(slice_str(flags->reason));
	struct alerts a;
	int lock, status = EXIT_TROUBLE;

	if (reason.len == 0)
		return call_misused(c, "withdraw needs --reason TEXT");
	if (reason.len > REASON_MAX)
		return call_misused(c, "the reason is too long");
	if (call_need_state(c) == -1)
		return EXIT_TROUBLE;
	if (state_make(c->state) == -1 || (lock = state_lock(c->state)) == -1)
		return call_fail(c, "%s: %s", c->state, strerror(errno));
	if (alerts_init(&a, c->state) == 0)
		status = perform(c, &a, id, reason, flags->json);
	diag_print(&a.diag, stderr);
	alerts_fini(&a);
	close(lock);
	return status;
}
