/* feed_misp_part.h - an event of MISP while its attributes are read.  For feed_misp*.c only. */
#ifndef FEEDS_FEED_MISP_PART_H
#define FEEDS_FEED_MISP_PART_H

#include "feeds/feed_part.h"

enum { MISP_INFO_MAX = 200 };	/* bytes of a text that people are told */

struct misp_state {
	uint64_t	events;
	struct buf	infos, texts;	/* struct info, in order; of a preview */
	size_t		next;		/* of INFOS */
	struct buf	info;		/* what the event that is read is called */
	struct buf	note;		/* of the entry that is given */
};

/* An attribute of its own; an object, and whatever of its attributes is known to be what the object is about.  Both say what they
 * are of by F's state, and count what is for others. */
int feed_misp_attribute(struct feed *f, const json_t *a);
int feed_misp_object(struct feed *f, const json_t *o);

#endif
