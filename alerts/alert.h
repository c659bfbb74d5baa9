/* alert.h - an outbreak alert as a record: what an analyst wrote, taken apart; and the rules that follow from it.
 *
 * Input is the text as published (IntelliShield Threat Outbreak Alerts in all their wordings, or any text with
 * URLs, sizes and digests).  Nothing is guessed silently: what could not be used is a finding that names it.  The
 * record is written as JSON (alerts/SCHEMA.md) and read back; the rules are ordinary source lines (rules(5)).
 * Pure; one thread at a time. */
#ifndef ALERTS_ALERT_H
#define ALERTS_ALERT_H

#include "base/buf.h"
#include "base/diag.h"
#include "base/digest.h"
#include "url_rules/psl.h"

enum { ALERT_TEXT_MAX = 4 << 20, ALERT_ITEMS_MAX = 10000 };

struct alert_file {
	char		*name;		/* "patch.exe", a template "FAX_id{DIGIT[30]}.exe", or NULL */
	char		*container;	/* "winner.zip" when the file is a member; NULL */
	uint64_t	 size;		/* 0 = not said */
	bool		 has_digest;
	struct digest	 digest;
};

struct alert_url {
	char	*url;		/* refanged: "http://..." */
	char	*host;		/* canonical */
	char	*victim;	/* the domain whose users the URL was made for; NULL */
	char	*mail;		/* address found in the URL; NULL */
};

struct alert_lure {
	char	*subject;
	char	*body;
};

struct alert {
	char			*id;		/* "19190"; else "text-" and 8 hex digits of the text's SHA-256 */
	unsigned		 version;	/* 1 when the text has none */
	char			*title;
	char			*threat_type, *urgency, *credibility, *severity;	/* as written; NULL */
	int64_t			 first_published, last_published;	/* seconds; 0 = not said */
	char			**rule_ids;	/* "RuleID2499" */
	size_t			 n_rule_ids;
	struct alert_file	*files;
	size_t			 n_files;
	struct alert_url	*urls;
	size_t			 n_urls;
	struct alert_lure	*lures;
	size_t			 n_lures;
};

/* Take TEXT, the content of FILE, apart.  Findings go to DIAG with line and column: warnings for what could not be
 * used (a 30-digit MD5), errors only for memory.  LIST (may be NULL) finds victims.  NULL on error.  The caller's:
 * alert_free(). */
struct alert *alert_parse(const char *file, struct slice text, const struct public_suffixes *list, struct diag *diag);
void alert_free(struct alert *a);

/* TEXT may be an alert's id: a letter or digit, then letters, digits, '-', '_', 58 at most, so that it can be a
 * file's name, and a source's behind "alert-". */
enum { ALERT_ID_MAX = 58 };	/* a source has 64 bytes for its name */
bool alert_id_ok(struct slice text);

/* Append A as JSON, indented, keys in fixed order; and read it back (errors name the key). */
int alert_to_json(const struct alert *a, struct buf *out);
struct alert *alert_from_json(const char *file, struct slice text, struct diag *diag);

/* Read TEXT whichever it is: a record begins with a brace, also behind a byte order mark.  As alert_parse(). */
struct alert *alert_read(const char *file, struct slice text, const struct public_suffixes *list, struct diag *diag);

/* The record of alert ID in the state folder STATE, as import wrote it; NULL when there is none that can be read.  ID may be any
 * text.  The caller's. */
struct alert *alert_load(const char *state, struct slice id);

struct alert_rule_options {
	int			 level;		/* 0 to 5 */
	unsigned		 rev;		/* for every rule that is not in PREVIOUS: the alert's version */
	int64_t			 now;		/* seconds: the day of import, published= of rules */
	struct slice		 previous;	/* the source file that an earlier version wrote, also a withdrawn one */
	const struct public_suffixes *list;	/* may be NULL, with a warning: then nothing is widened to a wildcard */
};

/* Append the source file for A: a comment head and its rules, each once.  A rule that PREVIOUS already had with the
 * same match keeps its id.  When A is a later version than PREVIOUS was made of, its revision is raised, at least
 * to A's version, and its life begins anew (published=); of the same version it is raised only where the level
 * differs.  A match that is gone is left out.  What cannot become a rule (a public suffix, the victim's own domain)
 * is a warning in DIAG.  How many rules. */
size_t alert_rules(const struct alert *a, const struct alert_rule_options *options, struct buf *out,
    struct diag *diag);

#endif
