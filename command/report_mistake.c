#include <stdio.h>
#include <string.h>

#include "command/events.h"
#include "command/verb.h"
#include "eventstore/letter.h"

enum { FLAG_REASON, FLAG_EVENTS, FLAGS };
enum { LETTER_MAX = 16 << 20 };

static int
print_letter(const struct call *c, const struct events_found *found, const char *reason)
{
	struct letter l = { .state = c->state, .id = found->id, .event = found->event, .store = found->store,
		.reason = slice_str(reason) };
	struct diag diag = { 0 };
	struct buf out;
	int r, status = EXIT_TROUBLE;

	buf_init(&out, LETTER_MAX);
	r = letter_write(&l, &out, &diag);
	if (r == 1) {
		call_fail(c, "no rule decided this incident: there is nobody to write to");
		status = EXIT_FOUND;
	} else if (fwrite(out.p, 1, out.len, stdout) == out.len && r == 0)
		status = EXIT_FINE;
	diag_print(&diag, stderr);
	diag_fini(&diag);
	buf_fini(&out);
	return status;
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "reason=", "events=" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct events_found found;
	int status;

	if (result != CALL_GO)
		return call_end(c, result);
	if ((status = events_find(c, values[FLAG_EVENTS], &found)) == EXIT_FINE)
		status = print_letter(c, &found, values[FLAG_REASON]);
	events_found_fini(&found);
	return status;
}

const struct verb verb_report_mistake = {
	.name = "report-mistake",
	.run = run,
	.operands = "[--reason TEXT] [--events FILE] INCIDENT",
	.summary = "Write the letter to the source's maintainer about a rule that was wrong.",
	.help =
	    "  --reason TEXT why it is a mistake; it goes into the letter\n"
	    "  --events FILE the event log, with what rotation made of it; else events.jsonl in the\n"
	    "                state folder\n",
};
