/* parts.h - the parts of a multipart body, each looked at as a body of its own, one after the other.
 *
 *	bytes --> multipart --> part 1: inspector --> FINDING_MEMBER, with its file name
 *	                        part 2: inspector --> ...
 *
 * What is found in a part is a member of the body: the bytes of the part; behind its Content-Transfer-Encoding, tentatively too; a
 * file in an archive in it, a level deeper.  Of the limits of one body a part has what those before it have left.  Belongs to one
 * thread. */
#ifndef INSPECT_PARTS_H
#define INSPECT_PARTS_H

#include "inspect/inspector.h"

struct parts;

/* For a body of which WISH has the boundary.  FOUND is called with ARG by all of the below.  Both WISH and MEANS are copied.  NULL
 * without memory.  The caller's: parts_free(). */
struct parts *parts_new(const struct inspect_wish *wish, const struct inspect_means *means, finding_fn *found, void *arg);
void parts_free(struct parts *p);

/* Look at the next bytes. */
void parts_put(struct parts *p, struct slice bytes);

/* The body has ended. */
void parts_end(struct parts *p);

/* Bytes at the end of what was put that may complete something which was not found yet. */
uint64_t parts_open(const struct parts *p);

/* As those of the inspector, of the part that is open. */
uint64_t parts_waiting(const struct parts *p);
void parts_catch_up(struct parts *p);
bool parts_hesitate(const struct parts *p);
void parts_give_in(struct parts *p);

/* Nothing more is looked at: FOUND said stop, or a limit was reached. */
bool parts_done(const struct parts *p);

/* The first reason why not all was looked at. */
enum unscannable parts_unscannable(const struct parts *p);

/* Of all parts so far: bytes that were hashed, and that came out of codings; how long helpers were waited for; one of them is or
 * has an archive. */
uint64_t parts_hashed(const struct parts *p);
uint64_t parts_decoded(const struct parts *p);
int64_t parts_waited_ns(const struct parts *p);
bool parts_have_archive(const struct parts *p);

#endif
