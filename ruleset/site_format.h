/* site_format.h - the layout of a site segment: names and values of policy.def, each ended by a NUL; and for
 * publish, which sources protect which hosts: lines "SOURCE HOST"; and, when the site has any, its pages (templates/page_set.h). */
#ifndef RULESET_SITE_FORMAT_H
#define RULESET_SITE_FORMAT_H

#include "base/segment.h"
#include "ruleset/site.h"

enum { SITE_VALUES = 1, SITE_PROTECTED = 2, SITE_PAGES = 3 };

/* Fill SITE from SEGMENT; the caller frees it by option_fini() in either case.  -1 with an error about FILE in DIAG. */
int site_read(const struct segment *segment, struct site *site, const char *file, struct diag *diag);

#endif
