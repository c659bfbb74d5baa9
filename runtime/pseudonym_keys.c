#include "runtime/pseudonym_keys.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "runtime/private_folder.h"
#include "runtime/state.h"

enum { FILE_MAX = 64 * 1024 };

#define KEYS_NAME	"pseudonym.keys"

static int
read_text(int dir, struct buf *out)
{
	int fd = private_file(dir, KEYS_NAME), r, saved;

	if (fd == -1)
		return -1;
	r = file_read_fd(fd, out);
	saved = errno;
	close(fd);
	errno = saved;
	return r;
}

static const char *
explain(int error)
{
	switch (error) {
	case EPERM: return "not believed: the folder must be 0700 and the file 0600, one name, and both the service's user's or root's";
	case EACCES: return "only the service's user and root may read the keys";
	case ENOENT: return "there is no key yet; with \"Pseudonyms yes\" in site.conf the service makes one when it needs it";
	case ELOOP: return "a symbolic link is not followed";
	default: return strerror(error);
	}
}

static void
say(const char *state, int error, struct diag *diag)
{
	char path[STATE_PATH] = STATE_KEYS;

	state_path(state, STATE_KEYS, path);
	diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", explain(error));
}

static void
forget(struct buf *text)
{
	if (text->p != NULL)
		OPENSSL_cleanse(text->p, text->cap);
	buf_fini(text);
}

/* The keys in DIR.  NULL with an error in DIAG. */
static struct pseudonyms *
load_from(const char *state, int dir, bool *absent, struct diag *diag)
{
	struct pseudonyms *p = NULL;
	char path[STATE_PATH] = STATE_KEYS;
	struct buf text;

	state_path(state, STATE_KEYS, path);
	/* At once as large as it may become: a copy that growing leaves behind would have keys in it. */
	buf_init(&text, FILE_MAX);
	if (buf_reserve(&text, FILE_MAX) == 0 && read_text(dir, &text) == 0)
		p = pseudonyms_read(buf_slice(&text), path, diag);
	else {
		*absent = errno == ENOENT;
		say(state, errno, diag);
	}
	forget(&text);
	return p;
}

struct pseudonyms *
pseudonym_keys_load(const char *state, bool *absent, struct diag *diag)
{
	int dir = private_open(state, false);
	struct pseudonyms *p;

	*absent = dir == -1 && errno == ENOENT;
	if (dir == -1) {
		say(state, errno, diag);
		return NULL;
	}
	p = load_from(state, dir, absent, diag);
	close(dir);
	return p;
}

/* Write what the file in DIR has, and a new key. */
static int
append_key(int dir, int64_t now)
{
	struct buf text;
	int r = -1;

	buf_init(&text, FILE_MAX);
	if (buf_reserve(&text, FILE_MAX) == 0 && (read_text(dir, &text) == 0 || errno == ENOENT)) {
		if (text.len == 0)
			buf_add_str(&text, "# Keys of pseudonyms; the last one is in use.  Without them no pseudonym can be turned back.\n");
		errno = EIO;
		if (pseudonyms_new_line(now, &text) == 0)
			r = private_write(dir, KEYS_NAME, buf_slice(&text));
	}
	forget(&text);
	return r;
}

/* Add a key, unless ONLY_FIRST and there is one. */
static int
add_locked(const char *state, int dir, int64_t now, bool only_first, bool *made, struct diag *diag)
{
	struct diag found = { 0 };
	bool absent = false, full;
	struct pseudonyms *p = load_from(state, dir, &absent, &found);
	int r = p != NULL || absent ? 0 : -1;

	full = p != NULL && pseudonyms_n(p) == PSEUDONYM_KEYS_MAX;
	diag_fini(&found);
	if (r == -1) {
		pseudonyms_free(load_from(state, dir, &absent, diag));
		return -1;
	}
	if (p != NULL && full && !only_first) {
		diag_error(diag, "there are %d keys: take out the oldest ones, whose pseudonyms nobody needs to open",
		    (int)PSEUDONYM_KEYS_MAX);
		r = -1;
	} else if (p == NULL || !only_first) {
		*made = true;
		if ((r = append_key(dir, now)) == -1)
			say(state, errno, diag);
	}
	pseudonyms_free(p);
	return r;
}

static int
add(const char *state, int64_t now, bool only_first, bool *made, struct diag *diag)
{
	int dir = private_open(state, true), r = -1;

	*made = false;
	if (dir == -1 || file_lock(dir) == -1)
		say(state, errno, diag);
	else
		r = add_locked(state, dir, now, only_first, made, diag);
	if (dir != -1)
		close(dir);
	return r;
}

struct pseudonyms *
pseudonym_keys_need(const char *state, int64_t now, bool *made, struct diag *diag)
{
	bool absent;

	return add(state, now, true, made, diag) == -1 ? NULL : pseudonym_keys_load(state, &absent, diag);
}

int
pseudonym_keys_add(const char *state, int64_t now, struct diag *diag)
{
	bool made;

	return add(state, now, false, &made, diag);
}

bool
pseudonym_keys_stat(const char *state, struct stat *st)
{
	char path[STATE_PATH];

	return state_path(state, STATE_KEYS, path) == 0 && lstat(path, st) == 0;
}
