/* pull.h - takes up the generation that an origin has signed.
 *
 *	SIGNED.minisig --known key?--> SIGNED.17 --signed, newer, not expired?--> MANIFEST.17 --covered?--> segments that are missing
 *	                                                                                                          |
 *	STATE/follow (the floor)  <--  MANIFEST.17 that opens  <--  each with its size and SHA-256, by rename  <--+
 *	    |
 *	    +--> MANIFEST, by rename: this is what makes it live
 *
 * Nothing is believed before a pinned key has signed it, and no file gets its name before its size and SHA-256 are the signed ones.
 * The lock of the publishers is held all the time.  Who is killed anywhere leaves the old generation or the new one, and files that
 * the next pull uses or removes.  What is live stays live whatever is wrong: nothing here ever unloads a generation.
 * Nothing is printed; runtime/ is not touched: the caller stores the generation word after this returned. */
#ifndef DELIVERY_PULL_H
#define DELIVERY_PULL_H

#include "delivery/fetch.h"
#include "delivery/follow.h"
#include "delivery/signed.h"

/* How far generations may rise at once, and epochs: one forged number must not be the last. */
enum { PULL_GENERATION_JUMP = 1000000, PULL_EPOCH_JUMP = 16, PULL_TRIES = 3, PULL_AHEAD_S = 24 * 3600 };

struct pull_options {
	const char		*state;
	struct fetch_options	 fetch;		/* its URL is NULL: that of the last time */
	struct minisign_public	 keys[FOLLOW_KEYS];
	size_t			 n_keys;	/* 0: those of the last time */
	uint64_t		 allow_rollback;	/* this generation may be taken up although it is below the floor; 0 = none */
	int64_t			 now;		/* seconds */
	bool			 dry_run;	/* verify what is offered and say what would be fetched; write nothing */
	bool			 full;		/* read every file that is there already, and fetch those that are damaged */
	bool			 forward;	/* also after a rollback here */
	bool			 replace;	/* the folder has rules of its own that may go, or trusts other keys than KEYS */
	void			(*progress)(const char *name, uint64_t bytes);	/* before each file; NULL */
};

struct pull_report {
	bool			 fresh;		/* something was taken up, or would be */
	struct signed_head	 head;
	int64_t			 created;
	uint64_t		 local;		/* its number here */
	uint64_t		 rules;		/* 0 in a dry run */
	size_t			 n_files, n_fetched;
	uint64_t		 bytes, bytes_missing, bytes_fetched;	/* of all files; of those that were not there; that came in */
	bool			 key_changed;
};

/* Pull.  0 and REPORT, also when there is nothing new; -1 with errors in DIAG, and what was live is live (warnings may be there in
 * either case). */
int pull(const struct pull_options *options, struct pull_report *report, struct diag *diag);

/* Follow nobody any more: STATE is for publishing again, and what is live stays until then.  -1 with an error in DIAG. */
int pull_leave(const char *state, struct diag *diag);

#endif
