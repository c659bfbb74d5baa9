#include "alerts/alert_withdrawal.h"

#include <inttypes.h>

#include "base/clock.h"

#define HEAD	"# This alert was withdrawn "
#define WHO	" by uid="
#define HINT	"# Importing it again, or a later version of it, makes its rules anew; those that come back keep their ids.\n"
#define MARK	"# withdrawn "
#define AND	MARK "and: "

/* Source lines have up to 65,536 bytes, comments too (ruleset/source.h). */
enum { PIECE_MAX = 60000 };

/* The first line without its HEAD: "DATE by uid=UID: REASON". */
static bool
read_head(struct slice line, struct alert_withdrawal *out)
{
	struct slice date, rest;
	size_t who;

	if (!slice_starts(line, SLICE(HEAD)))
		return false;
	line = slice_skip(line, sizeof(HEAD) - 1);
	who = slice_search(line, SLICE(WHO));
	date = slice_head(line, who);
	rest = slice_skip(line, who + sizeof(WHO) - 1);
	slice_cut(rest, ':', &rest, &out->reason);
	out->reason = slice_trim(out->reason);
	return clock_parse(date, &out->date) == 0 && slice_u64(rest, &out->uid) == 0;
}

bool
alert_withdrawal_read(struct slice source, struct alert_withdrawal *out)
{
	struct alert_withdrawal unwanted;

	slice_cut(source, '\n', &source, NULL);
	return read_head(source, out != NULL ? out : &unwanted);
}

/* What of LINE goes into one piece: no UTF-8 sequence is cut in two. */
static size_t
piece_len(struct slice line)
{
	size_t n = PIECE_MAX;

	if (line.len <= n)
		return line.len;
	while (n > PIECE_MAX - 4 && ((unsigned char)line.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static void
comment_out(struct slice line, const char *date, struct buf *out)
{
	size_t n = piece_len(line);

	buf_add_strs(out, MARK, date, ": ", NULL);
	buf_add_slice(out, slice_head(line, n));
	buf_add_char(out, '\n');
	for (line = slice_skip(line, n); line.len > 0; line = slice_skip(line, n)) {
		n = piece_len(line);
		buf_add_str(out, AND);
		buf_add_slice(out, slice_head(line, n));
		buf_add_char(out, '\n');
	}
}

int
alert_withdrawal_write(struct slice source, const struct alert_withdrawal *w, struct buf *out)
{
	struct slice line, rest;
	char date[CLOCK_TEXT];
	struct buf before;

	buf_init(&before, source.len + 1);
	if (alert_withdrawal_undo(source, &before) == -1)
		out->failed = true;
	clock_format_s(w->date, date);
	buf_addf(out, HEAD "%s" WHO "%" PRIu64 ": ", date, w->uid);
	buf_add_utf8(out, w->reason);
	buf_add_str(out, "\n" HINT);
	for (rest = buf_slice(&before); rest.len > 0;) {
		slice_cut(rest, '\n', &line, &rest);
		comment_out(line, date, out);
	}
	buf_fini(&before);
	return out->failed ? -1 : 0;
}

/* LINE without the mark before it; false when it has none. */
static bool
unmark(struct slice line, struct slice *text)
{
	size_t colon = slice_search(line, SLICE(": "));

	if (!slice_starts(line, SLICE(MARK)) || colon == line.len)
		return false;
	*text = slice_skip(line, colon + 2);
	return true;
}

int
alert_withdrawal_undo(struct slice source, struct buf *out)
{
	struct slice line, text;
	bool open = false;	/* the line before may go on */

	if (!alert_withdrawal_read(source, NULL))
		return buf_add_slice(out, source);
	slice_cut(source, '\n', NULL, &source);
	if (slice_starts(source, SLICE(HINT)))
		source = slice_skip(source, sizeof(HINT) - 1);
	while (source.len > 0) {
		slice_cut(source, '\n', &line, &source);
		if (open && slice_starts(line, SLICE(AND))) {
			out->len--;
			buf_add_slice(out, slice_skip(line, sizeof(AND) - 1));
		} else {
			open = unmark(line, &text);
			buf_add_slice(out, open ? text : line);
		}
		buf_add_char(out, '\n');
	}
	return out->failed ? -1 : 0;
}
