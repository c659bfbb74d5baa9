/* hammer - many ICAP connections that ask all the time, while somebody publishes: for t/e2e/publish.sh.
 *
 *	hammer PORT CONNECTIONS		until standard input ends
 *
 * Every generation blocks either even.hammer.test or odd.hammer.test, as its own number is, and either a file of BODY times 'e' or
 * one of as many times 'o'; each answer names the generation it was judged by, so that an answer out of a half-loaded one shows.
 * The files come in pieces and take longer than a publish: one that was planned by one generation and judged by the next shows,
 * too.  Each second a line: the lowest generation that any
 * connection was answered by since the line before.  At the end: "requests N lost N wrong N back N workers N", where "back"
 * counts answers by an older generation than the same connection has had from the same worker.
 *
 * The connections are opened one after another, and one whose first question is not answered soon is opened again: c-icap lets a
 * new connection lie when its thread has just missed the signal (wait_for_queue() tests and waits under different locks), and a
 * worker may take one up that it has no thread for.  From the first line on, every connection has a thread, and what is lost
 * then is lost. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/slice.h"

enum { CONNECTIONS_MAX = 512, ANSWER_MAX = 65536, TIMEOUT_S = 15, PORT_MAX = 65535, WORKERS_MAX = 64, USAGE = 2, MS = 1000,
	STACK = 256 * 1024, PATIENCE_S = 2, TRIES = 30, BODY = 2000, PREVIEW = 1000, PIECE = 250, PIECE_MS = 30, QUESTIONS = 4 };

struct connection {
	pthread_t	thread;
	int		fd;	/* -1: to be opened */
	unsigned	port;
	uint64_t	generation, worker;	/* of the last answer */
	uint64_t	requests, lost, wrong, back;
	_Atomic uint64_t latest;
};

static _Atomic bool done;
static _Atomic uint64_t workers[WORKERS_MAX];

static int
connect_to(unsigned port, int patience)
{
	const struct timeval limit = { .tv_sec = patience };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int
send_all(int fd, const char *p, int n)
{
	return send(fd, p, (size_t)n, MSG_NOSIGNAL) == n ? 0 : -1;
}

static int
ask_host(int fd, bool even)
{
	const char *host = even ? "even.hammer.test" : "odd.hammer.test";
	char http[256], request[512];
	int head = snprintf(http, sizeof(http), "GET http://%s/ HTTP/1.1\r\nHost: %s\r\n\r\n", host, host);
	int n = snprintf(request, sizeof(request), "REQMOD icap://127.0.0.1/firebreak ICAP/1.0\r\nHost: 127.0.0.1\r\n"
	    "Allow: 204\r\nEncapsulated: req-hdr=0, null-body=%d\r\n\r\n%s", head, http);

	return send_all(fd, request, n);
}

/* A chunk of LEN bytes of the file. */
static int
send_chunk(int fd, bool even, int len)
{
	char chunk[PREVIEW + 32];
	int n = snprintf(chunk, sizeof(chunk), "%x\r\n", (unsigned)len);

	memset(chunk + n, even ? 'e' : 'o', (size_t)len);
	memcpy(chunk + n + len, "\r\n", 2);
	return send_all(fd, chunk, n + len + 2);
}

static int
send_preview(int fd, bool even)
{
	static const char request[] = "GET http://files.hammer.test/file HTTP/1.1\r\nHost: files.hammer.test\r\n\r\n";
	char response[128], head[512];
	int size = snprintf(response, sizeof(response), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", BODY);
	int n = snprintf(head, sizeof(head), "RESPMOD icap://127.0.0.1/firebreak ICAP/1.0\r\nHost: 127.0.0.1\r\nAllow: 204\r\n"
	    "Preview: %d\r\nEncapsulated: req-hdr=0, res-hdr=%zu, res-body=%zu\r\n\r\n%s%s", PREVIEW, sizeof(request) - 1,
	    sizeof(request) - 1 + (size_t)size, request, response);

	return send_all(fd, head, n) == -1 || send_chunk(fd, even, PREVIEW) == -1 ? -1 : send_all(fd, "0\r\n\r\n", 5);
}

/* A file whose size is listed in every generation, and whose digest in every second one. */
static int
ask_file(int fd, bool even)
{
	static const char go_on[] = "ICAP/1.0 100 Continue\r\n\r\n";
	char said[sizeof(go_on) - 1];

	if (send_preview(fd, even) == -1 || recv(fd, said, sizeof(said), MSG_WAITALL) != (ssize_t)sizeof(said) ||
	    memcmp(said, go_on, sizeof(said)) != 0)
		return -1;
	for (int sent = PREVIEW; sent < BODY; sent += PIECE) {
		usleep(PIECE_MS * MS);
		if (send_chunk(fd, even, PIECE) == -1)
			return -1;
	}
	return send_all(fd, "0\r\n\r\n", 5);
}

/* The whole answer: a head, and for 200 a chunked body after the HTTP head. */
static bool
is_whole(struct slice answer)
{
	size_t end = slice_search(answer, SLICE("\r\n\r\n"));

	if (end == answer.len)
		return false;
	return slice_starts(answer, SLICE("ICAP/1.0 204")) || slice_ends(answer, SLICE("\r\n0\r\n\r\n"));
}

static int
receive(int fd, char *buf, struct slice *out)
{
	*out = slice_make(buf, 0);
	while (!is_whole(*out)) {
		ssize_t n = recv(fd, buf + out->len, ANSWER_MAX - out->len, 0);

		if (n <= 0)
			return -1;
		out->len += (size_t)n;
	}
	return 0;
}

/* The number behind WORD in ANSWER; 0 when it is not there. */
static uint64_t
number_after(struct slice answer, struct slice word)
{
	struct slice rest = slice_skip(answer, slice_search(answer, word) + word.len);
	size_t n = 0;
	uint64_t number = 0;

	while (n < rest.len && ascii_is_digit(rest.p[n]))
		n++;
	return slice_u64(slice_head(rest, n), &number) == 0 ? number : 0;
}

static void
note_worker(uint64_t pid)
{
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		uint64_t there = 0;

		/* Where the exchange fails THERE is who was faster: maybe the same worker, met by another connection. */
		if (atomic_compare_exchange_strong(&workers[i], &there, pid) || there == pid)
			return;
	}
}

static void
check(struct connection *c, struct slice answer, bool even)
{
	uint64_t generation = number_after(answer, SLICE("generation="));
	uint64_t worker = number_after(answer, SLICE("worker="));
	bool blocked = slice_search(answer, SLICE("HTTP/1.1 403")) < answer.len;

	c->requests++;
	if (generation == 0 || worker == 0 || blocked != ((generation % 2 == 0) == even))
		c->wrong++;
	if (worker == c->worker && generation < c->generation)
		c->back++;
	note_worker(worker);
	c->generation = generation;
	c->worker = worker;
	atomic_store(&c->latest, generation);
}

/* Says how a request was lost: a lost one in a thousand is hard to meet again. */
static void
tell_lost(const struct connection *c, int error)
{
	fprintf(stderr, "hammer: request %llu of a connection is lost: %s (its last answer: worker %llu, generation %llu)\n",
	    (unsigned long long)c->requests + 1, error == 0 ? "the daemon closed" : strerror(error),
	    (unsigned long long)c->worker, (unsigned long long)c->generation);
}

/* One question and its answer, over C's connection; -1 without an answer, and the connection is closed. */
static int
exchange(struct connection *c, char *buf)
{
	bool even = c->requests % 2 == 0, of_host = c->requests % QUESTIONS < QUESTIONS / 2;
	struct slice answer;

	if ((of_host ? ask_host(c->fd, even) : ask_file(c->fd, even)) == -1 || receive(c->fd, buf, &answer) == -1) {
		close(c->fd);
		c->fd = -1;
		return -1;
	}
	check(c, answer, even);
	return 0;
}

/* Opens C's connection and has its first question answered; -1 when no try of all had an answer. */
static int
open_one(struct connection *c)
{
	const struct timeval limit = { .tv_sec = TIMEOUT_S };
	char *buf = malloc(ANSWER_MAX);

	for (int i = 0; buf != NULL && i < TRIES && c->fd == -1; i++) {
		c->fd = connect_to(c->port, PATIENCE_S);
		if (c->fd == -1 || exchange(c, buf) == -1)
			usleep(MS * MS / 10);
	}
	free(buf);
	return c->fd == -1 ? -1 : setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

static void *
hammer(void *arg)
{
	struct connection *c = arg;
	char *buf = malloc(ANSWER_MAX);

	while (buf != NULL && !atomic_load(&done)) {
		errno = 0;
		if (c->fd == -1)
			c->fd = connect_to(c->port, TIMEOUT_S);
		if (c->fd == -1 || exchange(c, buf) == -1) {
			tell_lost(c, errno);
			c->lost++;
			usleep(MS * MS / 10);
			continue;
		}
		usleep(5 * MS);
	}
	if (c->fd != -1)
		close(c->fd);
	free(buf);
	return NULL;
}

static void
print_lowest(struct connection *all, size_t n)
{
	uint64_t lowest = UINT64_MAX;

	for (size_t i = 0; i < n; i++) {
		uint64_t g = atomic_load(&all[i].latest);

		lowest = g < lowest ? g : lowest;
	}
	printf("%llu\n", (unsigned long long)lowest);
	fflush(stdout);
}

static void
print_sum(const struct connection *all, size_t n)
{
	struct connection sum = { 0 };
	size_t n_workers = 0;

	for (size_t i = 0; i < n; i++) {
		sum.requests += all[i].requests;
		sum.lost += all[i].lost;
		sum.wrong += all[i].wrong;
		sum.back += all[i].back;
	}
	while (n_workers < WORKERS_MAX && atomic_load(&workers[n_workers]) != 0)
		n_workers++;
	printf("requests %llu lost %llu wrong %llu back %llu workers %zu\n", (unsigned long long)sum.requests,
	    (unsigned long long)sum.lost, (unsigned long long)sum.wrong, (unsigned long long)sum.back, n_workers);
}

int
main(int argc, char **argv)
{
	static struct connection all[CONNECTIONS_MAX];
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	pthread_attr_t attr;
	uint64_t port, n;

	if (argc != 3 || slice_u64(slice_str(argv[1]), &port) == -1 || port > PORT_MAX ||
	    slice_u64(slice_str(argv[2]), &n) == -1 || n == 0 || n > CONNECTIONS_MAX) {
		fputs("usage: hammer PORT CONNECTIONS\n", stderr);
		return USAGE;
	}
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	for (size_t i = 0; i < n; i++) {
		all[i].fd = -1;
		all[i].port = (unsigned)port;
		if (open_one(&all[i]) == -1) {
			fprintf(stderr, "hammer: connection %zu of %llu is not answered\n", i + 1, (unsigned long long)n);
			return EXIT_FAILURE;
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (pthread_create(&all[i].thread, &attr, hammer, &all[i]) != 0)
			return EXIT_FAILURE;
	}
	while (poll(&in, 1, MS) == 0)
		print_lowest(all, n);
	atomic_store(&done, true);
	for (size_t i = 0; i < n; i++)
		pthread_join(all[i].thread, NULL);
	print_sum(all, n);
	return EXIT_SUCCESS;
}
