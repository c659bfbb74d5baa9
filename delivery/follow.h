/* follow.h - what a state folder that pulls from an origin remembers of it: STATE/follow.  As long as the file is there the folder
 * is a follower, and nothing is published in it.
 *
 *	firebreak-follow 1
 *	url https://rules.example.net/firebreak/
 *	key RWQ...			who signs
 *	key RWQ...			who will sign next; may be missing
 *	epoch 1
 *	generation 17			the floor: nothing below it is taken up any more
 *	created 2026-11-27T14:30:00Z
 *	expires 2026-12-04T14:30:00Z
 *	local 17			its number here, which is higher after a rollback or a new epoch
 *	signed 9f86d081...		SHA-256 of the signed text
 *	checked 2026-11-27T15:00:00Z	when the origin last answered with something good
 *	failed 2026-11-27T15:05:00Z WHY	only when a later pull failed
 *
 * Written by rename before the MANIFEST is, so that a killed pull has never taken up what it does not remember.  The caller holds
 * the publishers' lock to write it. */
#ifndef DELIVERY_FOLLOW_H
#define DELIVERY_FOLLOW_H

#include "base/diag.h"
#include "base/segment.h"
#include "feeds/minisign.h"

enum { FOLLOW_KEYS = 2, FOLLOW_URL = 2048, FOLLOW_WHY = 400, FOLLOW_STALE_S = 24 * 3600 };

struct follow {
	char			url[FOLLOW_URL];
	size_t			n_keys;
	struct minisign_public	keys[FOLLOW_KEYS];
	uint64_t		epoch, generation, local;
	int64_t			created, expires, checked;
	uint8_t			sha256[SEGMENT_SHA256];
	int64_t			failed;			/* 0: not since CHECKED */
	char			why[FOLLOW_WHY];	/* one line, blanks for controls */
};

/* Read STATE/follow.  -1 with errno: ENOENT when the folder follows nobody, EBADMSG with errors in DIAG when it is damaged. */
int follow_load(const char *state, struct follow *out, struct diag *diag);

/* Replace it.  -1 with errno. */
int follow_write(const char *state, const struct follow *f);

/* Follow nobody any more.  -1 with errno. */
int follow_remove(const char *state);

/* Remember that a pull failed at NOW, for the reason WHY. */
void follow_set_failed(struct follow *f, int64_t now, struct slice why);

/* What is live has outlived its end at NOW; the origin has not said anything good for FOLLOW_STALE_S. */
bool follow_is_expired(const struct follow *f, int64_t now);
bool follow_is_stale(const struct follow *f, int64_t now);

#endif
