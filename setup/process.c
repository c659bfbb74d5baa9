#include "setup/process.h"

#include <sys/stat.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "setup/array.h"

enum { TEXT_MAX = 1 << 20, PID_MAX_LEN = 32 };

/* PID runs the program in the file PROGRAM, under whatever name. */
static bool
runs(pid_t pid, const char *program)
{
	char path[64];
	struct stat a, b;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return stat(path, &a) == 0 && stat(program, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
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

bool
process_of_file(const char *file, const char *program, struct process *out)
{
	char path[64], folder[PATH_MAX];
	struct buf text;
	uint64_t pid = 0;
	ssize_t n;

	*out = (struct process){ .pid = 0 };
	buf_init(&text, PID_MAX_LEN);
	if (file == NULL || file_read(file, &text) == -1 || slice_u64(slice_trim(buf_slice(&text)), &pid) == -1 || pid == 0 ||
	    pid > INT32_MAX || !runs((pid_t)pid, program)) {
		buf_fini(&text);
		return false;
	}
	buf_fini(&text);
	out->pid = (pid_t)pid;
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
