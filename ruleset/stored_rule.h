/* stored_rule.h - a rule as bytes, for the sorters of the publisher: what it says, and what it matches, each for itself.
 *
 *	says:     | action and flags: 1 | level: 1 | what few have: revision, dates, texts | name | NUL |
 *	matches:  | kind | what the kind has, texts behind their lengths |
 *
 * Either ends by itself, so that one may follow the other.  Two rules say, or match, the same when the bytes are the same. */
#ifndef RULESET_STORED_RULE_H
#define RULESET_STORED_RULE_H

#include "ruleset/rule.h"

/* A rule that was read back; its slices point into the bytes, and the key of a file into this. */
struct stored_rule {
	struct rule	rule;
	struct digest	digest;
};

/* Append what RULE says: all but source, kind, key, id and value.  -1 with errno: ENOMEM, EINVAL for a name with a NUL. */
int stored_rule_add_says(const struct rule *rule, struct buf *out);

/* Append what a rule of KIND and KEY matches.  -1 without memory. */
int stored_rule_add_match(enum rule_kind kind, const struct rule_key *key, struct buf *out);

/* Take off *AT what the others appended, into OUT, and leave the rest of OUT as it is.  -1 when it is cut short. */
int stored_rule_take_says(struct slice *at, struct stored_rule *out);
int stored_rule_take_match(struct slice *at, struct stored_rule *out);

#endif
