/* conf.h - a daemon's configuration as its directives, with the file and the line that each stands in.
 *
 * Two dialects: Squid's, with "include PATTERN...", and c-icap's, with "Include FILE".  Both join lines that end in a backslash
 * and know comments.  What setup itself once wrote can be taken out while a file is read (marks.h), so that what is found is
 * the administrator's alone.  What a directive means is not known here. */
#ifndef SETUP_CONF_H
#define SETUP_CONF_H

#include "base/buf.h"
#include "base/diag.h"

enum conf_dialect { CONF_SQUID, CONF_CICAP };

enum { CONF_FILE_MAX = 16 << 20, CONF_FILES_MAX = 1000, CONF_DEPTH_MAX = 16, CONF_TOP = SIZE_MAX >> 1 };

struct conf_file {
	char		*path;		/* as it is opened; links are followed */
	struct buf	 now;		/* as it is on the disk */
	struct buf	 text;		/* without what setup wrote: the lines that directives name */
	size_t		 included_by;	/* the directive of the first file that led here; CONF_TOP for the first file */
};

struct directive {
	size_t		 file;		/* of conf.files */
	unsigned	 line;		/* its first, from 1 */
	unsigned	 n_lines;	/* more than one when a backslash continues it */
	bool		 conditional;	/* within Squid's if ... endif */
	char		*text;
	struct slice	*words;		/* at least one, the name; borrowed from TEXT; quotes are taken away */
	size_t		 n_words;
};

struct conf {
	enum conf_dialect	 dialect;
	struct conf_file	*files;		/* in the order in which they are met; the first is the main one */
	size_t			 n_files;
	struct directive	*v;		/* in the order in which the daemon reads them */
	size_t			 n;
};

/* Whose lines are read: those of others, as if setup had never been called, or all that the daemon reads. */
enum conf_whose { CONF_OTHERS, CONF_ALL };

/* Read PATH and all that it includes.  ROOT stands before each absolute path that an include names; "" for none.  A relative one is
 * below the main file's folder.  -1 with errors in DIAG.  conf_fini() is due in either case. */
int conf_read(struct conf *conf, enum conf_dialect dialect, enum conf_whose whose, const char *path, const char *root,
    struct diag *diag);
void conf_fini(struct conf *conf);

/* D's word I; empty when it has no such. */
struct slice conf_word(const struct directive *d, size_t i);

/* The last directive of that name, which is the one that counts where only one can; NULL when there is none.  c-icap's names are
 * compared as they are, and so are Squid's. */
const struct directive *conf_last(const struct conf *conf, const char *name);

/* "FILE:LINE" of D into OUT, for people. */
enum { CONF_PLACE = 4200 };
void conf_place(const struct conf *conf, const struct directive *d, char out[static CONF_PLACE]);

#endif
