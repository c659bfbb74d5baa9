/* misp_manifest.h - manifest.json of a MISP feed: which events belong to it, and what their files are.
 *
 *	{"5bad1b96-53bc-4148-87eb-50d50a016219": {"info": "...", "timestamp": "1472638251", "integrity:sha256": "...", ...}, ...}
 *
 * An event that it does not name was withdrawn, or is half fetched.  The file hashes.csv beside it has no digests of files, but of
 * the values in them, and is of no use here.  One thread at a time. */
#ifndef FEEDS_MISP_MANIFEST_H
#define FEEDS_MISP_MANIFEST_H

#include "base/diag.h"
#include "base/digest.h"

enum { MISP_EVENTS_MAX = 1 << 20, MISP_UUID = 36, MISP_TIMESTAMP = 20 };

/* What it says of an event. */
struct misp_event {
	char		uuid[MISP_UUID + 1];		/* in lower case */
	char		timestamp[MISP_TIMESTAMP + 1];	/* digits; "" when there is none */
	bool		has_sum, seen;
	struct digest	sum;				/* SHA-256 of its file */
};

struct misp_manifest;

/* An empty one, that takes MAX events at most; PATH is for messages, and borrowed, as is DIAG, which gets warnings.  NULL without
 * memory.  The caller's: misp_manifest_free(). */
struct misp_manifest *misp_manifest_new(const char *path, size_t max, struct diag *diag);
void misp_manifest_free(struct misp_manifest *m);

/* The next bytes of its text.  -1 with ENOMEM. */
int misp_manifest_put(struct misp_manifest *m, struct slice bytes);

/* The end of it.  False when it is not whole, or had more than MAX events: what stood before that counts. */
bool misp_manifest_end(struct misp_manifest *m);

/* The events, each once, in the order of their names: *N.  Of one that stands there twice the later counts.  Borrowed. */
const struct misp_event *misp_manifest_events(const struct misp_manifest *m, size_t *n);

/* How many were no good. */
size_t misp_manifest_bad(const struct misp_manifest *m);

/* All of the above with the file PATH.  What is wrong with it is warnings in DIAG, and what stood before counts; an error and NULL
 * when it cannot be read at all. */
struct misp_manifest *misp_manifest_read(const char *path, struct diag *diag);

/* The event UUID, in any case, which misp_is_uuid(), is named, and the file PATH has the SHA-256 that is said of it, if one is.
 * Otherwise a warning in DIAG about PATH. */
bool misp_manifest_vouches(struct misp_manifest *m, struct slice uuid, const char *path, struct diag *diag);

/* How many of the events that it names were never asked about. */
size_t misp_manifest_unseen(const struct misp_manifest *m);

/* S is a UUID, in its usual form. */
bool misp_is_uuid(struct slice s);

/* E as three words, "UUID TIMESTAMP SHA256", with "-" for what there is none of; and back: -1 when TEXT is no such thing. */
enum { MISP_EVENT_TEXT = MISP_UUID + 1 + MISP_TIMESTAMP + 1 + DIGEST_MAX_HEX + 1 };
void misp_event_format(const struct misp_event *e, char out[static MISP_EVENT_TEXT]);
int misp_event_parse(struct slice text, struct misp_event *out);

/* By the UUID; for qsort() and bsearch(). */
int misp_event_compare(const void *a, const void *b);

#endif
