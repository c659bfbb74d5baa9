/* site_file.h - a site's policy as its site.conf has it now, published or not. */
#ifndef RULESET_SITE_FILE_H
#define RULESET_SITE_FILE_H

#include "base/diag.h"
#include "ruleset/site.h"

/* Read site.conf of the folder STATE into OUT; without one all options are the defaults.  -1 with errors in DIAG when it cannot be
 * read or a line is wrong: OUT then has what was good, and without memory texts that are NULL.  option_fini(site_options, ...) is
 * due in either case. */
int site_load(const char *state, struct site *out, struct diag *diag);

#endif
