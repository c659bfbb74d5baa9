#include "ruleset/lint.h"

/* The digests of no bytes at all: every empty answer would match. */
static const char *const empty_digests[DIGEST_ALGS] = {
	[DIGEST_MD5] = "d41d8cd98f00b204e9800998ecf8427e",
	[DIGEST_SHA1] = "da39a3ee5e6b4b0d3255bfef95601890afd80709",
	[DIGEST_SHA256] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
};

bool
lint_covers(enum host_scope scope, struct slice host, struct slice domain)
{
	return host_under(host, domain) || (scope != SCOPE_EXACT && host_under(domain, host));
}

/* Where a finding is. */
struct place {
	const char	*file;
	unsigned	 line;
	struct diag	*diag;
};

static int
check_file(const struct rule_match *match, const struct place *at)
{
	struct digest empty;

	if (digest_parse(match->digest.alg, slice_str(empty_digests[match->digest.alg]), &empty) == -1 ||
	    !digest_eq(&empty, &match->digest))
		return 0;
	diag_add(at->diag, DIAG_ERROR, at->file, at->line, 0, "the digest is that of the empty file: every empty answer "
	    "would match; remove the rule");
	return -1;
}

static int
check_suffix(const struct lint *lint, const struct rule_match *match, const struct place *at)
{
	struct slice host = slice_make(match->host, match->host_len);

	if (lint->suffixes == NULL || match->scope == SCOPE_EXACT || !is_public_suffix(lint->suffixes, host))
		return 0;
	diag_add(at->diag, DIAG_ERROR, at->file, at->line, 0, "the rule covers the public suffix %.*s, under which strangers "
	    "have their domains; name the domain that is meant", SLICE_ARGS(host));
	return -1;
}

static int
check_domain(const struct rule_match *match, struct slice domain, const char *whose, const struct place *at)
{
	if (!lint_covers(match->scope, slice_make(match->host, match->host_len), domain))
		return 0;
	diag_add(at->diag, DIAG_ERROR, at->file, at->line, 0, "the rule covers the %s domain %.*s; remove one of them", whose,
	    SLICE_ARGS(domain));
	return -1;
}

/* A URL rule for a page on an own domain is meant; one for all of it is not. */
static int
check_domains(const struct lint *lint, const struct rule *rule, const struct rule_match *match, const struct place *at)
{
	struct slice rest = lint->own_domains, word;
	char host[HOST_MAX + 1];
	size_t len;
	int result = 0;

	if (rule->kind == RULE_URL && strcmp(match->path, "/") != 0)
		return 0;
	while (rest.len > 0) {
		slice_cut(rest, ' ', &word, &rest);
		if (host_canonical(word, host, &len, NULL) == URL_OK &&
		    check_domain(match, slice_make(host, len), "site's own", at) == -1)
			result = -1;
	}
	for (size_t i = 0; i < lint->n_protected; i++)
		if (check_domain(match, lint->protected[i], "protected", at) == -1)
			result = -1;
	return result;
}

int
lint_rule(const struct lint *lint, const struct rule *rule, const struct rule_match *match, const char *file,
    unsigned line, struct diag *diag)
{
	struct place at = { file, line, diag };
	int suffix, domains;

	if (rule->action != RULE_BLOCK)
		return 0;
	if (rule->kind == RULE_FILE)
		return check_file(match, &at);
	suffix = check_suffix(lint, match, &at);
	domains = check_domains(lint, rule, match, &at);
	return suffix == -1 || domains == -1 ? -1 : 0;
}
