#include "command/candidate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "command/caller.h"
#include "command/live.h"
#include "command/show.h"

enum { FILE_MODE = 0640 };

/* ---- links ---- */

/* A link to FROM at TO: what is removed there meanwhile stays readable when both are on one disk. */
static int
link_file(const char *from, const char *to, bool hard)
{
	return hard && link(from, to) == 0 ? 0 : symlink(from, to);
}

/* The absolute path of DIR/NAME; NULL with errno. */
static char *
full_path(const char *dir, const char *name)
{
	char *path = file_join(dir, name), *full = path == NULL ? NULL : realpath(path, NULL);

	free(path);
	return full;
}

/* Link NAME of the state folder FROM to that of TO, if it is there. */
static int
link_one(const char *from, const char *to, const char *name, bool hard)
{
	char *source = full_path(from, name), *target = file_join(to, name);
	int r = source == NULL || target == NULL ? -1 : link_file(source, target, hard);

	if (source == NULL && errno == ENOENT)
		r = 0;
	free(source);
	free(target);
	return r;
}

static bool
is_of_kind(const char *name, bool segments)
{
	return name[0] != '.' && (!segments || slice_ends(slice_str(name), SLICE(".seg")));
}

/* Link what the folder NAME has, all of it or its SEGMENTS alone; a folder that is not there is empty. */
static int
link_all(const char *from, const char *to, const char *name, bool segments)
{
	char *source = file_join(from, name), *target = file_join(to, name);
	DIR *dir = source == NULL || target == NULL ? NULL : opendir(source);
	int r = dir == NULL && errno != ENOENT ? -1 : 0;
	struct dirent *e;

	while (r == 0 && dir != NULL && (e = readdir(dir)) != NULL)
		if (is_of_kind(e->d_name, segments))
			r = link_one(source, target, e->d_name, segments);
	if (dir != NULL)
		closedir(dir);
	free(source);
	free(target);
	return r;
}

/* A copy of the MANIFEST: publish() replaces it. */
static int
copy_manifest(const char *from, const char *to)
{
	char source[STATE_PATH], target[STATE_PATH];
	struct buf text;
	int r = 0;

	if (state_path(from, STATE_MANIFEST, source) == -1 || state_path(to, STATE_MANIFEST, target) == -1)
		return -1;
	buf_init(&text, SIZE_MAX / 2);
	if (file_read(source, &text) == 0)
		r = file_write(target, buf_slice(&text), FILE_MODE);
	else
		r = errno == ENOENT ? 0 : -1;
	buf_fini(&text);
	return r;
}

/* What who called may read, and whom he goes on as may not. */
static int
copy_list(const char *path, const char *target)
{
	int fd = caller_open(path, O_RDONLY | O_CLOEXEC), r = -1;
	struct buf text;

	if (fd == -1)
		return -1;
	buf_init(&text, SIZE_MAX / 2);
	if (file_read_fd(fd, &text) == 0)
		r = file_write(target, buf_slice(&text), FILE_MODE);
	buf_fini(&text);
	close(fd);
	return r;
}

static int
link_or_copy(const char *path, const char *target)
{
	char *full = realpath(path, NULL);
	int r;

	if (full == NULL || faccessat(AT_FDCWD, full, R_OK, AT_EACCESS) == -1)
		r = copy_list(path, target);
	else
		r = symlink(full, target);
	free(full);
	return r;
}

/* Put the list at PATH among the sources of TO. */
static int
link_list(const char *path, const char *to)
{
	const char *slash = strrchr(path, '/');
	char sources[STATE_PATH], *target = NULL;
	int r = -1;

	if (state_path(to, STATE_SOURCES, sources) == 0 && (target = file_join(sources, slash == NULL ? path : slash + 1)) != NULL) {
		unlink(target);
		r = link_or_copy(path, target);
	}
	free(target);
	return r;
}

/* All that publish() reads.  The MANIFEST comes before the segments that it names are linked; one that is gone by then is found
 * to be missing. */
static int
fill(const char *from, const char *to, const char *file)
{
	static const char *const files[] = { STATE_SITE, STATE_LOOKALIKE, STATE_SETTINGS, STATE_HELD, STATE_APPROVED };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (link_one(from, to, files[i], false) == -1)
			return -1;
	if (copy_manifest(from, to) == -1 || link_all(from, to, STATE_RULES, true) == -1 || link_all(from, to, STATE_SOURCES, false) == -1)
		return -1;
	return file == NULL ? 0 : link_list(file, to);
}

/* ---- publishing there ---- */

/* Findings name files of the folder that is about to go. */
static void
name_real_files(struct diag *diag, const char *dir, const char *state)
{
	size_t len = strlen(dir);

	for (size_t i = 0; i < diag->n; i++) {
		char *file = diag->v[i].file, *real;

		if (file == NULL || strncmp(file, dir, len) != 0)
			continue;
		if (asprintf(&real, "%s%s", state, file + len) == -1)
			continue;
		free(file);
		diag->v[i].file = real;
	}
}

static int
make(const struct call *c, const struct publish_options *options, struct candidate *out, struct diag *diag)
{
	struct live_request rq = live_request(c);
	char rules[STATE_PATH];

	rq.options.state = out->dir;
	rq.options.only = options->only;
	rq.options.lists = options->lists;
	rq.options.suffix_file = options->suffix_file;
	rq.options.forward = true;
	show_progress("reading sources");
	if (publish(&rq.options, &out->report, diag) == -1 || state_path(out->dir, STATE_RULES, rules) == -1)
		return -1;
	out->g = generation_open(rules, false, NULL, diag);
	return out->g == NULL ? -1 : 0;
}

int
candidate_make(const struct call *c, const struct publish_options *options, const char *file, struct candidate *out,
    struct diag *diag)
{
	const char *tmp = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : P_tmpdir, *dir;
	int r;

	*out = (struct candidate){ 0 };
	if (scratch_make(&out->scratch, tmp, "rehearse") == -1) {
		diag_add(diag, DIAG_ERROR, tmp, 0, 0, "%s", strerror(errno));
		return -1;
	}
	dir = out->dir = out->scratch.path;
	if (state_make(dir) == -1 || fill(c->state, dir, file) == -1) {
		diag_add(diag, DIAG_ERROR, file != NULL && access(file, R_OK) == -1 ? file : dir, 0, 0, "%s", strerror(errno));
		return -1;
	}
	r = make(c, options, out, diag);
	show_progress_end();
	name_real_files(diag, dir, c->state);
	return r;
}

const char *
candidate_source(const char *file, char name[static MANIFEST_NAME + 1])
{
	const char *slash = strrchr(file, '/'), *base = slash == NULL ? file : slash + 1, *dot = strrchr(base, '.');

	snprintf(name, MANIFEST_NAME + 1, "%.*s", dot == NULL || dot == base ? MANIFEST_NAME : (int)(dot - base), base);
	return name;
}

/* ---- going ---- */

void
candidate_fini(struct candidate *candidate)
{
	generation_close(candidate->g);
	scratch_remove(&candidate->scratch);
	*candidate = (struct candidate){ 0 };
}
