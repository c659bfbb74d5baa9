/* inspector.h - one body in flight, looked at in every way that is wanted, in one pass and bounded memory.
 *
 *	bytes as sent --+--> digest                                      FINDING_SENT at the end
 *	                +--> decoder --+--> digest                       FINDING_DECODED, see below
 *	                               +--> watch --> archive (helper)   FINDING_MEMBER
 *	                               +--> parts (multipart)            FINDING_MEMBER
 *
 * What is decoded may be complete for a client long before the body ends: a gzip of the file can be followed by empty members.  So
 * the digest so far is looked up after each push whenever its size may be listed (tentative: bytes that come out later make it
 * something else), and for good where a coded stream ends.  While a tentative finding stands that was to be stopped for,
 * inspector_judged() stays where it was before that push: none of its bytes may leave.  An archive behind codings can be followed
 * by such padding as well, and its members are known for sure at its end: what comes after the last output waits for more.
 *
 * One inspector belongs to one thread. */
#ifndef INSPECT_INSPECTOR_H
#define INSPECT_INSPECTOR_H

#include "inspect/archive.h"
#include "inspect/coding.h"
#include "inspect/multipart.h"

/* How members are looked for. */
enum member_mode {
	MEMBERS_NO,
	MEMBERS_WATCH,		/* it is no archive by its first bytes: once a signature of one comes by, from there on */
	MEMBERS_ALL,		/* it is an archive */
};

/* What is wanted of one body. */
struct inspect_wish {
	unsigned		sent_algs;	/* DIGEST_BITs of the bytes as sent; 0: not wanted */
	uint64_t		sent_until;	/* a longer body matches no rule: its digest is not wanted */
	bool			sent_is_decoded;	/* they came out of a coding: tentative findings of them, too */
	struct codings		codings;
	unsigned		decoded_algs;	/* of the decoded bytes; 0: not wanted */
	uint64_t		decoded_until;
	enum member_mode	members;
	unsigned		member_algs;
	uint64_t		member_until;
	struct multipart_boundary boundary;	/* when it has a length each part is a body of its own, too (parts.h); its fault is said */
	int64_t			part_types;	/* bits of enum file_type: parts in which archives are looked for */
	struct inspect_limits	limits;
	bool			(*may_be_listed)(void *arg, uint64_t size);	/* of decoded sizes; called with FOUND's ARG */
};

/* The helper that is installed. */
#define INSPECT_HELPER	FIREBREAK_LIBEXEC "/firebreak-inspect-helper"

/* The means: from the process, not from the rules.  Borrowed. */
struct inspect_means {
	const char	*helper, *spool_dir;
};

struct inspector;

/* NULL without memory.  FOUND is called with ARG by update and end.  The caller's: inspector_free(). */
struct inspector *inspector_new(const struct inspect_wish *wish, const struct inspect_means *means, finding_fn *found, void *arg);
void inspector_free(struct inspector *i);

/* Look at the next bytes of the body.  LET_HELPER: also let the helper catch up, which may wait for it (limits.time_ms in all). */
void inspector_update(struct inspector *i, struct slice bytes, bool let_helper);

/* The body has ended. */
void inspector_end(struct inspector *i);

/* Up to here, in bytes as sent, everything that is complete has been found.  Callers hold back more than nothing behind it; behind
 * an archive at least INSPECT_LAG, as its reader looks ahead. */
uint64_t inspector_judged(const struct inspector *i);
bool inspector_has_archive(const struct inspector *i);
enum { INSPECT_LAG = ARCHIVE_HOLD, INSPECT_STEP = 32 * 1024 };

/* Of a body behind codings, so many bytes can be read before anything comes out of them: a block of zstd (RFC 8878 3.1.1.2.4) and
 * its head. */
enum { INSPECT_STILL = 160 * 1024 };

/* Bytes that were given but the helper has not seen: let it catch up at INSPECT_STEP, with an update or without one. */
uint64_t inspector_waiting(const struct inspector *i);
void inspector_catch_up(struct inspector *i);

/* More output of the codings would change what is held back: a tentative finding that is to be stopped for stands, or an archive
 * or a part whose end, for all that is known, has come.  Who cannot hold back more says so: then it counts as the end. */
bool inspector_hesitates(const struct inspector *i);
void inspector_give_in(struct inspector *i);

/* FOUND has said stop. */
bool inspector_stopped(const struct inspector *i);

/* Whatever comes, nothing more will be found: the rest may go as it is. */
bool inspector_done(const struct inspector *i);

/* The first reason why not all could be looked at. */
enum unscannable inspector_unscannable(const struct inspector *i);

/* The digests of the bytes as sent, once inspector_end() was called; 0 when they were not wanted or could not be made. */
size_t inspector_sent_digests(const struct inspector *i, const struct digest **digests);

/* Bytes that were hashed, and that came out of codings. */
uint64_t inspector_hashed(const struct inspector *i);
uint64_t inspector_decoded(const struct inspector *i);

/* How long all calls have waited for the helper so far. */
int64_t inspector_waited_ns(const struct inspector *i);

#endif
