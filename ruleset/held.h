/* held.h - rules that wait for a person, and what people decided about them: two files that anybody can read.
 *
 *	STATE/held	ID DATE CLASS SOURCE ACTION KIND VALUE SENTENCE
 *	STATE/approved	ID approved|denied DATE WHO CLASS SOURCE ACTION KIND VALUE NOTE
 *
 * Words stand apart by one blank, the last one is the rest of the line; '#' begins a line that is a comment.  What is held of
 * a list as a whole is "replace list BEFORE:NOW:STAMP", its numbers of rules and which state of the file it is.  The id is made of
 * class, source and ACTION KIND VALUE by SHA-256, of which 96 bits are kept: whoever writes a feed cannot give one rule the id of
 * another.  A decision counts for exactly these words.  Of two decisions about one rule the later line counts.  Pure but for
 * held_load(); one thread at a time. */
#ifndef RULESET_HELD_H
#define RULESET_HELD_H

#include "base/buf.h"
#include "base/diag.h"

enum { HELD_ID = 25 };	/* 24 hexadecimal digits and the NUL */

enum held_verdict { HELD_WAITING, HELD_APPROVED, HELD_DENIED };

/* A line of either file.  The slices point into LINE. */
struct held {
	char			*line;
	enum held_verdict	 verdict;	/* HELD_WAITING in STATE/held */
	struct slice		 id, date, who, class, source;
	struct slice		 rule;		/* "block host .a.example" */
	struct slice		 text;		/* the sentence; of a decision the note */
	size_t			 order;		/* in which the lines came */
};

struct held_list {
	struct held	*v;
	size_t		 n, cap;
};

enum held_file { HELD_RULES, HELD_DECISIONS };	/* STATE/held, STATE/approved */

/* "waiting", "approved", "denied". */
const char *held_verdict_name(enum held_verdict verdict);

/* The id of what is held: stable over publishes and machines. */
void held_id(struct slice class, struct slice source, struct slice rule, char out[static HELD_ID]);

/* Read TEXT, the content of FILE, into LIST (zeroed, or with lines already).  A bad line goes to DIAG and is left out: a warning in
 * STATE/held, which publish writes anew, an error in STATE/approved, which a person may edit.  -1 when there was an error. */
int held_parse(enum held_file which, const char *file, struct slice text, struct held_list *list, struct diag *diag);

/* Read the file of STATE.  One that is not there is empty.  -1 with an error in DIAG. */
int held_load(enum held_file which, const char *state, struct held_list *list, struct diag *diag);

/* Free what LIST holds; it is then empty. */
void held_fini(struct held_list *list);

/* Add what waits since DATE.  RULE is three words without blanks within.  -1 without memory. */
int held_add(struct held_list *list, struct slice date, struct slice class, struct slice source, struct slice rule,
    struct slice text);

/* Sort LIST by id, for the two below, which are binary searches. */
void held_index(struct held_list *list);

/* The latest line with ID; NULL when there is none. */
const struct held *held_find(const struct held_list *list, struct slice id);

/* The latest line about exactly these words; NULL when there is none. */
const struct held *held_match(const struct held_list *list, struct slice class, struct slice source, struct slice rule);

/* Sort LIST by source, class and rule, each once: as people read it. */
void held_arrange(struct held_list *list);

/* Append STATE/held's text: a head, and LIST. */
int held_format(const struct held_list *list, struct buf *out);

/* Append the line of STATE/approved that decides about HELD.  WHO is a word, NOTE a line's end (control characters become blanks)
 * or empty.  -1 when it did not fit. */
int held_decide(const struct held *held, enum held_verdict verdict, struct slice date, struct slice who, struct slice note,
    struct buf *out);

/* Make TEXT, what STATE/approved has so far, ready for another line: with a head when it is empty, and its last line ended. */
void held_continue(struct buf *text);

#endif
