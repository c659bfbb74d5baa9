#include "command/lookalike_scan.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "command/show.h"
#include "events/json_line.h"
#include "url_rules/url.h"

enum { BLOCK_SIZE = 1 << 20, LINE_MAX_BYTES = 128 * 1024, OUT_MAX = 256 << 20, WORKERS_MAX = 64, URL_FIELD = 6, METHOD_FIELD = 5 };

/* A piece of the input, whole lines of it, and what is said about them. */
struct job {
	const struct scan	*scan;
	pthread_t		 thread;
	bool			 started;
	char			*in;
	size_t			 len;
	struct buf		 out;
	struct scan_counts	 counts;
};

/* ---- which host a line is about ---- */

/* Field N of LINE, fields being separated by blanks; empty. */
static struct slice
field(struct slice line, unsigned n)
{
	for (size_t i = 0; i < line.len; n--) {
		size_t from;

		while (i < line.len && (line.p[i] == ' ' || line.p[i] == '\t'))
			i++;
		from = i;
		while (i < line.len && line.p[i] != ' ' && line.p[i] != '\t')
			i++;
		if (n == 0)
			return slice_make(line.p + from, i - from);
	}
	return (struct slice){ 0 };
}

/* Seconds with milliseconds, as Squid's own format begins. */
static bool
is_time(struct slice s)
{
	struct slice seconds, rest;
	uint64_t ignored;

	return slice_cut(s, '.', &seconds, &rest) && slice_u64(seconds, &ignored) == 0 && slice_u64(rest, &ignored) == 0;
}

/* What LINE asks for, as a URL or "host:port"; *CONNECTS tells which.  The whole of it when it is no log's. */
static struct slice
asked_by(struct slice line, bool *is_log, bool *connects)
{
	struct slice quoted, url;

	*is_log = true;
	if (is_time(field(line, 0)) && (url = field(line, URL_FIELD)).len > 0) {
		*connects = slice_eq(field(line, METHOD_FIELD), SLICE("CONNECT"));
		return url;
	}
	/* host - user [date zone] "METHOD URL HTTP/1.1" ... */
	if (slice_cut(line, '[', NULL, &quoted) && slice_cut(quoted, ']', NULL, &quoted) && slice_cut(quoted, '"', NULL, &quoted)) {
		*connects = slice_eq(field(quoted, 0), SLICE("CONNECT"));
		return field(quoted, 1);
	}
	*is_log = *connects = false;
	return field(line, 0);
}

/* The canonical host of ASKED into HOST; its length, 0 when it has none or is an address, -1 when it is none. */
static int
host_of(struct slice asked, bool connects, char host[static HOST_MAX + 1])
{
	enum host_kind kind;
	struct url u;
	size_t len;

	if (slice_find(asked, ':') == asked.len && slice_find(asked, '/') == asked.len)
		return host_canonical(asked, host, &len, &kind) != URL_OK ? -1 : kind == HOST_NAME ? (int)len : 0;
	if ((connects || slice_search(asked, SLICE("://")) == asked.len ? url_parse_authority(&u, slice_head(asked,
	    slice_find(asked, '/'))) : url_parse(&u, asked)) != URL_OK)
		return -1;
	len = u.kind == HOST_NAME ? u.host.len : 0;
	memcpy(host, u.host.p, len);
	url_fini(&u);
	return (int)len;
}

/* ---- what is said ---- */

static const char *
action_of(const struct lookalike_finding *f)
{
	return f->level == LOOKALIKE_OFF ? "pass" : lookalike_level_name(f->level);
}

static const char *
class_of(const struct lookalike_finding *f)
{
	return f->class == LOOKALIKE_NONE ? "-" : lookalike_class_name(f->class);
}

static void
add_field(struct buf *out, struct slice s)
{
	buf_add_char(out, '\t');
	if (s.len == 0)
		buf_add_char(out, '-');
	buf_add_escaped(out, s);
}

static void
print_tsv(struct buf *out, struct slice host, const struct lookalike_finding *f, struct slice sentence)
{
	buf_add_escaped(out, host);
	add_field(out, slice_str(action_of(f)));
	add_field(out, slice_str(class_of(f)));
	add_field(out, f->target);
	add_field(out, f->registrable);
	add_field(out, sentence);
	buf_add_char(out, '\n');
}

static void
print_json(struct buf *out, struct slice host, const struct lookalike_finding *f, struct slice sentence)
{
	struct json_line j;

	json_line_begin(&j, out);
	json_line_text(&j, "host", host);
	json_line_text(&j, "action", slice_str(action_of(f)));
	if (f->class != LOOKALIKE_NONE)
		json_line_text(&j, "class", slice_str(class_of(f)));
	if (f->target.len > 0)
		json_line_text(&j, "target", f->target);
	json_line_text(&j, "registrable", f->registrable);
	json_line_text(&j, "message", sentence);
	json_line_end(&j);
	if (out->len > 0 && out->p[out->len - 1] != '\n')
		buf_add_char(out, '\n');
}

static void
print_text(struct buf *out, struct slice host, const struct lookalike_finding *f, struct slice sentence)
{
	buf_add_strs(out, action_of(f), " ", class_of(f), " ", NULL);
	buf_add_escaped(out, host);
	buf_add_char(out, ' ');
	buf_add_utf8(out, sentence);
	buf_add_char(out, '\n');
}

static void
print_finding(struct job *job, struct slice host, const struct lookalike_finding *f)
{
	static void (*const forms[])(struct buf *, struct slice, const struct lookalike_finding *, struct slice) = {
		[SCAN_TEXT] = print_text, [SCAN_TSV] = print_tsv, [SCAN_JSON] = print_json };
	char space[1024];
	struct buf sentence;

	buf_init_in(&sentence, space, sizeof(space), LINE_MAX_BYTES);
	lookalike_format(f, &sentence);
	forms[job->scan->form](&job->out, host, f, buf_slice(&sentence));
	buf_fini(&sentence);
}

static void
judge_line(struct job *job, struct slice line)
{
	char host[HOST_MAX + 1];
	struct lookalike_finding f = { .class = LOOKALIKE_NONE };
	bool is_log, connects;
	struct slice asked;
	int len;

	line = slice_trim(line);
	if (line.len == 0 || line.p[0] == '#')
		return;
	asked = asked_by(line, &is_log, &connects);
	len = host_of(asked, connects, host);
	if (len == -1 && is_log) {
		job->counts.without++;
		return;
	}
	if (len > 0) {
		asked = slice_make(host, (size_t)len);
		lookalike_find(job->scan->lookalike, asked, &job->scan->levels, &f);
	} else if (len == -1) {
		f = (struct lookalike_finding){ .class = LOOKALIKE_UNJUDGED, .registrable = asked, .fault = "it is no host",
			.level = (enum lookalike_level)job->scan->levels.level[LOOKALIKE_UNJUDGED] };
	}
	job->counts.hosts++;
	job->counts.actions[f.level]++;
	if (f.level > LOOKALIKE_OFF || job->scan->all)
		print_finding(job, asked, &f);
}

static void *
work(void *arg)
{
	struct job *job = arg;
	struct slice rest = slice_make(job->in, job->len), line;

	while (rest.len > 0) {
		slice_cut(rest, '\n', &line, &rest);
		judge_line(job, line);
	}
	return NULL;
}

/* ---- all of them ---- */

/* The input while it is cut into pieces: what follows the last whole line is kept for the next. */
struct input {
	int	 fd;
	char	*rest;
	size_t	 rest_len;
	bool	 ended;
};

/* Fill JOB with whole lines.  1, 0 at the end, -1 with errno. */
static int
fill_job(struct input *in, struct job *job)
{
	memcpy(job->in, in->rest, in->rest_len);
	job->len = in->rest_len;
	while (!in->ended && job->len < BLOCK_SIZE) {
		ssize_t n = read(in->fd, job->in + job->len, BLOCK_SIZE - job->len);

		if (n == -1 && errno != EINTR)
			return -1;
		in->ended = n == 0;
		job->len += n > 0 ? (size_t)n : 0;
	}
	in->rest_len = 0;
	while (!in->ended && in->rest_len < job->len && in->rest_len < LINE_MAX_BYTES && job->in[job->len - 1 - in->rest_len] != '\n')
		in->rest_len++;
	/* A line that is as long as that is cut: no host is. */
	if (in->rest_len == LINE_MAX_BYTES)
		in->rest_len = 0;
	job->len -= in->rest_len;
	memcpy(in->rest, job->in + job->len, in->rest_len);
	return job->len > 0;
}

static void
add_counts(struct scan_counts *to, const struct scan_counts *from)
{
	to->hosts += from->hosts;
	to->without += from->without;
	for (size_t i = 0; i <= LOOKALIKE_BLOCK; i++)
		to->actions[i] += from->actions[i];
}

/* Wait for JOB and print what it says.  -1 with errno. */
static int
end_job(struct job *job, struct scan_counts *counts)
{
	if (job->started)
		pthread_join(job->thread, NULL);
	job->started = false;
	add_counts(counts, &job->counts);
	job->counts = (struct scan_counts){ 0 };
	if (job->out.failed)
		return errno = ENOMEM, -1;
	if (job->out.len > 0 && fwrite(job->out.p, 1, job->out.len, stdout) != job->out.len)
		return -1;
	buf_reset(&job->out);
	return 0;
}

/* One piece for each of N processors.  1 while there is more, 0 at the end, -1 with errno. */
static int
do_round(struct input *in, struct job *jobs, size_t n, struct scan_counts *counts)
{
	size_t filled = 0;
	int r = 1, result;

	for (; filled < n && (r = fill_job(in, &jobs[filled])) == 1; filled++)
		jobs[filled].started = pthread_create(&jobs[filled].thread, NULL, work, &jobs[filled]) == 0;
	result = r;
	for (size_t i = 0; i < filled; i++) {
		int error = errno;

		if (!jobs[i].started)
			work(&jobs[i]);
		errno = error;
		if (end_job(&jobs[i], counts) == -1)
			result = -1;
	}
	return result;
}

int
scan_fd(const struct scan *scan, int fd, struct scan_counts *counts)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = processors < 1 ? 1 : processors > WORKERS_MAX ? WORKERS_MAX : (size_t)processors;
	struct input in = { .fd = fd, .rest = malloc(LINE_MAX_BYTES) };
	struct job *jobs = calloc(n, sizeof(*jobs));
	int r = in.rest == NULL || jobs == NULL ? -1 : 1, error;

	*counts = (struct scan_counts){ 0 };
	for (size_t i = 0; jobs != NULL && i < n; i++) {
		jobs[i].scan = scan;
		buf_init(&jobs[i].out, OUT_MAX);
		if ((jobs[i].in = malloc(BLOCK_SIZE)) == NULL)
			r = -1;
	}
	while (r == 1) {
		r = do_round(&in, jobs, n, counts);
		show_progress("%" PRIu64 " hosts, %" PRIu64 " block, %" PRIu64 " warn", counts->hosts, counts->actions[LOOKALIKE_BLOCK],
		    counts->actions[LOOKALIKE_WARN]);
	}
	error = errno;
	show_progress_end();
	for (size_t i = 0; jobs != NULL && i < n; i++) {
		buf_fini(&jobs[i].out);
		free(jobs[i].in);
	}
	free(jobs);
	free(in.rest);
	errno = error;
	return r;
}
