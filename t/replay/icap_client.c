#include "t/replay/icap_client.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	TIMEOUT_MS = 15000, WIRE_MAX = 64 * 1024 * 1024, READ_SIZE = 65536, CHUNK_LINE = 256,
	STATUS_CONTINUE = 100, STATUS_OK = 200, HEX_DIGITS_MAX = 8,
};

struct icap_client {
	char	*host, *port, *service;
	int	 fd;			/* -1: not connected */
};

enum place { AT_ICAP, AT_HEAD, AT_CHUNK, AT_DATA, AT_TRAILER, AT_END };

/* One exchange on its way. */
struct talk {
	struct icap_client	*client;
	const struct icap_call	*call;		/* NULL: OPTIONS */
	struct icap_reply	*reply;
	struct diag		*diag;
	struct buf		 out, in;
	size_t			 out_at, in_at;
	size_t			 sent_body;	/* bytes of the body that are in OUT */
	bool			 waits;		/* for 100 Continue, before the rest of the body */
	enum place		 at;
	size_t			 head_len;	/* of the HTTP head, from Encapsulated */
	size_t			 chunk_left;
};

struct icap_client *
icap_client_new(const char *host, const char *port, const char *service)
{
	struct icap_client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->host = strdup(host);
	c->port = strdup(port);
	c->service = strdup(service);
	c->fd = -1;
	signal(SIGPIPE, SIG_IGN);
	return c;
}

static void
hang_up(struct icap_client *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}

void
icap_client_free(struct icap_client *c)
{
	if (c == NULL)
		return;
	hang_up(c);
	free(c->host);
	free(c->port);
	free(c->service);
	free(c);
}

static int
dial(struct icap_client *c, struct diag *diag)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found, *a;
	int one = 1, error = getaddrinfo(c->host, c->port, &hints, &found);

	if (error != 0) {
		diag_error(diag, "%s: %s", c->host, gai_strerror(error));
		return -1;
	}
	for (a = found; a != NULL && c->fd == -1; a = a->ai_next) {
		c->fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
		if (c->fd != -1 && connect(c->fd, a->ai_addr, a->ai_addrlen) == -1)
			hang_up(c);
	}
	freeaddrinfo(found);
	if (c->fd == -1) {
		diag_error(diag, "no connection to %s:%s: %s", c->host, c->port, strerror(errno));
		return -1;
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	return 0;
}

/* ---- what is sent ---- */

static void
add_chunk(struct buf *out, struct slice bytes)
{
	buf_addf(out, "%zx\r\n", bytes.len);
	buf_add_slice(out, bytes);
	buf_add_str(out, "\r\n");
}

/* The body up to END in its reads, and no end yet. */
static void
add_body(struct talk *t, size_t end)
{
	const struct message *m = icap_call_subject(t->call);

	while (t->sent_body < end) {
		size_t n = message_read(m, t->sent_body, t->call->read_size, end - t->sent_body);

		add_chunk(&t->out, slice_make(m->body.p + t->sent_body, n));
		t->sent_body += n;
	}
}

/* The rest of the body, and its end unless it is to be cut. */
static void
add_rest(struct talk *t)
{
	const struct message *m = icap_call_subject(t->call);

	t->waits = false;
	add_body(t, m->body.len);
	if (!m->cut)
		buf_add_str(&t->out, "0\r\n\r\n");
}

static void
add_call(struct talk *t)
{
	const struct icap_call *call = t->call;
	const struct message *m = icap_call_subject(call);
	char host[NI_MAXHOST];

	snprintf(host, sizeof(host), "%s:%s", t->client->host, t->client->port);
	icap_call_head(call, host, t->client->service, &t->out);
	if (call->respmod && call->request != NULL)
		buf_add_slice(&t->out, buf_slice(&call->request->head));
	buf_add_slice(&t->out, buf_slice(&m->head));
	if (!m->has_body)
		return;
	if (call->preview == NO_PREVIEW) {
		add_rest(t);
		return;
	}
	add_body(t, icap_call_preview(call));
	t->waits = t->sent_body < m->body.len || m->cut;
	buf_add_str(&t->out, t->waits ? "0\r\n\r\n" : "0; ieof\r\n\r\n");
}

static void
add_options(struct talk *t)
{
	buf_addf(&t->out, "OPTIONS icap://%s:%s/%s ICAP/1.0\r\nHost: %s\r\nConnection: keep-alive\r\n\r\n",
	    t->client->host, t->client->port, t->client->service, t->client->host);
}

/* ---- what comes back ---- */

static struct slice
unread(const struct talk *t)
{
	return slice_skip(buf_slice(&t->in), t->in_at);
}

/* The number after the last '=' of Encapsulated: where the body begins. */
static int
read_encapsulated(struct talk *t)
{
	struct slice value, rest, item;
	uint64_t n = 0;

	t->at = AT_END;
	if (!head_value(buf_slice(&t->reply->icap), SLICE("Encapsulated"), &value))
		return t->reply->status == STATUS_OK && t->call != NULL ? -1 : 0;
	for (rest = value; rest.len > 0;) {
		struct slice name, number;

		slice_cut(rest, ',', &item, &rest);
		if (!slice_cut(slice_trim(item), '=', &name, &number) || slice_u64(number, &n) == -1)
			return -1;
		t->reply->has_body = slice_ends(name, SLICE("-body")) && !slice_eq(name, SLICE("null-body"));
	}
	t->head_len = (size_t)n;
	t->at = AT_HEAD;
	return 0;
}

/* The ICAP head: 1 when it was read, 0 when more must come first, -1 when it is none. */
static int
read_icap(struct talk *t)
{
	struct slice in = unread(t);
	size_t end = slice_search(in, SLICE("\r\n\r\n"));

	if (end == in.len)
		return 0;
	end += strlen("\r\n\r\n");
	t->in_at += end;
	buf_reset(&t->reply->icap);
	buf_add_slice(&t->reply->icap, slice_head(in, end));
	t->reply->status = head_status(slice_head(in, end));
	if (t->reply->status == STATUS_CONTINUE && t->waits) {
		t->reply->status = 0;
		add_rest(t);
		return 1;
	}
	return read_encapsulated(t) == -1 || t->reply->status == 0 ? -1 : 1;
}

static int
read_http_head(struct talk *t)
{
	struct slice in = unread(t);

	if (in.len < t->head_len)
		return 0;
	buf_add_slice(&t->reply->head, slice_head(in, t->head_len));
	t->in_at += t->head_len;
	t->at = t->reply->has_body ? AT_CHUNK : AT_END;
	return 1;
}

static int
read_chunk_line(struct talk *t)
{
	struct slice line, rest = unread(t), digits;
	size_t n = 0;

	if (!slice_cut(rest, '\n', &line, NULL))
		return rest.len > CHUNK_LINE ? -1 : 0;
	t->in_at += line.len + 1;
	slice_cut(slice_trim(line), ';', &digits, NULL);
	if (digits.len == 0 || digits.len > HEX_DIGITS_MAX)
		return -1;
	for (size_t i = 0; i < digits.len; i++) {
		if (ascii_hex(digits.p[i]) < 0)
			return -1;
		n = n * 16 + (size_t)ascii_hex(digits.p[i]);
	}
	t->chunk_left = n;
	t->at = n == 0 ? AT_TRAILER : AT_DATA;
	return 1;
}

static int
read_data(struct talk *t)
{
	struct slice in = slice_head(unread(t), t->chunk_left);

	buf_add_slice(&t->reply->body, in);
	t->in_at += in.len;
	t->chunk_left -= in.len;
	if (t->chunk_left > 0 || unread(t).len < strlen("\r\n"))
		return 0;
	if (!slice_starts(unread(t), SLICE("\r\n")))
		return -1;
	t->in_at += strlen("\r\n");
	t->at = AT_CHUNK;
	return 1;
}

static int
read_trailer(struct talk *t)
{
	struct slice line, rest = unread(t);

	if (!slice_cut(rest, '\n', &line, NULL))
		return 0;
	t->in_at += line.len + 1;
	if (slice_trim(line).len == 0)
		t->at = AT_END;
	return 1;
}

/* All that can be understood of what has come.  -1 when it is no ICAP. */
static int
understand(struct talk *t)
{
	static int (*const read[])(struct talk *t) = {
		[AT_ICAP] = read_icap, [AT_HEAD] = read_http_head, [AT_CHUNK] = read_chunk_line,
		[AT_DATA] = read_data, [AT_TRAILER] = read_trailer,
	};
	int result = 1;

	while (result == 1 && t->at != AT_END)
		result = read[t->at](t);
	t->reply->complete = t->at == AT_END;
	if (t->at == AT_END && unread(t).len > 0)
		result = -1;
	if (result == -1)
		diag_error(t->diag, "the answer is no ICAP: %.*s", SLICE_ARGS(slice_head(unread(t), CHUNK_LINE)));
	return result;
}

/* ---- both at once ---- */

static bool
client_leaves(const struct talk *t)
{
	return t->call != NULL && icap_call_subject(t->call)->cut && !t->waits && t->out_at == t->out.len;
}

/* One write of what is due.  -1 when the peer has closed: what it said before is still read. */
static void
send_some(struct talk *t)
{
	ssize_t n = send(t->client->fd, t->out.p + t->out_at, t->out.len - t->out_at, MSG_NOSIGNAL);

	if (n > 0)
		t->out_at += (size_t)n;
	else if (errno != EAGAIN && errno != EINTR)
		t->out_at = t->out.len;
	if (client_leaves(t))
		shutdown(t->client->fd, SHUT_WR);
}

/* One read.  1 when something came, 0 at the connection's end, -1 on an error of the answer. */
static int
receive_some(struct talk *t)
{
	char bytes[READ_SIZE];
	ssize_t n = recv(t->client->fd, bytes, sizeof(bytes), 0);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 1;
	if (n <= 0)
		return 0;
	if (buf_add(&t->in, bytes, (size_t)n) == -1)
		return -1;
	return understand(t) == -1 ? -1 : 1;
}

/* Until the answer is there and everything is sent.  -1 when it took too long or made no sense. */
static int
converse(struct talk *t)
{
	while (t->at != AT_END || (t->out_at < t->out.len && !t->waits)) {
		struct pollfd p = { .fd = t->client->fd, .events = POLLIN };
		int result = 1;

		if (t->out_at < t->out.len)
			p.events |= POLLOUT;
		if (poll(&p, 1, TIMEOUT_MS) <= 0) {
			diag_error(t->diag, "no answer within %d ms", TIMEOUT_MS);
			return -1;
		}
		if (p.revents & POLLOUT)
			send_some(t);
		if (p.revents & (POLLIN | POLLHUP | POLLERR))
			result = receive_some(t);
		if (result == -1)
			return -1;
		if (result == 0) {
			hang_up(t->client);
			return 0;
		}
	}
	return 0;
}

static bool
stays_open(const struct talk *t)
{
	struct slice value;

	return t->reply->complete && !client_leaves(t) &&
	    (!head_value(buf_slice(&t->reply->icap), SLICE("Connection"), &value) ||
	    !slice_ieq(value, SLICE("close")));
}

static int
run(struct icap_client *c, const struct icap_call *call, struct icap_reply *reply, struct diag *diag)
{
	struct talk t = { .client = c, .call = call, .reply = reply, .diag = diag };
	int result;

	if (c->fd == -1 && dial(c, diag) == -1)
		return -1;
	buf_init(&t.out, WIRE_MAX);
	buf_init(&t.in, WIRE_MAX);
	if (call == NULL)
		add_options(&t);
	else
		add_call(&t);
	result = converse(&t);
	if (result == -1 || !stays_open(&t))
		hang_up(c);
	buf_fini(&t.out);
	buf_fini(&t.in);
	return result;
}

int
icap_client_call(struct icap_client *c, const struct icap_call *call, struct icap_reply *reply,
    struct diag *diag)
{
	bool reused = c->fd != -1;
	int result = run(c, call, reply, diag);

	/* The server may close an idle connection while we write: once more on a new one. */
	if (result == 0 && reused && reply->status == 0 && !icap_call_subject(call)->cut)
		result = run(c, call, reply, diag);
	return result;
}

int
icap_client_options(struct icap_client *c, struct icap_reply *reply, struct diag *diag)
{
	return run(c, NULL, reply, diag);
}
