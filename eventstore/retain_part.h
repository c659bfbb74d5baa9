/* retain_part.h - what the parts of retain.h share: what was read of the files (retain_read.c), a file without its old lines
 * (retain_copy.c), and in what order (retain.c). */
#ifndef EVENTSTORE_RETAIN_PART_H
#define EVENTSTORE_RETAIN_PART_H

#include <sys/stat.h>

#include <zlib.h>

#include "base/buf.h"
#include "eventstore/log_folder.h"
#include "eventstore/retain.h"

/* A minute, and how many bytes of text one file has of it. */
struct span {
	int64_t	minute, bytes;
};

/* What was read of a file. */
struct reading {
	char		*name;
	int		 fd;		/* the folder's */
	struct stat	 st;		/* when it was read to its end */
	bool		 current, bad;
	int64_t		 lines, text;
	int64_t		 oldest_ms;
};

struct retain {
	const char		*path;
	int			 dir;
	const struct retain_limits *limits;
	struct log_folder	 folder;
	struct reading		*v;
	size_t			 n;
	struct span		*spans;		/* of all files; BYTES are of the disk */
	size_t			 n_spans, cap_spans;
	struct retain_sum	*sum;
	struct diag		*diag;
};

/* LINE is of the moment MS and took LEN bytes of the text; TOO_LONG: it is only a line's beginning.  Not 0 ends the reading. */
typedef int retain_line(void *arg, struct slice line, int64_t ms, int64_t len, bool too_long);

/* Call TAKE for each line of the file FD, the one without an end as well.  Before any moment is known it is that of the file.
 * -1 with errno. */
int retain_each_line(int fd, const struct stat *st, retain_line *take, void *arg);

/* Open R's folder and read all its files to their ends.  -1 with errno. */
int retain_scan(struct retain *r);

/* F stays as it is, because of ERROR, which is told. */
void retain_leave(struct retain *r, struct reading *f, int error);

/* What a file keeps, while it is copied. */
struct copy {
	int64_t	 before_ms, kept, removed, text;
	int	 fd;
	bool	 packed;
	gzFile	 gz;		/* that is written, of a packed one */
	struct buf out;
};

/* Copy what F keeps into FD (-1: only count).  -1 with errno. */
int retain_copy(const struct reading *f, int64_t before_ms, int fd, struct copy *c);

/* Put in F's place what it keeps, or take F away when that is nothing; *AFTER is what stands there then.  -1 with errno: F is as it
 * was; EAGAIN: it has been moved meanwhile. */
int retain_rewrite(const struct retain *r, const struct reading *f, struct copy *c, struct stat *after);

/* NAME in the folder DIR still is ST's file. */
bool retain_is_same(int dir, const char *name, const struct stat *st);

#endif
