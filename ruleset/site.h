/* site.h - a site's policy: the options of policy.def as a struct. */
#ifndef RULESET_SITE_H
#define RULESET_SITE_H

#include "base/option.h"

struct site {
#define OPTION	OPTION_MEMBER
#include "ruleset/policy.def"
#undef OPTION
};

enum { FAIL_OPEN, FAIL_CLOSED };	/* fail_mode */

/* The rows of policy.def and how many they are. */
extern const struct option site_options[];
extern const size_t site_options_n;

#endif
