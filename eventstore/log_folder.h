/* log_folder.h - a log and what rotation made of it: all files of one moment, open.
 *
 *	events.jsonl  events.jsonl.1  events.jsonl.2.gz  events.jsonl-20261123  events-20261123.jsonl.gz
 *
 * Files are renamed and compressed while one looks: the folder is read again until it says the same twice, so that no file is
 * missed and none is seen under two names.  Where a file and its compressed copy stand side by side the copy may be half
 * written, and is passed over. */
#ifndef EVENTSTORE_LOG_FOLDER_H
#define EVENTSTORE_LOG_FOLDER_H

#include <sys/stat.h>

#include "base/slice.h"

struct log_file {
	char		*name;		/* in the folder */
	int		 fd;		/* -1: ERROR says why it cannot be read */
	int		 error;		/* errno; ENOTSUP: of a compression that cannot be read here */
	struct stat	 st;
	bool		 current;	/* the log itself, which is written to */
};

struct log_folder {
	struct log_file	*v;		/* by name */
	size_t		 n;
};

/* More are EMFILE: all are open at once, and a process has 1,024 descriptors. */
enum { LOG_FOLDER_FILES = 900 };

/* Open the log at PATH and its siblings.  A log that is not there (yet) is no error, its folder is.  0, or -1 with errno; EAGAIN
 * when the folder did not hold still. */
int log_folder_open(struct log_folder *f, const char *path);
void log_folder_close(struct log_folder *f);

/* Whether NAME is one that rotation gives to the log BASE, or BASE itself. */
bool log_folder_is_sibling(struct slice base, struct slice name);

#endif
