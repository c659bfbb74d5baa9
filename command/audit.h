/* audit.h - who changed what by hand, and when: files in STATE/log, a line a change. */
#ifndef COMMAND_AUDIT_H
#define COMMAND_AUDIT_H

#include "base/slice.h"
#include "command/call.h"

struct buf;

/* Begin a line in OUT: the moment NOW_MS and the user id. */
void audit_begin(struct buf *out, int64_t now_ms);

/* End LINE and append it to STATE/log/NAME by one write, whatever its bytes: the file's folder is there.  A file that is made is
 * for its folder's group.  -1 after saying that WHAT was done all the same. */
int audit_write(const struct call *c, const char *name, struct buf *line, const char *what);

/* Append a line about WHAT, which BY did at NOW_MS, to the trail of who learned whom pseudonyms stand for.  As audit_write(), with
 * DONE. */
int audit_reveal(const struct call *c, int64_t now_ms, const char *by, struct slice what, const char *done);

/* Who calls, as "uid=1000", into OUT: the login that the kernel remembers (audit(8)); else, where the caller is root or the
 * owner of C's private folder, whom people become by sudo, SUDO_UID; else the real user id. */
enum { AUDIT_PERSON = 32 };
void audit_person(const struct call *c, char out[static AUDIT_PERSON]);

#endif
