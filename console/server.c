#include <sys/resource.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "console/part.h"
#include "console/slots.h"
#include "console/tls.h"

enum {
	IDLE_S = 10, HEADERS_BYTES = 16 << 10, URI_MAX = 8 << 10, BODY_MAX = FORM_MAX, BACKLOG = 1024,
	ACCEPT_BATCH = 32,		/* new connections between two turns of those that are there */
	DESCRIPTORS = SLOTS_MAX + SLOTS_ENDING + 256,	/* the event log's files are among them */
	SEND_BUFFER = 128 << 10,	/* what the system keeps for one who does not read */
	ANSWERS_MAX = 32 << 20, ANSWER_SMALL = 64 << 10,	/* on their way at once; small ones always go */
	TICK_MS = 1000, MS_PER_S = 1000, NS_PER_MS = 1000000, PORT_MAX = 65535,
};
#define TLS_PRIORITIES	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

struct server {
	struct console		 console;
	struct MHD_Daemon	*daemon;
	int			 listen_fd;
	struct tls		 tls;
	struct slots		 slots;
	size_t			 answering;	/* bytes of answers that are on their way */
};

/* One request while it comes in. */
struct exchange {
	struct server	*server;
	struct buf	uri, body;
	bool		begun;
	size_t		answering;	/* its part of the server's */
};

static volatile sig_atomic_t stopped;

/* ---- answering ---- */

static void
add_headers(struct MHD_Response *r, const struct console *c, const struct answer *a)
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
	if (*a->language != '\0')
		MHD_add_response_header(r, "Set-Cookie", a->language);
	if (a->status == STATUS_UNAUTHORIZED)
		MHD_add_response_header(r, "WWW-Authenticate", "Bearer");
	if (c->is_secure)
		MHD_add_response_header(r, "Strict-Transport-Security", "max-age=31536000");
}

/* The body is MHD's from now on. */
static enum MHD_Result
send_answer(const struct server *s, struct MHD_Connection *mc, struct answer *a)
{
	static char nothing[1];
	bool empty = a->body.p == NULL;
	struct MHD_Response *r = MHD_create_response_from_buffer(a->body.len, empty ? nothing : a->body.p,
	    empty ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result;

	if (r == NULL)
		return MHD_NO;
	buf_init(&a->body, ANSWER_MAX);
	add_headers(r, &s->console, a);
	result = MHD_queue_response(mc, a->status, r);
	MHD_destroy_response(r);
	return result;
}

static struct slice
header(struct MHD_Connection *mc, const char *name)
{
	return slice_str(MHD_lookup_connection_value(mc, MHD_HEADER_KIND, name));
}

/* A client by IPv4 of a socket for both comes as ::ffff:192.0.2.7: it is the same client, and each such one is another network. */
static void
format_six(const struct in6_addr *six, char out[static INET6_ADDRSTRLEN])
{
	enum { MAPPED_AT = 12 };

	if (IN6_IS_ADDR_V4MAPPED(six))
		inet_ntop(AF_INET, six->s6_addr + MAPPED_AT, out, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, six, out, INET6_ADDRSTRLEN);
}

static void
format_address(const struct sockaddr *sa, char out[static INET6_ADDRSTRLEN])
{
	snprintf(out, INET6_ADDRSTRLEN, "?");
	if (sa != NULL && sa->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, out, INET6_ADDRSTRLEN);
	else if (sa != NULL && sa->sa_family == AF_INET6)
		format_six(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, out);
}

/* TEXT, an address however it is written, as format_address() has it.  False, and OUT as it was: it is none. */
static bool
take_address(struct slice text, char out[static INET6_ADDRSTRLEN])
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr six;
	struct in_addr four;

	snprintf(copy, sizeof(copy), "%.*s", SLICE_ARGS(slice_head(text, sizeof(copy) - 1)));
	if (inet_pton(AF_INET, copy, &four) == 1)
		inet_ntop(AF_INET, &four, out, INET6_ADDRSTRLEN);
	else if (inet_pton(AF_INET6, copy, &six) == 1)
		format_six(&six, out);
	else
		return false;
	return true;
}

static void
set_client(struct MHD_Connection *mc, char out[static INET6_ADDRSTRLEN])
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mc, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	format_address(info != NULL ? info->client_addr : NULL, out);
}

static enum MHD_Result
refuse(const struct server *s, struct MHD_Connection *mc, unsigned status, enum word_id title, enum word_id text)
{
	struct request rq = { .words = words_choose(cookie_get(header(mc, "Cookie"), cookie_name(&s->console, COOKIE_LANGUAGE)),
	    header(mc, "Accept-Language")) };
	struct answer a = { .type = "text/html; charset=utf-8" };
	enum MHD_Result result;

	buf_init(&a.body, ANSWER_MAX);
	answer_message(&rq, &a, status, title, text);
	result = send_answer(s, mc, &a);
	answer_fini(&a);
	return result;
}

/* ---- a server before this one ---- */

static bool
is_trusted(const struct console *c, const char *address)
{
	for (size_t i = 0; i < TRUSTED_MAX && *c->trusted[i] != '\0'; i++)
		if (strcmp(c->trusted[i], address) == 0)
			return true;
	return false;
}

struct one_header {
	const char	*name, *value;
	size_t		 n;
};

static enum MHD_Result
count_header(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct one_header *h = arg;

	(void)kind;
	if (strcasecmp(key, h->name) == 0) {
		h->value = value;
		h->n++;
	}
	return MHD_YES;
}

/* The header NAME, which must be there once: what a client sent in beside it is not taken for it. */
static struct slice
only_header(struct MHD_Connection *mc, const char *name)
{
	struct one_header h = { .name = name };

	MHD_get_connection_values(mc, MHD_HEADER_KIND, count_header, &h);
	return h.n == 1 ? slice_trim(slice_str(h.value)) : slice_make(NULL, 0);
}

/* Who it is, as a server that is trusted says.  One that says nothing, or twice, or no name, lets nobody in. */
static void
take_proxied(const struct console *c, struct MHD_Connection *mc, struct request *rq)
{
	struct slice name = only_header(mc, c->o->user_header), roles;

	rq->proxied = (struct user){ .roles = ROLE_BIT(ROLE_READ) };
	rq->bad_proxied = !user_name_ok(name);
	if (!rq->bad_proxied)
		memcpy(rq->proxied.name, name.p, name.len);
	if (c->o->role_header != NULL) {
		roles = only_header(mc, c->o->role_header);
		rq->bad_proxied |= roles_parse(roles, &rq->proxied.roles) == -1;
	}
	rq->has_proxied = !rq->bad_proxied;
}

/* Behind a server that is trusted, the last address that it wrote down is the client's; its others are anybody's word. */
static void
take_forwarded(const struct console *c, struct MHD_Connection *mc, struct request *rq)
{
	struct slice last = { 0 }, list = only_header(mc, "X-Forwarded-For");

	rq->is_direct = header(mc, "X-Forwarded-For").len == 0 && header(mc, "Forwarded").len == 0 && header(mc, "Via").len == 0;
	if (!is_trusted(c, rq->client))
		return;
	rq->is_direct = false;
	while (list.len > 0)
		slice_cut(list, ',', &last, &list);
	take_address(slice_trim(last), rq->client);
}

/* The whole request is there. */
static enum MHD_Result
answer(struct server *s, struct MHD_Connection *mc, const char *method, struct exchange *x)
{
	const struct console *c = &s->console;
	struct request rq = { .is_get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0, .is_post = strcmp(method, "POST") == 0,
		.cookies = header(mc, "Cookie"), .fetch_site = header(mc, "Sec-Fetch-Site"), .host = header(mc, "Host"),
		.authorization = header(mc, "Authorization"), .now_ms = clock_ms(), .tick_ms = clock_boot_ms() };
	enum MHD_Result result;
	struct slice query;
	struct answer a;

	slice_cut(buf_slice(&x->uri), '?', &rq.path, &query);
	rq.words = words_choose(cookie_get(rq.cookies, cookie_name(c, COOKIE_LANGUAGE)), header(mc, "Accept-Language"));
	set_client(mc, rq.client);
	if (c->o->user_header != NULL && is_trusted(c, rq.client))
		take_proxied(c, mc, &rq);
	take_forwarded(c, mc, &rq);
	if (form_parse(&rq.query, query) == -1 || form_parse(&rq.fields, buf_slice(&x->body)) == -1)
		result = refuse(s, mc, STATUS_BAD, W_NOT_UNDERSTOOD, W_BAD_REQUEST);
	else {
		console_answer(&s->console, &rq, &a);
		if (a.body.len > ANSWER_SMALL && s->answering + a.body.cap > ANSWERS_MAX)
			answer_message(&rq, &a, STATUS_BUSY, W_TROUBLE, W_BUSY);
		s->answering += x->answering = a.body.cap;
		result = send_answer(s, mc, &a);
		answer_fini(&a);
	}
	form_fini(&rq.query);
	form_fini(&rq.fields);
	return result;
}

/* What a body must say of itself before it is read: a length, and not too much. */
static enum MHD_Result
begin(const struct server *s, struct MHD_Connection *mc, const char *method, struct exchange *x)
{
	struct slice length = header(mc, "Content-Length");
	uint64_t n;

	x->begun = true;
	if (x->uri.failed)
		return refuse(s, mc, STATUS_BAD, W_TOO_LONG, W_ADDRESS_TOO_LONG);
	if (header(mc, "Transfer-Encoding").len > 0 || (strcmp(method, "POST") == 0 && length.len == 0))
		return refuse(s, mc, STATUS_LENGTH, W_REFUSED, W_FORM_LENGTH);
	if (length.len > 0 && (slice_u64(length, &n) == -1 || n > BODY_MAX))
		return refuse(s, mc, STATUS_TOO_LARGE, W_TOO_LONG, W_FORM_TOO_LONG);
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
		return begin(cls, mc, method, x);
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

	(void)mc;
	if (x == NULL)
		return NULL;
	x->server = cls;
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
	x->server->answering -= x->answering;
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

	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		*context = info != NULL ? slots_find(&s->slots, info->connect_fd) : NULL;
	else if (*context != NULL) {
		slots_leave(&s->slots, *context);
		*context = NULL;
	}
}

/* The network that an address counts for. */
static void
net_of(const struct sockaddr *sa, uint8_t out[static SLOT_NET])
{
	enum { NET_BYTES = 8, MAPPED_AT = 12 };
	const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;

	memset(out, 0, SLOT_NET);
	if (sa->sa_family == AF_INET)
		memcpy(out + NET_BYTES, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, sizeof(struct in_addr));
	else if (sa->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(six))
		memcpy(out + NET_BYTES, six->s6_addr + MAPPED_AT, sizeof(struct in_addr));
	else if (sa->sa_family == AF_INET6)
		memcpy(out, six, NET_BYTES);
}

static void
cut(int fd)
{
	shutdown(fd, SHUT_RDWR);
}

/* Closed at once, and nothing is left of it in the system. */
static void
drop(int fd)
{
	struct linger at_once = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

static void
take_connection(struct server *s, int fd, const struct sockaddr *sa, socklen_t len)
{
	const int size = SEND_BUFFER;
	uint8_t net[SLOT_NET];
	char address[INET6_ADDRSTRLEN];
	struct slot *slot;
	int victim;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	net_of(sa, net);
	format_address(sa, address);
	slot = slots_take(&s->slots, fd, net, is_trusted(&s->console, address), clock_boot_ms(), &victim);
	if (victim != -1)
		cut(victim);
	if (slot == NULL)
		drop(fd);
	else if (MHD_add_connection(s->daemon, fd, sa, len) != MHD_YES && slot->fd == fd)
		slots_leave(&s->slots, slot);	/* MHD has closed it */
}

/* A few at a time, so that those that are there come to their turn. */
static void
accept_some(struct server *s)
{
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		int fd = accept4(s->listen_fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd == -1)
			return;
		take_connection(s, fd, (const struct sockaddr *)&from, len);
	}
}

/* Who sends a byte now and then is not idle: he is cut all the same. */
static void
cut_slow_ones(struct server *s)
{
	int fd;

	while ((fd = slots_expire(&s->slots, clock_boot_ms())) != -1)
		cut(fd);
}

/* As many descriptors as all connections take, and the event log's files. */
static int
need_descriptors(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == -1 || l.rlim_cur >= DESCRIPTORS)
		return 0;
	l.rlim_cur = l.rlim_max < DESCRIPTORS ? l.rlim_max : DESCRIPTORS;
	if (setrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur >= DESCRIPTORS)
		return 0;
	fprintf(stderr, "firebreak console: %d files may have to be open at once, and the limit is %llu (ulimit -n)\n", (int)DESCRIPTORS,
	    (unsigned long long)l.rlim_max);
	return -1;
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
open_socket(const struct console_options *o)
{
	const char *text = o->listen;
	union address address;
	socklen_t len;
	const int yes = 1;
	int fd;

	if (parse_listen(text, &address, &len) == -1) {
		fprintf(stderr, "firebreak console: --listen takes ADDRESS:PORT, such as 127.0.0.1:8191 or [::1]:8191\n");
		return -1;
	}
	if (!is_loopback(&address) && o->tls_cert == NULL)
		fprintf(stderr, "firebreak console: this is no loopback address: passwords and cookies go over the network in the clear; "
		    "give it --tls-cert and --tls-key, or put a server with TLS before a loopback address\n");
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
say_where(int fd, bool tls)
{
	const char *scheme = tls ? "https" : "http";
	union address a;
	socklen_t len = sizeof(a);
	char text[INET6_ADDRSTRLEN] = "";

	if (getsockname(fd, &a.sa, &len) == -1)
		return;
	if (a.sa.sa_family == AF_INET)
		printf("%s://%s:%u/\n", scheme, inet_ntop(AF_INET, &a.four.sin_addr, text, sizeof(text)), ntohs(a.four.sin_port));
	else
		printf("%s://[%s]:%u/\n", scheme, inet_ntop(AF_INET6, &a.six.sin6_addr, text, sizeof(text)), ntohs(a.six.sin6_port));
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
	struct pollfd pfd[] = {
		{ .fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, .events = POLLIN },
		{ .fd = s->listen_fd, .events = POLLIN },
	};

	while (!stopped) {
		MHD_UNSIGNED_LONG_LONG ms = TICK_MS;
		struct timespec timeout;

		if (MHD_get_timeout(s->daemon, &ms) == MHD_NO || ms > TICK_MS)
			ms = TICK_MS;
		timeout = (struct timespec){ .tv_sec = (time_t)(ms / MS_PER_S), .tv_nsec = (long)(ms % MS_PER_S) * NS_PER_MS };
		ppoll(pfd, sizeof(pfd) / sizeof(*pfd), &timeout, waiting);
		accept_some(s);
		MHD_run(s->daemon);
		cut_slow_ones(s);
	}
}

/* New connections are taken here, not by MHD, which would not take any once it has enough. */
static int
start(struct server *s)
{
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, s->tls.cert.p }, { MHD_OPTION_HTTPS_MEM_KEY, 0, s->tls.key.p },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES }, { MHD_OPTION_END, 0, NULL },
	};
	bool has_tls = s->console.o->tls_cert != NULL;

	if (!has_tls)
		tls[0].option = MHD_OPTION_END;
	s->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | (has_tls ? MHD_USE_TLS : 0), 0, NULL, NULL, handle, s,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)(SLOTS_MAX + SLOTS_ENDING), MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_BYTES * 2, MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_URI_LOG_CALLBACK, begin_exchange, s, MHD_OPTION_NOTIFY_COMPLETED, end_exchange, NULL,
	    MHD_OPTION_NOTIFY_CONNECTION, note_connection, s, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	if (s->daemon != NULL)
		return 0;
	fprintf(stderr, "firebreak console: the server could not be started%s\n", has_tls &&
	    MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES ? ": this libmicrohttpd was built without TLS" : "");
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

/* Somebody must be able to log in. */
static int
check_users(const struct console_options *o)
{
	struct diag diag = { 0 };
	struct users *users;

	if (o->user_header != NULL && access(o->users, F_OK) == -1 && errno == ENOENT)
		return 0;
	users = users_load(o->users, &diag);
	diag_print(&diag, stderr);
	diag_fini(&diag);
	if (users == NULL)
		fprintf(stderr, "firebreak console: nobody could log in; \"firebreak console --add-user NAME --role ROLE\" adds a user, and "
		    "whoever runs the console has to be able to read the file\n");
	users_free(users);
	return users == NULL ? -1 : 0;
}

/* What is connected from when nobody chooses: any proxy of this machine does so, and its clients choose the headers. */
static bool
is_anybodys(const char *address)
{
	return strcmp(address, "127.0.0.1") == 0 || strcmp(address, "::1") == 0;
}

/* "127.0.0.2,192.0.2.7", each as it is written elsewhere. */
static int
read_trusted(struct console *c)
{
	struct slice list = slice_str(c->o->trust), one;

	for (size_t i = 0; list.len > 0; i++) {
		slice_cut(list, ',', &one, &list);
		one = slice_trim(one);
		if (i == TRUSTED_MAX) {
			fprintf(stderr, "firebreak console: --trust takes %d addresses at most\n", TRUSTED_MAX);
			return -1;
		}
		if (!take_address(one, c->trusted[i])) {
			fprintf(stderr, "firebreak console: --trust takes addresses with commas between, and this is none: %.*s\n",
			    SLICE_ARGS(slice_head(one, INET6_ADDRSTRLEN)));
			return -1;
		}
		if (c->o->user_header != NULL && is_anybodys(c->trusted[i])) {
			fprintf(stderr, "firebreak console: --trust %s with --user-header: what Squid fetches for a client, from this console as "
			    "well, comes from there; let the server before it connect from another loopback address, such as 127.0.0.2\n",
			    c->trusted[i]);
			return -1;
		}
	}
	return 0;
}

static int
read_tls(struct server *s)
{
	const struct console_options *o = s->console.o;
	struct diag diag = { 0 };
	int r = 0;

	s->console.is_secure = o->tls_cert != NULL || o->behind_tls;
	if (o->tls_cert != NULL)
		r = tls_load(&s->tls, o->tls_cert, o->tls_key, clock_ms() / MS_PER_S, &diag);
	diag_print(&diag, stderr);
	diag_fini(&diag);
	return r;
}

/* The token that whoever scrapes has to show. */
static int
read_metrics_rule(struct console *c)
{
	const char *path = c->o->metrics_rule;
	struct slice token;
	struct buf text;
	int r = -1;

	if (path == NULL || strcmp(path, "loopback") == 0)
		return 0;
	buf_init(&text, TOKEN_MAX);
	if (private_file_read(path, &text) == -1)
		fprintf(stderr, "firebreak console: %s: %s\n", path, private_file_error(errno));
	else if ((token = slice_trim(buf_slice(&text))).len < TOKEN_MIN || memchr(token.p, '\0', token.len) != NULL)
		fprintf(stderr, "firebreak console: %s: a token has %d bytes at least\n", path, TOKEN_MIN);
	else {
		memcpy(c->metrics_token, token.p, token.len);
		r = 0;
	}
	buf_fini(&text);
	return r;
}

static int
run(struct server *s, const sigset_t *waiting)
{
	struct console *c = &s->console;
	int r;

	if (c->sessions == NULL || c->limits == NULL || slots_init(&s->slots) == -1 || getentropy(c->secret, sizeof(c->secret)) == -1) {
		fprintf(stderr, "firebreak console: out of memory, or of random numbers\n");
		return -1;
	}
	if (read_trusted(c) == -1 || read_tls(s) == -1 || read_metrics_rule(c) == -1 || need_descriptors() == -1 ||
	    (s->listen_fd = open_socket(c->o)) == -1)
		return -1;
	if (c->o->settle(c->o->arg) == -1 || check_users(c->o) == -1) {
		close(s->listen_fd);
		return -1;
	}
	read_log(c);
	if ((r = start(s)) == 0) {
		say_where(s->listen_fd, c->o->tls_cert != NULL);
		serve(s, waiting);
		MHD_stop_daemon(s->daemon);
	}
	close(s->listen_fd);
	return r;
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
	tls_fini(&s->tls);
	free(s);
	return r;
}
