/* alerts.h - what the words of "firebreak alerts" share. */
#ifndef COMMAND_ALERTS_H
#define COMMAND_ALERTS_H

#include "alerts/alert_store.h"
#include "base/clock.h"
#include "command/call.h"

/* SECONDS as a date, "never" for 0. */
const char *alerts_date(int64_t seconds, char out[static CLOCK_TEXT]);

struct alerts_flags {
	bool		 json;
	int		 level;		/* of rules that an import would make */
	const char	*suffixes;	/* a file, or NULL */
	const char	*reason;	/* or NULL */
};

/* command/alerts_diff.c and command/alerts_withdraw.c: the exit status. */
int alerts_diff(const struct call *c, const struct alerts_flags *flags, const char *id, const char *file);
int alerts_withdraw(const struct call *c, const struct alerts_flags *flags, const char *id);

#endif
