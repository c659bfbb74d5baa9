#include "base/slice.h"
#include "command/live.h"
#include "command/verb.h"

enum { FLAG_JSON, FLAGS };

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "json" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct live_request rq;

	if (result != CALL_GO)
		return call_end(c, result);
	if (call_need_state(c) == -1)
		return EXIT_TROUBLE;
	rq = live_request(c);
	rq.what = LIVE_ROLLBACK;
	rq.json = values[FLAG_JSON] != NULL;
	if (c->argc > 1 || (c->argc == 1 && (slice_u64(slice_str(c->argv[0]), &rq.generation) == -1 || rq.generation == 0)))
		return call_misused(c, "one GENERATION, a number, or none for the one before");
	return live_run(c, &rq);
}

const struct verb verb_rollback = {
	.name = "rollback",
	.run = run,
	.operands = "[--json] [GENERATION]",
	.summary = "Make the rules of an earlier generation live again.",
	.help =
	    "  --json          print an object\n"
	    "  GENERATION      one that \"firebreak rules list\" shows; else the one before the live one\n\n"
	    "The sources are left as they are: \"firebreak publish --forward\" publishes them again.\n",
};
