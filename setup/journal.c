#include "setup/journal.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "setup/array.h"
#include "setup/conf.h"

#define FOLDER	"setup"
#define NAME	"journal.json"
#define FRESH	"fresh"		/* a file that is being written */

enum { VERSION = 1, JSON_MAX = 1 << 20 };

static const char *const phases[] = { [JOURNAL_NONE] = "none", [JOURNAL_CHANGING] = "changing", [JOURNAL_DONE] = "done" };

void
journal_sum(struct slice bytes, char out[static JOURNAL_SUM])
{
	struct digest d = { .alg = DIGEST_SHA256 };

	*out = '\0';
	if (EVP_Digest(bytes.p == NULL ? "" : bytes.p, bytes.len, d.b, NULL, EVP_sha256(), NULL) == 1)
		digest_format(&d, out);
}

/* ---- files in the folder ---- */

static int
fail(const struct journal *j, const char *name, struct diag *diag)
{
	diag_error(diag, "%s/%s: %s", j->path, name, strerror(errno));
	return -1;
}

static int
put(const struct journal *j, const char *name, struct slice bytes, struct diag *diag)
{
	int fd;

	unlinkat(j->folder, FRESH, 0);
	if ((fd = openat(j->folder, FRESH, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)) == -1)
		return fail(j, name, diag);
	if (file_write_all(fd, bytes) == -1 || fsync(fd) == -1 || renameat(j->folder, FRESH, j->folder, name) == -1 ||
	    fsync(j->folder) == -1) {
		fail(j, name, diag);
		close(fd);
		return -1;
	}
	close(fd);
	return 0;
}

/* Append what is in NAME to OUT.  -1 with errno: EPERM when somebody else may have written it. */
static int
get(const struct journal *j, const char *name, struct buf *out)
{
	int fd = openat(j->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), r, saved;
	struct stat st;

	if (fd == -1)
		return -1;
	if ((r = fstat(fd, &st)) == 0 && (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)) {
		errno = EPERM;
		r = -1;
	}
	if (r == 0)
		r = file_read_fd(fd, out);
	saved = errno;
	close(fd);
	errno = saved;
	return r;
}

int
journal_keep(struct journal *j, struct journal_file *f, bool original, struct slice bytes, struct diag *diag)
{
	char *sum = original ? f->original : f->last;

	journal_sum(bytes, sum);
	return put(j, sum, bytes, diag);
}

int
journal_bytes(const struct journal *j, const struct journal_file *f, bool original, struct buf *out, struct diag *diag)
{
	const char *name = original ? f->original : f->last;
	char sum[JOURNAL_SUM];

	if (get(j, name, out) == -1)
		return fail(j, name, diag);
	journal_sum(buf_slice(out), sum);
	if (strcmp(sum, name) == 0)
		return 0;
	diag_error(diag, "%s/%s: is damaged: its SHA-256 is another", j->path, name);
	return -1;
}

/* ---- the journal itself ---- */

static json_t *
file_json(const struct journal_file *f)
{
	return json_pack("{s:s%, s:b, s:b, s:b, s:i, s:I, s:I, s:s, s:s, s:s}", "path", f->path, strlen(f->path), "existed", f->existed,
	    "last_existed", f->last_existed, "touched", f->touched, "mode", (int)f->mode, "uid", (json_int_t)f->uid, "gid",
	    (json_int_t)f->gid,
	    "original", f->original, "last", f->last, "after", f->after);
}

int
journal_write(const struct journal *j, struct diag *diag)
{
	const struct daemons *d = &j->daemons;
	json_t *files = json_array(), *all;
	char *text = NULL;
	int r = -1;

	for (size_t i = 0; i < j->n_files; i++)
		json_array_append_new(files, file_json(&j->files[i]));
	all = json_pack("{s:i, s:s, s:b, s:o, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:b, s:b, s:b, s:b, s:b, s:b}",
	    "version",
	    VERSION,
	    "phase", phases[j->phase], "first", j->first, "files", files, "squid", d->squid, "squid_conf", d->squid_conf,
	    "squid_name", d->squid_name, "cicap", d->cicap, "cicap_conf", d->cicap_conf, "pid_file", d->pid_file, "command", d->command,
	    "icap", d->icap, "user", d->user,
	    "moves_port", d->moves_port, "own_squid", d->own_squid, "own_cicap", d->own_cicap, "started_squid", d->started_squid,
	    "started_cicap", d->started_cicap, "enabled_cicap", d->enabled_cicap);
	if (all != NULL && json_array_size(files) == j->n_files && (text = json_dumps(all, JSON_INDENT(1))) != NULL)
		r = put(j, NAME, slice_str(text), diag);
	else
		diag_error(diag, "%s/" NAME ": cannot be written: no memory, or a path that is not UTF-8", j->path);
	json_decref(all);
	free(text);
	return r;
}

/* The string KEY of J, a copy; NULL when it is not there. */
static char *
text_of(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s == NULL ? NULL : strdup(s);
}

static bool
flag_of(const json_t *j, const char *key)
{
	return json_is_true(json_object_get(j, key));
}

static void
sum_of(const json_t *j, const char *key, char out[static JOURNAL_SUM])
{
	const char *s = json_string_value(json_object_get(j, key));

	snprintf(out, JOURNAL_SUM, "%s", s == NULL ? "" : s);
}

static int
read_file(struct journal *j, const json_t *in)
{
	const char *path = json_string_value(json_object_get(in, "path"));
	struct journal_file *f = path == NULL || *path != '/' ? NULL : journal_add(j, path);

	if (f == NULL)
		return -1;
	f->existed = flag_of(in, "existed");
	f->last_existed = flag_of(in, "last_existed");
	f->touched = flag_of(in, "touched");
	f->mode = (mode_t)json_integer_value(json_object_get(in, "mode")) & ALLPERMS;
	f->uid = (uid_t)json_integer_value(json_object_get(in, "uid"));
	f->gid = (gid_t)json_integer_value(json_object_get(in, "gid"));
	sum_of(in, "original", f->original);
	sum_of(in, "last", f->last);
	sum_of(in, "after", f->after);
	return 0;
}

static int
read_all(struct journal *j, const json_t *in)
{
	const char *phase = json_string_value(json_object_get(in, "phase"));
	const json_t *files = json_object_get(in, "files"), *f;
	struct daemons *d = &j->daemons;
	size_t i;

	if (json_integer_value(json_object_get(in, "version")) != VERSION || phase == NULL || !json_is_array(files))
		return -1;
	j->phase = strcmp(phase, phases[JOURNAL_DONE]) == 0 ? JOURNAL_DONE : JOURNAL_CHANGING;
	j->first = flag_of(in, "first");
	/* Who was killed may have moved the port or not. */
	d->must_restart = flag_of(in, "moves_port") || j->phase == JOURNAL_CHANGING;
	d->squid = text_of(in, "squid");
	d->squid_conf = text_of(in, "squid_conf");
	d->squid_name = text_of(in, "squid_name");
	d->cicap = text_of(in, "cicap");
	d->cicap_conf = text_of(in, "cicap_conf");
	d->pid_file = text_of(in, "pid_file");
	d->command = text_of(in, "command");
	d->icap = text_of(in, "icap");
	d->user = text_of(in, "user");
	d->moves_port = flag_of(in, "moves_port");
	d->own_squid = flag_of(in, "own_squid");
	d->own_cicap = flag_of(in, "own_cicap");
	d->started_squid = flag_of(in, "started_squid");
	d->started_cicap = flag_of(in, "started_cicap");
	d->enabled_cicap = flag_of(in, "enabled_cicap");
	json_array_foreach((json_t *)files, i, f)
		if (read_file(j, f) == -1)
			return -1;
	return 0;
}

static int
read_journal(struct journal *j, struct diag *diag)
{
	struct buf text;
	json_error_t error;
	json_t *all;
	int r = -1;

	buf_init(&text, JSON_MAX);
	if (get(j, NAME, &text) == -1) {
		r = errno == ENOENT ? 0 : fail(j, NAME, diag);
		buf_fini(&text);
		return r;
	}
	all = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, &error);
	if (all != NULL && read_all(j, all) == 0)
		r = 0;
	else
		diag_error(diag, "%s/" NAME ": is damaged, or of another version", j->path);
	json_decref(all);
	buf_fini(&text);
	return r;
}

/* ---- the folder ---- */

/* Open the folder and wait for its lock: who held it may have removed it meanwhile.  -1 with errno. */
static int
open_locked(struct journal *j, bool make, struct stat *st)
{
	for (;;) {
		if (make && mkdir(j->path, 0700) == -1 && errno != EEXIST)
			return -1;
		if ((j->folder = open(j->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) == -1)
			return -1;
		if (fstat(j->folder, st) == -1)
			return -1;
		/* Not before it is known to be ours: anybody may hold a lock on what is his. */
		if (st->st_uid != geteuid() || (st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
			return errno = EPERM, -1;
		if (file_lock(j->folder) == -1 || fstat(j->folder, st) == -1)
			return -1;
		if (st->st_nlink > 0)
			return 0;
		close(j->folder);
	}
}

int
journal_open(struct journal *j, const char *state, bool make, struct diag *diag)
{
	struct stat st;

	*j = (struct journal){ .folder = -1, .first = true };
	if ((j->path = file_join(state, FOLDER)) == NULL) {
		diag_error(diag, "%s", strerror(ENOMEM));
		return -1;
	}
	if (open_locked(j, make, &st) == 0)
		return read_journal(j, diag);
	if (errno == ENOENT && !make)
		return 0;
	if (errno == EPERM)
		diag_error(diag, "%s: does not belong to who asks, or others may write there: what is in it cannot be trusted", j->path);
	else
		fail(j, "", diag);
	return -1;
}

void
journal_close(struct journal *j)
{
	for (size_t i = 0; i < j->n_files; i++)
		free(j->files[i].path);
	free(j->files);
	free(j->path);
	daemons_fini(&j->daemons);
	if (j->folder != -1)
		close(j->folder);
	*j = (struct journal){ .folder = -1 };
}

struct journal_file *
journal_file(struct journal *j, const char *path)
{
	for (size_t i = 0; i < j->n_files; i++)
		if (strcmp(j->files[i].path, path) == 0)
			return &j->files[i];
	return NULL;
}

struct journal_file *
journal_add(struct journal *j, const char *path)
{
	struct journal_file *f = array_add(&j->files, &j->n_files, sizeof(*f));

	if (f == NULL || (f->path = strdup(path)) == NULL)
		return NULL;
	return f;
}

int
journal_forget(struct journal *j, struct diag *diag)
{
	int fd = openat(j->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);

	/* The journal first: what is without one is nothing. */
	if (dir == NULL || (unlinkat(j->folder, NAME, 0) == -1 && errno != ENOENT)) {
		fail(j, NAME, diag);
		if (dir != NULL)
			closedir(dir);
		else if (fd != -1)
			close(fd);
		return -1;
	}
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		if (e->d_type == DT_REG || e->d_type == DT_UNKNOWN)
			unlinkat(j->folder, e->d_name, 0);
	closedir(dir);
	j->phase = JOURNAL_NONE;
	if (rmdir(j->path) == -1 && errno != ENOTEMPTY && errno != EEXIST)
		return fail(j, "", diag);
	return 0;
}
