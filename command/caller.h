/* caller.h - who called, while the process goes on as somebody else (call_become_owner()).
 *
 * The state folder's owner reads and writes what is in that folder; what root named on the command line is root's to open, and its
 * place may be closed to the owner.  So between caller_begin() and caller_end() root is root again, which only the real user id
 * allows.  For all other callers nothing of this does anything.  Not while other threads open files. */
#ifndef COMMAND_CALLER_H
#define COMMAND_CALLER_H

#include <sys/types.h>

#include <stdbool.h>

struct caller {
	bool	away;		/* the process was somebody else, and is the caller until caller_end() */
	uid_t	uid;		/* whom it becomes again */
	gid_t	gid;
};

/* The process is the caller, until caller_end(), which keeps errno. */
void caller_begin(struct caller *was);
void caller_end(const struct caller *was);

/* The same as the owner of the folder that PATH is in, as far as that can be told: what others than root may have put there is
 * looked at, and replaced, as they would. */
void caller_begin_beside(struct caller *was, const char *path);

/* open(2) of what the caller named. */
int caller_open(const char *path, int flags);

/* The same for reading a log that is named in the state folder, where root's word is not asked: a regular file, and nothing else
 * is opened.  -1 with errno, EPERM when it is none. */
int caller_open_log(const char *path);

#endif
