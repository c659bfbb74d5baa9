#include "setup/marks.h"

#define TEXT(literal)	{ (literal), sizeof(literal) - 1 }

static const struct slice begin = TEXT("# >>> firebreak setup"), words = TEXT(": \"firebreak undo\" takes this out"),
    broken = TEXT(" (with the end of the line above)"), end = TEXT("# <<< firebreak setup"),
    was_mark = TEXT("#was "), was_last = TEXT("#was-last ");	/* the second: of a line without a newline */

/* Take the line that *REST begins with, with its newline, off it. */
static struct slice
take_line(struct slice *rest)
{
	size_t n = slice_find(*rest, '\n');

	return slice_take(rest, n < rest->len ? n + 1 : n);
}

int
marks_add(struct buf *out, struct slice was, struct slice more)
{
	bool joins = out->len > 0 && out->p[out->len - 1] != '\n';

	if (joins)
		buf_add_char(out, '\n');
	buf_add_slice(out, begin);
	buf_add_slice(out, words);
	if (joins)
		buf_add_slice(out, broken);
	buf_add_char(out, '\n');
	while (was.len > 0) {
		struct slice line = take_line(&was);

		buf_add_slice(out, slice_ends(line, SLICE("\n")) ? was_mark : was_last);
		buf_add_slice(out, line);
		if (!slice_ends(line, SLICE("\n")))
			buf_add_char(out, '\n');
	}
	buf_add_slice(out, more);
	buf_add_slice(out, end);
	return buf_add_char(out, '\n');
}

/* *TEXT begins with a whole block: go past it, and append what it stands for. */
static bool
remove_block(struct slice *text, struct buf *out)
{
	struct slice rest = *text, line = take_line(&rest), body = rest;
	bool joins;

	if (!slice_starts(line, begin))
		return false;
	joins = slice_search(line, broken) < line.len;
	do {
		if (body.len == 0)
			return false;
		line = take_line(&body);
	} while (!slice_starts(line, end));
	/* Unless others have gone on behind it. */
	if (joins && body.len == 0 && out->len > 0 && out->p[out->len - 1] == '\n')
		out->p[--out->len] = '\0';
	while (rest.len > body.len) {
		line = take_line(&rest);
		if (slice_starts(line, was_mark))
			buf_add_slice(out, slice_skip(line, was_mark.len));
		else if (slice_starts(line, was_last))
			buf_add_slice(out, slice_head(slice_skip(line, was_last.len), line.len - was_last.len - 1));
	}
	*text = body;
	return true;
}

int
marks_remove(struct slice text, struct buf *out)
{
	while (text.len > 0)
		if (!remove_block(&text, out))
			buf_add_slice(out, take_line(&text));
	return out->failed ? -1 : 0;
}

bool
marks_found(struct slice text)
{
	while (text.len > 0)
		if (slice_starts(take_line(&text), begin))
			return true;
	return false;
}
