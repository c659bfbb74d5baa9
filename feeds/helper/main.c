/* firebreak-feed-helper - unpacks and reads what came from a feed's origin, in a sandbox (feeds/feed_check_wire.h).
 *
 * Started by feeds/feed_check.c with a socket and a file, and of no use to anybody else.  It opens no file and writes none.  Exit
 * status: 0 when it said what the list is, 1 otherwise. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "feeds/feed_check_wire.h"
#include "feeds/feed_settings.h"
#include "feeds/helper/unpack.h"
#include "feeds/misp_file.h"
#include "inspect/digester.h"
#include "inspect/helper/sandbox.h"

enum { LOOKED_AT = 512, MS = 1000 };

struct reading {
	struct check_order	 order;
	struct feed_settings	 settings;
	struct feed		*feed;
	struct diag		 diag;
	struct check_bytes	 piece;
	struct buf		 line;		/* the beginning of one that a piece ends in */
	uint64_t		 lines;
	struct misp_manifest	*manifest;
	struct misp_file	 event;
	struct check_done	 done;
};

/* The parent is gone or does not make sense: there is nobody to tell.  No handlers: what they do may not be allowed. */
static _Noreturn void
give_up(void)
{
	_exit(1);
}

static void
tell(const void *packet, size_t len)
{
	ssize_t n;

	do
		n = send(CHECK_SOCKET, packet, len, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	if (n != (ssize_t)len)
		give_up();
}

static void
receive(struct check_order *order)
{
	ssize_t n;

	do
		n = recv(CHECK_SOCKET, order, sizeof(*order), 0);
	while (n == -1 && errno == EINTR);
	if (n < (ssize_t)offsetof(struct check_order, settings) || order->settings_len > sizeof(order->settings) ||
	    n != (ssize_t)(offsetof(struct check_order, settings) + order->settings_len))
		give_up();
}

/* ---- lines ---- */

static int
ignore(void *arg, const struct feed_entry *entry)
{
	(void)arg, (void)entry;
	return 0;
}

static int
read_line(struct reading *r, struct slice line)
{
	if (r->lines++ == r->order.lines) {
		snprintf(r->done.why, sizeof(r->done.why), "has more than the %" PRIu64 " lines that it may have", r->order.lines);
		return -1;
	}
	return feed_line(r->feed, line) == 0 ? 0 : -1;
}

/* Keep TEXT, the beginning of a line or more of it, up to what makes it too long. */
static void
keep(struct reading *r, struct slice text)
{
	size_t room = FEED_LINE_MAX + 1 - r->line.len;

	buf_add_slice(&r->line, slice_head(text, room));
}

static int
read_bytes(struct reading *r, struct slice text)
{
	struct slice line;

	while (text.len > 0) {
		bool whole = slice_cut(text, '\n', &line, &text);

		if (!whole || r->line.len > 0) {
			keep(r, line);
			line = buf_slice(&r->line);
		}
		if (!whole)
			return r->line.failed ? -1 : 0;
		if (read_line(r, line) == -1)
			return -1;
		buf_reset(&r->line);
	}
	return 0;
}

/* An origin that has a page for errors mostly says 200 with it. */
static bool
is_page(struct slice text)
{
	static const char *const begins[] = { "<!doctype", "<html", "<head", "<?xml", "<script", "<body" };

	if (slice_starts(text, SLICE("\xef\xbb\xbf")))
		text = slice_skip(text, 3);
	text = slice_trim(slice_head(text, LOOKED_AT));
	for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++)
		if (slice_istarts(text, slice_str(begins[i])))
			return true;
	return false;
}

/* ---- what it is ---- */

static int
say(struct reading *r, const char *why)
{
	snprintf(r->done.why, sizeof(r->done.why), "%s", why);
	return -1;
}

/* The first bytes of TEXT are those of no list. */
static int
check_begin(struct reading *r, struct slice text)
{
	text = slice_head(text, LOOKED_AT);
	if (is_page(text))
		return say(r, "is an HTML page, not a list");
	if (!feed_is_stream(r->settings.format) && slice_find(text, '\0') < text.len)
		return say(r, "is no text");
	return 0;
}

/* A piece of the list, to the reader. */
static int
read_piece(struct reading *r, struct slice text)
{
	int n = feed_is_stream(r->settings.format) ? feed_text(r->feed, text) : read_bytes(r, text);

	if (n == 0)
		return 0;
	return *r->done.why != '\0' ? -1 : say(r, "cannot be read: out of memory");
}

/* Unpack the list, and give TAKE each piece. */
static int
unpack_all(struct reading *r, int take(struct reading *r, struct slice text))
{
	char why[UNPACK_WHY];
	struct unpack *u = unpack_open(CHECK_RAW, r->order.gzip, r->order.unpacked, why);
	bool first = true;
	int result = 0;
	ssize_t n = 0;

	if (u == NULL)
		return say(r, *why != '\0' ? why : "out of memory");
	while (result == 0 && (n = unpack_read(u, r->piece.p, sizeof(r->piece.p), why)) > 0) {
		struct slice text = slice_make(r->piece.p, (size_t)n);

		result = first ? check_begin(r, text) : 0;
		first = false;
		if (result == 0)
			result = take(r, text);
	}
	unpack_close(u);
	return n == -1 ? say(r, why) : result;
}

/* Of what is no list of lines all is shown first, as publish does. */
static int
preview_piece(struct reading *r, struct slice text)
{
	return feed_preview(r->feed, text) == 0 ? 0 : say(r, "cannot be read: out of memory");
}

/* The whole list goes through the reader, and back to the parent. */
static int
take_piece(struct reading *r, struct slice text)
{
	if (read_piece(r, text) == -1)
		return -1;
	tell(&r->piece, offsetof(struct check_bytes, p) + text.len);
	return 0;
}

static int
read_all(struct reading *r)
{
	if (feed_is_stream(r->settings.format) && unpack_all(r, preview_piece) == -1)
		return -1;
	if (unpack_all(r, take_piece) == -1)
		return -1;
	return r->line.len > 0 ? read_line(r, buf_slice(&r->line)) : 0;
}

/* The list is read: what is it? */
static void
judge(struct reading *r)
{
	const struct feed_counts *n = &r->done.counts;
	const struct diag_entry *first = r->diag.n > 0 ? &r->diag.v[0] : NULL;
	const char *format = feed_format_name(r->settings.format);

	r->done.is_list = n->entries > 0 && feed_check_is_mostly_good(n);
	if (r->done.is_list)
		return;
	if (n->bad > 0 && first != NULL)
		snprintf(r->done.why, sizeof(r->done.why), "is no list of the format %s: %" PRIu64 " bad lines, %" PRIu64
		    " good ones; line %u: %s", format, n->bad, n->entries, first->line > 0 ? first->line : 1, first->text);
	else
		snprintf(r->done.why, sizeof(r->done.why), "is empty: not one entry of the format %s in %" PRIu64 " lines", format, n->lines);
}

static void
look_at_list(struct reading *r)
{
	if (read_all(r) == 0 && feed_end(r->feed, &r->done.counts) == 0)
		judge(r);
}

/* ---- a MISP feed ---- */

static int
put_manifest(struct reading *r, struct slice text)
{
	return misp_manifest_put(r->manifest, text) == 0 ? 0 : say(r, "cannot be read: out of memory");
}

/* The events, as lines, to the parent. */
static void
tell_events(const struct misp_event *v, size_t n)
{
	static struct check_bytes piece = { .type = CHECK_BYTES };
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		misp_event_format(&v[i], piece.p + len);
		len += strlen(piece.p + len);
		piece.p[len++] = '\n';
		if (i + 1 == n || sizeof(piece.p) - len < MISP_EVENT_TEXT) {
			tell(&piece, offsetof(struct check_bytes, p) + len);
			len = 0;
		}
	}
}

static void
look_at_manifest(struct reading *r)
{
	const struct misp_event *v;
	struct feed_counts *counts = &r->done.counts;
	const struct diag_entry *first = NULL;
	size_t n = 0;

	if ((r->manifest = misp_manifest_new("manifest.json", r->order.lines, &r->diag)) == NULL) {
		say(r, "cannot be read: out of memory");
		return;
	}
	if (unpack_all(r, put_manifest) == -1)
		return;
	r->done.is_list = misp_manifest_end(r->manifest);
	v = misp_manifest_events(r->manifest, &n);
	counts->entries = n;
	counts->bad = misp_manifest_bad(r->manifest);
	/* The last one is why it is not whole. */
	if (r->diag.n > 0)
		first = &r->diag.v[r->done.is_list ? 0 : r->diag.n - 1];
	if (first != NULL)
		snprintf(r->done.why, sizeof(r->done.why), "%s in line %u, column %u: %s", r->done.is_list ? "something is bad" :
		    "is damaged", first->line, first->col, first->text);
	if (!r->done.is_list && n == r->order.lines)
		snprintf(r->done.why, sizeof(r->done.why), "names more than the %zu events that it may name", n);
	if (r->done.is_list)
		tell_events(v, n);
}

static int
preview_event(struct reading *r, struct slice text)
{
	if (misp_file_put(&r->event, text) == -1)
		return say(r, "cannot be read: out of memory");
	return preview_piece(r, text);
}

static void
look_at_event(struct reading *r)
{
	const char *wrong;

	misp_file_init(&r->event);
	if (unpack_all(r, preview_event) == -1)
		return;
	if ((wrong = misp_file_end(&r->event, r->order.uuid)) != NULL) {
		say(r, wrong);
		return;
	}
	if (unpack_all(r, take_piece) == -1 || feed_end(r->feed, &r->done.counts) != 0)
		return;
	/* Between attributes: what would be lost of the events behind it, where it is one of a list. */
	r->done.is_list = !r->done.counts.cut;
	if (r->done.counts.cut)
		snprintf(r->done.why, sizeof(r->done.why), "is damaged in its attributes: line %u, column %u", r->diag.n > 0 ?
		    r->diag.v[r->diag.n - 1].line : 1, r->diag.n > 0 ? r->diag.v[r->diag.n - 1].col : 1);
}

/* ---- for all ---- */

static void
look(struct reading *r)
{
	switch (r->order.what) {
	case FEED_CHECK_MANIFEST:
		look_at_manifest(r);
		break;
	case FEED_CHECK_EVENT:
		look_at_event(r);
		break;
	default:
		look_at_list(r);
	}
}

/* What may need more than reading is done first: the settings, the reader of the format. */
static void
get_ready(struct reading *r)
{
	struct digest warm[DIGEST_ALGS];

	/* What OpenSSL makes when it is first used cannot be made in the sandbox. */
	digests_of(SLICE("x"), DIGEST_BIT(DIGEST_MD5) | DIGEST_BIT(DIGEST_SHA1) | DIGEST_BIT(DIGEST_SHA256), warm);
	receive(&r->order);
	if (feed_settings_read(&r->settings, "sources.conf", r->order.line, r->order.col,
	    slice_make(r->order.settings, r->order.settings_len), &r->diag) == -1 || !r->settings.has_format)
		give_up();
	r->order.uuid[sizeof(r->order.uuid) - 1] = '\0';
	r->settings.options.bad_shown = 1;
	r->settings.options.now = clock_ms() / MS;
	if ((r->feed = feed_new(r->settings.format, &r->settings.options, "list", ignore, NULL, &r->diag)) == NULL) {
		snprintf(r->done.why, sizeof(r->done.why), "cannot be read: %s", diag_first_error(&r->diag));
		tell(&r->done, sizeof(r->done));
		_exit(0);
	}
}

int
main(void)
{
	static struct reading r = { .piece = { .type = CHECK_BYTES }, .done = { .type = CHECK_DONE } };

	sandbox_close_from(CHECK_FDS);
	buf_init(&r.line, FEED_LINE_MAX + 1);
	get_ready(&r);
	if (sandbox_enter(CHECK_SOCKET, CHECK_RAW, r.order.cpu_ms) == -1)
		give_up();
	look(&r);
	tell(&r.done, sizeof(r.done));
	_exit(0);
}
