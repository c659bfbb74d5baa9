#include "feeds/feed_part.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { MESSAGE_MAX = 300, SHOWN_MAX = 100 /* bytes of what a message is about */ };
enum { LINE_SPARE = 16 /* what a reader may add to a line */ };

static const struct {
	feed_reader	*read;
	bool		 allows;	/* whatever the options say */
	const struct feed_stream *stream;	/* instead of READ */
	const struct feed_kept *kept;	/* beside READ; NULL */
} readers[FEED_FORMATS] = {
	[FEED_HOSTS_PLAIN] = { .read = feed_read_hosts },
	[FEED_HOSTS_FILE] = { .read = feed_read_hosts_file },
	[FEED_URLS] = { .read = feed_read_urls },
	[FEED_SQUIDGUARD_DOMAINS] = { .read = feed_read_guard_domains },
	[FEED_SQUIDGUARD_URLS] = { .read = feed_read_guard_urls },
	[FEED_HDB] = { .read = feed_read_clamav },
	[FEED_HSB] = { .read = feed_read_clamav },
	[FEED_FP] = { .read = feed_read_clamav, .allows = true },
	[FEED_SFP] = { .read = feed_read_clamav, .allows = true },
	[FEED_IGN2] = { .read = feed_read_ign2, .allows = true },
	[FEED_DIGESTS] = { .read = feed_read_digests },
	[FEED_HASHDEEP] = { .read = feed_read_hashdeep },
	[FEED_CSV] = { .read = feed_read_csv },
	[FEED_ADBLOCK] = { .read = feed_read_adblock },
	[FEED_RPZ] = { .read = feed_read_rpz, .kept = &feed_kept_rpz },
	[FEED_MISP] = { .stream = &feed_misp },
	[FEED_STIX] = { .stream = &feed_stix },
	[FEED_ABUSE_CSV] = { .read = feed_read_abuse, .kept = &feed_kept_abuse },
	[FEED_ABUSE_JSON] = { .stream = &feed_abuse_json },
	[FEED_CVD] = { .stream = &feed_cvd },
};

/* ---- what the readers say ---- */

int
feed_skip(struct feed *f)
{
	f->counts.skipped++;
	return 0;
}

static unsigned
line_number(const struct feed *f)
{
	if (f->at.line != 0)
		return f->at.line;
	return f->counts.lines > UINT32_MAX ? UINT32_MAX : (unsigned)f->counts.lines;
}

int
feed_bad(struct feed *f, unsigned col, const char *fmt, ...)
{
	char text[MESSAGE_MAX];
	va_list ap;

	if (f->quiet || f->previewing)
		return 0;
	if (f->counts.bad++ >= f->options.bad_shown && !f->loud) {
		f->hidden++;
		return 0;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	col = f->at.col != 0 ? f->at.col : col;
	if (f->shown.len > 0)
		diag_add(f->diag, DIAG_WARNING, f->file, line_number(f), col, "%s: \"%.*s\"", text,
		    SLICE_ARGS(slice_head(f->shown, SHOWN_MAX)));
	else
		diag_add(f->diag, DIAG_WARNING, f->file, line_number(f), col, "%s", text);
	return 0;
}

int
feed_give(struct feed *f, const struct rule_match *match, enum rule_kind kind, struct cell name, struct slice line_md5)
{
	struct feed_entry e = { .action = f->action, .kind = kind, .match = match, .name = name.text, .line_md5 = line_md5,
		.note = f->note, .expires = f->expires, .removed = f->removed, .line = line_number(f), .col = name.col };

	f->counts.entries++;
	return f->visit(f->arg, &e);
}

int
feed_emit(struct feed *f, enum rule_kind kind, unsigned col, struct slice name)
{
	int r = feed_give(f, &f->match, kind, (struct cell){ name, col }, SLICE(""));

	if (f->match.path != NULL)
		rule_match_fini(&f->match);
	return r;
}

int
feed_parse(struct feed *f, enum rule_kind kind, struct cell value)
{
	char why[RULE_WHY];
	size_t at = 0;

	if (rule_match_parse(kind, value.text, &f->match, why, &at) == 0)
		return 0;
	feed_bad(f, value.col + (unsigned)at, "%s", why);
	return -1;
}

int
feed_address(struct feed *f, struct cell value)
{
	char why[RULE_WHY];
	size_t at;

	/* A range of addresses is no network; how long its list of networks would be is not for us to say. */
	if (rule_match_parse(RULE_ADDRESS, value.text, &f->match, why, &at) == -1)
		return feed_skip(f);
	return feed_emit(f, RULE_ADDRESS, value.col, (struct slice){ 0 });
}

struct slice
feed_strip(struct slice s)
{
	for (size_t at = slice_find(s, '#'); at < s.len; at += 1 + slice_find(slice_skip(s, at + 1), '#'))
		if (at == 0 || ascii_is_space(s.p[at - 1])) {
			s.len = at;
			break;
		}
	return slice_trim(s);
}

bool
feed_is_one_of(struct slice s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_ieq(s, slice_str(words[i])))
			return true;
	return false;
}

/* ---- a feed ---- */

static int
refuse_options(struct diag *diag, const char *file, const char *text)
{
	diag_add(diag, DIAG_ERROR, file, 0, 0, "%s", text);
	errno = EINVAL;
	return -1;
}

static int
check_options(const struct feed *f)
{
	if (f->options.action != RULE_BLOCK && f->options.action != RULE_ALLOW)
		return refuse_options(f->diag, f->file, "a feed blocks or allows");
	if (f->options.n_filters > FEED_FILTERS_MAX)
		return refuse_options(f->diag, f->file, "too many filters");
	if (f->options.confidence > FEED_CONFIDENCE_MAX)
		return refuse_options(f->diag, f->file, "confidence is a number from 0 to 100");
	if (f->options.diff && f->read != feed_read_guard_domains && f->read != feed_read_guard_urls)
		return refuse_options(f->diag, f->file, "only squidGuard's lists have a form that lists changes");
	return 0;
}

struct feed *
feed_new(enum feed_format format, const struct feed_options *options, const char *file, feed_visit *visit, void *arg,
    struct diag *diag)
{
	struct feed *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	if (options != NULL)
		f->options = *options;
	if (f->options.line_max == 0)
		f->options.line_max = FEED_LINE_MAX;
	if (f->options.bad_shown == 0)
		f->options.bad_shown = FEED_BAD_SHOWN;
	f->file = file;
	f->visit = visit;
	f->arg = arg;
	f->diag = diag;
	f->read = readers[format].read;
	f->stream = readers[format].stream;
	f->kept = readers[format].kept;
	f->action = readers[format].allows ? RULE_ALLOW : f->options.action;
	buf_init(&f->text, f->options.line_max + LINE_SPARE);
	buf_init(&f->csv.plain, f->options.line_max + LINE_SPARE);
	if (f->kept != NULL && (f->state = calloc(1, f->kept->size)) == NULL) {
		feed_free(f);
		errno = ENOMEM;
		return NULL;
	}
	if (check_options(f) == -1 || (format == FEED_CSV && feed_csv_begin(f) == -1)) {
		feed_free(f);
		errno = EINVAL;
		return NULL;
	}
	return f;
}

void
feed_free(struct feed *f)
{
	if (f == NULL)
		return;
	if (f->stream != NULL)
		f->stream->fini(f);
	else
		free(f->state);
	buf_fini(&f->text);
	buf_fini(&f->csv.plain);
	free(f);
}

/* ---- streams ---- */

bool
feed_is_stream(enum feed_format format)
{
	return readers[format].stream != NULL;
}

static int
no_memory(struct feed *f)
{
	diag_add(f->diag, DIAG_ERROR, f->file, 0, 0, "out of memory");
	return f->stopped = -1;
}

/* The stream begins; or again, after its preview. */
static int
begin_stream(struct feed *f, bool previewing)
{
	if (f->previewing && !previewing && f->stream->end(f) == -1)
		return no_memory(f);
	f->previewing = previewing;
	f->begun = true;
	f->counts = (struct feed_counts){ 0 };
	return f->stream->begin(f) == -1 ? no_memory(f) : 0;
}

int
feed_preview(struct feed *f, struct slice text)
{
	if (f->stream == NULL || !f->stream->previews || f->stopped != 0)
		return f->stopped;
	if (!f->begun && begin_stream(f, true) == -1)
		return f->stopped;
	return f->stopped = f->stream->put(f, text);
}

static int
stream_text(struct feed *f, struct slice text)
{
	if (f->stopped == 0 && (!f->begun || f->previewing) && begin_stream(f, false) == -1)
		return f->stopped;
	if (f->stopped == 0) {
		f->counts.bytes += text.len;
		f->stopped = f->stream->put(f, text);
	}
	return f->stopped;
}

static void
end_stream(struct feed *f)
{
	int r = f->stopped;

	/* An empty text is one that lacks all. */
	if (r == 0 && (r = stream_text(f, SLICE(""))) == 0)
		r = f->stream->end(f);
	f->stopped = r;
}

int
feed_line(struct feed *f, struct slice line)
{
	if (f->stream != NULL && stream_text(f, line) == 0)
		return stream_text(f, SLICE("\n"));
	if (f->stopped != 0)
		return f->stopped;
	f->counts.lines++;
	f->counts.bytes += line.len + 1;
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	if (line.len == 0)
		return 0;
	f->line = line;
	if (line.len > f->options.line_max)
		return feed_bad(f, 1, "the line has more than %zu bytes", f->options.line_max);
	if (f->counts.lines == 1 && slice_starts(line, SLICE("\xef\xbb\xbf")))
		line = slice_skip(line, 3);		/* a byte order mark */
	return f->stopped = f->read(f, line);
}

int
feed_text(struct feed *f, struct slice text)
{
	struct slice line;
	int r = f->stopped;

	if (f->stream != NULL)
		return stream_text(f, text);
	while (text.len > 0 && r == 0) {
		slice_cut(text, '\n', &line, &text);
		r = feed_line(f, line);
	}
	return r;
}

int
feed_end(struct feed *f, struct feed_counts *out)
{
	if (f->kept != NULL && f->kept->end != NULL)
		f->kept->end(f);
	if (f->stream != NULL)
		end_stream(f);
	if (f->hidden > 0)
		diag_add(f->diag, DIAG_NOTE, f->file, 0, 0, "%" PRIu64 " more bad lines are not shown", f->hidden);
	if (out != NULL)
		*out = f->counts;
	return f->stopped;
}
