/* rule_format.h - the layout of a rules segment, for its reader and its writer.
 *
 *	section RECORDS	struct rule_record each; the index is the rule's reference
 *	section TEXTS	the bytes of all texts, equal ones once, side by side
 *
 * A record's sum covers its fields and its texts, so that a flipped bit makes a rule that is skipped and never
 * one that says something else. */
#ifndef RULESET_RULE_FORMAT_H
#define RULESET_RULE_FORMAT_H

#include "base/segment.h"
#include "ruleset/rule.h"

enum { RULES_RECORDS = 1, RULES_TEXTS = 2 };
enum { RULE_FLAG_LOCAL = 1, RULE_FLAG_FILES = 2 };

enum rule_text { TEXT_ID, TEXT_SOURCE, TEXT_ALERT, TEXT_VALUE, TEXT_NAME, TEXT_CONTAINER, TEXT_NOTE, RULE_TEXTS };

struct text_ref {
	uint32_t	at, len;
};

struct rule_record {
	uint32_t	 sum;
	uint8_t		 action, kind, level, flags;
	uint32_t	 rev, zero;
	int64_t		 published, expires;
	struct text_ref	 texts[RULE_TEXTS];
};

/* The sum of R, whose texts are those of RULE. */
uint32_t rule_record_sum(const struct rule_record *r, const struct rule *rule);

/* The text of RULE that T names. */
struct slice *rule_text(struct rule *rule, enum rule_text t);

#endif
