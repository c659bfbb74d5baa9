#include "eventstore/syslog_link.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "eventstore/lookup.h"
#include "eventstore/syslog_tls.h"

enum {
	OUT_MAX = 2 << 20, OUT_FULL = 64 << 10,	/* bytes that are written at once */
	ERROR_MAX = 256, POLL_MS = 5, CLOSE_MS = 10 * 1000, NS_PER_MS = 1000000, S_MS = 1000,
	UDP_BURST = 16,				/* datagrams before a pause: a receiver's buffer is some hundred */
};

enum way { WAY_UNIX, WAY_UDP, WAY_TCP, WAY_TLS, WAYS };

static const struct { struct slice head; const char *port; } ways[WAYS] = {
	[WAY_UNIX] = { SLICE("unix:"), NULL }, [WAY_UDP] = { SLICE("udp:"), "514" }, [WAY_TCP] = { SLICE("tcp:"), NULL },
	[WAY_TLS] = { SLICE("tls:"), "6514" },
};

struct syslog_link {
	enum way		 way;
	char			*host, *port;		/* of unix: HOST is the path */
	struct lookup		*lookup;		/* of HOST, while it goes on; NULL */
	struct tls_client	*client;		/* of tls */
	int			 fd;			/* -1: not connected */
	struct tls_session	*session;
	struct buf		 out;			/* of a stream: not written yet */
	bool			 unconfirmed;		/* something was sent since */
	unsigned		 burst;
	struct stat		 peer;			/* of unix: the socket that was connected to */
	bool			 trusts_system;
	bool			 says_end, may_be_cut;	/* of tls: it has sent close_notify; it has closed without */
	char			 error[ERROR_MAX];
};

/* ---- what goes wrong ---- */

static void
disconnect(struct syslog_link *l)
{
	tls_session_free(l->session);
	l->session = NULL;
	if (l->fd != -1)
		close(l->fd);
	l->fd = -1;
	buf_reset(&l->out);
	l->unconfirmed = false;
	l->burst = 0;
}

static int
fail(struct syslog_link *l, const char *why)
{
	/* The text may be the session's. */
	snprintf(l->error, sizeof(l->error), "%s", why);
	disconnect(l);
	return -1;
}

static int
fail_errno(struct syslog_link *l)
{
	return fail(l, errno == EAGAIN ? "it has taken nothing for half a minute" : strerror(errno));
}

/* ---- the target ---- */

/* HOST, HOST:PORT, [HOST] or [HOST]:PORT.  -1 when it is none of these, or the port is missing. */
static int
parse_host(struct syslog_link *l, struct slice text)
{
	struct slice host = text, port = slice_str(ways[l->way].port == NULL ? "" : ways[l->way].port), rest = { 0 };
	uint64_t n;

	if (text.len > 0 && *text.p == '[') {
		if (!slice_cut(slice_skip(text, 1), ']', &host, &rest))
			return -1;
		if (rest.len > 0 && *rest.p != ':')
			return -1;
		port = rest.len > 0 ? slice_skip(rest, 1) : port;
	} else if (slice_cut(text, ':', &host, &rest))
		port = rest;
	if (host.len == 0 || slice_u64(port, &n) == -1 || n == 0 || n > UINT16_MAX)
		return -1;
	l->host = slice_dup(host);
	l->port = slice_dup(port);
	return l->host == NULL || l->port == NULL ? -1 : 0;
}

static int
parse(struct syslog_link *l, struct slice target)
{
	struct sockaddr_un address;
	struct slice rest;

	while (l->way < WAYS && !slice_starts(target, ways[l->way].head))
		l->way++;
	if (l->way == WAYS)
		return -1;
	rest = slice_skip(target, ways[l->way].head.len);
	if (l->way != WAY_UNIX)
		return parse_host(l, rest);
	if (rest.len == 0 || rest.len >= sizeof(address.sun_path) || (l->host = slice_dup(rest)) == NULL)
		return -1;
	return 0;
}

struct syslog_link *
syslog_link_new(const char *target, const struct syslog_tls_files *files, struct diag *diag)
{
	struct syslog_link *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		diag_error(diag, "%s", strerror(ENOMEM));
		return NULL;
	}
	l->fd = -1;
	buf_init(&l->out, OUT_MAX);
	if (parse(l, slice_str(target)) == -1)
		diag_error(diag, "a receiver is unix:PATH, udp:HOST[:PORT], tcp:HOST:PORT or tls:HOST[:PORT]");
	else if (l->way != WAY_TLS || (l->client = tls_client_new(files, diag)) != NULL)
		return l;
	syslog_link_free(l);
	return NULL;
}

void
syslog_link_free(struct syslog_link *l)
{
	if (l == NULL)
		return;
	disconnect(l);
	tls_client_free(l->client);
	lookup_free(l->lookup);
	buf_fini(&l->out);
	free(l->host);
	free(l->port);
	free(l);
}

const char *
syslog_link_error(const struct syslog_link *l)
{
	return l->error;
}

bool
syslog_trusts_system(const struct syslog_link *l)
{
	return l->trusts_system;
}

bool
syslog_may_be_cut(const struct syslog_link *l)
{
	return l->may_be_cut;
}

/* ---- connecting ---- */

/* No call waits longer for the other side. */
static int
bound_waiting(int fd)
{
	const struct timeval wait = { .tv_sec = SYSLOG_WAIT_S };

	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == -1 ? -1 : 0;
}

static int
connect_unix(struct syslog_link *l)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memcpy(address.sun_path, l->host, strlen(l->host) + 1);
	if ((l->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1 || bound_waiting(l->fd) == -1 ||
	    stat(l->host, &l->peer) == -1 || connect(l->fd, (struct sockaddr *)&address, sizeof(address)) == -1)
		return fail_errno(l);
	return 0;
}

/* SO_SNDTIMEO bounds connect(), too. */
static int
connect_one(struct syslog_link *l, const struct addrinfo *a)
{
	if ((l->fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol)) == -1)
		return -1;
	if (bound_waiting(l->fd) == 0 && connect(l->fd, a->ai_addr, a->ai_addrlen) == 0)
		return 0;
	if (errno == EINPROGRESS)
		errno = ETIMEDOUT;
	return -1;
}

/* Its addresses into *ALL.  What comes too late is there for the next try. */
static int
find_host(struct syslog_link *l, struct addrinfo **all)
{
	int error, saved;

	if (l->lookup == NULL && (l->lookup = lookup_new(l->host, l->port, l->way == WAY_UDP)) == NULL)
		return fail_errno(l);
	if ((error = lookup_wait(l->lookup, SYSLOG_WAIT_S * S_MS, all)) == LOOKUP_LATE)
		return fail(l, "its name could not be looked up within half a minute");
	saved = errno;
	lookup_free(l->lookup);
	l->lookup = NULL;
	return error == 0 ? 0 : fail(l, error == EAI_SYSTEM ? strerror(saved) : gai_strerror(error));
}

static int
connect_host(struct syslog_link *l)
{
	struct addrinfo *all = NULL;
	int saved = ECONNREFUSED;

	if (find_host(l, &all) == -1)
		return -1;
	for (const struct addrinfo *a = all; a != NULL; a = a->ai_next) {
		if (connect_one(l, a) == 0) {
			freeaddrinfo(all);
			return 0;
		}
		saved = errno;
		disconnect(l);
	}
	freeaddrinfo(all);
	errno = saved;
	return fail_errno(l);
}

static int
connect_now(struct syslog_link *l)
{
	char why[ERROR_MAX] = "";

	if (l->fd != -1)
		return 0;
	if ((l->way == WAY_UNIX ? connect_unix(l) : connect_host(l)) == -1)
		return -1;
	if (l->way == WAY_TLS && (l->session = tls_session_new(l->client, l->fd, l->host, why, sizeof(why))) == NULL)
		return fail(l, why);
	return 0;
}

/* ---- sending ---- */

/* What waits of a stream goes out. */
static int
flush(struct syslog_link *l)
{
	struct slice left = buf_slice(&l->out);
	char why[ERROR_MAX] = "";

	while (left.len > 0) {
		ssize_t n;

		if (l->session != NULL) {
			if (tls_session_write(l->session, left, why, sizeof(why)) == -1)
				return fail(l, why);
			break;
		}
		if ((n = send(l->fd, left.p, left.len, MSG_NOSIGNAL)) == -1)
			return fail_errno(l);
		left = slice_skip(left, (size_t)n);
	}
	buf_reset(&l->out);
	return 0;
}

static int
send_datagram(struct syslog_link *l, struct slice message)
{
	if (send(l->fd, message.p, message.len, MSG_NOSIGNAL) != -1) {
		if (l->way == WAY_UDP && ++l->burst % UDP_BURST == 0)
			clock_pause(1);
		return 0;
	}
	return errno == EMSGSIZE ? 1 : fail_errno(l);
}

int
syslog_send(struct syslog_link *l, struct slice message)
{
	if (connect_now(l) == -1)
		return -1;
	l->unconfirmed = true;
	if (l->way == WAY_UNIX || l->way == WAY_UDP)
		return send_datagram(l, message);
	buf_addf(&l->out, "%zu ", message.len);
	buf_add_slice(&l->out, message);
	if (l->out.failed)
		return fail(l, strerror(ENOMEM));
	return l->out.len >= OUT_FULL ? flush(l) : 0;
}

/* ---- has it arrived? ---- */

/* Nothing of ours is under way any more, or is in a queue that nobody has read: 1; 0 after MS. */
static int
is_drained(const struct syslog_link *l, int ms)
{
	int64_t end = clock_ns() + (int64_t)ms * NS_PER_MS;
	int queued = 1;

	while (ioctl(l->fd, SIOCOUTQ, &queued) == 0 && queued > 0 && clock_ns() < end)
		clock_pause(POLL_MS);
	return queued == 0;
}

/* A queue that went with its owner is empty as well: there must still be the one that we sent to. */
static int
confirm_unix(struct syslog_link *l)
{
	struct stat now;
	struct stat before = l->peer;

	if (!is_drained(l, SYSLOG_WAIT_S * S_MS)) {
		errno = EAGAIN;
		return fail_errno(l);
	}
	disconnect(l);
	if (connect_unix(l) == -1)
		return -1;
	now = l->peer;
	if (now.st_dev != before.st_dev || now.st_ino != before.st_ino || now.st_ctim.tv_sec != before.st_ctim.tv_sec ||
	    now.st_ctim.tv_nsec != before.st_ctim.tv_nsec)
		return fail(l, "it was started anew meanwhile");
	return 0;
}

/* A port where nobody listens is told of later than the datagram is sent. */
static int
confirm_udp(struct syslog_link *l)
{
	struct pollfd pfd = { .fd = l->fd };
	socklen_t len = sizeof(errno);
	int error = 0;

	if (poll(&pfd, 1, POLL_MS) > 0 && getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error != 0) {
		errno = error;
		return fail_errno(l);
	}
	return 0;
}

/* Pass over what came: as tls_session_skip(). */
static int
skip(const struct syslog_link *l, bool *clean)
{
	char ignored[OUT_FULL / 16];
	ssize_t n;

	if (l->session != NULL)
		return tls_session_skip(l->session, clean);
	n = recv(l->fd, ignored, sizeof(ignored), MSG_DONTWAIT);
	return n > 0 || (n == -1 && errno == EAGAIN) ? 1 : (int)n;
}

/* Close our half, and wait for the other: 0 when it came, 1 when it did not come in time, -1 with errno.  CLEAN as
 * tls_session_skip() has it. */
static int
close_half(struct syslog_link *l, bool *clean)
{
	struct pollfd pfd = { .fd = l->fd, .events = POLLIN };
	int64_t end = clock_ns() + (int64_t)CLOSE_MS * NS_PER_MS;
	int r = 1;

	if (l->session != NULL)
		tls_session_end(l->session);
	if (shutdown(l->fd, SHUT_WR) == -1 || fcntl(l->fd, F_SETFL, O_NONBLOCK) == -1)
		return -1;
	while (r == 1 && clock_ns() < end) {
		int ready = poll(&pfd, 1, CLOSE_MS);

		if (ready == 0)
			return 1;
		if (ready == -1 || (r = skip(l, clean)) == -1)
			return -1;
	}
	return r;
}

static int
confirm_stream(struct syslog_link *l)
{
	bool clean = false;
	int r;

	if (flush(l) == -1)
		return -1;
	if (l->trusts_system)
		return is_drained(l, SYSLOG_WAIT_S * S_MS) ? 0 : (errno = EAGAIN, fail_errno(l));
	if ((r = close_half(l, &clean)) == -1)
		return fail_errno(l);
	if (l->says_end && !clean)
		return fail(l, "TLS: the connection was cut, or the receiver has not said in time that it has all (close_notify)");
	if (r == 1 && !is_drained(l, 0))
		return errno = EAGAIN, fail_errno(l);
	l->says_end |= clean;
	l->may_be_cut |= l->session != NULL && r == 0 && !clean;
	l->trusts_system = r == 1;
	disconnect(l);
	/* Who was killed with all in his hands has closed as well; but then nobody listens now. */
	return connect_now(l);
}

int
syslog_confirm(struct syslog_link *l)
{
	int r;

	if (!l->unconfirmed)
		return 0;
	r = l->way == WAY_UNIX ? confirm_unix(l) : l->way == WAY_UDP ? confirm_udp(l) : confirm_stream(l);
	l->unconfirmed = false;
	return r;
}
