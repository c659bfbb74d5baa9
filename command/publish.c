#include "command/live.h"
#include "command/verb.h"
#include "ruleset/lint.h"

enum { FLAG_COMPACT, FLAG_DELTA, FLAG_DRY_RUN, FLAG_FORWARD, FLAG_FULL, FLAG_JSON, FLAG_LISTS, FLAG_SIGN, FLAG_SUFFIXES,
	FLAGS };

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "compact", "delta", "dry-run", "forward", "full", "json", "lists=", "sign=",
		"suffixes=" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct live_request rq;

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc > 0)
		return call_misused(c, "no operand is expected");
	if ((values[FLAG_COMPACT] != NULL) + (values[FLAG_DELTA] != NULL) + (values[FLAG_FULL] != NULL) > 1)
		return call_misused(c, "one of --compact, --delta and --full");
	if (values[FLAG_COMPACT] != NULL && values[FLAG_DRY_RUN] != NULL)
		return call_misused(c, "--compact has no --dry-run: it changes no rule");
	if (values[FLAG_SIGN] != NULL && values[FLAG_DRY_RUN] != NULL)
		return call_misused(c, "--sign has no --dry-run");
	if (call_need_state(c) == -1)
		return EXIT_TROUBLE;
	rq = live_request(c);
	rq.what = values[FLAG_COMPACT] != NULL ? LIVE_COMPACT : LIVE_PUBLISH;
	if (values[FLAG_LISTS] != NULL)
		rq.options.lists = values[FLAG_LISTS];
	rq.options.suffix_file = values[FLAG_SUFFIXES];
	rq.options.dry_run = values[FLAG_DRY_RUN] != NULL;
	rq.options.full = values[FLAG_FULL] != NULL;
	rq.options.forward = values[FLAG_FORWARD] != NULL;
	rq.sign = values[FLAG_SIGN];
	rq.json = values[FLAG_JSON] != NULL;
	return live_run(c, &rq);
}

const struct verb verb_publish = {
	.name = "publish",
	.run = run,
	.operands = "[--delta|--full|--compact] [--dry-run] [--forward] [--json] [--lists DIR] [--sign KEY] [--suffixes FILE]",
	.summary = "Check the sources and make them live in every worker.",
	.help =
	    "  --delta         read the sources that changed: the default\n"
	    "  --full          read all sources again, into one layer\n"
	    "  --compact       read no source: make the layers one\n"
	    "  --dry-run       check and count; write nothing\n"
	    "  --forward       also after a rollback\n"
	    "  --json          print an object\n"
	    "  --lists DIR     where the lists of top sites and shared hosts are; else " LINT_FOLDER "\n"
	    "  --sign KEY      sign it with the secret key in the file KEY; else as STATE/sign.conf says\n"
	    "  --suffixes FILE the public suffix list; else " PUBLIC_SUFFIX_FILE "\n",
};
