/* finding.h - what inspection finds in a body: something with a size and digests, or that it could not be looked at.
 *
 * One body yields many findings: the bytes as sent; the bytes after Content-Encoding (RFC 9110 8.4) was undone, at each point where
 * a client may take them for whole; each member of an archive, at any depth.  Each is judged by itself, when it is complete. */
#ifndef INSPECT_FINDING_H
#define INSPECT_FINDING_H

#include "base/digest.h"

enum finding_kind { FINDING_SENT, FINDING_DECODED, FINDING_MEMBER };

struct finding {
	enum finding_kind	kind;
	bool			tentative;	/* it is this only if nothing more comes out */
	uint64_t		size;		/* bytes */
	size_t			n;
	struct digest		digests[DIGEST_ALGS];
	struct slice		name;		/* of a member: its path in the archive, raw bytes from outside, at most
						 * FINDING_NAME_MAX; borrowed until the callback returns */
	struct slice		disposition;	/* of a form's part itself: its Content-Disposition; the same */
	unsigned		depth;		/* of a member: 1 = in the body itself */
};

enum { FINDING_NAME_MAX = 1024 };

/* Called with each finding when it is complete.  False: this is one to stop the body for.  Unless it is tentative, nothing more is
 * looked at then. */
typedef bool finding_fn(void *arg, const struct finding *f);

/* Why something in a body could not be looked at.  The first of a body counts.  Words of unscannable_name(). */
enum unscannable {
	UNSCANNABLE_NO,			/* all of it was looked at */
	UNSCANNABLE_CODING,		/* a content coding that nobody here can undo */
	UNSCANNABLE_CODINGS,		/* more codings, one over the other, than the limit */
	UNSCANNABLE_DAMAGED,		/* a coding or an archive that breaks off or makes no sense */
	UNSCANNABLE_ENCRYPTED,		/* an archive member, or its names */
	UNSCANNABLE_DEPTH,		/* archives within archives */
	UNSCANNABLE_MEMBERS,		/* their number */
	UNSCANNABLE_RATIO,		/* it grows too much when it is unpacked */
	UNSCANNABLE_BYTES,		/* it is too much when it is unpacked */
	UNSCANNABLE_TIME,
	UNSCANNABLE_SPOOL,		/* longer than what is kept for a second look, and the format needs one */
	UNSCANNABLE_HELPER,		/* the helper died, hung, lied, or could not be started */
	UNSCANNABLES
};
const char *unscannable_name(enum unscannable u);	/* "coding", "encrypted", ... ; "no" */
const char *unscannable_text(enum unscannable u);	/* a few plain words: "an archive member is encrypted" */

/* How far inspection goes.  Each is an option of site.conf; whatever is reached first makes the rest unscannable. */
struct inspect_limits {
	uint64_t depth;		/* archives within archives; 0 = members are not looked at */
	uint64_t members;	/* of one body, at all depths together */
	uint64_t ratio;		/* unpacked bytes for one packed, once more than RATIO_FREE bytes are unpacked */
	uint64_t bytes;		/* unpacked, at all depths and of all codings together */
	uint64_t time_ms;	/* that the helper may take for one body, waiting for bytes not counted */
	uint64_t spool;		/* bytes of an archive that are kept on disk for a second look */
};

enum { RATIO_FREE = 16 * 1024 * 1024 };

#endif
