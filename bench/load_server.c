#include "bench/load_server.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE_MAX_BYTES = 1024, KB = 1024 };
#define NS_PER_S INT64_C(1000000000)

/* The parent of PID; 0 when it is gone. */
static pid_t
parent_of(pid_t pid)
{
	char path[64], line[LINE_MAX_BYTES];
	FILE *f;
	char *name_end;
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return 0;
	if (fgets(line, sizeof(line), f) != NULL && (name_end = strrchr(line, ')')) != NULL) {
		struct slice rest = slice_str(name_end), field;
		uint64_t n;

		for (int i = 0; i < 3; i++)
			slice_cut(rest, ' ', &field, &rest);
		if (slice_u64(field, &n) == 0)
			parent = (int)n;
	}
	fclose(f);
	return parent;
}

static bool
has(const struct load_server *s, pid_t pid)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->pids[i] == pid)
			return true;
	return false;
}

/* One look at all processes; true when a new one was found. */
static bool
find_children(struct load_server *s)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;
	bool found = false;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		uint64_t pid;

		if (slice_u64(slice_str(e->d_name), &pid) == -1 || has(s, (pid_t)pid) || s->n == SERVER_PROCESSES ||
		    !has(s, parent_of((pid_t)pid)))
			continue;
		s->pids[s->n++] = (pid_t)pid;
		found = true;
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

void
load_server_find(struct load_server *s, size_t given)
{
	s->n = given;
	while (find_children(s))
		;
}

int64_t
load_server_cpu(const struct load_server *s)
{
	int64_t sum = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct timespec t;
		clockid_t clock;

		if (clock_getcpuclockid(s->pids[i], &clock) == 0 && clock_gettime(clock, &t) == 0)
			sum += t.tv_sec * NS_PER_S + t.tv_nsec;
	}
	return sum;
}

static int64_t
memory_of(pid_t pid, struct slice field)
{
	char path[64], line[LINE_MAX_BYTES];
	int64_t memory = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return -1;
	while (memory == -1 && fgets(line, sizeof(line), f) != NULL) {
		struct slice value = slice_str(line), word;
		uint64_t n;

		if (!slice_starts(value, field))
			continue;
		slice_cut(slice_trim(slice_skip(value, field.len)), ' ', &word, NULL);
		memory = slice_u64(word, &n) == 0 ? (int64_t)n * KB : -1;
	}
	fclose(f);
	return memory;
}

int64_t
load_server_memory(const struct load_server *s, struct slice field)
{
	int64_t sum = 0;

	for (size_t i = 0; i < s->n; i++) {
		int64_t memory = memory_of(s->pids[i], field);

		if (memory == -1)
			return -1;
		sum += memory;
	}
	return sum;
}
