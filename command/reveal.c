#include "eventstore/reveal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/audit.h"
#include "command/events.h"
#include "command/show.h"
#include "command/verb.h"
#include "runtime/pseudonym_keys.h"

enum { FLAG_REASON, FLAG_APPROVE, FLAG_DENY, FLAG_LIST, FLAG_EVENTS, FLAG_JSON, FLAGS };
enum { FOLDER_PATH = sizeof("/proc/self/fd/") + 3 * sizeof(int) };

struct asked {
	const struct call	*call;
	struct call		 held;		/* the same, with FOLDER for a state folder */
	int			 folder_fd;	/* -1: not open */
	char			 folder[FOLDER_PATH];
	struct reveal		 r;
	const char		*file;		/* where incidents are looked for, when it was said */
	char			 log[STATE_PATH];	/* where it is recorded: nobody chooses that */
	char			 by[AUDIT_PERSON];
	bool			 json;
	json_t			*shown;		/* of one subject */
	struct diag		 diag;
};

/* ---- who, and where ---- */

static int
write_trail(void *arg, struct slice what)
{
	const struct asked *a = arg;

	return audit_reveal(&a->held, a->r.now_ms, a->by, what, "an event of it is written");
}

/* Take the state folder once.  Who may call this as the keys' owner, and nothing else, chooses --state: a link that he turns around
 * in the middle would have the keys of one folder, and the options and the record of another. */
static int
hold_folder(struct asked *a)
{
	a->folder_fd = open(a->call->state, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (a->folder_fd == -1)
		return call_fail(a->call, "%s: %s", a->call->state, strerror(errno)), -1;
	snprintf(a->folder, sizeof(a->folder), "/proc/self/fd/%d", a->folder_fd);
	if (access(a->folder, F_OK) == -1)
		return call_fail(a->call, "%s: %s", a->folder, strerror(errno)), -1;
	a->held = *a->call;
	a->held.state = a->folder;
	return 0;
}

/* The keys of the folder STATE, and how its site wants it.  -1 with an error in DIAG. */
static int
take_site_of(struct asked *a, const char *state, struct diag *diag)
{
	struct reveal of = { .state = state };
	bool absent;

	if ((a->r.keys = pseudonym_keys_load(state, &absent, diag)) == NULL || reveal_take_site(&of, diag) == -1)
		return -1;
	a->r.second = of.second;
	a->r.life_s = of.life_s;
	return 0;
}

static void
drop_keys(struct asked *a)
{
	pseudonyms_free((struct pseudonyms *)(uintptr_t)a->r.keys);
	a->r.keys = NULL;
}

/* -1 after finding what is wrong, which is said with the path that was typed. */
static int
take_site(struct asked *a)
{
	struct diag unsaid = { 0 };
	int r = take_site_of(a, a->folder, &unsaid);

	diag_fini(&unsaid);
	if (r == 0)
		return 0;
	drop_keys(a);
	if (take_site_of(a, a->call->state, &a->diag) == 0)
		diag_error(&a->diag, "%s: it is another folder now", a->call->state);
	return -1;
}

static int
prepare(struct asked *a)
{
	const struct call *c = a->call;

	if (call_need_state(c) == -1 || call_become_owner(c) == -1 || hold_folder(a) == -1 ||
	    call_path(&a->held, STATE_EVENTS, a->log) == -1)
		return -1;
	audit_person(&a->held, a->by);
	a->r = (struct reveal){ .state = a->folder, .log = a->log, .now_ms = clock_ms(), .by = a->by,
		.audit = write_trail, .arg = a };
	return take_site(a);
}

/* ---- showing ---- */

static void
show_name(void *arg, struct slice token, enum pseudonym_opened result, enum pseudonym_kind kind, struct slice name)
{
	struct asked *a = arg;
	json_t *j;

	if (!a->json) {
		printf("%-12s", kind == PSEUDONYM_USER ? "User" : kind == PSEUDONYM_CLIENT ? "Client" : "Mail");
		show_text(stdout, result == PSEUDONYM_OPENED ? name : slice_str(pseudonym_opened_text(result)));
		putchar('\n');
		return;
	}
	j = json_object();
	json_object_set_new(j, "pseudonym", show_json_text(token));
	json_object_set_new(j, result == PSEUDONYM_OPENED ? pseudonym_kind_name(kind) : "error",
	    show_json_text(result == PSEUDONYM_OPENED ? name : slice_str(pseudonym_opened_text(result))));
	json_array_append_new(a->shown, j);
}

/* What came of ABOUT, of which the event has number ID. */
static int
finish(struct asked *a, struct slice about, enum reveal_result result, const char *id)
{
	static const char *const words[] = { [REVEAL_SHOWN] = "shown", [REVEAL_WAITS] = "waits", [REVEAL_DONE] = "done",
		[REVEAL_REFUSED] = "refused", [REVEAL_TROUBLE] = "trouble" };
	json_t *j;

	if (a->json) {
		j = json_object();
		json_object_set_new(j, "about", show_json_text(about));
		json_object_set_new(j, "result", json_string(words[result]));
		if (result == REVEAL_WAITS)
			json_object_set_new(j, "request", json_string(id));
		json_object_set(j, "names", a->shown);
		show_json(j, false);
	} else if (result == REVEAL_WAITS)
		printf("request %s waits for another person: firebreak reveal --approve %s\nthen ask for the same again\n", id, id);
	json_array_clear(a->shown);
	return result == REVEAL_SHOWN || result == REVEAL_DONE ? EXIT_FINE : result == REVEAL_TROUBLE ? EXIT_TROUBLE : EXIT_FOUND;
}

/* ---- asking ---- */

/* Add what stands at PATH in EVENT to S; a name in clear is told. */
static void
take_person(struct asked *a, const json_t *event, const char *path, struct reveal_subject *s)
{
	char store[EVENT_NUMBER];
	struct slice text = event_text(event, path, store);

	if (text.len == 0)
		return;
	if (event_is_pseudonym(event, path))
		s->tokens[s->n++] = text;
	else if (!a->json) {
		printf("%-12s", strcmp(path, "user.name") == 0 ? "User" : "Client");
		show_text(stdout, text);
		puts(", in clear in the log");
	}
}

static int
ask_incident(struct asked *a, const char *typed, struct slice reason)
{
	struct reveal_subject s = { .n = 0 };
	struct events_found found;
	char id[INCIDENT_LEN + 1] = "";
	int status = events_find_typed(a->call, typed, a->file, &found);

	if (status == EXIT_FINE) {
		s.about = slice_str(found.id);
		take_person(a, found.event, "user.name", &s);
		take_person(a, found.event, "client.ip", &s);
		status = finish(a, s.about, reveal_ask(&a->r, &s, reason, show_name, a, id, &a->diag), id);
	}
	events_found_fini(&found);
	return status;
}

static bool
begins_as_pseudonym(struct slice text)
{
	for (enum pseudonym_kind kind = 0; kind < PSEUDONYM_KINDS; kind++) {
		struct slice name = slice_str(pseudonym_kind_name(kind));

		if (slice_istarts(text, name) && slice_starts(slice_skip(text, name.len), SLICE("-")))
			return true;
	}
	return false;
}

static int
ask_one(struct asked *a, const char *typed, struct slice reason)
{
	struct reveal_subject s = { .about = slice_str(typed), .tokens = { slice_str(typed) }, .n = 1 };
	char id[INCIDENT_LEN + 1] = "";
	enum pseudonym_kind kind;

	if (!pseudonym_is_token(s.about, &kind) && begins_as_pseudonym(s.about)) {
		call_fail(a->call, "mistyped: this begins like a pseudonym, but is no whole one; copy all of it from the log");
		return EXIT_TROUBLE;
	}
	if (!pseudonym_is_token(s.about, &kind))
		return ask_incident(a, typed, reason);
	return finish(a, s.about, reveal_ask(&a->r, &s, reason, show_name, a, id, &a->diag), id);
}

static int
ask(struct asked *a, const char *reason)
{
	int worst = EXIT_FINE;

	for (int i = 0; i < a->call->argc; i++) {
		int status = ask_one(a, a->call->argv[i], slice_str(reason));

		worst = status > worst ? status : worst;
	}
	return worst;
}

/* ---- deciding, listing ---- */

/* Whose names Q is about: what "about" says is the word of who asks, who may have found them in another log (--events). */
static void
print_tokens(const struct reveal_request *q)
{
	for (size_t i = 0; i < q->n; i++) {
		fputs("\n  whom   ", stdout);
		show_text(stdout, q->tokens[i]);
	}
}

static json_t *
json_tokens(const struct reveal_request *q)
{
	json_t *all = json_array();

	for (size_t i = 0; i < q->n; i++)
		json_array_append_new(all, show_json_text(q->tokens[i]));
	return all;
}

static int
decide(struct asked *a, const char *typed, bool approve, const char *reason)
{
	char id[INCIDENT_LEN + 1];
	enum reveal_result result;

	if (incident_parse(slice_str(typed), id) != INCIDENT_OK)
		return call_misused(a->call, "mistyped: a request's number looks like 1M83ME10C4HM007J");
	result = reveal_decide(&a->r, id, approve, slice_str(reason), &a->diag);
	if (result == REVEAL_DONE && !a->json)
		printf("request %s is %s\n", id, approve ? "approved: whoever made it now asks for the same again" : "gone");
	return finish(a, slice_str(id), result, id);
}

static void
list_one(void *arg, const struct reveal_request *q)
{
	struct asked *a = arg;
	char made[CLOCK_TEXT], ends[CLOCK_TEXT];
	json_t *j;

	clock_format_s(q->made_ms / 1000, made);
	clock_format_s(q->ends_ms / 1000, ends);
	if (!a->json) {
		printf("%s  %s, until %s, by %s, %s%s\n  about  ", q->id, made, ends, q->by, q->approved_by != NULL ? "approved by " : "waits",
		    q->approved_by != NULL ? q->approved_by : "");
		show_text(stdout, slice_str(q->about));
		print_tokens(q);
		fputs("\n  why    ", stdout);
		show_text(stdout, slice_str(q->reason));
		putchar('\n');
		return;
	}
	j = json_object();
	json_object_set_new(j, "request", json_string(q->id));
	json_object_set_new(j, "about", show_json_text(slice_str(q->about)));
	json_object_set_new(j, "pseudonyms", json_tokens(q));
	json_object_set_new(j, "by", json_string(q->by));
	json_object_set_new(j, "reason", show_json_text(slice_str(q->reason)));
	json_object_set_new(j, "made", json_string(made));
	json_object_set_new(j, "ends", json_string(ends));
	json_object_set_new(j, "approved_by", q->approved_by != NULL ? json_string(q->approved_by) : json_null());
	json_array_append_new(a->shown, j);
}

static int
list(struct asked *a)
{
	if (reveal_list(&a->r, list_one, a, &a->diag) == -1)
		return EXIT_TROUBLE;
	return a->json && show_json(json_incref(a->shown), true) == -1 ? EXIT_TROUBLE : EXIT_FINE;
}

/* ---- the command line ---- */

static int
perform(struct asked *a, const char *const *v)
{
	const struct call *c = a->call;
	int modes = (v[FLAG_APPROVE] != NULL) + (v[FLAG_DENY] != NULL) + (v[FLAG_LIST] != NULL) + (c->argc > 0);

	if (modes != 1)
		return call_misused(c, "INCIDENT or PSEUDONYM with --reason TEXT, or one of --approve, --deny and --list");
	if (c->argc > 0 && v[FLAG_REASON] == NULL)
		return call_misused(c, "why? --reason TEXT is for whoever asks later");
	if (prepare(a) == -1)
		return EXIT_TROUBLE;
	if (v[FLAG_LIST] != NULL)
		return list(a);
	if (c->argc > 0)
		return ask(a, v[FLAG_REASON]);
	return v[FLAG_APPROVE] != NULL ? decide(a, v[FLAG_APPROVE], true, v[FLAG_REASON]) : decide(a, v[FLAG_DENY], false, v[FLAG_REASON]);
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "reason=", "approve=", "deny=", "list", "events=", "json" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct asked a = { .call = c, .folder_fd = -1 };
	int status;

	if (result != CALL_GO)
		return call_end(c, result);
	a.file = values[FLAG_EVENTS];
	a.json = values[FLAG_JSON] != NULL;
	a.shown = json_array();
	status = perform(&a, values);
	diag_print(&a.diag, stderr);
	diag_fini(&a.diag);
	json_decref(a.shown);
	drop_keys(&a);
	if (a.folder_fd != -1)
		close(a.folder_fd);
	return status;
}

const struct verb verb_reveal = {
	.name = "reveal",
	.run = run,
	.operands = "--reason TEXT [--json] INCIDENT|PSEUDONYM... | --approve REQUEST | --deny REQUEST | --list [--json]",
	.summary = "Show who is behind a pseudonym, with a reason and on the record.",
	.help =
	    "  --reason TEXT     why: it goes into the event log and into log/reveals.log\n"
	    "  --approve REQUEST agree that somebody else is shown what he asked for (RevealSecond)\n"
	    "  --deny REQUEST    do not, or take back one's own request\n"
	    "  --list            requests that wait, and approvals that were not used\n"
	    "  --events FILE     the event log to look in, with what rotation made of it; else\n"
	    "                    events.jsonl in the state folder, where it is recorded in any case\n"
	    "  --json            print objects\n",
};
