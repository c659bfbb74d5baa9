/* http_load - downloads through a proxy, each compared byte by byte with what it should be.
 *
 *	http_load [options] PROXY-ADDRESS PROXY-PORT URL FILE
 *
 * URL has "%" where the number of the request goes, so that no two are alike; FILE holds the bytes that every one of them must
 * bring.  One thread a connection, kept alive.  What is printed: how fast, when the first byte, half and all of a body had
 * come, and the processor time of the processes named. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/slice.h"
#include "bench/load_hist.h"
#include "bench/load_server.h"

enum { CONNECTIONS_MAX = 256, HEAD_MAX = 16384, PIECE = 262144, TIMEOUT_S = 60, EXIT_USAGE = 2, US = 1000 };
#define NS_PER_S	INT64_C(1000000000)

/* When a body had come how far, from the moment it was asked for. */
enum milestone { FIRST_BYTE, HALF, LAST_BYTE, MILESTONES };

struct worker {
	pthread_t	 thread;
	int		 fd;
	uint64_t	 good, bad;
	uint64_t	 again;		/* asked anew on another connection */
	const char	*why;		/* of the first bad one */
	struct load_hist hist[MILESTONES];
	char		 buf[PIECE];
};

static struct {
	struct sockaddr_in	 proxy;
	struct slice		 url, body;	/* what is asked for, what must come */
	uint64_t		 connections, requests;
	double			 seconds;
	bool			 close;		/* a new connection for each */
	struct load_server	 server;
	size_t			 n_given;
} settings;

static _Atomic uint64_t next_number;
static int64_t end_ns;

static int64_t
now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* ---- one download ---- */

static int
connect_to_proxy(struct worker *w)
{
	const struct timeval limit = { .tv_sec = TIMEOUT_S };
	const int on = 1;

	w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(w->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(w->fd, (const struct sockaddr *)&settings.proxy, sizeof(settings.proxy)) == 0)
		return 0;
	close(w->fd);
	w->fd = -1;
	return -1;
}

static int
ask(const struct worker *w, uint64_t number)
{
	struct slice host, before, after;
	char request[HEAD_MAX];
	int n;

	slice_cut(slice_skip(settings.url, sizeof("http://") - 1), '/', &host, NULL);
	slice_cut(settings.url, '%', &before, &after);
	n = snprintf(request, sizeof(request), "GET %.*s%" PRIu64 "%.*s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: http_load\r\n"
	    "Accept: */*\r\n\r\n", SLICE_ARGS(before), number, SLICE_ARGS(after), SLICE_ARGS(host));
	return send(w->fd, request, (size_t)n, MSG_NOSIGNAL) == n ? 0 : -1;
}

/* Read the head; what came of the body behind it is left in BUF.  -1 when there is no whole head, with *SILENT set when not a
 * byte of it came. */
static int
read_head(struct worker *w, struct slice *head, struct slice *rest, bool *silent)
{
	size_t len = 0, end;

	*silent = true;
	do {
		ssize_t n = len < HEAD_MAX ? recv(w->fd, w->buf + len, HEAD_MAX - len, 0) : 0;

		if (n <= 0)
			return -1;
		*silent = false;
		len += (size_t)n;
		end = slice_search(slice_make(w->buf, len), SLICE("\r\n\r\n"));
	} while (end == len);
	*head = slice_make(w->buf, end + 2);
	*rest = slice_make(w->buf + end + 4, len - end - 4);
	return 0;
}

/* Compare PIECE with the body from AT on; how far it is now. */
static const char *
take(struct worker *w, struct slice piece, uint64_t *at, int64_t from, bool *half)
{
	if (piece.len == 0)
		return NULL;
	if (*at == 0)
		load_hist_add(&w->hist[FIRST_BYTE], now_ns(CLOCK_MONOTONIC) - from);
	if (*at + piece.len > settings.body.len)
		return "more bytes than there should be";
	if (memcmp(piece.p, settings.body.p + *at, piece.len) != 0)
		return "other bytes";
	*at += piece.len;
	if (!*half && *at >= settings.body.len / 2) {
		load_hist_add(&w->hist[HALF], now_ns(CLOCK_MONOTONIC) - from);
		*half = true;
	}
	return NULL;
}

/* NULL when all is well. */
static const char *
read_body(struct worker *w, struct slice rest, int64_t from)
{
	const char *why = NULL;
	uint64_t at = 0;
	bool half = false;

	why = take(w, rest, &at, from, &half);
	while (why == NULL && at < settings.body.len) {
		ssize_t n = recv(w->fd, w->buf, sizeof(w->buf), 0);

		if (n <= 0)
			return n == 0 ? "cut short" : errno == EAGAIN ? "nothing came for a minute" : "the connection broke";
		why = take(w, slice_make(w->buf, (size_t)n), &at, from, &half);
	}
	return why;
}

static void
disconnect(struct worker *w)
{
	if (w->fd != -1)
		close(w->fd);
	w->fd = -1;
}

/* Ask, and read the answer's head.  A proxy may close a connection that was kept alive just when it is asked again: a client
 * then asks on a new one (RFC 9112 9.3.1). */
static const char *
begin(struct worker *w, uint64_t number, struct slice *head, struct slice *rest)
{
	bool kept = w->fd != -1, silent = true;

	if (!kept && connect_to_proxy(w) == -1)
		return "the proxy cannot be reached";
	if (ask(w, number) == 0 && read_head(w, head, rest, &silent) == 0)
		return NULL;
	if (!kept || !silent)
		return "no answer";
	disconnect(w);
	w->again++;
	return begin(w, number, head, rest);
}

static const char *
download(struct worker *w, uint64_t number)
{
	int64_t from = now_ns(CLOCK_MONOTONIC);
	struct slice head, rest;
	const char *why;

	if ((why = begin(w, number, &head, &rest)) != NULL)
		return why;
	if (slice_search(head, SLICE(" 200 ")) == head.len)
		return "another status than 200";
	if (slice_isearch(head, SLICE("\r\nContent-Length:")) == head.len)
		return "no Content-Length";
	if ((why = read_body(w, rest, from)) == NULL)
		load_hist_add(&w->hist[LAST_BYTE], now_ns(CLOCK_MONOTONIC) - from);
	return why;
}

static void *
work(void *arg)
{
	struct worker *w = arg;

	while (now_ns(CLOCK_MONOTONIC) < end_ns) {
		uint64_t number = atomic_fetch_add(&next_number, 1);
		const char *why;

		if (settings.requests > 0 && number >= settings.requests)
			break;
		if ((why = download(w, number)) == NULL) {
			w->good++;
		} else {
			w->bad++;
			w->why = w->why == NULL ? why : w->why;
		}
		if (why != NULL || settings.close)
			disconnect(w);
	}
	disconnect(w);
	return NULL;
}

/* ---- the command line and the result ---- */

static bool
set_option(int letter, const char *value)
{
	uint64_t n;
	char *end;

	switch (letter) {
	case 'c':
		settings.close = true;
		return true;
	case 'n':
		return slice_u64(slice_str(value), &settings.connections) == 0 && settings.connections > 0 &&
		    settings.connections <= CONNECTIONS_MAX;
	case 'N':
		return slice_u64(slice_str(value), &settings.requests) == 0 && settings.requests > 0;
	case 's':
		settings.seconds = strtod(value, &end);
		return end != value && *end == '\0' && settings.seconds > 0 && settings.seconds < 86400;
	case 'P':
		if (slice_u64(slice_str(value), &n) == -1 || settings.n_given == SERVER_PROCESSES)
			return false;
		settings.server.pids[settings.n_given++] = (pid_t)n;
		return true;
	default:
		return false;
	}
}

static void
usage(FILE *f)
{
	fputs("usage: http_load [options] PROXY-ADDRESS PROXY-PORT URL FILE\n"
	    "Download URL (% is the request's number) through a proxy again and again; each body must be FILE.\n\n"
	    "  --connections N   16 unless given\n"
	    "  --seconds S       5 unless given\n"
	    "  --requests N      so many at most\n"
	    "  --close           a new connection for each\n"
	    "  --server PID      whose processor time and memory to read, with its descendants; may be repeated\n\n"
	    "Prints a line of JSON.  Exit status: 0 all intact, 1 not all, 2 wrong usage.\n", f);
}

/* The bytes of PATH, mapped; ends the program when they cannot be. */
static struct slice
map_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd == -1 || fstat(fd, &st) == -1 ||
	    (p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0)) == MAP_FAILED) {
		perror(path);
		exit(EXIT_USAGE);
	}
	close(fd);
	return slice_make(p, (size_t)st.st_size);
}

static void
parse_settings(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "connections", required_argument, NULL, 'n' }, { "seconds", required_argument, NULL, 's' },
		{ "requests", required_argument, NULL, 'N' }, { "close", no_argument, NULL, 'c' },
		{ "server", required_argument, NULL, 'P' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
	};
	uint64_t port;
	int letter;

	settings.connections = 16;
	settings.seconds = 5;
	while ((letter = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (letter == 'h') {
			usage(stdout);
			exit(EXIT_SUCCESS);
		}
		if (!set_option(letter, optarg))
			exit(EXIT_USAGE);
	}
	if (argc - optind != 4 || slice_u64(slice_str(argv[optind + 1]), &port) == -1 || port > UINT16_MAX ||
	    inet_pton(AF_INET, argv[optind], &settings.proxy.sin_addr) != 1) {
		usage(stderr);
		exit(EXIT_USAGE);
	}
	settings.proxy.sin_family = AF_INET;
	settings.proxy.sin_port = htons((uint16_t)port);
	settings.url = slice_str(argv[optind + 2]);
	settings.body = map_file(argv[optind + 3]);
}

static struct load_hist
sum_of(const struct worker *workers, enum milestone m)
{
	struct load_hist sum = { 0 };

	for (size_t i = 0; i < settings.connections; i++) {
		sum.n += workers[i].hist[m].n;
		for (size_t b = 0; b < HIST_BUCKETS; b++)
			sum.buckets[b] += workers[i].hist[m].buckets[b];
	}
	return sum;
}

static void
print_times(const struct worker *workers)
{
	static const char *const names[MILESTONES] = { "first", "half", "last" };

	for (int m = 0; m < MILESTONES; m++) {
		static struct load_hist sum;

		sum = sum_of(workers, (enum milestone)m);
		printf(",\"%s_us\":{\"p50\":%.1f,\"p99\":%.1f}", names[m], (double)load_hist_at(&sum, 0.5) / US,
		    (double)load_hist_at(&sum, 0.99) / US);
	}
}

int
main(int argc, char **argv)
{
	struct worker *workers;
	uint64_t good = 0, bad = 0, again = 0;
	const char *why = NULL;
	int64_t start, cpu, pss;
	double seconds;

	parse_settings(argc, argv);
	if ((workers = calloc(settings.connections, sizeof(*workers))) == NULL)
		return EXIT_USAGE;
	load_server_find(&settings.server, settings.n_given);
	cpu = load_server_cpu(&settings.server);
	start = now_ns(CLOCK_MONOTONIC);
	end_ns = start + (int64_t)(settings.seconds * (double)NS_PER_S);
	for (size_t i = 0; i < settings.connections; i++) {
		workers[i].fd = -1;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
			return EXIT_USAGE;
	}
	for (size_t i = 0; i < settings.connections; i++) {
		pthread_join(workers[i].thread, NULL);
		good += workers[i].good;
		bad += workers[i].bad;
		again += workers[i].again;
		why = why == NULL ? workers[i].why : why;
	}
	seconds = (double)(now_ns(CLOCK_MONOTONIC) - start) / (double)NS_PER_S;
	cpu = load_server_cpu(&settings.server) - cpu;
	pss = load_server_memory(&settings.server, LOAD_PSS);
	printf("{\"requests\":%" PRIu64 ",\"seconds\":%.3f,\"per_s\":%.1f,\"cpu_us\":%.2f,\"pss\":%" PRId64 ",\"wrong\":%" PRIu64 ",\"again\":%" PRIu64, good,
	    seconds, (double)good / seconds, (double)cpu / US / (double)(good == 0 ? 1 : good), pss, bad, again);
	print_times(workers);
	puts("}");
	if (bad > 0)
		fprintf(stderr, "http_load: %" PRIu64 " of %" PRIu64 " were not right; the first: %s\n", bad, good + bad, why);
	free(workers);
	return bad == 0 && good > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
