/* feed_part.h - what the readers of the formats share.  For feeds/ only. */
#ifndef FEEDS_FEED_PART_H
#define FEEDS_FEED_PART_H

#include "base/buf.h"
#include "feeds/feed.h"

/* A piece of a line, and the column that it begins in. */
struct cell {
	struct slice	text;
	unsigned	col;
};

/* What a row of columns may hold. */
enum cell_kind { CELL_HOST, CELL_URL, CELL_MD5, CELL_SHA1, CELL_SHA256, CELL_DIGEST, CELL_SIZE, CELL_NAME, CELLS };

enum { NO_COLUMN = -1 };

struct csv_state {
	bool		 has_header;
	size_t		 n;				/* columns of the header, or of the row */
	int		 at[CELLS];			/* which column; or NO_COLUMN */
	int		 filter_at[FEED_FILTERS_MAX];
	struct cell	 cells[FEED_COLUMNS_MAX];	/* of the row */
	struct buf	 plain;				/* cells without their doubled quotes */
};

/* A DNS name without its last dot. */
struct dns_name {
	size_t	len;
	char	p[HOST_MAX + 1];
};

enum trigger_kind { TRIGGER_NONE, TRIGGER_NAME, TRIGGER_APEX, TRIGGER_OUTSIDE };

struct rpz_state {
	bool			has_origin, has_zone;
	bool			lost;			/* relative to what is not known */
	unsigned		open;			/* lines since a parenthesis was opened; 0 = none is */
	struct dns_name		origin, zone;
	enum trigger_kind	kind;			/* of the owner, which counts until the next one */
	struct dns_name		trigger;		/* the owner, without the zone */
};

struct feed {
	struct feed_options	 options;
	struct feed_counts	 counts;
	const char		*file;
	feed_visit		*visit;
	void			*arg;
	struct diag		*diag;
	int			(*read)(struct feed *, struct slice);
	enum rule_action	 action;	/* of the line */
	bool			 removed;
	int			 stopped;	/* what the visitor answered */
	struct slice		 line;
	struct rule_match	 match;		/* of the entry; its 1 KiB of host is never cleared */
	struct buf		 text;		/* what has to be put together */
	struct csv_state	 csv;
	struct rpz_state	 rpz;
};

/* A line's reader: 0, or what the visitor answered. */
typedef int feed_reader(struct feed *f, struct slice line);
feed_reader feed_read_hosts, feed_read_hosts_file, feed_read_urls, feed_read_guard_domains, feed_read_guard_urls, feed_read_clamav,
    feed_read_ign2, feed_read_digests, feed_read_hashdeep, feed_read_csv, feed_read_adblock, feed_read_rpz;

/* The column of P, which points into the line. */
static inline unsigned
feed_col(const struct feed *f, const char *p)
{
	return p == NULL ? 1 : (unsigned)(p - f->line.p) + 1;
}

static inline struct cell
feed_cell(const struct feed *f, struct slice text)
{
	return (struct cell){ text, feed_col(f, text.p) };
}

/* Count something that is meant for others, or no good; the result is 0. */
int feed_skip(struct feed *f);
int feed_bad(struct feed *f, unsigned col, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Give the visitor an entry with MATCH, and its NAME with the column that it is shown at. */
int feed_give(struct feed *f, const struct rule_match *match, enum rule_kind kind, struct cell name, struct slice line_md5);

/* Give the visitor f->match, and free its path. */
int feed_emit(struct feed *f, enum rule_kind kind, unsigned col, struct slice name);

/* Take VALUE apart into f->match: 0, or -1 and it was counted as bad. */
int feed_parse(struct feed *f, enum rule_kind kind, struct cell value);

/* VALUE is a network or a range of addresses: a network becomes an address rule, anything else is skipped. */
int feed_address(struct feed *f, struct cell value);

/* A host of a list; a URL. */
int feed_host(struct feed *f, struct cell value, struct slice name);
int feed_url(struct feed *f, struct cell value, struct slice name);

/* A file's digest, in hexadecimal digits whose number tells the algorithm, with SIZE.  feed_digest_alg(): -1 when LEN is none's. */
int feed_digest_alg(size_t len, enum digest_alg *alg);
int feed_digest(struct feed *f, struct cell hex, uint64_t size, struct slice name);

/* A row, whose cells are empty where it has none. */
int feed_row(struct feed *f, const struct cell row[static CELLS]);

/* S without a comment: a '#' at its start or after a blank; and without blanks at its ends. */
struct slice feed_strip(struct slice s);

/* Cut LINE into cells: how many, of which FEED_COLUMNS_MAX are kept; -1 and it was counted as bad. */
int feed_csv_split(struct feed *f, struct slice line);

/* Is S one of the N WORDS?  Any case. */
bool feed_is_one_of(struct slice s, const char *const *words, size_t n);

/* FEED_CSV: the options make sense; else an error in DIAG and -1. */
int feed_csv_begin(struct feed *f);

#endif
