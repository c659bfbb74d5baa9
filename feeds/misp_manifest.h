/* misp_manifest.h - manifest.json of a MISP feed: which events belong to it, and what their files are.
 *
 *	{"5bad1b96-53bc-4148-87eb-50d50a016219": {"info": "...", "integrity:sha256": "...", ...}, ...}
 *
 * An event that it does not name was withdrawn, or is half fetched.  One thread at a time. */
#ifndef FEEDS_MISP_MANIFEST_H
#define FEEDS_MISP_MANIFEST_H

#include "base/diag.h"

enum { MISP_EVENTS_MAX = 1 << 20 };

struct misp_manifest;

/* Read the file PATH.  What is wrong with it is warnings in DIAG, and what stood before counts; an error and NULL when it cannot be
 * read at all.  The caller's: misp_manifest_free(). */
struct misp_manifest *misp_manifest_read(const char *path, struct diag *diag);
void misp_manifest_free(struct misp_manifest *m);

/* The event UUID, in any case, is named, and the file PATH has the SHA-256 that is said of it, if one is.  Otherwise a warning in
 * DIAG about PATH. */
bool misp_manifest_vouches(struct misp_manifest *m, struct slice uuid, const char *path, struct diag *diag);

/* How many of the events that it names were never asked about. */
size_t misp_manifest_unseen(const struct misp_manifest *m);

/* S is a UUID, in its usual form. */
bool misp_is_uuid(struct slice s);

#endif
