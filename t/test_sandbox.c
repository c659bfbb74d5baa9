/* The helper's sandbox: what it must be able to do, and what must be refused or end it. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "inspect/helper/sandbox.h"
#include "t/tap.h"

enum { SOCKET = 3, SPOOL = 4, OTHER = 5, CPU_MS = 5000 };
enum { CAN = 0, CANNOT = 1, NO_SANDBOX = 2 };

static bool
does(long r)
{
	return r != -1;
}

static bool can_read_spool(void) { char c; return pread(SPOOL, &c, 1, 0) == 1 && c == 's'; }
static bool can_send(void) { return send(SOCKET, "x", 1, MSG_NOSIGNAL) == 1; }
static bool can_receive(void) { char c; return recv(SOCKET, &c, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN; }
static bool can_ask_the_time(void) { struct timespec t; return clock_gettime(CLOCK_MONOTONIC, &t) == 0; }
static bool
can_allocate(void)
{
	enum { MUCH = 50 << 20 };
	char *p = malloc(MUCH);

	if (p == NULL)
		return false;
	memset(p, 1, MUCH);
	p = realloc(p, 2 * MUCH);
	free(p);
	return p != NULL;
}

static bool try_open(void) { return does(open("/etc/passwd", O_RDONLY)); }
static bool try_create(void) { return does(open("/tmp/firebreak-sandbox", O_WRONLY | O_CREAT, 0600)); }
static bool try_stat(void) { struct stat st; return does(stat("/", &st)); }
static bool try_unlink(void) { return does(unlink("/tmp/firebreak-sandbox-none")) || errno == ENOENT; }
static bool try_socket(void) { return does(socket(AF_INET, SOCK_STREAM, 0)); }
static bool try_unix_socket(void) { return does(socket(AF_UNIX, SOCK_STREAM, 0)); }
static bool
try_exec(void)
{
	char *argv[] = { (char *)(uintptr_t)"true", NULL };

	return does(execve("/bin/true", argv, argv + 1));
}
static bool try_fork(void) { return does(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }
static bool try_kill(void) { return does(kill(getppid(), 0)); }
static bool try_ptrace(void) { return does(ptrace(PTRACE_TRACEME, 0, NULL, NULL)); }
static bool try_write(void) { return does(write(OTHER, "x", 1)); }
static bool try_write_spool(void) { return does(pwrite(SPOOL, "x", 1, 0)); }
static bool try_write_stdout(void) { return does(write(1, "# it could\n", 11)); }
static bool try_send_other(void) { return does(send(OTHER, "x", 1, MSG_NOSIGNAL)) || errno == ENOTSOCK; }
static bool try_read_other(void) { char c; return does(pread(OTHER, &c, 1, 0)); }
static bool try_read_socket(void) { char c; return does(read(SOCKET, &c, 1)) || errno == EAGAIN; }
static bool
try_connect(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return does(sendto(SOCKET, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to))) || errno == EISCONN;
}
static bool try_dup(void) { return does(dup(SOCKET)); }
static bool
try_exec_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}
static bool
try_make_exec(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED && does(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}
static bool try_map_file(void) { return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, SPOOL, 0) != MAP_FAILED; }
static bool try_io_uring(void) { return does(syscall(425, 1, NULL)) || errno == EFAULT || errno == EINVAL; }
static bool try_userns(void) { return does(syscall(SYS_unshare, 0x10000000)); }
static bool try_raise_limits(void) { return does(syscall(SYS_setrlimit, 7, &(uint64_t[2]){ 100, 100 })); }

static const struct {
	const char	*name;
	bool		(*attempt)(void);
	bool		 allowed;
} rows[] = {
	{ "read the spool", can_read_spool, true }, { "send", can_send, true }, { "receive", can_receive, true },
	{ "ask the time", can_ask_the_time, true }, { "allocate", can_allocate, true },
	{ "open a file", try_open, false }, { "create a file", try_create, false }, { "stat", try_stat, false },
	{ "unlink", try_unlink, false }, { "make a socket", try_socket, false }, { "make a unix socket", try_unix_socket, false },
	{ "execute a program", try_exec, false }, { "fork", try_fork, false }, { "signal the worker", try_kill, false },
	{ "ptrace", try_ptrace, false }, { "write to a file that was left open", try_write, false },
	{ "write to the spool", try_write_spool, false }, { "write to standard output", try_write_stdout, false },
	{ "send elsewhere", try_send_other, false }, { "read elsewhere", try_read_other, false },
	{ "read the socket as a file", try_read_socket, false }, { "send to an address", try_connect, false },
	{ "duplicate a descriptor", try_dup, false }, { "map executable memory", try_exec_memory, false },
	{ "make memory executable", try_make_exec, false }, { "map a file", try_map_file, false },
	{ "io_uring", try_io_uring, false }, { "a user namespace", try_userns, false },
	{ "raise a limit", try_raise_limits, false },
};

/* In a child: a spool, a socket and another file at their numbers, the sandbox, the attempt. */
static void
run_attempt(bool (*attempt)(void), const char *dir)
{
	char *path = file_join(dir, "spool");
	int pair[2], spool, other;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == -1 || (spool = open(path, O_RDWR | O_CREAT, 0600)) == -1 ||
	    pwrite(spool, "spool", 5, 0) != 5 || (other = open(path, O_RDWR)) == -1)
		_exit(NO_SANDBOX);
	spool = fcntl(spool, F_DUPFD, 20);
	other = fcntl(other, F_DUPFD, 20);
	pair[0] = fcntl(pair[0], F_DUPFD, 20);
	pair[1] = fcntl(pair[1], F_DUPFD, 20);
	dup2(pair[0], SOCKET);
	dup2(spool, SPOOL);
	dup2(other, OTHER);
	if (sandbox_enter(SOCKET, SPOOL, CPU_MS) == -1)
		_exit(NO_SANDBOX);
	_exit(attempt() ? CAN : CANNOT);
}

int
main(void)
{
	char *dir = temp_dir();

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int status;
		pid_t pid;

		fflush(stdout);
		if ((pid = fork()) == 0)
			run_attempt(rows[i].attempt, dir);
		waitpid(pid, &status, 0);
		if (rows[i].allowed)
			ok(WIFEXITED(status) && WEXITSTATUS(status) == CAN, "it can %s", rows[i].name);
		else
			ok((WIFEXITED(status) && WEXITSTATUS(status) == CANNOT) ||
			    (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS), "it cannot %s (%s)", rows[i].name,
			    WIFSIGNALED(status) ? "it is ended" : "refused");
	}
	free(dir);
	return tap_done();
}
