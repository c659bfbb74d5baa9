/* alert_store.h - the stored alerts, each held against what is live.
 *
 *	STATE/alerts/ID.json		the record, as import wrote it
 *	STATE/alerts/ID.versions	what each import changed: a JSON object a line (alert_version.h)
 *	STATE/alerts/ID.withdrawn	when it was withdrawn, by whom and why: the same
 *	STATE/sources/alert-ID.rules	its rules; comments alone while it is withdrawn
 *
 * All of it is strangers' text until it is shown.  One thread. */
#ifndef ALERTS_ALERT_STORE_H
#define ALERTS_ALERT_STORE_H

#include <jansson.h>

#include "alerts/alert.h"
#include "alerts/alert_withdrawal.h"
#include "ruleset/held.h"
#include "ruleset/manifest.h"
#include "ruleset/source.h"
#include "ruleset/sources.h"
#include "runtime/state.h"

/* ---- rules ---- */

struct alerts_rule {
	char		*what;		/* "block host *.secure.upd01.net", canonical */
	char		*id;		/* "alert-19190:host-1" */
	char		*line;		/* all that it says, as a line of a source, with its newline */
	enum rule_kind	 kind;
	unsigned	 level, rev;
	int64_t		 expires;	/* seconds; 0 = never */
};

/* Rules of one source.  A zeroed struct is an empty set. */
struct alerts_rules {
	struct alerts_rule	*v;
	size_t			 n, cap;
	size_t			 n_expired;	/* left out */
};

/* Add what TEXT, the content of FILE, says as source NAME; what expired by NOW (0: nothing) is only counted.  -1 with errors in
 * DIAG. */
int alerts_rules_read(struct alerts_rules *r, const char *file, const char *name, struct slice text,
    const struct source_defaults *defaults, int64_t now, struct diag *diag);

/* Order by WHAT, then id; and a search for both, NULL when there is none. */
void alerts_rules_sort(struct alerts_rules *r);
const struct alerts_rule *alerts_rules_find(const struct alerts_rules *r, const struct alerts_rule *rule);
void alerts_rules_fini(struct alerts_rules *r);

/* FROM and TO, which are sorted, side by side: VISIT gets a rule that is gone (TO is NULL), one that is new (FROM is NULL), and one
 * that says something else than it did. */
typedef void alerts_compare_visit(void *arg, const struct alerts_rule *from, const struct alerts_rule *to);
void alerts_rules_compare(const struct alerts_rules *from, const struct alerts_rules *to, alerts_compare_visit *visit, void *arg);

/* ---- the state folder ---- */

/* What every alert is held against; read once. */
struct alerts {
	const char		*state;			/* the state folder */
	int64_t			 now;			/* seconds */
	struct source_defaults	 defaults;		/* the site's, for a file written now */
	struct manifest		 live;			/* its generation is 0 when nothing was published */
	struct source_list	 sources;
	struct held_list	 held, decisions;
	struct diag		 diag;
};

/* Read it of the state folder STATE, which is kept.  -1 with errors in A's diag.  alerts_fini() is due in either case. */
int alerts_init(struct alerts *a, const char *state);
void alerts_fini(struct alerts *a);

/* The ids of all alerts that have a record or a source, sorted; the caller's, with their array.  -1 with an error in A's diag. */
int alerts_ids(struct alerts *a, char ***ids, size_t *n);

enum alerts_state {
	ALERTS_IMPORTED,	/* not live */
	ALERTS_LIVE,
	ALERTS_PARTLY,		/* fewer rules are live than the source has: held, denied */
	ALERTS_CHANGED,		/* the source was written anew since */
	ALERTS_ENDED,		/* all rules expired, or were removed by hand */
	ALERTS_REMOVED,		/* there is a record and no source */
	ALERTS_WITHDRAWN,
	ALERTS_STILL,		/* withdrawn, but rules are live: a rollback, or it was interrupted */
};

/* "live", "not_live" ... as JSON has it. */
const char *alerts_state_name(enum alerts_state state);

/* One alert. */
struct alerts_item {
	char			 id[ALERT_ID_MAX + 1];
	char			 name[sizeof("alert-") + ALERT_ID_MAX];	/* of its source */
	char			 record_path[STATE_PATH], source_path[STATE_PATH], history_path[STATE_PATH], versions_path[STATE_PATH];
	bool			 has_record, has_source;
	bool			 unreadable;	/* the record, or a line of the source, as DIAG says */
	struct alert		*alert;		/* NULL: no record that can be read */
	struct buf		 text;		/* the source */
	struct alerts_rules	 rules;		/* those that have not expired, sorted */
	bool			 withdrawn;
	struct alert_withdrawal	 withdrawal;	/* while WITHDRAWN; its reason is borrowed from TEXT */
	uint64_t		 n_live;	/* rules of the live generation */
	size_t			 n_held;
	enum alerts_state	 state;
};

/* Everything about the alert ID into ITEM; what cannot be read is an error in A's diag, which does not end it.  -1 with
 * one that says that ID is no id, or that there is no such alert.  alerts_item_fini() is due in either case. */
int alerts_load(struct alerts *a, const char *id, struct alerts_item *item);
void alerts_item_fini(struct alerts_item *item);

/* The rules of ITEM's source that are live, sorted, into OUT.  -1 with errors in A's diag: a generation that is damaged.  Reads
 * every live rule. */
int alerts_live_rules(struct alerts *a, const struct alerts_item *item, struct alerts_rules *out);

/* The withdrawals of ITEM, an array of objects, oldest first; bad lines are warnings in A's diag.  The caller's. */
json_t *alerts_history(struct alerts *a, const struct alerts_item *item);

/* The imports of ITEM, likewise (alert_version.h). */
json_t *alerts_versions(struct alerts *a, const struct alerts_item *item);

#endif
