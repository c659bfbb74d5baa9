#include "command/lookalike_waves.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "command/edit_live.h"
#include "command/lookalike_log.h"
#include "command/show.h"
#include "command/verb.h"
#include "ruleset/gate.h"
#include "ruleset/held.h"
#include "ruleset/source.h"
#include "url_rules/url.h"

enum { TEXT_MAX = 1 << 20, DECISIONS_MAX = 1 << 30, DECISIONS_MODE = 0640, MATCHES = 64, WHO_MAX = 32, SECOND_MS = 1000 };

#define APPLIED_NOTE	"applied by \"firebreak lookalike waves\""

enum wave_state {
	WAVE_NEW,	/* its line is to be written */
	WAVE_PROPOSED,	/* it was, and is held */
	WAVE_APPLIED,	/* and is live */
	WAVE_WAITS,	/* from before */
	WAVE_LIVE,
	WAVE_DENIED,
	WAVE_PASSED,	/* WHY says why it is none */
};

static const char *const state_names[] = { "new", "proposed", "applied", "waits", "live", "denied", "passed over" };

/* A domain, all that is below it, and with ITSELF it, too. */
struct range {
	struct slice	domain;
	bool		itself;
};

struct proposal {
	const struct lookalike_summary	*s;
	struct range			 range;
	struct buf			 value, words, note, why;	/* "*.secure.upd01.net", "block host *.secure.upd01.net" */
	char				 id[HELD_ID];
	enum wave_state			 state;
	bool				 other;			/* the line that is meant is a wider one, which WORDS and ID are of */
	bool				 written, approved;	/* a line; a decision: by this call */
};

/* A line that the source has. */
struct line {
	char		*value;
	struct range	 range;
};

struct waves {
	const struct call		*call;
	const struct waves_request	*rq;
	struct diag			*diag;
	int64_t				 now;
	struct lookalike_log		 log;
	struct lookalike_summary	*summaries;
	struct proposal			*v;
	size_t				 n;
	struct line			*lines;
	size_t				 n_lines;
	struct edit			 edit;
	struct held_list		 held, decisions;
	struct public_suffixes		*suffixes;
	struct lint			*lint;
	bool				 failed;	/* no memory */
};

/* ---- ranges ---- */

static struct range
range_of(struct slice value)
{
	if (slice_starts(value, SLICE("*.")))
		return (struct range){ slice_skip(value, strlen("*.")), false };
	if (slice_starts(value, SLICE(".")))
		return (struct range){ slice_skip(value, strlen(".")), true };
	return (struct range){ value, true };
}

static bool
covers(struct range a, struct range b)
{
	return host_under(b.domain, a.domain) && (b.domain.len > a.domain.len || a.itself || !b.itself);
}

static bool
touches(struct range a, struct range b)
{
	return host_under(a.domain, b.domain) || host_under(b.domain, a.domain);
}

/* ---- what there is already ---- */

static int
take_line(void *arg, const struct rule *rule, const struct rule_match *match, unsigned number)
{
	struct waves *w = arg;
	struct line *grown;
	struct buf value;

	(void)number;
	if (rule->action != RULE_BLOCK || rule->kind != RULE_HOST || match->scope == SCOPE_EXACT ||
	    (rule->expires != 0 && rule->expires <= w->now))
		return 0;
	buf_init(&value, TEXT_MAX);
	grown = realloc(w->lines, (w->n_lines + 1) * sizeof(*grown));
	if (grown != NULL)
		w->lines = grown;
	if (grown == NULL || rule_match_format(RULE_HOST, match, &value) == -1 ||
	    (grown[w->n_lines].value = slice_dup(buf_slice(&value))) == NULL) {
		w->failed = true;
	} else {
		grown[w->n_lines].range = range_of(slice_str(grown[w->n_lines].value));
		w->n_lines++;
	}
	buf_fini(&value);
	return w->failed;
}

/* What was decided about the line VALUE. */
static enum held_verdict
verdict_on(const struct waves *w, struct slice value)
{
	const struct held *h;
	struct buf words;

	buf_init(&words, TEXT_MAX);
	gate_words(RULE_BLOCK, RULE_HOST, value, &words);
	h = held_match(&w->decisions, slice_str(lint_class_name(LINT_WAVE)), SLICE(LINT_WAVES), buf_slice(&words));
	buf_fini(&words);
	return h == NULL ? HELD_WAITING : h->verdict;
}

/* The widest of what was denied that touches P; empty. */
static struct slice
denied_of(const struct waves *w, const struct proposal *p)
{
	struct slice found = { 0 };

	for (size_t i = 0; i < w->decisions.n; i++) {
		const struct held *h = &w->decisions.v[i];
		struct slice value = slice_skip(h->rule, strlen("block host "));

		if (h->verdict == HELD_DENIED && slice_eq(h->source, SLICE(LINT_WAVES)) && slice_starts(h->rule, SLICE("block host ")) &&
		    touches(range_of(value), p->range) && held_match(&w->decisions, h->class, h->source, h->rule) == h &&
		    (found.len == 0 || value.len < found.len))
			found = value;
	}
	return found;
}

/* A line of the source has all of P. */
static bool
is_in_source(struct waves *w, struct proposal *p)
{
	const struct line *found = NULL;

	for (size_t i = 0; i < w->n_lines; i++)
		if (covers(w->lines[i].range, p->range)) {
			found = &w->lines[i];
			if (verdict_on(w, slice_str(found->value)) == HELD_APPROVED)
				break;
		}
	if (found == NULL)
		return false;
	p->other = !slice_eq(slice_str(found->value), buf_slice(&p->value));
	if (p->other) {
		buf_reset(&p->words);
		gate_words(RULE_BLOCK, RULE_HOST, slice_str(found->value), &p->words);
		held_id(slice_str(lint_class_name(LINT_WAVE)), SLICE(LINT_WAVES), buf_slice(&p->words), p->id);
		buf_addf(&p->why, "%s is in the source", found->value);
	}
	if (verdict_on(w, slice_str(found->value)) == HELD_APPROVED)
		p->state = WAVE_LIVE;
	else if (held_find(&w->held, slice_str(p->id)) != NULL)
		p->state = WAVE_WAITS;
	else
		buf_addf(&p->why, "%sthe source has it, and it is not held: \"firebreak publish\" says why", p->other ? "; " : "");
	return true;
}

/* A rule of the live generation that decides about all of P is enough: blocked already, or allowed by somebody. */
static bool
is_decided(const struct waves *w, struct proposal *p)
{
	struct host_match matches[MATCHES];
	const struct site *site = generation_site(w->rq->g);
	bool damaged, found = false;
	struct buf host;
	struct url url;
	size_t n;

	buf_init(&host, TEXT_MAX);
	buf_add_strs(&host, "x.", NULL);
	buf_add_slice(&host, p->range.domain);
	if (url_parse_authority(&url, buf_slice(&host)) == URL_OK) {
		n = generation_match(w->rq->g, &url, matches, MATCHES, &damaged);
		for (size_t i = 0; i < n && i < MATCHES && !found; i++) {
			struct rule rule;

			if (matches[i].path.len > 0 || matches[i].scope == SCOPE_EXACT ||
			    generation_rule(w->rq->g, matches[i].layer, matches[i].ref, NULL, &rule) == -1 || rule.kind != RULE_HOST ||
			    (rule.expires != 0 && rule.expires <= w->now) || (rule.action != RULE_ALLOW && rule.level < site->threshold))
				continue;
			found = rule.action == RULE_BLOCK || rule.action == RULE_ALLOW;
			if (found) {
				buf_addf(&p->why, "%s already by ", rule.action == RULE_BLOCK ? "blocked" : "allowed");
				rule.key.scope = matches[i].scope;
				rule.key.host = matches[i].host;
				rule_id_format(&rule, &p->why);
			}
		}
		url_fini(&url);
	}
	buf_fini(&host);
	return found;
}

/* P would refuse hosts of somebody who is known. */
static bool
is_somebodys(const struct waves *w, struct proposal *p)
{
	static const char *const whose[] = {
		[EXCUSE_NONE] = "a public suffix", [EXCUSE_OWN] = "the site's own", [EXCUSE_PARTNER] = "a partner's",
		[EXCUSE_FAMILY] = "a brand's own", [EXCUSE_INFRA] = "a place where machines make names",
		[EXCUSE_EMBEDS] = "excepted by the site", [EXCUSE_HOSTING] = "hosting that the site uses",
		[EXCUSE_PROXY] = "a library's proxy", [EXCUSE_BUCKET] = "shared storage", [EXCUSE_SHARED] = "shared hosting",
		[EXCUSE_POPULAR] = "known to everybody",
	};
	enum lookalike_excuse excuse;
	struct slice name;

	if (!lookalike_touches(w->log.lookalike, p->range.domain, &name, &excuse))
		return false;
	buf_addf(&p->why, "it touches %.*s, which is %s", SLICE_ARGS(name), whose[excuse]);
	return true;
}

/* Publish would leave P out. */
static bool
is_refused(const struct waves *w, struct proposal *p)
{
	struct rule rule = { .action = RULE_BLOCK, .kind = RULE_HOST, .source = SLICE(LINT_WAVES) };
	struct lint_finding found[LINT_CLASSES];
	struct rule_match match;
	char why[RULE_WHY];
	bool refused;
	size_t n, at;

	if (rule_match_parse(RULE_HOST, buf_slice(&p->value), &match, why, &at) == -1) {
		buf_add_str(&p->why, why);
		return true;
	}
	refused = lint_rule(w->lint, &rule, &match, found, &n) == LINT_REFUSE;
	for (size_t i = 0; i < n; i++)
		if (found[i].action == LINT_REFUSE) {
			lint_finding_format(&found[i], &p->why);
			break;
		}
	rule_match_fini(&match);
	return refused;
}

static void
look_at(struct waves *w, struct proposal *p)
{
	struct slice denied = denied_of(w, p);

	p->state = WAVE_PASSED;
	if (denied.len > 0) {
		p->state = WAVE_DENIED;
		if (!slice_eq(denied, buf_slice(&p->value)))
			buf_addf(&p->why, "%.*s was denied", SLICE_ARGS(denied));
	} else if (!is_somebodys(w, p) && !is_refused(w, p) && !is_in_source(w, p) && !is_decided(w, p)) {
		p->state = WAVE_NEW;
	}
}

/* ---- proposing ---- */

static void
add_note(const struct lookalike_wave *wave, struct buf *note)
{
	if (wave->targets > 1)
		buf_addf(note, "embeds %.*s and %zu other%s", SLICE_ARGS(wave->target), wave->targets - 1, show_s(wave->targets - 1));
	else
		buf_addf(note, "%zu hosts embed %.*s", wave->hosts, SLICE_ARGS(wave->target));
}

static void
add_proposal(struct waves *w, const struct lookalike_summary *s)
{
	struct proposal *p = &w->v[w->n++];

	p->s = s;
	p->range = (struct range){ s->wave.domain, s->wave.itself };
	buf_init(&p->value, TEXT_MAX);
	buf_init(&p->words, TEXT_MAX);
	buf_init(&p->note, TEXT_MAX);
	buf_init(&p->why, TEXT_MAX);
	buf_add_str(&p->value, s->wave.itself ? "." : "*.");
	buf_add_slice(&p->value, s->wave.domain);
	gate_words(RULE_BLOCK, RULE_HOST, buf_slice(&p->value), &p->words);
	held_id(slice_str(lint_class_name(LINT_WAVE)), SLICE(LINT_WAVES), buf_slice(&p->words), p->id);
	add_note(&s->wave, &p->note);
	look_at(w, p);
}

/* Put P's line into the text; one that has expired becomes a comment. */
static void
write_line(struct waves *w, struct proposal *p)
{
	const struct site *site = generation_site(w->rq->g);
	struct rule rule = { .action = RULE_BLOCK, .kind = RULE_HOST, .level = (uint8_t)site->lookalike_wave_level,
		.published = w->now, .source = SLICE(LINT_WAVES), .value = buf_slice(&p->value), .note = buf_slice(&p->note) };
	char label[EDIT_LABEL_MAX];
	uint32_t rev = 0;

	edit_remove(&w->edit, RULE_BLOCK, RULE_HOST, rule.value, (struct slice){ 0 }, w->now, &rev);
	edit_label(&w->edit, RULE_BLOCK, w->now, label);
	rule.label = slice_str(label);
	rule.rev = rev + 1;
	rule.expires = site->lookalike_wave_life == 0 ? 0 : w->now + site->lookalike_wave_life;
	source_format_exact(&rule, &w->edit.after);
	p->written = true;
}

/* Append the decision that lets P through. */
static int
approve(const struct waves *w, struct proposal *p, struct buf *text)
{
	char date[CLOCK_TEXT], who[WHO_MAX];
	struct held h = { .id = slice_str(p->id), .class = slice_str(lint_class_name(LINT_WAVE)), .source = SLICE(LINT_WAVES),
		.rule = buf_slice(&p->words) };

	clock_format_s(w->now, date);
	snprintf(who, sizeof(who), "uid=%ju", (uintmax_t)getuid());
	p->approved = true;
	return held_decide(&h, HELD_APPROVED, slice_str(date), slice_str(who), SLICE(APPLIED_NOTE), text);
}

/* Put lines and, into TEXT, decisions where they are to be.  How many there are of both. */
static size_t
prepare(struct waves *w, struct buf *text)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++) {
		struct proposal *p = &w->v[i];
		bool waits = p->state == WAVE_NEW || (p->state == WAVE_WAITS && !p->other);

		if (p->state == WAVE_NEW && !w->rq->dry_run) {
			write_line(w, p);
			n++;
		}
		if (waits && w->rq->mode == WAVES_APPLY && p->s->wave.refused && verdict_on(w, buf_slice(&p->value)) == HELD_WAITING) {
			approve(w, p, text);
			n++;
		}
	}
	return w->rq->dry_run ? 0 : n;
}

/* ---- doing it ---- */

/* What became of what was written. */
static void
look_again(struct waves *w)
{
	held_fini(&w->held);
	held_load(HELD_RULES, w->call->state, &w->held, w->diag);
	held_index(&w->held);
	for (size_t i = 0; i < w->n; i++) {
		struct proposal *p = &w->v[i];

		if (!p->written && !p->approved)
			continue;
		if (p->approved) {
			p->state = WAVE_APPLIED;
		} else if (verdict_on(w, buf_slice(&p->value)) == HELD_APPROVED) {
			p->state = WAVE_APPLIED;
			buf_add_str(&p->why, "it was approved before");
		} else if (held_find(&w->held, slice_str(p->id)) != NULL) {
			p->state = WAVE_PROPOSED;
		} else {
			p->state = WAVE_PASSED;
			buf_add_str(&p->why, "it is in the source and not held");
		}
	}
}

static int
put_back(const char *path, bool is_new, const struct buf *before)
{
	return is_new ? unlink(path) : file_write(path, buf_slice(before), DECISIONS_MODE);
}

/* Write the source and, when something was decided, STATE/approved at PATH, which goes from BEFORE to AFTER; make both live, or
 * change nothing. */
static int
make_live(struct waves *w, const char *path, bool is_new, const struct buf *before, const struct buf *after)
{
	struct live_request rq = live_request(w->call);
	bool decides = false;
	int status;

	for (size_t i = 0; i < w->n; i++)
		decides |= w->v[i].approved;

	rq.quiet = w->rq->json || !decides;
	/* Lines that have expired are meant to go. */
	rq.options.shrinks = true;
	if (decides && (after->failed || file_write(path, buf_slice(after), DECISIONS_MODE) == -1)) {
		diag_add(w->diag, DIAG_ERROR, path, 0, 0, "%s", after->failed ? "there is no room for it" : strerror(errno));
		return EXIT_TROUBLE;
	}
	fflush(stdout);
	status = edit_live_as(w->call, &w->edit, rq, w->diag);
	if (status == EXIT_TROUBLE && decides && put_back(path, is_new, before) == -1)
		diag_add(w->diag, DIAG_ERROR, path, 0, 0, "%s", strerror(errno));
	if (status != EXIT_TROUBLE)
		look_again(w);
	return status;
}

/* Decide about all summaries by what the source and STATE/approved say now, and write. */
static int
act(struct waves *w, size_t n_summaries, const char *path)
{
	struct source_defaults defaults = { .now = w->now };
	struct buf before, after;
	bool is_new;
	int status = EXIT_FINE;

	buf_init(&before, DECISIONS_MAX);
	buf_init(&after, DECISIONS_MAX);
	is_new = file_read(path, &before) == -1 && errno == ENOENT;
	buf_add_slice(&after, buf_slice(&before));
	source_parse(w->edit.path, SLICE(LINT_WAVES), buf_slice(&w->edit.before), &defaults, take_line, w, NULL);
	for (size_t i = 0; i < n_summaries; i++)
		if (w->summaries[i].wave.found)
			add_proposal(w, &w->summaries[i]);
	held_continue(&after);
	if (w->failed || before.failed) {
		diag_error(w->diag, "out of memory");
		status = EXIT_TROUBLE;
	} else if (prepare(w, &after) > 0) {
		status = make_live(w, path, is_new, &before, &after);
	}
	buf_fini(&before);
	buf_fini(&after);
	return status;
}

/* What publish asks, but for protect rules: those are among the names of the lookalikes.  What is missing publish says. */
static int
open_lint(struct waves *w)
{
	struct lint_options options = { .site = generation_site(w->rq->g), .lists = w->call->lists };

	options.suffixes = w->suffixes = public_suffixes_load(PUBLIC_SUFFIX_FILE, NULL);
	if ((w->lint = lint_new(&options, NULL)) != NULL)
		return 0;
	diag_error(w->diag, "out of memory");
	return -1;
}

/* Under the lock, so that nobody publishes, edits or decides between reading and writing. */
static int
act_locked(struct waves *w, size_t n_summaries)
{
	char path[STATE_PATH], sources[STATE_PATH];
	int lock = -1, status = EXIT_TROUBLE;

	if (call_path(w->call, STATE_APPROVED, path) == -1 || call_path(w->call, STATE_SOURCES, sources) == -1)
		return EXIT_TROUBLE;
	if (!w->rq->dry_run && (state_make(w->call->state) == -1 || (lock = state_lock(w->call->state)) == -1))
		return call_fail(w->call, "%s: %s", w->call->state, strerror(errno));
	if (edit_open(&w->edit, sources, SLICE(LINT_WAVES), w->diag) == 0 && open_lint(w) == 0 &&
	    held_load(HELD_RULES, w->call->state, &w->held, w->diag) == 0 &&
	    held_load(HELD_DECISIONS, w->call->state, &w->decisions, w->diag) == 0) {
		held_index(&w->held);
		held_index(&w->decisions);
		status = act(w, n_summaries, path);
	}
	if (lock != -1)
		close(lock);
	return status;
}

/* ---- telling ---- */

static bool
is_fresh(const struct proposal *p)
{
	return p->state == WAVE_NEW || p->state == WAVE_PROPOSED || p->state == WAVE_APPLIED;
}

static json_t *
json_proposal(const struct proposal *p)
{
	json_t *j = json_object();

	json_object_set_new(j, "state", json_string(state_names[p->state]));
	json_object_set_new(j, "rule", show_json_text(buf_slice(&p->words)));
	json_object_set_new(j, "id", json_string(p->id));
	json_object_set_new(j, "note", show_json_text(buf_slice(&p->note)));
	json_object_set_new(j, "registrable", show_json_text(p->s->registrable));
	json_object_set_new(j, "target", show_json_text(p->s->wave.target));
	show_json_number(j, "targets", p->s->wave.targets);
	show_json_number(j, "hosts", p->s->wave.hosts);
	show_json_number(j, "clients", p->s->clients);
	if (p->why.len > 0)
		json_object_set_new(j, "why", show_json_text(buf_slice(&p->why)));
	return j;
}

static void
print_proposal(const struct proposal *p)
{
	printf("%s: ", state_names[p->state]);
	show_text(stdout, buf_slice(&p->value));
	putchar(' ');
	show_text(stdout, buf_slice(&p->note));
	printf("; %zu host%s, %zu client%s", p->s->wave.hosts, show_s(p->s->wave.hosts), p->s->clients, show_s(p->s->clients));
	if (p->why.len > 0) {
		fputs("; ", stdout);
		show_text(stdout, buf_slice(&p->why));
	}
	putchar('\n');
	if (p->state == WAVE_PROPOSED || p->state == WAVE_WAITS)
		printf("  firebreak approve %s, or firebreak deny %s\n", p->id, p->id);
}

/* Print all; whether somebody has to decide. */
static int
print_all(const struct waves *w)
{
	json_t *array = w->rq->json ? json_array() : NULL;
	int status = EXIT_FINE;

	for (size_t i = 0; i < w->n; i++) {
		const struct proposal *p = &w->v[i];

		if (p->state == WAVE_PROPOSED || p->state == WAVE_WAITS || p->state == WAVE_NEW)
			status = EXIT_FOUND;
		if (w->rq->fresh && !is_fresh(p))
			continue;
		if (array != NULL)
			json_array_append_new(array, json_proposal(p));
		else
			print_proposal(p);
	}
	if (array != NULL)
		return show_json(array, true) == -1 ? EXIT_TROUBLE : status;
	if (w->n == 0 && !w->rq->fresh)
		puts("no waves");
	return status;
}

static void
fini(struct waves *w)
{
	for (size_t i = 0; i < w->n; i++) {
		buf_fini(&w->v[i].value);
		buf_fini(&w->v[i].words);
		buf_fini(&w->v[i].note);
		buf_fini(&w->v[i].why);
	}
	for (size_t i = 0; i < w->n_lines; i++)
		free(w->lines[i].value);
	free(w->lines);
	free(w->v);
	free(w->summaries);
	held_fini(&w->held);
	held_fini(&w->decisions);
	lint_free(w->lint);
	public_suffixes_free(w->suffixes);
	edit_fini(&w->edit);
	lookalike_log_fini(&w->log);
}

int
lookalike_waves(const struct call *c, const struct waves_request *rq, struct diag *diag)
{
	struct waves w = { .call = c, .rq = rq, .diag = diag, .now = clock_ms() / SECOND_MS };
	int status = EXIT_TROUBLE, printed;
	size_t n = 0;

	w.log = (struct lookalike_log){ .lookalike = generation_lookalike(rq->g), .since_ms = rq->since_ms };
	site_lookalike_levels(generation_site(rq->g), &w.log.levels);
	if (lookalike_log_read(&w.log, rq->events, diag) == 0) {
		if (lookalike_log_sum(&w.log, &w.summaries, &n) == -1 || (w.v = calloc(n + 1, sizeof(*w.v))) == NULL)
			diag_error(diag, "out of memory");
		else
			status = act_locked(&w, n);
	}
	if (status != EXIT_TROUBLE) {
		printed = print_all(&w);
		status = w.log.unread > 0 || printed == EXIT_TROUBLE ? EXIT_TROUBLE : printed > status ? printed : status;
	}
	fini(&w);
	return status;
}
