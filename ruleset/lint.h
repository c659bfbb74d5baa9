/* lint.h - what a rule must never do, asked before it is published.  Pure. */
#ifndef RULESET_LINT_H
#define RULESET_LINT_H

#include "base/diag.h"
#include "ruleset/rule.h"
#include "url_rules/psl.h"

struct lint {
	const struct public_suffixes	*suffixes;	/* NULL: the public-suffix question is not asked, with one warning by publish */
	struct slice			 own_domains;	/* words of site.conf's OwnDomains */
	const struct slice		*protected;	/* canonical domains of protect rules */
	size_t				 n_protected;
};

/* Every finding about RULE goes to DIAG, at FILE:LINE.  An error means that it must not be published: a block rule that
 * covers a public suffix (".com", "*.co.uk"), a block rule that covers an own or protected domain or its subdomains, the
 * digest of the empty file.  -1 when there was one. */
int lint_rule(const struct lint *lint, const struct rule *rule, const struct rule_match *match, const char *file,
    unsigned line, struct diag *diag);

/* A block rule of SCOPE on HOST would refuse DOMAIN itself or a host under it that DOMAIN's owner uses. */
bool lint_covers(enum host_scope scope, struct slice host, struct slice domain);

#endif
