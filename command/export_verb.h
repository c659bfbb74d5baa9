/* export_verb.h - the exports that are not of rules: for command/export.c alone. */
#ifndef COMMAND_EXPORT_VERB_H
#define COMMAND_EXPORT_VERB_H

#include "command/call.h"
#include "command/output.h"

/* The lure texts of the alerts that are live, as SpamAssassin's rules, into OUT; what is left out is said.  An exit status. */
int export_lures(const struct call *c, struct output *out);

/* What fired since SINCE_MS (0: ever), as an event of MISP, into OUT.  An exit status. */
int export_sightings(const struct call *c, int64_t since_ms, struct output *out);

#endif
