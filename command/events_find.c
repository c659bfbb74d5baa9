#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "command/events.h"
#include "command/show.h"
#include "command/verb.h"
#include "events/event.h"

enum { LINE_MAX_BYTES = 1 << 20 };

static int
parse_number(const struct call *c, const char *typed, char id[static INCIDENT_LEN + 1])
{
	switch (incident_parse(slice_str(typed), id)) {
	case INCIDENT_OK:
		return 0;
	case INCIDENT_LENGTH:
		call_fail(c, "mistyped: an incident number has %d letters and digits, such as"
		    " 1M83-ME10-C4HM-007J", INCIDENT_LEN);
		return -1;
	case INCIDENT_CHARACTER:
		call_fail(c, "mistyped: an incident number has letters and digits only, and no U; what is judged of a URL or host now, "
		    "\"firebreak check --steps\" says, and who met it, \"firebreak events\"");
		return -1;
	case INCIDENT_CHECK:
		call_fail(c, "mistyped: the last character does not fit the others; please compare");
		return -1;
	}
	return -1;
}

static int
not_there(const struct call *c, const char *path, bool partial)
{
	call_fail(c, "there is no such incident in %s%s", path, partial ? ", as far as it could be read" :
	    " and what rotation made of it; another proxy may have it, and what firebreak-selftest(1) asks for has none");
	return partial ? EXIT_TROUBLE : EXIT_FOUND;
}

static int
read_line(const struct call *c, struct slice line, struct events_found *found)
{
	char store[EVENT_NUMBER];
	json_error_t error;

	found->event = json_loadb(line.p, line.len, JSON_REJECT_DUPLICATES, &error);
	if (json_is_object(found->event) && incident_parse(event_text(found->event, "event.id", store), found->id) == INCIDENT_OK)
		return EXIT_FINE;
	return call_fail(c, "the event's line is damaged: %s", error.text);
}

/* FILE is there, and what rotation made of it is searched, too. */
static int
search(const struct call *c, const char *file, struct events_found *found)
{
	bool partial = true;
	struct buf line;
	int r, status;

	found->store = events_open(c, file, &partial);
	buf_init(&line, LINE_MAX_BYTES);
	/* Without any index, as on a full disk, the log itself can be asked. */
	r = found->store != NULL ? events_line(found->store, found->id, &line) : event_find(file, found->id, &line);
	if (r == 0)
		status = read_line(c, buf_slice(&line), found);
	else if (r == 1)
		status = not_there(c, file, partial);
	else
		status = found->store != NULL ? EXIT_TROUBLE : call_fail(c, "%s: %s", file, strerror(errno));
	buf_fini(&line);
	return status;
}

int
events_find_typed(const struct call *c, const char *typed, const char *file, struct events_found *found)
{
	char path[STATE_PATH];
	struct caller was;
	int status;

	*found = (struct events_found){ 0 };
	if (parse_number(c, typed, found->id) == -1 || call_path(c, STATE_EVENTS, path) == -1)
		return EXIT_TROUBLE;
	events_caller_begin(&was, file);
	if (file != NULL && faccessat(AT_FDCWD, file, F_OK, AT_EACCESS) == -1)
		status = call_fail(c, "%s: %s", file, strerror(errno));
	else
		status = search(c, file != NULL ? file : path, found);
	caller_end(&was);
	return status;
}

int
events_find(const struct call *c, const char *file, struct events_found *found)
{
	char *typed;
	int status;

	*found = (struct events_found){ 0 };
	if (c->argc == 0)
		return call_misused(c, "which incident? the number is on the block page");
	typed = events_typed(c);
	status = events_find_typed(c, typed, file, found);
	free(typed);
	return status;
}

void
events_found_fini(struct events_found *found)
{
	json_decref(found->event);
	eventstore_close(found->store);
}
