/* keep.h - what stays in the rules folder: the segments that the MANIFEST or a kept one names, and nothing else.
 *
 *	rules/MANIFEST     what is live
 *	rules/MANIFEST.17  what was live as generation 17: for "rules diff" and "rollback"
 *	rules/SIGNED.17    what was signed of it, delivery/signed.h: goes with it
 *	rules/compact.lock held by who makes segments without the publishers' lock; has the number that was taken for that last
 *
 * The caller holds the publishers' lock. */
#ifndef RULESET_KEEP_H
#define RULESET_KEEP_H

#include "ruleset/manifest.h"

/* The highest generation that any file in DIR is named after, or GENERATION; a lost MANIFEST does not make an old number new. */
uint64_t keep_highest(const char *dir, uint64_t generation);

/* Keep the MANIFEST of DIR, which is generation NUMBER, also as MANIFEST.NUMBER.  -1 with errno: it can then not be gone back
 * to. */
int keep_manifest(const char *dir, uint64_t number);

/* The kept generations of DIR, newest first, into *OUT, which the caller frees; how many, or -1 with errno. */
int keep_list(const char *dir, uint64_t **out);

/* Whoever makes segments of generation NUMBER (0: none) without the publishers' lock says so: until the descriptor is closed no
 * segment is removed, and the number stays taken after that.  -1 with errno: EWOULDBLOCK when somebody does already. */
int keep_busy(const char *dir, uint64_t number);

/* Remove all but the newest KEPT kept manifests, fewer when what they need beside the live one comes to more than as much again, or
 * 256 MB; and then every segment, also half a one, that neither the MANIFEST nor a kept one names.  A kept one that is damaged
 * goes; when one cannot be read, or somebody is busy, no segment is removed. */
void keep_clean(const char *dir, size_t kept);

#endif
