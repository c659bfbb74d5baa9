/* lint.h - what a rule must hardly ever do, asked before it is published, of every source alike.
 *
 * A struct lint is built once from what the site says and from lists, then never changes; threads may share it.  Judging a
 * rule is pure and allocates nothing, so that a feed of millions can be asked about rule by rule.  Whoever asks decides what
 * an action means: publish (gate.h) makes an error of "refuse", or leaves a feed's row out, leaves out and lists what is to be
 * held, and warns. */
#ifndef RULESET_LINT_H
#define RULESET_LINT_H

#include "ruleset/rule.h"
#include "ruleset/site.h"
#include "url_rules/psl.h"

enum lint_class {
	LINT_PUBLIC_SUFFIX,	/* a block that covers a public suffix (".com", "*.co.uk") */
	LINT_OWN_DOMAIN,	/* ... a domain of OwnDomains, what is below it, or what it lies in */
	LINT_PROTECTED,		/* ... the same of a protect rule */
	LINT_ADDRESS,		/* ... an address or name that is no server's on the Internet: private, local, reserved */
	LINT_TOP_SITE,		/* ... a site that everybody uses */
	LINT_TRIVIAL_DIGEST,	/* the digest of the empty file, or of another that is everywhere */
	LINT_COMMON_NAME,	/* files of any size by a name that ordinary files have */
	LINT_SHARED_HOST,	/* a block of all of a host that strangers share, where a path is meant */
	LINT_SHRANK,		/* a list of which at most half is left */
	LINT_GREW,		/* a list that is ten times what it was */
	LINT_WAVE,		/* a rule of LINT_WAVES, which nobody wrote: always held */
	LINT_BUDGET,		/* a rule that would block what people asked for, of a source that is over RehearseBudget: always held */
	LINT_CLASSES
};

/* In the order of the words of policy.def, and of their weight. */
enum lint_action { LINT_IGNORE, LINT_WARN, LINT_HOLD, LINT_REFUSE };

struct lint_finding {
	enum lint_class	 class;
	enum lint_action action;	/* never LINT_IGNORE */
	struct slice	 name;		/* what is touched: borrowed from the lint, or from the match that was judged; the note of a
					 * rule that is a proposal, borrowed from it */
	const char	*what;		/* what NAME is, where the class does not say it; lasts */
	size_t		 before, now;	/* of a list: its rules */
};

struct lint_options {
	const struct site		*site;		/* NULL: the defaults of policy.def */
	const struct public_suffixes	*suffixes;	/* borrowed; NULL: the question is not asked */
	const struct slice		*protected;	/* canonical domains of protect rules; copied */
	size_t				 n_protected;
	const char			*lists;		/* folder of LINT_TOP_SITES and LINT_SHARED_HOSTS; NULL: only
							   those that SITE names are read */
};

/* Where the lists of this version are installed, and their names there. */
#define LINT_FOLDER		FIREBREAK_DATA
#define LINT_TOP_SITES		"top-sites.txt"
#define LINT_SHARED_HOSTS	"shared-hosting.txt"

/* The source of what "firebreak lookalike waves" proposes.  Nobody wrote its rules: each is held (LINT_WAVE), and whatever else
 * there is to say of it, unless it is ignored, refuses it. */
#define LINT_WAVES		"waves"

/* What judges by OPTIONS.  A list that cannot be read is a warning in DIAG: its question is then not asked, and a bad line of one
 * is a warning, too.  NULL with an error in DIAG: out of memory, or a list's path that is not absolute.  The caller's:
 * lint_free(). */
struct lint;
struct lint *lint_new(const struct lint_options *options, struct diag *diag);

/* NULL is fine. */
void lint_free(struct lint *lint);

/* Judge RULE, taken apart in MATCH.  All findings into OUT, at most one a class, *N of them; the result is the heaviest action,
 * LINT_IGNORE when there is none.  Only block rules have findings, and a URL rule that is not for all pages has none about
 * whose host it is. */
enum lint_action lint_rule(const struct lint *lint, const struct rule *rule, const struct rule_match *match,
    struct lint_finding out[static LINT_CLASSES], size_t *n);

/* Judge a list that had BEFORE rules (0: it is new) and now has NOW.  Lists of less than LINT_LIST_MIN are too small for it.
 * OUT is set when the result is not LINT_IGNORE. */
enum { LINT_LIST_MIN = 100, LINT_SHRANK_BY = 2, LINT_GREW_BY = 10 };
enum lint_action lint_growth(const struct lint *lint, size_t before, size_t now, struct lint_finding *out);

/* Append a sentence: what is wrong, and what to do.  -1 when it did not fit. */
int lint_finding_format(const struct lint_finding *finding, struct buf *out);

/* The same as a finding of LEVEL at FILE:LINE in DIAG; FILE may be NULL. */
void lint_finding_report(const struct lint_finding *finding, enum diag_level level, const char *file, unsigned line,
    struct diag *diag);

/* "public_suffix": as in the options, without "lint_". */
const char *lint_class_name(enum lint_class class);

#endif
