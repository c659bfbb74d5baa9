#include "bench/load_conn.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { IN_MAX = 65536, MARK_MAX = 64, STATUS_FORBIDDEN = 403 };

/* What is being sent. */
enum sending {
	SEND_HEAD,
	SEND_PREVIEW,	/* pieces up to the preview's end */
	SEND_WAIT,	/* for 100 Continue */
	SEND_BODY,
	SEND_DONE,
};

/* What is being received. */
enum receiving { GET_ICAP_HEAD, GET_HTTP_HEAD, GET_CHUNK_LINE, GET_CHUNK, GET_CHUNK_END, GET_TRAILER, GET_DONE };

struct load_conn {
	const struct load_work		*work;
	const struct load_request	*request;
	int				 epoll_fd, fd;
	size_t				 id;
	uint32_t			 waits_for;
	struct load_result		 result;

	enum sending			 sending;
	uint64_t			 body_sent;	/* bytes that were put into pieces */
	uint64_t			 preview;	/* how many of them belong to the preview */
	char				 mark[MARK_MAX];	/* chunk framing, before DATA */
	struct slice			 out_mark, out_data;	/* what still has to go out */

	enum receiving			 receiving;
	size_t				 head_len;	/* of the HTTP head that is expected */
	bool				 has_body, is_page;
	int				 icap_status;
	int64_t				 length;	/* the page's Content-Length; -1 */
	uint64_t			 chunk;		/* bytes left of it */
	uint64_t			 body_in;
	size_t				 in_len;
	char				 in[IN_MAX];
};

const char *
load_end_name(enum load_end e)
{
	static const char *const names[ENDS] = { "204", "206", "echo", "block", "kill", "damaged", "lost" };

	return names[e];
}

struct load_conn *
load_conn_new(const struct load_work *work, int epoll_fd, size_t id)
{
	struct load_conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->work = work;
	c->epoll_fd = epoll_fd;
	c->id = id;
	c->fd = -1;
	return c;
}

static void
disconnect(struct load_conn *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}

void
load_conn_free(struct load_conn *c)
{
	if (c != NULL)
		disconnect(c);
	free(c);
}

void
load_conn_rest(struct load_conn *c)
{
	disconnect(c);
}

static int
open_connection(struct load_conn *c)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)c->work->options.port) };
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = c->id };
	const int on = 1;

	if (inet_pton(AF_INET, c->work->options.host, &to.sin_addr) != 1 ||
	    (c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return -1;
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->waits_for = EPOLLIN;
	if (connect(c->fd, (const struct sockaddr *)&to, sizeof(to)) == -1 ||
	    epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, c->fd, &event) == -1) {
		disconnect(c);
		return -1;
	}
	return 0;
}

/* ---- sending ---- */

/* Make the next piece of a body that ends at END; LAST is what stands for its end. */
static void
next_piece(struct load_conn *c, uint64_t end, const char *last, enum sending then)
{
	const char *before = c->out_data.p == NULL ? "" : "\r\n";
	uint64_t left = end - c->body_sent;
	int n;

	if (left == 0) {
		n = snprintf(c->mark, sizeof(c->mark), "%s%s", before, last);
		c->out_data = (struct slice){ 0 };
		c->sending = then;
	} else {
		c->out_data = load_work_body(c->work, c->result.number, c->body_sent, left < BODY_PIECE ? (size_t)left : BODY_PIECE);
		n = snprintf(c->mark, sizeof(c->mark), "%s%zx\r\n", before, c->out_data.len);
		c->body_sent += c->out_data.len;
	}
	c->out_mark = slice_make(c->mark, (size_t)n);
	if (c->body_sent > c->preview)
		c->result.after_preview = c->body_sent - c->preview;
}

static void
next_to_send(struct load_conn *c)
{
	uint64_t body = c->work->options.body;

	switch (c->sending) {
	case SEND_HEAD:
		c->sending = !c->work->options.respmod ? SEND_DONE :
		    c->work->options.preview == LOAD_PREVIEW_NONE ? SEND_BODY : SEND_PREVIEW;
		break;
	case SEND_PREVIEW:
		if (c->preview == body)
			next_piece(c, body, "0; ieof\r\n\r\n", SEND_DONE);
		else
			next_piece(c, c->preview, "0\r\n\r\n", SEND_WAIT);
		break;
	case SEND_BODY:
		next_piece(c, body, "0\r\n\r\n", SEND_DONE);
		break;
	case SEND_WAIT:
	case SEND_DONE:
		break;
	}
}

static bool
may_send(const struct load_conn *c)
{
	return c->out_mark.len + c->out_data.len > 0 || (c->sending != SEND_WAIT && c->sending != SEND_DONE);
}

/* Send as much as goes.  -1 when the connection has ended. */
static int
send_some(struct load_conn *c)
{
	while (may_send(c)) {
		struct iovec v[2];
		struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };
		size_t mark;
		ssize_t n;

		if (c->out_mark.len + c->out_data.len == 0) {
			next_to_send(c);
			continue;
		}
		v[0] = (struct iovec){ (void *)(uintptr_t)c->out_mark.p, c->out_mark.len };
		v[1] = (struct iovec){ (void *)(uintptr_t)c->out_data.p, c->out_data.len };
		n = sendmsg(c->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		mark = (size_t)n < c->out_mark.len ? (size_t)n : c->out_mark.len;
		c->out_mark = slice_skip(c->out_mark, mark);
		c->out_data = slice_skip(c->out_data, (size_t)n - mark);
	}
	return 0;
}

/* ---- receiving ---- */

static void
end_as(struct load_conn *c, enum load_end end, const char *why)
{
	c->receiving = GET_DONE;
	c->result.end = end;
	c->result.why = why;
}

static int
status_of(struct slice head)
{
	struct slice rest;
	uint64_t n;

	return slice_cut(head, ' ', NULL, &rest) && slice_u64(slice_head(rest, 3), &n) == 0 ? (int)n : 0;
}

/* The number behind NAME in HEAD; -1 when it is not there. */
static int64_t
number_after(struct slice head, struct slice name)
{
	struct slice rest = slice_skip(head, slice_isearch(head, name) + name.len);
	size_t n = 0;
	uint64_t v;

	while (n < rest.len && ascii_is_digit(rest.p[n]))
		n++;
	return slice_u64(slice_head(rest, n), &v) == 0 ? (int64_t)v : -1;
}

static void
take_icap_head(struct load_conn *c, struct slice head)
{
	int64_t body = number_after(head, SLICE("res-body=")), none = number_after(head, SLICE("null-body="));

	c->icap_status = status_of(head);
	/* A request that is answered by a response is one that was refused, whatever the HTTP status. */
	c->is_page = !c->work->options.respmod && slice_isearch(head, SLICE("res-hdr=")) < head.len;
	/* e2guardian 5.3 says "req-hdr=0, res-body=N" of an adapted request that has no body. */
	if (c->work->options.lenient && !c->is_page && slice_isearch(head, SLICE("req-hdr=")) < head.len && body != -1) {
		none = body;
		body = -1;
	}
	c->has_body = body != -1;
	if (c->icap_status == 100) {
		if (c->sending == SEND_WAIT)
			c->sending = SEND_BODY;
		else
			end_as(c, END_DAMAGED, "100 Continue that nobody waited for");
	} else if (c->icap_status == 204) {
		end_as(c, END_204, NULL);
	} else if ((c->icap_status != 200 && c->icap_status != 206) || (body == -1 && none == -1)) {
		end_as(c, END_LOST, "an ICAP status of its own");
	} else {
		c->head_len = (size_t)(body != -1 ? body : none);
		c->receiving = c->head_len > IN_MAX ? GET_DONE : GET_HTTP_HEAD;
		if (c->head_len > IN_MAX)
			end_as(c, END_DAMAGED, "an HTTP head that is too long");
	}
}

static void
take_http_head(struct load_conn *c, struct slice head)
{
	c->is_page |= status_of(head) == STATUS_FORBIDDEN;
	c->length = number_after(head, SLICE("\r\nContent-Length: "));
	if (c->has_body)
		c->receiving = GET_CHUNK_LINE;
	else
		end_as(c, c->is_page ? END_BLOCK : END_ECHO, NULL);
}

/* The whole body is in: is it what it should be? */
static void
take_body_end(struct load_conn *c)
{
	c->result.body_in = c->body_in;
	if (c->icap_status == 206)
		end_as(c, END_206, NULL);
	else if (c->is_page && c->length != -1 && (uint64_t)c->length != c->body_in)
		end_as(c, END_DAMAGED, "a page with another Content-Length");
	else if (c->is_page)
		end_as(c, END_BLOCK, NULL);
	else if (c->body_in != c->work->options.body)
		end_as(c, END_DAMAGED, "another length");
	else
		end_as(c, END_ECHO, NULL);
}

static void
take_chunk_line(struct load_conn *c, struct slice line)
{
	uint64_t n = 0;
	size_t i = 0;

	while (i < line.len && ascii_hex(line.p[i]) >= 0 && n >> 56 == 0)
		n = n << 4 | (unsigned)ascii_hex(line.p[i++]);
	c->chunk = n;
	if (i == 0)
		end_as(c, END_DAMAGED, "a chunk without a length");
	else
		c->receiving = n == 0 ? GET_TRAILER : GET_CHUNK;
}

/* Body bytes that came back; how many of BYTES were used. */
static size_t
take_chunk(struct load_conn *c, struct slice bytes)
{
	size_t n = bytes.len < c->chunk ? bytes.len : (size_t)c->chunk;

	for (size_t at = 0; at < n && !c->is_page && c->icap_status == 200;) {
		struct slice sent;

		if (c->body_in + at >= c->work->options.body) {
			end_as(c, END_DAMAGED, "more than was sent");
			return n;
		}
		sent = load_work_body(c->work, c->result.number, c->body_in + at, n - at);
		if (memcmp(sent.p, bytes.p + at, sent.len) != 0) {
			end_as(c, END_DAMAGED, "other bytes");
			return n;
		}
		at += sent.len;
	}
	c->body_in += n;
	c->chunk -= n;
	if (c->chunk == 0)
		c->receiving = GET_CHUNK_END;
	return n;
}

/* Use the front of BYTES: how much; 0 when more is needed. */
static size_t
take(struct load_conn *c, struct slice bytes)
{
	struct slice line;
	size_t end;

	switch (c->receiving) {
	case GET_ICAP_HEAD:
		if ((end = slice_search(bytes, SLICE("\r\n\r\n"))) == bytes.len)
			return 0;
		take_icap_head(c, slice_head(bytes, end + 4));
		return end + 4;
	case GET_HTTP_HEAD:
		if (bytes.len < c->head_len)
			return 0;
		take_http_head(c, slice_head(bytes, c->head_len));
		return c->head_len;
	case GET_CHUNK:
		return take_chunk(c, bytes);
	case GET_CHUNK_LINE:
	case GET_CHUNK_END:
	case GET_TRAILER:
		if (!slice_cut(bytes, '\n', &line, NULL))
			return 0;
		if (c->receiving == GET_CHUNK_LINE)
			take_chunk_line(c, line);
		else if (c->receiving == GET_CHUNK_END)
			c->receiving = GET_CHUNK_LINE;
		else if (line.len <= 1)
			take_body_end(c);
		return line.len + 1;
	case GET_DONE:
		break;
	}
	return 0;
}

static void
take_all(struct load_conn *c)
{
	struct slice bytes = slice_make(c->in, c->in_len);
	size_t n;

	while (bytes.len > 0 && c->receiving != GET_DONE && (n = take(c, bytes)) > 0)
		bytes = slice_skip(bytes, n);
	memmove(c->in, bytes.p, bytes.len);
	c->in_len = bytes.len;
}

static void
take_end_of_connection(struct load_conn *c)
{
	disconnect(c);
	c->result.body_in = c->body_in;
	if (c->receiving >= GET_CHUNK_LINE && c->receiving < GET_DONE && !c->is_page && c->body_in < c->work->options.body)
		end_as(c, END_KILL, NULL);
	else
		end_as(c, END_LOST, "the connection ended");
}

/* Receive as much as there is. */
static void
receive_some(struct load_conn *c)
{
	while (c->receiving != GET_DONE) {
		ssize_t n = recv(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, MSG_DONTWAIT);

		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			take_end_of_connection(c);
			return;
		}
		c->in_len += (size_t)n;
		take_all(c);
		if (c->in_len == sizeof(c->in))
			end_as(c, END_DAMAGED, "a head or line that does not end");
	}
}

/* ---- one request ---- */

int
load_conn_ask(struct load_conn *c, uint64_t number, int64_t due_ns)
{
	const struct load_options *o = &c->work->options;

	if (c->fd == -1 && open_connection(c) == -1)
		return -1;
	c->request = &c->work->requests[number % c->work->n];
	c->result = (struct load_result){ .number = number, .due_ns = due_ns };
	c->sending = SEND_HEAD;
	c->body_sent = 0;
	c->preview = o->preview == LOAD_PREVIEW_NONE ? 0 : (uint64_t)o->preview < o->body ? (uint64_t)o->preview : o->body;
	c->out_mark = c->request->bytes;
	c->out_data = (struct slice){ 0 };
	c->receiving = GET_ICAP_HEAD;
	c->is_page = c->has_body = false;
	c->body_in = c->chunk = 0;
	c->in_len = 0;
	return 0;
}

static void
wait_for(struct load_conn *c, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.u64 = c->id };

	if (c->fd == -1 || events == c->waits_for)
		return;
	epoll_ctl(c->epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
	c->waits_for = events;
}

static bool
is_right(const struct load_conn *c)
{
	switch (c->result.end) {
	case END_204:
	case END_206:
	case END_ECHO:
		return c->request->expect == LOAD_PASS;
	case END_BLOCK:
		return c->request->expect == LOAD_BLOCK;
	case END_KILL:
		return c->request->expect == LOAD_KILL;
	default:
		return false;
	}
}

bool
load_conn_go_on(struct load_conn *c, struct load_result *result)
{
	bool broken;

	if (c->receiving == GET_DONE) {		/* the server has ended a connection that was idle */
		disconnect(c);
		return false;
	}
	broken = send_some(c) == -1;
	receive_some(c);
	/* 100 Continue may have come. */
	if (!broken && c->receiving != GET_DONE)
		broken = send_some(c) == -1;
	if (broken && c->receiving != GET_DONE)
		take_end_of_connection(c);
	wait_for(c, EPOLLIN | (c->receiving != GET_DONE && may_send(c) ? EPOLLOUT : 0));
	if (c->receiving != GET_DONE)
		return false;
	c->result.right = is_right(c);
	/* An answer that came before all was sent, or anything unusual, leaves the connection unusable. */
	if (!c->result.right || (may_send(c) && c->result.end != END_204) || c->in_len > 0)
		disconnect(c);
	if (c->result.end == END_204 && c->sending != SEND_WAIT && c->sending != SEND_DONE)
		disconnect(c);
	*result = c->result;
	return true;
}
