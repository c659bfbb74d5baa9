/* walk_part.h - what the parts of the walk have in common: walk.c, unpack.c (libarchive), zip_directory.c. */
#ifndef INSPECT_HELPER_WALK_PART_H
#define INSPECT_HELPER_WALK_PART_H

#include "inspect/helper/seen.h"
#include "inspect/helper/sniff.h"
#include "inspect/helper/source.h"
#include "inspect/helper/walk.h"

/* What comes out of a coding whose reader does not say where a coded member ends. */
struct endless {
	struct source	*s;
	unsigned	 depth;
	unsigned	 n;		/* reports */
	uint64_t	 mark;		/* bytes that had come out when the walk waited last */
	struct endless	*next;
};

struct walk {
	const struct walk_wish	*wish;
	const struct walk_io	*io;
	enum unscannable	 reason;	/* the first */
	bool			 stopped;	/* by a limit, or because nobody wants more: everything has ended */
	uint64_t		 members, findings;
	uint64_t		 unpacked;	/* bytes, of all */
	size_t			 budget;	/* of all sources */
	struct source		 root;
	struct endless		*endless;	/* those that are open */
	uint64_t		 rehashed;	/* bytes that came out a second time, only to see whether they are the same */
	uint64_t		 available;	/* of the root */
	uint64_t		 needed;	/* what had been used when more was asked for */
	bool			 root_ended;
	unsigned		 in_pieces;	/* > 0: what is read now may be cut into pieces, which is no damage */
};

/* What is to be read once more with random access: when a stream has ended, or when all of it is there. */
enum { LATE_MAX = 8 };
struct late {
	uint64_t	at, end;	/* END: UINT64_MAX when it is that of the stream */
	enum kind	kind;
};
struct look {
	bool		 zip;			/* local headers of a zip were seen */
	bool		 zip_strong;		/* and they made sense */
	bool		 zip_first;		/* at the very beginning */
	bool		 encrypted;		/* an entry of a zip says that it is */
	bool		 zip_alone;		/* and not all of them are within a 7z */
	bool		 iso;			/* an ISO image could not be read from front to back */
	bool		 damaged;		/* trouble that a second look may dispel */
	uint64_t	 from;			/* where it begins */
	struct late	 late[LATE_MAX];	/* what can be read in no other way */
	size_t		 n_late;
	uint64_t	 whole_from, whole_to;	/* where a 7z was that was read: of several the last to end */
	size_t		 tries;			/* that came to nothing, or not to the end */
	uint64_t	*entries;		/* local headers of the zip entries that were read without trouble, in order */
	size_t		 n_entries, cap_entries;
	struct seen	 seen;			/* digests of a zip's entries */
	uint64_t	 zip_end;		/* where an end record is of which all was read; 0: nowhere */
	uint64_t	 zip_from, zip_to;	/* where the entries of that one are */
	size_t		 zip_ends;		/* their number, also of those that could not be read */
};

/* Take note of a reason; the first counts. */
void walk_unscannable(struct walk *w, enum unscannable reason);

/* The same, and end the walk. */
void walk_stop(struct walk *w, enum unscannable reason);

/* Members at DEPTH are not looked at any more. */
bool walk_too_deep(const struct walk *w, unsigned depth);

/* Another member.  False: that was one too many. */
bool walk_count(struct walk *w);

/* N more bytes came out of an archive.  False: too many. */
bool walk_grow(struct walk *w, size_t n);

/* S as an empty source of the walk: its bytes are kept, and hashed when they are wanted, up to UNTIL. */
void walk_source_init(struct walk *w, struct source *s, uint64_t until);

/* Walk through the member S at DEPTH, to its end, and report it.  SEEN (may be NULL) gets its digest.  False when it broke off. */
bool walk_member(struct walk *w, struct source *s, unsigned depth, struct slice name, struct seen *seen);

/* Report S as it is up to here: a member that is complete. */
void walk_report(struct walk *w, struct source *s, unsigned depth, struct slice name, struct seen *seen);

enum unpacked { UNPACKED_ALL, UNPACKED_PART, UNPACKED_NOTHING };

enum how {
	HOW_STREAM,	/* from front to back */
	HOW_RANDOM,	/* S has ended, and all from AT on can be read again */
	HOW_PART,	/* the same, up to *END, where the archive ends; more of S may come */
	HOW_ENDED,	/* a zip, as if an empty directory stood behind the end of S */
};

/* Unpack the archive of KIND that begins at AT in S, whose members are at DEPTH.  *END becomes where to go on: behind it, or right
 * behind the start of what could not be read.  LOOK gets what is needed for a second look at a zip; it may be NULL. */
enum unpacked unpack(struct walk *w, struct source *s, uint64_t at, enum kind kind, unsigned depth, enum how how, uint64_t *end,
    struct look *look);

/* Read the one entry of a zip that HEADER (a local header with its name) and the LEN bytes from AT on in S make.  ONLY_HASH: do not
 * look into it and report nothing, say in *KNOWN whether LOOK has seen its digest. */
enum unpacked unpack_zip_entry(struct walk *w, struct source *s, struct slice header, uint64_t at, uint64_t len, unsigned depth,
    bool only_hash, bool *known, struct look *look);

/* Read the zip in S by its directory, from LOOK's start on: entries that were not read in the same way before.  S has ended.
 * UNPACKED_NOTHING: there is no directory. */
enum unpacked zip_directory(struct walk *w, struct source *s, unsigned depth, struct look *look);

/* An end record of a zip is at AT of S, which goes on: read by its directory what is in front of it. */
void zip_end_passed(struct walk *w, struct source *s, uint64_t at, unsigned depth, struct look *look);

#endif
