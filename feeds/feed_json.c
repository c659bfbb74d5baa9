/* What the formats in JSON have in common. */
#include "feeds/feed_part.h"

#include <inttypes.h>

void
feed_piece(struct feed *f, unsigned line, unsigned col)
{
	f->at.line = line;
	f->at.col = col;
	f->shown = f->note = SLICE("");
	f->expires = 0;
}

void
feed_json_bad(void *feed, unsigned line, unsigned col, const char *what)
{
	struct feed *f = feed;

	if (f->previewing)
		return;
	feed_piece(f, line, col);
	if (!json_pieces_broken(&f->json)) {
		feed_bad(f, col, "%s", what);
		return;
	}
	f->counts.cut = true;
	f->loud = true;		/* what stands behind is lost */
	feed_bad(f, col, "%s: nothing behind this is read, the %" PRIu64 " entries before it count", what, f->counts.entries);
	f->loud = false;
}

void
feed_json_begin(struct feed *f, const struct json_reader *reader)
{
	json_pieces_fini(&f->json);
	json_pieces_init(&f->json, reader, f);
}

int
feed_json_put(struct feed *f, struct slice text)
{
	int r = json_pieces_put(&f->json, text);

	f->counts.lines = f->json.line - (f->json.col == 1);
	return r;
}

int
feed_json_end(struct feed *f)
{
	json_pieces_end(&f->json);
	return f->json.stopped;
}

void
feed_json_fini(struct feed *f)
{
	json_pieces_fini(&f->json);
}
