/* A helper that does not do what it should: for t/test_archive.c.  Its name says how, behind the last dash. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <unistd.h>

#include "inspect/archive_wire.h"

extern char **environ;

static struct wire_order order;

static void
say(struct wire_report report)
{
	if (send(WIRE_SOCKET, &report, sizeof(report), MSG_NOSIGNAL) == -1)
		_exit(1);
}

static void
hear(void)
{
	if (recv(WIRE_SOCKET, &order, sizeof(order), 0) != sizeof(order))
		_exit(1);
}

static struct wire_report
finding(void)
{
	return (struct wire_report){ .type = REPORT_FINDING, .size = 5, .depth = 1, .name_len = 1, .name = "x" };
}

/* What the worker promises: no environment, no descriptor too many, nothing blocked or ignored, a spool that cannot be written. */
static bool
is_clean(void)
{
	enum { FDS = 1024, FIRST_REAL_TIME = 32 };
	sigset_t blocked;

	if (environ[0] != NULL || sigprocmask(SIG_SETMASK, NULL, &blocked) == -1)
		return false;
	for (int fd = 0; fd < FDS; fd++)
		if ((fcntl(fd, F_GETFD) != -1) != (fd < WIRE_FDS))
			return false;
	/* Handlers are not inherited; a sanitizer has its own. */
	for (int i = 1; i < FIRST_REAL_TIME; i++) {
		struct sigaction act;

		if (i != SIGKILL && i != SIGSTOP && (sigismember(&blocked, i) != 0 || sigaction(i, NULL, &act) == -1 ||
		    act.sa_handler == SIG_IGN))
			return false;
	}
	return (fcntl(WIRE_SPOOL, F_GETFL) & O_ACCMODE) == O_RDONLY && pwrite(WIRE_SPOOL, "x", 1, 0) == -1 && errno == EBADF;
}

static void
flood(void)
{
	for (;;)
		say(finding());
}

static void
chatter(void)
{
	for (;;)
		say((struct wire_report){ .type = REPORT_UNSCANNABLE, .reason = UNSCANNABLE_DAMAGED });
}

static void
lie(const char *how)
{
	struct wire_report f = finding();

	if (strcmp(how, "type") == 0)
		f.type = 77;
	else if (strcmp(how, "depth0") == 0)
		f.depth = 0;
	else if (strcmp(how, "depth") == 0)
		f.depth = (uint32_t)order.limits.depth + 1;
	else if (strcmp(how, "size") == 0)
		f.size = UINT64_MAX;
	else if (strcmp(how, "name") == 0)
		f.name_len = FINDING_NAME_MAX + 1;
	else if (strcmp(how, "reason") == 0)
		f = (struct wire_report){ .type = REPORT_UNSCANNABLE, .reason = UNSCANNABLE_TIME };
	else if (strcmp(how, "reason0") == 0)
		f = (struct wire_report){ .type = REPORT_UNSCANNABLE, .reason = UNSCANNABLE_NO };
	else if (strcmp(how, "ahead") == 0)
		f = (struct wire_report){ .type = REPORT_NEED, .offset = order.available + 1 };
	else if (strcmp(how, "behind") == 0)
		f = (struct wire_report){ .type = REPORT_NEED, .offset = order.available - 1 };
	say(f);
}

int
main(void)
{
	const char *how = strrchr((const char *)(uintptr_t)getauxval(AT_EXECFN), '-') + 1;
	char packet[2 * sizeof(struct wire_report)] = { 0 };

	hear();
	if (strcmp(how, "dies") == 0)
		_exit(0);
	hear();
	if (strcmp(how, "killed") == 0)
		raise(SIGKILL);
	else if (strcmp(how, "clean") == 0)
		say((struct wire_report){ .type = REPORT_UNSCANNABLE, .reason = is_clean() ? UNSCANNABLE_CODING : UNSCANNABLE_DEPTH });
	else if (strcmp(how, "hangs") == 0)
		for (;;)
			pause();
	else if (strcmp(how, "floods") == 0)
		flood();
	else if (strcmp(how, "chatters") == 0)
		chatter();
	else if (strcmp(how, "short") == 0)
		send(WIRE_SOCKET, packet, 3, MSG_NOSIGNAL);
	else if (strcmp(how, "empty") == 0)
		send(WIRE_SOCKET, packet, 0, MSG_NOSIGNAL);
	else if (strcmp(how, "long") == 0)
		send(WIRE_SOCKET, packet, sizeof(packet), MSG_NOSIGNAL);
	else
		lie(how);
	say((struct wire_report){ .type = REPORT_DONE });
	pause();
	return 0;
}
