/* soak - clients of a proxy that know what they must get: for t/e2e/soak.sh.
 *
 *	soak PROXY PORT N CONNECTIONS FOLDER
 *
 * N transactions over CONNECTIONS connections that are kept, of the kinds below, from an origin (t/origin) on PORT.  FOLDER/progress
 * holds how many are done, FOLDER/incidents gets the number of every block page that came.  At the end: "requests N good N wrong N
 * trouble N".
 *
 * Wrong is what may never be, whatever is killed, full or restarted: what is listed came whole, what is not listed was blocked, bytes
 * were others than the origin's, or an end that is none.  Trouble is an error that a user sees as one. */
#include <sys/mman.h>

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/slice.h"
#include "t/bytes.h"

enum { CONNECTIONS_MAX = 256, URL_MAX = 256, PAGE_MAX = 8192, TIMEOUT_S = 60, OK_STATUS = 200, REFUSED = 403, EXIT_USAGE = 2,
	SHOWN_MAX = 20, NUMBER = 19, GROUP = 5, PAUSE_US = 20000 };

enum wanted { WHOLE, PAGE, NEVER_WHOLE };

/* What is asked for; SEED 0 is another one each time.  The files that are listed are those of t/e2e/soak.sh. */
static const struct kind {
	const char	*name, *host, *more;
	uint64_t	 size, seed;
	enum wanted	 wanted;
	unsigned	 weight;
} kinds[] = {
	{ "a page", "good.firebreak.test", "type=text/html", 4096, 0, WHOLE, 8 },
	{ "a listed host", "www.bad-host.test", "", 100, 0, PAGE, 4 },
	{ "a listed file, held", "files.firebreak.test", "", 20000, 7, PAGE, 2 },
	{ "a listed file, cut", "files.firebreak.test", "", 200000, 9, NEVER_WHOLE, 1 },
	{ "a file of a listed size", "files.firebreak.test", "", 20000, 0, WHOLE, 4 },
	{ "a large file of a listed size", "files.firebreak.test", "", 200000, 0, WHOLE, 1 },
	{ "a file without a length", "files.firebreak.test", "chunked=1", 20000, 0, WHOLE, 2 },
	{ "a large file", "files.firebreak.test", "", 300000, 0, WHOLE, 1 },
};
enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

struct client {
	pthread_t		 thread;
	CURL			*curl;
	uint64_t		 good, wrong, trouble;
	/* of the transaction */
	const struct kind	*kind;
	uint64_t		 seed, n;
	bool			 same;
	char			 page[PAGE_MAX + 1];
};

static struct {
	const char	*proxy;
	unsigned	 port;
	uint64_t	 n;
	int		 incidents;
	_Atomic uint64_t *progress, next, shown;
} run;

static size_t
take(char *p, size_t size, size_t n, void *arg)
{
	struct client *c = arg;
	char piece[4096];

	n *= size;
	for (size_t at = 0; at < n; at += sizeof(piece)) {
		size_t len = n - at < sizeof(piece) ? n - at : sizeof(piece);

		bytes_fill(c->seed, c->n + at, piece, len);
		c->same = c->same && c->n + at + len <= c->kind->size && memcmp(piece, p + at, len) == 0;
	}
	if (c->n < PAGE_MAX)
		memcpy(c->page + c->n, p, n < PAGE_MAX - c->n ? n : PAGE_MAX - c->n);
	c->n += n;
	return n;
}

static bool
is_number(const char *p)
{
	for (int i = 0; i < NUMBER; i++)
		if (i % GROUP == GROUP - 1 ? p[i] != '-' : !ascii_is_digit(p[i]) && (p[i] < 'A' || p[i] > 'Z'))
			return false;
	return true;
}

/* The incident's number on the page, in FOLDER/incidents: false when there is none. */
static bool
note_incident(struct client *c)
{
	size_t len = c->n < PAGE_MAX ? (size_t)c->n : PAGE_MAX;

	for (size_t i = 0; i + NUMBER <= len; i++) {
		char line[NUMBER + 2];

		if (!is_number(c->page + i))
			continue;
		memcpy(line, c->page + i, NUMBER);
		line[NUMBER] = '\n';
		return write(run.incidents, line, NUMBER + 1) == NUMBER + 1;
	}
	return false;
}

/* What came of a transaction: NULL and *TROUBLE, or what was wrong. */
static const char *
judge(struct client *c, CURLcode code, long status, bool *trouble)
{
	bool whole = c->n == c->kind->size && c->same, page = status == REFUSED && code == CURLE_OK && note_incident(c);

	*trouble = false;
	if (c->kind->wanted != WHOLE && status == OK_STATUS && whole)
		return "came whole";
	if (page)
		return c->kind->wanted == WHOLE ? "was blocked" : NULL;
	if (status == OK_STATUS && !c->same)
		return "has other bytes";
	if (c->kind->wanted == NEVER_WHOLE && status == OK_STATUS)
		return code == CURLE_OK ? "has an end that is none" : NULL;
	if (c->kind->wanted == PAGE && status == OK_STATUS && c->n > 0)
		return "came in part";
	if (c->kind->wanted == WHOLE && status == OK_STATUS && code == CURLE_OK)
		return whole ? NULL : "has an end that is none";
	*trouble = true;
	return NULL;
}

static const struct kind *
draw(uint64_t random)
{
	unsigned sum = 0;

	for (int i = 0; i < KINDS; i++)
		sum += kinds[i].weight;
	random %= sum;
	for (int i = 0; i < KINDS; i++) {
		if (random < kinds[i].weight)
			return &kinds[i];
		random -= kinds[i].weight;
	}
	return kinds;
}

static void
transact(struct client *c, uint64_t number)
{
	char url[URL_MAX];
	const char *wrong;
	long status = 0;
	bool trouble;
	CURLcode code;

	c->kind = draw(bytes_mix(number));
	c->seed = c->kind->seed != 0 ? c->kind->seed : number + 1000;
	c->n = 0;
	c->same = true;
	snprintf(url, sizeof(url), "http://%s:%u/bytes?n=%" PRIu64 "&seed=%" PRIu64 "&%s", c->kind->host, run.port, c->kind->size,
	    c->seed, c->kind->more);
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	code = curl_easy_perform(c->curl);
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	wrong = judge(c, code, status, &trouble);
	c->good += wrong == NULL && !trouble;
	c->wrong += wrong != NULL;
	c->trouble += trouble;
	if (wrong != NULL && atomic_fetch_add(&run.shown, 1) < SHOWN_MAX)
		fprintf(stderr, "soak: %s %s: %s, status %ld, %" PRIu64 " bytes, %s\n", c->kind->name, wrong, url, status, c->n,
		    curl_easy_strerror(code));
	/* What cannot be reached is not hammered. */
	if (trouble)
		usleep(PAUSE_US);
}

static void *
work(void *arg)
{
	struct client *c = arg;
	uint64_t number;

	while ((number = atomic_fetch_add(&run.next, 1)) < run.n) {
		transact(c, number);
		atomic_fetch_add(run.progress, 1);
	}
	return NULL;
}

static int
prepare(struct client *c)
{
	if ((c->curl = curl_easy_init()) == NULL)
		return -1;
	curl_easy_setopt(c->curl, CURLOPT_PROXY, run.proxy);
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
	curl_easy_setopt(c->curl, CURLOPT_USERAGENT, "curl");
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
	return 0;
}

/* How many are done, where a script can read it: eight bytes. */
static int
open_files(const char *folder)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/progress", folder);
	if ((fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) == -1 || ftruncate(fd, sizeof(uint64_t)) == -1 ||
	    (run.progress = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED)
		return -1;
	close(fd);
	snprintf(path, sizeof(path), "%s/incidents", folder);
	return run.incidents = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
}

int
main(int argc, char **argv)
{
	static struct client clients[CONNECTIONS_MAX], sum;
	uint64_t port, n;

	if (argc != 6 || slice_u64(slice_str(argv[2]), &port) == -1 || port > UINT16_MAX || slice_u64(slice_str(argv[3]), &run.n) == -1 ||
	    slice_u64(slice_str(argv[4]), &n) == -1 || n == 0 || n > CONNECTIONS_MAX || open_files(argv[5]) == -1) {
		fputs("usage: soak PROXY PORT N CONNECTIONS FOLDER\n", stderr);
		return EXIT_USAGE;
	}
	run.proxy = argv[1];
	run.port = (unsigned)port;
	curl_global_init(CURL_GLOBAL_ALL);
	for (uint64_t i = 0; i < n; i++)
		if (prepare(&clients[i]) == -1 || pthread_create(&clients[i].thread, NULL, work, &clients[i]) != 0)
			return EXIT_USAGE;
	for (uint64_t i = 0; i < n; i++) {
		pthread_join(clients[i].thread, NULL);
		curl_easy_cleanup(clients[i].curl);
		sum.good += clients[i].good;
		sum.wrong += clients[i].wrong;
		sum.trouble += clients[i].trouble;
	}
	printf("requests %" PRIu64 " good %" PRIu64 " wrong %" PRIu64 " trouble %" PRIu64 "\n", run.n, sum.good, sum.wrong, sum.trouble);
	return sum.wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
