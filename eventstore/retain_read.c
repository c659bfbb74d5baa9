#include "eventstore/retain_part.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "eventstore/log_lines.h"

enum { MS = 1000, MINUTE_MS = 60 * MS, SPANS_MAX = 1 << 24, TIMESTAMP_MAX = 32 };
#define HEAD		"{\"@timestamp\":\""

/* The moment of LINE, or BEFORE. */
static int64_t
moment_of(struct slice line, int64_t before)
{
	struct slice text = slice_skip(line, sizeof(HEAD) - 1);
	int64_t s;

	if (!slice_starts(line, SLICE(HEAD)) || !slice_cut(slice_head(text, TIMESTAMP_MAX), '"', &text, NULL) ||
	    clock_parse(text, &s) == -1)
		return before;
	return s * MS;
}

static int
read_lines(struct log_lines *l, int64_t ms, retain_line *take, void *arg)
{
	struct slice line;
	enum log_line got;
	int64_t at;
	int r = 0;

	while (r == 0 && (got = log_lines_next(l, &line, &at)) <= LOG_LINE_TOO_LONG) {
		ms = moment_of(line, ms);
		r = take(arg, line, ms, l->at - at, got == LOG_LINE_TOO_LONG);
	}
	if (r != 0)
		return -1;
	return got == LOG_LINE_FAILED ? -1 : 0;
}

int
retain_each_line(int fd, const struct stat *st, retain_line *take, void *arg)
{
	struct log_bytes *bytes = malloc(sizeof(*bytes));
	struct log_lines l;
	int r;

	if (bytes == NULL || log_bytes_open(bytes, fd, NULL, NULL) == -1) {
		free(bytes);
		return -1;
	}
	log_lines_init(&l, bytes);
	r = read_lines(&l, (int64_t)st->st_mtim.tv_sec * MS, take, arg);
	if (r == 0 && log_lines_torn(&l) > 0)
		r = take(arg, slice_skip(buf_slice(&l.held), l.from), (int64_t)st->st_mtim.tv_sec * MS, log_lines_torn(&l), l.skipping);
	log_lines_fini(&l);
	log_bytes_close(bytes);
	free(bytes);
	return r;
}

/* LEN bytes of text more at MS, behind FROM, where this file's begin. */
static int
add_span(struct retain *r, size_t *from, int64_t ms, int64_t len)
{
	int64_t minute = ms / MINUTE_MS;
	struct span *v;

	if (r->n_spans > *from && r->spans[r->n_spans - 1].minute == minute) {
		r->spans[r->n_spans - 1].bytes += len;
		return 0;
	}
	if (r->n_spans == r->cap_spans) {
		size_t cap = r->cap_spans == 0 ? 1024 : 2 * r->cap_spans;

		if (cap > SPANS_MAX || (v = realloc(r->spans, cap * sizeof(*v))) == NULL)
			return errno = ENOMEM, -1;
		r->spans = v;
		r->cap_spans = cap;
	}
	r->spans[r->n_spans++] = (struct span){ minute, len };
	return 0;
}

struct scan {
	struct retain	*r;
	struct reading	*f;
	size_t		 from;
};

static int
scan_line(void *arg, struct slice line, int64_t ms, int64_t len, bool too_long)
{
	struct scan *s = arg;
	struct reading *f = s->f;

	(void)line, (void)too_long;
	f->oldest_ms = f->lines == 0 || ms < f->oldest_ms ? ms : f->oldest_ms;
	f->lines++;
	f->text += len;
	return s->r->limits->size == 0 ? 0 : add_span(s->r, &s->from, ms, len);
}

void
retain_leave(struct retain *r, struct reading *f, int error)
{
	const char *why = error == ENOTSUP ? "its compression is not known here: remove it by hand when it is old enough" :
	    error == EAGAIN ? "it was moved meanwhile; the next run sees to it" :
	    error == EBADMSG ? "it is damaged: remove it by hand when it is old enough" :
	    error == EBUSY ? "somebody still writes to it; the next run sees to it" : strerror(error);

	diag_add(r->diag, DIAG_WARNING, f->name, 0, 0, "left as it is: %s", why);
	f->bad = true;
	r->sum->partly = true;
}

/* Read F to its end. */
static void
scan(struct retain *r, struct reading *f, int error)
{
	struct scan s = { .r = r, .f = f, .from = r->n_spans };
	int64_t text;

	if (error != 0 || fstat(f->fd, &f->st) == -1 || retain_each_line(f->fd, &f->st, scan_line, &s) == -1) {
		r->n_spans = s.from;
		retain_leave(r, f, error != 0 ? error : errno);
		return;
	}
	/* What it takes on the disk. */
	text = f->text > 0 ? f->text : 1;
	for (size_t i = s.from; i < r->n_spans; i++)
		r->spans[i].bytes = (int64_t)((double)r->spans[i].bytes * (double)f->st.st_size / (double)text);
}

int
retain_scan(struct retain *r)
{
	if (log_folder_open(&r->folder, r->path) == -1 ||
	    (r->v = calloc(r->folder.n + 1, sizeof(*r->v))) == NULL)
		return -1;
	for (size_t i = 0; i < r->folder.n; i++) {
		struct log_file *file = &r->folder.v[i];
		struct reading *f = &r->v[r->n++];

		*f = (struct reading){ .name = file->name, .fd = file->fd, .st = file->st, .current = file->current };
		scan(r, f, file->error);
		r->sum->files++;
		r->sum->lines += f->lines;
		r->sum->bytes += f->st.st_size;
	}
	return 0;
}
