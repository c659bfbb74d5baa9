/* tar_members.h - the files in a tar, as it streams by: ustar, the older v7 form, and GNU's as far as a database has it.
 *
 * Nothing is unpacked or named on the disk: a member is a name and bytes that are handed on.  Entries that are no files (folders,
 * links, long names, pax records) are passed over.  The text comes in chunks that may end anywhere; memory is one block.  What is
 * said of a length is believed only as far as bytes come. */
#ifndef FEEDS_TAR_MEMBERS_H
#define FEEDS_TAR_MEMBERS_H

#include "base/slice.h"
#include "inspect/tar_sum.h"

enum { TAR_NAME_MAX = 100, TAR_MEMBERS_MAX = 4096 };

struct tar_visitor {
	/* A file NAME begins: whether its bytes are wanted.  What it may be named is not checked. */
	bool	(*begin)(void *arg, struct slice name);
	/* Bytes of it.  Not 0 stops the reading. */
	int	(*bytes)(void *arg, struct slice bytes);
	/* It is complete. */
	int	(*end)(void *arg);
};

struct tar_members {
	const struct tar_visitor *visitor;
	void		*arg;
	const char	*why;		/* what is wrong; NULL: nothing */
	bool		 done, wanted, is_file;
	unsigned	 n;		/* entries so far */
	uint64_t	 left, padding;	/* bytes of the entry, and behind it */
	size_t		 have;
	char		 head[TAR_BLOCK];
};

/* Begin; VISITOR and ARG are borrowed as long as T is used.  Nothing is to be freed. */
void tar_members_init(struct tar_members *t, const struct tar_visitor *visitor, void *arg);

/* The next bytes.  0; what the visitor answered; -1 with T->why for what is no tar.  -1 with T->why NULL is the visitor's. */
int tar_members_put(struct tar_members *t, struct slice bytes);

/* The end: 0, or -1 with T->why when an entry is not complete.  The empty blocks behind the last one may be missing. */
int tar_members_end(struct tar_members *t);

#endif
