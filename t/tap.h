/* tap.h - the Test Anything Protocol for our C tests: ok, is, done.  One program, one thread (or a lock of its own). */
#ifndef T_TAP_H
#define T_TAP_H

#include <ftw.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/slice.h"

static int tap_n, tap_failed;

/* One test point.  NAME is printf-like. */
#define ok(cond, ...) tap_ok((cond), __FILE__, __LINE__, __VA_ARGS__)

__attribute__((format(printf, 4, 5), unused)) static bool
tap_ok(bool good, const char *file, int line, const char *fmt, ...)
{
	char name[512];
	va_list ap;

	__builtin_va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	__builtin_va_end(ap);
	for (char *p = name; *p != '\0'; p++)
		if (*p == '#' || *p == '\n')
			*p = '.';
	printf("%sok %d - %s\n", good ? "" : "not ", ++tap_n, name);
	if (!good) {
		tap_failed++;
		printf("# at %s:%d\n", file, line);
	}
	return good;
}

/* GOT and EXPECTED are the same bytes. */
__attribute__((unused)) static bool
is_slice(struct slice got, struct slice expected, const char *name)
{
	bool good = tap_ok(slice_eq(got, expected), "", 0, "%s", name);

	if (!good)
		printf("#      got: %.*s\n# expected: %.*s\n", SLICE_ARGS(got), SLICE_ARGS(expected));
	return good;
}

__attribute__((unused)) static bool
is_str(const char *got, const char *expected, const char *name)
{
	return is_slice(slice_str(got), slice_str(expected), name);
}

__attribute__((unused)) static bool
is_int(long long got, long long expected, const char *name)
{
	bool good = tap_ok(got == expected, "", 0, "%s", name);

	if (!good)
		printf("#      got: %lld\n# expected: %lld\n", got, expected);
	return good;
}

/* A copy of S that ends right before an unreadable page: one byte read too far is a crash.  Never freed. */
__attribute__((unused)) static struct slice
guard_copy(struct slice s)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), len = (s.len + page - 1) / page * page;
	char *p = mmap(NULL, len + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + len, page, PROT_NONE) == -1)
		abort();
	if (s.len > 0)
		memcpy(p + len - s.len, s.p, s.len);
	return slice_make(p + len - s.len, s.len);
}

static int
tap_remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

/* Remove PATH and all below it; fine when it is not there. */
__attribute__((unused)) static void
remove_tree(const char *path)
{
	enum { OPEN_FOLDERS = 16 };

	nftw(path, tap_remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}

/* What temp_dir() made. */
static struct tap_dir {
	char		*path;
	struct tap_dir	*next;
} *tap_dirs;

/* A new empty folder for this program, which tap_done() removes.  The string is the caller's. */
__attribute__((unused)) static char *
temp_dir(void)
{
	const char *top = getenv("TMPDIR");
	struct tap_dir *made = malloc(sizeof(*made));

	if (made == NULL || asprintf(&made->path, "%s/firebreak-test-XXXXXX", top != NULL ? top : "/tmp") == -1 ||
	    mkdtemp(made->path) == NULL)
		abort();
	made->next = tap_dirs;
	tap_dirs = made;
	return slice_dup(slice_str(made->path));
}

/* The plan, and the program's exit status. */
__attribute__((unused)) static int
tap_done(void)
{
	while (tap_dirs != NULL) {
		struct tap_dir *next = tap_dirs->next;

		remove_tree(tap_dirs->path);
		free(tap_dirs->path);
		free(tap_dirs);
		tap_dirs = next;
	}
	printf("1..%d\n", tap_n);
	return tap_failed > 0;
}

/* fork(), after what was said so far has gone out: a child's end may write its own copy of it (it does under TSan). */
static inline pid_t
tap_fork(void)
{
	fflush(stdout);
	return fork();
}

#endif
