/* judge.h - the decision: pure, without a clock, a lock or a log.
 *
 *	question, generation --> verdict, and why: the rule, and the steps that led to it
 *
 * The same functions serve the service, "firebreak check" and the tests.  Precedence is that of
 * rules(5): what is expired or below the threshold is dropped (and remembered as would_block), and what an exception is from; then
 * local allow > URL prefix (longest) > path pattern > exact host > domain (longest) > network (longest); at
 * equal specificity allow beats block; but nobody else's allow overrules a block of the site's own.  Files are judged apart:
 * file allow > file block, with the same exception.  Where no rule decides a request, its host may look like a protected domain
 * (url_rules/lookalike.h): that is asked last, and never over an allow. */
#ifndef JUDGE_JUDGE_H
#define JUDGE_JUDGE_H

#include "base/buf.h"
#include "base/digest.h"
#include "inspect/file_type.h"
#include "inspect/inspector.h"
#include "judge/range.h"
#include "ruleset/generation.h"
#include "url_rules/file_name.h"
#include "url_rules/url.h"

enum verdict { VERDICT_PASS, VERDICT_BLOCK };

/* Words of event.reason; the order is that of reason_name(). */
enum reason {
	REASON_NONE,
	REASON_HOST,		/* a host rule */
	REASON_URL,		/* a URL prefix rule */
	REASON_PATH,		/* a path pattern */
	REASON_ADDRESS,		/* an address or network rule */
	REASON_LOOKALIKE,	/* a host that looks like a protected domain */
	REASON_FILE,		/* size and digest of a listed file */
	REASON_FILE_NAME,	/* the name of one, and its size where the rule has one */
	REASON_FILE_AGAIN,	/* the URL of a kill, with its length: the retry */
	REASON_PARTIAL,		/* a part of a body whose whole length is listed: nothing to hash */
	REASON_NO_RULES,	/* no generation could be loaded */
	REASON_ODD_HOST,	/* nobody can say what the request's host looks like */
	REASON_BAD_URL,		/* the request's URL could not be understood */
	REASON_DAMAGED,		/* a segment did not hold together where it was read */
	REASON_UNSCANNABLE,	/* a body that could not be looked into */
	REASON_LIMIT,		/* a regular expression took too long for this URL */
	REASON_NO_MEMORY,
	REASONS
};
const char *reason_name(enum reason r);		/* "host", "url", "path", "address", "file", "file-name", "partial", "no-rules", ... */

/* REASON says that something could not be checked, and the fail mode decided. */
bool reason_unchecked(enum reason r);

enum { STEPS_MAX = 16 };

enum step_kind { STEP_RULE, STEP_NO_RULE, STEP_LOOKALIKE, STEP_FILE, STEP_NO_FILE, STEP_UNSCANNABLE, STEP_UNCHECKED };
enum step_result { STEP_DECIDES, STEP_EXPIRED, STEP_BELOW_THRESHOLD, STEP_EXCEPTED, STEP_OVERRULED, STEP_PLAIN };

/* One thing that was looked at. */
struct step {
	enum step_kind	 kind;
	enum step_result result;
	unsigned	 layer;		/* and row, of the rule, for STEP_RULE and STEP_FILE */
	uint32_t	 ref;
	enum rule_kind	 rule_kind;
	struct rule_key	 key;		/* borrowed from the question or the facts */
	enum reason	 reason;
	enum unscannable unscannable;	/* for STEP_UNSCANNABLE */
};

struct why {
	enum verdict	 verdict;
	enum reason	 reason;	/* REASON_NONE on a plain pass */
	bool		 has_rule;	/* RULE decided (an allow rule may decide a pass) */
	struct rule	 rule;		/* borrowed from the generation, the question or the facts, and this struct */
	bool		 would_block;	/* passed, but WOULD names a rule that was below the threshold, or LOOKALIKE was found */
	struct rule	 would;
	struct lookalike_finding lookalike;	/* for REASON_LOOKALIKE and its step; borrowed likewise */
	enum reason	 would_reason;
	bool		 warns;		/* LOOKALIKE is one to warn of; WOULD_BLOCK says so to whoever cannot */
	bool		 excepted;	/* a block did not count because of an exception: others may not get the same */
	bool		 files_exempt;	/* an allow rule with files=yes decided: bodies are not judged */
	struct step	 steps[STEPS_MAX];
	size_t		 n_steps, steps_lost;
	char		 rule_name[RULE_NAME_MAX], would_name[RULE_NAME_MAX];	/* what the rules' names are put together in */
};

/* Everything unset: a plain pass.  A struct why is not to be copied once it has a rule. */
void why_init(struct why *why);

struct question {
	const struct url *url;		/* NULL: could not be parsed, URL_ERROR says why */
	enum url_error	 url_error;
	int64_t		 now;		/* seconds */
	const struct asker *asker;	/* for exceptions; NULL: nobody known */
	bool		 (*is_known)(void *arg, struct slice registrable);	/* people here have gone there for days; NULL: who knows */
	void		*arg;		/* of IS_KNOWN */
};

/* The rule that decided or, when nothing was refused, would have; NULL when there is none. */
const struct rule *why_rule(const struct why *why);

/* The reason or, when nothing was refused, what would have been one. */
enum reason why_reason(const struct why *why);

/* Judge a request by G; a G of NULL is "no rules", and FAIL_MODE then decides. */
void judge_request(const struct generation *g, int fail_mode, const struct question *q, struct why *why);

/* ---- bodies ---- */

enum { LENGTH_UNKNOWN = -1, STATUS_PARTIAL = 206 };	/* RFC 9110 15.3.7 */

/* What the head of a response says, or of a request with a body; a request has no status and no complete length. */
struct body_head {
	bool		 has_body;
	int		 status;
	int64_t		 content_length;	/* as sent, or LENGTH_UNKNOWN */
	int64_t		 complete_length;	/* of a 206: from Content-Range, or LENGTH_UNKNOWN */
	struct codings	 codings;
	struct multipart_boundary boundary;		/* of a request only */
	bool		 claims_file;		/* type, name or disposition say that it is to be kept or run */
	struct part	 part;			/* of a 206 */
	const struct file_names	*names;		/* that the file would get; NULL: not asked for, as nothing goes by a name */
};

enum plan_action {
	PLAN_PASS,		/* no rule can match: not one body byte is needed */
	PLAN_INSPECT,		/* look at it, hold it back */
	PLAN_REFUSE,		/* a part of a body that may be listed: judge/range.h */
};

struct inspect_plan {
	enum plan_action action;
	const char	*because;	/* a few plain words, static */
	bool		 left_out;	/* passed for its type alone (HashTypes) */
	bool		 named;		/* a rule goes by a name of it */
	struct inspect_wish wish;	/* for PLAN_INSPECT; its callback is still to be set */
};

/* The outcome depends on the type of the body's first bytes; when not, judge_plan() may be asked with any. */
bool judge_wants_type(const struct generation *g, const struct body_head *head);

/* What is worth inspecting, of a body whose first (decoded) bytes are of TYPE: the size-first question.  Pure; table-tested. */
struct inspect_plan judge_plan(const struct generation *g, const struct body_head *head, enum file_type type);

/* There are file rules at all. */
bool judge_has_file_rules(const struct generation *g);

/* A file of SIZE, or of any size, is listed, by digest or by name. */
bool judge_may_be_listed(const struct generation *g, uint64_t size);

/* What inspection found: a body, or something in it. */
struct body_facts {
	enum finding_kind kind;
	struct slice	 member;		/* path of an archive's member; borrowed */
	unsigned	 depth;			/* of a member */
	const struct file_names *names;		/* that it would get, or NULL; borrowed */
	const struct asker *asker;		/* who gets it, or NULL; borrowed */
	uint64_t	 size;			/* bytes of it */
	size_t		 n;
	struct digest	 digests[DIGEST_ALGS];
	bool		 remembered;		/* from the kill memory, not from these bytes */
};

/* Judge a body by FACTS.  Facts without a digest mean that hashing failed: "could not check", and the site's fail mode decides.
 * A G of NULL passes: that there are no rules was said of the request. */
void judge_body(const struct generation *g, const struct body_facts *facts, int64_t now, struct why *why);

/* FACTS, which are remembered, have every digest that a rule of G for a file of their size may go by: when not, an allow could be
 * overlooked, and the bytes have to be inspected anew. */
bool judge_remembers_enough(const struct generation *g, const struct body_facts *facts);

/* Judge that a body could not be looked into for the reason U: the site's Unscannable decides. */
void judge_unscannable(const struct generation *g, enum unscannable u, struct why *why);

/* Append the steps as lines a helpdesk can read out, '\n' between them. */
int why_format_steps(const struct generation *g, const struct why *why, struct buf *out);

/* Append one plain sentence for REASON and its rule: what and why. */
int why_format_sentence(const struct why *why, struct slice host, struct buf *out);

/* The moment that rules are judged at: max of the clock and G's creation, so that a clock that
 * jumped back or a machine that started in 1970 does not change what is expired. */
int64_t judge_now(const struct generation *g, int64_t clock_seconds);

#endif
