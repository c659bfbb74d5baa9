#include "command/lookalike_scan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "command/show.h"
#include "events/json_line.h"
#include "eventstore/log_crew.h"
#include "url_rules/url.h"

enum { SENTENCE_MAX = 128 * 1024, OUT_MAX = 256 << 20 };

/* One of those who look at lines: what is said about them, in order. */
struct job {
	const struct scan	*scan;
	struct buf		 out, scratch;
	struct scan_counts	 counts;
};

/* ---- which host a line is about ---- */

/* The canonical host of U, which is freed, into HOST; its length, 0 when it is an address. */
static int
take_host(struct url *u, char host[static HOST_MAX + 1])
{
	size_t len = u->kind == HOST_NAME ? u->host.len : 0;

	memcpy(host, u->host.p, len);
	url_fini(u);
	return (int)len;
}

/* The same of ASKED, a host, with or without a port, or a URL; -1 when it is none. */
static int
host_of(struct slice asked, char host[static HOST_MAX + 1])
{
	enum host_kind kind;
	struct url u;
	size_t len;

	if (slice_find(asked, ':') == asked.len && slice_find(asked, '/') == asked.len)
		return host_canonical(asked, host, &len, &kind) != URL_OK ? -1 : kind == HOST_NAME ? (int)len : 0;
	if ((slice_search(asked, SLICE("://")) == asked.len ? url_parse_authority(&u, slice_head(asked, slice_find(asked, '/'))) :
	    url_parse(&u, asked)) != URL_OK)
		return -1;
	return take_host(&u, host);
}

/* The first word of LINE. */
static struct slice
first_word(struct slice line)
{
	size_t n = 0;

	while (n < line.len && line.p[n] != ' ' && line.p[n] != '\t')
		n++;
	return slice_head(line, n);
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

	buf_init_in(&sentence, space, sizeof(space), SENTENCE_MAX);
	lookalike_format(f, &sentence);
	forms[job->scan->form](&job->out, host, f, buf_slice(&sentence));
	buf_fini(&sentence);
}

static void
judge_line(void *member, struct slice line)
{
	struct job *job = member;
	char host[HOST_MAX + 1];
	struct lookalike_finding f = { .class = LOOKALIKE_NONE };
	struct access_entry entry;
	struct slice asked;
	struct url u;
	int len;

	line = slice_trim(line);
	if (line.len == 0 || line.p[0] == '#')
		return;
	if (access_format_read(job->scan->format, line, &job->scratch, &entry)) {
		if (access_entry_url(&entry, &u) != URL_OK) {
			job->counts.without++;
			return;
		}
		asked = entry.url;
		len = take_host(&u, host);
	} else {
		asked = first_word(line);
		len = host_of(asked, host);
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

/* ---- all of them ---- */

static void
add_counts(struct scan_counts *to, const struct scan_counts *from)
{
	to->hosts += from->hosts;
	to->without += from->without;
	for (size_t i = 0; i <= LOOKALIKE_BLOCK; i++)
		to->actions[i] += from->actions[i];
}

/* Print what MEMBER says.  -1 with errno. */
static int
end_piece(void *arg, void *member, size_t n)
{
	struct scan_counts *counts = arg;
	struct job *job = member;

	(void)n;
	add_counts(counts, &job->counts);
	job->counts = (struct scan_counts){ 0 };
	if (job->out.failed)
		return ENOMEM;
	if (job->out.len > 0 && fwrite(job->out.p, 1, job->out.len, stdout) != job->out.len)
		return errno;
	buf_reset(&job->out);
	show_progress("%" PRIu64 " hosts, %" PRIu64 " block, %" PRIu64 " warn", counts->hosts, counts->actions[LOOKALIKE_BLOCK],
	    counts->actions[LOOKALIKE_WARN]);
	return 0;
}

int
scan_fd(const struct scan *scan, int fd, struct scan_counts *counts)
{
	static const struct log_crew_work work = { .line = judge_line, .piece = end_piece };
	size_t n = log_crew_size();
	struct job *jobs = calloc(n, sizeof(*jobs));
	void *members[LOG_CREW_MEMBERS];
	int r, error;

	*counts = (struct scan_counts){ 0 };
	if (jobs == NULL)
		return -1;
	for (size_t i = 0; i < n; i++) {
		jobs[i].scan = scan;
		buf_init(&jobs[i].out, OUT_MAX);
		buf_init(&jobs[i].scratch, LOG_CREW_LINE + 1);
		members[i] = &jobs[i];
	}
	r = log_crew_read(fd, &work, members, n, counts);
	error = r > 0 ? r : errno;
	show_progress_end();
	for (size_t i = 0; i < n; i++) {
		buf_fini(&jobs[i].out);
		buf_fini(&jobs[i].scratch);
	}
	free(jobs);
	errno = error;
	return r == 0 ? 0 : -1;
}
