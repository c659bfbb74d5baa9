#include "eventstore/log_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { TRIES = 50 };

static const struct slice packed[] = { SLICE(".gz"), SLICE(".xz"), SLICE(".bz2"), SLICE(".zst"), SLICE(".lz4"), SLICE(".lzma") };
enum { PACKED_GZIP, N_PACKED = sizeof(packed) / sizeof(*packed) };

/* What compression NAME says; N_PACKED for none. */
static size_t
packing_of(struct slice name)
{
	size_t i = 0;

	while (i < N_PACKED && !slice_ends(name, packed[i]))
		i++;
	return i;
}

static struct slice
without_packing(struct slice name)
{
	size_t i = packing_of(name);

	return i == N_PACKED ? name : slice_head(name, name.len - packed[i].len);
}

/* S is a number or a date, with what stands before and within: ".1", "-20261123", "-2026-11-23.2", or nothing. */
static bool
is_turn(struct slice s)
{
	if (s.len > 0 && (!strchr(".-_", *s.p) || *s.p == '\0' || s.len == 1))
		return false;
	for (size_t i = 1; i < s.len; i++)
		if (!ascii_is_digit(s.p[i]) && strchr(".-_T", s.p[i]) == NULL)
			return false;
	return s.len == 0 || ascii_is_digit(s.p[s.len - 1]);
}

bool
log_folder_is_sibling(struct slice base, struct slice name)
{
	size_t dot = base.len;

	name = slice_eq(name, base) ? name : without_packing(name);
	if (slice_starts(name, base) && is_turn(slice_skip(name, base.len)))
		return true;
	while (dot > 0 && base.p[dot - 1] != '.')
		dot--;
	/* logrotate's "extension": the date comes before it. */
	if (dot <= 1 || !slice_ends(name, slice_skip(base, dot - 1)) || !slice_starts(name, slice_head(base, dot - 1)))
		return false;
	return is_turn(slice_skip(slice_head(name, name.len - (base.len - dot + 1)), dot - 1));
}

void
log_folder_close(struct log_folder *f)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->v[i].fd != -1)
			close(f->v[i].fd);
		free(f->v[i].name);
	}
	free(f->v);
	*f = (struct log_folder){ 0 };
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct log_file *)a)->name, ((const struct log_file *)b)->name);
}

static int
add_name(struct log_folder *f, const char *name, bool current)
{
	struct log_file *v;
	char *copy;

	if (f->n == LOG_FOLDER_FILES)
		return errno = EMFILE, -1;
	copy = strdup(name);
	v = copy == NULL ? NULL : realloc(f->v, (f->n + 1) * sizeof(*v));
	if (v == NULL) {
		free(copy);
		return errno = ENOMEM, -1;
	}
	f->v = v;
	f->v[f->n++] = (struct log_file){ .name = copy, .fd = -1, .current = current };
	return 0;
}

/* The names of BASE and its siblings in FOLDER, a descriptor. */
static int
list(struct log_folder *f, int folder, struct slice base)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0, saved;
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	while (errno = 0, r == 0 && (entry = readdir(dir)) != NULL) {
		struct slice name = slice_str(entry->d_name);

		if (log_folder_is_sibling(base, name))
			r = add_name(f, entry->d_name, slice_eq(name, base));
	}
	saved = errno;
	closedir(dir);
	if (saved != 0)
		return errno = saved, -1;
	if (f->n > 1)
		qsort(f->v, f->n, sizeof(*f->v), by_name);
	return 0;
}

/* The plain file beside a compressed one has the same text, and is whole. */
static bool
has_plain(const struct log_folder *f, const struct log_file *file)
{
	struct slice plain = without_packing(slice_str(file->name));

	for (size_t i = 0; i < f->n; i++)
		if (&f->v[i] != file && slice_eq(slice_str(f->v[i].name), plain))
			return true;
	return false;
}

/* What FILE is; ENOENT for what is no log: a folder, a socket, a copy, or gone. */
static void
look_at(const struct log_folder *f, struct log_file *file, int folder)
{
	size_t packing = packing_of(slice_str(file->name));

	file->error = fstatat(folder, file->name, &file->st, 0) == -1 ? errno : 0;
	if (file->error == 0 && (!S_ISREG(file->st.st_mode) || has_plain(f, file)))
		file->error = ENOENT;
	else if (file->error == 0 && packing != N_PACKED && packing != PACKED_GZIP && !file->current)
		file->error = ENOTSUP;
}

/* The logs in FOLDER as they are now, not open yet. */
static int
look(struct log_folder *f, int folder, struct slice base)
{
	size_t kept = 0;

	if (list(f, folder, base) == -1)
		return -1;
	for (size_t i = 0; i < f->n; i++)
		look_at(f, &f->v[i], folder);
	for (size_t i = 0; i < f->n; i++) {
		if (f->v[i].error == ENOENT)
			free(f->v[i].name);
		else
			f->v[kept++] = f->v[i];
	}
	f->n = kept;
	return 0;
}

/* Open what was looked at.  EAGAIN when it is something else by now. */
static int
open_files(struct log_folder *f, int folder)
{
	for (size_t i = 0; i < f->n; i++) {
		struct log_file *file = &f->v[i];
		struct stat st = file->st;

		if (file->error != 0)
			continue;
		file->fd = openat(folder, file->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (file->fd == -1 && errno != ENOENT)
			file->error = errno;
		else if (file->fd == -1 || fstat(file->fd, &file->st) == -1 || file->st.st_ino != st.st_ino ||
		    file->st.st_dev != st.st_dev)
			return errno = EAGAIN, -1;
	}
	return 0;
}

static bool
same_files(const struct log_folder *a, const struct log_folder *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i].name, b->v[i].name) != 0 || a->v[i].st.st_ino != b->v[i].st.st_ino ||
		    a->v[i].st.st_dev != b->v[i].st.st_dev)
			return false;
	return true;
}

/* All that is there at one moment.  -1 with EAGAIN when something moved meanwhile. */
static int
open_all(struct log_folder *f, int folder, struct slice base)
{
	struct log_folder again = { 0 };
	int r = -1;

	if (look(f, folder, base) == 0 && open_files(f, folder) == 0 && look(&again, folder, base) == 0) {
		r = same_files(f, &again) ? 0 : -1;
		errno = EAGAIN;
	}
	log_folder_close(&again);
	return r;
}

int
log_folder_open(struct log_folder *f, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct slice base = slice_str(slash == NULL ? path : slash + 1);
	char *dir = slash == NULL ? strdup(".") : slice_dup(slice_make(path, (size_t)(slash - path) + 1));
	int folder = dir == NULL ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = -1, saved;

	free(dir);
	*f = (struct log_folder){ 0 };
	if (folder == -1)
		return -1;
	for (int i = 0; i < TRIES && (r = open_all(f, folder, base)) == -1; i++) {
		saved = errno;
		log_folder_close(f);
		errno = saved;
		if (errno != EAGAIN)
			break;
	}
	saved = errno;
	close(folder);
	errno = saved;
	return r;
}
