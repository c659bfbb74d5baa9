/* pull_part.h - what the files of a pull share: one pull while it runs.  Not for others. */
#ifndef DELIVERY_PULL_PART_H
#define DELIVERY_PULL_PART_H

#include "delivery/pull.h"
#include "runtime/state.h"

enum { PULL_PATH = STATE_PATH + MANIFEST_NAME, PULL_KNOWN = 64, PULL_URL = FOLLOW_URL + MANIFEST_NAME };

struct puller {
	const struct pull_options	*options;
	struct pull_report		*report;
	struct diag			*diag;
	char				 rules_dir[STATE_PATH];
	int				 lock;
	uint64_t			 live;		/* the generation that was when we began; 0: none */
	bool				 follows;	/* the folder was a follower before */
	struct follow			 follow;	/* as it was, and then as it will be */
	struct fetch			*fetch;
	struct manifest			 known[PULL_KNOWN];	/* the live one first, then those that are kept; read to take up */
	size_t				 n_known;
	struct buf			 entry;		/* SIGNED.minisig */
	struct minisign_signature	 signature;	/* borrowed from it */
	const struct minisign_public	*key;		/* who signed it, of FOLLOW */
	struct signed_text		 offer;
	uint8_t				 sha256[SEGMENT_SHA256];	/* of its text */
	struct buf			 manifest;	/* the text of the origin's MANIFEST */
};

/* What the file NAME of the origin is called in errors, into OUT. */
void pull_url(const struct puller *p, const char *name, char out[static PULL_URL]);

/* An error about the file NAME of the origin, or PATH here; -1. */
int pull_refuse(struct puller *p, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int pull_fail(struct puller *p, const char *path, const char *what);

/* pull_offer.c: fetch the entry, and find the pinned key that signed its comment.  -1 with an error. */
int pull_read_entry(struct puller *p);

/* Fetch the signed text and verify it; whether it may be taken up.  -1 with an error. */
int pull_read_offer(struct puller *p);

/* Fetch the offer's MANIFEST and take it apart into OUT.  -1 with an error; OUT is to be freed in either case. */
int pull_read_manifest(struct puller *p, struct manifest *out);

/* pull_files.c: the names that M's segments have here, in M; those that are missing are fetched (not in a dry run, where they are
 * counted).  -1 with an error. */
int pull_segments(struct puller *p, struct manifest *m);

#endif
