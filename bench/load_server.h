/* load_server.h - what a server and its children use: processor time and memory.
 *
 * Read from outside, from Linux's process clocks and /proc.  One thread. */
#ifndef BENCH_LOAD_SERVER_H
#define BENCH_LOAD_SERVER_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

enum { SERVER_PROCESSES = 256 };

struct load_server {
	pid_t	pids[SERVER_PROCESSES];	/* the given ones first, then their descendants */
	size_t	n;
};

/* Find the processes of S: the first GIVEN of S->pids and all that descend from them. */
void load_server_find(struct load_server *s, size_t given);

/* Processor time of all processes of S so far, in ns; those that have ended are left out. */
int64_t load_server_cpu(const struct load_server *s);

/* Proportional set size of all of them, in bytes; -1 when it may not be read. */
int64_t load_server_pss(const struct load_server *s);

#endif
