#include "command/canaries.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "command/live.h"
#include "command/verb.h"
#include "ruleset/overview.h"

struct change {
	const char		*source;
	const struct slice	*text;	/* NULL: it goes */
};

static int
change_source(const struct call *c, void *arg)
{
	const struct change *change = arg;
	const struct slice *text = change->text;
	const char *source = change->source;
	struct live_request rq = live_request(c);
	char file[STATE_PATH], path[STATE_PATH];
	int lock, status = EXIT_TROUBLE;

	snprintf(file, sizeof(file), STATE_SOURCES "/%s.rules", source);
	if (call_path(c, file, path) == -1)
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

int
canaries_publish(const struct call *c, const char *source, struct slice text)
{
	struct change change = { source, &text };

	return call_as_owner(c, change_source, &change) == EXIT_TROUBLE ? -1 : 0;
}

int
canaries_remove(const struct call *c, const char *source)
{
	struct change change = { source, NULL };

	return call_as_owner(c, change_source, &change) == EXIT_TROUBLE ? -1 : 0;
}

/* The mode behind the other results; ENFORCE when it is not known. */
static int
look_at_mode(const struct call *c, void *unused)
{
	struct diag unwanted = { 0 };
	struct runtime *r;
	enum mode mode = MODE_ENFORCE;

	(void)unused;
	if ((r = overview_runtime(c->state, &unwanted)) != NULL)
		mode = runtime_mode(r, clock_ms(), NULL);
	runtime_close(r);
	return EXIT_TROUBLE + 1 + (int)mode;
}

enum mode
canaries_mode(const struct call *c)
{
	int status = call_as_owner(c, look_at_mode, NULL);

	return status <= EXIT_TROUBLE ? MODE_ENFORCE : (enum mode)(status - EXIT_TROUBLE - 1);
}
