/* edit.h - changes a source file as a person would: a line more, or one commented out.
 *
 *	block host evil.example id=b20261126-180423 rev=1 level=4 published=2026-11-26T18:04:23Z expires=... note="..."
 *	# removed 2026-11-26T18:10:00Z: block host evil.example ...
 *
 * Lines keep their numbers, since the rules of lines without id= are named after them.  The caller holds the publishers' lock. */
#ifndef RULESET_EDIT_H
#define RULESET_EDIT_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/diag.h"
#include "ruleset/rule.h"

/* A source's text while it is edited. */
struct edit {
	char		*path;
	struct slice	 name;		/* of the source; the caller's */
	bool		 is_new;	/* there was no such file */
	mode_t		 mode;
	struct buf	 before, after;
};

/* Read source NAME of the folder SOURCES.  -1 with errors in DIAG.  edit_fini() is due in either case. */
int edit_open(struct edit *e, const char *sources, struct slice name, struct diag *diag);
void edit_fini(struct edit *e);

/* Comment out every rule that ACTION and, when not empty, VALUE (of KIND, canonical) or the id ID name; NOW dates the comment.  How
 * many there were, and into *REV the highest revision of one with VALUE. */
size_t edit_remove(struct edit *e, enum rule_action action, enum rule_kind kind, struct slice value, struct slice id, int64_t now,
    uint32_t *rev);

/* Append RULE as a line. */
int edit_add(struct edit *e, const struct rule *rule);

/* Write what was made of it (a new file with mode 0664, one that was there with its own), and put back what was there
 * before.  -1 with an error in DIAG. */
int edit_write(const struct edit *e, struct diag *diag);
int edit_undo(const struct edit *e, struct diag *diag);

#endif
