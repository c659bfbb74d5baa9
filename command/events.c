#include "command/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "command/audit.h"
#include "command/show.h"
#include "command/verb.h"
#include "events/event.h"
#include "eventstore/moment.h"
#include "runtime/pseudonym.h"
#include "url_rules/network.h"

enum {
	FLAG_INCIDENT, FLAG_CLIENT, FLAG_USER, FLAG_HOST, FLAG_URL, FLAG_DIGEST, FLAG_RULE, FLAG_SOURCE, FLAG_ALERT, FLAG_ACTION,
	FLAG_REASON, FLAG_SINCE, FLAG_UNTIL, FLAG_LIMIT, FLAG_BY, FLAG_FOLLOW, FLAG_JSON, FLAG_CSV, FLAG_EVENTS, FLAGS
};
enum {
	TYPED_MAX = 1 << 17, LINE_MAX_BYTES = 1 << 21,
	TABLE_ROWS = 100,		/* what people are shown when they do not say */
	FOLLOW_ROWS = 10,
	FOLLOW_MS = 250, BYTES_PER_MB = 1000000,
};

/* What a call wants. */
struct wish {
	const struct call	*c;
	struct event_query	 q;
	const char		*file;
	enum events_style	 style;
	int			 by;		/* -1: no counts */
	bool			 follow;
	char			*typed;		/* owns the operand */
	struct pseudonyms	*keys;		/* NULL: not there, or not for who asks */
};

/* ---- the log ---- */

static void
show_reading(void *arg, int64_t done, int64_t total)
{
	(void)arg;
	if (total == 0)
		show_progress("waiting: somebody else is reading the event log");
	else
		show_progress("reading the event log: %" PRId64 " of %" PRId64 " MB", done / BYTES_PER_MB, total / BYTES_PER_MB);
}

void
events_caller_begin(struct caller *was, const char *file)
{
	if (file == NULL)
		*was = (struct caller){ .away = false };
	else
		caller_begin_beside(was, file);
}

struct eventstore *
events_open(const struct call *c, const char *file, bool *partial)
{
	struct diag diag = { 0 };
	struct eventstore *s;
	struct caller was;
	char path[STATE_PATH];
	int r = -1;

	if (file == NULL && (call_need_state(c) == -1 || call_path(c, STATE_EVENTS, path) == -1))
		return NULL;
	events_caller_begin(&was, file);
	if ((s = eventstore_open(file != NULL ? file : path, &diag)) != NULL) {
		eventstore_set_progress(s, show_reading, NULL);
		r = eventstore_update(s, &diag);
		show_progress_end();
	}
	caller_end(&was);
	diag_print(&diag, stderr);
	diag_fini(&diag);
	*partial = r == 1;
	if (r != -1)
		return s;
	eventstore_close(s);
	return NULL;
}

char *
events_typed(const struct call *c)
{
	struct buf b;

	buf_init(&b, TYPED_MAX);
	buf_add_str(&b, "");
	for (int i = 0; i < c->argc; i++)
		buf_add_str(&b, c->argv[i]);
	if (!b.failed)
		return b.p;
	buf_fini(&b);
	return NULL;
}

int
events_line(struct eventstore *s, const char id[static INCIDENT_LEN + 1], struct buf *out)
{
	struct diag diag = { 0 };
	int r = eventstore_find(s, id, out, &diag);

	diag_print(&diag, stderr);
	diag_fini(&diag);
	return r;
}

/* ---- what is searched for ---- */

/* What the operand is, is seen from it. */
static int
set_operand(struct wish *w)
{
	if (w->c->argc == 0)
		return 0;
	if ((w->typed = events_typed(w->c)) == NULL)
		return call_fail(w->c, "that is too long"), -1;
	event_query_take(&w->q, slice_str(w->typed));
	if (w->c->argc > 1 && w->q.id.len == 0)
		return call_misused(w->c, "one thing at a time, or an incident number in groups"), -1;
	return 0;
}

static int
set_action(struct wish *w, const char *value)
{
	if (value == NULL)
		return 0;
	for (int i = 0; i < EVENT_ACTIONS; i++)
		if (strcmp(value, event_action_name((enum event_action)i)) == 0) {
			w->q.words[EVENT_WORD_ACTION] = slice_str(value);
			return 0;
		}
	call_misused(w->c, "an action is blocked, killed, marked, would_block, passed_unchecked, warned, continued, reveal_requested, "
	    "reveal_approved, reveal_denied, reveal_refused, revealed or removed");
	return -1;
}

static int
set_moment(struct wish *w, const char *value, bool end, int64_t *ms)
{
	if (value == NULL || moment_parse(slice_str(value), clock_ms(), end, ms) == 0)
		return 0;
	call_misused(w->c, "a time is 2h, 30m, 7d, today, yesterday, 2026-11-23 or 2026-11-23T10:00Z, and always UTC");
	return -1;
}

static int
set_limit(struct wish *w, const char *value)
{
	uint64_t n = w->follow ? FOLLOW_ROWS : w->style == EVENTS_TABLE ? TABLE_ROWS : 0;

	if (value != NULL && slice_u64(slice_str(value), &n) == -1)
		return call_misused(w->c, "--limit takes a number; 0 is all"), -1;
	w->q.newest = n > SIZE_MAX - 1 ? SIZE_MAX - 1 : (size_t)n;
	return 0;
}

static int
set_by(struct wish *w, const char *value)
{
	w->by = -1;
	if (value == NULL)
		return 0;
	for (int i = 0; i < EVENT_WORDS; i++)
		if (strcmp(value, event_word_name((enum event_word)i)) == 0)
			w->by = i;
	if (strcmp(value, "hour") == 0)
		w->by = EVENT_BY_HOUR;
	if (w->by == -1)
		return call_misused(w->c, "--by takes rule, host, client, user, source, alert, action, reason or hour"), -1;
	return 0;
}

static int
set_words(struct wish *w, const char *const *values)
{
	static const struct { int flag; enum event_word word; } rows[] = {
		{ FLAG_CLIENT, EVENT_WORD_CLIENT }, { FLAG_USER, EVENT_WORD_USER }, { FLAG_HOST, EVENT_WORD_HOST },
		{ FLAG_RULE, EVENT_WORD_RULE }, { FLAG_SOURCE, EVENT_WORD_SOURCE }, { FLAG_ALERT, EVENT_WORD_ALERT },
		{ FLAG_REASON, EVENT_WORD_REASON },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (values[rows[i].flag] != NULL)
			w->q.words[rows[i].word] = slice_str(values[rows[i].flag]);
	if (values[FLAG_URL] != NULL)
		w->q.url = slice_str(values[FLAG_URL]);
	if (values[FLAG_DIGEST] != NULL)
		w->q.digest = slice_str(values[FLAG_DIGEST]);
	if (values[FLAG_DIGEST] != NULL && !event_is_digest(w->q.digest))
		return call_misused(w->c, "a digest is 32, 40 or 64 hexadecimal digits"), -1;
	if (values[FLAG_INCIDENT] != NULL)
		w->q.id = slice_str(values[FLAG_INCIDENT]);
	if (values[FLAG_INCIDENT] != NULL && !event_is_incident(w->q.id))
		return call_misused(w->c, "mistyped: an incident number looks like 1M83-ME10-C4HM-007J"), -1;
	for (size_t i = 0; i < FLAGS; i++)
		if (values[i] != NULL && *values[i] == '\0' && i != FLAG_FOLLOW && i != FLAG_JSON && i != FLAG_CSV)
			return call_misused(w->c, "a flag has an empty value"), -1;
	return 0;
}

/* Fill W from the command line.  -1 after saying what is wrong. */
static int
read_wish(struct wish *w, const char *const *values)
{
	w->file = values[FLAG_EVENTS];
	w->follow = values[FLAG_FOLLOW] != NULL;
	w->style = values[FLAG_JSON] != NULL ? EVENTS_JSON : values[FLAG_CSV] != NULL ? EVENTS_CSV : EVENTS_TABLE;
	if (values[FLAG_JSON] != NULL && values[FLAG_CSV] != NULL)
		return call_misused(w->c, "--json or --csv"), -1;
	if (set_operand(w) == -1 || set_words(w, values) == -1 || set_action(w, values[FLAG_ACTION]) == -1 ||
	    set_moment(w, values[FLAG_SINCE], false, &w->q.from_ms) == -1 ||
	    set_moment(w, values[FLAG_UNTIL], true, &w->q.to_ms) == -1 || set_by(w, values[FLAG_BY]) == -1 ||
	    set_limit(w, values[FLAG_LIMIT]) == -1)
		return -1;
	if (w->follow && (w->by != -1 || values[FLAG_UNTIL] != NULL))
		return call_misused(w->c, "--follow goes on without an end, and counts nothing"), -1;
	return 0;
}

/* ---- printing ---- */

struct printer {
	const struct wish	*w;
	struct eventstore	*s;
	size_t			 n, lost;
	struct diag		*diag;
};

static int
print_event(void *arg, const struct event_row *row)
{
	struct printer *p = arg;
	struct buf line;
	int r = 0;

	p->n++;
	if (p->w->style != EVENTS_JSON) {
		events_print_row(row, p->w->style);
		return 0;
	}
	buf_init(&line, LINE_MAX_BYTES);
	r = eventstore_line(p->s, row, &line, p->diag);
	if (r == 0 && events_print_json(buf_slice(&line)) == -1)
		r = -1;
	p->lost += r == 1;
	buf_fini(&line);
	return r == -1 ? -1 : 0;
}

static int
say_lost(const struct printer *p)
{
	if (p->lost == 0)
		return 0;
	fprintf(stderr, "firebreak events: %zu event%s not in the log any more as the index has %s; remove the index and search again\n",
	    p->lost, p->lost == 1 ? " is" : "s are", p->lost == 1 ? "it" : "them");
	return -1;
}

/* Print what Q finds in S, as W wants it; *N is how many.  -1 after saying what is wrong. */
static int
print_events(const struct wish *w, const struct event_query *q, struct eventstore *s, size_t *n)
{
	struct diag diag = { 0 };
	struct printer p = { .w = w, .s = s, .diag = &diag };
	int r = eventstore_search(s, q, print_event, &p, &diag);

	*n = p.n;
	diag_print(&diag, stderr);
	diag_fini(&diag);
	return say_lost(&p) == -1 || r == -1 ? -1 : 0;
}

static int
print_one_count(void *arg, const struct event_count *count)
{
	struct printer *p = arg;

	p->n++;
	events_print_count(count, p->w->by, p->w->style);
	return 0;
}

static int
print_counts(const struct wish *w, struct eventstore *s, size_t *n)
{
	struct diag diag = { 0 };
	struct printer p = { .w = w };
	int r;

	events_print_count_head(w->by, w->style);
	r = eventstore_count(s, &w->q, w->by, print_one_count, &p, &diag);
	*n = p.n;
	diag_print(&diag, stderr);
	diag_fini(&diag);
	return r;
}

/* ---- following ---- */

/* One look at what came since.  -1 after saying what is wrong. */
static int
look_again(const struct wish *w, struct eventstore *f, size_t *warnings)
{
	struct diag diag = { 0 };
	struct event_query all = w->q;
	size_t n;
	int r = eventstore_update(f, &diag);

	all.newest = 0;
	if (r == -1 || diag.n_warnings != *warnings)
		diag_print(&diag, stderr);
	*warnings = diag.n_warnings;
	diag_fini(&diag);
	if (r == -1 || print_events(w, &all, f, &n) == -1 || fflush(stdout) == EOF)
		return -1;
	return eventstore_forget(f, NULL);
}

static int
follow(const struct wish *w, struct eventstore *s)
{
	struct diag diag = { 0 };
	struct eventstore *f = NULL;
	size_t n, warnings = 0;

	/* What is shown now and what is shown later meet without a gap. */
	if (eventstore_hold(s, &diag) == 0) {
		f = eventstore_follow(s, &diag);
		if (f != NULL && print_events(w, &w->q, s, &n) == -1) {
			eventstore_close(f);
			f = NULL;
		}
		eventstore_release(s);
	}
	diag_print(&diag, stderr);
	diag_fini(&diag);
	fflush(stdout);
	while (f != NULL && look_again(w, f, &warnings) == 0)
		clock_pause(FOLLOW_MS);
	eventstore_close(f);
	return EXIT_TROUBLE;
}

/* TEXT may be somebody's name: with the key one finds out by it what he did. */
static bool
may_be_person(struct slice text)
{
	enum pseudonym_kind kind;
	struct network network;

	return text.len > 0 && !pseudonym_is_token(text, &kind) &&
	    (slice_find(text, '.') == text.len || network_parse(text, &network) == NETWORK_OK);
}

/* Who has the key and searches for people by their names is written down, as who turns pseudonyms back is.  -1 after saying that it
 * could not be. */
static int
note_search(const struct wish *w)
{
	const struct slice *words = w->q.words;
	enum pseudonym_kind kind;
	char by[AUDIT_PERSON];

	if (w->keys == NULL || !((words[EVENT_WORD_USER].len > 0 && !pseudonym_is_token(words[EVENT_WORD_USER], &kind)) ||
	    (words[EVENT_WORD_CLIENT].len > 0 && !pseudonym_is_token(words[EVENT_WORD_CLIENT], &kind)) || may_be_person(w->q.any)))
		return 0;
	audit_person(w->c, by);
	return audit_reveal(w->c, clock_ms(), by, SLICE("searched by a name"), "nothing is searched");
}

static int
show(const struct wish *w)
{
	bool partial;
	struct eventstore *s;
	size_t n = 0;
	int r;

	s = events_open(w->c, w->file, &partial);

	if (s == NULL)
		return EXIT_TROUBLE;
	eventstore_set_pseudonyms(s, w->keys);
	if (w->follow) {
		r = follow(w, s);
		eventstore_close(s);
		return r;
	}
	if (w->style == EVENTS_CSV && w->by == -1)
		events_print_head();
	r = w->by != -1 ? print_counts(w, s, &n) : print_events(w, &w->q, s, &n);
	eventstore_close(s);
	if (w->by == -1 && n > 0 && n == w->q.newest)
		fprintf(stderr, "firebreak events: these are the newest %zu; --limit 0 shows all\n", n);
	if (r == -1 || partial)
		return EXIT_TROUBLE;
	if (n == 0)
		fputs("firebreak events: there is no such event in this log; another proxy may have it\n", stderr);
	return n > 0 ? EXIT_FINE : EXIT_FOUND;
}

static int
answer(const struct wish *w)
{
	struct caller was;
	int status;

	if (note_search(w) == -1)
		return EXIT_TROUBLE;
	events_caller_begin(&was, w->file);
	status = show(w);
	caller_end(&was);
	return status;
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = {
		"incident=", "client=", "user=", "host=", "url=", "digest=", "rule=", "source=", "alert=", "action=", "reason=", "since=",
		"until=", "limit=", "by=", "follow", "json", "csv", "events=",
	};
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct wish w = { .c = c };
	int status = EXIT_TROUBLE;

	if (result != CALL_GO)
		return call_end(c, result);
	if (read_wish(&w, values) == 0) {
		w.keys = call_pseudonyms(c);
		status = answer(&w);
	}
	pseudonyms_free(w.keys);
	free(w.typed);
	return status;
}

const struct verb verb_events = {
	.name = "events",
	.run = run,
	.operands = "[flags] [INCIDENT|CLIENT|USER|HOST|URL|DIGEST|RULE|ALERT]",
	.summary = "Search the event log, count in it, or follow it.",
	.help =
	    "  --incident NUMBER   the incident\n"
	    "  --client ADDRESS    of this client; * stands for any text here and below\n"
	    "  --user NAME         of this user, in any case\n"
	    "  --host HOST         of this host; .HOST is it and all below it\n"
	    "  --url TEXT          whose URL has this part, in any case\n"
	    "  --digest HEX        of the file with this MD5, SHA-1 or SHA-256\n"
	    "  --rule ID           by this rule\n"
	    "  --source NAME       by a rule of this source\n"
	    "  --alert ID          by a rule of this alert\n"
	    "  --action WORD       blocked, killed, marked, would_block, passed_unchecked, warned,\n"
	    "                      continued; reveal_requested, reveal_approved, reveal_denied,\n"
	    "                      reveal_refused, revealed; removed\n"
	    "  --reason WORD       for this reason, see events(5)\n"
	    "  --since TIME        not before 2h, 30m, 7d (ago), today, yesterday, 2026-11-23,\n"
	    "                      2026-11-23T10:00Z; UTC\n"
	    "  --until TIME        before it; of a day, to its end\n"
	    "  --limit N           the newest N; 0 is all; else 100, and all with --json and --csv\n"
	    "  --by WORD           count by rule, host, client, user, source, alert, action, reason\n"
	    "                      or hour\n"
	    "  --follow            show the newest, then each one as it comes, without an end\n"
	    "  --json              each event as it was logged, one a line; of counts, an object\n"
	    "  --csv               comma-separated values\n"
	    "  --events FILE       the event log; else events.jsonl in the state folder\n",
};
