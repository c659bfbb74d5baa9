/* feed.h - lists that others publish, line by line or piece by piece: what each entry blocks or allows, as a rule's match.
 *
 *	lines --> reader of the format --> struct feed_entry --> visitor
 *	              |-> bad: shown in the diag, counted         |-> not 0: stop
 *	              '-> skipped: meant for others, counted
 *
 * A feed is not written by us: a line that is no good never refuses the rest.  What a rule cannot say exactly is skipped,
 * never approximated.  JSON and containers have no lines that count; their pieces are treated as lines are: what is wrong within
 * one costs that piece.  The formats are described in feeds(5).  A struct feed belongs to one thread at a time; nothing here
 * opens files, logs or prints.  Nothing is allocated per line, but for the path of a URL; of JSON a piece at a time is held
 * (json_pieces.h). */
#ifndef FEEDS_FEED_H
#define FEEDS_FEED_H

#include "base/diag.h"
#include "ruleset/rule.h"

enum feed_format {
	FEED_HOSTS_PLAIN,		/* "x", Squid's dstdomain ".x", "*.x" */
	FEED_HOSTS_FILE,		/* "0.0.0.0 x y": hosts(5) */
	FEED_URLS,			/* a URL a line */
	FEED_SQUIDGUARD_DOMAINS,	/* "x": x and everything below */
	FEED_SQUIDGUARD_URLS,		/* "x/path": with and without "www." */
	FEED_HDB,			/* ClamAV: "MD5:SIZE:NAME" */
	FEED_HSB,			/* "SHA1|SHA256:SIZE|*:NAME:73" */
	FEED_FP,			/* as .hdb: allows */
	FEED_SFP,			/* as .hsb: allows */
	FEED_IGN2,			/* names of signatures that do not count */
	FEED_DIGESTS,			/* hexadecimal digests, md5sum(1), BSD: the kind by the length */
	FEED_HASHDEEP,
	FEED_CSV,			/* columns by name */
	FEED_ADBLOCK,			/* "||x^" */
	FEED_RPZ,			/* a response policy zone's file */
	FEED_MISP,			/* an event of MISP, in JSON */
	FEED_STIX,			/* a bundle of STIX 2, in JSON */
	FEED_ABUSE_CSV,			/* abuse.ch: ThreatFox, URLhaus, MalwareBazaar, Feodo Tracker */
	FEED_ABUSE_JSON,
	FEED_CVD,			/* ClamAV's container: a head, and a tar of its other formats */
	FEED_FORMATS
};

enum {
	FEED_LINE_MAX = 1 << 16,	/* bytes of a line, unless the options say less or more */
	FEED_BAD_SHOWN = 30,		/* bad lines in the diag, unless the options say less or more */
	FEED_FILTERS_MAX = 16,
	FEED_COLUMNS_MAX = 64,		/* those of a CSV that are looked at */
	FEED_CONFIDENCE_MAX = 100,
};

/* FEED_CSV: which columns hold what, by the header's names (any case) or, "1" and up, by their place.  NULL: none.  Several
 * digests in one row are one file: the longest one makes the rule. */
struct feed_columns {
	const char	*host, *url;
	const char	*md5, *sha1, *sha256;
	const char	*digest;	/* any of the three, by its length */
	const char	*size;		/* of the file with that digest */
	const char	*name;
};

/* Only rows that have VALUE (any case) in COLUMN count.  Of several filters for one column one has to hold, of those
 * for different columns all. */
struct feed_filter {
	const char	*column, *value;
};

/* All zero is a sensible default but for FEED_CSV, which needs a column. */
struct feed_options {
	enum rule_action		 action;	/* block or allow; some formats have entries that say themselves */
	bool				 diff;		/* squidGuard: the lines are "+x" and "-x" */
	bool				 apex;		/* "*.x" of a host list means x, too */
	bool				 ports;		/* hosts may have a port, which is dropped; else they are bad, or meant for others */
	char				 separator;	/* CSV; 0 = ',' */
	struct feed_columns		 columns;	/* CSV */
	const struct feed_filter	*filters;	/* CSV, and abuse.ch's JSON */
	size_t				 n_filters;	/* up to FEED_FILTERS_MAX */
	unsigned			 confidence;	/* abuse.ch, STIX: entries with less, or without any, do not count; 0: all */
	int64_t				 now;		/* STIX: seconds; what has ended by then does not count; 0: not asked */
	bool				 names_only;	/* FEED_CVD: only what its .ign2 says */
	size_t				 line_max;	/* bytes; longer lines are bad; 0 = FEED_LINE_MAX */
	size_t				 bad_shown;	/* bad lines that DIAG gets, the rest is counted; 0 = FEED_BAD_SHOWN */
};

/* What one line, or a part of it, says.  All of it is borrowed until the visitor returns. */
struct feed_entry {
	enum rule_action	 action;
	enum rule_kind		 kind;
	const struct rule_match	*match;		/* NULL in FEED_IGN2: there is only a name */
	struct slice		 name;		/* signature, file name or comment, as written; may be empty, may be any bytes */
	struct slice		 line_md5;	/* FEED_IGN2: hexadecimal MD5 of the one signature line meant; empty: all of that name */
	struct slice		 note;		/* for people; may be empty, may be any bytes */
	int64_t			 expires;	/* seconds: when the feed says that it ends; 0: it does not say */
	bool			 removed;	/* a "-x" of a diff: no longer listed */
	unsigned		 line, col;	/* from 1; of a piece of JSON its beginning, of a container the member's line */
};

/* Called for every entry, in the order of the file.  A result that is not 0 stops the reading. */
typedef int feed_visit(void *arg, const struct feed_entry *entry);

struct feed_counts {
	uint64_t	lines;		/* all of them, also empty ones and comments */
	uint64_t	entries;	/* that the visitor was given; a line may have several, or two for one URL */
	uint64_t	skipped;	/* lines or words that are meant for others */
	uint64_t	bad;		/* lines or words that are no good */
	uint64_t	bytes;		/* with a newline each */
	bool		cut;		/* FEED_CVD, JSON: it is damaged or ends too soon, and nothing behind that was read */
};

struct feed;

/* A reader of FORMAT.  FILE is for messages; OPTIONS (NULL: defaults) and what it points to, FILE, ARG and DIAG are borrowed
 * until feed_free(); DIAG may be NULL.  NULL without memory (ENOMEM) or for options that make no sense (EINVAL), with an error
 * in DIAG. */
struct feed *feed_new(enum feed_format format, const struct feed_options *options, const char *file, feed_visit *visit, void *arg,
    struct diag *diag);

/* Free it; NULL is fine. */
void feed_free(struct feed *f);

/* The next LINE, without its newline; a CR at its end is dropped.  0, or what the visitor answered to stop; all later calls
 * then do nothing but answer the same.  A bad line is 0, too. */
int feed_line(struct feed *f, struct slice line);

/* The same for all lines of TEXT, of which the last may lack its newline; of a format that feed_is_stream() the next bytes, which
 * may end anywhere. */
int feed_text(struct feed *f, struct slice text);

/* The end: how much was read into *OUT (may be NULL), and in DIAG how many bad lines it was not shown.  0, or what the visitor
 * answered to stop. */
int feed_end(struct feed *f, struct feed_counts *out);

/* FORMAT is no list of lines: its text may be given by feed_text() in any portions. */
bool feed_is_stream(enum feed_format format);

/* Before the first feed_text(): show all of a stream's text, in any portions.  Of what stands further down than where it counts (an
 * event's name, a later version of an object, whether a container is whole) nothing is known without it.  Nothing is given to the
 * visitor.  0; formats that need none do nothing. */
int feed_preview(struct feed *f, struct slice text);

/* ---- formats ---- */

/* "hosts", "hosts-file", "urls", ... as feeds(5) has them. */
const char *feed_format_name(enum feed_format format);

/* The format of that name; -1 when there is none. */
int feed_format_parse(struct slice name, enum feed_format *out);

/* The format that a file's name tells: by its extension ("daily.hdb"), or as a member of a squidGuard folder ("adult/domains").
 * *DIFF is whether it lists changes ("urls.diff").  -1 when the name tells none.  ClamAV's .mdb and .imp look like digests and
 * are not digests of files: -1. */
int feed_format_of_file(struct slice path, enum feed_format *out, bool *diff);

/* The format that TEXT, a file's beginning, looks like; -1 when it looks like none.  Only a proposal: some formats differ only
 * in what they mean.  Cost: some tens of lines, read once per format. */
int feed_format_propose(struct slice text, enum feed_format *out);

#endif
