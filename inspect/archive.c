#include "inspect/archive.h"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "inspect/archive_wire.h"

enum {
	FD_MIN = 10,			/* ours are above the helper's, so that none is in the way of another */
	SPOOL_MODE = 0600,
	GIVE_BACK = 1 << 20,		/* bytes that are worth a call */
	MS_NS = 1000000,
	LOOKS_MAX = 16,			/* archive_look_now(): each costs as much as all that came before */
};

/* One process, and what it has said. */
struct helper {
	int			 socket;
	pid_t			 pid;		/* 0: there is none */
	int			 pidfd;		/* -1 where the system has none */
	uint64_t		 findings;
	enum unscannable	 reason;
};

static const struct helper no_helper = { .socket = -1, .pidfd = -1 };

struct archive {
	char			*program;
	unsigned		 algs;
	uint64_t		 until;
	struct inspect_limits	 limits;
	finding_fn		*found;
	void			*arg;
	int			 spool, spool_ro;
	struct helper		 helper;	/* the one that goes with the body */
	uint64_t		 size;		/* bytes put */
	uint64_t		 judged;
	uint64_t		 given_back;	/* bytes of the spool that are no more */
	uint64_t		 looked;	/* SIZE at the last look */
	unsigned		 looks;
	int64_t			 left_ns;	/* of the time that the helper may take */
	int64_t			 waited_ns;	/* for it, so far */
	enum unscannable	 reason;
	bool			 done;
};

/* ---- the helper's life ---- */

static void
close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

/* A process id may be another's by now, where somebody else reaps children or nobody needs to (SIGCHLD ignored): a pidfd may
 * not.  System calls, because older C libraries have no functions for them. */
#ifdef SYS_pidfd_open
static int
open_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int
kill_pidfd(int fd)
{
	return (int)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
}
#else
#define open_pidfd(pid)	(-1)
#define kill_pidfd(fd)	(-1)
#endif

static void
kill_helper(const struct helper *h)
{
	if (h->pidfd == -1 || (kill_pidfd(h->pidfd) == -1 && errno == ENOSYS))
		kill(h->pid, SIGKILL);
}

/* End H, if it lives. */
static void
end_helper(struct helper *h)
{
	if (h->pid > 0) {
		kill_helper(h);
		/* ECHILD: somebody else has reaped it, or SIGCHLD is ignored. */
		while (waitpid(h->pid, NULL, 0) == -1 && errno == EINTR)
			continue;
	}
	h->pid = 0;
	close_fd(&h->pidfd);
	close_fd(&h->socket);
}

/* Give back all but the results. */
static void
finish(struct archive *a)
{
	a->done = true;
	end_helper(&a->helper);
	close_fd(&a->spool);
	close_fd(&a->spool_ro);
}

/* The first counts. */
static void
note_reason(struct archive *a, enum unscannable reason)
{
	if (a->reason == UNSCANNABLE_NO)
		a->reason = reason;
}

static void
give_up(struct archive *a, enum unscannable reason)
{
	note_reason(a, reason);
	finish(a);
}

/* ---- making it ---- */

/* FD, or -1, as one at FD_MIN or above. */
static int
raise_fd(int fd)
{
	int raised;

	if (fd == -1 || fd >= FD_MIN)
		return fd;
	raised = fcntl(fd, F_DUPFD_CLOEXEC, FD_MIN);
	close(fd);
	return raised;
}

/* The spool by its name, which is then removed: where there is no O_TMPFILE, or no /proc to open it again. */
static int
open_named(struct archive *a, const char *dir)
{
	char *path = file_join(dir, "firebreak-spool-XXXXXX");

	if (path == NULL)
		return -1;
	if ((a->spool = mkostemp(path, O_CLOEXEC)) != -1) {
		a->spool_ro = open(path, O_RDONLY | O_CLOEXEC);
		unlink(path);
	}
	free(path);
	return a->spool_ro == -1 ? -1 : 0;
}

static int
open_unnamed(struct archive *a, const char *dir)
{
	char path[sizeof("/proc/self/fd/") + DIGITS_MAX] = "/proc/self/fd/";
	size_t len = strlen(path);

	if ((a->spool = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, SPOOL_MODE)) == -1)
		return -1;
	path[len + decimal((uint64_t)a->spool, path + len)] = '\0';
	if ((a->spool_ro = open(path, O_RDONLY | O_CLOEXEC)) != -1)
		return 0;
	close_fd(&a->spool);
	return -1;
}

static int
open_spool(struct archive *a, const char *dir)
{
	if (open_unnamed(a, dir) == -1 && open_named(a, dir) == -1)
		return -1;
	a->spool_ro = raise_fd(a->spool_ro);
	return a->spool_ro == -1 ? -1 : 0;
}

/* Whoever opens without O_CLOEXEC in this process would hand it on.  Where this is missing the helper closes all by itself. */
#if HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCLOSEFROM_NP
#define close_others(fds)	posix_spawn_file_actions_addclosefrom_np((fds), WIRE_FDS)
#else
#define close_others(fds)	0
#endif

/* What the helper finds when it begins: two descriptors, default signals, nothing else.  0 or an error number. */
static int
spawn_in(const struct archive *a, int socket, posix_spawn_file_actions_t *fds, posix_spawnattr_t *attr, pid_t *pid)
{
	char *argv[] = { (char *)(uintptr_t)"firebreak-inspect-helper", NULL }, *envp[] = { NULL };
	sigset_t none, all;
	int error = 0;

	sigemptyset(&none);
	sigfillset(&all);
	for (int fd = 0; error == 0 && fd < WIRE_SOCKET; fd++)
		error = posix_spawn_file_actions_addopen(fds, fd, "/dev/null", O_RDWR, 0);
	if (error != 0 || (error = posix_spawn_file_actions_adddup2(fds, socket, WIRE_SOCKET)) != 0 ||
	    (error = posix_spawn_file_actions_adddup2(fds, a->spool_ro, WIRE_SPOOL)) != 0 ||
	    (error = close_others(fds)) != 0 ||
	    (error = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)) != 0 ||
	    (error = posix_spawnattr_setsigmask(attr, &none)) != 0 || (error = posix_spawnattr_setsigdefault(attr, &all)) != 0)
		return error;
	return posix_spawn(pid, a->program, fds, attr, argv, envp);
}

static int
spawn(const struct archive *a, int socket, pid_t *pid)
{
	posix_spawn_file_actions_t fds;
	posix_spawnattr_t attr;
	int error;

	if ((error = posix_spawn_file_actions_init(&fds)) != 0)
		return error;
	if ((error = posix_spawnattr_init(&attr)) == 0) {
		error = spawn_in(a, socket, &fds, &attr, pid);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&fds);
	if (error != 0)
		*pid = 0;
	return error;
}

static bool
send_order(const struct archive *a, const struct helper *h, uint32_t type)
{
	struct wire_order order = { .type = type, .algs = a->algs, .until = a->until, .limits = a->limits, .available = a->size };

	/* One order is under way at a time: there is room for it. */
	return send(h->socket, &order, sizeof(order), MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof(order);
}

/* Start one for A's spool, with A's wish: 0 or an error number.  end_helper() in any case. */
static int
start_helper(const struct archive *a, struct helper *h)
{
	int pair[2], error;

	*h = no_helper;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return errno;
	h->socket = pair[0];
	if ((pair[1] = raise_fd(pair[1])) == -1)
		return errno;
	error = spawn(a, pair[1], &h->pid);
	close(pair[1]);
	if (error != 0)
		return error;
	h->pidfd = open_pidfd(h->pid);
	return send_order(a, h, ORDER_WISH) ? 0 : errno;
}

struct archive *
archive_new(const struct archive_wish *wish, finding_fn *found, void *arg, int *error)
{
	struct archive *a = calloc(1, sizeof(*a));
	int e = 0;

	if (a == NULL || (a->program = strdup(wish->helper)) == NULL) {
		free(a);
		return NULL;
	}
	a->algs = wish->algs;
	a->until = wish->until;
	a->limits = wish->limits;
	a->found = found;
	a->arg = arg;
	a->spool = a->spool_ro = -1;
	a->helper = no_helper;
	a->left_ns = wish->limits.time_ms < INT64_MAX / MS_NS ? (int64_t)wish->limits.time_ms * MS_NS : INT64_MAX;
	if (open_spool(a, wish->spool_dir) == -1) {
		e = errno;
		give_up(a, UNSCANNABLE_SPOOL);
	} else if ((e = start_helper(a, &a->helper)) != 0)
		give_up(a, UNSCANNABLE_HELPER);
	if (error != NULL)
		*error = e;
	return a;
}

void
archive_close(struct archive *a)
{
	if (a == NULL)
		return;
	finish(a);
	free(a->program);
	free(a);
}

/* ---- the spool ---- */

void
archive_put(struct archive *a, struct slice bytes)
{
	uint64_t at = a->size;

	a->size += bytes.len;
	while (!a->done && bytes.len > 0) {
		ssize_t n = pwrite(a->spool, bytes.p, bytes.len, (off_t)at);

		if (n > 0) {
			at += (uint64_t)n;
			bytes = slice_skip(bytes, (size_t)n);
		} else if (n == 0 || errno != EINTR)
			give_up(a, UNSCANNABLE_SPOOL);
	}
}

/* The helper has used all below JUDGED: when the spool is too long it is not needed again. */
static void
give_back(struct archive *a)
{
	uint64_t end = a->judged > WIRE_KEPT ? a->judged - WIRE_KEPT : 0, len = end > a->given_back ? end - a->given_back : 0;

	if (a->size <= a->limits.spool || len < GIVE_BACK)
		return;
	if (fallocate(a->spool, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)a->given_back, (off_t)len) == -1)
		give_up(a, UNSCANNABLE_SPOOL);
	a->given_back = end;
}

/* ---- what the helper says: nothing of it is believed ---- */

/* Have a report of H; why there will be none: it took too long, or the helper is gone. */
static enum unscannable
receive(struct archive *a, const struct helper *h, struct wire_report *report)
{
	struct pollfd pfd = { .fd = h->socket, .events = POLLIN };

	for (;;) {
		/* With MSG_TRUNC the length is that of the packet, also when it is too long. */
		ssize_t n = recv(h->socket, report, sizeof(*report), MSG_DONTWAIT | MSG_TRUNC);
		int64_t began, took;

		if (n == (ssize_t)sizeof(*report))
			return UNSCANNABLE_NO;
		if (n != -1 || (errno != EAGAIN && errno != EINTR))
			return UNSCANNABLE_HELPER;
		if (a->left_ns <= 0)
			return UNSCANNABLE_TIME;
		began = clock_ns();
		poll(&pfd, 1, (int)(a->left_ns / MS_NS < INT32_MAX ? a->left_ns / MS_NS + 1 : INT32_MAX));
		took = clock_ns() - began;
		a->left_ns -= took;
		a->waited_ns += took;
	}
}

static bool
take_finding(struct archive *a, struct helper *h, const struct wire_report *report)
{
	struct finding f = { .kind = FINDING_MEMBER, .size = report->size, .depth = report->depth,
		.name = slice_make(report->name, report->name_len) };

	if (report->size > a->until || report->size > a->limits.bytes || report->depth == 0 || report->depth > a->limits.depth ||
	    report->name_len > FINDING_NAME_MAX || a->algs == 0 || ++h->findings > a->limits.members)
		return false;
	for (int alg = 0; alg < DIGEST_ALGS; alg++)
		if ((a->algs & DIGEST_BIT(alg)) != 0) {
			struct digest *d = &f.digests[f.n++];

			*d = (struct digest){ .alg = (enum digest_alg)alg };
			memcpy(d->b, report->digests[alg], digest_len(d->alg));
		}
	if (!a->found(a->arg, &f))
		finish(a);
	return true;
}

/* The helper may say that it cannot look at something, for a reason that it can know of. */
static bool
take_reason(struct helper *h, const struct wire_report *report)
{
	switch (report->reason) {
	case UNSCANNABLE_CODING:
	case UNSCANNABLE_DAMAGED:
	case UNSCANNABLE_ENCRYPTED:
	case UNSCANNABLE_DEPTH:
	case UNSCANNABLE_MEMBERS:
	case UNSCANNABLE_RATIO:
	case UNSCANNABLE_BYTES:
	case UNSCANNABLE_SPOOL:
		break;
	default:
		return false;
	}
	/* Once: that is the first. */
	if (h->reason != UNSCANNABLE_NO)
		return false;
	h->reason = (enum unscannable)report->reason;
	return true;
}

/* Send H an order of TYPE, and take what comes until it *WAITS for the next one, is done, or found enough.  Why that failed. */
static enum unscannable
converse(struct archive *a, struct helper *h, uint32_t type, bool *waits)
{
	struct wire_report report;
	bool good = true;

	*waits = false;
	if (!send_order(a, h, type))
		return UNSCANNABLE_HELPER;
	while (good && !*waits && !a->done) {
		enum unscannable failure = receive(a, h, &report);

		if (failure != UNSCANNABLE_NO)
			return failure;
		switch (report.type) {
		case REPORT_FINDING:
			good = take_finding(a, h, &report);
			break;
		case REPORT_UNSCANNABLE:
			good = take_reason(h, &report);
			break;
		case REPORT_NEED:
			/* It pulls: it asks for more when it has used all that there is, and never behind the end. */
			good = *waits = type == ORDER_MORE && report.offset == a->size;
			break;
		case REPORT_DONE:
			return UNSCANNABLE_NO;
		default:
			good = false;
		}
	}
	return good ? UNSCANNABLE_NO : UNSCANNABLE_HELPER;
}

/* Send an order of TYPE to the helper that goes with the body. */
static void
order(struct archive *a, uint32_t type)
{
	bool waits;
	enum unscannable failure = converse(a, &a->helper, type, &waits);

	note_reason(a, a->helper.reason);
	if (failure != UNSCANNABLE_NO)
		give_up(a, failure);
	else if (waits) {
		a->judged = a->size;
		give_back(a);
	} else
		finish(a);
}

void
archive_step(struct archive *a)
{
	if (!a->done && a->size > a->judged)
		order(a, ORDER_MORE);
}

void
archive_look_now(struct archive *a)
{
	struct helper h;
	enum unscannable failure = UNSCANNABLE_HELPER;
	bool waits;

	if (a->done || a->size == a->looked || a->given_back > 0)
		return;
	a->looked = a->size;
	if (a->looks == LOOKS_MAX) {
		note_reason(a, UNSCANNABLE_MEMBERS);
		return;
	}
	a->looks++;
	/* What it could not look at may be whole later: its reason is for archive_end() to say. */
	if (start_helper(a, &h) == 0)
		failure = converse(a, &h, ORDER_ENDED, &waits);
	end_helper(&h);
	if (failure != UNSCANNABLE_NO)
		give_up(a, failure);
}

void
archive_end(struct archive *a)
{
	if (!a->done)
		order(a, ORDER_ENDED);
}

uint64_t
archive_judged(const struct archive *a)
{
	return a->done ? a->size : a->judged;
}

enum unscannable
archive_unscannable(const struct archive *a)
{
	return a->reason;
}

bool
archive_done(const struct archive *a)
{
	return a->done;
}

int64_t
archive_waited_ns(const struct archive *a)
{
	return a->waited_ns;
}
