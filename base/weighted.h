/* weighted.h - lists in which each element has a weight (RFC 9110 12.4.2): "gzip;q=0.5, br", "de-AT, en;q=0.3".
 *
 * Values are bytes from strangers.  Pure; all cost is linear in the value. */
#ifndef BASE_WEIGHTED_H
#define BASE_WEIGHTED_H

#include "base/slice.h"

enum { WEIGHT_ONE = 1000 };	/* wanted without reserve: the most there is */

struct weighted {
	struct slice	text, name;	/* all of the element; without its parameters */
	int		weight;		/* 0 to WEIGHT_ONE; what cannot be read counts as wanted */
};

/* The value of the parameter NAME in "type; a=b; NAME=value"; empty when there is none, or two. */
struct slice weighted_parameter(struct slice value, struct slice name);

/* The next element of *LIST that is not empty; false when there is none. */
bool weighted_next(struct slice *list, struct weighted *e);

/* Which of N language TAGS the Accept-Language VALUE (RFC 9110 12.5.4) wants most; 0 when it wants none of them. */
size_t accept_language_pick(struct slice value, const struct slice *tags, size_t n);

#endif
