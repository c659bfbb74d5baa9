/* rule.h - one rule, as sources write it and as a generation stores it.
 *
 * A rule says what it matches, what to do, how sure its author is (level 0 to 5, as in IronPort's Outbreak Filters)
 * and how long it lasts.  Its id is "source:name"; its revision rises when a later version of an alert changes it. */
#ifndef RULESET_RULE_H
#define RULESET_RULE_H

#include "base/digest.h"
#include "base/buf.h"
#include "url_rules/host_table.h"

enum rule_action { RULE_BLOCK, RULE_ALLOW, RULE_PROTECT };
enum rule_kind { RULE_HOST, RULE_URL, RULE_FILE };

enum { RULE_LEVEL_MAX = 5, RULE_LEVEL_DEFAULT = 4, RULE_WHY = 200 };	/* RULE_WHY: bytes of a reason, with the NUL */

struct rule {
	enum rule_action action;
	enum rule_kind	 kind;
	uint8_t		 level;
	bool		 local;		/* from a source that a person of this site writes: not an alert, not a feed */
	bool		 files;		/* an allow of a host or URL that exempts its files too */
	uint32_t	 rev;		/* from 1 */
	int64_t		 published;	/* seconds; 0 when not said */
	int64_t		 expires;	/* seconds; 0 = never */
	struct slice	 id;		/* "alert-19190:file-1" */
	struct slice	 source;	/* "alert-19190" */
	struct slice	 alert;		/* alert id, or empty */
	struct slice	 value;		/* what it matches, as a source would write it */
	struct slice	 name;		/* file name, for people */
	struct slice	 container;	/* "zip" when the file is a member of one */
	struct slice	 note;
};

/* "block", "allow", "protect" and "host", "url", "file". */
const char *rule_action_name(enum rule_action a);
const char *rule_kind_name(enum rule_kind k);

/* What a rule matches, taken apart. */
struct rule_match {
	enum host_scope	 scope;			/* host and url rules */
	char		 host[HOST_MAX + 1];	/* canonical */
	size_t		 host_len;
	enum host_kind	 host_kind;
	char		*path;			/* url rules: canonical path_query, to be freed; else NULL */
	struct digest	 digest;		/* file rules */
	uint64_t	 size;			/* file rules; 0 = any */
};

/* Take VALUE of KIND apart: "x", ".x", "*.x"; the same with a path; "SIZE|*:ALG:HEX".  A URL rule may be written with a
 * scheme; its port and fragment are dropped.  -1 with the reason in WHY and the byte of VALUE
 * where it shows in *AT. */
int rule_match_parse(enum rule_kind kind, struct slice value, struct rule_match *out, char why[static RULE_WHY],
    size_t *at);
void rule_match_fini(struct rule_match *m);

/* Append the canonical VALUE of what was parsed. */
int rule_match_format(enum rule_kind kind, const struct rule_match *m, struct buf *out);

#endif
