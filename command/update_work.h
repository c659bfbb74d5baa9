/* update_work.h - what the process of one source does: its list is fetched, looked at, and staged beside its place. */
#ifndef COMMAND_UPDATE_WORK_H
#define COMMAND_UPDATE_WORK_H

#include "command/update.h"
#include "delivery/download.h"
#include "feeds/feed_check.h"

enum { UPDATE_MODE_LIST = 0664 };

struct update_work {
	struct update		*u;
	struct update_source	*s;
	struct update_result	*out;
	int			 list;		/* the list in sources/, open; -1: there is none */
	struct digest		 here;		/* its SHA-256 */
	bool			 known;		/* what is remembered is of it, and of the same line of sources.conf */
};

/* Remember that it failed, for WHY: -1. */
int update_work_fail(struct update_work *w, const char *why);

/* A question to the helper about what came for W; the rest is the caller's. */
struct feed_check_options update_work_question(const struct update_work *w);

/* What A says, of a download with the result R, into W's result: 1 when there is something to look at in RAW, 0 when that is what
 * is here already; -1 when it failed. */
int update_work_take(struct update_work *w, int r, const struct download_answer *a, int raw);

/* Open the place for what is staged, empty.  -1 after update_work_fail(). */
int update_work_open(struct update_work *w);

/* The end of it: LIST is closed, and is a new list, or that which is here; or with R -1 nothing.  R. */
int update_work_close(struct update_work *w, int list, int r);

/* W's source is a folder of MISP events: a URL that ends in a slash or in "/manifest.json". */
bool update_is_folder(const struct update_work *w);

/* Fetch the manifest of such a folder into RAW, an empty file, and those events that are not here, and stage them as one list
 * (feeds/misp_list.h).  The result is in W->out. */
void update_fetch_folder(struct update_work *w, struct download *d, int raw);

#endif
