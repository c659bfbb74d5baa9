/* alert_part.h - what the parts of the alert reader share.  Nothing outside alerts/ includes it.
 *
 *	text as published
 *	   | alert_text: a copy of the same length with tags and odd bytes blanked; offset -> line, column
 *	   | alert_lures: which stretches are prose, lure bodies, reference sections
 *	   | alert_fields: "Version:4", "First Published: ..."
 *	   | tokens, each offered to alert_urls, then to alert_facts
 *	   v
 *	struct alert
 *
 * All functions answer 0, or -1 without memory, which alert_parse() turns into the one error. */
#ifndef ALERTS_ALERT_PART_H
#define ALERTS_ALERT_PART_H

#include "alerts/alert.h"
#include "url_rules/url.h"

/* ---- alert_record.c ---- */

/* An empty record (version 1); NULL without memory. */
struct alert *alert_new(void);

/* Make room in V, which holds N elements of SIZE, for one more.  NULL without memory; V is then as it was. */
void *alert_grow(void *v, size_t n, size_t size);

/* Append to A and take over what *ITEM points to; on -1 it is freed too. */
int alert_add_file(struct alert *a, struct alert_file *item);
int alert_add_url(struct alert *a, struct alert_url *item);
int alert_add_lure(struct alert *a, struct alert_lure *item);
int alert_add_rule_id(struct alert *a, char *rule_id);

/* A set of strings, kept sorted.  A zeroed struct is an empty one. */
struct alert_set {
	void	*root;
};
enum alert_seen { ALERT_SEEN_NEW, ALERT_SEEN_BEFORE, ALERT_SEEN_NO_MEMORY };

/* Put a copy of the NUL-terminated KEY into S, unless it is there. */
enum alert_seen alert_set_add(struct alert_set *s, const char *key);
void alert_set_fini(struct alert_set *s);

/* ---- alert_text.c ---- */

struct alert_text {
	const char	*file;
	struct slice	 clean;		/* what is read; as long as the input, so that offsets are the input's */
	char		*store;
	uint32_t	*lines;		/* where each line of CLEAN begins */
	size_t		 n_lines;
	uint32_t	*input_lines;	/* and of the input: a tag or a lone CR may make more lines of it */
	size_t		 n_input_lines;
	struct diag	*diag;
};

int alert_text_init(struct alert_text *t, const char *file, struct slice text, struct diag *diag);
void alert_text_fini(struct alert_text *t);

/* Add a finding about the byte at offset AT. */
void alert_finding(const struct alert_text *t, enum diag_level level, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The bytes of line I of CLEAN, from 0, without its newline. */
struct slice alert_line(const struct alert_text *t, size_t i);

/* S trimmed, as a UTF-8 string that the caller frees: bytes that are not UTF-8 are read as Latin-1, controls but
 * newline and tab become spaces. */
char *alert_dup(struct slice s);

/* The same on one line: newlines and tabs become spaces too. */
char *alert_dup_line(struct slice s);

/* S begins with LABEL (any case) and a colon: REST gets what follows, trimmed. */
bool alert_label(struct slice s, struct slice label, struct slice *rest);

/* ---- alert_lures.c ---- */

enum alert_region { REGION_PROSE, REGION_LURE, REGION_REFERENCE };

/* What each line of T is (N_LINES bytes into REGIONS), and the lures into A. */
int alert_lures(struct alert *a, const struct alert_text *t, uint8_t *regions);

/* ---- alert_fields.c ---- */

/* Id, version, dates, ratings, title: from lines of prose into A. */
int alert_fields(struct alert *a, const struct alert_text *t, const uint8_t *regions);

/* ---- alert_dates.c ---- */

enum alert_date { ALERT_DATE_OK, ALERT_DATE_NO_ZONE, ALERT_DATE_BAD_ZONE, ALERT_DATE_BAD };

/* "October 12, 2009 11:12 AM EDT", "2013 November 26 15:33 GMT", "2013-11-26T15:33Z": seconds.  Without a zone, or
 * with one that is not known, it is read as UTC and the result says so. */
enum alert_date alert_date(struct slice text, int64_t *seconds);

/* SECONDS lie in the years 1970 to 9999: what is written of them can be read back. */
bool alert_date_ok(int64_t seconds);

/* ---- alert_urls.c ---- */

struct alert_urls;

struct alert_urls *alert_urls_new(const struct alert_text *t);
void alert_urls_free(struct alert_urls *u);

/* TOKEN, at offset AT: *TAKEN when it holds a URL or a defanged host, which is remembered. */
int alert_urls_take(struct alert_urls *u, const struct public_suffixes *list, struct slice token, size_t at,
    enum alert_region region, bool *taken);

/* Put those that count as indicators into A, with their victims; a finding for the others. */
int alert_urls_finish(struct alert_urls *u, const struct public_suffixes *list, struct alert *a);

/* Append TEXT with "hxxp", "[.]", "(dot)" and their like undone.  *DEFANGED is set when there was any. */
int alert_refang(struct slice text, struct buf *out, bool *defanged);

/* What an element of A says of URL (as written, refanged; taken over); -1 with the reason in *WHY when it is none. */
int alert_url_fill(struct alert_url *item, const struct public_suffixes *list, char *url, const char **why);

/* S without the punctuation of the sentence it stands in: brackets around it, or closed but not opened inside, and
 * what may follow a word. */
struct slice alert_trim_punctuation(struct slice s);

/* The last label of NAME is a file's extension ("exe"), and hardly a domain. */
bool alert_is_extension(struct slice name);
bool alert_is_archive(struct slice name);

/* ---- alert_victim.c ---- */

/* The mail address in the path or query of URL, and the domain that HOST embeds for somebody else's users; empty
 * slices when there are none.  They point into URL. */
void alert_victim(const struct public_suffixes *list, const struct url *url, struct slice *mail,
    struct slice *victim);

/* What stands right of VICTIM in HOST, at label boundaries: "secure.upd01.net"; empty when VICTIM is not inside. */
struct slice alert_right_of(struct slice host, struct slice victim);

/* ---- alert_facts.c, alert_files.c ---- */

enum fact_kind {
	FACT_NAME,	/* a file is named */
	FACT_SIZE,
	FACT_DIGEST,
	FACT_BAD,	/* something that was meant as a digest: takes its size away from the next */
};

struct fact {
	enum fact_kind	 kind;
	size_t		 at;
	uint32_t	 sentence, paragraph, line;
	bool		 first;			/* nothing else stands before it on its line */
	bool		 after_in;		/* FACT_NAME: "in winner.zip" */
	bool		 is_container;		/* FACT_NAME: only as what holds another */
	struct slice	 name, container;
	uint64_t	 size;
	struct digest	 digest;
};

struct alert_facts;

struct alert_facts *alert_facts_new(const struct alert_text *t);
void alert_facts_free(struct alert_facts *f);

/* A new line begins; BLANK when there is nothing on it. */
int alert_facts_line(struct alert_facts *f, uint32_t line, bool blank);

/* TOKEN, the next word of the line.  A URL ends nothing and is not offered. */
int alert_facts_take(struct alert_facts *f, struct alert *a, struct slice token, size_t at);

/* The facts so far, in the order of the text; borrowed. */
const struct fact *alert_facts_list(const struct alert_facts *f, size_t *n);

/* Join names, sizes and digests to files of A. */
int alert_files(struct alert *a, const struct alert_text *t, const struct fact *facts, size_t n);

#endif
