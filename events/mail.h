/* mail.h - mail addresses that stand in a URL, as lures have them: whom a message was sent to.
 *
 *	http://.../mail/id=joe.doe@betterbricks.com-patch121.exe	joe.doe, betterbricks.com-patch121.exe
 *	...?to=joe%40betterbricks.com					joe, betterbricks.com
 *	...?to=%2Fx%3Fa%3Djoe%252540betterbricks%2Ecom			%2Fx%3Fa%3Djoe, betterbricks%2Ecom
 *
 * Where an address ends is anybody's guess, and a domain may be longer here than it was meant; the name before the '@', which is
 * what is to be hidden, is exact.  Pure; linear. */
#ifndef EVENTS_MAIL_H
#define EVENTS_MAIL_H

#include "base/buf.h"

struct mail {
	struct slice	local, domain;	/* parts of the text */
};

/* The next address in TEXT from *AT on; *AT goes behind it.  False when there is none. */
bool mail_next(struct slice text, size_t *at, struct mail *out);

/* Append TEXT with "***" for what stands before the '@' of each address.  How many there were. */
size_t mail_mask(struct slice text, struct buf *out);

#endif
