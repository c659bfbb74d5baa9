/* stix_pattern.h - patterns of STIX 2 (OASIS STIX 2.1, part 9): what of one a rule can say exactly.
 *
 *	[file:hashes.'SHA-256' = 'ec5a...' AND file:size = 35 AND file:name = 'oui']	one file
 *	[domain-name:value IN ('a.example', 'b.example') OR url:value = 'http://c.example/x']	three alternatives
 *
 * A pattern is read as alternatives, each of which has to hold as a whole; those that a rule can say are given to a visitor:
 *	domain-name:value, url:value, ipv4-addr:value or ipv6-addr:value, alone;
 *	domain-name:value LIKE '%.a.example', alone: all below a host;
 *	the MD5, SHA-1 or SHA-256 of a file, with or without its size, beside other digests and names of that file, which say
 *	nothing more of a file that the digest tells.
 * All others are counted: nothing is left out of an alternative that would make it wider.  Nor is anything read of a pattern with
 * more than one bracket or with a qualifier (WITHIN, REPEATS, START).
 *
 * One thread at a time.  Bounded in time and memory, whatever the pattern. */
#ifndef FEEDS_STIX_PATTERN_H
#define FEEDS_STIX_PATTERN_H

#include "base/digest.h"

enum {
	STIX_PATTERN_MAX = 1 << 16,	/* bytes */
	STIX_PARTS_MAX = 4096,		/* comparisons, and groups of them */
	STIX_VALUES_MAX = 16384,	/* that they compare with */
	STIX_ALTERNATIVES_MAX = 16384,
	STIX_TOGETHER_MAX = 16,		/* comparisons that have to hold together */
	STIX_DEPTH_MAX = 32,		/* parentheses */
};

enum stix_kind { STIX_HOST, STIX_BELOW, STIX_URL, STIX_ADDRESS, STIX_FILE };

/* All slices are borrowed until the visitor returns. */
struct stix_alternative {
	enum stix_kind	kind;
	struct slice	value;			/* STIX_BELOW: what it is below, "a.example"; of a file: empty */
	struct slice	hex[DIGEST_ALGS];	/* as written; empty: not said */
	struct slice	size;			/* decimal digits, of a number or a string; empty: not said */
	struct slice	name;			/* may be empty */
};

/* Other than 0 stops the reading. */
typedef int stix_visit(void *arg, const struct stix_alternative *a);

struct stix_answer {
	const char	*why;		/* it is no pattern; NULL: it is one */
	size_t		 at;		/* the byte where that shows */
	unsigned	 unsaid;	/* alternatives that no rule can say; 1 for a pattern that is not read */
};

struct stix_pattern;

/* A reader for any number of patterns; NULL without memory.  Some 600 KiB. */
struct stix_pattern *stix_pattern_new(void);
void stix_pattern_free(struct stix_pattern *p);

/* Read TEXT.  0, or what VISIT answered.  Of what is no pattern VISIT gets nothing. */
int stix_pattern_read(struct stix_pattern *p, struct slice text, stix_visit *visit, void *arg, struct stix_answer *answer);

#endif
