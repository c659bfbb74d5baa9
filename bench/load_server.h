/* load_server.h - what a server and its children use: processor time and memory.
 *
 * Read from outside, from Linux's process clocks and /proc.  One thread. */
#ifndef BENCH_LOAD_SERVER_H
#define BENCH_LOAD_SERVER_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum { SERVER_PROCESSES = 256 };

struct load_server {
	pid_t	pids[SERVER_PROCESSES];	/* the given ones first, then their descendants */
	size_t	n;
};

/* Find the processes of S: the first GIVEN of S->pids and all that descend from them. */
void load_server_find(struct load_server *s, size_t given);

/* Processor time of all processes of S so far, in ns; those that have ended are left out. */
int64_t load_server_cpu(const struct load_server *s);

/* Memory of all of them, in bytes, by FIELD of /proc/PID/smaps_rollup: LOAD_PSS is their share of all that they have in memory,
 * LOAD_ANON what of it is no file's, which only swapping gives back.  -1 when it may not be read. */
#define LOAD_PSS	SLICE("Pss:")
#define LOAD_ANON	SLICE("Pss_Anon:")
int64_t load_server_memory(const struct load_server *s, struct slice field);

#endif
