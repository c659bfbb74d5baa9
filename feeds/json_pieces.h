/* json_pieces.h - JSON of any length, piece by piece, in little memory.
 *
 *	{"Event": {"info": "...", "Galaxy": [ ...... ], "Attribute": [ {...}, {...}, {...} ]}}
 *	^enter     ^enter   ^take             ^skip                  ^enter ^take  ^take  ^take
 *
 * A feed may have hundreds of megabytes, of which only small pieces count.  Who reads it says of each value what to do: enter it,
 * pass over it, or take it.  Only the marks between values are looked at here ({ } [ ] , : and where a string ends); what is
 * taken, and every key of what was entered, is parsed by Jansson.  So what is wrong within a piece costs that piece: where it ends
 * is still known.  What is wrong between pieces ends the reading.
 *
 * The text comes in chunks that may end anywhere.  One thread at a time; nothing here opens files or prints. */
#ifndef FEEDS_JSON_PIECES_H
#define FEEDS_JSON_PIECES_H

#include <jansson.h>

#include "base/buf.h"

enum {
	JSON_LEVELS = 8,		/* that can be entered */
	JSON_KEY_MAX = 64,		/* bytes of a key that is known; a longer one is like none */
	JSON_PIECE_MAX = 8 << 20,	/* bytes of a piece, without what is dropped of it */
	JSON_PIECE_MARKS = 1 << 17,	/* { [ , : in a piece: they cost memory, some 250 bytes each */
	JSON_PIECE_DEPTH = 64,
	JSON_STRING_MAX = 1 << 16,	/* bytes; a longer string in a piece, such as a file in it, becomes an empty one */
};

/* What to do with a value; a string or a number is not entered but passed over. */
enum json_way { JSON_SKIP, JSON_ENTER, JSON_TAKE };

struct json_pieces;

struct json_reader {
	/* A value begins with FIRST in the innermost of the containers that were entered: p->n of them, see json_pieces_at(). */
	enum json_way	(*ask)(void *arg, const struct json_pieces *p, char first);
	/* A piece, borrowed until this returns, and where it began.  Not 0 stops the reading. */
	int		(*take)(void *arg, const struct json_pieces *p, json_t *piece, unsigned line, unsigned col);
	/* Something is wrong there. */
	void		(*bad)(void *arg, unsigned line, unsigned col, const char *what);
};

struct json_level {
	bool		 is_array;
	char		 key[JSON_KEY_MAX + 1];	/* of the value that is read; "" in an array */
};

struct json_pieces {
	const struct json_reader *reader;
	void			*arg;
	struct json_level	 levels[JSON_LEVELS];
	size_t			 n;		/* levels */
	int			 state, stopped;
	size_t			 mark_len;	/* bytes of the byte order mark so far */
	uint64_t		 line, col;	/* of the byte that comes next, from 1 */
	uint64_t		 value_line, value_col;
	/* Of the value that is read: */
	bool			 is_key, is_scalar, in_string, escaped, dropping, cut;
	enum json_way		 way;
	uint64_t		 depth, marks, string_len;
	size_t			 string_at;
	const char		*excess;	/* why it is not taken after all */
	struct buf		 text;
};

/* Begin; nothing is allocated.  READER and ARG are borrowed until json_pieces_fini(), which is due. */
void json_pieces_init(struct json_pieces *p, const struct json_reader *reader, void *arg);
void json_pieces_fini(struct json_pieces *p);

/* The next bytes.  0, or what the reader answered to stop; all later calls then answer the same.  A byte order mark at the start
 * is passed over. */
int json_pieces_put(struct json_pieces *p, struct slice bytes);

/* The end of the text: what is not closed is said to be wrong. */
void json_pieces_end(struct json_pieces *p);

/* Nothing more is read: what is between the pieces is wrong.  True already while the reader is told so. */
bool json_pieces_broken(const struct json_pieces *p);

/* The value stands under KEY in the container that was entered as number LEVEL, from 0, which is an object; "" of an array. */
bool json_pieces_at(const struct json_pieces *p, size_t level, const char *key);

/* ---- what is in a piece ---- */

/* The string or number that KEY of O has, as text: a number's digits go to *ROOM.  Empty when there is none, also for null, true
 * and false.  Borrowed from O or ROOM. */
enum { JSON_NUMBER = 24 };
struct slice json_text(const json_t *o, const char *key, char room[static JSON_NUMBER]);

/* KEY of O is true, 1 or "1". */
bool json_is_set(const json_t *o, const char *key);

#endif
