/* process.h - a process that runs already: how it was started, so that it can be started again. */
#ifndef SETUP_PROCESS_H
#define SETUP_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/slice.h"

struct process {
	pid_t	 pid;		/* 0: there is none */
	char	**arguments, **environment;	/* end in NULL; NULL when they are not to be had, or to be believed */
	char	*folder;	/* where it works; NULL, too */
	char	*text[2];	/* what those point into */
};

/* The process that FILE has the number of, when it runs PROGRAM.  False, and OUT->pid is 0, when there is none.  How it was started
 * is told only of one that has our user in all its ids: FILE is often another user's, who can name a process of PROGRAM that he
 * started himself, with LD_PRELOAD and a configuration of his own.  process_fini() is due in either case.  FILE may be NULL. */
bool process_of_file(const char *file, const char *program, struct process *out);
void process_fini(struct process *p);

/* Write ORDER to the named pipe PATH, at which a daemon listens.  It may lie in a folder of another user: nothing is written to
 * what is a link, no pipe, or read by nobody.  -1 then. */
int process_tell(const char *path, struct slice order);

#endif
