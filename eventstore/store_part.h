/* store_part.h - what the files of the store share; nobody else includes it. */
#ifndef EVENTSTORE_STORE_PART_H
#define EVENTSTORE_STORE_PART_H

#include <sqlite3.h>

#include "base/siphash.h"
#include "eventstore/eventstore.h"
#include "eventstore/log_folder.h"
#include "eventstore/log_lines.h"

enum {
	STORE_KEY_BITS = 20,		/* of a key, below the milliseconds */
	STORE_MS_BITS = 43,		/* a key is a positive number; till the year 2248 */
	STORE_TAIL_MAX = 512,
	STORE_HEAD_MAX = 4096,
	STORE_WORD_CACHE = 1 << 17,
};

/* Statements that are prepared once. */
enum store_sql {
#define STORE_SQL(name, text)	STORE_SQL_##name,
#include "eventstore/store_sql.def"
#undef STORE_SQL
	STORE_SQLS
};

/* What has been read of one file. */
struct store_record {
	int64_t	 n;			/* the row's number; 0: none yet */
	char	*name;
	int64_t	 dev, ino, size, mtime;	/* of the file, when it was read */
	int64_t	 gz;
	int64_t	 head;			/* sum of its beginning, up to a newline */
	int64_t	 offset;		/* in the text: what is before has been read */
	int64_t	 tail, tail_len;	/* sum of that many bytes before OFFSET's newline */
	int64_t	 torn, lines, damaged, too_long, doubled;
	int64_t	 broken;		/* errno of a compressed file that ended it */
	int64_t	 whole;			/* a compressed file that was read to its end */
	int64_t	 low, high;		/* keys of its events */
	struct log_file *file;		/* what it is now; NULL: gone */
};
enum { STORE_RECORD_NUMBERS = 18 };

struct store_records {
	struct store_record	*v;
	size_t			 n;
};

/* Where eventstore_line() stands: lines are mostly asked for one after the other. */
struct store_reader {
	struct log_folder	 folder;
	struct store_records	 records;
	bool			 open;
	int64_t			 file;		/* that BYTES is of; 0: none */
	struct log_bytes	*bytes;
};

struct word_slot {
	uint64_t hash;
	int64_t	 n;
};

struct eventstore {
	char			*log, *folder;
	char			*index;		/* NULL: there is none yet */
	int			 folder_fd;	/* locked while the index is written */
	sqlite3			*db;
	sqlite3_stmt		*sql[STORE_SQLS];
	bool			 copy;		/* in a file without a name, or in memory */
	bool			 follows;
	bool			 kept;		/* a follower in a file of its own */
	int64_t			 step, left;	/* bytes that one update may read, and still may; STEP 0: all */
	bool			 dropped;	/* a file's events, while files are read */
	int			 error;		/* of SQLite, that ended an update */
	dev_t			 dev;		/* of the index that is open */
	ino_t			 ino;
	uint8_t			 word_key[SIPHASH_KEY];
	struct word_slot	*words;		/* STORE_WORD_CACHE of them */
	struct store_reader	 reader;
	const struct pseudonyms	*pseudonyms;
	eventstore_progress	*progress;
	void			*progress_arg;
	int64_t			 done, total;	/* bytes */
};

/* The sum that lines and parts of them are known by. */
int64_t store_sum(struct slice text);

/* Statement Q, reset, with its parameters bound: TYPES has 'i' for an int64_t, 't' a slice of text (NULL when empty), 'b' one of
 * bytes (likewise).  Texts must outlive the next step.  Never NULL. */
sqlite3_stmt *store_bind(struct eventstore *s, enum store_sql q, const char *types, ...);

/* The same, run to its end.  0, or -1: sqlite3_errmsg(). */
int store_run(struct eventstore *s, enum store_sql q, const char *types, ...);

/* Add what SQLite says as an error about the index.  -1. */
int store_error(const struct eventstore *s, struct diag *diag);

/* All records.  0 or -1. */
int store_records_load(struct eventstore *s, struct store_records *r);
void store_records_free(struct store_records *r);
int store_record_save(struct eventstore *s, struct store_record *r);

/* Find out which record each file of FOLDER is, forget what is gone, begin records for what is new.  Inside a transaction. */
int store_match(struct eventstore *s, struct log_folder *folder, struct store_records *r);

/* Forget the events of R.  0 or -1. */
int store_drop(struct eventstore *s, struct store_record *r);

/* Forget what is known of all files of which something was left out as doubled.  0 or -1. */
int store_drop_doubled(struct eventstore *s, struct store_records *r);

/* WORD stands in table name (few, kept), not in table word (many, dropped when nobody has them). */
static inline bool
store_is_name(int word)
{
	return word == EVENT_WORD_ACTION || word == EVENT_WORD_REASON || word == EVENT_WORD_SOURCE;
}

/* Read what R's file has beyond R's offset.  0 or -1. */
int store_read(struct eventstore *s, struct store_record *r);

/* What eventstore_line() reads from, taken over: as these files are open, it does not matter what becomes of them. */
void store_reader_open(struct eventstore *s, struct log_folder *folder, struct store_records *r);

/* Close what eventstore_line() has open: the log goes on. */
void store_reader_close(struct eventstore *s);

/* COMMIT, and BEGIN anew.  0 or -1. */
int store_commit(struct eventstore *s);

#endif
