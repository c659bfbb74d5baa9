/* misp_file.h - the file of one event of a MISP feed, {"Event": {"uuid": "...", ...}}: that it is whole, and which event it is.
 *
 * What else is in it the reader of the format reads (feed_misp.c).  One thread at a time. */
#ifndef FEEDS_MISP_FILE_H
#define FEEDS_MISP_FILE_H

#include "feeds/json_pieces.h"
#include "feeds/misp_manifest.h"

enum { MISP_FILE_WHY = 200 };

struct misp_file {
	struct json_pieces	json;
	unsigned		n_events, n_uuids;
	char			uuid[MISP_UUID + 1];	/* as it is written; "" when it is none */
	char			why[MISP_FILE_WHY];	/* what is wrong with its JSON; "" */
};

/* Begin; nothing is allocated.  misp_file_fini() is due. */
void misp_file_init(struct misp_file *f);
void misp_file_fini(struct misp_file *f);

/* The next bytes of it.  -1 without memory. */
int misp_file_put(struct misp_file *f, struct slice bytes);

/* The end of it.  NULL when it is the event UUID, in any case, and no other; or why not, which lives as long as F. */
const char *misp_file_end(struct misp_file *f, const char *uuid);

#endif
