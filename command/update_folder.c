/* A MISP feed: a folder with manifest.json and a file for each event.
 *
 *	manifest.json --> helper --> what it names
 *	                               |-- the same as before: from the list that is here
 *	                               '-- new or changed: fetched --> helper --> its SHA-256 is that of the manifest
 *	all of them --> one list, staged
 *
 * An event that is no good costs that event: the last good one stays, if there was one, and it is asked for again next time.  What
 * would be the same for any other event (the limits of the whole, the deadline, 429 and 503, a disk that is full) fails the run. */
#include "command/update_work.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "feeds/misp_list.h"
#include "inspect/digester.h"

#define MANIFEST	"manifest.json"

enum {
	EVENTS_MAX = 1 << 16,		/* that a manifest may name */
	EVENT_MAX = 64 << 20,		/* bytes of one event, packed or not */
	BAD_FEW = 100,			/* entries of one event, which are for the whole to judge */
	BROKEN_IN_A_ROW = 100,		/* then the origin is not asked any more */
	TEXT_MAX = EVENTS_MAX * MISP_EVENT_TEXT,
	MS = 1000,
};

struct folder {
	struct update_work		*w;
	struct download			*d;
	const struct feed_origin	*o;
	int64_t				 end_ms;	/* by clock_boot_ms() */
	int				 raw, text;	/* files without a name, used for one event after the other */
	struct buf			 names;		/* what the helper says of the manifest */
	struct misp_list		 old;		/* what is here */
	struct misp_list_out		 out;
	struct feed_counts		*counts;	/* of all that was written */
	size_t				 n_good, n_broken, in_a_row;
	char				 why[FEED_WHY];		/* of the event that is no good */
	char				 first[FEED_WHY];	/* of the first of them, with its name */
};

bool
update_is_folder(const struct update_work *w)
{
	struct slice url = slice_str(w->s->feed->read.origin.origin);

	url = slice_head(url, strcspn(url.p, "?#"));
	return w->s->feed->read.format == FEED_MISP && (slice_ends(url, SLICE("/")) || slice_ends(url, SLICE("/" MANIFEST)));
}

/* The run fails, for WHY. */
static int
fail(struct folder *f, const char *why)
{
	return update_work_fail(f->w, why);
}

/* The event is no good, for WHY. */
static int
broken(struct folder *f, const char *why)
{
	feed_state_text(f->why, sizeof(f->why), slice_str(why));
	return 0;
}

static bool
is_over(const struct folder *f)
{
	return clock_boot_ms() >= f->end_ms;
}

/* Empty FD, which stands at its beginning then. */
static int
empty(int fd)
{
	return ftruncate(fd, 0) == -1 || lseek(fd, 0, SEEK_SET) == -1 ? -1 : 0;
}

/* ---- asking the helper ---- */

/* What is in F->raw, to F->text.  -1 with REPORT. */
static int
look(struct folder *f, enum feed_check_what what, const char *uuid, bool gzip, struct feed_check_report *report)
{
	struct feed_check_options question = update_work_question(f->w);
	int64_t left = f->end_ms - clock_boot_ms();

	question.what = what;
	question.uuid = uuid;
	question.gzip = gzip;
	question.timeout_s = left > 0 ? (left + MS - 1) / MS : 1;
	if (what == FEED_CHECK_MANIFEST)
		question.lines = EVENTS_MAX;
	else if (question.unpacked > EVENT_MAX)
		question.unpacked = EVENT_MAX;
	return feed_check(&question, f->raw, f->text, report);
}

/* ---- one event ---- */

/* It is what is here already. */
static bool
is_same(const struct misp_kept *kept, const struct misp_event *e)
{
	if (kept == NULL || strcmp(kept->event.timestamp, e->timestamp) != 0 || kept->event.has_sum != e->has_sum)
		return false;
	return e->has_sum ? digest_eq(&kept->event.sum, &e->sum) : e->timestamp[0] != '\0';
}

/* Append KEPT, which stands in FROM, within the limits of the whole.  1; -1 after fail(). */
static int
add(struct folder *f, const struct misp_kept *kept, int from)
{
	char why[FEED_WHY];

	if (f->out.bytes + kept->len > (uint64_t)f->o->unpacked)
		snprintf(why, sizeof(why), "its events have more than the %" PRId64 " bytes that they may have together", f->o->unpacked);
	else if (f->counts->lines + kept->counts.lines > (uint64_t)f->o->lines)
		snprintf(why, sizeof(why), "its events have more than the %" PRId64 " lines that they may have together", f->o->lines);
	else if (misp_list_add(&f->out, kept, from) == -1)
		snprintf(why, sizeof(why), "%s", strerror(errno));
	else {
		f->counts->lines += kept->counts.lines;
		f->counts->entries += kept->counts.entries;
		f->counts->skipped += kept->counts.skipped;
		f->counts->bad += kept->counts.bad;
		return 1;
	}
	return fail(f, why);
}

/* Fetch the file of E into F->raw.  1; 0 after broken(); -1 after fail(). */
static int
get(struct folder *f, const struct misp_event *e, bool *gzip)
{
	uint64_t left = (uint64_t)f->o->max > f->w->out->bytes ? (uint64_t)f->o->max - f->w->out->bytes : 0;
	char name[MISP_UUID + sizeof(".json")], why[FEED_WHY];
	struct download_request rq = { .name = name, .max = left < EVENT_MAX ? left : EVENT_MAX, .end_ms = f->end_ms };
	struct download_answer a;
	int r;

	snprintf(name, sizeof(name), "%s.json", e->uuid);
	r = download_get(f->d, &rq, f->raw, &a);
	f->w->out->bytes += a.bytes;
	*gzip = a.gzip;
	if (r == 0)
		return 1;
	if (a.too_long && left < EVENT_MAX) {
		snprintf(why, sizeof(why), "more than the %" PRId64 " bytes come that may come together", f->o->max);
		return fail(f, why);
	}
	f->w->out->retry_after_s = a.retry_after_s;
	return a.hopeless || is_over(f) ? fail(f, is_over(f) ? "took too long" : a.why) : broken(f, a.why);
}

/* What came, and was good enough for the helper, has the SHA-256 that the manifest says.  -1 with errno. */
static int
has_sum(const struct folder *f, const struct misp_event *e, const struct digest *unpacked)
{
	struct digest raw;

	if (!e->has_sum || digest_eq(&e->sum, unpacked))
		return 1;
	return digest_of_fd(f->raw, DIGEST_SHA256, &raw) == -1 ? -1 : digest_eq(&e->sum, &raw);
}

/* Where the text in FD begins: a byte order mark may not stand within the list.  -1 with errno. */
static off_t
begin_of(int fd)
{
	char mark[3];
	ssize_t n = pread(fd, mark, sizeof(mark), 0);

	if (n == -1)
		return -1;
	return n == (ssize_t)sizeof(mark) && memcmp(mark, "\xef\xbb\xbf", sizeof(mark)) == 0 ? (off_t)sizeof(mark) : 0;
}

static void
say_entries(char why[static FEED_WHY], const struct feed_counts *n)
{
	snprintf(why, FEED_WHY, "has %" PRIu64 " bad entries, and %" PRIu64 " good ones", n->bad, n->entries);
}

static void
say_broken(char why[static FEED_WHY], const struct folder *f)
{
	snprintf(why, FEED_WHY, "%zu of its %zu events could not be used: %.250s", f->n_broken, f->n_broken + f->n_good, f->first);
}

/* E, which is good, and stands in F->text as REPORT says, into the list.  1; 0 after broken(); -1 after fail(). */
static int
take_text(struct folder *f, const struct misp_event *e, const struct feed_check_report *report)
{
	struct misp_kept kept = { .event = *e, .at = begin_of(f->text), .counts = report->counts };
	int good = has_sum(f, e, &report->file);
	char why[FEED_WHY];

	if (good == -1 || kept.at == -1)
		return fail(f, strerror(errno));
	if (good == 0)
		return broken(f, "its SHA-256 is not what the manifest says");
	/* So much of it is bad that it would cost all others. */
	if (report->counts.bad > BAD_FEW && !feed_check_is_mostly_good(&report->counts)) {
		say_entries(why, &report->counts);
		return broken(f, why);
	}
	kept.len = report->bytes - (uint64_t)kept.at;
	return add(f, &kept, f->text);
}

/* Fetch E, look at it and append it.  The same. */
static int
fetch(struct folder *f, const struct misp_event *e)
{
	struct feed_check_report report;
	bool gzip;
	int r;

	if (*f->o->key != '\0' && !e->has_sum)
		return broken(f, "the signed manifest has no SHA-256 of it");
	if (empty(f->raw) == -1 || empty(f->text) == -1)
		return fail(f, strerror(errno));
	if ((r = get(f, e, &gzip)) != 1)
		return r;
	if (look(f, FEED_CHECK_EVENT, e->uuid, gzip, &report) == 0)
		return take_text(f, e, &report);
	if (report.is_ours || is_over(f))
		return fail(f, report.is_ours ? report.why : "took too long");
	return broken(f, report.why);
}

static int
give_up(struct folder *f)
{
	char why[FEED_WHY];

	snprintf(why, sizeof(why), "%d events one after the other could not be used: %.250s", BROKEN_IN_A_ROW, f->first);
	return fail(f, why);
}

/* E into the list: as it is here, as it is fetched, or the last good one.  0; -1 after fail(). */
static int
take(struct folder *f, const struct misp_event *e)
{
	const struct misp_kept *kept = misp_list_find(&f->old, e->uuid);
	int r = is_same(kept, e) ? add(f, kept, f->w->list) : is_over(f) ? fail(f, "took too long") : fetch(f, e);

	if (r == -1)
		return -1;
	if (r == 1) {
		f->n_good++;
		f->in_a_row = is_same(kept, e) ? f->in_a_row : 0;
		return 0;
	}
	if (f->n_broken++ == 0)
		snprintf(f->first, sizeof(f->first), "%s.json: %.300s", e->uuid, f->why);
	if (++f->in_a_row == BROKEN_IN_A_ROW)
		return give_up(f);
	return kept != NULL && add(f, kept, f->w->list) == -1 ? -1 : 0;
}

/* ---- all of them ---- */

/* All that the helper said of the manifest: lines, which are believed as little as what it read. */
static int
take_all(struct folder *f)
{
	struct slice rest = buf_slice(&f->names), line;
	struct misp_event e, before = { .seen = false };

	while (rest.len > 0) {
		slice_cut(rest, '\n', &line, &rest);
		if (misp_event_parse(line, &e) == -1 || misp_event_compare(&before, &e) >= 0)
			return fail(f, "it cannot be looked at: the process that reads it makes no sense");
		if (take(f, &e) == -1)
			return -1;
		before = e;
	}
	return misp_list_end(&f->out) == 0 ? 0 : fail(f, strerror(errno));
}

/* The list is written: is it good enough to take the place of the one before? */
static int
judge(struct folder *f)
{
	struct update_result *out = f->w->out;
	char why[FEED_WHY];

	f->counts->bad += f->n_broken;
	if (f->n_broken > f->n_good)
		say_broken(why, f);
	else if (f->counts->entries == 0)
		snprintf(why, sizeof(why), "is empty: not one entry in %zu events", f->n_good);
	else if (!feed_check_is_mostly_good(f->counts))
		say_entries(why, f->counts);
	else {
		if (f->n_broken > 0)
			say_broken(out->why, f);
		out->partly = f->n_broken > 0;
		return digest_of_fd(f->out.fd, DIGEST_SHA256, &out->file) == 0 ? 0 : fail(f, strerror(errno));
	}
	return fail(f, why);
}

static void
stage(struct folder *f)
{
	int r;

	if ((f->out.fd = update_work_open(f->w)) == -1)
		return;
	r = take_all(f) == 0 && judge(f) == 0 ? 0 : -1;
	update_work_close(f->w, f->out.fd, r);
}

/* What the manifest in F->raw names, by the helper, into F->names.  -1 after fail(). */
static int
read_manifest(struct folder *f, bool gzip)
{
	struct feed_check_report report;
	char why[FEED_WHY];

	if (look(f, FEED_CHECK_MANIFEST, NULL, gzip, &report) == -1) {
		snprintf(why, sizeof(why), MANIFEST " %.300s", report.why);
		return fail(f, why);
	}
	if (report.counts.bad > 0)
		snprintf(f->w->out->why, sizeof(f->w->out->why), MANIFEST ": %" PRIu64 " of its entries: %.300s", report.counts.bad, report.why);
	f->counts->bad = report.counts.bad;
	if (lseek(f->text, 0, SEEK_SET) == -1 || file_read_fd(f->text, &f->names) == -1)
		return fail(f, strerror(errno));
	if (f->w->known && misp_list_read(f->w->list, &f->old) == -1)
		return fail(f, strerror(errno));
	return 0;
}

static void
fetch_all(struct folder *f)
{
	struct download_request rq = { .name = MANIFEST, .have = f->w->known ? &f->w->s->feed->state : NULL, .max = (uint64_t)f->o->max,
		.end_ms = f->end_ms, .is_signed = true };
	struct download_answer a;
	int r = download_get(f->d, &rq, f->raw, &a);

	if (r == -1) {
		char why[FEED_WHY];

		snprintf(why, sizeof(why), MANIFEST ": %.300s", a.why);
		feed_state_text(a.why, sizeof(a.why), slice_str(why));
	}
	if (update_work_take(f->w, r, &a, f->raw) == 1 && read_manifest(f, a.gzip) == 0)
		stage(f);
}

void
update_fetch_folder(struct update_work *w, struct download *d, int raw)
{
	const struct feed_origin *o = &w->s->feed->read.origin;
	struct folder f = { .w = w, .d = d, .o = o, .end_ms = clock_boot_ms() + o->timeout * MS, .raw = raw, .counts = &w->out->counts };
	char dir[STATE_PATH];

	buf_init(&f.names, TEXT_MAX);
	f.text = state_path(w->u->call->state, STATE_UPDATE, dir) == -1 ? -1 : file_nameless(dir);
	if (f.text == -1)
		fail(&f, strerror(errno));
	else {
		fetch_all(&f);
		close(f.text);
	}
	misp_list_free(&f.old);
	buf_fini(&f.names);
}
