#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "command/live.h"
#include "command/show.h"
#include "command/verb.h"
#include "ruleset/held.h"

enum { FLAG_JSON, FLAG_NOTE, FLAGS };
enum { NOTE_MAX_LEN = 1000, FILE_MODE = 0640, FILE_MAX = 1 << 30, WHO_MAX = 32 };

/* What waits, and what was decided. */
struct lists {
	struct held_list held, decisions;
};

static int
load(const struct call *c, struct lists *lists)
{
	struct diag diag = { 0 };
	int held, decisions;

	*lists = (struct lists){ 0 };
	held = held_load(HELD_RULES, c->state, &lists->held, &diag);
	decisions = held_load(HELD_DECISIONS, c->state, &lists->decisions, &diag);
	held_index(&lists->held);
	held_index(&lists->decisions);
	diag_print(&diag, stderr);
	diag_fini(&diag);
	return held == -1 || decisions == -1 ? -1 : 0;
}

static void
unload(struct lists *lists)
{
	held_fini(&lists->held);
	held_fini(&lists->decisions);
}

static enum held_verdict
verdict_on(const struct lists *lists, const struct held *h)
{
	const struct held *decision = held_match(&lists->decisions, h->class, h->source, h->rule);

	return decision == NULL ? HELD_WAITING : decision->verdict;
}

/* ---- showing ---- */

static json_t *
json_held(const struct held *h, enum held_verdict verdict)
{
	json_t *j = json_object();

	json_object_set_new(j, "id", show_json_text(h->id));
	json_object_set_new(j, "decision", json_string(held_verdict_name(verdict)));
	json_object_set_new(j, "since", show_json_text(h->date));
	json_object_set_new(j, "class", show_json_text(h->class));
	json_object_set_new(j, "source", show_json_text(h->source));
	json_object_set_new(j, "rule", show_json_text(h->rule));
	json_object_set_new(j, "why", show_json_text(h->text));
	return j;
}

static void
print_held(const struct held *h, enum held_verdict verdict)
{
	static const char *const states[] = { [HELD_WAITING] = "waits",
		[HELD_APPROVED] = "approved: live once it is published", [HELD_DENIED] = "denied: gone once that is published" };

	show_text(stdout, h->id);
	fputs("  ", stdout);
	show_text(stdout, h->rule);
	fputs("\n  source ", stdout);
	show_text(stdout, h->source);
	fputs(", held since ", stdout);
	show_text(stdout, h->date);
	fputs(" by ", stdout);
	show_text(stdout, h->class);
	printf("; %s\n  ", states[verdict]);
	show_text(stdout, h->text);
	putchar('\n');
}

static int
show_held(struct lists *lists, bool json)
{
	json_t *array = json ? json_array() : NULL;
	size_t waiting = 0;

	held_arrange(&lists->held);
	for (size_t i = 0; i < lists->held.n; i++) {
		const struct held *h = &lists->held.v[i];
		enum held_verdict verdict = verdict_on(lists, h);

		waiting += verdict == HELD_WAITING;
		if (json)
			json_array_append_new(array, json_held(h, verdict));
		else
			print_held(h, verdict);
	}
	if (json && show_json(array, true) == -1)
		return EXIT_TROUBLE;
	if (!json && lists->held.n == 0)
		puts("nothing is held");
	return waiting > 0 ? EXIT_FOUND : EXIT_FINE;
}

static int
run_held(struct call *c)
{
	static const char *const flags[] = { "json" };
	const char *json;
	enum call_result result = call_flags(c, flags, 1, &json);
	struct lists lists;
	int status = EXIT_TROUBLE;

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc > 0)
		return call_misused(c, "no operand is expected");
	if (call_need_state(c) == -1)
		return EXIT_TROUBLE;
	if (load(c, &lists) == 0)
		status = show_held(&lists, json != NULL);
	unload(&lists);
	return status;
}

/* ---- deciding ---- */

struct decision {
	const struct call	*call;
	enum held_verdict	 verdict;
	struct slice		 note;
	struct lists		 lists;
	struct buf		 text;		/* STATE/approved as it becomes */
	bool			 json;
};

/* What ID names: something that waits, or something decided about which one thinks anew. */
static const struct held *
find(const struct decision *d, const char *id)
{
	const struct held *h = held_find(&d->lists.held, slice_str(id));

	return h != NULL ? h : held_find(&d->lists.decisions, slice_str(id));
}

/* All ids are known, or nothing is written. */
static int
check_ids(const struct decision *d)
{
	int result = 0;

	for (int i = 0; i < d->call->argc; i++)
		if (find(d, d->call->argv[i]) == NULL)
			result = call_fail(d->call, "nothing is held as %s; see \"firebreak held\" (a publish that is refused holds nothing)",
			    d->call->argv[i]);
	return result;
}

static int
read_decisions(struct decision *d, const char *path)
{
	if (file_read(path, &d->text) == -1 && errno != ENOENT)
		return call_fail(d->call, "%s: %s", path, strerror(errno));
	held_continue(&d->text);
	return EXIT_FINE;
}

static int
write_decisions(struct decision *d, const char *path)
{
	char date[CLOCK_TEXT], who[WHO_MAX];

	clock_format_s(clock_ms() / 1000, date);
	snprintf(who, sizeof(who), "uid=%ju", (uintmax_t)getuid());
	for (int i = 0; i < d->call->argc; i++)
		held_decide(find(d, d->call->argv[i]), d->verdict, slice_str(date), slice_str(who), d->note, &d->text);
	if (d->text.failed)
		return call_fail(d->call, "%s: there is no room for it", path);
	if (file_write(path, buf_slice(&d->text), FILE_MODE) == -1)
		return call_fail(d->call, "%s: %s", path, strerror(errno));
	return EXIT_FINE;
}

static int
print_decisions(const struct decision *d)
{
	json_t *array = d->json ? json_array() : NULL;

	for (int i = 0; i < d->call->argc; i++) {
		const struct held *h = find(d, d->call->argv[i]);

		if (d->json) {
			json_array_append_new(array, json_held(h, d->verdict));
			continue;
		}
		printf("%s: ", held_verdict_name(d->verdict));
		show_text(stdout, h->rule);
		fputs(" of ", stdout);
		show_text(stdout, h->source);
		putchar('\n');
	}
	if (d->json)
		return show_json(array, true) == -1 ? EXIT_TROUBLE : EXIT_FINE;
	return EXIT_FINE;
}

/* What was decided takes effect. */
static int
make_live(const struct decision *d)
{
	struct live_request rq = live_request(d->call);

	rq.quiet = d->json;
	fflush(stdout);
	return live_run(d->call, &rq);
}

/* Under the lock, so that neither a publish nor another decision comes between reading and writing. */
static int
decide(struct decision *d)
{
	char path[STATE_PATH];
	int lock, status = EXIT_TROUBLE;

	if (call_path(d->call, STATE_APPROVED, path) == -1)
		return EXIT_TROUBLE;
	if ((lock = state_lock(d->call->state)) == -1)
		return call_fail(d->call, "%s/" STATE_LOCK ": %s", d->call->state, strerror(errno));
	buf_init(&d->text, FILE_MAX);
	if (load(d->call, &d->lists) == 0 && check_ids(d) == 0 && read_decisions(d, path) == EXIT_FINE)
		status = write_decisions(d, path);
	close(lock);
	if (status == EXIT_FINE)
		status = print_decisions(d);
	if (status == EXIT_FINE)
		status = make_live(d);
	buf_fini(&d->text);
	unload(&d->lists);
	return status;
}

static int
run_verdict(struct call *c, enum held_verdict verdict)
{
	static const char *const flags[FLAGS] = { "json", "note=" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct decision d = { .call = c, .verdict = verdict };

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc == 0)
		return call_misused(c, "which ID?");
	d.note = slice_trim(slice_str(values[FLAG_NOTE]));
	if (d.note.len > NOTE_MAX_LEN)
		return call_misused(c, "the note is too long");
	d.json = values[FLAG_JSON] != NULL;
	return call_need_state(c) == -1 ? EXIT_TROUBLE : decide(&d);
}

static int
run_approve(struct call *c)
{
	return run_verdict(c, HELD_APPROVED);
}

static int
run_deny(struct call *c)
{
	return run_verdict(c, HELD_DENIED);
}

const struct verb verb_held = {
	.name = "held",
	.run = run_held,
	.operands = "[--json]",
	.summary = "List the rules that were held back and wait for a person.",
	.help =
	    "  --json        print an array of objects\n",
};

const struct verb verb_approve = {
	.name = "approve",
	.run = run_approve,
	.operands = "[--json] [--note TEXT] ID ...",
	.summary = "Let held rules through, by their ids.",
	.help =
	    "  --json        print an array of objects\n"
	    "  --note TEXT   why; kept with the time and the user id\n",
};

const struct verb verb_deny = {
	.name = "deny",
	.run = run_deny,
	.operands = "[--json] [--note TEXT] ID ...",
	.summary = "Keep held rules out, by their ids.",
	.help =
	    "  --json        print an array of objects\n"
	    "  --note TEXT   why; kept with the time and the user id\n",
};
