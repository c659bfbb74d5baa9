#include "setup/run.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

enum { READ_SIZE = 16 * 1024, POLL_MS = 20, CHILDREN_MAX = 256, EXEC_FAILED = 127, SIGNALLED = 128 };

extern char **environ;

/* In the child: both outputs are OUT, the input is nothing, and signals are as they are for anybody: a daemon would keep what we
 * do with them. */
static void
set_outputs(int out)
{
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (null == -1 || dup2(null, STDIN_FILENO) == -1 || dup2(out == -1 ? null : out, STDOUT_FILENO) == -1 ||
	    dup2(out == -1 ? null : out, STDERR_FILENO) == -1)
		_exit(EXEC_FAILED);
	close_range(STDERR_FILENO + 1, ~0U, 0);
}

/* Read what FD has until it ends or the moment END comes.  False when the time was up. */
static bool
listen_to(int fd, int64_t end_ms, struct buf *said)
{
	char piece[READ_SIZE];

	for (;;) {
		int64_t left = end_ms - clock_boot_ms();
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (left <= 0)
			return false;
		if (poll(&p, 1, (int)(left < INT32_MAX ? left : INT32_MAX)) <= 0)
			continue;
		if ((n = read(fd, piece, sizeof(piece))) == 0 || (n == -1 && errno != EINTR))
			return true;
		if (n > 0 && said->max - said->len > (size_t)n)
			buf_add(said, piece, (size_t)n);
	}
}

int
run(const char *const *argv, int64_t timeout_ms, struct buf *said)
{
	int64_t end = clock_boot_ms() + timeout_ms;
	int fds[2], status, result;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return RUN_FAILED;
	if ((pid = fork()) == 0) {
		setpgid(0, 0);
		set_outputs(fds[1]);
		execv(argv[0], (char *const *)argv);
		_exit(EXEC_FAILED);
	}
	close(fds[1]);
	if (pid == -1) {
		close(fds[0]);
		return RUN_FAILED;
	}
	/* A daemon may keep the pipe open when the program itself has ended: that is waited for as well, and bounded. */
	result = listen_to(fds[0], end, said) && run_gone(pid, end - clock_boot_ms() + POLL_MS) ? 0 : RUN_TIMED_OUT;
	close(fds[0]);
	if (result == RUN_TIMED_OUT)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return result == 0 ? RUN_FAILED : result;
	if (result != 0)
		return result;
	return WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status);
}

pid_t
run_start(const char *program, char *const *argv, char *const *environment, const char *folder, const char *log)
{
	pid_t pid = fork();
	int out;

	if (pid != 0)
		return pid;
	setsid();
	out = log == NULL ? -1 : open(log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	set_outputs(out);
	if (chdir(folder) == 0)
		execve(program, argv, environment == NULL ? environ : environment);
	_exit(EXEC_FAILED);
}

/* PID is no process any more, or one that has ended and is not waited for yet, by us or by another. */
static bool
has_ended(pid_t pid)
{
	char path[64], state = '\0';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return kill(pid, 0) == -1 && errno == ESRCH;
	/* "PID (NAME) STATE": a name may have any character, and no program that is ended here has a ')'. */
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = '\0';
	fclose(f);
	return state == 'Z' || state == 'X';
}

bool
run_gone(pid_t pid, int64_t timeout_ms)
{
	int64_t end = clock_boot_ms() + timeout_ms;

	while (!has_ended(pid)) {
		if (clock_boot_ms() >= end)
			return false;
		clock_pause(POLL_MS);
	}
	return true;
}

/* The children of PID, as the kernel lists them. */
static size_t
children_of(pid_t pid, pid_t out[static CHILDREN_MAX])
{
	char path[64];
	size_t n = 0;
	FILE *f;
	int child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return 0;
	while (n < CHILDREN_MAX && fscanf(f, "%d", &child) == 1)
		out[n++] = child;
	fclose(f);
	return n;
}

void
run_end(pid_t pid, int64_t timeout_ms)
{
	pid_t children[CHILDREN_MAX];
	size_t n = children_of(pid, children);

	kill(pid, SIGTERM);
	if (!run_gone(pid, timeout_ms))
		kill(pid, SIGKILL);
	/* They hold the socket that the next one needs. */
	for (size_t i = 0; i < n; i++)
		if (!run_gone(children[i], timeout_ms / 4))
			kill(children[i], SIGKILL);
	run_gone(pid, timeout_ms);
	waitpid(pid, &(int){ 0 }, WNOHANG);
}
