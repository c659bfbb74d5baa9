/* event_ask - how long the event store takes: "event_ask FOLDER EVENTS [ASKED]".
 *
 * Makes EVENTS events in FOLDER, which should be empty, as a log and nine files that were rotated, eight of them compressed,
 * unless there is a log; reads them into the index; then asks for ASKED incidents, chosen at random, as as many runs of the
 * command would: open, bring up to date, find, read the line.  Prints what it took. */
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <zlib.h>

#include "base/file.h"
#include "events/event.h"
#include "eventstore/eventstore.h"

enum { FILES = 10, USAGE = 2, LINE = 1 << 16, BLOCK = 1 << 20, ASKED = 200, USERS = 20000, HOSTS = 500, RULES = 300, STEP_MS = 4 };
static const int64_t base_ms = INT64_C(1795418400000);

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t
mix(uint64_t i)
{
	i = (i ^ (i >> 31)) * UINT64_C(0x9e3779b97f4a7c15);
	return i ^ (i >> 29);
}

static void
id_of(uint64_t i, char id[static INCIDENT_LEN + 1])
{
	incident_make(base_ms + (int64_t)i * STEP_MS, 0x1234, (unsigned)(i & 0x7fff), id);
}

static void
line_of(uint64_t i, struct buf *out)
{
	char host[64], url[200], user[32], client[32], rule[64];
	uint64_t r = mix(i + 1);
	struct digest d = { .alg = DIGEST_MD5, .b = { (uint8_t)(r % 50) } };
	struct event e;

	event_init(&e);
	e.time_ms = base_ms + (int64_t)i * STEP_MS;
	id_of(i, e.id);
	e.action = r % 10 == 0 ? EVENT_KILLED : EVENT_BLOCKED;
	e.reason = r % 10 == 0 ? "file" : "host";
	e.provider = r % 10 == 0 ? "respmod" : "reqmod";
	e.message = "the host is listed";
	snprintf(host, sizeof(host), "h%" PRIu64 ".bad.example", (r >> 8) % HOSTS);
	snprintf(url, sizeof(url), "http://%s/mail/id=%016" PRIx64 "-patch121.exe", host, r);
	snprintf(user, sizeof(user), "user%" PRIu64, (r >> 20) % USERS);
	snprintf(client, sizeof(client), "10.%" PRIu64 ".%" PRIu64 ".7", (r >> 20) % USERS / 250, (r >> 20) % 250);
	snprintf(rule, sizeof(rule), "alert-19190:host-%" PRIu64, (r >> 8) % RULES);
	e.rule_id = slice_str(rule);
	e.rule_ruleset = SLICE("alert-19190");
	e.rule_version = 1;
	e.level = 4;
	e.alert = SLICE("19190");
	e.client_ip = slice_str(client);
	e.user = slice_str(user);
	e.method = SLICE("GET");
	e.url = slice_str(url);
	e.host = slice_str(host);
	if (r % 10 == 0)
		e.digests[DIGEST_MD5] = &d;
	e.generation = 17;
	e.worker = 4711;
	e.steps = SLICE("the host matches a rule\nthe rule's level reaches the threshold\n");
	event_format(&e, out);
}

/* File K of the log, the oldest is the last: events FROM to TO. */
static void
make_file(const char *path, int k, uint64_t from, uint64_t to)
{
	char name[4096];
	struct buf b;
	gzFile gz;

	if (k == 0)
		snprintf(name, sizeof(name), "%s", path);
	else
		snprintf(name, sizeof(name), "%s.%d%s", path, k, k == 1 ? "" : ".gz");
	gz = gzopen(name, k <= 1 ? "wbT" : "wb1");
	buf_init(&b, BLOCK + LINE);
	for (uint64_t i = from; i < to; i++) {
		line_of(i, &b);
		if (b.len < BLOCK && i + 1 < to)
			continue;
		gzwrite(gz, b.p, (unsigned)b.len);
		buf_reset(&b);
	}
	gzclose(gz);
	buf_fini(&b);
}

struct asked {
	struct eventstore	*s;
	int			 good;
};

static int
visit(void *arg, const struct event_row *row)
{
	struct asked *a = arg;
	struct buf line;

	buf_init(&line, LINE);
	a->good += eventstore_line(a->s, row, &line, NULL) == 0;
	buf_fini(&line);
	return 0;
}

/* One run of the command.  Seconds. */
static double
ask(const char *path, uint64_t i, int *good)
{
	struct diag diag = { 0 };
	struct event_query q = { 0 };
	char id[INCIDENT_LEN + 1];
	double start = now();
	struct asked a = { .s = eventstore_open(path, &diag) };

	id_of(i, id);
	q.id = slice_str(id);
	if (a.s != NULL && eventstore_update(a.s, &diag) != -1)
		eventstore_search(a.s, &q, visit, &a, &diag);
	eventstore_close(a.s);
	*good += a.good;
	diag_print(&diag, stderr);
	diag_fini(&diag);
	return now() - start;
}

static int
compare(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1 : 1;
}

static void
ask_many(const char *path, uint64_t events, int asked)
{
	double *took = calloc((size_t)asked, sizeof(*took));
	int good = 0;

	for (int k = 0; k < asked; k++)
		took[k] = 1e3 * ask(path, mix((uint64_t)k + 77) % events, &good);
	qsort(took, (size_t)asked, sizeof(*took), compare);
	printf("%d of %d incidents found with their lines: median %.1f ms, 99 of 100 within %.1f ms, worst %.1f ms\n", good, asked,
	    took[asked / 2], took[asked * 99 / 100], took[asked - 1]);
	free(took);
}

/* The sizes of the files that PATTERN means. */
static void
print_size(const char *pattern)
{
	struct stat st;
	glob_t found;

	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (stat(found.gl_pathv[i], &st) == 0)
			printf("%s: %.0f MB\n", found.gl_pathv[i], (double)st.st_size / 1e6);
	globfree(&found);
}

int
main(int argc, char **argv)
{
	uint64_t events = 0;
	uint64_t asked = ASKED;
	char *path, index[4096];
	double start;
	int good = 0;

	if (argc < 3 || slice_u64(slice_str(argv[2]), &events) == -1 || events == 0 ||
	    (argc > 3 && (slice_u64(slice_str(argv[3]), &asked) == -1 || asked == 0 || asked > INT32_MAX))) {
		fputs("usage: event_ask FOLDER EVENTS [ASKED]\n", stderr);
		return USAGE;
	}
	path = file_join(argv[1], "events.jsonl");
	snprintf(index, sizeof(index), "%s.index.*", path);
	start = now();
	for (int k = 0; access(path, F_OK) == -1 && k < FILES; k++)
		make_file(path, FILES - 1 - k, events * (uint64_t)k / FILES, events * (uint64_t)(k + 1) / FILES);
	printf("%" PRIu64 " events made: %.1f s\n", events, now() - start);
	print_size(path);
	printf("read into the index: %.1f s\n", ask(path, 0, &good));
	print_size(index);
	ask_many(path, events, (int)asked);
	free(path);
	return 0;
}
