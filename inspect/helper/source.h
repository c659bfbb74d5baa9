/* source.h - a stream that is pulled: the body itself, or something in it as it comes out of its archive.
 *
 *	          kept_from          pulled
 *	 |............|=================|- - - - - - ->     . forgotten   = can be read again   - not yet pulled
 *
 * Whoever reads gives an offset; what lies ahead is pulled.  What was pulled is kept for a second reading: the body in its spool,
 * all else in memory, up to SOURCE_KEPT_MAX a source and SOURCE_BUDGET for all.  One thread. */
#ifndef INSPECT_HELPER_SOURCE_H
#define INSPECT_HELPER_SOURCE_H

#include <sys/types.h>

#include "inspect/digester.h"
#include "inspect/finding.h"

enum { SOURCE_BLOCK = 64 * 1024, SOURCE_KEPT_MAX = 32 << 20, SOURCE_KEPT_FIRST = 4 << 20, SOURCE_BUDGET = 96 << 20 };

struct source {
	/* The next bytes, at least one: how many; 0 at the end; -1 when it breaks off there. */
	ssize_t		(*pull)(struct source *s, char *buf, size_t size);
	/* Of the body: pulled bytes from AT once more; -1 when they are gone.  NULL: they are kept in memory. */
	ssize_t		(*again)(struct source *s, uint64_t at, char *buf, size_t size);
	void		(*after)(struct source *s);	/* may be NULL: called when what was pulled is hashed */
	void		*arg;
	uint64_t	 pulled;
	uint64_t	 reported;			/* PULLED when it was last reported as complete */
	bool		 ended, broken;
	struct digester	*digester;			/* NULL: not hashed */
	uint64_t	 until;				/* hash no longer ones */
	size_t		*budget;			/* bytes of memory that all sources may take together */
	char		*kept;
	size_t		 kept_len, kept_cap;
	uint64_t	 kept_from;
	bool		 lost;				/* too much to keep: nothing is, until source_forget() */
};

/* Free what S keeps and its digester; S itself is the caller's. */
void source_fini(struct source *s);

/* Up to SIZE bytes from AT on into BUF: how many, at least one; 0 at the end; -1 when they are forgotten. */
ssize_t source_read(struct source *s, uint64_t at, char *buf, size_t size);

/* The same, but all SIZE bytes: how many there are, less only at the end; -1. */
ssize_t source_read_all(struct source *s, uint64_t at, char *buf, size_t size);

/* Nobody will read again below BEFORE. */
void source_forget(struct source *s, uint64_t before);

/* The same for who reads once, from front to back, and may find out that it was nothing: the beginning of S is kept for a
 * while, and always the last SOURCE_BLOCK. */
void source_pass(struct source *s, uint64_t before);

/* Pull to the end, keeping nothing more. */
void source_drain(struct source *s);

/* All from FROM to the end can be read again.  The source must have ended. */
bool source_has(struct source *s, uint64_t from);

#endif
