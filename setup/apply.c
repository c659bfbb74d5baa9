#include "setup/apply.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "setup/marks.h"

/* ---- one file ---- */

/* A file of its own beside PATH with DATA, F's owner and mode: its descriptor is closed, its name is in FRESH.  -1 with errno. */
static int
write_fresh(char *fresh, const struct journal_file *f, struct slice data)
{
	int fd = mkostemp(fresh, O_CLOEXEC), saved;

	if (fd == -1)
		return -1;
	/* The owner first: a change of owner takes bits of the mode away. */
	if (((geteuid() == 0 || f->uid != geteuid() || f->gid != getegid()) && fchown(fd, f->uid, f->gid) == -1) ||
	    fchmod(fd, f->mode) == -1 || file_write_all(fd, data) == -1 || fsync(fd) == -1) {
		saved = errno;
		close(fd);
		unlink(fresh);
		errno = saved;
		return -1;
	}
	close(fd);
	return 0;
}

/* Replace F's file by DATA.  -1 with an error in DIAG. */
static int
exchange(const struct journal_file *f, struct slice data, struct diag *diag)
{
	const char *slash = strrchr(f->path, '/');
	char *fresh = NULL, *folder = strndup(f->path, (size_t)(slash - f->path));
	int r = -1;

	if (folder != NULL && asprintf(&fresh, "%s/.firebreak.%s.XXXXXX", folder, slash + 1) != -1 &&
	    write_fresh(fresh, f, data) == 0) {
		if ((r = rename(fresh, f->path)) == -1)
			unlink(fresh);
		else
			r = file_sync_dir(folder);
	}
	if (r == -1)
		diag_error(diag, "%s: %s", f->path, strerror(errno));
	free(fresh);
	free(folder);
	return r;
}

static int
take_away(const struct journal_file *f, struct diag *diag)
{
	if (unlink(f->path) == 0 || errno == ENOENT)
		return 0;
	diag_error(diag, "%s: %s", f->path, strerror(errno));
	return -1;
}

/* What is there now, and its sum.  1; 0 when there is no such file, with the sum ""; -1 with an error in DIAG. */
static int
look_at(const struct journal_file *f, struct buf *now, char sum[static JOURNAL_SUM], struct diag *diag)
{
	*sum = '\0';
	buf_init(now, CONF_FILE_MAX);
	if (file_read(f->path, now) == 0) {
		journal_sum(buf_slice(now), sum);
		return 1;
	}
	if (errno == ENOENT)
		return 0;
	diag_error(diag, "%s: %s", f->path, strerror(errno));
	return -1;
}

/* ---- a setup ---- */

/* What a process that was killed while it exchanged F's file left beside it. */
static void
clean_beside(const struct journal_file *f)
{
	char *copy = strdup(f->path);

	if (copy != NULL)
		file_clean(dirname(copy));
	free(copy);
}

/* The journal's entry for P, with the owner and mode that it has or is to get.  NULL with an error in DIAG. */
static struct journal_file *
entry_for(struct journal *j, const struct plan_file *p, struct diag *diag)
{
	struct journal_file *f = journal_file(j, p->path);
	struct stat st;

	if (f != NULL)
		return f;
	if (stat(p->exists ? p->path : p->model, &st) == -1 || (f = journal_add(j, p->path)) == NULL) {
		diag_error(diag, "%s: %s", p->path, strerror(errno));
		return NULL;
	}
	f->existed = p->exists && (p->before.len > 0 || !marks_found(buf_slice(&p->now)));
	f->mode = st.st_mode & ALLPERMS;
	f->uid = st.st_uid;
	f->gid = st.st_gid;
	return f;
}

/* Keep what is in P's file.  The original is what it is without our lines, unless it is kept already and still the same. */
static int
keep(struct journal *j, const struct plan_file *p, struct diag *diag)
{
	struct journal_file *f = entry_for(j, p, diag);
	char now[JOURNAL_SUM] = "";

	if (f == NULL)
		return -1;
	if (p->exists)
		journal_sum(buf_slice(&p->now), now);
	if (f->existed && (*f->original == '\0' || strcmp(now, f->after) != 0) &&
	    journal_keep(j, f, true, buf_slice(&p->before), diag) == -1)
		return -1;
	f->touched = true;
	f->last_existed = p->exists;
	*f->last = '\0';
	if (p->exists && journal_keep(j, f, false, buf_slice(&p->now), diag) == -1)
		return -1;
	journal_sum(buf_slice(&p->after), f->after);
	return 0;
}

int
apply_begin(struct journal *j, const struct plan *plan, struct diag *diag)
{
	j->first = j->phase == JOURNAL_NONE;
	for (size_t i = 0; i < j->n_files; i++)
		j->files[i].touched = false;
	for (size_t i = 0; i < plan->n_files; i++)
		if (keep(j, &plan->files[i], diag) == -1)
			return -1;
	j->phase = JOURNAL_CHANGING;
	return journal_write(j, diag);
}

int
apply_write(struct journal *j, const struct plan *plan, struct diag *diag)
{
	for (size_t i = 0; i < plan->n_files; i++) {
		const struct plan_file *p = &plan->files[i];

		if (p->exists && slice_eq(buf_slice(&p->now), buf_slice(&p->after)))
			continue;
		if (exchange(journal_file(j, p->path), buf_slice(&p->after), diag) == -1)
			return -1;
	}
	return 0;
}

int
apply_end(struct journal *j, struct diag *diag)
{
	j->phase = JOURNAL_DONE;
	return journal_write(j, diag);
}

static int
put_back(const struct journal *j, const struct journal_file *f, struct diag *diag)
{
	struct buf bytes;
	int r;

	clean_beside(f);
	if (!f->last_existed)
		return take_away(f, diag);
	buf_init(&bytes, CONF_FILE_MAX);
	r = journal_bytes(j, f, false, &bytes, diag) == 0 ? exchange(f, buf_slice(&bytes), diag) : -1;
	buf_fini(&bytes);
	return r;
}

/* F's file is not as it was before the setup that is under way: 1, or 0 when it is; -1 when nobody can tell. */
static int
needs_back(const struct journal_file *f, struct diag *diag)
{
	char sum[JOURNAL_SUM];
	struct buf now;
	int r = look_at(f, &now, sum, diag);

	buf_fini(&now);
	return r == -1 ? -1 : strcmp(sum, f->last) != 0;
}

int
apply_back(struct journal *j, struct diag *diag)
{
	int result = 0;

	for (size_t i = j->n_files; i > 0; i--) {
		const struct journal_file *f = &j->files[i - 1];
		int needs = f->touched ? needs_back(f, diag) : 0;

		if (needs == -1 || (needs == 1 && put_back(j, f, diag) == -1))
			result = -1;
		clean_beside(f);
	}
	return result;
}

int
apply_settle(struct journal *j, struct diag *diag)
{
	for (size_t i = 0; i < j->n_files; i++)
		if (j->files[i].touched)
			memcpy(j->files[i].after, j->files[i].last, sizeof(j->files[i].after));
	if (j->first)
		return journal_forget(j, diag);
	j->phase = JOURNAL_DONE;
	return journal_write(j, diag);
}

/* ---- undo ---- */

/* F's file as it was before the first setup. */
static int
restore(const struct journal *j, const struct journal_file *f, enum undo_what *what, struct diag *diag)
{
	struct buf bytes;
	int r;

	*what = f->existed ? UNDO_RESTORED : UNDO_REMOVED;
	if (!f->existed)
		return take_away(f, diag);
	buf_init(&bytes, CONF_FILE_MAX);
	r = journal_bytes(j, f, true, &bytes, diag) == 0 ? exchange(f, buf_slice(&bytes), diag) : -1;
	buf_fini(&bytes);
	return r;
}

/* F's file, which has NOW, was changed by somebody else: take what is ours out. */
static int
take_out(const struct journal_file *f, struct slice now, enum undo_what *what, struct diag *diag)
{
	struct buf left;
	int r = 0;

	buf_init(&left, CONF_FILE_MAX);
	*what = marks_found(now) ? UNDO_LINES : UNDO_FOREIGN;
	if (*what == UNDO_LINES) {
		if (marks_remove(now, &left) == -1)
			r = -1;
		else if (left.len == 0 && !f->existed)
			r = take_away(f, diag);
		else
			r = exchange(f, buf_slice(&left), diag);
	}
	buf_fini(&left);
	return r;
}

static int
undo_file(const struct journal *j, const struct journal_file *f, enum undo_what *what, struct diag *diag)
{
	char sum[JOURNAL_SUM];
	struct buf now;
	int there = look_at(f, &now, sum, diag), r = 0;

	*what = UNDO_AS_BEFORE;
	if (there == -1)
		r = -1;
	else if (there == 0 && f->existed)
		*what = UNDO_GONE;
	else if (strcmp(sum, f->original) == 0)
		;
	else if (strcmp(sum, f->after) == 0 || strcmp(sum, f->last) == 0)
		r = restore(j, f, what, diag);
	else
		r = take_out(f, buf_slice(&now), what, diag);
	buf_fini(&now);
	clean_beside(f);
	return r;
}

int
apply_undo(const struct journal *j, undo_visit *visit, void *arg, struct diag *diag)
{
	int result = 0;

	for (size_t i = j->n_files; i > 0; i--) {
		enum undo_what what;

		if (undo_file(j, &j->files[i - 1], &what, diag) == -1)
			result = -1;
		else
			visit(arg, j->files[i - 1].path, what);
	}
	return result;
}
