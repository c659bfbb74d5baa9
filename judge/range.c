#include "judge/judge.h"

/* HOST is one of HOSTS, suffixes as in site.conf, or below one. */
static bool
is_under(struct slice host, struct slice hosts)
{
	struct slice suffix;

	while (hosts.len > 0) {
		slice_cut(hosts, ' ', &suffix, &hosts);
		if (slice_starts(suffix, SLICE(".")))
			suffix = slice_skip(suffix, 1);
		if (suffix.len == 0 || suffix.len > host.len ||
		    !slice_ieq(slice_skip(host, host.len - suffix.len), suffix))
			continue;
		if (suffix.len == host.len || host.p[host.len - suffix.len - 1] == '.')
			return true;
	}
	return false;
}

static bool
needs_ranges(const struct site *site, struct slice host, bool media)
{
	return media || is_under(host, slice_str(site->range_hosts));
}

/* Rules apply to files of any length: they say none, or what they list may be in an archive. */
static bool
any_length_counts(const struct generation *g)
{
	const struct site *site = generation_site(g);

	return generation_sizeless_algs(g) != 0 || generation_max_named_size(g) == UINT64_MAX ||
	    (site->inspect_depth > 0 && site->unpack_types != 0);
}

bool
judge_range_strip(const struct generation *g, const struct range_request *q)
{
	const struct site *site = g == NULL ? NULL : generation_site(g);

	if (site == NULL || site->range_policy == RANGES_PASS)
		return false;
	if (site->range_policy == RANGES_STRIP)
		return true;
	if (!judge_has_file_rules(g))
		return false;
	if (q->wanted_whole)
		return true;
	return any_length_counts(g) && !q->all && !needs_ranges(site, q->host, q->media);
}

/* From the first byte to the last: the whole under another status. */
static bool
is_all(const struct part *p, int64_t content_length, int64_t complete)
{
	return complete != LENGTH_UNKNOWN && p->first == 0 && p->last == complete - 1 &&
	    (content_length == LENGTH_UNKNOWN || content_length == complete);
}

/* Why a part may not pass whatever the site's exceptions; NULL when nothing speaks against it. */
static const char *
objection(const struct generation *g, const struct part *p, int64_t complete)
{
	if (complete == LENGTH_UNKNOWN)
		return "a part of a body of unknown length";
	if (generation_has_size(g, (uint64_t)complete) || generation_has_named_size(g, (uint64_t)complete))
		return "a part of a body that has a listed length";
	if (p->unasked)
		return "a part that nobody asked for";
	if (p->coded)
		return "a part of a coded body, whose decoded length is unknown";
	return NULL;
}

enum part_answer
judge_part(const struct generation *g, const struct part *p, int64_t content_length, int64_t complete, const char **because)
{
	const struct site *site = generation_site(g);

	if (is_all(p, content_length, complete))
		return PART_AS_BODY;
	*because = "parts are not looked at";
	if (site->range_policy == RANGES_PASS && !p->unasked)
		return PART_PASS;
	if ((*because = objection(g, p, complete)) != NULL)
		return PART_REFUSE;
	/* An origin may call a part what is all of something: its own length still counts. */
	if (!any_length_counts(g))
		return PART_AS_BODY;
	*because = "a part for a player, or from a host of RangeHosts";
	if (site->range_policy == RANGES_AUTO && needs_ranges(site, p->host, p->media))
		return PART_PASS;
	*because = "a part, and rules may match the whole whatever its length";
	return PART_REFUSE;
}
