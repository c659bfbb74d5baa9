/* site_now.h - the options of a site as site.conf has them now, published or not. */
#ifndef COMMAND_SITE_NOW_H
#define COMMAND_SITE_NOW_H

#include "command/call.h"
#include "ruleset/site.h"

/* Read C's site.conf into OUT; without one all are the defaults.  False when the file cannot be read or is wrong, as publish will
 * say: OUT then has what was good.  option_fini(site_options, ...) is due in either case. */
bool site_now(const struct call *c, struct site *out);

#endif
