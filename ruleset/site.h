/* site.h - a site's policy: the options of policy.def as a struct. */
#ifndef RULESET_SITE_H
#define RULESET_SITE_H

#include "base/option.h"
#include "base/segment.h"
#include "url_rules/lookalike.h"

struct site {
#define OPTION	OPTION_MEMBER
#include "ruleset/policy.def"
#undef OPTION
};

enum { FAIL_OPEN, FAIL_CLOSED };	/* fail_mode */
enum { UNSCANNABLE_PASS, UNSCANNABLE_BLOCK };	/* unscannable */

/* The rows of policy.def and how many they are. */
extern const struct option site_options[];
extern const size_t site_options_n;

/* What SITE does about each class of lookalikes. */
void site_lookalike_levels(const struct site *site, struct lookalike_levels *out);

/* Write SITE as a segment to PATH, with PROTECTED, what the sources protect, as lines "SOURCE HOST", and PAGES
 * (templates/page_set.h). */
int site_write(const struct site *site, struct slice protected, struct slice pages, const char *path, uint64_t *len,
    uint8_t sha256[static SEGMENT_SHA256], struct diag *diag);

#endif
