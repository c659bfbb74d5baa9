/* source.h - a source file: rules as a person writes them, one a line (rules(5)).
 *
 *	block host *.secure.upd01.net	level=4 alert=19190 note="embeds the victim's own domain"
 *	block file 90112:md5:9abc553703f4e4fedb3ed975502a2c7a name=patch.exe
 *	allow url  intranet.example/downloads/ files=yes
 *	block path /mail/id=*-patch*.exe
 *	block address 192.0.2.0/24
 *
 *	except rule 2:alert-19190:file-1 client=192.0.2.7 user=ann expires=7d note="ticket 4711"
 *
 * Keys: client user host (of exceptions: exception.h) id rev level published expires alert name container note files feed.  Unknown
 * words and keys, a key twice, a value out of bounds: each is an error with line and column, and one error refuses the file. */
#ifndef RULESET_SOURCE_H
#define RULESET_SOURCE_H

#include "base/diag.h"
#include "ruleset/rule.h"

/* One line's rule while a file is read: RULE's slices are borrowed until the visitor returns.  MATCH is the rule's
 * value taken apart, borrowed too. */
typedef int source_visit(void *arg, const struct rule *rule, const struct rule_match *match, unsigned line);

/* NAME can be that of a source: up to 64 letters, digits, '-', '_' and '.'. */
bool source_name_ok(struct slice name);

struct source_defaults {
	int64_t	now;		/* seconds: what a relative expiry counts from, for publish the file's last change */
	int64_t	host_life;	/* seconds any rule but a file's without expires= lasts after published=, or after NOW; 0 = ever */
	int64_t	file_life;
};

/* Read TEXT, the content of FILE, as source NAME ("alert-19190", "local").  A rule without id= is "NAME:LINE".
 * expires= is a date, or a span ("30d") after published= or NOW, or "never".  Every good rule is given to VISIT (NULL to check
 * only), which may stop the reading by a result that is not 0; a bad line goes to DIAG.  0, -1 when DIAG got an
 * error, or what VISIT answered.  Ids used twice in the file are an error. */
int source_parse(const char *file, struct slice name, struct slice text, const struct source_defaults *defaults,
    source_visit *visit, void *arg, struct diag *diag);

/* The same line by line, for files of any length. */
struct source_reader;

/* A reader of source NAME in FILE; all that it is given is borrowed until source_reader_end().  NULL without memory. */
struct source_reader *source_reader_new(const char *file, struct slice name, const struct source_defaults *defaults,
    source_visit *visit, void *arg, struct diag *diag);

/* Read the next line, without its '\n'.  0, or what VISIT answered. */
int source_reader_line(struct source_reader *r, struct slice line);

/* Say what the whole file shows (ids used twice), and free R.  -1 when DIAG got an error since it began. */
int source_reader_end(struct source_reader *r);

/* Append RULE as a line that source_parse() reads back to the same rule.  An EXPIRES of 0 is not written: the default life
 * then counts. */
int source_format(const struct rule *rule, struct buf *out);

/* The same, but that an EXPIRES of 0 is "never": what is read back is RULE whatever the default life is. */
int source_format_exact(const struct rule *rule, struct buf *out);

#endif
