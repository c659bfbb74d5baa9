/* process.h - a process that runs already: how it was started, so that it can be started again. */
#ifndef SETUP_PROCESS_H
#define SETUP_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

struct process {
	pid_t	 pid;		/* 0: there is none */
	char	**arguments, **environment;	/* end in NULL; the second is NULL when it could not be read */
	char	*folder;	/* where it works */
	char	*text[2];	/* what those point into */
};

/* The process that FILE has the number of, when it runs PROGRAM.  False, and OUT->pid is 0, when there is none.  process_fini()
 * is due in either case.  FILE may be NULL. */
bool process_of_file(const char *file, const char *program, struct process *out);
void process_fini(struct process *p);

#endif
