#include "feeds/feed_part.h"

#include "base/count.h"

/* "##.banner" hides an element of a page, and so do its relatives; "# text" is a comment. */
static bool
is_cosmetic(struct slice line)
{
	return line.len > 1 && strchr("#@?$%", line.p[1]) != NULL && line.p[1] != '\0';
}

/* The options behind '$' leave the rule as wide as it is.  What an exception exempts beyond the host itself ("$document": all
 * that the page loads) no rule says. */
static bool
are_wide(struct slice options, bool allow)
{
	static const char *const wide[] = { "important", "all", "document", "doc" };
	struct slice word;
	bool more;

	do {
		more = slice_cut(options, ',', &word, &options);
		if (!feed_is_one_of(slice_trim(word), wide, allow ? 1 : COUNT(wide)))
			return false;
	} while (more);
	return true;
}

/* A whole host: no pattern, port or path, and no part of a name such as "ads." */
static bool
is_whole_host(struct slice host)
{
	size_t skip = 0;

	if (host.len > 2 && host.p[0] == '[')
		skip = slice_find(host, ']');
	for (size_t i = skip; i < host.len; i++)
		if (strchr("*/:|?=&,~$", host.p[i]) != NULL && host.p[i] != '\0')
			return false;
	return host.len > 0 && host.p[0] != '.' && host.p[host.len - 1] != '.';
}

/* "||host^", "||host^$important": the host and everything below. */
int
feed_read_adblock(struct feed *f, struct slice line)
{
	struct slice rule = slice_trim(line), host, rest;
	bool allow;

	if (rule.len == 0 || rule.p[0] == '!' || rule.p[0] == '[' || (rule.p[0] == '#' && !is_cosmetic(rule)))
		return 0;
	allow = slice_starts(rule, SLICE("@@"));
	rule = slice_skip(rule, allow ? 2 : 0);
	if (!slice_starts(rule, SLICE("||")) || !slice_cut(slice_skip(rule, 2), '^', &host, &rest))
		return feed_skip(f);
	if (rest.len > 0 && (rest.p[0] != '$' || !are_wide(slice_skip(rest, 1), allow)))
		return feed_skip(f);
	if (!is_whole_host(host))
		return feed_skip(f);
	if (feed_parse(f, RULE_HOST, feed_cell(f, host)) == -1)
		return 0;
	f->match.scope = f->match.host_kind == HOST_NAME ? SCOPE_DOMAIN : SCOPE_EXACT;
	f->action = allow ? RULE_ALLOW : f->options.action;
	return feed_emit(f, RULE_HOST, feed_col(f, host.p), SLICE(""));
}
