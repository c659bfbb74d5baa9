#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "console/part.h"

enum {
	CONNECTIONS = 64, CONNECTIONS_EACH = 48,	/* of one address: all of them are one behind a proxy */
	DEADLINE_MS = 20 * 1000,			/* of a connection, from its beginning to the request's end */
	IDLE_S = 10, HEADERS_BYTES = 16 << 10, URI_MAX = 8 << 10, BODY_MAX = FORM_MAX, BACKLOG = 64,
	TICK_MS = 1000, MS_PER_S = 1000, NS_PER_MS = 1000000, PORT_MAX = 65535,
};

/* A connection is one request: it is closed after the answer. */
struct connection {
	int	fd;		/* -1: free */
	int64_t	since_ms;
	bool	is_cut;
};

struct server {
	struct console		 console;
	struct MHD_Daemon	*daemon;
	struct connection	 connections[CONNECTIONS];
};

/* One request while it comes in. */
struct exchange {
	struct buf	uri, body;
	bool		begun;
};

static volatile sig_atomic_t stopped;

static int64_t
tick_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * MS_PER_S + ts.tv_nsec / NS_PER_MS;
}

/* ---- answering ---- */

static void
add_headers(struct MHD_Response *r, const struct answer *a)
{
	static const struct { const char *name, *value; } always[] = {
		{ "Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
		    "frame-ancestors 'none'" },
		{ "Cache-Control", "no-store" }, { "X-Content-Type-Options", "nosniff" }, { "X-Frame-Options", "DENY" },
		{ "Referrer-Policy", "same-origin" }, { "Cross-Origin-Opener-Policy", "same-origin" },
		{ "Cross-Origin-Resource-Policy", "same-origin" }, { "Connection", "close" },
	};

	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		MHD_add_response_header(r, always[i].name, always[i].value);
	MHD_add_response_header(r, "Content-Type", a->type);
	if (*a->location != '\0')
		MHD_add_response_header(r, "Location", a->location);
	if (*a->cookie != '\0')
		MHD_add_response_header(r, "Set-Cookie", a->cookie);
}

static enum MHD_Result
send_answer(struct MHD_Connection *mc, const struct answer *a)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(a->body.len, a->body.p, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (r == NULL)
		return MHD_NO;
	add_headers(r, a);
	result = MHD_queue_response(mc, a->status, r);
	MHD_destroy_response(r);
	return result;
}

static struct slice
header(struct MHD_Connection *mc, const char *name)
{
	return slice_str(MHD_lookup_connection_value(mc, MHD_HEADER_KIND, name));
}

static void
set_client(struct MHD_Connection *mc, char out[static INET6_ADDRSTRLEN])
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mc, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *sa = info != NULL ? info->client_addr : NULL;

	snprintf(out, INET6_ADDRSTRLEN, "?");
	if (sa != NULL && sa->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, out, INET6_ADDRSTRLEN);
	else if (sa != NULL && sa->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, out, INET6_ADDRSTRLEN);
}

static enum MHD_Result
refuse(struct MHD_Connection *mc, unsigned status, const char *title, struct slice text)
{
	struct request rq = { 0 };
	struct answer a = { .type = "text/html; charset=utf-8" };
	enum MHD_Result result;

	buf_init(&a.body, ANSWER_MAX);
	answer_message(&rq, &a, status, title, text);
	result = send_answer(mc, &a);
	answer_fini(&a);
	return result;
}

/* The whole request is there. */
static enum MHD_Result
answer(struct server *s, struct MHD_Connection *mc, const char *method, struct exchange *x)
{
	struct request rq = { .is_get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0, .is_post = strcmp(method, "POST") == 0,
		.cookies = header(mc, "Cookie"), .fetch_site = header(mc, "Sec-Fetch-Site"), .now_ms = clock_ms(), .tick_ms = tick_ms() };
	enum MHD_Result result;
	struct slice query;
	struct answer a;

	slice_cut(buf_slice(&x->uri), '?', &rq.path, &query);
	set_client(mc, rq.client);
	if (form_parse(&rq.query, query) == -1 || form_parse(&rq.fields, buf_slice(&x->body)) == -1)
		result = refuse(mc, STATUS_BAD, "Not understood", SLICE("This request is none that this console makes."));
	else {
		console_answer(&s->console, &rq, &a);
		result = send_answer(mc, &a);
		answer_fini(&a);
	}
	form_fini(&rq.query);
	form_fini(&rq.fields);
	return result;
}

/* What a body must say of itself before it is read: a length, and not too much. */
static enum MHD_Result
begin(struct MHD_Connection *mc, const char *method, struct exchange *x)
{
	struct slice length = header(mc, "Content-Length");
	uint64_t n;

	x->begun = true;
	if (x->uri.failed)
		return refuse(mc, STATUS_BAD, "Too long", SLICE("This address is too long."));
	if (header(mc, "Transfer-Encoding").len > 0 || (strcmp(method, "POST") == 0 && length.len == 0))
		return refuse(mc, STATUS_LENGTH, "Refused", SLICE("A form comes with its length."));
	if (length.len > 0 && (slice_u64(length, &n) == -1 || n > BODY_MAX))
		return refuse(mc, STATUS_TOO_LARGE, "Too long", SLICE("This is too long for a form."));
	return MHD_YES;
}

static enum MHD_Result
handle(void *cls, struct MHD_Connection *mc, const char *url, const char *method, const char *version, const char *data,
    size_t *len, void **context)
{
	struct exchange *x = *context;

	(void)url;
	(void)version;
	if (x == NULL)
		return MHD_NO;
	if (!x->begun)
		return begin(mc, method, x);
	if (*len > 0) {
		buf_add(&x->body, data, *len);
		*len = 0;
		return MHD_YES;
	}
	return answer(cls, mc, method, x);
}

/* The request's line is there: what comes is kept as it was sent, before anything is decoded. */
static void *
begin_exchange(void *cls, const char *uri, struct MHD_Connection *mc)
{
	struct exchange *x = calloc(1, sizeof(*x));

	(void)cls;
	(void)mc;
	if (x == NULL)
		return NULL;
	buf_init(&x->uri, URI_MAX);
	buf_init(&x->body, BODY_MAX);
	buf_add_str(&x->uri, uri);
	return x;
}

static void
end_exchange(void *cls, struct MHD_Connection *mc, void **context, enum MHD_RequestTerminationCode code)
{
	struct exchange *x = *context;

	(void)cls;
	(void)mc;
	(void)code;
	if (x == NULL)
		return;
	buf_fini(&x->uri);
	buf_fini(&x->body);
	free(x);
	*context = NULL;
}

/* ---- connections ---- */

static void
note_connection(void *cls, struct MHD_Connection *mc, void **context, enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mc, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct server *s = cls;
	struct connection *c = *context;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (c != NULL)
			c->fd = -1;
		*context = NULL;
		return;
	}
	for (size_t i = 0; info != NULL && i < CONNECTIONS; i++)
		if (s->connections[i].fd == -1) {
			s->connections[i] = (struct connection){ .fd = info->connect_fd, .since_ms = tick_ms() };
			*context = &s->connections[i];
			return;
		}
}

/* Who sends a byte now and then is not idle: he is cut all the same. */
static void
cut_slow_ones(struct server *s)
{
	int64_t now = tick_ms();

	for (size_t i = 0; i < CONNECTIONS; i++) {
		struct connection *c = &s->connections[i];

		if (c->fd != -1 && !c->is_cut && now - c->since_ms > DEADLINE_MS)
			c->is_cut = shutdown(c->fd, SHUT_RDWR) == 0 || errno != EINTR;
	}
}

/* ---- listening ---- */

union address {
	struct sockaddr		sa;
	struct sockaddr_in	four;
	struct sockaddr_in6	six;
};

/* "127.0.0.1:8191" or "[::1]:8191". */
static int
parse_listen(const char *text, union address *out, socklen_t *len)
{
	struct slice whole = slice_str(text), host, port;
	char name[INET6_ADDRSTRLEN];
	uint64_t n;
	bool six = whole.len > 0 && *whole.p == '[';

	if (six ? !slice_cut(slice_skip(whole, 1), ']', &host, &port) || port.len == 0 || *port.p != ':' :
	    !slice_cut(whole, ':', &host, &port))
		return -1;
	if (six)
		port = slice_skip(port, 1);
	if (host.len >= sizeof(name) || slice_u64(port, &n) == -1 || n > PORT_MAX)
		return -1;
	memcpy(name, host.p, host.len);
	name[host.len] = '\0';
	memset(out, 0, sizeof(*out));
	if (six) {
		out->six.sin6_family = AF_INET6;
		out->six.sin6_port = htons((uint16_t)n);
		*len = sizeof(out->six);
		return inet_pton(AF_INET6, name, &out->six.sin6_addr) == 1 ? 0 : -1;
	}
	out->four.sin_family = AF_INET;
	out->four.sin_port = htons((uint16_t)n);
	*len = sizeof(out->four);
	return inet_pton(AF_INET, name, &out->four.sin_addr) == 1 ? 0 : -1;
}

static bool
is_loopback(const union address *a)
{
	enum { LOOPBACK_NET = 127, NET_SHIFT = 24 };

	return a->sa.sa_family == AF_INET ? ntohl(a->four.sin_addr.s_addr) >> NET_SHIFT == LOOPBACK_NET :
	    IN6_IS_ADDR_LOOPBACK(&a->six.sin6_addr);
}

/* A socket that listens as TEXT says; -1 after saying why not. */
static int
open_socket(const char *text)
{
	union address address;
	socklen_t len;
	const int yes = 1;
	int fd;

	if (parse_listen(text, &address, &len) == -1) {
		fprintf(stderr, "firebreak console: --listen takes ADDRESS:PORT, such as 127.0.0.1:8191 or [::1]:8191\n");
		return -1;
	}
	if (!is_loopback(&address))
		fprintf(stderr, "firebreak console: this is no loopback address: passwords and cookies go over the network in the clear; "
		    "put a proxy with TLS before a loopback address instead\n");
	fd = socket(address.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd != -1 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 && bind(fd, &address.sa, len) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	fprintf(stderr, "firebreak console: %s: %s\n", text, strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}

static void
say_where(int fd)
{
	union address a;
	socklen_t len = sizeof(a);
	char text[INET6_ADDRSTRLEN] = "";

	if (getsockname(fd, &a.sa, &len) == -1)
		return;
	if (a.sa.sa_family == AF_INET)
		printf("http://%s:%u/\n", inet_ntop(AF_INET, &a.four.sin_addr, text, sizeof(text)), ntohs(a.four.sin_port));
	else
		printf("http://[%s]:%u/\n", inet_ntop(AF_INET6, &a.six.sin6_addr, text, sizeof(text)), ntohs(a.six.sin6_port));
	fflush(stdout);
}

/* ---- from beginning to end ---- */

static void
stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* Signals come only while nothing is done, so that no publish is cut short. */
static void
serve(struct server *s, const sigset_t *waiting)
{
	struct pollfd pfd = { .fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, .events = POLLIN };

	while (!stopped) {
		MHD_UNSIGNED_LONG_LONG ms = TICK_MS;
		struct timespec timeout;

		if (MHD_get_timeout(s->daemon, &ms) == MHD_NO || ms > TICK_MS)
			ms = TICK_MS;
		timeout = (struct timespec){ .tv_sec = (time_t)(ms / MS_PER_S), .tv_nsec = (long)(ms % MS_PER_S) * NS_PER_MS };
		ppoll(&pfd, 1, &timeout, waiting);
		MHD_run(s->daemon);
		cut_slow_ones(s);
	}
}

static int
start(struct server *s, int fd)
{
	s->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, handle, s, MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNECTIONS_EACH,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_BYTES * 2,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, begin_exchange, NULL,
	    MHD_OPTION_NOTIFY_COMPLETED, end_exchange, NULL, MHD_OPTION_NOTIFY_CONNECTION, note_connection, s, MHD_OPTION_END);
	if (s->daemon != NULL)
		return 0;
	fprintf(stderr, "firebreak console: the server could not be started\n");
	close(fd);
	return -1;
}

/* The first reading of the log may take minutes: it is done before anybody is let wait for it. */
static void
read_log(struct console *c)
{
	struct diag diag = { 0 };

	c->store = eventstore_open(c->o->events, &diag);
	if (c->store != NULL && eventstore_update(c->store, &diag) == -1) {
		eventstore_close(c->store);
		c->store = NULL;
	}
	diag_print(&diag, stderr);
	diag_fini(&diag);
}

static int
check_users(const char *path)
{
	struct diag diag = { 0 };
	struct users *users = users_load(path, &diag);

	diag_print(&diag, stderr);
	diag_fini(&diag);
	if (users == NULL)
		fprintf(stderr, "firebreak console: nobody could log in; \"firebreak console --add-user NAME --role ROLE\" adds a user\n");
	users_free(users);
	return users == NULL ? -1 : 0;
}

static int
run(struct server *s, const sigset_t *waiting)
{
	int fd;

	if (s->console.sessions == NULL || s->console.limits == NULL ||
	    getentropy(s->console.secret, sizeof(s->console.secret)) == -1) {
		fprintf(stderr, "firebreak console: out of memory, or of random numbers\n");
		return -1;
	}
	if (check_users(s->console.o->users) == -1 || (fd = open_socket(s->console.o->listen)) == -1)
		return -1;
	read_log(&s->console);
	if (start(s, fd) == -1)
		return -1;
	say_where(fd);
	serve(s, waiting);
	MHD_stop_daemon(s->daemon);
	return 0;
}

int
console_run(const struct console_options *o)
{
	struct sigaction on_stop = { .sa_handler = stop }, ignored = { .sa_handler = SIG_IGN };
	struct server *s = calloc(1, sizeof(*s));
	sigset_t blocked, waiting;
	int r;

	if (s == NULL)
		return -1;
	for (size_t i = 0; i < CONNECTIONS; i++)
		s->connections[i].fd = -1;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &waiting);
	sigdelset(&waiting, SIGINT);
	sigdelset(&waiting, SIGTERM);
	sigaction(SIGINT, &on_stop, NULL);
	sigaction(SIGTERM, &on_stop, NULL);
	sigaction(SIGPIPE, &ignored, NULL);
	s->console.o = o;
	s->console.sessions = sessions_new();
	s->console.limits = limits_new();
	r = run(s, &waiting);
	eventstore_close(s->console.store);
	sessions_free(s->console.sessions);
	limits_free(s->console.limits);
	free(s);
	return r;
}
