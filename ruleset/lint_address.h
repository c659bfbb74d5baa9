/* lint_address.h - addresses that are no server's on the Internet: private, local, reserved.  For lint.c only.  Pure.
 *
 * The ranges are those of IANA's special-purpose registries (RFC 6890), and multicast. */
#ifndef RULESET_LINT_ADDRESS_H
#define RULESET_LINT_ADDRESS_H

#include "url_rules/url.h"

/* What HOST, a canonical host of KIND, is ("a private address (RFC 1918)"), a string that lasts; NULL when it is a name or an
 * ordinary address. */
const char *lint_address(struct slice host, enum host_kind kind);

#endif
