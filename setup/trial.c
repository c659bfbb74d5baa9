/* A c-icap of our own, for a moment: what daemons_try_cicap() does. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "setup/array.h"
#include "setup/daemons.h"
#include "setup/icap_ask.h"
#include "setup/process.h"
#include "setup/run.h"

enum { START_MS = 90 * 1000, ASK_MS = 5000, POLL_MS = 50, END_MS = 5000, TRIES = 5, TEXT_MAX = CONF_FILE_MAX, SHOWN = 12,
	FOLDER_MODE = 0711, INNER_MODE = 0700 };

/* What one c-icap can share with no other, and what would make a trial larger than it needs to be. */
static const char *const left_out[] = { "Port", "TlsPort", "PidFile", "CommandsSocket", "ServerLog", "AccessLog", "TmpDir",
    "StartServers",
	"MaxServers", "MinSpareThreads", "MaxSpareThreads", "ThreadsPerChild", "Include" };

struct trial {
	const struct daemons	*daemons;
	const struct conf	*conf;
	const char		*own;
	char			 folder[64];	/* ours alone: nobody else can put anything into it, or move what is there */
	char			 inner[80];	/* in it, and its user's, who may have put anything into it */
	char			 where[64];
	struct buf		 text;
	const struct directive	**places;	/* of each line of TEXT; NULL for ours */
	size_t			 n_places;
	struct diag		*diag;
};

static bool
is_left_out(struct slice line)
{
	size_t n = 0;

	line = slice_trim(line);
	while (n < line.len && !ascii_is_space(line.p[n]))
		n++;
	for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
		if (slice_eq(slice_head(line, n), slice_str(left_out[i])))
			return true;
	return false;
}

static void
add(struct trial *t, struct slice line, const struct directive *place)
{
	const struct directive **p = array_add(&t->places, &t->n_places, sizeof(t->places[0]));

	if (p != NULL)
		*p = place;
	buf_add_slice(&t->text, line);
	buf_add_char(&t->text, '\n');
}

static int
compose(struct trial *t, struct slice added)
{
	static const char *const files[] = { "PidFile", "c-icap.pid", "CommandsSocket", "c-icap.ctl", "ServerLog", "server.log",
	    "AccessLog",
		"access.log", "TmpDir", "" };
	static const char *const small[] = { "StartServers 1", "MaxServers 1", "ThreadsPerChild 4", "MinSpareThreads 1",
	    "MaxSpareThreads 4" };
	struct slice line;
	char own[256];

	buf_reset(&t->text);
	t->n_places = 0;
	for (size_t i = 0; i < t->conf->n; i++)
		if (!is_left_out(slice_str(t->conf->v[i].text)))
			add(t, slice_str(t->conf->v[i].text), &t->conf->v[i]);
	while (added.len > 0) {
		slice_cut(added, '\n', &line, &added);
		if (!is_left_out(line))
			add(t, line, NULL);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i += 2) {
		snprintf(own, sizeof(own), "%s %s/%s", files[i], t->inner, files[i + 1]);
		add(t, slice_str(own), NULL);
	}
	for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++)
		add(t, slice_str(small[i]), NULL);
	snprintf(own, sizeof(own), "Port %s", t->where);
	add(t, slice_str(own), NULL);
	return t->text.failed ? -1 : 0;
}

/* ---- what it says ---- */

/* The place that SAID names by "line: N" in our text; false when it names none. */
static bool
place_of(const struct trial *t, struct slice said, const struct directive **out)
{
	static const struct slice mark = { "line: ", sizeof("line: ") - 1 };
	struct slice rest = slice_skip(said, slice_search(said, mark));
	uint64_t n;

	rest = slice_skip(rest, mark.len);
	if (slice_u64(slice_trim(slice_head(rest, slice_find(rest, '\n'))), &n) == -1 || n == 0 || n > t->n_places)
		return false;
	*out = t->places[n - 1];
	return true;
}

static void
tell(const struct trial *t, struct slice said, const char *what)
{
	static const char *const noise[] = { "Warning, alias is the same", "Possibly a term signal", "Exiting",
	    "Fatal error while parsing",
		"Error opening/parsing" };
	const struct directive *d = NULL;
	bool placed = place_of(t, said, &d);
	struct slice line;
	struct buf words;

	buf_init(&words, TEXT_MAX);
	for (int shown = 0; said.len > 0 && shown < SHOWN;) {
		bool skip = false;

		slice_cut(said, '\n', &line, &said);
		for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
			skip |= slice_starts(line, slice_str(noise[i]));
		if (skip || slice_trim(line).len == 0)
			continue;
		buf_add_str(&words, shown++ == 0 ? ": " : "; ");
		buf_add_slice(&words, slice_trim(line));
	}
	if (d != NULL)
		diag_add(t->diag, DIAG_ERROR, t->conf->files[d->file].path, d->line, 0, "c-icap refuses this%s", words.p == NULL ? "" : words.p);
	else if (placed)
		diag_error(t->diag, "%s: c-icap refuses it%s", t->own, words.p == NULL ? "" : words.p);
	else
		diag_error(t->diag, "%s: %s%s", t->daemons->cicap, what, words.p == NULL ? "" : words.p);
	buf_fini(&words);
}

/* Its log, behind what it printed.  What is a link would have another file shown, and a pipe would keep us. */
static void
add_log(const char *folder, const char *name, struct buf *said)
{
	struct stat st;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if ((fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) == -1)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		file_read_fd(fd, said);
	close(fd);
}

/* ---- the run ---- */

/* 1: it answers.  0: its port was taken meanwhile.  -1 with errors. */
static int
watch(const struct trial *t, pid_t pid)
{
	int64_t end = clock_boot_ms() + START_MS;
	char line[ICAP_STATUS] = "", what[2 * ICAP_STATUS] = "does not start";
	struct buf said;
	int status = 0, result;

	while (!run_gone(pid, 0) && status == 0 && clock_boot_ms() < end) {
		clock_pause(POLL_MS);
		status = icap_ask(t->where, "firebreak", ASK_MS, line);
	}
	if (status == 200)
		return 1;
	buf_init(&said, RUN_SAID_MAX);
	add_log(t->folder, "said", &said);
	add_log(t->inner, "server.log", &said);
	result = slice_isearch(buf_slice(&said), SLICE("error binding")) < said.len ? 0 : -1;
	if (status != 0)
		snprintf(what, sizeof(what), "starts, and its service \"firebreak\" answers \"%s\"", line);
	else if (clock_boot_ms() >= end)
		snprintf(what, sizeof(what), "does not answer within %d seconds", START_MS / 1000);
	if (result == -1)
		tell(t, buf_slice(&said), what);
	buf_fini(&said);
	return result;
}

static int
try_once(struct trial *t, struct slice added)
{
	char conf[96], said[96], *argv[] = { t->daemons->cicap, (char *)"-N", (char *)"-D", (char *)"-d", (char *)"1", (char *)"-f", conf,
	    NULL };
	struct process running = { .pid = 0 };
	int result = -1;
	pid_t pid;

	snprintf(t->where, sizeof(t->where), "127.0.0.1:%u", icap_free_port());
	snprintf(conf, sizeof(conf), "%s/c-icap.conf", t->folder);
	snprintf(said, sizeof(said), "%s/said", t->folder);
	unlink(said);
	if (compose(t, added) == -1 || file_write(conf, buf_slice(&t->text), 0600) == -1) {
		diag_error(t->diag, "%s: %s", conf, strerror(errno));
		return -1;
	}
	/* As the one that runs: with its environment. */
	process_of_file(t->daemons->pid_file, t->daemons->cicap, &running);
	if ((pid = run_start(t->daemons->cicap, argv, running.environment, "/", said)) == -1)
		diag_error(t->diag, "%s: %s", t->daemons->cicap, strerror(errno));
	else
		result = watch(t, pid);
	if (pid != -1)
		run_end(pid, END_MS);
	process_fini(&running);
	return result;
}

/* What root writes and removes lies where USER can neither rename nor replace it; he may only pass through. */
static int
make_folder(struct trial *t, struct slice user)
{
	char *name = slice_dup(user);
	const struct passwd *pw = name == NULL || *name == '\0' || geteuid() != 0 ? NULL : getpwnam(name);
	int r = mkdtemp(t->folder) == NULL ? -1 : 0;

	snprintf(t->inner, sizeof(t->inner), "%s/c-icap", t->folder);
	if (r == 0 && (chmod(t->folder, FOLDER_MODE) == -1 || mkdir(t->inner, INNER_MODE) == -1 ||
	    (pw != NULL && chown(t->inner, pw->pw_uid, pw->pw_gid) == -1)))
		r = -1;
	if (r == -1)
		diag_error(t->diag, "%s: %s", t->folder, strerror(errno));
	free(name);
	return r;
}

static void
remove_all(const char *folder, const char *const *names, size_t n)
{
	char path[128];

	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

static void
remove_folder(const struct trial *t)
{
	static const char *const inside[] = { "server.log", "access.log", "c-icap.pid", "c-icap.ctl" };
	static const char *const ours[] = { "c-icap.conf", "said" };

	remove_all(t->inner, inside, sizeof(inside) / sizeof(*inside));
	remove_all(t->folder, ours, sizeof(ours) / sizeof(*ours));
}

int
daemons_try_cicap(const struct daemons *d, const struct conf *conf, struct slice added, const char *own, struct slice user,
    struct diag *diag)
{
	struct trial t = { .daemons = d, .conf = conf, .own = own, .folder = "/tmp/firebreak-setup-XXXXXX", .diag = diag };
	int result = -1;

	if (make_folder(&t, user) == -1) {
		remove_folder(&t);
		return -1;
	}
	buf_init(&t.text, TEXT_MAX);
	for (int i = 0; i < TRIES && (result = try_once(&t, added)) == 0; i++)
		;
	if (result == 0)
		diag_error(diag, "c-icap could not be tried: no port of 127.0.0.1 stays free");
	remove_folder(&t);
	buf_fini(&t.text);
	free(t.places);
	return result == 1 ? 0 : -1;
}
