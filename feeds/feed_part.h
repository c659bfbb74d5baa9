/* feed_part.h - what the readers of the formats share.  For feeds/ only. */
#ifndef FEEDS_FEED_PART_H
#define FEEDS_FEED_PART_H

#include "base/buf.h"
#include "feeds/feed.h"
#include "feeds/json_pieces.h"

struct feed;

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

/* Of a format that is no list of lines. */
struct feed_stream {
	int	(*begin)(struct feed *f);	/* also again, after a preview; -1 without memory */
	int	(*put)(struct feed *f, struct slice text);
	int	(*end)(struct feed *f);
	void	(*fini)(struct feed *f);	/* also without begin */
	bool	previews;
};
extern const struct feed_stream feed_misp, feed_stix, feed_abuse_json, feed_cvd;

/* What a format that is a list of lines keeps from one to the next. */
struct feed_kept {
	size_t	size;			/* of f->state, which is all zero to begin with */
	void	(*end)(struct feed *f);	/* the text ends; NULL */
};
extern const struct feed_kept feed_kept_abuse, feed_kept_rpz;

struct feed {
	struct feed_options	 options;
	struct feed_counts	 counts;
	const char		*file;
	feed_visit		*visit;
	void			*arg;
	struct diag		*diag;
	int			(*read)(struct feed *, struct slice);
	const struct feed_stream *stream;	/* NULL: READ reads lines */
	const struct feed_kept	*kept;		/* beside READ; NULL */
	void			*state;		/* of STREAM, or what is KEPT */
	bool			 previewing, begun;
	bool			 quiet;		/* what is bad is neither counted nor shown */
	bool			 loud;		/* it is shown in any case */
	uint64_t		 hidden;	/* what was counted and not shown */
	enum rule_action	 action;	/* of the line */
	bool			 removed;
	int			 stopped;	/* what the visitor answered */
	struct slice		 line;
	struct { unsigned line, col; } at;	/* of a stream: where the piece begins; COL 0: the line has columns of its own */
	struct slice		 shown;		/* of a stream: what a message is about; or empty */
	struct slice		 note;		/* of the entry */
	int64_t			 expires;
	struct rule_match	 match;		/* of the entry; its 1 KiB of host is never cleared */
	struct buf		 text;		/* what has to be put together */
	struct csv_state	 csv;
	struct json_pieces	 json;
};

/* A line's reader: 0, or what the visitor answered. */
typedef int feed_reader(struct feed *f, struct slice line);
feed_reader feed_read_hosts, feed_read_hosts_file, feed_read_urls, feed_read_guard_domains, feed_read_guard_urls, feed_read_clamav,
    feed_read_ign2, feed_read_digests, feed_read_hashdeep, feed_read_csv, feed_read_adblock, feed_read_rpz, feed_read_abuse;

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

/* A host that is one name or address, as other formats than lists of hosts have it; an address or network; either with a port
 * behind a colon, which is skipped unless ports may be dropped.  Patterns are bad. */
int feed_name(struct feed *f, struct cell value, struct slice name);
int feed_ip(struct feed *f, struct cell value);
int feed_with_port(struct feed *f, struct cell value);

/* A file's digest, in hexadecimal digits whose number tells the algorithm, with SIZE; or one that is said to be of ALG, and is bad
 * when it has another number. */
int feed_digest(struct feed *f, struct cell hex, uint64_t size, struct slice name);
int feed_digest_as(struct feed *f, enum digest_alg alg, struct cell hex, uint64_t size, struct slice name);

/* A row, whose cells are empty where it has none. */
int feed_row(struct feed *f, const struct cell row[static CELLS]);

/* S without a comment: a '#' at its start or after a blank; and without blanks at its ends. */
struct slice feed_strip(struct slice s);

/* Cut LINE into cells: how many, of which FEED_COLUMNS_MAX are kept; -1 and it was counted as bad. */
int feed_csv_split(struct feed *f, struct slice line);

/* The row goes as far as the columns AT, N of them, and those of the filters. */
bool feed_csv_is_whole(const struct feed *f, const int *at, size_t n);

/* Is S one of the N WORDS?  Any case. */
bool feed_is_one_of(struct slice s, const char *const *words, size_t n);

/* What the publishers of feeds write for nothing. */
bool feed_is_nothing(struct slice s);

/* TEXT is the decimal size of a file that a rule can have: 0; else 1 and it was counted as skipped (0, too large) or bad. */
int feed_size(struct feed *f, struct cell text, uint64_t *size);

/* The confidence TEXT is not below what the options ask for. */
bool feed_is_sure(const struct feed *f, struct slice text);

/* What filter I looks at; a number may be written into ROOM. */
typedef struct slice feed_filter_text(const struct feed *f, const void *arg, size_t i, char room[static JSON_NUMBER]);

/* All filters of the options hold. */
bool feed_filters_hold(const struct feed *f, feed_filter_text *text_of, const void *arg);

/* Where the row that was just split has the column NAME; NO_COLUMN. */
int feed_csv_find(const struct csv_state *csv, const char *name);

/* A filter's column is in the row that was just split, for each of them. */
bool feed_csv_place_filters(struct feed *f, bool by_number);

/* LINE, which may be a comment, is the header: PLACE finds all its columns in it when it is split.  What is neither header nor
 * comment is counted as bad. */
bool feed_csv_is_header(struct feed *f, struct slice line, bool (*place)(struct feed *f));

/* The row's cell AT; empty. */
struct cell feed_csv_cell(const struct csv_state *csv, int at);

/* Streams of JSON: READER reads the pieces, with the feed for its argument.  What begins a preview sees f->previewing. */
void feed_json_begin(struct feed *f, const struct json_reader *reader);
int feed_json_put(struct feed *f, struct slice text);
int feed_json_end(struct feed *f);
void feed_json_fini(struct feed *f);
void feed_json_bad(void *feed, unsigned line, unsigned col, const char *what);

/* A piece that begins there is read; notes, ends and messages of the one before are forgotten. */
void feed_piece(struct feed *f, unsigned line, unsigned col);

/* FEED_CSV: the options make sense; else an error in DIAG and -1. */
int feed_csv_begin(struct feed *f);

#endif
