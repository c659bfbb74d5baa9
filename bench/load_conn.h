/* load_conn.h - one ICAP connection of the load generator: a state machine over a socket that never blocks.
 *
 *	idle -> asking -> (100 Continue -> the rest of the body) -> answer -> idle
 *
 * Sending and receiving go on side by side, as in Squid (RFC 3507 4.5, 4.6).  Every byte that comes back is checked: framing,
 * an echoed body against the one that was sent, a page against its Content-Length. */
#ifndef BENCH_LOAD_CONN_H
#define BENCH_LOAD_CONN_H

#include "bench/load_work.h"

struct load_conn;

/* How a request ended. */
enum load_end {
	END_204,
	END_206,
	END_ECHO,	/* 200 with the body that was sent */
	END_BLOCK,	/* 200 with an HTTP 403 */
	END_KILL,	/* the connection ended within an echoed body */
	END_DAMAGED,	/* another body came back, or the framing is wrong */
	END_LOST,	/* no answer, or ICAP said 4xx or 5xx */
	ENDS
};
const char *load_end_name(enum load_end e);

struct load_result {
	enum load_end	 end;
	bool		 right;		/* as the request's verdict says, and undamaged */
	uint64_t	 number;
	int64_t		 due_ns;
	uint64_t	 after_preview;	/* body bytes that were sent after the preview */
	uint64_t	 body_in;	/* body bytes that came back */
	const char	*why;		/* for END_DAMAGED and END_LOST: a few words, static */
};

/* A connection for WORK, not yet opened; NULL without memory.  ID is its name for EPOLL_FD. */
struct load_conn *load_conn_new(const struct load_work *work, int epoll_fd, size_t id);
void load_conn_free(struct load_conn *c);

/* Close an idle connection; the next request opens it again.  A server with a thread for each connection may have taken more of them
 * than it has threads (c-icap does, by one), and the last is served when another one ends. */
void load_conn_rest(struct load_conn *c);

/* Ask request NUMBER, which should have started at DUE_NS.  -1 when the server cannot be reached. */
int load_conn_ask(struct load_conn *c, uint64_t number, int64_t due_ns);

/* Go on after epoll said something, also of a connection that is idle.  True when the request has ended: RESULT has how, and the connection is idle again. */
bool load_conn_go_on(struct load_conn *c, struct load_result *result);

#endif
