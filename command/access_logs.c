#include "command/access_logs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/caller.h"
#include "command/show.h"
#include "events/mail.h"

enum { MS = 1000 };

/* ---- lines, in threads ---- */

static void
note_time(struct access_counts *n, int64_t first_ms, int64_t last_ms)
{
	if (first_ms == ACCESS_UNKNOWN)
		return;
	n->first_ms = n->first_ms == ACCESS_UNKNOWN || first_ms < n->first_ms ? first_ms : n->first_ms;
	n->last_ms = last_ms > n->last_ms ? last_ms : n->last_ms;
}

static void
show_line(void *arg, struct slice line)
{
	struct access_member *m = arg;
	struct access_entry e;
	struct url url;

	m->counts.lines++;
	if (!access_format_read(m->logs->format, line, &m->scratch, &e)) {
		m->counts.unread += line.len > 0;
		return;
	}
	if (e.time_ms != ACCESS_UNKNOWN && e.time_ms < m->logs->since_ms) {
		m->counts.old++;
		return;
	}
	if (access_entry_url(&e, &url) != URL_OK) {
		m->counts.without++;
		return;
	}
	m->counts.entries++;
	note_time(&m->counts, e.time_ms, e.time_ms);
	m->logs->entry(m, &e, &url);
	url_fini(&url);
}

/* ---- pieces, in order ---- */

static const struct access_counts nothing = { .first_ms = ACCESS_UNKNOWN, .last_ms = ACCESS_UNKNOWN };

static void
add_counts(struct access_counts *to, const struct access_counts *from)
{
	to->lines += from->lines;
	to->entries += from->entries;
	to->old += from->old;
	to->unread += from->unread;
	to->without += from->without;
	note_time(to, from->first_ms, from->last_ms);
}

/* A crew at work. */
struct reading {
	struct access_logs	*logs;
	const char		*path;
	int64_t			 done;		/* bytes of the text */
	int64_t			 begun_ms;
};

static int
end_piece(void *arg, void *member, size_t n)
{
	struct reading *r = arg;
	struct access_member *m = member;
	int64_t ms = clock_ms() - r->begun_ms;

	add_counts(&r->logs->counts, &m->counts);
	m->counts = nothing;
	r->done += (int64_t)n;
	show_progress("%s: %" PRId64 " MiB, %" PRIu64 " lines, %" PRId64 " a second", r->path, r->done >> 20,
	    r->logs->counts.lines, ms > 0 ? (int64_t)r->logs->counts.lines * MS / ms : 0);
	return r->logs->piece(r->logs->arg, member);
}

/* ---- files ---- */

/* A path before the I-th is the file that ST is. */
static bool
is_repeated(const struct access_logs *logs, size_t i, const struct stat *st)
{
	bool repeated = false;
	struct caller was;
	struct stat other;

	caller_begin(&was);
	for (size_t k = 0; k < i && !repeated; k++)
		repeated = stat(logs->paths[k], &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
	caller_end(&was);
	return repeated;
}

static int
read_path(struct access_logs *logs, size_t i, struct reading *r, void *const *members, size_t n)
{
	static const struct log_crew_work work = { .line = show_line, .piece = end_piece };
	bool is_input = !logs->of_site && strcmp(logs->paths[i], "-") == 0;
	int fd = is_input ? STDIN_FILENO : logs->of_site ? caller_open_log(logs->paths[i]) :
	    caller_open(logs->paths[i], O_RDONLY | O_CLOEXEC), result = 0;
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		result = errno;
	r->path = logs->paths[i];
	r->done = 0;
	if (result == 0 && (is_input || !is_repeated(logs, i, &st))) {
		result = log_crew_read(fd, &work, members, n, r);
		result = result == -1 ? errno : result;
	}
	if (fd != -1 && !is_input)
		close(fd);
	return result;
}

int
access_logs_read(struct access_logs *logs, void *const *members, size_t n, struct diag *diag)
{
	struct reading r = { .logs = logs, .begun_ms = clock_ms() };
	int result = 0;

	logs->counts = nothing;
	for (size_t i = 0; i < n; i++) {
		struct access_member *m = members[i];

		m->logs = logs;
		m->counts = nothing;
		buf_init(&m->scratch, 2 * LOG_CREW_LINE);
	}
	for (size_t i = 0; i < logs->n; i++) {
		int error = read_path(logs, i, &r, members, n);

		if (error == 0)
			continue;
		diag_add(diag, DIAG_ERROR, logs->paths[i], 0, 0, "not read to its end: %s", error == EBADMSG ?
		    "its compression is damaged or cut short" : error == ENOTSUP ? "of a compression that cannot be read here: pipe its text "
		    "in, with - for the file" : strerror(error));
		result = -1;
	}
	show_progress_end();
	for (size_t i = 0; i < n; i++)
		buf_fini(&((struct access_member *)members[i])->scratch);
	return result;
}

char *
access_url_shown(struct slice url, bool query, bool mail)
{
	size_t end = slice_find(url, '?');
	bool cut = !query && end < url.len;
	struct buf text;
	char *shown;

	buf_init(&text, 4 * LOG_CREW_LINE);
	if (mail)
		buf_add_slice(&text, slice_head(url, cut ? end : url.len));
	else
		mail_mask(slice_head(url, cut ? end : url.len), &text);
	if (cut)
		buf_add_str(&text, "?-");
	shown = slice_dup(buf_slice(&text));
	buf_fini(&text);
	return shown;
}

void
access_logs_note(const struct access_logs *logs, struct diag *diag)
{
	const struct access_counts *n = &logs->counts;

	if (n->unread > 0)
		diag_add(diag, n->unread == n->lines ? DIAG_WARNING : DIAG_NOTE, NULL, 0, 0, "%" PRIu64 " of %" PRIu64 " lines are none of "
		    "this format: --format has to be the logformat that the log is written in", n->unread, n->lines);
	if (n->without > 0)
		diag_add(diag, DIAG_NOTE, NULL, 0, 0, "%" PRIu64 " line%s name%s no URL: errors, and what Squid answered itself",
		    n->without, show_s(n->without), n->without == 1 ? "s" : "");
}
