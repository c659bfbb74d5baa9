#include "inspect/helper/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MEMORY_MAX	((rlim_t)640 << 20)
enum { CPU_MAX_S = 600, MS = 1000, STDERR = 2 };

/* Sanitizers map terabytes, look around at any time and write what they find to standard error. */
#ifdef FIREBREAK_SANITIZED
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

#ifdef SYS_close_range
#define close_range_from(keep)	syscall(SYS_close_range, (unsigned)(keep), ~0U, 0)
#else
#define close_range_from(keep)	(-1)
#endif

void
sandbox_close_from(int keep)
{
	long max = sysconf(_SC_OPEN_MAX);

	if (close_range_from(keep) == 0)
		return;
	for (long fd = keep; fd < max; fd++)
		close((int)fd);
}

static int
set_limit(int what, rlim_t max)
{
	struct rlimit limit = { max, max };

	return setrlimit((__rlimit_resource_t)what, &limit);
}

static int
set_limits(int files, uint64_t cpu_ms)
{
	struct rusage used;
	uint64_t s = cpu_ms / MS + 1;

	if (s > CPU_MAX_S)
		s = CPU_MAX_S;
	if (getrusage(RUSAGE_SELF, &used) == 0)
		s += (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + 1;
	if (!SANITIZED && set_limit(RLIMIT_AS, MEMORY_MAX) == -1)
		return -1;
	/* poll(2) compares with RLIMIT_NOFILE as well: it stays above what is open, and all those numbers are taken. */
	if (set_limit(RLIMIT_NOFILE, (rlim_t)files) == -1 || set_limit(RLIMIT_CPU, s) == -1 || set_limit(RLIMIT_CORE, 0) == -1)
		return -1;
	return SANITIZED ? 0 : set_limit(RLIMIT_FSIZE, 0);
}

/* What needs no look at its arguments: memory that is freed or moved, time, waiting, ending. */
static const int allowed[] = {
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(exit), SCMP_SYS(exit_group),
	SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(restart_syscall), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(sched_yield), SCMP_SYS(sysinfo),
};

/* Libraries look for locales, character sets and the machine's size, and do without. */
static const int refused[] = {
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
	SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(getcwd), SCMP_SYS(ioctl), SCMP_SYS(sched_getaffinity), SCMP_SYS(prlimit64),
};

/* Only what these say about arguments: the two descriptors, and no memory that can be executed. */
static int
add_narrow(scmp_filter_ctx filter, int socket, int spool)
{
	const struct scmp_arg_cmp not_exec = SCMP_CMP(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	const struct scmp_arg_cmp from_spool = SCMP_CMP(0, SCMP_CMP_EQ, (scmp_datum_t)spool, 0);
	const struct scmp_arg_cmp from_socket = SCMP_CMP(0, SCMP_CMP_EQ, (scmp_datum_t)socket, 0);
	const struct scmp_arg_cmp no_address = SCMP_CMP(4, SCMP_CMP_EQ, 0, 0);
	const struct scmp_arg_cmp no_file = SCMP_CMP(4, SCMP_CMP_MASKED_EQ, UINT32_MAX, UINT32_MAX);
	int failed = 0;

	failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, not_exec, no_file);
	failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, not_exec);
	failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(pread64), 1, from_spool);
	failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(recvfrom), 1, from_socket);
	failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 2, from_socket, no_address);
	return failed == 0 ? 0 : -1;
}

/* Sanitizers also ask for their stack, their maps, and say what they found. */
static int
add_sanitizers(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, SCMP_CMP(0, SCMP_CMP_EQ, STDERR, 0)) != 0 ||
	    seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sigaltstack), 0) != 0 ||
	    seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(rt_sigaction), 0) != 0 ||
	    seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 0) != 0 ? -1 : 0;
}

static int
fill_filter(scmp_filter_ctx filter, int socket, int spool)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++)
		if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0) != 0)
			return -1;
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		if (!(SANITIZED && refused[i] == SCMP_SYS(prlimit64)) &&
		    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), refused[i], 0) != 0)
			return -1;
	if (SANITIZED && add_sanitizers(filter) == -1)
		return -1;
	return add_narrow(filter, socket, spool);
}

static int
load_filter(int socket, int spool)
{
	scmp_filter_ctx filter = seccomp_init(SANITIZED ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_PROCESS);
	int r = -1;

	if (filter == NULL)
		return -1;
	if (fill_filter(filter, socket, spool) == 0 && seccomp_load(filter) == 0)
		r = 0;
	seccomp_release(filter);
	return r;
}

int
sandbox_enter(int socket, int spool, uint64_t cpu_ms)
{
	int files = (socket > spool ? socket : spool) + 1;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return -1;
	if (set_limits(files, cpu_ms) == -1)
		return -1;
	return load_filter(socket, spool);
}
