/* gate.h - what publish asks of every rule: lint's judgement, and what people decided about what lint holds.
 *
 * It turns actions into deeds: "refuse" is an error, or of a feed's row a warning, and the row is left out; "warn" is a warning;
 * "hold" leaves the rule out and lists it in STATE/held until somebody approves or denies it.  One thread, under the publish
 * lock. */
#ifndef RULESET_GATE_H
#define RULESET_GATE_H

#include "ruleset/held.h"
#include "ruleset/lint.h"
#include "ruleset/sources.h"

struct gate_options {
	const char		*state;		/* the state folder, for STATE/held and STATE/approved */
	struct lint_options	 lint;
	int64_t			 now;		/* seconds */
	const struct held_list	*budget;	/* rules that are to be held as LINT_BUDGET, with why, by held_index(); NULL: none */
	const struct source_list *sources;	/* whose lines in sources.conf may have a budget= of their own; NULL: none has */
};

struct gate_counts {
	size_t	held;		/* rules left out until somebody decides */
	size_t	denied;		/* rules left out because somebody denied them */
	size_t	approved;	/* rules that are let through because somebody approved them */
	size_t	warned;		/* findings */
	size_t	refused;	/* rules: each an error, or of a feed left out */
};

struct gate;

/* A gate by OPTIONS, of which STATE is borrowed.  NULL with an error in DIAG: no memory, a bad line in STATE/approved.  The
 * caller's: gate_close(). */
struct gate *gate_open(const struct gate_options *options, struct diag *diag);

/* NULL is fine. */
void gate_close(struct gate *gate);

/* Append the three words that STATE/held has for a rule: "block host .a.example"; a blank in the value becomes \x20. */
int gate_words(enum rule_action action, enum rule_kind kind, struct slice value, struct buf *out);

/* What was held as LINT_BUDGET stays that, or denied, until somebody decides otherwise, also when nobody asks a log again; unless
 * neither the site has a RehearseBudget any more nor its line in sources.conf a budget=.
 *
 * May RULE, at FILE:LINE, be published?  False when it is refused (an error in DIAG says why), held or denied.  Of findings of one
 * class in one file the first GATE_SHOWN warnings are told, the rest counted.  FILE is borrowed until gate_close(). */
enum { GATE_SHOWN = 20 };
enum { GATE_HELD = 1000 };	/* rules of one source that are listed; what is more is left out as well, and counted */
bool gate_admit(struct gate *gate, const struct rule *rule, const struct rule_match *match, const char *file, unsigned line,
    struct diag *diag);

/* May the list SOURCE, read from FILE whose content has STAMP, that had BEFORE rules take effect with NOW?  As gate_admit(); what
 * is held is then the list as a whole, in this state. */
bool gate_admit_list(struct gate *gate, struct slice source, const char *file, uint64_t stamp, size_t before, size_t now,
    struct diag *diag);

/* SOURCE was not read again: what was held of it still is.  -1 with an error in DIAG. */
int gate_keep(struct gate *gate, struct slice source, struct diag *diag);

/* Say in DIAG how many warnings were not told one by one.  After the last rule. */
void gate_finish(struct gate *gate, struct diag *diag);

/* What was decided so far. */
struct gate_counts gate_counted(const struct gate *gate);

/* Write STATE/held: what is held now, each with the date since when; no file when that is nothing.  -1 with an error in DIAG. */
int gate_write_held(struct gate *gate, struct diag *diag);

#endif
