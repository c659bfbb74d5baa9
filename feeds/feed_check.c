#include "feeds/feed_check.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/file.h"
#include "feeds/feed_check_wire.h"

enum { FD_MIN = 10, NOT_STARTED = 127, MS = 1000, BAD_PART = 10 };

union packet {
	uint32_t		type;
	struct check_bytes	bytes;
	struct check_done	done;
};

struct check {
	const struct feed_check_options	*options;
	struct feed_check_report	*report;
	int				 socket, out;
	EVP_MD_CTX			*sum;
};

static int
say(struct check *c, const char *why)
{
	feed_state_text(c->report->why, sizeof(c->report->why), slice_str(why));
	return -1;
}

/* The same of what no other file would change. */
static int
say_ours(struct check *c, const char *why)
{
	c->report->is_ours = true;
	return say(c, why);
}

/* ---- the helper's life ---- */

/* In the child: descriptors, and the program.  Only what is safe after a fork. */
static _Noreturn void
become_helper(const char *program, int socket, int raw, pid_t parent)
{
	char *argv[] = { (char *)(uintptr_t)"firebreak-feed-helper", NULL }, *envp[] = { NULL };
	int null = open("/dev/null", O_RDWR);

	/* Who has nobody to report to is of no use; it may have gone already. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent || null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(null, STDOUT_FILENO) == -1 || dup2(socket, CHECK_SOCKET) == -1 || dup2(raw, CHECK_RAW) == -1)
		_exit(NOT_STARTED);
	signal(SIGPIPE, SIG_DFL);
	execve(program, argv, envp);
	_exit(NOT_STARTED);
}

/* 0 with the process and C->socket; -1 with errno. */
static int
start(struct check *c, int raw, pid_t *pid)
{
	int pair[2], theirs, file;
	pid_t parent = getpid();

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	/* Above what the helper has, so that no dup2() takes what the next one needs. */
	theirs = fcntl(pair[1], F_DUPFD_CLOEXEC, FD_MIN);
	file = fcntl(raw, F_DUPFD_CLOEXEC, FD_MIN);
	close(pair[1]);
	c->socket = pair[0];
	*pid = theirs == -1 || file == -1 ? -1 : fork();
	if (*pid == 0)
		become_helper(c->options->helper, theirs, file, parent);
	if (theirs != -1)
		close(theirs);
	if (file != -1)
		close(file);
	return *pid == -1 ? -1 : 0;
}

static int
send_order(struct check *c)
{
	const struct feed_check_options *o = c->options;
	struct check_order order = { .unpacked = o->unpacked, .lines = o->lines, .cpu_ms = (uint64_t)o->timeout_s * MS, .gzip = o->gzip,
		.line = o->line, .col = o->col, .what = o->what, .settings_len = (uint32_t)o->settings.len };
	size_t len = offsetof(struct check_order, settings) + o->settings.len;

	if (o->settings.len > sizeof(order.settings))
		return errno = EMSGSIZE, -1;
	memcpy(order.settings, o->settings.p, o->settings.len);
	if (o->what == FEED_CHECK_EVENT)
		snprintf(order.uuid, sizeof(order.uuid), "%s", o->uuid);
	return send(c->socket, &order, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -1;
}

/* Wait for its end; what it died of when it did not say that it is done. */
static int
say_end(struct check *c, pid_t pid)
{
	char what[FEED_WHY];
	int status = 0;

	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_STARTED) {
		snprintf(what, sizeof(what), "it cannot be looked at: %s cannot be started", c->options->helper);
		return say_ours(c, what);
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		snprintf(what, sizeof(what), "took too long to be read");
	else
		snprintf(what, sizeof(what), "it cannot be looked at: the process that reads it ended, with %s %d",
		    WIFSIGNALED(status) ? "signal" : "status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return say(c, what);
}

/* ---- what it says ---- */

static int
take_bytes(struct check *c, struct slice bytes)
{
	c->report->bytes += bytes.len;
	if (c->report->bytes > c->options->unpacked)
		return say(c, "more comes out of it than may");
	if (EVP_DigestUpdate(c->sum, bytes.p, bytes.len) != 1)
		return say_ours(c, "its digest cannot be made");
	return file_write_all(c->out, bytes) == 0 ? 0 : say_ours(c, strerror(errno));
}

static int
take_done(struct check *c, struct check_done *done)
{
	unsigned len = 0;

	done->why[sizeof(done->why) - 1] = '\0';
	c->report->counts = done->counts;
	c->report->file.alg = DIGEST_SHA256;
	if (!done->is_list)
		return say(c, *done->why != '\0' ? done->why : "is no list");
	if (done->counts.entries == 0 && c->options->what != FEED_CHECK_EVENT)
		return say(c, "has no entry");
	if (c->options->what == FEED_CHECK_MANIFEST)
		say(c, done->why);
	return EVP_DigestFinal_ex(c->sum, c->report->file.b, &len) == 1 ? 0 : say_ours(c, "its digest cannot be made");
}

/* One packet: 1 to go on, 0 at the end, -1 with a reason; -2 when the helper is gone. */
static int
take_packet(struct check *c)
{
	union packet packet;
	ssize_t n = recv(c->socket, &packet, sizeof(packet), MSG_TRUNC);

	if (n == -1 && errno == EINTR)
		return 1;
	if (n <= 0)
		return -2;
	if (n >= (ssize_t)sizeof(packet.type) && n <= (ssize_t)sizeof(packet.bytes) && packet.type == CHECK_BYTES)
		return take_bytes(c, slice_make(packet.bytes.p, (size_t)n - offsetof(struct check_bytes, p))) == -1 ? -1 : 1;
	if (n == (ssize_t)sizeof(packet.done) && packet.type == CHECK_DONE)
		return take_done(c, &packet.done);
	return say(c, "it cannot be looked at: the process that reads it makes no sense");
}

static int
listen_to(struct check *c, pid_t pid)
{
	int64_t end = clock_boot_ms() + c->options->timeout_s * MS, left;
	struct pollfd fd = { .fd = c->socket, .events = POLLIN };
	int r = 1;

	while (r == 1) {
		left = end - clock_boot_ms();
		if (left <= 0 || poll(&fd, 1, (int)(left < INT32_MAX ? left : INT32_MAX)) == 0)
			return say(c, "took too long to be read");
		r = take_packet(c);
	}
	return r == -2 ? say_end(c, pid) : r;
}

bool
feed_check_is_mostly_good(const struct feed_counts *n)
{
	return n->bad <= n->entries || n->bad <= n->skipped / BAD_PART;
}

int
feed_check(const struct feed_check_options *options, int raw, int out, struct feed_check_report *report)
{
	struct check c = { .options = options, .report = report, .socket = -1, .out = out };
	pid_t pid = -1;
	int r;

	*report = (struct feed_check_report){ .bytes = 0 };
	c.sum = EVP_MD_CTX_new();
	if (c.sum == NULL || EVP_DigestInit_ex(c.sum, EVP_sha256(), NULL) != 1)
		r = say_ours(&c, "its digest cannot be made");
	else if (start(&c, raw, &pid) == -1)
		r = say_ours(&c, strerror(errno));
	else
		r = send_order(&c) == -1 ? say_end(&c, pid) : listen_to(&c, pid);
	if (c.socket != -1)
		close(c.socket);
	if (pid > 0) {
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
			continue;
	}
	EVP_MD_CTX_free(c.sum);
	return r;
}
