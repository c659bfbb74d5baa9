/* origin - a small HTTP/1.1 origin on the loopback address, for ./run and the end-to-end tests.
 *
 *	origin PORT [FOLDER]	serve; one line a request on standard output: method, target, address as the Host had it
 *	origin --body N SEED	write the N bytes that /bytes?n=N&seed=SEED answers
 *	origin --ports N FROM	print the next N ports from FROM on that nobody uses
 *
 * /bytes takes, beside n and seed:
 *	chunked=1  close=1	framing; else a Content-Length
 *	cl=N			a Content-Length that lies
 *	cut=N			break off after N bytes
 *	rate=N			bytes a second
 *	sse=1			text/event-stream, chunked
 *	type=T  status=N	media type and status
 *	cache=S			may be cached for S seconds, with an ETag
 *	file=NAME		Content-Disposition: attachment
 *	ranges=1		an ETag and ranges, without a cache
 * /serve?file=NAME answers the bytes of FOLDER/NAME, and takes beside all of these but n, seed and sse:
 *	ce=CODING		a Content-Encoding; the bytes are as they are
 *	framing=length|chunked|close
 * Ranges and If-None-Match are understood where there is an ETag.  Any other path is a short page; a request's body is
 * read and counted.  Everything is bounded: connections, heads, lengths, time. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/slice.h"
#include "t/bytes.h"

enum { CONNECTIONS = 512, BACKLOG = 512, HEAD_MAX = 65536, NAME_MAX_LEN = 200, PIECE = 16384, TIMEOUT_S = 30, PAUSE_MS = 50 };
enum { PORT_MAX = 65535, PORTS_TRIED = 2000, MS = 1000, NS_PER_MS = 1000 * 1000 };
enum { OK_STATUS = 200, PARTIAL_STATUS = 206, NOT_MODIFIED = 304, NOT_FOUND = 404, NOT_SATISFIABLE = 416, STATUS_MAX = 599 };
enum { EXIT_USAGE = 2 };
#define BODY_MAX	(UINT64_C(1) << 32)

struct connection {
	int		 fd;
	struct buf	 in;	/* read, not yet used */
};

/* What a request asks for, and what of it goes out. */
struct ask {
	struct slice	 method, target, range, if_none_match, host;
	uint64_t	 body;			/* of the request */
	bool		 is_head, chunked_body, last;
	uint64_t	 n, seed, rate, status, cache, cut;
	bool		 is_bytes, is_serve, chunked, close, sse, ranges, has_length, has_cut;
	uint64_t	 length;		/* the Content-Length that is claimed */
	struct slice	 type, file, coding, framing;
	int		 fd;			/* of what is served; -1: the bytes are made */
	uint64_t	 from, to;		/* the bytes of the body that go out */
};

static _Atomic int connections;
static const char *folder;	/* what /serve serves from; set once */

/* ---- writing ---- */

static int
send_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static void
pause_ms(int ms)
{
	const struct timespec t = { .tv_sec = ms / MS, .tv_nsec = (long)(ms % MS) * NS_PER_MS };

	nanosleep(&t, NULL);
}

static int
send_piece(int fd, const struct ask *a, const char *p, size_t len)
{
	char line[32];
	int n = snprintf(line, sizeof(line), "%zx\r\n", len);

	if (!a->chunked)
		return send_all(fd, p, len);
	if (send_all(fd, line, (size_t)n) == -1 || send_all(fd, p, len) == -1)
		return -1;
	return send_all(fd, "\r\n", 2);
}

/* The SIZE bytes of the body from AT on.  -1 when they cannot be read. */
static int
get_body(const struct ask *a, uint64_t at, char *piece, size_t size)
{
	while (a->fd != -1 && size > 0) {
		ssize_t n = pread(a->fd, piece, size, (off_t)at);

		if (n <= 0)
			return -1;
		piece += n;
		at += (uint64_t)n;
		size -= (size_t)n;
	}
	if (a->fd == -1)
		bytes_fill(a->seed, at, piece, size);
	return 0;
}

/* How many bytes go at once: at a rate, what is due in one pause. */
static size_t
piece_size(const struct ask *a, uint64_t left)
{
	uint64_t size = PIECE;

	if (a->rate > 0)
		size = a->rate * PAUSE_MS / MS > 0 ? a->rate * PAUSE_MS / MS : 1;
	if (size > PIECE)
		size = PIECE;
	return (size_t)(size < left ? size : left);
}

static void
pause_after(const struct ask *a, size_t size)
{
	if (a->rate > 0)
		pause_ms((int)(size * MS / a->rate));
}

static int
send_body(int fd, const struct ask *a)
{
	char piece[PIECE];
	uint64_t at = a->from, end = a->to;

	if (a->has_cut && a->cut < end - at)
		end = at + a->cut;
	while (at < end) {
		size_t size = piece_size(a, end - at);

		if (get_body(a, at, piece, size) == -1)
			return -1;
		if (a->sse)		/* lines that a reader of streams takes one by one */
			for (size_t i = 0; i < size; i++)
				piece[i] = (char)((at + i) % 10 == 9 ? '\n' : 'a' + (unsigned char)piece[i] % 26);
		if (send_piece(fd, a, piece, size) == -1)
			return -1;
		at += size;
		if (at < end)
			pause_after(a, size);
	}
	if (end < a->to)
		return -1;
	return a->chunked ? send_all(fd, "0\r\n\r\n", 5) : 0;
}

static const char *
status_words(uint64_t status)
{
	switch (status) {
	case OK_STATUS:
		return "OK";
	case PARTIAL_STATUS:
		return "Partial Content";
	case NOT_MODIFIED:
		return "Not Modified";
	case NOT_FOUND:
		return "Not Found";
	case NOT_SATISFIABLE:
		return "Range Not Satisfiable";
	default:
		return "Status";
	}
}

static void
add_framing(struct buf *out, const struct ask *a)
{
	if (a->status == NOT_MODIFIED)
		return;
	if (a->chunked)
		buf_add_str(out, "Transfer-Encoding: chunked\r\n");
	else if (a->has_length)
		buf_addf(out, "Content-Length: %" PRIu64 "\r\n", a->length);
	else if (!a->close)
		buf_addf(out, "Content-Length: %" PRIu64 "\r\n", a->to - a->from);
}

static void
add_validity(struct buf *out, const struct ask *a)
{
	if (a->cache > 0)
		buf_addf(out, "Cache-Control: public, max-age=%" PRIu64 "\r\n", a->cache);
	else
		buf_add_str(out, "Cache-Control: no-store\r\n");
	if (a->cache > 0 || a->ranges)
		buf_addf(out, "ETag: \"%" PRIu64 "-%" PRIu64 "\"\r\nAccept-Ranges: bytes\r\n", a->n, a->seed);
	if (a->status == PARTIAL_STATUS)
		buf_addf(out, "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n", a->from, a->to - 1, a->n);
	if (a->status == NOT_SATISFIABLE)
		buf_addf(out, "Content-Range: bytes */%" PRIu64 "\r\n", a->n);
}

static void
add_date(struct buf *out)
{
	char date[64];
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm) != NULL && strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0)
		buf_addf(out, "Date: %s\r\n", date);
}

static int
send_head(int fd, const struct ask *a)
{
	struct buf out;
	int r;

	buf_init(&out, HEAD_MAX);
	buf_addf(&out, "HTTP/1.1 %" PRIu64 " %s\r\nServer: origin\r\n", a->status, status_words(a->status));
	add_date(&out);
	buf_addf(&out, "Content-Type: %.*s\r\n", SLICE_ARGS(a->type));
	if (a->coding.len > 0)
		buf_addf(&out, "Content-Encoding: %.*s\r\n", SLICE_ARGS(a->coding));
	if (a->file.len > 0 && !a->is_serve)
		buf_addf(&out, "Content-Disposition: attachment; filename=\"%.*s\"\r\n", SLICE_ARGS(a->file));
	add_validity(&out, a);
	add_framing(&out, a);
	buf_addf(&out, "Connection: %s\r\n\r\n", a->last ? "close" : "keep-alive");
	r = out.failed ? -1 : send_all(fd, out.p, out.len);
	buf_fini(&out);
	return r;
}

static int
send_page(int fd, const struct ask *a)
{
	struct ask b = *a;
	struct buf page;
	int r;

	buf_init(&page, HEAD_MAX);
	buf_add_str(&page, "<!doctype html><title>origin</title><p>This page comes from the origin.</p>\n");
	if (a->body > 0)
		buf_addf(&page, "<p>%" PRIu64 " bytes were received.</p>\n", a->body);
	b.type = SLICE("text/html; charset=utf-8");
	b.to = page.len;
	b.from = 0;
	r = page.failed || send_head(fd, &b) == -1 || (!a->is_head && send_all(fd, page.p, page.len) == -1) ? -1 : 0;
	buf_fini(&page);
	return r;
}

/* ---- reading ---- */

/* Read more.  -1 at the end, on an error, when it is too much or took too long. */
static int
read_more(struct connection *c)
{
	ssize_t n;

	if (buf_reserve(&c->in, PIECE) == -1)
		return -1;
	while ((n = recv(c->fd, c->in.p + c->in.len, PIECE, 0)) == -1 && errno == EINTR)
		;
	if (n <= 0)
		return -1;
	c->in.len += (size_t)n;
	return 0;
}

static void
drop(struct connection *c, size_t n)
{
	memmove(c->in.p, c->in.p + n, c->in.len - n);
	c->in.len -= n;
}

/* The length of the head with its empty line; 0 when there is no whole one. */
static size_t
read_head(struct connection *c)
{
	const struct slice end = SLICE("\r\n\r\n");

	for (;;) {
		size_t at = slice_search(buf_slice(&c->in), end);

		if (at < c->in.len)
			return at + end.len;
		if (c->in.len >= HEAD_MAX / 2 || read_more(c) == -1)
			return 0;
	}
}

static uint64_t
number(struct slice s)
{
	uint64_t n = 0;

	return slice_u64(s, &n) == -1 ? 0 : n;
}

static void
read_field(struct ask *a, struct slice name, struct slice value)
{
	if (slice_ieq(name, SLICE("Range")))
		a->range = value;
	else if (slice_ieq(name, SLICE("If-None-Match")))
		a->if_none_match = value;
	else if (slice_ieq(name, SLICE("Host")))
		a->host = value;
	else if (slice_ieq(name, SLICE("Content-Length")))
		a->body = number(value);
	else if (slice_ieq(name, SLICE("Transfer-Encoding")))
		a->chunked_body = true;
	else if (slice_ieq(name, SLICE("Connection")))
		a->last = slice_ieq(value, SLICE("close"));
}

static void
read_parameter(struct ask *a, struct slice name, struct slice value)
{
	const struct { struct slice name; uint64_t *number; bool *flag; struct slice *text; } table[] = {
		{ SLICE("n"), &a->n, NULL, NULL },
		{ SLICE("seed"), &a->seed, NULL, NULL },
		{ SLICE("rate"), &a->rate, NULL, NULL },
		{ SLICE("status"), &a->status, NULL, NULL },
		{ SLICE("cache"), &a->cache, NULL, NULL },
		{ SLICE("cl"), &a->length, &a->has_length, NULL },
		{ SLICE("cut"), &a->cut, &a->has_cut, NULL },
		{ SLICE("chunked"), NULL, &a->chunked, NULL },
		{ SLICE("close"), NULL, &a->close, NULL },
		{ SLICE("sse"), NULL, &a->sse, NULL },
		{ SLICE("ranges"), NULL, &a->ranges, NULL },
		{ SLICE("type"), NULL, NULL, &a->type },
		{ SLICE("file"), NULL, NULL, &a->file },
		{ SLICE("ce"), NULL, NULL, &a->coding },
		{ SLICE("framing"), NULL, NULL, &a->framing },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (!slice_eq(name, table[i].name))
			continue;
		if (table[i].number != NULL)
			*table[i].number = number(value);
		if (table[i].flag != NULL)
			*table[i].flag = true;
		if (table[i].text != NULL)
			*table[i].text = value;
	}
}

/* "bytes=FROM-TO", "bytes=FROM-", "bytes=-LAST"; anything else is the whole. */
static void
read_range(struct ask *a)
{
	struct slice from, to;
	uint64_t first, last;

	if ((a->cache == 0 && !a->ranges) || a->status != OK_STATUS || !slice_starts(a->range, SLICE("bytes=")) ||
	    !slice_cut(slice_skip(a->range, sizeof("bytes=") - 1), '-', &from, &to))
		return;
	if (from.len == 0 && slice_u64(to, &last) == 0) {
		first = last < a->n ? a->n - last : 0;
		last = a->n - 1;
	} else if (slice_u64(from, &first) == -1 || (to.len > 0 && slice_u64(to, &last) == -1))
		return;
	else if (to.len == 0 || last >= a->n)
		last = a->n - 1;
	a->status = first < a->n && first <= last ? PARTIAL_STATUS : NOT_SATISFIABLE;
	a->from = a->status == PARTIAL_STATUS ? first : 0;
	a->to = a->status == PARTIAL_STATUS ? last + 1 : 0;
}

/* A name that leads nowhere but into FOLDER. */
static bool
is_plain_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!ascii_is_alpha(name.p[i]) && !ascii_is_digit(name.p[i]) && name.p[i] != '_' && name.p[i] != '-' &&
		    (name.p[i] != '.' || i == 0))
			return false;
	return name.len > 0 && name.len < NAME_MAX_LEN;
}

/* Open what /serve is asked for; what is not there is a page with that status. */
static void
open_file(struct ask *a)
{
	char path[HEAD_MAX];
	struct stat st;

	if (folder != NULL && is_plain_name(a->file)) {
		snprintf(path, sizeof(path), "%s/%.*s", folder, SLICE_ARGS(a->file));
		a->fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (a->fd == -1 || fstat(a->fd, &st) == -1) {
		a->status = NOT_FOUND;
		a->coding = (struct slice){ 0 };
		return;
	}
	a->n = (uint64_t)st.st_size;
	a->seed = (uint64_t)st.st_mtime ^ (uint64_t)st.st_ino;
	a->chunked = a->chunked || slice_eq(a->framing, SLICE("chunked"));
	a->close = a->close || slice_eq(a->framing, SLICE("close"));
}

static void
decide(struct ask *a)
{
	char etag[64];

	if (a->is_serve)
		open_file(a);
	if (a->n > BODY_MAX)
		a->n = BODY_MAX;
	if (a->status < OK_STATUS || a->status > STATUS_MAX)
		a->status = OK_STATUS;
	if (a->sse) {
		a->type = SLICE("text/event-stream");
		a->chunked = true;
	}
	if (a->chunked)
		a->close = false;
	a->to = a->n;
	snprintf(etag, sizeof(etag), "\"%" PRIu64 "-%" PRIu64 "\"", a->n, a->seed);
	if ((a->cache > 0 || a->ranges) && a->if_none_match.len > 0 && slice_search(a->if_none_match, slice_str(etag)) <
	    a->if_none_match.len) {
		a->status = NOT_MODIFIED;
		a->to = 0;
	} else if (a->range.len > 0)
		read_range(a);
	if (a->close || a->has_length || a->has_cut || a->chunked_body)
		a->last = true;
}

static int
parse(struct slice head, struct ask *a)
{
	struct slice line, rest, name, value, path, query, one;

	*a = (struct ask){ .status = OK_STATUS, .fd = -1, .type = SLICE("application/octet-stream") };
	slice_cut(head, '\n', &line, &rest);
	if (!slice_cut(slice_trim(line), ' ', &a->method, &line) || !slice_cut(line, ' ', &a->target, NULL))
		return -1;
	while (rest.len > 0) {
		slice_cut(rest, '\n', &line, &rest);
		if (slice_cut(line, ':', &name, &value))
			read_field(a, name, slice_trim(value));
	}
	slice_cut(a->target, '?', &path, &query);
	a->is_head = slice_eq(a->method, SLICE("HEAD"));
	a->is_bytes = slice_eq(path, SLICE("/bytes"));
	a->is_serve = slice_eq(path, SLICE("/serve"));
	while ((a->is_bytes || a->is_serve) && query.len > 0) {
		slice_cut(query, '&', &one, &query);
		slice_cut(one, '=', &name, &value);
		read_parameter(a, name, value);
	}
	decide(a);
	return 0;
}

/* Read the request's body away.  A chunked one is only read to the last chunk's line, and the connection ends after it. */
static int
read_body(struct connection *c, struct ask *a)
{
	uint64_t left = a->body;

	while (a->chunked_body && slice_search(buf_slice(&c->in), SLICE("0\r\n\r\n")) == c->in.len) {
		if (c->in.len > HEAD_MAX)
			drop(c, c->in.len - sizeof("0\r\n\r\n"));
		if (read_more(c) == -1)
			return -1;
	}
	while (left > 0 && !a->chunked_body) {
		size_t n = left < c->in.len ? (size_t)left : c->in.len;

		drop(c, n);
		left -= n;
		if (left > 0 && read_more(c) == -1)
			return -1;
	}
	return 0;
}

static void
say(const struct ask *a)
{
	struct buf line;

	buf_init(&line, 2 * HEAD_MAX);
	buf_add_escaped(&line, a->method);
	buf_add_char(&line, ' ');
	buf_add_escaped(&line, a->target);
	buf_add_char(&line, ' ');
	buf_add_escaped(&line, a->host);
	buf_add_char(&line, '\n');
	if (!line.failed && write(STDOUT_FILENO, line.p, line.len) == -1)
		errno = 0;		/* a log that cannot be written is no reason to stop */
	buf_fini(&line);
}

/* One request; -1 when the connection is to end. */
static int
answer(struct connection *c)
{
	size_t len = read_head(c);
	struct buf head;
	struct ask a;
	int r = -1;

	if (len == 0)
		return -1;
	buf_init(&head, HEAD_MAX);
	if (buf_add(&head, c->in.p, len) == 0 && parse(buf_slice(&head), &a) == 0) {
		drop(c, len);
		say(&a);
		if (read_body(c, &a) == -1)
			r = -1;
		else if (!a.is_bytes && a.fd == -1)
			r = send_page(c->fd, &a);
		else
			r = send_head(c->fd, &a) == -1 || (!a.is_head && send_body(c->fd, &a) == -1) ? -1 : 0;
		if (a.last)
			r = -1;
		if (a.fd != -1)
			close(a.fd);
	}
	buf_fini(&head);
	return r;
}

/* ---- connections ---- */

static void *
serve(void *arg)
{
	const struct timeval limit = { .tv_sec = TIMEOUT_S };
	struct connection c = { .fd = (int)(intptr_t)arg };

	setsockopt(c.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(c.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	buf_init(&c.in, 4 * HEAD_MAX);
	while (answer(&c) == 0)
		;
	buf_fini(&c.in);
	close(c.fd);
	atomic_fetch_sub(&connections, 1);
	return NULL;
}

/* A socket that is bound to PORT of 127.0.0.1; -1 with errno. */
static int
bind_port(unsigned port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) == -1 || listen(fd, BACKLOG) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
run(unsigned port)
{
	int fd = bind_port(port), client;
	pthread_attr_t detached;
	pthread_t thread;

	if (fd == -1) {
		fprintf(stderr, "origin: port %u: %s\n", port, strerror(errno));
		return EXIT_FAILURE;
	}
	signal(SIGPIPE, SIG_IGN);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	for (;;) {
		if ((client = accept(fd, NULL, NULL)) == -1) {
			pause_ms(PAUSE_MS);
			continue;
		}
		if (atomic_fetch_add(&connections, 1) >= CONNECTIONS ||
		    pthread_create(&thread, &detached, serve, (void *)(intptr_t)client) != 0) {
			close(client);
			atomic_fetch_sub(&connections, 1);
		}
	}
}

/* Each port is bound for a moment: that is the only sure sign that somebody can. */
static int
print_ports(uint64_t n, uint64_t from)
{
	uint64_t found = 0;

	for (uint64_t port = from; found < n && port <= PORT_MAX && port - from < PORTS_TRIED; port++) {
		int fd = bind_port((unsigned)port);

		if (fd == -1)
			continue;
		close(fd);
		printf("%" PRIu64 "\n", port);
		found++;
	}
	return found == n ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
print_body(uint64_t n, uint64_t seed)
{
	char piece[PIECE];

	for (uint64_t at = 0; at < n; at += PIECE) {
		size_t size = n - at < PIECE ? (size_t)(n - at) : PIECE;

		bytes_fill(seed, at, piece, size);
		if (fwrite(piece, 1, size, stdout) != size)
			return EXIT_FAILURE;
	}
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	uint64_t first = 0, second = 0;
	bool body = argc == 4 && strcmp(argv[1], "--body") == 0;
	bool ports = argc == 4 && strcmp(argv[1], "--ports") == 0;

	if ((body || ports) && slice_u64(slice_str(argv[2]), &first) == 0 && slice_u64(slice_str(argv[3]), &second) == 0)
		return body ? print_body(first, second) : print_ports(first, second);
	folder = argc == 3 ? argv[2] : NULL;
	if ((argc == 2 || argc == 3) && slice_u64(slice_str(argv[1]), &first) == 0 && first > 0 && first <= PORT_MAX)
		return run((unsigned)first);
	fputs("usage: origin PORT [FOLDER] | --body N SEED | --ports N FROM\n", stderr);
	return EXIT_USAGE;
}
