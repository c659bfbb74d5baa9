/* liar - an HTTP origin on loopback that serves a folder, and lies about the files that it is told to: for t/test_pull.sh and
 * t/test_update.sh.
 *
 *	liar FOLDER LIES	prints its port; a line "NAME BYTES" a request; ends with standard input
 *
 * The file LIES/NAME says how NAME is answered; without it honestly:
 *	endless			zeros that never end		more		what it is, and zeros behind it, without a length
 *	claim			a length of a terabyte		half		half of it, as if that were all
 *	cut			the length of all, and half of it		drip		ten bytes a second
 *	stall			no answer			head		a header that never ends
 *	to URL			a redirect, with zeros as its body		status N	that status
 *	part			status 206			gzip		a Content-Encoding that it may have or not
 *	reset			half of it, and a connection reset	etag TAG	with that ETag; 304 to who has it
 *	date DATE		the same with Last-Modified	retry N STATUS	that status, with Retry-After: N
 *	coded WORD		that Content-Encoding
 * When LIES/requests is there, the head of each request is appended to it.
 * One process a connection, each of which lives a minute at most, and no longer than the first. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

enum { BACKLOG = 512, REQUEST_MAX = 8192, FILE_MAX = 64 << 20, LIFE_S = 60, USAGE = 2, PIECE = 4096, DRIP_MS = 100, NS_PER_MS = 1000000 };

static const char *folder, *lies;
static char zeros[PIECE];

struct answer {
	int		fd;
	struct slice	name, how, body, request;
	size_t		sent;
};

static bool
put(struct answer *a, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t n = send(a->fd, bytes.p, bytes.len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		a->sent += (size_t)n;
		bytes = slice_skip(bytes, (size_t)n);
	}
	return true;
}

static void
head(struct answer *a, const char *status, const char *fields)
{
	char text[PIECE];

	snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nConnection: close\r\n%s\r\n", status, fields);
	put(a, slice_str(text));
	a->sent = 0;
}

static void
forever(struct answer *a, struct slice piece)
{
	while (put(a, piece))
		;
}

static void
with_length(struct answer *a, const char *status, const char *more, unsigned long long length, struct slice body)
{
	char fields[PIECE];

	snprintf(fields, sizeof(fields), "Content-Length: %llu\r\n%s", length, more);
	head(a, status, fields);
	put(a, body);
}

static void
drip(struct answer *a)
{
	const struct timespec pause = { .tv_nsec = (long)DRIP_MS * NS_PER_MS };

	with_length(a, "200 OK", "", a->body.len, slice_make(NULL, 0));
	for (size_t i = 0; i < a->body.len && put(a, slice_make(a->body.p + i, 1)); i++)
		nanosleep(&pause, NULL);
}

static void
redirect(struct answer *a, struct slice to)
{
	char fields[PIECE];

	snprintf(fields, sizeof(fields), "Location: %.*s\r\n", SLICE_ARGS(to));
	with_length(a, "302 Found", fields, sizeof(zeros) / 8, slice_make(zeros, sizeof(zeros) / 8));
}

/* Half, and then what a firewall or a restart does. */
static void
reset(struct answer *a)
{
	const struct linger now = { .l_onoff = 1 };

	with_length(a, "200 OK", "", a->body.len, slice_head(a->body, a->body.len / 2));
	setsockopt(a->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* Honest: the file with the field NAME, or 304 to who sends its VALUE in CONDITION. */
static void
conditional(struct answer *a, const char *name, const char *condition, struct slice value)
{
	char fields[PIECE], have[PIECE];

	snprintf(fields, sizeof(fields), "%s: %.*s\r\n", name, SLICE_ARGS(value));
	snprintf(have, sizeof(have), "\r\n%s: %.*s\r\n", condition, SLICE_ARGS(value));
	if (slice_search(a->request, slice_str(have)) < a->request.len)
		head(a, "304 Not Modified", fields);
	else
		with_length(a, "200 OK", fields, a->body.len, a->body);
}

static void
retry(struct answer *a, struct slice rest)
{
	char fields[PIECE], status[64];
	struct slice after, code;

	slice_cut(rest, ' ', &after, &code);
	snprintf(fields, sizeof(fields), "Retry-After: %.*s\r\n", SLICE_ARGS(after));
	snprintf(status, sizeof(status), "%.*s Later", SLICE_ARGS(code));
	with_length(a, status, fields, 0, slice_make(NULL, 0));
}

static void
coded(struct answer *a, struct slice coding)
{
	char fields[PIECE];

	snprintf(fields, sizeof(fields), "Content-Encoding: %.*s\r\n", SLICE_ARGS(coding));
	with_length(a, "200 OK", fields, a->body.len, a->body);
}

static void
lie(struct answer *a)
{
	struct slice word, rest, half = slice_head(a->body, a->body.len / 2);
	char status[64];

	slice_cut(a->how, ' ', &word, &rest);
	if (slice_eq(word, SLICE("endless"))) {
		head(a, "200 OK", "");
		forever(a, slice_make(zeros, sizeof(zeros)));
	} else if (slice_eq(word, SLICE("more"))) {
		head(a, "200 OK", "");
		if (put(a, a->body))
			forever(a, slice_make(zeros, sizeof(zeros)));
	} else if (slice_eq(word, SLICE("claim"))) {
		with_length(a, "200 OK", "", 1ULL << 40, a->body);
	} else if (slice_eq(word, SLICE("half"))) {
		with_length(a, "200 OK", "", half.len, half);
	} else if (slice_eq(word, SLICE("cut"))) {
		with_length(a, "200 OK", "", a->body.len, half);
	} else if (slice_eq(word, SLICE("drip"))) {
		drip(a);
	} else if (slice_eq(word, SLICE("stall"))) {
		pause();
	} else if (slice_eq(word, SLICE("head"))) {
		put(a, SLICE("HTTP/1.1 200 OK\r\n"));
		forever(a, SLICE("X-Long: ............................................................\r\n"));
	} else if (slice_eq(word, SLICE("to"))) {
		redirect(a, rest);
	} else if (slice_eq(word, SLICE("part"))) {
		with_length(a, "206 Partial Content", "Content-Range: bytes 0-9/100\r\n", a->body.len, a->body);
	} else if (slice_eq(word, SLICE("gzip"))) {
		coded(a, word);
	} else if (slice_eq(word, SLICE("coded"))) {
		coded(a, rest);
	} else if (slice_eq(word, SLICE("reset"))) {
		reset(a);
	} else if (slice_eq(word, SLICE("etag"))) {
		conditional(a, "ETag", "If-None-Match", rest);
	} else if (slice_eq(word, SLICE("date"))) {
		conditional(a, "Last-Modified", "If-Modified-Since", rest);
	} else if (slice_eq(word, SLICE("retry"))) {
		retry(a, rest);
	} else {
		snprintf(status, sizeof(status), "%.*s Lie", SLICE_ARGS(rest));
		with_length(a, status, "", a->body.len, a->body);
	}
}

/* The last part of the path, without a query, is the file. */
static struct slice
name_of(struct slice request)
{
	struct slice method, target, name = { 0 };

	slice_cut(request, ' ', &method, &request);
	slice_cut(request, ' ', &target, &request);
	slice_cut(target, '?', &target, NULL);
	while (target.len > 0) {
		slice_cut(target, '/', &name, &target);
	}
	return name;
}

static int
read_of(const char *dir, struct slice name, struct buf *out)
{
	char path[PIECE];

	snprintf(path, sizeof(path), "%s/%.*s", dir, SLICE_ARGS(name));
	return name.len == 0 ? -1 : file_read(path, out);
}

/* For who wants to see what he was sent. */
static void
note_request(struct slice request)
{
	char path[PIECE];
	int fd;

	snprintf(path, sizeof(path), "%s/requests", lies);
	if ((fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)) == -1)
		return;
	file_write_all(fd, request);
	close(fd);
}

static void
serve(int fd)
{
	struct answer a = { .fd = fd };
	char request[REQUEST_MAX];
	struct buf body, how;
	size_t n = 0;
	ssize_t got;

	while (n < sizeof(request) && slice_search(slice_make(request, n), SLICE("\r\n\r\n")) == n &&
	    (got = read(fd, request + n, sizeof(request) - n)) > 0)
		n += (size_t)got;
	a.request = slice_make(request, n);
	a.name = name_of(a.request);
	note_request(a.request);
	buf_init(&body, FILE_MAX);
	buf_init(&how, PIECE);
	if (read_of(folder, a.name, &body) == -1) {
		with_length(&a, "404 Not Found", "", 0, slice_make(NULL, 0));
	} else {
		a.body = buf_slice(&body);
		if (read_of(lies, a.name, &how) == 0) {
			a.how = slice_trim(buf_slice(&how));
			lie(&a);
		} else
			with_length(&a, "200 OK", "", a.body.len, a.body);
	}
	printf("%.*s %zu\n", SLICE_ARGS(a.name), a.sent);
	fflush(stdout);
	buf_fini(&body);
	buf_fini(&how);
}

static int
listen_here(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)&at, sizeof(at)) == -1 || listen(fd, BACKLOG) == -1 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) == -1)
		return -1;
	printf("%d\n", ntohs(at.sin_port));
	fflush(stdout);
	return fd;
}

int
main(int argc, char **argv)
{
	struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .events = POLLIN } };
	int fd;

	if (argc != 3)
		return USAGE;
	folder = argv[1], lies = argv[2];
	signal(SIGCHLD, SIG_IGN);
	if ((fds[1].fd = listen_here()) == -1)
		return 1;
	while (poll(fds, 2, -1) > 0 && fds[0].revents == 0) {
		if ((fd = accept(fds[1].fd, NULL, NULL)) == -1)
			continue;
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			alarm(LIFE_S);
			serve(fd);
			_exit(0);
		}
		close(fd);
	}
	return 0;
}
