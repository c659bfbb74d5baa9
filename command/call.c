#include "command/call.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command/show.h"
#include "command/verb.h"
#include "runtime/pseudonym_keys.h"

enum { MESSAGE_MAX = 4096 };

static void
say(const struct call *c, const char *text)
{
	const char *verb = c->verb == NULL ? NULL : c->verb->name;

	fprintf(stderr, "firebreak%s%s: ", verb == NULL ? "" : " ", verb == NULL ? "" : verb);
	show_text(stderr, slice_str(text));
	fputc('\n', stderr);
}

int
call_fail(const struct call *c, const char *fmt, ...)
{
	char text[MESSAGE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say(c, text);
	return EXIT_TROUBLE;
}

int
call_misused(const struct call *c, const char *why)
{
	return call_fail(c, "%s; see \"firebreak %s --help\"", why, c->verb->name);
}

int
call_end(const struct call *c, enum call_result result)
{
	if (result == CALL_USAGE)
		return EXIT_TROUBLE;
	printf("usage: firebreak %s [--state DIR]%s%s\n%s\n", c->verb->name, *c->verb->operands == '\0' ? "" : " ", c->verb->operands,
	    c->verb->summary);
	if (*c->verb->help != '\0')
		printf("\n%s", c->verb->help);
	return EXIT_FINE;
}

int
call_path(const struct call *c, const char *what, char out[static STATE_PATH])
{
	if (state_path(c->state, what, out) == 0)
		return 0;
	call_fail(c, "%s/%s: %s", c->state, what, strerror(errno));
	return -1;
}

int
call_need_state(const struct call *c)
{
	struct stat st;

	if (stat(c->state, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	call_fail(c, "the state folder %s is not there; name another with --state DIR or $FIREBREAK_STATE",
	    c->state);
	return -1;
}

struct pseudonyms *
call_pseudonyms(const struct call *c)
{
	struct diag diag = { 0 };
	bool absent;
	struct pseudonyms *p = pseudonym_keys_load(c->state, &absent, &diag);

	diag_fini(&diag);
	return p;
}

int
call_become_owner_of(const struct call *c, const char *folder)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (stat(folder, &st) == 0 && (st.st_uid == 0 || (setgroups(0, NULL) == 0 && setresgid(st.st_gid, st.st_gid, st.st_gid) == 0 &&
	    setresuid((uid_t)-1, st.st_uid, st.st_uid) == 0)))
		return 0;
	call_fail(c, "%s: %s", folder, strerror(errno));
	return -1;
}

int
call_become_owner(const struct call *c)
{
	return call_become_owner_of(c, c->state);
}

int
call_as_owner(const struct call *c, int (*work)(const struct call *c, void *arg), void *arg)
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		return work(c, arg);
	fflush(stdout);
	fflush(stderr);
	if ((pid = fork()) == 0) {
		status = call_become_owner(c) == -1 ? EXIT_TROUBLE : work(c, arg);
		fflush(stdout);
		fflush(stderr);
		_exit(status);
	}
	if (pid == -1)
		return call_fail(c, "%s", strerror(errno));
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return EXIT_TROUBLE;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_TROUBLE;
}
