/* rule.h - one rule, as sources write it and as a generation stores it.
 *
 * A rule says what it matches, what to do, how sure its author is (level 0 to 5, as in IronPort's Outbreak Filters)
 * and how long it lasts.  Its id is "source:name" or "source:line", or for a row of a feed, whose lines move, "source/value";
 * its revision rises when a later version of an alert changes it. */
#ifndef RULESET_RULE_H
#define RULESET_RULE_H

#include "base/digest.h"
#include "base/buf.h"
#include "url_rules/host_table.h"
#include "url_rules/network.h"

enum rule_action { RULE_BLOCK, RULE_ALLOW, RULE_PROTECT, RULE_EXCEPT };
enum rule_kind { RULE_HOST, RULE_URL, RULE_FILE, RULE_PATH, RULE_ADDRESS, RULE_RULE };	/* RULE_RULE: of exceptions only */

enum { RULE_LEVEL_MAX = 5, RULE_LEVEL_DEFAULT = 4, RULE_WHY = 200 };	/* RULE_WHY: bytes of a reason, with the NUL */
enum { RULE_NAME_MAX = 1024, RULE_LABEL_MAX = 64 };	/* bytes */

/* When the rule of a feed's row ends that has no date of its own: as the MANIFEST says of the source, of files and of all else.  So
 * a list that says the same as before, but later, leaves its rows as they are.  generation_rule() puts the date in. */
#define RULE_ENDS_HOSTS	INT64_MIN
#define RULE_ENDS_FILES	(INT64_MIN + 1)

/* What a rule matches, as whoever found it knows.  All of it is borrowed. */
struct rule_key {
	enum host_scope	 scope;		/* host, url and path rules */
	struct slice	 host, path;	/* PATH of url rules; the pattern of path rules, and of file rules that go by a name; what an
					 * exception matches (exception.h) */
	struct network	 network;	/* address rules */
	const struct digest *digest;	/* file rules; NULL in those that go by a name */
	uint64_t	 size;		/* of the rule; HASHDB_SIZE_ANY */
};

struct rule {
	enum rule_action action;
	enum rule_kind	 kind;
	uint8_t		 level;
	bool		 local;		/* from a source that a person of this site writes: not an alert, not a feed */
	bool		 files;		/* an allow of a host or URL that exempts its files too */
	bool		 as_list;	/* of a feed that is read: EXPIRES follows from its list's date, and is not the row's own */
	bool		 is_named;	/* of a row: it has a NAME, whether that was asked for or not */
	bool		 removed;	/* a row that says that there is no rule any more (rows.h) */
	uint32_t	 rev;		/* from 1 */
	int64_t		 published;	/* seconds; 0 when not said */
	int64_t		 expires;	/* seconds; 0 = never; of a row also RULE_ENDS_... */
	struct slice	 label;		/* as id= says, "file-1", or empty */
	uint32_t	 line;		/* of its source, from 1; 0 for a row of a feed */
	struct rule_key	 key;		/* of a rule that a generation gave; else VALUE says it */
	struct slice	 id;		/* "alert-19190:file-1" of a rule that a source gave; else rule_id_format() */
	struct slice	 source;	/* "alert-19190" */
	struct slice	 alert;		/* alert id, or empty */
	struct slice	 value;		/* what it matches, as its source writes it; else rule_value_format() */
	struct slice	 name;		/* file name, for people */
	struct slice	 container;	/* "zip" when the file is a member of one */
	struct slice	 note;
};

/* The source of what "firebreak selftest" asks for: its rules block, and are no news. */
#define RULE_CANARIES	"canary"
#define RULE_CANARY_DOMAIN ".firebreak-canary.invalid"	/* what its rules for hosts and URLs are below */
enum { RULE_CANARY_SHORT = 20 * 1024, RULE_CANARY_LONG = 300 * 1024 };	/* the lengths of its files */
enum { RULE_CANARY_WRAP = 128 };	/* bytes that the archive of one may have more: nothing else has a place there */

/* RULE is one of those. */
bool rule_is_canary(const struct rule *rule);

/* "block", "allow", "protect", "except" and "host", "url", "file", "path", "address", "rule". */
const char *rule_action_name(enum rule_action a);
const char *rule_kind_name(enum rule_kind k);

/* Append the id of RULE. */
int rule_id_format(const struct rule *rule, struct buf *out);

/* Append what RULE matches, as a source would write it. */
int rule_value_format(const struct rule *rule, struct buf *out);

/* What a rule matches, taken apart. */
struct rule_match {
	enum host_scope	 scope;			/* host, url and path rules */
	char		 host[HOST_MAX + 1];	/* canonical; HOST_LEN is 0 in a path rule for all hosts; of address rules the text */
	size_t		 host_len;
	enum host_kind	 host_kind;
	char		*path;			/* url rules: canonical path_query; path rules, and file rules by name: canonical
						 * pattern; exceptions: all of it; to be freed; else NULL */
	struct network	 network;		/* address rules */
	struct digest	 digest;		/* file rules without PATH */
	uint64_t	 size;			/* file rules; 0 = any */
};

/* Take VALUE of KIND apart: "x", ".x", "*.x"; the same with a path; "SIZE|*:ALG:HEX" or "SIZE|*:name:PATTERN" (name_pattern.h);
 * a pattern (path_pattern.h), with or without a host before it; "ADDRESS" or "ADDRESS/BITS"; an exception (exception.h).  A URL or
 * path rule may be written with a scheme; a URL rule's port and fragment are dropped.  A path rule for all hosts and a name for
 * files of any size need a literal.  -1 with the reason in WHY and the byte of VALUE where it shows in *AT. */
int rule_match_parse(enum rule_kind kind, struct slice value, struct rule_match *out, char why[static RULE_WHY],
    size_t *at);
void rule_match_fini(struct rule_match *m);

/* Append the canonical VALUE of what was parsed. */
int rule_match_format(enum rule_kind kind, const struct rule_match *m, struct buf *out);

/* The key that M is, borrowed from it. */
struct rule_key rule_match_key(const struct rule_match *m);

#endif
