/* worker - a stand-in for a worker process, for t/test_command.sh: "worker STATE stale|live|kill".
 *
 * With "kill" remembers three kills of two digests and ends.  Else takes a slot, prints "ready", and either never takes a generation up or does it at once.  Ends when its standard
 * input does. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "runtime/runtime.h"

enum { POLL_MS = 10, USAGE = 2 };

/* A chunked kill that is known by its URL, and one of a known length that is known by both. */
static void
remember_kills(struct runtime *r)
{
	struct kill kill = { .by = KILL_BY_URL, .length = KILL_LENGTH_UNKNOWN, .size = 90112,
		.digest = { .alg = DIGEST_MD5, .b = { 0xab } }, .time_ms = clock_ms() };

	runtime_remember_kill(r, 1, &kill);
	kill.digest = (struct digest){ .alg = DIGEST_SHA1, .b = { 0xcd } };
	kill.length = 5000;
	runtime_remember_kill(r, 2, &kill);
	kill.by = KILL_BY_ETAG;
	runtime_remember_kill(r, 3, &kill);
}

int
main(int argc, char **argv)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	struct diag diag = { 0 };
	struct runtime *r;
	bool live;
	int slot;

	if (argc != 3)
		return USAGE;
	live = strcmp(argv[2], "live") == 0;
	r = runtime_open(argv[1], &diag);
	diag_print(&diag, stderr);
	diag_fini(&diag);
	if (r != NULL && strcmp(argv[2], "kill") == 0) {
		remember_kills(r);
		runtime_close(r);
		return 0;
	}
	if (r == NULL || (slot = runtime_worker_join(r, getpid(), clock_ms())) == -1)
		return 1;
	puts("ready");
	fflush(stdout);
	while (poll(&in, 1, POLL_MS) == 0)
		runtime_worker_report(r, slot, live ? runtime_generation(r) : 0, clock_ms());
	runtime_worker_leave(r, slot, getpid());
	runtime_close(r);
	return 0;
}
