#include "setup/process.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "setup/array.h"

enum { TEXT_MAX = 1 << 20, PID_MAX_LEN = 32, USER_IDS = 4 };

/* PID runs the program in the file PROGRAM, under whatever name. */
static bool
runs(pid_t pid, const char *program)
{
	char path[64];
	struct stat a, b;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return stat(path, &a) == 0 && stat(program, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* PID is us to the kernel, by each of its user ids: nobody else chose what it was started with.  /proc/PID itself belongs to root
 * for whatever has changed its user, so its owner tells nothing. */
static bool
is_ours(pid_t pid)
{
	static const struct slice mark = SLICE("\nUid:");
	struct slice line, id, rest;
	char path[64];
	struct buf text;
	uint64_t uid;
	bool ours;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	buf_init(&text, TEXT_MAX);
	ours = file_read(path, &text) == 0;
	rest = buf_slice(&text);
	rest = slice_skip(rest, slice_search(rest, mark));
	ours = ours && rest.len > 0;
	rest = slice_skip(rest, mark.len);
	slice_cut(rest, '\n', &line, NULL);
	line = slice_trim(line);
	for (int i = 0; i < USER_IDS && ours; i++) {
		slice_cut(line, '\t', &id, &line);
		ours = slice_u64(id, &uid) == 0 && uid == geteuid();
	}
	buf_fini(&text);
	return ours;
}

/* The strings of /proc/PID/NAME; NULL.  *TEXT gets what they point into. */
static char **
strings_of(pid_t pid, const char *name, char **text)
{
	char path[64], **v = NULL;
	struct buf all;
	size_t n = 0;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	buf_init(&all, TEXT_MAX);
	if (file_read(path, &all) == 0 && all.len > 0 && (*text = malloc(all.len + 1)) != NULL) {
		memcpy(*text, all.p, all.len);
		(*text)[all.len] = '\0';
		for (char *p = *text; p < *text + all.len; p += strlen(p) + 1) {
			char **place = array_add(&v, &n, sizeof(*place));

			if (place == NULL)
				break;
			*place = p;
		}
		array_add(&v, &n, sizeof(*v));
	}
	buf_fini(&all);
	return v;
}

/* The number in FILE, which lies where a daemon's user may put what he likes: a pipe would keep us. */
static int
read_number(const char *file, uint64_t *pid)
{
	int fd = file == NULL ? -1 : open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), r = -1;
	struct stat st;
	struct buf text;

	if (fd == -1)
		return -1;
	buf_init(&text, PID_MAX_LEN);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && file_read_fd(fd, &text) == 0)
		r = slice_u64(slice_trim(buf_slice(&text)), pid);
	buf_fini(&text);
	close(fd);
	return r;
}

bool
process_of_file(const char *file, const char *program, struct process *out)
{
	char path[64], folder[PATH_MAX];
	uint64_t pid = 0;
	ssize_t n;

	*out = (struct process){ .pid = 0 };
	if (read_number(file, &pid) == -1 || pid == 0 || pid > INT32_MAX || !runs((pid_t)pid, program))
		return false;
	out->pid = (pid_t)pid;
	if (!is_ours(out->pid))
		return true;
	out->arguments = strings_of(out->pid, "cmdline", &out->text[0]);
	out->environment = strings_of(out->pid, "environ", &out->text[1]);
	snprintf(path, sizeof(path), "/proc/%d/cwd", (int)out->pid);
	n = readlink(path, folder, sizeof(folder) - 1);
	out->folder = n <= 0 ? strdup("/") : strndup(folder, (size_t)n);
	return true;
}

void
process_fini(struct process *p)
{
	free(p->arguments);
	free(p->environment);
	free(p->folder);
	free(p->text[0]);
	free(p->text[1]);
	*p = (struct process){ .pid = 0 };
}

int
process_tell(const char *path, struct slice order)
{
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC), r = -1;
	struct stat st;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		r = file_write_all(fd, order);
	close(fd);
	return r;
}
