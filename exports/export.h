/* export.h - the rules of a generation, as other programs read them.
 *
 *	generation --> each rule: can the format say just this? --> rows, sorted --> text
 *	                             '-> no: counted, with the reason
 *
 * What a format cannot say exactly is left out, never widened and never narrowed; of what is blocked in its words, this generation
 * blocks all.  Only rules that act are exported: not expired, high enough, not overruled by an allow, not lifted for everybody by
 * an exception.  The same generation gives the same bytes.  Everything that strangers wrote is either checked to be harmless where
 * it stands, or escaped as the format has it.
 *
 * Rows are sorted outside of memory (base/sorter.h), so that it does not matter how many there are.  Nothing here prints or opens a
 * file by name.  One thread. */
#ifndef EXPORTS_EXPORT_H
#define EXPORTS_EXPORT_H

#include "base/buf.h"
#include "ruleset/generation.h"

enum export_format {
	EXPORT_HDB,		/* ClamAV: MD5s */
	EXPORT_HSB,		/* ClamAV: SHA-1s and SHA-256s */
	EXPORT_FP,		/* ClamAV: MD5s that are allowed */
	EXPORT_SFP,		/* ClamAV: SHA-1s and SHA-256s that are allowed */
	EXPORT_RPZ,		/* a response policy zone */
	EXPORT_HOSTS,		/* hosts(5) */
	EXPORT_DSTDOMAIN,	/* a file for Squid's "acl NAME dstdomain" */
	EXPORT_SURICATA,	/* Suricata's rules, for hosts */
	EXPORT_FILEMD5,		/* Suricata's lists of digests */
	EXPORT_FILESHA1,
	EXPORT_FILESHA256,
	EXPORT_STIX,		/* a STIX 2.1 bundle */
	EXPORT_FORMATS
};

/* "hdb", "rpz" ...; and the format of that name: -1 when there is none. */
const char *export_format_name(enum export_format format);
int export_format_parse(struct slice name, enum export_format *out);

/* Why a rule is not in it. */
enum export_left {
	EXPORT_TAKEN,
	EXPORT_UNWANTED,	/* of a source that was not asked for, and so not counted */
	EXPORT_ACTION,		/* an allow, a block, a protect or an exception, which the format does not have */
	EXPORT_KIND,		/* a URL where there are only hosts, a file's name where there are only digests ... */
	EXPORT_SCOPE,		/* "and all below", or "below alone" */
	EXPORT_TEXT,		/* an address or a name that cannot stand there */
	EXPORT_SIZE,		/* larger than the format's sizes */
	EXPORT_LOW,		/* below the level */
	EXPORT_ENDED,		/* expired */
	EXPORT_OVERRULED,	/* something else decides */
	EXPORT_WIDER,		/* an allow is for a part of it, and the format cannot say that */
	EXPORT_AGAIN,		/* another row says it */
	EXPORT_LEFTS
};
const char *export_left_words(enum export_left why);	/* "below the level", for a person */

struct export_options {
	enum export_format	 format;
	bool			 allow;		/* EXPORT_DSTDOMAIN: what is allowed, in place of what is blocked */
	bool			 apex;		/* EXPORT_HOSTS: of "x and all below it" x is written */
	int			 level;		/* rules from this level on; -1: the site's threshold */
	const char *const	*sources;	/* of these alone; N_SOURCES is 0: of all but canaries */
	size_t			 n_sources;
	uint64_t		 sid;		/* EXPORT_SURICATA: the first rule's number */
	int64_t			 now;		/* seconds: what has expired */
	const char		*tmp;		/* where rows are put aside */
};

struct export_counts {
	uint64_t	rows;			/* that were written: a rule, or a part of one, each */
	uint64_t	left[EXPORT_LEFTS];	/* rules, or parts of one, that were not */
	bool		damaged;		/* something could not be read */
};

/* Takes the next piece of the text; -1 with errno ends it. */
typedef int export_put(void *arg, struct slice text);

/* All of G as O says it.  0; -1 with errno: of PUT, of the sorter, or ENOMEM. */
int export_rules(const struct generation *g, const struct export_options *o, export_put *put, void *arg,
    struct export_counts *counts);

/* A UUID of version 5 (RFC 9562 5.5) in a name space of ours, of NAME: the same name, the same UUID.  -1 without memory. */
enum { EXPORT_UUID = sizeof("00000000-0000-0000-0000-000000000000") };
int export_uuid(struct slice name, char out[static EXPORT_UUID]);

#endif
