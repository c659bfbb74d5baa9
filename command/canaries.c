#include "command/canaries.h"

#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "command/live.h"
#include "command/verb.h"

/* In a process of its own: what it becomes, it stays. */
static int
change_source(const struct call *c, const char *source, const struct slice *text)
{
	struct live_request rq = live_request(c);
	char file[STATE_PATH], path[STATE_PATH];
	int lock, status = EXIT_TROUBLE;

	snprintf(file, sizeof(file), STATE_SOURCES "/%s.rules", source);
	if (call_become_owner(c) == -1 || call_path(c, file, path) == -1)
		return EXIT_TROUBLE;
	if (text == NULL && access(path, F_OK) == -1 && errno == ENOENT)
		return EXIT_FINE;
	if (state_make(c->state) == -1 || (lock = state_lock(c->state)) == -1)
		return call_fail(c, "%s: %s", c->state, strerror(errno));
	rq.options.only = source;
	rq.options.locked = true;
	rq.options.shrinks = true;
	rq.quiet = true;
	if ((text != NULL ? file_write(path, *text, 0664) : unlink(path)) == -1)
		call_fail(c, "%s: %s", path, strerror(errno));
	else
		status = live_run(c, &rq);
	if (text != NULL && status == EXIT_TROUBLE)
		unlink(path);
	close(lock);
	return status;
}

static int
in_child(const struct call *c, const char *source, const struct slice *text)
{
	int status;
	pid_t pid;

	fflush(stdout);
	fflush(stderr);
	if ((pid = fork()) == 0) {
		status = change_source(c, source, text);
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

int
canaries_publish(const struct call *c, const char *source, struct slice text)
{
	return in_child(c, source, &text) == EXIT_TROUBLE ? -1 : 0;
}

int
canaries_remove(const struct call *c, const char *source)
{
	return in_child(c, source, NULL) == EXIT_TROUBLE ? -1 : 0;
}
