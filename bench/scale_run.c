/* scale_run - runs commands and says what they took, for bench/scale.
 *
 *	scale_run time FILE CMD ...		CMD, its output into FILE: "run wall_ms N most_kb N"
 *	scale_run block PORT N FILE CMD ...	CMD with "block b1.blocked.test", b2 ... behind it, N times; meanwhile the ICAP
 *						service on PORT is asked for that host on new connections, one after the other, until
 *						16 of them were refused: "block N n median n p99 n slowest n" in ms, from CMD's start on
 *
 * Exit status: that of CMD; of block 1 when CMD failed or a request was not refused. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/slice.h"

enum { USAGE = 2, MS_PER_S = 1000, NS_PER_MS = 1000000, CONNECTIONS = 16, ANSWER = 16384, ARGS_MAX = 64, HOST_TEXT = 64,
	NOT_FOUND = 127, TIMEOUT_S = 10, PAUSE_MS = 2, WAIT_MS = 5000 };

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * MS_PER_S + (uint64_t)t.tv_nsec / NS_PER_MS;
}

/* Start ARGS, what it prints into FILE. */
static pid_t
start(const char *file, char *const *args)
{
	pid_t pid = fork();

	if (pid == 0) {
		int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

		if (fd != -1) {
			dup2(fd, STDOUT_FILENO);
			dup2(fd, STDERR_FILENO);
		}
		execvp(args[0], args);
		_exit(NOT_FOUND);
	}
	return pid;
}

/* The exit status of PID. */
static int
end(pid_t pid, struct rusage *usage)
{
	int status = 0;

	if (pid == -1 || wait4(pid, &status, 0, usage) == -1)
		return EXIT_FAILURE;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

static int
time_command(const char *file, char *const *args)
{
	struct rusage usage;
	uint64_t from = now_ms();
	int status = end(start(file, args), &usage);

	printf("run wall_ms %" PRIu64 " most_kb %ld\n", now_ms() - from, usage.ru_maxrss);
	return status;
}

static int
connect_to(unsigned port)
{
	const struct timeval limit = { .tv_sec = TIMEOUT_S };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* A request for HOST is answered with a refusal. */
static bool
is_refused(unsigned port, const char *host)
{
	static const char no_content[] = "ICAP/1.0 204";
	char http[2 * HOST_TEXT + 64], request[2 * sizeof(http) + 256], answer[ANSWER];
	int head = snprintf(http, sizeof(http), "GET http://%s/ HTTP/1.1\r\nHost: %s\r\n\r\n", host, host);
	int len = snprintf(request, sizeof(request), "REQMOD icap://127.0.0.1/firebreak ICAP/1.0\r\nHost: 127.0.0.1\r\n"
	    "Allow: 204\r\nEncapsulated: req-hdr=0, null-body=%d\r\n\r\n%s", head, http);
	int fd = connect_to(port);
	size_t got = 0;
	ssize_t n;

	if (fd == -1)
		return false;
	answer[0] = '\0';
	if (send(fd, request, (size_t)len, MSG_NOSIGNAL) == len)
		while (got < sizeof(answer) - 1 && strstr(answer, "HTTP/1.1 403") == NULL && strncmp(answer, no_content, strlen(no_content)) != 0 &&
		    (n = recv(fd, answer + got, sizeof(answer) - 1 - got, 0)) > 0)
			answer[got += (size_t)n] = '\0';
	close(fd);
	return strstr(answer, "ICAP/1.0 200") == answer && strstr(answer, "HTTP/1.1 403") != NULL;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

/* Block the host of number I and see it refused; how long that took, or -1. */
static int64_t
block_one(unsigned port, const char *file, char **args, int n_args, uint64_t i)
{
	char host[HOST_TEXT];
	struct rusage usage;
	uint64_t from = now_ms();
	int64_t took;
	pid_t pid;

	snprintf(host, sizeof(host), "b%" PRIu64 ".blocked.test", i);
	args[n_args] = host;
	args[n_args + 1] = NULL;
	pid = start(file, args);
	for (int k = 0; k < CONNECTIONS; k++)
		while (!is_refused(port, host)) {
			nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * NS_PER_MS }, NULL);
			if (now_ms() - from > WAIT_MS) {
				fprintf(stderr, "scale_run: %s is not refused\n", host);
				end(pid, &usage);
				return -1;
			}
		}
	took = (int64_t)(now_ms() - from);
	if (end(pid, &usage) == EXIT_SUCCESS)
		return took;
	fprintf(stderr, "scale_run: %s: the command failed; see %s\n", host, file);
	return -1;
}

static int
block(unsigned port, uint64_t n, const char *file, char **given, int n_given)
{
	uint64_t *took = calloc(n, sizeof(*took));
	char *args[ARGS_MAX + 3];
	int status = EXIT_SUCCESS;

	if (took == NULL || n_given > ARGS_MAX)
		return USAGE;
	memcpy(args, given, (size_t)n_given * sizeof(*args));
	for (uint64_t i = 0; i < n; i++) {
		int64_t one = block_one(port, file, args, n_given, i + 1);

		if (one == -1)
			status = EXIT_FAILURE;
		took[i] = one == -1 ? UINT64_MAX : (uint64_t)one;
	}
	qsort(took, n, sizeof(*took), compare);
	printf("block N %" PRIu64 " median %" PRIu64 " p99 %" PRIu64 " slowest %" PRIu64 "\n", n, took[n / 2], took[n * 99 / 100], took[n - 1]);
	free(took);
	return status;
}

int
main(int argc, char **argv)
{
	uint64_t port, n;

	if (argc >= 4 && strcmp(argv[1], "time") == 0)
		return time_command(argv[2], argv + 3);
	if (argc >= 6 && strcmp(argv[1], "block") == 0 && slice_u64(slice_str(argv[2]), &port) == 0 &&
	    slice_u64(slice_str(argv[3]), &n) == 0 && n > 0)
		return block((unsigned)port, n, argv[4], argv + 5, argc - 5);
	fprintf(stderr, "usage: scale_run time FILE CMD ..., or block PORT N FILE CMD ...\n");
	return USAGE;
}
