/* same_match.h - is what a rule matches canonical? */
#ifndef T_FUZZ_SAME_MATCH_H
#define T_FUZZ_SAME_MATCH_H

#include "ruleset/rule.h"

enum { VALUE_MAX = 1 << 20, VALUE_READ_MAX = 65536 };

static bool
is_same_match(enum rule_kind kind, const struct rule_match *a, const struct rule_match *b)
{
	if (kind == RULE_FILE)
		return a->size == b->size && (a->path == NULL ? b->path == NULL && digest_eq(&a->digest, &b->digest) :
		    slice_eq(slice_str(a->path), slice_str(b->path)));
	if (kind == RULE_ADDRESS)
		return network_cmp(&a->network, &b->network) == 0;
	if ((kind == RULE_URL || kind == RULE_PATH) && !slice_eq(slice_str(a->path), slice_str(b->path)))
		return false;
	return a->scope == b->scope && a->host_kind == b->host_kind &&
	    slice_eq(slice_make(a->host, a->host_len), slice_make(b->host, b->host_len));
}

/* MATCH, formatted as a value of KIND and read again, is the same.  What is too long to be read again counts as such. */
static bool
match_reads_back(enum rule_kind kind, const struct rule_match *match)
{
	struct rule_match again;
	char why[RULE_WHY];
	struct buf text;
	bool same;
	size_t at;

	buf_init(&text, VALUE_MAX);
	same = rule_match_format(kind, match, &text) == 0;
	if (same && text.len <= VALUE_READ_MAX) {
		same = rule_match_parse(kind, buf_slice(&text), &again, why, &at) == 0 && is_same_match(kind, match, &again);
		if (same)
			rule_match_fini(&again);
	}
	buf_fini(&text);
	return same;
}

#endif
