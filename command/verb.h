/* verb.h - the verbs of firebreak(1): one file each, one function each.
 *
 * A verb reads its flags with call_flags(), prints what was asked for on standard output and everything
 * else on standard error, and answers the program's exit status.  It never calls exit(). */
#ifndef COMMAND_VERB_H
#define COMMAND_VERB_H

#include "command/call.h"

enum {
	EXIT_FINE,	/* done, or it passes */
	EXIT_FOUND,	/* something is blocked, found, damaged or only partly usable */
	EXIT_TROUBLE,	/* wrong usage, or it could not be done */
};

struct verb {
	const char	*name;
	int		(*run)(struct call *c);
	const char	*operands;	/* as the usage line shows them */
	const char	*summary;	/* one line for "firebreak --help" */
	const char	*help;		/* the flags, lines that end in a newline */
};

extern const struct verb verb_alerts, verb_allow, verb_approve, verb_block, verb_check, verb_console, verb_deny, verb_doctor,
    verb_events, verb_exception, verb_export, verb_held, verb_hunt, verb_import, verb_key, verb_kills, verb_lead,
    verb_lookalike, verb_metrics,
    verb_mode, verb_page, verb_pseudonyms, verb_publish, verb_pull, verb_rehearse, verb_report_mistake, verb_retain,
    verb_reveal, verb_rollback, verb_rules, verb_selftest, verb_setup, verb_ship, verb_status, verb_targets, verb_unblock,
    verb_undo, verb_update, verb_url, verb_why;

#endif
