#include "ruleset/gate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "ruleset/source_line.h"
#include "runtime/state.h"

enum { MODE_HELD = 0640, HELD_ROOM = 1 << 30, RULE_ROOM = 1 << 20, SENTENCE_ROOM = 4096 };

struct gate {
	const char		*state;
	struct lint		*lint;
	struct held_list	 before;	/* what waited until now, for its dates */
	struct held_list	 decisions;
	struct held_list	 held;
	struct gate_counts	 counts;
	char			 today[CLOCK_TEXT];
	const char		*file;		/* whose warnings SHOWN counts */
	size_t			 shown[LINT_CLASSES];
	size_t			 untold;
	const struct held_list	*budget;	/* NULL */
	bool			 has_budget;	/* the site has one */
	const struct source_list *sources;	/* NULL */
	struct slice		 weighed;	/* the source that was asked about last, and whether anything of it is over the budget */
	bool			 is_over;
	struct slice		 holding;	/* the source that rules were held of last, and how many; the caller's text */
	size_t			 n_holding, unlisted;
};

struct gate *
gate_open(const struct gate_options *options, struct diag *diag)
{
	struct gate *gate = calloc(1, sizeof(*gate));
	int before, decisions;

	if (gate == NULL) {
		diag_error(diag, "out of memory");
		return NULL;
	}
	gate->state = options->state;
	gate->budget = options->budget;
	gate->sources = options->sources;
	gate->has_budget = options->lint.site != NULL && options->lint.site->rehearse_budget > 0;
	clock_format_s(options->now, gate->today);
	before = held_load(HELD_RULES, options->state, &gate->before, diag);
	decisions = held_load(HELD_DECISIONS, options->state, &gate->decisions, diag);
	held_index(&gate->before);
	held_index(&gate->decisions);
	gate->lint = lint_new(&options->lint, diag);
	if (gate->lint != NULL && before == 0 && decisions == 0)
		return gate;
	gate_close(gate);
	return NULL;
}

void
gate_close(struct gate *gate)
{
	if (gate == NULL)
		return;
	lint_free(gate->lint);
	held_fini(&gate->before);
	held_fini(&gate->decisions);
	held_fini(&gate->held);
	free(gate);
}

/* ---- telling ---- */

/* A feed with thousands of findings must not hide those of others. */
static bool
is_told(struct gate *gate, enum lint_class class, const char *file)
{
	if (gate->file == NULL || strcmp(gate->file, file) != 0)
		memset(gate->shown, 0, sizeof(gate->shown));
	gate->file = file;
	if (gate->shown[class]++ < GATE_SHOWN)
		return true;
	gate->untold++;
	return false;
}

void
gate_finish(struct gate *gate, struct diag *diag)
{
	if (gate->untold > 0)
		diag_add(diag, DIAG_WARNING, NULL, 0, 0, "%zu more warnings of these kinds are not shown; all rules that are held are "
		    "listed by \"firebreak held\"", gate->untold);
	if (gate->unlisted > 0)
		diag_add(diag, DIAG_WARNING, NULL, 0, 0, "%zu more rules are held than the %d of each source that \"firebreak held\" lists: set "
		    "the class to warn or ignore if the source is right", gate->unlisted, GATE_HELD);
	gate->untold = gate->unlisted = 0;
}

struct gate_counts
gate_counted(const struct gate *gate)
{
	return gate->counts;
}

/* ---- holding ---- */

/* What is judged: a rule or a list, and where it stands. */
struct candidate {
	struct slice	 source;
	struct slice	 words;		/* "block host .a.example" */
	const char	*file;
	unsigned	 line;
	struct diag	*diag;
	bool		 is_row;	/* of a feed, or a proposal: what is refused is left out, and the others are used */
};

static enum held_verdict
verdict_on(const struct gate *gate, const struct candidate *c, enum lint_class class)
{
	const struct held *decision = held_match(&gate->decisions, slice_str(lint_class_name(class)), c->source, c->words);

	return decision == NULL ? HELD_WAITING : decision->verdict;
}

static void
hold(struct gate *gate, const struct candidate *c, const struct lint_finding *f)
{
	struct slice class = slice_str(lint_class_name(f->class));
	const struct held *since = held_match(&gate->before, class, c->source, c->words);
	struct slice date = since != NULL ? since->date : slice_str(gate->today);
	char id[HELD_ID], space[SENTENCE_ROOM];
	struct buf text;

	if (!slice_eq(c->source, gate->holding)) {
		gate->holding = c->source;
		gate->n_holding = 0;
	}
	if (gate->n_holding++ >= GATE_HELD) {
		gate->unlisted++;
		return;
	}
	held_id(class, c->source, c->words, id);
	buf_init_in(&text, space, sizeof(space), sizeof(space));
	lint_finding_format(f, &text);
	if (held_add(&gate->held, date, class, c->source, c->words, buf_slice(&text)) == -1)
		diag_add(c->diag, DIAG_ERROR, c->file, c->line, 0, "out of memory");
	else if (is_told(gate, f->class, c->file))
		diag_add(c->diag, DIAG_WARNING, c->file, c->line, 0, "held, not published: %.*s; \"firebreak approve %s\" if it "
		    "is right as it is", SLICE_ARGS(buf_slice(&text)), id);
	buf_fini(&text);
}

/* Of findings that hold, one denied decides; else all must be approved. */
static bool
pass_held(struct gate *gate, const struct candidate *c, const struct lint_finding *v, size_t n)
{
	enum held_verdict verdicts[LINT_CLASSES];
	size_t waiting = 0, denied = 0;

	for (size_t i = 0; i < n; i++) {
		verdicts[i] = v[i].action == LINT_HOLD ? verdict_on(gate, c, v[i].class) : HELD_APPROVED;
		waiting += verdicts[i] == HELD_WAITING;
		denied += verdicts[i] == HELD_DENIED;
	}
	gate->counts.denied += denied > 0;
	gate->counts.held += denied == 0 && waiting > 0;
	gate->counts.approved += denied == 0 && waiting == 0;
	for (size_t i = 0; denied == 0 && i < n; i++)
		if (verdicts[i] == HELD_WAITING)
			hold(gate, c, &v[i]);
	return denied == 0 && waiting == 0;
}

static void
warn(struct gate *gate, const struct candidate *c, const struct lint_finding *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].action == LINT_WARN) {
			gate->counts.warned++;
			if (is_told(gate, v[i].class, c->file))
				lint_finding_report(&v[i], DIAG_WARNING, c->file, c->line, c->diag);
		}
}

/* A row of a feed, or what nobody wrote, is left out; anybody else's line is an error. */
static void
refuse(struct gate *gate, const struct candidate *c, const struct lint_finding *f)
{
	char space[SENTENCE_ROOM];
	struct buf text;

	if (!c->is_row) {
		lint_finding_report(f, DIAG_ERROR, c->file, c->line, c->diag);
		return;
	}
	if (!is_told(gate, f->class, c->file))
		return;
	buf_init_in(&text, space, sizeof(space), sizeof(space));
	lint_finding_format(f, &text);
	diag_add(c->diag, DIAG_WARNING, c->file, c->line, 0, "left out: %.*s", SLICE_ARGS(buf_slice(&text)));
	buf_fini(&text);
}

/* Do what the heaviest of findings asks for.  Who is refused or denied need not be warned as well. */
static bool
act(struct gate *gate, const struct candidate *c, const struct lint_finding *v, size_t n, enum lint_action heaviest)
{
	if (heaviest == LINT_REFUSE) {
		gate->counts.refused++;
		for (size_t i = 0; i < n; i++)
			if (v[i].action == LINT_REFUSE)
				refuse(gate, c, &v[i]);
		return false;
	}
	if (heaviest == LINT_HOLD && !pass_held(gate, c, v, n))
		return false;
	warn(gate, c, v, n);
	return true;
}

int
gate_words(enum rule_action action, enum rule_kind kind, struct slice value, struct buf *out)
{
	struct slice part;
	bool more;

	buf_add_strs(out, rule_action_name(action), " ", rule_kind_name(kind), " ", NULL);
	do {
		more = slice_cut(value, ' ', &part, &value);
		buf_add_escaped(out, part);
		if (more)
			buf_add_str(out, "\\x20");
	} while (more);
	return out->failed ? -1 : 0;
}

/* ---- the budget ---- */

static bool
has_budget_line(const struct held_list *list, struct slice source)
{
	struct slice class = slice_str(lint_class_name(LINT_BUDGET));

	for (size_t i = 0; list != NULL && i < list->n; i++)
		if (slice_eq(list->v[i].class, class) && slice_eq(list->v[i].source, source))
			return true;
	return false;
}

/* What sources.conf says of a source has a budget=, other than 0.  Whoever reads feeds has said what is wrong there. */
static bool
says_budget(struct slice settings)
{
	struct source_line line;
	uint64_t number;
	bool found = false;

	source_line_init(&line);
	if (source_line_split(&line, "", 0, settings, NULL) == 0)
		for (size_t i = 0; i < line.n; i++)
			found = found || (slice_eq(line.words[i].key, SLICE("budget")) &&
			    (slice_u64(line.words[i].value, &number) == -1 || number > 0));
	source_line_fini(&line);
	return found;
}

/* There is a budget for SOURCE: the site's, or its own. */
static bool
has_budget(const struct gate *gate, struct slice source)
{
	bool found = gate->has_budget;

	for (size_t i = 0; !found && gate->sources != NULL && i < gate->sources->n; i++)
		found = slice_eq(gate->sources->files[i].name, source) && says_budget(gate->sources->files[i].settings);
	return found;
}

/* Some rule of SOURCE may be over the budget: a feed is not to pay for others' rules. */
static bool
may_be_over(struct gate *gate, struct slice source)
{
	if (!slice_eq(gate->weighed, source)) {
		gate->weighed = source;
		gate->is_over = (has_budget_line(gate->budget, source) || has_budget_line(&gate->before, source) ||
		    has_budget_line(&gate->decisions, source)) && has_budget(gate, source);
	}
	return gate->is_over;
}

/* Why the rule that C is is over the budget: now, when it was held, or when it was denied.  Empty when it is not. */
static struct slice
over_budget(const struct gate *gate, const struct candidate *c)
{
	struct slice class = slice_str(lint_class_name(LINT_BUDGET));
	const struct held *h = gate->budget == NULL ? NULL : held_match(gate->budget, class, c->source, c->words);

	if (h == NULL)
		h = held_match(&gate->before, class, c->source, c->words);
	if (h != NULL)
		return h->text;
	h = held_match(&gate->decisions, class, c->source, c->words);
	return h != NULL && h->verdict == HELD_DENIED ? SLICE("it was denied as over the budget") : (struct slice){ 0 };
}

bool
gate_admit(struct gate *gate, const struct rule *rule, const struct rule_match *match, const char *file, unsigned line,
    struct diag *diag)
{
	struct candidate c = { .source = rule->source, .file = file, .line = line, .diag = diag,
		.is_row = (rule->line == 0 && rule->label.len == 0) || slice_eq(rule->source, SLICE(LINT_WAVES)) };
	struct lint_finding v[LINT_CLASSES];
	enum lint_action heaviest;
	bool weighed = rule->action == RULE_BLOCK && may_be_over(gate, rule->source), admitted;
	struct slice why = { 0 };
	struct buf words, value;
	size_t n;

	heaviest = lint_rule(gate->lint, rule, match, v, &n);
	if (heaviest == LINT_IGNORE && !weighed)
		return true;
	buf_init(&words, RULE_ROOM);
	buf_init(&value, RULE_ROOM);
	rule_match_format(rule->kind, match, &value);
	gate_words(rule->action, rule->kind, buf_slice(&value), &words);
	c.words = buf_slice(&words);
	if (weighed && (why = over_budget(gate, &c)).len > 0) {
		v[n++] = (struct lint_finding){ .class = LINT_BUDGET, .action = LINT_HOLD, .name = why };
		heaviest = heaviest > LINT_HOLD ? heaviest : LINT_HOLD;
	}
	admitted = heaviest == LINT_IGNORE || act(gate, &c, v, n, heaviest);
	buf_fini(&value);
	buf_fini(&words);
	return admitted;
}

bool
gate_admit_list(struct gate *gate, struct slice source, const char *file, uint64_t stamp, size_t before, size_t now,
    struct diag *diag)
{
	struct candidate c = { .source = source, .file = file, .diag = diag };
	struct lint_finding finding;
	enum lint_action heaviest = lint_growth(gate->lint, before, now, &finding);
	char words[sizeof("replace list ::") + 3 * DIGITS_MAX];

	snprintf(words, sizeof(words), "replace list %zu:%zu:%016" PRIx64, before, now, stamp);
	c.words = slice_str(words);
	return heaviest == LINT_IGNORE || act(gate, &c, &finding, 1, heaviest);
}

int
gate_keep(struct gate *gate, struct slice source, struct diag *diag)
{
	for (size_t i = 0, n = 0; i < gate->before.n && n < GATE_HELD; i++) {
		const struct held *h = &gate->before.v[i];

		if (!slice_eq(h->source, source))
			continue;
		gate->counts.held++;
		n++;
		if (held_add(&gate->held, h->date, h->class, h->source, h->rule, h->text) == -1) {
			diag_error(diag, "out of memory");
			return -1;
		}
	}
	return 0;
}

/* ---- STATE/held ---- */

static int
write_held(struct gate *gate, const char *path)
{
	struct buf text;
	int result;

	held_arrange(&gate->held);
	buf_init(&text, HELD_ROOM);
	errno = ENOMEM;
	result = held_format(&gate->held, &text) == -1 ? -1 : file_write(path, buf_slice(&text), MODE_HELD);
	buf_fini(&text);
	return result;
}

int
gate_write_held(struct gate *gate, struct diag *diag)
{
	char path[STATE_PATH];
	int result;

	if (state_path(gate->state, STATE_HELD, path) == -1)
		result = -1;
	else if (gate->held.n > 0)
		result = write_held(gate, path);
	else
		result = unlink(path) == -1 && errno != ENOENT ? -1 : 0;
	if (result == -1)
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", strerror(errno));
	return result;
}
