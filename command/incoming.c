#include "command/incoming.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "alerts/alert.h"
#include "base/clock.h"
#include "base/file.h"
#include "command/import.h"

enum { MODE_FOLDER = 02775 };

/* The text of the file at PATH into OUT.  1: it is left alone, for now or ever; -1 with errno. */
static int
read_text(const char *path, int64_t now, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY), r, saved;
	struct stat st;

	if (fd == -1)
		return -1;
	r = fstat(fd, &st);
	if (r == 0 && (!S_ISREG(st.st_mode) || now - st.st_mtim.tv_sec < INCOMING_QUIET_S))
		r = 1;
	if (r == 0)
		r = file_read_fd(fd, out);
	saved = errno;
	close(fd);
	errno = saved;
	return r;
}

/* Move NAME to the folder WHERE in it, which is made; SAID: tell where it is now. */
static void
move(const struct call *c, int64_t now, const char *name, const char *where, bool said, struct diag *diag)
{
	char dir[STATE_PATH], from[STATE_PATH] = STATE_INCOMING "/", to[STATE_PATH], part[STATE_PATH], date[CLOCK_TEXT];

	clock_format_s(now, date);
	snprintf(part, sizeof(part), STATE_INCOMING "/%s", where);
	if (state_path(c->state, part, dir) == -1 || file_mkdirs(dir, MODE_FOLDER) == -1)
		goto fail;
	snprintf(part, sizeof(part), STATE_INCOMING "/%s", name);
	if (state_path(c->state, part, from) == -1)
		goto fail;
	snprintf(part, sizeof(part), STATE_INCOMING "/%s/%s-%.200s", where, date, name);
	if (state_path(c->state, part, to) == 0 && rename(from, to) == 0) {
		if (said)
			diag_add(diag, DIAG_NOTE, from, 0, 0, "moved to %s", to);
		return;
	}
fail:
	diag_add(diag, DIAG_WARNING, from, 0, 0, "cannot be moved to " STATE_INCOMING "/%s: %s", where, strerror(errno));
}

/* The text of the file at PATH, with its rules.  0; 1 with an error when it is refused, -1 when it could not be imported now; 2:
 * it is left alone. */
static int
import_file(const struct call *c, int64_t now, bool dry_run, const char *path, struct diag *diag)
{
	struct buf text;
	bool is_long, is_none;
	int r;

	buf_init(&text, ALERT_TEXT_MAX);
	r = read_text(path, now, &text);
	/* Whoever put it there may have taken it away; a link or a folder is none of ours. */
	is_none = r == 1 || (r == -1 && (errno == ENOENT || errno == ELOOP || errno == EISDIR));
	is_long = r == -1 && errno == EFBIG;
	if (r == -1 && !is_none)
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", is_long ? "is too long for an alert" : strerror(errno));
	if (is_none)
		r = 2;
	else if (is_long)
		r = 1;
	else if (r == 0)
		r = import_text(c, path, buf_slice(&text), dry_run, diag);
	buf_fini(&text);
	return r;
}

/* One of them. */
static void
import_one(const struct call *c, int64_t now, bool dry_run, const char *name, struct incoming *out, struct diag *diag)
{
	char part[STATE_PATH], path[STATE_PATH];
	int r = -1;

	snprintf(part, sizeof(part), STATE_INCOMING "/%s", name);
	if (state_path(c->state, part, path) == 0)
		r = import_file(c, now, dry_run, path, diag);
	else
		diag_add(diag, DIAG_ERROR, part, 0, 0, "%s", strerror(errno));
	if (r == 2)
		return;
	if (r == 0 && (out->imported[out->n_imported] = strdup(name)) != NULL)
		out->n_imported++;
	else if (r == 1) {
		out->n_refused++;
		if (!dry_run)
			move(c, now, name, "refused", true, diag);
	} else
		out->n_left++;
}

void
incoming_import(const struct call *c, int64_t now, bool dry_run, struct incoming *out, struct diag *diag)
{
	struct dirent **names;
	char dir[STATE_PATH];
	int n;

	*out = (struct incoming){ .n_imported = 0 };
	if (state_path(c->state, STATE_INCOMING, dir) == -1 || (n = scandir(dir, &names, file_is_visible, alphasort)) == -1) {
		if (errno != ENOENT)
			diag_add(diag, DIAG_ERROR, STATE_INCOMING, 0, 0, "%s", strerror(errno));
		return;
	}
	for (int i = 0; i < n; i++) {
		if (out->n_imported + out->n_refused + out->n_left < INCOMING_MAX)
			import_one(c, now, dry_run, names[i]->d_name, out, diag);
		free(names[i]);
	}
	free(names);
}

void
incoming_done(const struct call *c, int64_t now, const struct incoming *in, struct diag *diag)
{
	for (size_t i = 0; i < in->n_imported; i++)
		move(c, now, in->imported[i], "imported", false, diag);
}

void
incoming_fini(struct incoming *in)
{
	for (size_t i = 0; i < in->n_imported; i++)
		free(in->imported[i]);
	in->n_imported = 0;
}
