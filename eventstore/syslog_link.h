/* syslog_link.h - the way to a receiver of syslog: a socket of this machine, UDP, TCP or TLS, and whether what was sent arrived.
 *
 * Syslog has no answer that says so.  Over a stream the next best is asked for: our half of the connection is closed, and a
 * receiver that has read all of it closes its own, while one that ended before leaves a reset; and it must take the next
 * connection, which one that was killed with all in its hands does not.  What it has read is then its own to keep.
 * Some never close: of those only the system's word is had that all bytes are acknowledged, which syslog_trusts_system() says.
 * Over TLS whoever is on the way can acknowledge and close as well, but not say the receiver's close_notify (RFC 5425 4.4): one
 * that has said it once has to say it each time.  Of those that never do, syslog_may_be_cut() says so.
 *
 *	unix:PATH		datagrams to a socket, such as /dev/log; sent when the receiver's queue is empty again
 *	udp:HOST[:PORT]		datagrams (RFC 5426), port 514; sent is sent, and lost is lost
 *	tcp:HOST:PORT		octet counting (RFC 6587 3.4.1)
 *	tls:HOST[:PORT]		the same within TLS 1.2 or later (RFC 5425), port 6514; the certificate must be good for HOST
 *
 * No call waits longer than SYSLOG_WAIT_S for one step of the other side: one of its addresses to be reached, or some bytes to be
 * taken.  A link is for one thread. */
#ifndef EVENTSTORE_SYSLOG_LINK_H
#define EVENTSTORE_SYSLOG_LINK_H

#include "base/diag.h"
#include "base/slice.h"

enum { SYSLOG_WAIT_S = 30 };

struct syslog_link;

/* PEM files: whom to believe (NULL: whom the system believes), and who we are (both NULL: nobody). */
struct syslog_tls_files {
	const char *ca, *cert, *key;
};

/* A link to TARGET, not connected yet.  NULL with an error in DIAG: no such target, or a file that cannot be used.  The
 * caller's. */
struct syslog_link *syslog_link_new(const char *target, const struct syslog_tls_files *files, struct diag *diag);
void syslog_link_free(struct syslog_link *l);

/* Send MESSAGE, connecting when that is due; some of it may wait for the next one.  0; 1 when it is too long for a datagram, and
 * nothing was sent; -1, and syslog_link_error() says why: what was not confirmed has to be sent again. */
int syslog_send(struct syslog_link *l, struct slice message);

/* All that was sent has arrived, as far as that can be known.  0, or -1 as above. */
int syslog_confirm(struct syslog_link *l);

/* Why the last call failed.  Borrowed from L. */
const char *syslog_link_error(const struct syslog_link *l);

/* The receiver does not close when we do. */
bool syslog_trusts_system(const struct syslog_link *l);

/* The receiver closes without the end that TLS has: it might be somebody else who does. */
bool syslog_may_be_cut(const struct syslog_link *l);

#endif
