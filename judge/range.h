/* range.h - parts of files: which requests for one are made requests for the whole, and which parts may pass.
 *
 * A part has no digest that anybody listed.  Pure; table-tested.
 *
 *	RangePolicy	request for a part			a part (206), its whole's length not listed
 *	pass		stays					passes, listed or not
 *	strip		is made one for the whole		passes when only listed lengths count
 *	auto		stays when only listed lengths count,	the same, and for RangeHosts and media in any case
 *			or for RangeHosts, media and "bytes=0-"
 *
 * Only listed lengths count when no rule is without a size and nothing is looked into (InspectDepth 0 or UnpackTypes none): what is
 * listed may be in an archive of any length.
 *
 * Whatever the policy: what claims to be all of it (0 to the last byte) is judged like any body.  But for "pass": a part is
 * refused when its whole's length is listed or not known, when it is content-coded (its whole's length is not that of the file),
 * or when nobody asked for a part. */
#ifndef JUDGE_RANGE_H
#define JUDGE_RANGE_H

#include "ruleset/generation.h"

enum { RANGES_AUTO, RANGES_STRIP, RANGES_PASS };	/* range_policy */

/* A GET for a part. */
struct range_request {
	struct slice	host;		/* canonical; empty when it is no name */
	bool		all;		/* "bytes=0-": any server may answer it with all, which can be judged */
	bool		media;		/* for a player */
	bool		wanted_whole;	/* something of this URL was killed, or refused as a part, a short while ago */
};

/* It is to be made a request for the whole.  Without G, or under "auto" without file rules, requests are left alone. */
bool judge_range_strip(const struct generation *g, const struct range_request *q);

/* What a 206 (RFC 9110 15.3.7) says beside the lengths in struct body_head. */
struct part {
	int64_t		first, last;	/* of Content-Range; LENGTH_UNKNOWN */
	bool		unasked;	/* the request was for the whole */
	bool		media;		/* audio or video, for a player that asked for it */
	bool		coded;		/* Content-Encoding: the lengths are of what is sent, not of the file */
	struct slice	host;		/* as in struct range_request; borrowed */
};

enum part_answer {
	PART_AS_BODY,	/* judge it like any body */
	PART_PASS,
	PART_REFUSE,
};

/* What becomes of P, of CONTENT_LENGTH bytes out of COMPLETE, both of which may be LENGTH_UNKNOWN.  *BECAUSE: a few plain words,
 * static.  G has file rules. */
enum part_answer judge_part(const struct generation *g, const struct part *p, int64_t content_length, int64_t complete,
    const char **because);

#endif
