/* feed_list.h - the feeds that "firebreak update" fetches: what sources.conf says of each, and what is remembered of it. */
#ifndef FEEDS_FEED_LIST_H
#define FEEDS_FEED_LIST_H

#include "feeds/feed_settings.h"
#include "feeds/feed_state.h"
#include "ruleset/manifest.h"
#include "runtime/state.h"

struct feed_item {
	char			 name[MANIFEST_NAME + 1];
	struct slice		 settings;		/* behind the name in sources.conf; borrowed from the list */
	unsigned		 line, col;		/* where */
	struct feed_settings	 read;
	struct feed_state	 state;			/* as remembered */
	char			 path[STATE_PATH];	/* of the list, which may not be there yet */
	int64_t			 written;		/* seconds: its date, which its rules' end counts from; 0 when it is not there */
};

struct feed_list {
	char			  conf[STATE_PATH];	/* the path of sources.conf */
	struct buf		  text;			/* what is in it */
	struct feed_item	**v;			/* in the order of the lines */
	size_t			  n;
};

/* Read what the state folder STATE has.  -1 with errors at file:line:col in DIAG; OUT then has those that are good.
 * feed_list_free() is due in either case. */
int feed_list_read(const char *state, struct feed_list *out, struct diag *diag);
void feed_list_free(struct feed_list *list);

/* The one of that name; NULL. */
const struct feed_item *feed_list_find(const struct feed_list *list, struct slice name);

/* When the rules of F end by themselves, if its line says how long they last: seconds; 0 when it does not, or never, or there is no
 * list. */
int64_t feed_item_ends(const struct feed_item *f);

#endif
