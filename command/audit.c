#include "command/audit.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "runtime/private_folder.h"

#define REVEAL_TRAIL	"reveals.log"

enum { AUDIT_MODE = 0660, REVEAL_LINE_MAX = 16384 };

void
audit_begin(struct buf *out, int64_t now_ms)
{
	char date[CLOCK_TEXT];

	clock_format_ms(now_ms, date);
	buf_addf(out, "%s uid=%ju", date, (uintmax_t)getuid());
}

/* Whoever makes the file, everybody of the folder's group can go on with it.  Who of them puts a link there has no other file
 * written, and who puts a pipe there keeps nobody waiting. */
static int
open_audit(const char *path)
{
	const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	int fd = open(path, flags | O_CREAT | O_EXCL, AUDIT_MODE);
	struct stat st;

	if (fd != -1) {
		fchmod(fd, AUDIT_MODE);		/* whatever the umask */
		return fd;
	}
	if (errno != EEXIST || (fd = open(path, flags)) == -1)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return errno = EPERM, -1;
}

static int
append(const char *path, struct buf *line)
{
	int fd = open_audit(path), r, saved;

	if (fd == -1)
		return -1;
	buf_add_char(line, '\n');
	errno = ENOMEM;
	r = line->failed ? -1 : file_write_all(fd, buf_slice(line));
	saved = errno;
	if (close(fd) == -1 && r == 0)
		r = -1, saved = errno;
	errno = saved;
	return r;
}

int
audit_write(const struct call *c, const char *name, struct buf *line, const char *what)
{
	char file[STATE_PATH], path[STATE_PATH];

	if (state_path(STATE_LOG, name, file) == 0 && state_path(c->state, file, path) == 0 && append(path, line) == 0)
		return 0;
	call_fail(c, "%s, but the audit line could not be written to %s/" STATE_LOG "/%s: %s", what, c->state, name,
	    strerror(errno));
	return -1;
}

int
audit_reveal(const struct call *c, int64_t now_ms, const char *by, struct slice what, const char *done)
{
	struct buf line;
	int r;

	buf_init(&line, REVEAL_LINE_MAX);
	audit_begin(&line, now_ms);
	buf_addf(&line, " by=%s ", by);
	buf_add_slice(&line, what);
	r = audit_write(c, REVEAL_TRAIL, &line, done);
	buf_fini(&line);
	return r;
}

/* A user id from TEXT; -1 is what the kernel says for nobody. */
static bool
take_uid(struct slice text, uint64_t *uid)
{
	return slice_u64(slice_trim(text), uid) == 0 && *uid < (uint32_t)-1;
}

static bool
login_uid(uint64_t *uid)
{
	struct buf text;
	bool good;

	buf_init(&text, AUDIT_PERSON);
	good = file_read("/proc/self/loginuid", &text) == 0 && take_uid(buf_slice(&text), uid);
	buf_fini(&text);
	return good;
}

/* Anybody can set SUDO_UID, but only who came by sudo runs as one of these. */
static bool
may_be_by_sudo(const struct call *c)
{
	int dir = private_open(c->state, false);
	struct stat st;
	bool owner = dir != -1 && fstat(dir, &st) == 0 && st.st_uid == getuid();

	if (dir != -1)
		close(dir);
	return getuid() == 0 || owner;
}

void
audit_person(const struct call *c, char out[static AUDIT_PERSON])
{
	const char *sudo = getenv("SUDO_UID");
	uint64_t uid;

	if (!login_uid(&uid) && !(sudo != NULL && may_be_by_sudo(c) && take_uid(slice_str(sudo), &uid)))
		uid = getuid();
	snprintf(out, AUDIT_PERSON, "uid=%ju", (uintmax_t)uid);
}
