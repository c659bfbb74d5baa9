/* journal.h - what setup changed, kept in STATE/setup so that it can be taken back at any time, also by another process after a
 * crash.
 *
 *	STATE/setup/journal.json	phase, the daemons, and of each file: owner, mode, sums of what it was and became
 *	STATE/setup/SHA-256		bytes: those before the first setup, and those before the one that is under way
 *
 * The folder is written before a file is touched, each of its files by a rename.  What is in it goes into /etc with root's hands,
 * and STATE is another user's: so it must belong to who uses it and be closed to others, which is checked each time, and nothing
 * in it is followed as a link. */
#ifndef SETUP_JOURNAL_H
#define SETUP_JOURNAL_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/diag.h"
#include "setup/daemons.h"

enum { JOURNAL_SUM = 65 };

enum journal_phase { JOURNAL_NONE, JOURNAL_CHANGING, JOURNAL_DONE };

struct journal_file {
	char	*path;
	bool	 existed, last_existed;	/* before the first setup; before this one */
	bool	 touched;	/* by the setup that is under way: only then LAST says anything */
	mode_t	 mode;
	uid_t	 uid;
	gid_t	 gid;
	char	 original[JOURNAL_SUM], last[JOURNAL_SUM], after[JOURNAL_SUM];	/* SHA-256 in hexadecimal; "" for no file */
};

struct journal {
	int			 folder;	/* locked; -1 */
	char			*path;		/* of the folder */
	enum journal_phase	 phase;
	bool			 first;		/* there was no setup before the one that is under way */
	struct journal_file	*files;
	size_t			 n_files;
	struct daemons		 daemons;	/* whose files these are; owned */
};

/* Open the journal of STATE and wait for its lock; with MAKE the folder is made.  Without it and without a folder: 0, with
 * JOURNAL_NONE and FOLDER -1.  -1 with errors in DIAG.  journal_close() is due in either case. */
int journal_open(struct journal *j, const char *state, bool make, struct diag *diag);
void journal_close(struct journal *j);

/* The file PATH of J; NULL. */
struct journal_file *journal_file(struct journal *j, const char *path);

/* A new one, with all to be filled in.  NULL without memory. */
struct journal_file *journal_add(struct journal *j, const char *path);

/* Keep BYTES as F's original, or as its last, and note their sum. */
int journal_keep(struct journal *j, struct journal_file *f, bool original, struct slice bytes, struct diag *diag);

/* Read them back into OUT.  -1 with an error in DIAG when their sum is another. */
int journal_bytes(const struct journal *j, const struct journal_file *f, bool original, struct buf *out, struct diag *diag);

/* Write the journal itself. */
int journal_write(const struct journal *j, struct diag *diag);

/* Forget all: nothing is left in STATE. */
int journal_forget(struct journal *j, struct diag *diag);

/* The sum of BYTES. */
void journal_sum(struct slice bytes, char out[static JOURNAL_SUM]);

#endif
