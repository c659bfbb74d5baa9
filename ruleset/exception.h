/* exception.h - an exception: one revision of one rule does not hold for somebody, for a time.
 *
 *	except rule 2:alert-19190:file-1 client=192.0.2.7 user=ann host=a.example expires=7d note="ticket 4711"
 *	            '--------- what is matched: one text, written in the source as it is here --------'
 *
 * A rule that is named by its line, "local:7", has none: lines move, and the exception would be from another rule without a word.
 *
 * The number is the revision, * any; when a later version of the rule has another, the exception has lapsed.  What is not said
 * (client, user, host) may be anything; what is said must all be so. */
#ifndef RULESET_EXCEPTION_H
#define RULESET_EXCEPTION_H

#include "ruleset/rule.h"
#include "ruleset/source_line.h"
#include "runtime/pseudonym.h"

/* Who asks for what.  Borrowed; empty: nobody said. */
struct asker {
	struct slice	client;		/* an address, as the proxy says it */
	struct slice	user;
	struct slice	host;		/* canonical, of the request */
	const struct pseudonyms *pseudonyms;	/* for exceptions that name somebody by a pseudonym; NULL: these do not hold */
};

struct exception {
	uint32_t	rev;		/* of the rule; 0 = any */
	struct slice	id;		/* of the rule, "alert-19190:file-1" */
	bool		has_client;
	struct network	client;
	struct slice	client_token;	/* a pseudonym in place of CLIENT; empty: none */
	struct slice	user, host;	/* canonical; empty: any */
	bool		user_is_token;	/* USER is a pseudonym */
};

enum exception_key { EXCEPTION_CLIENT, EXCEPTION_USER, EXCEPTION_HOST, EXCEPTION_KEYS };
const char *exception_key_name(enum exception_key key);	/* "client", "user", "host" */

/* Take "REV:ID" or "*:ID" into OUT, of which everything else is unset.  -1 with the reason in WHY, also for a rule that
 * is named by its line. */
int exception_take_rule(struct slice value, struct exception *out, char why[static RULE_WHY]);

/* Take KEY's VALUE into OUT.  What has the form of a pseudonym is always taken for one: a user who calls himself so is nobody's
 * exception.  HOST is room for a canonical host, which must live as long as OUT. */
int exception_take_key(enum exception_key key, struct slice value, char host[static HOST_MAX + 1], struct exception *out,
    char why[static RULE_WHY]);

/* Take all of TEXT apart, with LINE as room; OUT borrows from TEXT, LINE and HOST. */
int exception_parse(struct slice text, struct source_line *line, char host[static HOST_MAX + 1], struct exception *out,
    char why[static RULE_WHY]);

/* Append E as the one text that exception_parse() reads back. */
int exception_format(const struct exception *e, struct buf *out);

/* E holds for revision REV of its rule, when ASKER (NULL: nobody known) asks. */
bool exception_holds(const struct exception *e, uint32_t rev, const struct asker *asker);

#endif
