/* Folders for one call: what they leave, what a killed process leaves for the next one, and whose are never touched. */
#include "base/scratch.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "base/file.h"
#include "t/tap.h"

enum { NOBODY = 65534, CROWD = 6, ROUNDS = 60, LEFT_BY_MANY = 20, MADE = 17 };

static bool
is_there(const char *dir, const char *name)
{
	char *path = file_join(dir, name);
	struct stat st;
	bool there = lstat(path, &st) == 0;

	free(path);
	return there;
}

/* How many names DIR has that begin with KIND. */
static int
count(const char *dir, const char *kind)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	while (d != NULL && (e = readdir(d)) != NULL)
		n += strncmp(e->d_name, kind, strlen(kind)) == 0;
	if (d != NULL)
		closedir(d);
	return n;
}

static bool
put(const char *dir, const char *name)
{
	char *path = file_join(dir, name);
	int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);

	free(path);
	return fd != -1 && close(fd) == 0;
}

/* A folder in a folder, a file that may not be written, links to a file and a folder elsewhere. */
static bool
fill(const char *dir, const char *elsewhere)
{
	char *deep = file_join(dir, "a/b/c"), *file = file_join(elsewhere, "kept"), *link_there = file_join(dir, "a/link");
	char *same = file_join(dir, "a/same"), *folder = file_join(dir, "a/b/folder");
	bool good = file_mkdirs(deep, 0700) == 0 && put(deep, "file") && put(dir, "file") && symlink(file, link_there) == 0 &&
	    link(file, same) == 0 && symlink(elsewhere, folder) == 0;

	free(deep);
	free(file);
	free(link_there);
	free(same);
	free(folder);
	return good;
}

static void
test_one(const char *tmp, const char *elsewhere)
{
	struct scratch s, none = { .path = NULL };
	struct stat st;

	ok(scratch_make(&s, tmp, "one") == 0 && stat(s.path, &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 0777) == 0700, "a folder");
	ok(strncmp(s.path, tmp, strlen(tmp)) == 0 && count(tmp, "firebreak-one-") == 1, "in its place, with its name");
	ok(fill(s.path, elsewhere), "it can be filled");
	scratch_remove(&s);
	ok(s.path == NULL && count(tmp, "firebreak-one-") == 0, "and is gone, with all that was in it");
	ok(is_there(elsewhere, "kept") && is_there(elsewhere, "inside"), "but not what links led to");
	scratch_remove(&s);
	scratch_remove(&none);
	ok(scratch_make(&s, "/nonexistent", "one") == -1 && errno == ENOENT && s.path == NULL, "no place: ENOENT");
	scratch_remove(&s);
}

/* A process makes a folder and waits for its end, by a signal. */
static pid_t
live_with_one(const char *tmp, const char *elsewhere)
{
	struct scratch s;
	char made = 0;
	int fds[2];
	pid_t pid;

	if (pipe(fds) == -1 || (pid = tap_fork()) == -1)
		abort();
	if (pid == 0) {
		if (scratch_make(&s, tmp, "two") == 0 && fill(s.path, elsewhere))
			made = MADE;
		(void)!write(fds[1], &made, 1);
		for (;;)
			pause();
	}
	close(fds[1]);
	ok(read(fds[0], &made, 1) == 1 && made == MADE, "another process has a folder");
	close(fds[0]);
	return pid;
}

/* Make and remove one, so that others are cleaned. */
static bool
come_and_go(const char *tmp, const char *kind)
{
	struct scratch s;

	if (scratch_make(&s, tmp, kind) == -1)
		return false;
	scratch_remove(&s);
	return true;
}

static void
test_kill(const char *tmp, const char *elsewhere)
{
	pid_t pid = live_with_one(tmp, elsewhere);

	ok(come_and_go(tmp, "two") && count(tmp, "firebreak-two-") == 1, "who lives keeps his");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ok(count(tmp, "firebreak-two-") == 1, "who is killed leaves his");
	ok(come_and_go(tmp, "three") && count(tmp, "firebreak-two-") == 1, "to who makes one of another kind it is nothing");
	ok(come_and_go(tmp, "two") && count(tmp, "firebreak-two-") == 0, "who makes one of its kind removes it");
	ok(is_there(elsewhere, "kept") && is_there(elsewhere, "inside"), "but not what links led to");
}

/* What looks like one, and is none. */
static void
test_others(const char *tmp, const char *elsewhere)
{
	static const char *const folders[] = { "firebreak-four-longer7", "firebreak-four-short", "firebreak-four-dot.ed", "firebreak-four",
		"xfirebreak-four-AAAAAA" };
	char *link_there = file_join(tmp, "firebreak-four-LINK00"), *open_one = file_join(tmp, "firebreak-four-OPEN00");
	char *theirs = file_join(tmp, "firebreak-four-THEIRS"), *ours = file_join(tmp, "firebreak-four-OURS00");

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		char *path = file_join(tmp, folders[i]);

		ok(mkdir(path, 0700) == 0 && put(path, "x"), "%s", folders[i]);
		free(path);
	}
	ok(symlink(elsewhere, link_there) == 0 && chmod(elsewhere, 0700) == 0 && put(tmp, "firebreak-four-FILE00"), "a link, a file");
	ok(mkdir(open_one, 0700) == 0 && chmod(open_one, 0770) == 0 && put(open_one, "x"), "one that others may write");
	ok(mkdir(ours, 0700) == 0 && put(ours, "x"), "and one that was left");
	if (geteuid() == 0)
		ok(mkdir(theirs, 0700) == 0 && put(theirs, "x") && chown(theirs, NOBODY, NOBODY) == 0, "and one of another user's");
	ok(come_and_go(tmp, "four") && !is_there(tmp, "firebreak-four-OURS00"), "what was left goes");
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		ok(is_there(tmp, folders[i]), "%s stays", folders[i]);
	ok(is_there(tmp, "firebreak-four-LINK00") && is_there(elsewhere, "inside"), "a link stays, and where it leads to");
	ok(is_there(tmp, "firebreak-four-FILE00") && is_there(open_one, "x"), "a file, and what others may write");
	ok(geteuid() != 0 || is_there(theirs, "x"), "another user's");
	free(link_there);
	free(open_one);
	free(theirs);
	free(ours);
}

/* Make folders, each of which has to stay until it is removed; leave one. */
static bool
be_one_of_many(const char *tmp)
{
	struct scratch s;

	for (int i = 0; i < ROUNDS; i++) {
		if (scratch_make(&s, tmp, "many") == -1 || !put(s.path, "x") || !is_there(s.path, "x"))
			return false;
		scratch_remove(&s);
	}
	return scratch_make(&s, tmp, "many") == 0 && put(s.path, "x") && is_there(s.path, "x");
}

static void
test_crowd(const char *tmp)
{
	int failed = 0, status;

	for (int i = 0; i < CROWD; i++) {
		pid_t pid = tap_fork();

		if (pid == -1)
			abort();
		if (pid == 0)
			_exit(!be_one_of_many(tmp));
	}
	for (int i = 0; i < CROWD; i++)
		failed += wait(&status) == -1 || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	is_int(failed, 0, "where all clean, nobody loses his own");
	ok(come_and_go(tmp, "many") && count(tmp, "firebreak-many-") == 0, "and in the end nothing is left");
}

/* More than one call removes. */
static void
test_bound(const char *tmp)
{
	int after_one;

	for (int i = 0; i < LEFT_BY_MANY; i++) {
		char name[64], *path;

		snprintf(name, sizeof(name), "firebreak-five-%06d", i);
		path = file_join(tmp, name);
		if (mkdir(path, 0700) == -1)
			abort();
		free(path);
	}
	come_and_go(tmp, "five");
	after_one = count(tmp, "firebreak-five-");
	ok(after_one > 0 && after_one < LEFT_BY_MANY, "of very many some are removed");
	ok(come_and_go(tmp, "five") && count(tmp, "firebreak-five-") == 0, "and the rest the next time");
}

int
main(void)
{
	char *tmp = temp_dir(), *elsewhere = temp_dir();

	ok(put(elsewhere, "kept") && put(elsewhere, "inside"), "what stays");
	test_one(tmp, elsewhere);
	test_kill(tmp, elsewhere);
	test_others(tmp, elsewhere);
	test_crowd(tmp);
	test_bound(tmp);
	free(tmp);
	free(elsewhere);
	return tap_done();
}
