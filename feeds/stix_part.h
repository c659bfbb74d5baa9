/* stix_part.h - a pattern of STIX as a tree, between its reader and who finds the alternatives in it.  For stix_*.c only.
 *
 *	[a OR (b AND c IN (1, 2))]	group OR { a, group AND { b, c with two values } }
 *
 * Parts and values are known by their numbers. */
#ifndef FEEDS_STIX_PART_H
#define FEEDS_STIX_PART_H

#include "base/buf.h"
#include "feeds/stix_pattern.h"

enum { NONE = -1 };		/* a number of no part */

enum part_kind { PART_OR, PART_AND, PART_TERM };

/* What a comparison looks at. */
enum path { PATH_HOST, PATH_BELOW, PATH_URL, PATH_ADDRESS, PATH_MD5, PATH_SHA1, PATH_SHA256, PATH_OTHER_DIGEST, PATH_SIZE,
	PATH_NAME, PATH_UNSAID /* or that it does in a way that no rule can */ };

/* A comparison, or a group of parts. */
struct part {
	enum part_kind	kind;
	enum path	path;
	int		first;		/* part of a group; value of a comparison */
	int		next;		/* part of the same group */
	unsigned	n_values;	/* one of which has to be equal */
};

struct value {
	struct slice	text;
	bool		is_string, is_number;
};

struct stix_pattern {
	struct slice		 text, rest;
	const char		*why;
	size_t			 at;
	unsigned		 depth;
	int			 n_parts, n_values;
	struct buf		 strings;	/* of the values; never moves while one pattern is read */
	stix_visit		*visit;
	void			*arg;
	unsigned		 alternatives, unsaid;
	int			 stopped;
	bool			 too_many;
	struct part		 parts[STIX_PARTS_MAX];
	struct value		 values[STIX_VALUES_MAX];
};

/* Give the visitor of P every way in which the part ALL holds and a rule can say, until it stops; count all others. */
void stix_give_alternatives(struct stix_pattern *p, int all);

#endif
