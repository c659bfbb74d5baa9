/* icap_load - a load generator for ICAP services (RFC 3507) that checks every answer.
 *
 * Closed loop: each connection asks again as soon as it was answered.  With --rate an open loop: requests are due at fixed
 * moments, whether or not the server keeps up, and latency counts from the moment a request was due, so that a server that
 * stalls cannot hide it (no coordinated omission).  Each request must end as its URL says; a wrong verdict or a damaged
 * body is an error and the exit status 1. */
#include <sys/epoll.h>

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "bench/load_conn.h"
#include "bench/load_hist.h"
#include "bench/load_server.h"

enum { CONNECTIONS_MAX = 4096, EVENTS = 256, DRAIN_S = 30, URLS_MAX = 1 << 28, EXIT_USAGE = 2, US = 1000, IDLE_NS = 100000000 };
#define NS_PER_S	INT64_C(1000000000)

struct settings {
	struct load_options	 work;
	const char		*urls;
	uint64_t		 connections, requests, rate;
	double			 seconds, warmup;
	bool			 json;
	struct load_server	 server;	/* the given processes */
	size_t			 n_given;
};

/* A run while it goes on. */
struct load {
	const struct settings	*settings;
	struct load_work	 work;
	struct load_conn	*conns[CONNECTIONS_MAX];
	size_t			 idle[CONNECTIONS_MAX], n_idle;
	int			 epoll_fd;
	int64_t			 start_ns, from_ns, to_ns;	/* measured is what ends between FROM and TO */
	uint64_t		 next;		/* request number */
	uint64_t		 ended;		/* in all */

	struct load_server	 server;
	int64_t			 cpu_from, cpu_to, own_from, own_to, pss, anon;
	struct load_hist	 hist;
	uint64_t		 ends[ENDS], wrong, after_preview, body_in;
	const char		*first_why;
	uint64_t		 first_wrong;
};

static int64_t
now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* ---- options ---- */

static const struct option longs[] = {
	{ "respmod", no_argument, NULL, 'r' }, { "body", required_argument, NULL, 'b' },
	{ "chunked", no_argument, NULL, 'c' }, { "same-body", no_argument, NULL, 'S' },
	{ "image", no_argument, NULL, 'i' }, { "gzip", required_argument, NULL, 'z' },
	{ "preview", required_argument, NULL, 'p' }, { "allow-204", no_argument, NULL, '4' },
	{ "allow-206", no_argument, NULL, '6' }, { "connections", required_argument, NULL, 'n' },
	{ "seconds", required_argument, NULL, 's' }, { "warmup", required_argument, NULL, 'w' },
	{ "requests", required_argument, NULL, 'N' }, { "rate", required_argument, NULL, 'R' },
	{ "server", required_argument, NULL, 'P' }, { "json", no_argument, NULL, 'j' },
	{ "lenient", no_argument, NULL, 'l' },
	{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
};

static void
usage(FILE *f)
{
	fputs("usage: icap_load [options] ADDRESS PORT SERVICE URLS\n"
	    "Ask an ICAP service as Squid would, check every answer, and print what it took.\n\n"
	    "  URLS                a file, a line each: URL, tab, pass|block|kill; asked in turn\n"
	    "  --respmod           responses with a body (else: GET requests, REQMOD)\n"
	    "  --body BYTES        of each body; they differ from each other\n"
	    "  --same-body         they do not\n"
	    "  --image             they say and begin like images, not like unknown files\n"
	    "  --gzip text|data    they are the same gzip of so many bytes, of a page or of what is of no type\n"
	    "  --chunked           the HTTP response names no length\n"
	    "  --preview N|none    4096 unless given\n"
	    "  --allow-204, --allow-206   also outside the preview\n"
	    "  --connections N     16 unless given, kept alive\n"
	    "  --seconds S         measured time, 2 unless given; --warmup S before it, 0.5 unless given\n"
	    "  --requests N        so many requests instead, all of them measured\n"
	    "  --rate R            requests a second in all, due at fixed moments\n"
	    "  --server PID        whose processor time and memory to read, with its descendants; may be repeated\n"
	    "  --lenient           take e2guardian's \"req-hdr=0, res-body=N\" for the request without a body that it is\n"
	    "  --json              one line of JSON\n\n"
	    "Exit status: 0 all answers right, 1 a wrong verdict, a damaged body or no answer, 2 wrong usage.\n", f);
}

static bool
parse_seconds(const char *text, double *out)
{
	char *end;

	*out = strtod(text, &end);
	return end != text && *end == '\0' && *out >= 0 && *out <= 86400;
}

static bool
parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	return slice_u64(slice_str(text), out) == 0 && *out >= min && *out <= max;
}

static bool
set_option(struct settings *s, int letter, const char *value)
{
	uint64_t n;

	switch (letter) {
	case 'r': s->work.respmod = true; return true;
	case 'c': s->work.chunked = true; return true;
	case 'S': s->work.same_body = true; return true;
	case 'i': s->work.image = true; return true;
	case 'z':
		s->work.coded = strcmp(value, "text") == 0 ? LOAD_CODED_TEXT : LOAD_CODED_DATA;
		return s->work.coded == LOAD_CODED_TEXT || strcmp(value, "data") == 0;
	case '4': s->work.allow204 = true; return true;
	case '6': s->work.allow206 = true; return true;
	case 'j': s->json = true; return true;
	case 'l': s->work.lenient = true; return true;
	case 'b': return parse_number(value, 0, UINT64_C(1) << 40, &s->work.body);
	case 'n': return parse_number(value, 1, CONNECTIONS_MAX, &s->connections);
	case 'N': return parse_number(value, 1, UINT32_MAX, &s->requests);
	case 'R': return parse_number(value, 1, 10000000, &s->rate);
	case 's': return parse_seconds(value, &s->seconds);
	case 'w': return parse_seconds(value, &s->warmup);
	case 'p':
		s->work.preview = LOAD_PREVIEW_NONE;
		if (slice_eq(slice_str(value), SLICE("none")))
			return true;
		if (!parse_number(value, 0, 65536, &n))
			return false;
		s->work.preview = (int)n;
		return true;
	case 'P':
		if (s->n_given == SERVER_PROCESSES || !parse_number(value, 1, INT32_MAX, &n))
			return false;
		s->server.pids[s->n_given++] = (pid_t)n;
		return true;
	default:
		return false;
	}
}

static void
parse_settings(struct settings *s, int argc, char **argv)
{
	uint64_t port;
	int letter;

	*s = (struct settings){ .connections = 16, .seconds = 2, .warmup = 0.5, .work.preview = 4096 };
	while ((letter = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (letter == 'h') {
			usage(stdout);
			exit(EXIT_SUCCESS);
		}
		if (!set_option(s, letter, optarg)) {
			if (letter != '?')
				fprintf(stderr, "icap_load: not a good value: %s\n", optarg);
			exit(EXIT_USAGE);
		}
	}
	if (argc - optind != 4 || !parse_number(argv[optind + 1], 1, UINT16_MAX, &port)) {
		usage(stderr);
		exit(EXIT_USAGE);
	}
	s->work.host = argv[optind];
	s->work.port = (unsigned)port;
	s->work.service = argv[optind + 2];
	s->urls = argv[optind + 3];
}

/* ---- running ---- */

static int64_t
due_of(const struct load *l, uint64_t number)
{
	return l->start_ns + (int64_t)((double)number / (double)l->settings->rate * (double)NS_PER_S);
}

static bool
all_asked(const struct load *l, int64_t now)
{
	return l->settings->requests > 0 ? l->next >= l->settings->requests : now >= l->to_ns;
}

static void
count(struct load *l, const struct load_result *r, int64_t now)
{
	l->ended++;
	if (!r->right) {
		if (l->wrong++ == 0) {
			l->first_wrong = r->number;
			l->first_why = r->why != NULL ? r->why : load_end_name(r->end);
		}
	}
	if (now < l->from_ns || now > l->to_ns)
		return;
	l->ends[r->end]++;
	l->after_preview += r->after_preview;
	l->body_in += r->body_in;
	load_hist_add(&l->hist, now - r->due_ns);
}

/* One more step of connection I. */
static void
go_on(struct load *l, size_t i)
{
	struct load_result r;

	if (!load_conn_go_on(l->conns[i], &r))
		return;
	count(l, &r, now_ns(CLOCK_MONOTONIC));
	l->idle[l->n_idle++] = i;
}

/* Give every idle connection something to do, as far as something is due.  -1 when the server cannot be reached. */
static int
ask(struct load *l)
{
	int64_t now = now_ns(CLOCK_MONOTONIC);

	while (l->n_idle > 0 && !all_asked(l, now)) {
		int64_t due = l->settings->rate > 0 ? due_of(l, l->next) : now;
		size_t i = l->idle[l->n_idle - 1];

		if (due > now)
			break;
		if (load_conn_ask(l->conns[i], l->next, due) == -1) {
			fprintf(stderr, "icap_load: %s:%u cannot be reached\n", l->settings->work.host, l->settings->work.port);
			return -1;
		}
		l->next++;
		l->n_idle--;
		go_on(l, i);
		now = now_ns(CLOCK_MONOTONIC);
	}
	return 0;
}

/* When all was asked, who is idle makes room for who still waits. */
static void
rest(struct load *l)
{
	for (size_t i = 0; i < l->n_idle && l->settings->requests > 0 && l->next >= l->settings->requests; i++)
		load_conn_rest(l->conns[l->idle[i]]);
}

static void
wait_and_go_on(struct load *l)
{
	int64_t now = now_ns(CLOCK_MONOTONIC), left = IDLE_NS;
	struct epoll_event events[EVENTS];
	struct timespec timeout;
	int n;

	if (l->settings->rate > 0 && l->n_idle > 0 && !all_asked(l, now) && due_of(l, l->next) - now < left)
		left = due_of(l, l->next) - now;
	timeout = (struct timespec){ .tv_nsec = left > 0 ? left : 0 };
	n = epoll_pwait2(l->epoll_fd, events, EVENTS, &timeout, NULL);
	for (int i = 0; i < n; i++)
		go_on(l, (size_t)events[i].data.u64);
}

/* The measured window begins or ends when its moment has come. */
static void
watch_clock(struct load *l)
{
	int64_t now = now_ns(CLOCK_MONOTONIC);

	if (l->cpu_from == -1 && now >= l->from_ns) {
		l->server = l->settings->server;
		load_server_find(&l->server, l->settings->n_given);
		l->cpu_from = load_server_cpu(&l->server);
		l->own_from = now_ns(CLOCK_PROCESS_CPUTIME_ID);
		l->from_ns = now_ns(CLOCK_MONOTONIC);
	}
	if (l->cpu_to == -1 && now >= l->to_ns) {
		l->to_ns = now;
		l->cpu_to = load_server_cpu(&l->server);
		l->own_to = now_ns(CLOCK_PROCESS_CPUTIME_ID);
		l->pss = load_server_memory(&l->server, LOAD_PSS);
		l->anon = load_server_memory(&l->server, LOAD_ANON);
	}
}

static int
run(struct load *l)
{
	const struct settings *s = l->settings;

	l->start_ns = now_ns(CLOCK_MONOTONIC);
	l->from_ns = l->start_ns + (s->requests > 0 ? 0 : (int64_t)(s->warmup * (double)NS_PER_S));
	l->to_ns = s->requests > 0 ? INT64_MAX : l->from_ns + (int64_t)(s->seconds * (double)NS_PER_S);
	while (l->ended < l->next || !all_asked(l, now_ns(CLOCK_MONOTONIC))) {
		watch_clock(l);
		if (ask(l) == -1)
			return -1;
		rest(l);
		wait_and_go_on(l);
		if (l->to_ns != INT64_MAX && now_ns(CLOCK_MONOTONIC) > l->to_ns + DRAIN_S * NS_PER_S)
			break;
	}
	if (l->to_ns == INT64_MAX)
		l->to_ns = now_ns(CLOCK_MONOTONIC);
	watch_clock(l);
	l->wrong += l->next - l->ended;
	return 0;
}

/* ---- the result ---- */

struct figures {
	double	seconds, per_s, cpu_us, own_us, p50, p99, p999;
};

static struct figures
figures_of(const struct load *l)
{
	double n = l->hist.n == 0 ? 1 : (double)l->hist.n, seconds = (double)(l->to_ns - l->from_ns) / (double)NS_PER_S;

	return (struct figures){ .seconds = seconds, .per_s = (double)l->hist.n / seconds,
		.cpu_us = (double)(l->cpu_to - l->cpu_from) / US / n, .own_us = (double)(l->own_to - l->own_from) / US / n,
		.p50 = (double)load_hist_at(&l->hist, 0.5) / US, .p99 = (double)load_hist_at(&l->hist, 0.99) / US,
		.p999 = (double)load_hist_at(&l->hist, 0.999) / US };
}

static void
print_json(const struct load *l)
{
	struct figures f = figures_of(l);

	printf("{\"requests\":%" PRIu64 ",\"seconds\":%.3f,\"per_s\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,"
	    "\"cpu_us\":%.2f,\"client_cpu_us\":%.2f,\"pss\":%" PRId64 ",\"anon\":%" PRId64 ",\"processes\":%zu,\"ends\":{", l->hist.n, f.seconds, f.per_s,
	    f.p50, f.p99, f.p999, f.cpu_us, f.own_us, l->pss, l->anon, l->server.n);
	for (int e = 0, first = 1; e < ENDS; e++)
		if (l->ends[e] > 0) {
			printf("%s\"%s\":%" PRIu64, first ? "" : ",", load_end_name((enum load_end)e), l->ends[e]);
			first = 0;
		}
	printf("},\"wrong\":%" PRIu64 ",\"after_preview\":%" PRIu64 ",\"body_in\":%" PRIu64 "}\n", l->wrong, l->after_preview,
	    l->body_in);
}

static void
print_text(const struct load *l)
{
	struct figures f = figures_of(l);

	printf("%" PRIu64 " requests in %.2f s: %.0f a second; p50 %.0f us, p99 %.0f us, p99.9 %.0f us\n", l->hist.n, f.seconds,
	    f.per_s, f.p50, f.p99, f.p999);
	printf("processor time a request: server %.1f us (%zu processes, PSS %.1f MB), client %.1f us\n", f.cpu_us, l->server.n,
	    (double)l->pss / 1e6, f.own_us);
	for (int e = 0; e < ENDS; e++)
		if (l->ends[e] > 0)
			printf("%s %" PRIu64 "  ", load_end_name((enum load_end)e), l->ends[e]);
	printf("wrong %" PRIu64 "; body bytes sent after the preview %" PRIu64 ", received %" PRIu64 "\n", l->wrong,
	    l->after_preview, l->body_in);
}

static void
print_result(const struct load *l)
{
	if (l->settings->json)
		print_json(l);
	else
		print_text(l);
	if (l->wrong > 0) {
		const struct load_request *r = &l->work.requests[l->first_wrong % l->work.n];

		fprintf(stderr, "icap_load: %" PRIu64 " wrong; the first was request %" PRIu64 " (%.*s): %s\n", l->wrong,
		    l->first_wrong, SLICE_ARGS(slice_head(r->bytes, slice_find(r->bytes, '\r'))),
		    l->first_why == NULL ? "not answered" : l->first_why);
	}
}

static void
prepare(struct load *l)
{
	char why[200];
	struct buf urls;

	buf_init(&urls, URLS_MAX);
	if (file_read(l->settings->urls, &urls) == -1) {
		perror(l->settings->urls);
		exit(EXIT_USAGE);
	}
	if (load_work_init(&l->work, &l->settings->work, buf_slice(&urls), why) == -1) {
		fprintf(stderr, "icap_load: %s: %s\n", l->settings->urls, why);
		exit(EXIT_USAGE);
	}
	buf_fini(&urls);
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < l->settings->connections; i++) {
		if ((l->conns[i] = load_conn_new(&l->work, l->epoll_fd, i)) == NULL) {
			fputs("icap_load: out of memory\n", stderr);
			exit(EXIT_USAGE);
		}
		l->idle[l->n_idle++] = i;
	}
}

int
main(int argc, char **argv)
{
	static struct settings settings;
	static struct load load = { .settings = &settings, .cpu_from = -1, .cpu_to = -1, .pss = -1, .anon = -1 };
	int status = EXIT_FAILURE;

	parse_settings(&settings, argc, argv);
	prepare(&load);
	if (run(&load) == 0) {
		print_result(&load);
		status = load.wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	for (size_t i = 0; i < settings.connections; i++)
		load_conn_free(load.conns[i]);
	load_work_fini(&load.work);
	close(load.epoll_fd);
	return status;
}
